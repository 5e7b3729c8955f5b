//! The files that a resolver reads: `/etc/hosts` and `/etc/resolv.conf`.

use core::net::IpAddr;

use crate::text::address;
use crate::text::delimited::parts;

/// Looks a name up in the text of /etc/hosts: its first IPv4 address, else its first IPv6 address.
pub fn lookup(hosts_file: &[u8], name: &[u8]) -> Option<IpAddr> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let mut found = None;
    for line in lines(hosts_file) {
        let line = parts(line, b'#').next().unwrap_or(line);
        let mut words = words(line);
        let Some(address) = words.next() else {
            continue;
        };
        if !words.any(|word| word.eq_ignore_ascii_case(name)) {
            continue;
        }
        match address::parse(address) {
            Some(IpAddr::V4(address)) => return Some(IpAddr::V4(address)),
            address => found = found.or(address),
        }
    }
    found
}

/// The first name servers of resolv.conf, in the order in which they are to be asked; see resolv.conf(5). Search domains are
/// not tried: a collector's name is a whole one.
#[must_use]
pub fn nameservers(resolv_conf: &[u8]) -> [Option<IpAddr>; 3] {
    let mut found = [None; 3];
    let mut places = found.iter_mut();
    for line in lines(resolv_conf) {
        let mut words = words(line);
        if words.next() == Some(b"nameserver")
            && let Some(address) = words.next().and_then(address::parse)
            && let Some(place) = places.next()
        {
            *place = Some(address);
        }
    }
    found
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    parts(text, b'\n')
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = line;
    core::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(u8::is_ascii_whitespace);
        let (word, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        rest = behind;
        (!word.is_empty()).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let file = b"# comment 192.0.2.9 collector\n::1 localhost ip6-localhost\n127.0.0.1\tlocalhost\r\n\n \
            169.254.79.1 sandbox.localdomain SANDBOX # gone\n2001:db8::7 six\n2001:db8::8 six\nnonsense bad\n192.0.2.1";
        for (name, expected) in [
            ("localhost", Some("127.0.0.1")),
            ("LocalHost.", Some("127.0.0.1")),
            ("ip6-localhost", Some("::1")),
            ("sandbox", Some("169.254.79.1")),
            ("sandbox.localdomain", Some("169.254.79.1")),
            ("six", Some("2001:db8::7")),
            ("gone", None),
            ("collector", None),
            ("bad", None),
            ("192.0.2.1", None),
            ("", None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(lookup(file, name.as_bytes()), expected, "{name}");
        }
        assert_eq!(lookup(b"", b"localhost"), None);
    }

    #[test]
    fn resolver_configuration() {
        let text = b"; comment\n#nameserver 192.0.2.9\ndomain old.example\nnameserver 169.254.78.1\nnameserver fe80::1%eth0\n\
            nameserver\t2001:db8::1 \nsearch eu-west-1.compute.internal  b c d\noptions timeout:2 ndots:5\r\n\
            nameserver 192.0.2.3\nnameserver 192.0.2.4\nnameserver\n";
        let addresses = ["169.254.78.1", "2001:db8::1", "192.0.2.3"].map(|text| text.parse().ok());
        assert_eq!(nameservers(text), addresses);
        assert_eq!(nameservers(b""), [None; 3]);
    }
}
