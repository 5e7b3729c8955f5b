//! The datagrams of a load: what a DogStatsD client in a web function would send, one line each.

use std::fmt::Write;

use serde::Serialize;

/// Names of counters and timers begin with these, so that they are told from the platform's and kinglet's own.
pub(crate) const COUNTER: &str = "load.requests";
pub(crate) const TIMER: &str = "load.duration";
const GAUGE: &str = "load.queue.depth";
const SET: &str = "load.users";

/// Few enough for all sets of 1024 series to fit into kinglet's 4096 members.
const MEMBERS: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Timer,
    Gauge,
    Set,
}

/// How common each kind is.
const MIX: [Kind; 8] = [
    Kind::Counter,
    Kind::Timer,
    Kind::Counter,
    Kind::Gauge,
    Kind::Counter,
    Kind::Timer,
    Kind::Counter,
    Kind::Set,
];

impl Kind {
    /// The kind of a series: the same in each of its datagrams.
    fn of(series: u64) -> Kind {
        MIX[(series % MIX.len() as u64) as usize]
    }
}

/// How many datagrams there are of the kinds that add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Sent {
    pub(crate) all: u64,
    pub(crate) counters: u64,
    pub(crate) timers: u64,
}

/// Writes datagram `number`, of one of so many series in turn, to `text`.
pub(crate) fn write(text: &mut String, number: u64, series: u64, sent: &mut Sent) {
    let (of, round) = (number % series, number / series);
    text.clear();
    let kind = Kind::of(of);
    let written = match kind {
        // A counter counts itself, so that the sum is the number of datagrams.
        Kind::Counter => write!(text, "{COUNTER}:1|c"),
        Kind::Timer => write!(text, "{TIMER}:{}.{}|ms", round % 900, round % 10),
        Kind::Gauge => write!(text, "{GAUGE}:{}|g", round % 5000),
        Kind::Set => write!(text, "{SET}:user-{}|s", round % MEMBERS),
    };
    let tagged = write!(text, "|#service:checkout,region:eu-central-1,route:r{of}");
    written.and(tagged).expect("writing to memory");
    sent.all += 1;
    sent.counters += u64::from(kind == Kind::Counter);
    sent.timers += u64::from(kind == Kind::Timer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_series_take_turns() {
        let (mut text, mut sent) = (String::new(), Sent::default());
        let mut all = Vec::new();
        for number in 0..160 {
            write(&mut text, number, 16, &mut sent);
            all.push(text.clone());
        }
        let tags = "|#service:checkout,region:eu-central-1";
        assert_eq!(all[0], format!("load.requests:1|c{tags},route:r0"));
        assert_eq!(all[17], format!("load.duration:1.1|ms{tags},route:r1"));
        assert_eq!(all[19], format!("load.queue.depth:1|g{tags},route:r3"));
        assert_eq!(all[159], format!("load.users:user-9|s{tags},route:r15"));
        let series: std::collections::BTreeSet<_> = all
            .iter()
            .map(|text| text.split_once(":").unwrap().0.to_string() + &text[text.len() - 3..])
            .collect();
        assert_eq!(series.len(), 16);
        let wanted = Sent {
            all: 160,
            counters: 80,
            timers: 40,
        };
        assert_eq!(sent, wanted);
    }
}
