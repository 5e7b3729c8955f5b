"""OTLP/HTTP JSON, twice: as a strict receiver sees it, and as records a check can compare."""

import base64
import re
from dataclasses import dataclass

KNOWN_VALUES = {"stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue"}


@dataclass
class Record:
    body: object
    attributes: dict
    resource: dict
    severity_number: int
    severity_text: str
    time: int

    @property
    def type(self):
        """Lambda's name for the event; a record that does not say is a line of the function."""
        return self.attributes.get("aws.lambda.event.type", "function")

    @property
    def request_id(self):
        return self.attributes.get("faas.invocation_id")


def records(documents):
    """The log records of all documents, in the order in which they came."""
    found = []
    for document in documents:
        for resource_logs in document.get("resourceLogs", []):
            resource = plain_attributes(resource_logs.get("resource", {}).get("attributes", []))
            for scope_logs in resource_logs.get("scopeLogs", []):
                for record in scope_logs.get("logRecords", []):
                    found.append(
                        Record(
                            body=plain(record.get("body", {})),
                            attributes=plain_attributes(record.get("attributes", [])),
                            resource=resource,
                            severity_number=record.get("severityNumber", 0),
                            severity_text=record.get("severityText", ""),
                            time=int(record.get("timeUnixNano", 0)),
                        )
                    )
    return found


def function_records(documents):
    return [record for record in records(documents) if record.type == "function"]


def plain_attributes(attributes):
    return {attribute["key"]: plain(attribute["value"]) for attribute in attributes}


def plain(value):
    for kind, content in value.items():
        if kind == "intValue":
            return int(content)
        if kind == "arrayValue":
            return [plain(element) for element in content.get("values", [])]
        if kind == "kvlistValue":
            return plain_attributes(content.get("values", []))
        return content
    return None


def faults(document):
    """What a strict receiver would refuse in a logs or metrics request: OTLP's own rules, then protobuf's JSON mapping, unknown fields included.

    Changes the document.
    """
    return list(structural_faults(document)) or list(metric_faults(document)) or list(protobuf_faults(document))


def protobuf_faults(document):
    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    message = ExportMetricsServiceRequest() if "resourceMetrics" in document else ExportLogsServiceRequest()
    try:
        ids_to_base64(document)
        json_format.ParseDict(document, message, ignore_unknown_fields=False)
    except json_format.ParseError as error:
        yield f"protobuf: {error}"


def ids_to_base64(document):
    """OTLP JSON writes trace and span ids in hex where protobuf's JSON mapping wants base64."""
    for _, holder in walk(document):
        for field in ("traceId", "spanId"):
            if isinstance(holder, dict) and field in holder:
                holder[field] = base64.b64encode(bytes.fromhex(holder[field])).decode()


def structural_faults(document):
    for path, holder in walk(document):
        if not isinstance(holder, dict):
            continue
        for name, value in holder.items():
            fault = field_fault(name, value)
            if fault:
                yield f"{path}.{name}: {fault}"


def field_fault(name, value):
    if name in ("value", "body") and isinstance(value, dict):
        if len(value) != 1 or not set(value) <= KNOWN_VALUES:
            return f"an AnyValue with the members {sorted(value)}"
    if name == "values" and any(isinstance(element, dict) and not element for element in value):
        return "an empty AnyValue in an array"
    if name == "attributes":
        keys = [attribute.get("key") for attribute in value]
        if len(keys) != len(set(keys)):
            return f"keys are not unique: {sorted(key for key in set(keys) if keys.count(key) > 1)}"
        if any(not key for key in keys):
            return "an attribute's key is never empty"
        if any("value" not in attribute for attribute in value):
            return "an attribute without a value"
    if name.endswith("UnixNano") and not (isinstance(value, str) and re.fullmatch(r"[0-9]+", value)):
        return f"a time is a string of digits, this is {value!r}"
    if name == "severityNumber" and not (type(value) is int and 1 <= value <= 24):
        return f"a severity number is 1 to 24, this is {value!r}"
    if name == "traceId" and not re.fullmatch(r"[0-9a-f]{32}", value):
        return f"a trace id is 32 hex digits, this is {value!r}"
    if name == "spanId" and not re.fullmatch(r"[0-9a-f]{16}", value):
        return f"a span id is 16 hex digits, this is {value!r}"
    return None


def metric_faults(document):
    """What OTLP's data model asks of metrics, beyond the schema."""
    for path, metric in walk(document):
        if not (isinstance(metric, dict) and re.search(r"\.metrics\[\d+\]$", path)):
            continue
        kinds = [kind for kind in ("sum", "gauge", "histogram") if kind in metric]
        if len(kinds) != 1 or not metric.get("name"):
            yield f"{path}: a metric has a name and one kind, this one {kinds}"
            continue
        data = metric[kinds[0]]
        if data.get("aggregationTemporality", 0) not in ((0,) if kinds == ["gauge"] else (1, 2)):
            yield f"{path}: the temporality of a {kinds[0]}"
        if not data.get("dataPoints"):
            yield f"{path}: no data points"
        for point in data.get("dataPoints", []):
            fault = point_fault(kinds[0], point)
            if fault:
                yield f"{path}, {metric['name']}: {fault}"


def point_fault(kind, point):
    if kind != "gauge" and not 0 < int(point.get("startTimeUnixNano", 0)) < int(point.get("timeUnixNano", 0)):
        return "a start that is not before the time"
    for name in ("asDouble", "sum", "min", "max"):
        if name in point and type(point[name]) not in (int, float):
            return f"{name} is a number, this is {point[name]!r}"
    whole = [point[name] for name in ("asInt", "count") if name in point] + point.get("bucketCounts", [])
    if any(isinstance(number, int) and abs(number) >= 2**53 for number in whole):
        return "an integer that receivers read as a double, and so wrong"
    if kind != "histogram":
        return None if ("asDouble" in point) != ("asInt" in point) else "a point has one value"
    counts, bounds = [int(count) for count in point.get("bucketCounts", [])], point.get("explicitBounds", [])
    if len(counts) != len(bounds) + 1 or sum(counts) != int(point.get("count", 0)) or not sum(counts):
        return "buckets, boundaries and count do not fit"
    if sorted(set(bounds)) != bounds:
        return "boundaries are not ascending"
    return None if point.get("min", 0) <= point.get("max", 0) else "a minimum above the maximum"


def walk(node, path="$"):
    yield path, node
    if isinstance(node, dict):
        for name, child in node.items():
            yield from walk(child, f"{path}.{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from walk(child, f"{path}[{index}]")
