//! One run of cargo for one architecture.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::architecture::Architecture;
use super::set::Set;
use super::toolchain::{Musl, Plan};

/// What is made of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// What is shipped.
    Shipped,
    /// The same code, with section headers and symbols, to be weighed.
    Symbols,
}

/// Builds kinglet, and gives the file that cargo has written. Cargo's own lines are the progress.
pub(crate) fn compile(
    plan: &Plan,
    architecture: Architecture,
    variant: Variant,
    set: &Set,
    empty: &Path,
    reproduced: &Path,
) -> Result<PathBuf> {
    if !reproduced.exists() {
        forget(plan, architecture)?;
    }
    let mut cargo = Command::new(&plan.toolchain.cargo);
    cargo
        .env("RUSTC", &plan.toolchain.rustc)
        .args([
            "rustc",
            "--package",
            "kinglet",
            "--bin",
            "kinglet",
            "--profile",
            "layer",
        ])
        .args(["--target", architecture.target()])
        .args(set.arguments())
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(repository())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    // Cargo would take these in place of the flags in `.cargo/layer.toml`.
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        cargo.env_remove(variable);
    }
    if plan.builds_std {
        // The flags are unstable, the compiler is not: it is told to take them all the same.
        cargo.env("RUSTC_BOOTSTRAP", "1");
        cargo.args(["--config", ".cargo/layer.toml"]);
    } else {
        cargo.args([
            "--config",
            "target.'cfg(target_env=\"musl\")'.linker=\"rust-lld\"",
        ]);
    }
    if let Musl::Debian(directory) = &plan.musl {
        cargo.args(["--config", &debian_flags(directory, empty)?]);
    }
    // build.rs then tells the linker more.
    cargo.env(
        "KINGLET_LAYER",
        match variant {
            Variant::Shipped => "shipped",
            Variant::Symbols => "symbols",
        },
    );
    // All that goes into the link, to link once more.
    cargo.args([
        "--",
        &format!("-Clink-arg=--reproduce={}", reproduced.display()),
    ]);
    let output = cargo
        .output()
        .with_context(|| format!("{} cannot be run", plan.toolchain.cargo.display()))?;
    if !output.status.success() {
        bail!(
            "kinglet does not build for {}; see above",
            architecture.name()
        );
    }
    executable(&output.stdout).context("cargo has built no binary called kinglet")
}

/// Has cargo link anew, also what it finds to be up to date: only a link writes down what went into it.
fn forget(plan: &Plan, architecture: Architecture) -> Result<()> {
    let status = Command::new(&plan.toolchain.cargo)
        .args(["clean", "--quiet", "--package", "kinglet"])
        .args(["--profile", "layer", "--target", architecture.target()])
        .current_dir(repository())
        .status()
        .context("cargo cannot be run")?;
    ensure!(status.success(), "cargo clean has failed; see above");
    Ok(())
}

/// Debian's Rust has no target for musl; its musl has all that is needed but an unwinder, which an immediate abort never
/// calls: an empty library of that name satisfies the linker.
fn debian_flags(musl: &Path, empty: &Path) -> Result<String> {
    fs::create_dir_all(empty)?;
    fs::write(empty.join("libunwind.a"), "!<arch>\n")?;
    let mut flags = vec!["-Clink-self-contained=no".to_string()];
    for directory in [empty, musl] {
        flags.push(format!("-Lnative={}", directory.display()));
    }
    for start in ["crt1.o", "crti.o", "crtn.o"] {
        flags.push(format!("-Clink-arg={}", musl.join(start).display()));
    }
    let flags = serde_json::to_string(&flags)?;
    Ok(format!(
        "target.'cfg(target_env=\"musl\")'.rustflags={flags}"
    ))
}

fn executable(messages: &[u8]) -> Option<PathBuf> {
    let messages = String::from_utf8_lossy(messages);
    let artifacts = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    artifacts
        .filter(|artifact| artifact["target"]["name"] == "kinglet")
        .find_map(|artifact| artifact["executable"].as_str().map(PathBuf::from))
}

/// The top of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The directory that cargo builds in.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(repository())
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be run; is Rust installed?")?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("cargo metadata failed")?;
    let directory = metadata["target_directory"].as_str();
    directory
        .map(PathBuf::from)
        .context("cargo metadata names no target directory")
}
