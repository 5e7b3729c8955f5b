//! Counts what a start does, under ptrace: hardly different from one time to the next, and far too slow to be timed at once.

use std::collections::BTreeMap;
use std::io::IoSliceMut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, killpg};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::Serialize;
use syscalls::Sysno;

use super::environment;
use super::platform::Platform;
use super::process::Program;
use super::start::{self, Conversation};
use super::subject::Subject;

/// Single steps of a large program take their time.
const COUNT_WITHIN: Duration = Duration::from_secs(60);
/// Time for the last instructions before the extension sleeps in next.
const REST: Duration = Duration::from_millis(50);
const NEXT: &[u8] = b"/2020-01-01/extension/event/next";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// From exec to the one that writes next, exec itself not among them.
    SystemCalls,
    /// In user mode, from exec until all threads sleep and next is outstanding.
    Instructions,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Count {
    pub(crate) all: u64,
    /// Of system calls, most frequent first.
    pub(crate) by_name: Vec<(String, u64)>,
}

/// Starts the extension once and counts.
pub(crate) fn count(subject: &Subject, given: &[(String, String)], what: What) -> Result<Count> {
    let mut platform = Platform::open()?;
    let variables = environment::variables(&platform.address(), given);
    let program = Program::new(&subject.link, &variables, true)?;
    let ended = AtomicBool::new(false);
    let mut running = program.start()?;
    let group = running.pid;
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| {
            let is_ended = || ended.load(Ordering::Relaxed);
            let conversation = &mut Conversation::new();
            let asked =
                start::serve_until_next(&mut platform, conversation, COUNT_WITHIN, is_ended);
            std::thread::sleep(REST);
            // The tracer waits for its threads: this ends them.
            let _ = killpg(group, Signal::SIGKILL);
            asked
                .map(drop)
                .map_err(|silence| anyhow!("it did not ask for next: {silence:?}"))
        });
        let mut tracer = Tracer {
            main: group,
            what,
            calls: BTreeMap::new(),
            steps: 0,
            done: false,
        };
        let traced = tracer.follow();
        ended.store(true, Ordering::Relaxed);
        let served = serving
            .join()
            .map_err(|_| anyhow!("the platform has failed"))?;
        running.is_reaped(traced?);
        served?;
        Ok(tracer.count())
    })
}

struct Tracer {
    /// The first thread, and the process group.
    main: Pid,
    what: What,
    calls: BTreeMap<u64, u64>,
    steps: u64,
    /// Next has been written.
    done: bool,
}

impl Tracer {
    /// Until the process has ended.
    fn follow(&mut self) -> Result<WaitStatus> {
        let group = Pid::from_raw(-self.main.as_raw());
        let first = waitpid(self.main, Some(WaitPidFlag::__WALL)).context("it cannot be traced")?;
        if let WaitStatus::Stopped(..) = first {
            let options = Options::PTRACE_O_TRACESYSGOOD
                | Options::PTRACE_O_TRACECLONE
                | Options::PTRACE_O_TRACEFORK
                | Options::PTRACE_O_TRACEVFORK
                | Options::PTRACE_O_EXITKILL;
            ptrace::setoptions(self.main, options)?;
            self.go_on(self.main, None)?;
        }
        let mut last = first;
        loop {
            match waitpid(group, Some(WaitPidFlag::__WALL)) {
                Ok(status) => {
                    if status.pid() == Some(self.main) {
                        last = status;
                    }
                    self.stopped(status)?;
                }
                Err(Errno::ECHILD) => return Ok(last),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error).context("it cannot be traced"),
            }
        }
    }

    fn stopped(&mut self, status: WaitStatus) -> Result<()> {
        match status {
            WaitStatus::PtraceSyscall(pid) => {
                self.system_call(pid);
                self.go_on(pid, None)
            }
            WaitStatus::Stopped(pid, Signal::SIGTRAP) => {
                self.steps += 1;
                self.go_on(pid, None)
            }
            // A new thread, or a new process, begins with a stop.
            WaitStatus::Stopped(pid, Signal::SIGSTOP) | WaitStatus::PtraceEvent(pid, ..) => {
                self.go_on(pid, None)
            }
            WaitStatus::Stopped(pid, signal) => self.go_on(pid, Some(signal)),
            _ => Ok(()),
        }
    }

    fn go_on(&self, pid: Pid, signal: Option<Signal>) -> Result<()> {
        let gone_on = match self.what {
            What::SystemCalls => ptrace::syscall(pid, signal),
            What::Instructions => ptrace::step(pid, signal),
        };
        match gone_on {
            // Killed in the meantime.
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error).context("it cannot be traced"),
        }
    }

    /// Each call stops twice, when it begins and when it ends.
    fn system_call(&mut self, pid: Pid) {
        let Ok(info) = ptrace::syscall_info(pid) else {
            return;
        };
        if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY || self.done {
            return;
        }
        // SAFETY: `op` says that it is this member.
        let entry = unsafe { info.u.entry };
        *self.calls.entry(entry.nr).or_default() += 1;
        self.done = writes_next(pid, entry.nr, entry.args);
    }

    fn count(self) -> Count {
        if self.what == What::Instructions {
            return Count {
                all: self.steps,
                by_name: Vec::new(),
            };
        }
        let all = self.calls.values().sum();
        let named = self.calls.into_iter().map(|(number, count)| {
            let known = usize::try_from(number).ok().and_then(Sysno::new);
            (
                known.map_or(number.to_string(), |call| call.name().into()),
                count,
            )
        });
        let mut by_name: Vec<(String, u64)> = named.collect();
        by_name.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), name.clone()));
        Count { all, by_name }
    }
}

/// Whether a system call is the one that writes the request for next.
fn writes_next(pid: Pid, number: u64, arguments: [u64; 6]) -> bool {
    let is = |call: libc::c_long| u64::try_from(call) == Ok(number);
    let bytes = if is(libc::SYS_write) || is(libc::SYS_sendto) {
        read(pid, arguments[1], arguments[2])
    } else if is(libc::SYS_writev) {
        gather(pid, arguments[1], arguments[2])
    } else if is(libc::SYS_sendmsg) {
        // `struct msghdr`: name, its length, vector, its length.
        let header = words(&read(pid, arguments[1], 32));
        match header[..] {
            [_, _, vector, count] => gather(pid, vector, count),
            _ => return false,
        }
    } else {
        return false;
    };
    bytes.windows(NEXT.len()).any(|window| window == NEXT)
}

/// The bytes that an array of `struct iovec` points to.
fn gather(pid: Pid, vector: u64, count: u64) -> Vec<u8> {
    let pieces = words(&read(pid, vector, count.saturating_mul(16)));
    pieces
        .chunks_exact(2)
        .flat_map(|piece| read(pid, piece[0], piece[1]))
        .collect()
}

fn words(bytes: &[u8]) -> Vec<u64> {
    let (words, _) = bytes.as_chunks();
    words.iter().map(|word| u64::from_ne_bytes(*word)).collect()
}

/// A request's head is in the first kilobyte.
fn read(pid: Pid, address: u64, length: u64) -> Vec<u8> {
    let length = length.min(1024) as usize;
    let mut bytes = vec![0; length];
    let from = RemoteIoVec {
        base: address as usize,
        len: length,
    };
    let count = process_vm_readv(pid, &mut [IoSliceMut::new(&mut bytes)], &[from]);
    bytes.truncate(count.unwrap_or(0));
    bytes
}
