use super::*;
use crate::format::point::Bounds;
use crate::limits::{EMF_MEASUREMENT_WORK, EMF_WORK_MAX, METRIC_ATTRIBUTES_MAX};
use crate::metric::measurement::{Change, Measurement};

/// Measurements, each as `name unit {key=value,…} values`, and the account.
fn read_all(object: &str) -> (Vec<String>, Read) {
    let mut found = Vec::new();
    let read = read(object.as_bytes(), &mut |measurement| {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert!(measurement.is_escaped && measurement.time_unix_nano == 0);
        let Change::Observe {
            value,
            times,
            bounds: Bounds::Default,
        } = measurement.change
        else {
            panic!("{measurement:?}")
        };
        // The table sorts them, too.
        measurement.attributes.sort();
        let attributes: Vec<_> = measurement
            .attributes
            .iter()
            .map(|(key, value)| format!("{}={}", text(key), text(value)))
            .collect();
        let times = if times == 1 {
            String::new()
        } else {
            format!(" x{times}")
        };
        found.push(format!(
            "{} {} {{{}}} {value}{times}",
            text(measurement.name),
            text(measurement.unit),
            attributes.join(",")
        ));
    });
    assert_eq!(read.measurements as usize, found.len());
    let mut canonical = Vec::new();
    json::append_canonical_strings(&mut canonical, object.as_bytes());
    assert!(metadata(&canonical).is_some() || read == Read::default());
    (found, read)
}

fn assert_reads(object: &str, expected: &[&str], malformed: u32) {
    let (found, read) = read_all(object);
    assert_eq!(found, expected, "{object}");
    assert_eq!(read.malformed, malformed, "{object}");
}

/// A document with one directive of one namespace.
fn document(dimensions: &str, metrics: &str, members: &str) -> String {
    format!(
        r#"{{"_aws":{{"Timestamp":1,"CloudWatchMetrics":[{{"Namespace":"N","Dimensions":{dimensions},"Metrics":{metrics}}}]}}{members}}}"#
    )
}

#[test]
fn what_the_libraries_write() {
    let read_file = |name: &str| {
        let path = format!("{}/emf/{name}", crate::fixtures::DIRECTORY);
        let (mut found, mut malformed) = (Vec::new(), 0);
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let (measurements, read) = read_all(line);
            found.extend(measurements);
            malformed += read.malformed;
        }
        (found, malformed)
    };
    let (found, malformed) = read_file("py-aws-embedded-metrics.jsonl");
    let of = "{Env=test,LogGroup=test_function,ServiceName=test_function,ServiceType=AWS::Lambda::Function,\
              aws.cloudwatch.namespace=aws-embedded-metrics}";
    assert_eq!(
        found,
        [
            format!("ProcessingLatency ms {of} 100"),
            format!("ProcessingLatency ms {of} 120"),
            format!("HiRes {{count}} {of} 3.5"),
        ]
    );
    assert_eq!(malformed, 0);
    let (found, malformed) = read_file("py-powertools-metrics.jsonl");
    assert_eq!(
        found,
        [
            "Single By {aws.cloudwatch.namespace=Other,d=v} 10",
            "ColdStart {count} {aws.cloudwatch.namespace=App,function_name=test_function,service=checkout} 1",
            "Orders {count} {aws.cloudwatch.namespace=App,env=test,service=checkout} 1",
            "Latency ms {aws.cloudwatch.namespace=App,env=test,service=checkout} 12.5",
            "Latency ms {aws.cloudwatch.namespace=App,env=test,service=checkout} 14",
            "Hi {count} {aws.cloudwatch.namespace=App,env=test,service=checkout} 1",
        ]
    );
    assert_eq!(malformed, 0);
}

#[test]
fn each_dimension_set_is_a_series() {
    let object = document(
        r#"[["a","b"],["b"],[]]"#,
        r#"[{"Name":"m","Unit":"Seconds"},{"Name":"n"}]"#,
        r#","m":1,"a":"x","n":[2,-3.5],"b":7"#,
    );
    let expected = [
        "m s {a=x,aws.cloudwatch.namespace=N,b=7} 1",
        "n  {a=x,aws.cloudwatch.namespace=N,b=7} 2",
        "n  {a=x,aws.cloudwatch.namespace=N,b=7} -3.5",
        "m s {aws.cloudwatch.namespace=N,b=7} 1",
        "n  {aws.cloudwatch.namespace=N,b=7} 2",
        "n  {aws.cloudwatch.namespace=N,b=7} -3.5",
        "m s {aws.cloudwatch.namespace=N} 1",
        "n  {aws.cloudwatch.namespace=N} 2",
        "n  {aws.cloudwatch.namespace=N} -3.5",
    ];
    assert_reads(&object, &expected, 0);
    // Directives have their own.
    let object = r#"{"m":1,"d":true,"_aws":{"CloudWatchMetrics":[{"Metrics":[{"Name":"m"}]},
        {"Namespace":"O","Dimensions":[],"Metrics":[{"Name":"m"}]},{"Dimensions":[["d","d"]],"Metrics":[{"Name":"m"}]}]}}"#;
    let expected = [
        "m  {} 1",
        "m  {aws.cloudwatch.namespace=O} 1",
        "m  {d=true} 1",
    ];
    assert_reads(object, &expected, 0);
}

#[test]
fn forms_of_values() {
    for (value, expected, malformed) in [
        ("3", &["3"][..], 0),
        ("-1.5e3", &["-1500"], 0),
        ("[]", &[], 0),
        ("[1,\"2\",null,3]", &["1", "3"], 2),
        ("[[1],2]", &["2"], 1),
        ("\"3\"", &[], 1),
        ("true", &[], 1),
        ("null", &[], 1),
        ("1e400", &[], 1),
        ("[-1e999,1]", &["1"], 1),
        ("1.2.3", &[], 1),
        ("{}", &[], 1),
        (r#"{"Values":[1,2.5],"Counts":[4,1]}"#, &["1 x4", "2.5"], 0),
        (r#"{"Values":[1,2],"Counts":[4]}"#, &["1 x4"], 1),
        (r#"{"Values":[1],"Counts":[4,5]}"#, &["1 x4"], 0),
        (r#"{"Values":[1,2,3],"Counts":[0,1.5,2.0]}"#, &["3 x2"], 2),
        (r#"{"Values":[1,2]}"#, &["1", "2"], 0),
        (r#"{"Values":1,"Counts":1}"#, &[], 1),
        (r#"{"Values":[1],"Counts":1}"#, &["1"], 0),
        (r#"{"Counts":[1]}"#, &[], 1),
        (
            r#"{"Min":1,"Max":9,"Sum":30,"Count":6}"#,
            &["1", "9", "5 x4"],
            0,
        ),
        (r#"{"Min":1,"Max":9,"Sum":10,"Count":2}"#, &["1", "9"], 0),
        (r#"{"Min":4,"Max":4,"Sum":4,"Count":1}"#, &["4"], 0),
        (r#"{"Min":4,"Max":4,"Sum":4,"Count":0}"#, &[], 1),
        (r#"{"Min":4,"Max":4,"Sum":4}"#, &[], 1),
        // A sum that cannot be.
        (
            r#"{"Min":1,"Max":2,"Sum":90,"Count":3}"#,
            &["1", "2", "2"],
            0,
        ),
        (
            r#"{"Min":2,"Max":1,"Sum":-1e308,"Count":3}"#,
            &["2", "1", "2"],
            0,
        ),
    ] {
        let object = document("[[]]", r#"[{"Name":"m"}]"#, &format!(",\"m\":{value}"));
        let expected: Vec<_> = expected
            .iter()
            .map(|value| format!("m  {{aws.cloudwatch.namespace=N}} {value}"))
            .collect();
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        assert_reads(&object, &expected, malformed);
    }
}

#[test]
fn what_is_malformed_is_counted_and_the_rest_is_taken() {
    for (object, measurements, malformed) in [
        // No EMF.
        ("{}", 0, 0),
        ("", 0, 0),
        ("[]", 0, 0),
        (r#"{"a":{"_aws":{}}}"#, 0, 0),
        (r#"{"a":"_aws"}"#, 0, 0),
        // No directives.
        (r#"{"_aws":1}"#, 0, 1),
        (r#"{"_aws":null}"#, 0, 1),
        (r#"{"_aws":"x"}"#, 0, 1),
        (r#"{"_aws":[]}"#, 0, 1),
        (r#"{"_aws":{}}"#, 0, 1),
        (r#"{"_aws":{"CloudWatchMetrics":{}}}"#, 0, 1),
        (r#"{"_aws":{"CloudWatchMetrics":"x"}}"#, 0, 1),
        (r#"{"_aws":{"CloudWatchMetrics":[]}}"#, 0, 0),
        (r#"{"_aws":{"CloudWatchMetrics":[1,"x",null,[]]}}"#, 0, 4),
        (r#"{"_aws":{"CloudWatchMetrics":[{}]}}"#, 0, 1),
        (
            r#"{"_aws":{"CloudWatchMetrics":[{"Namespace":1,"Metrics":[{"Name":"m"}]},{"Metrics":{}}]},"m":1}"#,
            1,
            1,
        ),
    ] {
        let (_, read) = read_all(object);
        assert_eq!(
            (read.measurements, read.malformed),
            (measurements, malformed),
            "{object}"
        );
    }
    let good = r#"[{"Name":"m"}]"#;
    let members = r#","m":1,"s":"x","o":{},"l":[],"z":null"#;
    for (dimensions, metrics, measurements, malformed) in [
        (r#"[["s"]]"#, good, 1, 0),
        (
            r#"[["s"],["missing"],["o"],["l"],["z"],["s","missing"]]"#,
            good,
            1,
            5,
        ),
        (r#"["s"]"#, good, 0, 1),
        (r#"[{"s":1},null,[1],[""],[["s"]]]"#, good, 0, 5),
        (r#""s""#, good, 1, 0),
        ("{}", good, 1, 0),
        ("null", good, 1, 0),
        ("[[]]", "[]", 0, 0),
        ("[[]]", r#"[{"Name":"m"},{"Name":"m"},"m"]"#, 1, 0),
        ("[[]]", "{}", 0, 1),
        ("[[]]", "null", 0, 1),
        ("[[]]", r#"[{"Name":"missing"},{"Name":"m"}]"#, 1, 1),
        (
            "[[]]",
            r#"[1,[],{},{"Name":1},{"Name":""},{"Name":"m","Unit":7}]"#,
            1,
            5,
        ),
        ("[[]]", r#"[{"Name":"o"},{"Name":"s"},{"Name":"z"}]"#, 0, 3),
        // `_aws` is a member like others.
        (r#"[["_aws"]]"#, r#"[{"Name":"_aws"}]"#, 0, 1),
    ] {
        let object = document(dimensions, metrics, members);
        let (_, read) = read_all(&object);
        assert_eq!(
            (read.measurements, read.malformed),
            (measurements, malformed),
            "{object}"
        );
    }
}

#[test]
fn names_are_compared_as_text_and_the_first_of_equal_keys_counts() {
    let object = document(
        r#"[["d\u0062"]]"#,
        r#"[{"Name":"a\u0062\"/é","Unit":"Bytes\/Second"},{"Name":"ab"},{"Name":"\u0061b"}]"#,
        r#","a\u0062\"\/é":1,"a\u0062":2,"db":"v\u0077\n","a\u0062\"/é":3,"d\u0062":"w""#,
    );
    let expected = [
        r#"ab\"/é By/s {aws.cloudwatch.namespace=N,db=vw\n} 1"#,
        r"ab  {aws.cloudwatch.namespace=N,db=vw\n} 2",
    ];
    assert_reads(&object, &expected, 0);
    let escaped = object.replace("_aws", r"\u005faws");
    let escaped = escaped.replace("Dimensions", r"Dimension\u0073");
    assert_reads(&escaped, &expected, 0);
}

#[test]
fn a_name_of_ours_is_told_apart() {
    let members = r#","faas.invocations":1,"Kinglet.x":2,"faasx":3"#;
    let metrics = r#"[{"Name":"f\u0061as.invocations"},{"Name":"Kinglet.x"},{"Name":"faasx"}]"#;
    let expected = [
        "function.faas.invocations  {aws.cloudwatch.namespace=N} 1",
        "function.Kinglet.x  {aws.cloudwatch.namespace=N} 2",
        "faasx  {aws.cloudwatch.namespace=N} 3",
    ];
    assert_reads(&document("[]", metrics, members), &expected, 0);
}

#[test]
fn limits() {
    let list = |count: usize, item: &dyn Fn(usize) -> String| {
        let items: Vec<_> = (0..count).map(item).collect();
        items.join(",")
    };
    let account = |object: &str| {
        let (_, read) = read_all(object);
        (read.measurements, read.malformed)
    };
    let definitions = |count| list(count, &|n| format!(r#"{{"Name":"m{n}"}}"#));
    let values = |count| list(count, &|n| format!(r#""m{n}":{n}"#));
    let with_metrics = |count| {
        document(
            "[[]]",
            &format!("[{}]", definitions(count)),
            &format!(",{}", values(count)),
        )
    };
    assert_eq!(account(&with_metrics(100)), (100, 0));
    assert_eq!(account(&with_metrics(103)), (100, 3));

    let with_values = |count| {
        let values = list(count, &|n| n.to_string());
        document("[[]]", r#"[{"Name":"m"}]"#, &format!(r#","m":[{values}]"#))
    };
    assert_eq!(account(&with_values(100)), (100, 0));
    assert_eq!(account(&with_values(105)), (100, 5));

    let with_dimensions = |count| {
        let keys = list(count, &|n| format!("\"m{n}\""));
        document(
            &format!("[[{keys}],[]]"),
            r#"[{"Name":"m0"}]"#,
            &format!(",{}", values(count)),
        )
    };
    assert_eq!(account(&with_dimensions(METRIC_ATTRIBUTES_MAX - 1)), (2, 0));
    assert_eq!(account(&with_dimensions(METRIC_ATTRIBUTES_MAX)), (1, 1));
}

#[test]
fn work_is_bounded() {
    // A full document: 100 metrics of 100 values, ten sets.
    let definitions: Vec<_> = (0..100)
        .map(|n| format!(r#"{{"Name":"m{n:02}"}}"#))
        .collect();
    let numbers = vec!["1"; 100].join(",");
    let values: String = (0..100)
        .map(|n| format!(r#","m{n:02}":[{numbers}]"#))
        .collect();
    let with_sets = |count| {
        let sets = vec![r#"["d"]"#; count].join(",");
        document(
            &format!("[{sets}]"),
            &format!("[{}]", definitions.join(",")),
            &format!(r#","d":"x"{values}"#),
        )
    };
    let mut count = 0;
    let mut count_all = |_: &mut Measurement<'_, '_>| count += 1;
    let done = read(with_sets(10).as_bytes(), &mut count_all);
    assert_eq!((done.measurements, done.malformed), (100_000, 0));
    // What is out of bounds ends soon, and says so.
    let done = read(with_sets(1000).as_bytes(), &mut count_all);
    assert!(done.measurements as usize <= EMF_WORK_MAX / EMF_MEASUREMENT_WORK);
    assert!(done.measurements > 100_000 && done.malformed >= 1);
    let directive = r#"{"Metrics":[{"Name":"a"}]}"#;
    let hostile = format!(
        r#"{{"_aws":{{"CloudWatchMetrics":[{}]}},"a":1}}"#,
        vec![directive; 8000].join(",")
    );
    let done = read(hostile.as_bytes(), &mut count_all);
    assert!(
        done.measurements > 10 && (done.measurements as usize) < 1 + EMF_WORK_MAX / hostile.len()
    );
    assert_eq!(done.malformed, 1);
}

#[test]
fn a_truncated_document_is_harmless() {
    let object = document(
        r#"[["a","b"],[]]"#,
        r#"[{"Name":"m","Unit":"Seconds"},{"Name":"n"},{"Name":"o"}]"#,
        r#","m":[1,2],"a":"x\"\u00e9","b":true,"n":{"Values":[1,2],"Counts":[1,2]},"o":{"Min":1,"Max":9,"Sum":30,"Count":6}"#,
    );
    let whole = read_all(&object).1;
    assert_eq!(
        whole,
        Read {
            measurements: 14,
            malformed: 0
        }
    );
    for end in 0..object.len() {
        let read = read_all(&object[..end]).1;
        // Without the last brace nothing is missing.
        assert!(
            read.measurements < whole.measurements || end == object.len() - 1,
            "{end}"
        );
        // Nor does a byte that is damaged.
        for byte in [0, b'"', b'[', b'}', b',', b'9', b'\\', 0xff] {
            let mut damaged = object.clone().into_bytes();
            damaged[end] = byte;
            read_bytes(&damaged);
        }
    }
}

fn read_bytes(object: &[u8]) -> Read {
    read(object, &mut |measurement| {
        assert!(measurement.attributes.len() <= METRIC_ATTRIBUTES_MAX);
    })
}
