//! `cargo sandbox cold` from outside: an extension that does what it should, and some that do not.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const MINIMAL: &str = env!("CARGO_BIN_EXE_minimal_extension");

fn cold(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kinglet-sandbox"))
        .arg("cold")
        .args(arguments)
        .output()
        .unwrap()
}

/// The report on a good extension against another one, with one of them whose starts do not count: that is an error.
fn report(arguments: &[&str]) -> Value {
    let output = cold(
        &[
            &["--runs", "3", "--json", "--extension", MINIMAL],
            arguments,
        ]
        .concat(),
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON; {errors}"));
    let error = report["error"].as_str().unwrap_or_default();
    assert!(
        error.starts_with("no start of ") && errors.contains(error),
        "{error}, {errors}"
    );
    report
}

fn script(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, format!("#!/bin/bash\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// Registers and asks for next, and nothing else.
const UNSUBSCRIBED: &str = r#"
exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}"
printf 'POST /2020-01-01/extension/register HTTP/1.1\r\nLambda-Extension-Name: %s\r\nContent-Length: 2\r\n\r\n{}' "${0##*/}" >&3
read -r -u 3 status
printf 'GET /2020-01-01/extension/event/next HTTP/1.1\r\n\r\n' >&3
exec cat <&3
"#;

#[test]
fn a_start_is_measured_and_what_is_no_start_is_counted_with_its_reason() {
    let directory = tempfile::tempdir().unwrap();
    let silent = script(directory.path(), "silent", "echo no endpoint; exit 3");
    let report = report(&["--against", &silent]);
    let [good, bad] = report["extensions"].as_array().unwrap().as_slice() else {
        panic!("{report}")
    };

    let warm = &good["warm"];
    assert_eq!((&warm["starts"], &warm["failed"]), (&3.into(), &0.into()));
    let median = |name: &str| warm[name]["median"].as_f64().unwrap();
    assert!(0.0 < median("register_ms") && median("register_ms") < median("subscribe_ms"));
    assert!(median("subscribe_ms") < median("next_ms"));
    assert!(median("cpu_ms") > 0.0 && median("minor_faults") > 0.0);
    assert!(median("memory_peak_kb") > 100.0);
    // The main thread and the one that listens.
    assert_eq!(median("threads"), 2.0);
    let calls = &good["system_calls"];
    let named = |name: &str| {
        calls["by_name"]
            .as_array()
            .unwrap()
            .iter()
            .any(|call| call[0] == name)
    };
    assert!(calls["all"].as_u64().unwrap() > 10, "{calls}");
    assert!(named("connect") && named("listen"), "{calls}");

    assert_eq!(
        (&bad["warm"]["starts"], &bad["warm"]["failed"]),
        (&0.into(), &3.into())
    );
    let reason = "it ended (exit code 3) before it registered; it wrote: no endpoint";
    assert_eq!(bad["warm"]["failures"][reason], 3, "{bad}");
    assert!(bad["warm"]["next_ms"].is_null());
}

#[test]
fn a_start_without_a_subscription_does_not_count() {
    let directory = tempfile::tempdir().unwrap();
    let quiet = script(directory.path(), "quiet.sh", UNSUBSCRIBED);
    let report = report(&["--against", &quiet]);
    let quiet = &report["extensions"][1]["warm"];
    assert_eq!(
        (&quiet["starts"], &quiet["failed"]),
        (&0.into(), &3.into()),
        "{quiet}"
    );
    assert_eq!(
        quiet["failures"]["it asked for next without having subscribed"], 3,
        "{quiet}"
    );
}

#[test]
fn a_start_under_a_wrong_name_does_not_count() {
    let report = report(&[
        "--against",
        "/bin/true",
        "--env",
        "MINIMAL_FAULT=wrong-name",
    ]);
    let failures = report["extensions"][0]["warm"]["failures"]
        .as_object()
        .unwrap();
    let (why, count) = failures.iter().next().unwrap();
    assert!(why.contains("registered as `another-name`"), "{why}");
    assert_eq!(count, 3);
}

#[test]
fn starts_that_count_are_no_error() {
    let output = cold(&["--runs", "1", "--extension", MINIMAL, "--against", MINIMAL]);
    assert!(output.status.success(), "{output:?}");
    let output = cold(&[
        "--runs",
        "1",
        "--extension",
        "/bin/true",
        "--against",
        MINIMAL,
    ]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    // The table is there all the same.
    assert!(String::from_utf8_lossy(&output.stdout).contains("starts that count"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("no start of true counts: it ended (exit code 0)"),
        "{errors}"
    );
}

#[test]
fn the_command_says_what_it_cannot_do() {
    let output = cold(&["--extension", MINIMAL, "--against", "nonesuch"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("nonesuch is no file"));
    let output = cold(&["--extension", MINIMAL, "--against", MINIMAL, "--check"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--against floor"));
}
