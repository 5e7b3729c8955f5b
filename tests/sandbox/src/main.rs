//! `cargo sandbox`: a Lambda sandbox to watch an extension in, or to load it.

mod program;

use std::process::ExitCode;

use clap::Parser;

use program::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Extension and function have process groups of their own: a Ctrl-C does not reach them by itself.
    let handled = ctrlc::set_handler(|| {
        kinglet_sandbox::clean_up();
        std::process::exit(130);
    });
    debug_assert!(handled.is_ok());
    let outcome = match arguments.command {
        Some(Command::Cold(cold)) => program::cold::cold(&cold),
        Some(Command::Load(load)) => program::load::load(&load),
        Some(Command::Statsd(statsd)) => program::statsd::statsd(&statsd),
        None => program::run::run(&arguments.run),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("{} {error:#}", program::paint::bad("error:"));
            ExitCode::FAILURE
        }
    }
}
