//! What the collector's answers mean: what is sent again, how, when, and what is given up.

use std::thread;
use std::time::Duration;

use kinglet_sandbox::{Fault, Work};

use crate::arrived::{function_lines, lines, of_type, told_losses};
use crate::collector_faults::{five_invocations, invoke_five_times};
use crate::counters::Counters;
use crate::extension::{
    HELD_MAX, beside, delivering_at_end, faulty_collector, flushing_at_end, invoke, spin_down,
    start_heard, the_line,
};

/// Failures that pass: the batch comes again, and everything arrives once, in order.
#[test]
fn what_failed_once_is_sent_again() {
    let passing = [
        Fault::Status(503),
        Fault::Status(429),
        Fault::Reset,
        Fault::Garbage,
        Fault::Cut(100),
        Fault::Status(413),
        Fault::Status(400),
    ];
    for fault in passing {
        let collector = faulty_collector(fault.clone().first(1));
        // Not all of it is left for SHUTDOWN, where only one POST may fail.
        let lambda = start_heard(delivering_at_end(&collector));
        invoke_five_times(&lambda);
        let exit = spin_down(&lambda);
        let expected: Vec<String> = (0..5)
            .flat_map(|number| lines(&format!("invocation {number}"), 10))
            .collect();
        assert_eq!(function_lines(&collector), expected, "{fault}");
        let counters = Counters::of(&exit);
        assert_eq!(counters.losses(), [], "{fault}");
        assert_eq!(counters.get("posts_failed"), 1, "{fault}");
        assert!(of_type(&collector, "kinglet.loss").is_empty(), "{fault}");
    }
}

/// A repeated batch is the same bytes under the same `Idempotency-Key`, though more has come since: a collector that had
/// taken it can know it again.
#[test]
fn a_repeated_batch_is_the_same_batch() {
    let collector = faulty_collector(Fault::Status(503).first(1));
    let lambda = start_heard(delivering_at_end(&collector).freezes(false));
    for number in 0..3 {
        invoke(&lambda, lines(&format!("invocation {number}"), 10));
    }
    // All of it is there before the batch is repeated.
    assert!(lambda.drain(Duration::from_secs(5)));
    spin_down(&lambda);
    let requests = collector.requests();
    let [first, second, rest @ ..] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    assert_eq!((first.answered, second.answered), (Some(503), Some(200)));
    let key = first.request.header("idempotency-key").unwrap();
    assert_eq!(second.request.header("idempotency-key"), Some(key));
    assert!(second.request.body == first.request.body);
    assert!(!rest.is_empty(), "what came since is another batch");
    assert!(
        rest.iter()
            .all(|other| other.request.header("idempotency-key") != Some(key))
    );
}

/// `Retry-After` is obeyed: not a request before, though there are invocations.
#[test]
fn retry_after_is_obeyed() {
    no_request_for_two_seconds(Fault::RetryAfter(2));
}

/// So it is as a date, which says whole seconds: not a request before it.
#[test]
fn retry_after_as_a_date_is_obeyed() {
    no_request_for_two_seconds(Fault::RetryAt(3));
}

fn no_request_for_two_seconds(fault: Fault) {
    let collector = faulty_collector(fault.first(1));
    let builder = delivering_at_end(&collector).env("KINGLET_FLUSH_INTERVAL_MS", "100");
    let lambda = start_heard(builder.freezes(false));
    for number in 0..16 {
        let work = Work::lines([format!("line {number}")]).takes_ms(60);
        assert_eq!(lambda.invoke(work).unwrap().answer, "OK");
        thread::sleep(Duration::from_millis(150));
    }
    let requests = collector.requests();
    assert!(requests.len() >= 2, "{}", requests.len());
    let pause = requests[1].at - requests[0].at;
    assert!(pause >= Duration::from_millis(1990), "{pause:?}");
    spin_down(&lambda);
    assert_eq!(function_lines(&collector).len(), 16);
}

/// `partialSuccess`, which comes in the form of the request: what the collector has rejected is counted, and told to it with the
/// next batch.
#[test]
fn partial_success_is_read() {
    for format in ["otlp", "otlp-json"] {
        let collector = faulty_collector(Fault::Partial(3).first(1));
        let lambda = flushing_at_end(&collector)
            .env("KINGLET_FORMAT", format)
            .start()
            .unwrap();
        invoke(&lambda, lines("first", 10));
        invoke(&lambda, lines("second", 10));
        let exit = spin_down(&lambda);
        assert_eq!(Counters::of(&exit).get("rejected"), 3, "{format}");
        assert_eq!(told_losses(&collector), [0, 3, 0], "{format}");
        assert!(
            exit.stderr
                .iter()
                .any(|line| line.contains("partialSuccess")),
            "{format}: {:?}",
            exit.stderr
        );
    }
}

/// An answer with `Connection: close` is a good answer; the next batch goes over another connection.
#[test]
fn a_collector_may_close_after_each_answer() {
    let (collector, lambda, _) = five_invocations(&Fault::Close);
    let exit = spin_down(&lambda);
    assert_eq!(function_lines(&collector).len(), 50);
    let counters = Counters::of(&exit);
    assert_eq!(
        (counters.get("posts_failed"), counters.losses()),
        (0, vec![])
    );
    assert_eq!(collector.connections(), collector.requests().len() as u64);
}

/// 413: batches are halved until they fit; a record that is too large alone is rejected, and only that.
#[test]
fn a_batch_that_is_too_large_is_halved() {
    let collector = faulty_collector(Fault::Status(413).first(3));
    let lambda = beside(&collector).start().unwrap();
    invoke(&lambda, lines("a", 64));
    let exit = spin_down(&lambda);
    assert_eq!(function_lines(&collector), lines("a", 64));
    assert_eq!(Counters::of(&exit).get("rejected"), 0);
    let sizes: Vec<_> = collector
        .requests()
        .iter()
        .take(4)
        .map(|each| each.request.body.len())
        .collect();
    assert!(sizes.windows(2).all(|pair| pair[1] < pair[0]), "{sizes:?}");
}

/// 413 to what is longer than the collector takes: the size that goes through is remembered, not found out again and again.
#[test]
fn the_size_that_goes_through_is_remembered() {
    const BYTES_MAX: usize = 20_000;
    let collector = faulty_collector(Fault::TooLarge(BYTES_MAX));
    let lambda = flushing_at_end(&collector).freezes(false).start().unwrap();
    let mut expected = Vec::new();
    for number in 0..10 {
        let some = lines(&format!("invocation {number}"), 300);
        invoke(&lambda, some.clone());
        expected.extend(some);
    }
    let counters = Counters::of(&spin_down(&lambda));
    assert_eq!(
        (counters.losses(), function_lines(&collector)),
        (vec![], expected)
    );
    // 256 KiB are halved four times at most.
    let posts = counters.get("posts");
    assert!(
        posts > 30 && counters.get("posts_failed") <= 4,
        "{counters:?}"
    );
    assert!(posts < 100, "no smaller than need be: {counters:?}");
}

/// One record that a strict collector does not take makes it refuse the whole request: the record is found, and its neighbours
/// arrive.
#[test]
fn only_the_record_at_fault_is_rejected() {
    for wrong in [vec![0], vec![499], vec![137, 138, 350]] {
        let collector = faulty_collector(Fault::Strict("\u{540d}\u{524d}".into()));
        let lambda = beside(&collector).freezes(false).start().unwrap();
        let mut sent = lines("line", 500);
        let mut expected = sent.clone();
        for place in wrong.iter().rev() {
            sent[*place] = r#"{"message":"wrong","名前":1}"#.into();
            expected.remove(*place);
        }
        invoke(&lambda, sent);
        let counters = Counters::of(&spin_down(&lambda));
        assert_eq!(function_lines(&collector), expected, "{wrong:?}");
        assert_eq!(counters.losses(), [("rejected", wrong.len() as u64)]);
        // Down to it and up again, each time by half.
        let posts_max = 4 + 20 * wrong.len() as u64;
        assert!(
            counters.get("posts") <= posts_max,
            "{wrong:?}: {counters:?}"
        );
    }
}

/// A collector that refuses whatever comes is not asked about each record.
#[test]
fn a_collector_that_refuses_everything_is_asked_a_bounded_number_of_times() {
    for status in [400, 413] {
        let collector = faulty_collector(Fault::Status(status));
        let lambda = flushing_at_end(&collector).freezes(false).start().unwrap();
        for number in 0..5 {
            invoke(&lambda, lines(&format!("invocation {number}"), 400));
        }
        let counters = Counters::of(&spin_down(&lambda));
        assert_eq!(
            counters.get("rejected"),
            counters.get("received"),
            "{status}"
        );
        assert!(counters.get("posts") <= 100, "{status}: {counters:?}");
    }
}

/// 401, 403, 404 and redirects are no passing trouble: the batch is rejected, and one line names the variable to look at.
#[test]
fn a_refusal_names_the_variable() {
    for status in [401, 403, 404, 302] {
        let (_collector, lambda, held) = five_invocations(&Fault::Status(status));
        let exit = spin_down(&lambda);
        let told = the_line(&exit, "KINGLET_ENDPOINT");
        assert!(told.contains(&status.to_string()), "{told}");
        let counters = Counters::of(&exit);
        assert_eq!(
            counters.get("rejected"),
            counters.get("received"),
            "{status}"
        );
        assert!(held.iter().all(|held| *held < HELD_MAX), "{held:?}");
    }
}
