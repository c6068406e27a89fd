//! Expressions: pest reads operands and operators as a flat list; a Pratt parser gives them their precedence.

use std::sync::LazyLock;

use pest::pratt_parser::{Assoc, Op, PrattParser};

use super::grammar::Rule;
use super::scan::TooDeep;
use super::{Builder, MAX_NESTING, Pair, Parts};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::source::Span;
use crate::syntax::tree::{
    Expression, ExpressionKind, IsTest, Literal, Operator, SetOperator, Spanned, WindowTest,
};

/// The operators, loosest first.
static PRECEDENCE: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let comparisons = [
        Rule::not_equal,
        Rule::less,
        Rule::less_or_equal,
        Rule::greater,
        Rule::greater_or_equal,
        Rule::is_in,
        Rule::is_not_in,
        Rule::starts_with,
        Rule::ends_with,
        Rule::contains,
    ];
    let comparison = comparisons
        .into_iter()
        .fold(Op::infix(Rule::equal, Assoc::Left), |level, rule| level | Op::infix(rule, Assoc::Left));
    PrattParser::new()
        .op(Op::infix(Rule::implies, Assoc::Right))
        .op(Op::infix(Rule::or, Assoc::Left))
        .op(Op::infix(Rule::and, Assoc::Left))
        .op(Op::prefix(Rule::not) | Op::prefix(Rule::initially))
        .op(comparison | Op::postfix(Rule::is_test))
        .op(Op::infix(Rule::intersect, Assoc::Left)
            | Op::infix(Rule::union, Assoc::Left)
            | Op::infix(Rule::except, Assoc::Left))
        .op(Op::infix(Rule::fallback, Assoc::Left))
        .op(Op::postfix(Rule::within) | Op::postfix(Rule::this_login))
});

/// A finished part of an expression: in parentheses it is closed, and chains don't grow into it.
pub(super) struct Term {
    pub(super) expression: Expression,
    form: Form,
    /// With the parentheses.
    outer: Span,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Bare,
    Grouped,
}

impl Term {
    fn bare(span: Span, kind: ExpressionKind) -> Term {
        Term { expression: Expression { span, kind: Box::new(kind) }, form: Form::Bare, outer: span }
    }

    /// Whether it is a comparison that no parentheses close.
    fn is_open_comparison(&self) -> bool {
        let comparison =
            matches!(*self.expression.kind, ExpressionKind::Binary { .. } | ExpressionKind::Is(..));
        self.form == Form::Bare && comparison
    }
}

impl Builder<'_> {
    /// The tree of an `expression` or a `set_expression`.
    pub(super) fn expression(&self, pair: Pair<'_>, depth: usize) -> Expression {
        self.term(pair, depth).expression
    }

    fn term(&self, pair: Pair<'_>, depth: usize) -> Term {
        let span = self.span(&pair);
        let depth = depth + 1 + own_depth(&pair);
        if depth > MAX_NESTING {
            self.report(TooDeep(span).report());
            return Term::bare(span, ExpressionKind::Invalid);
        }
        PRECEDENCE
            .map_primary(|operand| self.operand(operand, depth))
            .map_prefix(|word, term| self.prefixed(word, term))
            .map_postfix(|term, test| self.postfixed(term, test))
            .map_infix(|left, operator, right| self.joined(left, operator, right))
            .parse(pair.into_inner())
    }

    /// The tree of a `primary`.
    pub(super) fn operand(&self, pair: Pair<'_>, depth: usize) -> Term {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::group => {
                let inner = pair.parts().next().map(|inner| self.term(inner, depth));
                let expression = inner.map(|term| term.expression).unwrap_or_else(|| invalid(span));
                return Term { expression, form: Form::Grouped, outer: span };
            }
            Rule::list => {
                ExpressionKind::List(pair.parts().map(|item| self.expression(item, depth)).collect())
            }
            Rule::any_performed => ExpressionKind::AnyPerformed,
            Rule::last_performed => ExpressionKind::LastPerformed,
            Rule::call => self.call(pair, depth),
            _ => self.literal(pair).map_or(ExpressionKind::Invalid, ExpressionKind::Literal),
        };
        Term::bare(span, kind)
    }

    fn call(&self, pair: Pair<'_>, depth: usize) -> ExpressionKind {
        let mut parts = pair.parts();
        let Some(name) = parts.next() else { return ExpressionKind::Invalid };
        let name = self.name(&name);
        if let Some(arguments) = parts.next() {
            let arguments = arguments.parts().map(|argument| self.expression(argument, depth));
            return ExpressionKind::Call(name, arguments.collect());
        }
        match name.node.as_str() {
            "True" | "TRUE" | "False" | "FALSE" => {
                let right = name.node.to_ascii_lowercase();
                let message = format!("`{}` is written `{right}`", name.node);
                let report = Diagnostic::error(Code::E0102, name.span, message);
                self.report(report.fix(format!("write `{right}`"), name.span, right.clone()));
                ExpressionKind::Literal(Literal::Bool(right == "true"))
            }
            _ => ExpressionKind::Name(name.node),
        }
    }

    fn prefixed(&self, word: Pair<'_>, term: Term) -> Term {
        let span = self.span(&word).to(term.outer);
        let kind = match word.as_rule() {
            Rule::initially => ExpressionKind::Initially(term.expression),
            _ => ExpressionKind::Not(term.expression),
        };
        Term::bare(span, kind)
    }

    fn postfixed(&self, term: Term, test: Pair<'_>) -> Term {
        let place = self.span(&test);
        let span = term.outer.to(place);
        let kind = match test.as_rule() {
            Rule::is_test => {
                if term.is_open_comparison() {
                    return self.chained(term, place, span);
                }
                ExpressionKind::Is(term.expression, Spanned::new(is_test(test), place))
            }
            Rule::this_login => {
                ExpressionKind::Window(term.expression, Spanned::new(WindowTest::ThisLogin, place))
            }
            _ => {
                let number = test.parts().find(|part| part.as_rule() == Rule::number);
                match number.and_then(|number| self.duration(number, "`within`")) {
                    Some(length) => ExpressionKind::Window(
                        term.expression,
                        Spanned::new(WindowTest::Within(length), place),
                    ),
                    None => ExpressionKind::Invalid,
                }
            }
        };
        Term::bare(span, kind)
    }

    fn joined(&self, left: Term, operator: Pair<'_>, right: Term) -> Term {
        let span = left.outer.to(right.outer);
        let kind = match operator.as_rule() {
            Rule::implies => ExpressionKind::Implies(left.expression, right.expression),
            Rule::or => flat(left, right.expression, ExpressionKind::Or, |kind| match kind {
                ExpressionKind::Or(parts) => Ok(parts),
                other => Err(other),
            }),
            Rule::and => flat(left, right.expression, ExpressionKind::And, |kind| match kind {
                ExpressionKind::And(parts) => Ok(parts),
                other => Err(other),
            }),
            Rule::fallback => flat(left, right.expression, ExpressionKind::Fallback, |kind| match kind {
                ExpressionKind::Fallback(parts) => Ok(parts),
                other => Err(other),
            }),
            Rule::intersect | Rule::union | Rule::except => self.sets(left, operator, right),
            _ => return self.compared(left, operator, right, span),
        };
        Term::bare(span, kind)
    }

    fn sets(&self, left: Term, word: Pair<'_>, right: Term) -> ExpressionKind {
        let operator = match word.as_rule() {
            Rule::intersect => SetOperator::Intersect,
            Rule::union => SetOperator::Union,
            _ => SetOperator::Except,
        };
        let next = (Spanned::new(operator, self.span(&word)), right.expression);
        let Term { expression: Expression { span, kind }, form, .. } = left;
        match (form, *kind) {
            (Form::Bare, ExpressionKind::Sets { first, mut rest }) => {
                rest.push(next);
                ExpressionKind::Sets { first, rest }
            }
            (_, kind) => {
                ExpressionKind::Sets { first: Expression { span, kind: Box::new(kind) }, rest: vec![next] }
            }
        }
    }

    fn compared(&self, left: Term, sign: Pair<'_>, right: Term, span: Span) -> Term {
        let place = self.span(&sign);
        if left.is_open_comparison() {
            return self.chained(left, place, span);
        }
        let operator = operator(&sign);
        if let Some(test) = self.null_test(&left, operator, &right, span) {
            return Term::bare(span, test);
        }
        if sign.as_str() == "=" {
            let report = Diagnostic::error(Code::E0102, place, "`=` does not compare")
                .here("this gives a name a value");
            self.report(report.fix("write `==`", place, "=="));
        }
        let operator = Spanned::new(operator, place);
        Term::bare(span, ExpressionKind::Binary { left: left.expression, operator, right: right.expression })
    }

    /// `a < b < c`: reported at the second sign.
    fn chained(&self, left: Term, second: Span, span: Span) -> Term {
        let mut report = Diagnostic::error(Code::E0107, second, "comparisons can't be chained");
        report = report.here("a second comparison");
        match *left.expression.kind {
            ExpressionKind::Binary { operator, right: middle, .. } if !is_written(&middle) => {
                report = report.label(operator.span, "the first one");
                let text = self.slice(middle.span);
                let edit = Edit { span: left.outer.after(), replacement: format!(" and {text}") };
                report = report.fix_all(format!("join two comparisons: `… {text} and {text} …`"), vec![edit]);
            }
            ExpressionKind::Binary { operator, .. } => report = report.label(operator.span, "the first one"),
            ExpressionKind::Is(_, test) => report = report.label(test.span, "the first one"),
            _ => {}
        }
        self.report(report.note("parentheses around one of them compare its outcome"));
        Term::bare(span, ExpressionKind::Invalid)
    }

    /// `x == null` is `x is not present`.
    fn null_test(&self, left: &Term, operator: Operator, right: &Term, span: Span) -> Option<ExpressionKind> {
        let is_null = |term: &Term| {
            matches!(&*term.expression.kind, ExpressionKind::Name(name)
                if matches!(name.as_str(), "null" | "undefined" | "nil" | "None"))
        };
        let (value, null) = match (is_null(left), is_null(right)) {
            (false, true) => (left, right),
            (true, false) => (right, left),
            _ => return None,
        };
        let test = match operator {
            Operator::Equal => IsTest::NotPresent,
            Operator::NotEqual => IsTest::Present,
            _ => return None,
        };
        let words = if test == IsTest::Present { "is present" } else { "is not present" };
        let word = self.slice(null.outer);
        let report = Diagnostic::error(Code::E0102, null.outer, format!("the language has no `{word}`"));
        let repaired = format!("{} {words}", self.slice(value.outer));
        self.report(report.fix(format!("write `{repaired}`"), span, repaired));
        Some(ExpressionKind::Is(value.expression.clone(), Spanned::new(test, span)))
    }
}

/// Whether comparing with it twice would compare what is written down.
fn is_written(middle: &Expression) -> bool {
    matches!(*middle.kind, ExpressionKind::Literal(_) | ExpressionKind::List(_))
}

/// A chain of one operator is one flat list, which grows by its right side.
fn flat(
    left: Term,
    right: Expression,
    chain: fn(Vec<Expression>) -> ExpressionKind,
    parts_of: fn(ExpressionKind) -> Result<Vec<Expression>, ExpressionKind>,
) -> ExpressionKind {
    let Term { expression: Expression { span, kind }, form, .. } = left;
    let mut parts = match form {
        Form::Bare => parts_of(*kind).unwrap_or_else(|kind| vec![Expression { span, kind: Box::new(kind) }]),
        Form::Grouped => vec![Expression { span, kind }],
    };
    parts.push(right);
    chain(parts)
}

/// An expression for what was reported.
pub(super) fn invalid(span: Span) -> Expression {
    Expression { span, kind: Box::new(ExpressionKind::Invalid) }
}

/// How deep the tree of this list of operands grows by itself: `implies` groups to the right, and the prefix words
/// nest until an `and` or `or` ends them. (Parentheses were counted before parsing.)
fn own_depth(pair: &Pair<'_>) -> usize {
    let (mut implications, mut prefixes, mut deepest) = (0, 0, 0);
    for part in pair.clone().into_inner() {
        match part.as_rule() {
            Rule::implies => {
                implications += 1;
                prefixes = 0;
            }
            Rule::and | Rule::or => prefixes = 0,
            Rule::not | Rule::initially => prefixes += 1,
            _ => {}
        }
        deepest = deepest.max(prefixes);
    }
    implications + deepest
}

fn operator(sign: &Pair<'_>) -> Operator {
    let inner = || sign.clone().into_inner().last().map(|word| word.as_rule());
    match sign.as_rule() {
        Rule::equal => Operator::Equal,
        Rule::not_equal => Operator::NotEqual,
        Rule::less => Operator::Less,
        Rule::less_or_equal => Operator::LessOrEqual,
        Rule::greater => Operator::Greater,
        Rule::greater_or_equal => Operator::GreaterOrEqual,
        Rule::is_in => Operator::In,
        Rule::is_not_in => Operator::NotIn,
        Rule::starts_with => Operator::StartsWith,
        Rule::ends_with => Operator::EndsWith,
        _ => match inner() {
            Some(Rule::kw_any) => Operator::ContainsAny,
            Some(Rule::kw_all) => Operator::ContainsAll,
            _ => Operator::Contains,
        },
    }
}

fn is_test(pair: Pair<'_>) -> IsTest {
    let words: Vec<Rule> = pair.parts().map(|word| word.as_rule()).collect();
    match words.as_slice() {
        [_, Rule::kw_not, Rule::kw_present] => IsTest::NotPresent,
        [_, Rule::kw_not, _] => IsTest::NotEmpty,
        [_, Rule::kw_present] => IsTest::Present,
        _ => IsTest::Empty,
    }
}
