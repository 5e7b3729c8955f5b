use super::super::{Log, read, write};
use super::clients::datagrams;
use crate::format::Head;
use crate::format::resource::Resource;
use crate::format::severity::{ERROR, INFO, WARN};
use crate::record::encoder::Encoder;
use crate::record::encoder::captured::{Captured, Record, ValueKind};

const NOW: u64 = 1_795_292_825_123_000_000;

/// The logs of a datagram as records of so many bytes, and how much was malformed.
fn records(datagram: &[u8], bytes_max: usize) -> (Vec<Vec<u8>>, u64) {
    let resource = Resource::default();
    let head = Head {
        time_unix_nano: NOW,
        observed_unix_nano: NOW,
        severity: 0,
        event_type: b"",
        request_id: b"an-id",
        trace: None,
        coldstart: true,
        resource: &resource,
    };
    let mut encoder = Encoder::new(&Captured, bytes_max);
    let mut records = Vec::new();
    let mut take = |log: &Log<'_>| {
        records.push(write(log, &head, &mut encoder).to_vec());
    };
    let malformed = read(&[datagram], &mut |_| {}, &mut take);
    (records, malformed)
}

/// A record in short: severity, body, attributes.
fn short(record: &Record<'_>) -> (u8, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let attributes: Vec<_> = record
        .attributes()
        .map(|attribute| {
            let colon = if attribute.kind == ValueKind::Integer {
                ":#"
            } else {
                ":"
            };
            format!("{}{colon}{}", text(attribute.key), text(attribute.value))
        })
        .collect();
    (
        record.head.severity,
        text(record.body),
        attributes.join(" "),
    )
}

#[track_caller]
fn assert_record(line: &str, severity: u8, body: &str, attributes: &str) {
    let (records, malformed) = records(line.as_bytes(), 4096);
    assert_eq!((records.len(), malformed), (1, 0), "{line}");
    let record = Record::read(&records[0]).unwrap();
    assert_eq!(
        short(&record),
        (severity, body.to_string(), attributes.to_string()),
        "{line}"
    );
    assert_eq!(record.head.request_id, b"an-id");
    assert!(record.head.coldstart);
    assert_eq!((record.original_bytes, record.dropped_attributes), (0, 0));
    let event_type = if line.starts_with("_e") {
        "statsd.event"
    } else {
        "statsd.service_check"
    };
    assert_eq!(record.head.event_type, event_type.as_bytes());
}

#[test]
fn of_datadogs_client() {
    let datagrams = datagrams("py-datadog-unbuffered");
    assert_record(
        str::from_utf8(&datagrams[8]).unwrap(),
        ERROR,
        "Man down!\\nThis server needs assistance.\\nline2|pipe",
        "statsd.event.priority:low statsd.event.alert_type:error server:1",
    );
    assert_record(
        str::from_utf8(&datagrams[9]).unwrap(),
        INFO,
        "all good\\nyes",
        "statsd.service_check.name:app.ok statsd.service_check.status:#0 host.name:h1 role:db",
    );
}

#[test]
fn events() {
    for (line, severity, body, attributes) in [
        ("_e{1,1}:a|b", INFO, "a\\nb", ""),
        ("_e{1,0}:a|", INFO, "a", ""),
        ("_e{5,4}:a|b:c|\\n\\n", INFO, "a|b:c\\n\\n\\n", ""),
        // Lengths are bytes.
        ("_e{2,3}:é|€", INFO, "é\\n€", ""),
        (
            "_e{1,1}:a|b|t:warning",
            WARN,
            "a\\nb",
            "statsd.event.alert_type:warning",
        ),
        (
            "_e{1,1}:a|b|t:success",
            INFO,
            "a\\nb",
            "statsd.event.alert_type:success",
        ),
        (
            "_e{1,1}:a|b|t:what",
            INFO,
            "a\\nb",
            "statsd.event.alert_type:what",
        ),
        (
            "_e{1,1}:a|b|c:ci-1|card:low|e:x|new|m:n|",
            INFO,
            "a\\nb",
            "",
        ),
        ("_e{1,1}:a|b|#b,c:d:e,:f,,", INFO, "a\\nb", "b: c:d:e"),
        (
            "_e{1,1}:a|b|s:nagios|k:k1|p:normal|h:h 1",
            INFO,
            "a\\nb",
            "statsd.event.source_type:nagios statsd.event.aggregation_key:k1 statsd.event.priority:normal host.name:h 1",
        ),
        // JSON needs these escaped; backslashes are not escaped by clients.
        (
            "_e{3,8}:\"\\x|\\\\n\tm\\:e|#\"k\\:\"v\\",
            INFO,
            "\\\"\\\\x\\n\\\\\\n\\tm\\\\:e",
            "\\\"k\\\\:\\\"v\\\\",
        ),
    ] {
        assert_record(line, severity, body, attributes);
    }
}

#[test]
fn service_checks() {
    let named = |status: char| {
        format!("statsd.service_check.name:db statsd.service_check.status:#{status}")
    };
    for (status, severity, word) in [
        ('0', INFO, "OK"),
        ('1', WARN, "WARNING"),
        ('2', ERROR, "CRITICAL"),
        ('3', WARN, "UNKNOWN"),
    ] {
        assert_record(
            &format!("_sc|db|{status}"),
            severity,
            &format!("db {word}"),
            &named(status),
        );
        assert_record(
            &format!("_sc|db|{status}|m:text"),
            severity,
            "text",
            &named(status),
        );
        assert_record(
            &format!("_sc|db|{status}|m:|t:error"),
            severity,
            "|t:error",
            &named(status),
        );
    }
    for (parts, body, attributes) in [
        ("h:h1|#a:b,c|m:text", "text", " host.name:h1 a:b c:"),
        ("m:text|h:h1|#a:b", "text", " host.name:h1 a:b"),
        ("m:text|c:ci-1|card:low", "text", ""),
        // A bar in a message is not escaped, `m:` is.
        ("m:a|b||c|", "a|b||c|", ""),
        ("m:a|b|d:60|c", "a|b", ""),
        (
            "m:system\\: bad\\nm\\:\\:\\",
            "system: bad\\nm:\\\\:\\\\",
            "",
        ),
        ("k:v|p:low|new", "db OK", ""),
        ("h:|d:0|m:", "db OK", ""),
    ] {
        assert_record(
            &format!("_sc|db|0|{parts}"),
            INFO,
            body,
            &(named('0') + attributes),
        );
    }
}

/// What a part says comes before a tag of the same name, wherever they stand.
#[test]
fn tags_hide_no_parts() {
    let line = "_e{1,1}:a|b|#statsd.event.alert_type:x,host.name:y,c:d|t:error|h:h1";
    let (records, _) = records(line.as_bytes(), 4096);
    let record = Record::read(&records[0]).unwrap();
    let attributes = "statsd.event.alert_type:error host.name:h1 c:d";
    assert_eq!(short(&record), (ERROR, "a\\nb".into(), attributes.into()));
    assert_eq!(record.dropped_attributes, 2);
}

#[test]
fn times() {
    for (line, time) in [
        ("_e{1,1}:a|b", NOW),
        ("_e{1,1}:a|b|d:60", 60_000_000_000),
        ("_e{1,1}:a|b|p:low|d:60|#x", 60_000_000_000),
        ("_sc|a|0|d:1656581400|m:b", 1_656_581_400_000_000_000),
        ("_e{1,1}:a|b|d:0", NOW),
        ("_e{1,1}:a|b|d:-1", NOW),
        ("_e{1,1}:a|b|d:soon", NOW),
        ("_e{1,1}:a|b|d:18446744074", NOW),
        ("_sc|a|0|d:", NOW),
    ] {
        let (records, malformed) = records(line.as_bytes(), 4096);
        assert_eq!(malformed, 0, "{line}");
        assert_eq!(
            Record::read(&records[0]).unwrap().head.time_unix_nano,
            time,
            "{line}"
        );
    }
}

#[test]
fn malformed() {
    for line in [
        "_e{",
        "_e{}",
        "_e{1}:a|b",
        "_e{1,1}",
        "_e{1,1}:",
        "_e{1,1}:a",
        "_e{1,1}:a|",
        "_e{1,1}a|b",
        "_e{1,1:a|b",
        "_e{1,1}:a:b",
        "_e{0,1}:|b",
        "_e{1,2}:a|b",
        "_e{1,1}:a|bc",
        "_e{2,1}:a|b",
        "_e{1,1}:ab|c",
        "_e{-1,1}:a|b",
        "_e{1,x}:a|b",
        "_e{1, 1}:a|b",
        "_e{,}:|",
        "_e{99999999999999999999,1}:a|b",
        "_e{18446744073709551615,18446744073709551615}:a|b",
        "_sc|",
        "_sc||0",
        "_sc|a",
        "_sc|a|",
        "_sc|a|4",
        "_sc|a|x",
        "_sc|a|00",
        "_sc|a|0x",
        "_sc|a||m:b",
    ] {
        assert_eq!(records(line.as_bytes(), 4096), (vec![], 1), "{line}");
    }
}

#[test]
fn what_does_not_fit_is_cut_and_counted() {
    let text = "\\n\"é".repeat(1000);
    let event = format!("_e{{5,{}}}:title|{text}|#a:b|h:host", text.len());
    for bytes_max in 30..400 {
        let (records, _) = records(event.as_bytes(), bytes_max);
        assert!(
            records[0].len() <= bytes_max.max(24 + 5 + 12),
            "{bytes_max}"
        );
        let record = Record::read(&records[0]).unwrap();
        let (_, body, _) = short(&record);
        assert!(
            "title\\n".starts_with(&body) || body.starts_with("title\\n\\n"),
            "{body}"
        );
        serde_json::from_str::<String>(&format!("\"{body}\"")).unwrap();
        assert_eq!(record.original_bytes as usize, 5 + 1 + text.len());
        assert_eq!(
            record.attributes().count() as u32 + record.dropped_attributes,
            2
        );
    }
}
