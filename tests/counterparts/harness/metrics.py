"""Data points of OTLP metrics requests, as plain values that a check can compare. What is valid OTLP, `otlp` decides."""

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


def points(documents):
    """All data points, in the order in which they came."""
    found = []
    for document in documents:
        for resource_metrics in document.get("resourceMetrics", []):
            for scope_metrics in resource_metrics["scopeMetrics"]:
                for metric in scope_metrics["metrics"]:
                    found.extend(points_of(metric))
    return found


def points_of(metric):
    kind = next(kind for kind in ("sum", "gauge", "histogram") if kind in metric)
    data = metric[kind]
    for point in data["dataPoints"]:
        yield Point(
            name=metric["name"],
            unit=metric.get("unit", ""),
            kind=kind,
            temporality=data.get("aggregationTemporality", 0),
            monotonic=data.get("isMonotonic", False),
            attributes=otlp.plain_attributes(point.get("attributes", [])),
            start=int(point.get("startTimeUnixNano", 0)),
            time=int(point["timeUnixNano"]),
            value=float(point.get("asDouble", point.get("asInt", 0))),
            count=int(point.get("count", 0)),
            sum=float(point.get("sum", 0)),
            min=float(point.get("min", 0)),
            max=float(point.get("max", 0)),
        )


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


def total(documents, name):
    """The sum of all values of a sum, or the count of all values of a histogram."""
    mine = [point for point in points(documents) if point.name == name]
    return sum(point.count if point.kind == "histogram" else point.value for point in mine)
