//! What an extension asks of the Telemetry API or the Logs API, and what is refused.

use std::time::Duration;

use serde_json::Value;

use super::event::Stream;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    Telemetry,
    Logs,
}

#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) api: Api,
    pub(crate) schema: String,
    pub(crate) types: Vec<String>,
    pub(crate) items_max: usize,
    pub(crate) bytes_max: usize,
    pub(crate) timeout: Duration,
    pub(crate) destination: Destination,
}

/// Where an extension wants its telemetry. `sandbox.localdomain` is 127.0.0.1 here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub host: String,
    pub port: u16,
    pub path: String,
    pub method: String,
}

impl Subscription {
    pub(crate) fn wants(&self, stream: Stream) -> bool {
        let name = match stream {
            Stream::Platform => "platform",
            Stream::Function => "function",
            Stream::Extension => "extension",
        };
        self.types.iter().any(|wanted| wanted == name)
    }

    /// Whether lines in JSON log format come as objects.
    pub(crate) fn has_object_records(&self) -> bool {
        self.api == Api::Telemetry && self.schema != "2022-07-01"
    }

    /// Reads and checks the body of a subscribe request; the error is Lambda's errorMessage.
    pub(crate) fn parse(
        api: Api,
        body: &[u8],
        managed: bool,
        api_port: u16,
    ) -> Result<Subscription, String> {
        let body: Value =
            serde_json::from_slice(body).map_err(|error| format!("body is not JSON: {error}"))?;
        let schema = match (api, body["schemaVersion"].as_str()) {
            (Api::Logs, None) if body.get("schemaVersion").is_none() => "2020-08-15",
            (Api::Logs, Some(schema @ ("2020-08-15" | "2021-03-18"))) => schema,
            (Api::Telemetry, Some(schema @ "2025-01-29")) => schema,
            (Api::Telemetry, Some(schema @ ("2022-07-01" | "2022-12-13"))) if !managed => schema,
            _ => {
                return Err(format!(
                    "schemaVersion: {} is not supported",
                    body["schemaVersion"]
                ));
            }
        };
        let types = types(&body["types"])?;
        let buffering = &body["buffering"];
        Ok(Subscription {
            api,
            schema: schema.into(),
            types,
            items_max: bound(buffering, "maxItems", 1000, 10_000, 10_000)? as usize,
            bytes_max: bound(buffering, "maxBytes", 262_144, 1_048_576, 262_144)? as usize,
            timeout: Duration::from_millis(bound(buffering, "timeoutMs", 25, 30_000, 1000)?),
            destination: destination(&body["destination"], api, api_port)?,
        })
    }

    #[cfg(test)]
    pub(crate) fn example() -> Subscription {
        let body = br#"{"schemaVersion":"2022-12-13","types":["platform","function","extension"],
            "destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:4243"}}"#;
        Subscription::parse(Api::Telemetry, body, false, 9001).unwrap()
    }
}

fn types(types: &Value) -> Result<Vec<String>, String> {
    let list = types
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or("types: at least one is needed")?;
    let known = |item: &Value| match item.as_str() {
        Some(name @ ("platform" | "function" | "extension")) => Ok(name.to_string()),
        _ => Err(format!(
            "types: {item} is not platform, function or extension"
        )),
    };
    list.iter().map(known).collect()
}

fn bound(buffering: &Value, name: &str, min: u64, max: u64, default: u64) -> Result<u64, String> {
    match &buffering[name] {
        Value::Null => Ok(default),
        value => match value.as_u64() {
            Some(number) if (min..=max).contains(&number) => Ok(number),
            _ => Err(format!(
                "buffering.{name}: {value} is not between {min} and {max}"
            )),
        },
    }
}

fn destination(destination: &Value, api: Api, api_port: u16) -> Result<Destination, String> {
    match destination["protocol"].as_str() {
        Some("HTTP") => {}
        Some("TCP") => {
            return Err(
                "destination.protocol: TCP is real, but this sandbox delivers over HTTP only"
                    .into(),
            );
        }
        _ => {
            return Err(format!(
                "destination.protocol: {} is not HTTP or TCP",
                destination["protocol"]
            ));
        }
    }
    let method = match (&destination["method"], api) {
        (Value::Null, _) => "POST",
        (Value::String(method), _) if method == "POST" => "POST",
        (Value::String(method), Api::Logs) if method == "PUT" => "PUT",
        (other, _) => return Err(format!("destination.method: {other} is not supported")),
    };
    if !matches!(destination["encoding"].as_str(), None | Some("JSON")) {
        return Err(format!(
            "destination.encoding: {} is not JSON",
            destination["encoding"]
        ));
    }
    let uri = destination["URI"]
        .as_str()
        .ok_or("destination.URI is missing")?;
    let rest = uri.strip_prefix("http://").ok_or(format!(
        "destination.URI: {uri} does not begin with http://"
    ))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = authority
        .split_once(':')
        .ok_or(format!("destination.URI: {uri} has no port"))?;
    if !matches!(host, "sandbox.localdomain" | "sandbox") {
        return Err(format!(
            "destination.URI: host {host} is not sandbox.localdomain"
        ));
    }
    let port: u16 = port
        .parse()
        .map_err(|_| format!("destination.URI: {port} is not a port"))?;
    if port == 0 || port == api_port {
        return Err(format!("destination.URI: port {port} cannot be used"));
    }
    let path = if path.is_empty() { "/" } else { path };
    Ok(Destination {
        host: host.into(),
        port,
        path: path.into(),
        method: method.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(change: impl Fn(&mut Value)) -> Vec<u8> {
        let mut body = serde_json::json!({"schemaVersion": "2022-12-13", "types": ["platform"],
            "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/a/b"}});
        change(&mut body);
        body.to_string().into_bytes()
    }

    #[test]
    fn defaults_and_path() {
        let subscription = Subscription::parse(Api::Telemetry, &body(|_| ()), false, 9001).unwrap();
        assert_eq!(
            (subscription.items_max, subscription.bytes_max),
            (10_000, 262_144)
        );
        assert_eq!(
            (
                subscription.destination.port,
                subscription.destination.path.as_str()
            ),
            (4243, "/a/b")
        );
    }

    #[test]
    fn what_is_refused() {
        type Change = fn(&mut Value);
        let changes: &[(&str, Change)] = &[
            ("schemaVersion", |b| {
                b["schemaVersion"] = "2021-03-18".into()
            }),
            ("types", |b| b["types"] = serde_json::json!([])),
            ("types", |b| b["types"] = serde_json::json!(["logs"])),
            ("maxItems", |b| b["buffering"]["maxItems"] = 10.into()),
            ("maxBytes", |b| {
                b["buffering"]["maxBytes"] = 2_000_000.into()
            }),
            ("timeoutMs", |b| b["buffering"]["timeoutMs"] = 24.into()),
            ("protocol", |b| b["destination"]["protocol"] = "UDP".into()),
            ("host", |b| {
                b["destination"]["URI"] = "http://127.0.0.1:4243".into()
            }),
            ("no port", |b| {
                b["destination"]["URI"] = "http://sandbox.localdomain".into()
            }),
            ("port 9001", |b| {
                b["destination"]["URI"] = "http://sandbox:9001".into()
            }),
            ("http://", |b| {
                b["destination"]["URI"] = "https://sandbox:4243".into()
            }),
        ];
        for (word, change) in changes {
            let error =
                Subscription::parse(Api::Telemetry, &body(change), false, 9001).unwrap_err();
            assert!(error.contains(word), "{error} does not say {word}");
        }
        assert!(Subscription::parse(Api::Telemetry, &body(|_| ()), true, 9001).is_err());
        assert!(Subscription::parse(Api::Logs, &body(|_| ()), false, 9001).is_err());
        assert!(Subscription::parse(Api::Telemetry, b"{", false, 9001).is_err());
    }
}
