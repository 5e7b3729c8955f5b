//! What was wrong once.

use super::mapping::cut;
use super::*;

#[test]
fn a_cut_in_another_member_is_not_the_records() {
    let e = format!(
        r#"{{"time":"2026-11-21T09:15:00.101Z","type":"function","record":"short","extra":"{}"}}"#,
        "x".repeat(9000)
    );
    let seen = cut(&e, 4096, 4096);
    assert_eq!((seen.body.as_str(), seen.original_bytes), ("short", 0));
}

#[test]
fn a_start_delivered_twice_is_one_start() {
    let mut s = Stream::new(ALL);
    s.start(A);
    s.start(A);
    assert!(s.line("\"x\"").coldstart);
}

#[test]
fn a_start_delivered_twice_is_alone() {
    let mut s = Stream::concurrent();
    s.start(A);
    s.start(A);
    assert_eq!(s.line("\"x\"").request_id, A);
}

#[test]
fn the_names_of_a_request_id_have_an_order() {
    let mut s = Stream::new(ALL);
    let seen = s.line(&format!(r#"{{"AWSRequestId":"{B}","requestId":"{A}"}}"#));
    assert_eq!(seen.request_id, A);
}

#[test]
fn minus_zero_is_no_integer() {
    let seen = Stream::new(ALL).line(r#"{"n":-0}"#);
    assert_eq!(seen.attributes, ["n=d:-0"]);
}

#[test]
fn the_original_length_is_that_of_the_text() {
    let text = "0123456789".repeat(1000);
    let string = event("function", &format!("\"{text}\""));
    assert_eq!(
        cut(&string, 4096, 4096).original_bytes,
        cut(&string, 100_000, 4096).original_bytes
    );
}

#[test]
fn a_second_level_that_says_nothing_changes_nothing() {
    let seen = Stream::new(ALL).line(r#"{"message":"m","level":"ERROR","level":"custom"}"#);
    assert_eq!(seen.severity, 17);
}

#[test]
fn a_fault_names_its_invocation() {
    let mut s = Stream::new(ALL);
    s.start(A);
    assert_eq!(
        s.see(&event(
            "platform.fault",
            &format!(r#""RequestId: {A} Error: exit""#)
        ))
        .request_id,
        A
    );
}

#[test]
fn an_alias_is_replaced_by_the_version() {
    let mut s = Stream::concurrent();
    s.resource.set(b"faas.version", b"7");
    s.see(&event("platform.start", r#"{"requestId":"a","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:orders:live"}"#));
    assert_eq!(
        s.resource_value("cloud.resource_id"),
        Some("arn:aws:lambda:us-east-1:123456789012:function:orders:7")
    );
}
