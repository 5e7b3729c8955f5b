//! The lines of a load.

use std::fmt::Write;

const WORDS: [&str; 8] = [
    "order", "stored", "item", "customer", "queue", "retry", "shipped", "priced",
];

/// Line `number`: 120 to 200 bytes, as a managed runtime writes them, and unlike any other.
pub(crate) fn line(number: usize, request_id: &str) -> String {
    let mut line = String::with_capacity(200);
    let (seconds, millis) = (number / 1000 % 60, number % 1000);
    write!(
        line,
        "2026-11-21T09:15:{seconds:02}.{millis:03}Z\t{request_id}\tINFO\tline {number:08}"
    )
    .expect("writing to memory");
    let mut mixed = number.wrapping_mul(0x9E37_79B9);
    for _ in 0..4 + number % 8 {
        line.push(' ');
        line.push_str(WORDS[(mixed >> 5) % WORDS.len()]);
        mixed = mixed.wrapping_mul(31).wrapping_add(7);
    }
    write!(line, " \"id\"={:x} done", mixed & 0xFFFF).expect("writing to memory");
    line
}
