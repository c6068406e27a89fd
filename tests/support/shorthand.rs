//! Expressions as text with every pair of parentheses, to see how they were grouped.

use stepup::syntax::tree::{Expression, ExpressionKind, IsTest, Literal, Operator, SetOperator, WindowTest};

/// `(a or (b and (not c)))`
pub(crate) fn show(expression: &Expression) -> String {
    let list = |parts: &[Expression], between: &str| parts.iter().map(show).collect::<Vec<_>>().join(between);
    match &*expression.kind {
        ExpressionKind::Implies(a, b) => format!("({} implies {})", show(a), show(b)),
        ExpressionKind::Or(parts) => format!("({})", list(parts, " or ")),
        ExpressionKind::And(parts) => format!("({})", list(parts, " and ")),
        ExpressionKind::Fallback(parts) => format!("({})", list(parts, " ?? ")),
        ExpressionKind::Not(a) => format!("(not {})", show(a)),
        ExpressionKind::Initially(a) => format!("(initially {})", show(a)),
        ExpressionKind::Binary { left, operator, right } => {
            format!("({} {} {})", show(left), sign(operator.node), show(right))
        }
        ExpressionKind::Is(a, test) => format!("({} {})", show(a), is_test(test.node)),
        ExpressionKind::Sets { first, rest } => {
            let rest = rest.iter().map(|(word, set)| format!(" {} {}", set_word(word.node), show(set)));
            format!("({}{})", show(first), rest.collect::<String>())
        }
        ExpressionKind::Window(a, test) => match test.node {
            WindowTest::Within(length) => format!("({} within {length})", show(a)),
            WindowTest::ThisLogin => format!("({} in this login)", show(a)),
        },
        ExpressionKind::Call(name, arguments) => format!("{}({})", name.node, list(arguments, ", ")),
        ExpressionKind::Name(name) => name.clone(),
        ExpressionKind::AnyPerformed => "any performed".to_owned(),
        ExpressionKind::LastPerformed => "last performed".to_owned(),
        ExpressionKind::List(items) => format!("[{}]", list(items, ", ")),
        ExpressionKind::Literal(literal) => show_literal(literal),
        ExpressionKind::Invalid => "<invalid>".to_owned(),
    }
}

fn show_literal(literal: &Literal) -> String {
    match literal {
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Text(text) => format!("{text:?}"),
        Literal::Duration(length) => format!("{length}ms"),
        Literal::Instant(instant) => format!("@{instant}"),
        Literal::Prefix(prefix) => prefix.to_string(),
    }
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "==",
        Operator::NotEqual => "!=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::In => "in",
        Operator::NotIn => "not in",
        Operator::StartsWith => "starts with",
        Operator::EndsWith => "ends with",
        Operator::Contains => "contains",
        Operator::ContainsAny => "contains any",
        Operator::ContainsAll => "contains all",
    }
}

fn is_test(test: IsTest) -> &'static str {
    match test {
        IsTest::Present => "is present",
        IsTest::NotPresent => "is not present",
        IsTest::Empty => "is empty",
        IsTest::NotEmpty => "is not empty",
    }
}

fn set_word(operator: SetOperator) -> &'static str {
    match operator {
        SetOperator::Intersect => "intersect",
        SetOperator::Union => "union",
        SetOperator::Except => "except",
    }
}
