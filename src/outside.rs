//! What kinglet says when it is run by a person, outside of Lambda.

/// The help text.
pub const HELP: &str = concat!(
    "kinglet ",
    env!("CARGO_PKG_VERSION"),
    "
The smallest and fastest AWS Lambda extension that records a function's logs
and ships them in batches over plain HTTP.

It runs beside a function, as an extension: Lambda starts it, and there is
nothing for it to do here (AWS_LAMBDA_RUNTIME_API is not set).

Install:  put this file into a layer as extensions/kinglet, executable, and
          give the function the variable KINGLET_ENDPOINT, the URL of an
          OTLP/HTTP collector such as http://10.0.0.5:4318
Try:      `cargo sandbox` in kinglet's repository runs it beside a function
          in a Lambda sandbox, on this machine
Options:  --version, --help
"
);

/// The version line.
pub const VERSION: &str = concat!("kinglet ", env!("CARGO_PKG_VERSION"), "\n");
