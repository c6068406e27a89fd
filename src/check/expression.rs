//! Expressions become values: names are found, types settled, presence followed.

use smallvec::SmallVec;

use super::Checker;
use super::condition::{Known, Outcome, is_prefix};
use super::declare::{DefinitionBody, DefinitionId, State};
use super::policy::{
    Absence, ConditionId, ConditionKind, End, FactorSubject, Guard, Number, Set, TextSubject, Type,
    VariableId, View, Window,
};
use super::value::{Guarded, Kind, Term, Value};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::{FileId, Span};
use crate::syntax::tree::{Expression, ExpressionKind, IsTest, Literal, SetOperator, Spanned, WindowTest};

/// How deep definitions may refer to one another: the checker recurses over them.
const MAX_DEFINITION_DEPTH: u32 = 64;

/// How deep a set may nest: later stages recurse over it.
const MAX_SET_DEPTH: usize = 256;

/// How many parts a set may have.
const MAX_SET_PARTS: usize = 4096;

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
        let value = self.require_present(context, value);
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
        let span = expression.span;
        self.for_each_term(&value, span, |checker, term| match term {
            Term::Bool(condition) => *condition,
            _ => checker.constant(false, span),
        })
    }

    /// Adds how one asks something of a value that is no condition by itself.
    fn how_to_ask(&self, report: Diagnostic, value: &Value) -> Diagnostic {
        let text = self.excerpt(value.span);
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
                Diagnostic::error(Code::E0308, span, "`initially` has a meaning only in a `guarantee`")
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
            IsTest::Empty => (self.empty_test(context, value, test.span, span), false),
            IsTest::NotEmpty => (self.empty_test(context, value, test.span, span), true),
        };
        let Some(condition) = condition else { return Value::invalid(span) };
        let condition = if negated { self.not(condition, span) } else { condition };
        Value::new(Kind::Bool, Term::Bool(condition), span)
    }

    fn presence_test(&mut self, value: &Value, test: Span, span: Span) -> Option<ConditionId> {
        if value.only() == Some(&Term::Opaque) {
            return Some(self.constant(false, span));
        }
        if !value.guards().is_empty() {
            let guards: SmallVec<[Guard; 4]> = SmallVec::from_slice(value.guards());
            return Some(self.present(&guards, span));
        }
        let report =
            Diagnostic::error(Code::E0303, test, format!("`{}` is always present", self.excerpt(value.span)))
                .label(value.span, "this can't be absent");
        let report = match &value.kind {
            Kind::FactorSet | Kind::TextList => report.fix("ask whether it is empty", test, "is not empty"),
            _ => report.help("leave the test out"),
        };
        self.report(report);
        None
    }

    fn empty_test(&mut self, context: &Context, value: Value, test: Span, span: Span) -> Option<ConditionId> {
        let value = self.require_present(context, value);
        let asked = match value.kind {
            Kind::TextList | Kind::FactorSet | Kind::EmptyList => {
                self.for_each_term(&value, span, |checker, term| {
                    let kind = match term {
                        Term::List(variable) => {
                            ConditionKind::List(*variable, super::policy::ListTest::Empty)
                        }
                        Term::ListLiteral(texts) => ConditionKind::Constant(texts.is_empty()),
                        Term::Set(set) => ConditionKind::EmptySet(set.clone()),
                        _ => ConditionKind::Constant(false),
                    };
                    checker.condition(kind, span)
                })
            }
            _ => {
                let report = Diagnostic::error(
                    Code::E0303,
                    test,
                    format!(
                        "`is empty` asks a list or a set, and `{}` is {}",
                        self.excerpt(value.span),
                        value.kind
                    ),
                )
                .label(value.span, format!("this is {}", value.kind));
                let report = match value.kind {
                    Kind::Text => report.fix("compare it with the empty string", test, "== \"\""),
                    _ => report,
                };
                self.report(report);
                return None;
            }
        };
        Some(asked)
    }

    /// A set operand: a set of factors, present.
    pub(crate) fn set(&mut self, context: &mut Context, expression: &Expression) -> Option<Set> {
        let value = self.value(context, expression);
        let value = self.require_present(context, value);
        self.set_of_value(&value, "a set of factors is wanted")
    }

    /// The set that a value is; reports other types.
    pub(crate) fn set_of_value(&mut self, value: &Value, wanted: &str) -> Option<Set> {
        if value.is_invalid() {
            return None;
        }
        if !value.kind.fits(&Kind::FactorSet) {
            let text = self.excerpt(value.span);
            let report = Diagnostic::error(
                Code::E0301,
                value.span,
                format!("`{text}` is {}, and {wanted}", value.kind),
            )
            .here(format!("this is {}", value.kind));
            let report = match value.kind {
                Kind::Factor => report.fix("put it in a list", value.span, format!("[{text}]")),
                _ => report,
            };
            self.report(report);
            return None;
        }
        match value.only() {
            Some(Term::Set(set)) => Some(set.clone()),
            _ => Some(Set::Literal(Vec::new())),
        }
    }

    fn sets(
        &mut self,
        context: &mut Context,
        first: &Expression,
        rest: &[(Spanned<SetOperator>, Expression)],
        span: Span,
    ) -> Value {
        let mut result = self.set(context, first);
        if rest.len() >= MAX_SET_DEPTH {
            let report = Diagnostic::error(Code::E0208, span, "this set is put together from too many parts")
                .here(format!("{} parts, and the bound is {MAX_SET_DEPTH}", rest.len() + 1));
            self.report(report);
            return Value::invalid(span);
        }
        for (operator, operand) in rest {
            let operand = self.set(context, operand);
            result = result.zip(operand).map(|(left, right)| {
                let (left, right) = (Box::new(left), Box::new(right));
                match operator.node {
                    SetOperator::Intersect => Set::Intersect(left, right),
                    SetOperator::Union => Set::Union(left, right),
                    SetOperator::Except => Set::Except(left, right),
                }
            });
        }
        match result {
            Some(set) => self.bounded_set(set, span),
            None => Value::invalid(span),
        }
    }

    /// A set value, or a report where definitions have nested it too deep.
    fn bounded_set(&mut self, set: Set, span: Span) -> Value {
        let (depth, parts) = set_size(&set);
        if depth <= MAX_SET_DEPTH && parts <= MAX_SET_PARTS {
            return Value::new(Kind::FactorSet, Term::Set(set), span);
        }
        let report =
            Diagnostic::error(Code::E0208, span, "this set is too large once its definitions are expanded")
                .here(format!("the bounds are {MAX_SET_PARTS} parts, {MAX_SET_DEPTH} deep"));
        self.report(report);
        Value::invalid(span)
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

    /// `??` between sets is a set, so that commands can show it.
    fn set_fallback(&mut self, firsts: &[Value], last: &Value, span: Span) -> Value {
        let set_of = |term: &Term| match term {
            Term::Set(set) => set.clone(),
            _ => Set::Literal(Vec::new()),
        };
        let Some(end) = last.only().map(set_of) else { return Value::invalid(span) };
        let terms = firsts.iter().rev().flat_map(|value| value.terms.iter().rev());
        let set = terms.fold(end, |otherwise, Guarded { guards, term }| {
            let then = guards.iter().rev().skip(1).fold(set_of(term), |then, guard| Set::IfPresent {
                guard: *guard,
                then: Box::new(then),
                otherwise: Box::new(otherwise.clone()),
            });
            match guards.last() {
                Some(guard) => {
                    Set::IfPresent { guard: *guard, then: Box::new(then), otherwise: Box::new(otherwise) }
                }
                None => then,
            }
        });
        self.bounded_set(set, span)
    }

    fn report_unused_fallback(&mut self, value: &Value, last: &Value) {
        let report = Diagnostic::warning(
            Code::W0607,
            last.span,
            format!("`{}` is always present, so this is never used", self.excerpt(value.span)),
        )
        .label(value.span, "this can't be absent")
        .help("leave out the `??` and what follows it");
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

    /// `[A, B]` where nothing says what it should hold.
    pub(crate) fn list(&mut self, context: &mut Context, elements: &[Expression], span: Span) -> Value {
        if elements.is_empty() {
            return Value::new(Kind::EmptyList, Term::ListLiteral(Vec::new()), span);
        }
        let values: Vec<Value> = elements.iter().map(|element| self.element(context, element)).collect();
        if values.iter().any(Value::is_invalid) {
            return Value::invalid(span);
        }
        let Some((first, rest)) = values.split_first() else { return Value::invalid(span) };
        if let Some(other) = rest.iter().find(|value| value.kind != first.kind) {
            self.report_mismatch(first, other, "all elements of a list have one type");
            return Value::invalid(span);
        }
        self.report_repeats(&values);
        self.list_of_terms(&first.kind, &values, span)
    }

    fn list_of_terms(&mut self, kind: &Kind, values: &[Value], span: Span) -> Value {
        let mut factors = Vec::new();
        let (mut texts, mut numbers, mut prefixes) = (Vec::new(), Vec::new(), Vec::new());
        for value in values {
            match value.only() {
                Some(Term::Factor(FactorSubject::Literal(factor))) => factors.push(*factor),
                Some(Term::TextLiteral(text)) => texts.push(text.clone()),
                Some(Term::NumberLiteral(number)) => numbers.push(*number),
                Some(Term::Prefixes(some)) => prefixes.extend(some.iter().copied()),
                Some(Term::Opaque) => {}
                _ => {
                    let text = self.excerpt(value.span);
                    let report = Diagnostic::error(
                        Code::E0303,
                        value.span,
                        format!("a list holds literals, and `{text}` is read from the login"),
                    )
                    .help("compare with it on its own, joined by `or`");
                    self.report(report);
                    return Value::invalid(span);
                }
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        factors.retain(|factor| seen.insert(*factor));
        match kind {
            Kind::Factor => Value::new(Kind::FactorSet, Term::Set(Set::Literal(factors)), span),
            Kind::Text => Value::new(Kind::TextList, Term::ListLiteral(texts), span),
            Kind::Int => Value::new(Kind::IntList, Term::Numbers(numbers), span),
            Kind::Ip => Value::new(Kind::PrefixList, Term::Prefixes(prefixes), span),
            other => {
                let report = Diagnostic::error(Code::E0303, span, format!("a list can't hold {other}"))
                    .note("a list holds strings, factors, ints or addresses");
                self.report(report);
                Value::invalid(span)
            }
        }
    }

    /// One element of a list; `phone(sms)` gets a report of its own.
    fn element(&mut self, context: &mut Context, element: &Expression) -> Value {
        let value = self.value(context, element);
        self.require_present(context, value)
    }

    fn report_repeats(&mut self, values: &[Value]) {
        for (position, value) in values.iter().enumerate() {
            let earlier = values.iter().take(position.min(256));
            let Some(first) = earlier.into_iter().find(|first| first.terms == value.terms) else { continue };
            let text = self.excerpt(value.span);
            let code = if value.kind == Kind::Factor { Code::E0405 } else { Code::W0606 };
            let message = format!("`{text}` is listed twice");
            let report = match code {
                Code::E0405 => Diagnostic::error(code, value.span, message),
                _ => Diagnostic::warning(code, value.span, message),
            };
            self.report(report.label(first.span, "first here").help("remove one of the two"));
            return;
        }
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

    /// What a name means. `wanted` is the type on the other side of a comparison, for the report.
    pub(crate) fn name(
        &mut self,
        context: &mut Context,
        name: &str,
        span: Span,
        wanted: Option<&Kind>,
    ) -> Value {
        if let Some(local) = context.locals.iter().rev().find(|local| local.name == name) {
            self.used_locals.insert(local.declared);
            return local.value.clone().at(span);
        }
        if let Some(value) = self.built_in(context, name, span) {
            return value;
        }
        if let Some(definition) = self.declarations.definition(context.file, name) {
            return self.definition_by_name(definition, name, span);
        }
        if self.declarations.fact(name).is_some() {
            self.used_facts.insert(name.to_owned());
            return match self.variable(name) {
                Some(variable) => self.fact_value(variable, span),
                None => Value::invalid(span),
            };
        }
        if let Some(factor) = self.catalog.find(name) {
            return Value::new(Kind::Factor, Term::Factor(FactorSubject::Literal(factor)), span);
        }
        self.report_unknown_name(context, name, span, wanted);
        Value::invalid(span)
    }

    fn built_in(&mut self, context: &Context, name: &str, span: Span) -> Option<Value> {
        let in_guarantee = context.place == Place::Guarantee;
        Some(match name {
            "enrolled" => Value::new(Kind::FactorSet, Term::Set(Set::Enrolled), span),
            "performed" => Value::new(Kind::FactorSet, Term::Set(Set::Performed), span),
            "now" => Value::new(Kind::Time, Term::Number(Number::Now), span),
            "prompts" if in_guarantee => Value::new(Kind::Int, Term::Number(Number::Prompts), span),
            "commands" if in_guarantee => Value::new(Kind::Int, Term::Number(Number::Commands), span),
            "completed" if in_guarantee => self.boolean_value(ConditionKind::Ended(End::Completed), span),
            "denied" if in_guarantee => self.boolean_value(ConditionKind::Ended(End::Denied), span),
            "failed" if in_guarantee => self.boolean_value(ConditionKind::Ended(End::Failed), span),
            _ => return None,
        })
    }

    fn definition_by_name(&mut self, definition: DefinitionId, name: &str, span: Span) -> Value {
        let declared = self.declarations.definitions[definition].name.span;
        match self.declarations.definitions[definition].body {
            DefinitionBody::Let(_) => self.definition_value(definition, span),
            DefinitionBody::Define(define) if define.parameters.is_empty() => {
                self.definition_value(definition, span)
            }
            DefinitionBody::Define(define) => {
                let count = define.parameters.len();
                let report = Diagnostic::error(
                    Code::E0206,
                    span,
                    format!("`{name}` takes {}, and none is given", super::call::arguments(count)),
                )
                .label(declared, "defined here");
                self.report(report);
                Value::invalid(span)
            }
            DefinitionBody::Rule(_) => {
                let report = Diagnostic::error(
                    Code::E0205,
                    span,
                    format!("`{name}` is a rule, and a value is wanted"),
                )
                .label(declared, "a rule holds statements")
                .help(format!("run it as a statement: `apply {name}`"));
                self.report(report);
                Value::invalid(span)
            }
        }
    }

    /// The value of a let, or of a define without parameters, checked when first asked for.
    pub(crate) fn definition_value(&mut self, id: DefinitionId, span: Span) -> Value {
        match &self.states[id] {
            State::Value(value) => return value.clone().at(span),
            State::InProgress => return self.report_circle(id, span),
            State::Broken | State::Function(_) | State::Rule { .. } => return Value::invalid(span),
            State::Untouched => {}
        }
        let definition = &self.declarations.definitions[id];
        let (file, body) = match definition.body {
            DefinitionBody::Let(item) => (definition.file, &item.value),
            DefinitionBody::Define(define) => (definition.file, &define.body),
            DefinitionBody::Rule(_) => return Value::invalid(span),
        };
        let is_define = matches!(definition.body, DefinitionBody::Define(_));
        self.states[id] = State::InProgress;
        let value = self.nested(span, |checker| checker.value(&mut Context::new(file, Place::Policy), body));
        let value = value.unwrap_or_else(|| Value::invalid(span));
        if matches!(self.states[id], State::Broken) {
            return Value::invalid(span);
        }
        let value = if is_define { self.sealed(value) } else { value };
        self.states[id] = State::Value(value.clone());
        value.at(span)
    }

    /// Marks the conditions of a define's result, so that presence isn't followed through them.
    pub(crate) fn sealed(&mut self, value: Value) -> Value {
        for guarded in &value.terms {
            if let Term::Bool(condition) = guarded.term {
                self.opaque.insert(condition);
            }
        }
        value
    }

    /// Checks a definition's inside, unless definitions nest too deep already.
    pub(crate) fn nested<T>(&mut self, span: Span, check: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.definition_depth == MAX_DEFINITION_DEPTH {
            let report = Diagnostic::error(
                Code::E0208,
                span,
                format!("`{}` is defined through too many other definitions", self.excerpt(span)),
            )
            .here(format!("the bound is {MAX_DEFINITION_DEPTH} definitions inside one another"))
            .help("define the inner ones first: a file is read from top to bottom");
            self.report(report);
            return None;
        }
        self.definition_depth += 1;
        let result = check(self);
        self.definition_depth -= 1;
        Some(result)
    }

    pub(crate) fn report_circle(&mut self, id: DefinitionId, span: Span) -> Value {
        let name = self.declarations.definitions[id].name;
        let report =
            Diagnostic::error(Code::E0203, span, format!("`{}` is defined through itself", name.node))
                .here("which leads back to its own definition")
                .label(name.span, "defined here");
        self.states[id] = State::Broken;
        self.report(report);
        Value::invalid(span)
    }

    /// A fact, read.
    pub(crate) fn fact_value(&mut self, variable: VariableId, span: Span) -> Value {
        let declared = &self.variables[variable];
        let guards: SmallVec<[Guard; 1]> = match declared.absence {
            Absence::Tracked(presence) => SmallVec::from_slice(&[Guard::Path(presence)]),
            _ => SmallVec::new(),
        };
        let kind = Kind::of(&declared.ty);
        let term = match declared.ty {
            Type::Bool => Term::Bool(self.condition(ConditionKind::Bool(variable), span)),
            Type::Int | Type::Time | Type::Duration | Type::OpenEnum(_) | Type::OrderedEnum(_) => {
                Term::Number(Number::Variable(variable))
            }
            Type::Text => Term::Text(TextSubject { variable, view: View::Whole }),
            Type::Ip => Term::Ip(variable),
            Type::Factor => Term::Factor(FactorSubject::Variable(variable)),
            Type::TextList => Term::List(variable),
            Type::FactorSet => Term::Set(Set::Variable(variable)),
        };
        Value::guarded(kind, term, guards, span)
    }

    /// The value, known to be present from here on; reports it where that isn't known.
    pub(crate) fn require_present(&mut self, context: &Context, value: Value) -> Value {
        let missing = value.guards().iter().find(|guard| !self.is_known(&context.known, **guard)).copied();
        if let Some(guard) = missing {
            self.report_absent(&value, guard);
        }
        value.unguarded()
    }

    fn is_known(&self, known: &Known, guard: Guard) -> bool {
        let Guard::Path(presence) = guard else { return known.has(guard) };
        let path = &self.presences[presence].path;
        self.presences.iter().any(|(id, longer)| known.has(Guard::Path(id)) && is_prefix(path, &longer.path))
    }

    fn report_absent(&mut self, value: &Value, guard: Guard) {
        let text = self.excerpt(value.span);
        let mut report = Diagnostic::error(Code::E0302, value.span, format!("`{text}` may be absent"))
            .here("it is read here without asking");
        let declared = match value.only() {
            Some(Term::Text(TextSubject { variable, .. }) | Term::Ip(variable) | Term::List(variable)) => {
                Some(*variable)
            }
            Some(
                Term::Number(Number::Variable(variable))
                | Term::Set(Set::Variable(variable))
                | Term::Factor(FactorSubject::Variable(variable)),
            ) => Some(*variable),
            _ => None,
        };
        report = match guard {
            Guard::Path(_) => match declared.and_then(|variable| self.variable_spans[variable]) {
                Some(span) => report.label(span, "declared here as one that may be absent"),
                None => report,
            },
            Guard::LastPerformed => {
                report.note("there is no last factor when none was performed in this session")
            }
            Guard::Domain(_) => report.note("a string without `@` has no domain"),
        };
        let default = match value.kind {
            Kind::Text => Some("\"\""),
            Kind::Bool => Some("false"),
            Kind::Int => Some("0"),
            Kind::FactorSet | Kind::TextList => Some("[]"),
            _ => None,
        };
        if let Some(default) = default {
            report =
                report.fix("say what it counts as when absent", value.span.after(), format!(" ?? {default}"));
        }
        self.report(report.help(format!("or ask first: `{text} is present and …`")));
    }

    fn report_unknown_name(&mut self, context: &Context, name: &str, span: Span, wanted: Option<&Kind>) {
        let mut report = Diagnostic::error(Code::E0201, span, format!("there is no `{name}`"));
        let facts = self.declarations.fact_names();
        let factors: Vec<&str> = self.catalog.factors.values().map(|factor| factor.name.as_str()).collect();
        let visible = self.declarations.visible(context.file);
        let locals = context.locals.iter().map(|local| local.name.as_str());
        let built_in = ["enrolled", "performed", "now"];
        let candidates =
            facts.iter().map(String::as_str).chain(factors).chain(visible).chain(locals).chain(built_in);
        let near = did_you_mean(name, candidates).map(str::to_owned);
        report = match (near, wanted) {
            (Some(near), _) => report.fix(format!("did you mean `{near}`?"), span, near),
            (None, Some(Kind::Text)) => report.fix("a string stands in quotes", span, format!("\"{name}\"")),
            (None, _) => report,
        };
        if let Some(part) = self.declarations.library_part_with(name, self.sources) {
            report = report.help(format!("the library has it: begin the file with `use {part}`"));
        } else if let Some(rest) = name.strip_prefix("event.") {
            report = report
                .note(format!("a policy reads facts, not the event: `fact {rest}: … = {name}` declares one"));
        } else if name.contains("app_metadata") || name.contains("user_metadata") {
            report = report.note(format!(
                "metadata is each tenant's own, so a policy declares what it reads: `fact {name}: bool = event.{name} default false`"
            ));
        }
        self.report(report);
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

/// How deep a set nests, and of how many parts it is made.
fn set_size(set: &Set) -> (usize, usize) {
    let both = |a: &Set, b: &Set| {
        let ((a_depth, a_parts), (b_depth, b_parts)) = (set_size(a), set_size(b));
        (1 + a_depth.max(b_depth), 1 + a_parts + b_parts)
    };
    match set {
        Set::Enrolled | Set::Performed | Set::Variable(_) | Set::Literal(_) => (1, 1),
        Set::Intersect(a, b) | Set::Union(a, b) | Set::Except(a, b) => both(a, b),
        Set::IfPresent { then, otherwise, .. } => both(then, otherwise),
    }
}
