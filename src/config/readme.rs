//! The README's table of variables is this table. `KINGLET_UPDATE_GOLDEN=1 cargo test readme` writes it anew.

use super::table::{SETTINGS, Setting, TEXTS};
use super::values::Values;
use crate::text::delimited;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const HEAD: &str = "| variable | values | default | meaning |\n|---|---|---|---|\n";

fn text(push: impl Fn(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    push(&mut out);
    String::from_utf8(out).unwrap()
}

/// The words of a list, each as code.
fn code(words: &str) -> String {
    let words: Vec<_> = delimited::list(words)
        .map(|word| format!("`{}`", word.replace("OTEL_EXPORTER_OTLP_", "…_")))
        .collect();
    words.join(", ")
}

/// A row; in brackets what is read where kinglet's own variable is not set.
fn row(setting: &Setting, meaning: &str) -> String {
    let possible = text(|out| setting.values.push_possible(out));
    let default = text(|out| setting.values.push_default(out));
    let (possible, default) = match setting.values {
        Values::Number(..) => (possible, default),
        Values::One(_) => (code(&possible), code(&default)),
        Values::Any(..) => (
            format!("any of {}", code(&possible)),
            format!("`{default}`"),
        ),
        Values::Text(form) if form.contains('=') || form.contains(':') => {
            (format!("`{possible}`"), default)
        }
        Values::Text(_) => (possible, default),
    };
    let names: Vec<_> = setting
        .names()
        .map(|name| str::from_utf8(name).unwrap())
        .collect();
    let names = match names.as_slice() {
        [own, standard @ ..] if own.starts_with("KINGLET_") && !standard.is_empty() => {
            format!("{} [{}]", code(own), code(&standard.join(",")))
        }
        names => code(&names.join(",")),
    };
    format!("| {names} | {possible} | {default} | {meaning} |\n")
}

#[test]
fn the_readme_has_this_table() {
    let mut table = HEAD.to_string();
    for (setting, meaning) in SETTINGS.iter().zip(TEXTS) {
        table.push_str(&row(setting, meaning));
    }
    let readme = std::fs::read_to_string(PATH).unwrap();
    let start = readme
        .find("| variable |")
        .expect("the README has a table of variables");
    let end = start + readme[start..].find("\n\n").expect("it ends") + 1;
    if std::env::var_os("KINGLET_UPDATE_GOLDEN").is_some() {
        std::fs::write(PATH, [&readme[..start], &table, &readme[end..]].concat()).unwrap();
        return;
    }
    for (found, expected) in readme[start..end].lines().zip(table.lines()) {
        assert_eq!(found, expected, "README.md should have the second of these");
    }
    assert!(
        readme[start..end] == table,
        "README.md should have:\n{table}"
    );
}
