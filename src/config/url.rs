//! How a URL is judged.

use ureq::http::header::AUTHORIZATION;
use ureq::http::{HeaderValue, Uri};

use super::endpoint::Headers;
use super::pairs;
use crate::text::address;
use crate::text::decimal;
use crate::text::delimited;

/// A URL as the client takes it, with this path at the end of its own, and its user info as a header; or what is wrong with it,
/// in words that follow the variable's name. No part of the URL is among them: in one that is not understood anything may be a
/// password.
pub fn judge(url: &str, path: &str) -> Result<(Uri, Headers), &'static [u8]> {
    let (scheme, rest) = delimited::cut(url, b':').unwrap_or(("", url));
    if scheme.eq_ignore_ascii_case("https") {
        return Err(
            b" asks for TLS, which kinglet does not speak; use an http:// collector in your VPC or in the sandbox",
        );
    }
    rest.strip_prefix("//")
        .filter(|_| scheme.eq_ignore_ascii_case("http"))
        .and_then(|rest| usable(rest, path))
        .ok_or(
            b" is not of the form http://[user:password@]host[:port][/path], percent-encoded, with a port from 1 to 65535",
        )
}

/// `rest`: what is behind the scheme. The client's own parser decides, and then what its resolver and its transport make use of.
fn usable(rest: &str, path: &str) -> Option<(Uri, Headers)> {
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let end = rest.bytes().position(|byte| matches!(byte, b'?' | b'#'));
    let (mut base, query) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
    if !path.is_empty() {
        base = base.strip_suffix('/').unwrap_or(base);
    }
    let uri = Uri::try_from(["http://", base, path, query].concat()).ok()?;
    let authority = uri.authority()?.as_str();
    let (user, place) = delimited::cut_last(authority, b'@').unwrap_or(("", authority));
    let (host, port) = match delimited::cut_last(place, b':') {
        // A colon of an IPv6 address.
        Some((_, port)) if port.ends_with(']') => (place, "80"),
        Some(host_and_port) => host_and_port,
        None => (place, "80"),
    };
    let is_name = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    let is_port = decimal::parse(port.as_bytes()).is_some_and(|port| (1..=65535).contains(&port));
    if !is_port || !(is_name || address::parse(host.as_bytes()).is_some()) {
        return None;
    }
    let mut headers = Vec::new();
    if !user.is_empty() {
        headers.push((AUTHORIZATION, basic(user)?));
    }
    Some((uri, headers))
}

/// The value of `Authorization` for a user info `user:password`, percent-encoded (RFC 7617).
fn basic(user: &str) -> Option<HeaderValue> {
    let mut plain = pairs::percent_decoded(user)?;
    if delimited::cut(user, b':').is_none() {
        plain.push(b':');
    }
    let mut value = b"Basic ".to_vec();
    push_base64(&mut value, &plain);
    HeaderValue::from_bytes(&value).ok()
}

fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    for group in bytes.chunks(3) {
        let mut bits = 0;
        for place in 0..3 {
            bits = bits << 8 | u32::from(group.get(place).copied().unwrap_or_default());
        }
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place) & 63) as u8;
            out.push(match digit {
                _ if place > group.len() => b'=',
                0..=25 => b'A' + digit,
                26..=51 => b'a' - 26 + digit,
                52..=61 => digit - 52 + b'0',
                62 => b'+',
                _ => b'/',
            });
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "metrics", feature = "json"))]
mod tests {
    use super::*;
    use crate::config::{Endpoint, read};
    use crate::format::resource::Resource;
    use crate::queue::route::ROUTES;
    use crate::random::Numbers;

    const GOOD: [&str; 14] = [
        "http://127.0.0.1:4318",
        "HTTP://Collector.internal/",
        "http://h:1/in?key=a/b@c:d#part",
        "http://h:65535",
        "http://h:0080",
        "http://h_1.a-b.",
        "http://[2001:db8::1]",
        "http://[::1]:4318/in",
        "http://u:p@h",
        "http://u@h:80",
        "http://a%40b:c%3Ad@h/x@y",
        "http://u:p@w@h",
        "http://@h",
        "http://h/{a}|b\"c",
    ];

    const BAD: [&str; 36] = [
        "",
        "h",
        "h:80",
        "h:80:80",
        "/in",
        "*",
        "http",
        "http:",
        "http:/h",
        "http:h",
        "http://",
        "http:///in",
        "http://:80",
        "http://u:p@",
        "http://u:p@:80",
        "http://h:",
        "http://h:0",
        "http://h:65536",
        "http://h:+80",
        "http://h:80:80",
        "http://[::1",
        "http://::1",
        "http://[::1]x:80",
        "http://[127.0.0.1]",
        "http://[fe80::1%25eth0]",
        "http://[a@b]:80",
        "http://a b",
        "http://h/\u{e9}",
        "http://h\u{fffd}",
        "http://${HOST}:4318",
        "http://$HOST:4318",
        "http://<host>:4318",
        "http://u:p^w@h",
        "http://u:p|w@h",
        "http://u:p%@h",
        "http://u:%zz@h",
    ];

    /// The endpoints of this URL, and what was said of it.
    fn endpoints(url: &str) -> ([Option<Endpoint>; ROUTES], Vec<String>) {
        let mut warnings = Vec::new();
        let entry = format!("KINGLET_ENDPOINT={url}");
        let mut warn = |parts: &[&[u8]]| warnings.push(String::from_utf8(parts.concat()).unwrap());
        let config = read(
            &mut std::iter::once(entry.as_bytes()),
            &mut warn,
            &mut Resource::default(),
        );
        (config.endpoints, warnings)
    }

    /// Either there is an endpoint that the client can use, or one line; whether there is.
    fn is_usable_or_told(url: &str) -> bool {
        let (endpoints, warnings) = endpoints(url);
        let [Some(log), Some(metric)] = endpoints else {
            assert_eq!(warnings.len(), 1, "{url:?}: {warnings:?}");
            return false;
        };
        assert!(warnings.is_empty(), "{url:?}: {warnings:?}");
        for endpoint in [log, metric] {
            let parsed: Uri = endpoint.url.to_string().parse().unwrap();
            let host = parsed.host().unwrap();
            assert!(!host.is_empty() && parsed.scheme_str() == Some("http"));
            let authority = parsed.authority().unwrap().as_str();
            let given = url.to_ascii_lowercase();
            assert!(
                given.contains(&format!("://{authority}").to_ascii_lowercase()),
                "{url:?}"
            );
            let has_port = authority.rsplit('@').next() != Some(host);
            assert_eq!(parsed.port_u16().is_some_and(|port| port > 0), has_port);
        }
        true
    }

    #[test]
    fn a_url_is_usable_or_told() {
        for url in GOOD {
            assert!(is_usable_or_told(url), "{url}");
        }
        for url in BAD {
            assert!(!is_usable_or_told(url), "{url}");
        }
        let long = format!("http://h/{}", "x".repeat(70_000));
        assert!(!is_usable_or_told(&long));
    }

    #[test]
    fn whatever_a_url_becomes_it_is_usable_or_told() {
        const PIECES: [&str; 25] = [
            "http://", "https:", "/", ":", "@", "#", "?", "[", "]", "%", "%41", "::1", "80", "h",
            ".", "^", "|", "{", "<", " ", "\u{e9}", "\u{fffd}", "\\", "\"", "$",
        ];
        let mut numbers = Numbers(42);
        let (mut usable, mut told) = (0, 0);
        for _ in 0..20_000 {
            let start = [
                GOOD[numbers.below(GOOD.len())],
                BAD[numbers.below(BAD.len())],
            ];
            let mut url: Vec<char> = start[numbers.below(2)].chars().collect();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(url.len() + 1);
                let end = (at + numbers.below(3)).min(url.len());
                url.splice(at..end, PIECES[numbers.below(PIECES.len())].chars());
            }
            let url: String = url.into_iter().collect();
            // An empty value is none.
            if is_usable_or_told(&url) || url.is_empty() {
                usable += 1;
            } else {
                told += 1;
            }
        }
        assert!(usable > 1000 && told > 1000, "{usable} {told}");
    }

    /// Wherever a secret stands in a URL, and whatever else is wrong with it.
    #[test]
    fn nothing_of_a_url_is_told() {
        let mut numbers = Numbers(7);
        let starts = [GOOD.as_slice(), BAD.as_slice()].concat();
        let mut told = 0;
        for _ in 0..20_000 {
            let mut url = starts[numbers.below(starts.len())].replacen(
                "http:",
                ["http:", "https:", "ftp:"][numbers.below(3)],
                1,
            );
            let places: Vec<_> = url
                .char_indices()
                .map(|(at, _)| at)
                .chain([url.len()])
                .collect();
            let at = places[numbers.below(places.len())];
            url.insert_str(
                at,
                ["SECRET", ":SECRET@", "#SECRET", "?SECRET/", "SECRET ^"][numbers.below(5)],
            );
            let (_, warnings) = endpoints(&url);
            told += warnings.len();
            assert!(
                warnings.iter().all(|line| !line.contains("SECRET")),
                "{url}: {warnings:?}"
            );
        }
        assert!(told > 10_000);
    }

    #[test]
    fn credentials() {
        for (user, value) in [
            ("", None),
            ("u:p", Some("Basic dTpw")),
            ("u", Some("Basic dTo=")),
            (":p", Some("Basic OnA=")),
            ("a%40b:c%3Ad", Some("Basic YUBiOmM6ZA==")),
            ("u:p@w", Some("Basic dTpwQHc=")),
            ("%fb%ff%bf", Some("Basic +/+/Og==")),
        ] {
            let (endpoints, warnings) = endpoints(&format!("http://{user}@h"));
            assert!(warnings.is_empty());
            for endpoint in endpoints {
                let headers = endpoint.unwrap().headers;
                let found = headers.first().map(|(name, found)| {
                    assert_eq!(name, AUTHORIZATION);
                    found.to_str().unwrap()
                });
                assert_eq!(found, value, "{user}");
            }
        }
    }
}
