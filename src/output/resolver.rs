//! The collector's address: a literal at once, a name by the hosts file and DNS, without ever blocking the loop.
//!
//! `getaddrinfo` blocks for seconds when a server is silent, and costs 29 KB of binary. This is a stub resolver on the
//! reactor. Who is asked when is [`Lookup`]'s to say.

use std::ffi::CStr;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::limits::RESOLVED_MS_MAX;
use crate::output::dns::{self, Reply};
use crate::output::known::Known;
use crate::output::lookup::{Lookup, Question};
use crate::reactor::{Shared, Waited, lock};
use crate::sys;
use crate::text::address;
use crate::text::hosts;

/// Also for the Runtime API, where an emulator names a host.
pub const HOSTS: &CStr = c"/etc/hosts";
const RESOLV_CONF: &CStr = c"/etc/resolv.conf";
const DNS_PORT: u16 = 53;

pub struct CollectorResolver {
    pub reactor: Shared,
    pub known: Mutex<Known>,
}

impl fmt::Debug for CollectorResolver {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Resolver for CollectorResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let ip = self.address(host).ok_or(Error::HostNotFound)?;
        let mut addresses = self.empty();
        addresses.push(SocketAddr::new(ip, uri.port_u16().unwrap_or(80)));
        Ok(addresses)
    }
}

impl CollectorResolver {
    fn address(&self, host: &str) -> Option<IpAddr> {
        if let Some(ip) = address::parse(host.as_bytes()) {
            return Some(ip);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = sys::clocks().wall;
        if let Some(ip) = known.get(host, now) {
            return Some(ip);
        }
        let (ip, ttl_ms) = self.look_up(host.as_bytes())?;
        known.put(host, ip, now, ttl_ms);
        Some(ip)
    }

    /// The address of a name, and how long it may be kept.
    fn look_up(&self, name: &[u8]) -> Option<(IpAddr, u64)> {
        let hosts = sys::read_file(HOSTS);
        if let Some(ip) = hosts::lookup(&hosts, name) {
            return Some((ip, RESOLVED_MS_MAX));
        }
        let conf = sys::read_file(RESOLV_CONF);
        let mut lookup = Lookup::new(hosts::nameservers(&conf), sys::clocks().mono);
        while let Some(question) = lookup.question(sys::clocks().mono) {
            if let Some(found) = lookup.answered(self.ask(&question, name)) {
                return Some(found);
            }
        }
        None
    }

    fn ask(&self, question: &Question, name: &[u8]) -> Option<Reply> {
        let record_type = question.record_type;
        // A port and an id that nobody can guess keep others from answering.
        let socket = sys::datagrams_to(&SocketAddr::new(question.server, DNS_PORT)).ok()?;
        let id = sys::random() as u16;
        let query = dns::encode_query(id, name, record_type)?;
        let fd = socket.as_raw_fd();
        sys::send_some(fd, &query).ok()?;
        let mut buffer = [0; dns::MESSAGE_BYTES_MAX];
        loop {
            if lock(self.reactor).wait((fd, sys::READABLE), question.until) != Waited::Ready {
                return None;
            }
            let count = sys::receive(fd, &mut buffer).ok()?;
            match dns::parse_reply(buffer.get(..count)?, &query, record_type) {
                Reply::NotOurs => {}
                reply => return Some(reply),
            }
        }
    }
}
