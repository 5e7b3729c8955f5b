//! Telemetry API 2022-07-01 and Logs API 2020-08-15: subscribe.

use std::sync::Arc;
use std::thread;

use serde_json::json;

use super::extensions::caller;
use super::refuse;
use crate::deviation::Subscribe;
use crate::http::{Answer, Request};
use crate::lambda::Lambda;
use crate::telemetry::{Api, Subscription};
use crate::watch::Happening;

pub(super) fn telemetry(lambda: &Arc<Lambda>, request: &Request) -> Answer {
    subscribe(lambda, request, Api::Telemetry)
}

pub(super) fn logs(lambda: &Arc<Lambda>, request: &Request) -> Answer {
    subscribe(lambda, request, Api::Logs)
}

fn subscribe(lambda: &Arc<Lambda>, request: &Request, api: Api) -> Answer {
    let name = {
        let mut state = lambda.lock();
        match caller(&mut state, request) {
            Ok(agent) => agent.name.clone(),
            Err(answer) => return answer,
        }
    };
    let accepted = deviate(lambda, request, api).and_then(|()| accept(lambda, request, api, &name));
    accepted.unwrap_or_else(|answer| {
        lambda.tell(|| Happening::SubscribeRefused {
            name,
            status: answer.status,
        });
        answer
    })
}

/// The answers of other places than Lambda.
fn deviate(lambda: &Lambda, request: &Request, api: Api) -> Result<(), Answer> {
    let newest = request
        .body
        .windows(12)
        .any(|word| word == b"\"2025-01-29\"");
    match (lambda.settings.deviations.subscribe, api) {
        (Subscribe::NotSupported, Api::Telemetry) => Err(refuse(
            202,
            "Telemetry.NotSupported",
            "Telemetry API is not supported",
        )),
        (Subscribe::NotSupported, Api::Logs) => Err(refuse(
            202,
            "Logs.NotSupported",
            "Logs API is not supported",
        )),
        (Subscribe::NotFound, _) | (Subscribe::LogsOnly, Api::Telemetry) => {
            Err(Answer::new(404, ""))
        }
        (Subscribe::RefuseNewest, Api::Telemetry) if newest => Err(invalid(
            api,
            "schemaVersion: 2025-01-29 is not supported".into(),
        )),
        (Subscribe::RefuseTelemetry, Api::Telemetry) => {
            Err(invalid(api, "schemaVersion is not supported".into()))
        }
        (Subscribe::Fail, _) => Err(refuse(500, "InternalServerError", "Internal Server Error")),
        (Subscribe::Slow(pause), _) => {
            thread::sleep(pause);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn accept(lambda: &Lambda, request: &Request, api: Api, name: &str) -> Result<Answer, Answer> {
    let state = lambda.lock();
    if !state.subscription_open {
        return Err(match api {
            Api::Telemetry => refuse(
                403,
                "Telemetry.SubscriptionClosed",
                "Telemetry API subscription is closed",
            ),
            Api::Logs => refuse(
                403,
                "Logs.SubscriptionClosed",
                "Logs API subscription is closed already",
            ),
        });
    }
    let (_, api_port) = lambda.api.get().expect("the APIs are served first");
    let subscription =
        Subscription::parse(api, &request.body, lambda.settings.is_managed(), *api_port)
            .map_err(|message| invalid(api, message))?;
    if lambda
        .telemetry
        .subscribed(name)
        .is_some_and(|other| other != api)
    {
        return Err(invalid(
            api,
            "an extension can use the Telemetry API or the Logs API, not both".into(),
        ));
    }
    let (schema, types) = (subscription.schema.clone(), subscription.types.clone());
    let is_new = lambda.telemetry.subscribe(name, subscription);
    let shown = if is_new {
        "Subscribed"
    } else {
        "Already subscribed"
    };
    let record = json!({"name": name, "state": shown, "types": types});
    let api = match api {
        Api::Telemetry => {
            lambda.platform("platform.telemetrySubscription", record);
            "Telemetry API"
        }
        Api::Logs => {
            lambda.platform("platform.logsSubscription", record);
            "Logs API"
        }
    };
    drop(state);
    lambda.tell(|| Happening::Subscribed {
        name: name.into(),
        api,
        schema,
        types,
    });
    // Go's server guesses the type.
    Ok(Answer::new(200, "\"OK\"").with("Content-Type", "text/plain; charset=utf-8"))
}

fn invalid(api: Api, message: String) -> Answer {
    match api {
        Api::Telemetry => refuse(400, "ValidationError", message),
        Api::Logs => refuse(400, "Logs.ValidationError", message),
    }
}
