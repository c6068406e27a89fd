//! Tests: what they give and expect, held against facts, types and the catalog. Running them is another stage's work.

use std::collections::BTreeMap;

use super::expression::{Context, Place};
use super::policy::{
    Expectation, FactorId, Given, LogEvent, Test, TestClause, TestClauseKind, TestRun, Type, Value,
};
use super::value::Kind;
use super::{Checker, Unit};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;
use crate::syntax::tree::{self, GivenKind, GivenValue, ItemKind, Literal, Name};

impl Checker<'_> {
    pub(crate) fn check_tests(&mut self, units: &[Unit]) -> Vec<Test> {
        let mut tests: Vec<Test> = Vec::new();
        let mut names: BTreeMap<&str, Span> = BTreeMap::new();
        for (unit, item) in super::guarantee::items(units) {
            let ItemKind::Test(test) = &item.kind else { continue };
            let first = *names.entry(&test.name.node).or_insert(test.name.span);
            if first != test.name.span {
                self.report(super::declare::declared_twice(&test.name, first));
            }
            let mut context = Context::new(unit.tree.file, Place::Policy);
            let runs = self.runs(&context, test);
            let clauses =
                test.clauses.iter().filter_map(|clause| self.clause(&mut context, clause)).collect();
            tests.push(Test { name: test.name.node.clone(), runs, clauses, span: item.span });
        }
        tests
    }

    fn runs(&mut self, context: &Context, test: &tree::Test) -> Vec<TestRun> {
        let Some(table) = &test.table else {
            return vec![TestRun { given: Vec::new(), span: test.name.span }];
        };
        let mut runs = Vec::with_capacity(table.rows.len());
        for row in &table.rows {
            if row.node.len() != table.columns.len() {
                // The parser has said so.
                continue;
            }
            let cells = table.columns.iter().zip(&row.node);
            let given = cells.filter_map(|(column, value)| self.given(context, column, value)).collect();
            runs.push(TestRun { given, span: row.span });
        }
        runs
    }

    fn clause(&mut self, context: &mut Context, clause: &tree::TestClause) -> Option<TestClause> {
        let kind = match &clause.kind {
            tree::TestClauseKind::Given(facts) => {
                self.report_given_twice(facts);
                TestClauseKind::Given(
                    facts.iter().filter_map(|(name, value)| self.given(context, name, value)).collect(),
                )
            }
            tree::TestClauseKind::Expect(expected) => {
                TestClauseKind::Expect(self.expectation(context, expected)?)
            }
            tree::TestClauseKind::Choose(factors) => {
                let known: Option<Vec<FactorId>> =
                    factors.iter().map(|name| self.known_factor(context, name)).collect();
                TestClauseKind::Choose(known?)
            }
            tree::TestClauseKind::Abandon => TestClauseKind::Abandon,
        };
        Some(TestClause { kind, span: clause.span })
    }

    fn report_given_twice(&mut self, facts: &[(Name, GivenValue)]) {
        for (position, (name, _)) in facts.iter().enumerate() {
            if let Some((first, _)) = facts.iter().take(position).find(|(other, _)| other.node == name.node) {
                let report =
                    Diagnostic::error(Code::E0202, name.span, format!("`{}` is given twice", name.node))
                        .label(first.span, "first here");
                self.report(report);
            }
        }
    }

    fn expectation(&mut self, context: &mut Context, expected: &tree::Expectation) -> Option<Expectation> {
        Some(match expected {
            tree::Expectation::Nothing => Expectation::Nothing,
            tree::Expectation::Commands(commands) => {
                let checked: Vec<_> = commands.iter().map(|command| self.command(context, command)).collect();
                Expectation::Commands(checked.into_iter().collect::<Option<_>>()?)
            }
            tree::Expectation::Prompt(command) => Expectation::Prompt(self.command(context, command)?),
            tree::Expectation::Log { event, factor } => {
                let event = self.log_event(event)?;
                let factor = match factor {
                    Some(name) => Some(self.known_factor(context, name)?),
                    None => None,
                };
                Expectation::Log { event, factor }
            }
            tree::Expectation::Denied(reason) => Expectation::Denied(reason.node.clone()),
            tree::Expectation::Completes => Expectation::Completes,
            tree::Expectation::Fails => Expectation::Fails,
        })
    }

    fn log_event(&mut self, event: &Name) -> Option<LogEvent> {
        match event.node.as_str() {
            "w" => Some(LogEvent::Warning),
            "mfar" => Some(LogEvent::MfaRequired),
            other => {
                let report =
                    Diagnostic::error(Code::E0201, event.span, format!("there is no log event `{other}`"))
                        .note("`w` is a warning, and the login goes on; `mfar` says that it fails");
                self.report(report);
                None
            }
        }
    }

    /// One fact of a test.
    fn given(&mut self, context: &Context, name: &Name, value: &GivenValue) -> Option<Given> {
        match name.node.as_str() {
            "enrolled" => self.given_factors(context, name, value).map(Given::Enrolled),
            "supports" => self.given_factors(context, name, value).map(Given::Supports),
            "performed" => self.given_performed(context, name, value).map(Given::Performed),
            "now" => match &value.kind {
                GivenKind::Literal(Literal::Instant(ms)) => Some(Given::Now(*ms)),
                _ => self.report_given(name, value, &Kind::Time),
            },
            _ => self.given_fact(context, name, value),
        }
    }

    fn given_fact(&mut self, context: &Context, name: &Name, value: &GivenValue) -> Option<Given> {
        if self.declarations.fact(&name.node).is_none() {
            self.report_unknown_given(name);
            return None;
        }
        let variable = self.variable(&name.node)?;
        let declared = self.variables[variable].clone();
        if matches!(value.kind, GivenKind::Absent) {
            let is_refused = matches!(declared.absence, super::policy::Absence::Refused);
            if is_refused && !self.tenant_defaults.contains_key(&variable) {
                let report =
                    Diagnostic::error(Code::E0301, value.span, format!("`{}` is never absent", name.node));
                let report = match self.variable_spans[variable] {
                    Some(span) => report.label(span, "declared here without `?` or a default"),
                    None => report,
                };
                self.report(report);
                return None;
            }
            return Some(Given::Variable(variable, None));
        }
        match self.given_value(context, &value.kind, &declared.ty) {
            Some(found) => Some(Given::Variable(variable, Some(found))),
            None => self.report_given(name, value, &Kind::of(&declared.ty)),
        }
    }

    fn given_value(&self, _context: &Context, kind: &GivenKind, ty: &Type) -> Option<Value> {
        match (kind, ty) {
            (GivenKind::Literal(literal), _) => super::fact::literal_value(literal, ty),
            (GivenKind::Name(name), Type::Factor) => self.catalog.find(name).map(Value::Factor),
            (GivenKind::Name(name), _) => super::fact::enum_number(name, ty).map(Value::Number),
            (GivenKind::List(elements), Type::TextList) => {
                let text = |element: &tree::GivenElement| match (&element.value.kind, &element.ago) {
                    (GivenKind::Literal(Literal::Text(text)), None) => Some(text.clone()),
                    _ => None,
                };
                elements.iter().map(text).collect::<Option<_>>().map(Value::TextList)
            }
            (GivenKind::List(elements), Type::FactorSet) => {
                let factor = |element: &tree::GivenElement| match (&element.value.kind, &element.ago) {
                    (GivenKind::Name(name), None) => self.catalog.find(name),
                    _ => None,
                };
                elements.iter().map(factor).collect::<Option<_>>().map(Value::FactorSet)
            }
            _ => None,
        }
    }

    fn given_factors(&mut self, context: &Context, name: &Name, value: &GivenValue) -> Option<Vec<FactorId>> {
        let GivenKind::List(elements) = &value.kind else {
            return self.report_given(name, value, &Kind::FactorSet);
        };
        let mut factors = Vec::with_capacity(elements.len());
        for element in elements {
            factors.push(self.given_factor(context, name, element)?);
            if let Some(ago) = &element.ago {
                let report = Diagnostic::error(Code::E0301, ago.span, "only `performed` has a time")
                    .label(name.span, "this is a set of factors");
                self.report(report);
                return None;
            }
        }
        Some(factors)
    }

    fn given_performed(
        &mut self,
        context: &Context,
        name: &Name,
        value: &GivenValue,
    ) -> Option<Vec<(FactorId, i64)>> {
        let GivenKind::List(elements) = &value.kind else {
            return self.report_given(name, value, &Kind::FactorSet);
        };
        let mut stamps = Vec::with_capacity(elements.len());
        for element in elements {
            let factor = self.given_factor(context, name, element)?;
            stamps.push((factor, element.ago.as_ref().map_or(0, |ago| ago.node)));
        }
        Some(stamps)
    }

    fn given_factor(
        &mut self,
        context: &Context,
        name: &Name,
        element: &tree::GivenElement,
    ) -> Option<FactorId> {
        match &element.value.kind {
            GivenKind::Name(factor) => {
                self.known_factor(context, &Name::new(factor.clone(), element.value.span))
            }
            _ => self.report_given(name, &element.value, &Kind::Factor),
        }
    }

    fn report_given<T>(&mut self, name: &Name, value: &GivenValue, wanted: &Kind) -> Option<T> {
        let text = self.excerpt(value.span);
        let report = Diagnostic::error(
            Code::E0301,
            value.span,
            format!("`{}` is {wanted}, and `{text}` is not", name.node),
        )
        .here(format!("{wanted} is wanted here"));
        let report = match wanted.variants() {
            Some(values) => report.note(format!("its values are {}", super::fact::list_of(&values))),
            None => report,
        };
        self.report(report);
        None
    }

    fn report_unknown_given(&mut self, name: &Name) {
        let facts = self.declarations.fact_names();
        let built_in = ["enrolled", "performed", "now", "supports"];
        let report = Diagnostic::error(Code::E0201, name.span, format!("there is no fact `{}`", name.node));
        let report = match did_you_mean(&name.node, facts.iter().map(String::as_str).chain(built_in)) {
            Some(near) => report.fix(format!("did you mean `{near}`?"), name.span, near),
            None => report,
        };
        self.report(report);
    }
}
