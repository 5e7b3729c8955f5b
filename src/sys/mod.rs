//! What std lacks, or has only with more than is needed: `poll(2)`, sockets that do not block, two clocks, the process's entry,
//! arguments and environment, handlers for fatal signals, for the static binary an allocator, and instructions that look at
//! sixteen bytes at once. The only folder with `unsafe`, and each block says why it is sound.
//!
//! The C declarations are those of glibc and musl on x86_64 and aarch64 Linux, which agree in all that is used here; the
//! sizes are asserted at compile time.
#![allow(unsafe_code)]

#[cfg(all(target_arch = "x86_64", any(test, target_env = "musl")))]
mod bytes;
mod clocks;
mod datagrams;
mod file;
#[cfg(target_env = "musl")]
mod left_out;
#[cfg(target_env = "musl")]
pub mod memory;
mod poll;
mod process;
pub mod scan;
mod socket;
pub mod survival;

pub use clocks::{clocks, cpu_us, microseconds};
pub use datagrams::receive_datagrams;
pub use file::{STDOUT, read_file, tell, write};
pub use poll::{NOTHING, PollFd, READABLE, WRITABLE, wait};
pub use process::{Arguments, environment, exit, ignore_broken_pipes, random, variable};
pub use socket::{
    OUT_OF_DESCRIPTORS, Refusal, accept, connect_to, datagrams_dropped, datagrams_on, datagrams_to,
    is_silent, listen_on, receive, refusal, send_at_once, send_some,
};
