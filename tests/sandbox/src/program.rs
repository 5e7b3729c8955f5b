//! The program's parts.

pub(crate) mod arguments;
pub(crate) mod cold;
pub(crate) mod extension;
pub(crate) mod load;
pub(crate) mod paint;
pub(crate) mod plain;
pub(crate) mod rival;
pub(crate) mod run;
pub(crate) mod statsd;
mod story;
mod table;
mod verdict;
