//! Where an extension wants its telemetry.

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The port that a subscription names: in a URI, or for TCP in a field of its own.
pub(crate) fn listener_port(subscription: &[u8]) -> Result<u16> {
    let subscription: Value =
        serde_json::from_slice(subscription).context("its subscription is not JSON")?;
    let destination = &subscription["destination"];
    let port = match destination["URI"].as_str() {
        None => destination["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok()),
        Some(uri) => {
            let authority = uri
                .strip_prefix("http://")
                .and_then(|rest| rest.split('/').next());
            let (host, port) = authority
                .and_then(|text| text.rsplit_once(':'))
                .unwrap_or_default();
            match host {
                "sandbox.localdomain" | "sandbox" => port.parse().ok(),
                _ => bail!("it subscribed for {uri}, which is not at sandbox.localdomain"),
            }
        }
    };
    port.with_context(|| format!("its subscription has no port: {destination}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_a_subscription() {
        for (destination, expected) in [
            (
                r#"{"protocol":"HTTP","URI":"http://sandbox.localdomain:4327/a"}"#,
                Some(4327),
            ),
            (r#"{"protocol":"HTTP","URI":"http://sandbox:80"}"#, Some(80)),
            (r#"{"protocol":"TCP","port":9999}"#, Some(9999)),
            (
                r#"{"protocol":"HTTP","URI":"http://example.com:80/"}"#,
                None,
            ),
            (
                r#"{"protocol":"HTTP","URI":"http://sandbox.localdomain/"}"#,
                None,
            ),
            (r#"{"protocol":"TCP","port":70000}"#, None),
            ("{}", None),
        ] {
            let body = format!("{{\"destination\":{destination}}}");
            assert_eq!(
                listener_port(body.as_bytes()).ok(),
                expected,
                "{destination}"
            );
        }
        assert!(listener_port(b"").is_err());
    }
}
