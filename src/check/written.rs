//! Types and literals as one writes them, so that two declarations can be compared wherever they stand.

use crate::syntax::tree::{self, Expression, ExpressionKind};

/// A type as one writes it.
pub(crate) fn type_text(ty: &tree::Type) -> String {
    let joined = |values: &[tree::Name], between: &str| {
        values.iter().map(|value| value.node.as_str()).collect::<Vec<_>>().join(between)
    };
    match ty {
        tree::Type::Named(name) => name.clone(),
        tree::Type::Of(outer, inner) => format!("{}<{}>", outer.node, inner.node),
        tree::Type::OpenEnum(values) => format!("enum({})", joined(values, ", ")),
        tree::Type::OrderedEnum(values) => format!("enum({})", joined(values, " < ")),
        tree::Type::Optional(inner) => format!("{}?", type_text(&inner.node)),
    }
}

/// A literal by its value, so that two can be compared wherever they stand.
pub(crate) fn literal_text(written: &Expression) -> String {
    match &*written.kind {
        ExpressionKind::List(elements) => elements.iter().map(literal_text).collect::<Vec<_>>().join(","),
        ExpressionKind::Name(name) => name.clone(),
        ExpressionKind::Literal(literal) => format!("{literal:?}"),
        _ => String::new(),
    }
}
