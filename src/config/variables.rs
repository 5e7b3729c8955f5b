//! The values of variables, and what is said of those that are wrong.

use std::borrow::Cow;

use super::table::{self, Setting};
use super::{Environment, Warn};
use crate::queue::signal::Signal;
use crate::text::decimal;

/// A variable that is set.
struct Entry<'e> {
    name: &'e [u8],
    value: &'e [u8],
    is_read: bool,
}

pub struct Variables<'e, 'w> {
    entries: Vec<Entry<'e>>,
    pub warn: Warn<'w>,
    /// The variable that was found last had been read before, for another signal: all about it is told.
    is_told: bool,
}

impl<'e, 'w> Variables<'e, 'w> {
    /// Of an environment whose entries are `name=value`.
    pub fn new(environment: Environment<'_, 'e>, warn: Warn<'w>) -> Variables<'e, 'w> {
        let mut entries = Vec::new();
        for entry in environment {
            // `AWS_`, `KINGLET_` and `OTEL_`: what else there is, is not looked at for each name.
            if !matches!(entry.first(), Some(b'A' | b'K' | b'O')) {
                continue;
            }
            let end = entry.iter().position(|byte| *byte == b'=');
            // OpenTelemetry takes an empty value as none.
            if let Some((name, [_, value @ ..])) = end.and_then(|end| entry.split_at_checked(end))
                && let value = value.trim_ascii()
                && !value.is_empty()
            {
                entries.push(Entry {
                    name,
                    value,
                    is_read: false,
                });
            }
        }
        Variables {
            entries,
            warn,
            is_told: false,
        }
    }

    fn place(&self, name: &[u8]) -> Option<usize> {
        let mut entries = self.entries.iter();
        // The lengths first: a start asks for forty names, and nearly all are not there.
        entries.position(|entry| entry.name.len() == name.len() && entry.name == name)
    }

    /// The variable of this name. What in it is not UTF-8 is U+FFFD, in a text that is never given back: values are read once or
    /// twice in a process, and one that is given back costs bytes in each place that reads one.
    pub fn get(&mut self, name: &[u8]) -> Option<&'e str> {
        let place = self.place(name)?;
        let entry = self.entries.get_mut(place)?;
        self.is_told = core::mem::replace(&mut entry.is_read, true);
        Some(match String::from_utf8_lossy(entry.value) {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => text.leak(),
        })
    }

    /// The strongest variable of a setting that is set, for all signals or for this one, and its value.
    pub fn first(
        &mut self,
        setting: &Setting,
        signal: Option<Signal>,
    ) -> Option<(&'static str, &'e str)> {
        for name in setting.names() {
            if self.place(name).is_some()
                && (signal.is_none() || table::signal(name).is_none_or(|of| Some(of) == signal))
            {
                return Some((core::str::from_utf8(name).ok()?, self.get(name)?));
            }
        }
        None
    }

    /// What a setting's values are judged to be, if one is set: the default if it is wrong, which is told.
    pub fn read(
        &mut self,
        setting: &Setting,
        signal: Option<Signal>,
    ) -> Option<(&'static str, u64)> {
        let (name, value) = self.first(setting, signal)?;
        let judged = setting.values.judge(value);
        if judged.is_none() {
            self.wrong(setting, name, value);
        }
        Some((name, judged.unwrap_or_else(|| setting.values.default())))
    }

    /// The same, or the default.
    pub fn value(&mut self, setting: &Setting, signal: Option<Signal>) -> u64 {
        match self.read(setting, signal) {
            Some((_, value)) => value,
            None => setting.values.default(),
        }
    }

    /// Says something of the variable that was found last, once.
    pub fn say(&mut self, parts: &[&[u8]]) {
        if !self.is_told {
            (self.warn)(parts);
        }
    }

    /// Says that a value is none that the setting may have.
    pub fn wrong(&mut self, setting: &Setting, name: &str, value: &str) {
        let mut problem = Vec::from(b"it may be ".as_slice());
        setting.values.push_possible(&mut problem);
        problem.extend_from_slice(b"; used instead: ");
        setting.values.push_default(&mut problem);
        self.not_used(name, value, &problem);
    }

    /// Says why a value is not used.
    pub fn not_used(&mut self, name: &str, value: &str, problem: &[u8]) {
        let value = value.get(..value.floor_char_boundary(64));
        self.say(&[
            name.as_bytes(),
            b"=\"",
            value.unwrap_or_default().as_bytes(),
            b"\" is not used: ",
            problem,
        ]);
    }

    /// Says that a pair of a list is not used. Which one, by its place: what stands there may be a secret.
    pub fn left_out(&mut self, name: &str, place: usize) {
        let mut number = Vec::new();
        decimal::push(&mut number, place as u64);
        self.say(&[
            name.as_bytes(),
            b": pair ",
            &number,
            b" is left out: it is not of the form name=value, is not UTF-8, is too long, or is one too many",
        ]);
    }
}
