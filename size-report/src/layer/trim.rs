//! What the linker leaves behind the last segment: nothing reads it, and nobody needs to carry it.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use object::read::elf::{ElfFile64, FileHeader};
use object::{LittleEndian, Object, ObjectSegment};

/// Cuts a program behind what is loaded of it, unless it has section headers, which stand there.
pub(super) fn trim(program: &Path) -> Result<()> {
    let bytes = fs::read(program)?;
    let end = loaded_bytes(&bytes)
        .with_context(|| format!("{} is no program for Linux", program.display()))?;
    if let Some(end) = end.filter(|end| *end < bytes.len() as u64) {
        File::options().write(true).open(program)?.set_len(end)?;
    }
    Ok(())
}

/// `None`: there is more that counts.
fn loaded_bytes(program: &[u8]) -> Result<Option<u64>> {
    let elf = ElfFile64::<LittleEndian>::parse(program)?;
    if elf.elf_header().e_shoff(LittleEndian) > 0 {
        return Ok(None);
    }
    let ends = elf.segments().map(|segment| {
        let (offset, bytes) = segment.file_range();
        offset + bytes
    });
    Ok(ends.max())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least that has a segment: 64 bytes of ELF header, 56 of program header.
    fn program(section_headers_at: u8) -> Vec<u8> {
        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(64 + 56, 0);
        for (at, value) in [
            (16, 2),
            (18, 62),
            (20, 1),
            (32, 64),
            (40, section_headers_at),
        ] {
            elf[at] = value;
        }
        for (at, value) in [
            (52, 64),
            (54, 56),
            (56, 1),
            (58, 64),
            (64, 1),
            (64 + 32, 120),
            (64 + 40, 120),
        ] {
            elf[at] = value;
        }
        elf.extend([0; 832]);
        elf
    }

    #[test]
    fn what_is_behind_the_last_segment_goes() {
        assert_eq!(loaded_bytes(&program(0)).unwrap(), Some(120));
        assert_eq!(loaded_bytes(&program(120)).unwrap(), None);
        assert!(loaded_bytes(b"#!/bin/sh\n").is_err());
    }
}
