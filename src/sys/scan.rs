//! Text of JSON, sixteen bytes at a time: what both architectures can do without being asked (SSE2, NEON), and the same in plain
//! Rust for tests. The layer is optimised for size, where a compiler turns no loop into such instructions by itself.

/// Sixteen bytes, looked at together.
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod block {
    use core::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128,
        _mm_set1_epi8, _mm_setzero_si128, _mm_storeu_si128,
    };

    /// All bytes seen so far, or-ed.
    #[derive(Clone, Copy)]
    pub struct Seen(__m128i);

    impl Seen {
        pub fn nothing() -> Seen {
            // SAFETY: SSE2 is part of every x86_64.
            Seen(unsafe { _mm_setzero_si128() })
        }

        /// Some byte was not ASCII.
        pub fn is_high(self) -> bool {
            // SAFETY: as above.
            unsafe { _mm_movemask_epi8(self.0) != 0 }
        }
    }

    /// Bits that stand for one byte in what [`copy`] returns.
    pub const BITS: u32 = 1;

    /// Copies a block. A bit for each quote and backslash in it, the first one lowest.
    #[inline(always)]
    pub fn copy(from: &[u8; 16], to: &mut [u8; 16], seen: &mut Seen) -> u64 {
        // SAFETY: SSE2 is part of every x86_64, and both pointers are those of live arrays of sixteen bytes; no alignment is
        // asked for.
        unsafe {
            let bytes = _mm_loadu_si128(from.as_ptr().cast());
            _mm_storeu_si128(to.as_mut_ptr().cast(), bytes);
            seen.0 = _mm_or_si128(seen.0, bytes);
            let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
            let backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
            _mm_movemask_epi8(_mm_or_si128(quotes, backslashes)) as u64
        }
    }

    /// As [`copy`], for each byte that is this one.
    #[inline(always)]
    pub fn equal(block: &[u8; 16], byte: u8) -> u64 {
        // SAFETY: as above.
        unsafe {
            let bytes = _mm_loadu_si128(block.as_ptr().cast());
            _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8))) as u64
        }
    }

    /// Some byte of the block is no character of ASCII, or a control character.
    #[inline(always)]
    pub fn has_unprintable(block: &[u8; 16]) -> bool {
        // SAFETY: as above.
        unsafe {
            let bytes = _mm_loadu_si128(block.as_ptr().cast());
            // As signed numbers, what is not ASCII is less than 0.
            _mm_movemask_epi8(_mm_cmpgt_epi8(_mm_set1_epi8(b' ' as i8), bytes)) != 0
        }
    }
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
mod block {
    use core::arch::aarch64::{
        uint8x16_t, vceqq_u8, vdupq_n_u8, vget_lane_u64, vld1q_s8, vld1q_u8, vmaxvq_u8, vminvq_s8,
        vorrq_u8, vreinterpret_u64_u8, vreinterpretq_u16_u8, vshrn_n_u16, vst1q_u8,
    };

    /// All bytes seen so far, or-ed.
    #[derive(Clone, Copy)]
    pub struct Seen(uint8x16_t);

    impl Seen {
        pub fn nothing() -> Seen {
            // SAFETY: NEON is part of every aarch64 that Lambda has, and of this target.
            Seen(unsafe { vdupq_n_u8(0) })
        }

        /// Some byte was not ASCII.
        pub fn is_high(self) -> bool {
            // SAFETY: as above.
            unsafe { vmaxvq_u8(self.0) >= 0x80 }
        }
    }

    /// Bits that stand for one byte in what [`copy`] returns.
    pub const BITS: u32 = 4;

    /// Copies a block. Bits for each quote and backslash in it, the first one lowest.
    #[inline(always)]
    pub fn copy(from: &[u8; 16], to: &mut [u8; 16], seen: &mut Seen) -> u64 {
        // SAFETY: NEON is part of this target, and both pointers are those of live arrays of sixteen bytes.
        unsafe {
            let bytes = vld1q_u8(from.as_ptr());
            vst1q_u8(to.as_mut_ptr(), bytes);
            seen.0 = vorrq_u8(seen.0, bytes);
            let quotes = vceqq_u8(bytes, vdupq_n_u8(b'"'));
            let backslashes = vceqq_u8(bytes, vdupq_n_u8(b'\\'));
            let marks = vreinterpretq_u16_u8(vorrq_u8(quotes, backslashes));
            vget_lane_u64::<0>(vreinterpret_u64_u8(vshrn_n_u16::<4>(marks)))
        }
    }

    /// As [`copy`], for each byte that is this one.
    #[inline(always)]
    pub fn equal(block: &[u8; 16], byte: u8) -> u64 {
        // SAFETY: as above.
        unsafe {
            let marks = vreinterpretq_u16_u8(vceqq_u8(vld1q_u8(block.as_ptr()), vdupq_n_u8(byte)));
            vget_lane_u64::<0>(vreinterpret_u64_u8(vshrn_n_u16::<4>(marks)))
        }
    }

    /// Some byte of the block is no character of ASCII, or a control character.
    #[inline(always)]
    pub fn has_unprintable(block: &[u8; 16]) -> bool {
        // SAFETY: as above. As signed numbers, what is not ASCII is less than 0.
        unsafe { vminvq_s8(vld1q_s8(block.as_ptr().cast())) < b' ' as i8 }
    }
}

#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
use portable as block;

#[cfg(any(test, miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[cfg_attr(not(any(miri, test)), allow(dead_code))]
mod portable;

/// What an escape of two characters stands for, by its second, from `"` on; 0: it is none.
#[allow(
    clippy::indexing_slicing,
    reason = "the compiler evaluates it, and refuses what is out of bounds"
)]
const ESCAPES: [u8; 96] = {
    let mut table = [0; 96];
    let pairs = *b"\"\"\\\\//b\x08f\x0cn\nr\rt\t";
    let mut at = 0;
    while at < pairs.len() {
        table[pairs[at] as usize - 32] = pairs[at + 1];
        at += 2;
    }
    table
};

/// What [`copy_plain`] has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Copied {
    /// Bytes of the text that were taken.
    pub taken: usize,
    /// Bytes that were written.
    pub written: usize,
    /// All of them were ASCII. If not, that may be due to bytes behind the taken ones.
    pub is_ascii: bool,
}

/// Copies string content of JSON, unescaped, up to its quote, and stops before anything unusual: an escape that is longer or none,
/// the end of the text, or less than sixteen bytes left in `out`. Up to sixteen bytes behind the written ones are overwritten.
#[inline(never)]
pub fn copy_plain(text: &[u8], out: &mut [u8]) -> Copied {
    let mut seen = block::Seen::nothing();
    let (mut from, mut to) = (0, 0);
    // Where the last whole blocks begin; below 0 if there is none.
    let from_max = text.len() as isize - 16;
    let to_max = out.len() as isize - 16;
    let mut last;
    while to as isize <= to_max {
        // SAFETY: `from` is at most the length of the text, for a block that has a mark, which `padded` sees to at the end of the
        // text, is not passed but up to its first one. So sixteen bytes are left of it, or else they are those of `last`. `to` is at
        // most sixteen below the length of `out`, which is borrowed for this function alone.
        let (source, target) = unsafe {
            let source = if from as isize <= from_max {
                text.as_ptr().add(from)
            } else {
                last = padded(text.get_unchecked(from..));
                last.as_ptr()
            };
            (&*source.cast(), &mut *out.as_mut_ptr().add(to).cast())
        };
        let marks = block::copy(source, target, &mut seen);
        if marks == 0 {
            (from, to) = (from + 16, to + 16);
            continue;
        }
        let clean = (marks.trailing_zeros() / block::BITS) as usize;
        (from, to) = (from + clean, to + clean);
        let Some([b'\\', code]) = text.get(from..).and_then(<[u8]>::first_chunk) else {
            break;
        };
        let byte = ESCAPES.get(usize::from(code.wrapping_sub(32)));
        let (Some(byte @ 1..), Some(place)) = (byte.copied(), out.get_mut(to)) else {
            break;
        };
        *place = byte;
        (from, to) = (from + 2, to + 1);
    }
    Copied {
        taken: from,
        written: to,
        is_ascii: !seen.is_high(),
    }
}

/// Bytes of a short text up to its quote: `None` if it is longer than 31, or holds an escape. One with anything but ASCII in it, or
/// close behind it, is taken for one that does.
#[must_use]
pub fn plain_bytes(text: &[u8]) -> Option<usize> {
    let mut seen = block::Seen::nothing();
    for at in [0, 16] {
        let rest = text.get(at..)?;
        let block = rest.first_chunk().copied().unwrap_or_else(|| padded(rest));
        let marks = block::copy(&block, &mut [0; 16], &mut seen);
        if marks != 0 {
            let bytes = at + (marks.trailing_zeros() / block::BITS) as usize;
            return (text.get(bytes) == Some(&b'"') && !seen.is_high()).then_some(bytes);
        }
    }
    None
}

/// Appends text to `out` that is the same in a string of JSON: ASCII without anything that has to be escaped. False, and nothing is
/// appended, if it is no such text, or longer than 64 bytes.
#[must_use]
pub fn append_plain(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let mut copy = [b' '; 64];
    let Some(place) = copy.get_mut(..text.len()) else {
        return false;
    };
    place.copy_from_slice(text);
    let bytes = text.len().next_multiple_of(16);
    for block in copy.get(..bytes).unwrap_or_default().as_chunks().0 {
        if block::has_unprintable(block)
            || block::equal(block, b'"') | block::equal(block, b'\\') != 0
        {
            return false;
        }
    }
    out.extend_from_slice(text);
    true
}

/// Where a byte stands first.
#[must_use]
#[inline(never)]
pub fn position(text: &[u8], byte: u8) -> Option<usize> {
    // Up to the last block, which overlaps the one before it, where nothing was found.
    if let Some(last) = text.len().checked_sub(16) {
        let mut at = 0;
        loop {
            let marks = block::equal(text.get(at..)?.first_chunk()?, byte);
            if marks != 0 {
                return Some(at + (marks.trailing_zeros() / block::BITS) as usize);
            }
            if at == last {
                return None;
            }
            at = last.min(at + 16);
        }
    }
    text.iter().position(|found| *found == byte)
}

fn padded(rest: &[u8]) -> [u8; 16] {
    let mut block = [b'"'; 16];
    for (place, byte) in block.iter_mut().zip(rest) {
        *place = *byte;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Numbers;

    /// Byte by byte.
    fn naive(text: &[u8], room: usize) -> (usize, Vec<u8>) {
        let (mut at, mut out) = (0, Vec::new());
        while at < text.len() && room - out.len() >= 16 {
            let (byte, taken) = match (text[at], text.get(at + 1)) {
                (b'"', _) | (b'\\', None) => break,
                (b'\\', Some(&code)) => match code {
                    b'"' | b'\\' | b'/' => (code, 2),
                    b'b' => (8, 2),
                    b'f' => (12, 2),
                    b'n' => (b'\n', 2),
                    b'r' => (b'\r', 2),
                    b't' => (b'\t', 2),
                    _ => break,
                },
                (byte, _) => (byte, 1),
            };
            out.push(byte);
            at += taken;
        }
        (at, out)
    }

    #[test]
    fn as_byte_by_byte() {
        let mut random = Numbers(0x5eed_0001);
        let alphabet = b"abcdefghij \"\\\\ntu/\xc3\xa9\x00";
        for round in 0..20_000 {
            let length = random.below(90);
            let rare = random.below(4) > 0;
            let text: Vec<u8> = (0..length)
                .map(|_| {
                    let all = if rare && random.below(8) > 0 {
                        11
                    } else {
                        alphabet.len()
                    };
                    alphabet[random.below(all)]
                })
                .collect();
            let room = random.below(100);
            let mut out = vec![0xee; room];
            let copied = copy_plain(&text, &mut out);
            let (taken, expected) = naive(&text, room);
            // A block is copied whole, or up to where it stops being plain: up to fifteen more bytes than one by one.
            assert!(copied.taken >= taken, "{round}: {text:?}");
            assert!(copied.taken <= text.len() && copied.written <= room);
            assert_eq!(out[..expected.len()], expected[..], "{round}: {text:?}");
            if copied.is_ascii {
                assert!(out[..copied.written].is_ascii());
            }
            let rest = &text[copied.taken..];
            let stops = match rest {
                [] | [b'"', ..] | [b'\\'] => true,
                [b'\\', code, ..] => !b"\"\\/bfnrt".contains(code),
                _ => false,
            };
            assert!(
                stops || room - copied.written < 16,
                "{round}: {text:?} {copied:?}"
            );
        }
    }

    #[test]
    fn only_what_needs_no_escape_is_appended() {
        for length in 0..70 {
            let mut text = vec![b'~'; length];
            let mut out = b"before".to_vec();
            assert_eq!(append_plain(&mut out, &text), length <= 64);
            assert_eq!(out.len(), 6 + if length > 64 { 0 } else { length });
            for at in 0..length {
                for byte in 0..=255 {
                    text[at] = byte;
                    let is_plain = matches!(byte, b' '..=0x7f) && !b"\"\\".contains(&byte);
                    let is_appended = append_plain(&mut Vec::new(), &text);
                    assert_eq!(is_appended, length <= 64 && is_plain, "{text:?}");
                }
                text[at] = b'~';
            }
        }
    }

    #[test]
    fn the_first_of_all_bytes_is_found() {
        for length in 0..70 {
            let mut text = vec![b'x'; length];
            assert_eq!(position(&text, b'|'), None);
            for at in (0..length).rev() {
                text[at] = b'|';
                assert_eq!(position(&text, b'|'), Some(at), "of {length}");
            }
        }
    }

    #[test]
    fn blocks_are_alike_everywhere() {
        let mut random = Numbers(0x5eed_0002);
        for _ in 0..20_000 {
            let from: [u8; 16] = core::array::from_fn(|_| match random.below(20) {
                0 => b'"',
                1 => b'\\',
                2 => 0xc3,
                _ => random.below(128) as u8,
            });
            let (mut one, mut other) = ([0; 16], [0; 16]);
            let (mut seen, mut portable) = (block::Seen::nothing(), portable::Seen::nothing());
            let marks = block::copy(&from, &mut one, &mut seen);
            let expected = portable::copy(&from, &mut other, &mut portable);
            assert_eq!(
                marks.trailing_zeros().min(16 * block::BITS) / block::BITS,
                expected.trailing_zeros().min(16 * portable::BITS) / portable::BITS
            );
            assert_eq!((one, seen.is_high()), (other, portable.is_high()));
            assert_eq!(
                block::equal(&from, 0xc3)
                    .trailing_zeros()
                    .min(16 * block::BITS)
                    / block::BITS,
                portable::equal(&from, 0xc3).trailing_zeros().min(16)
            );
            assert_eq!(
                block::has_unprintable(&from),
                portable::has_unprintable(&from)
            );
        }
    }
}
