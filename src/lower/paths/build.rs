//! A path tree while it grows: nodes with lists of their own, in the order in which they are added.

use super::{
    Consumer, IS_ELEMENT, IS_REQUIRED, PackedConsumer, PathTree, REQUIRES, Row, key_order, length_bit,
};
use crate::check::policy::{Each, MayBeMissing, Segment};

/// A [`PathTree`] to be.
pub(crate) struct PathTreeBuilder {
    nodes: Vec<Node>,
}

/// A node, by its position in the builder.
type NodeIndex = usize;

#[derive(Default)]
struct Node {
    /// `None` for an element, and for the event.
    key: Option<String>,
    /// Sorted as in the tree.
    keys: Vec<NodeIndex>,
    element: Option<NodeIndex>,
    consumers: Vec<Consumer>,
    is_required: bool,
}

const ROOT: NodeIndex = 0;

impl Default for PathTreeBuilder {
    fn default() -> Self {
        PathTreeBuilder { nodes: vec![Node::default()] }
    }
}

impl PathTreeBuilder {
    /// Adds the value of a variable that is one value.
    pub(crate) fn add_value(&mut self, path: &[Segment], variable: usize) {
        let end = path.iter().fold(ROOT, |at, segment| self.descend(at, segment));
        self.consume(end, Consumer::Variable(variable));
    }

    /// Adds the elements of a variable that is a list or a set: of the array at the path's end, if the path passes
    /// through none. What an element must have is settled there; all else is missing for the whole event.
    pub(crate) fn add_elements(&mut self, path: &[Segment], variable: usize) {
        let mut at = ROOT;
        let mut array = None;
        for segment in path {
            at = self.child(at, &segment.key);
            self.nodes[at].is_required |= array.is_some() && segment.may_be_missing == MayBeMissing::No;
            if segment.each == Each::Element {
                array = array.or(Some(at));
                at = self.element(at);
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
        let mut at = ROOT;
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
        let array = ["user", "enrolledFactors"].iter().fold(ROOT, |at, key| self.child(at, key));
        let entry = self.element(array);
        self.consume(entry, Consumer::Enrolled);
        let name = self.child(entry, "type");
        self.nodes[name].is_required = true;
        self.consume(name, Consumer::EnrolledType);
    }

    /// Adds the entries of `event.authentication.methods[]`.
    pub(crate) fn add_performed(&mut self) {
        let array = ["authentication", "methods"].iter().fold(ROOT, |at, key| self.child(at, key));
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

    /// The tree of all that was added.
    pub(crate) fn finish(self) -> PathTree {
        let mut order = vec![ROOT];
        let mut rows = Vec::with_capacity(self.nodes.len() + 1);
        let mut consumers = Vec::new();
        let mut keys = String::new();
        let mut next = 0;
        while let Some(node) = order.get(next).map(|index| &self.nodes[*index]) {
            rows.push(self.row(node, &order, &consumers, &keys));
            order.extend(node.keys.iter().chain(&node.element));
            consumers.extend(node.consumers.iter().map(|consumer| PackedConsumer::pack(*consumer)));
            keys.push_str(node.key.as_deref().unwrap_or_default());
            next += 1;
        }
        rows.push(self.row(&Node::default(), &order, &consumers, &keys));
        PathTree { nodes: rows.into(), consumers: consumers.into(), keys: keys.into() }
    }

    /// A node as a row, where so much stands before it.
    fn row(&self, node: &Node, order: &[NodeIndex], consumers: &[PackedConsumer], keys: &str) -> Row {
        let parts = || node.keys.iter().map(|part| &self.nodes[*part]);
        let marks = [
            (node.key.is_none(), IS_ELEMENT),
            (node.is_required, IS_REQUIRED),
            (parts().any(|part| part.is_required), REQUIRES),
        ];
        Row {
            parts: order.len() as u32,
            consumers: consumers.len() as u32,
            key: keys.len() as u32,
            key_lengths: parts()
                .filter_map(|part| part.key.as_deref())
                .fold(0, |bits, key| bits | length_bit(key)),
            marks: marks.iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark).sum(),
        }
    }

    fn descend(&mut self, at: NodeIndex, segment: &Segment) -> NodeIndex {
        let value = self.child(at, &segment.key);
        match segment.each {
            Each::Value => value,
            Each::Element => self.element(value),
        }
    }

    fn child(&mut self, at: NodeIndex, key: &str) -> NodeIndex {
        let key_of = |node: &NodeIndex| self.nodes[*node].key.as_deref().unwrap_or_default();
        match self.nodes[at].keys.binary_search_by(|known| key_order(key_of(known), key)) {
            Ok(place) => self.nodes[at].keys[place],
            Err(place) => {
                let node = self.add(Node { key: Some(key.to_owned()), ..Node::default() });
                self.nodes[at].keys.insert(place, node);
                node
            }
        }
    }

    fn element(&mut self, at: NodeIndex) -> NodeIndex {
        self.nodes[at].element.unwrap_or_else(|| {
            let node = self.add(Node::default());
            self.nodes[at].element = Some(node);
            node
        })
    }

    fn add(&mut self, node: Node) -> NodeIndex {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn consume(&mut self, at: NodeIndex, consumer: Consumer) {
        self.nodes[at].consumers.push(consumer);
    }
}
