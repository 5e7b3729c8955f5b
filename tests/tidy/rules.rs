//! The rules, each from a crate to what offends it. The tests here break each of them.

use std::collections::BTreeSet;

use crate::syntax::{File, Name, Tree};

/// What of the standard library touches the world.
const WORLD: [&str; 7] = ["env", "fs", "io", "net", "os", "process", "thread"];
const WORLDLY_MACROS: [&str; 5] = ["dbg", "eprint", "eprintln", "print", "println"];

impl File {
    /// It is one of these, or below one.
    fn is(&self, names: &[&str]) -> bool {
        names.iter().any(|name| is_below(&self.name, name))
    }

    fn place(&self, line: usize, what: &str) -> String {
        format!("src/{}.rs:{line} {what}", self.name)
    }

    fn naming(&self, is_wrong: impl Fn(&Name) -> bool) -> impl Iterator<Item = String> {
        let names = self.names.iter();
        names
            .filter(move |name| is_wrong(name))
            .map(|name| self.place(name.at.line, &name.path.join("::")))
    }
}

fn is_below(path: &str, name: &str) -> bool {
    let below = path.strip_prefix(name);
    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

impl Name {
    /// It stands in one of these files, or below one. A constant is as pure as its value.
    fn is_of(&self, files: &[&str]) -> bool {
        let own = self.own.as_deref().unwrap_or_default();
        let is_constant = own.last().is_some_and(|last| last.to_uppercase() == *last);
        let own = own.join("/");
        let mut files = files.iter().map(|file| file.trim_end_matches("/mod"));
        !is_constant && !is_below(&own, "sys/scan") && files.any(|file| is_below(&own, file))
    }

    fn is_world(&self) -> bool {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let own = self.own.as_deref().unwrap_or_default();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        match path[..] {
            // What is named in several steps could be anything.
            ["std"] | ["std", "*"] | ["extern"] | ["ureq", ..] => true,
            ["std", module, ..] if WORLD.contains(&module) => true,
            [name] if WORLDLY_MACROS.contains(&name) => self.is_called,
            _ if path.contains(&"Instant") || path.contains(&"SystemTime") => true,
            // What copies and looks for bytes is pure, and stands in sys for its instructions.
            _ => own == ["*"] || own.first() == Some(&"sys") && own.get(1) != Some(&"scan"),
        }
    }
}

/// Bytes and time come into a pure file as arguments: it names nothing of the world, and nothing of the files that do (`impure`).
pub fn impurities(tree: &Tree, impure: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| !file.is(impure)) {
        found.extend(file.naming(|name| name.is_world() || name.is_of(impure)));
    }
    let names_nothing = |file: &&File| !file.names.iter().any(Name::is_world);
    for name in impure {
        let mut files = tree.files.iter().filter(|file| file.is(&[name]));
        if files.all(|file| names_nothing(&file)) {
            found.push(format!("{name} is pure, or gone"));
        }
    }
    found
}

/// `unsafe`, outside of this folder.
pub fn unsafe_places(tree: &Tree, folder: &str) -> Vec<String> {
    let others = tree.files.iter().filter(|file| !file.is(&[folder]));
    others
        .flat_map(|file| file.naming(|name| name.path == ["unsafe"]))
        .collect()
}

/// Imports that do not run down. `ranks`: the folders and files of the root, from the top to the bottom; those of a rank do not know each
/// other.
pub fn climbs(tree: &Tree, ranks: &[&[&str]]) -> Vec<String> {
    let rank = |name: &str| ranks.iter().position(|rank| rank.contains(&name));
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| file.name != "lib") {
        let folder = file.name.split('/').next().unwrap_or_default();
        let Some(from) = rank(folder) else {
            found.push(format!("{folder} has no rank"));
            continue;
        };
        found.extend(file.naming(|name| {
            let to = name.own.as_ref().and_then(|own| own.first());
            to.filter(|to| *to != folder)
                .and_then(|to| rank(to))
                .is_some_and(|to| to <= from)
        }));
    }
    for name in ranks.iter().copied().flatten() {
        if !tree.files.iter().any(|file| file.is(&[name])) {
            found.push(format!("{name} is gone"));
        }
    }
    found
}

/// Files of more lines than that, without their tests.
pub fn long_files(tree: &Tree, lines_max: usize) -> Vec<String> {
    let files = tree.files.iter();
    let long = files.filter(|file| file.lines > lines_max);
    long.map(|file| format!("src/{}.rs: {} lines", file.name, file.lines))
        .collect()
}

/// Functions of more lines than that.
pub fn long_functions(tree: &Tree, lines_max: usize) -> Vec<String> {
    let mut found = Vec::new();
    for file in &tree.files {
        let long = file.functions.iter();
        for function in long.filter(|function| function.lines > lines_max) {
            let what = format!("fn {}: {} lines", function.name, function.lines);
            found.push(file.place(function.line, &what));
        }
    }
    found
}

/// Bounds of this file that nothing keeps to: neither another file, nor another bound that is kept to.
pub fn unused_bounds(tree: &Tree, limits: &str) -> Vec<String> {
    let (limits, others): (Vec<_>, Vec<_>) =
        tree.files.iter().partition(|file| file.name == limits);
    let limits = limits.first().expect("bounds");
    let last = |name: &Name| name.path.last().cloned().unwrap_or_default();
    let names = others.iter().flat_map(|file| &file.names);
    let mut used: BTreeSet<String> = names.map(last).collect();
    // An assertion, which is a constant without a name, keeps to nothing.
    let mut waiting: Vec<_> = limits.items.iter().collect();
    while let Some(at) = waiting.iter().position(|(name, _)| used.contains(name)) {
        let (_, range) = waiting.remove(at);
        let within = limits.names.iter().filter(|name| range.contains(&name.at));
        used.extend(within.map(last));
    }
    waiting.retain(|(name, _)| name != "_");
    waiting.iter().map(|(name, _)| name.clone()).collect()
}

/// The dependencies of a manifest; or what hides some.
pub fn dependencies(manifest: &str) -> Result<Vec<String>, String> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
            let is_known = ["dependencies", "dev-dependencies"].contains(&section);
            if section.contains("dependencies") && !is_known {
                return Err(line.to_string());
            }
        } else if let Some((name, _)) = line.split_once('=')
            && section == "dependencies"
        {
            found.push(name.trim().to_string());
        }
    }
    found.sort();
    Ok(found)
}

/// What a text says is still to be done.
pub fn left_undone(text: &str) -> Vec<String> {
    // Put together here, so that this file is not an offender.
    let marks = [["#[", "ignore"], ["TO", "DO"], ["FIX", "ME"]].map(|halves| halves.concat());
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if marks.iter().any(|mark| line.contains(mark.as_str())) {
            found.push(format!("{}: {}", number + 1, line.trim()));
        }
    }
    found
}

mod tests;
