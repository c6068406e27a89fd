//! Statements: one a line, blocks as the source has them.

use std::ops::Range;

use super::Printer;
use super::doc::Doc;
use super::expressions::{Tightness, factor_use};
use super::lines::Lines;
use super::literals;
use crate::syntax::tree::{
    Block, BlockForm, Command, Expression, ExpressionKind, If, Let, Match, Offer, Statement, StatementKind,
};

impl Printer<'_> {
    /// `{ … }`, always over several lines unless it is empty.
    pub(super) fn block(&mut self, block: &Block) -> Doc {
        let range = block.span.range();
        let open = match block.form {
            BlockForm::Braced => range.start + 1,
            BlockForm::Bare => range.start,
        };
        self.braced(open, range.end, |printer, lines| {
            for statement in &block.statements {
                printer.push_statement(lines, statement);
            }
        })
    }

    /// Adds a statement's lines.
    pub(super) fn push_statement(&mut self, lines: &mut Vec<Lines>, statement: &Statement) {
        let doc = self.statement(statement);
        self.push_lines(lines, statement.span.range(), doc);
    }

    fn statement(&mut self, statement: &Statement) -> Doc {
        match &statement.kind {
            StatementKind::Command(command) => self.command(command),
            StatementKind::Deny(reason) => Doc::text(format!("deny {}", literals::string(&reason.node))),
            StatementKind::Stop => Doc::text("stop"),
            StatementKind::If(chain) => self.if_statement(chain),
            StatementKind::Match(choice) => self.match_statement(choice, statement.span.range().end),
            StatementKind::Let(binding) => self.let_binding(binding),
            StatementKind::Apply(rule) => Doc::text(format!("apply {}", rule.node)),
        }
    }

    /// `let NAME = EXPRESSION`
    pub(super) fn let_binding(&mut self, binding: &Let) -> Doc {
        let head = Doc::text(format!("let {} =", binding.name.node));
        Doc::Concat(vec![head, self.value(&binding.value)])
    }

    /// `enroll F or G`, `challenge any of SET`; alternatives that don't fit stand one a line.
    pub(super) fn command(&mut self, command: &Command) -> Doc {
        let head = Doc::text(format!("{} ", command.kind.node.word()));
        let offer = match &command.offer {
            Offer::Preferred { factors, rest } => {
                let mut docs = Vec::new();
                for factor in factors {
                    if !docs.is_empty() {
                        docs.extend([Doc::line(), Doc::text("or ")]);
                    }
                    docs.push(factor_use(factor));
                }
                if let Some(set) = rest {
                    docs.extend([Doc::line(), Doc::text("or any of "), self.operand(set, Tightness::Sets)]);
                }
                Doc::Group(vec![Doc::Nest(docs)])
            }
            Offer::AnyListed(factors) => Doc::Concat(vec![Doc::text("any of "), self.factor_list(factors)]),
            Offer::AnyIn(set) => {
                let set = self.operand(set, Tightness::Sets);
                Doc::Concat(vec![Doc::text("any of "), Doc::Nest(vec![set])])
            }
        };
        Doc::Concat(vec![head, offer])
    }

    /// A chain without braces has each `else` on a line of its own, unless it has only one and all fits on one line.
    fn if_statement(&mut self, chain: &If) -> Doc {
        let count = chain.branches.len() + usize::from(chain.otherwise.is_some());
        let conditions = chain.branches.iter().map(|(condition, body)| (Some(condition), body));
        let branches = conditions.chain(chain.otherwise.as_ref().map(|body| (None, body)));
        let short = count == 2 && branches.clone().all(|(_, body)| is_simple(body));
        let mut docs: Vec<Doc> = Vec::new();
        let mut previous: Option<(usize, BlockForm)> = None;
        for (index, (condition, body)) in branches.enumerate() {
            let form = match condition {
                Some(_) => self.form(body, index + 1 < count),
                None => self.otherwise_form(body),
            };
            let branch = self.branch(condition, body, form);
            if let Some((end, previous_form)) = previous {
                let separator = match previous_form {
                    BlockForm::Braced => Doc::text(" "),
                    BlockForm::Bare if short => Doc::line(),
                    BlockForm::Bare => Doc::Break,
                };
                self.push_else(&mut docs, end..body.span.range().start, separator);
            }
            docs.push(branch);
            previous = Some((body.span.range().end, form));
        }
        Doc::Group(docs)
    }

    /// What stands before an `else`, which `between` lies around: the comments there, or `separator` alone.
    fn push_else(&mut self, docs: &mut Vec<Doc>, between: Range<usize>, separator: Doc) {
        let trailing = self.comments.take_trailing(between.start);
        let comments = self.comments.take(between);
        let is_bare = trailing.is_none() && comments.is_empty();
        docs.extend(trailing.into_iter().flat_map(|c| [Doc::text(" "), Doc::Comment(c.text)]));
        docs.extend(comments.into_iter().flat_map(|c| [Doc::Break, Doc::Comment(c.text)]));
        docs.extend([if is_bare { separator } else { Doc::Break }, Doc::text("else ")]);
    }

    /// `if C then S`, `if C { … }`, or for the last `else` its body alone.
    fn branch(&mut self, condition: Option<&Expression>, body: &Block, form: BlockForm) -> Doc {
        let Some(condition) = condition else { return self.body(body, form) };
        let mut head = vec![Doc::text("if "), Doc::Nest(vec![self.expression(condition)]), Doc::line()];
        let doc = self.body(body, form);
        match form {
            BlockForm::Braced => Doc::Concat(vec![Doc::Group(head), doc]),
            BlockForm::Bare if is_simple(body) => {
                head.extend([Doc::text("then "), doc]);
                Doc::Group(head)
            }
            BlockForm::Bare => {
                head.push(Doc::text("then "));
                Doc::Concat(vec![Doc::Group(head), doc])
            }
        }
    }

    /// How a body is printed: as it is written, except where an `else` that follows would be taken for its own.
    fn form(&self, body: &Block, else_follows: bool) -> BlockForm {
        match body.statements.as_slice() {
            [statement] if !(else_follows && takes_else(statement)) => body.form,
            _ => BlockForm::Braced,
        }
    }

    /// How a last `else` is printed: an `if` right in it would be one branch more.
    fn otherwise_form(&self, body: &Block) -> BlockForm {
        match body.statements.as_slice() {
            [Statement { kind: StatementKind::If(_), .. }] => BlockForm::Braced,
            _ => self.form(body, false),
        }
    }

    /// A block, or a statement in its place.
    fn body(&mut self, body: &Block, form: BlockForm) -> Doc {
        match (form, body.statements.as_slice()) {
            (BlockForm::Bare, [statement]) => self.statement(statement),
            _ => self.block(body),
        }
    }

    /// One arm a line.
    fn match_statement(&mut self, choice: &Match, end: usize) -> Doc {
        let subject = self.expression(&choice.subject);
        let open = self.comments.after_brace(choice.subject.span.range().end);
        let arms = self.braced(open, end, |printer, lines| {
            for arm in &choice.arms {
                let mut patterns = Vec::new();
                for pattern in &arm.patterns {
                    if !patterns.is_empty() {
                        patterns.extend([Doc::text(","), Doc::line()]);
                    }
                    patterns.push(printer.pattern(pattern));
                }
                let body = &arm.body;
                let start = arm.patterns.first().map_or(body.span.range().start, |p| p.span.range().start);
                printer.push_arm(lines, start, Doc::Group(patterns), body);
            }
            if let Some(body) = &choice.otherwise {
                printer.push_arm(lines, body.span.range().start, Doc::text("else"), body);
            }
        });
        Doc::Concat(vec![Doc::text("match "), Doc::Nest(vec![subject]), Doc::text(" "), arms])
    }

    /// A literal or a name; no word is reserved here for another use.
    fn pattern(&mut self, pattern: &Expression) -> Doc {
        match &*pattern.kind {
            ExpressionKind::Name(name) => Doc::text(name.clone()),
            _ => self.operand(pattern, Tightness::Primary),
        }
    }

    fn push_arm(&mut self, lines: &mut Vec<Lines>, start: usize, head: Doc, body: &Block) {
        let form = self.form(body, false);
        let doc = self.body(body, form);
        let doc = match form {
            BlockForm::Braced => doc,
            BlockForm::Bare => Doc::Nest(vec![doc]),
        };
        let arm = Doc::Concat(vec![head, Doc::text(" => "), doc]);
        self.push_lines(lines, start..body.span.range().end, arm);
    }
}

/// Whether a body is one statement that never takes more than a line of its own accord.
fn is_simple(body: &Block) -> bool {
    let simple = |s: &Statement| !matches!(s.kind, StatementKind::If(_) | StatementKind::Match(_));
    body.form == BlockForm::Bare && body.statements.iter().all(simple)
}

/// Whether an `else` right after a statement would be its own.
fn takes_else(statement: &Statement) -> bool {
    let StatementKind::If(chain) = &statement.kind else { return false };
    match &chain.otherwise {
        None => true,
        Some(body) if body.form == BlockForm::Bare => body.statements.iter().any(takes_else),
        Some(_) => false,
    }
}
