//! The other extensions to measure kinglet against: a program by its path, or one of `tests/rivals` by its name.
//!
//! ```text
//! rival::find("floor")              tests/rivals/floor, built with `cargo build --release` first
//! rival::find("./some-extension")   that file
//! ```
//!
//! A rival is a package of its own in `tests/rivals/<name>`, outside of the workspace, whose binary is called `<name>`
//! too. It is built into `rivals` of the workspace's target directory, so that `cargo clean` takes it along.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::paint;

/// One extension of a comparison.
#[derive(Clone, Debug)]
pub(crate) struct Rival {
    /// What it is called in tables: the directory in `tests/rivals`, or the file's name.
    pub(crate) name: String,
    /// Its executable.
    pub(crate) path: PathBuf,
}

/// Finds an extension by the name of a directory in `tests/rivals`, which is built then, or by its path.
pub(crate) fn find(name_or_path: &str) -> Result<Rival> {
    if known().iter().any(|name| name == name_or_path) {
        return build(name_or_path);
    }
    let path = PathBuf::from(name_or_path);
    if !path.is_file() {
        bail!(
            "{name_or_path} is no file, and none of tests/rivals, which has: {}",
            known().join(", ")
        );
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Rival {
        name: name.into_owned(),
        path: path.clone(),
    })
}

/// The names in `tests/rivals`, sorted.
pub(crate) fn known() -> Vec<String> {
    let entries = std::fs::read_dir(rivals()).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn build(name: &str) -> Result<Rival> {
    anstream::eprintln!(
        "{}",
        paint::faint(format!("building {name} (cargo build --release) ..."))
    );
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = target().join("rivals");
    let built = Command::new(&cargo)
        .args(["build", "--release", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(rivals().join(name))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("{} cannot be run; is Rust installed?", cargo.display()))?;
    if !built.success() {
        bail!(
            "tests/rivals/{name} does not build; see above, or name the path of one that is built"
        );
    }
    let path = target.join("release").join(name);
    if !path.is_file() {
        bail!("tests/rivals/{name} has no binary called {name}; rename its package");
    }
    Ok(Rival {
        name: name.into(),
        path,
    })
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rivals() -> PathBuf {
    workspace().join("tests/rivals")
}

/// The workspace's target directory, from the same variable that cargo reads.
fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace().join(named)
}
