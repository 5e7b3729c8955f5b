//! Runtime APIs that are not quite Lambda's.

use std::time::Duration;

use kinglet_sandbox::Deviations;

use crate::arrived::function_lines;
use crate::counters::Counters;
use crate::extension::{Bound, HELD_MAX, alone, beside, healthy_collector, invoke, spin_down};

/// Records and ends as on Lambda.
fn assert_works_with(deviations: Deviations) -> Duration {
    let shown = format!("{deviations:?}");
    let collector = healthy_collector();
    let lambda = beside(&collector).deviations(deviations).start().unwrap();
    for number in 0..3 {
        assert!(
            invoke(&lambda, [format!("line {number}")]) < HELD_MAX,
            "{shown}"
        );
    }
    let exit = spin_down(&lambda);
    assert_eq!(
        function_lines(&collector),
        ["line 0", "line 1", "line 2"],
        "{shown}"
    );
    assert_eq!(Counters::of(&exit).get("invocations"), 3, "{shown}");
    lambda.init_took()
}

/// `AWS_LAMBDA_RUNTIME_API` with a scheme and a path before every path of its own.
#[test]
fn the_address_may_have_a_scheme_and_a_path() {
    assert_works_with(Deviations {
        api_path: Some("/.rt".into()),
        ..Deviations::default()
    });
}

/// Answers in chunks.
#[test]
fn answers_may_be_chunked() {
    assert_works_with(Deviations {
        chunked_answers: true,
        ..Deviations::default()
    });
}

/// Two errors in a row, or lost connections, are not the end: next is asked again.
#[test]
fn next_is_asked_again_after_an_error() {
    assert_works_with(Deviations {
        next_fails: 2,
        ..Deviations::default()
    });
    assert_works_with(Deviations {
        next_drops: 1,
        ..Deviations::default()
    });
    assert_works_with(Deviations {
        next_fails: 1,
        next_drops: 3,
        ..Deviations::default()
    });
}

/// A register that is refused for a while is repeated.
#[test]
fn register_is_repeated() {
    let took = assert_works_with(Deviations {
        register_fails_for: Duration::from_millis(300),
        ..Deviations::default()
    });
    assert!(
        took >= Duration::from_millis(300) && took < Bound::ms(700),
        "{took:?}"
    );
}

/// The third 500 in a row means that the sandbox is gone: status 1, and words.
#[test]
fn three_errors_in_a_row_are_the_end() {
    let collector = healthy_collector();
    let deviations = Deviations {
        next_fails: 3,
        ..Deviations::default()
    };
    let lambda = beside(&collector)
        .deviations(deviations)
        .keep_failed_init()
        .start()
        .unwrap();
    let exits = lambda.last_exits();
    let [exit] = exits.as_slice() else {
        panic!("{exits:?}")
    };
    assert_eq!(exit.status.code(), Some(1), "{exit:?}");
    assert_eq!(Counters::of(exit).reason, "gone");
}

/// Where extensions are switched off there is nothing to register with: a second of tries, words, status 1.
#[test]
fn a_register_that_is_refused_for_good_is_the_end() {
    let deviations = Deviations {
        extensions_off: true,
        ..Deviations::default()
    };
    let builder = alone().deviations(deviations).keep_failed_init();
    let lambda = builder.start().unwrap();
    let exits = lambda.last_exits();
    let [exit] = exits.as_slice() else {
        panic!("{exits:?}")
    };
    assert_eq!(exit.status.code(), Some(1), "{exit:?}");
    assert!(
        exit.stderr.len() == 1 && exit.stderr[0].contains("refused to register"),
        "{:?}",
        exit.stderr
    );
}
