//! The command line of `cargo sandbox cold`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub(crate) struct Cold {
    /// The extension in question. Without it, kinglet: the layer if `cargo layer` has built it, else a release build.
    #[arg(long, value_name = "PATH")]
    pub(crate) extension: Option<PathBuf>,
    /// An extension to compare with: its path, or the name of one in tests/rivals; can be repeated. Without it, floor and
    /// lambda-extension.
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) against: Vec<String>,
    /// Starts of each extension from the page cache, and as many from disk.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// A variable for the extensions; can be repeated.
    #[arg(long = "env", value_name = "K=V", value_parser = crate::program::arguments::variable)]
    pub(crate) environment: Vec<(String, String)>,
    /// Counts instructions too, one by one in a start of each: slow, but hardly different from one time to the next.
    #[arg(long)]
    pub(crate) instructions: bool,
    /// Draws the times.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Fails if the first extension is over one of kinglet's bars.
    #[arg(long)]
    pub(crate) check: bool,
    /// One JSON object on standard output, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}
