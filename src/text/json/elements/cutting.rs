//! Cutting elements that are too long.

use super::{Elements, Room};
use crate::limits::CUT_RESERVE_BYTES;
use crate::text::json::escapes::boundary;
use crate::text::json::members::members;
use crate::text::json::{Cut, Value};

impl Elements {
    /// Counts bytes of the cut value, and closes it at its end.
    pub(super) fn drop_value(&mut self, bytes: usize, ended: bool) {
        if let Some(cut) = &mut self.cut {
            cut.original_bytes = cut.original_bytes.saturating_add(bytes);
        }
        if ended {
            if self.cut_string {
                self.assembly.push(b'"');
            }
            self.room = Room::KeepingTail;
        }
    }

    /// The assembly is full and the element goes on.
    ///
    /// The first member's value that reaches into the reserve is cut back to where the reserve begins; it is
    /// looked for only now, so that the scanner need not know members. This depends on nothing but the first
    /// `capacity` bytes of the element, and so not on the chunking.
    #[inline(never)]
    pub(super) fn overflow(&mut self) {
        let first_time = self.room == Room::Keeping;
        self.room = Room::DroppingTail;
        if !first_time {
            return;
        }
        let limit = self.capacity.saturating_sub(CUT_RESERVE_BYTES);
        let mut walk = members(&self.assembly, None);
        let (member, end) = loop {
            let Some(member) = walk.next() else { return };
            let end = walk.offset();
            if end > limit {
                break (member, end);
            }
        };
        // The first byte stays in any case: it tells the kind of the value.
        let inside = member.offset.saturating_add(1);
        let text = self.assembly.get(inside..).unwrap_or(&[]);
        let at = inside.saturating_add(boundary(text, limit.saturating_sub(inside)));
        if at >= self.capacity {
            return;
        }
        self.cut_string = matches!(member.value, Value::String(_));
        self.cut = Some(Cut {
            at,
            original_bytes: end.saturating_sub(member.offset),
        });
        if member.complete {
            let behind = end.saturating_sub(usize::from(self.cut_string));
            let tail = self.assembly.get(behind..).unwrap_or(&[]).to_vec();
            self.assembly.truncate(at);
            self.assembly.extend_from_slice(&tail);
            self.room = Room::KeepingTail;
        } else {
            self.assembly.truncate(at);
            self.room = Room::DroppingValue;
        }
    }
}
