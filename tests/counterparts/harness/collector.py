"""An OTLP/HTTP collector, in a process of its own so that its work disturbs no measurement.

It keeps every body as it came. What it answers is its fault or its virtue: a status, a delay, or nothing at all.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

if __name__ == "__main__":
    import http1
else:
    from . import http1, otlp, places


@dataclass
class Post:
    path: str
    headers: dict
    status: int  # What was answered; 0 for no answer.
    at: float  # CLOCK_MONOTONIC when its body was complete, seconds.
    body: bytes

    @property
    def content_type(self):
        return self.headers.get("content-type")

    def message(self):
        return otlp.decode(self.path, self.content_type, self.body)


class Collector:
    """The collector's process, seen from a check."""

    def __init__(self, name, status=200, delay_ms=0, silent=False):
        self.store = places.BODIES / f"{name}.posts"
        self.store.unlink(missing_ok=True)
        command = [sys.executable, __file__, str(self.store), f"--status={status}", f"--delay-ms={delay_ms}"]
        self.process = subprocess.Popen(
            command + ["--silent"] * silent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def posts(self):
        """All bodies so far, oldest first."""
        return list(read_posts(self.store))

    def messages(self):
        """What the bodies say that were answered with 200, oldest first."""
        return [post.message() for post in self.posts() if post.status == 200]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def read_posts(store):
    with open(store, "rb") as frames:
        while line := frames.readline():
            head = json.loads(line)
            yield Post(head["path"], head["headers"], head["status"], head["at"], frames.read(head["length"]))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("store")
    arguments.add_argument("--status", type=int, default=200)
    arguments.add_argument("--delay-ms", type=int, default=0)
    arguments.add_argument("--silent", action="store_true", help="read everything, never answer")
    options = arguments.parse_args()
    frames, lock = open(options.store, "ab"), threading.Lock()

    def handle(request, respond):
        status = 0 if options.silent else options.status
        head = {"path": request.path, "headers": request.headers, "status": status, "at": time.monotonic()}
        with lock:
            frames.write(json.dumps({**head, "length": len(request.body)}).encode() + b"\n" + request.body)
            frames.flush()
        if options.silent:
            time.sleep(3600)
        time.sleep(options.delay_ms / 1000)
        respond(status, b"{}", {"content-type": "application/json"})

    listener = http1.listen()
    print(listener.getsockname()[1], flush=True)
    http1.serve(listener, handle)


if __name__ == "__main__":
    main()
