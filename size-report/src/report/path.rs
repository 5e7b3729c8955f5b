//! Rust's names taken apart: `<kinglet::format::otlp::Otlp as kinglet::format::Format>::begin` is in `kinglet::format::otlp`, and
//! for people `Otlp::begin`.

/// The path of crate, modules and item that decides whose the item is. Empty: a method of a primitive type.
pub(super) fn of(item: &str) -> Vec<&str> {
    let segments = segments(item);
    let Some(inside) = qualified(segments.first().copied().unwrap_or_default()) else {
        return named(segments);
    };
    let (self_type, implemented) = type_and_trait(inside);
    let by_type = type_path(self_type);
    let by_trait = implemented.map(type_path).unwrap_or_default();
    if distance(&by_trait) > distance(&by_type) {
        by_trait
    } else {
        by_type
    }
}

/// How far a crate stands from core.
fn distance(path: &[&str]) -> usize {
    match path.first().copied() {
        None => 0,
        Some("core") => 1,
        Some("alloc") => 2,
        Some("std") => 3,
        Some("kinglet") => 5,
        Some(_) => 4,
    }
}

/// The path of a type that has one, behind references. Slices, tuples and primitives have none.
fn type_path(text: &str) -> Vec<&str> {
    let text = behind_references(text);
    let text = text.strip_prefix("dyn ").unwrap_or(text);
    let text = text.split(" + ").next().unwrap_or(text);
    if text.starts_with('<') {
        return of(text);
    }
    let is_path = text.starts_with(|first: char| first.is_alphabetic() || first == '_');
    let segments = segments(text);
    if is_path && segments.len() > 1 {
        named(segments)
    } else {
        Vec::new()
    }
}

fn behind_references(text: &str) -> &str {
    let mut text = text;
    for prefix in ["&", "*const ", "*mut ", "mut "].iter().cycle().take(16) {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    text
}

/// Without generic arguments, closures, shims and the like.
fn named(segments: Vec<&str>) -> Vec<&str> {
    segments
        .into_iter()
        .take_while(|segment| !segment.starts_with('{'))
        .filter(|segment| !segment.starts_with('<'))
        .collect()
}

/// What is in the brackets of `<T as Trait>`.
fn qualified(segment: &str) -> Option<&str> {
    segment.strip_prefix('<')?.strip_suffix('>')
}

fn type_and_trait(inside: &str) -> (&str, Option<&str>) {
    match cuts(inside, " as ").first() {
        Some(at) => (&inside[..*at], Some(&inside[at + 4..])),
        None => (inside, None),
    }
}

fn segments(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut begin = 0;
    for at in cuts(text, "::") {
        found.push(&text[begin..at]);
        begin = at + 2;
    }
    found.push(&text[begin..]);
    found
}

/// Where the separator stands outside all brackets.
fn cuts(text: &str, separator: &str) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '<' | '(' | '[' | '{' => depth += 1,
            // The arrow of a function's type is no bracket.
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 && text[at..].starts_with(separator) => found.push(at),
            _ => {}
        }
        before = character;
    }
    found
}

/// The names without the paths before them.
pub(super) fn label(item: &str) -> String {
    let segments = segments(item);
    let Some(inside) = qualified(segments.first().copied().unwrap_or_default()) else {
        let names: Vec<&str> = segments
            .into_iter()
            .filter(|segment| !segment.starts_with('<'))
            .collect();
        // From the type on, or from the function that a closure stands in.
        let type_at = names
            .iter()
            .position(|name| name.starts_with(char::is_uppercase));
        let closure_at = names.iter().position(|name| name.starts_with('{'));
        let last = names.len().saturating_sub(1);
        let from = type_at.unwrap_or(closure_at.map_or(last, |at| at.saturating_sub(1)));
        return names[from..].join("::");
    };
    let (self_type, _) = type_and_trait(inside);
    let rest: Vec<&str> = segments[1..]
        .iter()
        .filter(|segment| !segment.starts_with('<'))
        .copied()
        .collect();
    format!("{}::{}", type_label(self_type), rest.join("::"))
}

fn type_label(text: &str) -> String {
    if text.starts_with('<') {
        return label(text);
    }
    let path = type_path(text);
    match path.last() {
        Some(name) => name.split('<').next().unwrap_or(name).to_string(),
        None => behind_references(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_belongs_to_whom_the_rule_says() {
        for (item, expected) in [
            ("kinglet::json::split", "kinglet::json::split"),
            (
                "core::ptr::drop_in_place::<kinglet::ring::Ring>",
                "core::ptr::drop_in_place",
            ),
            (
                "<kinglet::format::otlp::Otlp as kinglet::format::Format>::begin",
                "kinglet::format::otlp::Otlp",
            ),
            (
                "<alloc::string::String as core::fmt::Write>::write_str",
                "alloc::string::String",
            ),
            (
                "<alloc::vec::Vec<u8> as kinglet::format::Sink>::put",
                "kinglet::format::Sink",
            ),
            (
                "<ureq::error::Error as core::fmt::Debug>::fmt",
                "ureq::error::Error",
            ),
            ("<&u32 as core::fmt::Debug>::fmt", "core::fmt::Debug"),
            (
                "<dyn miniserde::de::Visitor>::ignore",
                "miniserde::de::Visitor",
            ),
            ("<[u8]>::to_vec", ""),
            (
                "<kinglet::config::read::{closure#0} as core::ops::function::FnOnce<(fn() -> u8,)>>::call_once",
                "kinglet::config::read",
            ),
            (
                "<<kinglet::a::B as kinglet::c::D>::e as core::fmt::Debug>::fmt",
                "kinglet::a::B",
            ),
        ] {
            assert_eq!(of(item).join("::"), expected, "{item}");
        }
    }

    #[test]
    fn a_label_is_short() {
        for (item, expected) in [
            ("kinglet::json::split", "split"),
            ("kinglet::json::split::{closure#0}", "split::{closure#0}"),
            (
                "<kinglet::format::otlp::Otlp as kinglet::format::Format>::begin",
                "Otlp::begin",
            ),
            (
                "<alloc::vec::Vec<u8>>::with_capacity_in",
                "Vec::with_capacity_in",
            ),
            (
                "core::ptr::drop_in_place::<kinglet::ring::Ring>",
                "drop_in_place",
            ),
            ("<[u8]>::to_vec", "[u8]::to_vec"),
            ("memcpy", "memcpy"),
        ] {
            assert_eq!(label(item), expected, "{item}");
        }
    }
}
