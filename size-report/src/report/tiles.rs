//! What the picture of a layer shows: crates, in them modules, in them functions, each level the largest first.
//!
//! Sizes are rounded, each level to steps of its own: so a function that gets a few bytes more does not move, and one that gets
//! many moves what lies beside it in its module, and not the whole picture.

use std::collections::BTreeMap;

use super::weight::{Item, Weight};

/// What a level is drawn of: it is rounded to so many bytes, and what has less than the least is one rectangle.
struct Level {
    step_bytes: u64,
    least_bytes: u64,
}

const CRATES: Level = Level {
    step_bytes: 2_000,
    least_bytes: 1_000,
};
const MODULES: Level = Level {
    step_bytes: 500,
    least_bytes: 750,
};
const ITEMS: Level = Level {
    step_bytes: 100,
    least_bytes: 350,
};

/// A rectangle with what it stands for, or with rectangles in it.
pub(crate) struct Tile {
    pub(crate) name: String,
    pub(crate) tooltip: String,
    /// Rounded.
    pub(crate) bytes: u64,
    pub(crate) inner: Vec<Tile>,
}

/// Crate, module, function; each level the largest first.
pub(crate) fn tiles(weight: &Weight) -> Vec<Tile> {
    let mut groups: BTreeMap<&str, BTreeMap<String, Vec<&Item>>> = BTreeMap::new();
    for item in &weight.items {
        let modules = groups.entry(&item.owner.group).or_default();
        modules.entry(item.owner.place()).or_default().push(item);
    }
    let groups = groups.into_iter().map(|(group, modules)| {
        let bytes = modules.values().flatten().map(|item| item.bytes).sum();
        let modules = modules.into_iter().map(|(place, items)| {
            let bytes = items.iter().map(|item| item.bytes).sum();
            (module(group, &place, &items), bytes)
        });
        let tile = tile(group, group, MODULES.settle(modules, "small modules"));
        (tile, bytes)
    });
    CRATES.settle(groups, "small crates")
}

fn module(group: &str, place: &str, items: &[&Item]) -> Tile {
    let items = items.iter().map(|item| {
        let label = item.owner.label();
        (tile(&label, &item.owner.item, Vec::new()), item.bytes)
    });
    let name = place.strip_prefix(group).unwrap_or(place);
    tile(
        name.trim_start_matches("::"),
        place,
        ITEMS.settle(items, "small ones"),
    )
}

fn tile(name: &str, whole_name: &str, inner: Vec<Tile>) -> Tile {
    Tile {
        name: name.to_string(),
        tooltip: whole_name.to_string(),
        bytes: 0,
        inner,
    }
}

impl Level {
    /// Rounds, puts together what is small, and sorts: those of one size by name.
    fn settle(&self, tiles: impl Iterator<Item = (Tile, u64)>, small_name: &str) -> Vec<Tile> {
        let (large, small): (Vec<_>, Vec<_>) =
            tiles.partition(|(_, bytes)| *bytes >= self.least_bytes);
        let small_bytes: u64 = small.iter().map(|(_, bytes)| bytes).sum();
        let small =
            (small_bytes > 0).then(|| (tile(small_name, small_name, Vec::new()), small_bytes));
        let mut settled: Vec<Tile> = large
            .into_iter()
            .chain(small)
            .map(|(tile, bytes)| {
                let bytes = self.rounded(bytes);
                Tile {
                    tooltip: format!("{}: {}", tile.tooltip, kilobytes(bytes)),
                    bytes,
                    ..tile
                }
            })
            .collect();
        settled.sort_by(|one, other| {
            let by_bytes = other.bytes.cmp(&one.bytes);
            by_bytes.then_with(|| one.tooltip.cmp(&other.tooltip))
        });
        settled
    }

    /// Never to nothing, for then there would be no rectangle.
    fn rounded(&self, bytes: u64) -> u64 {
        ((bytes + self.step_bytes / 2) / self.step_bytes).max(1) * self.step_bytes
    }
}

/// `2.3 kB`.
pub(crate) fn kilobytes(bytes: u64) -> String {
    format!("{}.{} kB", bytes / 1000, bytes % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::symbol::Owner;

    fn weight(items: &[(&str, &str, &str, u64)]) -> Weight {
        let items = items.iter().map(|(group, module, item, bytes)| Item {
            owner: Owner::new(group, module, item),
            bytes: *bytes,
            count: 1,
        });
        Weight {
            architecture: "arm64",
            program_bytes: 0,
            zip_bytes: 0,
            sections: Vec::new(),
            items: items.collect(),
            rustc: String::new(),
            builds_std: true,
            program: std::path::PathBuf::new(),
            twin: std::path::PathBuf::new(),
        }
    }

    fn told(tiles: &[Tile]) -> Vec<String> {
        let each = tiles.iter().flat_map(|tile| {
            let mut lines = vec![format!("{} {}", tile.tooltip, tile.bytes)];
            lines.extend(told(&tile.inner));
            lines
        });
        each.collect()
    }

    #[test]
    fn a_few_bytes_move_nothing() {
        let with = |more: u64| {
            told(&tiles(&weight(&[
                ("kinglet", "a", "kinglet::a::f", 2_310 + more),
                ("kinglet", "a", "kinglet::a::g", 1_200),
                ("kinglet", "b", "kinglet::b::h", 900),
                ("http", "name", "http::name::from_bytes", 12_041),
            ])))
        };
        assert_eq!(with(0), with(30));
        // More moves its module, and no other.
        let changed = with(0)
            .into_iter()
            .zip(with(150))
            .filter(|(one, other)| one != other);
        assert_eq!(changed.count(), 1);
    }

    #[test]
    fn what_is_small_is_one_rectangle() {
        let tiles = tiles(&weight(&[
            ("kinglet", "a", "kinglet::a::f", 2_310),
            ("kinglet", "a", "kinglet::a::g", 100),
            ("kinglet", "a", "kinglet::a::h", 120),
            ("kinglet", "b", "kinglet::b::i", 300),
            ("itoa", "itoa", "itoa::fmt", 200),
        ]));
        assert_eq!(
            told(&tiles),
            [
                "kinglet: 2.0 kB 2000",
                "kinglet::a: 2.5 kB 2500",
                "kinglet::a::f: 2.3 kB 2300",
                "small ones: 0.2 kB 200",
                "small modules: 0.5 kB 500",
                "small crates: 2.0 kB 2000",
            ]
        );
    }
}
