//! `--check`: what kinglet's costs must not exceed, as an exit code.

use serde::Serialize;

use super::super::{paint, table};
use super::comparison::{CPU, Column};

/// Either this ...
const CPU_MS_PER_MB_MAX: f64 = 4.0;
/// ... or this part of what the rival of this name takes in the same run.
const CPU_OF_RIVAL_MAX: f64 = 0.4;
const RIVAL: &str = "lambda-extension";
const MEMORY_LAYER_MB_MAX: f64 = 2.5;
/// Of a build for speed.
const MEMORY_MB_MAX: f64 = 4.0;

/// What kinglet takes, and 6 % more: the number is the same on every machine, so a step past it is a change of the code.
const INSTRUCTIONS_LAYER_MAX: f64 = 33.0;
const INSTRUCTIONS_MAX: f64 = 14.7;

#[derive(Debug, Serialize)]
pub(crate) struct Bar {
    pub(crate) what: String,
    pub(crate) measured: Option<f64>,
    pub(crate) at_most: f64,
    pub(crate) met: bool,
}

/// What the load was like, as far as the bars depend on it.
pub(crate) struct Conditions {
    /// The collector takes everything, so there is no excuse for a loss.
    pub(crate) is_healthy: bool,
    /// The first extension is the layer's binary.
    pub(crate) is_layer: bool,
}

/// The bars of the first extension; the others are there for comparison.
pub(crate) fn bars(columns: &[Column], conditions: &Conditions) -> Vec<Bar> {
    let Some(kinglet) = columns.first() else {
        return Vec::new();
    };
    let mut bars = vec![cpu(kinglet, columns), memory(kinglet, conditions)];
    if conditions.is_healthy {
        bars.push(damage(kinglet));
    }
    bars.extend(instructions(kinglet, conditions));
    bars
}

/// Of all runs the least, as noise only adds.
fn cpu(kinglet: &Column, columns: &[Column]) -> Bar {
    let own = bar(
        "CPU, ms per MB of telemetry",
        kinglet.least(&CPU),
        CPU_MS_PER_MB_MAX,
    );
    let rival = columns[1..]
        .iter()
        .find(|column| column.extension.name == RIVAL);
    match rival {
        Some(rival) if !own.met => bar(
            &format!("CPU per MB of telemetry, of {RIVAL}'s"),
            kinglet.ratio(rival, &CPU),
            CPU_OF_RIVAL_MAX,
        ),
        _ => own,
    }
}

fn memory(kinglet: &Column, conditions: &Conditions) -> Bar {
    let bytes = kinglet.runs.iter().map(|run| run.memory_peak_kb * 1024);
    let at_most = if conditions.is_layer {
        MEMORY_LAYER_MB_MAX
    } else {
        MEMORY_MB_MAX
    };
    bar(
        "peak resident memory, MB",
        bytes.max().map(|bytes| bytes as f64 / 1e6),
        at_most,
    )
}

/// If they were counted.
fn instructions(kinglet: &Column, conditions: &Conditions) -> Option<Bar> {
    let at_most = if conditions.is_layer {
        INSTRUCTIONS_LAYER_MAX
    } else {
        INSTRUCTIONS_MAX
    };
    Some(bar(
        "instructions per byte of telemetry",
        kinglet.instructions?.per_byte_of_telemetry,
        at_most,
    ))
}

/// In all runs together. A run that nothing is known of is not clean.
fn damage(kinglet: &Column) -> Bar {
    let counts = kinglet.runs.iter().map(|run| {
        let verdict = run.verdict.as_ref()?;
        let lines = verdict.damage();
        Some((lines + run.events_dropped + run.failed_invocations) as f64)
    });
    bar(
        "lost, repeated, out of order, misattributed, dropped, failed",
        counts.sum::<Option<f64>>(),
        0.0,
    )
}

pub(crate) fn bar(what: &str, measured: Option<f64>, at_most: f64) -> Bar {
    Bar {
        what: what.into(),
        measured,
        at_most,
        met: measured.is_some_and(|measured| measured <= at_most),
    }
}

pub(crate) fn show(bars: &[Bar]) -> String {
    let rows: Vec<Vec<String>> = bars
        .iter()
        .map(|bar| {
            let measured = bar
                .measured
                .map_or("not known".into(), |value| format!("{value:.2}"));
            let verdict = if bar.met {
                paint::collector("met")
            } else {
                paint::bad("MISSED")
            };
            vec![bar.what.clone(), measured, bar.at_most.to_string(), verdict]
        })
        .collect();
    table::columns(&["bar", "measured", "at most", ""], &rows)
}

#[cfg(test)]
mod tests {
    use super::super::comparison::Instructions;
    use super::super::measured::Measured;
    use super::*;
    use crate::program::rival::Rival;
    use crate::program::verdict::Verdict;

    fn column(name: &str, cpu: f64, memory_peak_kb: u64, lost: usize) -> Column {
        let run = Measured {
            cpu_ms_per_mb_of_telemetry: Some(cpu),
            memory_peak_kb,
            verdict: Some(Verdict {
                lost,
                ..Verdict::default()
            }),
            ..Measured::default()
        };
        Column {
            extension: Rival {
                name: name.into(),
                path: name.into(),
            },
            runs: vec![run],
            instructions: None,
        }
    }

    fn missed(columns: &[Column], is_healthy: bool, is_layer: bool) -> usize {
        let conditions = Conditions {
            is_healthy,
            is_layer,
        };
        let bars = bars(columns, &conditions);
        bars.iter().filter(|bar| !bar.met).count()
    }

    #[test]
    fn each_bar_can_be_missed() {
        let kinglet = |cpu, memory, lost| [column("kinglet", cpu, memory, lost)];
        assert_eq!(missed(&kinglet(3.9, 2400, 0), true, true), 0);
        assert_eq!(missed(&kinglet(4.1, 2400, 0), true, true), 1);
        assert_eq!(missed(&kinglet(3.9, 2500, 0), true, true), 1);
        assert_eq!(missed(&kinglet(3.9, 2500, 0), true, false), 0);
        assert_eq!(missed(&kinglet(3.9, 2400, 1), true, true), 1);
        // A collector with a fault may cost lines.
        assert_eq!(missed(&kinglet(3.9, 2400, 1), false, true), 0);
        // Instructions, where they were counted.
        let mut counted = kinglet(3.9, 2400, 0);
        counted[0].instructions = Some(Instructions {
            all: 0,
            per_byte_of_telemetry: Some(20.0),
        });
        assert_eq!(missed(&counted, true, true), 0);
        assert_eq!(missed(&counted, true, false), 1);
        // Nothing is known of a run whose bodies cannot be decoded.
        let mut unknown = kinglet(3.9, 2400, 0);
        unknown[0].runs[0].verdict = None;
        assert_eq!(missed(&unknown, true, true), 1);
    }

    #[test]
    fn a_slow_machine_is_slow_for_the_rival_too() {
        let both = |rival| {
            [
                column("kinglet", 8.0, 1000, 0),
                column(RIVAL, rival, 9000, 0),
            ]
        };
        assert_eq!(missed(&both(20.1), true, true), 0);
        assert_eq!(missed(&both(19.0), true, true), 1);
    }
}
