//! The typed policy: what a flow means, once every name, type and presence has been checked.
//!
//! Only the checker builds it, so its invariants hold for all later stages: every index names a row of its own
//! table, every comparison is between values of one type, and a value that may be absent is read only where its
//! presence is known. `let`s, `define`s and `rule`s are gone: each use stands expanded, and each condition still
//! knows the text it came from. `x ?? y` has become a choice between two conditions.

use std::collections::BTreeMap;

use cranelift_entity::{PrimaryMap, entity_impl};
use ipnet::IpNet;

use super::masks::FactorMask;
use crate::source::Span;
pub use crate::syntax::tree::CommandKind;

/// Declares the index of a table.
macro_rules! index {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);
        entity_impl!($name, $prefix);
    )*};
}

index! {
    /// A row of [`Catalog::factors`]. A catalog holds at most [`MAX_FACTORS`].
    FactorId, "factor";
    /// A row of [`TypedPolicy::variables`]: one value of the login event.
    VariableId, "variable";
    /// A row of [`TypedPolicy::presences`]: something that may be missing from the event.
    PresenceId, "presence";
    /// A row of [`TypedPolicy::conditions`].
    ConditionId, "condition";
    /// A row of [`TypedPolicy::steps`].
    StepId, "step";
}

/// The most factors a catalog may hold: a set of factors is one machine word, and its top bit stands for the
/// factors outside the catalog.
pub const MAX_FACTORS: usize = 63;

/// A checked flow: all steps of all files, in order.
#[derive(Clone, Debug)]
pub struct TypedPolicy {
    /// The factors that commands and sets may name.
    pub catalog: Catalog,
    /// Those of them that are enabled in the tenant; all, where no tenant says otherwise.
    pub enabled: FactorMask,
    /// The facts by name, also those that no statement reads. Two facts on one path share a variable.
    pub facts: BTreeMap<String, Fact>,
    /// The values of the event that facts stand for.
    pub variables: PrimaryMap<VariableId, Variable>,
    /// What may be missing.
    pub presences: PrimaryMap<PresenceId, Presence>,
    /// All conditions. A condition refers only to earlier rows, so the table is a directed acyclic graph.
    pub conditions: PrimaryMap<ConditionId, Condition>,
    /// The steps in the order in which a login passes them.
    pub steps: PrimaryMap<StepId, Step>,
    /// What must hold for every login; checked, not yet proven.
    pub guarantees: Vec<Guarantee>,
    /// The tests.
    pub tests: Vec<Test>,
}

impl TypedPolicy {
    /// The reason of the denial that stands at a place; empty where none does.
    pub fn reason_at(&self, at: Span) -> &str {
        let mut waiting: Vec<&Block> = self.steps.values().map(|step| &step.body).collect();
        while let Some(block) = waiting.pop() {
            for statement in block {
                match statement {
                    Statement::Deny { reason, span } if *span == at => return reason,
                    Statement::Applied { body, .. } => waiting.push(body),
                    Statement::Branch { branches, otherwise, .. } => {
                        waiting.extend(branches.iter().map(|(_, body)| body));
                        waiting.push(otherwise);
                    }
                    Statement::Command(_) | Statement::Deny { .. } | Statement::Stop(_) => {}
                }
            }
        }
        ""
    }
}

/// A fact: a name for a variable.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it stands for.
    pub variable: VariableId,
    /// Where its name is declared.
    pub declared: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// One value of the event.
#[derive(Clone, PartialEq, Debug)]
pub struct Variable {
    /// The name of the (first) fact that stands for it, for reports.
    pub name: String,
    /// Where the event holds it.
    pub path: Vec<Segment>,
    /// Its type.
    pub ty: Type,
    /// For `split ","`: the separator.
    pub split: Option<String>,
    /// What it is when the event lacks it.
    pub absence: Absence,
}

/// One key of an event path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Segment {
    /// The key.
    pub key: String,
    /// Whether the value under the key is an array to gather from (`[]`).
    pub each: Each,
    /// Whether the value under the key may be missing (`?`).
    pub may_be_missing: MayBeMissing,
}

/// Whether a path goes on into every element of an array.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Each {
    /// The value itself.
    Value,
    /// Each element of it.
    Element,
}

/// Whether `?` stands after a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "the type says it")]
pub enum MayBeMissing {
    No,
    Yes,
}

/// What a variable is when the event has no value (or `null`) on its path.
#[derive(Clone, PartialEq, Debug)]
pub enum Absence {
    /// An error that names the path.
    Refused,
    /// This value, as if the event had held it.
    Default(Value),
    /// Absent: the presence says so, and the policy asks before it reads.
    Tracked(PresenceId),
}

/// Something that may be missing: the parent that the facts under it share, or one optional value.
#[derive(Clone, PartialEq, Debug)]
pub struct Presence {
    /// The keys down to the thing that may be missing.
    pub path: Vec<Segment>,
    /// A shorter path that may be missing too; when that is missing, so is this.
    pub parent: Option<PresenceId>,
}

/// The type of a variable.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// `bool`
    Bool,
    /// `int`, within ±(2^53−1)
    Int,
    /// `string`
    Text,
    /// `time`, in milliseconds since 1970
    Time,
    /// `duration`, in milliseconds
    Duration,
    /// `ip`
    Ip,
    /// `factor`
    Factor,
    /// `list<string>`
    TextList,
    /// `set<factor>`
    FactorSet,
    /// `enum(a, b)`: a value's number is its position; any other text is the number after the last.
    OpenEnum(Vec<String>),
    /// `enum(a < b < c)`: a value's number is its position; any other text is an error of the event.
    OrderedEnum(Vec<String>),
}

/// A value that a policy writes down: a default, or what a test gives.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A bool.
    Bool(bool),
    /// An int; a time or duration in milliseconds; an enum's number.
    Number(i64),
    /// A string.
    Text(String),
    /// An address.
    Ip(std::net::IpAddr),
    /// A factor.
    Factor(FactorId),
    /// A list of strings.
    TextList(Vec<String>),
    /// A set of factors, in the order written.
    FactorSet(Vec<FactorId>),
}

/// The factors a tenant can use, and what they are on the platform.
#[derive(Clone, Default, Debug)]
pub struct Catalog {
    /// In the order declared, which is the order of sets that have none of their own.
    pub factors: PrimaryMap<FactorId, Factor>,
}

impl Catalog {
    /// The factor of a name.
    pub fn find(&self, name: &str) -> Option<FactorId> {
        self.factors.iter().find(|(_, factor)| factor.name == name).map(|(id, _)| id)
    }
}

/// One factor.
#[derive(Clone, Debug)]
pub struct Factor {
    /// Its name, which is its `type` on the platform.
    pub name: String,
    /// The commands that it may stand in.
    pub commands: Vec<CommandKind>,
    /// What is known of it.
    pub traits: Vec<Trait>,
    /// Its options.
    pub options: Vec<FactorOption>,
    /// Where its name is declared.
    pub declared: Span,
}

impl Factor {
    /// Whether it may stand in a command.
    pub fn allows(&self, command: CommandKind) -> bool {
        self.commands.contains(&command)
    }

    /// Whether it has a trait.
    pub fn has(&self, wanted: Trait) -> bool {
        self.traits.contains(&wanted)
    }
}

/// What a catalog may say of a factor; the words are those of NIST SP 800-63B where it has one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trait {
    /// `phishing-resistant`: the response is bound to the verifier (SP 800-63B-4, 3.2.5).
    PhishingResistant,
    /// `user-verifying`: one use proves two factors, as a platform authenticator with a fingerprint does.
    UserVerifying,
    /// `implicit`: never enrolled by a command; the user has it once the event says so (a verified email).
    Implicit,
    /// `backup`: a way back in, not an everyday factor (a recovery code).
    Backup,
    /// `restricted`: known to be weaker, as the telephone network is (SP 800-63B-4, 3.2.9).
    Restricted,
}

impl Trait {
    /// Every trait with its word.
    pub const ALL: [(Trait, &'static str); 5] = [
        (Trait::PhishingResistant, "phishing-resistant"),
        (Trait::UserVerifying, "user-verifying"),
        (Trait::Implicit, "implicit"),
        (Trait::Backup, "backup"),
        (Trait::Restricted, "restricted"),
    ];
}

/// One option of a factor.
#[derive(Clone, Debug)]
pub struct FactorOption {
    /// Its name in the language.
    pub name: String,
    /// The one command it may stand in, if not both.
    pub only: Option<CommandKind>,
    /// What it is on the platform: entries of the factor's `options` object.
    pub json: serde_json::Map<String, serde_json::Value>,
}

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

/// A step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name, unique in the flow.
    pub name: String,
    /// Its `///` lines.
    pub docs: Vec<String>,
    /// Its name's text; for a file without `step`, the first statement's first byte.
    pub declared: Span,
    /// What it does.
    pub body: Block,
}

/// Statements that run in order.
pub type Block = Vec<Statement>;

/// A statement.
#[derive(Clone, Debug)]
pub enum Statement {
    /// Ask something of the user.
    Command(Command),
    /// The login ends after this step, and the step ends here.
    Deny {
        /// The reason that the user sees.
        reason: String,
        /// The whole statement.
        span: Span,
    },
    /// The step ends here.
    Stop(Span),
    /// `if` and `match`: the first branch whose condition holds runs, or `otherwise`.
    Branch {
        /// Conditions and what runs, in order.
        branches: Vec<(ConditionId, Block)>,
        /// What runs when none holds.
        otherwise: Block,
        /// The whole statement.
        span: Span,
    },
    /// `apply`: the rule's statements, in place.
    Applied {
        /// The rule's statements.
        body: Block,
        /// The `apply` statement.
        span: Span,
    },
}

impl Statement {
    /// Its text.
    pub fn span(&self) -> Span {
        match self {
            Statement::Command(command) => command.span,
            Statement::Deny { span, .. }
            | Statement::Stop(span)
            | Statement::Branch { span, .. }
            | Statement::Applied { span, .. } => *span,
        }
    }
}

/// A command with what it offers: the factors of `listed` in their order, then those of `rest` that are not
/// among them and that the catalog allows in this command.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// Enroll or challenge.
    pub kind: CommandKind,
    /// How the factors are shown.
    pub style: Style,
    /// Factors that the policy lists, without repeats, each allowed in this command.
    pub listed: Vec<FactorUse>,
    /// A set known only when the login is decided.
    pub rest: Option<Set>,
    /// From the keyword to the last factor.
    pub span: Span,
}

/// How a command shows its factors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Style {
    /// The first of `listed` (there is one) is the default, the others stand behind "Try another method":
    /// `enrollWith`, `challengeWith`.
    Preferred,
    /// A picker: `enrollWithAny`, `challengeWithAny`.
    Any,
}

/// A factor with its options.
#[derive(Clone, PartialEq, Debug)]
pub struct FactorUse {
    /// The factor.
    pub factor: FactorId,
    /// Positions in [`Factor::options`]; no two set the same key on the platform.
    pub options: Vec<usize>,
    /// The text.
    pub span: Span,
}

/// A guarantee: its condition is about the login's start and end.
#[derive(Clone, Debug)]
pub struct Guarantee {
    /// Its name.
    pub name: String,
    /// What holds at the end of every login that completes, or of every login where it names the end.
    pub condition: ConditionId,
    /// The whole item.
    pub span: Span,
}

/// A test.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// What each run gives before its clauses: one entry without a table, one a row with one.
    pub runs: Vec<TestRun>,
    /// The clauses in order.
    pub clauses: Vec<TestClause>,
    /// The whole item.
    pub span: Span,
}

/// One run of a test.
#[derive(Clone, Debug)]
pub struct TestRun {
    /// What the row gives.
    pub given: Vec<Given>,
    /// The row, or the test's name.
    pub span: Span,
}

/// A clause of a test.
#[derive(Clone, Debug)]
pub struct TestClause {
    /// What it says.
    pub kind: TestClauseKind,
    /// Its text.
    pub span: Span,
}

/// What a clause says.
#[derive(Clone, Debug)]
pub enum TestClauseKind {
    /// Facts.
    Given(Vec<Given>),
    /// What the step decides, or the login does, next.
    Expect(Expectation),
    /// The user answers the prompts with these factors, in order.
    Choose(Vec<FactorId>),
    /// The user goes away.
    Abandon,
}

/// A fact of a test.
#[derive(Clone, PartialEq, Debug)]
pub enum Given {
    /// A variable; `None` for `absent`.
    Variable(VariableId, Option<Value>),
    /// `enrolled = […]`
    Enrolled(Vec<FactorId>),
    /// `performed = [otp 3s ago]`: factor and age in milliseconds.
    Performed(Vec<(FactorId, i64)>),
    /// `now = INSTANT`, in milliseconds since 1970
    Now(i64),
    /// `supports = […]`: what the browser can do
    Supports(Vec<FactorId>),
}

/// What a test expects.
#[derive(Clone, Debug)]
pub enum Expectation {
    /// The step decides nothing.
    Nothing,
    /// The step decides these.
    Commands(Vec<Command>),
    /// The user sees this prompt.
    Prompt(Command),
    /// The log gains this entry.
    Log {
        /// Which.
        event: LogEvent,
        /// The factor it names.
        factor: Option<FactorId>,
    },
    /// The step denies with this reason.
    Denied(String),
    /// The login completes.
    Completes,
    /// The login fails.
    Fails,
}

/// The platform's log codes for these commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogEvent {
    /// `w`: a warning; the login goes on.
    Warning,
    /// `mfar`: the login fails.
    MfaRequired,
}
