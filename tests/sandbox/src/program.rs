//! The program's parts.

pub(crate) mod arguments;
pub(crate) mod extension;
pub(crate) mod load;
pub(crate) mod paint;
pub(crate) mod run;
mod story;
mod table;
mod verdict;
