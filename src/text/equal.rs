//! Whether two texts are the same, eight bytes at a time: `==` compares byte by byte where the layer's `memcmp` does.

/// Whether they are: mostly they are not of one length, or the very same.
#[must_use]
#[inline]
pub fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && (core::ptr::eq(one, other) || has_same_bytes(one, other))
}

fn has_same_bytes(one: &[u8], other: &[u8]) -> bool {
    // The last word may overlap the one before it.
    let (Some(last), Some(other_last)) = (one.last_chunk::<8>(), other.last_chunk::<8>()) else {
        let mut pairs = one.iter().zip(other);
        return pairs.all(|(one, other)| one == other);
    };
    let ((words, _), (other_words, _)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let mut words = words.iter().zip(other_words);
    u64::from_le_bytes(*last) == u64::from_le_bytes(*other_last)
        && words.all(|(one, other)| u64::from_le_bytes(*one) == u64::from_le_bytes(*other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_the_length_count() {
        for length in 0..40 {
            let one: Vec<u8> = (0..length).collect();
            assert!(equal(&one, &one.clone()));
            assert!(!equal(&one, &[&one[..], b"x"].concat()));
            for at in 0..one.len() {
                let mut other = one.clone();
                other[at] ^= 1;
                assert!(!equal(&one, &other), "{length} {at}");
            }
        }
    }
}
