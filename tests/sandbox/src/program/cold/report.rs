//! All that was measured, as `--json` prints it.

use std::path::PathBuf;

use serde::Serialize;

use super::bars::{self, Bar};
use super::series::{Series, Summaries};
use super::subject::{FLOOR, Subject};
use super::tracer::Count;

#[derive(Serialize)]
pub(crate) struct Report {
    /// Starts of each extension under each condition.
    pub(crate) runs: u32,
    pub(crate) extensions: Vec<Measured>,
    pub(crate) bars: Vec<Bar>,
}

#[derive(Serialize)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// From the page cache.
    pub(crate) warm: Summaries,
    /// The file was dropped from the page cache before each start.
    pub(crate) dropped: Summaries,
    pub(crate) system_calls: Option<Count>,
    pub(crate) instructions: Option<u64>,
}

/// What was measured of one extension, start by start.
pub(crate) struct Column {
    pub(crate) subject: Subject,
    pub(crate) warm: Series,
    pub(crate) dropped: Series,
    pub(crate) system_calls: Option<Count>,
    pub(crate) instructions: Option<u64>,
}

impl Column {
    pub(crate) fn new(subject: Subject) -> Column {
        Column {
            subject,
            warm: Series::default(),
            dropped: Series::default(),
            system_calls: None,
            instructions: None,
        }
    }
}

impl Report {
    pub(crate) fn new(runs: u32, columns: &[Column]) -> Report {
        let extensions = columns.iter().map(|column| Measured {
            name: column.subject.name.clone(),
            path: column.subject.path.clone(),
            bytes: column.subject.bytes,
            warm: column.warm.summaries(),
            dropped: column.dropped.summaries(),
            system_calls: column.system_calls.clone(),
            instructions: column.instructions,
        });
        let mut report = Report {
            runs,
            extensions: extensions.collect(),
            bars: Vec::new(),
        };
        report.bars = bars::bars(&report);
        report
    }

    /// An extension none of whose starts counts, and why.
    pub(crate) fn problem(&self) -> Option<String> {
        let failed = self
            .extensions
            .iter()
            .find(|one| one.warm.starts + one.dropped.starts == 0)?;
        let mut failures = failed
            .warm
            .failures
            .keys()
            .chain(failed.dropped.failures.keys());
        let why = failures.next().map_or("", String::as_str);
        Some(format!("no start of {} counts: {why}", failed.name))
    }

    pub(crate) fn floor(&self) -> Option<&Measured> {
        self.extensions.iter().find(|one| one.name == FLOOR)
    }
}
