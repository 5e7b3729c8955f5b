//! The same in plain Rust.

/// All bytes seen so far, or-ed.
#[derive(Clone, Copy)]
pub struct Seen(u8);

impl Seen {
    pub fn nothing() -> Seen {
        Seen(0)
    }

    /// Some byte was not ASCII.
    pub fn is_high(self) -> bool {
        self.0 >= 0x80
    }
}

/// Bits that stand for one byte in what [`copy`] returns.
pub const BITS: u32 = 1;

/// Copies a block. A bit for each quote and backslash in it, the first one lowest.
pub fn copy(from: &[u8; 16], to: &mut [u8; 16], seen: &mut Seen) -> u64 {
    *to = *from;
    seen.0 |= from.iter().fold(0, |all, byte| all | byte);
    let bytes = from.iter().rev();
    bytes.fold(0, |marks, byte| {
        marks << 1 | u64::from(matches!(byte, b'"' | b'\\'))
    })
}

/// As [`copy`], for each byte that is this one.
pub fn equal(block: &[u8; 16], byte: u8) -> u64 {
    let bytes = block.iter().rev();
    bytes.fold(0, |marks, found| marks << 1 | u64::from(*found == byte))
}

/// Some byte of the block is no character of ASCII, or a control character.
pub fn has_unprintable(block: &[u8; 16]) -> bool {
    block.iter().any(|byte| !matches!(byte, b' '..0x80))
}
