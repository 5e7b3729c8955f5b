"""What the function under the stub does: invocations with lines, ready as telemetry batches before the clock runs."""

import random
import time
import uuid
from dataclasses import dataclass

from . import lambda_api
from .lambda_api import event

BATCH_BYTES_MAX = 262_144  # Lambda's own default for maxBytes.
WORDS = "order payment stored invoice customer user=42 retry duration_ms=17.25 trace=9f2c status=200 ok größe took the warehouse in".split()
ODD_WORDS = ['"quoted"', "C:\\temp\\x", "tab\there", "納品", "🐦", '{"a":[1,"b"]}']  # One line in four has one: they need escapes or many bytes.


@dataclass
class Invocation:
    request_id: str
    lines: list
    batches: list  # (body, number of events): start and lines.
    done: bytes
    report: bytes


@dataclass
class Played:
    """What one run of invocations looked like from Lambda's side."""

    held_ms: list
    events: int
    telemetry_mb: float
    slowest_answer_ms: float


def invocations(count, bytes_per_invocation):
    """`count` invocations whose telemetry, envelopes included, is `bytes_per_invocation` each."""
    chance = random.Random(7)
    number = 0
    made = []
    for _ in range(count):
        request_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        lines, events, size = [], [lambda_api.start(request_id)], 0
        while size < bytes_per_invocation:
            words = chance.choices(WORDS, k=chance.randint(4, 40)) + chance.choices(ODD_WORDS, k=number % 4 == 0)
            lines.append(f"{number:07d} {' '.join(words)}")
            events.append(event("function", lines[-1]))
            size += len(events[-1]) + 1
            number += 1
        done, report = lambda_api.runtime_done(request_id), lambda_api.report(request_id)
        made.append(Invocation(request_id, lines, list(batches(events)), done, report))
    return made


def batches(events):
    batch, size = [], 0
    for one in events:
        if size + len(one) > BATCH_BYTES_MAX:
            yield b"[" + b",".join(batch) + b"]", len(batch)
            batch, size = [], 0
        batch.append(one)
        size += len(one) + 1
    yield b"[" + b",".join(batch) + b"]", len(batch)


def play(api, made, pace_s=0.0, function_s=0.0, last_report=True):
    """Runs the invocations one after the other; `pace_s` between batches, `function_s` from the last line to the end.

    Lambda often has no chance to deliver the last report before SHUTDOWN: `last_report` says whether it does.
    Held is the time from the last byte of runtimeDone to the next that follows; none if next was asked before.
    """
    api.wait_asked(1, 10)
    telemetry = api.telemetry()
    telemetry.post([lambda_api.init_start(), lambda_api.init_report()])
    held_ms = []
    for number, invocation in enumerate(made, start=1):
        api.invoke(invocation.request_id)
        for body, count in invocation.batches:
            telemetry.post_batch(body, count)
            time.sleep(pace_s)
        time.sleep(function_s)
        done_at = telemetry.post([invocation.done])
        asked_at = api.wait_asked(number + 1, 30)
        held_ms.append(max(0.0, (asked_at - done_at) * 1000))
        if last_report or number < len(made):
            telemetry.post([invocation.report])
    return Played(held_ms, telemetry.events, telemetry.bytes / 1e6, telemetry.slowest_answer_ms)


def expected(made):
    """(body, request id) of every line, in order."""
    return [(line, invocation.request_id) for invocation in made for line in invocation.lines]
