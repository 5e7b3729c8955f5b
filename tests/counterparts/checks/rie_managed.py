"""AWS's Runtime Interface Emulator, Managed Instances mode: telemetry as AWS's own code delivers it."""

import re

from harness import otlp
from harness.collector import Collector
from harness.extension import exit_counters, expect_identity
from harness.rie import Rie

INVOCATIONS = 5


def run(report, programs):
    with Collector("rie-managed") as collector:
        environment = {"KINGLET_ENDPOINT": collector.endpoint, "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"}
        with Rie("rie-managed", {"extensions/kinglet": programs.kinglet}, managed=True, **environment) as rie:
            events = [{"order": number} for number in range(1, INVOCATIONS + 1)]
            answers = [rie.invoke_when_ready(event) for event in events]  # One after the other: what is attributed is certain.
            delivered = rie.wait_logged(r"telemetry HTTP request completed", INVOCATIONS)
            terminated_ms = rie.terminate()
            log = rie.output()
        records = otlp.records(collector.messages())
    report.equal(answers, [{"number": n, "event": event} for n, event in enumerate(events, start=1)], "the function's answers are right")
    expect_lifecycle(report, log, delivered, terminated_ms)
    expect_lines(report, log, [record for record in records if record.type == "function"])
    types = {record.type for record in records}
    report.expect({"platform.initStart", "platform.start", "platform.report"} <= types, "platform events arrive, too", types)
    counters = exit_counters(log)
    report.equal(counters.get("delivered"), counters.get("received"), "every event counted as delivered")
    expect_identity(report, counters, "Managed Instances")


def expect_lifecycle(report, log, delivered, terminated_ms):
    report.expect("events=[SHUTDOWN]" in log, "INVOKE is refused, so it registers again for SHUTDOWN alone", log[:4000])
    report.expect("Telemetry subscription created" in log, "the subscription is accepted", log[:6000])
    report.expect(delivered, "every batch is taken")
    report.expect("LogsDropped" not in log and "logsDropped" not in log, "Lambda dropped nothing")
    report.expect(
        re.search(r"Name:extension-kinglet Cause:exited Signo:<nil> ExitStatus:0", log),
        "exits with status 0 at SHUTDOWN, not killed",
        log[-3000:],
    )
    report.expect(terminated_ms < 1000, f"SIGTERM to RIE's end: {terminated_ms:.0f} ms (less than 1000)", log[-3000:])


def expect_lines(report, log, records):
    """The lines that the function wrote, RIE copies them into its own output: once each, in order, under the right request."""
    ids = re.findall(r"^START RequestId: (\S+)", log, re.MULTILINE)
    wanted = ["init line"]
    for number, request_id in enumerate(ids, start=1):
        wanted += [
            f"{number}.1 plain {request_id}",
            f'{number}.2 "quoted" back\\slash \ttab ünïcödé 🐦 {request_id}',
            f'{{"level":"WARN","message":"{number}.3 structured","requestId":"{request_id}"}}',
            f"{number}.4 last {request_id}",
        ]
    report.equal(len(ids), INVOCATIONS, "every invocation started")
    report.equal(sorted(record.body for record in records), sorted(wanted), "every line arrives once, unchanged")
    # stdout and stderr are two pipes that RIE reads independently: order holds within each.
    for stream, chosen in (("stdout", lambda body: ".2 " not in body), ("stderr", lambda body: ".2 " in body)):
        found = [record.body for record in records if chosen(record.body)]
        report.equal(found, list(filter(chosen, wanted)), f"the lines of {stream} arrive in order")
    structured = [record for record in records if record.body.startswith("{")]
    report.equal([record.request_id for record in structured], ids, "a line that names its request is attributed to it")
    report.equal({record.severity_number for record in structured}, {13}, "WARN in a JSON line is severity 13")
    wrong = [(r.body, r.request_id) for r in records if r.request_id and r.request_id not in r.body]
    report.equal(wrong, [], "no line is attributed to another request")
    plain = [record for record in records if " plain " in record.body]
    report.equal([record.request_id for record in plain], ids, "with one invocation open its plain lines are attributed to it")
    report.equal([r.request_id for r in records if r.body == "init line"], [None], "a line from init belongs to no request")
