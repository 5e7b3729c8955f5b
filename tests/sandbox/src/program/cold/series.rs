//! The starts of one extension under one condition.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::start::Start;
use super::statistics::Summary;

/// An extension that has failed so often, and never succeeded, will not be tried again: a failure can take seconds.
const HOPELESS_FAILURES: usize = 3;

#[derive(Default)]
pub(crate) struct Series {
    /// Those that count.
    pub(crate) starts: Vec<Start>,
    /// Why the others do not, and how many they are.
    pub(crate) failures: BTreeMap<String, usize>,
}

/// What a series comes to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summaries {
    pub(crate) starts: usize,
    pub(crate) failed: usize,
    pub(crate) failures: BTreeMap<String, usize>,
    pub(crate) register_ms: Option<Summary>,
    pub(crate) subscribe_ms: Option<Summary>,
    pub(crate) next_ms: Option<Summary>,
    pub(crate) cpu_ms: Option<Summary>,
    pub(crate) minor_faults: Option<Summary>,
    pub(crate) major_faults: Option<Summary>,
    pub(crate) memory_peak_kb: Option<Summary>,
    pub(crate) threads: Option<Summary>,
}

impl Series {
    pub(crate) fn add(&mut self, start: anyhow::Result<Start>) {
        match start {
            Ok(start) => self.starts.push(start),
            Err(why) => *self.failures.entry(format!("{why:#}")).or_default() += 1,
        }
    }

    pub(crate) fn is_hopeless(&self) -> bool {
        self.starts.is_empty() && self.failed() >= HOPELESS_FAILURES
    }

    fn failed(&self) -> usize {
        self.failures.values().sum()
    }

    pub(crate) fn milliseconds(&self, of: fn(&Start) -> Duration) -> Vec<f64> {
        self.starts
            .iter()
            .map(|start| milliseconds(of(start)))
            .collect()
    }

    pub(crate) fn summaries(&self) -> Summaries {
        let over = |of: fn(&Start) -> f64| Summary::of(self.starts.iter().map(of));
        Summaries {
            starts: self.starts.len(),
            failed: self.failed(),
            failures: self.failures.clone(),
            register_ms: over(|start| milliseconds(start.register)),
            subscribe_ms: over(|start| milliseconds(start.subscribe)),
            next_ms: over(|start| milliseconds(start.next)),
            cpu_ms: over(|start| start.reading.cpu_ns as f64 / 1e6),
            minor_faults: over(|start| start.reading.minor_faults as f64),
            major_faults: over(|start| start.reading.major_faults as f64),
            memory_peak_kb: over(|start| start.reading.memory_peak_kb as f64),
            threads: over(|start| start.reading.threads as f64),
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::cold::reading::Reading;

    #[test]
    fn failures_are_counted_by_their_reason_and_not_measured() {
        let mut series = Series::default();
        for _ in 0..HOPELESS_FAILURES {
            assert!(!series.is_hopeless());
            series.add(Err(anyhow::anyhow!("it ended")));
        }
        assert!(series.is_hopeless());
        let reading = Reading {
            cpu_ns: 1_500_000,
            minor_faults: 20,
            major_faults: 0,
            memory_peak_kb: 400,
            threads: 1,
        };
        let time = Duration::from_micros(250);
        series.add(Ok(Start {
            register: time,
            subscribe: time,
            next: time * 2,
            reading,
        }));
        assert!(!series.is_hopeless());
        let summaries = series.summaries();
        assert_eq!((summaries.starts, summaries.failed), (1, 3));
        assert_eq!(summaries.failures["it ended"], 3);
        assert_eq!(summaries.next_ms.map(|summary| summary.median), Some(0.5));
        assert_eq!(summaries.cpu_ms.map(|summary| summary.p90), Some(1.5));
    }
}
