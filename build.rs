//! What is settled before the binary is compiled: the heads of its requests to Lambda, and its linker arguments. Its version
//! is the package's.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// What only the running process knows: written here as a word, in the binary as one byte that no head contains otherwise.
const OPEN: [(&str, &str, u8); 4] = [
    ("PREFIX", "{prefix}", 1),
    ("HOST", "{host}", 2),
    ("OWN", "{own}", 3),
    ("LENGTH", "{length}", 4),
];

const NAME: &str = "Lambda-Extension-Name: {own}\r\nLambda-Extension-Accept-Feature: accountId";
const IDENTIFIER: &str = "Lambda-Extension-Identifier: {own}";
const BODY: &str = "\r\nContent-Type: application/json\r\nContent-Length: {length}";

/// Extensions API, Telemetry API and Logs API: method and path, header, and what announces a body. Whole heads are 224 bytes
/// smaller than the code that would put them together.
const REQUESTS: [(&str, [&str; 2], &str, &str); 4] = [
    (
        "REGISTER",
        ["POST", "/2020-01-01/extension/register"],
        NAME,
        BODY,
    ),
    (
        "NEXT",
        ["GET", "/2020-01-01/extension/event/next"],
        IDENTIFIER,
        "",
    ),
    (
        "SUBSCRIBE",
        ["PUT", "/2022-07-01/telemetry"],
        IDENTIFIER,
        BODY,
    ),
    (
        "SUBSCRIBE_LOGS",
        ["PUT", "/2020-08-15/logs"],
        IDENTIFIER,
        BODY,
    ),
];

/// What LLVM's linker is told where `KINGLET_LAYER` names a variant, and what that is worth in bytes of the x86_64 layer.
const ARGUMENTS: [&str; 6] = [
    // Equal functions once: 1632. Nothing compares the addresses of functions.
    "--icf=all",
    // Equal constants once, too: 288. Nothing compares theirs.
    "--ignore-data-address-equality",
    // Similar functions side by side, where deflate finds them: none, but 2170 of the zip.
    "--bp-compression-sort=function",
    // The few tables of a static program stay writable: 160.
    "-znorelro",
    // Constants lie in the segment of the code, which is one mapping less at start: 32.
    "--no-rosegment",
    // Nothing unwinds, so nothing looks for a frame: 128.
    "--no-eh-frame-hdr",
];

/// Nothing reads section headers at run time: 400.
const SHIPPED: &str = "-znosectionheader";

/// The shipped binary's twin has section headers and, since this comes after the profile's `strip`, symbols. They differ in
/// the last link only, so both share all that is compiled: that is why no linker argument is in `.cargo/layer.toml`.
const SYMBOLS: &str = "--strip-debug";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=KINGLET_LAYER");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("heads.rs"), heads())?;
    println!("cargo::rustc-env=KINGLET_FEATURES={}", features());
    let variant = match env::var("KINGLET_LAYER").as_deref() {
        Ok("shipped") => SHIPPED,
        Ok("symbols") => SYMBOLS,
        Ok(other) => return Err(format!("KINGLET_LAYER is shipped or symbols, not {other}").into()),
        // Other linkers do not know these words.
        Err(_) => return Ok(()),
    };
    for argument in ARGUMENTS.into_iter().chain([variant]) {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    Ok(())
}

/// What is in the binary beside the smallest, as `--version` says it: in brackets, or nothing.
fn features() -> String {
    let mut names: Vec<String> = env::vars()
        .filter_map(|(name, _)| {
            let feature = name.strip_prefix("CARGO_FEATURE_")?.to_lowercase();
            // These two are sets of the others.
            (!["default", "full"].contains(&feature.as_str())).then_some(feature)
        })
        .collect();
    names.sort();
    if names.is_empty() {
        return String::new();
    }
    format!(" ({})", names.join(" "))
}

/// The constants for `src/lambda/runtime_api.rs`.
fn heads() -> String {
    let open = OPEN.map(|(name, _, byte)| format!("pub const {name}: u8 = {byte};\n"));
    let requests = REQUESTS.map(|(name, [method, path], header, body)| {
        let head = format!(
            "{method} {{prefix}}{path} HTTP/1.1\r\nHost: {{host}}\r\n{header}{body}\r\n\r\n"
        );
        let head = OPEN.iter().fold(head, |head, (_, word, byte)| {
            head.replace(word, &char::from(*byte).to_string())
        });
        format!("pub const {name}: &[u8] = {head:?}.as_bytes();\n")
    });
    open.concat() + &requests.concat()
}
