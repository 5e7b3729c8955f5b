//! One document: its directives, and what they name in the root.

use super::{NAMESPACE, Read, array, string, unit, values};
use crate::format::point::Bounds;
use crate::limits::{EMF_MEASUREMENT_WORK, EMF_METRICS_MAX, EMF_WORK_MAX, METRIC_ATTRIBUTES_MAX};
use crate::metric::measurement::{Attribute, Change, Measurement, Sink, name_of_function};
use crate::text::json::{self, Value};

/// A document while it is read.
struct Document<'a, 's> {
    root: &'a [u8],
    work_left: usize,
    sink: Sink<'s>,
    read: Read,
}

/// The name of a member of the root, which a directive takes for a dimension or a metric, and its value once it is found.
#[derive(Clone, Copy)]
struct Target<'a> {
    name: &'a [u8],
    /// By UCUM; of a metric only.
    unit: &'static [u8],
    value: Option<Value<'a>>,
}

const NO_TARGET: Target<'_> = Target {
    name: b"",
    unit: b"",
    value: None,
};

/// Room for those of one directive at a time.
struct Targets<'a> {
    metrics: [Target<'a>; EMF_METRICS_MAX],
    /// One attribute is the namespace.
    dimensions: [Target<'a>; METRIC_ATTRIBUTES_MAX - 1],
}

/// The document has taken all the work that it may.
struct Exhausted;

/// Reads a document by its directives, an array.
pub fn read<'a>(root: &'a [u8], directives: &'a [u8], sink: Sink<'_>) -> Read {
    let mut document = Document {
        root,
        work_left: EMF_WORK_MAX,
        sink,
        read: Read::default(),
    };
    let mut targets = Targets {
        metrics: [NO_TARGET; _],
        dimensions: [NO_TARGET; _],
    };
    for directive in json::items(directives) {
        let directive = json::text(&directive);
        if document.directive(directive, &mut targets).is_err() {
            document.read.malformed += 1;
            break;
        }
    }
    document.read
}

impl<'a> Document<'a, '_> {
    #[inline(never)]
    fn directive(
        &mut self,
        directive: &'a [u8],
        targets: &mut Targets<'a>,
    ) -> Result<(), Exhausted> {
        // What is no object has no members either.
        let Some(definitions) = array(directive, b"Metrics") else {
            self.read.malformed += 1;
            return Ok(());
        };
        let (metrics, malformed) = self.find(definitions, &mut targets.metrics)?;
        self.read.malformed += malformed;
        let namespace = string(directive, b"Namespace").unwrap_or_default();
        let mut sets = json::items(array(directive, b"Dimensions").unwrap_or_default());
        let mut next = Some(sets.next().unwrap_or(Value::Nested(b"[]")));
        while let Some(set) = next {
            next = sets.next();
            let Value::Nested(set @ [b'[', ..]) = set else {
                self.read.malformed += 1;
                continue;
            };
            let (dimensions, malformed) = self.find(set, &mut targets.dimensions)?;
            // Without one of its dimensions it would be another series.
            if malformed > 0 || !dimensions.iter().all(Target::is_scalar) {
                self.read.malformed += 1;
                continue;
            }
            for metric in metrics {
                self.measure(metric, namespace, dimensions)?;
            }
        }
        Ok(())
    }

    /// The targets that an array names, as strings or as definitions, with the values that one walk over the root finds; and how
    /// many items are malformed or too many.
    fn find<'t>(
        &mut self,
        names: &'a [u8],
        room: &'t mut [Target<'a>],
    ) -> Result<(&'t [Target<'a>], u32), Exhausted> {
        let (mut used, mut malformed) = (0, 0);
        for item in json::items(names) {
            let mut target = NO_TARGET;
            match item {
                Value::String(name) => target.name = name,
                Value::Nested(definition) => {
                    target.name = string(definition, b"Name").unwrap_or_default();
                    target.unit = string(definition, b"Unit").map_or(b"", unit::by_ucum);
                }
                _ => {}
            }
            let mut known = room.iter().take(used);
            if known.any(|known| known.name == target.name) {
                continue;
            }
            match room.get_mut(used) {
                Some(place) if !target.name.is_empty() => {
                    *place = target;
                    used += 1;
                }
                _ => malformed += 1,
            }
        }
        let targets = room.get_mut(..used).unwrap_or_default();
        if !targets.is_empty() {
            self.spend(self.root.len())?;
            for member in json::members(self.root, None) {
                self.spend(targets.len())?;
                for target in targets.iter_mut() {
                    if target.name == member.key && target.value.is_none() && member.complete {
                        target.value = Some(member.value);
                    }
                }
            }
        }
        Ok((targets, malformed))
    }

    /// Hands over the values of a metric for one dimension set.
    fn measure(
        &mut self,
        metric: &Target<'a>,
        namespace: &'a [u8],
        dimensions: &[Target<'a>],
    ) -> Result<(), Exhausted> {
        self.spend(EMF_MEASUREMENT_WORK)?;
        let mut attributes: [Attribute<'_>; METRIC_ATTRIBUTES_MAX] = [(NAMESPACE, namespace); _];
        let mut used = usize::from(!namespace.is_empty());
        for dimension in dimensions {
            if let (Some(place), Some(value)) = (attributes.get_mut(used), &dimension.value) {
                *place = (dimension.name, json::text(value));
                used += 1;
            }
        }
        let mut room = Vec::new();
        let mut measurement = Measurement {
            name: name_of_function(metric.name, &mut room),
            unit: metric.unit,
            attributes: attributes.get_mut(..used).unwrap_or_default(),
            is_escaped: true,
            time_unix_nano: 0,
            change: Change::Set(0.0),
        };
        let mut spent = Ok(());
        values::each(metric.value, &mut |value| {
            spent = self.spend(EMF_MEASUREMENT_WORK);
            match value {
                Some((value, times)) if spent.is_ok() => {
                    measurement.change = Change::Observe {
                        value,
                        times,
                        bounds: Bounds::Default,
                    };
                    (self.sink)(&mut measurement);
                    self.read.measurements += 1;
                }
                _ => self.read.malformed += 1,
            }
        });
        spent
    }

    fn spend(&mut self, work: usize) -> Result<(), Exhausted> {
        self.work_left = self.work_left.checked_sub(work).ok_or(Exhausted)?;
        Ok(())
    }
}

impl Target<'_> {
    fn is_scalar(&self) -> bool {
        !matches!(self.value, None | Some(Value::Null | Value::Nested(_)))
    }
}
