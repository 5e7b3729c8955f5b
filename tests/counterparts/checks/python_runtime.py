"""awslambdaric, AWS's Python runtime, as the function in kinglet's own sandbox."""

import json
import subprocess
import tempfile
from pathlib import Path

from harness import otlp, places
from harness.collector import Collector
from harness.extension import exit_counters, expect_identity
from harness.report import short

INVOCATIONS = 3


def run(report, programs):
    text(report, programs)
    json_objects(report, programs)


def text(report, programs):
    for boom in (False, True):
        name = "text, raising" if boom else "text"
        sandbox, records = play(report, programs, name, "text", boom)
        for number, (request_id, found) in enumerate(by_invocation(report, name, sandbox, records), start=1):
            where = f"{name}, invocation {number}"
            report.equal([shape(record, request_id) for record in found], text_lines(boom), f"{where}: lines and severities")
            report.equal({record.request_id for record in found}, {request_id}, f"{where}: request id of every line")
        if boom:
            last = [record.body for record in records if record.severity_number == 17]
            traced = len(last) == INVOCATIONS and all("ValueError: boom" in body and "Traceback" in body for body in last)
            report.expect(traced, f"{name}: the traceback arrives whole, as one ERROR", short(last))


def text_lines(boom):
    lines = [("print from handler", 0), ("[INFO] order 17", 9), ("[WARNING] first", 13), ("second", 0)]
    return lines + [("[ERROR] ValueError: boom", 17)] * boom


def shape(record, request_id):
    """A text line without what is different every time: `[LEVEL]\\tTIME\\tREQUEST\\tmessage` as `[LEVEL] message`; the head of a traceback."""
    fields = record.body.split("\r")[0].split("\t")
    named = len(fields) == 4 and fields[2] == request_id
    return (f"{fields[0]} {fields[3]}" if named else record.body.split("\r")[0]), record.severity_number


def json_objects(report, programs):
    for boom in (False, True):
        name = "JSON, raising" if boom else "JSON"
        sandbox, records = play(report, programs, name, "json", boom)
        for number, (request_id, found) in enumerate(by_invocation(report, name, sandbox, records), start=1):
            where = f"{name}, invocation {number}"
            logged = [record for record in found if "logger" in record.attributes]
            bodies = [(record.body, record.severity_number) for record in logged]
            report.equal(bodies, [("order 17", 9), ("first\nsecond", 13)], f"{where}: messages and severities")
            report.equal([record.attributes["logger"] for record in logged], ["root", "root"], f"{where}: the logger is an attribute")
            own = {"timestamp", "level", "message", "requestId"}
            report.expect(not any(own & set(record.attributes) for record in logged), f"{where}: what has a field of its own is no attribute")
            report.equal({record.request_id for record in found}, {request_id}, f"{where}: request id of every line")
            report.expect(any(record.body == "print from handler" for record in found), f"{where}: the printed line", short(found))
            errors = [(r.attributes.get("errorType"), r.attributes.get("errorMessage")) for r in found if r.severity_number == 17]
            report.equal(errors, [("ValueError", "boom")] * boom, f"{where}: exceptions")


def play(report, programs, name, log_format, boom):
    """A run of the sandbox: its own account as JSON, and the records of type function at our collector."""
    store = "python-" + "".join(letter if letter.isalnum() else "-" for letter in name)
    with tempfile.TemporaryDirectory() as directory, Collector(store) as collector:
        payload = Path(directory) / "event.json"
        payload.write_text(json.dumps({"order": 17, "boom": boom}))
        command = [programs.sandbox, "--extension", programs.kinglet, "--json", "--collector", collector.endpoint]
        command += ["--function", f"{places.PYTHON} -B -m awslambdaric app.handler", "--log-format", log_format]
        command += ["--invocations", str(INVOCATIONS), "--gap", "200", "--payload", payload]
        ran = subprocess.run(
            command,
            cwd=places.HERE / "function",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        records = otlp.function_records(collector.messages())
    report.equal(ran.returncode, 0, f"{name}: the sandbox ran")
    sandbox = json.loads(ran.stdout)
    (places.LOGS / f"{store}.json").write_text(ran.stdout)
    report.equal(sandbox["exit_code"], 0, f"{name}: kinglet's exit status 0")
    answers = [(invocation["status"], invocation["error"]) for invocation in sandbox["invocations"]]
    report.equal(answers, [("success", boom)] * INVOCATIONS, f"{name}: the function's answers are right")
    counters = exit_counters("\n".join(sandbox["stderr"]))
    report.equal(counters.get("delivered"), counters.get("received"), f"{name}: every event counted as delivered")
    expect_identity(report, counters, name)
    return sandbox, records


def by_invocation(report, name, sandbox, records):
    """(request id, its records) for each invocation, the records being divided by the line that begins each."""
    report.equal([records[0].body, records[0].request_id] if records else None, ["init: module import", None], f"{name}: the line from init belongs to no request")
    groups = []
    for record in records[1:]:
        if record.body == "print from handler":
            groups.append([])
        if groups:
            groups[-1].append(record)
    ids = [invocation["request_id"] for invocation in sandbox["invocations"]]
    report.equal(len(groups), len(ids), f"{name}: every invocation's lines arrive")
    return list(zip(ids, groups))
