//! What stands for the data points without the feature `metrics`: none are written.

use crate::format::point::Point;

pub(super) const fn write(_out: &mut Vec<u8>, _point: &Point<'_>) {}
