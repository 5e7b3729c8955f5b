//! The floor: the least that an extension with telemetry can do before it waits for its first event.
//!
//! It registers, listens, subscribes and asks for events, in ten system calls, without a standard library, an
//! allocation or a copy. What an extension takes beyond this is its own doing. The floor accepts no telemetry (the kernel
//! takes the connections), reads no configuration, retries nothing, and any surprise ends it with exit code 1.
#![no_std]
#![no_main]
// The compiler must not turn loops into calls of a C library that is not there.
#![no_builtins]

mod answer;
mod memory;
mod system_call;

use core::ffi::{CStr, c_char};

use system_call::{Address, Socket, exit};

const REGISTER: &str = "POST /2020-01-01/extension/register HTTP/1.1\r\nHost: lambda\r\n\
    Content-Length: 32\r\nLambda-Extension-Name: ";
const EVENTS: &str = "\r\n\r\n{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}";
const SUBSCRIBE: &str = "PUT /2022-07-01/telemetry HTTP/1.1\r\nHost: lambda\r\n\
    Content-Length: 137\r\nLambda-Extension-Identifier: ";
const DESTINATION: &str = "\r\n\r\n{\"schemaVersion\":\"2022-12-13\",\"types\":[\"platform\",\"function\"],\
    \"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox.localdomain:";
const DESTINATION_END: &str = "\"}}";
const NEXT: &str = "GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: lambda\r\n\
    Lambda-Extension-Identifier: ";
const HEAD_END: &str = "\r\n\r\n";

/// A port is written with leading zeros, so that the length of the body is known.
const PORT_DIGITS: usize = 5;
const _: () = assert!(EVENTS.len() - HEAD_END.len() == 32);
const _: () =
    assert!(DESTINATION.len() - HEAD_END.len() + PORT_DIGITS + DESTINATION_END.len() == 137);

/// The first function; `stack` is as the kernel leaves it: the number of arguments, the arguments, a null, the
/// environment, a null.
///
/// # Safety
/// To be called once, with the stack pointer at the entry of the process.
#[unsafe(no_mangle)]
unsafe extern "C" fn start(stack: *const usize) -> ! {
    // SAFETY: the kernel's layout.
    let (path, api) = unsafe {
        let arguments = stack.add(1).cast::<*const c_char>();
        (
            CStr::from_ptr(*arguments).to_bytes(),
            runtime_api(arguments.add(*stack + 1)),
        )
    };
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    exit(if run(name, api).is_some() { 0 } else { 1 })
}

/// The value of `AWS_LAMBDA_RUNTIME_API`.
///
/// # Safety
/// `environment` is an array of C strings that ends with a null.
unsafe fn runtime_api(mut environment: *const *const c_char) -> &'static [u8] {
    // SAFETY: it stops at the null.
    unsafe {
        while !(*environment).is_null() {
            let variable = CStr::from_ptr(*environment).to_bytes();
            if let Some(value) = variable.strip_prefix(b"AWS_LAMBDA_RUNTIME_API=") {
                return value;
            }
            environment = environment.add(1);
        }
    }
    b""
}

/// Ends with `None` where Lambda does not say what it should.
fn run(name: &[u8], api: &[u8]) -> Option<()> {
    let lambda = Socket::tcp()?;
    lambda.connect(&Address::parse(api)?)?;
    let mut registered = [0; 1024];
    lambda.write(&[REGISTER.as_bytes(), name, EVENTS.as_bytes()])?;
    let registered = answer::read(&lambda, &mut registered)?;
    let identifier = answer::header(registered, b"lambda-extension-identifier")?;

    let telemetry = Socket::tcp()?;
    telemetry.listen()?;
    let port = digits(telemetry.port()?);
    let mut buffer = [0; 1024];
    let (body, body_end) = (DESTINATION.as_bytes(), DESTINATION_END.as_bytes());
    lambda.write(&[SUBSCRIBE.as_bytes(), identifier, body, &port, body_end])?;
    answer::read(&lambda, &mut buffer)?;

    loop {
        lambda.write(&[NEXT.as_bytes(), identifier, HEAD_END.as_bytes()])?;
        let event = answer::read(&lambda, &mut buffer)?;
        if event.windows(10).any(|word| word == b"\"SHUTDOWN\"") {
            return Some(());
        }
    }
}

fn digits(port: u16) -> [u8; PORT_DIGITS] {
    [10_000, 1000, 100, 10, 1].map(|unit| b'0' + (port / unit % 10) as u8)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(1)
}
