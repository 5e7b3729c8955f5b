//! What one layer weighs: in all, and by crate, by module, by function.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::layer::{self, Architecture, Set, Variant};

use super::anatomy::{self, Section};
use super::directory;
use super::symbol::Owner;

/// One layer, weighed.
#[derive(Debug, Serialize)]
pub(crate) struct Weight {
    pub(crate) architecture: &'static str,
    pub(crate) program_bytes: u64,
    pub(crate) zip_bytes: u64,
    pub(crate) sections: Vec<Section>,
    /// By owner; the sum is `program_bytes`.
    pub(crate) items: Vec<Item>,
    /// The compiler, as it calls itself.
    pub(crate) rustc: String,
    /// The standard library was built along.
    pub(crate) builds_std: bool,
    #[serde(skip)]
    pub(crate) program: std::path::PathBuf,
    /// The same with symbols.
    #[serde(skip)]
    pub(crate) twin: std::path::PathBuf,
}

/// Everything of one owner: instances of the same generic function are one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    #[serde(flatten)]
    pub(crate) owner: Owner,
    pub(crate) bytes: u64,
    /// How many pieces of the file it is in.
    pub(crate) count: u64,
}

/// A sum with the name of what was summed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Sum {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) count: u64,
}

/// Builds one layer, shipped and with symbols, and weighs it.
pub(crate) fn weigh(architecture: Architecture) -> Result<Weight> {
    let set = Set::default();
    let built = layer::build(architecture, Variant::Shipped, &set)?;
    let zip = layer::zip(&built, &set)?;
    let twin = layer::build(architecture, Variant::Symbols, &set)?;
    let [shipped, with_symbols] = [&built.program, &twin.program]
        .map(|path| fs::read(path).with_context(|| format!("{} cannot be read", path.display())));
    let anatomy = anatomy::dissect(&shipped?, &with_symbols?, &modules()?)?;
    let mut items: BTreeMap<Owner, (u64, u64)> = BTreeMap::new();
    for piece in anatomy.pieces {
        let (bytes, count) = items.entry(piece.owner).or_default();
        *bytes += piece.bytes;
        *count += 1;
    }
    let mut items: Vec<Item> = items
        .into_iter()
        .map(|(owner, (bytes, count))| Item {
            owner,
            bytes,
            count,
        })
        .collect();
    // The order of owners stays among those of one size.
    items.sort_by_key(|item| std::cmp::Reverse(item.bytes));
    Ok(Weight {
        architecture: architecture.name(),
        program_bytes: built.bytes,
        zip_bytes: zip.bytes as u64,
        sections: anatomy.sections,
        items,
        rustc: built.rustc,
        builds_std: built.builds_std,
        program: built.program,
        twin: twin.program,
    })
}

impl Weight {
    /// By crate, the largest first.
    pub(crate) fn by_group(&self) -> Vec<Sum> {
        self.sums(|owner| Some(owner.group.clone()))
    }

    /// By module of one crate.
    pub(crate) fn by_module(&self, group: &str) -> Vec<Sum> {
        self.sums(|owner| (owner.group == group).then(|| owner.place()))
    }

    fn sums(&self, name: impl Fn(&Owner) -> Option<String>) -> Vec<Sum> {
        let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for item in &self.items {
            if let Some(name) = name(&item.owner) {
                let (bytes, count) = sums.entry(name).or_default();
                *bytes += item.bytes;
                *count += item.count;
            }
        }
        let mut sums: Vec<Sum> = sums
            .into_iter()
            .map(|(name, (bytes, count))| Sum { name, bytes, count })
            .collect();
        sums.sort_by_key(|sum| std::cmp::Reverse(sum.bytes));
        sums
    }
}

/// kinglet's modules, which are the files in `src`, and its folders where a `mod.rs` stands: `format`, `format::otlp`.
fn modules() -> Result<BTreeSet<String>> {
    let mut modules = BTreeSet::new();
    let mut directories = vec![(directory().join("../src"), String::new())];
    while let Some((path, prefix)) = directories.pop() {
        let entries = fs::read_dir(&path).with_context(|| format!("no {}", path.display()))?;
        for entry in entries {
            let path = entry?.path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let module = format!("{prefix}{stem}");
            if path.is_dir() {
                directories.push((path, format!("{module}::")));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let folder = module.strip_suffix("::mod").map(str::to_string);
                modules.insert(folder.unwrap_or(module));
            }
        }
    }
    Ok(modules)
}
