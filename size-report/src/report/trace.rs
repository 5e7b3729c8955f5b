//! What a start touches, instruction by instruction, until it waits for its first event: the program runs in single steps, and each
//! instruction is taken apart for the memory that it reads and writes.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::collections::HashSet;
use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Result, bail};
use iced_x86::{Code, Decoder, DecoderOptions, InstructionInfoFactory, Register};
use nix::libc::user_regs_struct;
use nix::sys::ptrace;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use super::runtime_api;

/// More instructions than this, and it does not start any more.
const STEPS_MAX: u64 = 20_000_000;

/// What an extension finds on Lambda, and the least that kinglet needs.
const ENVIRONMENT: [(&str, &str); 14] = [
    ("AWS_REGION", "eu-west-1"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
    ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "token"),
    ("TZ", ":UTC"),
    ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    ("LD_LIBRARY_PATH", "/lib64:/usr/lib64:/var/task:/opt/lib"),
    ("LANG", "en_US.UTF-8"),
    ("KINGLET_ENDPOINT", "http://127.0.0.1:4318"),
];

const WRITE: u64 = 1;
const SENDTO: u64 = 44;
/// poll, ppoll, epoll_wait, epoll_pwait.
const WAITS: [u64; 4] = [7, 271, 232, 281];

const NEXT: &[u8] = b"/2020-01-01/extension/event/next";

/// The addresses that a start touches, in the order of the first touch.
pub(crate) struct Touched {
    pub(crate) addresses: Vec<u64>,
    /// So many of them until next is sent. The others are touched until it waits for the answer.
    until_next: usize,
}

impl Touched {
    pub(crate) fn until_next(&self) -> &[u64] {
        &self.addresses[..self.until_next]
    }
}

/// From the first instruction until kinglet waits for its first event.
pub(crate) fn touched(program: &Path) -> Result<Touched> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let api = format!("127.0.0.1:{}", listener.local_addr()?.port());
    thread::spawn(move || runtime_api::serve_one(&listener));
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .envs(ENVIRONMENT)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: one system call, which is all that may be done between fork and exec.
    unsafe { command.pre_exec(|| Ok(ptrace::traceme()?)) };
    let mut child = command.spawn()?;
    let seen = steps(Pid::from_raw(child.id() as i32));
    let _ = child.kill();
    let _ = child.wait();
    seen
}

#[derive(Default)]
struct Seen {
    addresses: Vec<u64>,
    known: HashSet<u64>,
}

impl Seen {
    fn touch(&mut self, address: u64) {
        if self.known.insert(address) {
            self.addresses.push(address);
        }
    }
}

fn steps(process: Pid) -> Result<Touched> {
    waitpid(process, None)?;
    let memory = File::open(format!("/proc/{process}/mem"))?;
    let mut factory = InstructionInfoFactory::new();
    let mut seen = Seen::default();
    let mut until_next = None;
    for _ in 0..STEPS_MAX {
        let registers = ptrace::getregs(process)?;
        let mut code = [0; 15];
        let read = memory.read_at(&mut code, registers.rip)?;
        let code = &code[..read];
        let instruction = Decoder::with_ip(64, code, registers.rip, DecoderOptions::NONE).decode();
        seen.touch(registers.rip);
        seen.touch(registers.rip + instruction.len() as u64 - 1);
        if instruction.code() == Code::Syscall {
            // The kernel reads what it is pointed to.
            for argument in [registers.rdi, registers.rsi, registers.rdx, registers.r8] {
                seen.touch(argument);
            }
            if matches!(registers.rax, WRITE | SENDTO) {
                seen.touch(registers.rsi + registers.rdx.saturating_sub(1));
            }
            match until_next {
                None if is_next(&memory, &registers) => until_next = Some(seen.addresses.len()),
                Some(until_next) if WAITS.contains(&registers.rax) => {
                    return Ok(Touched {
                        addresses: seen.addresses,
                        until_next,
                    });
                }
                _ => {}
            }
        }
        for used in factory.info(&instruction).used_memory() {
            let from = used.virtual_address(0, |register, _, _| Some(value(&registers, register)));
            let bytes = used.memory_size().size().max(1) as u64;
            // `lea` and `nop` name memory and touch none.
            let is_touched = used.access() != iced_x86::OpAccess::NoMemAccess;
            if let Some(from) = from.filter(|_| is_touched) {
                seen.touch(from);
                seen.touch(from.wrapping_add(bytes - 1));
            }
        }
        ptrace::step(process, None)?;
        match waitpid(process, None)? {
            WaitStatus::Stopped(..) => {}
            other => bail!("kinglet has ended before next: {other:?}"),
        }
    }
    bail!("kinglet has not asked for next within {STEPS_MAX} instructions")
}

fn is_next(memory: &File, registers: &user_regs_struct) -> bool {
    let mut head = [0; 128];
    matches!(registers.rax, WRITE | SENDTO)
        && memory.read_at(&mut head, registers.rsi).is_ok()
        && head.windows(NEXT.len()).any(|window| window == NEXT)
}

fn value(registers: &user_regs_struct, register: Register) -> u64 {
    match register.full_register() {
        Register::RAX => registers.rax,
        Register::RBX => registers.rbx,
        Register::RCX => registers.rcx,
        Register::RDX => registers.rdx,
        Register::RSI => registers.rsi,
        Register::RDI => registers.rdi,
        Register::RBP => registers.rbp,
        Register::RSP => registers.rsp,
        Register::R8 => registers.r8,
        Register::R9 => registers.r9,
        Register::R10 => registers.r10,
        Register::R11 => registers.r11,
        Register::R12 => registers.r12,
        Register::R13 => registers.r13,
        Register::R14 => registers.r14,
        Register::R15 => registers.r15,
        Register::RIP => registers.rip,
        Register::FS => registers.fs_base,
        Register::GS => registers.gs_base,
        _ => 0,
    }
}
