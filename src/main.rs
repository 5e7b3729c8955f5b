//! What the process does, in its order.

use std::process::ExitCode;

use kinglet::runtime_api::Endpoint;
use kinglet::{extension, message, outside, resolver, sys};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let is_version = arguments.next().is_some_and(|argument| argument == "--version");

    // A person, not Lambda.
    let Some(api) = sys::variable("AWS_LAMBDA_RUNTIME_API") else {
        let text = if is_version { outside::VERSION } else { outside::HELP };
        sys::write(sys::STDOUT, text.as_bytes());
        return ExitCode::SUCCESS;
    };
    let Some(endpoint) = Endpoint::parse(&api, || sys::read_file(resolver::HOSTS)) else {
        message::line(&[b"AWS_LAMBDA_RUNTIME_API is not an address: ", api.as_bytes()]);
        return ExitCode::FAILURE;
    };

    // The cold start waits for this, so it comes before all else. Lambda knows us by the name of our file.
    let path = program.as_encoded_bytes();
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let Some(mut registration) = extension::register(endpoint, name) else {
        return ExitCode::FAILURE;
    };

    // From here on nothing may end the process but SHUTDOWN.
    let (config, resource) = extension::configure(&registration);
    let subscription = extension::subscribe(&mut registration, &config);
    let (reactor, mut exporter) = extension::assemble(registration, &config, resource, subscription);
    extension::run(&reactor, &mut exporter);
    ExitCode::from(extension::conclude(&reactor))
}
