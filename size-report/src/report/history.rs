//! Every change of size and the reason for it: `history.csv`, one line for each, the oldest first.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::directory;
use super::weight::Weight;

/// How far sizes may be from the recorded ones when another compiler has built the layer, in per cent.
const OTHER_COMPILER_PERCENT: u64 = 2;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// `2026-11-22`.
    pub(crate) date: String,
    pub(crate) x86_64: u64,
    pub(crate) arm64: u64,
    pub(crate) x86_64_zip: u64,
    pub(crate) arm64_zip: u64,
    /// The compiler: another one may give other sizes.
    pub(crate) rustc: String,
    pub(crate) reason: String,
}

#[derive(Debug)]
pub(crate) struct History {
    pub(crate) entries: Vec<Entry>,
}

impl Entry {
    pub(crate) fn new(date: &str, [x86_64, arm64]: [&Weight; 2], reason: &str) -> Entry {
        Entry {
            date: date.to_string(),
            x86_64: x86_64.program_bytes,
            arm64: arm64.program_bytes,
            x86_64_zip: x86_64.zip_bytes,
            arm64_zip: arm64.zip_bytes,
            rustc: compiler(&x86_64.rustc),
            reason: reason.trim().to_string(),
        }
    }

    pub(crate) fn sizes(&self) -> [u64; 4] {
        [self.x86_64, self.arm64, self.x86_64_zip, self.arm64_zip]
    }

    /// Whether these are the sizes of another build: to the byte where the compiler is the same, else roughly.
    pub(crate) fn tells(&self, other: &Entry) -> bool {
        let tolerance = if self.rustc == other.rustc {
            0
        } else {
            OTHER_COMPILER_PERCENT
        };
        self.sizes()
            .into_iter()
            .zip(other.sizes())
            .all(|(one, two)| one.abs_diff(two) * 100 <= one * tolerance)
    }
}

impl History {
    pub(crate) fn read() -> Result<History> {
        let file = path();
        if !file.exists() {
            return Ok(History {
                entries: Vec::new(),
            });
        }
        let mut reader = csv::Reader::from_path(file)?;
        let entries: Result<Vec<Entry>, _> = reader.deserialize().collect();
        Ok(History {
            entries: entries.context("size-report/history.csv has a line that cannot be read")?,
        })
    }

    pub(crate) fn last(&self) -> Option<&Entry> {
        self.entries.last()
    }

    /// What these sizes are compared with: the entry before the one that tells them, or the last one if none does yet.
    pub(crate) fn before(&self, sizes: [u64; 4]) -> Option<&Entry> {
        let mut newest_first = self.entries.iter().rev();
        newest_first.find(|entry| entry.sizes() != sizes)
    }

    /// Adds a line, and writes the file.
    pub(crate) fn append(&mut self, entry: Entry) -> Result<()> {
        self.entries.push(entry);
        let mut writer = csv::Writer::from_path(path())?;
        for entry in &self.entries {
            writer.serialize(entry)?;
        }
        writer
            .flush()
            .context("size-report/history.csv cannot be written")
    }
}

fn path() -> PathBuf {
    directory().join("history.csv")
}

/// `1.95.0 (59807616e 2026-04-14)` of what the compiler says. A distribution's compiler of the same release says more, and
/// is another one: its LLVM and its C library differ.
fn compiler(rustc: &str) -> String {
    rustc.strip_prefix("rustc ").unwrap_or(rustc).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bytes: u64, rustc: &str) -> Entry {
        Entry {
            date: "2026-11-22".to_string(),
            x86_64: bytes,
            arm64: bytes,
            x86_64_zip: 1000,
            arm64_zip: 1000,
            rustc: rustc.to_string(),
            reason: String::new(),
        }
    }

    #[test]
    fn sizes_agree_to_the_byte_or_roughly_by_compiler() {
        let recorded = entry(100_000, "1.95.0");
        assert!(recorded.tells(&entry(100_000, "1.95.0")));
        assert!(!recorded.tells(&entry(100_001, "1.95.0")));
        assert!(recorded.tells(&entry(102_000, "1.96.0")));
        assert!(!recorded.tells(&entry(102_001, "1.96.0")));
        assert!(!recorded.tells(&entry(97_999, "1.96.0")));
    }

    #[test]
    fn a_change_is_since_other_sizes() {
        let history = History {
            entries: vec![entry(100, "1.95.0"), entry(200, "1.95.0")],
        };
        let before = |bytes| {
            history
                .before(entry(bytes, "1.95.0").sizes())
                .unwrap()
                .x86_64
        };
        assert_eq!(before(200), 100);
        assert_eq!(before(300), 200);
    }

    #[test]
    fn a_compiler_is_more_than_its_release() {
        let rustup = compiler("rustc 1.95.0 (59807616e 2026-04-14)");
        assert_eq!(rustup, "1.95.0 (59807616e 2026-04-14)");
        let debian = "rustc 1.95.0 (59807616e 2026-04-14) (built from a source tarball)";
        assert_ne!(rustup, compiler(debian));
    }
}
