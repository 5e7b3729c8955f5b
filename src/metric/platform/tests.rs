use std::collections::BTreeMap;

use super::*;

/// What an event measures, each as `name unit value`; and how many members were malformed.
fn measured(event: &str, record: &str, is_concurrent: bool) -> (Vec<String>, u32) {
    let mut found = Vec::new();
    let malformed = measure(
        event.as_bytes(),
        record.as_bytes(),
        is_concurrent,
        &mut |measurement| {
            assert!(measurement.attributes.is_empty() && measurement.time_unix_nano == 0);
            let (value, bounds) = match measurement.change {
                Change::Add {
                    value,
                    is_monotonic: true,
                } => (value, String::new()),
                Change::Observe {
                    value,
                    times: 1,
                    bounds,
                } => (value, format!(" {bounds:?}")),
                other => panic!("{other:?}"),
            };
            found.push(format!(
                "{} {} {value}{bounds}",
                str::from_utf8(measurement.name).unwrap(),
                str::from_utf8(measurement.unit).unwrap(),
            ));
        },
    );
    (found, malformed)
}

#[test]
fn events_of_a_cold_invocation() {
    for (event, record, expected) in [
        (
            "initStart",
            r#"{"initializationType":"on-demand","phase":"init"}"#,
            &["faas.coldstarts {coldstart} 1"][..],
        ),
        (
            "initReport",
            r#"{"initializationType":"on-demand","phase":"init","status":"success","metrics":{"durationMs":511.842}}"#,
            &["faas.init_duration s 0.511842 Seconds"],
        ),
        ("start", r#"{"requestId":"r"}"#, &[]),
        (
            "runtimeDone",
            r#"{"requestId":"r","status":"success","metrics":{"durationMs":143.219,"producedBytes":52},
               "spans":[{"name":"responseLatency","start":"x","durationMs":142.1},
                        {"name":"responseDuration","durationMs":0.05},{"name":"runtimeOverhead","durationMs":1.07},
                        {"name":"new","durationMs":1}]}"#,
            &[
                "faas.invocations {invocation} 1",
                "faas.invoke_duration s 0.143219 Seconds",
                "aws.lambda.response_size By 52 Size",
                "aws.lambda.response_latency s 0.1421 Seconds",
                "aws.lambda.response_duration s 0.00005 Seconds",
                "aws.lambda.runtime_overhead s 0.00107 Seconds",
            ],
        ),
        (
            "report",
            r#"{"requestId":"r","status":"success","metrics":{"durationMs":185.377,"billedDurationMs":698,"memorySizeMB":256,
               "maxMemoryUsedMB":71.0,"initDurationMs":511.842},"spans":[{"name":"extensionOverhead","durationMs":41.8}]}"#,
            &[
                "faas.mem_usage By 74448896 Memory",
                "aws.lambda.billed_duration s 0.698 Seconds",
                "aws.lambda.extension_overhead s 0.0418 Seconds",
            ],
        ),
        (
            "logsDropped",
            r#"{"droppedBytes":262190,"droppedRecords":911,"reason":"slow"}"#,
            &["aws.lambda.logs_dropped {record} 911"],
        ),
        (
            "extension",
            r#"{"name":"a","state":"Ready","events":[]}"#,
            &[],
        ),
        ("end", r#"{"requestId":"r"}"#, &[]),
        ("newEvent", r#"{"metrics":{"durationMs":1}}"#, &[]),
    ] {
        assert_eq!(
            measured(event, record, false),
            (expected.iter().map(ToString::to_string).collect(), 0),
            "{event}"
        );
    }
}

#[test]
fn managed_instances_tell_all_in_the_report() {
    let record = r#"{"requestId":"r","status":"error","errorType":"Function.Unknown","metrics":{"durationMs":21.273},
        "spans":[{"name":"responseLatency","durationMs":21.109},{"name":"responseDuration","durationMs":0.5}]}"#;
    let expected = [
        "faas.errors {error} 1",
        "faas.invoke_duration s 0.021273 Seconds",
        "aws.lambda.response_latency s 0.021109 Seconds",
        "aws.lambda.response_duration s 0.0005 Seconds",
    ];
    assert_eq!(
        measured("report", record, true),
        (expected.map(String::from).to_vec(), 0)
    );
    // Elsewhere a report counts no invocation, and does not repeat its duration.
    assert_eq!(measured("report", record, false), (vec![], 0));
}

#[test]
fn an_invocation_is_counted_once_by_its_status() {
    for (record, expected) in [
        (r#"{"status":"success"}"#, "faas.invocations {invocation} 1"),
        ("{}", "faas.invocations {invocation} 1"),
        ("", "faas.invocations {invocation} 1"),
        (r#"{"status":null}"#, "faas.invocations {invocation} 1"),
        (r#"{"status":"timeout"}"#, "faas.timeouts {timeout} 1"),
        (r#"{"status":"error"}"#, "faas.errors {error} 1"),
        (r#"{"status":"failure"}"#, "faas.errors {error} 1"),
        (r#"{"status":"somethingNew"}"#, "faas.errors {error} 1"),
    ] {
        let expected = (vec![expected.to_string()], 0);
        assert_eq!(measured("runtimeDone", record, false), expected, "{record}");
        assert_eq!(measured("report", record, true), expected, "{record}");
        // The phases before it say nothing about an invocation.
        for event in [
            "initRuntimeDone",
            "initReport",
            "restoreRuntimeDone",
            "restoreReport",
            "report",
        ] {
            assert_eq!(
                measured(event, record, false),
                (vec![], 0),
                "{event} {record}"
            );
        }
    }
}

#[test]
fn cold_starts() {
    for (event, record, is_one) in [
        (
            "initStart",
            r#"{"initializationType":"on-demand","phase":"init"}"#,
            true,
        ),
        (
            "initStart",
            r#"{"initializationType":"lambda-managed-instances","phase":"init"}"#,
            true,
        ),
        ("initStart", "{}", true),
        // After a crash, in the invocation that it failed or in the next one.
        (
            "initStart",
            r#"{"initializationType":"on-demand","phase":"invoke"}"#,
            false,
        ),
        (
            "initStart",
            r#"{"initializationType":"provisioned-concurrency","phase":"init"}"#,
            false,
        ),
        // When the version was published.
        (
            "initStart",
            r#"{"initializationType":"snap-start","phase":"init"}"#,
            false,
        ),
        ("restoreStart", "{}", true),
        (
            "restoreStart",
            r#"{"initializationType":"snap-start"}"#,
            true,
        ),
    ] {
        let expected = if is_one {
            vec!["faas.coldstarts {coldstart} 1".to_string()]
        } else {
            vec![]
        };
        assert_eq!(
            measured(event, record, false),
            (expected, 0),
            "{event} {record}"
        );
    }
    let report = r#"{"initializationType":"snap-start","metrics":{"durationMs":9}}"#;
    assert_eq!(measured("initReport", report, false), (vec![], 0));
    let restored = vec!["aws.lambda.restore_duration s 0.009 Seconds".to_string()];
    assert_eq!(measured("restoreReport", report, false), (restored, 0));
}

#[test]
fn out_of_memory() {
    for (status, error_type, used, is_kill) in [
        ("error", "Runtime.OutOfMemory", 100, true),
        ("error", "Runtime.ExitError", 128, true),
        ("failure", "", 129, true),
        ("error", "Runtime.ExitError", 127, false),
        ("timeout", "", 128, false),
        ("success", "", 128, false),
        ("", "", 128, false),
    ] {
        let record = format!(
            r#"{{"status":"{status}","errorType":"{error_type}","metrics":{{"memorySizeMB":128,"maxMemoryUsedMB":{used}}}}}"#
        );
        let (found, _) = measured("report", &record, false);
        let kills = found
            .iter()
            .filter(|line| *line == "aws.lambda.out_of_memory {kill} 1");
        assert_eq!(kills.count(), usize::from(is_kill), "{record}");
    }
    // Where the size is not told, nothing is known.
    assert_eq!(
        measured("report", r#"{"status":"error"}"#, false),
        (vec![], 0)
    );
}

#[test]
fn numbers() {
    for (value, expected, malformed) in [
        ("694", Some("0.694"), 0),
        ("694.0", Some("0.694"), 0),
        ("\"694\"", Some("0.694"), 0),
        ("0", Some("0"), 0),
        ("-0.0", Some("0"), 0),
        ("null", None, 0),
        ("-1", None, 1),
        ("1e999", None, 1),
        ("\"\"", None, 1),
        ("\"x\"", None, 1),
        ("true", None, 1),
        ("{}", None, 1),
        ("[694]", None, 1),
    ] {
        let record = format!(r#"{{"metrics":{{"durationMs":{value}}}}}"#);
        let expected: Vec<_> = expected
            .iter()
            .map(|value| format!("faas.init_duration s {value} Seconds"))
            .collect();
        assert_eq!(
            measured("initReport", &record, false),
            (expected, malformed),
            "{value}"
        );
    }
    // Nothing where a path leads nowhere.
    for record in [
        "",
        "[]",
        "{}",
        r#"{"metrics":1,"spans":1}"#,
        r#"{"metrics":[],"spans":{}}"#,
        r#"{"spans":[1,{},[]]}"#,
    ] {
        assert_eq!(measured("report", record, false), (vec![], 0), "{record}");
    }
}

/// How often each metric was measured in a run, and no member was malformed.
fn counts(run: &crate::fixtures::Run, is_concurrent: bool) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for event in run.batches.iter().flat_map(|batch| json::items(batch)) {
        let Value::Nested(event) = event else {
            continue;
        };
        let (of, record) = (member(event, b"type"), member(event, b"record"));
        let (Some(Value::String(of)), Some(Value::Nested(record))) = (of, record) else {
            continue;
        };
        let [of, record] = [of, record].map(|text| str::from_utf8(text).unwrap());
        let Some(of) = of.strip_prefix("platform.") else {
            continue;
        };
        let (found, malformed) = measured(of, record, is_concurrent);
        assert_eq!(malformed, 0, "{record}");
        for line in found {
            let name = line.split(' ').next().unwrap().to_string();
            *counts.entry(name).or_default() += 1;
        }
    }
    counts
}

#[test]
fn what_sandboxes_have_sent() {
    for run in crate::fixtures::runs() {
        let is_on_demand = run.name == "on-demand";
        let counts = counts(&run, !is_on_demand);
        let count = |name: &str| counts.get(name).copied().unwrap_or(0);
        let invocations = count("faas.invocations") + count("faas.errors");
        let expected = match run.name.as_str() {
            "on-demand" => (1, 1),
            "custom-runtime" => (1, 0),
            // A handler that throws is an error on Managed Instances.
            "python-json" | "python-text" => (1, 1),
            name => panic!("{name} is new"),
        };
        assert_eq!(
            (count("faas.invocations"), count("faas.errors")),
            expected,
            "{}",
            run.name
        );
        assert_eq!(count("faas.coldstarts"), 1);
        assert_eq!(count("faas.init_duration"), 1);
        // The one that failed has no duration, and no memory is told on Managed Instances.
        let durations = if is_on_demand { 1 } else { invocations };
        assert_eq!(count("faas.invoke_duration"), durations);
        let reports = if is_on_demand { 2 } else { 0 };
        assert_eq!(count("faas.mem_usage"), reports);
        assert_eq!(count("aws.lambda.billed_duration"), reports);
        assert_eq!(count("aws.lambda.logs_dropped"), u32::from(is_on_demand));
        assert_eq!(count("aws.lambda.out_of_memory"), 0);
    }
}
