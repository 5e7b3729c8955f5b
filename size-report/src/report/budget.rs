//! What the layers may weigh: `budget.toml`.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::directory;
use super::numbers::grouped;
use super::prices;
use super::weight::Weight;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budget {
    pub(crate) layer: LayerBudget,
    #[serde(default)]
    sets: SetBudgets,
    pub(crate) start: Option<StartBudget>,
    /// More than this is worth a look, and no failure.
    #[serde(rename = "crate")]
    pub(crate) crates: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LayerBudget {
    pub(crate) program_bytes: u64,
    pub(crate) zip_bytes: u64,
}

/// Of programs with other features than the default ones.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SetBudgets {
    smallest: Option<u64>,
    full: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartBudget {
    pub(crate) file_pages: usize,
    pub(crate) writable_pages: usize,
}

impl Budget {
    /// What a program of this set may weigh.
    pub(crate) fn set(&self, name: &str) -> Option<u64> {
        match name {
            prices::SMALLEST => self.sets.smallest,
            prices::DEFAULT => Some(self.layer.program_bytes),
            prices::FULL => self.sets.full,
            _ => None,
        }
    }

    pub(crate) fn read() -> Result<Budget> {
        let path = directory().join("budget.toml");
        let text = fs::read_to_string(&path).context("size-report/budget.toml cannot be read")?;
        toml::from_str(&text).context("size-report/budget.toml is not as it should be")
    }

    /// One sentence for each bar that a layer is over.
    pub(crate) fn excesses(&self, weight: &Weight) -> Vec<String> {
        [
            ("program", weight.program_bytes, self.layer.program_bytes),
            ("zip", weight.zip_bytes, self.layer.zip_bytes),
        ]
        .into_iter()
        .filter(|(_, bytes, budget)| bytes > budget)
        .map(|(what, bytes, budget)| {
            format!(
                "the {} {what} is {} bytes over its budget ({} of {})",
                weight.architecture,
                grouped(bytes - budget),
                grouped(bytes),
                grouped(budget)
            )
        })
        .collect()
    }

    /// One sentence for each crate that has outgrown what was expected of it.
    pub(crate) fn notes(&self, weight: &Weight) -> Vec<String> {
        weight
            .by_group()
            .iter()
            .filter_map(|sum| Some((sum, *self.crates.get(&sum.name)?)))
            .filter(|(sum, budget)| sum.bytes > *budget)
            .map(|(sum, budget)| {
                format!(
                    "{} in the {} program has {} bytes, expected were at most {}",
                    sum.name,
                    weight.architecture,
                    grouped(sum.bytes),
                    grouped(budget)
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::symbol::Owner;
    use crate::report::weight::Item;

    fn weight(program_bytes: u64, zip_bytes: u64) -> Weight {
        Weight {
            architecture: "arm64",
            program_bytes,
            zip_bytes,
            sections: Vec::new(),
            items: vec![Item {
                owner: Owner::new("ureq", "run", "ureq::run::run"),
                bytes: program_bytes,
                count: 1,
            }],
            rustc: String::new(),
            builds_std: true,
            program: std::path::PathBuf::new(),
            twin: std::path::PathBuf::new(),
        }
    }

    #[test]
    fn an_excess_says_by_how_much() {
        let budget: Budget = toml::from_str(
            "[layer]\nprogram_bytes = 200_000\nzip_bytes = 100_000\n[crate]\nureq = 199_999",
        )
        .unwrap();
        assert!(budget.excesses(&weight(200_000, 100_000)).is_empty());
        assert_eq!(
            budget.excesses(&weight(201_500, 100_000)),
            ["the arm64 program is 1,500 bytes over its budget (201,500 of 200,000)"]
        );
        assert_eq!(budget.excesses(&weight(200_001, 100_001)).len(), 2);
        assert_eq!(budget.notes(&weight(200_000, 0)).len(), 1);
        assert!(budget.notes(&weight(199_999, 0)).is_empty());
    }

    #[test]
    fn the_budget_of_this_repository_can_be_read() {
        let budget = Budget::read().unwrap();
        assert!(budget.layer.zip_bytes < budget.layer.program_bytes);
    }
}
