//! The abstract syntax tree: what a file says, before anyone asks whether it makes sense.
//!
//! Every node knows its span. Names are not resolved, and a factor, an option or a type may be one that does not
//! exist. Chains (`and`, `or`, `else if`, the set words) are flat lists, so that depth is bounded by nesting alone.

use crate::source::{FileId, Span};

/// Something and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Spanned<T> {
    /// The thing.
    pub node: T,
    /// Its exact text.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Pairs a node with its span.
    pub fn new(node: T, span: Span) -> Self {
        Spanned { node, span }
    }
}

/// A name: `webauthn-roaming`, `user.isAdmin`, `std.adaptive`. Dots belong to it.
pub type Name = Spanned<String>;

/// One file.
#[derive(Clone, PartialEq, Debug)]
pub struct File {
    /// The file.
    pub file: FileId,
    /// `//!` lines, without the marker and one space.
    pub docs: Vec<Spanned<String>>,
    /// Items and statements outside a step, in order.
    pub entries: Vec<Entry>,
}

/// What stands at file level.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    /// An item.
    Item(Item),
    /// A statement outside a step; all of them together are the file's one step.
    Statement(Statement),
}

/// An item with its `///` lines.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// `///` lines, without the marker and one space.
    pub docs: Vec<Spanned<String>>,
    /// From its first keyword to its end, without the doc lines.
    pub span: Span,
    /// What it is.
    pub kind: ItemKind,
}

/// The kinds of item.
#[derive(Clone, PartialEq, Debug)]
pub enum ItemKind {
    /// `use "shared.stepup"`, `use std.adaptive`
    Use(UsePath),
    /// `fact NAME: TYPE = event.PATH …`
    Fact(FactItem),
    /// `factor NAME { … }`
    Factor(FactorItem),
    /// `let NAME = EXPRESSION` at file level
    Let(Let),
    /// `define NAME(…) = EXPRESSION`
    Define(Define),
    /// `rule NAME { … }`
    Rule(Rule),
    /// `step NAME { … }`
    Step(Step),
    /// `guarantee "…": EXPRESSION`
    Guarantee(Guarantee),
    /// `test "…" { … }`
    Test(Test),
}

/// What a `use` names.
#[derive(Clone, PartialEq, Debug)]
pub enum UsePath {
    /// A file, through the loader.
    File(Spanned<String>),
    /// A part of the standard library.
    Library(Name),
}

/// `fact NAME: TYPE = event.PATH [split ","] [default LITERAL]`
#[derive(Clone, PartialEq, Debug)]
pub struct FactItem {
    /// Its name.
    pub name: Name,
    /// Its declared type.
    pub ty: Spanned<Type>,
    /// Where the event holds it.
    pub path: EventPath,
    /// `split ","`: one text holds the list, cut at each separator, items trimmed.
    pub split: Option<Spanned<String>>,
    /// `default LITERAL`: the value when absent.
    pub default: Option<Expression>,
}

/// A type as written.
#[derive(Clone, PartialEq, Debug)]
pub enum Type {
    /// A bare name (`bool`, `string`, … or one that does not exist).
    Named(String),
    /// `list<string>`, `set<factor>`: the outer and the inner name.
    Of(Name, Name),
    /// `enum(a, b)`
    OpenEnum(Vec<Name>),
    /// `enum(a < b < c)`
    OrderedEnum(Vec<Name>),
    /// `T?`
    Optional(Box<Spanned<Type>>),
}

/// `event.user.app_metadata."https://x/roles"`, `event.authentication?.methods[].name`
#[derive(Clone, PartialEq, Debug)]
pub struct EventPath {
    /// The keys after `event`.
    pub segments: Vec<PathSegment>,
    /// From `event` to the last key.
    pub span: Span,
}

/// One key of an event path.
#[derive(Clone, PartialEq, Debug)]
pub struct PathSegment {
    /// The key, quotes and escapes undone.
    pub key: Spanned<String>,
    /// What follows the key: whether a `?` or a `[]` stands there.
    pub mark: PathMark,
}

/// What may follow a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathMark {
    /// Nothing: the key must be there.
    Required,
    /// `?`: the value under the key may be missing.
    Optional,
    /// `[]`: the value is an array; what follows is gathered from each element.
    Each,
    /// `?[]` (both).
    OptionalEach,
}

/// `factor NAME { enroll, challenge, phishing-resistant, options { … } }`
#[derive(Clone, PartialEq, Debug)]
pub struct FactorItem {
    /// Its name, which is its `type` on the platform.
    pub name: Name,
    /// `enroll`, `challenge`, and traits, in the order written.
    pub words: Vec<Name>,
    /// Its options.
    pub options: Vec<FactorOption>,
}

/// `sms = {"preferredMethod": "sms"}`, or `challenge no-fallback = {…}` for one command only
#[derive(Clone, PartialEq, Debug)]
pub struct FactorOption {
    /// The one command it may stand in, if not both.
    pub only: Option<Spanned<CommandKind>>,
    /// The option's name.
    pub name: Name,
    /// The JSON object that it is on the platform, parsed; keys in the order written.
    pub json: Spanned<serde_json::Map<String, serde_json::Value>>,
}

/// `let NAME = EXPRESSION`
#[derive(Clone, PartialEq, Debug)]
pub struct Let {
    /// Its name.
    pub name: Name,
    /// Its value.
    pub value: Expression,
}

/// `define NAME(PARAMETER: TYPE, …) = EXPRESSION`
#[derive(Clone, PartialEq, Debug)]
pub struct Define {
    /// Its name.
    pub name: Name,
    /// Its parameters; empty when it has no list.
    pub parameters: Vec<Parameter>,
    /// Its value.
    pub body: Expression,
}

/// `f: factor`
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Spanned<Type>,
}

/// `rule NAME { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// Its name.
    pub name: Name,
    /// Its statements.
    pub body: Block,
}

/// `step NAME { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Its name.
    pub name: Name,
    /// Its statements.
    pub body: Block,
}

/// Statements in braces, or the one statement of a `then`, `else` or `=>`.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// The statements.
    pub statements: Vec<Statement>,
    /// With the braces, where it has them.
    pub span: Span,
    /// Whether it is written with braces.
    pub form: BlockForm,
}

/// How a block is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockForm {
    /// `{ … }`
    Braced,
    /// A single statement, without braces.
    Bare,
}

/// A statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    /// Its whole text.
    pub span: Span,
    /// What it is.
    pub kind: StatementKind,
}

/// The kinds of statement.
#[derive(Clone, PartialEq, Debug)]
pub enum StatementKind {
    /// `enroll …`, `challenge …`
    Command(Command),
    /// `deny "reason"`
    Deny(Spanned<String>),
    /// `stop`
    Stop,
    /// `if C then S else if …`: the branches in order, then the `else`.
    If(If),
    /// `match FACT { … }`
    Match(Match),
    /// `let NAME = EXPRESSION`
    Let(Let),
    /// `apply RULE`
    Apply(Name),
}

/// A chain of conditions; the first that holds decides.
#[derive(Clone, PartialEq, Debug)]
pub struct If {
    /// Each `if C` and `else if C` with its block; at least one.
    pub branches: Vec<(Expression, Block)>,
    /// The last `else`.
    pub otherwise: Option<Block>,
}

/// `match SUBJECT { PATTERN, PATTERN => S  else => S }`
#[derive(Clone, PartialEq, Debug)]
pub struct Match {
    /// What is compared.
    pub subject: Expression,
    /// The arms in order.
    pub arms: Vec<Arm>,
    /// `else => S`, wherever it stands; the parser refuses a second one and arms after it.
    pub otherwise: Option<Block>,
}

/// One arm of a `match`.
#[derive(Clone, PartialEq, Debug)]
pub struct Arm {
    /// The values, at least one: literals, or names of an enum's values or of factors.
    pub patterns: Vec<Expression>,
    /// What runs.
    pub body: Block,
}

/// `enroll` or `challenge`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CommandKind {
    /// Set up a factor that the user does not have yet.
    Enroll,
    /// Prove a factor that the user has.
    Challenge,
}

impl CommandKind {
    /// The keyword.
    pub fn word(self) -> &'static str {
        match self {
            CommandKind::Enroll => "enroll",
            CommandKind::Challenge => "challenge",
        }
    }
}

/// A command: what to ask of the user.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// The keyword.
    pub kind: Spanned<CommandKind>,
    /// What is offered.
    pub offer: Offer,
    /// From the keyword to the last factor.
    pub span: Span,
}

/// What a command offers.
#[derive(Clone, PartialEq, Debug)]
pub enum Offer {
    /// `F or G or any of SET`: the first is the default, the rest stand behind "Try another method".
    Preferred {
        /// At least one: the default and the alternatives, in order.
        factors: Vec<FactorUse>,
        /// `or any of SET`: further alternatives.
        rest: Option<Expression>,
    },
    /// `any of [F, G]`: a picker, in this order.
    AnyListed(Spanned<Vec<FactorUse>>),
    /// `any of SET`
    AnyIn(Expression),
}

/// A factor with options, in a command: `phone(sms)`.
#[derive(Clone, PartialEq, Debug)]
pub struct FactorUse {
    /// The factor's name.
    pub factor: Name,
    /// The options' names.
    pub options: Vec<Name>,
    /// With the options.
    pub span: Span,
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expression {
    /// Its text, without enclosing parentheses.
    pub span: Span,
    /// What it is.
    pub kind: Box<ExpressionKind>,
}

/// The kinds of expression, loosest first.
#[derive(Clone, PartialEq, Debug)]
pub enum ExpressionKind {
    /// `A implies B`
    Implies(Expression, Expression),
    /// `A or B or C`
    Or(Vec<Expression>),
    /// `A and B and C`
    And(Vec<Expression>),
    /// `not A`
    Not(Expression),
    /// `initially A`, in a guarantee: `A` as it stood when the login began.
    Initially(Expression),
    /// `A == B` and all other two-sided tests
    Binary {
        /// The left side.
        left: Expression,
        /// The words or signs between, and where.
        operator: Spanned<Operator>,
        /// The right side.
        right: Expression,
    },
    /// `A is present` and its three kin
    Is(Expression, Spanned<IsTest>),
    /// `A intersect B except C`, left to right
    Sets {
        /// The first set.
        first: Expression,
        /// Each further set with the word before it; at least one.
        rest: Vec<(Spanned<SetOperator>, Expression)>,
    },
    /// `A ?? B ?? C`
    Fallback(Vec<Expression>),
    /// `A within 5s`, `A in this login`
    Window(Expression, Spanned<WindowTest>),
    /// `NAME(ARGUMENT, …)`: a define, a built-in, a factor with options
    Call(Name, Vec<Expression>),
    /// A name: a fact, a let, a define, a parameter, a factor, an enum's value, `enrolled`, `now`
    Name(String),
    /// `any performed`
    AnyPerformed,
    /// `last performed`
    LastPerformed,
    /// `[A, B]`
    List(Vec<Expression>),
    /// A literal
    Literal(Literal),
    /// Text that could not be parsed and was reported; the checker is silent about it.
    Invalid,
}

/// Two-sided tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is named as it is written")]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    StartsWith,
    EndsWith,
    Contains,
    ContainsAny,
    ContainsAll,
}

/// What follows `is`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is named as it is written")]
pub enum IsTest {
    Present,
    NotPresent,
    Empty,
    NotEmpty,
}

/// Set words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "each is named as it is written")]
pub enum SetOperator {
    Intersect,
    Union,
    Except,
}

/// How far back a stamp may lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WindowTest {
    /// `within 5s`, in milliseconds
    Within(i64),
    /// `in this login`
    ThisLogin,
}

/// A literal, its value already known.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// `true`, `false`
    Bool(bool),
    /// Within ±(2^53−1).
    Int(i64),
    /// Escapes undone.
    Text(String),
    /// `5s 10m 12h 30d`: a unit as written, and the whole in milliseconds.
    Duration(i64),
    /// `2026-01-31T00:00:00Z`, in milliseconds since 1970
    Instant(i64),
    /// `10.0.0.0/8`; a bare address is a prefix of full length. IPv4-mapped addresses are IPv4.
    Prefix(ipnet::IpNet),
}

/// `guarantee "NAME": EXPRESSION`
#[derive(Clone, PartialEq, Debug)]
pub struct Guarantee {
    /// Its name.
    pub name: Spanned<String>,
    /// `always` (also when nothing is written) or `never`.
    pub polarity: Polarity,
    /// What must hold, or must never hold.
    pub condition: Expression,
}

/// How a guarantee is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Polarity {
    /// Nothing is written: the condition holds.
    Plain,
    /// `always C`
    Always,
    /// `never C`
    Never,
}

/// `test "NAME" for (…) in […] { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Test {
    /// Its name.
    pub name: Spanned<String>,
    /// A table: one run a row.
    pub table: Option<TestTable>,
    /// Its clauses in order.
    pub clauses: Vec<TestClause>,
}

/// `for (user.isAdmin, enrolled) in [(true, [otp]), …]`
#[derive(Clone, PartialEq, Debug)]
pub struct TestTable {
    /// What each column gives.
    pub columns: Vec<Name>,
    /// The rows, each with its own span; as many values as columns, or a report.
    pub rows: Vec<Spanned<Vec<GivenValue>>>,
}

/// One clause of a test.
#[derive(Clone, PartialEq, Debug)]
pub struct TestClause {
    /// Its text.
    pub span: Span,
    /// What it is.
    pub kind: TestClauseKind,
}

/// The kinds of clause.
#[derive(Clone, PartialEq, Debug)]
pub enum TestClauseKind {
    /// `given NAME = VALUE, …`
    Given(Vec<(Name, GivenValue)>),
    /// `expect …`
    Expect(Expectation),
    /// `choose F, G`
    Choose(Vec<Name>),
    /// `abandon`
    Abandon,
}

/// A value given to a fact in a test.
#[derive(Clone, PartialEq, Debug)]
pub struct GivenValue {
    /// Its text.
    pub span: Span,
    /// What it is.
    pub kind: GivenKind,
}

/// The kinds of given value.
#[derive(Clone, PartialEq, Debug)]
pub enum GivenKind {
    /// `absent`
    Absent,
    /// A literal.
    Literal(Literal),
    /// A name: an enum's value, a factor.
    Name(String),
    /// `[otp 3s ago, phone]`, `["a", "b"]`
    List(Vec<GivenElement>),
}

/// One element of a given list.
#[derive(Clone, PartialEq, Debug)]
pub struct GivenElement {
    /// The value: a name or a literal.
    pub value: GivenValue,
    /// `3s ago`, in milliseconds.
    pub ago: Option<Spanned<i64>>,
}

/// What a test expects next.
#[derive(Clone, PartialEq, Debug)]
pub enum Expectation {
    /// `expect nothing`
    Nothing,
    /// `expect challenge any of [otp], enroll webauthn-roaming`
    Commands(Vec<Command>),
    /// `expect prompt challenge otp or phone`
    Prompt(Command),
    /// `expect log w for otp`
    Log {
        /// `w` or `mfar`.
        event: Name,
        /// The factor it names.
        factor: Option<Name>,
    },
    /// `expect denied "reason"`
    Denied(Spanned<String>),
    /// `expect completes`
    Completes,
    /// `expect fails`
    Fails,
}
