//! How many instructions an extension takes, where its time is too noisy to compare two versions by.
//!
//! Counted by valgrind's cachegrind, which runs the extension in a simulated processor, about ten times slower: the same
//! load gives the same number within 0.1 %, on any machine, however busy. It is user space only: no system calls. The
//! processor's own counters (`perf stat -e instructions:u`) are not there in most virtual machines and containers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Stands in for an extension, under the same name, and counts what it does.
pub(crate) struct Counter {
    /// Removed with everything in it when the counter is dropped.
    directory: tempfile::TempDir,
    name: String,
}

impl Counter {
    pub(crate) fn new(extension: &Path) -> Result<Counter> {
        let found = Command::new("valgrind").arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            bail!("--instructions needs valgrind; install it (Debian: apt-get install valgrind)");
        }
        let extension = std::path::absolute(extension)?;
        let name = extension.file_name().unwrap_or_default().to_string_lossy();
        let counter = Counter {
            directory: tempfile::Builder::new().prefix("counter-").tempdir()?,
            name: name.into_owned(),
        };
        let script = format!(
            "#!/bin/sh\nexec valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null --log-file='{}' '{}'\n",
            counter.log().display(),
            extension.display(),
        );
        fs::write(counter.path(), script)?;
        fs::set_permissions(counter.path(), fs::Permissions::from_mode(0o755))?;
        Ok(counter)
    }

    /// What to run in place of the extension.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    /// The count, once the extension has exited by itself.
    pub(crate) fn count(&self) -> Result<u64> {
        let log = fs::read_to_string(self.log()).context("valgrind wrote nothing")?;
        counted(&log).with_context(|| {
            let last = log.lines().last().unwrap_or_default();
            format!(
                "valgrind counted nothing (was {} killed?): {last}",
                self.name
            )
        })
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("valgrind.log")
    }
}

/// The number in valgrind's line `==11325== I   refs:      173,968,412`.
fn counted(log: &str) -> Option<u64> {
    let line = log.lines().find(|line| line.contains("refs:"))?;
    let digits: String = line
        .rsplit_once("refs:")?
        .1
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_the_log() {
        let log = "--7-- warning: line_size 64\n==7== \n==7== I   refs:      173,968,412\n";
        assert_eq!(counted(log), Some(173_968_412));
        assert_eq!(counted("==7== \n"), None);
    }
}
