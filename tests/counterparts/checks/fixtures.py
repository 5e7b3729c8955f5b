"""Batches as AWS's own binary posted them, and batches as nobody should, through kinglet."""

import json
import re

from harness import otlp, places, session
from harness.collector import Collector
from harness.extension import expect_identity

SETS = ("custom-runtime", "python-text", "python-json")
SEVERITIES = {"DEBUG": 5, "INFO": 9, "WARN": 13, "WARNING": 13, "ERROR": 17, "CRITICAL": 21, "FATAL": 21}
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

HOSTILE_RECORDS = r"""
"" " " "\n" "\u0000" "\ud800 lone surrogate" "\udc00\ud800" "\ud83d\udc26" "tab\tquote\"slash\\/ \u2028\u007f\u0001"
"{broken" "{\"level\":5,\"requestId\":7}" "{\"level\":\"WARN\",\"requestId\":\"\"}" "[1,2]" "[WARNING]\t\t\t" "[ERROR]" "[]"
{} [] [1,[2,{"a":[]}]] 5 -0.0 1e400 true null
{"message":""} {"message":null} {"message":{"a":1}} {"message":[]} {"level":null,"timestamp":null} {"message":"m","level":"nonsense"}
{"message":"m","n":1,"f":1.5,"e":1e400,"big":9223372036854775808,"least":-9223372036854775808,"zero":-0.0,"yes":true,"no":false,"nothing":null}
{"message":"m","empty":"","":"empty key","array":[],"object":{},"deep":[[[[{"a":{"b":[{}]}}]]]],"nulls":[null,null]}
{"message":"m","a":1,"a":2,"level":"INFO","level":"ERROR","requestId":"x","requestId":"y","message":"again"}
{"message":"m","faas.invocation_id":"mine","aws.lambda.event.type":"mine","faas.coldstart":"mine","service.name":"mine","requestId":"other"}
{"message":"m","traceId":"not hex","spanId":"","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"00f067aa0ba902b7","xray_trace_id":"1-zz-zz"}
{"message":"m","trace_id":"00000000000000000000000000000000","span_id":"0000000000000000"}
{"message":"m","timestamp":"yesterday","level":"\ud800"} {"message":"m","timestamp":-1} {"message":"m","timestamp":"9999-12-31T23:59:59.999999999Z"}
""".split("\n")

HOSTILE_EVENTS = r"""
5 "text" null [] {} {"type":"function"} {"record":"no type"} {"time":5,"type":5,"record":5} {"time":"yesterday","type":"function","record":"bad time"}
{"time":"0000-00-00T00:00:00Z","type":"function","record":"no such day"} {"time":"2026-11-21T20:37:38.1Z","type":"function","record":"short fraction"}
{"time":"2026-11-21T20:37:38.219Z","type":"platform.unheardOf","record":{"a":{"b":1},"c":[1],"d":null}} {"time":"2026-11-21T20:37:38.219Z","type":"","record":""}
{"time":"2026-11-21T20:37:38.219Z","type":"platform.report","record":{}} {"time":"2026-11-21T20:37:38.219Z","type":"platform.report","record":"REPORT RequestId: x"}
{"time":"2026-11-21T20:37:38.219Z","type":"platform.report","record":{"requestId":null,"status":null,"metrics":null,"spans":null,"tracing":null}}
{"time":"2026-11-21T20:37:38.219Z","type":"platform.start","record":{"requestId":"q","tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1-zz;Parent=;Sampled="}}}
{"time":"2026-11-21T20:37:38.219Z","type":"platform.runtimeDone","record":{"requestId":"q","status":"success","metrics":{"durationMs":1e400,"producedBytes":-1}}}
{"time":"2026-11-21T20:37:38.219Z","type":"platform.logsDropped","record":{"droppedBytes":262190,"droppedRecords":911,"reason":"fell behind"}}
{"time":"2026-11-21T20:37:38.219Z","type":"platform.initStart","record":{"instanceMaxMemory":"256","instanceId":"","functionName":""}}
""".split("\n")

NOT_ARRAYS = (b"", b"{}", b"null", b"[", b'[{"type":"function","record":"cut', b"\xff\xfe\x00", b'[{"type":"function","record":"a"} {"type"', b"[" * 5000)


def run(report, programs):
    for name in SETS:
        protobuf, json_form = (replay(report, programs, name, form) for form in otlp.FORMATS)
        report.expect(protobuf == json_form, f"{name}: both forms say the same of every record", "\n".join(map(str, zip(protobuf, json_form)))[:3000])
    for form in otlp.FORMATS:
        hostile(report, programs, form)


def replay(report, programs, run_name, form):
    name = f"{run_name}, {form}"
    bodies = [path.read_bytes() for path in sorted((places.FIXTURES / "telemetry" / run_name).glob("batch-*.json"))]
    events = [event for body in bodies for event in json.loads(body)]
    with Collector(f"fixtures-{run_name}-{form}") as collector:
        batches = [(body, len(json.loads(body))) for body in bodies]
        kinglet = session.deliver(report, programs, f"{run_name}-{form}", collector.endpoint, batches, KINGLET_FORMAT=form)
        records = otlp.records(collector.messages())
    wanted = list(expected_functions(events))
    found = [(r.body, r.request_id, r.severity_number) for r in records if r.type == "function"]
    report.expect(len(wanted) > 3, f"{name}: the fixture holds function lines")
    report.equal([line[0] for line in found], [line[0] for line in wanted], f"{name}: bodies of the function's lines")
    report.equal([line[1] for line in found], [line[1] for line in wanted], f"{name}: their request ids")
    report.equal([line[2] for line in found], [line[2] for line in wanted], f"{name}: their severities")
    shipped = [event["type"] for event in events if event["type"] != "extension"]
    report.equal([record.type for record in records], shipped, f"{name}: types, in order")
    counters = kinglet.counters()
    report.equal(counters.get("received"), len(events), f"{name}: every event counted as received")
    report.equal(counters.get("delivered"), len(shipped), f"{name}: all but the extension's lines counted as delivered")
    expect_identity(report, counters, name)
    return records


def expected_functions(events):
    """(body, request id, severity) of every function line, by a reading of its own of what Lambda's documentation says."""
    current = None
    for event in events:
        text = event["record"]
        if event["type"] == "platform.start":
            current = text["requestId"]
        if event["type"] != "function":
            continue
        fields = json.loads(text) if text.startswith("{") else {}
        in_text = re.match(rf"\[(\w+)\](?:\t\S+Z\t({UUID})\t)?", text)
        level = fields.get("level") or (in_text and in_text[1])
        request_id = fields.get("requestId") or (in_text and in_text[2]) or current
        yield text, request_id, SEVERITIES.get(level, 0)


def hostile(report, programs, form):
    """Whatever comes, kinglet lives, counts it, and what it ships is valid."""
    name = f"hostile-{form}"
    records = [text for line in HOSTILE_RECORDS for text in split(line)]
    events = [b'{"time":"2026-11-21T20:37:38.219Z","type":"function","record":%s}' % text.encode() for text in records]
    events += [text.encode() for line in HOSTILE_EVENTS for text in split(line)]
    events += [b'{"time":"2026-11-21T20:37:38.219Z","type":"function","record":"not UTF-8: \xff\xfe\xc3"}']
    events += [b'{"time":"2026-11-21T20:37:38.219Z","type":"function","record":"%s"}' % (b'long \\" \xf0\x9f\x90\xa6 ' * 40_000)]
    sentinel = b'{"time":"2026-11-21T20:37:38.219Z","type":"function","record":"the last line"}'
    batches = [(body, 0) for body in NOT_ARRAYS]
    batches += [(b"[" + event + b"]", 1) for event in events]
    batches += [(b"[" + b",".join(events) + b"]", len(events)), (b"[" + sentinel + b"]", 1)]
    with Collector(f"fixtures-{name}") as collector:
        kinglet = session.deliver(report, programs, name, collector.endpoint, batches, KINGLET_FORMAT=form)
        found = otlp.function_records(collector.messages())
    report.equal(found[-1].body if found else None, "the last line", f"{name}: what comes after arrives")
    report.expect(len(found) > len(records), f"{name}: odd records arrive, too ({len(found)})")
    counters = kinglet.counters()
    report.expect(counters.get("malformed", 0) > 0, f"{name}: malformed events are counted ({counters.get('malformed')})", counters)
    report.equal(counters.get("abandoned"), 0, f"{name}: nothing is left behind")
    expect_identity(report, counters, name)


def split(line):
    """The JSON values that stand on a line, blank between, as they are written."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(line):
        _, end = decoder.raw_decode(line, at)
        yield line[at:end]
        at = end + 1
