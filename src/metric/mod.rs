//! What is measured: by the function, by the platform, and by kinglet of itself.
//!
//! Without the feature `metrics` nothing is: the files of `absent` stand in for those that would.

pub mod measurement;
#[cfg_attr(not(feature = "metrics"), path = "absent/own.rs")]
pub mod own;
#[cfg_attr(not(feature = "metrics"), path = "absent/platform.rs")]
pub mod platform;
#[cfg_attr(not(feature = "metrics"), path = "absent/table.rs")]
pub mod table;
