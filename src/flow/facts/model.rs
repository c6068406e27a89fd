//! The classes of every fact that the flow reads, and the binary variables that number them.
//!
//! The order of the variables decides how large the diagrams grow. Facts with many classes go first: they are what
//! rules are sorted by (an application, an organisation), so below each of their values only its own rules are
//! left. Strings that are compared with each other have their bits interleaved, so that "the same class" stays small.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use cranelift_entity::EntityRef;
use ipnet::IpNet;

use super::address::region_witnesses;
use super::cells::{Cells, MAX_NUMBER};
use super::reads::{MomentReads, Reads, TextReads};
use super::text::TextClasses;
use super::time::{StampOf, Times};
use crate::check::masks::{ALL_FACTORS, bit};
use crate::check::policy::{
    Absence, FactorId, PresenceId, Segment, Type, TypedPolicy, Value, VariableId, View,
};
use crate::flow::budget::{Budget, BudgetExceeded, Limited};

/// Facts with at least so many classes go first.
const MANY_CLASSES: usize = 16;

/// The binary variables that hold a number, highest bit first.
pub(in crate::flow) type Bits = Vec<u32>;

/// The classes of one variable of the event.
#[derive(Debug)]
pub(super) enum VariableModel {
    /// A bool.
    Bool(u32),
    /// An int, a duration, an enum: the number of its cell.
    Number { cells: Cells, bits: Bits },
    /// A time: its class stands in the joint group.
    Time,
    /// A string: the group it is compared in, its place there, the number of its class.
    Text { group: usize, place: usize, bits: Bits },
    /// An address: the number of its region.
    Address { prefixes: BTreeSet<IpNet>, witnesses: Vec<IpAddr>, bits: Bits },
    /// A factor: its number in the catalog plus one; 0 for absent or outside it.
    Factor { bits: Bits },
    /// A set: a variable for each factor of the catalog and one for those outside.
    FactorSet { members: Vec<u32>, other: u32 },
    /// A list: a variable for each constant and one for "not empty".
    List { not_empty: u32, elements: BTreeMap<String, u32> },
}

/// Strings that are compared with each other.
#[derive(Debug)]
pub(super) struct TextGroup {
    pub(super) members: Vec<VariableId>,
    pub(super) classes: TextClasses,
    /// For each two places, the lower first, the variable that says the texts are equal.
    pub(super) equal: BTreeMap<(usize, usize), u32>,
}

/// All classes of all facts.
#[derive(Debug)]
pub(in crate::flow) struct Model {
    pub(super) variables: BTreeMap<VariableId, VariableModel>,
    pub(super) presences: BTreeMap<PresenceId, u32>,
    pub(super) groups: Vec<TextGroup>,
    pub(super) times: Times,
    pub(super) now: Bits,
    /// A time variable's class; a performed factor's class plus one, 0 for never.
    pub(super) stamps: BTreeMap<StampOf, Bits>,
    /// The factor performed last plus one; 0 for none.
    pub(super) last: Option<Bits>,
    /// For the factors that matter, whether they are enrolled at the start.
    pub(super) enrolled: BTreeMap<FactorId, u32>,
    pub(super) other_enrolled: Option<u32>,
    /// How many binary variables there are.
    pub(in crate::flow) size: u32,
}

impl Model {
    /// Finds the classes of all that `reads` reads.
    pub(in crate::flow) fn new(policy: &TypedPolicy, reads: &Reads, budget: &Budget) -> Limited<Self> {
        let stamps = stamp_reads(policy, reads);
        let mut builder = Builder {
            policy,
            reads,
            budget,
            model: Model {
                variables: BTreeMap::new(),
                presences: BTreeMap::new(),
                groups: Vec::new(),
                times: Times::new(&reads.now, &stamps, budget)?,
                now: Vec::new(),
                stamps: BTreeMap::new(),
                last: None,
                enrolled: BTreeMap::new(),
                other_enrolled: None,
                size: 0,
            },
        };
        builder.build()?;
        let limit = budget.variables;
        if builder.model.size as usize > limit {
            Err(BudgetExceeded::Variables { limit })
        } else {
            Ok(builder.model)
        }
    }
}

/// Whether `inner` is `outer` or lies under it.
pub(super) fn lies_under(inner: &[Segment], outer: &[Segment]) -> bool {
    inner.len() >= outer.len() && inner.iter().zip(outer).all(|(a, b)| a.key == b.key && a.each == b.each)
}

/// The points in time that are read, with their tests.
fn stamp_reads(policy: &TypedPolicy, reads: &Reads) -> BTreeMap<StampOf, MomentReads> {
    let mut stamps = BTreeMap::new();
    for (variable, moment) in &reads.moments {
        let mut moment = moment.clone();
        // A default is one instant: a cell of its own, so that its age is its own too.
        if let Absence::Default(Value::Number(default)) = policy.variables[*variable].absence {
            moment.instants.extend([default, default + 1]);
        }
        stamps.insert(StampOf::Variable(*variable), moment);
    }
    let performed = if reads.login.any_performed { ALL_FACTORS } else { reads.login.performed };
    for factor in policy.catalog.factors.keys().filter(|factor| performed & bit(*factor) != 0) {
        let ages = reads.windows_of(factor);
        stamps.insert(StampOf::Performed(factor), MomentReads { ages, ..MomentReads::default() });
    }
    stamps
}

struct Builder<'a> {
    policy: &'a TypedPolicy,
    reads: &'a Reads,
    budget: &'a Budget,
    model: Model,
}

impl Builder<'_> {
    fn build(&mut self) -> Limited<()> {
        let groups = self.text_groups();
        let mut later = Vec::new();
        for group in groups {
            let classes = TextClasses::new(&self.texts_of(&group), group.len(), self.budget)?;
            if classes.count() >= MANY_CLASSES {
                self.text_group(group, classes)
            } else {
                later.push((group, classes))
            }
        }
        let variables = self.reads.variables.clone();
        let (large, small): (Vec<_>, Vec<_>) = variables.into_iter().partition(|v| self.has_many_classes(*v));
        large.into_iter().for_each(|variable| self.variable(variable));
        for presence in &self.reads.presences {
            let number = self.one();
            self.model.presences.insert(*presence, number);
        }
        for (group, classes) in later {
            self.text_group(group, classes);
        }
        small.into_iter().for_each(|variable| self.variable(variable));
        self.times();
        self.enrolled();
        Ok(())
    }

    fn one(&mut self) -> u32 {
        self.model.size += 1;
        self.model.size - 1
    }

    fn number(&mut self, count: usize) -> Bits {
        (0..bits_for(count)).map(|_| self.one()).collect()
    }

    /// The strings, in groups of those that are compared with each other.
    fn text_groups(&self) -> Vec<Vec<VariableId>> {
        let mut group_of: BTreeMap<VariableId, VariableId> =
            self.reads.texts.keys().map(|v| (*v, *v)).collect();
        for (a, b) in &self.reads.same_texts {
            let (a, b) = (group_of.get(a).copied(), group_of.get(b).copied());
            let (Some(kept), Some(gone)) = (a.min(b), a.max(b)) else { continue };
            group_of.values_mut().filter(|group| **group == gone).for_each(|group| *group = kept);
        }
        let mut groups: BTreeMap<VariableId, Vec<VariableId>> = BTreeMap::new();
        for (variable, group) in group_of {
            groups.entry(group).or_default().push(variable);
        }
        groups.into_values().collect()
    }

    /// What is asked of any string of a group, and their defaults, which are texts of their own.
    fn texts_of(&self, group: &[VariableId]) -> TextReads {
        let mut reads = TextReads::default();
        for variable in group {
            let Some(own) = self.reads.texts.get(variable) else { continue };
            reads.equal.extend(own.equal.iter().cloned());
            reads.patterns.extend(own.patterns.iter().cloned());
            reads.domain |= own.domain;
            if let Absence::Default(Value::Text(default)) = &self.policy.variables[*variable].absence {
                reads.equal.insert((View::Whole, default.clone()));
            }
        }
        reads
    }

    fn text_group(&mut self, members: Vec<VariableId>, classes: TextClasses) {
        let mut bits: Vec<Bits> = members.iter().map(|_| Vec::new()).collect();
        for _ in 0..bits_for(classes.count()) {
            bits.iter_mut().for_each(|bits| bits.push(self.one()));
        }
        let group = self.model.groups.len();
        for (place, (variable, bits)) in members.iter().zip(bits).enumerate() {
            self.model.variables.insert(*variable, VariableModel::Text { group, place, bits });
        }
        let places = 0..members.len();
        let pairs: Vec<_> = places.flat_map(|a| (a + 1..members.len()).map(move |b| (a, b))).collect();
        let equal = pairs.into_iter().map(|pair| (pair, self.one())).collect();
        self.model.groups.push(TextGroup { members, classes, equal });
    }

    fn has_many_classes(&self, variable: VariableId) -> bool {
        let cuts = self.reads.numbers.get(&variable).map_or(0, BTreeSet::len);
        let prefixes = self.reads.prefixes.get(&variable).map_or(0, BTreeSet::len);
        cuts.max(prefixes) >= MANY_CLASSES
    }

    fn variable(&mut self, variable: VariableId) {
        let factors = self.policy.catalog.factors.len();
        let model = match &self.policy.variables[variable].ty {
            Type::Text => return,
            Type::Time => VariableModel::Time,
            Type::Bool => VariableModel::Bool(self.one()),
            Type::Int | Type::Duration => self.cells(variable, -MAX_NUMBER..MAX_NUMBER + 1),
            Type::OpenEnum(values) => self.cells(variable, 0..values.len() as i64 + 1),
            Type::OrderedEnum(values) => self.cells(variable, 0..values.len().max(1) as i64),
            Type::Ip => {
                let prefixes = self.reads.prefixes.get(&variable).cloned().unwrap_or_default();
                let witnesses = region_witnesses(&prefixes);
                let bits = self.number(witnesses.len());
                VariableModel::Address { prefixes, witnesses, bits }
            }
            Type::Factor => VariableModel::Factor { bits: self.number(factors + 1) },
            Type::FactorSet => VariableModel::FactorSet {
                members: (0..factors).map(|_| self.one()).collect(),
                other: self.one(),
            },
            Type::TextList => self.list(variable),
        };
        self.model.variables.insert(variable, model);
    }

    fn cells(&mut self, variable: VariableId, range: std::ops::Range<i64>) -> VariableModel {
        let none = BTreeSet::new();
        let cells = Cells::new(range, self.reads.numbers.get(&variable).unwrap_or(&none));
        let bits = self.number(cells.count());
        VariableModel::Number { cells, bits }
    }

    fn list(&mut self, variable: VariableId) -> VariableModel {
        let separator = self.policy.variables[variable].split.clone();
        let constants = self.reads.lists.get(&variable).into_iter().flatten();
        let possible: Vec<String> = constants
            .filter(|text| separator.as_deref().is_none_or(|s| survives_split(text, s)))
            .cloned()
            .collect();
        let elements = possible.into_iter().map(|text| (text, self.one())).collect();
        VariableModel::List { not_empty: self.one(), elements }
    }

    fn times(&mut self) {
        self.model.now = self.number(self.model.times.now.classes.len());
        let counts: Vec<_> =
            self.model.times.stamps.iter().map(|(of, stamp)| (*of, stamp.classes.len())).collect();
        for (of, count) in counts {
            let never = usize::from(matches!(of, StampOf::Performed(_)));
            let bits = self.number(count + never);
            self.model.stamps.insert(of, bits);
        }
        if self.reads.login.last_performed {
            self.model.last = Some(self.number(self.policy.catalog.factors.len() + 1));
        }
    }

    /// Whether an `enroll` may prompt depends on whether anything at all is enrolled.
    fn enrolled(&mut self) {
        let read = if self.reads.login.enrolls { ALL_FACTORS } else { self.reads.login.enrolled };
        for factor in self.policy.catalog.factors.keys().filter(|factor| read & bit(*factor) != 0) {
            let number = self.one();
            self.model.enrolled.insert(factor, number);
        }
        if read == ALL_FACTORS {
            self.model.other_enrolled = Some(self.one());
        }
    }
}

/// The number of bits that tell `count` classes apart.
fn bits_for(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).leading_zeros()
}

/// Whether a text can be an item of a list that was cut at a separator, items trimmed and empty ones dropped.
fn survives_split(text: &str, separator: &str) -> bool {
    !text.is_empty() && text.trim() == text && (separator.is_empty() || !text.contains(separator))
}

/// The number of a factor in codes that keep 0 for none.
pub(super) fn factor_code(factor: FactorId) -> u32 {
    factor.index() as u32 + 1
}
