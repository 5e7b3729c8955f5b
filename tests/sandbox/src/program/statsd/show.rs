//! A run with datagrams as a table.

use super::super::{paint, plain, table};
use super::account::Account;
use super::bars::Costs;
use super::run::Run;

pub(crate) fn show(run: &Run, account: &Account, costs: &Costs) -> String {
    let measured = &run.measured;
    let us =
        |value: Option<f64>| value.map_or("not known".into(), |value| format!("{value:.2} µs"));
    let rows = [
        ("extension", measured.extension.clone()),
        ("datagrams", datagrams(account)),
        ("at the collector", arrived(account)),
        ("series", series(account)),
        (
            "CPU per datagram",
            format!(
                "{}; {} with all else ({:.1} ms)",
                us(costs.added_us),
                us(costs.whole_us),
                measured.cpu_ms
            ),
        ),
        (
            "peak memory",
            format!(
                "{} kB, {} of them for datagrams",
                measured.memory_peak_kb, costs.added_kb
            ),
        ),
        ("lines", lines(run)),
        (
            "held",
            format!(
                "{:.3} / {:.3} / {:.3} ms (min / median / max)",
                measured.held_min_ms, measured.held_median_ms, measured.held_max_ms
            ),
        ),
        (
            "SHUTDOWN to exit",
            match measured.exit_code {
                Some(code) => format!("{:.1} ms, exit code {code}", measured.exit_ms),
                None => paint::bad(format!("killed after {:.1} ms", measured.exit_ms)),
            },
        ),
        (
            "last words",
            measured
                .last_stderr_line
                .as_deref()
                .map_or("none".into(), plain::line),
        ),
    ];
    table::pairs(&rows)
}

fn count(value: Option<u64>) -> String {
    value.map_or("?".into(), |value| value.to_string())
}

fn datagrams(account: &Account) -> String {
    format!(
        "{} sent, {} received, {} dropped by the kernel ({:.2} %)",
        account.sent.all,
        count(account.received),
        count(account.dropped_by_kernel),
        account.dropped_percent().unwrap_or(f64::NAN)
    )
}

fn arrived(account: &Account) -> String {
    format!(
        "counters add up to {} of {}, timers hold {} values of {}",
        account.counters_arrived,
        account.sent.counters,
        account.timers_arrived,
        account.sent.timers
    )
}

fn series(account: &Account) -> String {
    format!(
        "{} in {} points, {} measurements had no room",
        account.series_arrived,
        account.points_arrived,
        count(account.measurements_dropped)
    )
}

fn lines(run: &Run) -> String {
    match (&run.measured.verdict, &run.measured.undecodable) {
        (Some(verdict), _) => format!(
            "{} written, {} cut, {} lost, {} repeated, {} out of order, {} with a wrong request id",
            verdict.written,
            verdict.cut,
            verdict.lost,
            verdict.repeated,
            verdict.out_of_order,
            verdict.wrong_request_id
        ),
        (None, error) => paint::bad(plain::line(error.as_deref().unwrap_or("not known"))),
    }
}
