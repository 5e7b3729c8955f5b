//! The pages that a start touches: of the file, of memory that begins as zeros, and of the stack.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context, Result};
use object::{Object, ObjectSegment};

use super::twin::Elf;

const PAGE_BYTES: u64 = 4096;

/// What was touched, in pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pages {
    /// Of the file, by number.
    pub(crate) file: BTreeSet<u64>,
    /// `.data`, which is copied, and `.bss`.
    pub(crate) writable: BTreeSet<u64>,
    /// Stack, and what the kernel maps by itself.
    pub(crate) outside: BTreeSet<u64>,
}

/// Sorts addresses by what lies behind them.
pub(crate) fn count(program: &[u8], touched: &[u64]) -> Result<Pages> {
    let elf = Elf::parse(program).context("the program is no ELF file")?;
    let mut pages = Pages::default();
    for address in touched {
        let segment = elf.segments().find(|segment| {
            (segment.address()..segment.address() + segment.size()).contains(address)
        });
        let Some(segment) = segment else {
            pages.outside.insert(address / PAGE_BYTES);
            continue;
        };
        let (offset, bytes) = segment.file_range();
        let within = address - segment.address();
        if within < bytes {
            pages.file.insert((offset + within) / PAGE_BYTES);
        }
        if bytes < segment.size() || within >= bytes {
            pages.writable.insert(address / PAGE_BYTES);
        }
    }
    Ok(pages)
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (file, writable) = (self.file.len(), self.writable.len());
        write!(
            f,
            "{file} pages of the file, {writable} of .data and .bss, {} outside",
            self.outside.len()
        )
    }
}
