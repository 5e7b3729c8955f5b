//! For tests: what real sandboxes have sent (`tests/fixtures/telemetry`, a directory for each run), as HTTP requests, and an
//! intake to read it.

// What only the tests of features use stays where it is.
#![cfg_attr(
    not(all(feature = "metrics", feature = "json")),
    allow(dead_code, unused_imports)
)]

use crate::format::Format;
use crate::format::point::Temporality;
use crate::format::resource::Resource;
use crate::http::server::Wish;
use crate::limits::record_bytes_max;
use crate::metric::table::Table;
use crate::queue::ring::Ring;
use crate::record::encoder::Encoder;
use crate::record::encoder::captured::Captured;
use crate::source::event::{Filter, Reader};
use crate::source::intake::Intake;

pub const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
const RING_BYTES: usize = 256 * 1024;
pub const RECORD_BYTES_MAX: usize = record_bytes_max(RING_BYTES);

/// The batches of one run, in order.
pub struct Run {
    pub name: String,
    pub batches: Vec<Vec<u8>>,
}

/// All runs there are.
pub fn runs() -> Vec<Run> {
    let entries = |path: &str| {
        let mut names: Vec<_> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let root = format!("{DIRECTORY}/telemetry");
    let run = |name: String| {
        let path = format!("{root}/{name}");
        let read = |batch: &String| std::fs::read(format!("{path}/{batch}")).unwrap();
        let batches: Vec<_> = entries(&path).iter().map(read).collect();
        assert!(!batches.is_empty());
        Run { name, batches }
    };
    let runs: Vec<_> = entries(&root).into_iter().map(run).collect();
    assert!(runs.len() >= 4);
    runs
}

/// A request with a content length.
pub fn request(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: sandbox.localdomain:4327\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A request in chunks of up to so many bytes.
pub fn chunked_request(body: &[u8], chunk_bytes: usize) -> Vec<u8> {
    let mut request = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(chunk_bytes) {
        request.extend_from_slice(format!("{:x};x=y\r\n", chunk.len()).as_bytes());
        request.extend_from_slice(chunk);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    request
}

/// Feeds one connection these pieces, until its end or a wish to close it. What was wished, but for more bytes.
pub fn connection<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    mut feed: impl FnMut(&mut &'a [u8]) -> Wish,
) -> Vec<Wish> {
    let mut wishes = Vec::new();
    for mut piece in pieces {
        loop {
            let wish = feed(&mut piece);
            if wish == Wish::Read {
                assert!(piece.is_empty());
                break;
            }
            wishes.push(wish);
            if matches!(wish, Wish::Close | Wish::Answer { keep_alive: false }) {
                return wishes;
            }
        }
    }
    wishes
}

/// An intake that ships everything, in a form that can be read back.
pub fn intake(is_concurrent: bool) -> Intake {
    intake_for(&Captured, is_concurrent)
}

/// An intake that ships everything in this format.
pub fn intake_for(format: &'static dyn Format, is_concurrent: bool) -> Intake {
    let encoder = Encoder::new(format, RECORD_BYTES_MAX);
    Intake::new(
        Ring::new(RING_BYTES),
        Reader::new(Filter::ALL, encoder, is_concurrent, true),
        Resource::default(),
        true,
        Some(Table::new(Temporality::Delta)),
        format,
    )
}
