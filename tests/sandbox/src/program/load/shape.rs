//! When a line is due: the shape of a load over time.

use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

/// What a burst of the bursty shape is: 1 MB, as much as kinglet's ring holds.
const BURST_BYTES: u64 = 1_000_000;
/// MB of lines a second, where nothing else is asked for.
const MB_PER_S: f64 = 4.0;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    /// As fast as the extension takes them.
    Flood,
    /// Evenly, at `--rate`.
    Steady,
    /// First quiet, then 1 MB at once, and so on; `--rate` on average.
    Bursty,
}

/// The times of a whole run. It goes on from one invocation to the next, and does not wait for the extension: what one
/// holds up is written late, then as fast as it goes, as the requests of a busy function would be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Timetable {
    pub(crate) shape: Shape,
    /// Of lines; nothing in a flood.
    pub(crate) mb_per_s: Option<f64>,
}

impl Timetable {
    pub(crate) fn new(shape: Shape, rate: Option<f64>) -> Result<Timetable, &'static str> {
        match (shape, rate) {
            (Shape::Flood, Some(_)) => Err(
                "a flood has no rate: give --shape steady or --shape bursty, or leave out --rate",
            ),
            (Shape::Flood, None) => Ok(Timetable {
                shape,
                mb_per_s: None,
            }),
            (Shape::Steady | Shape::Bursty, rate) => Ok(Timetable {
                shape,
                mb_per_s: Some(rate.unwrap_or(MB_PER_S)),
            }),
        }
    }

    /// When the next line is due, counted from the run's start, after so many bytes of lines.
    pub(crate) fn due(self, bytes: u64) -> Duration {
        let Some(mb_per_s) = self.mb_per_s else {
            return Duration::ZERO;
        };
        let bytes = match self.shape {
            Shape::Flood => 0,
            Shape::Steady => bytes,
            Shape::Bursty => (bytes / BURST_BYTES + 1) * BURST_BYTES,
        };
        Duration::from_secs_f64(bytes as f64 / 1e6 / mb_per_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_has_its_times() {
        let due = |shape, rate, bytes| {
            let table = Timetable::new(shape, rate).unwrap();
            table.due(bytes).as_millis()
        };
        assert_eq!(due(Shape::Flood, None, 5_000_000), 0);
        assert_eq!(due(Shape::Steady, Some(2.0), 0), 0);
        assert_eq!(due(Shape::Steady, Some(2.0), 3_000_000), 1500);
        assert_eq!(due(Shape::Steady, None, 4_000_000), 1000);
        // Quiet for half a second, 1 MB, quiet for half a second, 1 MB.
        assert_eq!(due(Shape::Bursty, Some(2.0), 0), 500);
        assert_eq!(due(Shape::Bursty, Some(2.0), 999_999), 500);
        assert_eq!(due(Shape::Bursty, Some(2.0), 1_000_000), 1000);
        assert!(Timetable::new(Shape::Flood, Some(2.0)).is_err());
    }
}
