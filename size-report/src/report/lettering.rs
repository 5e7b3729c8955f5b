//! How much text there is room for in a picture. Nobody knows the reader's fonts, so this is on the safe side.

/// How wide a letter is, beside its height.
const LETTER: f64 = 0.58;
const BOLD_LETTER: f64 = 0.68;

/// As much of a name as there is room for; `None` where nothing could be read.
pub(crate) fn fitted(name: &str, width: f64, size: f64) -> Option<String> {
    let room = letters(width, size);
    if name.chars().count() <= room {
        return Some(name.to_string());
    }
    // The last part of a path says more than its first.
    let last = name.rsplit("::").next().unwrap_or(name);
    if last.chars().count() <= room {
        return Some(last.to_string());
    }
    // Half of a count says nothing.
    let can_be_cut = room >= 6 && !name.ends_with(" small");
    can_be_cut.then(|| format!("{}…", last.chars().take(room - 1).collect::<String>()))
}

/// A name with its bytes, or at least the name, in bold.
pub(crate) fn headline_text(name: &str, bytes: &str, width: f64, size: f64) -> Option<String> {
    let bold = size * BOLD_LETTER / LETTER;
    let long = format!("{name}  {bytes}");
    if long.chars().count() <= letters(width, bold) {
        return Some(long);
    }
    fitted(name, width, bold)
}

fn letters(width: f64, size: f64) -> usize {
    (width / (size * LETTER)).max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_from_the_front_first() {
        let width = |letters: f64| letters * LETTER * 10.0 + 0.1;
        assert_eq!(
            fitted("Otlp::begin", width(11.0), 10.0).as_deref(),
            Some("Otlp::begin")
        );
        assert_eq!(
            fitted("Otlp::begin", width(7.0), 10.0).as_deref(),
            Some("begin")
        );
        assert_eq!(
            fitted("Otlp::subscription", width(8.0), 10.0).as_deref(),
            Some("subscri…")
        );
        assert_eq!(fitted("Otlp::begin", width(3.0), 10.0), None);
        assert_eq!(fitted("67 small", width(7.0), 10.0), None);
    }
}
