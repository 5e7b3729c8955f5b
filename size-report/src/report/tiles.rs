//! What the picture of a layer shows: crates, in them modules, in them functions, each level the largest first.

use std::collections::BTreeMap;

use super::numbers::{grouped, share};
use super::weight::{Item, Weight};

/// Functions smaller than this are one rectangle for each module.
const ITEM_BYTES_MIN: u64 = 160;

/// A rectangle with what it stands for, or with rectangles in it.
pub(crate) struct Tile {
    pub(crate) name: String,
    pub(crate) tooltip: String,
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
    let whole = weight.program_bytes;
    let groups = groups.into_iter().map(|(group, modules)| {
        let modules = modules
            .into_iter()
            .map(|(place, items)| module(group, &place, &items));
        parent(group, group, sorted(modules.collect()), whole)
    });
    sorted(groups.collect())
}

fn module(group: &str, place: &str, items: &[&Item]) -> Tile {
    let (large, small): (Vec<&Item>, Vec<&Item>) = items
        .iter()
        .copied()
        .partition(|item| item.bytes >= ITEM_BYTES_MIN);
    let mut inner: Vec<Tile> = large
        .into_iter()
        .map(|item| Tile {
            name: item.owner.label(),
            tooltip: tooltip(&item.owner.item, item.bytes, item.count),
            bytes: item.bytes,
            inner: Vec::new(),
        })
        .collect();
    if !small.is_empty() {
        let bytes = small.iter().map(|item| item.bytes).sum();
        let name = format!("{} small", small.len());
        inner.push(Tile {
            tooltip: format!(
                "{place}: {} items of less than {ITEM_BYTES_MIN} bytes, {} bytes",
                small.len(),
                grouped(bytes)
            ),
            name,
            bytes,
            inner: Vec::new(),
        });
    }
    let name = place
        .strip_prefix(group)
        .unwrap_or(place)
        .trim_start_matches("::");
    let bytes = inner.iter().map(|tile| tile.bytes).sum();
    Tile {
        name: name.to_string(),
        tooltip: format!("{place}: {} bytes", grouped(bytes)),
        bytes,
        inner: sorted(inner),
    }
}

fn parent(name: &str, place: &str, inner: Vec<Tile>, whole: u64) -> Tile {
    let bytes = inner.iter().map(|tile| tile.bytes).sum();
    Tile {
        name: name.to_string(),
        tooltip: format!("{place}: {} bytes, {}", grouped(bytes), share(bytes, whole)),
        bytes,
        inner,
    }
}

fn tooltip(item: &str, bytes: u64, count: u64) -> String {
    match count {
        1 => format!("{item}: {} bytes", grouped(bytes)),
        _ => format!("{item}: {} bytes in {count} places", grouped(bytes)),
    }
}

fn sorted(mut tiles: Vec<Tile>) -> Vec<Tile> {
    tiles.sort_by_key(|tile| std::cmp::Reverse(tile.bytes));
    tiles
}
