//! What runtimes and loggers write has a level, and what people write has none.

use super::*;
use crate::format::severity::{DEBUG, ERROR, FATAL, INFO, TRACE, WARN};

const ID: &[u8] = b"6505dd93-6855-4c62-995b-b7313129bf81";

/// Tabs and quotes become what they are in raw string content; `ID` stands for the request id.
fn raw(line: &str) -> String {
    let line = line.replace("ID", str::from_utf8(ID).unwrap());
    line.replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('"', "\\\"")
}

#[track_caller]
fn assert_prefix(line: &str, severity: u8, request_id: Option<&[u8]>) {
    let line = raw(line);
    let expected = Prefix {
        severity,
        request_id,
    };
    // Known or not, the invocation makes no difference.
    for current in [ID, b""] {
        assert_eq!(prefix(line.as_bytes(), current), expected, "{line}");
    }
}

#[test]
fn managed_runtimes_tell_level_and_request_id() {
    for (line, severity) in [
        // Python.
        ("[INFO]\t2026-11-21T20:37:43.578Z\tID\tlogging", INFO),
        ("[WARNING]\t2026-11-21T20:37:43.578Z\tID\tall is fine", WARN),
        ("[CRITICAL]\t2026-11-21T20:37:43.578Z\tID\tx", FATAL),
        // Node.js.
        ("2026-11-21T20:37:43.578Z\tID\tINFO\tno error", INFO),
        ("2026-11-21T20:37:43.578Z\tID\tWARN\tmessage", WARN),
        ("2026-11-21T20:37:43.578Z\tID\tERROR\tInvoke Error", ERROR),
        ("2026-11-21T20:37:43.578Z\tID\tTRACE\tmessage", TRACE),
        // .NET.
        ("2026-11-21T20:37:43.578Z\tID\ttrce\tdotnet", TRACE),
        ("2026-11-21T20:37:43.578Z\tID\tdbug\tdotnet", DEBUG),
        ("2026-11-21T20:37:43.578Z\tID\tinfo\tdotnet", INFO),
        ("2026-11-21T20:37:43.578Z\tID\tfail\tdotnet", ERROR),
        ("2026-11-21T20:37:43.578Z\tID\tcrit\tdotnet", FATAL),
        // Java, with the pattern of AWS's appender.
        ("2026-11-21 20:37:43 ID INFO  Orders:17 - all failed", INFO),
        ("2026-11-21 20:37:43 ID ERROR Orders - failed", ERROR),
        ("2026-11-21T20:37:43.578 ID WARN  Orders - x", WARN),
        // Ruby.
        (
            "I, [2026-11-21T20:37:43.578 #8]  INFO RequestId: ID -- : hi",
            INFO,
        ),
        (
            "F, [2026-11-21T20:37:43.578123 #8] FATAL RequestId: ID -- : hi",
            FATAL,
        ),
        // Lambda's own words, and lines without a level.
        (
            "2026-11-21T20:37:43.578Z ID Task timed out after 3.00 seconds",
            0,
        ),
        ("2026-11-21T20:37:43.578Z\tID\tall orders\tx", 0),
        ("2026-11-21T20:37:43.578Z\tID\tfine\tx", 0),
        ("2026-11-21T20:37:43.578Z\tID\tError\tx", 0),
    ] {
        assert_prefix(line, severity, Some(ID));
    }
}

#[test]
fn loggers_tell_their_level() {
    for (line, severity) in [
        // Python: an exception, basicConfig, usual formats, gunicorn, loguru.
        ("[ERROR] ValueError: boom\rTraceback", ERROR),
        ("INFO:root:message", INFO),
        ("DEBUG:urllib3.connectionpool:no error", DEBUG),
        ("WARNING:app:all is fine", WARN),
        ("CRITICAL:app:x", FATAL),
        ("2026-11-21 20:37:43,578 - root - ERROR - message", ERROR),
        ("2026-11-21 20:37:43,578 - INFO - message", INFO),
        ("2026-11-21 20:37:43,578 [WARNING] app: message", WARN),
        ("2026-11-21 20:37:43,578 DEBUG app message", DEBUG),
        (
            "[2026-11-21 20:37:43 +0000] [8] [INFO] Booting worker",
            INFO,
        ),
        (
            "2026-11-21 20:37:43.578 | WARNING  | app:main:12 - message",
            WARN,
        ),
        // Node.js: an uncaught error, winston, pino-pretty, bunyan, loglevel.
        (
            "2026-11-21T20:37:43.578Z\tundefined\tERROR\tUncaught",
            ERROR,
        ),
        ("2026-11-21T20:37:43.578Z [orders] info: message", INFO),
        ("2026-11-21T20:37:43.578Z error: message", ERROR),
        ("2026-11-21T20:37:43.578Z [warn]: message", WARN),
        ("[20:37:43.578] ERROR (8): message", ERROR),
        (
            "[2026-11-21T20:37:43.578Z]  WARN: orders/8 on host: x",
            WARN,
        ),
        ("[debug] message", DEBUG),
        // .NET: the console, Serilog, NLog, log4net.
        ("info: Microsoft.Hosting.Lifetime[0]\n      x", INFO),
        ("fail: Orders.Store[17] x", ERROR),
        ("dbug: Program[0]", DEBUG),
        ("[12:34:56 INF] Hello", INFO),
        ("[12:34:56 FTL] Hello", FATAL),
        ("2026-11-21 20:37:43.578 +00:00 [WRN] Hello", WARN),
        ("2026-11-21 20:37:43.5781|ERROR|Orders|message", ERROR),
        ("2026-11-21 20:37:43,578 [1] FATAL Orders - x", FATAL),
        // Java: logback, log4j2, Spring Boot, java.util.logging.
        ("20:37:43.578 [main] INFO  com.example.App - message", INFO),
        ("20:37:43.578 [main] DEBUG c.e.App -- message", DEBUG),
        ("20:37:43.578 [pool-1 thread-2] ERROR c.e.App - x", ERROR),
        (
            "2026-11-21T20:37:43.578Z  WARN 8 --- [           main] c.e.App : x",
            WARN,
        ),
        ("2026-11-21 20:37:43  ERROR Orders:17 - no id", ERROR),
        ("2026-11-21 20:37:43 [main] [INFO ] c.e.App - x", INFO),
        ("[ INFO] 20:37:43 x", INFO),
        ("SEVERE: message", ERROR),
        ("INFO: message", INFO),
        ("WARNING: message", WARN),
        // Go: slog as text and by default, logrus, zerolog, zap.
        (
            "time=2026-11-21T20:37:43.578Z level=INFO msg=\"no error\"",
            INFO,
        ),
        (
            "time=\"2026-11-21T20:37:43Z\" level=warning msg=\"all fine\" n=1",
            WARN,
        ),
        ("level=debug ts=2026-11-21T20:37:43Z msg=x", DEBUG),
        ("ts=1795293463 caller=a.go:1 level=error err=x", ERROR),
        ("level=panic msg=x", FATAL),
        ("2026/11/21 20:37:43 ERROR message key=value", ERROR),
        ("3:04PM INF message key=value", INFO),
        ("10:04AM WRN message", WARN),
        ("2026-11-21T20:37:43.578Z\tWARN\torders/main.go:12\tx", WARN),
        ("2026-11-21T20:37:43.578Z\tinfo\torders/main.go:12\tx", INFO),
        // Rust, Ruby, Elixir, C++, databases.
        ("2026-11-21T20:37:43.578123Z  INFO orders::store: x", INFO),
        ("[2026-11-21T20:37:43Z WARN  orders] message", WARN),
        (
            "D, [2026-11-21T20:37:43.578123 #8] DEBUG -- orders: hi",
            DEBUG,
        ),
        ("20:37:43.578 [error] message", ERROR),
        ("[2026-11-21 20:37:43.578] [orders] [info] message", INFO),
        ("2026-11-21 20:37:43.578 UTC [8] ERROR:  relation", ERROR),
        ("2026/11/21 20:37:43 [warn] 8#8: *1 message", WARN),
    ] {
        assert_prefix(line, severity, None);
    }
}

/// In doubt there is none: a level that is guessed may be the reason why a line is not shipped.
#[test]
fn prose_has_no_level() {
    for line in [
        "2026-11-24 10:00:00 All orders have failed",
        "2026-11-24 10:00:00 ALL orders have failed",
        "2026-11-24 10:00:00 everything is fine",
        "2026-11-24 10:00:00 FINE weather",
        "2026-11-24 10:00:00 fine",
        "2026-11-24 10:00:00 no error occurred",
        "2026-11-24 10:00:00 error rate is 0",
        "2026-11-24 10:00:00 panic button pressed",
        "2026-11-24 10:00:00 PANIC button pressed",
        "2026-11-24 10:00:00 fail safe engaged",
        "2026-11-24 10:00:00 FAIL safe engaged",
        "2026-11-24 10:00:00 Info desk opened",
        "2026-11-24 10:00:00 debug build started",
        "2026-11-24 10:00:00 trace element found",
        "2026-11-24 10:00:00 notice: closed on Sunday",
        "2026-11-24 10:00:00 verbose: off",
        "2026-11-24 10:00:00 orders: no ERROR",
        "2026-11-24 10:00:00 the ERROR is gone",
        "2026-11-24 10:00:00 - error in orders",
        "2026-11-24 10:00:00 [orders] error rate",
        "2026-11-24 10:00:00 [ERROR rate] is low",
        "2026-11-24 10:00:00 [no error] done",
        "2026-11-24 10:00:00 [fine] done",
        "2026-11-24T10:00:00Z All orders have failed",
        "2026-11-24T10:00:00Z\tall\tgood",
        "2026-11-24T10:00:00Z\tfail\tx",
        "2026-11-24 ERROR budget of the day",
        "10:30 ERROR budget",
        "24 ERROR budgets",
        "1:2 INFO x",
        "127.0.0.1 - - [24/Nov/2026:10:00:00 +0000] \"GET /error\"",
        "404 ERROR pages",
        "[orders] INFO is only a word here",
        "[ALL] orders have failed",
        "[fine] all is well",
        "[panic] button",
        "[FAIL] test 17",
        "[Error] in mixed case",
        "[INFO desk] opened",
        "[2026-11-24] ERROR budget",
        "[INFO",
        "[",
        "INFO starts a sentence",
        "ERROR",
        "ERROR:",
        "ERROR:7",
        "INFORMATION: x",
        "FINE: thank you",
        "ALL: aboard",
        "PANIC: at the disco",
        "FAIL: test",
        "Error: boom",
        "Info: the shop opens at 10",
        "error: 0",
        "debug: false",
        "info: see below",
        "fail: 3 of 7",
        "all: 7",
        "level=debug is now set",
        "level=info",
        "time=5 level=fast x=1",
        "time=5 msg=\"set level=debug x=1\"",
        "time=5 a level=error x=1",
        "local=5",
        "time flies, level=error x=1",
        "the level=error was set x=1",
        "an ERROR in the message",
        "no error occurred",
        "panic button pressed",
        "all orders have failed",
        "I, robot [ERROR]",
        "I, [robot] ERROR",
        "A, [2026-11-21T20:37:43.578 #8]   ANY -- : hi",
        "",
    ] {
        assert_prefix(line, 0, None);
    }
}

/// An id in a message is that of an order, perhaps.
#[test]
fn a_request_id_has_its_place() {
    for (line, severity) in [
        ("[INFO] order ID is shipped", INFO),
        ("[INFO] ID is shipped", INFO),
        ("2026-11-21 20:37:43 INFO order ID is shipped", INFO),
        ("2026-11-21 20:37:43 INFO ID is shipped", INFO),
        ("2026-11-21 20:37:43 [ID] order", 0),
        ("2026-11-21 20:37:43 order ID is shipped", 0),
        ("2026-11-21 ID is shipped", 0),
        ("ID is shipped", 0),
    ] {
        let id = (line.contains("43 [ID]")).then_some(ID);
        assert_prefix(line, severity, id);
    }
}

#[test]
fn only_the_beginning_is_read() {
    let line = format!("2026-11-21 20:37:43 {}ERROR", " ".repeat(LINE_PREFIX_BYTES));
    assert_prefix(&line, 0, None);
    assert_prefix("20:37:43 [a] [b] [c] [d] [e] [f] ERROR", 0, None);
    assert_prefix("20:37:43 [a] [b] [c] [d] [e] ERROR", ERROR, None);
}

#[test]
fn request_ids() {
    assert!(is_request_id(ID));
    for wrong in [
        "",
        "6505dd93-6855-4c62-995b-b7313129bf8",
        "6505dd93-6855-4c62-995b-b7313129bf8g",
    ] {
        assert!(!is_request_id(wrong.as_bytes()), "{wrong}");
    }
}
