//! Run by a person, not by Lambda.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::extension::KINGLET;

fn run(arguments: &[&str], runtime_api: Option<&str>) -> Output {
    let mut command = Command::new(KINGLET);
    command.args(arguments).env_clear();
    if let Some(value) = runtime_api {
        command.env("AWS_LAMBDA_RUNTIME_API", value);
    }
    command.output().expect("it starts")
}

/// Help says what it is, how to install it and how to try it, and which variables there are.
#[test]
fn help_says_what_it_is() {
    for arguments in [&[][..], &["--help"], &["-h"], &["anything", "else"]] {
        let output = run(arguments, None);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{arguments:?}"
        );
        for words in [
            "kinglet",
            "AWS Lambda extension",
            "Install:",
            "extensions/kinglet",
            "KINGLET_ENDPOINT",
            "cargo sandbox",
            "KINGLET_FLUSH              adaptive, start, end",
            "KINGLET_FLUSH_INTERVAL_MS  5000 (0 to 3600000)\n  OTEL_BLRP_SCHEDULE_DELAY\n",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        assert!(text.lines().count() < 70, "{text}");
    }
}

/// The version is one line: the package's, and what is in this build.
#[test]
fn version_is_one_line() {
    let features = match (cfg!(feature = "json"), cfg!(feature = "metrics")) {
        (true, true) => " (json metrics)",
        (true, false) => " (json)",
        (false, true) => " (metrics)",
        (false, false) => "",
    };
    let output = run(&["--version"], None);
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("kinglet {}{features}\n", env!("CARGO_PKG_VERSION"))
    );
}

/// A Runtime API that is no address, or that nobody answers at, is an error in a line, soon, with status 1.
#[test]
fn a_runtime_api_that_is_not_there_is_an_error() {
    for (value, words) in [
        ("nonsense:port", "AWS_LAMBDA_RUNTIME_API"),
        ("127.0.0.1:1", "refused to register"),
    ] {
        let began = Instant::now();
        let output = run(&[], Some(value));
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{value}: {text}");
        assert!(
            text.starts_with("kinglet: ") && text.contains(words) && text.lines().count() == 1,
            "{value}: {text}"
        );
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{value}: {:?}",
            began.elapsed()
        );
    }
}
