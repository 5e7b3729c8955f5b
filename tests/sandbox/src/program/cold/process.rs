//! A process that is timed from its exec on.

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::ptrace;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, killpg, pthread_sigmask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, dup2_raw, execve, setpgid};

/// Enough for the few calls before exec.
const STACK_BYTES: usize = 64 << 10;

/// What to run, in the form that exec wants it.
pub(crate) struct Program {
    path: CString,
    environment: Vec<CString>,
    output: std::fs::File,
    input: std::fs::File,
    /// The caller is its tracer; it stops right after exec.
    traced: bool,
}

impl Program {
    pub(crate) fn new(
        path: &std::path::Path,
        environment: &[(String, String)],
        traced: bool,
    ) -> Result<Program> {
        let path = CString::new(path.as_os_str().as_encoded_bytes())?;
        let variables = environment
            .iter()
            .map(|(name, value)| CString::new(format!("{name}={value}")));
        Ok(Program {
            path,
            environment: variables.collect::<std::result::Result<_, _>>()?,
            output: tempfile::tempfile().context("no temporary file can be made")?,
            input: std::fs::File::open("/dev/null")?,
            traced,
        })
    }

    /// What the process has written, stdout and stderr together.
    pub(crate) fn output(&self) -> String {
        use std::os::unix::fs::FileExt;
        let mut bytes = vec![0; 4096];
        let count = self.output.read_at(&mut bytes, 0).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    /// Starts it as posix_spawn does: the child borrows this process's memory until exec, so that nothing is copied. Unlike
    /// posix_spawn, it notes the moment at which it calls exec.
    pub(crate) fn start(&self) -> Result<Running> {
        let arguments = [self.path.as_c_str()];
        let environment: Vec<&CStr> = self.environment.iter().map(CString::as_c_str).collect();
        let (mut stack, mut signals) = (vec![0; STACK_BYTES], SigSet::empty());
        pthread_sigmask(
            SigmaskHow::SIG_BLOCK,
            Some(&SigSet::all()),
            Some(&mut signals),
        )?;
        let mut child = Child {
            program: self,
            arguments: &arguments,
            environment: &environment,
            signals,
            exec_at: None,
            problem: None,
        };
        let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
        // SAFETY: the parent stands still until the child has called exec or ended, so all that the child uses lives, and it
        // has a stack of its own. The child allocates nothing, takes no lock, and leaves by exec or _exit.
        let cloned = unsafe {
            let run = Box::new(|| child.run());
            nix::sched::clone(run, &mut stack, flags, Some(libc::SIGCHLD))
        };
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&signals), None)?;
        let pid = cloned.context("no process can be made")?;
        match (child.exec_at, child.problem) {
            (Some(exec_at), None) => Ok(Running {
                pid,
                exec_at,
                ended: None,
            }),
            (_, problem) => {
                let _ = waitpid(pid, Some(WaitPidFlag::__WALL));
                let problem = problem.unwrap_or(Errno::UnknownErrno);
                bail!(
                    "{} cannot be run: {}",
                    self.path.to_string_lossy(),
                    problem.desc()
                )
            }
        }
    }
}

/// What happens between clone and exec, in the memory of the parent.
struct Child<'a> {
    program: &'a Program,
    arguments: &'a [&'a CStr],
    environment: &'a [&'a CStr],
    signals: SigSet,
    exec_at: Option<Instant>,
    problem: Option<Errno>,
}

impl Child<'_> {
    fn run(&mut self) -> isize {
        let Err(problem) = self.exec();
        self.problem = Some(problem);
        // SAFETY: ends the child, without what the parent would do at its exit.
        unsafe { libc::_exit(127) }
    }

    fn exec(&mut self) -> nix::Result<Infallible> {
        setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
        onto(self.program.input.as_raw_fd(), libc::STDIN_FILENO)?;
        onto(self.program.output.as_raw_fd(), libc::STDOUT_FILENO)?;
        onto(self.program.output.as_raw_fd(), libc::STDERR_FILENO)?;
        // Rust ignores SIGPIPE, and that would be inherited. The table of handlers is the child's own.
        // SAFETY: the default action is no handler.
        unsafe { nix::sys::signal::signal(Signal::SIGPIPE, nix::sys::signal::SigHandler::SigDfl)? };
        if self.program.traced {
            ptrace::traceme()?;
        }
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&self.signals), None)?;
        self.exec_at = Some(Instant::now());
        execve(&self.program.path, self.arguments, self.environment)
    }
}

fn onto(from: RawFd, to: RawFd) -> nix::Result<()> {
    // SAFETY: nothing in the child owns the standard descriptors.
    unsafe { dup2_raw(std::os::fd::BorrowedFd::borrow_raw(from), to) }.map(|copy| {
        let _ = std::os::fd::IntoRawFd::into_raw_fd(copy);
    })
}

/// A started process, in a group of its own. Whatever becomes of the run, it is killed and reaped.
pub(crate) struct Running {
    pub(crate) pid: Pid,
    pub(crate) exec_at: Instant,
    ended: Option<WaitStatus>,
}

impl Running {
    /// Whether it has ended by itself; and how.
    pub(crate) fn ended(&mut self) -> Option<WaitStatus> {
        if self.ended.is_none() {
            let now = waitpid(self.pid, Some(WaitPidFlag::WNOHANG));
            self.ended = now.ok().filter(|status| *status != WaitStatus::StillAlive);
        }
        self.ended
    }

    /// It was reaped by another, the tracer.
    pub(crate) fn is_reaped(&mut self, status: WaitStatus) {
        self.ended = Some(status);
    }

    /// Waits for its end, for a time, and no longer than it makes sense.
    pub(crate) fn await_end(&mut self, time: Duration, mut is_enough: impl FnMut() -> bool) {
        let deadline = Instant::now() + time;
        while self.ended().is_none() && Instant::now() < deadline && !is_enough() {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What it has started itself goes, too.
        let _ = killpg(self.pid, Signal::SIGKILL);
        if self.ended.is_none() {
            let _ = waitpid(self.pid, Some(WaitPidFlag::__WALL));
        }
    }
}
