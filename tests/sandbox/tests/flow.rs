//! The sandbox against the least of all extensions: the whole flow, and what it does to a broken one.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use kinglet_sandbox::*;

fn minimal_extension() -> PathBuf {
    env!("CARGO_BIN_EXE_minimal_extension").into()
}

fn broken(fault: &str) -> Builder {
    Sandbox::builder(minimal_extension())
        .env("MINIMAL_FAULT", fault)
        .init_timeout(Duration::from_millis(500))
        .function_timeout(Duration::from_millis(700))
}

#[test]
fn every_line_arrives_once_in_order_with_its_request_id() {
    let collector = Collector::start(Fault::None).unwrap();
    let lambda = Sandbox::builder(minimal_extension())
        .env("KINGLET_ENDPOINT", collector.url())
        .start()
        .unwrap();
    let mut expected = Vec::new();
    for number in 0..3 {
        let lines: Vec<String> = (0..100)
            .map(|line| format!("invocation {number} line {line}"))
            .collect();
        let invocation = lambda
            .invoke(Work::lines(lines.clone()).takes_ms(40))
            .unwrap();
        assert_eq!(
            (invocation.status.as_str(), invocation.error),
            ("success", false)
        );
        assert!(
            invocation.duration >= Duration::from_millis(40)
                && invocation.held < Duration::from_millis(20)
        );
        expected.extend(
            lines
                .into_iter()
                .map(|line| (line, invocation.request_id.clone())),
        );
    }
    let exit = lambda.shutdown("spindown").unwrap();
    assert!(
        exit.status.success() && !exit.killed && exit.took < Duration::from_millis(500),
        "{exit:?}"
    );
    assert!(exit.memory_peak_kb > 0);
    let records = collector.records();
    let received = records.iter().map(|record| {
        (
            record.text(),
            record.request_id().unwrap_or_default().to_string(),
        )
    });
    assert_eq!(received.collect::<Vec<_>>(), expected);
    assert_eq!(lambda.delivered().lines, 300);
    assert!(lambda.shutdown("spindown").is_err());
}

#[test]
fn held_is_what_the_extension_takes_after_the_function() {
    let lambda = broken("hold").start().unwrap();
    let invocation = lambda.invoke(Work::quiet().takes_ms(20)).unwrap();
    assert!(
        (60..300).contains(&(invocation.held.as_millis() as u64)),
        "{:?}",
        invocation.held
    );
    assert!(invocation.billed_ms >= 100);
}

#[test]
fn frozen_is_frozen_until_the_next_invocation() {
    let collector = Collector::start(Fault::None).unwrap();
    let lambda = Sandbox::builder(minimal_extension())
        .env("KINGLET_ENDPOINT", collector.url())
        .start()
        .unwrap();
    // Done at once: the freeze comes before the 25 ms of buffering are over.
    lambda.invoke(["before the freeze"]).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", lambda.pid().unwrap())).unwrap();
    assert!(stat.contains(") T "), "{stat}");
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(collector.records().len(), 0);
    lambda.invoke(Work::quiet().takes_ms(100)).unwrap();
    assert_eq!(
        collector
            .wait_records(Duration::from_secs(1), |records| !records.is_empty())
            .len(),
        1
    );
}

#[test]
fn a_freeze_in_the_midst_loses_and_repeats_nothing() {
    let collector = Collector::start(Fault::Slow(Duration::from_millis(20))).unwrap();
    let lambda = Sandbox::builder(minimal_extension())
        .env("KINGLET_ENDPOINT", collector.url())
        .start()
        .unwrap();
    let lines: Vec<String> = (0..20_000)
        .map(|number| format!("{number:0>100}"))
        .collect();
    let running = lambda.begin(lines.clone()).unwrap();
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(30));
        lambda.freeze();
        let before = collector.requests().len();
        std::thread::sleep(Duration::from_millis(50));
        assert!(collector.requests().len() <= before + 1);
        lambda.thaw();
    }
    running.wait().unwrap();
    lambda.thaw();
    assert!(lambda.drain(Duration::from_secs(10)));
    lambda.shutdown("spindown").unwrap();
    let texts: Vec<String> = collector.records().iter().map(Record::text).collect();
    assert!(texts == lines, "{} of {}", texts.len(), lines.len());
}

#[test]
fn an_extension_that_ends_fails_the_phase_it_is_in() {
    let error = broken("exit-in-init").start().err().unwrap().to_string();
    assert!(
        error.contains("Extension.Crash") && error.contains("exit code 3"),
        "{error}"
    );
    let lambda = broken("exit-on-invoke").start().unwrap();
    for _ in 0..2 {
        let invocation = lambda.invoke(Work::quiet().takes_ms(50)).unwrap();
        assert_eq!(invocation.error_type.as_deref(), Some("Extension.Crash"));
        assert!(
            invocation.answer["errorMessage"]
                .as_str()
                .unwrap()
                .ends_with("Error: exit code 4")
        );
    }
}

#[test]
fn one_that_never_asks_or_has_the_wrong_name_lets_the_init_time_out() {
    for fault in ["never-next", "wrong-name"] {
        let error = broken(fault).start().err().unwrap().to_string();
        assert!(
            error.contains("timed out") || error.contains("Extension.Crash"),
            "{fault}: {error}"
        );
    }
}

#[test]
fn one_that_ignores_shutdown_is_killed_at_the_deadline() {
    let lambda = broken("ignore-shutdown")
        .shutdown_budget(Duration::from_millis(300))
        .start()
        .unwrap();
    let exit = lambda.shutdown("spindown").unwrap();
    assert!(
        exit.killed && exit.took >= Duration::from_millis(290),
        "{exit:?}"
    );
}

#[test]
fn timeout_and_crash_reset_the_environment() {
    let lambda = broken("").start().unwrap();
    let pid = lambda.pid();
    assert_eq!(
        lambda.invoke(Work::quiet().times_out()).unwrap().status,
        "timeout"
    );
    let invocation = lambda.invoke(Work::quiet().crashes()).unwrap();
    assert_eq!(invocation.error_type.as_deref(), Some("Runtime.ExitError"));
    let thrown = lambda.invoke(Work::quiet().throws()).unwrap();
    assert_eq!((thrown.status.as_str(), thrown.error), ("success", true));
    assert!(lambda.last_exits()[0].status.success());
    assert!(lambda.pid() != pid && lambda.pid().is_some());
    assert!(lambda.shutdown("spindown").unwrap().status.success());
}

#[test]
fn managed_instances_run_several_at_once() {
    let lambda = Sandbox::builder(minimal_extension())
        .mode(Mode::ManagedInstances)
        .start()
        .unwrap();
    let began = Instant::now();
    let both = [0, 1].map(|_| lambda.begin(Work::quiet().takes_ms(200)).unwrap());
    for running in both {
        assert_eq!(running.wait().unwrap().status, "success");
    }
    assert!(began.elapsed() < Duration::from_millis(350));
    assert!(lambda.shutdown("spindown").unwrap().status.success());
}

#[test]
fn a_shell_bootstrap_is_a_function() {
    let bootstrap = r#"
        api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
        while :; do
            curl -s -D head -o event "$api/next"
            id=$(tr -d '\r' < head | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')
            echo "event $(cat event)"
            curl -s -o answer -d "{\"got\":$(cat event)}" "$api/$id/response"
        done"#;
    let directory = std::env::temp_dir().join(format!("shell-bootstrap-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let command = format!("cd {} && {bootstrap}", directory.display());
    let lambda = Sandbox::builder(minimal_extension())
        .function(Function::Command(command))
        .start()
        .unwrap();
    for number in 0..2 {
        let payload = serde_json::json!({"number": number});
        let invocation = lambda
            .invoke(Work::quiet().payload(payload.clone()))
            .unwrap();
        assert_eq!(invocation.answer, serde_json::json!({"got": payload}));
    }
    assert!(lambda.shutdown("spindown").unwrap().status.success());
    let _ = std::fs::remove_dir_all(directory);
}
