//! What is kept, until it is answered for: frames, oldest first, the routes they go, and what became of each.

pub mod breaker;
pub mod frame;
pub mod ledger;
pub mod ring;
pub mod route;
pub mod signal;
pub mod turn;
