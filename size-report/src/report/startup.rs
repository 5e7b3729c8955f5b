//! What kinglet asks of the kernel from its first instruction until it has asked for the first event: every system call in
//! there is cold start, so each has its reason, and there are at most so many.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, thread};

use anyhow::{Context, Result, bail, ensure};
use regex::{Captures, Regex};
use serde::Serialize;

use super::{reasons, runtime_api};

/// From execve to the send of next, both counted.
const CALLS_MAX: usize = 26;

/// How much of a text strace shows, and how much of that the report.
const TRACED_CHARACTERS: &str = "96";
const SHOWN_CHARACTERS: usize = 60;

/// A system call and why it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Call {
    pub(crate) line: String,
    pub(crate) reason: Option<&'static str>,
}

/// Runs the program under strace beside a small Runtime API. `None`: there is no strace here, or it may not trace.
pub(crate) fn observe(program: &Path) -> Result<Option<Vec<Call>>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let record = std::env::temp_dir().join(format!("kinglet-start-{}", std::process::id()));
    let strace = Command::new("strace")
        .args(["-s", TRACED_CHARACTERS, "-o"])
        .arg(&record)
        .arg(program)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{port}"))
        .env("KINGLET_ENDPOINT", "http://127.0.0.1:9")
        .env("KINGLET_PORT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut strace) = strace else {
        return Ok(None);
    };
    // Where nobody connects, this thread waits until the report ends.
    thread::spawn(move || runtime_api::serve_one(&listener));
    strace.wait()?;
    let text = fs::read_to_string(&record).unwrap_or_default();
    let _ = fs::remove_file(&record);
    if !text.starts_with("execve(") {
        return Ok(None);
    }
    let text = text.replace(&program.display().to_string(), "/opt/extensions/kinglet");
    let calls = calls(&text, port).context("kinglet did not ask for next under strace")?;
    Ok(Some(calls))
}

/// Each call has a reason, and there are few.
pub(crate) fn ensure_explained(calls: &[Call]) -> Result<()> {
    if let Some(call) = calls.iter().find(|call| call.reason.is_none()) {
        bail!(
            "a system call at start that nobody has explained: {}\n  Remove it, or say in size-report/src/report/reasons.rs why it must be",
            call.line
        );
    }
    ensure!(
        calls.len() <= CALLS_MAX,
        "{} system calls until next is asked, and at most {CALLS_MAX} are allowed: each one is cold start",
        calls.len()
    );
    Ok(())
}

/// The lines up to the send of next, without what differs from run to run.
fn calls(text: &str, port: u16) -> Option<Vec<Call>> {
    let is_next = |line: &&str| line.contains("GET /2020-01-01/extension/event/next");
    let last = text.lines().position(|line| is_next(&line))?;
    let lines = text.lines().take(last + 1);
    Some(lines.map(|line| call(&steady(line, port))).collect())
}

fn call(line: &str) -> Call {
    Call {
        line: line.to_string(),
        reason: reasons::of(line),
    }
}

/// Addresses, ports and process numbers are others in every run.
fn steady(line: &str, port: u16) -> String {
    let pattern = |pattern: &str| Regex::new(pattern).expect("a pattern of this file");
    let line = pattern(r"\s+= ").replace(line, " = ");
    let line = line.replace(&port.to_string(), "9001");
    // A wait that was interrupted goes on with what is left of its second.
    let line = pattern(r", 9\d\d\) = ").replace(&line, ", 1000) = ");
    let line = pattern(r"0x[0-9a-f]{5,}").replace_all(&line, "0x…");
    let line = pattern(r"tv_n?sec=\d+").replace_all(&line, "…");
    let line = pattern(r"htons\((\d+)\)").replace_all(&line, |found: &Captures| {
        match &found[1] {
            known @ ("9001" | "0") => format!("htons({known})"),
            // Any free one.
            _ => "htons(4327)".to_string(),
        }
    });
    let line = pattern(r"^(set_tid_address\(.*\) = )\d+$").replace(&line, "${1}1");
    pattern(&format!(r#""([^"]{{{SHOWN_CHARACTERS}}})[^"]+"(\.\.\.)?"#))
        .replace_all(&line, "\"$1\"...")
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_taken_out() {
        assert_eq!(
            steady("set_tid_address(0x23ab28)         = 427", 5),
            "set_tid_address(0x…) = 1"
        );
        assert_eq!(
            steady(
                "clock_gettime(CLOCK_MONOTONIC, {tv_sec=17332, tv_nsec=638362849}) = 0",
                5
            ),
            "clock_gettime(CLOCK_MONOTONIC, {…, …}) = 0"
        );
        assert_eq!(
            steady("bind(4, {sin_port=htons(0)}, 16)    = 0", 40689),
            "bind(4, {sin_port=htons(0)}, 16) = 0"
        );
        assert_eq!(
            steady("connect(3, {sin_port=htons(40689)}, 16) = 0", 40689),
            "connect(3, {sin_port=htons(9001)}, 16) = 0"
        );
    }

    #[test]
    fn a_call_without_a_reason_fails() {
        let known = call("listen(4, 64) = 0");
        assert!(ensure_explained(std::slice::from_ref(&known)).is_ok());
        let unknown = call(r#"openat(AT_FDCWD, "/etc/localtime", O_RDONLY) = 3"#);
        let error = ensure_explained(&[known.clone(), unknown]).unwrap_err();
        assert!(error.to_string().contains("localtime"), "{error}");
        assert!(ensure_explained(&vec![known; CALLS_MAX + 1]).is_err());
    }

    #[test]
    fn nothing_after_next_counts() {
        let text = "execve(\"/k\", [\"/k\"], 0x7ffd1256b8a8 /* 3 vars */) = 0\nsendto(3, \"GET /2020-01-01/extension/event/next HTTP/1.1\", 9) = 9\nclose(3) = 0\n";
        assert_eq!(calls(text, 9).unwrap().len(), 2);
        assert!(calls("execve() = 0\n", 9).is_none());
    }
}
