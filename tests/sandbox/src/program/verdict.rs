//! What the collector has got, compared with what the function wrote.

use std::collections::HashMap;

use serde::Serialize;

use kinglet_sandbox::{Record, Signal};

/// One line the function wrote, and the invocation it wrote it in, if it is known.
pub(crate) struct Written {
    pub(crate) line: String,
    pub(crate) request_id: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Verdict {
    /// Lines that the function wrote.
    pub(crate) written: usize,
    /// Lines the collector has at least once.
    pub(crate) arrived: usize,
    /// Those of them that were shortened.
    pub(crate) cut: usize,
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
    /// Whatever is not as it was written, counted together.
    pub(crate) fn damage(&self) -> usize {
        self.cut + self.lost + self.repeated + self.out_of_order + self.wrong_request_id
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.damage() == 0
    }
}

/// An extension may cut lines that are longer than this, in bytes. What is shorter is the beginning of another line by chance.
const CUT_BYTES_MIN: usize = 1024;

/// Compares by the whole line, or by the beginning of a long one. Equal lines are told apart by their count only.
pub(crate) fn compare(written: &[Written], records: &[Record]) -> Verdict {
    let mut comparison = Comparison::new(written);
    records.iter().for_each(|record| comparison.take(record));
    comparison.verdict()
}

/// A comparison under way, for records that nobody has to keep all at once.
pub(crate) struct Comparison<'a> {
    written: &'a [Written],
    /// The numbers of the lines of this text which have not arrived, the first of them last.
    expected: HashMap<&'a str, Vec<usize>>,
    /// The number of the latest line that has arrived.
    latest: Option<usize>,
    verdict: Verdict,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(written: &'a [Written]) -> Comparison<'a> {
        let mut expected: HashMap<&str, Vec<usize>> = HashMap::with_capacity(written.len());
        for (number, line) in written.iter().enumerate().rev() {
            let text = line.line.trim_end_matches('\n');
            expected.entry(text).or_default().push(number);
        }
        Comparison {
            written,
            expected,
            latest: None,
            verdict: Verdict {
                written: written.len(),
                ..Verdict::default()
            },
        }
    }

    /// The next record, in the order of arrival.
    pub(crate) fn take(&mut self, record: &Record) {
        if record.signal == Signal::Metric {
            self.verdict.metric_points += 1;
            return;
        }
        self.verdict.log_records += 1;
        let text = record.text();
        let number = match self.numbers(&text) {
            Some(numbers) => numbers.pop(),
            None => match self.cut_from(&text) {
                None => return,
                Some(number) => {
                    self.verdict.cut += usize::from(number.is_some());
                    number
                }
            },
        };
        let Some(number) = number else {
            self.verdict.repeated += 1;
            return;
        };
        self.verdict.arrived += 1;
        let is_late = self.latest.is_some_and(|latest| number < latest);
        self.verdict.out_of_order += usize::from(is_late);
        self.latest = self.latest.max(Some(number));
        let request_id = self.written[number].request_id.as_deref();
        let is_wrong = request_id.is_some() && record.request_id() != request_id;
        self.verdict.wrong_request_id += usize::from(is_wrong);
    }

    /// The first line that begins with this text and has not arrived. `Some(None)`: all of them have.
    fn cut_from(&mut self, text: &str) -> Option<Option<usize>> {
        let text = text.trim_end_matches('\n');
        if text.len() < CUT_BYTES_MIN {
            return None;
        }
        let begins = |(line, _): &(&&str, &mut Vec<usize>)| line.starts_with(text);
        let mut lines = self.expected.iter_mut().filter(begins);
        let (_, first) = lines.next()?;
        let first = lines.fold(first, |first, (_, other)| {
            match (first.last(), other.last()) {
                (Some(number), Some(others)) if number <= others => first,
                (_, None) => first,
                _ => other,
            }
        });
        Some(first.pop())
    }

    pub(crate) fn verdict(mut self) -> Verdict {
        self.verdict.lost = self.verdict.written - self.verdict.arrived;
        self.verdict
    }

    fn numbers(&mut self, text: &str) -> Option<&mut Vec<usize>> {
        let text = text.trim_end_matches('\n');
        if self.expected.contains_key(text) {
            return self.expected.get_mut(text);
        }
        self.expected.get_mut(message(text)?.as_str())
    }
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
    use kinglet_sandbox::{Request, decode};

    fn records(lines: &[(&str, &str)]) -> Vec<Record> {
        let body: String = lines
            .iter()
            .map(|(line, id)| format!("{}\n", serde_json::json!({"body": line, "request_id": id})))
            .collect();
        let request = Request {
            method: "POST".into(),
            path: "/lines".into(),
            headers: Vec::new(),
            body: body.into_bytes(),
        };
        decode(&request, 0).unwrap()
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

    #[test]
    fn a_line_that_was_cut_has_arrived() {
        let line = |line: String| Written {
            line,
            request_id: None,
        };
        let long = "x".repeat(3 * CUT_BYTES_MIN);
        let written = [
            line(format!("{long}1")),
            line(long.clone()),
            line(format!("{long}2")),
        ];
        let verdict = |lines: &[&str]| {
            let lines: Vec<_> = lines.iter().map(|line| (*line, "r")).collect();
            let verdict = compare(&written, &records(&lines));
            let Verdict {
                arrived,
                cut,
                lost,
                repeated,
                out_of_order,
                ..
            } = verdict;
            [arrived, cut, lost, repeated, out_of_order]
        };
        let beginning = &long[..2 * CUT_BYTES_MIN];
        assert_eq!(verdict(&[beginning, &long, beginning]), [3, 2, 0, 0, 0]);
        assert_eq!(verdict(&[beginning; 4]), [3, 3, 0, 1, 0]);
        assert_eq!(verdict(&[&long[..CUT_BYTES_MIN - 1]]), [0, 0, 3, 0, 0]);
    }
}
