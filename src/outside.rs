//! What kinglet says when it is run by a person, outside of Lambda.

/// The help text.
pub const HELP: &str = concat!(
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
"
);

/// The version line.
pub const VERSION: &str = concat!("kinglet ", env!("CARGO_PKG_VERSION"), "\n");
