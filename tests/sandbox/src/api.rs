//! One server carries every API, as on Lambda: Runtime, Extensions, Telemetry, Logs.

mod extensions;
mod runtime;
mod subscribe;

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use serde_json::json;

use crate::http::{Answer, Request, RequestReader};
use crate::lambda::Lambda;
use crate::server::Server;

/// What a handler wants done.
pub(crate) enum Reply {
    Answer(Answer),
    /// Close the connection without a word.
    Drop,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        Reply::Answer(answer)
    }
}

/// Starts the server and tells the sandbox its address.
pub(crate) fn serve(lambda: &Arc<Lambda>) -> io::Result<Server> {
    let serving = Arc::downgrade(lambda);
    let server = Server::start(Arc::new(move |stream, _| {
        if let Some(lambda) = serving.upgrade() {
            // A broken connection is the peer's affair.
            let _ = connection(&lambda, stream);
        }
    }))?;
    let address = server.address();
    let value = match &lambda.settings.deviations.api_path {
        Some(path) => format!("http://{address}{path}"),
        None => address.to_string(),
    };
    lambda
        .api
        .set((value, address.port()))
        .expect("served once");
    Ok(server)
}

fn connection(lambda: &Arc<Lambda>, stream: TcpStream) -> io::Result<()> {
    let mut reader = RequestReader::new(stream);
    while let Some(request) = reader.request()? {
        match route(lambda, &request) {
            Reply::Drop => return reader.stream().shutdown(Shutdown::Both),
            Reply::Answer(answer) => {
                answer.write(reader.stream(), lambda.settings.deviations.chunked_answers)?;
                reader.stream().flush()?;
            }
        }
        if request
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
        {
            return Ok(());
        }
    }
    Ok(())
}

fn route(lambda: &Arc<Lambda>, request: &Request) -> Reply {
    let prefix = lambda.settings.deviations.api_path.as_deref().unwrap_or("");
    let Some(path) = request.path.strip_prefix(prefix) else {
        return Answer::new(404, "").into();
    };
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let is_extension_call = !matches!(parts.first(), Some(&"2018-06-01"));
    if is_extension_call && lambda.settings.deviations.extensions_off {
        return Answer::new(404, "").into();
    }
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["2018-06-01", "ping"]) => Answer::new(200, "pong").into(),
        ("GET", ["2018-06-01", "runtime", "invocation", "next"]) => runtime::next(lambda),
        ("POST", ["2018-06-01", "runtime", "invocation", id, "response"]) => {
            runtime::response(lambda, id, request, false).into()
        }
        ("POST", ["2018-06-01", "runtime", "invocation", id, "error"]) => {
            runtime::response(lambda, id, request, true).into()
        }
        ("POST", ["2018-06-01", "runtime", "init", "error"]) => {
            runtime::init_error(lambda, request).into()
        }
        ("POST", ["2020-01-01", "extension", "register"]) => {
            extensions::register(lambda, request).into()
        }
        ("GET", ["2020-01-01", "extension", "event", "next"]) => extensions::next(lambda, request),
        ("POST", ["2020-01-01", "extension", "init", "error"]) => {
            extensions::error(lambda, request, true).into()
        }
        ("POST", ["2020-01-01", "extension", "exit", "error"]) => {
            extensions::error(lambda, request, false).into()
        }
        ("PUT", ["2022-07-01", "telemetry"]) => subscribe::telemetry(lambda, request).into(),
        ("PUT", ["2020-08-15", "logs"]) if !lambda.settings.is_managed() => {
            subscribe::logs(lambda, request).into()
        }
        _ => Answer::new(404, "404 page not found\n").into(),
    }
}

/// Lambda's error body.
pub(crate) fn refuse(status: u16, error_type: &str, message: impl Into<String>) -> Answer {
    Answer::json(
        status,
        &json!({"errorMessage": message.into(), "errorType": error_type}),
    )
}

#[cfg(test)]
mod tests;
