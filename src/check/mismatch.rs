//! What is said of two sides that can't be compared, and what was probably meant.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Checker;
use super::compare::Sides;
use super::policy::ConditionId;
use super::value::{Kind, Term, Value};
use crate::diagnostic::{Code, Diagnostic};

impl Checker<'_> {
    pub(crate) fn report_two_types(&mut self, sides: &Sides<'_>) {
        let Sides { left, right, .. } = *sides;
        let (a, b) = (self.excerpt(left.span), self.excerpt(right.span));
        let mut report = Diagnostic::error(
            Code::E0301,
            sides.operator,
            format!("`{a}` is {}, and `{b}` is {}", left.kind, right.kind),
        )
        .here("these can't be compared")
        .label(left.span, format!("this is {}", left.kind))
        .label(right.span, format!("this is {}", right.kind));
        report = self.unquoted_for(report, &left.kind, right);
        report = match (&left.kind, &right.kind, right.only()) {
            (Kind::TextList, Kind::Factor | Kind::Int, _) => {
                report.fix("a string stands in quotes", right.span, format!("\"{b}\""))
            }
            (Kind::Text, Kind::Factor | Kind::Bool | Kind::Int, _) => {
                report.fix("a string stands in quotes", right.span, format!("\"{b}\""))
            }
            (Kind::Text, Kind::TextList, _) => {
                report.fix("for several strings say `in`", sides.operator, "in")
            }
            (Kind::TextList, Kind::Text, _) if self.excerpt(sides.operator) == "==" => {
                report.fix("a list holds strings: say `contains`", sides.operator, "contains")
            }
            (Kind::Duration, Kind::Int, _) => {
                report.help(format!("a duration has a unit: `{b}s`, `{b}m`, `{b}h` or `{b}d`"))
            }
            (Kind::Time, Kind::Duration, _) => {
                report.help(format!("ask for its age: `age({a}) …` or `{a} within {b}`"))
            }
            (Kind::Bool, _, _) => self.asked_by_itself(report, sides),
            _ => report,
        };
        self.report(report);
    }

    /// Offers the texts of `value` without quotes, where they then are of the type that is wanted.
    pub(crate) fn unquoted_for(&self, report: Diagnostic, wanted: &Kind, value: &Value) -> Diagnostic {
        let texts = match value.only() {
            Some(Term::TextLiteral(text)) => std::slice::from_ref(text),
            Some(Term::ListLiteral(texts)) if !texts.is_empty() => texts.as_slice(),
            _ => return report,
        };
        let (noun, fits): (&str, fn(&Self, &str) -> bool) = match wanted {
            Kind::Factor => ("a factor", |checker, text| checker.catalog.find(text).is_some()),
            Kind::Int => ("an int", |_, text| text.parse::<i64>().is_ok()),
            Kind::Ip => {
                ("an address", |_, text| text.parse::<IpNet>().is_ok() || text.parse::<IpAddr>().is_ok())
            }
            _ => return report,
        };
        if !texts.iter().all(|text| fits(self, text)) {
            return report;
        }
        let bare = texts.join(", ");
        let bare =
            if matches!(value.only(), Some(Term::ListLiteral(_))) { format!("[{bare}]") } else { bare };
        report.fix(format!("{noun} stands without quotes"), value.span, bare)
    }

    /// `x == true` is `x`.
    fn asked_by_itself(&self, report: Diagnostic, sides: &Sides<'_>) -> Diagnostic {
        let text = self.excerpt(sides.left.span);
        let other = self.sources.text(sides.right.span).trim_matches('"');
        let asked = match (self.sources.text(sides.operator), other) {
            ("==", "true" | "1" | "yes") | ("!=", "false" | "0" | "no") => text.clone(),
            ("==", "false" | "0" | "no") | ("!=", "true" | "1" | "yes") => format!("not {text}"),
            _ => return report.help(format!("a bool is asked by itself: `{text}` or `not {text}`")),
        };
        report.fix("a bool is asked by itself", sides.span, asked)
    }

    pub(crate) fn report_two_facts(&mut self, sides: &Sides<'_>) -> Option<ConditionId> {
        let Sides { left, right, .. } = *sides;
        let report = Diagnostic::error(
            Code::E0303,
            sides.operator,
            format!("`{}` can only be compared with something written down", self.excerpt(left.span)),
        )
        .label(left.span, "read from the login")
        .label(right.span, "read from the login too")
        .note("two string facts can be compared with `==` and `!=`; all else compares with what is written down, so that the proofs stay exact");
        self.report(report);
        None
    }
}
