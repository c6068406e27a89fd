//! The keys of the event that a policy reads, as a tree.
//!
//! A reader walks an event and this tree together and skips what is not in it. A node may serve several readers
//! at once: `event.authentication.methods[].type` is part of `performed` and may be a fact's path too.
//!
//! A server holds a tree for each resident policy, and looks up each key of an event that lies on the way. So the tree
//! is flat: its nodes stand in breadth-first order, the parts of one side by side, and all keys in one text.

mod build;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(crate) use build::PathTreeBuilder;

use crate::check::policy::{Each, Segment};

/// A node of a [`PathTree`], by its position; 0 is the event itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PathId(u32);

impl PathId {
    /// Its position.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The tree; it has at least its root.
#[derive(Clone, Debug)]
pub struct PathTree {
    /// One more than there are: each node's parts, consumers and key end where the next one's begin.
    nodes: Box<[Row]>,
    consumers: Box<[PackedConsumer]>,
    /// The keys, in the order of the nodes.
    keys: Box<str>,
}

/// A node as it is stored.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Its first part: keys by their length and then their bytes, and last the element.
    parts: u32,
    consumers: u32,
    /// Where its key begins; an element and the event have none.
    key: u32,
    /// A bit for each length, modulo 16, that a key of its parts has.
    key_lengths: u16,
    marks: u16,
}

/// The node is what the elements of an array are read as. (The event is marked so too: it has no key either.)
const IS_ELEMENT: u16 = 1;
/// The object that holds the node must have it.
const IS_REQUIRED: u16 = 2;
/// A part of the node is required.
const REQUIRES: u16 = 4;

/// One value of the event.
#[derive(Clone, Copy, Debug)]
pub struct PathNode<'t> {
    tree: &'t PathTree,
    row: Row,
    parts_end: u32,
    consumers_end: u32,
}

/// What a value of the event is read for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consumer {
    /// It says that something is there: a position in the layout's presences.
    Presence(usize),
    /// It is a variable's value: a position in the layout's variables.
    Variable(usize),
    /// It is an array, and its elements (or parts of them) are gathered into this variable.
    Gathered(usize),
    /// It is one element, or part of one, of this list or set.
    Element(usize),
    /// It is an enrolled factor.
    Enrolled,
    /// It is the name of an enrolled factor.
    EnrolledType,
    /// It is one entry of the session's authentication methods.
    Method,
    /// It is a method's name; second factors have `mfa`.
    MethodName,
    /// It is a method's factor.
    MethodType,
    /// It is when a method was used.
    MethodTime,
}

/// A consumer in 32 bits: its kind in the lowest four, and a position above.
#[derive(Clone, Copy, Debug)]
struct PackedConsumer(u32);

impl PackedConsumer {
    fn pack(consumer: Consumer) -> Self {
        let (kind, position) = match consumer {
            Consumer::Presence(position) => (0, position),
            Consumer::Variable(position) => (1, position),
            Consumer::Gathered(position) => (2, position),
            Consumer::Element(position) => (3, position),
            Consumer::Enrolled => (4, 0),
            Consumer::EnrolledType => (5, 0),
            Consumer::Method => (6, 0),
            Consumer::MethodName => (7, 0),
            Consumer::MethodType => (8, 0),
            Consumer::MethodTime => (9, 0),
        };
        debug_assert!(position < 1 << 28, "a text of 4 GB declares fewer facts");
        PackedConsumer((position as u32) << 4 | kind)
    }

    fn unpack(self) -> Consumer {
        let position = (self.0 >> 4) as usize;
        match self.0 & 15 {
            0 => Consumer::Presence(position),
            1 => Consumer::Variable(position),
            2 => Consumer::Gathered(position),
            3 => Consumer::Element(position),
            4 => Consumer::Enrolled,
            5 => Consumer::EnrolledType,
            6 => Consumer::Method,
            7 => Consumer::MethodName,
            8 => Consumer::MethodType,
            _ => Consumer::MethodTime,
        }
    }
}

impl Default for PathTree {
    fn default() -> Self {
        PathTreeBuilder::default().finish()
    }
}

impl<'t> PathNode<'t> {
    /// Where the value under a key is read.
    #[inline]
    pub fn key(self, key: &str) -> Option<PathId> {
        if self.row.key_lengths & length_bit(key) == 0 {
            return None;
        }
        let (mut low, mut high) = (self.row.parts, self.keys_end());
        while low < high {
            let middle = low + (high - low) / 2;
            let known = self.tree.key_of(PathId(middle));
            match key_order(known, key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(PathId(middle)),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Where the values of its keys and its elements are read.
    pub fn parts(self) -> Range<usize> {
        self.row.parts as usize..self.parts_end as usize
    }

    /// Whether it is read as an object.
    pub fn has_keys(self) -> bool {
        self.row.key_lengths != 0
    }

    /// Where its elements are read.
    pub fn element(self) -> Option<PathId> {
        let last = PathId(self.parts_end.checked_sub(1)?);
        (last.0 >= self.row.parts && self.tree.is_element(last)).then_some(last)
    }

    /// Who takes the value.
    #[inline]
    pub fn consumers(self) -> impl Iterator<Item = Consumer> + use<'t> {
        let range = self.row.consumers as usize..self.consumers_end as usize;
        let consumers = self.tree.consumers.get(range).unwrap_or_default();
        consumers.iter().map(|consumer| consumer.unpack())
    }

    /// The keys that an object here must have: those of an array's elements without a `?`.
    #[inline]
    pub fn required(self) -> impl Iterator<Item = PathId> + use<'t> {
        let end = if self.row.marks & REQUIRES == 0 { self.row.parts } else { self.parts_end };
        let tree = self.tree;
        (self.row.parts..end)
            .map(PathId)
            .filter(move |part| tree.nodes[part.index()].marks & IS_REQUIRED != 0)
    }

    /// One past its last key.
    fn keys_end(self) -> u32 {
        self.element().map_or(self.parts_end, |element| element.0)
    }
}

impl PathTree {
    /// The event itself.
    pub const ROOT: PathId = PathId(0);

    /// The node of an id of this tree.
    #[inline]
    pub fn node(&self, id: PathId) -> PathNode<'_> {
        let [row, next] = [self.nodes[id.index()], self.nodes[id.index() + 1]];
        PathNode { tree: self, row, parts_end: next.parts, consumers_end: next.consumers }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Whether nothing of an event is read.
    pub fn is_empty(&self) -> bool {
        self.len() == 1
    }

    /// The path to a node as a policy writes it: `event.user.enrolledFactors[].type`.
    pub fn text(&self, id: PathId) -> String {
        let chain = std::iter::successors(Some(id), |id| self.parent(*id));
        let parts = chain.map(|id| match id {
            Self::ROOT => "event".to_owned(),
            id if self.is_element(id) => "[]".to_owned(),
            id => key_text(self.key_of(id)),
        });
        let parts: Vec<String> = parts.collect();
        parts.into_iter().rev().collect()
    }

    /// The path to what a consumer takes.
    pub fn text_of(&self, sought: Consumer) -> Option<String> {
        let mut nodes = (0..self.len() as u32).map(PathId);
        let found = nodes.find(|id| self.node(*id).consumers().any(|consumer| consumer == sought));
        found.map(|id| self.text(id))
    }

    /// The node of which this one is a part: the last whose parts begin no later.
    fn parent(&self, id: PathId) -> Option<PathId> {
        let parent = self.nodes.partition_point(|row| row.parts <= id.0).checked_sub(1)?;
        (id != Self::ROOT).then_some(PathId(parent as u32))
    }

    fn is_element(&self, id: PathId) -> bool {
        self.nodes[id.index()].marks & IS_ELEMENT != 0
    }

    fn key_of(&self, id: PathId) -> &str {
        let [row, next] = [self.nodes[id.index()], self.nodes[id.index() + 1]];
        self.keys.get(row.key as usize..next.key as usize).unwrap_or_default()
    }

    /// What it takes beside itself, in bytes.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.consumers) + self.keys.len()
    }
}

/// The bit of a key's length.
fn length_bit(key: &str) -> u16 {
    1 << (key.len() % 16)
}

/// The order of a node's keys: most that are looked up are told apart by their lengths.
fn key_order(a: &str, b: &str) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// `.key`, or `."https://x/roles"` where the key is not a name.
fn key_text(key: &str) -> String {
    let is_name = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_name { format!(".{key}") } else { format!(".{}", serde_json::Value::from(key)) }
}

/// A path as a policy writes it, for a value that no reader met.
pub fn path_text(path: &[Segment]) -> String {
    let mut text = "event".to_owned();
    for segment in path {
        text.push_str(&key_text(&segment.key));
        if segment.each == Each::Element {
            text.push_str("[]");
        }
    }
    text
}
