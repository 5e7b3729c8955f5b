//! System calls on sockets, made by hand. Every failure is `None`: there is nothing that the floor could do about it.

use core::arch::{asm, global_asm};

#[cfg(target_arch = "x86_64")]
mod number {
    pub const READ: usize = 0;
    pub const WRITEV: usize = 20;
    pub const SOCKET: usize = 41;
    pub const CONNECT: usize = 42;
    pub const LISTEN: usize = 50;
    pub const GETSOCKNAME: usize = 51;
    pub const EXIT_GROUP: usize = 231;
}

#[cfg(target_arch = "aarch64")]
mod number {
    pub const READ: usize = 63;
    pub const WRITEV: usize = 66;
    pub const SOCKET: usize = 198;
    pub const LISTEN: usize = 201;
    pub const CONNECT: usize = 203;
    pub const GETSOCKNAME: usize = 204;
    pub const EXIT_GROUP: usize = 94;
}

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "mov rdi, rsp",
    "and rsp, -16",
    "call start"
);

#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x0, sp", "bl start");

const AF_INET: u16 = 2;
const SOCK_STREAM: usize = 1;
const BACKLOG: usize = 16;

/// `struct sockaddr_in`.
#[repr(C)]
#[derive(Default)]
pub struct Address {
    family: u16,
    port: [u8; 2],
    ip: [u8; 4],
    zero: [u8; 8],
}

impl Address {
    /// Reads `127.0.0.1:9001`.
    pub fn parse(text: &[u8]) -> Option<Address> {
        let mut numbers = [0u16; 5];
        let mut fields = text.split(|byte| matches!(byte, b'.' | b':'));
        for number in &mut numbers {
            for digit in fields.next()? {
                *number = number.wrapping_mul(10).wrapping_add(u16::from(digit & 15));
            }
        }
        let [a, b, c, d, port] = numbers;
        let ip = [a as u8, b as u8, c as u8, d as u8];
        Some(Address {
            family: AF_INET,
            port: port.to_be_bytes(),
            ip,
            zero: [0; 8],
        })
    }
}

/// A file descriptor; the kernel closes it at the end.
pub struct Socket(usize);

impl Socket {
    pub fn tcp() -> Option<Socket> {
        call(number::SOCKET, [usize::from(AF_INET), SOCK_STREAM, 0]).map(Socket)
    }

    pub fn connect(&self, address: &Address) -> Option<usize> {
        let address = core::ptr::from_ref(address);
        call(
            number::CONNECT,
            [self.0, address as usize, size_of::<Address>()],
        )
    }

    /// Without having been bound it listens on a free port of every address.
    pub fn listen(&self) -> Option<usize> {
        call(number::LISTEN, [self.0, BACKLOG, 0])
    }

    pub fn port(&self) -> Option<u16> {
        let mut address = Address::default();
        let mut length = size_of::<Address>() as u32;
        let (to, length) = (&raw mut address, &raw mut length);
        call(number::GETSOCKNAME, [self.0, to as usize, length as usize])?;
        Some(u16::from_be_bytes(address.port))
    }

    /// Writes the pieces in one call, without putting them together first: `struct iovec` and a slice are alike, an address and
    /// a length.
    pub fn write(&self, pieces: &[&[u8]]) -> Option<usize> {
        call(
            number::WRITEV,
            [self.0, pieces.as_ptr() as usize, pieces.len()],
        )
    }

    /// `None` at the end of the connection.
    pub fn read(&self, buffer: &mut [u8]) -> Option<usize> {
        let count = call(
            number::READ,
            [self.0, buffer.as_mut_ptr() as usize, buffer.len()],
        )?;
        (count > 0).then_some(count)
    }
}

pub fn exit(code: usize) -> ! {
    call(number::EXIT_GROUP, [code, 0, 0]);
    loop {
        core::hint::spin_loop();
    }
}

/// Any number from -4095 up is an error.
fn call(number: usize, arguments: [usize; 3]) -> Option<usize> {
    let [first, second, third] = arguments;
    let result: isize;
    // SAFETY: the functions above pass what the kernel expects; memory is declared as changed.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") first, in("rsi") second, in("rdx") third,
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") first => result, in("x1") second, in("x2") third,
            options(nostack));
    }
    usize::try_from(result).ok()
}
