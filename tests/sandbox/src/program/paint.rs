//! Colours, one meaning each. They vanish where standard output is no terminal or NO_COLOR is set.

use std::fmt::Display;
use std::io::Write;

use owo_colors::OwoColorize;
use serde_json::Value;

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

/// Prints JSON, byte for byte.
pub(crate) fn print_json(value: &Value) {
    leave_if_gone(writeln!(std::io::stdout(), "{value:#}"));
}

/// Prints a line.
pub(crate) fn print(text: impl Display) {
    leave_if_gone(writeln!(anstream::stdout(), "{text}"));
}

/// Whoever reads may have gone (`| head`): then the sandbox ends, and takes everything with it.
fn leave_if_gone(written: std::io::Result<()>) {
    if written.is_err() {
        kinglet_sandbox::clean_up();
        std::process::exit(1);
    }
}
