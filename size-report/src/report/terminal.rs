//! The report on a terminal: short.

use comfy_table::{CellAlignment, Table, presets};
use owo_colors::{OwoColorize, Style};

use super::budget::{Budget, LayerBudget};
use super::growth::Growth;
use super::history::{Entry, History};
use super::numbers::{change, grouped, percent};
use super::prices::Prices;
use super::weight::Weight;

const GROWTH_SHOWN: usize = 8;
const GROUPS_SHOWN: usize = 6;
const BAR_CHARACTERS: usize = 24;

pub(crate) fn show(weights: &[Weight], budget: &Budget, history: &History, growth: &[Growth]) {
    let mut table = plain_table(&["", "bytes", "budget", "used", "since recorded"]);
    let recorded = history.last().map(Entry::sizes);
    for (row, (what, bytes, bar)) in rows(weights, &budget.layer).into_iter().enumerate() {
        let since = recorded.map_or("new".to_string(), |sizes| change(bytes, sizes[row]));
        table.add_row([what, grouped(bytes), grouped(bar), used(bytes, bar), since]);
    }
    anstream::println!("{table}");
    for weight in weights {
        let largest = weight.by_group().into_iter().take(GROUPS_SHOWN);
        let largest: Vec<String> = largest
            .map(|sum| {
                format!(
                    "{} {:.0} %",
                    sum.name,
                    percent(sum.bytes, weight.program_bytes)
                )
            })
            .collect();
        let architecture = format!("{:<7}", weight.architecture);
        anstream::println!("{} {}", architecture.bold(), largest.join(", "));
    }
    show_growth(growth);
}

/// What each feature adds to the smallest program, and the sets that have a budget.
pub(crate) fn show_prices(prices: &Prices, budget: &Budget) {
    let mut table = plain_table(&["", "x86_64", "arm64", "budget"]);
    for (priced, sign) in prices.rows() {
        let [x86_64, arm64] = priced
            .bytes
            .map(|bytes| format!("{sign}{}", grouped(bytes)));
        let bar = budget.set(&priced.name).map(grouped).unwrap_or_default();
        table.add_row([priced.name, x86_64, arm64, bar]);
    }
    anstream::println!("{table}");
}

/// In the order of [`Entry::sizes`].
fn rows(weights: &[Weight], budget: &LayerBudget) -> Vec<(String, u64, u64)> {
    let programs = weights.iter().map(|weight| {
        let what = format!("program, {}", weight.architecture);
        (what, weight.program_bytes, budget.program_bytes)
    });
    let zips = weights.iter().map(|weight| {
        let what = format!("zip, {}", weight.architecture);
        (what, weight.zip_bytes, budget.zip_bytes)
    });
    programs.chain(zips).collect()
}

fn used(bytes: u64, budget: u64) -> String {
    let percent = percent(bytes, budget);
    let full = (percent / 100.0 * BAR_CHARACTERS as f64).round() as usize;
    let full = full.min(BAR_CHARACTERS);
    let style = match percent {
        percent if percent > 100.0 => Style::new().red(),
        percent if percent > 95.0 => Style::new().yellow(),
        _ => Style::new().green(),
    };
    let bar = "█".repeat(full);
    let rest = "░".repeat(BAR_CHARACTERS - full);
    format!("{}{} {percent:>5.1} %", bar.style(style), rest.dimmed())
}

/// What grew most, and what shrank most, since the last commit.
fn show_growth(growth: &[Growth]) {
    let grown = growth
        .iter()
        .filter(|item| item.bytes() > 0)
        .take(GROWTH_SHOWN);
    let shrunk = growth
        .iter()
        .rev()
        .filter(|item| item.bytes() < 0)
        .take(GROWTH_SHOWN);
    let mut table = plain_table(&["since the last commit", "", "", "bytes"]);
    for item in grown.chain(shrunk) {
        table.add_row([
            item.owner.label(),
            item.owner.place(),
            item.architecture.clone(),
            change(item.now, item.before),
        ]);
    }
    if table.row_count() > 0 {
        anstream::println!("\n{table}");
    }
}

/// The first column to the left, the others to the right.
fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
