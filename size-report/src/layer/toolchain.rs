//! Which Rust builds the layer: one that has the standard library's source, if there is any on this machine.
//!
//! The one in use comes first, then what else rustup has, then Debian's packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::architecture::Architecture;

/// The flags are those of this release; see `rust-version` in Cargo.toml.
const RELEASE_MIN: (u32, u32) = (1, 95);

/// A compiler and its cargo.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    pub(crate) rustc: PathBuf,
    pub(crate) cargo: PathBuf,
    /// As `rustc --version` says.
    pub(crate) version: String,
    sysroot: PathBuf,
}

/// What a static program starts with (`crt1.o`) and its C library (`libc.a`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Musl {
    /// Rust's own, a part of the target that rustup has added.
    RustTarget,
    /// Debian's, in this directory.
    Debian(PathBuf),
}

/// How one layer will be built.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) toolchain: Toolchain,
    pub(crate) musl: Musl,
    /// The standard library is built along, with the flags of `.cargo/layer.toml`.
    pub(crate) builds_std: bool,
}

/// The best plan on this machine for one architecture.
pub(crate) fn plan(architecture: Architecture) -> Result<Plan> {
    choose(candidates(), architecture)
}

fn choose(candidates: Vec<Toolchain>, architecture: Architecture) -> Result<Plan> {
    let musl_of = |toolchain: &Toolchain| toolchain.musl(architecture);
    let complete = candidates.iter().find_map(|toolchain| {
        let musl =
            musl_of(toolchain).filter(|_| toolchain.has_source() && toolchain.has_linker())?;
        Some((toolchain, musl, true))
    });
    // Without its source the standard library must have come compiled, which Debian's has not.
    let plain = candidates.iter().find_map(|toolchain| {
        let musl = musl_of(toolchain).filter(|musl| *musl == Musl::RustTarget)?;
        Some((toolchain, musl, false))
    });
    match complete.or(plain) {
        Some((toolchain, musl, builds_std)) => Ok(Plan {
            toolchain: toolchain.clone(),
            musl,
            builds_std,
        }),
        None => bail!(
            "no Rust here can build for {}. Install it once:\n  {}",
            architecture.name(),
            install_line()
        ),
    }
}

/// What to install once, for both architectures.
pub(crate) fn install_line() -> String {
    let [x86_64, arm64] = Architecture::ALL.map(Architecture::target);
    let is_debian_only = !on_path("rustup") && Path::new("/etc/debian_version").exists();
    if is_debian_only {
        let [amd64, arm64] = Architecture::ALL.map(Architecture::debian_package);
        return format!(
            "dpkg --add-architecture arm64 && apt-get update && apt-get install -y cargo-web rustc-web rust-web-src rust-web-llvm lld-22 {amd64} {arm64}"
        );
    }
    format!("rustup component add rust-src && rustup target add {x86_64} {arm64}")
}

impl Toolchain {
    /// Asks the compiler what it is. `None`: it does not run, or is too old.
    fn at(rustc: &Path) -> Option<Toolchain> {
        let version = answer(rustc, &["--version"])?;
        let sysroot = PathBuf::from(answer(rustc, &["--print", "sysroot"])?);
        let own = |name: &str| Some(sysroot.join("bin").join(name)).filter(|path| path.exists());
        let toolchain = Toolchain {
            // Behind rustup's proxy stands the real one, which does not depend on the directory it is run in.
            rustc: own("rustc").unwrap_or_else(|| rustc.to_path_buf()),
            cargo: own("cargo").unwrap_or_else(|| PathBuf::from("cargo")),
            version,
            sysroot,
        };
        (release(&toolchain.version)? >= RELEASE_MIN).then_some(toolchain)
    }

    fn has_source(&self) -> bool {
        let library = self.sysroot.join("lib/rustlib/src/rust/library");
        library.join("std/Cargo.toml").exists()
    }

    /// LLVM's linker, which links for every architecture. Debian has a link to it where it is not installed.
    fn has_linker(&self) -> bool {
        self.linker().is_absolute() || on_path("rust-lld")
    }

    /// LLVM's linker: the toolchain's own, or the one on the path.
    pub(crate) fn linker(&self) -> PathBuf {
        let hosts = std::fs::read_dir(self.sysroot.join("lib/rustlib"));
        let mut directories = hosts.into_iter().flatten().flatten();
        directories
            .find_map(|host| Some(host.path().join("bin/rust-lld")).filter(|path| path.exists()))
            .unwrap_or_else(|| "rust-lld".into())
    }

    fn musl(&self, architecture: Architecture) -> Option<Musl> {
        let target = self.sysroot.join("lib/rustlib").join(architecture.target());
        if target.join("lib/self-contained/crt1.o").exists() {
            return Some(Musl::RustTarget);
        }
        let debian = PathBuf::from(architecture.debian_musl());
        let is_whole = debian.join("crt1.o").exists() && debian.join("libc.a").exists();
        (is_whole && self.sysroot == Path::new("/usr")).then_some(Musl::Debian(debian))
    }
}

/// Every Rust of this machine that is new enough, the one in use first.
fn candidates() -> Vec<Toolchain> {
    let in_use = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut found: Vec<Toolchain> = Vec::new();
    let rustup = rustup_toolchains().into_iter();
    for rustc in [PathBuf::from(in_use)]
        .into_iter()
        .chain(rustup)
        .chain(["/usr/bin/rustc".into()])
    {
        let Some(toolchain) = Toolchain::at(&rustc) else {
            continue;
        };
        if found.iter().all(|other| other.sysroot != toolchain.sysroot) {
            found.push(toolchain);
        }
    }
    found
}

/// The compilers that rustup has installed: stable, then nightly, then by number.
fn rustup_toolchains() -> Vec<PathBuf> {
    let home = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".rustup")));
    let entries = home.and_then(|home| std::fs::read_dir(home.join("toolchains")).ok());
    let mut names: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    names.sort_by(|one, other| other.cmp(one));
    names
        .into_iter()
        .map(|path| path.join("bin/rustc"))
        .collect()
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).exists())
}

fn answer(rustc: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(rustc).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}

/// The first two numbers of `rustc 1.95.0 (…)`.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(' ').nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const ARM64: &str = "lib/rustlib/aarch64-unknown-linux-musl/lib/self-contained/crt1.o";
    const SOURCE: &str = "lib/rustlib/src/rust/library/std/Cargo.toml";
    const LINKER: &str = "lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld";

    /// A toolchain of empty files.
    fn toolchain(directory: &Path, name: &str, files: &[&str]) -> Toolchain {
        let sysroot = directory.join(name);
        for file in files {
            let path = sysroot.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        Toolchain {
            rustc: "rustc".into(),
            cargo: "cargo".into(),
            version: name.into(),
            sysroot,
        }
    }

    #[test]
    fn the_first_with_all_parts_is_chosen_else_the_first_that_builds_at_all() {
        let directory = std::env::temp_dir().join(format!("kinglet-chosen-{}", std::process::id()));
        let bare = toolchain(&directory, "bare", &[SOURCE, LINKER]);
        let plain = toolchain(&directory, "plain", &[ARM64, LINKER]);
        let whole = toolchain(&directory, "whole", &[ARM64, SOURCE, LINKER]);
        let chosen = |candidates: &[&Toolchain]| {
            let candidates = candidates.iter().map(|&one| one.clone()).collect();
            let plan = choose(candidates, Architecture::Arm64).ok()?;
            Some((plan.toolchain.version, plan.builds_std))
        };
        assert_eq!(
            chosen(&[&bare, &plain, &whole]),
            Some(("whole".into(), true))
        );
        assert_eq!(chosen(&[&bare, &plain]), Some(("plain".into(), false)));
        assert_eq!(chosen(&[&bare]), None);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn where_nothing_builds_the_error_says_what_to_install() {
        let error = choose(Vec::new(), Architecture::X86_64).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("x86_64"), "{text}");
        assert!(text.contains(&install_line()), "{text}");
    }

    #[test]
    fn releases_are_compared_as_numbers() {
        assert_eq!(
            release("rustc 1.95.0 (59807616e 2026-04-14)"),
            Some((1, 95))
        );
        assert_eq!(release("rustc 1.100.0-nightly"), Some((1, 100)));
        assert!(release("rustc 1.100.0-nightly") > Some(RELEASE_MIN));
        assert_eq!(release("gcc"), None);
    }
}
