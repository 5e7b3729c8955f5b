//! What many runs come to.

use serde::Serialize;

/// Over all runs that count; the unit is the values' own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) p90: f64,
}

impl Summary {
    /// Of no values there is none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Summary> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (min, middle) = (*sorted.first()?, sorted.len() / 2);
        let median = match sorted.len() % 2 {
            1 => sorted[middle],
            _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
        };
        // Nearest rank: the least value that 90 % of all do not exceed.
        let p90 = sorted[(sorted.len() * 9).div_ceil(10) - 1];
        Some(Summary { min, median, p90 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_few_and_of_many_in_any_order() {
        let summary = |values: &[f64]| Summary::of(values.iter().copied());
        assert_eq!(summary(&[]), None);
        for (values, min, median, p90) in [
            (&[7.0][..], 7.0, 7.0, 7.0),
            (&[4.0, 2.0], 2.0, 3.0, 4.0),
            (&[3.0, 9.0, 1.0], 1.0, 3.0, 9.0),
        ] {
            assert_eq!(summary(values), Some(Summary { min, median, p90 }));
        }
        let hundred = Summary::of((1..=100).rev().map(f64::from));
        let (min, median, p90) = (1.0, 50.5, 90.0);
        assert_eq!(hundred, Some(Summary { min, median, p90 }));
    }
}
