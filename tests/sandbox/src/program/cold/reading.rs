//! What a process has cost until it sleeps in its first next, from `/proc`.

use std::fs;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

/// Longer than any extension works on after it has asked for next.
const SETTLES_WITHIN: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    /// User and system time of the threads that live.
    pub(crate) cpu_ns: u64,
    /// Pages that were in memory already, or needed no file.
    pub(crate) minor_faults: u64,
    /// Pages that were read from disk.
    pub(crate) major_faults: u64,
    /// `VmHWM`.
    pub(crate) memory_peak_kb: u64,
    pub(crate) threads: u64,
}

/// Waits until all threads sleep, then reads. `None`: the process has gone.
pub(crate) fn at_rest(pid: Pid) -> Option<Reading> {
    let deadline = Instant::now() + SETTLES_WITHIN;
    let mut before = u64::MAX;
    loop {
        let cpu_ns = cpu_ns(pid)?;
        if (cpu_ns == before && sleeps(pid)?) || Instant::now() >= deadline {
            break;
        }
        before = cpu_ns;
        std::thread::sleep(Duration::from_micros(300));
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (minor_faults, major_faults) = faults(&stat)?;
    Some(Reading {
        cpu_ns: cpu_ns(pid)?,
        minor_faults,
        major_faults,
        memory_peak_kb: status_number(&status, "VmHWM:")?,
        threads: status_number(&status, "Threads:")?,
    })
}

fn tasks(pid: Pid) -> Option<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    Some(entries.flatten().map(|entry| entry.path()).collect())
}

/// The first number of `schedstat` is nanoseconds on a CPU; exact while the thread sleeps.
fn cpu_ns(pid: Pid) -> Option<u64> {
    let mut sum = 0;
    for task in tasks(pid)? {
        let text = fs::read_to_string(task.join("schedstat")).ok()?;
        sum += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(sum)
}

fn sleeps(pid: Pid) -> Option<bool> {
    for task in tasks(pid)? {
        let stat = fs::read_to_string(task.join("stat")).ok()?;
        if fields(&stat)?.next()? != "S" {
            return Some(false);
        }
    }
    Some(true)
}

/// The fields after the program's name, which may hold anything, blanks and brackets too.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(") ")?.1.split(' '))
}

fn faults(stat: &str) -> Option<(u64, u64)> {
    // Fields 10 and 12 of proc_pid_stat(5); the state is the third.
    let mut from_minor = fields(stat)?.skip(7);
    let minor = from_minor.next()?.parse().ok()?;
    let major = from_minor.nth(1)?.parse().ok()?;
    Some((minor, major))
}

fn status_number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_files() {
        let stat = "77 (a) b (c) S 1 77 77 0 -1 4194560 123 0 4 0 1 2 0 0 20 0 1 0 5 0\n";
        assert_eq!(fields(stat).and_then(|mut fields| fields.next()), Some("S"));
        assert_eq!(faults(stat), Some((123, 4)));
        let status = "Name:\tx\nVmPeak:\t   900 kB\nVmHWM:\t   412 kB\nThreads:\t3\n";
        assert_eq!(status_number(status, "VmHWM:"), Some(412));
        assert_eq!(status_number(status, "Threads:"), Some(3));
        assert_eq!(status_number(status, "VmRSS:"), None);
    }
}
