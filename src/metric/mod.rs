//! What is measured: by the function, by the platform, and by kinglet of itself.

pub mod measurement;
pub mod own;
pub mod platform;
pub mod table;
