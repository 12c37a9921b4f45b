//! Randomness for names, ports and passwords of throw-away servers.

use std::hash::{BuildHasher, RandomState};

/// A random number. The standard library seeds every `RandomState` from the system's entropy.
pub(crate) fn number() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// Random lower-case letters and digits.
pub(crate) fn text(length: usize) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bits = number();
        for _ in 0..12 {
            let letter = LETTERS.get(usize::try_from(bits % 32).unwrap_or(0)).copied().unwrap_or(b'a');
            text.push(char::from(letter));
            bits /= 32;
        }
    }
    text.truncate(length);
    text
}
