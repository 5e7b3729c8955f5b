"""Every body that kinglet shipped in the checks before, through opentelemetry-proto's own schema and OTLP's rules."""

import json
import multiprocessing

from harness import otlp, places
from harness.collector import read_posts


def run(report, programs):
    prove_it_can_fail(report)
    stores = sorted(places.BODIES.glob("*.posts"))
    report.expect(any(store.stat().st_size for store in stores), "there are bodies to check; the other checks run before this one")
    with multiprocessing.Pool() as workers:
        for store in stores:
            posts = list(read_posts(store))
            if not posts:
                continue  # Whether something had to arrive there, its own check says.
            bodies = list({post.body for post in posts})  # A retry repeats its body.
            found = [fault for faults in workers.imap_unordered(body_faults, bodies, chunksize=4) for fault in faults]
            where = f"{store.stem}: {len(posts)} bodies ({len(bodies)} different, {sum(map(len, bodies)) / 1e6:.1f} MB) are valid OTLP"
            report.expect(not found, where, "\n".join(found[:10]))
            heads = {(post.path, post.headers.get("content-type")) for post in posts}
            allowed = {("/v1/logs", "application/json"), ("/v1/metrics", "application/json")}
            report.expect(heads <= allowed, f"{store.stem}: paths and content types", heads)


def body_faults(body):
    try:
        document = json.loads(body, parse_constant=refuse)
    except ValueError as error:  # UnicodeDecodeError is one, too.
        return [f"not JSON in UTF-8: {error}"]
    return otlp.faults(document)


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def prove_it_can_fail(report):
    """A check that cannot fail is no check: each of these is one step from the valid one."""
    record = '{"timeUnixNano":"1","severityNumber":9,"body":{"stringValue":"a"},"attributes":[{"key":"k","value":{"intValue":"1"}}]}'
    valid = f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}'
    broken = {
        '{"stringValue":"a"}': "{}",
        '"timeUnixNano":"1"': '"timeUnixNano":1',
        '"severityNumber":9': '"severityNumber":25',
        '{"key":"k","value":{"intValue":"1"}}': '{"key":"k","value":{"intValue":"1"}},{"key":"k","value":{"intValue":"2"}}',
        '"intValue":"1"': '"intValue":"x"',
        '"logRecords"': '"logrecords"',
        '"key":"k"': '"key":""',
        '"body"': '"traceId":"0af7","body"',
    }
    report.equal(body_faults(valid.encode()), [], "the strict check accepts what is valid")
    for right, wrong in broken.items():
        report.expect(body_faults(valid.replace(right, wrong).encode()), f"the strict check refuses {wrong}")
    prove_it_for_metrics(report)


def prove_it_for_metrics(report):
    times = '"startTimeUnixNano":"1","timeUnixNano":"2"'
    count = f'{{"name":"n","sum":{{"aggregationTemporality":1,"dataPoints":[{{{times},"asDouble":1.5}}]}}}}'
    values = f'{{"name":"h","histogram":{{"aggregationTemporality":1,"dataPoints":[{{{times},"count":"3","sum":9,"min":1,"max":5,"bucketCounts":[1,2],"explicitBounds":[4]}}]}}}}'
    valid = f'{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{count},{values}]}}]}}]}}'
    broken = {
        '"name":"n"': '"name":""',
        '"asDouble":1.5': '"asDouble":"NaN"',
        ',"asDouble":1.5': "",
        '1.5': '1.5,"asInt":1',
        '"sum":{"aggregationTemporality":1': '"sum":{"aggregationTemporality":0',
        '"startTimeUnixNano":"1"': '"startTimeUnixNano":"2"',
        '"timeUnixNano":"2"': '"timeUnixNano":2',
        '"count":"3"': '"count":"4"',
        '[1,2]': '[9007199254740992,2]',
        '"explicitBounds":[4]': '"explicitBounds":[]',
        '"sum":9': '"total":9',
    }
    report.equal(body_faults(valid.encode()), [], "the strict check accepts metrics that are valid")
    for right, wrong in broken.items():
        report.expect(body_faults(valid.replace(right, wrong, 1).encode()), f"the strict check refuses metrics with {wrong or 'no value'}")
