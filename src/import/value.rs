//! What an expression of an Action is, seen as a function of the event.
//!
//! A value is constant, or read from the event, or made of either in a way that a policy can say. What depends on a
//! condition is a [`Value::Choice`]; operations are carried out on both of its sides. Arithmetic is linear: sums of times
//! and counts with factors, which a comparison turns into one test of one fact.

use std::rc::Rc;

use super::condition::{Condition, Text, TextTest};
use super::factor::{Factor, Factors};
use super::facts::Path;
use super::js::{Function, Letters};
use crate::source::Span;

#[derive(Clone, Debug)]
pub(super) enum Value {
    Undefined,
    Null,
    Bool(Condition),
    Text(String),
    Number(Linear),
    /// A number that is `low` where the condition is false, and more where it is true: an index, a length.
    MoreThan(i64, Condition),
    /// A `Date`, in milliseconds.
    Date(Linear),
    /// What the event has at a place, or `undefined`.
    Path(Path),
    /// The list that the event has at a place, or an empty one.
    List(Path),
    /// A text that is made of one of the event.
    TextOf(Text),
    Array(Rc<Vec<Value>>),
    Object(Rc<Vec<(String, Value)>>),
    /// Factors of the event, as a list of objects or of names.
    Factors(Factors, Shape),
    Methods(Rc<Methods>),
    /// The names of all of `authentication.methods`.
    MethodNames,
    /// The timestamp of the method that a function is asked about.
    Stamp,
    /// The texts of a list for which a condition holds.
    Matching(Path, Condition),
    /// An element that was found; only that there is one is known of it.
    Found,
    TypeOf(Rc<Value>),
    /// A regular expression that is a plain text with its ends fixed or not.
    Pattern(TextTest, Letters),
    Function(Rc<Closure>),
    Builtin(Builtin),
    Choice(Condition, Rc<Value>, Rc<Value>),
    /// What could not be understood where it was made.
    Lost(Rc<Lost>),
}

/// How a list of factors is written: `{type: "otp"}` or `"otp"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    Objects,
    Names,
}

/// A function and where it stands.
#[derive(Debug)]
pub(super) struct Closure {
    pub(super) function: Rc<Function>,
    pub(super) scope: usize,
}

/// Something that was left out, and where.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    pub(super) span: Span,
    pub(super) why: String,
}

/// Which entries of `authentication.methods` are meant: a condition for each kind of entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Methods {
    /// Those of name `mfa`, by their factor.
    pub(super) factors: Vec<(Factor, Condition)>,
    /// Those of name `mfa` and a factor that the catalog lacks.
    pub(super) other: Condition,
    /// All others, by their name.
    pub(super) named: Condition,
}

impl Methods {
    pub(super) fn all() -> Self {
        let factors = Factor::all().map(|factor| (factor, Condition::TRUE)).collect();
        Methods { factors, other: Condition::TRUE, named: Condition::TRUE }
    }
}

/// What is there without a declaration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Builtin {
    /// `api` and what is below it.
    Api(Vec<String>),
    Console,
    /// `Date`, `Array`, … by name.
    Global(&'static str),
}

/// `now - created_at + 5000`, say.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Linear {
    pub(super) terms: Vec<(Source, f64)>,
    pub(super) constant: f64,
}

/// What a number is read from.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Source {
    Now,
    Time(Path),
    Int(Path),
    Count(Factors),
    Stamp,
    Hour,
    Weekday,
}

impl Linear {
    pub(super) fn constant(constant: f64) -> Linear {
        Linear { terms: Vec::new(), constant }
    }

    pub(super) fn of(source: Source) -> Linear {
        Linear { terms: vec![(source, 1.0)], constant: 0.0 }
    }

    pub(super) fn as_constant(&self) -> Option<f64> {
        self.terms.is_empty().then_some(self.constant)
    }

    pub(super) fn plus(&self, other: &Linear, times: f64) -> Linear {
        let mut sum = self.clone();
        sum.constant += times * other.constant;
        for (source, factor) in &other.terms {
            match sum.terms.iter_mut().find(|(known, _)| known == source) {
                Some((_, known)) => *known += times * factor,
                None => sum.terms.push((source.clone(), times * factor)),
            }
        }
        sum.terms.retain(|(_, factor)| *factor != 0.0);
        sum
    }

    pub(super) fn times(&self, factor: f64) -> Linear {
        Linear::constant(0.0).plus(self, factor)
    }
}

impl Value {
    pub(super) fn constant(value: bool) -> Value {
        Value::Bool(Condition::Constant(value))
    }

    pub(super) fn number(value: f64) -> Value {
        Value::Number(Linear::constant(value))
    }

    /// `condition ? then : otherwise`, without a choice where there is none.
    pub(super) fn choose(condition: Condition, then: Value, otherwise: Value) -> Value {
        match (condition, then, otherwise) {
            (Condition::Constant(true), then, _) => then,
            (Condition::Constant(false), _, otherwise) => otherwise,
            (condition, Value::Bool(then), Value::Bool(otherwise)) => {
                Value::Bool(condition.choose(then, otherwise))
            }
            (condition, then, otherwise) => Value::Choice(condition, Rc::new(then), Rc::new(otherwise)),
        }
    }

    /// Without the names of conditions, which end with their block.
    pub(super) fn without_names(&self) -> Value {
        match self {
            Value::Bool(condition) => Value::Bool(condition.without_names()),
            Value::MoreThan(low, condition) => Value::MoreThan(*low, condition.without_names()),
            Value::Choice(condition, then, otherwise) => {
                Value::choose(condition.without_names(), then.without_names(), otherwise.without_names())
            }
            Value::Array(elements) => {
                Value::Array(Rc::new(elements.iter().map(Value::without_names).collect()))
            }
            Value::Object(properties) => {
                let each = properties.iter().map(|(key, value)| (key.clone(), value.without_names()));
                Value::Object(Rc::new(each.collect()))
            }
            other => other.clone(),
        }
    }

    /// How large its conditions are when written out, and how many values it holds.
    pub(super) fn weight(&self) -> usize {
        match self {
            Value::Bool(condition) | Value::MoreThan(_, condition) => condition.weight(),
            Value::Choice(condition, then, otherwise) => {
                condition.weight() + then.weight() + otherwise.weight()
            }
            Value::Array(elements) => 1 + elements.iter().map(Value::weight).sum::<usize>(),
            Value::Object(properties) => {
                1 + properties.iter().map(|(_, value)| value.weight()).sum::<usize>()
            }
            _ => 1,
        }
    }
}
