//! Reading and writing text of all kinds, and nothing that has a meaning in telemetry.

pub mod address;
pub mod decimal;
pub mod delimited;
pub mod double;
pub mod equal;
pub mod hash;
pub mod hosts;
pub mod json;
pub mod timestamp;
