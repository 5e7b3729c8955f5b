//! What stands for the table of series without the feature `metrics`: nothing is ever in it.

use crate::clock::Wall;
use crate::format::point::Temporality;
use crate::metric::measurement::Measurement;

pub struct Table {
    pub overflow: u64,
    pub malformed: u64,
}

impl Table {
    #[must_use]
    pub const fn new(_temporality: Temporality) -> Table {
        Table {
            overflow: 0,
            malformed: 0,
        }
    }

    pub const fn record(&mut self, _measurement: &mut Measurement<'_, '_>, _now: Wall) {}

    #[must_use]
    pub const fn oldest(&self) -> Option<Wall> {
        None
    }

    #[must_use]
    pub const fn touched(&self) -> usize {
        0
    }

    #[must_use]
    pub const fn is_nearly_full(&self) -> bool {
        false
    }

    pub const fn drain(&mut self, _now: Wall, _emit: &mut dyn FnMut(&[u8]) -> bool) {}
}
