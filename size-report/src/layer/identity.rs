//! What a section of the compiled code is called in the order of a start: a name that an edit elsewhere does not change.
//!
//! A function has its demangled name, without the hashes of crates. What the compiler only numbers (constants, and code that it
//! has outlined) is known by its content: its bytes, and what they refer to.

use std::collections::HashMap;
use std::fmt::Write;

use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use object::{
    Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex, SectionKind, SymbolKind,
};

/// References are followed so far from a constant.
const DEPTH_MAX: usize = 6;

/// How much of a constant's text is shown, for who reads the list.
const SHOWN_CHARACTERS: usize = 40;

/// The sections of one object by name and by identity.
pub(crate) struct Identities {
    by_section: HashMap<String, String>,
    by_identity: HashMap<String, Vec<String>>,
    bytes: HashMap<String, u64>,
}

impl Identities {
    pub(crate) fn of(object: &[u8]) -> Result<Identities> {
        let elf: ElfFile64 = ElfFile64::parse(object).context("the compiled code is no object")?;
        let mut named: HashMap<SectionIndex, String> = HashMap::new();
        for symbol in elf.symbols() {
            let (Some(section), Ok(name)) = (symbol.section_index(), symbol.name()) else {
                continue;
            };
            let is_numbered = name.is_empty()
                || name.starts_with('$')
                || name.starts_with(".L")
                || name.starts_with("anon.")
                || name.starts_with("OUTLINED_FUNCTION");
            if symbol.kind() != SymbolKind::Section && !is_numbered {
                named
                    .entry(section)
                    .or_insert_with(|| format!("{:#}", rustc_demangle::demangle(name)));
            }
        }
        let mut identities = Identities {
            by_section: HashMap::new(),
            by_identity: HashMap::new(),
            bytes: HashMap::new(),
        };
        for section in elf.sections() {
            let is_code_or_data = matches!(
                section.kind(),
                SectionKind::Text
                    | SectionKind::ReadOnlyData
                    | SectionKind::ReadOnlyDataWithRel
                    | SectionKind::ReadOnlyString
                    | SectionKind::Data
                    | SectionKind::UninitializedData
            );
            if !is_code_or_data {
                continue;
            }
            let identity = identity(&elf, &named, section.index(), DEPTH_MAX)?;
            let name = section.name()?.to_string();
            identities
                .by_identity
                .entry(identity.clone())
                .or_default()
                .push(name.clone());
            identities.bytes.insert(name.clone(), section.size());
            identities.by_section.insert(name, identity);
        }
        Ok(identities)
    }

    /// The sections that a line of the order names. Missing ones are harmless.
    pub(crate) fn sections(&self, identity: &str) -> &[String] {
        self.by_identity.get(identity).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn bytes(&self, section: &str) -> u64 {
        self.bytes.get(section).copied().unwrap_or_default()
    }

    pub(crate) fn identity(&self, section: &str) -> Option<&str> {
        self.by_section.get(section).map(String::as_str)
    }
}

fn identity(
    elf: &ElfFile64,
    named: &HashMap<SectionIndex, String>,
    index: SectionIndex,
    depth: usize,
) -> Result<String> {
    let section = elf.section_by_index(index)?;
    if let Some(name) = named.get(&index) {
        return Ok(name.clone());
    }
    if section.name()?.starts_with(".rodata.cst") {
        return Ok(section.name()?.to_string());
    }
    let data = section.data()?;
    let mut content = format!("{:?} {data:?}", section.kind());
    for (at, relocation) in section.relocations() {
        let RelocationTarget::Symbol(symbol) = relocation.target() else {
            continue;
        };
        let symbol = elf.symbol_by_index(symbol)?;
        let target = match symbol.section_index() {
            Some(target) if depth > 0 && target != index => {
                identity(elf, named, target, depth - 1)?
            }
            _ => format!("{:#}", rustc_demangle::demangle(symbol.name()?)),
        };
        let addend = relocation.addend() + symbol.address() as i64;
        write!(content, " {at} {addend} {target}")?;
    }
    let shown = String::from_utf8_lossy(&data[..data.len().min(SHOWN_CHARACTERS)]);
    let shown: String = shown
        .chars()
        .map(|one| {
            if one.is_control() || !one.is_ascii() {
                '.'
            } else {
                one
            }
        })
        .collect();
    Ok(format!("#{:016x} {shown:?}", fnv1a(content.as_bytes())))
}

/// The same on every machine, with every Rust.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
