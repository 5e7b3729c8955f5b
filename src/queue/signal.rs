//! What a record is shipped as, and what is kept for each kind apart.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    Log,
    Metric,
}

impl Signal {
    pub const ALL: [Signal; 2] = [Signal::Log, Signal::Metric];
}

/// One for each signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PerSignal<T> {
    pub log: T,
    pub metric: T,
}

impl<T> PerSignal<T> {
    #[must_use]
    pub const fn of(&self, signal: Signal) -> &T {
        match signal {
            Signal::Log => &self.log,
            Signal::Metric => &self.metric,
        }
    }

    pub const fn of_mut(&mut self, signal: Signal) -> &mut T {
        match signal {
            Signal::Log => &mut self.log,
            Signal::Metric => &mut self.metric,
        }
    }
}
