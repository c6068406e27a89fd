//! JavaScript conditions, with what is constant folded away and no bracket too many.

use super::text::strings;
use crate::syntax::print::doc::Doc;

/// A condition.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Expression {
    Constant(bool),
    /// A call or a member, which binds tighter than any operator.
    Primary(String),
    /// `left operator right`
    Comparison(String, &'static str, String),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

impl Expression {
    pub(super) fn primary(text: impl Into<String>) -> Self {
        Expression::Primary(text.into())
    }

    /// Whether a value is one of these texts.
    pub(super) fn one_of<T: AsRef<str>>(value: String, texts: &[T]) -> Self {
        match texts {
            [] => Expression::Constant(false),
            [only] => Expression::Comparison(value, "===", super::text::string(only.as_ref())),
            several => Expression::Primary(format!("{}.includes({value})", strings(several))),
        }
    }

    pub(super) fn not(self) -> Self {
        match self {
            Expression::Constant(value) => Expression::Constant(!value),
            Expression::Not(inner) => *inner,
            Expression::Comparison(left, "===", right) => Expression::Comparison(left, "!==", right),
            Expression::Comparison(left, "!==", right) => Expression::Comparison(left, "===", right),
            other => Expression::Not(Box::new(other)),
        }
    }

    /// All of these. (Nothing here has an effect, so one part that is never true makes the others needless.)
    pub(super) fn all(parts: impl IntoIterator<Item = Expression>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Expression::Constant(true) => {}
                Expression::Constant(false) => return Expression::Constant(false),
                Expression::All(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => Expression::Constant(true),
            1 => kept.remove(0),
            _ => Expression::All(kept),
        }
    }

    /// Any of these.
    pub(super) fn any(parts: impl IntoIterator<Item = Expression>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Expression::Constant(false) => {}
                Expression::Constant(true) => return Expression::Constant(true),
                Expression::Any(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => Expression::Constant(false),
            1 => kept.remove(0),
            _ => Expression::Any(kept),
        }
    }

    /// Its layout, where nothing around it binds tighter.
    pub(super) fn doc(&self) -> Doc {
        match self {
            Expression::Constant(value) => Doc::text(value.to_string()),
            Expression::Primary(text) => Doc::text(text.clone()),
            Expression::Comparison(left, operator, right) => Doc::text(format!("{left} {operator} {right}")),
            Expression::Not(inner) => Doc::Concat(vec![Doc::text("!"), inner.operand()]),
            Expression::All(parts) => joined(parts, " &&"),
            Expression::Any(parts) => joined(parts, " ||"),
        }
    }

    /// Its layout as a part of something else.
    fn operand(&self) -> Doc {
        match self {
            Expression::Constant(_) | Expression::Primary(_) | Expression::Not(_) => self.doc(),
            _ => bracketed(self.doc()),
        }
    }
}

fn joined(parts: &[Expression], operator: &'static str) -> Doc {
    let mut docs = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            docs.push(Doc::text(operator));
            docs.push(Doc::line());
        }
        docs.push(match part {
            Expression::All(_) | Expression::Any(_) => bracketed(part.doc()),
            other => other.doc(),
        });
    }
    Doc::Concat(docs)
}

/// In brackets, on lines of its own if it takes several.
pub(super) fn bracketed(inner: Doc) -> Doc {
    Doc::Group(vec![Doc::text("("), Doc::Nest(vec![Doc::Line(""), inner]), Doc::Line(""), Doc::text(")")])
}
