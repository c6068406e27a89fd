//! The state of a translation: scopes, what is known where, what was left out.
//!
//! An Action is run over the event as it is not yet known: each value is a function of the event, and an `if` runs both
//! of its branches. Variables that a branch has changed become choices where the branches meet.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::condition::Condition;
use super::facts::{Facts, Path, told};
use super::js::{Comment, Function, Pattern, Statement, StatementKind};
use super::value::{Builtin, Closure, Lost, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// How many expressions and statements are run at most, all calls taken together.
const MAX_WORK: usize = 400_000;

/// How deep functions may call one another.
const MAX_CALLS: usize = 24;

/// How large a value's conditions may become.
const MAX_WEIGHT: usize = 600;

/// Why something has no translation.
#[derive(Clone, Debug)]
pub(super) struct Why {
    /// As a noun: `a loop`.
    pub(super) what: String,
    /// Where, when that is known more exactly than by what is being translated.
    pub(super) span: Option<Span>,
    /// Where something that it needs was left out.
    pub(super) lost: Option<Span>,
    /// What to do about it.
    pub(super) help: Option<&'static str>,
}

impl Why {
    pub(super) fn of(what: impl Into<String>) -> Why {
        Why { what: what.into(), span: None, lost: None, help: None }
    }

    pub(super) fn lost(lost: &Rc<Lost>) -> Why {
        Why { lost: Some(lost.span), ..Why::of(lost.why.clone()) }
    }

    pub(super) fn help(self, help: &'static str) -> Why {
        Why { help: Some(help), ..self }
    }

    /// At a place, unless it has one.
    pub(super) fn at(self, span: Span) -> Why {
        Why { span: Some(self.span.unwrap_or(span)), ..self }
    }
}

/// Names and what they are bound to.
#[derive(Debug, Default)]
struct Scope {
    parent: Option<usize>,
    names: BTreeMap<String, Value>,
}

/// A variable that was changed, and what it was.
struct Change {
    scope: usize,
    name: String,
    before: Value,
}

/// The variables that a branch has changed, with what they are at its end.
pub(super) type Changes = BTreeMap<(usize, String), Value>;

/// One Action on its way into a policy.
pub(super) struct Translator<'s> {
    pub(super) text: &'s str,
    pub(super) facts: &'s mut Facts,
    /// The names that the policy has already.
    pub(super) taken: &'s mut BTreeSet<String>,
    pub(super) comments: &'s [Comment],
    /// Up to where comments were told.
    pub(super) cursor: u32,
    pub(super) comment_is_told: Vec<bool>,
    scopes: Vec<Scope>,
    pub(super) scope: usize,
    journal: Vec<Change>,
    /// What holds where the translation stands.
    pub(super) known: Vec<Condition>,
    /// What `?.` has asked for in the chains that are open.
    pub(super) chains: Vec<Vec<Condition>>,
    pub(super) diagnostics: Vec<Diagnostic>,
    odd: BTreeSet<(u32, String)>,
    pub(super) at: Span,
    work: usize,
    calls: usize,
    /// Whether conditions may have names here: in the handler itself.
    pub(super) may_name: bool,
}

impl<'s> Translator<'s> {
    pub(super) fn new(
        file: FileId,
        text: &'s str,
        comments: &'s [Comment],
        facts: &'s mut Facts,
        taken: &'s mut BTreeSet<String>,
    ) -> Self {
        Translator {
            text,
            facts,
            taken,
            comments,
            cursor: 0,
            comment_is_told: vec![false; comments.len()],
            scopes: vec![Scope::default()],
            scope: 0,
            journal: Vec::new(),
            known: Vec::new(),
            chains: Vec::new(),
            diagnostics: Vec::new(),
            odd: BTreeSet::new(),
            at: Span::new(file, 0..0),
            work: 0,
            calls: 0,
            may_name: false,
        }
    }

    // -- bounds -----------------------------------------------------------------------------------------------------

    /// Counts a piece of work.
    pub(super) fn spend(&mut self) -> Result<(), Why> {
        self.work += 1;
        if self.work > MAX_WORK {
            return Err(Why::of("code that would take too long to follow"));
        }
        Ok(())
    }

    /// A value that is small enough to be carried on.
    pub(super) fn bounded(&self, value: Value) -> Result<Value, Why> {
        if value.weight() > MAX_WEIGHT { Err(Why::of("a value that depends on too much")) } else { Ok(value) }
    }

    /// Runs a function's body in a scope of its own.
    pub(super) fn in_call<T>(
        &mut self,
        closure: &Closure,
        arguments: &[Value],
        run: impl FnOnce(&mut Self) -> Result<T, Why>,
    ) -> Result<T, Why> {
        if let Some(what) = closure.function.foreign {
            return Err(Why::of(what));
        }
        if self.calls >= MAX_CALLS {
            return Err(Why::of("a function that calls itself"));
        }
        let outer = (self.scope, std::mem::replace(&mut self.may_name, false));
        self.calls += 1;
        self.scope = self.new_scope(closure.scope);
        let result = self.bind_parameters(&closure.function, arguments).and_then(|()| run(self));
        self.calls -= 1;
        (self.scope, self.may_name) = outer;
        result
    }

    fn bind_parameters(&mut self, function: &Function, arguments: &[Value]) -> Result<(), Why> {
        for (index, (pattern, default)) in function.parameters.iter().enumerate() {
            let value = match (arguments.get(index), default) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => self.eval(default)?,
                (None, None) => Value::Undefined,
            };
            self.bind(pattern, value)?;
        }
        Ok(())
    }

    // -- scopes -----------------------------------------------------------------------------------------------------

    pub(super) fn new_scope(&mut self, parent: usize) -> usize {
        self.scopes.push(Scope { parent: Some(parent), names: BTreeMap::new() });
        self.scopes.len() - 1
    }

    /// Runs in a scope within the present one.
    pub(super) fn in_block<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.scope;
        self.scope = self.new_scope(outer);
        let result = run(self);
        self.scope = outer;
        result
    }

    /// Binds a pattern's names.
    pub(super) fn bind(&mut self, pattern: &Pattern, value: Value) -> Result<(), Why> {
        match pattern {
            Pattern::Name(name, span) => self.declare(name, value).map_err(|why| why.at(*span)),
            Pattern::Foreign(span) => Err(Why::of("this pattern").at(*span)),
            Pattern::Object(properties) => {
                for (key, inner, default) in properties {
                    let mut part = match &value {
                        Value::Lost(_) => value.clone(),
                        value => self.property(value, key)?,
                    };
                    if let Some(default) = default {
                        let absent = self.absent(&part)?;
                        let default = self.eval(default)?;
                        part = Value::choose(absent, default, part);
                    }
                    self.bind(inner, part)?;
                }
                Ok(())
            }
        }
    }

    pub(super) fn declare(&mut self, name: &str, value: Value) -> Result<(), Why> {
        let names = self.scopes.get_mut(self.scope).map(|scope| &mut scope.names);
        let before = names.and_then(|names| names.insert(name.to_owned(), value));
        match before {
            Some(_) => Err(Why::of(format!("`{name}`, which is declared twice here"))),
            None => Ok(()),
        }
    }

    /// Declares the functions of a block, which may be called before they stand there.
    pub(super) fn hoist(&mut self, statements: &[&Statement]) -> Result<(), Why> {
        for statement in statements {
            if let StatementKind::Function(function) = &statement.kind
                && let Some(name) = &function.name
            {
                let closure = Closure { function: function.clone(), scope: self.scope };
                self.declare(name, Value::Function(Rc::new(closure)))
                    .map_err(|why| why.at(statement.span))?;
            }
        }
        Ok(())
    }

    fn holder(&self, name: &str) -> Option<usize> {
        let mut at = Some(self.scope);
        while let Some(scope) = at {
            let row = self.scopes.get(scope)?;
            if row.names.contains_key(name) {
                return Some(scope);
            }
            at = row.parent;
        }
        None
    }

    pub(super) fn lookup(&self, name: &str) -> Option<Value> {
        let scope = self.holder(name)?;
        self.scopes.get(scope)?.names.get(name).cloned()
    }

    pub(super) fn assign(&mut self, name: &str, value: Value) -> Result<(), Why> {
        let Some(scope) = self.holder(name) else {
            return Err(Why::of(format!("an assignment to `{name}`, which is declared nowhere")));
        };
        let value = self.bounded(value)?;
        self.set(scope, name, value);
        Ok(())
    }

    fn set(&mut self, scope: usize, name: &str, value: Value) {
        let Some(row) = self.scopes.get_mut(scope) else { return };
        if let Some(before) = row.names.insert(name.to_owned(), value) {
            self.journal.push(Change { scope, name: name.to_owned(), before });
        }
    }

    /// Runs a branch, and takes back what it has changed.
    pub(super) fn branch<T>(
        &mut self,
        condition: &Condition,
        run: impl FnOnce(&mut Self) -> T,
    ) -> (T, Changes) {
        let (mark, known) = (self.journal.len(), self.known.len());
        self.known.push(condition.clone());
        let result = run(self);
        self.known.truncate(known);
        let mut changes = Changes::new();
        for change in self.journal.drain(mark..).rev() {
            let Some(row) = self.scopes.get_mut(change.scope) else { continue };
            if let Some(after) = row.names.insert(change.name.clone(), change.before) {
                changes.entry((change.scope, change.name)).or_insert(after);
            }
        }
        (result, changes)
    }

    /// Joins branches: each with its condition, in order, the last taken where none of the others is.
    pub(super) fn join(&mut self, branches: Vec<(Condition, Changes)>) -> Result<(), Why> {
        let changed: BTreeSet<(usize, String)> =
            branches.iter().flat_map(|(_, changes)| changes.keys().cloned()).collect();
        for (scope, name) in changed {
            let Some(before) = self.scopes.get(scope).and_then(|row| row.names.get(&name)).cloned() else {
                continue;
            };
            let key = (scope, name);
            let value_in = |changes: &Changes| changes.get(&key).unwrap_or(&before).without_names();
            let mut rest = branches.iter().rev();
            let Some((_, last)) = rest.next() else { continue };
            let joined = rest.fold(value_in(last), |otherwise, (condition, changes)| {
                Value::choose(condition.without_names(), value_in(changes), otherwise)
            });
            let joined = self.bounded(joined)?;
            self.set(scope, &key.1, joined);
        }
        Ok(())
    }

    /// What a branch left behind that surely was taken.
    pub(super) fn keep(&mut self, changes: Changes) {
        for ((scope, name), value) in changes {
            self.set(scope, &name, value);
        }
    }

    // -- what is said -----------------------------------------------------------------------------------------------

    /// Whether what is known here makes a condition hold.
    pub(super) fn is_known(&self, condition: &Condition) -> bool {
        let asked = self.chains.iter().flatten().chain(&self.known);
        *condition == Condition::TRUE || asked.into_iter().any(|known| known.implies(condition))
    }

    /// Notes where the Action throws: a value is absent and used as if it were there.
    pub(super) fn note_use(&mut self, path: &Path) {
        let present = self.present(path);
        if self.facts.is_optional_at(path, path.len()) && !self.is_known(&present) {
            let said = format!(
                "the Action fails here where `{}` is absent, and the policy takes it as none",
                told(path)
            );
            self.warn(Code::W0907, said);
        }
    }

    /// Notes something worth a look.
    pub(super) fn note_odd(&mut self, said: &str) {
        self.warn(Code::W0908, said.to_owned());
    }

    fn warn(&mut self, code: Code, said: String) {
        if self.odd.insert((self.at.start, said.clone())) {
            self.diagnostics.push(Diagnostic::warning(code, self.at, said));
        }
    }

    /// Reports what is left out, once a place.
    pub(super) fn leave_out(&mut self, statement: Span, why: Why) {
        let why = why.at(statement);
        let span = why.span.unwrap_or(statement);
        if !self.odd.insert((span.start, why.what.clone())) {
            return;
        }
        let mut report = Diagnostic::error(Code::E0904, span, format!("not understood: {}", why.what));
        let first_line = self.first_line(statement);
        report = if first_line.start == span.start
            || span.start < statement.start
            || span.start >= statement.end
        {
            report.here("left out of the policy")
        } else {
            report.here("this").label(first_line, "left out of the policy with it")
        };
        if let Some(lost) = why.lost.filter(|lost| *lost != span) {
            report = report.label(self.first_line(lost), "it comes from here");
        }
        if let Some(help) = why.help {
            report = report.help(help);
        }
        self.diagnostics.push(report);
    }

    /// The part of a span that stands on its first line.
    pub(super) fn first_line(&self, span: Span) -> Span {
        let text = self.text.get(span.range()).unwrap_or_default();
        let length = text.lines().next().map_or(0, str::len);
        Span { end: span.start + length as u32, ..span }
    }

    /// The comments in a stretch of the text that were not told yet.
    pub(super) fn comments_in(&mut self, from: u32, to: u32) -> Vec<Vec<String>> {
        let first = self.comments.partition_point(|comment| comment.span.start < from);
        let mut told = Vec::new();
        for (index, comment) in self.comments.iter().enumerate().skip(first) {
            if comment.span.start >= to {
                break;
            }
            if let Some(is_told) = self.comment_is_told.get_mut(index)
                && !std::mem::replace(is_told, true)
                && !comment.lines.is_empty()
            {
                told.push(comment.lines.clone());
            }
        }
        told
    }

    /// The event and the api as a handler's arguments.
    pub(super) fn handler_arguments() -> [Value; 2] {
        [Value::Path(Rc::new(Vec::new())), Value::Builtin(Builtin::Api(Vec::new()))]
    }
}
