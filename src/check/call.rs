//! Calls: the built-in functions, and defines with parameters.

use smallvec::SmallVec;

use super::Checker;
use super::declare::{DefinitionBody, DefinitionId, State};
use super::expression::{Context, Local, Place};
use super::policy::{
    ConditionKind, FactorId, FactorSubject, Guard, MayBeMissing, Moment, Number, Set, TextSubject, View,
    Window,
};
use super::value::{Guarded, Kind, Term, Value};
use crate::diagnostic::{Code, Diagnostic, Severity, did_you_mean};
use crate::source::Span;
use crate::syntax::tree::{self, Expression, Name};

/// The functions that the language has.
const FUNCTIONS: [&str; 8] = ["enrolled", "performed", "count", "age", "weekday", "hour", "lower", "domain"];

/// How many different calls of one define are remembered.
const REMEMBERED_CALLS: usize = 64;

/// "one argument", "2 arguments"
pub(crate) fn arguments(count: usize) -> String {
    match count {
        0 => "no argument".to_owned(),
        1 => "one argument".to_owned(),
        more => format!("{more} arguments"),
    }
}

impl Checker<'_> {
    /// `NAME(…)`
    pub(crate) fn call(
        &mut self,
        context: &mut Context,
        name: &Name,
        given: &[Expression],
        span: Span,
    ) -> Value {
        match name.node.as_str() {
            "enrolled" => self.enrolled(context, name, given, span),
            "performed" => self.performed(context, name, given, Window::Ever, span),
            "count" => self.count(context, name, given, span),
            "age" | "weekday" | "hour" => self.time_function(context, name, given, span),
            "lower" => self.text_function(context, name, given, View::Lower, span),
            "domain" => self.text_function(context, name, given, View::Domain, span),
            _ => self.call_define(context, name, given, span),
        }
    }

    fn argument<'e>(&mut self, name: &Name, given: &'e [Expression], span: Span) -> Option<&'e Expression> {
        if let [one] = given {
            return Some(one);
        }
        self.report_argument_count(name, 1, given.len(), span, None);
        None
    }

    fn report_argument_count(
        &mut self,
        name: &Name,
        wanted: usize,
        given: usize,
        span: Span,
        declared: Option<Span>,
    ) {
        let given = match given {
            0 => "none is given".to_owned(),
            1 => "one is given".to_owned(),
            more => format!("{more} are given"),
        };
        let report = Diagnostic::error(
            Code::E0206,
            span,
            format!("`{}` takes {}, and {given}", name.node, arguments(wanted)),
        );
        let report = match declared {
            Some(declared) => report.label(declared, "defined here"),
            None => report,
        };
        self.report(report);
    }

    /// An argument of a built-in function, present and of the type it takes.
    fn typed_argument(
        &mut self,
        context: &mut Context,
        name: &Name,
        given: &[Expression],
        span: Span,
        wanted: &Kind,
    ) -> Option<Value> {
        let argument = self.argument(name, given, span)?;
        let value = self.value(context, argument);
        let value = self.require_present(context, value);
        if value.is_invalid() {
            return None;
        }
        if value.kind.fits(wanted) {
            return Some(value);
        }
        let text = self.excerpt(value.span);
        let report = Diagnostic::error(
            Code::E0301,
            value.span,
            format!("`{}` takes {wanted}, and `{text}` is {}", name.node, value.kind),
        )
        .here(format!("this is {}", value.kind));
        let report = match (&value.kind, value.only()) {
            (Kind::Text, Some(Term::TextLiteral(literal))) if self.catalog.find(literal).is_some() => {
                report.fix("a factor stands without quotes", value.span, literal.clone())
            }
            _ => report,
        };
        self.report(report);
        None
    }

    /// The factors that an argument may be, each with the condition that it is that one.
    fn factor_argument(
        &mut self,
        context: &mut Context,
        name: &Name,
        given: &[Expression],
        span: Span,
    ) -> Option<FactorSubject> {
        let value = self.typed_argument(context, name, given, span, &Kind::Factor)?;
        match value.only() {
            Some(Term::Factor(subject)) => Some(*subject),
            Some(Term::Opaque) => None,
            _ => {
                let report = Diagnostic::error(
                    Code::E0303,
                    value.span,
                    format!("`{}` takes one factor, and this is a choice between several", name.node),
                )
                .help("ask about each on its own, joined by `or`");
                self.report(report);
                None
            }
        }
    }

    fn enrolled(&mut self, context: &mut Context, name: &Name, given: &[Expression], span: Span) -> Value {
        match self.factor_argument(context, name, given, span) {
            Some(subject) => self.boolean_value(ConditionKind::Member(subject, Set::Enrolled), span),
            None => self.dummy_condition(span),
        }
    }

    /// `performed(F)` in a window. A factor read from the login may be any of the catalog's.
    pub(crate) fn performed(
        &mut self,
        context: &mut Context,
        name: &Name,
        given: &[Expression],
        window: Window,
        span: Span,
    ) -> Value {
        match self.factor_argument(context, name, given, span) {
            None => self.dummy_condition(span),
            Some(FactorSubject::Literal(factor)) => {
                self.boolean_value(ConditionKind::Performed(factor, window), span)
            }
            Some(subject) => {
                let factors: Vec<FactorId> = self.catalog.factors.keys().collect();
                let mut cases = Vec::with_capacity(factors.len());
                for factor in factors {
                    let is = self.condition(ConditionKind::Member(subject, Set::Literal(vec![factor])), span);
                    let was = self.condition(ConditionKind::Performed(factor, window), span);
                    cases.push(self.condition(ConditionKind::All(vec![is, was]), span));
                }
                self.boolean_value(ConditionKind::Any(cases), span)
            }
        }
    }

    /// Stands for a condition that was reported, or that a parameter leaves open.
    fn dummy_condition(&mut self, span: Span) -> Value {
        let condition = self.constant(false, span);
        Value::new(Kind::Bool, Term::Bool(condition), span)
    }

    fn count(&mut self, context: &mut Context, name: &Name, given: &[Expression], span: Span) -> Value {
        let Some(argument) = self.argument(name, given, span) else { return Value::invalid(span) };
        let value = self.value(context, argument);
        let value = self.require_present(context, value);
        if value.kind == Kind::TextList {
            let report = Diagnostic::error(
                Code::E0303,
                value.span,
                "`count` counts factors, and this is a list of strings",
            )
            .help("ask whether it `is empty`, or what it `contains`");
            self.report(report);
            return Value::invalid(span);
        }
        match self.set_of_value(&value, "`count` takes a set of factors") {
            Some(set) => Value::new(Kind::Int, Term::Number(Number::Count(set)), span),
            None => Value::invalid(span),
        }
    }

    fn time_function(
        &mut self,
        context: &mut Context,
        name: &Name,
        given: &[Expression],
        span: Span,
    ) -> Value {
        let Some(value) = self.typed_argument(context, name, given, span, &Kind::Time) else {
            return Value::invalid(span);
        };
        let kind = match name.node.as_str() {
            "age" => Kind::Duration,
            "weekday" => Kind::Weekday,
            _ => Kind::Int,
        };
        let mut terms: SmallVec<[Guarded; 1]> = SmallVec::new();
        for guarded in &value.terms {
            let term = match (&guarded.term, name.node.as_str()) {
                (Term::Number(Number::Variable(variable)), "age") => Term::Number(Number::Age(*variable)),
                (Term::Number(Number::Now), "age") => Term::NumberLiteral(0),
                (Term::Number(Number::Variable(v)), "weekday") => {
                    Term::Number(Number::Weekday(Moment::Variable(*v)))
                }
                (Term::Number(Number::Now), "weekday") => Term::Number(Number::Weekday(Moment::Now)),
                (Term::Number(Number::Variable(v)), _) => Term::Number(Number::Hour(Moment::Variable(*v))),
                (Term::Number(Number::Now), _) => Term::Number(Number::Hour(Moment::Now)),
                (Term::Opaque, _) => Term::Opaque,
                _ => {
                    let report = Diagnostic::error(
                        Code::E0303,
                        value.span,
                        format!("`{}` of an instant that is written down is always the same", name.node),
                    )
                    .help("write the result, or take it of a fact or of `now`");
                    self.report(report);
                    return Value::invalid(span);
                }
            };
            terms.push(Guarded { guards: guarded.guards.clone(), term });
        }
        Value { kind, terms, span }
    }

    /// `lower(x)`, `domain(x)`; the latter is absent where there is no `@`.
    fn text_function(
        &mut self,
        context: &mut Context,
        name: &Name,
        given: &[Expression],
        view: View,
        span: Span,
    ) -> Value {
        let Some(argument) = self.argument(name, given, span) else { return Value::invalid(span) };
        let value = self.value(context, argument);
        if value.is_invalid() {
            return Value::invalid(span);
        }
        if value.kind != Kind::Text {
            let text = self.excerpt(value.span);
            let message = format!("`{}` takes a string, and `{text}` is {}", name.node, value.kind);
            self.report(
                Diagnostic::error(Code::E0301, value.span, message).here(format!("this is {}", value.kind)),
            );
            return Value::invalid(span);
        }
        if view == View::Domain && !matches!(value.only(), Some(Term::Text(_) | Term::Opaque)) {
            let report = Diagnostic::error(Code::E0303, value.span, "`domain` asks one string of the login")
                .here("this is put together with `??`, or written down")
                .help("`domain(x)` is absent where `x` is, so `??` stands outside: `domain(x) ?? \"…\"`");
            self.report(report);
            return Value::invalid(span);
        }
        if view == View::Domain
            && matches!(value.only(), Some(Term::Text(TextSubject { view: View::Domain, .. })))
        {
            let report = Diagnostic::error(Code::E0303, value.span, "a domain has no `@`, and so no domain")
                .here("this is a domain already")
                .help("leave out one of the two");
            self.report(report);
            return Value::invalid(span);
        }
        let terms = value.terms.iter().map(|guarded| viewed(guarded, view)).collect();
        Value { kind: Kind::Text, terms, span }
    }

    fn call_define(&mut self, context: &mut Context, name: &Name, given: &[Expression], span: Span) -> Value {
        let Some(id) = self.declarations.definition(context.file, &name.node) else {
            self.report_unknown_function(context, name, span);
            return Value::invalid(span);
        };
        let declared = self.declarations.definitions[id].name.span;
        let DefinitionBody::Define(define) = self.declarations.definitions[id].body else {
            let report =
                Diagnostic::error(Code::E0205, name.span, format!("`{}` takes no arguments", name.node))
                    .label(declared, "it is not a `define`");
            self.report(report);
            return Value::invalid(span);
        };
        if define.parameters.len() != given.len() {
            self.report_argument_count(name, define.parameters.len(), given.len(), span, Some(declared));
            return Value::invalid(span);
        }
        if define.parameters.is_empty() {
            return self.definition_value(id, span);
        }
        if !self.check_function(id, define, span) {
            return Value::invalid(span);
        }
        let mut values = Vec::with_capacity(given.len());
        for (parameter, argument) in define.parameters.iter().zip(given) {
            match self.define_argument(context, parameter, argument) {
                Some(value) => values.push(value),
                None => return Value::invalid(span),
            }
        }
        self.expand_call(id, define, values, span)
    }

    /// Checks a define's body once, whatever its arguments may be. False when it has an error.
    pub(crate) fn check_function(&mut self, id: DefinitionId, define: &tree::Define, span: Span) -> bool {
        match self.states[id] {
            State::Untouched => {}
            State::InProgress => {
                self.report_circle(id, span);
                return false;
            }
            State::Function(_) => return true,
            _ => return false,
        }
        self.states[id] = State::InProgress;
        let file = self.declarations.definitions[id].file;
        let errors = self.diagnostics.len();
        let mut context = Context::new(file, Place::Policy);
        for parameter in &define.parameters {
            let Some(declared) = self.declared_type(&parameter.ty) else { continue };
            let guards = match declared.may_be_absent {
                // Any guard that nothing implies: the body has to ask for it.
                MayBeMissing::Yes => SmallVec::from_slice(&[Guard::LastPerformed]),
                MayBeMissing::No => SmallVec::new(),
            };
            self.check_new_name(&context, &parameter.name);
            let value = Value::guarded(Kind::of(&declared.ty), Term::Opaque, guards, parameter.name.span);
            context.locals.push(Local {
                name: parameter.name.node.clone(),
                value,
                declared: parameter.name.span,
            });
        }
        self.nested(span, |checker| checker.value(&mut context, &define.body));
        let fine = self.diagnostics.len() == errors && !matches!(self.states[id], State::Broken);
        self.states[id] = if fine { State::Function(Vec::new()) } else { State::Broken };
        fine
    }

    fn define_argument(
        &mut self,
        context: &mut Context,
        parameter: &tree::Parameter,
        argument: &Expression,
    ) -> Option<Value> {
        let declared = self.declared_type(&parameter.ty)?;
        let wanted = Kind::of(&declared.ty);
        let value = self.operand(context, argument, &wanted);
        let value = match declared.may_be_absent {
            MayBeMissing::Yes => value,
            MayBeMissing::No => self.require_present(context, value),
        };
        if value.is_invalid() {
            return None;
        }
        if value.kind.fits(&wanted) {
            return Some(value);
        }
        let text = self.excerpt(value.span);
        let report = Diagnostic::error(
            Code::E0301,
            value.span,
            format!("`{}` is {wanted}, and `{text}` is {}", parameter.name.node, value.kind),
        )
        .here(format!("this is {}", value.kind))
        .label(parameter.ty.span, "the parameter's type");
        self.report(report);
        None
    }

    /// The value of a define for these arguments. Its body was checked; what still doesn't fit is the call's fault.
    fn expand_call(
        &mut self,
        id: DefinitionId,
        define: &tree::Define,
        values: Vec<Value>,
        span: Span,
    ) -> Value {
        if let State::Function(calls) = &self.states[id] {
            let known =
                calls.iter().find(|(given, _)| given.iter().zip(&values).all(|(a, b)| a.terms == b.terms));
            if let Some((_, result)) = known {
                return result.clone().at(span);
            }
        }
        let mut context = Context::new(self.declarations.definitions[id].file, Place::Policy);
        let locals = define.parameters.iter().zip(&values).map(|(parameter, value)| Local {
            name: parameter.name.node.clone(),
            value: value.clone(),
            declared: parameter.name.span,
        });
        context.locals.extend(locals);
        let reports = self.diagnostics.len();
        let outer = std::mem::replace(&mut self.is_expanding, true);
        let value = self.nested(span, |checker| checker.value(&mut context, &define.body));
        self.is_expanding = outer;
        let mut inner = self.diagnostics.split_off(reports.min(self.diagnostics.len())).into_iter();
        if let Some(first) = inner.find(|report| report.severity == Severity::Error) {
            let report = if first.code == Code::E0208 {
                first
            } else {
                Diagnostic::error(
                    first.code,
                    span,
                    format!("`{}` can't be used like this: {}", define.name.node, first.message),
                )
                .label(first.primary.span, "this part of the definition doesn't fit")
            };
            self.report(report);
            return Value::invalid(span);
        }
        let value = self.sealed(value.unwrap_or_else(|| Value::invalid(span)));
        let arguments = values.iter().map(|value| self.excerpt(value.span)).collect();
        let named = self.name_of(id, arguments);
        self.give_name(&value, || named);
        if let State::Function(calls) = &mut self.states[id]
            && calls.len() < REMEMBERED_CALLS
        {
            calls.push((values, value.clone()));
        }
        value.at(span)
    }

    fn report_unknown_function(&mut self, context: &Context, name: &Name, span: Span) {
        if let Some(factor) = self.catalog.find(&name.node) {
            let factor = self.catalog.factors[factor].name.clone();
            let report = Diagnostic::error(
                Code::E0404,
                span,
                format!(
                    "options belong to a factor in a command, and `{}` stands in a condition or a set",
                    self.excerpt(span)
                ),
            )
            .fix("leave them out", span, factor)
            .note("whether a user has a factor doesn't depend on how it is delivered");
            self.report(report);
            return;
        }
        if let Some((what, declared)) = self.declarations.meaning(context.file, &name.node) {
            let message = format!("`{}` is {what}, and takes no arguments", name.node);
            let report = Diagnostic::error(Code::E0205, name.span, message).label(declared, "declared here");
            let arguments = Span { start: name.span.end, ..span };
            self.report(report.fix("leave the parentheses out", arguments, ""));
            return;
        }
        let mut report =
            Diagnostic::error(Code::E0201, name.span, format!("there is no function `{}`", name.node));
        let near =
            did_you_mean(&name.node, FUNCTIONS.into_iter().chain(self.declarations.visible(context.file)));
        let near_is_none = near.is_none();
        if let Some(near) = near {
            let near = near.to_owned();
            report = report.fix(format!("did you mean `{near}`?"), name.span, near);
        }
        if let Some(part) = self.declarations.library_part_with(&name.node, self.sources) {
            report = self.missing_use(report, &part, name.span);
        } else if near_is_none {
            report = report.note(format!("the functions are {}", super::fact::list_of(&FUNCTIONS)));
        }
        self.report(report);
    }
}

/// A string seen through a function.
fn viewed(guarded: &Guarded, view: View) -> Guarded {
    let mut guards = guarded.guards.clone();
    let term = match &guarded.term {
        Term::TextLiteral(text) => Term::TextLiteral(text.to_ascii_lowercase()),
        Term::Text(subject) => {
            let is_domain = view == View::Domain || subject.view == View::Domain;
            if is_domain && subject.view != View::Domain {
                guards.push(Guard::Domain(subject.variable));
            }
            let view = if is_domain { View::Domain } else { View::Lower };
            Term::Text(TextSubject { variable: subject.variable, view })
        }
        other => other.clone(),
    };
    Guarded { guards, term }
}
