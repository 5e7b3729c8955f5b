"""What a strict receiver would refuse: in the form, protobuf or JSON, then in what the message says."""

import json
import re

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.unknown_fields import UnknownFieldSet

from . import otlp

KNOWN_VALUES = {"stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue"}

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
WIRE_TYPES = {
    **dict.fromkeys((FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_SFIXED64), EIGHT_BYTES),
    **dict.fromkeys((FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_FIXED32, FieldDescriptor.TYPE_SFIXED32), FOUR_BYTES),
    **dict.fromkeys((FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE), LENGTH),
}


def faults(path, content_type, body):
    """What is wrong with a body that came to this path."""
    try:
        if content_type == otlp.PROTOBUF:
            return protobuf_faults(otlp.REQUESTS[path], body)
        return json_faults(otlp.REQUESTS[path], body)
    except ValueError as error:  # UnicodeDecodeError is one, too.
        return [str(error)]


def protobuf_faults(kind, body):
    """OpenTelemetry's types are asked first: what is said of the bytes is said of bytes that are such a message."""
    message = otlp.from_protobuf(kind, body)
    return list(unknown_faults(message)) or list(wire_faults(kind.DESCRIPTOR, body)) or list(message_faults(message))


def json_faults(kind, body):
    document = json.loads(body, parse_constant=otlp.refuse)
    return list(document_faults(document)) or list(message_faults(otlp.from_document(kind, document)))


# Protobuf.


def unknown_faults(message, path="$"):
    """Fields that OpenTelemetry's types do not have, or not with this wire type: they are kept, and say nothing."""
    for field in UnknownFieldSet(message):
        yield f"{path}: an unknown field {field.field_number} of wire type {field.wire_type}"
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for one in value if field.is_repeated else [value]:
                yield from unknown_faults(one, f"{path}.{field.name}")


def wire_faults(descriptor, body, path="$"):
    """What the types let pass: something that is told twice, where the last one wins or both are merged."""
    told = set()
    for field, value in fields(descriptor, body):
        if not field.is_repeated:
            one_of = field.containing_oneof.name if field.containing_oneof else field.name
            if one_of in told:
                yield f"{path}.{one_of} is told twice"
            told.add(one_of)
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            yield from wire_faults(field.message_type, value, f"{path}.{field.name}")


def fields(descriptor, body):
    """The fields of a message, (descriptor, value), as they stand in its bytes; a value of a length is its bytes."""
    at = 0
    while at < len(body):
        tag, at = varint(body, at)
        field = descriptor.fields_by_number.get(tag >> 3)
        wire_type = tag & 7
        if not field or wire_type != wire_type_of(field):
            raise ValueError(f"{descriptor.name} has no field {tag >> 3} of wire type {wire_type}")
        if wire_type == VARINT:
            value, at = varint(body, at)
        else:
            bytes_, at = varint(body, at) if wire_type == LENGTH else ({EIGHT_BYTES: 8, FOUR_BYTES: 4}[wire_type], at)
            value, at = body[at : at + bytes_], at + bytes_
            if at > len(body):
                raise ValueError(f"{descriptor.name}.{field.name} is cut off")
        yield field, value


def wire_type_of(field):
    """Repeated numbers are packed."""
    own = WIRE_TYPES.get(field.type, VARINT)
    return LENGTH if field.is_repeated else own


def varint(body, at):
    value = shift = 0
    while True:
        if at >= len(body) or shift > 63:
            raise ValueError("a varint without an end")
        byte = body[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


# JSON.


def document_faults(document):
    """OTLP's own rules for JSON, which protobuf's mapping knows nothing of, and what that mapping would take for nothing."""
    for path, holder in otlp.walk(document):
        if not isinstance(holder, dict):
            continue
        for name, value in holder.items():
            fault = member_fault(name, value)
            if fault:
                yield f"{path}.{name}: {fault}"


def member_fault(name, value):
    if name in ("value", "body") and isinstance(value, dict):
        if len(value) != 1 or not set(value) <= KNOWN_VALUES:
            return f"an AnyValue with the members {sorted(value)}"
    if name == "values" and any(isinstance(element, dict) and not element for element in value):
        return "an empty AnyValue in an array"
    if name.endswith("UnixNano") and not (isinstance(value, str) and re.fullmatch(r"[0-9]+", value)):
        return f"a time is a string of digits, this is {value!r}"
    if name == "severityNumber" and not (type(value) is int and 1 <= value <= 24):
        return f"a severity number is 1 to 24, this is {value!r}"
    if name == "traceId" and not re.fullmatch(r"[0-9a-f]{32}", value):
        return f"a trace id is 32 hex digits, this is {value!r}"
    if name == "spanId" and not re.fullmatch(r"[0-9a-f]{16}", value):
        return f"a span id is 16 hex digits, this is {value!r}"
    if name in ("asDouble", "sum", "min", "max") and type(value) not in (int, float, dict):
        return f"a number, this is {value!r}"
    whole = value if name == "bucketCounts" else [value] if name in ("asInt", "count") else []
    if any(isinstance(number, int) and abs(number) >= 2**53 for number in whole):
        return "an integer that receivers read as a double, and so wrong"
    return None


# What a message says, in whichever form it came.


def message_faults(message):
    if isinstance(message, otlp.REQUESTS["/v1/metrics"]):
        yield from metrics_faults(message)
    else:
        yield from logs_faults(message)


def logs_faults(message):
    for resource_logs in message.resource_logs:
        yield from attribute_faults("resource", resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            yield from attribute_faults("scope", scope_logs.scope.attributes)
            for number, record in enumerate(scope_logs.log_records):
                yield from record_faults(f"log record {number}", record)


def record_faults(where, record):
    yield from attribute_faults(where, record.attributes)
    if record.body.WhichOneof("value") is None:
        yield f"{where}: no body"
    if not 0 <= record.severity_number <= 24:
        yield f"{where}: a severity number is 1 to 24, or none, this is {record.severity_number}"
    for name, value, length in (("trace id", record.trace_id, 16), ("span id", record.span_id, 8)):
        if value and (len(value) != length or not any(value)):
            yield f"{where}: a {name} is {length} bytes that are not all 0, or none, this is {value.hex()}"
    if record.span_id and not record.trace_id:
        yield f"{where}: a span id without a trace id"


def attribute_faults(where, attributes):
    keys = [attribute.key for attribute in attributes]
    if len(keys) != len(set(keys)):
        yield f"{where}: keys are not unique: {sorted(key for key in set(keys) if keys.count(key) > 1)}"
    if not all(keys):
        yield f"{where}: an attribute's key is never empty"
    for attribute in attributes:
        if attribute.value.WhichOneof("value") is None:
            yield f"{where}: an attribute without a value: {attribute.key}"


def metrics_faults(message):
    """What OTLP's data model asks of metrics, beyond the schema."""
    for resource_metrics in message.resource_metrics:
        yield from attribute_faults("resource", resource_metrics.resource.attributes)
        for scope_metrics in resource_metrics.scope_metrics:
            yield from attribute_faults("scope", scope_metrics.scope.attributes)
            for metric in scope_metrics.metrics:
                yield from metric_faults(metric)


def metric_faults(metric):
    kind = metric.WhichOneof("data")
    if kind not in ("sum", "gauge", "histogram") or not metric.name:
        yield f"a metric has a name and one kind of data, this is {metric.name!r}, {kind}"
        return
    data = getattr(metric, kind)
    if kind != "gauge" and data.aggregation_temporality not in (1, 2):
        yield f"{metric.name}: the temporality of a {kind}"
    if not data.data_points:
        yield f"{metric.name}: no data points"
    for point in data.data_points:
        yield from attribute_faults(metric.name, point.attributes)
        fault = point_fault(kind, point)
        if fault:
            yield f"{metric.name}: {fault}"


def point_fault(kind, point):
    if not point.time_unix_nano or kind != "gauge" and not 0 < point.start_time_unix_nano < point.time_unix_nano:
        return "a start that is not before the time"
    if kind != "histogram":
        return None if point.WhichOneof("value") else "a point has a value"
    counts, bounds = list(point.bucket_counts), list(point.explicit_bounds)
    if len(counts) != len(bounds) + 1 or sum(counts) != point.count or not point.count:
        return "buckets, boundaries and count do not fit"
    if sorted(set(bounds)) != bounds:
        return "boundaries are not ascending"
    return None if point.min <= point.max else "a minimum above the maximum"
