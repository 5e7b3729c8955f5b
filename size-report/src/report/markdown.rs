//! REPORT.md: all of it, for people. The same layers and the same history give the same bytes.

use super::budget::Budget;
use super::history::{Entry, History};
use super::numbers::{change, grouped, percent, share};
use super::prices::{self, Prices};
use super::weight::{Sum, Weight};

const FUNCTIONS_SHOWN: usize = 25;

/// The rows of the first table, in the order of [`Entry::sizes`].
const WHATS: [&str; 4] = [
    "program, x86_64",
    "program, arm64",
    "zip, x86_64",
    "zip, arm64",
];

pub(crate) struct Contents<'a> {
    pub(crate) weights: [&'a Weight; 2],
    pub(crate) prices: &'a Prices,
    pub(crate) budget: &'a Budget,
    pub(crate) history: &'a History,
    /// The section on start-up, rendered or kept.
    pub(crate) startup: String,
}

pub(crate) fn render(contents: &Contents) -> String {
    let weights = contents.weights;
    let [x86_64, arm64] = weights;
    let sections = [
        "# What kinglet weighs\n".to_string(),
        "Written by `cargo size-report`, which builds both layers, weighs every byte and holds them to `budget.toml`. \
         Bytes everywhere; kinglet's own code is the yellow part.\n"
            .to_string(),
        totals(contents),
        "![The x86_64 layer as area: crate, module, function; sizes are rounded](size.svg)\n".to_string(),
        "[The same for arm64](size-arm64.svg). Opened by themselves both name what is under the mouse.\n".to_string(),
        "## What each feature costs\n".to_string(),
        "![The smallest layer, and each feature on top of it](prices.svg)\n".to_string(),
        prices::list::render(contents.prices, contents.budget),
        "## By crate\n".to_string(),
        sums_table("crate", x86_64.by_group(), &arm64.by_group(), weights),
        attribution(),
        "## kinglet's own modules\n".to_string(),
        sums_table("module", x86_64.by_module("kinglet"), &arm64.by_module("kinglet"), weights),
        format!("## The {FUNCTIONS_SHOWN} largest functions and tables\n"),
        functions(x86_64, arm64),
        "## Sections of the file\n".to_string(),
        file_sections(x86_64),
        file_sections(arm64),
        "## Trend\n".to_string(),
        "![Sizes over time](history.svg)\n".to_string(),
        trend(contents.history),
        "## What a start touches\n".to_string(),
        "![The pages of the x86_64 file, and those that a start touches until next](start.svg)\n".to_string(),
        "What runs until next lies side by side, as `start.txt` lists it: Lambda reads a layer lazily, page by page. Single steps \
         find the pages; `budget.toml` bounds them, and `cargo size-report --record-start` records the order anew.\n"
            .to_string(),
        "## Start-up system calls\n".to_string(),
        contents.startup.clone(),
    ];
    sections.join("\n")
}

fn totals(contents: &Contents) -> String {
    let [x86_64, arm64] = contents.weights;
    let sizes = [
        x86_64.program_bytes,
        arm64.program_bytes,
        x86_64.zip_bytes,
        arm64.zip_bytes,
    ];
    let before = contents.history.before(sizes);
    let budget = &contents.budget.layer;
    let rows = [
        (x86_64.program_bytes, budget.program_bytes),
        (arm64.program_bytes, budget.program_bytes),
        (x86_64.zip_bytes, budget.zip_bytes),
        (arm64.zip_bytes, budget.zip_bytes),
    ];
    let mut table =
        "| what | bytes | budget | used | change |\n|---|--:|--:|--:|--:|\n".to_string();
    for (index, (bytes, budget)) in rows.into_iter().enumerate() {
        let what = WHATS[index];
        let change = before.map_or("new".to_string(), |entry| {
            change(bytes, entry.sizes()[index])
        });
        let used = format!("{:.1} % `{}`", percent(bytes, budget), bar(bytes, budget));
        table += &format!(
            "| {what} | **{}** | {} | {used} | {change} |\n",
            grouped(bytes),
            grouped(budget)
        );
    }
    let since = before.map(|entry| format!(" Changes are since {}.", entry.date));
    table
        + &format!(
            "\nBuilt with {}.{}\n",
            x86_64.rustc,
            since.unwrap_or_default()
        )
}

/// Whether a report tells these sizes.
pub(crate) fn states(report: &str, entry: &Entry) -> bool {
    WHATS
        .iter()
        .zip(entry.sizes())
        .all(|(what, bytes)| report.contains(&format!("| {what} | **{}** |", grouped(bytes))))
}

/// Ten characters of a budget.
fn bar(bytes: u64, budget: u64) -> String {
    let full = (percent(bytes, budget) / 10.0).round().clamp(0.0, 10.0) as usize;
    "█".repeat(full) + &"░".repeat(10 - full)
}

fn sums_table(what: &str, x86_64: Vec<Sum>, arm64: &[Sum], weights: [&Weight; 2]) -> String {
    let mut table = format!("| {what} | x86_64 | share | arm64 | share |\n|---|--:|--:|--:|--:|\n");
    let only_arm64 = arm64
        .iter()
        .filter(|other| x86_64.iter().all(|sum| sum.name != other.name));
    let rows: Vec<(String, u64)> = x86_64
        .iter()
        .map(|sum| (sum.name.clone(), sum.bytes))
        .chain(only_arm64.map(|sum| (sum.name.clone(), 0)))
        .collect();
    let [whole_x86_64, whole_arm64] = weights.map(|weight| weight.program_bytes);
    for (name, bytes) in rows {
        let other = arm64
            .iter()
            .find(|sum| sum.name == name)
            .map_or(0, |sum| sum.bytes);
        table += &format!(
            "| {name} | {} | {} | {} | {} |\n",
            grouped(bytes),
            share(bytes, whole_x86_64),
            grouped(other),
            share(other, whole_arm64)
        );
    }
    let sum = |sums: &[Sum]| sums.iter().map(|sum| sum.bytes).sum::<u64>();
    let [all_x86_64, all_arm64] = [sum(&x86_64), sum(arm64)];
    table
        + &format!(
            "| **together** | **{}** | {} | **{}** | {} |\n",
            grouped(all_x86_64),
            share(all_x86_64, whole_x86_64),
            grouped(all_arm64),
            share(all_arm64, whole_arm64)
        )
}

fn attribution() -> String {
    "How bytes find their owner: the shipped file has no symbols, so a twin with symbols is built, and compared with it byte \
     for byte. A generic function counts for the crate that wrote it. `<T as Trait>::f` counts for whichever of type and trait \
     stands farther from core (core, alloc, std, other crates, kinglet), and for the type if both stand as far; methods of \
     primitive types count for core. Equal functions that the linker has folded count once. *outlined code* are sequences of \
     instructions that LLVM found in several functions and keeps once; *musl* are symbols without a Rust name; *unnamed \
     constants* are texts, virtual tables and the like, for which the compiler keeps no name, told apart by what is in them; they lie among the code.\n"
        .to_string()
}

fn functions(x86_64: &Weight, arm64: &Weight) -> String {
    let mut table = "| | what | where | x86_64 | arm64 |\n|--:|---|---|--:|--:|\n".to_string();
    let named = x86_64.items.iter().filter(|item| !item.owner.is_frame());
    for (index, item) in named.take(FUNCTIONS_SHOWN).enumerate() {
        let other = arm64.items.iter().find(|other| other.owner == item.owner);
        let other = other.map_or("inlined".to_string(), |other| grouped(other.bytes));
        let number = index + 1;
        let (label, place) = (item.owner.label(), item.owner.place());
        table += &format!(
            "| {number} | `{label}` | {place} | {} | {other} |\n",
            grouped(item.bytes)
        );
    }
    table
}

fn file_sections(weight: &Weight) -> String {
    let mut table = format!(
        "| {} | in the file | in memory |\n|---|--:|--:|\n",
        weight.architecture
    );
    for section in &weight.sections {
        let name = if section.name.starts_with('.') {
            format!("`{}`", section.name)
        } else {
            section.name.clone()
        };
        let [file, memory] = [section.file_bytes, section.memory_bytes].map(grouped);
        table += &format!("| {name} | {file} | {memory} |\n");
    }
    let sum: u64 = weight
        .sections
        .iter()
        .map(|section| section.file_bytes)
        .sum();
    table + &format!("| **together** | **{}** | |\n", grouped(sum))
}

fn trend(history: &History) -> String {
    let mut table =
        "| date | x86_64 | arm64 | zip, x86_64 | zip, arm64 | why |\n|---|--:|--:|--:|--:|---|\n"
            .to_string();
    for (index, entry) in history.entries.iter().enumerate().rev() {
        let before = index
            .checked_sub(1)
            .and_then(|before| history.entries.get(before));
        let cells: Vec<String> = entry
            .sizes()
            .into_iter()
            .enumerate()
            .map(|(column, bytes)| match before {
                Some(before) => format!(
                    "{} ({})",
                    grouped(bytes),
                    change(bytes, before.sizes()[column])
                ),
                None => grouped(bytes),
            })
            .collect();
        let reason = entry.reason.replace('|', "\\|");
        table += &format!("| {} | {} | {reason} |\n", entry.date, cells.join(" | "));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_never_overflows() {
        assert_eq!(bar(50, 100), "█████░░░░░");
        assert_eq!(bar(900, 100), "██████████");
    }
}
