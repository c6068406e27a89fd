//! JavaScript as the import reads it: a small owned tree with spans.
//!
//! It holds what an Action's decision can be made of. All else is [`ExprKind::Foreign`] or [`StatementKind::Foreign`]
//! with a word for what it is, so that the translation says what it left out and nothing has to be known twice.
//! Chains of `&&`, `||`, `??` and `else if` are flat, and nesting is bounded where the tree is made, so that whoever walks it may recurse.

use std::rc::Rc;

use crate::source::Span;

/// A whole Action.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) statements: Vec<Statement>,
    pub(super) comments: Vec<Comment>,
}

/// A comment, line by line, without its signs.
#[derive(Debug)]
pub(super) struct Comment {
    pub(super) span: Span,
    pub(super) lines: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Statement {
    pub(super) span: Span,
    pub(super) kind: StatementKind,
}

#[derive(Debug)]
pub(super) enum StatementKind {
    Expression(Expr),
    /// `const`, `let` and `var`.
    Declare(Vec<Declarator>),
    Function(Rc<Function>),
    /// The branches in order, then the `else`.
    If(Vec<(Expr, Vec<Statement>)>, Option<Vec<Statement>>),
    Return(Option<Expr>),
    Switch(Expr, Vec<Case>),
    Block(Vec<Statement>),
    Break,
    ForOf(Pattern, Expr, Vec<Statement>),
    /// The block, and whether what `catch` and `finally` do is nothing.
    Try(Vec<Statement>, Handler),
    /// An empty statement, `"use strict"`.
    Nothing,
    Foreign(&'static str),
}

/// What follows a `try` block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handler {
    /// Whatever is thrown, nothing happens.
    Quiet,
    Acts,
}

#[derive(Debug)]
pub(super) struct Declarator {
    pub(super) span: Span,
    pub(super) pattern: Pattern,
    pub(super) init: Option<Expr>,
}

/// One `case`, or the `default` where there is no test.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) span: Span,
    pub(super) test: Option<Expr>,
    pub(super) body: Vec<Statement>,
}

#[derive(Debug)]
pub(super) struct Function {
    pub(super) span: Span,
    pub(super) name: Option<String>,
    pub(super) parameters: Vec<(Pattern, Option<Expr>)>,
    pub(super) body: Body,
    /// `...rest` parameters and generators have no translation.
    pub(super) foreign: Option<&'static str>,
}

#[derive(Debug)]
pub(super) enum Body {
    Statements(Vec<Statement>),
    Expression(Box<Expr>),
}

#[derive(Debug)]
pub(super) enum Pattern {
    Name(String, Span),
    /// Keys with what they are bound to and their defaults.
    Object(Vec<(String, Pattern, Option<Expr>)>),
    Foreign(Span),
}

#[derive(Debug)]
pub(super) struct Expr {
    pub(super) span: Span,
    pub(super) kind: ExprKind,
}

#[derive(Debug)]
pub(super) enum ExprKind {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// The texts around the parts, one more than there are parts.
    Template(Vec<String>, Vec<Expr>),
    /// A regular expression, and whether it takes letters of either case.
    Pattern(String, Letters),
    Name(String),
    /// A property by name, in the two ways to write it.
    Member(Box<Expr>, String, Access),
    Index(Box<Expr>, Box<Expr>),
    Call(Box<Expr>, Vec<Element>),
    New(Box<Expr>, Vec<Element>),
    /// What `?.` leaves at once.
    Chain(Box<Expr>),
    Array(Vec<Element>),
    Object(Vec<Property>),
    Function(Rc<Function>),
    Unary(Unary, Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    Logical(Logical, Vec<Expr>),
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    Assign(String, Box<Expr>),
    Await(Box<Expr>),
    Foreign(&'static str),
}

/// Whether a pattern tells upper and lower case apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    Exact,
    EitherCase,
}

/// How a property is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// `a.b`
    Plain,
    /// `a?.b`
    Optional,
}

#[derive(Debug)]
pub(super) enum Element {
    One(Expr),
    Spread(Expr),
}

#[derive(Debug)]
pub(super) enum Property {
    Key(String, Expr),
    Spread(Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Minus,
    Plus,
    Typeof,
    Void,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    /// `===` and `==`, which differ in what they think of `null`, and of two types.
    Equal(Equality),
    NotEqual(Equality),
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    In,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Equality {
    Strict,
    Loose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logical {
    And,
    Or,
    Nullish,
}
