//! Where the body of a message ends. It is not kept: [`Body`] hands out the runs of it that are in the caller's buffer.

use crate::limits::{CHUNK_LINE_BYTES_MAX, CHUNK_SIZE_DIGITS_MAX, TRAILER_BYTES_MAX};

/// The framing of a body is not that of HTTP; nothing behind it can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// How the end of a body is known (RFC 9112, section 6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// There is no body.
    None,
    /// So many bytes.
    Length(u64),
    Chunked,
    /// All that comes until the peer closes. Only in responses.
    UntilClose,
}

/// The framing state of a body, resumable at every byte.
///
/// ```text
///           ┌──────────────── CR LF ────────────────┐
///           ▼                                       │
///   ChunkSize ──▶ ChunkExtension ── size > 0 ──▶ ChunkData ──▶ ChunkEnd
///                        └──── size 0 ──▶ Trailer ── empty line ──▶ Done
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Done,
    /// Bytes still to come.
    Length(u64),
    UntilClose,
    /// `digits` counts those read.
    ChunkSize {
        size: u64,
        digits: u8,
    },
    /// The rest of the size line, of which `line_bytes` were read.
    ChunkExtension {
        size: u64,
        line_bytes: u16,
    },
    /// Bytes of this chunk still to come.
    ChunkData(u64),
    ChunkEnd {
        after_carriage_return: bool,
    },
    /// `in_line` tells that the current line is not empty.
    Trailer {
        bytes: u16,
        in_line: bool,
    },
    Broken,
}

const CHUNK_START: State = State::ChunkSize { size: 0, digits: 0 };

impl Body {
    pub fn new(framing: Framing) -> Body {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(bytes) => State::Length(bytes),
            Framing::Chunked => CHUNK_START,
            Framing::UntilClose => State::UntilClose,
        };
        Body { state }
    }

    /// Takes what belongs to this body from the front of `input`, up to the end of one run of body bytes, and
    /// returns that run. An empty run means that the body is done or the input used up.
    ///
    /// After `Malformed` every call says so again.
    pub fn take<'a>(&mut self, input: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
        loop {
            let left = match self.state {
                State::Length(left) | State::ChunkData(left) => left,
                State::UntilClose => u64::MAX,
                State::Done => return Ok(&[]),
                _ => {
                    let Some((&byte, rest)) = input.split_first() else {
                        return Ok(&[]);
                    };
                    *input = rest;
                    self.state = self.state.after(byte);
                    if matches!(self.state, State::Broken) {
                        return Err(Malformed);
                    }
                    continue;
                }
            };
            let bytes: &'a [u8] = input;
            let fitting = usize::try_from(left).unwrap_or(usize::MAX);
            let (run, rest) = bytes.split_at_checked(fitting).unwrap_or((bytes, &[]));
            *input = rest;
            self.state = self.state.after_run(left.saturating_sub(run.len() as u64));
            return Ok(run);
        }
    }

    /// The body is complete. Never true of one that ends with its connection: there the close is the end.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }
}

impl State {
    /// After a run of body bytes, when so many are still to come.
    fn after_run(self, left: u64) -> State {
        match (self, left) {
            (State::Length(_), 0) => State::Done,
            (State::Length(_), _) => State::Length(left),
            (State::ChunkData(_), 0) => State::ChunkEnd {
                after_carriage_return: false,
            },
            (State::ChunkData(_), _) => State::ChunkData(left),
            _ => self,
        }
    }

    /// After one byte of chunk framing (RFC 9112, section 7.1). A bare line feed is as good as CR LF.
    fn after(self, byte: u8) -> State {
        match (self, byte) {
            (State::ChunkSize { size, digits }, _) => match (char::from(byte).to_digit(16), byte) {
                (Some(_), _) if digits == CHUNK_SIZE_DIGITS_MAX => State::Broken,
                (Some(digit), _) => State::ChunkSize {
                    size: size << 4 | u64::from(digit),
                    digits: digits.saturating_add(1),
                },
                (None, b';' | b' ' | b'\t' | b'\r' | b'\n') if digits > 0 => {
                    State::ChunkExtension {
                        size,
                        line_bytes: u16::from(digits),
                    }
                    .after(byte)
                }
                _ => State::Broken,
            },
            (State::ChunkExtension { size: 0, .. }, b'\n') => State::Trailer {
                bytes: 0,
                in_line: false,
            },
            (State::ChunkExtension { size, .. }, b'\n') => State::ChunkData(size),
            (State::ChunkExtension { size, line_bytes }, _)
                if line_bytes < CHUNK_LINE_BYTES_MAX =>
            {
                State::ChunkExtension {
                    size,
                    line_bytes: line_bytes.saturating_add(1),
                }
            }
            (State::ChunkEnd { .. }, b'\n') => CHUNK_START,
            (
                State::ChunkEnd {
                    after_carriage_return: false,
                },
                b'\r',
            ) => State::ChunkEnd {
                after_carriage_return: true,
            },
            (State::Trailer { in_line: false, .. }, b'\n') => State::Done,
            (State::Trailer { bytes, in_line }, _) if bytes < TRAILER_BYTES_MAX => State::Trailer {
                bytes: bytes.saturating_add(1),
                in_line: match byte {
                    b'\n' => false,
                    b'\r' => in_line,
                    _ => true,
                },
            },
            _ => State::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a body gave: its bytes, what was left of the input, and whether it was done; or the fault.
    type Outcome = Result<(Vec<u8>, usize, bool), Malformed>;

    fn read<'a>(framing: Framing, chunks: impl Iterator<Item = &'a [u8]>) -> Outcome {
        let mut body = Body::new(framing);
        let mut found = Vec::new();
        let mut left = 0;
        for mut chunk in chunks {
            loop {
                let run = body
                    .take(&mut chunk)
                    .inspect_err(|_| assert_eq!(body.take(&mut &b"0"[..]), Err(Malformed)))?;
                if run.is_empty() {
                    break;
                }
                found.extend_from_slice(run);
            }
            assert!(chunk.is_empty() || body.is_done());
            left += chunk.len();
        }
        Ok((found, left, body.is_done()))
    }

    fn any_chunking(framing: Framing, bytes: &[u8]) -> Outcome {
        let expected = read(framing, [bytes].into_iter());
        for at in 0..=bytes.len() {
            let (first, second) = bytes.split_at(at);
            assert_eq!(
                read(framing, [first, second].into_iter()),
                expected,
                "split at {at}"
            );
        }
        for size in 1..5 {
            assert_eq!(
                read(framing, bytes.chunks(size)),
                expected,
                "chunks of {size}"
            );
        }
        expected
    }

    #[test]
    fn bodies() {
        assert!(Body::new(Framing::None).is_done() && Body::new(Framing::Length(0)).is_done());
        let extension = "x".repeat(usize::from(CHUNK_LINE_BYTES_MAX) - 2);
        let trailer = "t".repeat(usize::from(TRAILER_BYTES_MAX) - 1);
        for (framing, bytes, body, left, done) in [
            (Framing::None, "GET", "", 3, true),
            (Framing::Length(0), "GET", "", 3, true),
            (Framing::Length(5), "hello", "hello", 0, true),
            (Framing::Length(5), "helloPOST", "hello", 4, true),
            (Framing::Length(5), "hell", "hell", 0, false),
            (Framing::UntilClose, "all of it", "all of it", 0, false),
            (Framing::Chunked, "0\r\n\r\n", "", 0, true),
            (
                Framing::Chunked,
                "5\r\nhello\r\n0\r\n\r\nPOST",
                "hello",
                4,
                true,
            ),
            (Framing::Chunked, "5\nhello\n00\n\n", "hello", 0, true),
            (
                Framing::Chunked,
                "3\r\nab\n\r\n00000000000000A\t; x=\"y\"\r\n0\r\n3456789\r\n0\r\n\r\n",
                "ab\n0\r\n3456789",
                0,
                true,
            ),
            (
                Framing::Chunked,
                "1\r\na\r\n0\r\nTrailer: 1\r\nOther: 2\r\n\r\nx",
                "a",
                1,
                true,
            ),
            (Framing::Chunked, "5\r\nhello\r\n0\r\n", "hello", 0, false),
            (
                Framing::Chunked,
                "ffffffffffffffff\r\nhello",
                "hello",
                0,
                false,
            ),
            (
                Framing::Chunked,
                &format!("1;{extension}\na\r\n0\r\n{trailer}\n\n"),
                "a",
                0,
                true,
            ),
        ] {
            let expected = Ok((body.as_bytes().to_vec(), left, done));
            let outcome = if bytes.len() < 500 {
                any_chunking(framing, bytes.as_bytes())
            } else {
                read(framing, bytes.as_bytes().chunks(1))
            };
            assert_eq!(outcome, expected, "{bytes}");
        }
        for bytes in [
            "\r\n",
            "x\r\n",
            ";x\r\n",
            "5x\r\nhello",
            "00000000000000001\r\na",
            "-1\r\n",
            "1\r\nab\r\n",
            "1\r\na\r\r\n",
            "1\r\na0\r\n\r\n",
            &format!("1;{extension}x\na\r\n0\r\n\r\n"),
            &format!("0\r\n{trailer}x\n\n"),
        ] {
            assert_eq!(
                read(Framing::Chunked, bytes.as_bytes().chunks(1)),
                Err(Malformed),
                "{bytes}"
            );
            assert_eq!(
                read(Framing::Chunked, [bytes.as_bytes()].into_iter()),
                Err(Malformed),
                "{bytes}"
            );
        }
    }
}
