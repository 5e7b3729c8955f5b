//! `cargo size-report`.

/// Weighs the layers, draws them, and compares them with the budget and the last report.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: &Arguments) -> anyhow::Result<()> {
    anyhow::bail!("not built yet")
}
