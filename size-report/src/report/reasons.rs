//! Why kinglet makes each system call before it asks for the first event. The first pattern that fits gives the reason.

use regex::Regex;

const REASONS: &[(&str, &str)] = &[
    (r"^execve\(", "Lambda starts the extension."),
    (
        r"^arch_prctl\(ARCH_SET_FS",
        "musl gives the one thread its thread-local storage.",
    ),
    (
        r"^sigaltstack\(",
        "A fatal signal of our own is survived, on a stack that is surely there; while Lambda reads the request of register.",
    ),
    (
        r"^rt_sigaction\(SIG(ILL|TRAP|ABRT|BUS|FPE|SEGV), ",
        "The same, for each signal that a bug of ours can raise: from register on none of them may end the process.",
    ),
    (
        r"^set_tid_address\(",
        "musl learns the number of the thread; its locks want it.",
    ),
    (
        r"^clock_gettime\(CLOCK_MONOTONIC",
        "When kinglet began, for the bound on register and the metric kinglet.init.duration; then when subscribe was \
         sent, for its bound. As a system call it is cheaper than the first look at the \
         kernel's shared page, which costs two page faults.",
    ),
    (
        r"^socket\(AF_INET, SOCK_STREAM.* = 3$",
        "The connection to the Runtime API, which stays open for the life of the sandbox.",
    ),
    (
        r"^connect\(3, ",
        "Without waiting: the request is written as soon as the kernel takes it.",
    ),
    (
        r#"^(sendto|write)\(3, "POST /2020-01-01/extension/register"#,
        "register, the whole request in one write. Lambda starts the runtime only once every extension has registered.",
    ),
    (
        r"^p?poll\(\[\{fd=3, events=POLLIN\}\], 1, (-1|NULL)",
        "Waits for the answer to register, as long as it takes: nothing can be done without it.",
    ),
    (
        r#"^(recvfrom|read)\(3, "HTTP/1.1 200 OK\\r\\nLambda-Extension-Identifier"#,
        "The answer to register: the identifier for all later requests, and the account.",
    ),
    (
        r"^socket\(AF_INET, SOCK_STREAM.* = 4$",
        "The listener that Lambda posts telemetry to.",
    ),
    (
        r"^setsockopt\(4, SOL_SOCKET, SO_REUSEADDR",
        "After a reset of the sandbox the port can be taken again at once.",
    ),
    (
        r"^bind\(4, ",
        "The port of the listener, `KINGLET_PORT`; here any free one, as other programs may run beside the report.",
    ),
    (
        r"^listen\(4, ",
        "From now on telemetry can be sent; it must be so before subscribe names the port.",
    ),
    (
        r"^getsockname\(4, ",
        "Which port it became, where any free one was asked for or the wanted one was taken.",
    ),
    (
        r#"^(sendto|write)\(3, "PUT /2022-07-01/telemetry"#,
        "Subscribes to telemetry. It must be before the first next, for Lambda refuses it after init.",
    ),
    (
        r"^p?poll\(\[\{fd=3, events=POLLIN\}\], 1, [^-N]",
        "Waits for the answer to subscribe, at most one second.",
    ),
    (
        r#"^(recvfrom|read)\(3, "HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\n\\"OK\\"""#,
        "The answer to subscribe.",
    ),
    (
        r#"^(sendto|write)\(3, "GET /2020-01-01/extension/event/next"#,
        "Asks for the first event: kinglet is ready, and Lambda may start the function.",
    ),
];

pub(crate) fn of(line: &str) -> Option<&'static str> {
    REASONS
        .iter()
        .find(|(pattern, _)| Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(line)))
        .map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        for (pattern, _) in REASONS {
            assert!(Regex::new(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn the_two_waits_are_told_apart() {
        let wait = |timeout: &str| {
            of(&format!(
                "poll([{{fd=3, events=POLLIN}}], 1, {timeout}) = 1"
            ))
            .unwrap()
        };
        assert!(wait("-1").contains("register"));
        assert!(wait("1000").contains("subscribe"));
    }
}
