//! One login, read as the policy is written.
//!
//! This is the plain reading of a typed policy over plain values: no diagrams, no machine words, nothing optimised.
//! It remembers what it met, in order: each condition with its answer, each statement, each value that it looked at.
//! So it replays what the proofs find, tells tests what they cover, and tells people why. [`event`] is what a login
//! begins with, [`session`] what it has done and the rules of its prompts, [`evaluate`] the conditions.
//!
//! It knows the typed policy alone, and shares nothing with the backends: the tests hold them to each other.

mod evaluate;
mod event;
mod looked;
mod session;
mod values;
mod words;

pub use evaluate::{Met, StepFacts, is_one_text};
pub use event::{Event, FactValue};
pub use looked::{Looked, LookedAt};
pub use session::{
    ExecutedCommand, MAX_COMMANDS, Passed, Prompt, Refusal, Session, StepEnd, StepRun, offered,
};
pub use values::{hour, matches, view_of, weekday};
pub use words::{Words, duration, instant, only_variable_of, quoted};
