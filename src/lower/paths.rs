//! The keys of the event that a policy reads, as a tree.
//!
//! A reader walks an event and this tree together and skips what is not in it. A node may serve several readers
//! at once: `event.authentication.methods[].type` is part of `performed` and may be a fact's path too.

use crate::check::policy::{Each, MayBeMissing, Segment};

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
    nodes: Vec<PathNode>,
}

/// One value of the event.
#[derive(Clone, Default, Debug)]
pub struct PathNode {
    /// Its key, or `None` for an element of an array.
    key: Option<String>,
    /// What holds it.
    parent: Option<PathId>,
    /// The keys read of it; sorted.
    keys: Vec<(String, PathId)>,
    /// Where its elements are read.
    pub element: Option<PathId>,
    /// Who takes the value.
    pub consumers: Vec<Consumer>,
    /// The keys that an object here must have: those of an array's elements without a `?`.
    pub required: Vec<PathId>,
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

impl Default for PathTree {
    fn default() -> Self {
        PathTree { nodes: vec![PathNode::default()] }
    }
}

impl PathNode {
    /// Where the value under a key is read, and that key's position among those read.
    pub fn key(&self, key: &str) -> Option<(usize, PathId)> {
        let place = self.keys.binary_search_by(|(known, _)| known.as_str().cmp(key)).ok()?;
        self.keys.get(place).map(|(_, id)| (place, *id))
    }

    /// Whether it is read as an object.
    pub fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }
}

impl PathTree {
    /// The event itself.
    pub const ROOT: PathId = PathId(0);

    /// The node of an id of this tree.
    pub fn node(&self, id: PathId) -> &PathNode {
        &self.nodes[id.0 as usize]
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing of an event is read.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    /// The path to a node as a policy writes it: `event.user.enrolledFactors[].type`.
    pub fn text(&self, id: PathId) -> String {
        let mut parts = Vec::new();
        let mut at = Some(id);
        while let Some(node) = at.map(|id| self.node(id)) {
            parts.push(match &node.key {
                Some(key) => key_text(key),
                None if node.parent.is_some() => "[]".to_owned(),
                None => "event".to_owned(),
            });
            at = node.parent;
        }
        parts.into_iter().rev().collect()
    }

    /// Adds the value of a variable that is one value.
    pub(crate) fn add_value(&mut self, path: &[Segment], variable: usize) {
        let end = path.iter().fold(Self::ROOT, |at, segment| self.descend(at, segment));
        self.consume(end, Consumer::Variable(variable));
    }

    /// Adds the elements of a variable that is a list or a set: of the array at the path's end, if the path passes
    /// through none. What an element must have is settled there; all else is missing for the whole event.
    pub(crate) fn add_elements(&mut self, path: &[Segment], variable: usize) {
        let mut at = Self::ROOT;
        let mut array = None;
        for segment in path {
            let value = self.child(at, &segment.key);
            if array.is_some() && segment.may_be_missing == MayBeMissing::No {
                self.require(at, value);
            }
            at = value;
            if segment.each == Each::Element {
                array = array.or(Some(value));
                at = self.element(value);
            }
        }
        let array = array.unwrap_or_else(|| {
            let value = at;
            at = self.element(value);
            value
        });
        self.consume(array, Consumer::Gathered(variable));
        self.consume(at, Consumer::Element(variable));
    }

    /// Adds something that may be missing. Beyond an array there is no one thing: the array is what is there.
    pub(crate) fn add_presence(&mut self, path: &[Segment], presence: usize) {
        let mut at = Self::ROOT;
        for segment in path {
            at = self.child(at, &segment.key);
            if segment.each == Each::Element {
                break;
            }
        }
        self.consume(at, Consumer::Presence(presence));
    }

    /// Adds `event.user.enrolledFactors[].type`.
    pub(crate) fn add_enrolled(&mut self) {
        let array = ["user", "enrolledFactors"].iter().fold(Self::ROOT, |at, key| self.child(at, key));
        let entry = self.element(array);
        self.consume(entry, Consumer::Enrolled);
        let name = self.child(entry, "type");
        self.require(entry, name);
        self.consume(name, Consumer::EnrolledType);
    }

    /// Adds the entries of `event.authentication.methods[]`.
    pub(crate) fn add_performed(&mut self) {
        let array = ["authentication", "methods"].iter().fold(Self::ROOT, |at, key| self.child(at, key));
        let entry = self.element(array);
        self.consume(entry, Consumer::Method);
        for (key, consumer) in [
            ("name", Consumer::MethodName),
            ("type", Consumer::MethodType),
            ("timestamp", Consumer::MethodTime),
        ] {
            let part = self.child(entry, key);
            self.consume(part, consumer);
        }
    }

    fn descend(&mut self, at: PathId, segment: &Segment) -> PathId {
        let value = self.child(at, &segment.key);
        match segment.each {
            Each::Value => value,
            Each::Element => self.element(value),
        }
    }

    fn child(&mut self, at: PathId, key: &str) -> PathId {
        let keys = &self.nodes[at.0 as usize].keys;
        match keys.binary_search_by(|(known, _)| known.as_str().cmp(key)) {
            Ok(place) => keys[place].1,
            Err(place) => {
                let id =
                    self.add(PathNode { key: Some(key.to_owned()), parent: Some(at), ..PathNode::default() });
                self.nodes[at.0 as usize].keys.insert(place, (key.to_owned(), id));
                id
            }
        }
    }

    fn element(&mut self, at: PathId) -> PathId {
        self.nodes[at.0 as usize].element.unwrap_or_else(|| {
            let id = self.add(PathNode { parent: Some(at), ..PathNode::default() });
            self.nodes[at.0 as usize].element = Some(id);
            id
        })
    }

    fn add(&mut self, node: PathNode) -> PathId {
        let id = PathId(self.nodes.len() as u32);
        self.nodes.push(node);
        id
    }

    fn require(&mut self, at: PathId, key: PathId) {
        let required = &mut self.nodes[at.0 as usize].required;
        if !required.contains(&key) {
            required.push(key);
        }
    }

    fn consume(&mut self, at: PathId, consumer: Consumer) {
        self.nodes[at.0 as usize].consumers.push(consumer);
    }
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
