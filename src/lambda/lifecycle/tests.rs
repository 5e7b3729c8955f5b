//! The lifecycle, walked and told: [`model`] is what surrounds it, [`law`] what must hold, [`walk`] goes everywhere it
//! can, [`scenarios`] and [`endings`] are the flows of the design as tables.

mod endings;
mod law;
mod model;
mod scenarios;
mod walk;

use super::{Action, Flush, Policy};
use crate::limits::{BUFFERING_MS, FLUSH_BUDGET_MS, FLUSH_INTERVAL_MS};
use model::{Event, World};

/// On demand, subscribed, everything else as by default.
const fn policy(flush: Flush) -> Policy {
    Policy {
        flush,
        budget_ms: FLUSH_BUDGET_MS,
        interval_ms: FLUSH_INTERVAL_MS,
        buffering_ms: BUFFERING_MS as u64,
        subscribed: true,
        shutdown_only: false,
    }
}

/// At so many milliseconds awake this happens, and that is done: "wait 350" is until 350 ms, "wait" until something happens.
type Row = (u64, Event, &'static str);

/// Nothing happens but that it is later.
const NOW: Event = Event::Pass(0);

fn run(policy: Policy, rows: &[Row]) {
    let mut world = World::new(policy);
    let start = world.now.mono;
    let mut all_good = true;
    for (at, event, expected) in rows {
        world.advance(start.plus(*at).since(world.now.mono));
        let checked = world.apply(*event).and_then(|()| world.leads_on());
        let words: Vec<String> = world
            .actions
            .iter()
            .map(|action| match action {
                Action::Next => "next".into(),
                Action::Post => "post".into(),
                Action::Wait { until: None } => "wait".into(),
                Action::Wait { until: Some(until) } => format!("wait {}", until.since(start)),
                Action::Exit => "exit".into(),
            })
            .collect();
        if checked != Ok(()) || words.join(", ") != *expected {
            all_good = false;
            println!(
                "({at}, {event:?}, {:?}), // {expected:?} {checked:?}",
                words.join(", ")
            );
        }
    }
    assert!(all_good, "{policy:?}");
}
