//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kinglet_sandbox::{Fault, LogFormat, Mode};

use super::cold::arguments::Cold;
use super::load::line::Lines;
use super::load::shape::Shape;
use super::statsd::arguments::Statsd;

const EXAMPLES: &str = "\
Examples:
  cargo sandbox                                          kinglet beside a small built-in function
  cargo sandbox --invocations 3 --gap 2000               with longer freezes
  cargo sandbox --flush end                              kinglet ships after each invocation
  cargo sandbox --collector-fault slow:400ms             a slow collector
  cargo sandbox --collector-fault 'status:503*1'         one that fails once, and recovers
  cargo sandbox --collector http://127.0.0.1:4318        a collector of your own
  cargo sandbox --function 'python3 -m awslambdaric app.handler' --payload event.json
  cargo sandbox --extension ./another-extension --env KEY=value
  cargo sandbox load --mb 16 --invocations 20            how much it costs, and whether all arrives
  cargo sandbox load --layer --against lambda-extension --repeat 5
  cargo sandbox load --shape bursty --rate 2 --collector-fault slow:100ms
  cargo sandbox cold --svg start.svg                     what a start costs, beside the least that any needs
  cargo sandbox statsd --datagrams 1000000 --check       what a datagram of metrics costs, and whether all count";

/// A Lambda sandbox to run any extension in: real registration, telemetry, freezes and SHUTDOWN, on this machine.
///
/// Without --extension it builds kinglet and runs that.
#[derive(Parser)]
#[command(name = "cargo sandbox", bin_name = "cargo sandbox", after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: Run,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Puts many lines through extensions, verifies every one at the collector, and compares what that costs.
    Load(Load),
    /// Times the starts of extensions side by side, from exec to the first next, and counts what they cost.
    Cold(Cold),
    /// Sends many DogStatsD datagrams to kinglet, accounts for every one, and shows what one costs.
    Statsd(Statsd),
}

#[derive(Args)]
pub(crate) struct Run {
    /// The function: a command that is a Lambda runtime, run by `sh -c`. Without it, a small one built in.
    #[arg(long, value_name = "CMD")]
    pub(crate) function: Option<String>,
    /// How many invocations.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) invocations: u32,
    /// How long the sandbox is frozen between two invocations.
    #[arg(long, value_name = "MS", default_value_t = 500)]
    pub(crate) gap: u64,
    /// A JSON file that the function gets as its event.
    #[arg(long, value_name = "FILE")]
    pub(crate) payload: Option<PathBuf>,
    /// The format of the function's logs.
    #[arg(long, value_enum)]
    pub(crate) log_format: Option<Format>,
    /// The kind of Lambda.
    #[arg(long, value_enum, default_value = "on-demand")]
    pub(crate) mode: Kind,
    /// kinglet's KINGLET_FLUSH.
    #[arg(long, value_parser = ["start", "end", "adaptive"])]
    pub(crate) flush: Option<String>,
    /// A collector of your own, in place of the one built in; what it receives is then not known here.
    #[arg(long, value_name = "URL", conflicts_with = "collector_fault", value_parser = collector)]
    pub(crate) collector: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Args)]
pub(crate) struct Load {
    /// How many MB (10^6 bytes) of lines in a run.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) mb: u32,
    /// Over how many invocations.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) invocations: u32,
    /// How the lines come.
    #[arg(long, value_enum, default_value = "flood")]
    pub(crate) shape: Shape,
    /// What the function writes.
    #[arg(long, value_enum, default_value = "text", value_name = "LINES")]
    pub(crate) lines: Lines,
    /// How many MB of lines a second, for steady and bursty; 4 without it.
    #[arg(long, value_name = "MB", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Another extension to compare with: its path, or the name of one in tests/rivals; can be repeated.
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) against: Vec<String>,
    /// Runs of each extension, in turn; medians and the least are shown.
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
    /// Counts instructions too, in one more run of each extension, under valgrind.
    #[arg(long)]
    pub(crate) instructions: bool,
    /// Fails if the first extension costs more than kinglet may, or loses or repeats a line.
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Args)]
pub(crate) struct Common {
    /// Any extension, in place of kinglet.
    #[arg(long, value_name = "PATH")]
    pub(crate) extension: Option<PathBuf>,
    /// kinglet as the layer has it, built by `cargo layer`, in place of a release build.
    #[arg(long, conflicts_with = "extension")]
    pub(crate) layer: bool,
    /// A variable for the extension; can be repeated.
    #[arg(long = "env", value_name = "K=V", value_parser = variable)]
    pub(crate) environment: Vec<(String, String)>,
    /// What is wrong with the collector: slow:400ms, status:503, status:503*1 (the first request), retry-after:2, partial:3, close, refuse,
    /// reset, hang, garbage, cut:1000.
    #[arg(
        long,
        value_name = "FAULT",
        default_value = "none",
        hide_default_value = true
    )]
    pub(crate) collector_fault: Fault,
    /// One JSON object on standard output, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

impl From<Format> for LogFormat {
    fn from(format: Format) -> LogFormat {
        match format {
            Format::Text => LogFormat::Text,
            Format::Json => LogFormat::Json,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    OnDemand,
    ProvisionedConcurrency,
    ManagedInstances,
}

impl From<Kind> for Mode {
    fn from(kind: Kind) -> Mode {
        match kind {
            Kind::OnDemand => Mode::OnDemand,
            Kind::ProvisionedConcurrency => Mode::ProvisionedConcurrency,
            Kind::ManagedInstances => Mode::ManagedInstances,
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.001..=1e6).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number of MB a second, 0.001 or more".into()),
    }
}

fn collector(text: &str) -> Result<String, String> {
    let url: Option<http::Uri> = text.parse().ok();
    let is_url = url.is_some_and(|url| {
        let (host, all) = (
            url.host().unwrap_or_default(),
            url.authority().map_or("", http::uri::Authority::as_str),
        );
        let host_and_port = all.rsplit('@').next().unwrap_or_default();
        let port = host_and_port.strip_prefix(host).unwrap_or_default();
        let is_port = |port: &str| {
            port.strip_prefix(':')
                .is_some_and(|port| port.parse::<u16>().is_ok())
        };
        matches!(url.scheme_str(), Some("http" | "https"))
            && !host.is_empty()
            && (port.is_empty() || is_port(port))
    });
    match is_url {
        true => Ok(text.into()),
        false => {
            Err("a collector is written http://host:port, such as http://127.0.0.1:4318".into())
        }
    }
}

pub(crate) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("a variable is written NAME=value".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
        let parsed = Arguments::try_parse_from(["sandbox", "load", "--mb", "2", "--env", "A=b=c"])
            .ok()
            .unwrap();
        let Some(Command::Load(load)) = parsed.command else {
            panic!("not a load")
        };
        assert_eq!(
            (load.mb, load.common.environment),
            (2, vec![("A".to_string(), "b=c".to_string())])
        );
        for wrong in [
            ["--rate", "0"],
            ["--rate", "fast"],
            ["--repeat", "0"],
            ["--shape", "round"],
        ] {
            let arguments = ["sandbox", "load"].into_iter().chain(wrong);
            assert!(Arguments::try_parse_from(arguments).is_err(), "{wrong:?}");
        }
        assert!(Arguments::try_parse_from(["sandbox", "--collector-fault", "nonesuch"]).is_err());
    }
}
