//! `cargo layer`: the layers for both architectures, each a static program and the zip that Lambda takes.
//!
//! ```text
//! target/layer/x86_64/extensions/kinglet     target/layer/kinglet-x86_64.zip
//! target/layer/arm64/extensions/kinglet      target/layer/kinglet-arm64.zip
//! ```
//!
//! One with other features is called after them: `target/layer/full/x86_64/…`, `target/layer/kinglet-full-x86_64.zip`.

mod architecture;
mod archive;
mod compile;
mod identity;
mod link;
mod set;
mod toolchain;
mod trim;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use owo_colors::OwoColorize;
use serde_json::json;

pub(crate) use architecture::Architecture;
pub(crate) use compile::{Variant, repository};
pub(crate) use link::{LIBRARY, Link, ORDER, PAGE_BYTES, is_ordered};
pub(crate) use set::Set;

/// Builds the layers: a static program for each architecture, and its zip.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// One architecture only.
    #[arg(long, value_enum)]
    arch: Option<Architecture>,
    /// With symbols and section headers, to look into: the same code in target/layer/symbols, without a zip.
    #[arg(long)]
    symbols: bool,
    #[command(flatten)]
    set: Set,
    /// One JSON object for each layer on standard output.
    #[arg(long)]
    json: bool,
}

/// A program that was built.
pub(crate) struct Built {
    pub(crate) architecture: Architecture,
    pub(crate) program: PathBuf,
    pub(crate) bytes: u64,
    /// The standard library was built along. Else the program has nearly three times the size.
    pub(crate) builds_std: bool,
    /// The compiler, as it calls itself.
    pub(crate) rustc: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let variant = if arguments.symbols {
        Variant::Symbols
    } else {
        Variant::Shipped
    };
    let architectures = arguments
        .arch
        .map_or(Architecture::ALL.to_vec(), |one| vec![one]);
    for architecture in architectures {
        let built = build(architecture, variant, &arguments.set)?;
        let archive = match variant {
            Variant::Shipped => Some(zip(&built, &arguments.set)?),
            Variant::Symbols => None,
        };
        present(&built, archive.as_ref(), arguments.json);
    }
    Ok(())
}

/// Builds one program, or finds that it is up to date.
pub(crate) fn build(architecture: Architecture, variant: Variant, set: &Set) -> Result<Built> {
    let layers = directory()?;
    let place = set
        .name()
        .map_or_else(|| layers.clone(), |name| layers.join(name));
    let plan = toolchain::plan(architecture)?;
    let began = Instant::now();
    say(&format!(
        "building kinglet for {}{} with {}",
        architecture.name(),
        set.name()
            .map_or_else(String::new, |name| format!(" ({name})")),
        plan.toolchain.version
    ));
    if !plan.builds_std {
        warn(&format!(
            "no Rust here has the standard library's source, so the layer gets the compiled one, and nearly three times the size (660 kB). For the small one:\n  {}",
            toolchain::install_line()
        ));
    }
    let reproduced = reproduced(&place, architecture, variant);
    fs::create_dir_all(&place)?;
    let compiled = compile::compile(
        &plan,
        architecture,
        variant,
        set,
        &layers.join("empty"),
        &reproduced,
    )?;
    let compiled = if plan.builds_std {
        Link::unpack(&reproduced, &plan.toolchain.linker(), architecture)?.in_order()?
    } else {
        compiled
    };
    let program = match variant {
        Variant::Shipped => place.join(architecture.name()).join(archive::ENTRY),
        Variant::Symbols => place
            .join("symbols")
            .join(architecture.name())
            .join("kinglet"),
    };
    fs::create_dir_all(program.parent().unwrap_or(&layers))?;
    fs::copy(&compiled, &program)
        .with_context(|| format!("{} cannot be written", program.display()))?;
    trim::trim(&program)?;
    let bytes = fs::metadata(&program)?.len();
    say(&format!("built in {:.0} s", began.elapsed().as_secs_f64()));
    Ok(Built {
        architecture,
        program,
        bytes,
        builds_std: plan.builds_std,
        rustc: plan.toolchain.version,
    })
}

/// A zip that was packed.
pub(crate) struct Archive {
    path: PathBuf,
    pub(crate) bytes: usize,
}

pub(crate) fn zip(built: &Built, set: &Set) -> Result<Archive> {
    let words: Vec<_> = ["kinglet".to_string()]
        .into_iter()
        .chain(set.name())
        .chain([built.architecture.name().to_string()])
        .collect();
    let path = directory()?.join(format!("{}.zip", words.join("-")));
    let began = Instant::now();
    let bytes = archive::pack(&built.program, &path)?;
    say(&format!("packed in {:.0} s", began.elapsed().as_secs_f64()));
    Ok(Archive { path, bytes })
}

/// Where the linker writes down what it was given.
fn reproduced(layers: &Path, architecture: Architecture, variant: Variant) -> PathBuf {
    layers.join(format!("link-{}-{variant:?}.tar", architecture.name()))
}

/// A layer's program with all symbols as it is linked, the linker's map of it, and the names of what is in there.
pub(crate) fn mapped(architecture: Architecture) -> Result<(PathBuf, String, Link)> {
    build(architecture, Variant::Symbols, &Set::default())?;
    let plan = toolchain::plan(architecture)?;
    let reproduced = reproduced(&directory()?, architecture, Variant::Symbols);
    let link = Link::unpack(&reproduced, &plan.toolchain.linker(), architecture)?;
    let (program, map) = link.with_map()?;
    Ok((program, map, link))
}

/// Where all of this is written.
fn directory() -> Result<PathBuf> {
    Ok(compile::target_directory()?.join("layer"))
}

/// On standard output: what a script or a person goes on with.
fn present(built: &Built, archive: Option<&Archive>, is_json: bool) {
    if is_json {
        let line = json!({
            "architecture": built.architecture.name(),
            "program": built.program,
            "program_bytes": built.bytes,
            "zip": archive.map(|archive| &archive.path),
            "zip_bytes": archive.map(|archive| archive.bytes),
            "builds_std": built.builds_std,
            "rustc": built.rustc,
        });
        println!("{line}");
        return;
    }
    let program = (built.bytes, &built.program);
    let zip = archive.map(|archive| (archive.bytes as u64, &archive.path));
    for (bytes, path) in [Some(program), zip].into_iter().flatten() {
        anstream::println!("{:>7} bytes  {}", bytes.green(), path.display());
    }
}

fn say(text: &str) {
    anstream::eprintln!("{}", text.dimmed());
}

fn warn(text: &str) {
    anstream::eprintln!("{} {text}", "note:".yellow());
}
