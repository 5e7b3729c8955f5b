//! Whether two texts are the same, eight bytes at a time: `==` compares byte by byte where the layer's `memcmp` does.

/// For texts that are mostly the same, perhaps the very same, and longer than some bytes.
#[must_use]
pub fn equal(one: &[u8], other: &[u8]) -> bool {
    let ((words, rest), (other_words, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let is_same =
        |(one, other): (&[u8; 8], &[u8; 8])| u64::from_le_bytes(*one) == u64::from_le_bytes(*other);
    let mut pairs = rest.iter().zip(other_rest);
    core::ptr::eq(one, other)
        || one.len() == other.len()
            && words.iter().zip(other_words).all(is_same)
            && pairs.all(|(one, other)| one == other)
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
