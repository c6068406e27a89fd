//! What an expression is worth while it is being checked: a type, and one or more terms.
//!
//! `x ?? y ?? "none"` has three terms; each but the last stands behind the guards that say when it counts. A
//! comparison is made with every term and the results are joined, so nothing after the checker knows of `??`.

use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;
use smallvec::{SmallVec, smallvec};

use super::policy::{ConditionId, FactorSubject, Guard, Number, Set, TextSubject, Type, VariableId};
use crate::source::Span;

/// The type of an expression. Optional types are not among them: absence is in [`Value::guards`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Bool,
    Int,
    Text,
    Time,
    Duration,
    Ip,
    Factor,
    TextList,
    FactorSet,
    OpenEnum(Arc<Vec<String>>),
    OrderedEnum(Arc<Vec<String>>),
    /// Monday to Sunday.
    Weekday,
    /// Prefixes and addresses, for `in`.
    PrefixList,
    /// Ints, for `in`.
    IntList,
    /// `[]`: a list of whatever is wanted.
    EmptyList,
    /// Reported already; fits everything.
    Unknown,
}

/// The days of the week, in the order of their numbers.
pub(crate) const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Kind {
    pub(crate) fn of(ty: &Type) -> Kind {
        match ty {
            Type::Bool => Kind::Bool,
            Type::Int => Kind::Int,
            Type::Text => Kind::Text,
            Type::Time => Kind::Time,
            Type::Duration => Kind::Duration,
            Type::Ip => Kind::Ip,
            Type::Factor => Kind::Factor,
            Type::TextList => Kind::TextList,
            Type::FactorSet => Kind::FactorSet,
            Type::OpenEnum(values) => Kind::OpenEnum(Arc::new(values.clone())),
            Type::OrderedEnum(values) => Kind::OrderedEnum(Arc::new(values.clone())),
        }
    }

    /// Whether a value of this type may stand where `wanted` is wanted.
    pub(crate) fn fits(&self, wanted: &Kind) -> bool {
        match (self, wanted) {
            (Kind::Unknown, _) | (_, Kind::Unknown) => true,
            (Kind::EmptyList, Kind::TextList | Kind::FactorSet | Kind::PrefixList | Kind::IntList) => true,
            _ => self == wanted,
        }
    }

    /// The values that have a name, where the type has such.
    pub(crate) fn variants(&self) -> Option<Vec<&str>> {
        match self {
            Kind::OpenEnum(values) => Some(values.iter().map(String::as_str).chain(["other"]).collect()),
            Kind::OrderedEnum(values) => Some(values.iter().map(String::as_str).collect()),
            Kind::Weekday => Some(WEEKDAYS.to_vec()),
            _ => None,
        }
    }

    /// Whether `<` and its kin apply.
    pub(crate) fn is_ordered(&self) -> bool {
        matches!(self, Kind::Int | Kind::Time | Kind::Duration | Kind::OrderedEnum(_) | Kind::Unknown)
    }
}

/// With its article, as it stands in a report: "a bool", "an int".
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Bool => f.write_str("a bool"),
            Kind::Int => f.write_str("an int"),
            Kind::Text => f.write_str("a string"),
            Kind::Time => f.write_str("a time"),
            Kind::Duration => f.write_str("a duration"),
            Kind::Ip => f.write_str("an address"),
            Kind::Factor => f.write_str("a factor"),
            Kind::TextList => f.write_str("a list of strings"),
            Kind::FactorSet => f.write_str("a set of factors"),
            Kind::OpenEnum(_) => f.write_str("one of an enum's values"),
            Kind::OrderedEnum(_) => f.write_str("one of an ordered enum's values"),
            Kind::Weekday => f.write_str("a day of the week"),
            Kind::PrefixList => f.write_str("a list of addresses"),
            Kind::IntList => f.write_str("a list of ints"),
            Kind::EmptyList => f.write_str("an empty list"),
            Kind::Unknown => f.write_str("something that could not be understood"),
        }
    }
}

/// A checked expression.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    /// Its terms in the order of `??`. All but the last have guards of their own; the last one's are the value's.
    pub(crate) terms: SmallVec<[Guarded; 1]>,
    /// The text.
    pub(crate) span: Span,
}

/// A term that counts when all its guards hold.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Guarded {
    pub(crate) guards: SmallVec<[Guard; 1]>,
    pub(crate) term: Term,
}

/// A single thing of some type.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Term {
    Bool(ConditionId),
    Number(Number),
    NumberLiteral(i64),
    Text(TextSubject),
    TextLiteral(String),
    Ip(VariableId),
    /// One prefix or address, or a list of them.
    Prefixes(Vec<IpNet>),
    /// A list of ints.
    Numbers(Vec<i64>),
    Factor(FactorSubject),
    List(VariableId),
    ListLiteral(Vec<String>),
    Set(Set),
    /// A parameter of a define whose body is checked before any call.
    Opaque,
    /// Reported already.
    Invalid,
}

impl Value {
    /// A value of one term that is always there.
    pub(crate) fn new(kind: Kind, term: Term, span: Span) -> Self {
        Value { kind, terms: smallvec![Guarded { guards: SmallVec::new(), term }], span }
    }

    /// A value of one term that may be absent.
    pub(crate) fn guarded(kind: Kind, term: Term, guards: SmallVec<[Guard; 1]>, span: Span) -> Self {
        Value { kind, terms: smallvec![Guarded { guards, term }], span }
    }

    /// A value that was reported.
    pub(crate) fn invalid(span: Span) -> Self {
        Value::new(Kind::Unknown, Term::Invalid, span)
    }

    /// What must be present for the value to be.
    pub(crate) fn guards(&self) -> &[Guard] {
        self.terms.last().map_or(&[], |last| &last.guards)
    }

    pub(crate) fn is_invalid(&self) -> bool {
        self.kind == Kind::Unknown || self.terms.iter().any(|guarded| guarded.term == Term::Invalid)
    }

    /// The one term of a value without `??`.
    pub(crate) fn only(&self) -> Option<&Term> {
        match &self.terms[..] {
            [one] => Some(&one.term),
            _ => None,
        }
    }

    /// The same value at another place: a let's or a parameter's, where it is used.
    pub(crate) fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// The same value, known to be present.
    pub(crate) fn unguarded(mut self) -> Self {
        if let Some(last) = self.terms.last_mut() {
            last.guards.clear();
        }
        self
    }
}
