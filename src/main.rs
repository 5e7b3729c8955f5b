//! What the process does, in its order.
//!
//! There is no `fn main`: the standard library's start-up is not needed, and costs system calls and 4 KB. See
//! [`kinglet::entry`].
#![no_main]

use kinglet::extension;
use kinglet::lambda::api_address::ApiAddress;
use kinglet::lambda::message;
use kinglet::output::resolver;
use kinglet::outside;
use kinglet::sys;
use kinglet::sys::Arguments;

kinglet::entry!(start);

fn start(mut arguments: Arguments) -> ! {
    let program = arguments.next().unwrap_or_default();
    let is_version = arguments.next() == Some(b"--version");

    // A person, not Lambda.
    let Some(api) = sys::variable("AWS_LAMBDA_RUNTIME_API") else {
        let help = outside::help();
        let text = if is_version {
            outside::VERSION.as_bytes()
        } else {
            &help
        };
        sys::write(sys::STDOUT, text);
        sys::exit(0);
    };
    let Some(address) = ApiAddress::parse(api, || sys::read_file(resolver::HOSTS)) else {
        message::line(&[
            b"AWS_LAMBDA_RUNTIME_API is not an address: ",
            api.as_bytes(),
        ]);
        sys::exit(1);
    };

    // The cold start waits for this, so it comes before all else. Lambda knows us by the name of our file.
    let name = program
        .rsplit(|byte| *byte == b'/')
        .next()
        .unwrap_or_default();
    let Some(mut registration) = extension::register(address, name) else {
        sys::exit(1);
    };

    // From here on nothing may end the process but SHUTDOWN.
    let (mut config, resource) = extension::configure(&mut registration);
    let subscription = extension::subscribe(&mut registration, &config);
    let (reactor, mut exporter) =
        extension::assemble(registration, &mut config, resource, subscription);
    extension::run(reactor, &mut exporter);
    let status = extension::conclude(reactor);
    sys::exit(status);
}
