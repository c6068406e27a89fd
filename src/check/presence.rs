//! Presence: a value that may be absent is read only where it is surely there.

use smallvec::SmallVec;

use super::Checker;
use super::condition::{Known, is_prefix};
use super::expression::Context;
use super::policy::{ConditionId, ConditionKind, FactorSubject, Guard, Number, Set, TextSubject};
use super::value::{Kind, Term, Value};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::source::Span;

impl Checker<'_> {
    /// The value, known to be present from here on; reports it where that isn't known.
    pub(crate) fn require_present(&mut self, context: &Context, value: Value) -> Value {
        let missing = value.guards().iter().find(|guard| !self.is_known(&context.known, **guard)).copied();
        if let Some(guard) = missing {
            self.report_absent(&value, guard);
        }
        value.unguarded()
    }

    pub(crate) fn is_known(&self, known: &Known, guard: Guard) -> bool {
        let Guard::Path(presence) = guard else { return known.has(guard) };
        let path = &self.presences[presence].path;
        self.presences.iter().any(|(id, longer)| known.has(Guard::Path(id)) && is_prefix(path, &longer.path))
    }

    pub(crate) fn report_absent(&mut self, value: &Value, guard: Guard) {
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
            Some(Term::Bool(condition)) => match self.conditions[*condition].kind {
                ConditionKind::Bool(variable) => Some(variable),
                _ => None,
            },
            _ => None,
        };
        report = match guard {
            _ if value.only() == Some(&Term::Opaque) => report,
            Guard::Path(_) => match declared.and_then(|variable| self.variable_spans[variable]) {
                Some(span) => report.label(span, "declared here as one that may be absent"),
                None => report,
            },
            Guard::LastPerformed => {
                report.note("there is no last factor when none was performed in this session")
            }
            Guard::Domain(_) => report.note("a string without `@` has no domain"),
        };
        let ask = format!("ask first: `{text} is present and …`");
        let report = match default_of(&value.kind) {
            Some(default) => report
                .fix_all(
                    "say what it counts as when absent",
                    vec![
                        Edit { span: value.span.before(), replacement: "(".to_owned() },
                        Edit { span: value.span.after(), replacement: format!(" ?? {default})") },
                    ],
                )
                .help(format!("or {ask}")),
            None => report.help(ask),
        };
        self.report(report);
    }

    pub(crate) fn presence_test(&mut self, value: &Value, test: Span, span: Span) -> Option<ConditionId> {
        if !value.guards().is_empty() {
            let guards: SmallVec<[Guard; 4]> = SmallVec::from_slice(value.guards());
            return Some(self.present(&guards, span));
        }
        let is_open = value.only() == Some(&Term::Opaque);
        if is_open || self.is_expanding {
            // A parameter that may be absent takes a value that can't be, too.
            return Some(self.constant(!is_open, span));
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
}

/// What most policies mean by the absent value of a type, if there is such a value.
fn default_of(kind: &Kind) -> Option<&str> {
    Some(match kind {
        Kind::Text => "\"\"",
        Kind::Bool => "false",
        Kind::Int => "0",
        Kind::FactorSet | Kind::TextList => "[]",
        Kind::OpenEnum(_) => "other",
        Kind::OrderedEnum(values) => values.first()?,
        _ => return None,
    })
}
