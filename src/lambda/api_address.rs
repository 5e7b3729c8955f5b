//! Where Lambda's APIs for this sandbox are.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::text::{address, decimal, delimited, hosts};

/// Where the Runtime API is: `AWS_LAMBDA_RUNTIME_API`, a host and a port, in some emulators with a scheme and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAddress {
    pub socket: SocketAddr,
    /// As it was given, for the `Host` header.
    pub host: &'static [u8],
    /// Before every path; empty on Lambda.
    pub prefix: &'static [u8],
}

impl ApiAddress {
    /// Reads the variable. A name other than `localhost` is looked up in the hosts file, which is read only then.
    #[must_use]
    pub fn parse(text: &'static str, hosts_file: fn() -> Vec<u8>) -> Option<ApiAddress> {
        let text = text.strip_prefix("http://").unwrap_or(text);
        let (host, prefix) = match text.bytes().position(|byte| byte == b'/') {
            Some(at) => text.split_at_checked(at)?,
            None => (text, ""),
        };
        let (name, port) = delimited::cut_last(host, b':').unwrap_or((host, "80"));
        let ip = if name == "localhost" {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            let name = name.as_bytes();
            address::parse(name).or_else(|| hosts::lookup(&hosts_file(), name))?
        };
        Some(ApiAddress {
            socket: SocketAddr::new(ip, u16::try_from(decimal::parse(port.as_bytes())?).ok()?),
            host: host.as_bytes(),
            prefix: prefix.strip_suffix('/').unwrap_or(prefix).as_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_in_all_forms() {
        for (text, address, prefix) in [
            ("127.0.0.1:9001", "127.0.0.1:9001", ""),
            ("169.254.100.1:9001", "169.254.100.1:9001", ""),
            ("http://127.0.0.1:9000/.rt", "127.0.0.1:9000", "/.rt"),
            ("http://127.0.0.1:9000/", "127.0.0.1:9000", ""),
            ("localhost:3000", "127.0.0.1:3000", ""),
            ("sandbox:3000", "10.0.0.7:3000", ""),
            ("[::1]:9001", "[::1]:9001", ""),
            ("127.0.0.1", "127.0.0.1:80", ""),
        ] {
            let found = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found.socket, address.parse().unwrap(), "{text}");
            assert_eq!(found.prefix, prefix.as_bytes(), "{text}");
        }
        for wrong in ["", "nowhere:1", "127.0.0.1:99999", "127.0.0.1:x"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    fn parse(text: &'static str) -> Option<ApiAddress> {
        ApiAddress::parse(text, || b"10.0.0.7 sandbox.localdomain sandbox\n".to_vec())
    }
}
