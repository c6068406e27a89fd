//! Statements as JavaScript, each beside the place of the policy that it came from.

use crate::check::policy::{Block, Command, CommandKind, FactorUse, Statement, Style};
use crate::source::{Sources, Span};
use crate::syntax::print::doc::Doc;

use super::condition::Writer;
use super::expression::bracketed;
use super::header::base_name;
use super::text::{comment, string};

/// Writes the statements of one step.
pub(super) struct Statements<'w, 'p> {
    pub(super) writer: &'w mut Writer<'p>,
    pub(super) sources: &'w Sources,
    /// The place that was named last: what stands on one line of a policy is named once.
    named: Option<String>,
}

impl<'w, 'p> Statements<'w, 'p> {
    pub(super) fn new(writer: &'w mut Writer<'p>, sources: &'w Sources) -> Self {
        Statements { writer, sources, named: None }
    }

    /// The statements of a block, a line each.
    pub(super) fn block(&mut self, block: &'p Block) -> Doc {
        let mut docs = Vec::new();
        for statement in block {
            if !docs.is_empty() {
                docs.push(Doc::Break);
            }
            docs.push(self.statement(statement));
        }
        Doc::Concat(docs)
    }

    fn statement(&mut self, statement: &'p Statement) -> Doc {
        match statement {
            Statement::Command(command) => {
                let mut docs = vec![self.call(command), Doc::text(";")];
                docs.extend(self.place(command.span));
                Doc::Concat(docs)
            }
            Statement::Deny { reason, span } => {
                let mut docs = vec![Doc::text(format!("api.access.deny({});", string(reason)))];
                docs.extend(self.place(*span));
                docs.extend([Doc::Break, Doc::text("return;")]);
                Doc::Concat(docs)
            }
            Statement::Stop(span) => {
                let mut docs = vec![Doc::text("return;")];
                docs.extend(self.place(*span));
                Doc::Concat(docs)
            }
            Statement::Applied { body, span } => {
                let place = self.place_name(*span);
                let applied = self.sources.text(*span).split_whitespace().collect::<Vec<_>>().join(" ");
                let note = Doc::text(format!("// {}, {place}", comment(&applied)));
                Doc::Concat(vec![note, Doc::Break, self.block(body)])
            }
            Statement::Branch { branches, otherwise, span } => self.branch(branches, otherwise, *span),
        }
    }

    fn branch(
        &mut self,
        branches: &'p [(crate::check::policy::ConditionId, Block)],
        otherwise: &'p Block,
        span: Span,
    ) -> Doc {
        let mut docs = Vec::new();
        for (number, (condition, body)) in branches.iter().enumerate() {
            let first = number == 0;
            docs.push(Doc::text(if first { "if " } else { " else if " }));
            docs.push(bracketed(self.writer.condition(*condition).doc()));
            docs.push(Doc::text(" {"));
            let asked = self.writer.policy.conditions[*condition].span;
            docs.extend(self.place(if first { span } else { asked }));
            docs.push(self.body(body));
        }
        if !otherwise.is_empty() {
            docs.push(Doc::text(if branches.is_empty() { "{" } else { " else {" }));
            docs.push(self.body(otherwise));
        }
        Doc::Concat(docs)
    }

    /// A block with its closing brace.
    fn body(&mut self, block: &'p Block) -> Doc {
        if block.is_empty() {
            return Doc::Concat(vec![Doc::Break, Doc::text("}")]);
        }
        let inner = self.block(block);
        Doc::Concat(vec![Doc::Nest(vec![Doc::Break, inner]), Doc::Break, Doc::text("}")])
    }

    /// `// policy.stepup:14`, unless it was just said.
    fn place(&mut self, span: Span) -> Option<Doc> {
        let place = self.place_name(span);
        if self.named.as_ref() == Some(&place) {
            return None;
        }
        let comment = Doc::Comment(format!(" // {place}"));
        self.named = Some(place);
        Some(comment)
    }

    fn place_name(&self, span: Span) -> String {
        let file = self.sources.file(span.file);
        let line = file.position(span.start as usize).line;
        format!("{}:{line}", comment(base_name(file.name())))
    }

    /// `api.authentication.challengeWith({ type: "otp" })`
    fn call(&mut self, command: &'p Command) -> Doc {
        let verb = match command.kind {
            CommandKind::Enroll => "enroll",
            CommandKind::Challenge => "challenge",
        };
        match (command.style, &command.listed[..]) {
            (Style::Preferred, [first, others @ ..]) => {
                let opening = Doc::text(format!("api.authentication.{verb}With("));
                Doc::Concat(vec![opening, self.preferred(command, first, others), Doc::text(")")])
            }
            (_, listed) => {
                let opening = Doc::text(format!("api.authentication.{verb}WithAny("));
                Doc::Concat(vec![opening, self.factors(command, listed), Doc::text(")")])
            }
        }
    }

    /// The default and the others, a line each where they are long.
    fn preferred(&mut self, command: &'p Command, first: &FactorUse, others: &[FactorUse]) -> Doc {
        let first = Doc::text(self.factor(first));
        if others.is_empty() && command.rest.is_none() {
            return first;
        }
        let others = self.factors(command, others);
        let others = vec![Doc::text("{ additionalFactors: "), others, Doc::text(" }")];
        let inner =
            vec![Doc::Line(""), first, Doc::text(","), Doc::line(), Doc::Concat(others), Doc::IfBroken(",")];
        Doc::Group(vec![Doc::Nest(inner), Doc::Line("")])
    }

    /// The factors listed, then those of the command's set that are not among them.
    fn factors(&mut self, command: &'p Command, listed: &[FactorUse]) -> Doc {
        let mut elements: Vec<String> = listed.iter().map(|factor| self.factor(factor)).collect();
        if let Some(rest) = &command.rest {
            let set = self.writer.set(rest);
            let all: Vec<&str> = command
                .listed
                .iter()
                .map(|listed| self.writer.policy.catalog.factors[listed.factor].name.as_str())
                .collect();
            let set = if all.is_empty() {
                set
            } else {
                format!("{}({set}, {})", self.writer.helpers.uses("except"), super::text::strings(&all))
            };
            if !self.writer.offers.contains(&command.kind) {
                self.writer.offers.push(command.kind);
            }
            let offered =
                format!("{}({set}, {})", self.writer.helpers.uses("offered"), possible(command.kind));
            if elements.is_empty() {
                return Doc::text(offered);
            }
            elements.push(format!("...{offered}"));
        }
        array(elements)
    }

    /// `{ type: "phone", options: { preferredMethod: "sms" } }`
    fn factor(&self, used: &FactorUse) -> String {
        let row = &self.writer.policy.catalog.factors[used.factor];
        let options = used.options.iter().filter_map(|option| row.options.get(*option));
        let entries: Vec<String> = options
            .flat_map(|option| &option.json)
            .map(|(key, value)| format!("{}: {}", property(key), json(value)))
            .collect();
        let name = string(&row.name);
        if entries.is_empty() {
            format!("{{ type: {name} }}")
        } else {
            format!("{{ type: {name}, options: {{ {} }} }}", entries.join(", "))
        }
    }
}

/// The array of the factors that may stand in a command.
pub(super) fn possible(command: CommandKind) -> &'static str {
    match command {
        CommandKind::Enroll => "CAN_ENROLL",
        CommandKind::Challenge => "CAN_CHALLENGE",
    }
}

/// An array, an element a line where it is long.
pub(super) fn array(elements: Vec<String>) -> Doc {
    let mut inner = vec![Doc::Line("")];
    let last = elements.len();
    for (number, element) in elements.into_iter().enumerate() {
        inner.push(Doc::text(element));
        if number + 1 < last {
            inner.extend([Doc::text(","), Doc::line()]);
        } else {
            inner.push(Doc::IfBroken(","));
        }
    }
    Doc::Group(vec![Doc::text("["), Doc::Nest(inner), Doc::Line(""), Doc::text("]")])
}

/// A key of an object literal.
fn property(key: &str) -> String {
    let is_word = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && key != "__proto__";
    if is_word { key.to_owned() } else { format!("[{}]", string(key)) }
}

/// A value of a policy's JSON.
fn json(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => string(text),
        serde_json::Value::Array(elements) => {
            format!("[{}]", elements.iter().map(json).collect::<Vec<_>>().join(", "))
        }
        serde_json::Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        serde_json::Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{}: {}", property(key), json(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}
