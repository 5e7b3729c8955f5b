//! `cargo sandbox load` from outside: what it counts, compares and refuses.

use std::process::{Command, Output};

use serde_json::Value;

const MINIMAL: &str = env!("CARGO_BIN_EXE_minimal_extension");

/// A small load on the least of all extensions, with these arguments more.
fn load(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kinglet-sandbox"))
        .args([
            "load",
            "--extension",
            MINIMAL,
            "--mb",
            "1",
            "--invocations",
            "4",
        ])
        .args(arguments)
        .output()
        .unwrap()
}

fn json(arguments: &[&str]) -> (Value, Output) {
    let output = load(&[arguments, &["--json"]].concat());
    let parsed = serde_json::from_slice(&output.stdout);
    (
        parsed.unwrap_or_else(|error| panic!("{error}: {output:?}")),
        output,
    )
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn one_extension_alone_is_shown_in_detail() {
    let output = load(&[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    for part in [
        "0 lost, 0 repeated, 0 out of order, 0 with a wrong request id",
        "ms per MB of telemetry",
        "1.0 MB of lines in 4 invocations",
        "exit code 0",
        "clean",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    assert!(!text.contains("not clean"), "{text}");
}

#[test]
fn several_are_run_in_turn_and_compared() {
    let directory = tempfile::tempdir().unwrap();
    let other = directory.path().join("another_extension");
    std::fs::copy(MINIMAL, &other).unwrap();
    let (report, output) = json(&["--against", other.to_str().unwrap(), "--repeat", "2"]);
    assert!(output.status.success(), "{output:?}");
    let extensions = report["extensions"].as_array().unwrap();
    assert_eq!(extensions.len(), 2);
    assert_eq!(extensions[1]["name"], "another_extension");
    for extension in extensions {
        let runs = extension["runs"].as_array().unwrap();
        assert_eq!((runs.len(), &extension["worst"]["lost"]), (2, &0.into()));
        for run in runs {
            assert_eq!(run["verdict"]["written"], run["verdict"]["arrived"]);
            // Each line is within an event of 70 bytes.
            let mb = |name: &str| run[name].as_f64().unwrap();
            assert!(
                (1.3..1.8).contains(&(mb("telemetry_mb") / mb("lines_mb"))),
                "{run}"
            );
        }
        assert!(extension["median"]["cpu_ms_per_mb_of_telemetry"].as_f64() > Some(0.0));
    }
    assert_eq!(extensions[0]["ratio"]["memory_peak_kb"], 1);
    // The second round begins with the other one.
    let order: Vec<_> = errors(&output)
        .lines()
        .filter_map(|line| Some(line.split_once(": ")?.1.to_string()))
        .collect();
    let (first, second) = ("minimal_extension", "another_extension");
    assert_eq!(order, [first, second, second, first]);
}

#[test]
fn a_steady_load_and_a_bursty_one_take_their_time() {
    // A megabyte at 2 MB/s: the last line of a steady one is due after half a second, all of a burst is.
    for shape in ["steady", "bursty"] {
        let (report, _) = json(&["--shape", shape, "--rate", "2"]);
        let run = &report["extensions"][0]["runs"][0];
        let took = run["took_ms"].as_f64().unwrap();
        assert!((480.0..3000.0).contains(&took), "{shape}: {took} ms");
        assert_eq!(
            (&run["verdict"]["lost"], &report["timetable"]["shape"]),
            (&0.into(), &shape.into())
        );
    }
}

#[test]
fn a_fault_of_the_collector_is_seen() {
    // The minimal extension does not look at the status, so that batch is lost.
    let (report, output) = json(&["--collector-fault", "status:503*1"]);
    let verdict = &report["extensions"][0]["runs"][0]["verdict"];
    assert!(verdict["lost"].as_u64() > Some(0), "{verdict}");
    assert!(verdict["arrived"].as_u64() > Some(0), "{verdict}");
    assert!(output.status.success(), "without --check nothing fails");
}

#[test]
fn a_missed_bar_is_an_exit_code() {
    // Nothing listens there.
    let (report, output) = json(&["--check", "--env", "KINGLET_ENDPOINT=http://127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let bars = report["bars"].as_array().unwrap();
    let damage = bars.iter().find(|bar| bar["at_most"] == 0.0).unwrap();
    let written = &report["extensions"][0]["runs"][0]["verdict"]["written"];
    assert_eq!(damage["met"], false, "{damage}");
    assert_eq!(damage["measured"].as_f64(), written.as_f64());
    assert!(errors(&output).contains("bars missed"), "{output:?}");
}

#[test]
fn what_cannot_be_done_is_said() {
    for (arguments, words) in [
        (&["--rate", "2"][..], "a flood has no rate"),
        (&["--against", "nonesuch"], "none of tests/rivals"),
        (&["--env", "MINIMAL_FAULT=exit-in-init"], "Extension.Crash"),
    ] {
        let output = load(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        assert!(errors(&output).contains(words), "{arguments:?}: {output:?}");
    }
}
