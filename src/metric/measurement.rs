//! A measurement: what every source of metrics (platform events, StatsD, EMF, kinglet itself) says, in one form.
//!
//! Sources borrow from what they read and hand each measurement to a [`Sink`]; nothing is kept or allocated on the way.

use crate::format::point::{Bounds, Kind};

/// The key and value of an attribute. A StatsD tag without a value has an empty one.
pub type Attribute<'a> = (&'a [u8], &'a [u8]);

/// Takes measurements: the table, or a test.
pub type Sink<'s> = &'s mut dyn FnMut(&mut Measurement<'_, '_>);

/// Whether a series with this name is the platform's or kinglet's own. Names differ by more than their case.
#[must_use]
pub fn is_reserved(name: &[u8]) -> bool {
    let prefixes: [&[u8]; 3] = [b"faas.", b"aws.lambda.", b"kinglet."];
    prefixes.iter().any(|prefix| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

/// What a metric of the function is called: by its name, but behind `function.` if that is reserved, so that nothing the function
/// measures is taken for what the platform says of it.
pub fn name_of_function<'n>(name: &'n [u8], room: &'n mut Vec<u8>) -> &'n [u8] {
    if !is_reserved(name) {
        return name;
    }
    *room = [b"function.", name].concat();
    room
}

#[derive(Debug)]
pub struct Measurement<'a, 't> {
    /// Name of the metric.
    pub name: &'a [u8],
    /// Unit by UCUM, such as `ms`, `By` or `{invocation}`; empty when unknown. Needs no escaping.
    pub unit: &'a [u8],
    /// At most [`crate::limits::METRIC_ATTRIBUTES_MAX`]; the order does not matter, and the table sorts them in place, those of
    /// one key in their order: a second measurement with the same ones finds them sorted.
    pub attributes: &'a mut [Attribute<'t>],
    /// Name and attributes are raw JSON string content (already escaped); otherwise they are anybody's bytes.
    pub is_escaped: bool,
    /// When it was taken, if the source says so: it is then kept apart from those of other times. 0: now.
    pub time_unix_nano: u64,
    pub change: Change<'a>,
}

/// What a measurement does to its series.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Change<'a> {
    /// A sum grows. `is_monotonic`: never by less than nothing.
    Add { value: f64, is_monotonic: bool },
    /// A gauge stands at this value.
    Set(f64),
    /// A gauge moves by so much from where it stands, at first 0.
    Adjust(f64),
    /// A histogram gets this value so many times.
    Observe {
        value: f64,
        times: u64,
        bounds: Bounds,
    },
    /// A set of distinct members gets this one.
    Member(&'a [u8]),
}

impl Change<'_> {
    /// The kind of series that it changes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match *self {
            Change::Add { is_monotonic, .. } => Kind::Sum { is_monotonic },
            Change::Set(_) | Change::Adjust(_) => Kind::Gauge,
            Change::Member(_) => Kind::Set,
            Change::Observe { bounds, .. } => Kind::Histogram(bounds),
        }
    }
}
