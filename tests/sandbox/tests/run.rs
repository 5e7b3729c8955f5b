//! `cargo sandbox` from outside: what it shows, what it refuses, and what it says when something is wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const SANDBOX: &str = env!("CARGO_BIN_EXE_kinglet-sandbox");
const MINIMAL: &str = env!("CARGO_BIN_EXE_minimal_extension");

fn sandbox(arguments: &[&str]) -> Output {
    Command::new(SANDBOX).args(arguments).output().unwrap()
}

/// One invocation, and no wait after it.
fn once(arguments: &[&str]) -> Output {
    let brief = ["--extension", MINIMAL, "--invocations", "1", "--gap", "50"];
    sandbox(&[&brief, arguments].concat())
}

fn json(output: &Output) -> Value {
    let parsed = serde_json::from_slice(&output.stdout);
    parsed.unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn script(directory: &Path, name: &str, body: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// A runtime that prints what these commands print, for each invocation.
fn runtime(commands: &str) -> String {
    format!(
        r#"api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
        while :; do
            head=$(curl -s -D - -o /dev/null "$api/next") || exit
            id=$(printf '%s' "$head" | tr -d '\r' | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')
            {commands}
            sleep 0.1
            curl -s -o /dev/null -d '"OK"' "$api/$id/response"
        done"#
    )
}

/// kinglet, beside this program: there after a build of the workspace, and built if it is not.
fn kinglet() -> String {
    let path: PathBuf = Path::new(SANDBOX).with_file_name("kinglet");
    if !path.is_file() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", "kinglet"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success());
    }
    path.display().to_string()
}

/// The help's example of a collector that fails for a while: its arguments.
fn example_of_a_failure() -> Vec<String> {
    let help = text(&sandbox(&["--help"]).stdout);
    let line = help.lines().find(|line| line.contains("'status:503"));
    let line = line
        .unwrap_or_else(|| panic!("no example in {help}"))
        .trim();
    let command = line.split("   ").next().unwrap();
    let words = command
        .trim_start_matches("cargo sandbox")
        .split_whitespace();
    words.map(|word| word.trim_matches('\'').into()).collect()
}

#[test]
fn the_example_of_a_failing_collector_shows_its_recovery() {
    let (example, kinglet) = (example_of_a_failure(), kinglet());
    let mut arguments: Vec<&str> = example.iter().map(String::as_str).collect();
    arguments.extend(["--extension", &kinglet, "--env", "KINGLET_PORT=0"]);
    let shown = text(&sandbox(&arguments).stdout);
    let refused = shown.rfind("answered 503").expect(&shown);
    let taken = shown.rfind("┌ batch").expect(&shown);
    assert!(refused < taken, "{shown}");
    assert!(shown.contains("0 of 16 lines, 0 repeated"), "{shown}");
}

#[test]
fn a_collector_that_is_no_url_is_refused() {
    for wrong in [
        "foo",
        "://foo",
        "127.0.0.1:4318",
        "http://",
        "http://h:80:80",
        "http://h:99999",
        "ftp://h",
        "http://:4318",
        "http://a b",
    ] {
        let output = sandbox(&["--extension", MINIMAL, "--collector", wrong]);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wrong}: {errors}");
        assert!(
            errors.contains("http://127.0.0.1:4318"),
            "{wrong}: {errors}"
        );
    }
    for good in [
        "http://127.0.0.1:1",
        "http://u:p@localhost:1/path?q",
        "http://[::1]:1",
        "https://localhost:1",
    ] {
        let output = once(&["--collector", good]);
        assert!(output.status.success(), "{good}: {output:?}");
    }
}

#[test]
fn what_fails_is_in_the_json_too() {
    let missing = once(&["--json", "--payload", "/nonesuch"]);
    let in_init = once(&["--json", "--env", "MINIMAL_FAULT=exit-in-init"]);
    let in_load = sandbox(&[
        "load",
        "--extension",
        MINIMAL,
        "--json",
        "--env",
        "MINIMAL_FAULT=exit-in-init",
    ]);
    let in_statsd = sandbox(&["statsd", "--extension", MINIMAL, "--json", "--seconds", "1"]);
    let in_cold = sandbox(&[
        "cold",
        "--extension",
        MINIMAL,
        "--json",
        "--against",
        "nonesuch",
    ]);
    for (output, words) in [
        (&missing, "/nonesuch"),
        (&in_init, "Extension.Crash"),
        (&in_load, "Extension.Crash"),
        (&in_statsd, "KINGLET_STATSD_PORT"),
        (&in_cold, "nonesuch is no file"),
    ] {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let error = json(output)["error"].clone();
        assert!(
            error.as_str().is_some_and(|error| error.contains(words)),
            "{words}: {error}"
        );
        assert!(text(&output.stderr).contains(words), "{output:?}");
    }
    // What had happened until then.
    assert_eq!(
        json(&in_init)["events"][0]["event"]["happening"],
        "launched"
    );
    assert_eq!(json(&once(&["--json"]))["error"], Value::Null);
}

#[test]
fn an_extension_that_ends_badly_is_a_failure() {
    for (fault, words) in [
        ("exit-on-invoke", "Extension.Crash"),
        ("ignore-shutdown", "killed"),
    ] {
        let output = once(&["--env", &format!("MINIMAL_FAULT={fault}")]);
        assert_eq!(output.status.code(), Some(1), "{fault}: {output:?}");
        assert!(text(&output.stderr).contains(words), "{fault}: {output:?}");
        // It is told like any other run.
        assert!(
            text(&output.stdout).contains("SHUTDOWN to exit"),
            "{fault}: {output:?}"
        );
    }
}

#[test]
fn the_last_words_are_those_of_whoever_failed() {
    let directory = tempfile::tempdir().unwrap();
    let error = |arguments: &[&str]| text(&once(arguments).stderr);
    let missing = error(&["--function", "no-such-runtime"]);
    assert!(
        missing.contains("last words") && missing.contains("not found"),
        "{missing}"
    );
    let runtime_error = "curl -s -d '{}' -H 'Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError' \
        http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/init/error; echo no module called app; exit 1";
    let kinglet = kinglet();
    let imported = text(&sandbox(&["--extension", &kinglet, "--function", runtime_error]).stderr);
    assert!(
        imported.contains("no module called app") && !imported.contains("kinglet: exit"),
        "{imported}"
    );
    let loud = script(
        directory.path(),
        "loud",
        "echo the extension is broken >&2; exit 4",
    );
    let of_extension = text(&sandbox(&["--extension", &loud]).stderr);
    assert!(
        of_extension.contains("the extension is broken"),
        "{of_extension}"
    );
}

#[test]
fn a_line_that_was_cut_is_not_lost() {
    let long = runtime("head -c 300000 /dev/zero | tr '\\0' x; echo");
    let kinglet = kinglet();
    let arguments = [
        "--extension",
        &kinglet,
        "--invocations",
        "1",
        "--gap",
        "50",
        "--function",
        &long,
    ];
    let output = sandbox(&[&arguments[..], &["--json"]].concat());
    let verdict = json(&output)["collector"].clone();
    let counts = ["written", "arrived", "cut", "lost"].map(|name| verdict[name].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(1), Some(0)], "{verdict}");
    let output = sandbox(&arguments);
    let shown = text(&output.stdout);
    assert!(shown.contains("0 of 1 lines, 0 repeated, 1 cut"), "{shown}");
    assert!(shown.contains("(300,000 bytes)"), "{shown}");
    assert!(
        shown.lines().all(|line| line.chars().count() < 1000),
        "{}",
        shown.len()
    );
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let hostile = runtime(
        "printf 'red \\033[31m bell \\007 back \\r csi \\302\\233 2J over \\342\\200\\256 end\\n'",
    );
    let directory = tempfile::tempdir().unwrap();
    let broken = "printf 'title \\033]0;x\\007\\n' >&2; exit 3";
    let broken = script(directory.path(), "broken", broken);
    // As on a terminal, where nothing is stripped.
    let output = Command::new(SANDBOX)
        .args([
            "--extension",
            MINIMAL,
            "--invocations",
            "1",
            "--gap",
            "50",
            "--function",
            &hostile,
        ])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    let broken = Command::new(SANDBOX)
        .args(["--extension", &broken])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    for bytes in [
        &output.stdout,
        &output.stderr,
        &broken.stdout,
        &broken.stderr,
    ] {
        let mut shown = text(bytes);
        // Colours of its own: ESC [ digits m.
        for code in ["0", "1", "2", "22", "31", "32", "33", "35", "36", "39"] {
            shown = shown.replace(&format!("\x1b[{code}m"), "");
        }
        let raw = |each: &char| (each.is_control() && *each != '\n') || *each == '\u{202e}';
        assert_eq!(shown.chars().find(raw), None, "{shown:?}");
    }
    let shown = text(&output.stdout);
    assert!(
        shown.contains("red \\u{1b}[31m bell \\u{7} back \\r csi \\u{9b} 2J over \\u{202e} end"),
        "{shown}"
    );
    assert!(text(&output.stdout).contains("\x1b["), "it was coloured");
    assert!(
        text(&broken.stderr).contains("title \\u{1b}]0;x\\u{7}"),
        "{broken:?}"
    );
}

#[test]
fn nothing_is_coloured_where_there_is_no_terminal() {
    for output in [
        once(&[]),
        once(&["--collector-fault", "status:503"]),
        once(&["--payload", "/nonesuch"]),
    ] {
        assert!(
            !output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b),
            "{output:?}"
        );
    }
}

#[test]
fn what_a_slow_collector_takes_is_told_before_the_table() {
    let output = sandbox(&[
        "--extension",
        &kinglet(),
        "--invocations",
        "1",
        "--gap",
        "50",
        "--collector-fault",
        "slow:3s",
    ]);
    let shown = text(&output.stdout);
    let table = shown.find("invocation    status").expect(&shown);
    assert!(shown.contains("┌ batch"), "{shown}");
    assert!(!shown[table..].contains("┌ batch"), "{shown}");
    // It has read them: they are not lost.
    assert!(shown.contains("0 of 4 lines"), "{shown}");
}
