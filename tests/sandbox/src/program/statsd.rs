//! `cargo sandbox statsd`: a function that sends many DogStatsD datagrams, and what each of them costs kinglet.
//!
//! ```text
//! function ──datagrams, evenly──▶ kernel ──▶ kinglet ──points──▶ collector
//!    sent      =      dropped here   +   received      sums of counters, counts of timers
//! ```
//!
//! Meanwhile the function writes lines, and every one is verified at the collector: metrics must not cost telemetry. A
//! second run without a datagram shows what all else costs; the difference is the datagrams'.

mod account;
pub(crate) mod arguments;
mod bars;
mod datagram;
mod run;
mod sender;
mod show;

use anyhow::{Context, Result, bail};
use serde_json::json;

use self::account::Account;
use self::arguments::Statsd;
use self::bars::Costs;
use super::{extension, paint};

pub(crate) fn statsd(statsd: &Statsd) -> Result<()> {
    let path = extension::subject(&statsd.common)?;
    let measure = |datagrams: u64, what: &str| {
        let text = format!("{} s {what} ...", statsd.seconds);
        anstream::eprintln!("{}", paint::faint(text));
        run::measure(statsd, &path, datagrams).with_context(|| what.to_string())
    };
    let quiet = measure(0, "without a datagram")?;
    let loaded = measure(statsd.datagrams, "with datagrams")?;
    let account = Account::new(&loaded);
    let costs = Costs::new(&loaded, &quiet);
    let bars = bars::bars(statsd, &loaded, &account, &costs);
    if statsd.common.json {
        paint::print(serde_json::to_string_pretty(&json!({
            "datagrams": statsd.datagrams,
            "seconds": statsd.seconds,
            "series": statsd.series,
            "account": account,
            "costs": costs,
            "loaded": loaded.measured,
            "quiet": quiet.measured,
            "bars": bars,
        }))?);
    } else {
        paint::print(show::show(&loaded, &account, &costs));
        paint::print(crate::program::load::bars::show(&bars));
    }
    let missed = bars.iter().filter(|bar| !bar.met).count();
    if statsd.check && missed > 0 {
        bail!("{missed} of {} bars missed", bars.len());
    }
    Ok(())
}
