//! What is measured here: the StatsD socket's datagrams, and what kinglet itself costs.

use super::Reactor;
use super::statsd_socket::StatsdSocket;
use crate::clock::Clocks;
use crate::lambda::lifecycle::BreakerState;
use crate::metric::own::{self, Snapshot};
use crate::queue::route::RouteId;
use crate::sys::{self, survival};

impl Reactor {
    /// A POST that began then is over.
    pub fn flushed(&mut self, began: Clocks) {
        if let Some(own) = &mut self.own {
            own.flushed(sys::clocks().mono.since(began.mono));
        }
    }

    /// Puts into the ring what a route is still to carry: what was measured since the last time, and what kinglet itself has cost
    /// meanwhile.
    pub fn gather(&mut self, route: RouteId, now: Clocks) {
        if !self.intake.may_drain(route) {
            return;
        }
        self.count_dropped_datagrams();
        // Told once in a flush, however many POSTs that takes, each of which would be something new to tell.
        if let Some(own) = &mut self.own
            && self.intake.is_drained()
        {
            let snapshot = Snapshot {
                cpu_us: sys::cpu_us(),
                resident_kilobytes_max: own::peak_kilobytes(&sys::read_file(c"/proc/self/status")),
                is_open: self
                    .routes
                    .each_ref()
                    .map(|route| route.breaker.state(now.wall) != BreakerState::Closed),
            };
            self.intake.measure_own(own, &snapshot, now.wall);
        }
        self.intake.drain_metrics(now.wall);
    }

    /// The first next was asked: what nobody had to wait for is done now.
    pub fn initialized(&mut self) {
        survival::install_others();
        if let Some(own) = &mut self.own {
            own.initialized(sys::microseconds());
        }
        if self.statsd_port == 0 {
            return;
        }
        match StatsdSocket::open(self.statsd_port) {
            Ok(socket) => self.statsd = Some(socket),
            Err(error) => {
                let reason = sys::refusal(&error, b"the port of KINGLET_STATSD_PORT is taken: ");
                let messages = &mut self.messages;
                messages.say(&[reason, b"no StatsD metrics are recorded"]);
            }
        }
    }

    /// Asks the kernel.
    pub fn count_dropped_datagrams(&mut self) {
        if let Some(socket) = &self.statsd {
            self.intake.ledger.datagrams_dropped = socket.dropped();
        }
    }
}
