//! Style that a program can check. The rules: `src/lib.rs`, `src/limits.rs`.

use std::fs;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// Files that are longer and are still to be split. Nothing is added here.
const LONG: [&str; 3] = ["format/otlp", "queue/ring", "source/event"];

/// What the binary may depend on.
const DEPENDENCIES: [&str; 3] = ["httparse", "miniserde", "ureq"];

/// The modules that touch the world; all others are pure: bytes and time come in as arguments.
const IMPURE: [&str; 12] = [
    "config/endpoint",
    "config/url",
    "extension",
    "lambda/message",
    "lambda/runtime_api",
    "main",
    "output/collector",
    "output/exporter",
    "output/resolver",
    "output/transport",
    "reactor",
    "sys",
];

/// What pure modules do not name.
const WORLD: [&str; 11] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "Instant",
    "SystemTime",
    "sys",
    "ureq",
];

/// A file of `src` without its tests and comments.
struct Source {
    /// Relative to `src`, without `.rs`.
    module: String,
    /// Line by line: what is left out is empty, so that line numbers hold.
    lines: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a directory that end in `.rs`.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What is shipped: no file that is compiled for tests alone, and of the others what stands above their tests.
fn sources() -> Vec<Source> {
    let directory = root().join("src");
    let mut sources = Vec::new();
    let mut test_modules = Vec::new();
    for path in files(&directory) {
        let relative = path.strip_prefix(&directory).unwrap().with_extension("");
        let module = relative.to_str().unwrap().to_string();
        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<String> = Vec::new();
        let mut is_behind_test_attribute = false;
        for line in text.lines() {
            let code = line.trim();
            if is_behind_test_attribute {
                if code.ends_with('{') {
                    break;
                }
                let name = code.split(' ').next_back().unwrap_or_default();
                let parent = match module.strip_suffix("mod") {
                    _ if module == "lib" => String::new(),
                    Some(folder) => folder.to_string(),
                    None => format!("{module}/"),
                };
                test_modules.push(format!("{parent}{}", name.trim_end_matches(';')));
            }
            // What copies and looks for bytes is pure, and stands in sys for its instructions.
            let line = &line.replace("crate::sys::scan", "crate::scan");
            let is_left_out = is_behind_test_attribute || code.starts_with("//");
            is_behind_test_attribute = code == "#[cfg(test)]";
            let end = line.find(" // ").unwrap_or(line.len());
            lines.push(if is_left_out {
                String::new()
            } else {
                line[..end].to_string()
            });
        }
        sources.push(Source { module, lines });
    }
    let is_test = |source: &Source| {
        let mut modules = test_modules.iter();
        modules.any(|test| source.module == *test || source.module.starts_with(&format!("{test}/")))
    };
    sources.retain(|source| !is_test(source));
    assert!(sources.len() > 30 && test_modules.len() > 5);
    sources
}

impl Source {
    fn is(&self, modules: &[&str]) -> bool {
        let mut modules = modules.iter();
        modules.any(|module| {
            let below = self.module.strip_prefix(module);
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        })
    }

    /// The places, as `path:line`, whose code names this.
    fn naming<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        let lines = self.lines.iter().enumerate();
        lines
            .filter(move |(_, line)| names(line, name))
            .map(move |(number, _)| format!("src/{}.rs:{} {name}", self.module, number + 1))
    }
}

/// Whether a line has this name in it, as a whole.
fn names(line: &str, name: &str) -> bool {
    let is_part =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    line.match_indices(name).any(|(at, _)| {
        let before = at
            .checked_sub(1)
            .and_then(|before| line.as_bytes().get(before));
        !is_part(before) && !is_part(line.as_bytes().get(at + name.len()))
    })
}

fn assert_none(offenders: &[String], rule: &str) {
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

#[test]
fn pure_modules_do_not_touch_the_world() {
    let mut offenders = Vec::new();
    let sources = sources();
    for source in sources
        .iter()
        .filter(|source| !source.is(&IMPURE) && source.module != "lib")
    {
        for name in WORLD {
            offenders.extend(source.naming(name));
        }
        offenders.extend(
            source
                .naming("std::{")
                .map(|place| place + " hides what is named"),
        );
    }
    assert_none(&offenders, "a pure module names the world");
    for module in IMPURE {
        assert!(
            sources.iter().any(|source| source.is(&[module])),
            "{module} is gone"
        );
    }
}

#[test]
fn unsafe_stands_in_one_place() {
    let sources = sources();
    let (sys, others): (Vec<_>, Vec<_>) = sources.iter().partition(|source| source.is(&["sys"]));
    let offenders: Vec<_> = others
        .iter()
        .flat_map(|source| source.naming("unsafe"))
        .collect();
    assert_none(&offenders, "unsafe outside of sys");
    assert!(
        sys.iter()
            .any(|source| source.naming("unsafe").next().is_some())
    );
}

#[test]
fn dependencies_are_the_allowed_ones() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut section = "";
    let mut dependencies = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
            let is_hidden = section.ends_with("dependencies")
                && !["dependencies", "dev-dependencies", "build-dependencies"].contains(&section)
                || section.contains("dependencies.");
            assert!(!is_hidden, "dependencies stand in one section: {line}");
        } else if let Some((name, _)) = line.split_once('=') {
            match section {
                "dependencies" => dependencies.push(name.trim().to_string()),
                "build-dependencies" => panic!("a build dependency: {line}"),
                _ => {}
            }
        }
    }
    dependencies.sort();
    assert_eq!(dependencies, DEPENDENCIES);
}

#[test]
fn files_and_functions_are_short() {
    let mut offenders = Vec::new();
    for source in sources() {
        let length = source.lines.len();
        let is_listed = LONG.contains(&source.module.as_str());
        if is_listed && length <= LINES_MAX {
            offenders.push(format!(
                "src/{}.rs is short enough: not to be listed",
                source.module
            ));
        }
        if length > LINES_MAX && !is_listed {
            offenders.push(format!("src/{}.rs: {length} lines", source.module));
        }
        for (start, line) in source.lines.iter().enumerate() {
            if !names(line, "fn") || line.trim_end().ends_with([';', ',']) {
                continue;
            }
            // Laid out by rustfmt: a function ends with the first brace of its own depth.
            let depth = line.len() - line.trim_start().len();
            let end = format!("{}}}", &line[..depth]);
            // A declaration of a foreign function, over several lines.
            let signature_end = format!("{})", &line[..depth]);
            let mut following = source.lines[start..].iter().take(12);
            if following
                .find(|line| line.starts_with(&signature_end))
                .is_some_and(|line| line.ends_with(';'))
            {
                continue;
            }
            let lines = source.lines[start..]
                .iter()
                .position(|line| *line == end)
                .unwrap_or(0);
            if lines + 1 > FUNCTION_LINES_MAX {
                offenders.push(format!(
                    "src/{}.rs:{} {} lines: {}",
                    source.module,
                    start + 1,
                    lines + 1,
                    line.trim()
                ));
            }
        }
    }
    assert_none(&offenders, "too long");
}

#[test]
fn nothing_is_left_undone() {
    // Put together here, so that this file is not an offender.
    let marks = [
        ["#[", "ignore"].concat(),
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
    ];
    let mut offenders = Vec::new();
    for directory in ["src", "tests"] {
        for path in files(&root().join(directory)) {
            let text = fs::read_to_string(&path).unwrap();
            for (number, line) in text.lines().enumerate() {
                if marks.iter().any(|mark| line.contains(mark.as_str())) {
                    offenders.push(format!("{}:{} {}", path.display(), number + 1, line.trim()));
                }
            }
        }
    }
    assert_none(&offenders, "left undone");
}

#[test]
fn every_bound_is_used() {
    let sources = sources();
    let limits = sources
        .iter()
        .find(|source| source.module == "limits")
        .unwrap();
    let bounds: Vec<_> = limits
        .lines
        .iter()
        .filter_map(|line| line.strip_prefix("pub const ")?.split_once(": "))
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with("fn "))
        .collect();
    assert!(bounds.len() > 50);
    // A use in limits.rs counts if it makes another bound, but not in an assertion.
    let is_use = |line: &&String| line.starts_with("    let ") || line.contains(" = ");
    let derived: Vec<_> = limits.lines.iter().filter(is_use).collect();
    let is_used = |bound: &&str| {
        let mut others = sources.iter().filter(|source| source.module != "limits");
        let is_derived_from = |line: &&String| {
            let value = line.split_once(" = ").map_or("", |(_, value)| value);
            names(value, bound)
        };
        others.any(|source| source.naming(bound).next().is_some())
            || derived.iter().any(is_derived_from)
    };
    let offenders: Vec<_> = bounds
        .into_iter()
        .filter(|bound| !is_used(bound))
        .map(String::from)
        .collect();
    assert_none(&offenders, "a bound that nothing keeps to");
}
