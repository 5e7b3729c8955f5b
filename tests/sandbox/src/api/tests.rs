//! Every refusal of the Extensions, Telemetry and Runtime APIs, without a process.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Reply, route};
use crate::http::{Answer, Request};
use crate::lambda::Lambda;
use crate::settings::{Mode, Settings};
use crate::state::{AgentState, Stage};

/// A sandbox in its init phase with one extension launched, called `bird`, and no process.
fn lambda(mode: Mode) -> Arc<Lambda> {
    let mut settings = Settings::new("bird".into());
    settings.mode = mode;
    let lambda = Arc::new(Lambda::new(settings).unwrap());
    lambda.api.set(("127.0.0.1:9001".into(), 9001)).unwrap();
    lambda.begin_environment(Instant::now());
    std::fs::create_dir_all(lambda.opt.path().join("extensions")).unwrap();
    std::fs::write(lambda.opt.path().join("extensions/bird"), "").unwrap();
    lambda.add_agent("bird");
    lambda
}

fn call(lambda: &Arc<Lambda>, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request {
        method: method.into(),
        path: path.into(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
        body: body.into(),
    };
    match route(lambda, &request) {
        Reply::Answer(answer) => answer,
        Reply::Drop => Answer::new(0, ""),
    }
}

fn error_type(answer: &Answer) -> (u16, String) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    (
        answer.status,
        body["errorType"].as_str().unwrap_or_default().to_string(),
    )
}

const REGISTER: &str = "POST /2020-01-01/extension/register";
const NEXT: &str = "GET /2020-01-01/extension/event/next";
const BOTH: &str = r#"{"events":["INVOKE","SHUTDOWN"]}"#;

fn register(lambda: &Arc<Lambda>, name: &str, body: &str) -> Answer {
    call(lambda, REGISTER, &[("lambda-extension-name", name)], body)
}

fn registered(lambda: &Arc<Lambda>) -> String {
    let answer = register(lambda, "bird", r#"{"events":["SHUTDOWN"]}"#);
    assert_eq!(answer.status, 200);
    answer
        .headers
        .iter()
        .find(|(name, _)| *name == "Lambda-Extension-Identifier")
        .unwrap()
        .1
        .clone()
}

#[test]
fn register_refuses() {
    let on_demand = lambda(Mode::OnDemand);
    let managed = lambda(Mode::ManagedInstances);
    for (lambda, name, body, kind) in [
        (&on_demand, "", BOTH, "Extension.InvalidExtensionName"),
        (&on_demand, "bird", "", "InvalidRequestFormat"),
        (
            &on_demand,
            "bird",
            r#"{"events":["INVOKE"],"configurationKeys":["A"]}"#,
            "InvalidRequestFormat",
        ),
        (
            &on_demand,
            "bird",
            r#"{"events":["STOP"]}"#,
            "Extension.InvalidEventType",
        ),
        (
            &on_demand,
            "no-such-file",
            BOTH,
            "Extension.InvalidEventType",
        ),
        (&managed, "bird", BOTH, "Extension.InvalidEventType"),
    ] {
        assert_eq!(
            error_type(&register(lambda, name, body)),
            (403, kind.into()),
            "{name} {body}"
        );
    }
    // A name without a file is an internal extension, and the file's own slot stays empty.
    assert_eq!(
        register(&on_demand, "no-such-file", r#"{"events":["INVOKE"]}"#).status,
        200
    );
    assert_eq!(on_demand.lock().agents[0].state, AgentState::Started);
    registered(&on_demand);
    assert_eq!(
        error_type(&register(&on_demand, "bird", BOTH)).1,
        "Extension.InvalidExtensionState"
    );
    on_demand.lock().registration_open = false;
    assert_eq!(
        error_type(&register(&on_demand, "late", "{}")).1,
        "Extension.RegistrationClosed"
    );
}

#[test]
fn register_tells_the_account_only_when_asked() {
    let lambda = lambda(Mode::OnDemand);
    let headers = [
        ("Lambda-Extension-Name", "bird"),
        ("Lambda-Extension-Accept-Feature", "other, accountId"),
    ];
    let body: Value =
        serde_json::from_slice(&call(&lambda, REGISTER, &headers, BOTH).body).unwrap();
    assert_eq!(body["accountId"], "123456789012");
    let body: Value = serde_json::from_slice(&register(&lambda, "internal", "{}").body).unwrap();
    assert!(body.get("accountId").is_none() && body["functionName"] == "orders");
}

#[test]
fn next_refuses_strangers_and_a_second_call() {
    let lambda = lambda(Mode::OnDemand);
    let id = registered(&lambda);
    let stranger = uuid::Uuid::new_v4().to_string();
    for (headers, kind) in [
        (vec![], "Extension.MissingExtensionIdentifier"),
        (
            vec![("Lambda-Extension-Identifier", "x")],
            "Extension.InvalidExtensionIdentifier",
        ),
        (
            vec![("Lambda-Extension-Identifier", stranger.as_str())],
            "Extension.UnknownExtensionIdentifier",
        ),
    ] {
        assert_eq!(
            error_type(&call(&lambda, NEXT, &headers, "")),
            (403, kind.into())
        );
    }
    let (waiting, waiting_id) = (lambda.clone(), id.clone());
    let first = thread::spawn(move || {
        call(
            &waiting,
            NEXT,
            &[("Lambda-Extension-Identifier", &waiting_id)],
            "",
        )
        .status
    });
    let is_ready = |state: &mut crate::state::State| {
        (state.agents[0].state == AgentState::Ready).then_some(())
    };
    lambda
        .wait(Some(Instant::now() + Duration::from_secs(5)), is_ready)
        .unwrap();
    let second = call(&lambda, NEXT, &[("Lambda-Extension-Identifier", &id)], "");
    assert_eq!(
        error_type(&second),
        (403, "Extension.InvalidExtensionState".into())
    );
    lambda.lock().stage = Stage::Closed;
    lambda.notify();
    assert_eq!(first.join().unwrap(), 0);
}

#[test]
fn errors_end_an_extensions_calls() {
    let lambda = lambda(Mode::OnDemand);
    let id = registered(&lambda);
    let identified = ("Lambda-Extension-Identifier", id.as_str());
    let typed = (
        "Lambda-Extension-Function-Error-Type",
        "Extension.ConfigInvalid",
    );
    let init_error = "POST /2020-01-01/extension/init/error";
    assert_eq!(
        error_type(&call(&lambda, init_error, &[identified], "")).1,
        "Extension.MissingHeader"
    );
    for _ in 0..2 {
        assert_eq!(
            call(&lambda, init_error, &[identified, typed], "").status,
            202
        );
    }
    assert_eq!(
        error_type(&call(&lambda, NEXT, &[identified], "")).1,
        "Extension.InvalidExtensionState"
    );
    let exit_error = call(
        &lambda,
        "POST /2020-01-01/extension/exit/error",
        &[identified, typed],
        "",
    );
    assert_eq!(error_type(&exit_error).1, "Extension.InvalidExtensionState");
}

#[test]
fn subscribe_refuses() {
    let lambda = lambda(Mode::OnDemand);
    let id = registered(&lambda);
    let identified = [("Lambda-Extension-Identifier", id.as_str())];
    let (telemetry, logs) = ("PUT /2022-07-01/telemetry", "PUT /2020-08-15/logs");
    let body = |schema: &str| {
        format!(
            r#"{{"schemaVersion":"{schema}","types":["platform"],
            "destination":{{"protocol":"HTTP","URI":"http://sandbox.localdomain:4327"}}}}"#
        )
    };
    assert_eq!(
        error_type(&call(&lambda, telemetry, &[], "")).1,
        "Extension.MissingExtensionIdentifier"
    );
    assert_eq!(
        error_type(&call(&lambda, telemetry, &identified, "{}")),
        (400, "ValidationError".into())
    );
    assert_eq!(
        error_type(&call(&lambda, logs, &identified, "{}")),
        (400, "Logs.ValidationError".into())
    );
    let accepted = call(&lambda, telemetry, &identified, &body("2025-01-29"));
    assert_eq!(
        (accepted.status, accepted.body.as_slice()),
        (200, &b"\"OK\""[..])
    );
    assert_eq!(
        call(&lambda, logs, &identified, &body("2021-03-18")).status,
        400
    );
    lambda.lock().subscription_open = false;
    let late = call(&lambda, telemetry, &identified, &body("2025-01-29"));
    assert_eq!(
        error_type(&late),
        (403, "Telemetry.SubscriptionClosed".into())
    );
    lambda.telemetry.close();
}

#[test]
fn the_runtime_is_refused_what_it_has_not_been_given() {
    let lambda = lambda(Mode::OnDemand);
    let answer = call(
        &lambda,
        "POST /2018-06-01/runtime/invocation/nonesuch/response",
        &[],
        "{}",
    );
    assert_eq!(error_type(&answer), (400, "InvalidRequestID".into()));
    assert_eq!(
        call(&lambda, "POST /2018-06-01/runtime/init/error", &[], "{}").status,
        202
    );
    lambda.lock().runtime.asked = true;
    assert_eq!(
        call(&lambda, "POST /2018-06-01/runtime/init/error", &[], "{}").status,
        403
    );
    assert_eq!(call(&lambda, "GET /2018-06-01/ping", &[], "").body, b"pong");
    assert_eq!(call(&lambda, "GET /nonesuch", &[], "").status, 404);
}
