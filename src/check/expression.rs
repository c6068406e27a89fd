//! Expressions become values: types are settled, and what an `and`, an `or` or an `if` makes known goes with them.

use smallvec::SmallVec;

use super::Checker;
use super::condition::{Known, Outcome};
use super::policy::{ConditionId, ConditionKind, FactorSubject, Guard, Number, Window};
use super::value::{Kind, Term, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};
use crate::syntax::tree::{Expression, ExpressionKind, IsTest, Literal, Spanned, WindowTest};

/// Where an expression stands.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) file: FileId,
    pub(crate) place: Place,
    /// What is surely present here.
    pub(crate) known: Known,
    /// Parameters and `let`s, innermost last.
    pub(crate) locals: Vec<Local>,
    /// How many blocks stand around.
    pub(crate) depth: u32,
}

/// What kind of text an expression belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Policy,
    /// The start's facts, the end's factors, counts and ends have a meaning here.
    Guarantee,
}

/// A name of a block or a definition.
#[derive(Clone)]
pub(crate) struct Local {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) declared: Span,
}

impl Context {
    pub(crate) fn new(file: FileId, place: Place) -> Self {
        Context { file, place, known: Known::default(), locals: Vec::new(), depth: 0 }
    }
}

impl Checker<'_> {
    /// A condition: a bool that is present.
    pub(crate) fn boolean(&mut self, context: &mut Context, expression: &Expression) -> ConditionId {
        let value = self.value(context, expression);
        if !value.kind.fits(&Kind::Bool) {
            let report = Diagnostic::error(
                Code::E0301,
                value.span,
                format!("`{}` is {}, and a condition is wanted", self.excerpt(value.span), value.kind),
            )
            .here(format!("this is {}", value.kind));
            let report = self.how_to_ask(report, &value);
            self.report(report);
            return self.constant(false, value.span);
        }
        let value = self.require_present(context, value);
        let span = expression.span;
        self.for_each_term(&value, span, |checker, term| match term {
            Term::Bool(condition) => *condition,
            _ => checker.constant(false, span),
        })
    }

    /// Adds how one asks something of a value that is no condition by itself.
    fn how_to_ask(&self, report: Diagnostic, value: &Value) -> Diagnostic {
        let text = self.excerpt(value.span);
        if !value.guards().is_empty() {
            return report.fix("ask whether it is there", value.span.after(), " is present");
        }
        match (&value.kind, value.only()) {
            (Kind::Factor, Some(Term::Factor(FactorSubject::Literal(_)))) => {
                report.fix("ask whether the user has it", value.span, format!("enrolled({text})"))
            }
            (Kind::FactorSet | Kind::TextList, _) => {
                report.fix("ask whether it has an element", value.span.after(), " is not empty")
            }
            (Kind::Text, _) => report.help(format!("compare it, as in `{text} == \"…\"`")),
            _ => report.help(format!("compare it with a value, as in `{text} == …`")),
        }
    }

    /// What an expression is worth.
    pub(crate) fn value(&mut self, context: &mut Context, expression: &Expression) -> Value {
        let span = expression.span;
        match &*expression.kind {
            ExpressionKind::Implies(premise, conclusion) => {
                let premise = self.boolean(context, premise);
                let conclusion = self.after(context, premise, Outcome::True, |checker, inner| {
                    checker.boolean(inner, conclusion)
                });
                let unmet = self.not(premise, span);
                self.boolean_value(ConditionKind::Any(vec![unmet, conclusion]), span)
            }
            ExpressionKind::Or(parts) => {
                let parts = self.chain(context, parts, Outcome::False);
                self.boolean_value(ConditionKind::Any(parts), span)
            }
            ExpressionKind::And(parts) => {
                let parts = self.chain(context, parts, Outcome::True);
                self.boolean_value(ConditionKind::All(parts), span)
            }
            ExpressionKind::Not(inner) => {
                let inner = self.boolean(context, inner);
                self.boolean_value(ConditionKind::Not(inner), span)
            }
            ExpressionKind::Initially(inner) => self.initially(context, inner, span),
            ExpressionKind::Binary { left, operator, right } => {
                self.binary(context, left, operator, right, span)
            }
            ExpressionKind::Is(subject, test) => self.is_test(context, subject, test, span),
            ExpressionKind::Sets { first, rest } => self.sets(context, first, rest, span),
            ExpressionKind::Fallback(parts) => self.fallback(context, parts, span),
            ExpressionKind::Window(subject, window) => self.window(context, subject, window, span),
            ExpressionKind::Call(name, arguments) => self.call(context, name, arguments, span),
            ExpressionKind::Name(name) => self.name(context, name, span, None),
            ExpressionKind::AnyPerformed => {
                self.boolean_value(ConditionKind::AnyPerformed(Window::Ever), span)
            }
            ExpressionKind::LastPerformed => {
                let guards = SmallVec::from_slice(&[Guard::LastPerformed]);
                Value::guarded(Kind::Factor, Term::Factor(FactorSubject::LastPerformed), guards, span)
            }
            ExpressionKind::List(elements) => self.list(context, elements, span),
            ExpressionKind::Literal(literal) => self.literal(literal, span),
            ExpressionKind::Invalid => Value::invalid(span),
        }
    }

    pub(crate) fn boolean_value(&mut self, kind: ConditionKind, span: Span) -> Value {
        let condition = self.condition(kind, span);
        Value::new(Kind::Bool, Term::Bool(condition), span)
    }

    /// The parts of an `and` (asked while true) or an `or` (asked while false).
    fn chain(&mut self, context: &mut Context, parts: &[Expression], while_: Outcome) -> Vec<ConditionId> {
        let before = context.known.clone();
        let mut conditions = Vec::with_capacity(parts.len());
        for part in parts {
            let condition = self.boolean(context, part);
            context.known = context.known.with(&self.implied(condition, while_));
            conditions.push(condition);
        }
        context.known = before;
        conditions
    }

    /// Checks something where `condition` is known to have come out as `outcome`.
    pub(crate) fn after<T>(
        &mut self,
        context: &mut Context,
        condition: ConditionId,
        outcome: Outcome,
        check: impl FnOnce(&mut Self, &mut Context) -> T,
    ) -> T {
        let before = context.known.clone();
        context.known = context.known.with(&self.implied(condition, outcome));
        let result = check(self, context);
        context.known = before;
        result
    }

    fn initially(&mut self, context: &mut Context, inner: &Expression, span: Span) -> Value {
        if context.place != Place::Guarantee {
            let report =
                Diagnostic::error(Code::E0307, span, "`initially` has a meaning only in a `guarantee`")
                    .help("leave it out: a step always reads its facts as they stand when it begins");
            self.report(report);
            return Value::invalid(span);
        }
        let inner = self.boolean(context, inner);
        self.boolean_value(ConditionKind::Initially(inner), span)
    }

    fn is_test(
        &mut self,
        context: &mut Context,
        subject: &Expression,
        test: &Spanned<IsTest>,
        span: Span,
    ) -> Value {
        let value = self.value(context, subject);
        if value.is_invalid() {
            return Value::invalid(span);
        }
        let (condition, negated) = match test.node {
            IsTest::Present => (self.presence_test(&value, test.span, span), false),
            IsTest::NotPresent => (self.presence_test(&value, test.span, span), true),
            IsTest::Empty => (self.empty_test(context, value, test, span), false),
            IsTest::NotEmpty => (self.empty_test(context, value, test, span), true),
        };
        let Some(condition) = condition else { return Value::invalid(span) };
        let condition = if negated { self.not(condition, span) } else { condition };
        Value::new(Kind::Bool, Term::Bool(condition), span)
    }

    fn empty_test(
        &mut self,
        context: &Context,
        value: Value,
        test: &Spanned<IsTest>,
        span: Span,
    ) -> Option<ConditionId> {
        if !matches!(value.kind, Kind::TextList | Kind::FactorSet | Kind::EmptyList) {
            let text = self.excerpt(value.span);
            let message = format!("`is empty` asks a list or a set, and `{text}` is {}", value.kind);
            let report = Diagnostic::error(Code::E0303, test.span, message)
                .label(value.span, format!("this is {}", value.kind));
            let same = if test.node == IsTest::Empty { "== \"\"" } else { "!= \"\"" };
            self.report(match value.kind {
                Kind::Text => report.fix("compare it with the empty string", test.span, same),
                _ => report,
            });
            return None;
        }
        let value = self.require_present(context, value);
        Some(self.for_each_term(&value, span, |checker, term| {
            let kind = match term {
                Term::List(variable) => ConditionKind::List(*variable, super::policy::ListTest::Empty),
                Term::ListLiteral(texts) => ConditionKind::Constant(texts.is_empty()),
                Term::Set(set) => ConditionKind::EmptySet(set.clone()),
                _ => ConditionKind::Constant(false),
            };
            checker.condition(kind, span)
        }))
    }

    /// `A ?? B ?? C`
    fn fallback(&mut self, context: &mut Context, parts: &[Expression], span: Span) -> Value {
        let mut values: Vec<Value> = Vec::with_capacity(parts.len());
        for part in parts {
            let value = match values.first() {
                Some(first) => self.operand(context, part, &first.kind.clone()),
                None => self.value(context, part),
            };
            values.push(value);
        }
        if values.iter().any(Value::is_invalid) {
            return Value::invalid(span);
        }
        let Some((last, firsts)) = values.split_last() else { return Value::invalid(span) };
        for value in firsts {
            if value.guards().is_empty() && value.only() != Some(&Term::Opaque) {
                self.report_unused_fallback(value, last);
            }
            if !last.kind.fits(&value.kind) {
                self.report_mismatch(value, last, "both sides of `??` must have one type");
                return Value::invalid(span);
            }
        }
        let last = self.require_present(context, last.clone());
        if last.kind == Kind::FactorSet {
            return self.set_fallback(firsts, &last, span);
        }
        let kind = firsts.first().map_or(Kind::Unknown, |value| value.kind.clone());
        let terms = firsts.iter().flat_map(|value| value.terms.iter().cloned()).chain(last.terms).collect();
        Value { kind, terms, span }
    }

    fn report_unused_fallback(&mut self, value: &Value, last: &Value) {
        let report = Diagnostic::warning(
            Code::W0607,
            last.span,
            format!("`{}` is always present, so this is never used", self.excerpt(value.span)),
        )
        .label(value.span, "this can't be absent");
        let rest = Span { start: value.span.end, ..last.span };
        let advice = "leave out the `??` and what follows it";
        // A parenthesis that ends between the two belongs to neither.
        let report = match self.sources.text(rest).trim_start().starts_with("??") {
            true => report.fix(advice, rest, ""),
            false => report.help(advice),
        };
        self.report(report);
    }

    /// `A within D`, `A in this login`
    fn window(
        &mut self,
        context: &mut Context,
        subject: &Expression,
        window: &Spanned<WindowTest>,
        span: Span,
    ) -> Value {
        let wanted = match window.node {
            WindowTest::Within(ms) => Window::Within(ms),
            WindowTest::ThisLogin => Window::ThisLogin,
        };
        match (&*subject.kind, window.node) {
            (ExpressionKind::Call(name, arguments), _) if name.node == "performed" => {
                self.performed(context, name, arguments, wanted, span)
            }
            (ExpressionKind::AnyPerformed, _) => {
                self.boolean_value(ConditionKind::AnyPerformed(wanted), span)
            }
            (_, WindowTest::Within(ms)) => self.age_within(context, subject, window.span, ms, span),
            (_, WindowTest::ThisLogin) => {
                let report = Diagnostic::error(
                    Code::E0303,
                    window.span,
                    "only `performed(…)` and `any performed` can be `in this login`",
                )
                .label(subject.span, "not something performed");
                self.report(report);
                Value::invalid(span)
            }
        }
    }

    fn age_within(
        &mut self,
        context: &mut Context,
        subject: &Expression,
        at: Span,
        ms: i64,
        span: Span,
    ) -> Value {
        let value = self.value(context, subject);
        let value = self.require_present(context, value);
        if value.is_invalid() {
            return Value::invalid(span);
        }
        if value.kind != Kind::Time {
            let text = self.excerpt(value.span);
            let report = Diagnostic::error(
                Code::E0301,
                value.span,
                format!("`within` asks a time, and `{text}` is {}", value.kind),
            )
            .label(at, "how long ago was what?");
            let report = match (&value.kind, value.only()) {
                (Kind::Factor, Some(_)) => {
                    report.fix("ask when it was performed", value.span, format!("performed({text})"))
                }
                _ => report
                    .note("`within` stands after `performed(…)`, `any performed` or a fact of type `time`"),
            };
            self.report(report);
            return Value::invalid(span);
        }
        let condition = self.for_each_term(&value, span, |checker, term| {
            let kind = match term {
                Term::Number(Number::Variable(variable)) => {
                    ConditionKind::Compare(Number::Age(*variable), super::policy::Comparison::Less, ms)
                }
                Term::Number(_) => ConditionKind::Constant(ms > 0),
                Term::NumberLiteral(instant) => {
                    // `now - instant < ms` says that `now` is before `instant + ms`.
                    ConditionKind::Compare(
                        Number::Now,
                        super::policy::Comparison::Less,
                        instant.saturating_add(ms),
                    )
                }
                _ => ConditionKind::Constant(false),
            };
            checker.condition(kind, span)
        });
        Value::new(Kind::Bool, Term::Bool(condition), span)
    }

    fn literal(&mut self, literal: &Literal, span: Span) -> Value {
        match literal {
            Literal::Bool(value) => {
                let condition = self.constant(*value, span);
                Value::new(Kind::Bool, Term::Bool(condition), span)
            }
            Literal::Int(value) => Value::new(Kind::Int, Term::NumberLiteral(*value), span),
            Literal::Text(text) => Value::new(Kind::Text, Term::TextLiteral(text.clone()), span),
            Literal::Duration(ms) => Value::new(Kind::Duration, Term::NumberLiteral(*ms), span),
            Literal::Instant(ms) => Value::new(Kind::Time, Term::NumberLiteral(*ms), span),
            Literal::Prefix(prefix) => Value::new(Kind::Ip, Term::Prefixes(vec![*prefix]), span),
        }
    }

    /// Two types that should be one.
    pub(crate) fn report_mismatch(&mut self, left: &Value, right: &Value, why: &str) {
        let (a, b) = (self.excerpt(left.span), self.excerpt(right.span));
        let report = Diagnostic::error(
            Code::E0301,
            right.span,
            format!("`{b}` is {}, and `{a}` is {}", right.kind, left.kind),
        )
        .here(format!("this is {}", right.kind))
        .label(left.span, format!("this is {}", left.kind))
        .note(why);
        self.report(report);
    }
}
