//! Declarations of facts, and tests.

use super::Printer;
use super::doc::Doc;
use super::expressions::{Tightness, names};
use super::lines::{Element, ROW, SQUARE};
use super::literals;
use crate::syntax::tree::{
    Command, EventPath, Expectation, FactItem, GivenElement, GivenKind, GivenValue, Name, PathMark, Test,
    TestClauseKind, TestTable, Type,
};

impl Printer<'_> {
    /// `fact NAME: TYPE = event.PATH split "," default LITERAL`
    pub(super) fn fact(&mut self, fact: &FactItem) -> Doc {
        let mut source = vec![Doc::line(), Doc::text(event_path(&fact.path))];
        if let Some(split) = &fact.split {
            source.push(Doc::text(format!(" split {}", literals::string(&split.node))));
        }
        if let Some(default) = &fact.default {
            source.extend([Doc::text(" default "), self.operand(default, Tightness::Primary)]);
        }
        let head = Doc::text(format!("fact {}: ", fact.name.node));
        let source = Doc::Group(vec![Doc::Nest(source)]);
        Doc::Concat(vec![head, ty(&fact.ty.node), Doc::text(" ="), source])
    }

    /// `test "NAME" for (…) in […] { … }`
    pub(super) fn test(&mut self, test: &Test, end: usize) -> Doc {
        let mut docs = vec![Doc::text(format!("test {} ", literals::string(&test.name.node)))];
        let mut head_end = test.name.span.range().end;
        if let Some(table) = &test.table {
            head_end = table.rows.last().map_or(head_end, |row| row.span.range().end);
            docs.extend([self.table(table), Doc::text(" ")]);
        }
        let open = self.comments.after_brace(head_end);
        docs.push(self.braced(open, end, |printer, lines| {
            for clause in &test.clauses {
                let doc = printer.clause(&clause.kind);
                printer.push_lines(lines, clause.span.range(), doc);
            }
        }));
        Doc::Concat(docs)
    }

    /// One row a line when they don't fit on one.
    fn table(&mut self, table: &TestTable) -> Doc {
        let mut rows = Vec::new();
        for row in &table.rows {
            let values = self.given_values(&row.node);
            let doc = self.list(ROW, row.span.range(), values);
            rows.push(Element { range: row.span.range(), doc });
        }
        let start = table.rows.first().map_or(0, |row| row.span.range().start);
        let end = table.rows.last().map_or(0, |row| row.span.range().end);
        let head = Doc::text(format!("for ({}) in ", names(&table.columns)));
        Doc::Concat(vec![head, self.list(SQUARE, start..end, rows)])
    }

    fn clause(&mut self, clause: &TestClauseKind) -> Doc {
        match clause {
            TestClauseKind::Given(pairs) => {
                let pairs = pairs.iter().map(|(name, value)| {
                    Doc::Concat(vec![Doc::text(format!("{} = ", name.node)), self.given_value(value)])
                });
                series("given", pairs.collect())
            }
            TestClauseKind::Choose(factors) => series("choose", factors.iter().map(name_doc).collect()),
            TestClauseKind::Abandon => Doc::text("abandon"),
            TestClauseKind::Expect(expectation) => self.expectation(expectation),
        }
    }

    fn expectation(&mut self, expectation: &Expectation) -> Doc {
        match expectation {
            Expectation::Nothing => Doc::text("expect nothing"),
            Expectation::Completes => Doc::text("expect completes"),
            Expectation::Fails => Doc::text("expect fails"),
            Expectation::Commands(commands) => {
                series("expect", commands.iter().map(|command: &Command| self.command(command)).collect())
            }
            Expectation::Prompt(command) => {
                Doc::Concat(vec![Doc::text("expect prompt "), self.command(command)])
            }
            Expectation::Log { event, factor: None } => Doc::text(format!("expect log {}", event.node)),
            Expectation::Log { event, factor: Some(factor) } => {
                Doc::text(format!("expect log {} for {}", event.node, factor.node))
            }
            Expectation::Denied(reason) => {
                Doc::text(format!("expect denied {}", literals::string(&reason.node)))
            }
        }
    }

    fn given_value(&mut self, value: &GivenValue) -> Doc {
        match &value.kind {
            GivenKind::Absent => Doc::text("absent"),
            GivenKind::Name(name) => Doc::text(name.clone()),
            GivenKind::Literal(literal) => Doc::text(literals::literal(literal, self.source_of(value.span))),
            GivenKind::List(elements) => {
                let elements = elements.iter().map(|element| self.given_element(element)).collect();
                self.list(SQUARE, value.span.range(), elements)
            }
        }
    }

    fn given_values(&mut self, values: &[GivenValue]) -> Vec<Element> {
        let element =
            |value: &GivenValue| Element { range: value.span.range(), doc: self.given_value(value) };
        values.iter().map(element).collect()
    }

    /// `otp 3s ago`
    fn given_element(&mut self, element: &GivenElement) -> Element {
        let mut range = element.value.span.range();
        let value = self.given_value(&element.value);
        let Some(ago) = &element.ago else { return Element { range, doc: value } };
        range.end = ago.span.range().end;
        let source = self.source_of(ago.span).split_whitespace().next().unwrap_or("");
        let ago = Doc::text(format!(" {} ago", literals::duration(ago.node, source)));
        Element { range, doc: Doc::Concat(vec![value, ago]) }
    }
}

fn name_doc(name: &Name) -> Doc {
    Doc::text(name.node.clone())
}

/// A word and what it is said of, one a line when they don't fit on one.
fn series(word: &'static str, docs: Vec<Doc>) -> Doc {
    let mut line = Vec::new();
    for doc in docs {
        line.push(if line.is_empty() {
            Doc::text(" ")
        } else {
            Doc::Concat(vec![Doc::text(","), Doc::line()])
        });
        line.push(doc);
    }
    Doc::Group(vec![Doc::text(word), Doc::Nest(line)])
}

/// A type as written; the values of a long enum stand one a line.
pub(super) fn ty(ty: &Type) -> Doc {
    match ty {
        Type::Named(name) => Doc::text(name.clone()),
        Type::Of(outer, inner) => Doc::text(format!("{}<{}>", outer.node, inner.node)),
        Type::OpenEnum(values) => enum_type(values, [Doc::text(","), Doc::line()], Doc::IfBroken(",")),
        Type::OrderedEnum(values) => enum_type(values, [Doc::line(), Doc::text("< ")], Doc::text("")),
        Type::Optional(inner) => Doc::Concat(vec![self::ty(&inner.node), Doc::text("?")]),
    }
}

fn enum_type(values: &[Name], separator: [Doc; 2], end: Doc) -> Doc {
    let mut docs = vec![Doc::Line("")];
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            docs.extend(separator.clone());
        }
        docs.push(name_doc(value));
    }
    docs.push(end);
    Doc::Group(vec![Doc::text("enum("), Doc::Nest(docs), Doc::Line(""), Doc::text(")")])
}

/// `event.organization?.name`
fn event_path(path: &EventPath) -> String {
    let mut text = String::from("event");
    for segment in &path.segments {
        let key = &segment.key.node;
        text.push('.');
        text.push_str(&if literals::is_bare_key(key) { key.clone() } else { literals::string(key) });
        text.push_str(match segment.mark {
            PathMark::Required => "",
            PathMark::Optional => "?",
            PathMark::Each => "[]",
            PathMark::OptionalEach => "?[]",
        });
    }
    text
}
