//! The id of an invocation.

use crate::limits::REQUEST_ID_BYTES_MAX;

/// A request id (Lambda: a UUID), compared by its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RequestId {
    length: u8,
    bytes: [u8; REQUEST_ID_BYTES_MAX],
}

impl RequestId {
    /// Stands for an id that Lambda has not told.
    pub const UNKNOWN: RequestId = {
        let mut bytes = [0; REQUEST_ID_BYTES_MAX];
        let (text, _) = bytes.split_at_mut(7);
        text.copy_from_slice(b"unknown");
        RequestId { length: 7, bytes }
    };

    /// The id in `text`; none if that is empty, longer than [`REQUEST_ID_BYTES_MAX`], or would need escaping in JSON.
    #[must_use]
    pub fn new(text: &[u8]) -> Option<RequestId> {
        let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'"' && *byte != b'\\';
        if text.is_empty() || !text.iter().all(is_plain) {
            return None;
        }
        let mut bytes = [0; REQUEST_ID_BYTES_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(RequestId {
            length: text.len() as u8,
            bytes,
        })
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_plain_text() {
        assert_eq!(
            RequestId::new(b"abc").as_ref().map(RequestId::as_bytes),
            Some(b"abc".as_slice())
        );
        assert_eq!(RequestId::new(b"unknown"), Some(RequestId::UNKNOWN));
        for wrong in [b"".as_slice(), b"a b", b"a\"b", b"a\\b", &[b'x'; 65]] {
            assert_eq!(RequestId::new(wrong), None);
        }
    }
}
