//! The processors that Lambda has.

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Architecture {
    #[value(name = "x86_64")]
    X86_64,
    #[value(name = "arm64")]
    Arm64,
}

impl Architecture {
    pub(crate) const ALL: [Architecture; 2] = [Architecture::X86_64, Architecture::Arm64];

    /// As Lambda calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
        }
    }

    /// As Rust calls it.
    pub(crate) const fn target(self) -> &'static str {
        match self {
            Architecture::X86_64 => "x86_64-unknown-linux-musl",
            Architecture::Arm64 => "aarch64-unknown-linux-musl",
        }
    }

    /// As Debian calls it, where its musl lies.
    pub(crate) const fn debian_musl(self) -> &'static str {
        match self {
            Architecture::X86_64 => "/usr/lib/x86_64-linux-musl",
            Architecture::Arm64 => "/usr/lib/aarch64-linux-musl",
        }
    }

    /// Debian's package of it.
    pub(crate) const fn debian_package(self) -> &'static str {
        match self {
            Architecture::X86_64 => "musl-dev:amd64",
            Architecture::Arm64 => "musl-dev:arm64",
        }
    }
}
