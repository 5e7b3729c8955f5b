//! `cargo sandbox`: a Lambda sandbox to watch an extension in, or to load it.

mod program;

use std::process::ExitCode;

use clap::Parser;
use serde_json::{Map, Value};

use program::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Extension and function have process groups of their own: a Ctrl-C does not reach them by itself.
    let handled = ctrlc::set_handler(|| {
        kinglet_sandbox::clean_up();
        std::process::exit(130);
    });
    debug_assert!(handled.is_ok());
    // What `--json` prints, whatever becomes of the command.
    let mut report = Map::new();
    let (is_json, outcome) = match &arguments.command {
        Some(Command::Cold(cold)) => (cold.json, program::cold::cold(cold, &mut report)),
        Some(Command::Load(load)) => (load.common.json, program::load::load(load, &mut report)),
        Some(Command::Statsd(statsd)) => (
            statsd.common.json,
            program::statsd::statsd(statsd, &mut report),
        ),
        None => (
            arguments.run.common.json,
            program::run::run(&arguments.run, &mut report),
        ),
    };
    let error = outcome.err().map(|error| format!("{error:#}"));
    if is_json {
        report.insert("error".into(), error.clone().into());
        program::paint::print_json(&Value::Object(report));
    }
    match error {
        None => ExitCode::SUCCESS,
        Some(error) => {
            let error = program::plain::line(&error);
            anstream::eprintln!("{} {error}", program::paint::bad("error:"));
            ExitCode::FAILURE
        }
    }
}
