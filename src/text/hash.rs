//! The hash of identities and members: eight bytes a step, each folded out of a product of 128 bits.

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// `seed` keeps the same bytes apart in two places.
pub fn hash(bytes: &[u8], seed: u64) -> u64 {
    let mut state = fold(seed ^ bytes.len() as u64);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word));
    }
    let last = rest
        .iter()
        .fold(0, |last, byte| last << 8 | u64::from(*byte));
    fold(state ^ last)
}

/// Adds first, so that a state of nothing but zeros does not stay one.
fn fold(state: u64) -> u64 {
    let product = u128::from(state.wrapping_add(FACTOR)) * u128::from(FACTOR);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_the_length_count() {
        let mut hashes = std::collections::HashSet::new();
        let mut texts = 0;
        for length in 0..40 {
            for at in 0..length {
                for value in 1..=255u8 {
                    let mut text = vec![0; length];
                    text[at] = value;
                    hashes.insert(hash(&text, 0));
                    texts += 1;
                }
            }
            hashes.insert(hash(&vec![0; length], 0));
            texts += 1;
        }
        assert_eq!(hashes.len(), texts);
        assert_ne!(hash(b"a", 0), hash(b"a", 1));
    }

    /// The index takes the low bits.
    #[test]
    fn low_bits_are_spread() {
        let mut used = vec![0u32; 2048];
        for number in 0..1024 {
            used[hash(format!("orders.placed.{number}").as_bytes(), 0) as usize % 2048] += 1;
        }
        assert!(used.iter().max() <= Some(&6));
        assert!(used.iter().filter(|count| **count > 0).count() > 700);
    }
}
