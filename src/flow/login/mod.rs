//! One login over plain values: its event, its state between steps, the rules of its prompts, and the search that
//! confirms what the diagrams find. It knows the typed policy alone.

mod evaluate;
mod event;
mod replay;
mod session;

pub use event::{Event, FactValue};
pub(super) use replay::{Goal, find_login};
pub use replay::{Login, Outcome, PlayedCommand, PlayedStep};
pub use session::{MAX_COMMANDS, Passed, Session};
