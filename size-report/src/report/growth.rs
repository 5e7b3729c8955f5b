//! What grew: the items of this build beside those of the last report that was committed (`items.csv`).

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::directory;
use super::symbol::Owner;
use super::weight::Weight;

/// Smaller items are summed up by module: the file is for `git diff`, too.
const ITEM_BYTES_MIN: u64 = 128;

const SMALLER: &str = "(smaller ones)";

/// A line of `items.csv`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    architecture: String,
    group: String,
    module: String,
    item: String,
    bytes: u64,
}

/// An item whose size is not what it was.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Growth {
    pub(crate) architecture: String,
    #[serde(flatten)]
    pub(crate) owner: Owner,
    pub(crate) before: u64,
    pub(crate) now: u64,
}

impl Growth {
    pub(crate) fn bytes(&self) -> i64 {
        self.now.cast_signed() - self.before.cast_signed()
    }
}

/// The items of the last commit: `None` where there is none.
pub(crate) struct Committed {
    lines: Vec<Line>,
}

impl Committed {
    /// As git has it; without git, as it lies in the directory.
    pub(crate) fn read() -> Option<Committed> {
        let show = Command::new("git")
            .args(["show", "HEAD:./items.csv"])
            .current_dir(directory())
            .output()
            .ok()
            .filter(|output| output.status.success())
            .map(|output| output.stdout);
        let text = show.or_else(|| fs::read(directory().join("items.csv")).ok())?;
        let lines: Result<Vec<Line>, _> = csv::Reader::from_reader(text.as_slice())
            .deserialize()
            .collect();
        Some(Committed { lines: lines.ok()? })
    }

    /// What has another size than before, what grew most first.
    pub(crate) fn compare(&self, weights: &[Weight]) -> Vec<Growth> {
        compare(&self.lines, &lines(weights))
    }
}

fn compare(before: &[Line], now: &[Line]) -> Vec<Growth> {
    let mut sizes: BTreeMap<(String, Owner), (u64, u64)> = BTreeMap::new();
    let key = |line: &Line| {
        let owner = Owner::new(&line.group, &line.module, &line.item);
        (line.architecture.clone(), owner)
    };
    for line in before {
        sizes.entry(key(line)).or_default().0 += line.bytes;
    }
    for line in now {
        sizes.entry(key(line)).or_default().1 += line.bytes;
    }
    let mut growth: Vec<Growth> = sizes
        .into_iter()
        .filter(|(_, (before, now))| before != now)
        .map(|((architecture, owner), (before, now))| Growth {
            architecture,
            owner,
            before,
            now,
        })
        .collect();
    growth.sort_by_key(|growth| -growth.bytes());
    growth
}

/// `items.csv` as it should be committed.
pub(crate) fn csv(weights: &[Weight]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines(weights) {
        writer.serialize(line)?;
    }
    String::from_utf8(writer.into_inner()?).context("items.csv is text")
}

/// By name and not by size: a function that grows stays where it is in the file.
fn lines(weights: &[Weight]) -> Vec<Line> {
    let mut lines = Vec::new();
    for weight in weights {
        let mut items: BTreeMap<Owner, u64> = BTreeMap::new();
        for item in &weight.items {
            let mut owner = item.owner.clone();
            if item.bytes < ITEM_BYTES_MIN {
                owner.item = SMALLER.to_string();
            }
            *items.entry(owner).or_default() += item.bytes;
        }
        lines.extend(items.into_iter().map(|(owner, bytes)| Line {
            architecture: weight.architecture.to_string(),
            group: owner.group,
            module: owner.module,
            item: owner.item,
            bytes,
        }));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(item: &str, bytes: u64) -> Line {
        Line {
            architecture: "arm64".to_string(),
            group: "kinglet".to_string(),
            module: "json".to_string(),
            item: item.to_string(),
            bytes,
        }
    }

    #[test]
    fn what_grew_most_comes_first_and_what_is_gone_last() {
        let before = [line("kept", 300), line("gone", 200), line("grown", 150)];
        let now = [line("kept", 300), line("grown", 170), line("new", 500)];
        let found: Vec<(String, i64)> = compare(&before, &now)
            .iter()
            .map(|growth| (growth.owner.item.clone(), growth.bytes()))
            .collect();
        let expected = [("new", 500), ("grown", 20), ("gone", -200)];
        assert_eq!(
            found,
            expected.map(|(item, bytes)| (item.to_string(), bytes))
        );
    }
}
