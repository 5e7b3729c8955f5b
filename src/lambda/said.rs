//! What the Extensions API says, in its answers to register and to next.

use miniserde::Deserialize;
use miniserde::de::Visitor;

use crate::text::json;

/// As far as it is used. Everything may be missing. One type for
/// both: a second derived one costs 1 KB.
#[derive(Deserialize, Default)]
pub struct Said {
    #[serde(rename = "accountId")]
    pub account_id: Option<String>,
    #[serde(rename = "eventType")]
    pub event_type: Option<String>,
    #[serde(rename = "deadlineMs")]
    pub deadline_ms: Option<u64>,
    #[serde(rename = "requestId")]
    pub request_id: Option<String>,
    #[serde(rename = "invokedFunctionArn")]
    pub invoked_function_arn: Option<String>,
    #[serde(rename = "shutdownReason")]
    pub shutdown_reason: Option<String>,
}

/// Whether an answer to next tells of SHUTDOWN, as far as that can be said without reading it.
pub fn is_shutdown(answer: &[u8]) -> bool {
    answer.windows(10).any(|window| window == b"\"SHUTDOWN\"")
}

/// Reads the answer to register or to next.
#[must_use]
pub fn read(body: &[u8]) -> Said {
    let mut said = None;
    let _ = fill(Said::begin(&mut said), body);
    said.unwrap_or_else(|| {
        // What it is matters more than that it is well formed.
        Said {
            event_type: is_shutdown(body).then(|| String::from("SHUTDOWN")),
            ..<Said as Default>::default()
        }
    })
}

/// Gives what is derived its members, as miniserde's own parser would; that is 6 KB, most of it for numbers that have a fraction.
/// A member that is of another type than expected counts as missing.
fn fill(visitor: &mut dyn Visitor, object: &[u8]) -> miniserde::Result<()> {
    let mut map = visitor.map()?;
    let mut members = json::members(object, None);
    for member in members.by_ref() {
        let place = map.key(&unescaped(member.key))?;
        let _ = match member.value {
            json::Value::String(raw) => place.string(&unescaped(raw)),
            json::Value::Number(raw) => json::integer(raw).map_or(Ok(()), |n| place.nonnegative(n)),
            _ => Ok(()),
        };
    }
    if members.ended_well() {
        map.finish()?;
    }
    Ok(())
}

fn unescaped(raw: &[u8]) -> String {
    let mut text = Vec::new();
    json::append_unescaped(&mut text, raw, usize::MAX);
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_good_and_bad() {
        let good = read(br#"{"eventType":"INVOKE","deadlineMs":1795264503120,"requestId":"r","invokedFunctionArn":"arn","tracing":{"type":"X","value":"Root=1"}}"#);
        assert_eq!(
            (good.deadline_ms, good.request_id.as_deref()),
            (Some(1_795_264_503_120), Some("r"))
        );
        for (body, expected) in [
            (
                r#"{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":1}"#,
                Some("SHUTDOWN"),
            ),
            (
                r#"{"eventType":"SHUTDOWN","deadlineMs":-1}"#,
                Some("SHUTDOWN"),
            ),
            (r#"{"eventType":"SHUTDOWN""#, Some("SHUTDOWN")),
            ("", None),
        ] {
            assert_eq!(
                read(body.as_bytes()).event_type.as_deref(),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn what_lambda_says_and_what_it_might() {
        let said = |text: &str| {
            let said = read(text.as_bytes());
            (said.event_type, said.deadline_ms, said.request_id)
        };
        let text = |text: &str| Some(String::from(text));
        for (body, expected) in [
            (
                r#" {"eventType":"INVOKE","deadlineMs":1763913600000,"requestId":"r","tracing":{"type":"X","value":[1]},"x":-2.5e3,"y":null,"z":true} "#,
                (text("INVOKE"), Some(1_763_913_600_000), text("r")),
            ),
            (
                r#"{"\u0065ventType":"SHUT\u0044OWN","requestId":"a\/\"\u00e9\ud83d\ude00"}"#,
                (text("SHUTDOWN"), None, text("a/\"é😀")),
            ),
            // Another type is a member that is missing.
            (
                r#"{"requestId":5,"deadlineMs":"5","eventType":"INVOKE"}"#,
                (text("INVOKE"), None, None),
            ),
            (
                r#"{"requestId":{},"deadlineMs":-5,"eventType":null}"#,
                (None, None, None),
            ),
            ("{}", (None, None, None)),
            // Not JSON.
            (
                r#"{"eventType":"INVOKE","requestId":"r""#,
                (None, None, None),
            ),
            (r#"{"eventType":"INVOKE"}]"#, (None, None, None)),
            (
                r#"{"eventType":"SHUTDOWN","#,
                (text("SHUTDOWN"), None, None),
            ),
            ("", (None, None, None)),
            ("[]", (None, None, None)),
        ] {
            assert_eq!(said(body), expected, "{body}");
        }
    }
}
