//! The pages that a start touches: of the file, of memory that begins as zeros, and of the stack.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSegment};

use crate::layer::PAGE_BYTES;

use super::budget::StartBudget;
use super::twin::Elf;

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
pub(crate) fn count(program: &Path, touched: &[u64]) -> Result<Pages> {
    let bytes = fs::read(program)?;
    let elf = Elf::parse(bytes.as_slice()).context("the program is no ELF file")?;
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

/// A start that is scattered is slow where the file is read from a disk.
pub(crate) fn ensure_few(pages: &Pages, budget: StartBudget) -> Result<()> {
    ensure!(
        pages.file.len() <= budget.file_pages && pages.writable.len() <= budget.writable_pages,
        "until next a start touches {pages}; at most {} and {} are allowed. Run `cargo size-report --record-start`, and commit size-report/start.txt; if that does not help, the start has grown",
        budget.file_pages,
        budget.writable_pages
    );
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_too_many_fails_and_says_what_to_do() {
        let budget = StartBudget {
            file_pages: 2,
            writable_pages: 1,
        };
        let mut pages = Pages {
            file: [0, 1].into(),
            writable: [0x200].into(),
            outside: BTreeSet::new(),
        };
        assert!(ensure_few(&pages, budget).is_ok());
        pages.file.insert(9);
        let error = ensure_few(&pages, budget).unwrap_err().to_string();
        assert!(error.contains("3 pages of the file"), "{error}");
        assert!(error.contains("--record-start"), "{error}");
    }
}
