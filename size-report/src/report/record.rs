//! The order of a start, recorded: `cargo size-report --record-start` writes `size-report/start.txt`.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use object::{Object, ObjectSymbol, SymbolKind};

use crate::layer::{self, Architecture, LIBRARY, Link, ORDER, repository};

use super::linker_map::{self, Placed};
use super::{pages, trace, twin};

const HEAD: &str = "// What a start touches until it waits for its first event, in the order of the first touch: functions, constants and data.
// `cargo layer` links them side by side in this order. A name that is no longer there is passed over, what is missing here
// stands with the rest. Recorded on x86_64, for both architectures, by
//
//   cargo size-report --record-start
//
// A line is a name; a hash of the content with its beginning, where the compiler only numbers; or a part of the C library.
";

/// Runs the x86_64 layer in single steps, and writes the order down.
pub(crate) fn record() -> Result<()> {
    let (program, map, link) = layer::mapped(Architecture::X86_64)?;
    let placed = linker_map::parse(&map);
    let folded = folded(&program)?;
    let (mut lines, mut known) = (Vec::new(), HashSet::new());
    let touched = trace::touched(&program)?;
    let pages = pages::count(&program, touched.until_next())?;
    for &address in &touched.addresses {
        let Some(one) = linker_map::at(&placed, address) else {
            continue;
        };
        if !known.insert(one.address) || !layer::is_ordered(&one.section) {
            continue;
        }
        let own = name(one, &link);
        let others = folded.get(&one.address).into_iter().flatten();
        for line in own.into_iter().chain(others.cloned()) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    let text = format!("{HEAD}{}\n", lines.join("\n"));
    fs::write(repository().join(ORDER), text)
        .with_context(|| format!("{ORDER} cannot be written"))?;
    anstream::eprintln!(
        "wrote {ORDER}: {} names. In the order before, a start touches {pages}",
        lines.len()
    );
    Ok(())
}

fn name(one: &Placed, link: &Link) -> Option<String> {
    if one.file.ends_with(".rcgu.o") || one.file == "<internal>" {
        return link.identities.identity(&one.section).map(str::to_string);
    }
    // A library and its member, or one of the C library's own objects.
    let member = one
        .file
        .split_once('(')
        .map_or(one.file.as_str(), |(_, member)| {
            member.trim_end_matches(')')
        });
    let is_built_along = member.ends_with(".rcgu.o");
    (!is_built_along).then(|| format!("{LIBRARY}{member} {}", one.section))
}

/// All names of each function: equal ones are folded into one.
fn folded(program: &Path) -> Result<BTreeMap<u64, Vec<String>>> {
    let bytes = fs::read(program)?;
    let elf = twin::Elf::parse(bytes.as_slice())?;
    let mut names: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for symbol in elf.symbols() {
        let (SymbolKind::Text, Ok(name)) = (symbol.kind(), symbol.name()) else {
            continue;
        };
        // C names are found by the map alone.
        if name.starts_with("_R") && symbol.size() > 0 {
            let name = format!("{:#}", rustc_demangle::demangle(name));
            names.entry(symbol.address()).or_default().push(name);
        }
    }
    for names in names.values_mut() {
        names.sort();
        names.dedup();
    }
    Ok(names)
}
