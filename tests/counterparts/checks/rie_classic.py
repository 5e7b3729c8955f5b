"""AWS's Runtime Interface Emulator, classic mode: real INVOKE and SHUTDOWN, telemetry refused with 202."""

import statistics

from harness import places
from harness.collector import Collector
from harness.extension import exit_counters, expect_identity
from harness.report import note
from harness.rie import Rie

INVOCATIONS = 3
ROUNDS = 7
COST_MS_MAX = 50
EVENTS = [{"order": number} for number in range(1, INVOCATIONS + 1)]
ANSWERS = [{"number": number, "event": event} for number, event in enumerate(EVENTS, start=1)]


def run(report, programs):
    protocol(report, programs)
    cost(report, programs)


def protocol(report, programs):
    """What AWS's binary saw of kinglet, by its own debug log."""
    extensions = {"extensions/kinglet": places.HERE / "function/reports-status", "programs/kinglet": programs.kinglet}
    with Collector("rie-classic") as collector, Rie("rie-classic", extensions, KINGLET_ENDPOINT=collector.endpoint) as rie:
        answers = [rie.invoke(event)[0] for event in EVENTS]
        rie.wait_logged("GET /2020-01-01/extension/event/next", INVOCATIONS + 1)
        terminated_ms = rie.terminate()
        log = rie.output()
        posts = collector.posts()
    report.equal(answers, ANSWERS, "the function's answers are right")
    report.expect("subscribed to [INVOKE SHUTDOWN]" in log, "registers for INVOKE and SHUTDOWN", log[:3000])
    asked = log.count("GET /2020-01-01/extension/event/next")
    report.equal(asked, INVOCATIONS + 1, "asks next once for every INVOKE and once for SHUTDOWN")
    report.expect("extension status 0" in log, "exits with status 0 at SHUTDOWN, not killed", log[-3000:])
    report.expect(terminated_ms < 500, f"SIGTERM to RIE's end: {terminated_ms:.0f} ms (less than 500)", log[-3000:])
    report.expect(log.count("kinglet: exit ") == 1, "writes one exit line", log[-3000:])
    expect_identity(report, exit_counters(log), "telemetry refused")
    report.equal(len(posts), 0, "ships nothing, because nothing came")


def cost(report, programs):
    """Three invocations, the cold start included, with kinglet and without, in turn."""
    totals = {"with": [], "without": []}
    for _ in range(ROUNDS):
        for name, extensions in (("with", {"extensions/kinglet": programs.kinglet}), ("without", {})):
            # Nobody listens on the discard port: even a dead collector costs nothing here.
            with Rie(f"rie-classic-{name}", extensions, KINGLET_ENDPOINT="http://127.0.0.1:9") as rie:
                totals[name].append(sum(rie.invoke(event)[1] for event in EVENTS))
                rie.terminate()
    for name, values in totals.items():
        note(f"{name} kinglet, {INVOCATIONS} invocations in ms: " + " ".join(f"{value:.0f}" for value in values))
    difference = statistics.median(totals["with"]) - statistics.median(totals["without"])
    report.at_most(difference, COST_MS_MAX, "ms", f"{INVOCATIONS} invocations with kinglet take longer by (median of {ROUNDS})")
