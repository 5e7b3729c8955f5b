"""A short life of kinglet under the stub, for checks that look at what arrives rather than at what it costs."""

from . import lambda_api, statsd
from .extension import Extension
from .lambda_api import LambdaApi


def deliver(report, programs, name, endpoint, batches, datagrams=(), **environment):
    """Sends the datagrams to StatsD's port, posts the batches (bytes, number of events), shuts down, and returns kinglet, gone."""
    api = LambdaApi()
    kinglet = Extension(programs.kinglet, name, api, endpoint, **environment)
    try:
        api.wait_asked(1, 10)
        if datagrams:
            statsd.send(datagrams)
        telemetry = api.telemetry()
        for body, count in batches:
            telemetry.post_batch(body, count)
        api.shutdown()
        report.expect(kinglet.wait(2), f"{name}: exits by itself after SHUTDOWN", kinglet.stderr()[-2000:])
        report.equal(kinglet.exit_status, 0, f"{name}: exit status 0")
        return kinglet
    except (OSError, TimeoutError) as error:
        raise RuntimeError(f"{name}: {error!r}; kinglet wrote:\n{kinglet.stderr()[-2000:]}") from error
    finally:
        kinglet.wait(0)
        api.close()


def invocation(request_id, records):
    """One invocation's events as one batch: (bytes, number of events)."""
    events = [lambda_api.start(request_id)]
    events += [lambda_api.event("function", record) for record in records]
    events += [lambda_api.runtime_done(request_id), lambda_api.report(request_id)]
    return b"[" + b",".join(events) + b"]", len(events)
