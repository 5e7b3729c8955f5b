//! The extension to run: the one that was named, or kinglet, built first.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::arguments::Common;
use super::paint;

/// The executable that `--extension` or `--layer` says, or else a release build of kinglet.
pub(crate) fn subject(common: &Common) -> Result<PathBuf> {
    if common.layer {
        return build_layer();
    }
    find(common.extension.as_deref())
}

/// Gives the executable's path.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(path) => Ok(path.to_path_buf()),
        None => build_kinglet(),
    }
}

/// kinglet as the layer for this machine's architecture has it.
fn build_layer() -> Result<PathBuf> {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let built = cargo(&["layer", "--arch", architecture, "--json"])?;
    if !built.status.success() {
        bail!("the layer does not build; see above, or leave out --layer");
    }
    let answer: Value = serde_json::from_slice(&built.stdout)
        .context("`cargo layer --json` did not print one JSON object")?;
    let program = answer["program"].as_str();
    program
        .map(PathBuf::from)
        .context("`cargo layer --json` named no program")
}

fn build_kinglet() -> Result<PathBuf> {
    anstream::eprintln!(
        "{}",
        paint::faint("building kinglet (cargo build --release) ...")
    );
    let built = cargo(&[
        "build",
        "--release",
        "--quiet",
        "--package",
        "kinglet",
        "--message-format",
        "json-render-diagnostics",
    ])?;
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

/// Runs cargo in the workspace; what it has to say to people goes to standard error.
fn cargo(arguments: &[&str]) -> Result<Output> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Command::new(&cargo)
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} cannot be run; is Rust installed?", cargo.display()))
}
