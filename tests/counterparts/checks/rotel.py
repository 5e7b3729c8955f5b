"""rotel, a collector in Rust: kinglet's bodies in both forms through its OTLP/HTTP receiver, read back from its debug log."""

import contextlib
import re
import subprocess
import time
import urllib.error
import urllib.request

from harness import otlp, places, session
from harness.extension import expect_identity

PORT, GRPC_PORT = 4318, 4317
REQUEST_ID = "7c0f3a4e-51a2-4d55-9a7e-0d4f2f6f2b11"
LINES = ["plain line", 'quotes " and \\ and tab\tend', "größe 納品 🐦", "[ERROR]\t2026-11-21T20:37:43.578Z\t" + REQUEST_ID + "\twent wrong"]
OBJECT = {"timestamp": "2026-11-21T20:37:40Z", "level": "WARN", "message": "structured", "order": 17, "price": 1.5, "paid": True, "items": ["a", 2]}


def run(report, programs):
    for form in otlp.FORMATS:
        deliver(report, programs, form)


def deliver(report, programs, form):
    name = f"rotel-{form}"
    log = places.LOGS / f"{name}.log"
    with receiving("logs", log):
        report.equal(post(b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{}}]}]}]}'), 400, f"{name}: refuses an empty value, so it does check")
        batch = session.invocation(REQUEST_ID, LINES + [OBJECT])
        kinglet = session.deliver(report, programs, name, f"http://127.0.0.1:{PORT}", [batch], KINGLET_FORMAT=form)
    counters = kinglet.counters()
    report.equal(counters.get("delivered"), batch[1], f"{name}: accepted every record")
    expect_identity(report, counters, name)
    expect_log(report, name, log.read_text(errors="replace"))


@contextlib.contextmanager
def receiving(signal, log):
    """rotel as a collector, which writes into the log what it reads of one signal."""
    command = [places.rotel(), "start", "--otlp-http-endpoint", f"127.0.0.1:{PORT}", "--otlp-grpc-endpoint", f"127.0.0.1:{GRPC_PORT}"]
    command += ["--exporter", "blackhole", "--debug-log", signal, "--debug-log-verbosity", "detailed"]
    with open(log, "wb") as output:
        rotel = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_for_server(log)
        yield
        time.sleep(0.5)
    finally:
        rotel.kill()
        rotel.wait()


def expect_log(report, name, log):
    records = log.split("LogRecord #")[1:]
    bodies = [re.search(r"^Body: Str\((.*?)\)\nAttributes:", record, re.MULTILINE | re.DOTALL) for record in records]
    bodies = [body and body[1] for body in bodies]
    functions = [body for body, record in zip(bodies, records) if "aws.lambda.event.type: Str(platform." not in record]
    report.equal(functions, LINES + ["structured"], f"{name}: read the bodies that the function wrote")
    owned = [f"faas.invocation_id: Str({REQUEST_ID})" in record for record in records]
    report.expect(len(owned) == len(LINES) + 4 and all(owned), f"{name}: read the request id of every record", log[-4000:])
    structured = next((record for record in records if "Body: Str(structured)" in record), "")
    for attribute in ("order: Int(17)", "price: Double(1.5)", "paid: Bool(true)"):
        report.expect(f"-> {attribute}" in structured, f"{name}: read the attribute {attribute}", structured)
    report.expect("SEVERITY_NUMBER_WARN(13)" in structured, f"{name}: read the severity WARN", structured)
    for attribute in ("faas.name: Str(counterpart)", "cloud.region: Str(eu-west-1)", "cloud.provider: Str(aws)", "faas.max_memory: Int(268435456)"):
        report.expect(f"-> {attribute}" in log, f"{name}: read the resource attribute {attribute}", log[:2000])


def post(body):
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/v1/logs", body, {"Content-Type": "application/json"})
    try:
        return urllib.request.urlopen(request, timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code


def wait_for_server(log):
    for _ in range(200):
        try:
            if post(b'{"resourceLogs":[]}') == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"rotel did not start:\n{log.read_text(errors='replace')[-2000:]}")
