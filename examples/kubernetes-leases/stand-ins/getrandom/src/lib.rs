//! getrandom 0.2 takes entropy from the kernel by a system call of its own, past the simulation, so that no run of a crate that
//! draws by rand 0.8 would repeat. Later releases ask the C library, where the simulation answers. This has the old interface,
//! as far as rand 0.8 needs it, and asks the later release.

use std::num::NonZeroU32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error(NonZeroU32);

impl Error {
    pub const INTERNAL_START: u32 = 1 << 31;
    pub const CUSTOM_START: u32 = (1 << 31) + (1 << 30);

    pub fn code(self) -> NonZeroU32 {
        self.0
    }

    pub fn raw_os_error(self) -> Option<i32> {
        None
    }
}

impl From<NonZeroU32> for Error {
    fn from(code: NonZeroU32) -> Self {
        Self(code)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no entropy: code {}", self.0)
    }
}

impl std::error::Error for Error {}

pub fn getrandom(destination: &mut [u8]) -> Result<(), Error> {
    getrandom_4::fill(destination).map_err(|_| Error(NonZeroU32::MIN.saturating_add(Error::INTERNAL_START)))
}
