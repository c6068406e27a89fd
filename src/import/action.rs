//! One Action to one step: its module's statements, and its post-login handler.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::facts::Facts;
use super::js::*;
use super::outline::{Outline, StepOutline};
use super::statement::Place;
use super::translate::{Translator, Why};
use super::value::{Closure, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

const HANDLER: &str = "onExecutePostLogin";

/// What an Action becomes, and what is to be said about it.
pub(super) struct Translated {
    pub(super) step: StepOutline,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The handler's first line.
    pub(super) at: Span,
}

/// Translates an Action; without a handler there is nothing to translate.
pub(super) fn translate(
    file: FileId,
    text: &str,
    name: String,
    script: &Script,
    facts: &mut Facts,
    taken: &mut BTreeSet<String>,
) -> Result<Translated, Box<Diagnostic>> {
    let mut translator = Translator::new(file, text, &script.comments, facts, taken);
    let mut module = Module { handler: None, names: Vec::new(), comments: Vec::new() };
    module.run(&mut translator, &script.statements);
    let Some((at, closure)) = module.handler else {
        let report =
            Diagnostic::error(Code::E0903, Span::new(file, 0..0), "there is no post-login handler in here");
        let report = report.help("an Action of the post-login trigger sets `exports.onExecutePostLogin`");
        return Err(Box::new(report));
    };
    let body = handler(&mut translator, &closure, at);
    let step = StepOutline { name, comments: module.comments, names: module.names, body };
    let at = translator.first_line(at);
    Ok(Translated { step, diagnostics: translator.diagnostics, at })
}

/// The handler's statements.
fn handler(translator: &mut Translator<'_>, closure: &Rc<Closure>, at: Span) -> Vec<Outline> {
    let arguments = Translator::handler_arguments();
    let function = closure.function.clone();
    translator.cursor = function.span.start;
    let ran = translator.in_call(closure, &arguments, |inner| {
        inner.may_name = true;
        match &function.body {
            Body::Statements(statements) => {
                let statements: Vec<&Statement> = statements.iter().collect();
                inner.hoist(&statements)?;
                Ok(inner.run(&statements, Place::Handler).outlines)
            }
            Body::Expression(value) => Ok(inner.expression_body(value)),
        }
    });
    let mut body = ran.unwrap_or_else(|why| {
        translator.leave_out(at, why);
        Vec::new()
    });
    body.extend(translator.comments_in(at.start, u32::MAX).into_iter().map(Outline::Comment));
    body
}

/// What stands at the top of an Action.
struct Module {
    handler: Option<(Span, Rc<Closure>)>,
    names: Vec<Outline>,
    /// What is said above the handler.
    comments: Vec<Vec<String>>,
}

impl Module {
    fn run(&mut self, translator: &mut Translator<'_>, statements: &[Statement]) {
        let all: Vec<&Statement> = statements.iter().collect();
        if let Err(why) = translator.hoist(&all) {
            let span = why.span.unwrap_or(translator.at);
            translator.leave_out(span, why);
        }
        let mut handler = None;
        let mut end = 0;
        for statement in &all {
            let above = translator.comments_in(end, statement.span.start);
            end = statement.span.end;
            if let Some(value) = exported(statement) {
                self.comments.extend(above);
                handler = Some((statement.span, value));
                continue;
            }
            self.names.extend(above.into_iter().map(Outline::Comment));
            self.statement(translator, statement);
        }
        if let Some((span, value)) = handler {
            match translator.eval(value) {
                Ok(Value::Function(closure)) => self.handler = Some((span, closure)),
                Ok(_) => {}
                Err(why) => translator.leave_out(span, why),
            }
        }
    }

    fn statement(&mut self, translator: &mut Translator<'_>, statement: &Statement) {
        match &statement.kind {
            StatementKind::Declare(declarators) => {
                translator.may_name = true;
                let inside = translator.comments_in(statement.span.start, statement.span.end);
                self.names.extend(inside.into_iter().map(Outline::Comment));
                for declarator in declarators {
                    if let Err(why) = translator.declarator(declarator, &mut self.names) {
                        translator.leave_out(declarator.span, why);
                    }
                }
                translator.may_name = false;
            }
            StatementKind::Function(function) => {
                let inside = translator.comments_in(function.span.start, function.span.end);
                self.names.extend(inside.into_iter().map(Outline::Comment));
            }
            StatementKind::Nothing => {}
            StatementKind::Expression(Expr { kind: ExprKind::Text(_), .. }) => {}
            StatementKind::Expression(Expr { kind: ExprKind::Assign(name, _), span })
                if name.contains("exports") =>
            {
                translator.leave_out(*span, Why::of("an export that is no post-login handler"));
            }
            _ => {
                let ran = translator.run(&[statement], Place::Handler);
                self.names.extend(ran.outlines.into_iter().filter(|one| matches!(one, Outline::Comment(_))));
            }
        }
    }
}

/// The handler, where a statement exports one.
fn exported(statement: &Statement) -> Option<&Expr> {
    let StatementKind::Expression(Expr { kind: ExprKind::Assign(target, value), .. }) = &statement.kind
    else {
        return None;
    };
    let of_chain = |value: &'_ Expr| matches!(value.kind, ExprKind::Assign(..));
    let is_named = |target: &str| {
        target.strip_prefix("module.").unwrap_or(target).strip_prefix("exports.") == Some(HANDLER)
    };
    match &value.kind {
        _ if is_named(target) && !of_chain(value) => Some(value),
        ExprKind::Object(properties) if target == "module.exports" || target == "exports" => {
            properties.iter().find_map(|property| match property {
                Property::Key(key, value) if key == HANDLER => Some(value),
                _ => None,
            })
        }
        _ => None,
    }
}
