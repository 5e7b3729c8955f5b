//! A colour for each crate, the same in every picture and every release.

/// Light enough for dark text, on a white page as on a black one.
const COLOURS: &[(&str, &str)] = &[
    ("kinglet", "#f6b73c"),
    ("ureq", "#8fb8de"),
    ("ureq_proto", "#6fa3d8"),
    ("http", "#a8d5ba"),
    ("httparse", "#7fc8a9"),
    ("miniserde", "#c9b1e4"),
    ("core", "#e8927c"),
    ("alloc", "#f0b49e"),
    ("std", "#d9796b"),
    ("compiler_builtins", "#c98f86"),
    ("musl", "#b9b37a"),
    ("bytes", "#9ad0d6"),
    ("outlined code", "#d7cba8"),
    ("unnamed constants", "#c4ccd4"),
    ("headers and padding", "#9aa5b1"),
];

/// Of crates that came later.
const OTHER: &str = "#d8d8e6";

pub(crate) fn colour(group: &str) -> &'static str {
    COLOURS
        .iter()
        .find(|(name, _)| *name == group)
        .map_or(OTHER, |(_, colour)| colour)
}
