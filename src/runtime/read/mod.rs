//! Reading an event: only what the policy reads, from any serde format or any value that serializes.
//!
//! All ways in drive one walk over the layout's [path tree](crate::lower::paths): `json` reads text, `deserialize` is a
//! seed for a serde deserializer, `serialize` is a serializer that writes nothing down. What no path of the tree leads
//! to is skipped.
//!
//! `null` counts as absent. A gathered list (`identities[].provider?`) takes what its elements have; without the
//! `?` an element that lacks the key is an error. `enrolled` comes from `event.user.enrolledFactors[].type` and
//! `performed` from the entries of `event.authentication.methods[]` whose name is `mfa`; where those arrays are
//! absent there is none.

mod deserialize;
mod json;
mod key;
mod scalar;
mod serialize;
mod walk;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer};
use serde::{Serialize, de, ser};

use crate::lower::layout::AbsenceLayout;
use crate::lower::paths::PathTree;
use crate::runtime::facts::Facts;
use crate::runtime::record::Input;
pub(super) use walk::Met;
use walk::Walk;

/// Why an event could not be read. The facts are then left unfilled, and no policy decides on them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    /// Where in the event.
    pub path: String,
    /// What is there.
    pub found: String,
    /// What the policy declares.
    pub wanted: String,
    /// What is the matter.
    pub kind: ReadErrorKind,
}

/// What is the matter with a value of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadErrorKind {
    /// It has another type.
    WrongType,
    /// A number beyond ±(2^53−1), which JSON doesn't carry exactly.
    OutOfRange,
    /// A text that is no RFC 3339 instant.
    BadInstant,
    /// A text that is no IP address.
    BadAddress,
    /// A text that is no value of the ordered enum.
    UnknownValue,
    /// A key that stands in its object twice.
    RepeatedKey,
    /// A value that the event lacks.
    Missing,
    /// An event that the format itself refuses; `found` says why.
    Malformed,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReadError { path, found, wanted, kind } = self;
        match kind {
            ReadErrorKind::RepeatedKey => write!(f, "`{path}` stands in the event twice"),
            ReadErrorKind::Missing => write!(f, "`{path}` is missing, and {wanted} was wanted"),
            ReadErrorKind::Malformed => write!(f, "the event can't be read: {found}"),
            _ => write!(f, "`{path}` is {found}, and {wanted} was wanted"),
        }
    }
}

impl std::error::Error for ReadError {}

/// Lets a [`ReadError`] pass through serde's own error types.
impl ReadError {
    fn malformed(error: impl fmt::Display) -> Self {
        ReadError {
            path: "event".to_owned(),
            found: error.to_string(),
            wanted: String::new(),
            kind: ReadErrorKind::Malformed,
        }
    }
}

impl ser::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ReadError::malformed(message)
    }
}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ReadError::malformed(message)
    }
}

impl Facts {
    /// Reads an event from a serde deserializer of any self-describing format. All that was filled before is
    /// forgotten, also `now`.
    pub fn read<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), ReadError> {
        self.read_with(|walk| {
            let seed = deserialize::Seed { walk, at: PathTree::ROOT };
            let result = seed.deserialize(deserializer);
            result.map_err(|error| walk.error.take().unwrap_or_else(|| ReadError::malformed(error)))
        })
    }

    /// Reads an event from JSON text; nothing may follow it. All that was filled before is forgotten, also `now`.
    ///
    /// It is one pass over the bytes. What the policy reads, and what leads to it, has to be JSON to the last byte; of
    /// what it doesn't read, strings have to end, as many brackets to close as open, and all has to be UTF-8.
    pub fn read_json(&mut self, json: &[u8]) -> Result<(), ReadError> {
        let mut unescaped = std::mem::take(&mut self.unescaped);
        let result = self.read_with(|walk| {
            let text = simdutf8::compat::from_utf8(json).map_err(ReadError::malformed)?;
            json::Reader::new(text, walk, &mut unescaped).event(PathTree::ROOT)
        });
        self.unescaped = unescaped;
        result
    }

    /// Reads an event from anything that serializes. All that was filled before is forgotten, also `now`.
    pub fn read_from<T: Serialize + ?Sized>(&mut self, event: &T) -> Result<(), ReadError> {
        self.read_with(|walk| event.serialize(serialize::Sink { walk, at: PathTree::ROOT }))
    }

    fn read_with(
        &mut self,
        walk: impl FnOnce(&mut Walk<'_>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        self.reset();
        let mut walker = Walk::new(&self.layout, &mut self.record, &mut self.met);
        let result = walk(&mut walker).and_then(|()| self.finish());
        result.inspect_err(|_| self.spoil())
    }

    /// After a failed read: nothing of the event stays, and nothing is decided until the next reset.
    fn spoil(&mut self) {
        self.reset();
        self.record.unmark(&self.layout, Input::Event);
    }

    /// Settles what the event lacks.
    fn finish(&mut self) -> Result<(), ReadError> {
        let (layout, record) = (&*self.layout, &mut self.record);
        for (place, variable) in layout.variables.iter().enumerate() {
            if record.is_filled(layout, Input::Variable(place)) {
                continue;
            }
            match variable.absence {
                AbsenceLayout::Tracked(presence) if !record.is_there(layout, presence) => {
                    record.fill_absent(layout, place, presence);
                }
                _ => {
                    return Err(ReadError {
                        path: layout.path_of(place),
                        found: "missing".to_owned(),
                        wanted: scalar::wanted(variable),
                        kind: ReadErrorKind::Missing,
                    });
                }
            }
        }
        for presence in 0..layout.presences.len() {
            if !record.is_there(layout, presence) {
                record.vanish(layout, presence);
            }
        }
        if layout.enrolled.is_some() {
            record.mark(layout, Input::Enrolled);
        }
        if layout.performed.is_read() {
            record.mark(layout, Input::Performed);
        }
        Ok(())
    }
}
