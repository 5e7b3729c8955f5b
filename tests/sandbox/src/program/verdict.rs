//! What the collector has got, compared with what the function wrote.

use std::collections::HashMap;

use serde::Serialize;

use kinglet_sandbox::{Record, Signal};

/// One line the function wrote, and the invocation it wrote it in, if it is known.
pub(crate) struct Written {
    pub(crate) line: String,
    pub(crate) request_id: Option<String>,
}

#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Verdict {
    /// Lines that the function wrote.
    pub(crate) written: usize,
    /// Lines the collector has at least once.
    pub(crate) arrived: usize,
    pub(crate) lost: usize,
    /// Records that repeat a line which had arrived.
    pub(crate) repeated: usize,
    /// Lines that came before one that was written earlier.
    pub(crate) out_of_order: usize,
    pub(crate) wrong_request_id: usize,
    /// All log records, with those of the platform and of the extension itself.
    pub(crate) log_records: usize,
    pub(crate) metric_points: usize,
}

impl Verdict {
    pub(crate) fn is_clean(&self) -> bool {
        self.lost + self.repeated + self.out_of_order + self.wrong_request_id == 0
    }
}

/// Compares by the whole line. Equal lines are told apart by their count only.
pub(crate) fn compare(written: &[Written], records: &[Record]) -> Verdict {
    let mut verdict = Verdict {
        written: written.len(),
        ..Verdict::default()
    };
    let mut expected: HashMap<&str, Vec<usize>> = HashMap::with_capacity(written.len());
    for (number, line) in written.iter().enumerate().rev() {
        expected
            .entry(line.line.trim_end_matches('\n'))
            .or_default()
            .push(number);
    }
    let mut latest = None;
    for record in records {
        if record.signal == Signal::Metric {
            verdict.metric_points += 1;
            continue;
        }
        verdict.log_records += 1;
        let text = record.text();
        let text = text.trim_end_matches('\n');
        let text = if expected.contains_key(text) {
            text.to_string()
        } else {
            message(text).unwrap_or_default()
        };
        let Some(numbers) = expected.get_mut(text.as_str()) else {
            continue;
        };
        let Some(number) = numbers.pop() else {
            verdict.repeated += 1;
            continue;
        };
        verdict.arrived += 1;
        verdict.out_of_order += usize::from(latest.is_some_and(|latest| number < latest));
        latest = latest.max(Some(number));
        let request_id = written[number].request_id.as_deref();
        verdict.wrong_request_id +=
            usize::from(request_id.is_some() && record.request_id() != request_id);
    }
    verdict.lost = verdict.written - verdict.arrived;
    verdict
}

/// Some extensions ship the whole object of a JSON line, others its message as the body.
fn message(text: &str) -> Option<String> {
    let object: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(
        object["message"]
            .as_str()?
            .trim_end_matches('\n')
            .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinglet_sandbox::decode;

    fn records(lines: &[(&str, &str)]) -> Vec<Record> {
        let body: String = lines
            .iter()
            .map(|(line, id)| format!("{}\n", serde_json::json!({"body": line, "request_id": id})))
            .collect();
        decode("/lines", body.as_bytes(), 0).unwrap()
    }

    #[test]
    fn each_kind_of_damage_is_counted() {
        let line = |line: &str| Written {
            line: line.into(),
            request_id: Some("r".into()),
        };
        let written = [line("a"), line("b"), line("c")];
        let verdict = |lines: &[(&str, &str)]| compare(&written, &records(lines));
        assert!(verdict(&[("a", "r"), ("START", "r"), ("b", "r"), ("c\n", "r")]).is_clean());
        assert_eq!(verdict(&[("a", "r"), ("c", "r")]).lost, 1);
        assert_eq!(
            verdict(&[("a", "r"), ("a", "r"), ("b", "r"), ("c", "r")]).repeated,
            1
        );
        assert_eq!(
            verdict(&[("b", "r"), ("a", "r"), ("c", "r")]).out_of_order,
            1
        );
        assert_eq!(
            verdict(&[("a", "r"), ("b", "x"), ("c", "r")]).wrong_request_id,
            1
        );
    }
}
