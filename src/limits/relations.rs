//! How the bounds stand to each other: what does not hold is not compiled.

use super::*;

const _: () = {
    assert!(DATAGRAM_BYTES_MAX <= DATAGRAM_ROOM_BYTES);
    assert!(RING_BYTES_MIN <= RING_BYTES && RING_BYTES <= RING_BYTES_MAX);
    assert!(
        RING_BYTES_MAX < u32::MAX as usize / 2,
        "frame lengths are 32 bits"
    );
    assert!(record_bytes_max(RING_BYTES_MIN) * 4 <= RING_BYTES_MIN);
    assert!(
        record_bytes_max(RING_BYTES_MIN) > 8 * 1024,
        "a record holds its fixed parts and a useful body"
    );
    assert!(record_bytes_max(RING_BYTES_MAX) + ENVELOPE_BYTES_MAX <= BATCH_BYTES_MAX);
    assert!(
        CUT_RESERVE_BYTES * 4 <= record_bytes_max(RING_BYTES_MIN),
        "most of a cut event is its value"
    );
    assert!(
        CUT_RESERVE_BYTES > EVENT_TYPE_BYTES_MAX * 2,
        "the reserve holds the time and the type"
    );
    assert!(ACCEPT_PAUSE_MS < PLACE_MS_MIN && PLACE_MS_MIN < REQUEST_MS_MAX);
    assert!(CHUNK_SIZE_DIGITS_MAX as u32 * 4 == u64::BITS);
    assert!((CHUNK_SIZE_DIGITS_MAX as u16) < CHUNK_LINE_BYTES_MAX);
    assert!(
        DNS_NAME_BYTES_MAX + 2 + 12 + 4 <= DNS_MESSAGE_BYTES_MAX,
        "a header, one name and its type and class"
    );
    assert!(
        DNS_LABEL_BYTES_MAX < 64,
        "two bits of a length mark a pointer"
    );
    assert!(
        RESOURCE_BYTES_MAX
            + ATTRIBUTES_MAX as usize * ATTRIBUTE_OVERHEAD_BYTES_MAX
            + 2 * RECORD_OVERHEAD_BYTES_MAX
            + BATCH_END_BYTES_MAX
            <= ENVELOPE_BYTES_MAX,
        "the loss record goes with the record"
    );
    assert!(FLUSH_BUDGET_MS <= FLUSH_BUDGET_MS_MAX && FLUSH_INTERVAL_MS <= FLUSH_INTERVAL_MS_MAX);
    assert!(INVOKE_MARGIN_MS < DEADLINE_FLUSH_MS);
    assert!(REPORT_MS_MAX < SHUTDOWN_OPEN_MS_MAX && SHUTDOWN_OPEN_MS_MAX < SHUTDOWN_UNKNOWN_MS);
    assert!(
        FIRST_EVENT_MS_MAX <= START_EVENT_MS_MAX,
        "the first event is awaited within the wait for start"
    );
    assert!(RECEIVE_PAUSE_MS_MAX < REQUEST_WAIT_MS_MAX && REQUEST_WAIT_MS_MAX < REQUEST_MS_MAX);
    assert!(BUFFERING_MS as u64 * 2 < SILENCE_MS_MIN && SILENCE_MS_MIN <= SILENCE_MS_MAX);
    assert!(CONNECT_MS_MAX < POST_MS && POST_MS <= POST_MS_MAX);
    assert!(
        COLLECTOR_INPUT_BYTES + ANSWER_BYTES_MAX < EXCHANGE_BYTES_MAX,
        "the longest head and the longest body"
    );
    assert!(RESOLVE_RETRY_MS * 2 <= RESOLVE_MS_MAX);
    assert!(NEXT_RETRY_MS_MIN <= NEXT_RETRY_MS_MAX && NEXT_RETRY_MS_MAX < NEXT_UNREACHABLE_MS_MAX);
    assert!(BREAKER_MS_MIN <= BREAKER_MS_MAX);
    assert!(
        MESSAGE_BYTES_MAX * 2 <= 4096,
        "a pipe that has room takes a line and the count of those before it"
    );
    assert!(LINE_PREFIX_BYTES >= REQUEST_ID_BYTES_MAX + 40);
};
