//! What kinglet says when it is run by a person, outside of Lambda.

use crate::config::table::SETTINGS;

/// What comes before the variables.
const HEAD: &str = concat!(
    "kinglet ",
    env!("CARGO_PKG_VERSION"),
    "
The smallest AWS Lambda extension that ships a function's logs and metrics over
plain HTTP.

Lambda runs it beside a function; AWS_LAMBDA_RUNTIME_API is not set, so there is
nothing to do here.

Install:  put this file into a layer as extensions/kinglet, executable, and set
          KINGLET_ENDPOINT to an OTLP/HTTP collector, as http://10.0.0.5:4318
Try:      `cargo sandbox` in kinglet's repository
Options:  --version, --help

Variables, and what they may be; the first word is the default, or what stands
before the brackets. An indented one counts where those above it are not set.

"
);

/// The help text.
#[must_use]
pub fn help() -> Vec<u8> {
    let mut text = Vec::from(HEAD.as_bytes());
    for setting in &SETTINGS {
        setting.push_help(&mut text);
    }
    text
}

/// The version line, with the features that are in it.
pub const VERSION: &str = concat!(
    "kinglet ",
    env!("CARGO_PKG_VERSION"),
    env!("KINGLET_FEATURES"),
    "\n"
);
