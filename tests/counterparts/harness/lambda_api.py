"""A stub of Lambda's Extensions and Telemetry APIs, written from their documentation, independent of the sandbox in tests/sandbox:
two implementations check each other. It plays one sandbox with one extension, and is driven step by step.
"""

import json
import socket
import threading
import time
import uuid
from datetime import datetime, timezone
from urllib.parse import urlsplit

from . import http1

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:counterpart"


class LambdaApi:
    def __init__(self):
        self.identifier = str(uuid.uuid4())
        self.calls = []  # (method, path) in order.
        self.register_body = None
        self.subscription = None
        self.asked_at = []  # CLOCK_MONOTONIC of every next, seconds.
        self.shutdown_at = None
        self.changed = threading.Condition()
        self.pending = None  # The answer to next that waits to be written.
        self.listener = http1.listen()
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=http1.serve, args=(self.listener, self.handle), daemon=True).start()

    # What the extension asks.

    def handle(self, request, respond):
        now = time.monotonic()
        with self.changed:
            self.calls.append((request.method, request.path))
        if request.path == "/2020-01-01/extension/register":
            self.register_body = json.loads(request.body)
            answer = {"functionName": "counterpart", "functionVersion": "$LATEST", "handler": "app.handler"}
            if request.headers.get("lambda-extension-accept-feature") == "accountId":
                answer["accountId"] = "123456789012"
            respond(200, json.dumps(answer).encode(), {"Lambda-Extension-Identifier": self.identifier})
        elif request.headers.get("lambda-extension-identifier") != self.identifier:
            respond(403, b'{"errorType":"Extension.UnknownExtensionIdentifier","errorMessage":""}')
        elif request.path == "/2022-07-01/telemetry":
            self.subscription = json.loads(request.body)
            respond(200, b'"OK"')
        elif request.path == "/2020-01-01/extension/event/next":
            respond(200, self.next_event(now), {"Content-Type": "application/json"})
        else:
            respond(404)

    def next_event(self, asked_at):
        with self.changed:
            self.asked_at.append(asked_at)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.pending is not None)
            event, self.pending = self.pending, None
            return event

    # What the check drives.

    def wait_asked(self, count, timeout_s):
        """When next was asked for the `count`th time (CLOCK_MONOTONIC, seconds)."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.asked_at) >= count, timeout_s):
                raise TimeoutError(f"next number {count} was not asked within {timeout_s} s")
            return self.asked_at[count - 1]

    def invoke(self, request_id, timeout_s=30):
        event = {"eventType": "INVOKE", "deadlineMs": now_ms() + timeout_s * 1000, "requestId": request_id}
        self.answer({**event, "invokedFunctionArn": ARN, "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1-0"}})

    def shutdown(self, budget_ms=2000, reason="spindown"):
        self.shutdown_at = time.monotonic()
        self.answer({"eventType": "SHUTDOWN", "deadlineMs": now_ms() + budget_ms, "shutdownReason": reason})

    def answer(self, event):
        with self.changed:
            self.pending = json.dumps(event).encode()
            self.changed.notify_all()

    def telemetry(self):
        """A connection to the extension's listener, as Lambda opens it."""
        destination = urlsplit(self.subscription["destination"]["URI"])
        return Telemetry(destination.port, destination.path or "/")

    def close(self):
        self.listener.close()


class Telemetry:
    """Lambda's side of telemetry delivery: one connection, kept alive, one POST after the other."""

    def __init__(self, port, path):
        self.path = path
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")
        self.events = 0
        self.bytes = 0
        self.slowest_answer_ms = 0.0

    def post(self, events):
        return self.post_batch(b"[" + b",".join(events) + b"]", len(events))

    def post_batch(self, body, count):
        """Posts a batch of `count` events and waits for the answer; returns when its last byte was sent."""
        head = f"POST {self.path} HTTP/1.1\r\nHost: sandbox.localdomain\r\nContent-Type: application/json\r\n"
        self.socket.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        sent_at = time.monotonic()
        self.read_answer()
        self.slowest_answer_ms = max(self.slowest_answer_ms, (time.monotonic() - sent_at) * 1000)
        self.events += count
        self.bytes += len(body)
        return sent_at

    def read_answer(self):
        status = self.reader.readline().split()
        if len(status) < 2 or status[1] != b"200":
            raise OSError(f"telemetry was answered with {status}")
        length = 0
        while line := self.reader.readline().strip().lower():
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.reader.read(length)


# Telemetry API events, already JSON.


def event(kind, record):
    """As Lambda writes it: no blanks, and nothing escaped that need not be."""
    members = {"time": now_text(), "type": kind, "record": record}
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def init_start():
    record = {"initializationType": "on-demand", "phase": "init", "functionName": "counterpart", "functionVersion": "$LATEST"}
    return event("platform.initStart", {**record, "instanceId": "2026/01/01/counterpart[$LATEST]0a", "instanceMaxMemory": 268435456})


def init_report():
    return event("platform.initReport", {"initializationType": "on-demand", "phase": "init", "status": "success", "metrics": {"durationMs": 51.5}})


def start(request_id):
    return event("platform.start", {"requestId": request_id, "version": "$LATEST", "functionArn": ARN})


def runtime_done(request_id):
    metrics = {"durationMs": 12.25, "producedBytes": 4}
    return event("platform.runtimeDone", {"requestId": request_id, "status": "success", "metrics": metrics})


def report(request_id):
    metrics = {"durationMs": 13.5, "billedDurationMs": 14, "memorySizeMB": 256, "maxMemoryUsedMB": 70}
    return event("platform.report", {"requestId": request_id, "status": "success", "metrics": metrics})


def now_ms():
    return time.time_ns() // 1_000_000


def now_text():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
