//! The user's mistakes: one line each, the default instead, and a function that does not notice.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::arrived::function_lines;
use crate::counters::Counters;
use crate::extension::{
    AT_ONCE, HELD_MAX, TOLERANCE, alone, beside, healthy_collector, invoke, spin_down, the_line,
};

/// Values that are wrong, and what is used in their place.
const WRONG: [(&str, &str, &str); 15] = [
    ("KINGLET_FLUSH", "fast", "adaptive"),
    ("KINGLET_FLUSH_BUDGET_MS", "-1", "250"),
    ("KINGLET_FLUSH_INTERVAL_MS", "5s", "5000"),
    ("KINGLET_TIMEOUT_MS", "0", "10000"),
    ("KINGLET_BUFFER_BYTES", "100", "1048576"),
    ("KINGLET_PORT", "65536", "4327"),
    ("KINGLET_TYPES", "everything", "platform,function"),
    ("KINGLET_MIN_LEVEL", "loud", "trace"),
    ("KINGLET_INVOCATION_LINES", "maybe", "on"),
    ("KINGLET_FORMAT", "xml", "otlp"),
    ("KINGLET_TELEMETRY_ITEMS", "999", "10000"),
    ("KINGLET_TELEMETRY_BYTES", "1", "262144"),
    ("KINGLET_TELEMETRY_MS", "24", "25"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", ""),
];

/// Each wrong value is one line with the variable, the value and what is used instead; and all of them together harm nobody.
#[test]
fn a_wrong_value_is_one_line_and_the_default() {
    let collector = healthy_collector();
    let mut builder = beside(&collector);
    for (variable, value, _) in WRONG {
        builder = builder.env(variable, value);
    }
    let lambda = builder.start().unwrap();
    for _ in 0..3 {
        assert!(invoke(&lambda, ["a line"]) < HELD_MAX);
    }
    let exit = spin_down(&lambda);
    for (variable, value, instead) in WRONG {
        let told = the_line(&exit, &format!("{variable}=\"{value}\""));
        assert!(told.contains(instead), "{told}");
    }
    assert_eq!(exit.stderr.len(), WRONG.len() + 1, "{:?}", exit.stderr);
    assert_eq!(function_lines(&collector), ["a line"; 3]);
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert_eq!(counters.losses(), []);
}

/// What asks for a feature that is not in this build is one line each, with the feature's name, and the logs are shipped.
#[cfg(not(any(feature = "metrics", feature = "json")))]
#[test]
fn what_is_not_in_this_build_is_told() {
    const ASKED: [(&str, &str, &str); 4] = [
        ("KINGLET_FORMAT", "ndjson", "json"),
        ("KINGLET_METRICS_ENDPOINT", "http://127.0.0.1:1", "metrics"),
        ("KINGLET_METRICS", "on", "metrics"),
        ("KINGLET_STATSD_PORT", "8126", "metrics"),
    ];
    let collector = healthy_collector();
    let mut builder = beside(&collector);
    for (variable, value, _) in ASKED {
        builder = builder.env(variable, value);
    }
    let lambda = builder.start().unwrap();
    assert!(invoke(&lambda, ["a line"]) < HELD_MAX);
    let exit = spin_down(&lambda);
    for (variable, _, feature) in ASKED {
        let told = the_line(&exit, &format!("{variable} asks for"));
        assert!(told.ends_with(&format!("the feature {feature}")), "{told}");
    }
    assert_eq!(exit.stderr.len(), ASKED.len() + 1, "{:?}", exit.stderr);
    assert_eq!(function_lines(&collector), ["a line"]);
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert_eq!(counters.losses(), []);
}

/// Values with odd bytes or of any length cannot break the words about them.
#[test]
fn a_monstrous_value_is_told_in_one_line() {
    let collector = healthy_collector();
    let monster = format!("fast\n\u{1b}[31m☃{}", "x".repeat(50_000));
    let lambda = beside(&collector)
        .env("KINGLET_FLUSH", monster)
        .start()
        .unwrap();
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    assert_eq!(exit.stderr.len(), 2, "{:?}", exit.stderr);
    assert!(
        exit.stderr[0].starts_with("kinglet: KINGLET_FLUSH=\"fast") && exit.stderr[0].len() < 1100
    );
    assert_eq!(function_lines(&collector), ["a line"]);
}

/// Header values and the secrets of a URL are never printed, whether they are right or wrong.
#[test]
fn secrets_are_never_printed() {
    let collector = healthy_collector();
    for (endpoint, headers, works) in [
        (
            format!("http://user:hunter2@{}", collector.address()),
            "authorization=Bearer%20hunter2",
            true,
        ),
        (
            collector.url(),
            "authorization hunter2,x=%zzhunter2,ok=1",
            true,
        ),
        (
            "https://user:hunter2@collector/?key=hunter2".into(),
            "",
            false,
        ),
        (
            "http://user:hunter2@collector:99999/path?key=hunter2#hunter2".into(),
            "",
            false,
        ),
        ("ftp://user:hunter2@collector".into(), "", false),
        ("hunter2@collector".into(), "", false),
    ] {
        let before = collector.requests().len();
        let builder = alone()
            .env("KINGLET_ENDPOINT", &endpoint)
            .env("OTEL_EXPORTER_OTLP_HEADERS", headers);
        let lambda = builder.start().unwrap();
        invoke(&lambda, ["a line"]);
        let exit = spin_down(&lambda);
        assert!(
            exit.stderr.iter().all(|line| !line.contains("hunter2")),
            "{endpoint}: {:?}",
            exit.stderr
        );
        assert!(exit.stdout.is_empty());
        assert_eq!(
            collector.requests().len() > before,
            works,
            "{endpoint}: {:?}",
            exit.stderr
        );
    }
    // A failing collector does not bring them out either.
    collector.set_fault(kinglet_sandbox::Fault::Status(401));
    let endpoint = format!("http://user:hunter2@{}/?key=hunter2", collector.address());
    let builder = alone()
        .env("KINGLET_ENDPOINT", endpoint)
        .env("KINGLET_HEADERS", "authorization=hunter2");
    let lambda = builder.start().unwrap();
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    assert!(
        exit.stderr.len() > 1 && exit.stderr.iter().all(|line| !line.contains("hunter2")),
        "{:?}",
        exit.stderr
    );
}

/// A URL that the client cannot use is one line, which holds nothing of it but what the variable is called.
#[test]
fn a_malformed_url_is_one_line_that_keeps_its_secrets() {
    for endpoint in [
        "http://u:SECRET^w@10.0.0.5:4318",
        "http://u:SECRET|w@10.0.0.5:4318",
        "http://${SECRET}:4318",
        "http://$SECRET:4318",
        "http://<SECRET>:4318",
        "http://[::1",
        "http://[::1]SECRET:80",
        "http://h:80:80",
        "http://h:",
        "http://h:+80",
        "h:80:80",
        "https://u:pa/SECRET@h",
        "https://u:pa#SECRET@h",
        "http://u:pa/SECRET@h",
        "http:/u:SECRET@h",
        "http:u:SECRET@h",
        "https://h/#token=SECRET",
        "#token=SECRET",
        "http://u:SECRET%zz@h",
        "http://u:SECRET@h/\u{e9}",
    ] {
        let lambda = alone().env("KINGLET_ENDPOINT", endpoint).start().unwrap();
        invoke(&lambda, ["a line"]);
        let exit = spin_down(&lambda);
        let [why, _] = exit.stderr.as_slice() else {
            panic!("{endpoint}: {:?}", exit.stderr)
        };
        assert!(
            why.starts_with("kinglet: KINGLET_ENDPOINT ") && !why.contains("SECRET"),
            "{endpoint}: {why}"
        );
    }
}

/// The user info of a URL is sent as basic authentication, percent-decoded; a header of the user's wins.
#[test]
fn credentials_are_percent_decoded() {
    for (user, headers, sent) in [
        ("a%40b:c%3Ad", "", "Basic YUBiOmM6ZA=="),
        ("user:pass", "", "Basic dXNlcjpwYXNz"),
        ("user", "", "Basic dXNlcjo="),
        ("%FF:%00", "", "Basic /zoA"),
        ("u:p", "Authorization=Bearer%20x", "Bearer x"),
    ] {
        let collector = healthy_collector();
        let endpoint = format!("http://{user}@{}", collector.address());
        let lambda = alone()
            .env("KINGLET_ENDPOINT", endpoint)
            .env("KINGLET_HEADERS", headers)
            .start()
            .unwrap();
        invoke(&lambda, ["a line"]);
        let exit = spin_down(&lambda);
        assert_eq!(exit.stderr.len(), 1, "{:?}", exit.stderr);
        let requests = collector.requests();
        assert!(!requests.is_empty());
        for request in requests {
            let authorizations: Vec<_> = request
                .request
                .headers
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
                .map(|(_, value)| value.as_str())
                .collect();
            assert_eq!(authorizations, [sent], "{user}");
        }
    }
}

/// A header that the client itself has to set is refused by name, its value never printed; the others go on.
#[test]
fn headers_that_belong_to_the_client_are_refused() {
    let collector = healthy_collector();
    let refused = ["content-length", "Expect", "transfer-encoding", "host"];
    let lambda = beside(&collector)
        .env(
            "KINGLET_HEADERS",
            "content-length=5,Expect=100-continue,a=1,transfer-encoding=chunked,host=SECRET,authorization=\u{e9}SECRET",
        )
        .start()
        .unwrap();
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    assert_eq!(exit.stderr.len(), refused.len() + 2, "{:?}", exit.stderr);
    for name in refused {
        let is_told = |line: &&String| line.contains("KINGLET_HEADERS") && line.contains(name);
        assert_eq!(exit.stderr.iter().filter(is_told).count(), 1, "{name}");
    }
    assert!(exit.stderr.iter().all(|line| !line.contains("SECRET")));
    assert_eq!(function_lines(&collector), ["a line"]);
    for request in collector.requests() {
        assert_eq!(request.request.header("a"), Some("1"));
        assert_eq!(request.request.header("expect"), None);
        assert_eq!(
            request.request.header("content-length"),
            Some(request.request.body.len().to_string().as_str())
        );
    }
}

/// A value that is no text is one line with the variable's name, whatever the variable is.
#[cfg(feature = "metrics")]
#[test]
fn a_value_that_is_not_utf_8_is_one_line() {
    let collector = healthy_collector();
    for variable in [
        "KINGLET_METRICS_ENDPOINT",
        "KINGLET_METRICS",
        "KINGLET_HEADERS",
        "KINGLET_FORMAT",
        "KINGLET_METRICS_FORMAT",
        "KINGLET_FLUSH",
        "KINGLET_FLUSH_INTERVAL_MS",
        "KINGLET_FLUSH_BUDGET_MS",
        "KINGLET_TIMEOUT_MS",
        "KINGLET_BUFFER_BYTES",
        "KINGLET_TYPES",
        "KINGLET_MIN_LEVEL",
        "KINGLET_INVOCATION_LINES",
        "KINGLET_PORT",
        "KINGLET_TELEMETRY_MS",
        "KINGLET_TELEMETRY_ITEMS",
        "KINGLET_TELEMETRY_BYTES",
        "KINGLET_STATSD_PORT",
        "KINGLET_EMF",
        "KINGLET_SELF_METRICS",
        "KINGLET_FOO",
        "OTEL_LOGS_EXPORTER",
        "OTEL_METRICS_EXPORTER",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "OTEL_BLRP_SCHEDULE_DELAY",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "OTEL_RESOURCE_ATTRIBUTES",
        "OTEL_SERVICE_NAME",
    ] {
        let value = OsString::from_vec(b"a=\xff".to_vec());
        // The default ports may be another's here: that is not what this is about.
        let is_port = ["KINGLET_PORT", "KINGLET_STATSD_PORT"].contains(&variable);
        let builder = beside(&collector)
            .env("KINGLET_METRICS", if is_port { "off" } else { "on" })
            .env("KINGLET_STATSD_PORT", "0");
        let lambda = builder.env(variable, value).start().unwrap();
        invoke(&lambda, ["a line"]);
        let exit = spin_down(&lambda);
        let [why, _] = exit.stderr.as_slice() else {
            panic!("{variable}: {:?}", exit.stderr)
        };
        assert!(why.contains(variable), "{variable}: {why}");
    }
    let lambda = alone()
        .env(
            "KINGLET_ENDPOINT",
            OsString::from_vec(b"http://h\xff".into()),
        )
        .start()
        .unwrap();
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    assert!(
        exit.stderr.len() == 2 && exit.stderr[0].contains("KINGLET_ENDPOINT "),
        "{:?}",
        exit.stderr
    );
}

/// What would be taken silently otherwise: an empty list, a name that is too long, a name that nobody reads, and two switches
/// that leave nothing.
#[test]
fn what_would_have_no_effect_is_told() {
    let collector = healthy_collector();
    let long = "x".repeat(2000);
    for (variables, words) in [
        (vec![("KINGLET_TYPES", ",")], "platform, function"),
        (
            vec![("OTEL_SERVICE_NAME", long.as_str())],
            "OTEL_SERVICE_NAME",
        ),
        (vec![("KINGLET_FLUHS", "SECRET")], "KINGLET_FLUSH"),
        (
            vec![("KINGLET_METRIC_ENDPOINT", "http://SECRET")],
            "KINGLET_METRICS_ENDPOINT",
        ),
        (
            vec![
                ("OTEL_LOGS_EXPORTER", "none"),
                ("OTEL_METRICS_EXPORTER", "none"),
            ],
            "OTEL_LOGS_EXPORTER",
        ),
    ] {
        let mut builder = beside(&collector);
        for (variable, value) in &variables {
            builder = builder.env(*variable, value);
        }
        let lambda = builder.start().unwrap();
        invoke(&lambda, ["a line"]);
        let exit = spin_down(&lambda);
        let [why, _] = exit.stderr.as_slice() else {
            panic!("{variables:?}: {:?}", exit.stderr)
        };
        assert!(
            why.contains(words)
                && why.contains(variables[0].0)
                && !why.contains("SECRET")
                && !why.contains("not set"),
            "{why}"
        );
    }
    // All but the last have shipped.
    assert_eq!(function_lines(&collector), ["a line"; 4]);
}

/// However many lines there would be, they are few.
#[test]
fn the_lines_about_the_configuration_are_bounded() {
    let collector = healthy_collector();
    let lambda = beside(&collector)
        .env("KINGLET_HEADERS", "x,".repeat(1000))
        .env("KINGLET_FOO", "")
        .start()
        .unwrap();
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    assert_eq!(exit.stderr.len(), 16 + 1, "{:?}", exit.stderr);
    assert_eq!(function_lines(&collector), ["a line"]);
}

/// Without a usable endpoint it is dormant, and says why in words: next is asked at once, nothing is subscribed to, SHUTDOWN
/// ends it at once, with status 0.
#[test]
fn without_an_endpoint_it_is_dormant() {
    for (endpoint, words) in [
        (None, "KINGLET_ENDPOINT is not set"),
        (Some(""), "KINGLET_ENDPOINT is not set"),
        (Some("https://collector.example:4318"), "TLS"),
        (Some("collector:4318"), "http://"),
        (Some("http://collector:99999"), "port"),
    ] {
        let mut builder = alone();
        if let Some(endpoint) = endpoint {
            builder = builder.env("KINGLET_ENDPOINT", endpoint);
        }
        let lambda = builder.start().unwrap();
        assert!(
            lambda.destination().is_none(),
            "{endpoint:?}: it has subscribed"
        );
        for _ in 0..3 {
            let held = invoke(&lambda, ["a line"]);
            assert!(held < AT_ONCE, "{endpoint:?}: {held:?}");
        }
        let exit = spin_down(&lambda);
        assert!(exit.took < TOLERANCE, "{endpoint:?}: {:?}", exit.took);
        let [why, last] = exit.stderr.as_slice() else {
            panic!("{:?}", exit.stderr)
        };
        assert!(
            why.contains(words) && why.contains("KINGLET_ENDPOINT"),
            "{why}"
        );
        assert!(
            last.contains(" received=0 ") && last.contains(" invocations=3 "),
            "{last}"
        );
    }
}

/// An endpoint that is kinglet's own listener: each POST comes back as one malformed event. It does not go round for ever.
#[test]
fn an_endpoint_that_is_itself_does_not_go_round() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let builder = alone()
        .env("KINGLET_PORT", port.to_string())
        .env("KINGLET_ENDPOINT", format!("http://127.0.0.1:{port}"))
        .env("KINGLET_FLUSH", "end");
    let lambda = builder.start().unwrap();
    for _ in 0..3 {
        assert!(invoke(&lambda, ["line"]) < HELD_MAX);
    }
    let exit = spin_down(&lambda);
    assert!(exit.took < TOLERANCE, "{:?}", exit.took);
    let counters = Counters::of(&exit);
    assert_eq!(counters.get("malformed"), counters.get("posts"));
    assert!(counters.get("posts") <= 10, "{counters:?}");
}
