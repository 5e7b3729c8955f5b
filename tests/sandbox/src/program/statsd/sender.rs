//! The StatsD client in the function: a port that is free, and datagrams at their times.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kinglet_sandbox::InvocationContext;

use super::datagram::{self, Sent};

/// Sleeps shorter than this are not worth their wake-up; the datagrams that they would space out come together.
const SLEEP_MIN: Duration = Duration::from_millis(1);
/// kinglet opens its socket right after it has asked for its first event.
const HEARD_WITHIN: Duration = Duration::from_secs(2);

/// A port that nobody listens on now.
pub(crate) fn free_port() -> Result<u16> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("no UDP port is free")?;
    Ok(socket.local_addr()?.port())
}

/// Waits until someone listens on the port: what is sent before is lost without a trace.
pub(crate) fn wait_heard(port: u16) -> Result<()> {
    let local = format!(" 0100007F:{port:04X} ");
    let deadline = Instant::now() + HEARD_WITHIN;
    while !fs::read_to_string("/proc/net/udp")?.contains(&local) {
        if Instant::now() > deadline {
            bail!("the extension does not listen on KINGLET_STATSD_PORT={port}; is it kinglet?");
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// The datagrams of a whole run, which goes on from one invocation to the next.
pub(crate) struct Sender {
    pub(crate) port: u16,
    pub(crate) series: u64,
    /// When the first datagram was due.
    pub(crate) began: Instant,
    pub(crate) datagrams_per_s: f64,
    pub(crate) sent: Sent,
}

impl Sender {
    /// Sends until this many are sent, each when it is due. What was held up is sent as fast as it goes, as the requests
    /// of a busy function would be.
    pub(crate) fn send_until(&mut self, context: &InvocationContext, end: u64) -> Result<()> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect((Ipv4Addr::LOCALHOST, self.port))?;
        let mut text = String::new();
        while self.sent.all < end {
            let due = Duration::from_secs_f64(self.sent.all as f64 / self.datagrams_per_s);
            let left = due.saturating_sub(self.began.elapsed());
            if left >= SLEEP_MIN {
                context.sleep(left);
            }
            datagram::write(&mut text, self.sent.all, self.series, &mut self.sent);
            let sent = socket.send(text.as_bytes());
            sent.context("nobody listens for datagrams any more")?;
        }
        Ok(())
    }
}
