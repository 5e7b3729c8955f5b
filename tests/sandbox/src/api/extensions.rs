//! Extensions API 2020-01-01.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Reply, refuse};
use crate::http::{Answer, Request};
use crate::lambda::Lambda;
use crate::settings::ACCOUNT;
use crate::state::{Agent, AgentState, Stage, State};
use crate::watch::{Happening, ms};

/// External and internal extensions together.
const EXTENSIONS_MAX: usize = 10;

pub(super) fn register(lambda: &Arc<Lambda>, request: &Request) -> Answer {
    let mut state = lambda.lock();
    if state.launched.elapsed() < lambda.settings.deviations.register_fails_for {
        return Answer::new(503, "not yet");
    }
    let name = request
        .header("lambda-extension-name")
        .unwrap_or_default()
        .to_string();
    if name.is_empty() {
        return refuse(
            403,
            "Extension.InvalidExtensionName",
            "Empty extension name",
        );
    }
    let events = match requested_events(&request.body) {
        Ok(events) => events,
        Err(message) => return refuse(403, "InvalidRequestFormat", message),
    };
    let external = state
        .agents
        .iter()
        .any(|agent| agent.name == name && agent.process.is_some())
        || lambda
            .opt
            .path()
            .join("extensions")
            .join(&name)
            .symlink_metadata()
            .is_ok();
    if let Err(message) = check_events(&events, external, lambda.settings.is_managed()) {
        return refuse(403, "Extension.InvalidEventType", message);
    }
    if let Err(answer) = admit(&mut state, &name, events.clone(), external) {
        return answer;
    }
    let agent = state
        .agents
        .iter()
        .find(|agent| agent.name == name)
        .expect("admitted");
    let id = agent.id;
    let after_ms = ms(state.launched.elapsed());
    drop(state);
    lambda.notify();
    lambda.tell(|| Happening::Registered {
        name,
        events,
        after_ms,
    });
    let mut body = json!({
        "functionName": lambda.settings.function_name,
        "functionVersion": lambda.settings.function_version,
        "handler": "app.handler",
    });
    let features = request
        .header("lambda-extension-accept-feature")
        .unwrap_or_default();
    if features
        .split(',')
        .any(|feature| feature.trim() == "accountId")
    {
        body["accountId"] = ACCOUNT.into();
    }
    Answer::json(200, &body).with("Lambda-Extension-Identifier", id.to_string())
}

fn requested_events(body: &[u8]) -> Result<Vec<String>, String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if body["configurationKeys"]
        .as_array()
        .is_some_and(|keys| !keys.is_empty())
    {
        return Err("configurationKeys are deprecated; use environment variables".into());
    }
    match &body["events"] {
        Value::Null => Ok(Vec::new()),
        Value::Array(events) => {
            let text = |event: &Value| {
                event
                    .as_str()
                    .map(Into::into)
                    .ok_or(format!("{event} is not a string"))
            };
            events.iter().map(text).collect()
        }
        other => Err(format!("events: {other} is not an array")),
    }
}

fn check_events(events: &[String], external: bool, managed: bool) -> Result<(), String> {
    for event in events {
        let problem = match event.as_str() {
            "INVOKE" if managed => "InvokeEventNotSupportedForManagedInstances",
            "SHUTDOWN" if !external => "ShutdownEventNotSupportedForInternalExtension",
            "INVOKE" | "SHUTDOWN" => continue,
            _ => "ErrorInvalidEventType",
        };
        return Err(format!("{event}: {problem}"));
    }
    Ok(())
}

fn admit(state: &mut State, name: &str, events: Vec<String>, external: bool) -> Result<(), Answer> {
    if let Some(agent) = state.agents.iter_mut().find(|agent| agent.name == name) {
        if agent.state != AgentState::Started {
            let shown = agent.state;
            let message = format!(
                "State transition from {shown:?} to Registered failed for extension {name}. \
                 Error: State transition is not allowed"
            );
            return Err(refuse(403, "Extension.InvalidExtensionState", message));
        }
        agent.state = AgentState::Registered;
        agent.events = events;
        return Ok(());
    }
    if external || !state.registration_open {
        return Err(refuse(
            403,
            "Extension.RegistrationClosed",
            "Extension registration closed already",
        ));
    }
    if state.agents.len() >= EXTENSIONS_MAX {
        return Err(refuse(
            403,
            "Extension.TooManyExtensions",
            "Extension limit (10) reached",
        ));
    }
    state.agents.push(Agent {
        name: name.into(),
        id: Uuid::new_v4(),
        process: None,
        state: AgentState::Registered,
        events,
        inbox: None,
        asked: None,
        error_type: None,
    });
    Ok(())
}

/// Which extension calls, by its identifier; or the 403.
pub(super) fn caller<'a>(state: &'a mut State, request: &Request) -> Result<&'a mut Agent, Answer> {
    let Some(id) = request.header("lambda-extension-identifier") else {
        let message = "Missing Lambda-Extension-Identifier header";
        return Err(refuse(403, "Extension.MissingExtensionIdentifier", message));
    };
    let Ok(id) = Uuid::parse_str(id) else {
        return Err(refuse(
            403,
            "Extension.InvalidExtensionIdentifier",
            "Invalid Lambda-Extension-Identifier",
        ));
    };
    let found = state
        .agents
        .iter_mut()
        .find(|agent| agent.id == id && agent.state != AgentState::Started);
    found.ok_or_else(|| {
        refuse(
            403,
            "Extension.UnknownExtensionIdentifier",
            "Unknown extension with this identifier",
        )
    })
}

pub(super) fn next(lambda: &Arc<Lambda>, request: &Request) -> Reply {
    let (id, epoch) = {
        let mut state = lambda.lock();
        if state.next_fails > 0 {
            state.next_fails -= 1;
            return refuse(500, "InternalServerError", "Internal Server Error").into();
        }
        if state.next_drops > 0 {
            state.next_drops -= 1;
            return Reply::Drop;
        }
        let epoch = state.epoch;
        let agent = match caller(&mut state, request) {
            Ok(agent) => agent,
            Err(answer) => return answer.into(),
        };
        if !matches!(agent.state, AgentState::Registered | AgentState::Running) {
            let message = format!(
                "State transition from {:?} to Ready failed for extension {}. Error: State transition is not allowed",
                agent.state, agent.name
            );
            return refuse(403, "Extension.InvalidExtensionState", message).into();
        }
        agent.state = AgentState::Ready;
        agent.asked = Some(Instant::now());
        (agent.id, epoch)
    };
    lambda.notify();
    let event = lambda.wait(None, |state| {
        if state.epoch != epoch || state.stage == Stage::Closed {
            return Some(None);
        }
        let agent = state.agents.iter_mut().find(|agent| agent.id == id)?;
        let event = agent.inbox.take()?;
        agent.state = AgentState::Running;
        Some(Some(event))
    });
    let Some(event) = event.flatten() else {
        return Reply::Drop;
    };
    let body = event.body.to_string();
    if event.is_shutdown {
        // No Content-Type and no identifier; Go's server guesses the former.
        return Answer::new(200, body)
            .with("Content-Type", "text/plain; charset=utf-8")
            .into();
    }
    Answer::new(200, body)
        .with("Content-Type", "application/json")
        .with(
            "Lambda-Extension-Event-Identifier",
            Uuid::new_v4().to_string(),
        )
        .into()
}

pub(super) fn error(lambda: &Arc<Lambda>, request: &Request, in_init: bool) -> Answer {
    let mut state = lambda.lock();
    let agent = match caller(&mut state, request) {
        Ok(agent) => agent,
        Err(answer) => return answer,
    };
    let Some(error_type) = request.header("lambda-extension-function-error-type") else {
        return refuse(
            403,
            "Extension.MissingHeader",
            "Lambda-Extension-Function-Error-Type not found",
        );
    };
    let (allowed, target) = match in_init {
        true => (agent.state == AgentState::Registered, AgentState::InitError),
        false => {
            let allowed = matches!(
                agent.state,
                AgentState::Registered | AgentState::Ready | AgentState::Running
            );
            (allowed, AgentState::ExitError)
        }
    };
    if !allowed && agent.state != target {
        let message = format!(
            "State transition from {:?} to {target:?} failed for extension {}. Error: State transition is not allowed",
            agent.state, agent.name
        );
        return refuse(403, "Extension.InvalidExtensionState", message);
    }
    agent.state = target;
    agent.error_type = Some(error_type.into());
    drop(state);
    lambda.notify();
    Answer::json(202, &json!({"status": "OK"}))
}
