//! What each feature costs: the sets that are built, their budgets, and what was recorded of them in `prices.csv`.
//!
//! A feature's price is what the smallest layer has more with it alone. What two features share counts for both, so that prices
//! together may be more than the default has.

pub(crate) mod list;
pub(crate) mod picture;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::directory;
use super::numbers::grouped;
use crate::layer::{self, Architecture, Set, Variant};

/// The sets that have a budget, and a name that is no feature's.
pub(crate) const SMALLEST: &str = "smallest";
pub(crate) const DEFAULT: &str = "default";
pub(crate) const FULL: &str = "full";

/// A set of features, built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Priced {
    /// `smallest`, `default`, `full`, or the feature that is alone on top of the smallest.
    pub(crate) name: String,
    /// Of both programs.
    pub(crate) bytes: [u64; 2],
}

/// All of them: the smallest, one for each feature, the default, and all.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Prices(pub(crate) Vec<Priced>);

/// A line of `prices.csv`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    date: String,
    set: String,
    x86_64: u64,
    arm64: u64,
}

impl Prices {
    /// Builds every set for both architectures. The default is built already.
    pub(crate) fn weigh(default: [u64; 2]) -> Result<Prices> {
        let mut sets = vec![(SMALLEST.to_string(), Set::smallest(&[]))];
        for feature in features()? {
            let set = Set::smallest(&[&feature]);
            sets.push((feature, set));
        }
        sets.push((FULL.to_string(), Set::full()));
        let mut prices = Vec::new();
        for (name, set) in sets {
            let mut bytes = [0; 2];
            for (architecture, bytes) in Architecture::ALL.into_iter().zip(&mut bytes) {
                *bytes = layer::build(architecture, Variant::Shipped, &set)?.bytes;
            }
            prices.push(Priced { name, bytes });
        }
        let before_full = prices.len() - 1;
        let name = DEFAULT.to_string();
        prices.insert(
            before_full,
            Priced {
                name,
                bytes: default,
            },
        );
        Ok(Prices(prices))
    }

    pub(crate) fn of(&self, name: &str) -> [u64; 2] {
        let priced = self.0.iter().find(|priced| priced.name == name);
        priced.map(|priced| priced.bytes).unwrap_or_default()
    }

    /// The features, each with its price.
    pub(crate) fn features(&self) -> impl Iterator<Item = Priced> + '_ {
        let smallest = self.of(SMALLEST);
        let sets = [SMALLEST, DEFAULT, FULL];
        let features = self.0.iter();
        let features = features.filter(move |priced| !sets.contains(&priced.name.as_str()));
        features.map(move |priced| Priced {
            name: priced.name.clone(),
            bytes: [0, 1].map(|place| priced.bytes[place].saturating_sub(smallest[place])),
        })
    }

    /// What a price list tells, in order, each with its sign: the smallest, what each feature adds, the default and all.
    pub(crate) fn rows(&self) -> Vec<(Priced, &'static str)> {
        let set = |name: &str| {
            let priced = Priced {
                name: name.to_string(),
                bytes: self.of(name),
            };
            (priced, "")
        };
        let mut rows = vec![set(SMALLEST)];
        rows.extend(self.features().map(|priced| (priced, "+")));
        rows.extend([DEFAULT, FULL].map(set));
        rows
    }

    /// One sentence for each set that is over its budget. The default is weighed with its zip, and told with it.
    pub(crate) fn excesses(&self, budget: &Budget) -> Vec<String> {
        let mut lines = Vec::new();
        for priced in self.0.iter().filter(|priced| priced.name != DEFAULT) {
            let Some(most) = budget.set(&priced.name) else {
                continue;
            };
            for (architecture, bytes) in Architecture::ALL.iter().zip(priced.bytes) {
                if bytes > most {
                    lines.push(format!(
                        "the {} program of the set {} is {} bytes over its budget ({} of {})",
                        architecture.name(),
                        priced.name,
                        grouped(bytes - most),
                        grouped(bytes),
                        grouped(most)
                    ));
                }
            }
        }
        lines
    }

    /// Adds a line for each set that has another size than its last line tells.
    pub(crate) fn record(&self, date: &str) -> Result<()> {
        let mut lines = recorded()?;
        for priced in &self.0 {
            if last(&lines, &priced.name) != Some(priced.bytes) {
                let [x86_64, arm64] = priced.bytes;
                lines.push(Line {
                    date: date.to_string(),
                    set: priced.name.clone(),
                    x86_64,
                    arm64,
                });
            }
        }
        let mut writer = csv::Writer::from_path(path())?;
        for line in lines {
            writer.serialize(line)?;
        }
        writer
            .flush()
            .context("size-report/prices.csv cannot be written")
    }

    /// What is recorded must be true of this build.
    pub(crate) fn ensure_told(&self) -> Result<()> {
        let lines = recorded()?;
        for priced in &self.0 {
            let told = last(&lines, &priced.name);
            ensure!(
                told == Some(priced.bytes),
                "the set {} has {:?} bytes, and size-report/prices.csv says {told:?}: run `cargo size-report` and commit what it writes",
                priced.name,
                priced.bytes
            );
        }
        Ok(())
    }
}

fn last(lines: &[Line], set: &str) -> Option<[u64; 2]> {
    let mut newest_first = lines.iter().rev();
    newest_first
        .find(|line| line.set == set)
        .map(|line| [line.x86_64, line.arm64])
}

fn recorded() -> Result<Vec<Line>> {
    if !path().exists() {
        return Ok(Vec::new());
    }
    let lines: Result<_, _> = csv::Reader::from_path(path())?.deserialize().collect();
    lines.context("size-report/prices.csv has a line that cannot be read")
}

fn path() -> PathBuf {
    directory().join("prices.csv")
}

/// The features of kinglet's manifest, but for the sets of others.
fn features() -> Result<Vec<String>> {
    let manifest = fs::read_to_string(directory().join("../Cargo.toml"))?;
    let manifest: toml::Table = toml::from_str(&manifest)?;
    let Some(features) = manifest.get("features").and_then(toml::Value::as_table) else {
        bail!("Cargo.toml has no features");
    };
    let features = features.keys().map(String::as_str);
    let features = features.filter(|name| ![DEFAULT, FULL].contains(name));
    Ok(features.map(str::to_string).collect())
}

#[cfg(test)]
pub(crate) fn example() -> Prices {
    let priced = |name: &str, bytes| Priced {
        name: name.to_string(),
        bytes,
    };
    Prices(vec![
        priced(SMALLEST, [200_000, 190_000]),
        priced("json", [207_000, 195_000]),
        priced("metrics", [226_000, 214_000]),
        priced(DEFAULT, [232_000, 218_000]),
        priced(FULL, [232_000, 218_000]),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_what_the_smallest_has_more() {
        let prices = example();
        let features: Vec<_> = prices.features().collect();
        assert_eq!(features.len(), 2);
        assert_eq!(features[0].name, "json");
        assert_eq!(features[0].bytes, [7_000, 5_000]);
        assert_eq!(features[1].bytes, [26_000, 24_000]);
    }

    #[test]
    fn the_last_line_of_a_set_counts() {
        let line = |set: &str, x86_64| Line {
            date: String::new(),
            set: set.to_string(),
            x86_64,
            arm64: 1,
        };
        let lines = [line("a", 1), line("b", 2), line("a", 3)];
        assert_eq!(last(&lines, "a"), Some([3, 1]));
        assert_eq!(last(&lines, "c"), None);
    }

    #[test]
    fn a_set_over_its_budget_is_told() {
        let budget = |smallest: u64| -> Budget {
            toml::from_str(&format!(
                "[layer]\nprogram_bytes = 232_000\nzip_bytes = 1\n[sets]\nsmallest = {smallest}\nfull = 300_000\n[crate]\n"
            ))
            .unwrap()
        };
        assert_eq!(example().excesses(&budget(200_000)), [""; 0]);
        assert_eq!(
            example().excesses(&budget(199_000)),
            [
                "the x86_64 program of the set smallest is 1,000 bytes over its budget (200,000 of 199,000)"
            ]
        );
    }

    #[test]
    fn the_manifest_lists_features() {
        let features = features().unwrap();
        assert!(features.iter().any(|name| name == "metrics"));
        assert!(!features.iter().any(|name| name == DEFAULT || name == FULL));
    }
}
