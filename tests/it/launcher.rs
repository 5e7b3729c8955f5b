//! kinglet as it is started in circumstances that only a shell can set up.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use kinglet_sandbox::{Builder, Collector, Sandbox};
use tempfile::TempDir;

use crate::extension::KINGLET;

/// An executable file that becomes kinglet. Its directory lives as long as this.
pub struct Launcher {
    directory: TempDir,
}

impl Launcher {
    /// `exec` with this before it, and these redirections.
    pub fn new(before: &str, redirections: &str) -> Launcher {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("kinglet");
        let script = format!("#!/bin/sh\n{before}\nexec '{KINGLET}' {redirections}\n");
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        Launcher { directory }
    }

    /// As [`crate::extension::beside`].
    pub fn beside(&self, collector: &Collector) -> Builder {
        Sandbox::builder(self.directory.path().join("kinglet"))
            .env("KINGLET_PORT", "0")
            .env("KINGLET_METRICS", "off")
            .env("KINGLET_ENDPOINT", collector.url())
    }
}
