//! Lambda's side: its APIs, the life of a sandbox and what decides in it, and what kinglet says to the function's log.

pub mod api_address;
pub mod lifecycle;
pub mod message;
pub mod next;
pub mod pause;
pub mod platform_events;
pub mod request_id;
pub mod runtime_api;
pub mod said;
