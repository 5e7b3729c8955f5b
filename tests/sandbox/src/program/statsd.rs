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
use serde_json::{Map, Value, json};

use self::account::Account;
use self::arguments::Statsd;
use self::bars::Costs;
use super::{extension, paint};

/// All that was measured goes into the report.
pub(crate) fn statsd(statsd: &Statsd, report: &mut Map<String, Value>) -> Result<()> {
    let path = extension::subject(&statsd.common)?;
    let measure = |datagrams: u64, what: &str| {
        let text = format!("{} s {what} ...", statsd.seconds);
        anstream::eprintln!("{}", paint::faint(text));
        run::measure(statsd, &path, datagrams).with_context(|| what.to_string())
    };
    report.insert("datagrams".into(), statsd.datagrams.into());
    report.insert("seconds".into(), statsd.seconds.into());
    report.insert("series".into(), statsd.series.into());
    let quiet = measure(0, "without a datagram")?;
    report.insert("quiet".into(), json!(quiet.measured));
    let loaded = measure(statsd.datagrams, "with datagrams")?;
    let account = Account::new(&loaded);
    let costs = Costs::new(&loaded, &quiet);
    let bars = bars::bars(statsd, &loaded, &account, &costs);
    report.insert("loaded".into(), json!(loaded.measured));
    report.insert("account".into(), json!(account));
    report.insert("costs".into(), json!(costs));
    report.insert("bars".into(), json!(bars));
    if !statsd.common.json {
        paint::print(show::show(&loaded, &account, &costs));
        paint::print(crate::program::load::bars::show(&bars));
    }
    let missed = bars.iter().filter(|bar| !bar.met).count();
    if statsd.check && missed > 0 {
        bail!("{missed} of {} bars missed", bars.len());
    }
    Ok(())
}
