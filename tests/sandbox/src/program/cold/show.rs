//! The report as a table for people.

use comfy_table::{CellAlignment, Table, TableComponent, presets};

use super::bars::Bar;
use super::report::{Measured, Report};
use super::series::Summaries;
use super::statistics::Summary;
use crate::program::paint;
use crate::program::plain::{self, thousands};

type Time = (&'static str, fn(&Summaries) -> Option<Summary>);
type Condition = (&'static str, fn(&Measured) -> &Summaries);
type Row = (&'static str, fn(&Measured) -> String);
type Ratio = (&'static str, fn(&Measured) -> Option<f64>);

const TIMES: [Time; 4] = [
    ("exec → register, ms", |series| series.register_ms),
    ("exec → subscribe, ms", |series| series.subscribe_ms),
    ("exec → next, ms", |series| series.next_ms),
    ("CPU until next, ms", |series| series.cpu_ms),
];

const COSTS: [Row; 8] = [
    ("page faults", |one| median(one.warm.minor_faults)),
    ("… from disk, file dropped", |one| {
        median(one.dropped.major_faults)
    }),
    ("system calls", |one| {
        count(one.system_calls.as_ref().map(|calls| calls.all))
    }),
    ("instructions, user mode", |one| count(one.instructions)),
    ("threads", |one| median(one.warm.threads)),
    ("peak memory, kB", |one| median(one.warm.memory_peak_kb)),
    ("file, bytes", |one| thousands(one.bytes)),
    ("starts that count", |one| {
        let (starts, failed) = (
            one.warm.starts + one.dropped.starts,
            one.warm.failed + one.dropped.failed,
        );
        format!("{starts} of {}", starts + failed)
    }),
];

const RATIOS: [Ratio; 6] = [
    ("exec → register", |one| {
        Some(one.warm.register_ms?.median)
    }),
    ("exec → next", |one| Some(one.warm.next_ms?.median)),
    ("exec → next, file dropped", |one| {
        Some(one.dropped.next_ms?.median)
    }),
    ("CPU until next", |one| Some(one.warm.cpu_ms?.median)),
    ("page faults", |one| Some(one.warm.minor_faults?.median)),
    ("peak memory", |one| Some(one.warm.memory_peak_kb?.median)),
];

pub(crate) fn show(report: &Report) -> String {
    let names = report.extensions.iter().map(|one| one.name.as_str());
    let head: Vec<&str> = std::iter::once("median (least … 90 %)")
        .chain(names)
        .collect();
    let mut rows = Vec::new();
    let conditions: [Condition; 2] = [
        ("from the page cache", |one| &one.warm),
        ("file dropped from the page cache", |one| &one.dropped),
    ];
    for (condition, series) in conditions {
        rows.push(title(condition, report));
        for (name, of) in TIMES {
            rows.push(row(name, report, |one| range(of(series(one)))));
        }
    }
    rows.push(title("until next", report));
    for (name, of) in COSTS {
        let row = row(name, report, of);
        if row[1..].iter().any(|cell| cell != NOTHING) {
            rows.push(row);
        }
    }
    if let Some(floor) = report.floor() {
        rows.push(title("times the floor", report));
        for (name, of) in RATIOS {
            let times = |one: &Measured| Some(of(one)? / of(floor).filter(|value| *value > 0.0)?);
            rows.push(row(name, report, |one| {
                times(one).map_or(NOTHING.into(), |times| format!("{times:.2}×"))
            }));
        }
    }
    let parts = [vec![table(&head, &rows)], notes(report), verdicts(report)];
    parts.concat().join("\n")
}

/// A line below the head is the only one.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_header(head.to_vec())
        .add_rows(rows.iter().cloned());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

const NOTHING: &str = "–";

fn title(text: &str, report: &Report) -> Vec<String> {
    let mut row = vec![format!("\n{}", paint::strong(text))];
    row.resize(report.extensions.len() + 1, String::new());
    row
}

fn row(name: &str, report: &Report, cell: impl Fn(&Measured) -> String) -> Vec<String> {
    let cells = report.extensions.iter().map(cell);
    std::iter::once(format!("  {name}")).chain(cells).collect()
}

fn range(summary: Option<Summary>) -> String {
    match summary {
        Some(Summary { min, median, p90 }) => format!("{median:.3} ({min:.3} … {p90:.3})"),
        None => NOTHING.into(),
    }
}

fn median(summary: Option<Summary>) -> String {
    summary.map_or(NOTHING.into(), |summary| format!("{:.0}", summary.median))
}

fn count(number: Option<u64>) -> String {
    number.map_or(NOTHING.into(), thousands)
}

/// Which files these were, what they called, and why starts do not count.
fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    for one in &report.extensions {
        notes.push(paint::faint(format!(
            "{}: {}",
            one.name,
            one.path.display()
        )));
        if let Some(calls) = &one.system_calls {
            let named = calls.by_name.iter().map(|(name, count)| match count {
                1 => name.clone(),
                _ => format!("{name} {count}"),
            });
            let named = named.collect::<Vec<_>>().join(", ");
            notes.push(paint::faint(format!("  calls {named}")));
        }
        let failures = one.warm.failures.iter().chain(&one.dropped.failures);
        notes.extend(failures.map(|(why, count)| {
            paint::bad(format!("  failed {count} times: {}", plain::line(why)))
        }));
    }
    notes
}

fn verdicts(report: &Report) -> Vec<String> {
    let shown = |bar: &Bar| {
        let verdict = match bar.met {
            true => paint::collector("PASS"),
            false => paint::bad("over"),
        };
        let digits = if bar.at_most > 100.0 { 0 } else { 2 };
        let Bar {
            what,
            is,
            at_most,
            unit,
            ..
        } = bar;
        format!("{verdict}  {what}: {is:.digits$}{unit}, at most {at_most:.digits$}{unit}")
    };
    report.bars.iter().map(shown).collect()
}
