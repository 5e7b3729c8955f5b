//! Whatever a line is, reading it as an EMF document ends, borrows from it, and hands over numbers.
#![no_main]
use kinglet::limits::METRIC_ATTRIBUTES_MAX;
use kinglet::metric::measurement::Change;
use kinglet::source::emf::{NAMESPACE, read};
use serde_json::Value;

/// How many metrics a document names.
fn metrics(document: &Value) -> usize {
    let directives = document["_aws"]["CloudWatchMetrics"].as_array();
    let metrics = |directive: &Value| directive["Metrics"].as_array().map_or(0, Vec::len);
    directives.map_or(0, |directives| directives.iter().map(metrics).sum())
}

libfuzzer_sys::fuzz_target!(|line: &[u8]| {
    let mut measurements = 0;
    let done = read(line, &mut |measurement| {
        let is_of_line =
            |text: &[u8]| text.is_empty() || line.as_ptr_range().contains(&text.as_ptr());
        assert!(!measurement.name.is_empty() && is_of_line(measurement.name));
        assert!(measurement.attributes.len() <= METRIC_ATTRIBUTES_MAX);
        for (key, value) in &*measurement.attributes {
            let is_literal = [&b"true"[..], b"false"].contains(value);
            assert!(*key == NAMESPACE || is_of_line(key));
            assert!(is_literal || is_of_line(value));
        }
        let Change::Observe { value, times, .. } = measurement.change else {
            panic!("{measurement:?}")
        };
        assert!(value.is_finite() && times > 0);
        measurements += 1;
    });
    assert_eq!(done.measurements, measurements);
    if let Ok(document @ Value::Object(_)) = serde_json::from_slice::<Value>(line) {
        // An escaped key is not looked through; of equal keys the first counts here and the last there.
        let is_plain = !line.contains(&b'\\') && !has_equal_keys(line, &document);
        assert!(!is_plain || metrics(&document) > 0 || done.measurements == 0);
    }
});

/// Whether a member was lost because its key stands twice: then it does not come back.
fn has_equal_keys(line: &[u8], document: &Value) -> bool {
    let colons = |text: &[u8]| text.iter().filter(|byte| **byte == b':').count();
    colons(line) != colons(document.to_string().as_bytes())
}
