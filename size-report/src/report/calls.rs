//! The section of REPORT.md on system calls: rendered from calls that were seen, or kept from an earlier report.

use super::startup::Call;

/// Between these the section is kept where strace is missing.
const STARTUP_BEGIN: &str = "<!-- start-up: begin -->";
const STARTUP_END: &str = "<!-- start-up: end -->";

/// The section on start-up, of calls that were seen.
pub(crate) fn render(calls: &[Call]) -> String {
    let mut text = format!(
        "{STARTUP_BEGIN}\nWhat `strace` sees from execve until the first event is asked for, on x86_64: {} calls. Each one is cold start.\n\n| | call | why |\n|--:|---|---|\n",
        calls.len()
    );
    for (index, call) in calls.iter().enumerate() {
        let line = call.line.replace('|', "\\|").replace('`', "'");
        let reason = call.reason.unwrap_or("**nobody has explained it**");
        text += &format!("| {} | `{line}` | {reason} |\n", index + 1);
    }
    text + STARTUP_END + "\n"
}

/// The section on start-up as an earlier report has it.
pub(crate) fn kept(report: &str) -> Option<String> {
    let from = report.find(STARTUP_BEGIN)?;
    let length = report[from..].find(STARTUP_END)? + STARTUP_END.len();
    Some(format!("{}\n", &report[from..from + length]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_on_startup_can_be_kept() {
        let call = Call {
            line: "listen(4, 64) = 0".to_string(),
            reason: Some("It listens."),
        };
        let section = render(&[call]);
        assert!(section.contains("1 calls"));
        let report = format!("# Report\n\n{section}\nmore");
        assert_eq!(kept(&report), Some(section));
        assert_eq!(kept("# Report"), None);
    }
}
