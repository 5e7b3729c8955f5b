//! Splits an array of events into its elements, and cuts those that are too long.

mod cutting;

use super::scan::Scan;
use super::{Cut, Element, Malformed};
use crate::limits::ASSEMBLY_KEPT_BYTES_MAX;

/// Splits a JSON array of events, arriving in any chunking, into its elements. One per connection.
///
/// A body that is one bare object counts as an array of that object. An element that lies inside one chunk is
/// borrowed from it; one that spans chunks, or is longer than the capacity, is put together in a buffer of our own.
///
/// ```text
///             '['              value              end of value
///   Start ──────────▶ First ──────────▶ Inside ────────────────▶ After ──── ',' ───▶ Next ── value ──▶ Inside
///     │                 └──── ']' ───▶ End ◀────────── ']' ────────┘
///     └───── '{' ────▶ Inside (bare) ──▶ End
/// ```
pub struct Elements {
    capacity: usize,
    place: Place,
    /// The body is one object without an array around it.
    bare: bool,
    /// The assembly holds an element that the last call handed out.
    yielded: bool,
    room: Room,
    scan: Scan,
    assembly: Vec<u8>,
    cut: Option<Cut>,
    /// The cut value is a string, so a closing quote replaces what is dropped.
    cut_string: bool,
}

/// Where in the body the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    First,
    Next,
    Inside,
    After,
    End,
    Broken,
}

/// What becomes of the bytes of the current element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    /// All are kept: there was room so far.
    Keeping,
    /// Those up to the end of the cut value are dropped.
    DroppingValue,
    /// Those behind the cut value are kept.
    KeepingTail,
    /// There is no room left: those up to the end of the element are dropped.
    DroppingTail,
}

enum Found<'input> {
    InInput(&'input [u8]),
    Assembled,
    Nothing,
}

impl Elements {
    /// `capacity` is the most bytes an element may keep; the assembly buffer never grows past it. Nothing is
    /// allocated before an element spans two chunks.
    pub const fn new(capacity: usize) -> Self {
        Elements {
            capacity,
            place: Place::Start,
            bare: false,
            yielded: false,
            room: Room::Keeping,
            scan: Scan::new(),
            assembly: Vec::new(),
            cut: None,
            cut_string: false,
        }
    }

    /// The next element, taken from the front of `input`; `None` when the input is used up.
    ///
    /// After `Malformed` the rest of the body is lost, and every call with more of it says so until `finish`; the
    /// elements before it were good.
    pub fn next<'a, 'input: 'a>(
        &'a mut self,
        input: &mut &'input [u8],
    ) -> Result<Option<Element<'a>>, Malformed> {
        if self.yielded {
            self.release();
        }
        match self.advance(input) {
            Ok(Found::InInput(raw)) => Ok(Some(Element { raw, cut: None })),
            Ok(Found::Assembled) => {
                self.yielded = true;
                Ok(Some(Element {
                    raw: &self.assembly,
                    cut: self.cut.clone(),
                }))
            }
            Ok(Found::Nothing) => Ok(None),
            Err(malformed) => {
                self.place = Place::Broken;
                Err(malformed)
            }
        }
    }

    /// Lets somebody take the next element who may know it at sight. `take` is given what begins with the element, and says how
    /// many bytes it has; `None`: it does not know it, or it is not all there. True if an element was taken. Else it is still
    /// there, for `next`.
    pub fn next_known(
        &mut self,
        input: &mut &[u8],
        take: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Result<bool, Malformed> {
        if self.yielded {
            self.release();
        }
        if self.place == Place::Inside {
            return Ok(false);
        }
        match (self.place, &**input) {
            // Nearly always.
            (Place::After, [b',', rest @ ..]) if rest.first() == Some(&b'{') => {
                *input = rest;
                self.place = Place::Inside;
                self.scan = Scan::new();
            }
            _ => match self.enter(input) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(malformed) => {
                    self.place = Place::Broken;
                    return Err(malformed);
                }
            },
        }
        let Some(rest) = take(input).and_then(|bytes| input.get(bytes..)) else {
            return Ok(false);
        };
        *input = rest;
        self.place = if self.bare { Place::End } else { Place::After };
        Ok(true)
    }

    /// The body ended: `Ok` if the array was complete. Makes ready for the next body.
    pub fn finish(&mut self) -> Result<(), Malformed> {
        let complete = self.place == Place::End;
        self.place = Place::Start;
        self.bare = false;
        self.release();
        if complete { Ok(()) } else { Err(Malformed) }
    }

    /// Makes the assembly ready for the next element.
    fn release(&mut self) {
        if self.assembly.capacity() > ASSEMBLY_KEPT_BYTES_MAX {
            self.assembly = Vec::new();
        }
        self.assembly.clear();
        self.yielded = false;
        self.room = Room::Keeping;
        self.cut = None;
    }

    fn advance<'input>(&mut self, input: &mut &'input [u8]) -> Result<Found<'input>, Malformed> {
        if self.place != Place::Inside && !self.enter(input)? {
            return Ok(Found::Nothing);
        }
        // Every turn takes bytes or leaves `Keeping` and then `KeepingTail` for good, so the loop ends.
        while !input.is_empty() {
            let (keep, floor) = match self.room {
                Room::Keeping | Room::KeepingTail => (true, 0),
                Room::DroppingValue => (false, 1),
                Room::DroppingTail => (false, 0),
            };
            let room = self.capacity.saturating_sub(self.assembly.len());
            let bytes: &'input [u8] = input;
            let window = if keep {
                bytes.get(..room).unwrap_or(bytes)
            } else {
                bytes
            };
            if window.is_empty() {
                self.overflow();
                continue;
            }
            let end = self.scan.value_end(window, floor)?;
            let used = end.unwrap_or(window.len());
            let (taken, rest) = bytes.split_at_checked(used).unwrap_or((bytes, &[]));
            *input = rest;
            if end.is_some() && floor == 0 {
                self.place = if self.bare { Place::End } else { Place::After };
                if keep && self.assembly.is_empty() {
                    return Ok(Found::InInput(taken));
                }
            }
            if keep {
                self.keep(taken);
            } else if floor == 1 {
                self.drop_value(used, end.is_some());
            }
            if self.place != Place::Inside {
                return Ok(Found::Assembled);
            }
        }
        Ok(Found::Nothing)
    }

    /// Reads up to the first byte of an element, which it leaves in the input. False if the input has none.
    fn enter(&mut self, input: &mut &[u8]) -> Result<bool, Malformed> {
        while let Some((&byte, rest)) = input.split_first() {
            self.place = match (self.place, byte) {
                (place, b' ' | b'\t' | b'\n' | b'\r') if place != Place::Broken => place,
                (Place::After, b',') => Place::Next,
                (Place::After | Place::First, b']') => Place::End,
                (Place::Start, b'[') => Place::First,
                (Place::Start, b'{') => {
                    self.bare = true;
                    Place::Inside
                }
                (
                    Place::First | Place::Next,
                    b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n',
                ) => Place::Inside,
                _ => return Err(Malformed),
            };
            if self.place == Place::Inside {
                self.scan = Scan::new();
                return Ok(true);
            }
            *input = rest;
        }
        Ok(false)
    }

    /// Appends to the assembly, whose allocation doubles but never passes the capacity.
    fn keep(&mut self, bytes: &[u8]) {
        let needed = self.assembly.len().saturating_add(bytes.len());
        if needed > self.assembly.capacity() {
            let wanted = needed
                .max(self.assembly.capacity().saturating_mul(2))
                .min(self.capacity);
            self.assembly
                .reserve_exact(wanted.saturating_sub(self.assembly.len()));
        }
        self.assembly.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests;
