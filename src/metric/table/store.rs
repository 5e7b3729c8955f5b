//! The series of the table: identities one behind the other in one piece of memory, found by their hashes.

use super::histogram;
use crate::clock::Wall;
use crate::format::point::{self, Histogram, Kind};
use crate::limits::{
    SERIES_BYTES_MAX, SERIES_CONVENTIONAL_BYTES, SERIES_CONVENTIONAL_MAX, SERIES_MAX,
};

/// Little more than half of them are used, so that a free one is found soon.
const PLACES: usize = 2 * SERIES_MAX;
/// A place without a series.
const FREE: u16 = 0;

#[derive(Clone, Copy)]
pub struct Series {
    hash: u64,
    /// The sum, where the gauge stands, or how many members the set has.
    pub value: f64,
    /// Where its identity stands.
    at: u32,
    identity_bytes: u16,
    /// Its number among the histograms, or that of the next one behind it.
    histogram: u16,
    pub kind: Kind,
    /// The last drain before it was measured since its last point: where its next one begins.
    pub since: Wall,
    /// Measured since then.
    pub is_touched: bool,
    /// It has a time of its own.
    pub is_timed: bool,
}

/// A series with what belongs to it.
pub struct Entry<'a> {
    pub series: &'a mut Series,
    pub histogram: Option<&'a mut Histogram>,
    pub identity: &'a [u8],
}

pub struct Store {
    series: Vec<Series>,
    /// In the order of the series.
    identities: Vec<u8>,
    /// In the order of the series that are histograms.
    histograms: Vec<Histogram>,
    /// Numbers of series, from 1, by open addressing. Empty before the first one.
    places: Vec<u16>,
}

impl Store {
    pub const fn new() -> Store {
        Store {
            series: Vec::new(),
            identities: Vec::new(),
            histograms: Vec::new(),
            places: Vec::new(),
        }
    }

    pub const fn len(&self) -> usize {
        self.series.len()
    }

    /// `more`: so many series beyond the bound for all.
    pub fn has_room(&self, identity_bytes: usize, more: usize) -> bool {
        let bytes_max = SERIES_BYTES_MAX + more * SERIES_CONVENTIONAL_BYTES;
        self.series.len() < SERIES_MAX + more && self.identities.len() + identity_bytes <= bytes_max
    }

    /// The number of the series with this identity.
    pub fn find(&self, hash: u64, identity: &[u8]) -> Option<usize> {
        let mut place = hash as usize % PLACES;
        loop {
            // A free place, and a table without places, end the search.
            let number = usize::from(*self.places.get(place)?).checked_sub(1)?;
            let series = self.series.get(number)?;
            if series.hash == hash && self.identity(series) == identity {
                return Some(number);
            }
            place = (place + 1) % PLACES;
        }
    }

    /// Adds a series, for which there is room, and returns its number.
    pub fn add(&mut self, hash: u64, identity: &[u8], kind: Kind) -> usize {
        debug_assert!(self.has_room(identity.len(), SERIES_CONVENTIONAL_MAX));
        let number = self.series.len();
        self.series.push(Series {
            hash,
            value: 0.0,
            at: self.identities.len() as u32,
            identity_bytes: identity.len() as u16,
            histogram: self.histograms.len() as u16,
            kind,
            since: Wall(0),
            is_touched: false,
            is_timed: point::identity_time(identity) > 0,
        });
        self.identities.extend_from_slice(identity);
        if matches!(kind, Kind::Histogram(_)) {
            self.histograms.push(histogram::EMPTY);
        }
        if self.places.is_empty() {
            self.places = vec![FREE; PLACES];
        }
        self.place(hash, number);
        number
    }

    pub fn entry(&mut self, number: usize) -> Option<Entry<'_>> {
        let series = self.series.get_mut(number)?;
        let at = series.at as usize;
        Some(Entry {
            histogram: match series.kind {
                Kind::Histogram(_) => self.histograms.get_mut(usize::from(series.histogram)),
                _ => None,
            },
            identity: self
                .identities
                .get(at..at + usize::from(series.identity_bytes))?,
            series,
        })
    }

    /// Removes the series that are not to be kept; false if there were none. All others get new numbers.
    pub fn retain(&mut self, keep: &mut dyn FnMut(&Series) -> bool) -> bool {
        let all = self.series.len();
        // Up to the first that leaves nothing moves; mostly that is all.
        let Some(mut kept) = self.series.iter().position(|series| !keep(series)) else {
            return false;
        };
        let first = self.series.get(kept);
        let (mut identity_bytes, mut histograms) = first.map_or((0, 0), |series| {
            (series.at as usize, usize::from(series.histogram))
        });
        for number in kept + 1..all {
            let Some(mut series) = self.series.get(number).copied() else {
                break;
            };
            if !keep(&series) {
                continue;
            }
            let at = series.at as usize;
            let end = at + usize::from(series.identity_bytes);
            self.identities.copy_within(at..end, identity_bytes);
            series.at = identity_bytes as u32;
            identity_bytes += end - at;
            let from = usize::from(series.histogram);
            series.histogram = histograms as u16;
            if matches!(series.kind, Kind::Histogram(_)) {
                self.histograms.copy_within(from..=from, histograms);
                histograms += 1;
            }
            if let Some(place) = self.series.get_mut(kept) {
                *place = series;
            }
            kept += 1;
        }
        self.series.truncate(kept);
        self.identities.truncate(identity_bytes);
        self.histograms.truncate(histograms);
        self.places.fill(FREE);
        for number in 0..kept {
            if let Some(series) = self.series.get(number) {
                self.place(series.hash, number);
            }
        }
        true
    }

    #[cfg(test)]
    pub const fn capacity(&self) -> usize {
        self.series.capacity() * size_of::<Series>()
            + self.identities.capacity()
            + self.histograms.capacity() * size_of::<Histogram>()
            + self.places.capacity() * 2
    }

    fn identity(&self, series: &Series) -> &[u8] {
        let at = series.at as usize;
        let end = at + usize::from(series.identity_bytes);
        self.identities.get(at..end).unwrap_or_default()
    }

    fn place(&mut self, hash: u64, number: usize) {
        let mut place = hash as usize % PLACES;
        while let Some(found) = self.places.get_mut(place) {
            if *found == FREE {
                *found = number as u16 + 1;
                return;
            }
            place = (place + 1) % PLACES;
        }
    }
}

const _: () = assert!(
    SERIES_MAX + SERIES_CONVENTIONAL_MAX < PLACES
        && PLACES < u16::MAX as usize
        && SERIES_BYTES_MAX <= u32::MAX as usize
);
