//! What stands for the StatsD socket without the feature `metrics`: there is none.

use std::io::{Error, ErrorKind, Result};
use std::os::fd::RawFd;

use crate::clock::Wall;
use crate::source::intake::Intake;

pub enum StatsdSocket {}

impl StatsdSocket {
    pub fn open(_port: u16) -> Result<StatsdSocket> {
        Err(Error::from(ErrorKind::Unsupported))
    }

    #[must_use]
    pub const fn interest(&self) -> Option<RawFd> {
        match *self {}
    }

    #[must_use]
    pub const fn is_resting(&self) -> bool {
        match *self {}
    }

    pub const fn serve(&mut self, _intake: &mut Intake, _now: Wall) {
        match *self {}
    }

    #[must_use]
    pub const fn dropped(&self) -> u64 {
        match *self {}
    }
}
