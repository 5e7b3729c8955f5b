//! HTTP/1.1, as far as it is spoken here, both directions: bytes in, values out.
//!
//! ```text
//! head::request ──┐              ┌──▶ run of body bytes
//!                 ├──▶ Framing ──▶ Body
//! head::response ─┘              └──▶ done: the next byte belongs to the next message
//! ```

pub mod body;
pub mod client;
pub mod head;
pub mod server;
