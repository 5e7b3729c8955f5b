//! `cargo sandbox load`: many lines through one extension, or through several side by side, and what that costs each.
//! Every line is verified at the collector.
//!
//! CPU is user and system time of the extension's whole life. It is given per MB of telemetry, the bodies that Lambda
//! posts, and per MB of lines, the text in them: short lines make more telemetry, and so more work, of the same text.

pub(crate) mod bars;
mod comparison;
mod detail;
mod instructions;
pub(crate) mod line;
pub(crate) mod measured;
pub(crate) mod run;
pub(crate) mod shape;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use kinglet_sandbox::Fault;
use serde_json::{Map, Value, json};

use self::bars::{Bar, Conditions};
use self::comparison::{Column, Instructions};
use self::run::Plan;
use self::shape::Timetable;
use super::arguments::Load;
use super::rival::{self, Rival};
use super::{extension, paint};

/// All that was measured goes into the report, though a run should fail.
pub(crate) fn load(load: &Load, report: &mut Map<String, Value>) -> Result<()> {
    let timetable = Timetable::new(load.shape, load.rate).map_err(|problem| anyhow!(problem))?;
    let plan = Plan { load, timetable };
    let mut columns: Vec<Column> = extensions(load)?
        .into_iter()
        .map(|extension| Column {
            extension,
            runs: Vec::new(),
            instructions: None,
        })
        .collect();
    let measured = measure(&plan, &mut columns);
    report.insert("mb_of_lines".into(), load.mb.into());
    report.insert("timetable".into(), json!(timetable));
    report.insert("extensions".into(), comparison::json(&columns));
    measured?;
    let bars = match load.check {
        true => bars::bars(&columns, &conditions(load)),
        false => Vec::new(),
    };
    report.insert("bars".into(), json!(bars));
    if !load.common.json {
        show(&columns, &bars);
    }
    let missed = bars.iter().filter(|bar| !bar.met).count();
    if missed > 0 {
        bail!("{missed} of {} bars missed", bars.len());
    }
    Ok(())
}

/// The subject first, then those named by `--against`.
fn extensions(load: &Load) -> Result<Vec<Rival>> {
    let path = extension::subject(&load.common)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut all = vec![Rival {
        name: name.into_owned(),
        path: path.clone(),
    }];
    for named in &load.against {
        all.push(rival::find(named)?);
    }
    let paths: Vec<PathBuf> = all.iter().map(|one| one.path.clone()).collect();
    for one in &mut all {
        one.name = distinct(&one.name, &one.path, &paths);
    }
    Ok(all)
}

/// A name that no other file goes by: with as many directories in front as that takes, as two builds of kinglet differ
/// in nothing else. A rival's name is that of its file.
fn distinct(name: &str, path: &Path, all: &[PathBuf]) -> String {
    let depth = path.components().count();
    let last = |path: &Path, count: usize| {
        let skipped = path.components().count().saturating_sub(count);
        path.components().skip(skipped).collect::<PathBuf>()
    };
    let is_distinct = |count: &usize| {
        let others = all.iter().filter(|other| *other != path);
        let own = last(path, *count);
        others
            .map(|other| last(other, *count))
            .all(|other| other != own)
    };
    match (1..=depth).find(is_distinct) {
        Some(1) | None => name.to_string(),
        Some(count) => last(path, count).display().to_string(),
    }
}

/// Run by run, each time beginning with another extension, so that whatever slows down the machine meets all alike.
fn measure(plan: &Plan, columns: &mut [Column]) -> Result<()> {
    let (count, repeat) = (columns.len(), plan.load.repeat as usize);
    let rounds = repeat + usize::from(plan.load.instructions);
    let progress = |done: usize, what: &str| {
        if count * rounds > 1 {
            let text = format!("run {} of {}: {what}", done + 1, count * rounds);
            anstream::eprintln!("{}", paint::faint(text));
        }
    };
    for round in 0..repeat {
        for turn in 0..count {
            let column = &mut columns[(round + turn) % count];
            progress(round * count + turn, &column.extension.name);
            let measured = plan.measure(&column.extension);
            let measured = measured.with_context(|| column.extension.name.clone())?;
            column.runs.push(measured);
        }
    }
    if plan.load.instructions {
        for (turn, column) in columns.iter_mut().enumerate() {
            let name = &column.extension.name;
            progress(
                repeat * count + turn,
                &format!("{name}, its instructions counted"),
            );
            let counted = plan.count_instructions(&column.extension);
            let (all, per_byte_of_telemetry) = counted.with_context(|| name.clone())?;
            column.instructions = Some(Instructions {
                all,
                per_byte_of_telemetry,
            });
        }
    }
    Ok(())
}

fn conditions(load: &Load) -> Conditions {
    Conditions {
        is_healthy: matches!(load.common.collector_fault, Fault::None),
        is_layer: load.common.layer,
    }
}

/// One run in all its details, several as a comparison.
fn show(columns: &[Column], bars: &[Bar]) {
    match columns {
        [column] if column.runs.len() == 1 => {
            paint::print(detail::show(&column.runs[0], column.instructions));
        }
        _ => paint::print(comparison::show(columns)),
    }
    if !bars.is_empty() {
        paint::print(bars::show(bars));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_as_long_as_it_must_be() {
        let all = ["/t/release/kinglet", "/t/layer/kinglet", "/t/release/floor"].map(PathBuf::from);
        let name = |path: &PathBuf| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            distinct(&file, path, &all)
        };
        assert_eq!(
            all.each_ref().map(name),
            ["release/kinglet", "layer/kinglet", "floor"]
        );
    }
}
