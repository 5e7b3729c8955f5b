//! The buckets of a histogram.

use crate::format::point::Bounds;
use crate::format::point::Histogram;

pub const EMPTY: Histogram = [0; size_of::<Histogram>() / 8];

/// Takes a value so many times; together that is `amount`. False, and nothing changes, if that is more than the numbers hold.
pub fn observe(
    histogram: &mut Histogram,
    value: f64,
    times: u64,
    amount: f64,
    bounds: Bounds,
) -> bool {
    let [count, sum, min, max, buckets @ ..] = histogram;
    let new_sum = f64::from_bits(*sum) + amount;
    let below = bounds.boundaries().iter().filter(|bound| value > **bound);
    let (Some(new_count), Some(bucket)) =
        (count.checked_add(times), buckets.get_mut(below.count()))
    else {
        return false;
    };
    if !new_sum.is_finite() {
        return false;
    }
    if *count == 0 || value < f64::from_bits(*min) {
        *min = value.to_bits();
    }
    if *count == 0 || value > f64::from_bits(*max) {
        *max = value.to_bits();
    }
    (*count, *sum) = (new_count, new_sum.to_bits());
    // No bucket has more than all.
    *bucket += times;
    true
}
