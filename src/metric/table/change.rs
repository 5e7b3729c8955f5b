//! What a measurement does to the value of its series.

use super::Refusal;
use super::histogram::observe;
use super::members::Members;
use super::store::Entry;
use crate::metric::measurement::Change;
use crate::text::hash::hash;

/// What comes to a series, or where it stands; no number if the measurement is none.
pub(super) fn amount(change: &Change<'_>) -> f64 {
    match *change {
        Change::Add {
            value,
            is_monotonic: true,
        } if value < 0.0 => f64::NAN,
        Change::Add { value, .. } | Change::Set(value) | Change::Adjust(value) => value,
        Change::Observe { times: 0, .. } => f64::NAN,
        Change::Observe { value, times, .. } => value * times as f64,
        Change::Member(_) => 0.0,
    }
}

/// Either all of the change is in the series, or nothing.
pub(super) fn change_value(
    entry: &mut Entry<'_>,
    change: &Change<'_>,
    amount: f64,
    hash: u64,
    members: &mut Members,
) -> Result<(), Refusal> {
    let series = &mut *entry.series;
    let value = match *change {
        Change::Add { .. } | Change::Adjust(_) => series.value + amount,
        Change::Set(_) => amount,
        Change::Member(member) => {
            // Those of before its last point may still be there, if another set's had no room.
            let member = self::hash(member, hash ^ series.since.0);
            let is_new = members.insert(member).ok_or(Refusal::Overflow)?;
            series.value + f64::from(is_new)
        }
        Change::Observe {
            value,
            times,
            bounds,
        } => {
            let histogram = entry.histogram.as_deref_mut();
            match histogram.is_some_and(|it| observe(it, value, times, amount, bounds)) {
                true => 0.0,
                false => f64::NAN,
            }
        }
    };
    if !value.is_finite() {
        return Err(Refusal::Malformed);
    }
    series.value = value;
    Ok(())
}
