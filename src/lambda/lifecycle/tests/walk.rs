//! Everywhere the machine can get to: all sequences of events up to some length, and long random ones beyond it.

use super::model::{End, Event, Latest, Open, World};
use super::policy;
use crate::clock::{Mono, Wall};
use crate::lambda::lifecycle::{BreakerState, Flush, Invocation, Lifecycle, Phase, Policy};
use crate::lambda::request_id::RequestId;
use crate::random::Numbers;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Length of the sequences of which all are tried.
const DEPTH: usize = 6;
/// All of them lead to more different states than this, or the model has lost its events.
const STATES_MIN: usize = 5_000;
const RANDOM_STEPS: usize = 30_000;

fn policies(flush: Flush, shutdown_only: bool) -> [Policy; 2] {
    [true, false].map(|subscribed| Policy {
        subscribed,
        shutdown_only,
        ..policy(flush)
    })
}

fn walk_both(flush: Flush, shutdown_only: bool) {
    for policy in policies(flush, shutdown_only) {
        let states = walk(World::new(policy));
        assert!(states > STATES_MIN, "{states} states of {policy:?}");
        for budget_ms in [0, policy.budget_ms, 2_000] {
            let policy = Policy {
                budget_ms,
                ..policy
            };
            walk_randomly(policy, 0x9e37_79b9 + budget_ms);
        }
    }
}

#[test]
fn all_ways_of_start() {
    walk_both(Flush::Start, false);
}

#[test]
fn all_ways_of_end() {
    walk_both(Flush::End, false);
}

#[test]
fn all_ways_of_adaptive() {
    walk_both(Flush::Adaptive, false);
}

#[test]
fn all_ways_of_shutdown_only() {
    walk_both(Flush::Adaptive, true);
}

/// Breadth first, so that what is found broken is found with the shortest way there. Returns the number of states.
fn walk(mut start: World) -> usize {
    start.apply(Event::Pass(0)).unwrap();
    let mut visited = HashSet::new();
    let mut frontier = vec![(start, Vec::new())];
    for depth in 1..=DEPTH {
        let mut found = Vec::new();
        for (world, way) in &frontier {
            for event in world.events() {
                let mut after = world.clone();
                let checked = after.apply(event).and_then(|()| after.leads_on());
                if let Err(broken) = checked {
                    panic!("{broken}: {way:?} {event:?}, {:?}", world.policy);
                }
                if depth < DEPTH && visited.insert(key(&after)) {
                    let mut way: Vec<Event> = way.clone();
                    way.push(event);
                    found.push((after, way));
                }
            }
        }
        frontier = found;
    }
    visited.len()
}

fn walk_randomly(policy: Policy, seed: u64) {
    let mut numbers = Numbers(seed);
    let mut world = World::new(policy);
    let mut way = Vec::new();
    for _ in 0..RANDOM_STEPS {
        let number = numbers.next();
        let events = world.events();
        let Some(event) = events.get(number as usize % events.len().max(1)) else {
            (world, way) = (World::new(policy), Vec::new());
            continue;
        };
        // Mostly later: the end ends the way, too.
        if matches!(event, Event::Shutdown(_)) && number >> 60 != 0 {
            continue;
        }
        way.push(*event);
        if let Err(broken) = world.apply(*event).and_then(|()| world.leads_on()) {
            panic!("{broken}: {way:?}, {policy:?}");
        }
    }
}

/// States that differ only in what time it is, or in the number of the invocation, are one.
fn key(world: &World) -> u64 {
    let mono = |at: Mono| (at.0 as i64 - world.now.mono.0 as i64).max(-3_000);
    let wall = |at: Wall| (at.0 as i64 - world.now.wall.0 as i64).max(-20_000);
    let number = |id: RequestId| {
        let text = str::from_utf8(id.as_bytes()).unwrap();
        (text.parse::<i64>().unwrap() - world.number as i64).max(-2)
    };
    let mut state = DefaultHasher::new();
    let Lifecycle {
        policy: _,
        next_outstanding,
        post_in_flight,
        post_outstayed,
        phase,
        heard,
        trusts_start,
        patience_ms,
        idle_since,
        started,
        done,
        reported,
        held: _,
    } = world.lifecycle;
    // Its time counts only once it is found to be of the open invocation.
    let done = done.map(|(id, success, _)| (number(id), success));
    let facts = (next_outstanding, post_in_flight, post_outstayed);
    // Longer ago than the machine is patient is all one, and so is what was before the invocation.
    let silence = |at: Mono| mono(at).max(-(patience_ms as i64) - 30);
    (facts, heard.map(silence), trusts_start, patience_ms).hash(&mut state);
    (
        idle_since.map(wall),
        started.map(number),
        done,
        reported.map(number),
    )
        .hash(&mut state);
    match phase {
        Phase::Init => 0.hash(&mut state),
        Phase::Invoke(Invocation {
            id,
            deadline,
            began,
            is_first,
            flush_at_end,
            done,
            failed,
        }) => {
            let moments = (deadline.map(mono), mono(began), done.map(mono));
            (1, number(id), moments, is_first, flush_at_end, failed).hash(&mut state);
        }
        Phase::Shutdown {
            until,
            report,
            failed,
        } => {
            let report = report.map(|(id, at)| (number(id), mono(at)));
            (2, mono(until), report, failed).hash(&mut state);
        }
    }
    let breaker = match world.seen.breaker {
        BreakerState::Closed => None,
        BreakerState::HalfOpen => Some(0),
        BreakerState::Open { until } => Some(wall(until)),
    };
    let oldest = world.seen.oldest.map(wall);
    (world.seen.pending, world.seen.high_water, oldest, breaker).hash(&mut state);
    let Latest {
        event,
        heard: _,
        started,
        is_open,
        done,
        done_at: _,
        failed,
        reported,
    } = world.latest;
    let before = |observed: u64| (world.number + 1 - observed).min(3);
    (
        event,
        failed,
        (is_open, world.seen.is_done_missing),
        // Longer ago than the budget is all one.
        world.seen.unread_since.map(|at| mono(at).max(-300)),
        before(started),
        before(done),
        before(reported),
    )
        .hash(&mut state);
    let open = world.invocation.map(|open| {
        let Open {
            began,
            deadline,
            is_first,
            done,
            failed,
            flush_at_end,
        } = open;
        let moments = (mono(began), deadline.map(mono), done.map(mono));
        (moments, is_first, flush_at_end, failed)
    });
    let end = world.end.map(|end| {
        let End {
            exit_by,
            report,
            failed,
        } = end;
        (mono(exit_by), report.map(|(_, at)| mono(at)), failed)
    });
    (
        open,
        end,
        wall(world.asked),
        world.until.map(mono),
        world.exited,
    )
        .hash(&mut state);
    state.finish()
}
