//! What a server holds in its hands: facts to fill, and decisions to show.
//!
//! [`Facts`] is a record laid out by one policy. It is filled through typed [slots](Slot), from any serde
//! deserializer, from JSON text, or from anything that serializes; [`Decision`] says what a decision word means.
//! There is no compiler in here: this room knows the program and its layout only.

#[cfg(feature = "arrow")]
mod batch;
mod decision;
mod digest;
mod facts;
pub(crate) mod login;
mod read;
mod record;
mod slot;
mod store;

#[cfg(feature = "arrow")]
pub use batch::{BatchDecisions, BatchError, RowError};
pub use decision::{Command, Decision, FactorChoice};
pub use digest::Digest;
pub(crate) use digest::SealKey;
pub use facts::{DecideError, FactorSet, Facts};
pub use login::{
    AnswerError, Availability, Failure, LogEntry, LoginError, Next, Prompt, ResumeError, SavedLogin, Screen,
    UnknownFactor,
};
pub use read::{ReadError, ReadErrorKind};
pub use slot::{FactType, SetError, Slot, SlotError};
