//! What every record of a batch has in common: OpenTelemetry's resource, by its FaaS and cloud conventions.

use crate::format::Value;
use crate::limits::{ATTRIBUTE_OVERHEAD_BYTES_MAX, RESOURCE_BYTES_MAX, RESOURCE_VALUE_BYTES_MAX};

/// One attribute. Key and value are raw string content; an integer's value is its decimal text.
pub struct Entry {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub is_integer: bool,
    /// Given by the user, who knows better than what is observed later.
    is_fixed: bool,
}

impl Entry {
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        if self.is_integer {
            Value::Integer(&self.value)
        } else {
            Value::Raw(&self.value)
        }
    }
}

/// The resource attributes, each key once.
#[derive(Default)]
pub struct Resource {
    entries: Vec<Entry>,
    bytes: usize,
}

impl Resource {
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Sets a string attribute unless the user has set it, `text` is empty, or the bounds of [`crate::limits`] are reached.
    pub fn set(&mut self, key: &[u8], text: &[u8]) {
        self.put(key, text, false, false);
    }

    pub fn set_integer(&mut self, key: &[u8], value: u64) {
        let mut text = Vec::new();
        crate::text::decimal::push(&mut text, value);
        self.put(key, &text, true, false);
    }

    /// Sets `cloud.resource_id` from the ARN of an invocation: an alias at its end is replaced by the version that runs, as
    /// OpenTelemetry's cloud conventions ask.
    pub fn set_function_arn(&mut self, invoked: &[u8]) {
        let version = self
            .entries
            .iter()
            .find(|entry| entry.key == b"faas.version");
        // arn:aws:lambda:region:account:function:name[:qualifier]
        let mut colons = 0;
        let qualifier_at = invoked.iter().position(|byte| {
            colons += u32::from(*byte == b':');
            colons == 7
        });
        let mut arn = invoked.to_vec();
        if let (Some(at), Some(version)) = (qualifier_at, version) {
            arn.truncate(at + 1);
            arn.extend_from_slice(&version.value);
        }
        self.set(b"cloud.resource_id", &arn);
    }

    /// Sets an attribute from the user's configuration: it wins over all others. False if it is too large.
    pub fn set_fixed(&mut self, key: &[u8], text: &[u8]) -> bool {
        self.put(key, text, false, true)
    }

    fn put(&mut self, key: &[u8], text: &[u8], is_integer: bool, is_fixed: bool) -> bool {
        let (mut raw_key, mut value) = (Vec::new(), Vec::new());
        let is_cut = crate::text::json::append_escaped(&mut raw_key, key, RESOURCE_VALUE_BYTES_MAX)
            | crate::text::json::append_escaped(&mut value, text, RESOURCE_VALUE_BYTES_MAX);
        let bytes = raw_key.len() + value.len() + ATTRIBUTE_OVERHEAD_BYTES_MAX;
        if text.is_empty() || is_cut || self.bytes + bytes > RESOURCE_BYTES_MAX {
            return false;
        }
        match self.entries.iter_mut().find(|entry| entry.key == raw_key) {
            Some(entry) if entry.is_fixed && !is_fixed => {}
            Some(entry) => {
                self.bytes += value.len();
                self.bytes -= entry.value.len();
                (entry.value, entry.is_integer, entry.is_fixed) = (value, is_integer, is_fixed);
            }
            None => {
                self.bytes += bytes;
                self.entries.push(Entry {
                    key: raw_key,
                    value,
                    is_integer,
                    is_fixed,
                });
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(resource: &'a Resource, key: &str) -> Option<&'a [u8]> {
        let mut entries = resource.entries().iter();
        entries
            .find(|entry| entry.key == key.as_bytes())
            .map(|entry| entry.value.as_slice())
    }

    #[test]
    fn the_user_wins_and_the_later_observation() {
        let mut resource = Resource::default();
        resource.set(b"faas.name", b"orders");
        assert!(resource.set_fixed(b"service.name", b"shop \"x\""));
        resource.set(b"service.name", b"orders");
        resource.set(b"faas.name", b"orders2");
        resource.set(b"faas.instance", b"");
        resource.set_integer(b"faas.max_memory", 268_435_456);
        assert_eq!(
            value(&resource, "service.name"),
            Some(b"shop \\\"x\\\"".as_slice())
        );
        assert_eq!(value(&resource, "faas.name"), Some(b"orders2".as_slice()));
        assert_eq!(value(&resource, "faas.instance"), None);
        assert_eq!(
            value(&resource, "faas.max_memory"),
            Some(b"268435456".as_slice())
        );
    }

    #[test]
    fn an_alias_is_replaced_by_the_version() {
        let mut resource = Resource::default();
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
        resource.set(b"faas.version", b"7");
        for invoked in [arn.to_string(), format!("{arn}:live"), format!("{arn}:7")] {
            resource.set_function_arn(invoked.as_bytes());
            let expected = if invoked == arn {
                arn.to_string()
            } else {
                format!("{arn}:7")
            };
            assert_eq!(
                value(&resource, "cloud.resource_id"),
                Some(expected.as_bytes())
            );
        }
    }

    #[test]
    fn it_is_bounded() {
        let mut resource = Resource::default();
        for number in 0..100 {
            resource.set(format!("key{number}").as_bytes(), &[b'x'; 1000]);
        }
        assert!(!resource.set_fixed(b"long", &[b'x'; 2000]));
        let bytes: usize = resource
            .entries()
            .iter()
            .map(|entry| entry.key.len() + entry.value.len())
            .sum();
        assert!(bytes <= RESOURCE_BYTES_MAX && resource.entries().len() > 10);
    }
}
