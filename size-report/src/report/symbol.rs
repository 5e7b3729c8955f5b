//! Whose a function is: from the name of a symbol to crate, module and a label that a person can read.
//!
//! The rule for `<T as Trait>::f`: it belongs to whichever of type and trait stands farther from core, in the order core,
//! alloc, std, any other crate, kinglet; if both stand as far, to the type. (Rust's orphan rule puts the `impl` there, but
//! for a few.) A generic function belongs to the crate that wrote it, not to the one that made the instance.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::path;

/// Groups of bytes that are no crate.
pub(crate) const OUTLINED: &str = "outlined code";
pub(crate) const LIBC: &str = "musl";
pub(crate) const CONSTANTS: &str = "unnamed constants";
pub(crate) const FRAME: &str = "headers and padding";

/// Whose a run of bytes is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// A crate, or one of the groups above.
    pub(crate) group: String,
    /// Within the crate: kinglet's in full, of other crates the first level. Empty at the top of a crate.
    pub(crate) module: String,
    /// The whole name, without hashes.
    pub(crate) item: String,
}

impl Owner {
    pub(crate) fn new(group: &str, module: &str, item: &str) -> Owner {
        let [group, module, item] = [group, module, item].map(str::to_string);
        Owner {
            group,
            module,
            item,
        }
    }

    /// Group and module in one, as Rust writes it.
    pub(crate) fn place(&self) -> String {
        if self.module.is_empty() {
            self.group.clone()
        } else {
            format!("{}::{}", self.group, self.module)
        }
    }

    /// Neither a function nor a table of anybody.
    pub(crate) fn is_frame(&self) -> bool {
        [OUTLINED, CONSTANTS, FRAME].contains(&self.group.as_str())
    }

    /// The item without the paths before its names: `Otlp::begin`.
    pub(crate) fn label(&self) -> String {
        // A text is no path.
        if self.is_frame() {
            return self.item.clone();
        }
        path::label(&self.item)
    }
}

/// The owner of a symbol. `modules` are kinglet's own, `format::otlp`.
pub(crate) fn owner(symbol: &str, modules: &BTreeSet<String>) -> Owner {
    if symbol.starts_with("OUTLINED_FUNCTION_") {
        return Owner::new(
            OUTLINED,
            "",
            "sequences of instructions found more than once",
        );
    }
    let Ok(demangled) = rustc_demangle::try_demangle(symbol) else {
        // The start of the program has no Rust name, and is ours.
        let group = if symbol == "main" { "kinglet" } else { LIBC };
        return Owner::new(group, "", symbol);
    };
    let item = without_suffix(&format!("{demangled:#}")).to_string();
    let path = path::of(&item);
    let Some((name, within)) = path.split_first() else {
        return Owner::new("core", "", &item);
    };
    let within = within.split_last().map_or(&[][..], |(_, within)| within);
    match *name {
        "kinglet" => Owner::new("kinglet", &kinglet_module(within, modules), &item),
        "__rustc" => Owner::new("alloc", "alloc", &item),
        name => Owner::new(name, within.first().unwrap_or(&""), &item),
    }
}

/// LLVM tells copies apart with a number: `drop.271`.
fn without_suffix(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    }
}

/// The longest part of a path that is one of kinglet's modules. What is left are functions within functions.
fn kinglet_module(within: &[&str], modules: &BTreeSet<String>) -> String {
    (1..=within.len())
        .rev()
        .map(|length| within[..length].join("::"))
        .find(|module| modules.contains(module))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_kinglet_are_its_files() {
        let modules = BTreeSet::from(["format".to_string(), "format::otlp".to_string()]);
        assert_eq!(
            kinglet_module(&["format", "otlp", "begin"], &modules),
            "format::otlp"
        );
        assert_eq!(kinglet_module(&["start"], &modules), "");
    }
}
