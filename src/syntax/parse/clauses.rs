//! `test` items: tables, and the clauses that tell a login.

use super::explain::{Gaps, Place};
use super::grammar::Rule;
use super::{Builder, Pair, Parts};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::tree::{
    Expectation, GivenElement, GivenKind, GivenValue, Name, Spanned, Test, TestClause, TestClauseKind,
    TestTable,
};

impl Builder<'_> {
    pub(super) fn test(&self, pair: Pair<'_>) -> Option<Test> {
        let whole = self.span(&pair);
        let mut parts = pair.parts().skip(1);
        let name = self.text(parts.next()?);
        let (mut table, mut clauses) = (None, Vec::new());
        let mut gaps = Gaps::new(self, Place::Clause);
        for part in parts {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::test_table => table = Some(self.test_table(part)?),
                Rule::test_clause => {
                    gaps.good(span);
                    let kind = part.parts().next().and_then(|clause| self.clause(clause));
                    clauses.extend(kind.map(|kind| TestClause { span, kind }));
                }
                Rule::bad_clause => gaps.bad(span),
                Rule::missing_brace => self.check_missing_brace(whole, span),
                _ => gaps.end(),
            }
        }
        gaps.end();
        Some(Test { name, table, clauses })
    }

    fn test_table(&self, pair: Pair<'_>) -> Option<TestTable> {
        let mut parts = pair.parts().skip(1);
        let columns: Vec<Name> = parts.next()?.parts().map(|name| self.name(&name)).collect();
        let mut rows = Vec::new();
        for row in parts.filter(|part| part.as_rule() == Rule::table_row) {
            let span = self.span(&row);
            let values: Vec<GivenValue> = row.parts().filter_map(|value| self.given_value(value)).collect();
            if values.len() != columns.len() {
                self.report_row(span, values.len(), &columns);
            }
            rows.push(Spanned::new(values, span));
        }
        Some(TestTable { columns, rows })
    }

    fn report_row(&self, span: crate::source::Span, values: usize, columns: &[Name]) {
        let count = |number: usize, what: &str| {
            if number == 1 { format!("one {what}") } else { format!("{number} {what}s") }
        };
        let message =
            format!("this row has {} for {}", count(values, "value"), count(columns.len(), "column"));
        let mut report = Diagnostic::error(Code::E0109, span, message);
        if let (Some(first), Some(last)) = (columns.first(), columns.last()) {
            report = report.label(first.span.to(last.span), "the columns");
        }
        self.report(report);
    }

    fn clause(&self, pair: Pair<'_>) -> Option<TestClauseKind> {
        match pair.as_rule() {
            Rule::given => {
                let pairs = pair.parts().skip(1);
                Some(TestClauseKind::Given(pairs.filter_map(|given| self.given_pair(given)).collect()))
            }
            Rule::expect => self.expectation(pair.parts().nth(1)?).map(TestClauseKind::Expect),
            Rule::choose => {
                Some(TestClauseKind::Choose(pair.parts().skip(1).map(|name| self.name(&name)).collect()))
            }
            _ => Some(TestClauseKind::Abandon),
        }
    }

    fn given_pair(&self, pair: Pair<'_>) -> Option<(Name, GivenValue)> {
        let mut parts = pair.parts();
        let name = self.name(&parts.next()?);
        Some((name, self.given_value(parts.next()?)?))
    }

    fn given_value(&self, pair: Pair<'_>) -> Option<GivenValue> {
        let span = self.span(&pair);
        let value = pair.parts().next()?;
        let kind = match value.as_rule() {
            Rule::absent => GivenKind::Absent,
            Rule::given_list => {
                GivenKind::List(value.parts().filter_map(|element| self.given_element(element)).collect())
            }
            _ => return self.given_single(value),
        };
        Some(GivenValue { span, kind })
    }

    fn given_element(&self, pair: Pair<'_>) -> Option<GivenElement> {
        let mut parts = pair.parts();
        let value = self.given_single(parts.next()?)?;
        let ago = parts.next().and_then(|ago| {
            let span = self.span(&ago);
            let length = self.duration(ago.parts().next()?, "the time before `ago`")?;
            Some(Spanned::new(length, span))
        });
        Some(GivenElement { value, ago })
    }

    /// A name or a literal.
    fn given_single(&self, pair: Pair<'_>) -> Option<GivenValue> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::operand_name => GivenKind::Name(pair.as_str().to_owned()),
            _ => GivenKind::Literal(self.literal(pair)?),
        };
        Some(GivenValue { span, kind })
    }

    fn expectation(&self, pair: Pair<'_>) -> Option<Expectation> {
        Some(match pair.as_rule() {
            Rule::nothing => Expectation::Nothing,
            Rule::completes => Expectation::Completes,
            Rule::fails => Expectation::Fails,
            Rule::denied => Expectation::Denied(self.text(self.part(pair, Rule::string)?)),
            Rule::log => {
                let mut names =
                    pair.parts().filter(|part| matches!(part.as_rule(), Rule::word | Rule::factor_name));
                let event = self.name(&names.next()?);
                Expectation::Log { event, factor: names.next().map(|factor| self.name(&factor)) }
            }
            Rule::prompt => Expectation::Prompt(self.command(self.part(pair, Rule::command)?, 0)?),
            _ => Expectation::Commands(pair.parts().filter_map(|command| self.command(command, 0)).collect()),
        })
    }
}
