"""rotel again: kinglet's metrics in both forms through its OTLP/HTTP receiver, read back from its debug log."""

import re

from harness import otlp, places, session
from harness.extension import expect_identity

from . import rotel

REQUEST_IDS = [f"7c0f3a4e-51a2-4d55-9a7e-0d4f2f6f2b1{number}" for number in range(3)]
BIG = 3_000_000_000_000_000  # Below 2⁵³, so a JSON number; in nanoseconds of a gauge nobody loses a digit.
DATAGRAMS = ["orders:41|c|#shop:north\norders:1.5|c|#shop:north", "depth:-7.25|g|#kind:größe", f"big:{BIG}|g", "took:3|ms|@0.25", "took:20000|ms", "users:anna|s\nusers:bert|s"]
EMF = '{"_aws":{"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["service"]],"Metrics":[{"Name":"Latency","Unit":"Milliseconds"}]}]},"service":"checkout","Latency":[12.5,14]}'


def run(report, programs):
    for form in otlp.FORMATS:
        deliver(report, programs, form)


def deliver(report, programs, form):
    run_name = f"rotel-metrics-{form}"
    log = places.LOGS / f"{run_name}.log"
    with rotel.receiving("metrics", log):
        batches = [session.invocation(request_id, ["a line", EMF]) for request_id in REQUEST_IDS]
        kinglet = session.deliver(report, programs, run_name, f"http://127.0.0.1:{rotel.PORT}", batches, datagrams=DATAGRAMS, KINGLET_FORMAT=form)
    counters = kinglet.counters()
    report.equal(counters.get("points_delivered"), counters.get("points"), f"{run_name}: accepted every point")
    expect_identity(report, counters, run_name)
    expect_log(report, run_name, log.read_text(errors="replace"), counters)


def expect_log(report, run_name, log, counters):
    metrics = [fields(text) for text in re.split(r"^Metric #\d+$", log, flags=re.MULTILINE)[1:]]
    report.equal(len(metrics), counters.get("points"), f"{run_name}: read as many metrics as kinglet has sent points")
    delta = "AGGREGATION_TEMPORALITY_DELTA"
    for name, unit, attributes, wanted in (
        ("orders", "", ["shop: Str(north)"], {"DataType": "Sum", "IsMonotonic": "false", "AggregationTemporality": delta, "Value": "42.5"}),
        ("depth", "", ["kind: Str(größe)"], {"DataType": "Gauge", "Value": "-7.25"}),
        ("big", "", [], {"DataType": "Gauge", "Value": str(BIG)}),
        ("users", "", [], {"DataType": "Gauge", "Value": "2"}),
        ("took", "ms", [], {"DataType": "Histogram", "AggregationTemporality": delta, "Count": "5", "Sum": "20012", "Min": "3", "Max": "20000"}),
        ("Latency", "ms", ["aws.cloudwatch.namespace: Str(Shop)", "service: Str(checkout)"], {"DataType": "Histogram", "Count": "6", "Sum": "79.5", "Min": "12.5", "Max": "14"}),
        ("faas.invocations", "{invocation}", [], {"DataType": "Sum", "IsMonotonic": "true", "AggregationTemporality": delta, "Value": "3"}),
        ("faas.invoke_duration", "s", [], {"DataType": "Histogram", "Count": "3", "Sum": str(0.01225 + 0.01225 + 0.01225), "Min": "0.01225", "Max": "0.01225"}),
        ("faas.mem_usage", "By", [], {"DataType": "Histogram", "Count": "3", "Sum": str(3 * 70 * 1_048_576)}),
    ):
        found = [metric for metric in metrics if metric["Name"] == name]
        if not report.equal(len(found), 1, f"{run_name}: read one metric {name}"):
            continue
        metric = found[0]
        report.equal({key: metric.get(key) for key in ("Unit", *wanted)}, {"Unit": unit, **wanted}, f"{run_name}: read {name}: unit, type and values")
        report.equal(metric["attributes"], attributes, f"{run_name}: read {name}: attributes")
        if wanted["DataType"] == "Histogram":
            counts = [int(count) for count in metric["buckets"]]
            expected = (len(metric["bounds"]) + 1, int(wanted["Count"]))
            report.equal((len(counts), sum(counts)), expected, f"{run_name}: read {name}: buckets")
        if wanted["DataType"] != "Gauge":
            report.expect(0 < int(metric["StartTimestamp"]) < int(metric["Timestamp"]), f"{run_name}: read {name}: start and time", metric)
    took = next((metric for metric in metrics if metric["Name"] == "took"), None)
    report.expect(took and took["buckets"][1] == "4" and took["buckets"][-1] == "1", f"{run_name}: read took: each value in its bucket", took)
    for attribute in ("faas.name: Str(counterpart)", "cloud.region: Str(eu-west-1)"):
        report.expect(f"-> {attribute}" in log, f"{run_name}: read the resource attribute {attribute}", log[:2000])


def fields(text):
    """One metric with its one point. Names stand behind an arrow in the descriptor, values at the beginning of a line."""
    found = dict(re.findall(r"^(?:     -> )?(Name|Unit|DataType|IsMonotonic|AggregationTemporality|StartTimestamp|Timestamp|Value|Count|Sum|Min|Max): (.*)$", text, re.MULTILINE))
    # The next resource begins behind this metric.
    attributes = text.split("Data point attributes:\n")[1] if "Data point attributes:" in text else ""
    found["attributes"] = re.findall(r"-> (.*)", re.split(r"^\w", attributes, maxsplit=1, flags=re.MULTILINE)[0])
    found["bounds"] = re.findall(r"^ExplicitBounds #\d+: (.*)$", text, re.MULTILINE)
    found["buckets"] = re.findall(r"^Buckets #\d+, Count: (\d+)$", text, re.MULTILINE)
    return found
