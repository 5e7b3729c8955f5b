//! Runtime API 2018-06-01, for a real runtime as the function.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::{Reply, refuse};
use crate::http::{Answer, Request};
use crate::lambda::Lambda;
use crate::state::{FunctionAnswer, Stage};

/// 6 MiB + 100.
const PAYLOAD_BYTES_MAX: usize = 6_291_556;

pub(super) fn next(lambda: &Arc<Lambda>) -> Reply {
    let epoch = {
        let mut state = lambda.lock();
        let managed = lambda.settings.is_managed();
        let current = std::mem::take(&mut state.runtime.current);
        let (answered, open): (Vec<_>, Vec<_>) = current.into_iter().partition(|request_id| {
            state
                .active(request_id)
                .is_none_or(|active| active.answer.is_some() || active.done.is_some())
        });
        state.runtime.current = open;
        if !managed && !state.runtime.current.is_empty() {
            return refuse(
                403,
                "InvalidStateTransition",
                "Transition from Running to Ready is not allowed",
            )
            .into();
        }
        for request_id in answered.iter().filter(|_| !managed) {
            lambda.runtime_done(&mut state, request_id, "success", None);
        }
        state.runtime.asked = true;
        state.epoch
    };
    lambda.notify();
    let found = lambda.wait(None, |state| {
        if state.epoch != epoch || matches!(state.stage, Stage::ShuttingDown | Stage::Closed) {
            return Some(None);
        }
        let request_id = state.runtime.queue.pop_front()?;
        state.runtime.current.push(request_id.clone());
        Some(Some(request_id))
    });
    let Some(request_id) = found.flatten() else {
        return Reply::Drop;
    };
    let mut state = lambda.lock();
    let Some(active) = state.active(&request_id) else {
        return Reply::Drop;
    };
    Answer::new(200, active.payload.to_string())
        .with("Content-Type", "application/json")
        .with("Lambda-Runtime-Aws-Request-Id", request_id)
        .with("Lambda-Runtime-Trace-Id", active.trace.clone())
        .with(
            "Lambda-Runtime-Invoked-Function-Arn",
            lambda.settings.function_arn(),
        )
        .with("Lambda-Runtime-Deadline-Ms", active.deadline_ms.to_string())
        .into()
}

pub(super) fn response(
    lambda: &Arc<Lambda>,
    request_id: &str,
    request: &Request,
    error: bool,
) -> Answer {
    if request.body.len() > PAYLOAD_BYTES_MAX {
        let message = format!("Exceeded maximum allowed payload size ({PAYLOAD_BYTES_MAX} bytes).");
        return refuse(413, "RequestEntityTooLarge", message);
    }
    let mode = request.header("lambda-runtime-function-response-mode");
    if !error && !matches!(mode, None | Some("streaming")) {
        return refuse(
            400,
            "InvalidFunctionResponseMode",
            "Invalid function response mode",
        );
    }
    let mut state = lambda.lock();
    let is_current = state
        .runtime
        .current
        .iter()
        .any(|current| current == request_id);
    match state.active(request_id).filter(|_| is_current) {
        None => return refuse(400, "InvalidRequestID", "Invalid request ID"),
        Some(active) if active.answer.is_some() => {
            return refuse(
                403,
                "InvalidStateTransition",
                "A response has been sent already",
            );
        }
        Some(_) => {}
    }
    let sent = request
        .header("lambda-runtime-function-error-type")
        .unwrap_or_default();
    let answer = FunctionAnswer {
        at: Instant::now(),
        body: request.body.clone(),
        error_type: error.then(|| known(sent)),
    };
    lambda.answered(&mut state, request_id, answer);
    drop(state);
    lambda.notify();
    Answer::json(202, &json!({"status": "OK"}))
}

pub(super) fn init_error(lambda: &Arc<Lambda>, request: &Request) -> Answer {
    let mut state = lambda.lock();
    if state.runtime.asked {
        return refuse(403, "InvalidStateTransition", "The init phase is over");
    }
    state.runtime.error_type = Some(known(
        request
            .header("lambda-runtime-function-error-type")
            .unwrap_or_default(),
    ));
    Answer::json(202, &json!({"status": "OK"}))
}

/// Error types that do not look like Lambda's are replaced.
fn known(error_type: &str) -> String {
    let rest = error_type
        .strip_prefix("Runtime.")
        .or_else(|| error_type.strip_prefix("Function."));
    let is_word = |rest: &str| {
        let mut letters = rest.chars();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_uppercase())
            && rest.len() > 1
            && letters.all(|letter| letter.is_ascii_alphabetic())
    };
    match rest {
        Some(rest) if is_word(rest) => error_type.into(),
        _ if error_type.starts_with("Function.") => "Function.Unknown".into(),
        _ => "Runtime.Unknown".into(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn error_types() {
        for (sent, kept) in [
            ("Runtime.UserException", "Runtime.UserException"),
            ("Function.Bad1", "Function.Unknown"),
            ("Runtime.x", "Runtime.Unknown"),
            ("", "Runtime.Unknown"),
        ] {
            assert_eq!(super::known(sent), kept);
        }
    }
}
