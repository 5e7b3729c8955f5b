"""Data points of OTLP metrics requests, as plain values that a check can compare. What is valid OTLP, `rules` decides."""

from dataclasses import dataclass

from . import otlp


@dataclass
class Point:
    name: str
    unit: str
    kind: str  # sum, gauge or histogram
    temporality: int  # 1 is delta, 2 cumulative, 0 none (a gauge).
    monotonic: bool
    attributes: dict
    start: int
    time: int
    value: float = 0.0  # Of a sum or a gauge.
    count: int = 0
    sum: float = 0.0
    min: float = 0.0
    max: float = 0.0

    @property
    def series(self):
        return self.name, self.kind, self.unit, tuple(sorted(self.attributes.items()))


def points(messages):
    """All data points, in the order in which they came."""
    found = []
    for message in messages:
        if not isinstance(message, otlp.REQUESTS["/v1/metrics"]):
            continue
        for resource_metrics in message.resource_metrics:
            for scope_metrics in resource_metrics.scope_metrics:
                for metric in scope_metrics.metrics:
                    found.extend(points_of(metric))
    return found


def points_of(metric):
    kind = metric.WhichOneof("data")
    data = getattr(metric, kind)
    for point in data.data_points:
        found = Point(
            name=metric.name,
            unit=metric.unit,
            kind=kind,
            temporality=data.aggregation_temporality if kind != "gauge" else 0,
            monotonic=kind == "sum" and data.is_monotonic,
            attributes=otlp.plain_attributes(point.attributes),
            start=point.start_time_unix_nano,
            time=point.time_unix_nano,
        )
        if kind == "histogram":
            found.count, found.sum, found.min, found.max = point.count, point.sum, point.min, point.max
        else:
            found.value = float(getattr(point, point.WhichOneof("value")))
        yield found


@dataclass
class Total:
    """What the points of one series come to: deltas added up, of a gauge all values one after the other."""

    value: float = 0.0
    values: tuple = ()
    count: int = 0
    sum: float = 0.0
    min: float = float("inf")
    max: float = float("-inf")


def totals(found):
    """Series to what its points come to."""
    by_series = {}
    for point in found:
        total = by_series.setdefault(point.series, Total())
        total.value += point.value
        total.values += (point.value,)
        total.count += point.count
        total.sum += point.sum
        if point.count:
            total.min, total.max = min(total.min, point.min), max(total.max, point.max)
    return by_series


def total(messages, name):
    """The sum of all values of a sum, or the count of all values of a histogram."""
    mine = [point for point in points(messages) if point.name == name]
    return sum(point.count if point.kind == "histogram" else point.value for point in mine)
