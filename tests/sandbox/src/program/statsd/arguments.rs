//! The command line of `cargo sandbox statsd`.

use clap::{Args, value_parser};

use crate::program::arguments::Common;

#[derive(Args)]
pub(crate) struct Statsd {
    /// How many datagrams the function sends.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = value_parser!(u64).range(1..))]
    pub(crate) datagrams: u64,
    /// Over how many seconds, evenly.
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// How many series they are of; kinglet has room for 1024.
    #[arg(long, value_name = "K", default_value_t = 100, value_parser = value_parser!(u64).range(1..))]
    pub(crate) series: u64,
    /// Fails if a bar is missed.
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}
