//! A flush: batch → POST → settle. One batch at a time, of one route, oldest frames first.
//!
//! Nothing leaves the ring before the collector has answered for it. What an answer means is the format's to say, and what follows
//! from it [`Course`]'s. A batch that has to be repeated is kept as it was written, and repeated exactly, so that a collector can
//! recognise it by its id, whatever the ring has evicted meanwhile; any other range of frames is another batch. Each route has a
//! course of its own: what happens to one says nothing about another.

use crate::config::Config;
use crate::output::batch::{Batch, BatchWriter};
use crate::output::collector::{Client, Collector, reason};
use crate::output::settlement::{AGAIN, Consequence, Course, Failure, NO_ANSWER, Settlement};
use crate::queue::route::{ROUTES, RouteId};
use crate::reactor::{Reactor, Shared, lock};
use crate::sys;
use crate::text::decimal;

/// The way out.
pub struct Exporter {
    client: Client,
    writer: BatchWriter,
    outlets: [Option<Box<Outlet>>; ROUTES],
}

/// Where a route ends.
struct Outlet {
    collector: Collector,
    course: Course,
    /// The batch that was sent last and has to be repeated as it was.
    repeat: Option<Box<Batch>>,
}

impl Exporter {
    /// Takes the endpoints. `extension_id`: begins every batch id. Without an endpoint a route leads nowhere; `is_dormant`: none does.
    #[must_use]
    pub fn new(config: &mut Config, extension_id: Vec<u8>, is_dormant: bool) -> Exporter {
        let mut outlets: [Option<Box<Outlet>>; ROUTES] = Default::default();
        for (outlet, route) in outlets.iter_mut().zip(RouteId::all()) {
            let endpoint = route.of_mut(&mut config.endpoints).take();
            *outlet = endpoint.filter(|_| !is_dormant).map(|endpoint| {
                Box::new(Outlet {
                    collector: Collector {
                        endpoint,
                        format: *route.of(&config.formats),
                    },
                    course: Course::default(),
                    repeat: None,
                })
            });
        }
        Exporter {
            client: Client::default(),
            writer: BatchWriter::new(extension_id),
            outlets,
        }
    }

    /// Whether a route leads somewhere.
    #[must_use]
    pub fn has(&self, route: RouteId) -> bool {
        route.of(&self.outlets).is_some()
    }

    /// Sends one batch and does with it what the answer says. The reactor turns meanwhile.
    pub fn post(&mut self, shared: Shared) {
        let began = sys::clocks();
        let mut reactor = lock(shared);
        let waiting = reactor.waiting(began);
        let route = waiting.map_or_else(RouteId::default, |waiting| waiting.route);
        reactor.gather(route, began);
        let outlet = route.of_mut(&mut self.outlets).as_mut();
        let batch = outlet.and_then(|outlet| {
            let batch = outlet.repeat.take().or_else(|| {
                self.writer.write(
                    route,
                    outlet.collector.format,
                    &outlet.course.narrowing,
                    &mut reactor.intake,
                    began,
                )
            });
            Some((outlet, batch?))
        });
        let Some((outlet, batch)) = batch else {
            reactor.post_ended(route, true);
            return;
        };
        reactor.intake.ledger.posts += 1;
        reactor.post_begins(route, began.mono.plus(outlet.collector.endpoint.timeout_ms));
        drop(reactor);
        sys::survival::crash_if("post");
        let answer = self
            .client
            .post(shared, &outlet.collector, &batch.id, &batch.body);
        let mut reactor = lock(shared);
        reactor.flushed(began);
        sys::survival::crash_if("posted");
        let (status, retry_after_ms, settlement) = match answer {
            Ok(answer) => {
                let judgement = outlet.collector.format.judge(answer.status, &answer.body);
                let course = &mut outlet.course;
                let settlement = course.answered(answer.status, judgement, batch.sent());
                (answer.status, answer.retry_after_ms, settlement)
            }
            Err(problem) => {
                let failure = Failure {
                    began,
                    now: sys::clocks(),
                    was_reused: reactor.post_reuses,
                    is_gone: reactor.is_gone(),
                };
                let settlement = outlet.course.failed(failure, reason(&problem));
                (NO_ANSWER, None, settlement)
            }
        };
        let Settlement { consequence, told } = settlement;
        if let Some(told) = told {
            tell(
                &mut reactor,
                status,
                told,
                outlet.collector.endpoint.variable,
            );
        }
        settle(&mut reactor, route, consequence, &batch, retry_after_ms);
        if matches!(consequence, Consequence::Repeat | Consequence::Keep) {
            outlet.repeat = Some(batch);
        } else {
            self.writer.recycle(*batch);
        }
        reactor.post_ended(route, consequence != Consequence::Keep);
    }
}

/// Does what was decided.
fn settle(
    reactor: &mut Reactor,
    route: RouteId,
    consequence: Consequence,
    batch: &Batch,
    retry_after_ms: Option<u64>,
) {
    let breaker = &mut route.of_mut(&mut reactor.routes).breaker;
    let intake = &mut reactor.intake;
    match consequence {
        Consequence::Repeat => {}
        Consequence::Keep => breaker.open(sys::clocks().wall, retry_after_ms, sys::random()),
        Consequence::Halve => {
            breaker.close();
            intake.ring.end_flight(route, 0, 0);
        }
        Consequence::End {
            is_accepted,
            settled,
            rejected,
        } => {
            breaker.close();
            intake.ring.end_flight(route, settled, rejected);
            if is_accepted {
                intake.ledger.bytes_sent += batch.body.len() as u64;
            }
        }
    }
    intake.ledger.posts_failed += u64::from(consequence.is_failure());
    if consequence.are_losses_told() {
        intake.losses_told(batch.losses);
    }
    if let Some(is_silent) = consequence.is_silent_on_losses()
        && route.facts().tells_losses
    {
        reactor.is_silent_on_losses = is_silent;
    }
}

/// Says what is the matter, or that it is over.
fn tell(reactor: &mut Reactor, status: u16, told: &'static [u8], variable: &'static str) {
    let mut code = Vec::new();
    let head: &[u8] = if status == NO_ANSWER {
        b"no answer from the collector"
    } else {
        decimal::push(&mut code, u64::from(status));
        b"the collector has answered "
    };
    let parts = [head, &code, b": ", told, b" (", variable.as_bytes(), b")"];
    let again = [told];
    let is_over = told == AGAIN;
    reactor.messages.say(if is_over { &again } else { &parts });
}
