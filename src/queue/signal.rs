//! What a frame tells of.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    Log,
    Metric,
}
