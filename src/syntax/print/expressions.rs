//! Expressions: parentheses only where the precedence of the parts asks for them, and around a `??` that is compared.

use super::Printer;
use super::doc::Doc;
use super::lines::{Element, ROUND, SQUARE};
use super::literals;
use crate::syntax::tree::{
    Expression, ExpressionKind, FactorUse, IsTest, Name, Operator, SetOperator, Spanned, WindowTest,
};

/// How tightly an expression holds together, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tightness {
    Implies,
    Or,
    And,
    Not,
    Comparison,
    Sets,
    Fallback,
    Window,
    Primary,
}

/// Words that can't begin an operand after `always`, `never` or `initially`: those go on an expression or open an item.
const NO_OPERAND_WORDS: [&str; 22] = [
    "and",
    "or",
    "implies",
    "in",
    "is",
    "within",
    "contains",
    "starts",
    "ends",
    "intersect",
    "union",
    "except",
    "then",
    "else",
    "step",
    "rule",
    "factor",
    "fact",
    "define",
    "guarantee",
    "test",
    "use",
];

fn tightness(expression: &Expression) -> Tightness {
    match &*expression.kind {
        ExpressionKind::Implies(..) => Tightness::Implies,
        ExpressionKind::Or(_) => Tightness::Or,
        ExpressionKind::And(_) => Tightness::And,
        ExpressionKind::Not(_) | ExpressionKind::Initially(_) => Tightness::Not,
        ExpressionKind::Binary { .. } | ExpressionKind::Is(..) => Tightness::Comparison,
        ExpressionKind::Sets { .. } => Tightness::Sets,
        ExpressionKind::Fallback(_) => Tightness::Fallback,
        ExpressionKind::Window(..) => Tightness::Window,
        ExpressionKind::Call(..)
        | ExpressionKind::Name(_)
        | ExpressionKind::AnyPerformed
        | ExpressionKind::LastPerformed
        | ExpressionKind::List(_)
        | ExpressionKind::Literal(_)
        | ExpressionKind::Invalid => Tightness::Primary,
    }
}

impl Printer<'_> {
    /// An expression that stands by itself.
    pub(super) fn expression(&mut self, expression: &Expression) -> Doc {
        self.operand(expression, Tightness::Implies)
    }

    /// An expression after `=`: on the same line, or all of it on the next, but a list begins on the same.
    pub(super) fn value(&mut self, expression: &Expression) -> Doc {
        let doc = self.expression(expression);
        match &*expression.kind {
            ExpressionKind::List(_) => Doc::Concat(vec![Doc::text(" "), doc]),
            _ => Doc::Group(vec![Doc::Nest(vec![Doc::line(), doc])]),
        }
    }

    /// An expression where only those that hold together as tightly as `least` need no parentheses.
    pub(super) fn operand(&mut self, expression: &Expression, least: Tightness) -> Doc {
        let doc = self.bare(expression);
        if tightness(expression) >= least { doc } else { parenthesised(doc) }
    }

    /// An operand of a chain; a chain in it that is broken too stands further in.
    fn link(&mut self, expression: &Expression, least: Tightness) -> Doc {
        let doc = self.operand(expression, least);
        match tightness(expression) {
            Tightness::And | Tightness::Sets | Tightness::Fallback if tightness(expression) >= least => {
                Doc::Nest(vec![doc])
            }
            _ => doc,
        }
    }

    fn bare(&mut self, expression: &Expression) -> Doc {
        match &*expression.kind {
            ExpressionKind::Implies(premise, conclusion) => self.implies(premise, conclusion),
            ExpressionKind::Or(operands) => self.chain(operands, "or ", Tightness::And),
            ExpressionKind::And(operands) => self.chain(operands, "and ", Tightness::Not),
            ExpressionKind::Not(operand) => {
                Doc::Concat(vec![Doc::text("not "), self.operand(operand, Tightness::Not)])
            }
            ExpressionKind::Initially(operand) => self.initially(operand),
            ExpressionKind::Binary { left, operator, right } => self.binary(left, operator.node, right),
            ExpressionKind::Is(operand, test) => {
                let operand = self.compared(operand);
                Doc::Concat(vec![operand, Doc::text(is_test_text(test.node))])
            }
            ExpressionKind::Sets { first, rest } => self.sets(first, rest),
            ExpressionKind::Fallback(operands) => self.chain(operands, "?? ", Tightness::Window),
            ExpressionKind::Window(operand, test) => self.window(operand, test),
            ExpressionKind::Call(name, arguments) => {
                let elements = self.elements(arguments);
                let range = name.span.range().end..expression.span.range().end;
                Doc::Concat(vec![Doc::text(name.node.clone()), self.list(ROUND, range, elements)])
            }
            ExpressionKind::List(elements) => {
                let elements = self.elements(elements);
                self.list(SQUARE, expression.span.range(), elements)
            }
            ExpressionKind::Name(name) if name == "initially" => Doc::text("(initially)"),
            ExpressionKind::Name(name) => Doc::text(name.clone()),
            ExpressionKind::AnyPerformed => Doc::text("any performed"),
            ExpressionKind::LastPerformed => Doc::text("last performed"),
            ExpressionKind::Literal(literal) => {
                Doc::text(literals::literal(literal, self.source_of(expression.span)))
            }
            ExpressionKind::Invalid => Doc::text(self.source_of(expression.span).to_owned()),
        }
    }

    /// `A == B`. After `contains`, `any` and `all` belong to the operator.
    fn binary(&mut self, left: &Expression, operator: Operator, right: &Expression) -> Doc {
        let left = self.compared(left);
        let right = self.compared(right);
        let is_taken =
            operator == Operator::Contains && matches!(first_word(right.first_text()), "any" | "all");
        let right = if is_taken { parenthesised(right) } else { right };
        Doc::Concat(vec![left, Doc::text(format!(" {} ", operator_text(operator))), right])
    }

    /// One side of a comparison. `??` gets parentheses that it doesn't need: `a ?? b == c` reads as two things.
    fn compared(&mut self, side: &Expression) -> Doc {
        match &*side.kind {
            ExpressionKind::Fallback(_) => parenthesised(self.bare(side)),
            _ => self.operand(side, Tightness::Sets),
        }
    }

    fn implies(&mut self, premise: &Expression, conclusion: &Expression) -> Doc {
        let premise = self.operand(premise, Tightness::Or);
        let conclusion = self.operand(conclusion, Tightness::Implies);
        Doc::Group(vec![
            Doc::Nest(vec![premise]),
            Doc::line(),
            Doc::text("implies "),
            Doc::Nest(vec![conclusion]),
        ])
    }

    /// `A or B or C`; when it is broken, a word begins each further line.
    fn chain(&mut self, operands: &[Expression], word: &'static str, least: Tightness) -> Doc {
        let mut docs = Vec::new();
        for operand in operands {
            if !docs.is_empty() {
                docs.extend([Doc::line(), Doc::text(word)]);
            }
            docs.push(self.link(operand, least));
        }
        Doc::Group(docs)
    }

    fn sets(&mut self, first: &Expression, rest: &[(Spanned<SetOperator>, Expression)]) -> Doc {
        let mut docs = vec![self.link(first, Tightness::Window)];
        for (operator, operand) in rest {
            docs.extend([Doc::line(), Doc::text(set_operator_text(operator.node))]);
            docs.push(self.link(operand, Tightness::Window));
        }
        Doc::Group(docs)
    }

    fn window(&mut self, operand: &Expression, test: &Spanned<WindowTest>) -> Doc {
        let operand = self.operand(operand, Tightness::Window);
        let test = match test.node {
            WindowTest::Within(ms) => {
                let source = self.source_of(test.span).split_whitespace().next_back().unwrap_or("");
                format!(" within {}", literals::duration(ms, source))
            }
            WindowTest::ThisLogin => " in this login".to_owned(),
        };
        Doc::Concat(vec![operand, Doc::text(test)])
    }

    /// `initially` is a word of the language only before what can only be an operand.
    fn initially(&mut self, operand: &Expression) -> Doc {
        let operand = self.operand(operand, Tightness::Not);
        let operand = if opens_operand(&operand) { operand } else { parenthesised(operand) };
        Doc::Concat(vec![Doc::text("initially "), operand])
    }

    /// The elements of a list or the arguments of a call.
    fn elements(&mut self, expressions: &[Expression]) -> Vec<Element> {
        let element = |expression: &Expression| Element {
            range: expression.span.range(),
            doc: match tightness(expression) {
                Tightness::Primary => self.expression(expression),
                _ => Doc::Nest(vec![self.expression(expression)]),
            },
        };
        expressions.iter().map(element).collect()
    }

    /// `[phone(sms), otp]`
    pub(super) fn factor_list(&mut self, factors: &Spanned<Vec<FactorUse>>) -> Doc {
        let element = |factor: &FactorUse| Element { range: factor.span.range(), doc: factor_use(factor) };
        let elements = factors.node.iter().map(element).collect();
        self.list(SQUARE, factors.span.range(), elements)
    }
}

/// `phone(sms)`
pub(super) fn factor_use(factor: &FactorUse) -> Doc {
    let options: Vec<&str> = factor.options.iter().map(|option| option.node.as_str()).collect();
    match options.as_slice() {
        [] => Doc::text(factor.factor.node.clone()),
        options => Doc::text(format!("{}({})", factor.factor.node, options.join(", "))),
    }
}

/// Names with commas between.
pub(super) fn names(names: &[Name]) -> String {
    names.iter().map(|name| name.node.as_str()).collect::<Vec<_>>().join(", ")
}

/// An expression in parentheses.
pub(super) fn parenthesised(doc: Doc) -> Doc {
    Doc::Group(vec![Doc::text("("), Doc::Nest(vec![Doc::Line(""), doc]), Doc::Line(""), Doc::text(")")])
}

/// Whether the text can't be taken for anything but the beginning of an operand.
pub(super) fn opens_operand(doc: &Doc) -> bool {
    let text = doc.first_text();
    !text.starts_with(':') && !NO_OPERAND_WORDS.contains(&first_word(text))
}

/// The name or keyword that a text begins with.
pub(super) fn first_word(text: &str) -> &str {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.split(|c| !is_word(c)).next().unwrap_or("")
}

fn operator_text(operator: Operator) -> &'static str {
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

fn is_test_text(test: IsTest) -> &'static str {
    match test {
        IsTest::Present => " is present",
        IsTest::NotPresent => " is not present",
        IsTest::Empty => " is empty",
        IsTest::NotEmpty => " is not empty",
    }
}

fn set_operator_text(operator: SetOperator) -> &'static str {
    match operator {
        SetOperator::Intersect => "intersect ",
        SetOperator::Union => "union ",
        SetOperator::Except => "except ",
    }
}
