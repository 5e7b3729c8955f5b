//! What the process shares with others has run out: room in the pipe behind standard error, descriptors.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Command;
use std::thread;
use std::time::Duration;

use kinglet_sandbox::Sandbox;

use crate::arrived::function_lines;
use crate::extension::{HELD_MAX, beside, healthy_collector, invoke, spin_down, spin_down_at_once};
use crate::launcher::Launcher;

/// What Linux gives to a pipe.
const PIPE_BYTES: usize = 64 * 1024;

/// A named pipe without room, and both of its ends: nobody reads it until a test does.
struct FullPipe {
    path: String,
    ends: File,
    _directory: tempfile::TempDir,
}

impl FullPipe {
    fn new() -> FullPipe {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stderr").display().to_string();
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let both = OpenOptions::new().read(true).write(true).open(&path);
        let mut pipe = FullPipe {
            path,
            ends: both.unwrap(),
            _directory: directory,
        };
        pipe.ends.write_all(&[b'x'; PIPE_BYTES]).unwrap();
        pipe
    }

    /// Makes room. Nothing else was in it.
    fn drain(&mut self) {
        let mut all = vec![0; PIPE_BYTES];
        self.ends.read_exact(&mut all).unwrap();
        assert!(all.iter().all(|byte| *byte == b'x'));
    }

    /// What has been written since, as far as a mark that is set behind it.
    fn lines(&mut self) -> Vec<String> {
        self.ends.write_all(b"\0").unwrap();
        let mut text = Vec::new();
        BufReader::new(&self.ends).read_until(0, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines = text.trim_end_matches('\0').lines();
        lines.map(Into::into).collect()
    }
}

/// A pipe behind standard error that nobody reads holds neither the start nor an invocation nor the end. What was not written is
/// counted, and told when there is room.
#[test]
fn a_full_stderr_holds_nothing() {
    for is_drained in [true, false] {
        let mut pipe = FullPipe::new();
        let collector = healthy_collector();
        let lambda = Launcher::new("", &format!("2>'{}'", pipe.path))
            .beside(&collector)
            // Two lines on standard error.
            .env("KINGLET_FLUSH", "never")
            .env("KINGLET_MIN_LEVEL", "loud")
            .start()
            .unwrap();
        assert!(invoke(&lambda, ["one"]) < HELD_MAX);
        if is_drained {
            pipe.drain();
        }
        assert!(invoke(&lambda, ["two"]) < HELD_MAX);
        spin_down(&lambda);
        if !is_drained {
            pipe.drain();
        }
        assert_eq!(function_lines(&collector), ["one", "two"]);
        let lines = pipe.lines();
        if is_drained {
            assert_eq!(lines.len(), 2, "{lines:?}");
            assert_eq!(lines[0], "kinglet: lines before this that nobody read: 2");
            assert!(lines[1].starts_with("kinglet: exit reason="), "{lines:?}");
        } else {
            assert_eq!(lines, [""; 0]);
        }
    }
}

/// The same when a bug has struck: the handler has a line to write, too.
#[test]
fn a_full_stderr_does_not_hold_the_survival_handler() {
    let mut pipe = FullPipe::new();
    let collector = healthy_collector();
    let lambda: Sandbox = Launcher::new("", &format!("2>'{}'", pipe.path))
        .beside(&collector)
        .env("KINGLET_DEBUG_CRASH", "telemetry")
        .start()
        .unwrap();
    for line in ["one", "two", "three"] {
        assert!(invoke(&lambda, [line]) < HELD_MAX);
    }
    spin_down_at_once(&lambda);
    pipe.drain();
    assert_eq!(pipe.lines(), [""; 0]);
}

/// kinglet that may have so many descriptors, standard ones included.
fn with_descriptors(count: usize) -> Launcher {
    Launcher::new(&format!("ulimit -n {count}"), "")
}

/// However few descriptors there are beside the one for the Runtime API: next is asked, and SHUTDOWN is the end. With one for the
/// listener, one for Lambda's connection and one for the collector's nothing is lost.
#[test]
fn with_few_descriptors_next_is_asked() {
    for count in 4..=13 {
        println!("{count}");
        let collector = healthy_collector();
        let lambda = with_descriptors(count).beside(&collector).start().unwrap();
        for line in ["one", "two"] {
            assert!(invoke(&lambda, [line]) < HELD_MAX);
        }
        // With fewer than that nobody takes what Lambda has to tell.
        let is_read = count >= 7;
        let exit = if is_read {
            spin_down(&lambda)
        } else {
            spin_down_at_once(&lambda)
        };
        let told = |text| {
            exit.stderr
                .iter()
                .filter(|line| line.contains(text))
                .count()
        };
        let dormant = told("no file descriptor is left: nothing is recorded");
        assert_eq!(dormant, usize::from(count == 4));
        let waiting = told("no file descriptor is left: telemetry has to wait");
        assert!(count == 6 || waiting == usize::from(count == 5));
        if is_read {
            assert_eq!(function_lines(&collector), ["one", "two"]);
        }
    }
}

/// A connection that cannot be taken does not keep the process busy, and it is told. Nor is the StatsD port said to be taken.
#[cfg(feature = "metrics")]
#[test]
fn without_descriptors_there_is_no_work() {
    let collector = healthy_collector();
    let lambda = with_descriptors(5)
        .beside(&collector)
        .env("KINGLET_METRICS", "on")
        .freezes(false)
        .start()
        .unwrap();
    invoke(&lambda, ["one"]);
    // So long Lambda's connection waits in vain.
    thread::sleep(Duration::from_secs(1));
    let exit = spin_down_at_once(&lambda);
    assert!(exit.cpu < Duration::from_millis(200), "{:?}", exit.cpu);
    for line in [
        "kinglet: no file descriptor is left: telemetry has to wait",
        "kinglet: no file descriptor is left: no StatsD metrics are recorded",
    ] {
        let told = exit.stderr.iter().filter(|told| *told == line).count();
        assert_eq!(told, 1, "{line}: {:?}", exit.stderr);
    }
}

/// The limit is lowered below what is open already, so that the kernel refuses to wait.
#[test]
fn a_limit_that_is_lowered_does_not_matter() {
    let collector = healthy_collector();
    let lambda = beside(&collector).freezes(false).start().unwrap();
    invoke(&lambda, ["one"]);
    assert!(lambda.drain(Duration::from_secs(5)));
    let pid = lambda.pid().expect("it runs").to_string();
    let lowered = Command::new("prlimit")
        .args(["--nofile=1", "--pid", &pid])
        .status();
    assert!(lowered.unwrap().success());
    assert!(invoke(&lambda, ["two"]) < HELD_MAX);
    thread::sleep(Duration::from_millis(500));
    let exit = spin_down(&lambda);
    assert!(exit.cpu < Duration::from_millis(200), "{:?}", exit.cpu);
    assert_eq!(function_lines(&collector), ["one", "two"], "{exit:?}");
}

/// The last descriptor is held by a request that does not come to its end: it gives way, and nothing that waits is lost.
#[test]
fn the_last_descriptor_goes_round() {
    let collector = healthy_collector();
    let lambda = with_descriptors(7)
        .beside(&collector)
        .freezes(false)
        .start()
        .unwrap();
    let mut stalled = Vec::new();
    for line in ["one", "two"] {
        invoke(&lambda, [line]);
        stalled.push(lambda.inject_raw(b"POST / HTTP/1.1\r\n").unwrap());
    }
    assert!(lambda.drain(Duration::from_secs(5)));
    spin_down(&lambda);
    assert_eq!(function_lines(&collector), ["one", "two"]);
}
