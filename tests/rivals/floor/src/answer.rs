//! Answers of Lambda, all of them 200 with a `Content-Length`.

use crate::system_call::Socket;

/// Reads one answer whole. `None`: another status, the end of the connection, or more than fits.
pub fn read<'a>(lambda: &Socket, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut filled = 0;
    loop {
        filled += lambda.read(buffer.get_mut(filled..)?)?;
        let read = buffer.get(..filled)?;
        let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let length = header(read, b"content-length")?;
        let length = length
            .iter()
            .fold(0, |sum, digit| sum * 10 + usize::from(digit & 15));
        if filled >= end + 4 + length {
            let answer = buffer.get(..filled)?;
            return answer.starts_with(b"HTTP/1.1 200").then_some(answer);
        }
    }
}

/// The value of a header, whose name is given in lower case.
pub fn header<'a>(answer: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    answer.split(|byte| *byte == b'\n').find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
    })
}
