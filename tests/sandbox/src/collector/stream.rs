//! Answers of the collector that are longer, slower or less finite than a client expects.

use std::fmt;
use std::io::{self, Write};
use std::net::TcpStream;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use crate::http::Answer;

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// With its length, at once.
    Whole,
    /// In chunks of seven bytes, at once.
    Chunked,
    /// With its length, a byte each millisecond.
    Dripped,
}

/// What never ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endless {
    /// `100 Continue`.
    Continue,
    /// Empty lines where a status should be.
    Blank,
    /// Header fields.
    Fields,
    /// One header field.
    Field,
    /// A chunked body.
    Chunks,
    /// A body without a length.
    Body,
    /// Trailers behind a chunked body.
    Trailers,
    /// The extension of a chunk.
    Extension,
}

/// How fast it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it is taken.
    Flood,
    /// A byte each millisecond.
    Drip,
}

const DRIP: Duration = Duration::from_millis(1);

impl Framing {
    const WORDS: [(&str, Framing); 3] = [
        ("whole", Framing::Whole),
        ("chunked", Framing::Chunked),
        ("dripped", Framing::Dripped),
    ];

    pub(super) fn send(self, answer: &Answer, stream: &mut TcpStream) -> io::Result<()> {
        match self {
            Framing::Whole => answer.write(stream, false),
            Framing::Chunked => answer.write(stream, true),
            Framing::Dripped => {
                stream.write_all(&answer.head())?;
                drip(&answer.body, stream)
            }
        }
    }
}

impl Endless {
    /// All of them.
    pub const ALL: [Endless; 8] = [
        Endless::Continue,
        Endless::Blank,
        Endless::Fields,
        Endless::Field,
        Endless::Chunks,
        Endless::Body,
        Endless::Trailers,
        Endless::Extension,
    ];

    const WORDS: [(&str, Endless); 8] = [
        ("continue", Endless::Continue),
        ("blank", Endless::Blank),
        ("fields", Endless::Fields),
        ("field", Endless::Field),
        ("chunks", Endless::Chunks),
        ("body", Endless::Body),
        ("trailers", Endless::Trailers),
        ("extension", Endless::Extension),
    ];

    /// Whether the whole head comes first, with a 200.
    pub fn has_status(self) -> bool {
        use Endless::{Body, Chunks, Extension, Trailers};
        matches!(self, Chunks | Body | Trailers | Extension)
    }

    /// What comes first, and what then comes again and again.
    fn text(self) -> (&'static str, &'static str) {
        match self {
            Endless::Continue => ("", "HTTP/1.1 100 Continue\r\n\r\n"),
            Endless::Blank => ("", "\r\n"),
            Endless::Fields => ("HTTP/1.1 200 OK\r\n", "X-More: and more\r\n"),
            Endless::Field => ("HTTP/1.1 200 OK\r\nX-More: ", "and more "),
            Endless::Chunks => (CHUNKED, "7\r\na piece\r\n"),
            Endless::Body => ("HTTP/1.1 200 OK\r\n\r\n", "and more "),
            Endless::Trailers => (LAST_CHUNK, "X-More: and more\r\n"),
            Endless::Extension => (EXTENSION, "and more "),
        }
    }

    /// Sends until the peer has had enough, or `is_over`.
    pub(super) fn send(
        self,
        pace: Pace,
        out: &mut TcpStream,
        is_over: impl Fn() -> bool,
    ) -> io::Result<()> {
        let (first, again) = self.text();
        out.write_all(first.as_bytes())?;
        let piece = again.repeat(match pace {
            Pace::Flood => 4096,
            Pace::Drip => 1,
        });
        while !is_over() {
            match pace {
                Pace::Flood => out.write_all(piece.as_bytes())?,
                Pace::Drip => drip(piece.as_bytes(), out)?,
            }
        }
        Ok(())
    }
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const LAST_CHUNK: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
const EXTENSION: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7;";

/// Sends byte by byte.
fn drip(bytes: &[u8], out: &mut TcpStream) -> io::Result<()> {
    for byte in bytes {
        out.write_all(&[*byte])?;
        thread::sleep(DRIP);
    }
    Ok(())
}

fn word_of<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    let mut words = words.iter();
    words
        .find(|(_, other)| other == value)
        .map_or("", |(word, _)| word)
}

fn value_of<T: Copy>(words: &[(&str, T)], text: &str) -> Result<T, ()> {
    let mut words = words.iter();
    words
        .find(|(word, _)| *word == text)
        .map(|(_, value)| *value)
        .ok_or(())
}

impl FromStr for Framing {
    type Err = ();

    fn from_str(text: &str) -> Result<Framing, ()> {
        value_of(&Framing::WORDS, text)
    }
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(&Framing::WORDS, self))
    }
}

impl FromStr for Endless {
    type Err = ();

    fn from_str(text: &str) -> Result<Endless, ()> {
        value_of(&Endless::WORDS, text)
    }
}

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(&Endless::WORDS, self))
    }
}
