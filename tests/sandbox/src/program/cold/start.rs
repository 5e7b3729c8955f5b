//! One start of one extension, from exec to its first next, and its end.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use super::platform::{Platform, Received, Silence};
use super::process::{Program, Running};
use super::reading::{self, Reading};
use super::request::Call;
use super::subject::Subject;
use super::{environment, subscription};
use anyhow::{Context, Result, ensure};

/// A start that takes longer has failed. Lambda itself gives ten seconds to all of the init phase.
const START_WITHIN: Duration = Duration::from_secs(5);
/// Lambda's time for SHUTDOWN.
const SHUTDOWN_WITHIN: Duration = Duration::from_secs(2);
const CONNECT_WITHIN: Duration = Duration::from_millis(500);

const IDENTIFIER: &str = "8c3d1c3f-6e0c-4d5b-9a53-0f4d3c7a1b2e";
const REGISTERED: &str = "{\"functionName\":\"orders\",\"functionVersion\":\"$LATEST\",\"handler\":\"app.handler\",\
    \"accountId\":\"123456789012\"}\n";
const SHUTDOWN: &str =
    "{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"spindown\",\"deadlineMs\":";

/// Times since exec.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) register: Duration,
    pub(crate) subscribe: Duration,
    pub(crate) next: Duration,
    pub(crate) reading: Reading,
}

/// What was said until next, and when. Made before the clock runs: it holds the answers, too.
pub(crate) struct Conversation {
    registered: Vec<u8>,
    subscribed: Vec<u8>,
    register: Option<Instant>,
    subscribe: Option<Instant>,
    subscription: Vec<u8>,
    name: Option<String>,
}

impl Conversation {
    pub(crate) fn new() -> Conversation {
        Conversation {
            registered: ok("application/json", REGISTERED, true),
            subscribed: ok("text/plain; charset=utf-8", "\"OK\"", false),
            register: None,
            subscribe: None,
            subscription: Vec::new(),
            name: None,
        }
    }
}

/// Starts the extension and times it. An error says why the start does not count.
pub(crate) fn time(subject: &Subject, given: &[(String, String)]) -> Result<Start> {
    let mut platform = Platform::open()?;
    let variables = environment::variables(&platform.address(), given);
    let program = Program::new(&subject.link, &variables, false)?;
    let mut conversation = Conversation::new();
    let mut running = program.start()?;
    let asked = serve_until_next(&mut platform, &mut conversation, START_WITHIN, || {
        running.ended().is_some()
    });
    let asked =
        asked.map_err(|silence| explain(&silence, &conversation, &program, &mut running))?;
    let reading =
        reading::at_rest(running.pid).context("it has ended right after it asked for next")?;
    verify(&subject.link, &conversation)?;
    let since_exec = |at: Option<Instant>| at.map(|at| at.duration_since(running.exec_at));
    let start = Start {
        register: since_exec(conversation.register).context("it has not registered")?,
        subscribe: since_exec(conversation.subscribe).context("it has not subscribed")?,
        next: asked.at.duration_since(running.exec_at),
        reading,
    };
    shut_down(&mut platform, &asked, &mut running);
    Ok(start)
}

/// Answers everything up to the first next, which stays unanswered.
pub(crate) fn serve_until_next(
    platform: &mut Platform,
    conversation: &mut Conversation,
    within: Duration,
    mut ended: impl FnMut() -> bool,
) -> std::result::Result<Received, Silence> {
    let deadline = Instant::now() + within;
    let not_found = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    loop {
        let received = platform.receive(deadline, &mut ended)?;
        match received.request.call {
            Call::Next => return Ok(received),
            Call::Register => {
                platform.answer(&received, &conversation.registered);
                conversation.register.get_or_insert(received.at);
                conversation.name = received.request.name;
            }
            Call::Subscribe => {
                platform.answer(&received, &conversation.subscribed);
                conversation.subscribe.get_or_insert(received.at);
                conversation.subscription = received.request.body;
            }
            Call::Other => platform.answer(&received, not_found),
        }
    }
}

fn ok(content_type: &str, body: &str, with_identifier: bool) -> Vec<u8> {
    let identifier = match with_identifier {
        true => format!("Lambda-Extension-Identifier: {IDENTIFIER}\r\n"),
        false => String::new(),
    };
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{identifier}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Whether the extension has done what a start is about.
fn verify(path: &Path, conversation: &Conversation) -> Result<()> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let name = conversation.name.as_deref().unwrap_or_default();
    ensure!(
        name == file,
        "it registered as `{name}`, but Lambda knows it by the name of its file, {file}"
    );
    ensure!(
        conversation.subscribe.is_some(),
        "it asked for next without having subscribed"
    );
    let port = subscription::listener_port(&conversation.subscription)?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpStream::connect_timeout(&address, CONNECT_WITHIN)
        .with_context(|| format!("its listener, port {port}, takes no connection"))?;
    Ok(())
}

/// Tells it to end, and sees to it.
fn shut_down(platform: &mut Platform, asked: &Received, running: &mut Running) {
    let deadline = std::time::SystemTime::now() + SHUTDOWN_WITHIN;
    let since_epoch = deadline
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let body = format!("{SHUTDOWN}{}}}", since_epoch.as_millis());
    platform.answer(asked, &ok("text/plain; charset=utf-8", &body, false));
    // One that asks for next once more has done what it does: like Lambda, kill it then.
    let now = Instant::now();
    running.await_end(SHUTDOWN_WITHIN, || platform.receive(now, || false).is_ok());
}

fn explain(
    silence: &Silence,
    conversation: &Conversation,
    program: &Program,
    running: &mut Running,
) -> anyhow::Error {
    let before = match (conversation.register, conversation.subscribe) {
        (None, _) => "before it registered",
        (_, None) => "before it subscribed",
        _ => "before it asked for next",
    };
    let what = match (silence, running.ended()) {
        (Silence::Malformed, _) => "it sent something that is not HTTP".to_string(),
        (_, Some(status)) => format!("it ended ({})", end_words(status)),
        (_, None) => format!("nothing more came for {} s", START_WITHIN.as_secs()),
    };
    let output = program.output();
    let last = output
        .lines()
        .last()
        .map(|line| format!("; it wrote: {line}"));
    anyhow::anyhow!("{what} {before}{}", last.unwrap_or_default())
}

fn end_words(status: nix::sys::wait::WaitStatus) -> String {
    use nix::sys::wait::WaitStatus;
    match status {
        WaitStatus::Exited(_, code) => format!("exit code {code}"),
        WaitStatus::Signaled(_, signal, _) => signal.to_string(),
        other => format!("{other:?}"),
    }
}
