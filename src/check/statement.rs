//! Steps and statements.

use cranelift_entity::PrimaryMap;

use super::condition::{MAX_EXPANSION, Outcome, Size};
use super::declare::{DefinitionBody, DefinitionId, State, declared_twice};
use super::expression::{Context, Local, Place};
use super::policy::{Block, ConditionId, ConditionKind, Named, Statement, Step, StepId, TextTest};
use super::value::{Kind, Term, Value};
use super::{Checker, Role, Unit};
use crate::diagnostic::{Code, Diagnostic, Severity, did_you_mean};
use crate::source::Span;
use crate::syntax::tree::{self, Entry, Expression, ItemKind, Name, StatementKind};

/// How deep statements may nest once rules are applied: later stages recurse over them.
const MAX_STATEMENT_DEPTH: u32 = 256;

/// A step before it is checked.
struct StepSource<'a> {
    name: String,
    declared: Span,
    docs: Vec<String>,
    statements: Vec<&'a tree::Statement>,
    file: crate::source::FileId,
}

impl Checker<'_> {
    /// Checks the steps of the user's files, in order.
    pub(crate) fn check_steps(&mut self, units: &[Unit]) -> PrimaryMap<StepId, Step> {
        let sources: Vec<StepSource<'_>> = units
            .iter()
            .filter(|unit| unit.role == Role::Flow)
            .flat_map(|unit| self.steps_of(unit))
            .collect();
        let mut steps: PrimaryMap<StepId, Step> = PrimaryMap::new();
        for source in sources {
            if let Some(first) = steps.values().find(|step| step.name == source.name) {
                let name = Name::new(source.name.clone(), source.declared);
                let report = declared_twice(&name, first.declared)
                    .note("a login passes the steps of all files in order, and each has its own name");
                self.report(report);
            }
            let mut context = Context::new(source.file, Place::Policy);
            let body = self.block(&mut context, source.statements.iter().copied());
            steps.push(Step { name: source.name, docs: source.docs, declared: source.declared, body });
        }
        if steps.is_empty() {
            self.report_no_step(units);
        }
        steps
    }

    /// The steps of a file: its `step` items, or all its statements as one step named after the file.
    fn steps_of<'a>(&self, unit: &'a Unit) -> Vec<StepSource<'a>> {
        let mut steps = Vec::new();
        let mut statements = Vec::new();
        for entry in &unit.tree.entries {
            match entry {
                Entry::Statement(statement) => statements.push(statement),
                Entry::Item(item) => {
                    let ItemKind::Step(step) = &item.kind else { continue };
                    steps.push(StepSource {
                        name: step.name.node.clone(),
                        declared: step.name.span,
                        docs: item.docs.iter().map(|line| line.node.clone()).collect(),
                        statements: step.body.statements.iter().collect(),
                        file: unit.tree.file,
                    });
                }
            }
        }
        if let (true, Some(first)) = (steps.is_empty(), statements.first()) {
            steps.push(StepSource {
                name: step_name(self.sources.file(unit.tree.file).name()),
                declared: first.span.before(),
                docs: unit.tree.docs.iter().map(|line| line.node.clone()).collect(),
                statements,
                file: unit.tree.file,
            });
        }
        steps
    }

    /// Statements in order, with the names that they introduce.
    fn block<'s>(
        &mut self,
        context: &mut Context,
        statements: impl Iterator<Item = &'s tree::Statement>,
    ) -> Block {
        let (names, known) = (context.locals.len(), context.known.clone());
        context.depth += 1;
        self.deepest = self.deepest.max(context.depth);
        let mut block = Vec::new();
        for statement in statements {
            if let Some(statement) = self.statement(context, statement) {
                block.push(statement);
            }
        }
        context.depth -= 1;
        let ended = context.locals.split_off(names);
        self.finished_locals.extend(ended.into_iter().map(|local| (local.declared, local.name)));
        context.known = known;
        block
    }

    fn statement(&mut self, context: &mut Context, statement: &tree::Statement) -> Option<Statement> {
        let span = statement.span;
        self.expanded = self.expanded.saturating_add(1);
        match &statement.kind {
            StatementKind::Command(command) => self.command(context, command).map(Statement::Command),
            StatementKind::Deny(reason) => Some(Statement::Deny { reason: reason.node.clone(), span }),
            StatementKind::Stop => Some(Statement::Stop(span)),
            StatementKind::Let(item) => {
                self.let_statement(context, item);
                None
            }
            StatementKind::Apply(name) => self.apply(context, name, span),
            StatementKind::If(chain) => Some(self.if_statement(context, chain, span)),
            StatementKind::Match(matched) => self.match_statement(context, matched, span),
        }
    }

    fn let_statement(&mut self, context: &mut Context, item: &tree::Let) {
        let value = self.value(context, &item.value);
        self.check_new_name(context, &item.name);
        self.give_name(&value, || Named {
            name: item.name.node.clone(),
            arguments: Vec::new(),
            docs: Vec::new(),
            declared: item.name.span,
        });
        let value = value.at(item.name.span);
        context.locals.push(Local { name: item.name.node.clone(), value, declared: item.name.span });
    }

    /// A name of a block must mean nothing else there.
    pub(crate) fn check_new_name(&mut self, context: &Context, name: &Name) {
        let first = context.locals.iter().find(|local| local.name == name.node);
        let report = match (first, self.declarations.meaning(context.file, &name.node)) {
            (Some(first), _) => Some(declared_twice(name, first.declared)),
            (None, Some((what, declared))) => Some(super::declare::taken(name, what, declared)),
            (None, None) => super::declare::built_in_name(name),
        };
        self.diagnostics.extend(report);
    }

    fn if_statement(&mut self, context: &mut Context, chain: &tree::If, span: Span) -> Statement {
        let before = context.known.clone();
        let mut branches = Vec::with_capacity(chain.branches.len());
        for (condition, body) in &chain.branches {
            let condition = self.boolean(context, condition);
            self.count_terms(condition);
            let body = self.after(context, condition, Outcome::True, |checker, inner| {
                checker.block(inner, body.statements.iter())
            });
            context.known = context.known.with(&self.implied(condition, Outcome::False));
            branches.push((condition, body));
        }
        let otherwise = match &chain.otherwise {
            Some(body) => self.block(context, body.statements.iter()),
            None => Vec::new(),
        };
        // What follows is reached only where no branch that ends the step was taken.
        if !branches.iter().all(|(_, body)| ends_step(body)) {
            context.known = before;
        }
        Statement::Branch { branches, otherwise, span }
    }

    /// Counts what a condition costs where it is used, and reports a flow that costs too much.
    fn count_terms(&mut self, condition: ConditionId) {
        self.expanded = self.expanded.saturating_add(self.sizes[condition].terms);
        if self.expanded > MAX_EXPANSION {
            let span = self.conditions[condition].span;
            self.report_expansion(span, Size { depth: 0, terms: self.expanded });
        }
    }

    fn match_statement(
        &mut self,
        context: &mut Context,
        matched: &tree::Match,
        span: Span,
    ) -> Option<Statement> {
        let subject = self.value(context, &matched.subject);
        let subject = self.require_present(context, subject);
        let mut seen: Vec<(Term, Span)> = Vec::new();
        let mut branches = Vec::with_capacity(matched.arms.len());
        for arm in &matched.arms {
            let condition = self.arm_condition(context, &subject, &arm.patterns, &mut seen);
            let body = self.block(context, arm.body.statements.iter());
            if let Some(condition) = condition {
                self.count_terms(condition);
                branches.push((condition, body));
            }
        }
        let otherwise = match &matched.otherwise {
            Some(body) => self.block(context, body.statements.iter()),
            None => {
                self.check_exhaustive(&subject, &seen, branches.len() == matched.arms.len(), span);
                // The arms cover all values, so the last one holds where no other does.
                branches.pop().map_or_else(Vec::new, |(_, body)| body)
            }
        };
        (!subject.is_invalid()).then_some(Statement::Branch { branches, otherwise, span })
    }

    /// The condition that the subject is one of the patterns.
    fn arm_condition(
        &mut self,
        context: &mut Context,
        subject: &Value,
        patterns: &[Expression],
        seen: &mut Vec<(Term, Span)>,
    ) -> Option<ConditionId> {
        let span = patterns.first()?.span.to(patterns.last()?.span);
        let mut values = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let value = self.operand(context, pattern, &subject.kind);
            if value.is_invalid() || subject.is_invalid() {
                return None;
            }
            if !value.kind.fits(&subject.kind) {
                self.report_mismatch(subject, &value, "a pattern has the type of what is matched");
                return None;
            }
            self.report_repeated_pattern(&value, seen);
            values.push(value);
        }
        self.one_of(subject, &values, span)
    }

    fn report_repeated_pattern(&mut self, value: &Value, seen: &mut Vec<(Term, Span)>) {
        let Some(term) = value.only() else { return };
        let term = match term {
            // Two `true` are two conditions, and one pattern.
            Term::Bool(condition) => match self.conditions[*condition].kind {
                ConditionKind::Constant(value) => Term::NumberLiteral(i64::from(value)),
                _ => return,
            },
            other => other.clone(),
        };
        if !self
            .seen_patterns
            .insert((seen.first().map_or(value.span, |(_, span)| *span), format!("{term:?}")))
        {
            let first = seen.iter().find(|(other, _)| *other == term).map(|(_, span)| *span);
            let text = self.excerpt(value.span);
            let mut report = Diagnostic::warning(
                Code::W0606,
                value.span,
                format!("`{text}` was matched before, so this never runs"),
            );
            if let Some(first) = first {
                report = report.label(first, "matched here");
            }
            self.report(report.help("remove one of the two"));
        }
        seen.push((term, value.span));
    }

    /// The condition that a value is one of several that are written down.
    fn one_of(&mut self, subject: &Value, values: &[Value], span: Span) -> Option<ConditionId> {
        let texts: Option<Vec<String>> = values
            .iter()
            .map(|value| match value.only() {
                Some(Term::TextLiteral(text)) => Some(text.clone()),
                _ => None,
            })
            .collect();
        if let Some(mut texts) = texts {
            texts.sort();
            texts.dedup();
            return Some(self.text_test(subject, &TextTest::OneOf(texts), span));
        }
        let numbers: Option<Vec<i64>> = values
            .iter()
            .map(|value| match value.only() {
                Some(Term::NumberLiteral(number)) => Some(*number),
                _ => None,
            })
            .collect();
        if let Some(mut numbers) = numbers {
            numbers.sort_unstable();
            numbers.dedup();
            return Some(self.for_each_term(subject, span, |checker, term| {
                let kind = match term {
                    Term::Number(number) => ConditionKind::OneOf(number.clone(), numbers.clone()),
                    Term::NumberLiteral(value) => ConditionKind::Constant(numbers.contains(value)),
                    _ => ConditionKind::Constant(false),
                };
                checker.condition(kind, span)
            }));
        }
        let mut parts = Vec::with_capacity(values.len());
        for value in values {
            parts.push(self.equal_values(subject, value, span)?);
        }
        Some(self.any(parts, span))
    }

    /// Without `else`, every value of an enum or a bool needs an arm, and other types need the `else`.
    fn check_exhaustive(&mut self, subject: &Value, seen: &[(Term, Span)], all_understood: bool, span: Span) {
        if subject.is_invalid() || !all_understood {
            return;
        }
        let names: Option<Vec<String>> = match &subject.kind {
            Kind::Bool => Some(vec!["false".to_owned(), "true".to_owned()]),
            kind => kind.variants().map(|all| all.iter().map(|&name| name.to_owned()).collect()),
        };
        let text = self.excerpt(subject.span);
        let head = Span { end: subject.span.end, ..span };
        let Some(names) = names else {
            let report = Diagnostic::error(
                Code::E0304,
                head,
                format!("`{text}` has more values than this match names"),
            )
            .label(subject.span, format!("this is {}", subject.kind))
            .help("end it with `else => …`, if only `else => { }` to do nothing");
            self.report(report);
            return;
        };
        let has = |number: usize| {
            seen.iter()
                .any(|(term, _)| matches!(term, Term::NumberLiteral(n) if usize::try_from(*n) == Ok(number)))
        };
        let missing: Vec<&str> = names
            .iter()
            .enumerate()
            .filter(|(number, _)| !has(*number))
            .map(|(_, name)| name.as_str())
            .collect();
        if missing.is_empty() {
            return;
        }
        let list = super::fact::list_of(&missing);
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let mut report = Diagnostic::error(Code::E0304, head, format!("{list} {verb} not matched"))
            .label(subject.span, format!("this is {}", subject.kind));
        if missing.contains(&"other") {
            report = report
                .note("`other` is every value that the declaration doesn't name; the platform may add some");
        }
        self.report(report.help(format!("add `{} => …`, or `else => …` for the rest", missing.join(", "))));
    }

    /// `apply RULE`
    fn apply(&mut self, context: &mut Context, name: &Name, span: Span) -> Option<Statement> {
        let Some(id) = self.declarations.definition(context.file, &name.node) else {
            self.report_unknown_rule(context, name);
            return None;
        };
        if !matches!(self.declarations.definitions[id].body, DefinitionBody::Rule(_)) {
            let declared = self.declarations.definitions[id].name.span;
            let report = Diagnostic::error(
                Code::E0205,
                name.span,
                format!("`{}` is a value, and `apply` runs a rule", name.node),
            )
            .label(declared, "defined here");
            self.report(report);
            return None;
        }
        let (body, cost, depth) = self.rule(id, name.span)?;
        self.deepest = self.deepest.max(context.depth + depth);
        self.expanded = self.expanded.saturating_add(cost);
        if self.expanded > MAX_EXPANSION || context.depth + depth > MAX_STATEMENT_DEPTH {
            let terms = if self.expanded > MAX_EXPANSION { self.expanded } else { 0 };
            self.report_expansion(span, Size { depth: context.depth + depth, terms });
            return None;
        }
        Some(Statement::Applied { body, span })
    }

    /// A rule's statements, with what they cost and how deep they nest; checked when first asked for.
    fn rule(&mut self, id: DefinitionId, span: Span) -> Option<(Block, u64, u32)> {
        match &self.states[id] {
            State::Rule { body, cost, depth } => {
                let room = self.expanded.saturating_add(*cost) <= MAX_EXPANSION;
                return Some((if room { body.clone() } else { Vec::new() }, *cost, *depth));
            }
            State::InProgress => {
                self.report_circle(id, span);
                return None;
            }
            State::Untouched => {}
            _ => return None,
        }
        let DefinitionBody::Rule(rule) = self.declarations.definitions[id].body else { return None };
        let file = self.declarations.definitions[id].file;
        self.states[id] = State::InProgress;
        let (outer, deepest) = (std::mem::take(&mut self.expanded), std::mem::take(&mut self.deepest));
        let body = self.nested(span, |checker| {
            checker.block(&mut Context::new(file, Place::Policy), rule.body.statements.iter())
        });
        let cost = std::mem::replace(&mut self.expanded, outer);
        let depth = std::mem::replace(&mut self.deepest, deepest);
        let (Some(body), false) = (body, matches!(self.states[id], State::Broken)) else {
            self.states[id] = State::Broken;
            return None;
        };
        self.states[id] = State::Rule { body: body.clone(), cost, depth };
        Some((body, cost, depth))
    }

    fn report_unknown_rule(&mut self, context: &Context, name: &Name) {
        if let Some((what, declared)) = self.declarations.meaning(context.file, &name.node) {
            let message = format!("`{}` is {what}, and `apply` runs a rule", name.node);
            self.report(Diagnostic::error(Code::E0205, name.span, message).label(declared, "declared here"));
            return;
        }
        let mut report =
            Diagnostic::error(Code::E0201, name.span, format!("there is no rule `{}`", name.node));
        if let Some(near) = did_you_mean(&name.node, self.declarations.visible(context.file)) {
            report = report.fix(format!("did you mean `{near}`?"), name.span, near);
        }
        if let Some(part) = self.declarations.library_part_with(&name.node, self.sources) {
            report = self.missing_use(report, &part, name.span);
        }
        self.report(report);
    }

    /// Checks the definitions of the user's files in the order written, used or not.
    pub(crate) fn check_definitions(&mut self) {
        let ids: Vec<DefinitionId> = self.declarations.definitions.keys().collect();
        for id in ids {
            let definition = &self.declarations.definitions[id];
            if definition.role == Role::Library {
                continue;
            }
            let (name, body, span) = (definition.name, definition.body, definition.name.span);
            let meaning = self.declarations.meaning(definition.file, &name.node);
            if let Some((what @ ("a fact" | "a factor"), declared)) = meaning {
                self.report(super::declare::taken(name, what, declared));
            }
            match body {
                DefinitionBody::Define(define) if !define.parameters.is_empty() => {
                    self.check_function(id, define, span);
                }
                DefinitionBody::Rule(_) => {
                    self.rule(id, span);
                }
                DefinitionBody::Let(_) | DefinitionBody::Define(_) => {
                    self.definition_value(id, span);
                }
            }
        }
    }

    /// Names that nothing uses. A file of definitions alone is there for others; what has an error may hold the use.
    pub(crate) fn report_unused(&mut self, steps: &PrimaryMap<StepId, Step>) {
        let has_errors = self.diagnostics.iter().any(|report| report.severity == Severity::Error);
        if steps.is_empty() || has_errors {
            return;
        }
        for id in self.declarations.unused() {
            let definition = &self.declarations.definitions[id];
            let what = match definition.body {
                DefinitionBody::Let(_) | DefinitionBody::Define(_) => "nothing uses it",
                DefinitionBody::Rule(_) => "nothing applies it",
            };
            self.report(unused(definition.name, what));
        }
        for declaration in self.declarations.facts() {
            let name = &declaration.item.name;
            if declaration.role == Role::Flow && !self.used_facts.contains(&name.node) {
                self.report(unused(name, "nothing reads it"));
            }
        }
        for (declared, name) in std::mem::take(&mut self.finished_locals) {
            if !self.used_locals.contains(&declared) {
                self.report(unused(&Name::new(name, declared), "nothing uses it"));
            }
        }
    }
}

fn unused(name: &Name, what: &str) -> Diagnostic {
    Diagnostic::warning(Code::W0604, name.span, format!("`{}` is not used", name.node)).here(what)
}

/// Whether a block surely ends the step.
fn ends_step(block: &Block) -> bool {
    match block.last() {
        Some(Statement::Deny { .. } | Statement::Stop(_)) => true,
        Some(Statement::Branch { branches, otherwise, .. }) => {
            !otherwise.is_empty() && ends_step(otherwise) && branches.iter().all(|(_, body)| ends_step(body))
        }
        Some(Statement::Applied { body, .. }) => ends_step(body),
        _ => false,
    }
}

/// A file's step, named after the file: `admins` for `policies/admins.stepup`.
pub(crate) fn step_name(file: &str) -> String {
    let base = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = base.strip_suffix(".stepup").unwrap_or(base);
    if stem.is_empty() || stem == "-" { "policy".to_owned() } else { stem.to_owned() }
}
