//! Several extensions under the same load: medians, least values and ratios.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::rival::Rival;
use super::super::table;
use super::measured::Measured;

/// The runs of one extension.
pub(crate) struct Column {
    pub(crate) extension: Rival,
    pub(crate) runs: Vec<Measured>,
    pub(crate) instructions: Option<Instructions>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Instructions {
    pub(crate) all: u64,
    pub(crate) per_byte_of_telemetry: Option<f64>,
}

/// Something that is compared.
pub(crate) struct Quantity {
    /// In the table.
    name: &'static str,
    /// In JSON.
    key: &'static str,
    decimals: usize,
    of: fn(&Measured) -> Option<f64>,
}

/// The less of it the better.
const COSTS: [Quantity; 9] = [
    CPU,
    Quantity {
        name: "CPU, ms per MB of lines",
        key: "cpu_ms_per_mb_of_lines",
        decimals: 2,
        of: |run| run.cpu_ms_per_mb_of_lines,
    },
    Quantity {
        name: "peak memory, kB",
        key: "memory_peak_kb",
        decimals: 0,
        of: |run| Some(run.memory_peak_kb as f64),
    },
    Quantity {
        name: "init, ms",
        key: "init_ms",
        decimals: 1,
        of: |run| Some(run.init_ms),
    },
    Quantity {
        name: "all invocations, ms",
        key: "took_ms",
        decimals: 0,
        of: |run| Some(run.took_ms),
    },
    Quantity {
        name: "held in all, ms",
        key: "held_ms",
        decimals: 1,
        of: |run| Some(run.held_ms.iter().sum()),
    },
    Quantity {
        name: "longest hold, ms",
        key: "held_max_ms",
        decimals: 1,
        of: |run| Some(run.held_max_ms),
    },
    Quantity {
        name: "sandbox's own CPU, ms",
        key: "sandbox_cpu_ms",
        decimals: 0,
        of: |run| Some(run.sandbox_cpu_ms),
    },
    Quantity {
        name: "SHUTDOWN to exit, ms",
        key: "exit_ms",
        decimals: 1,
        of: |run| Some(run.exit_ms),
    },
];

pub(crate) const CPU: Quantity = Quantity {
    name: "CPU, ms per MB of telemetry",
    key: "cpu_ms_per_mb_of_telemetry",
    decimals: 2,
    of: |run| run.cpu_ms_per_mb_of_telemetry,
};

/// Of these the worst run counts.
const DAMAGES: [Quantity; 5] = [
    Quantity {
        name: "lines lost",
        key: "lost",
        decimals: 0,
        of: |run| Some(run.verdict.as_ref()?.lost as f64),
    },
    Quantity {
        name: "lines repeated",
        key: "repeated",
        decimals: 0,
        of: |run| Some(run.verdict.as_ref()?.repeated as f64),
    },
    Quantity {
        name: "telemetry given up by Lambda, events",
        key: "events_dropped",
        decimals: 0,
        of: |run| Some(run.events_dropped as f64),
    },
    Quantity {
        name: "failed invocations",
        key: "failed_invocations",
        decimals: 0,
        of: |run| Some(run.failed_invocations as f64),
    },
    Quantity {
        name: "killed after SHUTDOWN",
        key: "killed",
        decimals: 0,
        of: |run| Some(f64::from(u8::from(run.killed))),
    },
];

impl Column {
    fn values(&self, quantity: &Quantity) -> Vec<f64> {
        self.runs.iter().filter_map(quantity.of).collect()
    }

    pub(crate) fn median(&self, quantity: &Quantity) -> Option<f64> {
        median(self.values(quantity))
    }

    pub(crate) fn least(&self, quantity: &Quantity) -> Option<f64> {
        self.values(quantity).into_iter().reduce(f64::min)
    }

    pub(crate) fn worst(&self, quantity: &Quantity) -> Option<f64> {
        self.values(quantity).into_iter().reduce(f64::max)
    }

    /// The median of this extension's runs divided each by the other's run beside it: what slows down both cancels.
    pub(crate) fn ratio(&self, other: &Column, quantity: &Quantity) -> Option<f64> {
        let pairs = self.runs.iter().zip(&other.runs);
        let ratios = pairs.filter_map(|(own, other)| {
            let other = (quantity.of)(other).filter(|value| *value > 0.0)?;
            Some((quantity.of)(own)? / other)
        });
        median(ratios.collect())
    }
}

/// One column for each extension; ratios are to the first.
pub(crate) fn show(columns: &[Column]) -> String {
    let runs = columns.first().map_or(0, |column| column.runs.len());
    let title = match runs {
        1 => "one run".to_string(),
        _ => format!("median of {runs} runs (the least)"),
    };
    let mut head = vec![title.as_str()];
    head.extend(columns.iter().map(|column| column.extension.name.as_str()));
    let row = |name: &str, cell: &dyn Fn(&Column) -> Option<String>| {
        let cells = columns
            .iter()
            .map(|column| cell(column).unwrap_or_else(|| "-".into()));
        [name.to_string()]
            .into_iter()
            .chain(cells)
            .collect::<Vec<_>>()
    };
    let mut rows = Vec::new();
    for cost in &COSTS {
        rows.push(row(cost.name, &|column| cost_cell(column, columns, cost)));
    }
    if columns.iter().any(|column| column.instructions.is_some()) {
        rows.push(row("instructions per byte of telemetry", &|column| {
            let count = column.instructions?.per_byte_of_telemetry?;
            Some(format!("{count:.2}"))
        }));
    }
    for damage in &DAMAGES {
        rows.push(row(damage.name, &|column| {
            Some(format!("{:.0}", column.worst(damage)?))
        }));
    }
    table::columns(&head, &rows)
}

/// `3.54 (3.41)`, and how many times the first one's that is.
fn cost_cell(column: &Column, columns: &[Column], cost: &Quantity) -> Option<String> {
    let decimals = cost.decimals;
    let mut cell = format!("{:.decimals$}", column.median(cost)?);
    if column.runs.len() > 1 {
        cell += &format!(" ({:.decimals$})", column.least(cost)?);
    }
    let first = columns
        .first()
        .filter(|first| !std::ptr::eq(*first, column));
    if let Some(ratio) = first.and_then(|first| column.ratio(first, cost)) {
        cell += &format!("  {ratio:.2}×");
    }
    Some(cell)
}

/// Everything, with every run.
pub(crate) fn json(columns: &[Column]) -> Value {
    let object = |quantities: &[Quantity], of: &dyn Fn(&Quantity) -> Option<f64>| {
        let members = quantities
            .iter()
            .map(|each| (each.key.to_string(), rounded(of(each))));
        Value::Object(members.collect::<Map<_, _>>())
    };
    let extensions = columns.iter().map(|column| {
        json!({
            "name": column.extension.name,
            "path": column.extension.path,
            "median": object(&COSTS, &|cost| column.median(cost)),
            "least": object(&COSTS, &|cost| column.least(cost)),
            "ratio": object(&COSTS, &|cost| column.ratio(columns.first()?, cost)),
            "worst": object(&DAMAGES, &|damage| column.worst(damage)),
            "instructions": column.instructions,
            "runs": column.runs,
        })
    });
    extensions.collect()
}

fn rounded(value: Option<f64>) -> Value {
    match value.map(|value| (value * 1e3).round() / 1e3) {
        None => Value::Null,
        Some(value) if value.fract() == 0.0 => (value as u64).into(),
        Some(value) => value.into(),
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some((values[low] + values[high]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, cpu: &[f64], lost: &[usize]) -> Column {
        let run = |(cpu, lost): (&f64, &usize)| Measured {
            cpu_ms_per_mb_of_telemetry: Some(*cpu),
            verdict: Some(crate::program::verdict::Verdict {
                lost: *lost,
                ..Default::default()
            }),
            ..Measured::default()
        };
        Column {
            extension: Rival {
                name: name.into(),
                path: name.into(),
            },
            runs: cpu.iter().zip(lost).map(run).collect(),
            instructions: None,
        }
    }

    #[test]
    fn medians_and_the_least_and_the_worst() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0]), Some(3.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        let column = column("a", &[3.0, 1.0, 2.0], &[0, 7, 0]);
        assert_eq!(column.least(&CPU), Some(1.0));
        assert_eq!(column.worst(&DAMAGES[0]), Some(7.0));
    }

    #[test]
    fn a_ratio_is_that_of_runs_side_by_side() {
        // The machine was four times slower in the last pair of runs, which changes no ratio.
        let columns = [
            column("a", &[1.0, 1.0, 4.0], &[0, 0, 0]),
            column("b", &[3.0, 3.0, 12.0], &[0, 2, 0]),
        ];
        assert_eq!(columns[1].ratio(&columns[0], &CPU), Some(3.0));
        let table = show(&columns);
        assert!(table.contains("3.00 (3.00)  3.00×"), "{table}");
        let all = json(&columns);
        assert_eq!(all[1]["ratio"]["cpu_ms_per_mb_of_telemetry"], 3);
        assert_eq!(all[1]["worst"]["lost"], 2);
        assert_eq!(all[0]["runs"].as_array().map(Vec::len), Some(3));
    }
}
