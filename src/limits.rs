//! Every bound of the program: its unit, its reason, and the relations between them, asserted at compile time.
//!
//! Units stand last in a name. "Awake" time is `CLOCK_MONOTONIC`, which stops while the sandbox is frozen.

mod relations;

// ---- Runtime API --------------------------------------------------------------------------------------------------

/// Longest answer of the Runtime API that is read, head and body. An INVOKE event is under 1 KiB; the payload is not in it.
pub const RUNTIME_API_ANSWER_BYTES_MAX: usize = 8 * 1024;
/// Pause between two tries of `register`.
pub const REGISTER_RETRY_MS: u64 = 10;
/// How long `register` is tried. After that the sandbox is unusable whatever we do.
pub const REGISTER_TRY_MS_MAX: u64 = 1_000;
/// How long one answer to a subscribe is awaited (awake). A platform that takes longer is treated as one that delivers nothing.
pub const SUBSCRIBE_MS_MAX: u64 = 1_000;
/// First pause before `next` is asked again after a transport error; doubles.
pub const NEXT_RETRY_MS_MIN: u64 = 10;
/// Longest pause before `next` is asked again.
pub const NEXT_RETRY_MS_MAX: u64 = 1_000;
/// So many 403 or 5xx answers to `next` in a row mean that the sandbox is gone.
pub const NEXT_REFUSALS_MAX: u32 = 3;
/// So long without a connection to the Runtime API (awake) means that the sandbox is gone.
pub const NEXT_UNREACHABLE_MS_MAX: u64 = 5_000;

// ---- Telemetry listener -------------------------------------------------------------------------------------------

/// Default port of the telemetry listener. Fixed, because a subscription survives a reset of the sandbox.
pub const TELEMETRY_PORT: u16 = 4327;
/// Telemetry connections served at once. Lambda uses one or two.
pub const CONNECTIONS_MAX: usize = 8;
/// Waiting connections that the kernel holds for us.
pub const LISTEN_BACKLOG: i32 = 64;
/// Longest HTTP head of a telemetry request.
pub const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Bytes taken from a telemetry connection by one read. Larger reads save system calls, and cost resident memory.
pub const READ_BYTES: usize = 64 * 1024;
/// The same while the ring has little room, so that it is noticed in time: an eighth of a quarter of the smallest ring, because
/// [`READS_PER_TURN_MAX`] of them come between two looks at the room, and a record may be twice as long as its event.
pub const READ_BYTES_MIN: usize = 2 * 1024;
/// Reads of one connection in one turn of the reactor, so that none starves the others.
pub const READS_PER_TURN_MAX: u32 = 4;
/// A request that is not whole so long (awake) after it began is given up and its connection closed. Lambda's take milliseconds.
pub const REQUEST_MS_MAX: u64 = 5_000;
/// A connection keeps its place at least so long (awake) after it was accepted, and in a request, though all places are taken
/// and others wait.
pub const PLACE_MS_MIN: u64 = 1_000;
/// Pause of the listener after a connection could not be taken (awake), most likely for want of descriptors: until one is
/// free, the listener would stay ready.
pub const ACCEPT_PAUSE_MS: u64 = 100;
/// Descriptors waited for at once: telemetry connections, their listener, the Runtime API, the StatsD socket, and a guest.
pub const WAITED_MAX: usize = CONNECTIONS_MAX + 4;
/// Pause between two looks at each of them while the kernel refuses to wait for all.
pub const BLIND_WAIT_MS: i32 = 10;
/// How long (awake) telemetry is left unread at a stretch because the ring is full and a POST can still empty it.
pub const RECEIVE_PAUSE_MS_MAX: u64 = 1_000;
/// How long (awake) one telemetry request waits in all for that reason. What Lambda tolerates is not documented: RIE drops the
/// batch that fills up meanwhile, and listeners that answer within seconds are known to be served.
pub const REQUEST_WAIT_MS_MAX: u64 = 2_000;
/// Buffering asked of Lambda: events in a batch.
pub const BUFFERING_ITEMS: u32 = 10_000;
/// Buffering asked of Lambda: bytes in a batch.
pub const BUFFERING_BYTES: u32 = 262_144;
/// Buffering asked of Lambda: the longest an event waits there. 25 ms is the least that the Telemetry API takes.
pub const BUFFERING_MS: u32 = 25;
/// The least `timeoutMs` that the Logs API is sure to take.
pub const LOGS_API_BUFFERING_MS_MIN: u32 = 100;

/// Header lines of a head that are read, in both directions; with more it is malformed. Lambda and collectors send about ten.
pub const HEAD_FIELDS_MAX: usize = 64;
/// Longest size line of a chunk, extensions included. Nobody sends extensions.
pub const CHUNK_LINE_BYTES_MAX: u16 = 256;
/// Hexadecimal digits of a chunk's size: those of 64 bits.
pub const CHUNK_SIZE_DIGITS_MAX: u8 = 16;
/// Longest trailer section behind the last chunk. It is skipped.
pub const TRAILER_BYTES_MAX: u16 = 4 * 1024;
/// Bytes at the end of the longest event that a cut value leaves to the members after it: Lambda writes `record` last,
/// others may not.
pub const CUT_RESERVE_BYTES: usize = 1024;
/// Largest buffer for an event in several pieces that a connection keeps when the event is done: most are shorter, and memory
/// that one long one took is given back.
pub const ASSEMBLY_KEPT_BYTES_MAX: usize = 64 * 1024;

// ---- Ring and records ---------------------------------------------------------------------------------------------

/// Default capacity of the ring.
pub const RING_BYTES: usize = 1024 * 1024;
/// Smallest and largest capacity of the ring that can be asked for.
pub const RING_BYTES_MIN: usize = 64 * 1024;
/// See [`RING_BYTES_MIN`].
pub const RING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Longest body of a POST.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// What a batch holds besides the stored bytes of one record: the resource, the scope, and the names around a record's
/// attributes.
pub const ENVELOPE_BYTES_MAX: usize = 32 * 1024;
/// Most that a format writes for a record besides its stored bytes, attributes apart.
pub const RECORD_OVERHEAD_BYTES_MAX: usize = 1024;
/// Most that a format writes behind the last record: the scope, and the batch id.
pub const BATCH_END_BYTES_MAX: usize = 512;
/// Attributes kept of one record (OpenTelemetry's default limit); more are counted in `droppedAttributesCount`.
pub const ATTRIBUTES_MAX: u32 = 128;
/// Longest attribute key that is kept, in raw bytes.
pub const ATTRIBUTE_KEY_BYTES_MAX: usize = 256;
/// Most that a format writes around one attribute: names, quotes, braces.
pub const ATTRIBUTE_OVERHEAD_BYTES_MAX: usize = 64;
/// Longest request id that is kept. Lambda's are UUIDs of 36 bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 64;
/// Longest event type that is kept. Lambda's longest is 30 bytes.
pub const EVENT_TYPE_BYTES_MAX: usize = 64;
/// Part of a text line in which a managed runtime's level and request id are looked for.
pub const LINE_PREFIX_BYTES: usize = 128;
/// Words of that part that are looked at: Ruby's form has seven before the end of its prefix.
pub const LINE_PREFIX_WORDS_MAX: usize = 7;
/// Room in the ring with which it is worth while to try and encode a line there at once: a usual line with all that is around it.
pub const PLAIN_RECORD_BYTES_MIN: usize = 1024;
/// Resource attributes, encoded.
pub const RESOURCE_BYTES_MAX: usize = 16 * 1024;
/// A longer value of a resource attribute is not taken.
pub const RESOURCE_VALUE_BYTES_MAX: usize = 1024;

// ---- Flushing -----------------------------------------------------------------------------------------------------

/// Default age of the oldest record at which a flush is due.
pub const FLUSH_INTERVAL_MS: u64 = 5_000;
/// Largest age that can be asked for: an hour, longer than a sandbox idles.
pub const FLUSH_INTERVAL_MS_MAX: u64 = 3_600_000;
/// Default bound on holding `next` for a POST.
pub const FLUSH_BUDGET_MS: u64 = 250;
/// Largest bound on holding `next` that can be asked for.
pub const FLUSH_BUDGET_MS_MAX: u64 = 10_000;
/// A flush is due when unsettled bytes reach this part of the ring, in percent.
pub const HIGH_WATER_PERCENT: usize = 50;
/// A flush is due so long before the deadline of an invocation: a timeout may leave no CPU for later.
pub const DEADLINE_FLUSH_MS: u64 = 500;
/// `next` is asked so long before the deadline of an invocation at the latest.
pub const INVOKE_MARGIN_MS: u64 = 100;
/// A sandbox that was idle longer than this before an invocation is flushed at its end by `adaptive`.
pub const ADAPTIVE_IDLE_MS: u64 = 10_000;
/// How long the first invocation waits for a first telemetry event before it is taken that none will come.
pub const FIRST_EVENT_MS_MAX: u64 = 100;
/// How long an invocation waits for its `platform.start`.
pub const START_EVENT_MS_MAX: u64 = 500;
/// How long (awake) an invocation waits for its `runtimeDone` while no event of any kind comes, beyond the time that Lambda may
/// buffer one. A function that is silent for longer and comes back doubles it, up to [`SILENCE_MS_MAX`].
pub const SILENCE_MS_MIN: u64 = 500;
/// See [`SILENCE_MS_MIN`].
pub const SILENCE_MS_MAX: u64 = 8_000;
/// Invocations whose next was asked before their `runtimeDone` was seen, and that are remembered until it comes.
pub const HELD_UNSEEN_MAX: usize = 4;
/// Everything ends so long before the deadline of SHUTDOWN.
pub const SHUTDOWN_MARGIN_MS: u64 = 200;
/// How long SHUTDOWN waits for the report of the last invocation.
pub const REPORT_MS_MAX: u64 = 40;
/// All that SHUTDOWN takes while the breaker is not closed.
pub const SHUTDOWN_OPEN_MS_MAX: u64 = 500;
/// What SHUTDOWN takes at most when its deadline is not known.
pub const SHUTDOWN_UNKNOWN_MS: u64 = 1_500;

// ---- Collector ----------------------------------------------------------------------------------------------------

/// Default bound on one POST (awake).
pub const POST_MS: u64 = 10_000;
/// Largest bound on one POST that can be asked for.
pub const POST_MS_MAX: u64 = 60_000;
/// Bound on connecting to the collector (awake).
pub const CONNECT_MS_MAX: u64 = 1_000;
/// Bound on finding the collector's address (awake).
pub const RESOLVE_MS_MAX: u64 = 2_000;
/// A DNS question is repeated after this time (awake), to the next server.
pub const RESOLVE_RETRY_MS: u64 = 500;
/// An address found by name is kept at least and at most so long (wall clock), whatever its time to live says.
pub const RESOLVED_MS_MIN: u64 = 5_000;
/// See [`RESOLVED_MS_MIN`].
pub const RESOLVED_MS_MAX: u64 = 300_000;
/// Addresses that are kept, each with its name: several for each of the few collectors that can be configured.
pub const RESOLVED_ADDRESSES_MAX: usize = 8;
/// A connection unused for so long on the wall clock is not trusted any more: the sandbox may have been frozen.
pub const CONNECTION_IDLE_MS_MAX: u64 = 5_000;
/// More wall time than awake time in a POST, by so much: a freeze has cut it.
pub const FREEZE_MS_MIN: u64 = 1_000;
/// A file such as `/etc/resolv.conf` is read up to here.
pub const FILE_BYTES_MAX: usize = 16 * 1024;
/// First pause of the breaker after a failure; doubles.
pub const BREAKER_MS_MIN: u64 = 1_000;
/// Longest pause of the breaker.
pub const BREAKER_MS_MAX: u64 = 60_000;
/// Refusals (400, 413) in a row after which a batch is rejected as it is. A batch of some thousand records is halved 12 times
/// until the one at fault is alone; a few of them may stand side by side.
pub const NARROWINGS_MAX: u32 = 32;
/// A 413 has halved the batches: after so many that were accepted twice the size is tried: 1 % of the
/// POSTs, no more, are spent on that.
pub const WIDENING_POSTS: u32 = 100;
/// Bytes of the body of the collector's answer that are read for `partialSuccess`. With a longer one the connection is closed.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// How long (awake) the body is awaited when the status has come; then the connection is closed, and the status counts. A
/// body comes with its head or right behind it, and SHUTDOWN, with an answer for logs and one for metrics, has 100 ms.
pub const ANSWER_MS_MAX: u64 = 25;
/// Bytes that a collector may send for one POST, before and behind the status: interim answers, head, body, framing, trailers.
pub const EXCHANGE_BYTES_MAX: usize = 32 * 1024;
/// Input buffer of a collector connection. ureq wants 10 KiB of scratch there.
pub const COLLECTOR_INPUT_BYTES: usize = 10 * 1024;
/// Output buffer of a collector connection: smaller ones cost more system calls for each batch.
pub const COLLECTOR_OUTPUT_BYTES: usize = 64 * 1024;
/// Headers from `OTEL_EXPORTER_OTLP_HEADERS`.
pub const HEADERS_MAX: usize = 32;

// ---- Host names ---------------------------------------------------------------------------------------------------

/// Longest query and, as no EDNS is sent, longest answer over UDP (RFC 1035, section 2.3.4).
pub const DNS_MESSAGE_BYTES_MAX: usize = 512;
/// Longest host name in text, without a dot at its end: it fits the 255 bytes of the wire.
pub const DNS_NAME_BYTES_MAX: usize = 253;
/// Longest part of a host name between two dots (RFC 1035, section 2.3.4).
pub const DNS_LABEL_BYTES_MAX: usize = 63;

// ---- Metrics ------------------------------------------------------------------------------------------------------

/// Series in the table of metrics. A measurement of one more is counted as overflow, and the table does not grow.
pub const SERIES_MAX: usize = 1024;
/// More series for names that begin with `faas.`, `aws.lambda.` or `kinglet.`: the platform and kinglet have about 40.
pub const SERIES_CONVENTIONAL_MAX: usize = 64;
/// Names and attributes of one of these, on average.
pub const SERIES_CONVENTIONAL_BYTES: usize = 128;
/// Names and attributes of all series together.
pub const SERIES_BYTES_MAX: usize = 128 * 1024;
/// Longest name of a metric (OpenTelemetry's limit for an instrument). A longer one is malformed.
pub const METRIC_NAME_BYTES_MAX: usize = 255;
/// Longest unit of a metric (OpenTelemetry's limit for an instrument).
pub const METRIC_UNIT_BYTES_MAX: usize = 63;
/// Attributes of a series; more are left out. CloudWatch takes 30 dimensions.
pub const METRIC_ATTRIBUTES_MAX: usize = 32;
/// Name and attributes of one series, escaped. A longer one is malformed.
pub const METRIC_IDENTITY_BYTES_MAX: usize = 8 * 1024;
/// Part of the ring, in percent, that logs leave to metrics: while nobody takes the logs, metrics go on. It holds what the
/// platform and kinglet measure in an invocation, in the smallest ring, too.
pub const METRIC_ROOM_PERCENT: usize = 6;
/// Part of the ring, in percent, that points are put into at once. Logs keep theirs: a POST is due when half of it is used, and
/// telemetry is left unread when a quarter is left.
pub const POINTS_PERCENT: usize = 25;
/// Buckets of a histogram: one more than its boundaries.
pub const HISTOGRAM_BUCKETS_MAX: usize = 16;
/// Distinct members of all sets together.
pub const SET_MEMBERS_MAX: usize = 4096;
/// Most measurements that one sampled line of StatsD stands for, which is 1 / rate. With more it is malformed.
pub const SAMPLED_TIMES_MAX: u64 = 1_000_000_000;
/// Default port of the StatsD socket: StatsD's own.
pub const STATSD_PORT: u16 = 8125;
/// Longest datagram: what UDP takes over IPv4.
pub const DATAGRAM_BYTES_MAX: usize = 65_507;
/// Room for one datagram of a call: the longest fits, and each begins a page, so that of short ones no two are touched.
pub const DATAGRAM_ROOM_BYTES: usize = 64 * 1024;
/// Datagrams taken by one system call, which costs as much as taking one of them; each needs its room, half a MiB of addresses
/// together, of which datagrams of a usual length touch 32 kB.
pub const DATAGRAMS_PER_CALL_MAX: usize = 8;
/// Calls in one turn of the reactor, which takes 64 datagrams at most.
pub const DATAGRAM_CALLS_PER_TURN_MAX: u32 = 8;
/// When a turn has emptied the socket of several datagrams, the next are taken so much later (awake), together: a wake-up costs as
/// much as a datagram.
pub const DATAGRAM_REST_MS: u64 = 1;
/// Memory asked of the kernel for datagrams that wait; it gives no more than its own limit. A small one takes 768 bytes there.
pub const DATAGRAM_QUEUE_BYTES: i32 = 1024 * 1024;
/// Values of one metric in one EMF document (CloudWatch's limit).
pub const EMF_VALUES_MAX: usize = 100;
/// Metrics of one directive in an EMF document (CloudWatch's limit).
pub const EMF_METRICS_MAX: usize = 100;
/// Work on one EMF document: 1 for each of its bytes that is walked over and for each name that is compared, and
/// [`EMF_MEASUREMENT_WORK`] for each metric of a series and each of its values. What the limits above allow is far below it;
/// documents made to take long are not.
pub const EMF_WORK_MAX: usize = 8 * 1024 * 1024;
/// See [`EMF_WORK_MAX`].
pub const EMF_MEASUREMENT_WORK: usize = 64;
/// Durations of POSTs that wait to be told as metrics.
pub const FLUSHES_TOLD_MAX: usize = 64;

/// So much of an unknown variable's name is compared with those that are known; the longest of them has half as many.
pub const VARIABLE_NAME_BYTES_MAX: usize = 32;

// ---- Own messages -------------------------------------------------------------------------------------------------

/// Longest line that kinglet writes about itself.
pub const MESSAGE_BYTES_MAX: usize = 1024;
/// Lines that kinglet writes about its configuration, and about itself between two INVOKE or SHUTDOWN events, the counters line
/// apart.
pub const MESSAGES_MAX: u32 = 16;

/// Longest record for a ring of this capacity: a quarter of the ring, and alone in a batch it must fit.
#[must_use]
pub const fn record_bytes_max(ring_bytes: usize) -> usize {
    let quarter = ring_bytes / 4;
    let batch = BATCH_BYTES_MAX - ENVELOPE_BYTES_MAX;
    if quarter < batch { quarter } else { batch }
}
