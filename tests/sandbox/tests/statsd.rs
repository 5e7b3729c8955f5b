//! `cargo sandbox statsd` from outside: what it refuses. With kinglet it is run by people and by CI, for it takes seconds.

use std::process::{Command, Output};

const MINIMAL: &str = env!("CARGO_BIN_EXE_minimal_extension");

fn statsd(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kinglet-sandbox"))
        .args(["statsd", "--extension", MINIMAL])
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, errors)
}

#[test]
fn an_extension_that_takes_no_datagrams_is_told_from_a_bad_one() {
    let (output, errors) = statsd(&["--datagrams", "100", "--seconds", "1"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        errors.contains("does not listen on KINGLET_STATSD_PORT"),
        "{errors}"
    );
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[test]
fn nothing_to_measure_is_refused() {
    for wrong in [
        ["--datagrams", "0"],
        ["--seconds", "0"],
        ["--seconds", "601"],
        ["--series", "0"],
    ] {
        let (output, errors) = statsd(&wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {errors}");
    }
}
