//! Text from elsewhere, made fit for a terminal: what a function, an extension or a collector's requests say is shown, not obeyed.

/// What is longer is shortened: a few lines of a wide terminal.
const SHOWN_CHARS_MAX: usize = 500;

/// One line of ordinary characters. What a terminal might obey is written as in Rust (`\u{1b}`), a newline as ⏎; and of a
/// long text there are the beginning, and how long it is.
pub(crate) fn line(text: &str) -> String {
    let text = text.trim_end_matches(['\n', ' ']);
    let mut shown: String = text
        .chars()
        .take(SHOWN_CHARS_MAX)
        .flat_map(harmless)
        .collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown += &format!("… ({} bytes)", thousands(text.len() as u64));
    }
    shown
}

fn harmless(each: char) -> Vec<char> {
    match each {
        '\n' => vec!['⏎'],
        '\t' => vec![' '],
        _ if each.is_control() || turns(each) => each.escape_default().collect(),
        _ => vec![each],
    }
}

/// Whether it is one of Unicode's marks that change the direction of what follows, and of lines.
fn turns(each: char) -> bool {
    matches!(each, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The number in groups of three digits.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_a_terminal_obeys() {
        for (text, shown) in [
            ("plain, ä, 名前, 🙂\n", "plain, ä, 名前, 🙂"),
            ("a\tb\nc", "a b⏎c"),
            ("\x1b[2J\x07", "\\u{1b}[2J\\u{7}"),
            ("a\rb\x7f", "a\\rb\\u{7f}"),
            (
                "\u{9b}31m\u{202e}\u{2066}\u{2028}",
                "\\u{9b}31m\\u{202e}\\u{2066}\\u{2028}",
            ),
        ] {
            assert_eq!(line(text), shown);
        }
    }

    #[test]
    fn a_long_text_says_how_long_it_is() {
        let whole = "ä".repeat(SHOWN_CHARS_MAX);
        assert_eq!(line(&whole), whole);
        assert_eq!(
            line(&format!("{whole}{}", "x".repeat(700))),
            format!("{whole}… (1,700 bytes)")
        );
    }

    #[test]
    fn numbers_in_groups() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }
}
