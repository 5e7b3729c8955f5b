//! Style that a program can check. The rules: `src/lib.rs`, `src/limits.rs`; how they are read: `syntax`, `rules`.

mod features;
mod rules;
mod syntax;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use syntax::Tree;

const LINES_MAX: usize = 300;
const FUNCTION_LINES_MAX: usize = 70;

/// What the binary may depend on.
const DEPENDENCIES: [&str; 3] = ["httparse", "miniserde", "ureq"];

/// The files that touch the world; all others are pure: bytes and time come in as arguments.
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

/// The folders of `src`, from the end to the beginning: each imports only what stands below it.
const RANKS: [&[&str]; 14] = [
    &["main"],
    &["extension", "outside"],
    &["output"],
    &["reactor"],
    &["config"],
    &["source"],
    &["metric", "record"],
    &["format"],
    &["queue"],
    &["lambda"],
    &["http"],
    &["text"],
    &["sys"],
    &["clock", "limits"],
];

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let source = root().join("src");
    let mut texts = BTreeMap::new();
    for path in files(&source) {
        let name = path.strip_prefix(&source).unwrap().with_extension("");
        let text = fs::read_to_string(&path).unwrap();
        texts.insert(name.to_str().unwrap().to_string(), text);
    }
    let tree = Tree::read(&texts);
    assert!(tree.files.len() > 50 && texts.len() > tree.files.len() + 10);
    tree
});

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

#[track_caller]
fn assert_none(offenders: &[String], rule: &str) {
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

#[test]
fn every_file_is_of_a_module() {
    assert_none(&TREE.lost, "lost");
}

#[test]
fn pure_modules_do_not_touch_the_world() {
    assert_none(&rules::impurities(&TREE, &IMPURE), "touches the world");
}

#[test]
fn unsafe_stands_in_one_place() {
    assert_none(&rules::unsafe_places(&TREE, "sys"), "unsafe outside of sys");
    assert!(!rules::unsafe_places(&TREE, "").is_empty());
}

#[test]
fn features_are_asked_for_at_seams() {
    assert_none(
        &offenders(&["src"], features::amid),
        "asks for a feature in the middle of something",
    );
}

#[test]
fn imports_run_down() {
    assert_none(&rules::climbs(&TREE, &RANKS), "imports what stands above");
}

#[test]
fn dependencies_are_the_allowed_ones() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert_eq!(rules::dependencies(&manifest).unwrap(), DEPENDENCIES);
}

#[test]
fn files_are_short() {
    assert_none(&rules::long_files(&TREE, LINES_MAX), "too long");
}

#[test]
fn functions_are_short() {
    assert_none(
        &rules::long_functions(&TREE, FUNCTION_LINES_MAX),
        "too long",
    );
    let functions = TREE.files.iter().map(|file| file.functions.len());
    assert!(functions.sum::<usize>() > 500);
}

#[test]
fn every_bound_is_used() {
    assert_none(
        &rules::unused_bounds(&TREE, "limits"),
        "a bound that nothing keeps to",
    );
    let limits = TREE.files.iter().find(|file| file.name == "limits");
    assert!(limits.unwrap().items.len() > 50);
}

/// The places that a rule finds in the text of each file below these folders.
fn offenders<P: Display>(folders: &[&str], rule: impl Fn(&str) -> Vec<P>) -> Vec<String> {
    let paths = folders
        .iter()
        .flat_map(|folder| files(&root().join(folder)));
    let mut offenders = Vec::new();
    for path in paths {
        let found = rule(&fs::read_to_string(&path).unwrap());
        let path = path.display();
        offenders.extend(found.iter().map(|place| format!("{path}:{place}")));
    }
    offenders
}

#[test]
fn nothing_is_left_undone() {
    assert_none(
        &offenders(&["src", "tests"], rules::left_undone),
        "left undone",
    );
}
