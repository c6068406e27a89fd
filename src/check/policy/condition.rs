//! Conditions: what a policy can ask of a login, and of what.

use ipnet::IpNet;

use super::{ConditionId, FactorId, PresenceId, VariableId};
use crate::source::Span;

/// A condition and the text it came from.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The exact text.
    pub span: Span,
    /// What it asks.
    pub kind: ConditionKind,
}

/// What a condition asks.
#[derive(Clone, PartialEq, Debug)]
pub enum ConditionKind {
    /// Always the same.
    Constant(bool),
    /// Not.
    Not(ConditionId),
    /// All of these, asked left to right until one is false.
    All(Vec<ConditionId>),
    /// Any of these, asked left to right until one is true.
    Any(Vec<ConditionId>),
    /// A bool variable. (False where it is absent; the checker has made sure that nobody looks.)
    Bool(VariableId),
    /// Something is there.
    Present(Guard),
    /// A string, or what is derived from it, against texts of the policy.
    Text(TextSubject, TextTest),
    /// Two string variables hold the same text. False when either is absent.
    SameText(VariableId, VariableId),
    /// A number against a number of the policy.
    Compare(Number, Comparison, i64),
    /// A number is one of these; sorted, without repeats.
    OneOf(Number, Vec<i64>),
    /// An address variable lies in one of these prefixes.
    InPrefixes(VariableId, Vec<IpNet>),
    /// A list variable against texts of the policy.
    List(VariableId, ListTest),
    /// A factor is in a set.
    Member(FactorSubject, Set),
    /// A set has no member, not even one outside the catalog.
    EmptySet(Set),
    /// A factor was performed.
    Performed(FactorId, Window),
    /// Any factor of the catalog was performed.
    AnyPerformed(Window),
    /// Only under a guarantee: the condition as it stood when the login began.
    Initially(ConditionId),
    /// Only under a guarantee: how the login ended.
    Ended(End),
}

/// What `is present` asks of a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Guard {
    /// The event has it.
    Path(PresenceId),
    /// Some factor of the catalog was performed, so `last performed` is one.
    LastPerformed,
    /// The string holds an `@`, so `domain(…)` is one.
    Domain(VariableId),
}

/// A string variable, seen through a function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TextSubject {
    /// The variable, of type string.
    pub variable: VariableId,
    /// The function.
    pub view: View,
}

/// The functions over strings. They compose to one of these: `lower(domain(x))` is `domain(x)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum View {
    /// The text itself.
    Whole,
    /// `lower(x)`: A to Z become a to z, all else stays.
    Lower,
    /// `domain(x)`: what follows the last `@`, lowered; every test on it is false when there is none.
    Domain,
}

/// A test of a string. Texts are compared byte by byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TextTest {
    /// It is one of these; sorted, without repeats.
    OneOf(Vec<String>),
    /// It starts with this.
    StartsWith(String),
    /// It ends with this.
    EndsWith(String),
    /// It contains this.
    Contains(String),
}

/// A number that a condition compares.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Number {
    /// A variable: an int; a time or duration in milliseconds; an enum's number.
    Variable(VariableId),
    /// `now`, in milliseconds since 1970.
    Now,
    /// `age(t)`: `now - t` in milliseconds, negative for a stamp in the future.
    Age(VariableId),
    /// `weekday(t)` in UTC: 0 for Monday to 6 for Sunday.
    Weekday(Moment),
    /// `hour(t)` in UTC: 0 to 23.
    Hour(Moment),
    /// `count(set)`: factors outside the catalog count as one together.
    Count(Set),
    /// Only under a guarantee: how many prompts the user saw.
    Prompts,
    /// Only under a guarantee: how many commands executed.
    Commands,
}

/// A point in time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Moment {
    /// `now`
    Now,
    /// A time variable.
    Variable(VariableId),
}

/// How two numbers compare.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "each is named as it is written")]
pub enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Whether `left` compares so with `right`.
    pub fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }
}

/// A test of a list of strings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ListTest {
    /// It has no element.
    Empty,
    /// It holds one of these at least.
    ContainsAny(Vec<String>),
    /// It holds all of these.
    ContainsAll(Vec<String>),
}

/// A factor that is known only when the login is decided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FactorSubject {
    /// A factor of the catalog.
    Literal(FactorId),
    /// A variable of type factor; a member of nothing when absent or outside the catalog.
    Variable(VariableId),
    /// `last performed`: the factor with the latest stamp; of equal stamps, the one later in the event.
    LastPerformed,
}

/// A set of factors. Its order, where a command shows it: a literal's own; of `A intersect B` and `A except B`,
/// A's; of `A union B`, A's then B's; of all else the catalog's.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Set {
    /// `enrolled`, as it stood when the step began.
    Enrolled,
    /// `performed`: factors with a stamp, as they stood when the step began.
    Performed,
    /// A variable of type `set<factor>`.
    Variable(VariableId),
    /// `[otp, phone]`, without repeats.
    Literal(Vec<FactorId>),
    /// `A intersect B`; the bit for factors outside the catalog is kept when both have it.
    Intersect(Box<Set>, Box<Set>),
    /// `A union B`
    Union(Box<Set>, Box<Set>),
    /// `A except B`
    Except(Box<Set>, Box<Set>),
    /// `A ?? B`: `then` where the guard holds, else `otherwise`.
    IfPresent {
        /// The presence of `then`.
        guard: Guard,
        /// The set when present.
        then: Box<Set>,
        /// The set when absent.
        otherwise: Box<Set>,
    },
}

/// How far back a stamp may lie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Window {
    /// Ever in this session.
    Ever,
    /// `within D`: `now - stamp < D` in milliseconds, so true for stamps in the future.
    Within(i64),
    /// `in this login`: completed at a prompt of this login.
    ThisLogin,
}

/// How a login ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "each is named as it is written")]
pub enum End {
    Completed,
    Denied,
    Failed,
}
