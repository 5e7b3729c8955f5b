//! A child process in a group of its own: its lines, its freeze, its end, and what it cost.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::cleanup;

/// How a process ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) at: Instant,
    /// User and system time together.
    pub(crate) cpu: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout,
    Stderr,
}

pub(crate) struct Process {
    pid: i32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ended: Option<Ended>,
    /// All output has been read after the end.
    complete: bool,
    stdout: Vec<String>,
    stderr: Vec<String>,
    memory_peak_kb: u64,
}

/// Called for each line of output.
pub(crate) type OnLine = Arc<dyn Fn(Output, &str) + Send + Sync>;

/// Called for each line, and once at the end.
pub(crate) struct Callbacks {
    pub(crate) on_line: OnLine,
    pub(crate) on_end: Box<dyn FnOnce(&Ended) + Send>,
}

impl Process {
    /// Starts `command` with nothing of this process's environment but what `command` sets.
    pub(crate) fn start(mut command: Command, callbacks: Callbacks) -> io::Result<Arc<Process>> {
        let mut child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        cleanup::group_started(child.id() as i32);
        let process = Arc::new(Process {
            pid: child.id() as i32,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let on_line = callbacks.on_line;
        let readers = [
            process.read(
                child.stdout.take().expect("piped"),
                Output::Stdout,
                on_line.clone(),
            ),
            process.read(child.stderr.take().expect("piped"), Output::Stderr, on_line),
        ];
        let waiting = process.clone();
        thread::spawn(move || waiting.wait(readers, callbacks.on_end));
        Ok(process)
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    pub(crate) fn ended(&self) -> Option<Ended> {
        self.state.lock().unwrap().ended.clone()
    }

    /// Waits for the end and for the last of the output; `None` if it lives on.
    pub(crate) fn wait_ended(&self, timeout: Duration) -> Option<Ended> {
        let state = self.state.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(state, timeout, |state| !state.complete)
            .unwrap();
        waited.0.ended.clone()
    }

    pub(crate) fn lines(&self, output: Output) -> Vec<String> {
        let state = self.state.lock().unwrap();
        match output {
            Output::Stdout => state.stdout.clone(),
            Output::Stderr => state.stderr.clone(),
        }
    }

    /// Sends a signal to the whole group. Nothing happens once it has ended.
    pub(crate) fn signal(&self, signal: i32) {
        if self.state.lock().unwrap().ended.is_none() {
            // SAFETY: kill(2) has no memory effects; the group is ours and not yet reaped.
            unsafe { libc::kill(-self.pid, signal) };
        }
    }

    /// Stops the group, and returns when its leader has stopped.
    pub(crate) fn freeze(&self) {
        self.signal(libc::SIGSTOP);
        let deadline = Instant::now() + Duration::from_secs(1);
        while self.ended().is_none()
            && self.scheduler_state() != Some('T')
            && Instant::now() < deadline
        {
            thread::sleep(Duration::from_micros(200));
        }
    }

    pub(crate) fn thaw(&self) {
        self.signal(libc::SIGCONT);
    }

    /// The peak resident memory (VmHWM) as far as it has been looked at; looks again.
    pub(crate) fn memory_peak_kb(&self) -> u64 {
        let seen = proc_status(self.pid, "VmHWM:").unwrap_or(0);
        let mut state = self.state.lock().unwrap();
        state.memory_peak_kb = state.memory_peak_kb.max(seen);
        state.memory_peak_kb
    }

    /// Present resident memory (VmRSS), in kB.
    pub(crate) fn memory_kb(&self) -> Option<u64> {
        proc_status(self.pid, "VmRSS:")
    }

    fn scheduler_state(&self) -> Option<char> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    }

    fn read(
        self: &Arc<Self>,
        pipe: impl Read + Send + 'static,
        output: Output,
        on_line: OnLine,
    ) -> JoinHandle<()> {
        let process = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                on_line(output, &line);
                let mut state = process.state.lock().unwrap();
                match output {
                    Output::Stdout => state.stdout.push(line),
                    Output::Stderr => state.stderr.push(line),
                }
            }
        })
    }

    fn wait(&self, readers: [JoinHandle<()>; 2], on_end: Box<dyn FnOnce(&Ended) + Send>) {
        // First without reaping, so that the group's number stays ours while the rest of it is killed.
        // SAFETY: plain out parameters of the right types, alive during the calls.
        let ended = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            while libc::waitid(
                libc::P_PID,
                self.pid as u32,
                &mut info,
                libc::WEXITED | libc::WNOWAIT,
            ) == -1
                && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
            {}
            let at = Instant::now();
            libc::kill(-self.pid, libc::SIGKILL);
            let (mut status, mut usage): (i32, libc::rusage) = (0, std::mem::zeroed());
            cleanup::group_ended(self.pid);
            let mut state = self.state.lock().unwrap();
            libc::wait4(self.pid, &mut status, 0, &mut usage);
            let cpu = time(usage.ru_utime) + time(usage.ru_stime);
            let ended = Ended {
                status: ExitStatus::from_raw(status),
                at,
                cpu,
            };
            state.ended = Some(ended.clone());
            ended
        };
        on_end(&ended);
        for reader in readers {
            let _ = reader.join();
        }
        self.state.lock().unwrap().complete = true;
        self.changed.notify_all();
    }
}

fn time(value: libc::timeval) -> Duration {
    Duration::new(value.tv_sec as u64, value.tv_usec as u32 * 1000)
}

fn proc_status(pid: i32, key: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix(key))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// Says in words how a process ended: Lambda's own.
pub(crate) fn end_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "ended".into(),
    }
}

/// Whether a file can be an extension, or what to do about it.
pub(crate) fn check_executable(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display();
    match path.metadata() {
        Err(error) => Err(format!(
            "{shown}: {error}; build the extension first, or give its path"
        )),
        Ok(meta) if !meta.is_file() => Err(format!(
            "{shown} is not a file; an extension is one executable file"
        )),
        Ok(meta) if meta.permissions().mode() & 0o111 == 0 => Err(format!(
            "{shown} is not executable (Lambda: Extension.LaunchError); try chmod +x {shown}"
        )),
        Ok(_)
            if path
                .file_name()
                .map(OsStr::as_bytes)
                .unwrap_or_default()
                .is_empty() =>
        {
            Err(format!("{shown} has no file name"))
        }
        Ok(_) => Ok(()),
    }
}
