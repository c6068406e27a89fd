//! Whole logins, played: [`Login`](crate::Login) and the plain reading of its policy, side by side.
//!
//! Who tests a policy or tries it wants to see more than a server does: which statement asked, what was skipped and
//! why, which conditions were met. The [trace](crate::trace) tells that, and `Login` on machine code is what a server
//! would run. A [`Player`] drives both over a [`World`] of plain values and compares them at every prompt and end, so
//! that nothing is ever shown or tested that a server would not do.
//!
//! It knows the typed policy, the trace and the front door.

mod answer;
mod confirm;
mod event;
mod explain;
mod fill;
mod nearest;
mod player;
mod seen;
mod world;

pub use crate::lower::paths::path_text;
pub use crate::trace::only_variable_of;
pub use answer::{WrongAnswer, read_factors, read_performed, read_value, wanted};
pub use confirm::confirm;
pub use event::{read_event, read_partial_event};
pub use explain::{Asked, Explanation, NotGiven, Reason, excerpt, explain, place};
pub use nearest::{Change, nearest};
pub use player::{Happening, Outcome, PlayError, Player, Skip};
pub use seen::{Seen, View};
pub use world::{Clock, World};
