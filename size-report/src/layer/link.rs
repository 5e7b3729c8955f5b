//! The last link once more, with what a start touches side by side.
//!
//! Cargo's own link writes down all that went into it (`--reproduce`). From the compiled code in there and the order of a start
//! (`size-report/start.txt`) follows a linker script: the data first, in the page that the kernel has read to see what it starts;
//! then, in the order of their first touch, constants and functions that run until next; then the rest.

use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::architecture::Architecture;
use super::compile::repository;
use super::identity::Identities;

/// Where the order is, from the top of the repository.
pub(crate) const ORDER: &str = "size-report/start.txt";

/// What the kernel reads and maps at once.
pub(crate) const PAGE_BYTES: u64 = 4096;

/// A line of the order that is no section of the compiled code, but one of the C library: member and section.
pub(crate) const LIBRARY: &str = "libc.a ";

/// What one link needs, unpacked.
pub(crate) struct Link {
    directory: PathBuf,
    linker: PathBuf,
    architecture: Architecture,
    arguments: Vec<String>,
    pub(crate) identities: Identities,
}

impl Link {
    /// Unpacks what the linker has written down.
    pub(crate) fn unpack(
        reproduced: &Path,
        linker: &Path,
        architecture: Architecture,
    ) -> Result<Link> {
        let parent = reproduced.with_extension("");
        let _ = fs::remove_dir_all(&parent);
        let archive = File::open(reproduced).with_context(|| {
            format!(
                "{} is not there; touch build.rs and build again",
                reproduced.display()
            )
        })?;
        tar::Archive::new(archive).unpack(&parent)?;
        let inner = fs::read_dir(&parent)?.next();
        let directory = inner
            .context("the linker has written down nothing")??
            .path();
        let response = fs::read_to_string(directory.join("response.txt"))?;
        let arguments: Vec<String> = response
            .lines()
            .filter(|line| !line.starts_with("-o ") && !line.starts_with("--chroot"))
            .map(str::to_string)
            .collect();
        let object = arguments
            .iter()
            .find(|line| line.ends_with(".rcgu.o"))
            .context("the linker was given no compiled code")?;
        let identities = Identities::of(&fs::read(directory.join(object))?)?;
        Ok(Link {
            directory,
            linker: linker.to_path_buf(),
            architecture,
            arguments,
            identities,
        })
    }

    /// Links in the order of the start, and gives the program.
    pub(crate) fn in_order(&self) -> Result<PathBuf> {
        let order = fs::read_to_string(repository().join(ORDER))
            .with_context(|| format!("{ORDER} cannot be read"))?;
        self.with_order(&order, &self.arguments)
    }

    /// The same program with all symbols, and the linker's map of it.
    pub(crate) fn with_map(&self) -> Result<(PathBuf, String)> {
        let order = fs::read_to_string(repository().join(ORDER)).unwrap_or_default();
        let map = self.directory.join("map");
        let stripped = ["--strip-all", "--strip-debug", "-znosectionheader"];
        let mut arguments = self.arguments.clone();
        arguments.retain(|one| !stripped.contains(&one.replace("-z n", "-zn").as_str()));
        arguments.push(format!("--Map={}", map.display()));
        let program = self.with_order(&order, &arguments)?;
        Ok((program, fs::read_to_string(map)?))
    }

    fn with_order(&self, order: &str, arguments: &[String]) -> Result<PathBuf> {
        let script = self.directory.join("start.ld");
        fs::write(&script, self.script(order)?)?;
        let program = self.directory.join("kinglet");
        let again = self.directory.join("again.txt");
        let own = [
            format!("-T {}", script.display()),
            format!("-o {}", program.display()),
        ];
        let lines: Vec<&str> = arguments.iter().chain(&own).map(String::as_str).collect();
        fs::write(&again, lines.join("\n"))?;
        let status = Command::new(&self.linker)
            .args(["-flavor", "gnu"])
            .arg(format!("@{}", again.display()))
            .current_dir(&self.directory)
            .status()
            .with_context(|| format!("{} cannot be run", self.linker.display()))?;
        ensure!(status.success(), "the layer does not link in its order");
        Ok(program)
    }

    fn script(&self, order: &str) -> Result<String> {
        // Deflate likes constants together: 650 bytes of arm64's zip, which has none to spare. Code and constants in turn are
        // read from disk at once, and so they are for x86_64.
        let (mut hot, mut first) = (String::new(), String::new());
        let (mut zeroed, mut large) = (String::new(), String::new());
        for line in order.lines().filter(|line| !line.starts_with("//")) {
            if let Some(library) = line.strip_prefix(LIBRARY) {
                let Some((member, section)) = library.split_once(' ') else {
                    bail!("{ORDER}: a member and a section follow {LIBRARY:?}, not {library:?}");
                };
                if section.starts_with(".bss") || section == "COMMON" {
                    writeln!(zeroed, "    *{member}({section})")?;
                } else if is_read_only(section) {
                    writeln!(hot, "    *{member}({section})")?;
                }
                continue;
            }
            for section in self.identities.sections(line) {
                match section.as_str() {
                    // Of the allocator's arena only the beginning is touched: nothing may stand behind it.
                    bss if bss.starts_with(".bss") && self.identities.bytes(bss) >= PAGE_BYTES => {
                        writeln!(large, "    *(\"{bss}\")")?;
                    }
                    bss if bss.starts_with(".bss") => writeln!(zeroed, "    *(\"{bss}\")")?,
                    data if self.architecture == Architecture::Arm64
                        && data.starts_with(".rodata") =>
                    {
                        writeln!(first, "    *(\"{data}\")")?;
                    }
                    other if is_read_only(other) => writeln!(hot, "    *(\"{other}\")")?,
                    _ => {}
                }
            }
        }
        Ok(SCRIPT
            .replace("@hot@", &(first + &hot))
            .replace("@zeroed@", &(zeroed + &large)))
    }
}

/// Whether a section stands where the order says.
pub(crate) fn is_ordered(section: &str) -> bool {
    is_read_only(section) || section.starts_with(".bss") || section == "COMMON"
}

/// Code and constants. What is written has its place, and what only the linker knows, too.
fn is_read_only(section: &str) -> bool {
    section.starts_with(".text") || section.starts_with(".rodata")
}

/// Code stands in one output section, hot and cold: equal functions of two are not folded.
const SCRIPT: &str = "PHDRS {
  data PT_LOAD FILEHDR PHDRS FLAGS(6);
  text PT_LOAD FLAGS(5);
  tls PT_TLS FLAGS(4);
  stack PT_GNU_STACK FLAGS(6);
}
SECTIONS {
  . = 0x200000 + SIZEOF_HEADERS;
  .tdata : { *(.tdata .tdata.*) } :data :tls
  .tbss : { *(.tbss .tbss.*) } :data :tls
  .init_array : {
    PROVIDE_HIDDEN(__init_array_start = .);
    KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) .init_array))
    PROVIDE_HIDDEN(__init_array_end = .);
  } :data
  .fini_array : {
    PROVIDE_HIDDEN(__fini_array_start = .);
    KEEP(*(SORT_BY_INIT_PRIORITY(.fini_array.*) .fini_array))
    PROVIDE_HIDDEN(__fini_array_end = .);
  } :data
  .data : { *(.data .data.*) } :data
  .got : { *(.got) } :data
  .got.plt : { *(.got.plt) } :data
  __file_end = .;
  .bss : {
@zeroed@    *(.bss .bss.* COMMON)
  } :data
  . = ALIGN(CONSTANT(MAXPAGESIZE)) + ((__file_end - 0x200000) & (CONSTANT(MAXPAGESIZE) - 1));
  .init : { KEEP(*(.init)) } :text
  .fini : { KEEP(*(.fini)) } :text
  .text : {
@hot@    *(.text .text.*)
  } :text
  .rodata : { *(.rodata .rodata.*) } :text
  .eh_frame : { *(.eh_frame) } :text
}
";
