//! Colours, one meaning each. They vanish where standard output is no terminal or NO_COLOR is set.

use std::fmt::Display;
use std::io::Write;

use owo_colors::OwoColorize;

/// What Lambda does.
pub(crate) fn platform(text: impl Display) -> String {
    text.cyan().to_string()
}

/// What the function writes.
pub(crate) fn function(text: impl Display) -> String {
    text.yellow().to_string()
}

/// What the collector receives.
pub(crate) fn collector(text: impl Display) -> String {
    text.green().to_string()
}

/// What the extension writes.
pub(crate) fn extension(text: impl Display) -> String {
    text.magenta().to_string()
}

pub(crate) fn faint(text: impl Display) -> String {
    text.dimmed().to_string()
}

pub(crate) fn strong(text: impl Display) -> String {
    text.bold().to_string()
}

pub(crate) fn bad(text: impl Display) -> String {
    text.red().bold().to_string()
}

/// Prints a line. Whoever reads may have gone (`| head`): then the sandbox ends, and takes everything with it.
pub(crate) fn print(text: impl Display) {
    if writeln!(anstream::stdout(), "{text}").is_err() {
        kinglet_sandbox::clean_up();
        std::process::exit(1);
    }
}
