//! Sets and lists: literals, the set words, and sets that may be absent.

use super::Checker;
use super::expression::Context;
use super::policy::{FactorSubject, Set};
use super::value::{Guarded, Kind, Term, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree::{Expression, SetOperator, Spanned};

/// How deep a set may nest: later stages recurse over it.
const MAX_SET_DEPTH: usize = 256;

/// How many parts a set may have.
const MAX_SET_PARTS: usize = 4096;

impl Checker<'_> {
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
                Kind::TextList => self.declared_as_texts(report, value),
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

    /// Points at the fact that could be declared as a set.
    fn declared_as_texts(&self, report: Diagnostic, value: &Value) -> Diagnostic {
        match value.only() {
            Some(Term::List(variable)) => match self.variable_spans[*variable] {
                Some(declared) => report
                    .label(declared, "declared here")
                    .help("if it holds factors, declare it as a `set<factor>`"),
                None => report,
            },
            _ => report,
        }
    }

    pub(crate) fn sets(
        &mut self,
        context: &mut Context,
        first: &Expression,
        rest: &[(Spanned<SetOperator>, Expression)],
        span: Span,
    ) -> Value {
        let mut result = self.set(context, first);
        if rest.len() >= MAX_SET_DEPTH {
            let report = Diagnostic::error(Code::E0208, span, "this set is put together from too many parts")
                .here(format!("{} parts, and the bound is {MAX_SET_DEPTH}", rest.len() + 1))
                .help("put factors that are treated alike into one list: `… except [otp, phone]`");
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
    pub(crate) fn bounded_set(&mut self, set: Set, span: Span) -> Value {
        let (depth, parts) = set_size(&set);
        if depth <= MAX_SET_DEPTH && parts <= MAX_SET_PARTS {
            return Value::new(Kind::FactorSet, Term::Set(set), span);
        }
        let report =
            Diagnostic::error(Code::E0208, span, "this set is too large once its definitions are expanded")
                .here(format!("the bounds are {MAX_SET_PARTS} parts, {MAX_SET_DEPTH} deep"))
                .help("use each definition fewer times, or say the same with fewer of them");
        self.report(report);
        Value::invalid(span)
    }

    /// `??` between sets is a set, so that commands can show it.
    pub(crate) fn set_fallback(&mut self, firsts: &[Value], last: &Value, span: Span) -> Value {
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

    pub(crate) fn list_of_terms(&mut self, kind: &Kind, values: &[Value], span: Span) -> Value {
        if !matches!(kind, Kind::Factor | Kind::Text | Kind::Int | Kind::Ip) {
            return self.report_list_of(kind, span);
        }
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
                        format!("a list holds what is written down, and `{text}` is read from the login"),
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
            _ => Value::invalid(span),
        }
    }

    fn report_list_of(&mut self, kind: &Kind, span: Span) -> Value {
        let report = Diagnostic::error(Code::E0303, span, format!("a list can't hold {kind}"))
            .note("a list holds strings, factors, ints or addresses");
        self.report(match kind {
            Kind::Bool => {
                report.help("a bool is asked by itself, as in `user.isAdmin` or `not user.isAdmin`")
            }
            _ => report,
        });
        Value::invalid(span)
    }

    /// One element of a list; `phone(sms)` gets a report of its own.
    pub(crate) fn element(&mut self, context: &mut Context, element: &Expression) -> Value {
        let value = self.value(context, element);
        self.require_present(context, value)
    }

    pub(crate) fn report_repeats(&mut self, values: &[Value]) {
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
