"""The function for the check of metrics: in every invocation the same ones, by the libraries that people use, unmodified.

What it has sent is told in a line of its own: (library, name, type, unit, tags, values). Of a type `count` the values are added
up, of a `gauge` the last one stands, of a `histogram` each counts, of a `set` the distinct ones.
"""

import json
import random

from aws_embedded_metrics import metric_scope
from aws_embedded_metrics.storage_resolution import StorageResolution
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from datadog.dogstatsd.base import DogStatsd
from statsd import StatsClient

dog = DogStatsd(host="127.0.0.1", port=8125, constant_tags=["env:test"])
buffered_dog = DogStatsd(host="127.0.0.1", port=8125, disable_buffering=False, flush_interval=3600)
statsd = StatsClient("127.0.0.1", 8125, prefix="plain")
powertools = Metrics(namespace="Shop", service="checkout")
invocations = 0


@powertools.log_metrics(capture_cold_start_metric=True)
def handler(event, context):
    global invocations
    invocations += 1
    sent = [*datadog(), *buffered(), *plain(), *embedded(), *powertool(context)]
    print("account: " + json.dumps(sent), flush=True)
    return {"sent": len(sent)}


def datadog():
    tags = {"env": "test", "shop": "north"}
    dog.increment("dog.orders", 3, tags=["shop:north"])
    dog.decrement("dog.orders", 1, tags=["shop:north"])
    dog.gauge("dog.depth", -7.25 + invocations, tags=["shop:north"])
    dog.histogram("dog.size", 12.5, tags=["shop:north", "beta"])
    dog.distribution("dog.spread", 99, tags=["shop:north"])
    dog.timing("dog.took", 250, tags=["shop:north"])
    dog.set("dog.users", "anna", tags=["shop:north"])
    dog.set("dog.users", "bert", tags=["shop:north"])
    sampled(lambda: dog.increment("dog.sampled", 3, sample_rate=0.25))
    dog.event("Deployed", "first line\nsecond line", alert_type="warning", tags=["shop:north"])
    dog.service_check("db.up", DogStatsd.CRITICAL, message="cannot connect", tags=["shop:north"])
    return [
        ("datadog", "dog.orders", "count", "", tags, [3, -1]),
        ("datadog", "dog.depth", "gauge", "", tags, [-7.25 + invocations]),
        ("datadog", "dog.size", "histogram", "", {**tags, "beta": ""}, [12.5]),
        ("datadog", "dog.spread", "histogram", "", tags, [99]),
        ("datadog", "dog.took", "histogram", "ms", tags, [250]),
        ("datadog", "dog.users", "set", "", tags, ["anna", "bert"]),
        ("datadog", "dog.sampled", "count", "", {"env": "test"}, [12]),
    ]


def buffered():
    """Many lines in a datagram."""
    for number in range(100):
        buffered_dog.increment("dog.buffered", number)
        buffered_dog.histogram("dog.buffered.size", number / 4)
    buffered_dog.flush_buffered_metrics()
    return [
        ("datadog", "dog.buffered", "count", "", {}, list(range(100))),
        ("datadog", "dog.buffered.size", "histogram", "", {}, [number / 4 for number in range(100)]),
    ]


def plain():
    statsd.incr("orders", 5)
    statsd.decr("orders", 2)
    statsd.gauge("level", 70)
    statsd.gauge("level", 5.5, delta=True)
    statsd.gauge("level", -1, delta=True)
    statsd.timing("took", 12.75)
    statsd.set("users", "anna")
    statsd.set("users", "anna")
    sampled(lambda: statsd.timing("sampled", 40, rate=0.25))
    with statsd.pipeline() as pipe:
        pipe.incr("piped")
        pipe.timing("piped.took", 3)
        pipe.incr("piped", 0.5)
    return [
        ("statsd", "plain.orders", "count", "", {}, [5, -2]),
        ("statsd", "plain.level", "gauge", "", {}, [74.5]),
        ("statsd", "plain.took", "histogram", "ms", {}, [12.75]),
        ("statsd", "plain.users", "set", "", {}, ["anna", "anna"]),
        ("statsd", "plain.sampled", "histogram", "ms", {}, [40] * 4),
        ("statsd", "plain.piped", "count", "", {}, [1, 0.5]),
        ("statsd", "plain.piped.took", "histogram", "ms", {}, [3]),
    ]


def sampled(send):
    """The first number behind this seed is small enough for the client to send."""
    random.seed(1)
    send()


def embedded():
    @metric_scope
    def put(metrics):
        metrics.set_namespace("Embedded")
        metrics.set_dimensions({"shop": 'the "north" \\ 1'})
        for value in (100, 120.5):
            metrics.put_metric("Latency", value, "Milliseconds")
        metrics.put_metric("Bytes", 4096, "Bytes/Second", StorageResolution.HIGH)
        metrics.set_property("order", {"id": 17})

    put()
    tags = {"shop": 'the "north" \\ 1', "aws.cloudwatch.namespace": "Embedded"}
    return [
        ("aws-embedded-metrics", "Latency", "histogram", "ms", tags, [100, 120.5]),
        ("aws-embedded-metrics", "Bytes", "histogram", "By/s", tags, [4096]),
    ]


def powertool(context):
    powertools.add_dimension("shop", "größe")
    powertools.add_metric("Orders", MetricUnit.Count, 2)
    powertools.add_metric("Orders", MetricUnit.Count, 3.5)
    powertools.add_metric("Duration", MetricUnit.Seconds, 0.25)
    with single_metric("Single", MetricUnit.Kilobytes, 10, namespace="Other") as metric:
        metric.add_dimension("kind", "alone")
    tags = {"service": "checkout", "shop": "größe", "aws.cloudwatch.namespace": "Shop"}
    sent = [
        ("powertools", "Orders", "histogram", "{count}", tags, [2, 3.5]),
        ("powertools", "Duration", "histogram", "s", tags, [0.25]),
        ("powertools", "Single", "histogram", "kBy", {"kind": "alone", "aws.cloudwatch.namespace": "Other"}, [10]),
    ]
    if invocations == 1:
        cold = {"service": "checkout", "function_name": context.function_name, "aws.cloudwatch.namespace": "Shop"}
        sent.append(("powertools", "ColdStart", "histogram", "{count}", cold, [1]))
    return sent
