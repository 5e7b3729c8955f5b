//! Who is asked for the address of a name, and when: one question to one server at a time, the next after a short silence.

use core::net::IpAddr;

use crate::clock::Mono;
use crate::limits::{RESOLVE_MS_MAX, RESOLVE_RETRY_MS};
use crate::output::dns::{RecordType, Reply};

/// Name servers, in their order.
pub type Servers = [Option<IpAddr>; 3];

/// Every server is asked so often for each type of address.
const ROUNDS: usize = 2;

/// What is to be asked now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question {
    pub server: IpAddr,
    pub record_type: RecordType,
    /// So long an answer is awaited.
    pub until: Mono,
}

/// The questions for one name: all servers in turn, twice, for an IPv4 address; then for an IPv6 address.
pub struct Lookup {
    servers: Servers,
    deadline: Mono,
    record_type: RecordType,
    /// Servers asked for this type.
    asked: usize,
}

impl Lookup {
    #[must_use]
    pub const fn new(servers: Servers, now: Mono) -> Lookup {
        Lookup {
            servers,
            deadline: now.plus(RESOLVE_MS_MAX),
            record_type: RecordType::A,
            asked: 0,
        }
    }

    /// The next question. `None`: nobody knows, or there is no time left.
    pub fn question(&mut self, now: Mono) -> Option<Question> {
        loop {
            if now >= self.deadline {
                return None;
            }
            if self.asked == ROUNDS * self.servers.len() {
                self.other_type()?;
            }
            let server = self.servers.get(self.asked % self.servers.len()).copied();
            self.asked += 1;
            if let Some(server) = server.flatten() {
                return Some(Question {
                    server,
                    record_type: self.record_type,
                    until: now.plus(RESOLVE_RETRY_MS).min(self.deadline),
                });
            }
        }
    }

    /// Takes what was said to the last question; `None`: nothing. The address, and for how many milliseconds it may be kept.
    pub fn answered(&mut self, reply: Option<Reply>) -> Option<(IpAddr, u64)> {
        match reply {
            Some(Reply::Address(ip, ttl)) => return Some((ip, u64::from(ttl) * 1000)),
            // The others would say the same.
            Some(Reply::NoAddress) => self.asked = ROUNDS * self.servers.len(),
            Some(Reply::ServerFailure | Reply::NotOurs) | None => {}
        }
        None
    }

    fn other_type(&mut self) -> Option<()> {
        if self.record_type == RecordType::Aaaa {
            return None;
        }
        (self.record_type, self.asked) = (RecordType::Aaaa, 0);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 1));
    const TWO: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 2));

    /// Asks until it ends, each question being answered by `reply` after so many milliseconds: who was asked for what, and what
    /// was found.
    fn run(
        servers: Servers,
        reply: &dyn Fn(&Question) -> (Option<Reply>, u64),
    ) -> (String, Option<(IpAddr, u64)>) {
        let began = Mono(7_000);
        let (mut lookup, mut now) = (Lookup::new(servers, began), began);
        let mut asked = String::new();
        while let Some(question) = lookup.question(now) {
            let number = if question.server == ONE { '1' } else { '2' };
            let kind = match question.record_type {
                RecordType::A => 'a',
                RecordType::Aaaa => 'b',
            };
            asked.extend([number, kind]);
            assert!(question.until > now && question.until.since(now) <= RESOLVE_RETRY_MS);
            assert!(question.until <= began.plus(RESOLVE_MS_MAX));
            let (reply, ms) = reply(&question);
            now = now.plus(ms);
            if let Some(found) = lookup.answered(reply) {
                return (asked, Some(found));
            }
        }
        (asked, None)
    }

    #[test]
    fn who_is_asked_for_what() {
        let both = [Some(ONE), Some(TWO), None];
        let address = Some(Reply::Address(ONE, 60));
        let failure = Some(Reply::ServerFailure);
        let none = Some(Reply::NoAddress);
        type Answers<'a> = &'a dyn Fn(&Question) -> (Option<Reply>, u64);
        let cases: [(Servers, Answers<'_>, &str, bool); 10] = [
            (both, &|_| (address, 1), "1a", true),
            // Nobody is there to be asked.
            ([None; 3], &|_| (address, 1), "", false),
            // A server that cannot say, or says nothing, is not the only one.
            (both, &|_| (failure, 1), "1a2a1a2a1b2b1b2b", false),
            (
                both,
                &|_| (Some(Reply::NotOurs), 1),
                "1a2a1a2a1b2b1b2b",
                false,
            ),
            // Silence takes its time, and there is an end of that.
            (both, &|_| (None, RESOLVE_RETRY_MS), "1a2a1a2a", false),
            (
                [Some(ONE), None, None],
                &|_| (None, RESOLVE_RETRY_MS),
                "1a1a1b1b",
                false,
            ),
            (both, &|_| (None, 1), "1a2a1a2a1b2b1b2b", false),
            // One that says no speaks for all, for this type.
            (both, &|_| (none, 1), "1a1b", false),
            (
                both,
                &|question| match question.record_type {
                    RecordType::A => (none, 1),
                    RecordType::Aaaa => (address, 1),
                },
                "1a1b",
                true,
            ),
            (
                both,
                &|question| match question.server {
                    ONE => (None, RESOLVE_RETRY_MS),
                    _ => (address, 1),
                },
                "1a2a",
                true,
            ),
        ];
        for (servers, reply, asked, is_found) in cases {
            let found = is_found.then_some((ONE, 60_000));
            assert_eq!(run(servers, reply), (asked.into(), found));
        }
    }
}
