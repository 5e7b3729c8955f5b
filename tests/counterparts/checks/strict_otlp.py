"""Every body that kinglet shipped in the checks before, and the golden ones, through opentelemetry-proto's own types and OTLP's rules."""

import multiprocessing

from harness import otlp, places, rules
from harness.collector import read_posts

ALLOWED = {(path, content_type) for path in otlp.REQUESTS for content_type in otlp.FORMATS.values()}
GOLDEN = {"otlp": "bin", "otlp-json": "json"}


def run(report, programs):
    prove_it_can_fail(report)
    prove_it_for_protobuf(report)
    golden(report)
    stores = sorted(places.BODIES.glob("*.posts"))
    report.expect(any(store.stat().st_size for store in stores), "there are bodies to check; the other checks run before this one")
    with multiprocessing.Pool() as workers:
        for store in stores:
            posts = list(read_posts(store))
            if not posts:
                continue  # Whether something had to arrive there, its own check says.
            bodies = list({(post.path, post.content_type, post.body) for post in posts})  # A retry repeats its body.
            heads = {(path, content_type) for path, content_type, _ in bodies}
            if not report.expect(heads <= ALLOWED, f"{store.stem}: paths and content types", heads):
                continue
            found = [fault for faults in workers.imap_unordered(body_faults, bodies, chunksize=4) for fault in faults]
            form = " and ".join(sorted({content_type for _, content_type in heads}))
            size_mb = sum(len(body) for *_, body in bodies) / 1e6
            where = f"{store.stem}: {len(posts)} bodies ({len(bodies)} different, {size_mb:.1f} MB, {form}) are valid OTLP"
            report.expect(not found, where, "\n".join(found[:10]))


def body_faults(post):
    return rules.faults(*post)


def json_faults(body):
    path = "/v1/metrics" if b"resourceMetrics" in body else "/v1/logs"
    return rules.faults(path, otlp.JSON, body)


def golden(report):
    """OpenTelemetry's types read the same message from both forms of what was recorded."""
    directory = places.FIXTURES / "golden"
    names = sorted(path.stem for path in (directory / "otlp").glob("*.bin"))
    report.equal(names, sorted(path.stem for path in (directory / "otlp-json").glob("*.json")), "golden: each batch in both forms")
    for name in names:
        path = "/v1/metrics" if name.startswith("metrics") else "/v1/logs"
        bodies = {form: (directory / form / f"{name}.{extension}").read_bytes() for form, extension in GOLDEN.items()}
        for form, body in bodies.items():
            report.equal(rules.faults(path, otlp.FORMATS[form], body), [], f"golden: {name} is valid as {form}")
        protobuf, json_form = (otlp.decode(path, otlp.FORMATS[form], body) for form, body in bodies.items())
        report.expect(protobuf == json_form and protobuf.ByteSize() > 1000, f"golden: {name} is the same message in both forms")


def prove_it_for_protobuf(report):
    """Each of these is one step from the valid one, too."""
    name, key = b"\x0a\x01n", b"\x0a\x01k\x12\x02\x18\x01"
    record = field(1, 1, (1).to_bytes(8, "little")) + field(5, 2, b"\x0a\x01a") + field(6, 2, key)

    def request(record, scope=name):
        return field(1, 2, field(2, 2, field(1, 2, scope) + field(2, 2, record)))

    broken = {
        "an unknown field": record + field(15, 0, 1),
        "a wrong wire type": record + field(7, 1, bytes(8)),
        "a body told twice": record + field(5, 2, b"\x0a\x01b"),
        "an empty body": record.replace(field(5, 2, b"\x0a\x01a"), field(5, 2, b"")),
        "two values in one": record.replace(b"\x0a\x01a", b"\x0a\x01a\x18\x01").replace(b"\x2a\x03", b"\x2a\x05"),
        "text that is no UTF-8": record.replace(b"\x0a\x01a", b"\x0a\x01\xff"),
        "a key twice": record + field(6, 2, key),
        "an empty key": record + field(6, 2, b"\x12\x02\x18\x01"),
        "an attribute without a value": record + field(6, 2, b"\x0a\x01l"),
        "a severity of 25": record + field(2, 0, 25) + field(3, 2, b"FATAL"),
        "a trace id of 15 bytes": record + field(9, 2, b"t" * 15),
        "a trace id of zeros": record + field(9, 2, bytes(16)),
        "a span id of 9 bytes": record + field(9, 2, b"t" * 16) + field(10, 2, b"s" * 9),
    }
    faults = lambda body: rules.faults("/v1/logs", otlp.PROTOBUF, body)
    report.equal(faults(request(record)), [], "the strict check accepts protobuf that is valid")
    report.expect(faults(request(record)[:-1]), "the strict check refuses protobuf that is cut off")
    report.expect(faults(request(record, name + name)), "the strict check refuses protobuf with a scope's name told twice")
    for what, wrong in broken.items():
        report.expect(faults(request(wrong)), f"the strict check refuses protobuf with {what}")


def field(number, wire_type, value):
    """One field; lengths and numbers are short."""
    body = bytes([value]) if wire_type == 0 else bytes([len(value)]) + value if wire_type == 2 else value
    return bytes([number << 3 | wire_type]) + body


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
    report.equal(json_faults(valid.encode()), [], "the strict check accepts what is valid")
    for right, wrong in broken.items():
        report.expect(json_faults(valid.replace(right, wrong).encode()), f"the strict check refuses {wrong}")
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
    report.equal(json_faults(valid.encode()), [], "the strict check accepts metrics that are valid")
    for right, wrong in broken.items():
        report.expect(json_faults(valid.replace(right, wrong, 1).encode()), f"the strict check refuses metrics with {wrong or 'no value'}")
