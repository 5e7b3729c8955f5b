//! `cargo layer` builds the layers; `cargo size-report` weighs them, draws them, and holds them to a budget.

mod layer;
mod report;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use owo_colors::OwoColorize;

/// Builds kinglet's layers and weighs them.
#[derive(Parser)]
#[command(name = "cargo", bin_name = "cargo", max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Layer(layer::Arguments),
    SizeReport(report::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Layer(arguments) => layer::run(&arguments),
        Command::SizeReport(arguments) => report::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("{} {error:#}", "error:".red());
            ExitCode::FAILURE
        }
    }
}
