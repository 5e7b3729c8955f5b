//! The binary under test, and how it is started here.

use std::cmp::Ordering;
use std::fs;
use std::ops::{Add, Mul};
use std::time::{Duration, Instant};

use kinglet_sandbox::{
    Builder, Collector, Exit, Fault, Invocation, Late, Sandbox, Work, late_since,
};

/// The binary that cargo has built for this test.
pub const KINGLET: &str = env!("CARGO_BIN_EXE_kinglet");

/// A bound on a time. It grows with what this machine is late, for that is neither kinglet's nor the sandbox's time; on one that has
/// nothing else to do it is hardly more than what is written here.
#[derive(Clone, Copy, Debug)]
pub struct Bound(Duration);

/// How late anything may be.
pub const TOLERANCE: Bound = Bound::ms(200);
/// The default bound on holding next, and the tolerance.
pub const HELD_MAX: Bound = Bound::ms(250 + 200);
/// What a SHUTDOWN may take when the collector is down, by design at most 700 ms, and the tolerance.
pub const DEAD_SHUTDOWN_MAX: Bound = Bound::ms(700 + 200);
/// What is not held at all is not held for so long.
pub const AT_ONCE: Bound = Bound::ms(50);

impl Bound {
    pub const fn ms(ms: u64) -> Bound {
        Bound(Duration::from_millis(ms))
    }

    /// Function, sandbox, kinglet and collector wait for a turn one after the other, but hardly ever each for the longest.
    fn now(self) -> Duration {
        self.0 + kinglet_sandbox::lateness() * 3
    }
}

impl PartialEq<Bound> for Duration {
    fn eq(&self, other: &Bound) -> bool {
        *self == other.now()
    }
}

impl PartialOrd<Bound> for Duration {
    fn partial_cmp(&self, other: &Bound) -> Option<Ordering> {
        self.partial_cmp(&other.now())
    }
}

/// How long next was held, and what this machine was late in that invocation.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub time: Duration,
    late: Late,
    /// So long kinglet itself waited for a turn in it, as the kernel counts.
    waited: Duration,
}

impl Held {
    /// Invokes, and takes the time.
    pub fn of(lambda: &Sandbox, work: impl Into<Work>) -> (Held, Invocation) {
        let (began, before) = (Instant::now(), waited(lambda));
        let invocation = lambda.invoke(work).expect("the sandbox is up");
        let held = Held {
            time: invocation.held,
            late: late_since(began),
            waited: waited(lambda).saturating_sub(before),
        };
        (held, invocation)
    }

    /// How far kinglet's own account is from it. An INVOKE that kinglet is late to read may be done before that; kinglet counts
    /// from then.
    pub fn apart(self, told: Duration) -> Held {
        let time = self.time.abs_diff(told);
        Held { time, ..self }
    }

    /// Both, one after the other.
    pub fn and(self, other: Held) -> Held {
        Held {
            time: self.time + other.time,
            late: Late {
                sum: self.late.sum + other.late.sum,
                longest: self.late.longest + other.late.longest,
            },
            waited: self.waited + other.waited,
        }
    }

    /// Whole stops of this machine, and the turns that sandbox and collector have waited for.
    fn late(&self) -> Duration {
        self.late.sum + self.late.longest * 2 + self.waited
    }
}

impl PartialEq<Bound> for Held {
    fn eq(&self, other: &Bound) -> bool {
        self.time == other.0 + self.late()
    }
}

impl PartialOrd<Bound> for Held {
    fn partial_cmp(&self, other: &Bound) -> Option<Ordering> {
        self.time.partial_cmp(&(other.0 + self.late()))
    }
}

/// What kinglet has waited for a turn so far.
fn waited(lambda: &Sandbox) -> Duration {
    let told = lambda
        .pid()
        .and_then(|pid| fs::read_to_string(format!("/proc/{pid}/schedstat")).ok());
    let nanoseconds = told.and_then(|told| told.split_whitespace().nth(1)?.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

impl Add<Bound> for Duration {
    type Output = Bound;

    fn add(self, other: Bound) -> Bound {
        Bound(self + other.0)
    }
}

impl Mul<u32> for Bound {
    type Output = Bound;

    fn mul(self, times: u32) -> Bound {
        Bound(self.0 * times)
    }
}

/// kinglet without a collector. Its listener takes any free port, because many sandboxes run side by side here. Metrics, which
/// would be POSTs among those that tests count, are switched on by those that are about them.
pub fn alone() -> Builder {
    Sandbox::builder(KINGLET)
        .env("KINGLET_PORT", "0")
        .env("KINGLET_METRICS", "off")
}

/// kinglet that sends to this collector, with default settings.
pub fn beside(collector: &Collector) -> Builder {
    alone().env("KINGLET_ENDPOINT", collector.url())
}

/// kinglet that sends to this collector at the end of each invocation: nothing is left for later.
pub fn flushing_at_end(collector: &Collector) -> Builder {
    beside(collector).env("KINGLET_FLUSH", "end")
}

/// kinglet that sends to this collector at the end of each invocation, and whose next waits for that however late this machine is:
/// what a test expects there when the invocation is over is there. (The default budget counts from when the function was done, and
/// may be spent before a busy machine has told kinglet that it was.) Its bounds are no matter of this.
pub fn delivering_at_end(collector: &Collector) -> Builder {
    flushing_at_end(collector).env(PATIENT.0, PATIENT.1)
}

/// The longest budget.
pub const PATIENT: (&str, &str) = ("KINGLET_FLUSH_BUDGET_MS", "10000");

/// Starts kinglet, and waits until it has heard of its init: then its first invocation, too, waits for Lambda's first event for
/// longer than 100 ms.
pub fn start_heard(builder: Builder) -> Sandbox {
    let lambda = builder.start().unwrap();
    assert!(lambda.drain(Duration::from_secs(10)));
    lambda
}

/// A collector that takes everything.
pub fn healthy_collector() -> Collector {
    faulty_collector(Fault::None)
}

pub fn faulty_collector(fault: Fault) -> Collector {
    Collector::start(fault).expect("a loopback port for the collector")
}

/// Ends the sandbox as Lambda does when it is not needed any more, once everything that it has to tell was delivered. Whatever
/// was before: kinglet goes by itself, with status 0.
pub fn spin_down(lambda: &Sandbox) -> Exit {
    // Lambda's last events come within 40 ms of SHUTDOWN, and kinglet does not wait longer. On a busy machine the sandbox's may
    // come later, or not at all; then what a test has sent is not there, and kinglet is not to blame.
    lambda.thaw();
    lambda.drain(Duration::from_secs(10));
    spin_down_at_once(lambda)
}

/// The same with SHUTDOWN on the heels of the last invocation: what Lambda has to tell of it may come after SHUTDOWN, and what comes
/// too late stays with Lambda.
pub fn spin_down_at_once(lambda: &Sandbox) -> Exit {
    let exit = lambda.shutdown("spindown").expect("the sandbox is up");
    assert!(exit.status.success() && !exit.killed, "{exit:?}");
    exit
}

/// The one line of standard error with these words in it.
pub fn the_line<'e>(exit: &'e Exit, words: &str) -> &'e str {
    let told: Vec<_> = exit
        .stderr
        .iter()
        .filter(|line| line.contains(words))
        .collect();
    assert_eq!(told.len(), 1, "{words}: {:?}", exit.stderr);
    told[0]
}

/// Invokes with these lines and checks that the function's answer is what it would be without an extension.
pub fn invoke(lambda: &Sandbox, lines: impl IntoIterator<Item = impl Into<String>>) -> Held {
    let (held, invocation) = Held::of(lambda, Work::lines(lines));
    assert_eq!(
        (invocation.status.as_str(), invocation.error),
        ("success", false),
        "{invocation:?}"
    );
    assert_eq!(invocation.answer, "OK");
    held
}
