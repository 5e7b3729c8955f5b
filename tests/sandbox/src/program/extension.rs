//! The extension to run: the one that was named, or kinglet, built first.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::paint;

/// Gives the executable's path.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(path) => Ok(path.to_path_buf()),
        None => build_kinglet(),
    }
}

fn build_kinglet() -> Result<PathBuf> {
    anstream::eprintln!(
        "{}",
        paint::faint("building kinglet (cargo build --release) ...")
    );
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new(&cargo)
        .args([
            "build",
            "--release",
            "--quiet",
            "--package",
            "kinglet",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(&workspace)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} cannot be run; is Rust installed?", cargo.display()))?;
    if !built.status.success() {
        bail!("kinglet does not build; see above, or run another extension with --extension PATH");
    }
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| {
            let is_kinglet = message["target"]["name"] == "kinglet";
            message["executable"]
                .as_str()
                .filter(|_| is_kinglet)
                .map(PathBuf::from)
        });
    executable
        .context("cargo built no binary called kinglet; name an extension with --extension PATH")
}
