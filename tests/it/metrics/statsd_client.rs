//! A StatsD client in the function, and kinglet's socket for it: on a port of its own, because many sandboxes run side by side.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use kinglet_sandbox::{Builder, Collector, Outcome, Sandbox, Work};

use super::measured::measuring_at_end;

/// No StatsD socket.
pub const NO_PORT: &str = "0";

/// Below the ports that the kernel gives to anyone who asks for any.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

#[derive(Clone, Copy)]
pub struct StatsdClient {
    pub port: u16,
}

impl StatsdClient {
    /// With a free port that no other test is given.
    pub fn new() -> StatsdClient {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let count = PORTS.end - PORTS.start;
        // Several test runs may share a machine.
        let first = (process::id() as u16).wrapping_mul(97) % count;
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let port = PORTS.start + (first + number % count) % count;
            if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return StatsdClient { port };
            }
        }
    }

    /// kinglet that listens to this client and sends everything at the end of each invocation.
    pub fn beside(self, collector: &Collector) -> Builder {
        self.heard_by(measuring_at_end(collector))
    }

    pub fn heard_by(self, builder: Builder) -> Builder {
        builder.env("KINGLET_STATSD_PORT", self.port.to_string())
    }

    /// Waits until someone listens: kinglet does after its first next.
    pub fn wait_heard(self) {
        let local = format!(" 0100007F:{:04X} ", self.port);
        let deadline = Instant::now() + Duration::from_secs(5);
        while !fs::read_to_string("/proc/net/udp")
            .unwrap()
            .contains(&local)
        {
            assert!(Instant::now() < deadline, "nobody listens on {}", self.port);
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// A function that sends these datagrams.
    pub fn work<D: Into<Vec<u8>>>(self, datagrams: impl IntoIterator<Item = D>) -> Work {
        let datagrams: Vec<Vec<u8>> = datagrams.into_iter().map(Into::into).collect();
        Work::script(move |context| {
            self.send(&datagrams);
            self.wait_taken();
            context.sleep(Duration::from_millis(20));
            Outcome::Succeeds
        })
    }

    pub fn send(self, datagrams: &[Vec<u8>]) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        for (number, datagram) in datagrams.iter().enumerate() {
            socket
                .send_to(datagram, (Ipv4Addr::LOCALHOST, self.port))
                .unwrap();
            // Only a few hundred fit into the socket's buffer.
            if number % 50 == 49 {
                self.wait_taken();
            }
        }
    }

    /// Waits until all datagrams were taken from the socket's buffer, or nobody is there to take them.
    pub fn wait_taken(self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.waiting_bytes() > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// What the kernel keeps for whoever listens: the second number of `tx_queue:rx_queue`.
    fn waiting_bytes(self) -> u64 {
        let local = format!("0100007F:{:04X}", self.port);
        let sockets = fs::read_to_string("/proc/net/udp").unwrap();
        // The address after it is the peer's: with this one, too, where the socket of a function is connected.
        let is_local = |line: &&str| line.split_whitespace().nth(1) == Some(&local);
        let socket = sockets.lines().find(is_local);
        let queues = socket.and_then(|line| line.split_whitespace().nth(4));
        let waiting = queues.and_then(|queues| queues.split_once(':'));
        waiting.map_or(0, |(_, received)| {
            u64::from_str_radix(received, 16).unwrap()
        })
    }

    /// One invocation that sends these datagrams.
    pub fn invoke<D: Into<Vec<u8>>>(
        self,
        lambda: &Sandbox,
        datagrams: impl IntoIterator<Item = D>,
    ) {
        self.wait_heard();
        let invocation = lambda
            .invoke(self.work(datagrams))
            .expect("the sandbox is up");
        assert!(!invocation.error, "{invocation:?}");
    }
}
