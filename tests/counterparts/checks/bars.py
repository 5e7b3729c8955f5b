"""The bars: kinglet under a stub of Lambda's APIs, measured from outside."""

from harness import metrics, otlp, workload
from harness.collector import Collector
from harness.extension import Extension, expect_identity
from harness.lambda_api import LambdaApi
from harness.report import note

CPU_MS_PER_MB_MAX = 4.0
MEMORY_PEAK_MB_MAX = 4.0
EXIT_MS_MAX = 50
EXIT_UNREPORTED_MS_MAX = 100
EXIT_UNDER_503_MS_MAX = 700
HELD_MS_MAX = 300
HELD_OVER_5_MS_MAX = 3
SHUTDOWN_BUDGET_MS = 2000


def run(report, programs):
    big = workload.invocations(20, 800_000)
    healthy(report, programs, "healthy, back to back", big, pace_s=0.0)
    healthy(report, programs, "healthy, a batch every 25 ms", big, pace_s=0.025)
    refusing(report, programs, "503", big)
    refusing(report, programs, "503, KINGLET_FLUSH=end", big, KINGLET_FLUSH="end")
    slow(report, programs)
    silent(report, programs)
    unreported(report, programs)
    uninvoked(report, programs)
    report.print_table()


def healthy(report, programs, name, made, pace_s):
    """16 MB in 20 invocations: everything once, in order, for little. The CPU is the least of three runs: noise only adds."""
    cpu_ms = []
    for _ in range(3):
        with Collector(file_name(name)) as collector:
            kinglet, played = play_and_shut_down(report, programs, name, collector, made, pace_s=pace_s)
            expect_delivered_once(report, name, collector, made)
        expect_complete_counters(report, name, kinglet, played)
        cpu_ms.append(kinglet.user_ms + kinglet.system_ms)
        note(
            f"{name}: {played.telemetry_mb:.1f} MB of telemetry, CPU {kinglet.user_ms:.0f} ms user + {kinglet.system_ms:.0f} ms system,"
            f" slowest answer {played.slowest_answer_ms:.1f} ms, first hold {played.held_ms[0]:.1f} ms"
        )
    report.at_most(max(played.held_ms), HELD_MS_MAX, "ms", f"{name}: longest hold")
    report.at_most(min(cpu_ms) / played.telemetry_mb, CPU_MS_PER_MB_MAX, "ms", f"{name}: CPU per MB of telemetry")
    report.at_most(kinglet.memory_peak_kb * 1024 / 1e6, MEMORY_PEAK_MB_MAX, "MB", f"{name}: peak resident memory")
    report.at_most(exit_ms(kinglet), EXIT_MS_MAX, "ms", f"{name}: SHUTDOWN to exit")


def refusing(report, programs, status, made, **environment):
    """A collector that answers 503 to everything costs the function next to nothing, and every loss is counted."""
    name = f"collector answers {status}"
    with Collector(file_name(name), status=503) as collector:
        kinglet, played = play_and_shut_down(report, programs, name, collector, made, **environment)
        note(f"{name}: {len(collector.posts())} POSTs tried")
    counters = kinglet.counters()
    report.equal(counters.get("delivered"), 0, f"{name}: nothing counted as delivered")
    report.equal(counters.get("received"), played.events, f"{name}: every event counted as received")
    expect_identity(report, counters, name)
    report.at_most(max(played.held_ms), HELD_MS_MAX, "ms", f"{name}: longest hold")
    report.at_most(sum(held > 5 for held in played.held_ms), HELD_OVER_5_MS_MAX, "", f"{name}: holds longer than 5 ms")
    report.at_most(kinglet.memory_peak_kb * 1024 / 1e6, MEMORY_PEAK_MB_MAX, "MB", f"{name}: peak resident memory")
    report.at_most(exit_ms(kinglet), EXIT_UNDER_503_MS_MAX, "ms", f"{name}: SHUTDOWN to exit")


def slow(report, programs):
    """2 MB in 20 invocations to a collector that takes 400 ms for every answer."""
    name = "collector takes 400 ms"
    made = workload.invocations(20, 100_000)
    with Collector(file_name(name), delay_ms=400) as collector:
        kinglet, played = play_and_shut_down(report, programs, name, collector, made, function_s=0.25)
        expect_delivered_once(report, name, collector, made)
    expect_complete_counters(report, name, kinglet, played)
    report.at_most(max(played.held_ms), HELD_MS_MAX, "ms", f"{name}: longest hold")
    report.at_most(exit_ms(kinglet), SHUTDOWN_BUDGET_MS, "ms", f"{name}: SHUTDOWN to exit")


def silent(report, programs):
    """A collector that reads and never answers."""
    name = "collector never answers"
    made = workload.invocations(3, 20_000)
    with Collector(file_name(name), silent=True) as collector:
        kinglet, played = play_and_shut_down(report, programs, name, collector, made)
    counters = kinglet.counters()
    report.equal(counters.get("received"), played.events, f"{name}: every event counted as received")
    expect_identity(report, counters, name)
    report.at_most(max(played.held_ms), HELD_MS_MAX, "ms", f"{name}: longest hold")
    report.at_most(exit_ms(kinglet), SHUTDOWN_BUDGET_MS, "ms", f"{name}: SHUTDOWN to exit")


def unreported(report, programs):
    """SHUTDOWN before the last invocation's report was delivered."""
    name = "last report not seen"
    made = workload.invocations(3, 20_000)
    with Collector(file_name(name)) as collector:
        kinglet, played = play_and_shut_down(report, programs, name, collector, made, last_report=False)
        expect_delivered_once(report, name, collector, made)
    expect_complete_counters(report, name, kinglet, played)
    report.at_most(exit_ms(kinglet), EXIT_UNREPORTED_MS_MAX, "ms", f"{name}: SHUTDOWN to exit")


def uninvoked(report, programs):
    """A sandbox that is retired without ever having been used."""
    name = "no invocation"
    with Collector(file_name(name)) as collector:
        kinglet, played = play_and_shut_down(report, programs, name, collector, [])
        types = [record.type for record in otlp.records(collector.messages())]
    report.equal(types, ["platform.initStart", "platform.initReport"], f"{name}: the init events are delivered")
    expect_complete_counters(report, name, kinglet, played)
    report.at_most(exit_ms(kinglet), EXIT_MS_MAX, "ms", f"{name}: SHUTDOWN to exit")
    report.at_most(kinglet.memory_peak_kb * 1024 / 1e6, MEMORY_PEAK_MB_MAX, "MB", f"{name}: peak resident memory")


def play_and_shut_down(report, programs, name, collector, made, pace_s=0.0, function_s=0.0, last_report=True, **environment):
    api = LambdaApi()
    kinglet = Extension(programs.kinglet, file_name(name), api, collector.endpoint, **environment)
    try:
        played = workload.play(api, made, pace_s, function_s, last_report)
        kinglet.sample_memory()
        api.shutdown(SHUTDOWN_BUDGET_MS)
        kinglet.shutdown_at = api.shutdown_at
        report.expect(kinglet.wait(SHUTDOWN_BUDGET_MS / 1000), f"{name}: exits by itself after SHUTDOWN", kinglet.stderr()[-2000:])
        report.equal(kinglet.exit_status, 0, f"{name}: exit status 0")
        return kinglet, played
    except (OSError, TimeoutError) as error:
        raise RuntimeError(f"{name}: {error!r}; kinglet wrote:\n{kinglet.stderr()[-2000:]}") from error
    finally:
        kinglet.wait(0)
        api.close()


def expect_delivered_once(report, name, collector, made):
    """Every line once, in order, body and request id intact."""
    found = [(record.body, record.request_id) for record in otlp.function_records(collector.messages())]
    wanted = workload.expected(made)
    first = next((i for i, (a, b) in enumerate(zip(found, wanted)) if a != b), min(len(found), len(wanted)))
    evidence = (
        f"wanted {len(wanted)} lines, found {len(found)}, {len(set(found))} different\n"
        f"first difference at line {first}: wanted {wanted[first : first + 1]}\nfound {found[first : first + 1]}"
    )
    report.expect(found == wanted, f"{name}: {len(wanted)} lines delivered once, in order, body and request id intact", evidence)
    messages = collector.messages()
    counted = [metrics.total(messages, metric) for metric in ("faas.invocations", "faas.invoke_duration")]
    report.equal(counted, [len(made)] * 2, f"{name}: faas.invocations and faas.invoke_duration count every invocation once")


def expect_complete_counters(report, name, kinglet, played):
    counters = kinglet.counters()
    report.equal(counters.get("received"), played.events, f"{name}: every event counted as received")
    report.equal(counters.get("delivered"), played.events, f"{name}: every event counted as delivered")
    report.equal(counters.get("points_delivered"), counters.get("points"), f"{name}: every data point counted as delivered")
    expect_identity(report, counters, name)


def exit_ms(kinglet):
    return (kinglet.exited_at - kinglet.shutdown_at) * 1000


def file_name(name):
    return "bars-" + "".join(letter if letter.isalnum() else "-" for letter in name)
