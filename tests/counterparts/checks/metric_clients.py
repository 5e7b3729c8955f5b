"""The libraries for metrics that people use, in AWS's Python runtime: each number they send arrives, and nothing else."""

import json
import subprocess
from collections import defaultdict

from harness import metrics, otlp, places
from harness.collector import Collector
from harness.extension import exit_counters, expect_identity
from harness.report import short

INVOCATIONS = 4
KINDS = {"count": "sum", "gauge": "gauge", "set": "gauge", "histogram": "histogram"}
OF_LAMBDA = ("faas.", "aws.lambda.", "kinglet.")
OF_THE_CLIENT = "datadog.dogstatsd.client."  # What DogStatsD says about itself, when ten seconds are over.


def run(report, programs):
    for log_format, flush, form in (("text", "adaptive", "otlp"), ("json", "end", "otlp-json"), ("text", "start", "otlp")):
        name = f"{log_format}, KINGLET_FLUSH={flush}, {form}"
        counters, messages = play(report, programs, name, log_format, flush, form)
        records = otlp.function_records(messages)
        account = [line for record in records for line in account_lines(record)]
        report.expect(len(account) > 20 * INVOCATIONS, f"{name}: the function tells what it has sent", short(records))
        compare(report, name, account, metrics.points(messages))
        expect_lines(report, name, otlp.records(messages))
        wrong = {key: counters.get(key) for key in ("measurements_malformed", "measurements_dropped", "datagrams_dropped")}
        report.equal(wrong, dict.fromkeys(wrong, 0), f"{name}: nothing malformed or dropped")


def account_lines(record):
    _, found, text = str(record.body).partition("account: ")
    return json.loads(text) if found else []


def play(report, programs, name, log_format, flush, form):
    store = "metric-clients-" + "".join(letter if letter.isalnum() else "-" for letter in name)
    with Collector(store) as collector:
        command = [programs.sandbox, "--extension", programs.kinglet, "--json", "--collector", collector.endpoint]
        command += ["--function", f"{places.PYTHON} -B -m awslambdaric measures.handler", "--log-format", log_format]
        command += ["--invocations", str(INVOCATIONS), "--gap", "200", "--env", f"KINGLET_FLUSH={flush}", "--env", f"KINGLET_FORMAT={form}"]
        ran = subprocess.run(
            command,
            cwd=places.HERE / "function",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        messages = collector.messages()
    report.equal(ran.returncode, 0, f"{name}: the sandbox ran")
    (places.LOGS / f"{store}.json").write_text(ran.stdout)
    sandbox = json.loads(ran.stdout)
    answers = [(invocation["status"], invocation["error"]) for invocation in sandbox["invocations"]]
    report.equal(answers, [("success", False)] * INVOCATIONS, f"{name}: the function's answers are right")
    counters = exit_counters("\n".join(sandbox["stderr"]))
    expect_identity(report, counters, name)
    report.equal(counters.get("points_delivered"), len(metrics.points(messages)), f"{name}: every point delivered is there")
    report.equal(metrics.total(messages, "faas.invocations"), INVOCATIONS, f"{name}: faas.invocations")
    return counters, messages


def compare(report, name, account, points):
    wanted = defaultdict(list)
    types = {}
    for library, metric, kind, unit, tags, values in account:
        series = (metric, KINDS[kind], unit, tuple(sorted(tags.items())))
        types[series] = (library, kind)
        wanted[series] += values
    points = [point for point in points if not point.name.startswith((*OF_LAMBDA, OF_THE_CLIENT))]
    found = metrics.totals(points)
    report.equal(sorted(found.keys() - wanted.keys()), [], f"{name}: no series that nobody has sent")
    for series, values in wanted.items():
        library, kind = types[series]
        where = f"{name}: {library}: {kind} {series[0]}"
        total = found.get(series)
        if not total:
            report.expect(False, f"{where} arrives, with its unit and tags", short([other for other in found if other[0] == series[0]]))
        elif kind == "histogram":
            statistics = (len(values), sum(values), min(values), max(values))
            report.equal((total.count, total.sum, total.min, total.max), statistics, f"{where}: count, sum, minimum, maximum")
        elif kind == "count":
            report.equal(total.value, sum(values), f"{where}: the sum")
        elif kind == "gauge":
            report.equal(total.values[-1], values[-1], f"{where}: stands at its last value")
        else:  # Distinct members between two points; every invocation has the same.
            report.equal(set(total.values), {float(len(set(values)))}, f"{where}: distinct members")
    deltas = {point.temporality for point in points if point.kind != "gauge"}
    report.equal(deltas, {1}, f"{name}: sums and histograms are deltas")


def expect_lines(report, name, records):
    """By default an EMF line is a record, too; events and service checks are records only."""
    embedded = [record for record in records if "CloudWatchMetrics" in json.dumps([record.body, record.attributes])]
    # One by aws-embedded-metrics, two by Powertools, and one for the cold start.
    report.equal(len(embedded), 3 * INVOCATIONS + 1, f"{name}: EMF lines are records, too")
    events = [(record.body, record.severity_text) for record in records if record.type == "statsd.event"]
    report.equal(events, [("Deployed\nfirst line\nsecond line", "WARN")] * INVOCATIONS, f"{name}: DogStatsD's events")
    checks = [(record.body, record.severity_text, record.attributes.get("statsd.service_check.name")) for record in records if record.type == "statsd.service_check"]
    report.equal(checks, [("cannot connect", "ERROR", "db.up")] * INVOCATIONS, f"{name}: DogStatsD's service checks")
