//! One run as a table: everything that was measured.

use super::super::{paint, plain, table};
use super::comparison::Instructions;
use super::measured::Measured;

pub(crate) fn show(measured: &Measured, instructions: Option<Instructions>) -> String {
    let state = if measured.is_clean() {
        paint::collector("clean")
    } else {
        paint::bad("not clean")
    };
    let or_none = |text: &Option<String>| text.as_deref().map_or("none".into(), plain::line);
    let mut rows = vec![
        ("extension", measured.extension.clone()),
        (
            "load",
            format!(
                "{:.1} MB of lines in {} invocations, {:.0} ms",
                measured.lines_mb, measured.invocations, measured.took_ms
            ),
        ),
        ("lines", lines(measured)),
        (
            "telemetry",
            format!(
                "{:.1} MB, {} events taken, {} dropped",
                measured.telemetry_mb, measured.events_delivered, measured.events_dropped
            ),
        ),
        (
            "requests",
            format!("{} at the collector", measured.collector_requests),
        ),
        ("CPU", cpu(measured)),
        (
            "sandbox's own CPU",
            format!("{:.1} ms meanwhile", measured.sandbox_cpu_ms),
        ),
        ("peak memory", format!("{} kB", measured.memory_peak_kb)),
        ("init", format!("{:.2} ms", measured.init_ms)),
        ("held", held(measured)),
        (
            "failed",
            format!("{} invocations", measured.failed_invocations),
        ),
        ("SHUTDOWN to exit", exit(measured)),
        ("last words", or_none(&measured.last_stderr_line)),
        ("verdict", state),
    ];
    if let Some(Instructions {
        all,
        per_byte_of_telemetry: Some(per_byte),
    }) = instructions
    {
        let text = format!("{per_byte:.2} per byte of telemetry, {all} in all");
        rows.insert(6, ("instructions", text));
    }
    table::pairs(&rows)
}

fn lines(measured: &Measured) -> String {
    match (&measured.verdict, &measured.undecodable) {
        (Some(verdict), _) => format!(
            "{} written, {} arrived, {} cut, {} lost, {} repeated, {} out of order, {} with a wrong request id",
            verdict.written,
            verdict.arrived,
            verdict.cut,
            verdict.lost,
            verdict.repeated,
            verdict.out_of_order,
            verdict.wrong_request_id
        ),
        (None, error) => paint::bad(plain::line(error.as_deref().unwrap_or("not known"))),
    }
}

fn cpu(measured: &Measured) -> String {
    let shown = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.2}"));
    format!(
        "{} ms per MB of telemetry, {} ms per MB of lines, {:.1} ms in all",
        shown(measured.cpu_ms_per_mb_of_telemetry),
        shown(measured.cpu_ms_per_mb_of_lines),
        measured.cpu_ms
    )
}

fn held(measured: &Measured) -> String {
    format!(
        "{:.3} / {:.3} / {:.3} ms (min / median / max), {} over 5 ms, {} over 300 ms",
        measured.held_min_ms,
        measured.held_median_ms,
        measured.held_max_ms,
        measured.held_over_5_ms,
        measured.held_over_300_ms
    )
}

fn exit(measured: &Measured) -> String {
    match measured.exit_code {
        Some(code) => format!("{:.1} ms, exit code {code}", measured.exit_ms),
        None => paint::bad(format!("killed after {:.1} ms", measured.exit_ms)),
    }
}
