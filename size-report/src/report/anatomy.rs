//! A program taken apart: every byte of the shipped file, and whose it is.
//!
//! The shipped file has neither symbols nor sections, so they are read from its twin, built from the same code with both. The
//! twin counts only if its segments are the shipped ones, byte for byte. The pieces then cover the shipped file from the
//! first byte to the last, without a gap and without an overlap.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection};
use serde::Serialize;

use super::constants;
use super::symbol::{FRAME, LIBC, Owner};
use super::twin::{self, Elf, Loaded, Named};

/// Bytes of the file that follow each other and have one owner.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: u64,
    pub(crate) owner: Owner,
}

/// A section of the file, or what stands between sections.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) file_bytes: u64,
    /// What it takes in memory once the program runs.
    pub(crate) memory_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Anatomy {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) sections: Vec<Section>,
}

/// Takes the shipped program apart, with the help of its twin that has symbols. `modules` are kinglet's own.
pub(crate) fn dissect(
    shipped: &[u8],
    with_symbols: &[u8],
    modules: &BTreeSet<String>,
) -> Result<Anatomy> {
    let twin = Elf::parse(with_symbols).context("the program with symbols is no ELF file")?;
    twin::ensure_twins(shipped, with_symbols, &twin)?;
    let loaded = twin::loaded_sections(&twin)?;
    let names = twin::names(&twin, modules);
    let image = twin::image(&twin);
    let mut pieces = Vec::new();
    let mut sections = Vec::new();
    let mut at = 0;
    for section in &loaded {
        let gap = if at == 0 {
            "ELF header and program headers"
        } else {
            "between sections"
        };
        frame(&mut pieces, &mut sections, at..section.offset, gap);
        let named = names.get(&section.index).map_or(&[][..], Vec::as_slice);
        pieces.extend(section_pieces(section, named, &image));
        let bytes = section.data.len() as u64;
        sections.push(Section {
            name: section.name.clone(),
            file_bytes: bytes,
            memory_bytes: bytes,
        });
        at = section.offset + bytes;
    }
    let end = at..shipped.len() as u64;
    frame(&mut pieces, &mut sections, end, "after the last section");
    sections.extend(zeroed_sections(&twin));
    let total: u64 = pieces.iter().map(|piece| piece.bytes).sum();
    ensure!(
        total == shipped.len() as u64,
        "{total} bytes have an owner, and the file has {}: the report would lie",
        shipped.len()
    );
    Ok(Anatomy { pieces, sections })
}

/// Sections that cost memory and no byte of the file.
fn zeroed_sections(twin: &Elf) -> Vec<Section> {
    let without_bytes = twin.sections().filter(|section| {
        twin::is_allocated(section) && section.file_range().is_none() && section.size() > 0
    });
    without_bytes
        .map(|section| Section {
            name: section.name().unwrap_or("?").to_string(),
            file_bytes: 0,
            memory_bytes: section.size(),
        })
        .collect()
}

/// Cuts a section at its symbols. What no symbol covers is unnamed.
fn section_pieces(section: &Loaded, named: &[Named], image: &Range<u64>) -> Vec<Piece> {
    let end = section.address + section.data.len() as u64;
    let mut pieces = Vec::new();
    let mut at = section.address;
    for (index, name) in named.iter().enumerate() {
        let next = named.get(index + 1).map_or(end, |next| next.address);
        let upto = match name.bytes {
            0 => next,
            bytes => (name.address + bytes).min(end),
        };
        // A symbol within another has no bytes of its own.
        let from = name.address.max(at);
        if upto <= from {
            continue;
        }
        pieces.extend(unnamed(section, at..from, image));
        pieces.push(Piece {
            bytes: upto - from,
            owner: name.owner.clone(),
        });
        at = upto;
    }
    pieces.extend(unnamed(section, at..end, image));
    pieces
}

/// What lies at addresses of a section that no symbol covers.
fn unnamed(section: &Loaded, range: Range<u64>, image: &Range<u64>) -> Vec<Piece> {
    if range.is_empty() {
        return Vec::new();
    }
    let bytes = range.end - range.start;
    let owner = match section.name.as_str() {
        ".rodata" | ".text" => {
            let from = (range.start - section.address) as usize;
            let data = &section.data[from..from + bytes as usize];
            return constants::runs(data, range.start, image)
                .into_iter()
                .map(|(bytes, owner)| Piece { bytes, owner })
                .collect();
        }
        name @ (".eh_frame" | ".init" | ".fini") => {
            Owner::new(LIBC, "", &format!("section {name}"))
        }
        name => Owner::new(FRAME, "", &format!("section {name}")),
    };
    vec![Piece { bytes, owner }]
}

/// The bytes before, between and after sections.
fn frame(pieces: &mut Vec<Piece>, sections: &mut Vec<Section>, gap: Range<u64>, item: &str) {
    if gap.is_empty() {
        return;
    }
    let bytes = gap.end - gap.start;
    pieces.push(Piece {
        bytes,
        owner: Owner::new(FRAME, "", item),
    });
    let name = format!("({item})");
    match sections.iter_mut().find(|section| section.name == name) {
        Some(section) => section.file_bytes += bytes,
        None => sections.push(Section {
            name,
            file_bytes: bytes,
            memory_bytes: 0,
        }),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// A program that is sure to be here, with symbols: this test itself.
    fn program() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn every_byte_has_one_owner() {
        let program = program();
        let anatomy = dissect(&program, &program, &BTreeSet::new()).unwrap();
        let whole = program.len() as u64;
        assert_eq!(
            anatomy.pieces.iter().map(|piece| piece.bytes).sum::<u64>(),
            whole
        );
        assert_eq!(
            anatomy
                .sections
                .iter()
                .map(|section| section.file_bytes)
                .sum::<u64>(),
            whole
        );
        let ours = anatomy
            .pieces
            .iter()
            .filter(|piece| piece.owner.group == "kinglet_size_report");
        assert!(ours.map(|piece| piece.bytes).sum::<u64>() > 10_000);
    }

    #[test]
    fn other_code_than_the_shipped_is_refused() {
        let shipped = program();
        let mut other = shipped.clone();
        // Behind the headers lies the first segment.
        other[5000] ^= 1;
        let error = dissect(&shipped, &other, &BTreeSet::new()).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("not the shipped one"), "{error}");
    }
}
