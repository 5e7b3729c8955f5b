//! `cargo size-report`: weighs both layers, draws them, and holds them to the budget and to what is recorded.
//!
//! ```text
//! layer ──▶ anatomy, symbol ──▶ weight ──┬─▶ REPORT.md, size.svg, size-arm64.svg, items.csv
//!           every byte, its owner        ├─▶ budget.toml: over it is a failure
//! layers of other features ──▶ prices ───┼─▶ prices.svg, prices.csv
//! strace ─▶ startup, reasons ────────────┴─▶ history.csv, history.svg: each change with its reason
//! ```

mod anatomy;
mod budget;
mod calls;
mod constants;
mod growth;
mod history;
mod lettering;
mod linker_map;
mod markdown;
mod numbers;
mod pages;
mod palette;
mod path;
mod prices;
mod reasons;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod record;
mod runtime_api;
mod start_map;
mod startup;
mod symbol;
mod terminal;
mod tiles;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod trace;
mod treemap;
mod trend;
mod twin;
mod weight;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use owo_colors::OwoColorize;
use serde_json::json;

use crate::layer::Architecture;

use budget::Budget;
use growth::{Committed, Growth};
use history::{Entry, History};
use markdown::Contents;
use prices::Prices;
use weight::Weight;

/// Weighs the layers, draws them, and compares them with the budget and the last report.
///
/// Writes REPORT.md, its pictures and items.csv in size-report.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Why the size has changed: adds a line to size-report/history.csv.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// For CI: writes nothing, and fails where the committed report or history tell other sizes.
    ///
    /// With the compiler of history's last line sizes must be the same to the byte; with another one within 2 %.
    #[arg(long, conflicts_with = "reason")]
    check: bool,
    /// One JSON object on standard output instead of the table.
    #[arg(long)]
    json: bool,
    /// Records what a start touches, in its order, and does nothing else. The next `cargo layer` links in that order.
    #[arg(long, conflicts_with_all = ["reason", "check", "json"])]
    record_start: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.record_start {
        return record_start();
    }
    let budget = Budget::read()?;
    let mut history = History::read()?;
    let weights = Architecture::ALL.into_iter().map(weight::weigh);
    let weights: Vec<Weight> = weights.collect::<Result<_>>()?;
    let [x86_64, arm64] = weights.as_slice() else {
        bail!("two layers are weighed, not {}", weights.len());
    };
    let prices = Prices::weigh([x86_64.program_bytes, arm64.program_bytes])?;
    let growth = Committed::read().map(|committed| committed.compare(&weights));
    let growth = growth.unwrap_or_default();
    if arguments.json {
        print_json(&weights, &prices, &growth)?;
    } else {
        terminal::show(&weights, &budget, &history, &growth);
        terminal::show_prices(&prices, &budget);
    }
    let today = jiff::Zoned::now().date().to_string();
    let reason = arguments.reason.as_deref().unwrap_or_default();
    let present = Entry::new(&today, [x86_64, arm64], reason);
    let calls = startup::observe(&x86_64.program)?;
    let pages = touched(x86_64)?;
    if !arguments.check {
        record(&mut history, present.clone())?;
        prices.record(&today)?;
        write(&weights, &prices, &budget, &history, calls.as_deref())?;
        if let Some(pages) = &pages {
            let picture = start_map::draw(pages, x86_64.program_bytes);
            fs::write(directory().join("start.svg"), picture)?;
        }
    }
    for line in weights.iter().flat_map(|weight| budget.notes(weight)) {
        note(&line);
    }
    ensure_within_budget(&weights, &prices, &budget, &growth)?;
    if let (Some(pages), Some(start)) = (&pages, budget.start) {
        anstream::eprintln!("until next a start touches {pages}");
        pages::ensure_few(pages, start)?;
    }
    match calls {
        Some(calls) => startup::ensure_explained(&calls)?,
        None => note("strace cannot be run here: the section on system calls stays as it was"),
    }
    if arguments.check {
        ensure_told(&present, &history)?;
        // Another compiler gives other sizes, which the lines above allow for.
        if history
            .last()
            .is_some_and(|last| last.rustc == present.rustc)
        {
            prices.ensure_told()?;
        }
    }
    Ok(())
}

/// What a start touches until next. The twin with symbols is watched: it is the shipped program at the same addresses.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn touched(x86_64: &Weight) -> Result<Option<pages::Pages>> {
    if !x86_64.builds_std {
        return Ok(None);
    }
    let touched = trace::touched(&x86_64.twin)?;
    pages::count(&x86_64.twin, touched.until_next()).map(Some)
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn touched(_: &Weight) -> Result<Option<pages::Pages>> {
    note("what a start touches is counted on Linux on x86_64 alone");
    Ok(None)
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn record_start() -> Result<()> {
    record::record()
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn record_start() -> Result<()> {
    bail!("a start is recorded on Linux on x86_64, for both architectures")
}

/// One line more of history, if the sizes are new and there is a reason.
fn record(history: &mut History, present: Entry) -> Result<()> {
    let is_new = history
        .last()
        .is_none_or(|last| last.sizes() != present.sizes());
    match (is_new, present.reason.is_empty()) {
        (true, false) => history.append(present)?,
        (true, true) => note(
            "the size has changed and history.csv does not say why. Record it:\n  cargo size-report --reason \"why it grew, or shrank\"",
        ),
        (false, false) => note("the size is the recorded one, so the reason was not written down"),
        (false, true) => {}
    }
    Ok(())
}

fn write(
    weights: &[Weight],
    prices: &Prices,
    budget: &Budget,
    history: &History,
    seen: Option<&[startup::Call]>,
) -> Result<()> {
    let [x86_64, arm64] = weights else {
        bail!("two layers are weighed, not {}", weights.len());
    };
    let startup = match seen {
        Some(seen) => calls::render(seen),
        None => calls::kept(&committed_report()?).unwrap_or_default(),
    };
    let contents = Contents {
        weights: [x86_64, arm64],
        prices,
        budget,
        history,
        startup,
    };
    for (name, text) in [
        ("REPORT.md", markdown::render(&contents)),
        ("size.svg", treemap::draw(x86_64)),
        ("size-arm64.svg", treemap::draw(arm64)),
        ("prices.svg", prices::picture::draw(prices, budget)),
        ("history.svg", trend::draw(history, &budget.layer)?),
        ("items.csv", growth::csv(weights)?),
    ] {
        let path = directory().join(name);
        fs::write(&path, text).with_context(|| format!("size-report/{name} cannot be written"))?;
    }
    anstream::eprintln!(
        "{}",
        "wrote size-report/REPORT.md and its pictures".dimmed()
    );
    Ok(())
}

fn committed_report() -> Result<String> {
    fs::read_to_string(directory().join("REPORT.md")).context(
        "there is no size-report/REPORT.md yet; run `cargo size-report` where strace is installed",
    )
}

/// What is committed must be true of this build.
fn ensure_told(present: &Entry, history: &History) -> Result<()> {
    const MEND: &str =
        "run `cargo size-report --reason \"why it grew, or shrank\"` and commit what it writes";
    let Some(last) = history.last() else {
        bail!("size-report/history.csv has no line: {MEND}");
    };
    ensure!(
        last.tells(present),
        "the layers have {:?} bytes (programs, then zips), and the last line of size-report/history.csv says {:?}: {MEND}",
        present.sizes(),
        last.sizes()
    );
    ensure!(
        markdown::states(&committed_report()?, last),
        "size-report/REPORT.md tells other sizes than the last line of history.csv: {MEND}"
    );
    Ok(())
}

/// Says by how much, what grew most, and what to do.
fn ensure_within_budget(
    weights: &[Weight],
    prices: &Prices,
    budget: &Budget,
    growth: &[Growth],
) -> Result<()> {
    let mut lines: Vec<String> = weights
        .iter()
        .flat_map(|weight| budget.excesses(weight))
        .chain(prices.excesses(budget))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    let grown = growth.iter().filter(|item| item.bytes() > 0).take(5);
    lines.extend(grown.map(|item| {
        let (place, label) = (item.owner.place(), item.owner.label());
        format!(
            "  {:>+7} {label} ({place}, {})",
            item.bytes(),
            item.architecture
        )
    }));
    lines.push(
        "Make it smaller: size-report/REPORT.md lists what is large. Only if it must be, raise size-report/budget.toml and say why in the commit."
            .to_string(),
    );
    bail!(lines.join("\n"))
}

fn print_json(weights: &[Weight], prices: &Prices, growth: &[Growth]) -> Result<()> {
    let object = json!({ "layers": weights, "prices": prices, "growth": growth });
    println!("{}", serde_json::to_string(&object)?);
    Ok(())
}

fn note(text: &str) {
    anstream::eprintln!("{} {text}", "note:".yellow());
}

/// Where the budget, the history and the report are.
fn directory() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
