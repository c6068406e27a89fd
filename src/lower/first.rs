//! Which of many comes first: chains of tests of single bits become a switch.
//!
//! `if user.roles contains "a" { … stop } if user.roles contains "b" { … stop }` asks for one bit after the other. What
//! it finds is the first test that says yes, so that is worked out when the list is stored: a [word](FirstOf) of
//! the record holds the least rank among the elements that are there. Where a rule asks for more, and goes on to the next
//! test if that doesn't hold, further words say which come second and third; if there are more, the bits are asked.
//! The patterns of a text are treated alike.

use std::collections::HashMap;

use cranelift_entity::{EntitySet, PrimaryMap, SecondaryMap};
use smallvec::SmallVec;

use crate::lower::graph::{for_each_target, for_each_target_mut, reachable};
use crate::lower::layout::{BitSlot, FirstOf, Layout, VariableSlots, WordSlot};
use crate::lower::program::{Case, Node, NodeId, Test};

/// A chain of this many tests is better as a switch.
const WORTH_IT: usize = 8;

/// A chain has to ask for one of so many of the bits at least, since each bit is given a rank.
const MOST_UNRANKED: usize = 8;

/// How many words say which come first, where a rule may go on to the next test.
const MAX_WORDS: usize = 3;

/// The most ways of a rule's blocks that are copied for a word.
const MAX_COPIED: usize = 24;

type Nodes = PrimaryMap<NodeId, Node>;

/// A variable, by its position in the layout.
type Variable = usize;

/// What steps ask to be worked out.
pub(super) struct Firsts {
    /// Whose bit it is, and its position there; of those that have many.
    owners: HashMap<BitSlot, (Variable, usize)>,
    /// How many bits a variable has.
    bits: HashMap<Variable, usize>,
    /// The next word of the record.
    next: u32,
    found: Vec<(Variable, FirstOf)>,
}

/// Whether rules go on to the next test.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum GoingOn {
    /// A rule whose test says yes is the last.
    Never,
    /// Only as if it had said no, so that it may be asked again.
    WithoutEffect,
    /// Also after a command.
    WithCommands,
}

/// Tests of one variable that follow each other on their no-sides.
struct Chain {
    variable: Variable,
    links: Vec<Link>,
    /// Where the last no leads.
    end: NodeId,
    /// The rank of each bit by its position, and `links.len()` where it has none.
    ranks: Vec<u32>,
}

struct Link {
    then: NodeId,
    otherwise: NodeId,
}

impl Chain {
    fn going_on(&self, nodes: &Nodes) -> GoingOn {
        let links = self.links.iter().filter(|link| link.otherwise != self.end);
        let of_link = |link: &Link| {
            let mut between = Between::new(nodes, link.otherwise);
            if !between.reaches(link.then) {
                return GoingOn::Never;
            }
            let is_command = |id: &&NodeId| matches!(nodes[**id], Node::Command { .. });
            let mut commands = between.met.iter().filter(is_command);
            let leads_on = |id: &NodeId| Between::new(nodes, link.otherwise).reaches(*id);
            if between.is_large || commands.any(leads_on) {
                GoingOn::WithCommands
            } else {
                GoingOn::WithoutEffect
            }
        };
        links.map(of_link).max().unwrap_or(GoingOn::Never)
    }
}

impl Firsts {
    pub(super) fn new(layout: &Layout) -> Self {
        let mut owners = HashMap::new();
        let mut bits = HashMap::new();
        for (variable, place) in layout.variables.iter().enumerate() {
            let of_variable: Vec<BitSlot> = match &place.slots {
                VariableSlots::List(list) => list.elements.to_vec(),
                VariableSlots::Text(text) => text.patterns.iter().map(|pattern| pattern.bit).collect(),
                _ => continue,
            };
            if of_variable.len() >= WORTH_IT {
                bits.insert(variable, of_variable.len());
                let places = of_variable.into_iter().enumerate();
                owners.extend(places.map(|(place, bit)| (bit, (variable, place))));
            }
        }
        Firsts { owners, bits, next: layout.words as u32, found: Vec::new() }
    }

    /// Lays out what was asked for.
    pub(super) fn finish(self, layout: &mut Layout) {
        layout.words = self.next as usize;
        for (variable, first) in self.found {
            match &mut layout.variables[variable].slots {
                VariableSlots::List(list) => list.firsts.push(first),
                VariableSlots::Text(text) => text.firsts.push(first),
                _ => unreachable!("only lists and texts own bits"),
            }
        }
    }

    /// A step with its chains as switches.
    pub(super) fn rewrite(&mut self, nodes: Nodes, entry: NodeId) -> (Nodes, NodeId) {
        if self.owners.is_empty() {
            return (nodes, entry);
        }
        let mut inner = EntitySet::new();
        for node in nodes.values() {
            if let Some((variable, _, link)) = self.link(node)
                && let Some((next, ..)) = self.link(&nodes[link.otherwise])
                && variable == next
            {
                inner.insert(link.otherwise);
            }
        }
        let mut rewritten = Nodes::with_capacity(nodes.len());
        let mut renamed = SecondaryMap::with_default(entry);
        for (id, node) in &nodes {
            let chain = if inner.contains(id) { None } else { self.chain(&nodes, id) };
            renamed[id] =
                match chain {
                    Some(chain) => Switches { nodes: &nodes, renamed: &renamed, rewritten: &mut rewritten }
                        .add(id, &chain, self.words(&nodes, &chain)),
                    None => {
                        let mut node = node.clone();
                        for_each_target_mut(&mut node, |target| *target = renamed[*target]);
                        rewritten.push(node)
                    }
                };
        }
        reachable(renamed[entry], |id| rewritten[id].clone())
    }

    /// A block that asks whether some of a variable's bits are set: the variable, the bits' positions, the ways.
    fn link(&self, node: &Node) -> Option<(Variable, SmallVec<[usize; 2]>, Link)> {
        let Node::Branch { test: Test::AnyBit { slot, mask }, then, otherwise } = node else { return None };
        let mut positions = SmallVec::new();
        let mut owner = None;
        for bit in (0..64).filter(|bit| mask >> bit & 1 != 0) {
            let (variable, position) = *self.owners.get(&BitSlot { word: *slot, bit })?;
            if *owner.get_or_insert(variable) != variable {
                return None;
            }
            positions.push(position);
        }
        Some((owner?, positions, Link { then: *then, otherwise: *otherwise }))
    }

    /// The chain that begins with a block, if one does that is worth it.
    fn chain(&self, nodes: &Nodes, head: NodeId) -> Option<Chain> {
        let (variable, ..) = self.link(&nodes[head])?;
        let bits = *self.bits.get(&variable)?;
        let mut chain = Chain { variable, links: Vec::new(), end: head, ranks: vec![u32::MAX; bits] };
        let mut ranked = 0;
        while let Some((owner, positions, link)) = self.link(&nodes[chain.end]) {
            let is_new = |position: &usize| chain.ranks[*position] == u32::MAX;
            if owner != variable || !positions.iter().all(is_new) {
                break;
            }
            ranked += positions.len();
            positions.iter().for_each(|position| chain.ranks[*position] = chain.links.len() as u32);
            chain.end = link.otherwise;
            chain.links.push(link);
        }
        let none = chain.links.len() as u32;
        chain.ranks.iter_mut().for_each(|rank| *rank = none.min(*rank));
        (chain.links.len() >= WORTH_IT && ranked * MOST_UNRANKED >= bits).then_some(chain)
    }

    /// The words that a chain's switches ask about.
    fn words(&mut self, nodes: &Nodes, chain: &Chain) -> Vec<WordSlot> {
        let count = match chain.going_on(nodes) {
            GoingOn::Never => 1,
            GoingOn::WithoutEffect => MAX_WORDS + 1,
            GoingOn::WithCommands => MAX_WORDS,
        };
        let slots: Vec<WordSlot> = (self.next..).take(count).map(WordSlot).collect();
        self.next += count as u32;
        let first =
            FirstOf { slots: slots.clone(), ranks: chain.ranks.clone(), none: chain.links.len() as u32 };
        self.found.push((chain.variable, first));
        slots
    }
}

/// Makes the switches of a chain.
struct Switches<'a> {
    nodes: &'a Nodes,
    renamed: &'a SecondaryMap<NodeId, NodeId>,
    rewritten: &'a mut Nodes,
}

impl Switches<'_> {
    /// A switch for each word, the first last: a rule that goes on leads to the switch of the next word. If there is a word
    /// more than these, it says whether all has to be asked again, bit by bit.
    fn add(&mut self, head: NodeId, chain: &Chain, mut words: Vec<WordSlot>) -> NodeId {
        let mut next = None;
        if words.len() > MAX_WORDS
            && let Some(slot) = words.pop()
        {
            let mut head = self.nodes[head].clone();
            for_each_target_mut(&mut head, |target| *target = self.renamed[*target]);
            let head = self.rewritten.push(head);
            let test = Test::Between { slot, low: 0, high: chain.links.len() as i64 - 1 };
            let otherwise = self.renamed[chain.end];
            next = Some(self.rewritten.push(Node::Branch { test, then: head, otherwise }));
        }
        for slot in words.into_iter().rev() {
            let mut cases = Vec::with_capacity(chain.links.len());
            for (rank, link) in chain.links.iter().enumerate() {
                let next = next.filter(|_| link.otherwise != chain.end);
                let target = next.and_then(|next| self.going_on(link, next));
                cases.push(Case::of(rank as i64, target.unwrap_or(self.renamed[link.then])));
            }
            let otherwise = self.renamed[chain.end];
            next = Some(self.rewritten.push(Node::Switch { slot, cases, otherwise }));
        }
        next.expect("a chain has a word")
    }

    /// A rule that goes on at a block of ours instead of the next test; `None` if it doesn't go on there, or is large.
    fn going_on(&mut self, link: &Link, next: NodeId) -> Option<NodeId> {
        let mut between = Between::new(self.nodes, link.otherwise);
        if !between.reaches(link.then) || between.is_large {
            return None;
        }
        let mut copied: HashMap<NodeId, NodeId> = HashMap::from([(link.otherwise, next)]);
        between.met.sort_unstable();
        for id in between.met {
            let mut node = self.nodes[id].clone();
            let renamed = self.renamed;
            for_each_target_mut(&mut node, |target| {
                *target = copied.get(target).copied().unwrap_or(renamed[*target]);
            });
            copied.insert(id, self.rewritten.push(node));
        }
        copied.get(&link.then).copied()
    }
}

/// A walk of what lies between a block and a later one. (An edge leads to an earlier row, so what is earlier than the one
/// looked for doesn't lead there.)
struct Between<'a> {
    nodes: &'a Nodes,
    wanted: NodeId,
    met: Vec<NodeId>,
    edges: usize,
    is_large: bool,
}

impl<'a> Between<'a> {
    fn new(nodes: &'a Nodes, wanted: NodeId) -> Self {
        Between { nodes, wanted, met: Vec::new(), edges: 0, is_large: false }
    }

    /// Whether a block leads to the one that is wanted, or so much lies after it that nobody has looked.
    fn reaches(&mut self, from: NodeId) -> bool {
        let mut reaches = false;
        let mut work = vec![from];
        while let Some(id) = work.pop() {
            reaches |= id == self.wanted;
            if id <= self.wanted || self.met.contains(&id) {
                continue;
            }
            self.met.push(id);
            for_each_target(&self.nodes[id], |_| self.edges += 1);
            if self.edges > MAX_COPIED {
                self.is_large = true;
                return true;
            }
            for_each_target(&self.nodes[id], |target| work.push(target));
        }
        reaches
    }
}
