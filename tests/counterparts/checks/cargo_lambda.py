"""cargo lambda watch: an API with a scheme and a path, deadlines of 0, a subscribe that says 200 and delivers nothing."""

import http.client
import json
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from harness import places
from harness.collector import Collector
from harness.extension import Extension

PORT = 9000
INVOCATIONS = 4
API = "/.rt/2018-06-01/runtime/invocation"


class Address:
    """As cargo lambda prints it."""

    address = f"http://127.0.0.1:{PORT}/.rt"


def run(report, programs):
    log = places.LOGS / "cargo-lambda.log"
    with tempfile.TemporaryDirectory() as directory, Collector("cargo-lambda") as collector:
        watch = start_watch(Path(directory), log)
        try:
            wait_for_server(log)
            kinglet = Extension(programs.kinglet, "cargo-lambda-kinglet", Address, collector.endpoint)
            report.expect(wait_logged(log, "registering extension", 1), "kinglet registers", kinglet.stderr())
            report.expect(wait_logged(log, "received events subscription request", 1), "kinglet subscribes", kinglet.stderr())
            threading.Thread(target=play_runtime, daemon=True).start()
            invoke_all(report)
            asked = wait_logged(log, "extension waiting for next event", INVOCATIONS + 1)
            report.expect(asked, "kinglet asks next after every invocation", kinglet.stderr() + log.read_text()[-3000:])
            time.sleep(1)
            report.expect(kinglet.alive(), "kinglet is alive", kinglet.stderr())
            found = log.read_text().count("extension waiting for next event")
            report.equal(found, INVOCATIONS + 1, "kinglet asks no oftener than that")
            report.equal(len(collector.posts()), 0, "kinglet ships nothing, because nothing came")
        finally:
            watch.kill()
            watch.wait()
        report.expect(kinglet.wait(15), "kinglet ends when the sandbox is gone", "it was still there after 15 s\n" + kinglet.stderr())
        report.equal(kinglet.exit_status, 1, "and says so by its exit status")


def start_watch(directory, log):
    """`watch` wants a package to stand in, though it neither builds nor starts it."""
    (directory / "src").mkdir()
    (directory / "src/main.rs").write_text("fn main() {}\n")
    (directory / "Cargo.toml").write_text('[package]\nname = "function"\nversion = "0.0.0"\n\n[workspace]\n')
    command = [places.CARGO_LAMBDA, "lambda", "watch", "--only-lambda-apis", "-v", "-A", "127.0.0.1", "-P", str(PORT)]
    with open(log, "wb") as output:
        return subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def invoke_all(report):
    for number in range(INVOCATIONS):
        began = time.monotonic()
        answer = call("POST", "/2015-03-31/functions/_/invocations", json.dumps({"order": number}).encode())[1]
        took_ms = (time.monotonic() - began) * 1000
        report.equal(json.loads(answer), {"order": number}, f"invocation {number + 1} is answered ({took_ms:.0f} ms)")


def play_runtime():
    """The function: answers every event with itself."""
    while True:
        try:
            headers, event = call("GET", f"{API}/next")
            if identifier := headers.get("lambda-runtime-aws-request-id"):
                call("POST", f"{API}/{identifier}/response", event)
        except OSError:
            return


def call(method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.headers, answer.read()


def wait_for_server(log):
    for _ in range(600):
        try:
            return http.client.HTTPConnection("127.0.0.1", PORT, timeout=1).connect()
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"cargo lambda watch did not start:\n{log.read_text(errors='replace')[-2000:]}")


def wait_logged(log, text, count, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if log.read_text(errors="replace").count(text) >= count:
            return True
        time.sleep(0.05)
    return False
