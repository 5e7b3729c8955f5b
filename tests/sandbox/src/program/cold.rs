//! `cargo sandbox cold`: what an extension's start costs, side by side with others.
//!
//! ```text
//! exec ──▶ register ──▶ subscribe ──▶ next           timed, start by start, in an order that changes each time
//!                                      │ it sleeps   CPU, page faults and peak memory are read
//!                                      └▶ SHUTDOWN   and it is reaped
//! ```
//!
//! A start counts only if the extension had subscribed before it asked for next, and its listener takes a connection. The
//! times include the platform's side of the conversation, which is the same for all. System calls and instructions
//! are counted in starts of their own, which are not timed.

pub(crate) mod arguments;
mod bars;
mod environment;
mod page_cache;
mod platform;
mod plot;
mod process;
mod reading;
mod report;
mod request;
mod series;
mod show;
mod start;
mod statistics;
mod subject;
mod subscription;
mod tracer;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};

use self::arguments::Cold;
use self::report::{Column, Report};
use self::subject::FLOOR;
use self::tracer::What;
use super::{paint, plain};

/// Any other number will do: the order is the same in each measurement.
const ORDER_SEED: u64 = 17;

/// The highest.
const PRIORITY: libc::c_int = -20;

/// All that was measured goes into the report.
pub(crate) fn cold(cold: &Cold, all: &mut Map<String, Value>) -> Result<()> {
    // The extensions inherit it. Only root may; without it other work on the machine shows more.
    // SAFETY: changes nothing but the priority of this process.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, PRIORITY) };
    let directory = tempfile::tempdir().context("no temporary directory can be made")?;
    let subjects = subject::find_all(cold, directory.path())?;
    if cold.check && !subjects.iter().any(|one| one.name == FLOOR) {
        bail!("--check compares with the floor: add --against {FLOOR}");
    }
    let mut columns: Vec<Column> = subjects.into_iter().map(Column::new).collect();
    measure(cold, &mut columns)?;
    let report = Report::new(cold.runs, &columns);
    if let Value::Object(report) = serde_json::to_value(&report)? {
        all.extend(report);
    }
    if !cold.json {
        paint::print(show::show(&report));
    }
    if let Some(file) = &cold.svg {
        let drawn = plot::draw(&columns);
        std::fs::write(file, drawn)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    if let Some(problem) = report.problem() {
        bail!("{problem}");
    }
    let missed = report.bars.iter().filter(|bar| !bar.met).count();
    if cold.check && missed > 0 {
        bail!("{missed} of {} bars missed", report.bars.len());
    }
    Ok(())
}

fn measure(cold: &Cold, columns: &mut [Column]) -> Result<()> {
    let count = columns.len() as u64;
    let rounds = 2 * u64::from(cold.runs) + 2 + u64::from(cold.instructions);
    let progress = progress(rounds * count)?;
    let mut random = fastrand::Rng::with_seed(ORDER_SEED);
    let environment = &cold.environment;
    progress.set_message("system calls");
    for column in &mut *columns {
        let counted = tracer::count(&column.subject, environment, What::SystemCalls);
        column.system_calls = note(&progress, &column.subject.name, "system calls", counted);
        progress.inc(1);
    }
    for is_dropped in [false, true] {
        progress.set_message(if is_dropped {
            "starts from disk"
        } else {
            "starts from the page cache"
        });
        // The first start of each fills caches, and does not count.
        for column in &*columns {
            let _ = start::time(&column.subject, environment);
        }
        for _ in 0..cold.runs {
            random.shuffle(columns);
            for column in &mut *columns {
                time(column, is_dropped, environment);
                progress.inc(1);
            }
        }
    }
    columns.sort_by_key(|column| column.subject.index);
    if cold.instructions {
        progress.set_message("instructions");
        for column in &mut *columns {
            let counted = tracer::count(&column.subject, environment, What::Instructions);
            let counted = note(&progress, &column.subject.name, "instructions", counted);
            column.instructions = counted.map(|count| count.all);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    Ok(())
}

fn time(column: &mut Column, is_dropped: bool, environment: &[(String, String)]) {
    let (series, subject) = match is_dropped {
        false => (&mut column.warm, &column.subject),
        true => (&mut column.dropped, &column.subject),
    };
    if series.is_hopeless() {
        return;
    }
    let dropped = match is_dropped {
        false => Ok(()),
        true => page_cache::drop_file(&subject.path),
    };
    series.add(dropped.and_then(|()| start::time(subject, environment)));
}

/// A count that fails leaves a gap in the table, and is said.
fn note<T>(progress: &ProgressBar, name: &str, what: &str, counted: Result<T>) -> Option<T> {
    let problem = match counted {
        Ok(count) => return Some(count),
        Err(problem) => problem,
    };
    progress.suspend(|| {
        let text = format!("{name}: its {what} cannot be counted: {problem:#}");
        anstream::eprintln!("{}", paint::bad(plain::line(&text)));
    });
    None
}

/// On a terminal; it draws only between two starts.
fn progress(length: u64) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len}  {msg}, {eta} left")?;
    Ok(ProgressBar::new(length).with_style(style))
}
