"""OTLP/HTTP in both its forms, by OpenTelemetry's own types, and as records a check can compare. What is valid, `rules` decides."""

import base64
import json
from dataclasses import dataclass

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

PROTOBUF, JSON = "application/x-protobuf", "application/json"

# Both forms, by their names in KINGLET_FORMAT: the default first.
FORMATS = {"otlp": PROTOBUF, "otlp-json": JSON}

REQUESTS = {"/v1/logs": ExportLogsServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}

BATCH_ID = "kinglet.batch.id"


def decode(path, content_type, body):
    """The message of a request's body. What is no such message is a ValueError."""
    if content_type == PROTOBUF:
        return from_protobuf(REQUESTS[path], body)
    return from_document(REQUESTS[path], json.loads(body, parse_constant=refuse))


def from_protobuf(kind, body):
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise ValueError(f"protobuf: {error}") from error


def from_document(kind, document):
    """The message of a document by protobuf's JSON mapping. An unknown field is an error. Changes the document."""
    message = kind()
    ids_to_base64(document)
    try:
        return json_format.ParseDict(document, message, ignore_unknown_fields=False)
    except json_format.ParseError as error:
        raise ValueError(f"protobuf's JSON mapping: {error}") from error


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def ids_to_base64(document):
    """OTLP JSON writes trace and span ids in hex where protobuf's JSON mapping wants base64."""
    for _, holder in walk(document):
        for field in ("traceId", "spanId"):
            if isinstance(holder, dict) and field in holder:
                holder[field] = base64.b64encode(bytes.fromhex(holder[field])).decode()


def walk(node, path="$"):
    yield path, node
    if isinstance(node, dict):
        for name, child in node.items():
            yield from walk(child, f"{path}.{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from walk(child, f"{path}[{index}]")


@dataclass
class Record:
    body: object
    attributes: dict
    resource: dict
    severity_number: int
    severity_text: str
    time: int
    dropped_attributes: int
    trace_id: bytes
    span_id: bytes
    flags: int

    @property
    def type(self):
        """Lambda's name for the event; a record that does not say is a line of the function."""
        return self.attributes.get("aws.lambda.event.type", "function")

    @property
    def request_id(self):
        return self.attributes.get("faas.invocation_id")


def records(messages):
    """The log records of all messages, in the order in which they came."""
    found = []
    for message in messages:
        if not isinstance(message, ExportLogsServiceRequest):
            continue
        for resource_logs in message.resource_logs:
            resource = plain_attributes(resource_logs.resource.attributes)
            for scope_logs in resource_logs.scope_logs:
                found.extend(record_of(record, resource) for record in scope_logs.log_records)
    return found


def record_of(record, resource):
    return Record(
        body=plain(record.body),
        attributes=plain_attributes(record.attributes),
        resource=resource,
        severity_number=record.severity_number,
        severity_text=record.severity_text,
        time=record.time_unix_nano,
        dropped_attributes=record.dropped_attributes_count,
        trace_id=record.trace_id,
        span_id=record.span_id,
        flags=record.flags,
    )


def function_records(messages):
    return [record for record in records(messages) if record.type == "function"]


def plain_attributes(attributes):
    return {attribute.key: plain(attribute.value) for attribute in attributes}


def plain(value):
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [plain(element) for element in value.array_value.values]
    if kind == "kvlist_value":
        return plain_attributes(value.kvlist_value.values)
    return getattr(value, kind)
