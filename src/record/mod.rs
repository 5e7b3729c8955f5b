//! One log record: what a line means, and how it becomes a frame.

pub mod encoder;
pub mod text_line;
