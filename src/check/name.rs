//! Names: what each means where it stands, and the values of definitions.

use smallvec::SmallVec;

use super::Checker;
use super::declare::{DefinitionBody, DefinitionId, State};
use super::expression::{Context, Place};
use super::policy::{
    Absence, ConditionKind, End, FactorSubject, Guard, Named, Number, Set, TextSubject, Type, VariableId,
    View,
};
use super::value::{Kind, Term, Value};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;

/// How deep definitions may refer to one another: the checker recurses over them.
const MAX_DEFINITION_DEPTH: u32 = 64;

impl Checker<'_> {
    /// What a name means. `wanted` is the type on the other side of a comparison, for the report.
    pub(crate) fn name(
        &mut self,
        context: &mut Context,
        name: &str,
        span: Span,
        wanted: Option<&Kind>,
    ) -> Value {
        if let Some(local) = context.locals.iter().rev().find(|local| local.name == name) {
            self.used_locals.insert(local.declared);
            return local.value.clone().at(span);
        }
        if let Some(value) = self.built_in(context, name, span) {
            return value;
        }
        if let Some(definition) = self.declarations.definition(context.file, name) {
            return self.definition_by_name(definition, name, span);
        }
        if self.declarations.fact(name).is_some() {
            self.used_facts.insert(name.to_owned());
            return match self.variable(name) {
                Some(variable) => self.fact_value(variable, span),
                None => Value::invalid(span),
            };
        }
        if let Some(factor) = self.catalog.find(name) {
            return Value::new(Kind::Factor, Term::Factor(FactorSubject::Literal(factor)), span);
        }
        self.report_unknown_name(context, name, span, wanted);
        Value::invalid(span)
    }

    pub(crate) fn built_in(&mut self, context: &Context, name: &str, span: Span) -> Option<Value> {
        let in_guarantee = context.place == Place::Guarantee;
        Some(match name {
            "enrolled" => Value::new(Kind::FactorSet, Term::Set(Set::Enrolled), span),
            "performed" => Value::new(Kind::FactorSet, Term::Set(Set::Performed), span),
            "now" => Value::new(Kind::Time, Term::Number(Number::Now), span),
            "prompts" if in_guarantee => Value::new(Kind::Int, Term::Number(Number::Prompts), span),
            "commands" if in_guarantee => Value::new(Kind::Int, Term::Number(Number::Commands), span),
            "completed" if in_guarantee => self.boolean_value(ConditionKind::Ended(End::Completed), span),
            "denied" if in_guarantee => self.boolean_value(ConditionKind::Ended(End::Denied), span),
            "failed" if in_guarantee => self.boolean_value(ConditionKind::Ended(End::Failed), span),
            _ => return None,
        })
    }

    pub(crate) fn definition_by_name(&mut self, definition: DefinitionId, name: &str, span: Span) -> Value {
        let declared = self.declarations.definitions[definition].name.span;
        match self.declarations.definitions[definition].body {
            DefinitionBody::Let(_) => self.definition_value(definition, span),
            DefinitionBody::Define(define) if define.parameters.is_empty() => {
                self.definition_value(definition, span)
            }
            DefinitionBody::Define(define) => {
                let count = define.parameters.len();
                let report = Diagnostic::error(
                    Code::E0206,
                    span,
                    format!("`{name}` takes {}, and none is given", super::call::arguments(count)),
                )
                .label(declared, "defined here");
                self.report(report);
                Value::invalid(span)
            }
            DefinitionBody::Rule(_) => {
                let report = Diagnostic::error(
                    Code::E0205,
                    span,
                    format!("`{name}` is a rule, and a value is wanted"),
                )
                .label(declared, "a rule holds statements")
                .help(format!("run it as a statement: `apply {name}`"));
                self.report(report);
                Value::invalid(span)
            }
        }
    }

    /// The value of a let, or of a define without parameters, checked when first asked for.
    pub(crate) fn definition_value(&mut self, id: DefinitionId, span: Span) -> Value {
        match &self.states[id] {
            State::Value(value) => return value.clone().at(span),
            State::InProgress => return self.report_circle(id, span),
            State::Broken | State::Function(_) | State::Rule { .. } => return Value::invalid(span),
            State::Untouched => {}
        }
        let definition = &self.declarations.definitions[id];
        let (file, body) = match definition.body {
            DefinitionBody::Let(item) => (definition.file, &item.value),
            DefinitionBody::Define(define) => (definition.file, &define.body),
            DefinitionBody::Rule(_) => return Value::invalid(span),
        };
        let is_define = matches!(definition.body, DefinitionBody::Define(_));
        self.states[id] = State::InProgress;
        let value = self.nested(span, |checker| checker.value(&mut Context::new(file, Place::Policy), body));
        let value = value.unwrap_or_else(|| Value::invalid(span));
        if matches!(self.states[id], State::Broken) {
            return Value::invalid(span);
        }
        let named = self.name_of(id, Vec::new());
        self.give_name(&value, || named);
        let value = if is_define { self.sealed(value) } else { value };
        self.states[id] = State::Value(value.clone());
        value.at(span)
    }

    /// Remembers what the policy calls a condition or a set; of two names for one, the inner.
    pub(crate) fn give_name(&mut self, value: &Value, named: impl FnOnce() -> Named) {
        match value.only() {
            Some(Term::Bool(condition)) => {
                self.names.conditions.entry(*condition).or_insert_with(named);
            }
            Some(Term::Set(
                set @ (Set::Intersect(..) | Set::Union(..) | Set::Except(..) | Set::IfPresent { .. }),
            )) => {
                self.names.sets.entry(set.clone()).or_insert_with(named);
            }
            _ => {}
        }
    }

    /// A definition's name, with what it was given.
    pub(crate) fn name_of(&self, id: DefinitionId, arguments: Vec<String>) -> Named {
        let definition = &self.declarations.definitions[id];
        Named {
            name: definition.name.node.clone(),
            arguments,
            docs: definition.docs.iter().map(|line| line.node.clone()).collect(),
            declared: definition.name.span,
        }
    }

    /// Marks the conditions of a define's result, so that presence isn't followed through them.
    pub(crate) fn sealed(&mut self, value: Value) -> Value {
        for guarded in &value.terms {
            if let Term::Bool(condition) = guarded.term {
                self.opaque.insert(condition);
            }
        }
        value
    }

    /// Checks a definition's inside, unless definitions nest too deep already.
    pub(crate) fn nested<T>(&mut self, span: Span, check: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.definition_depth == MAX_DEFINITION_DEPTH {
            self.report_nesting(span);
            return None;
        }
        self.definition_depth += 1;
        let result = check(self);
        self.definition_depth -= 1;
        Some(result)
    }

    /// Reports definitions that nest too deep, once: the others of a chain would only repeat it.
    fn report_nesting(&mut self, span: Span) {
        if std::mem::replace(&mut self.expansion_reported, true) {
            return;
        }
        let message = format!("`{}` is defined through too many other definitions", self.excerpt(span));
        let report = Diagnostic::error(Code::E0208, span, message)
            .here(format!("the bound is {MAX_DEFINITION_DEPTH} definitions inside one another"))
            .help("define the inner ones first: a file is read from top to bottom");
        self.report(report);
    }

    pub(crate) fn report_circle(&mut self, id: DefinitionId, span: Span) -> Value {
        let name = self.declarations.definitions[id].name;
        let report =
            Diagnostic::error(Code::E0203, span, format!("`{}` is defined through itself", name.node))
                .here("which leads back to its own definition")
                .label(name.span, "defined here")
                .help("write what it stands for without its own name");
        self.states[id] = State::Broken;
        self.report(report);
        Value::invalid(span)
    }

    /// A fact, read.
    pub(crate) fn fact_value(&mut self, variable: VariableId, span: Span) -> Value {
        let declared = &self.variables[variable];
        let guards: SmallVec<[Guard; 1]> = match declared.absence {
            Absence::Tracked(presence) => SmallVec::from_slice(&[Guard::Path(presence)]),
            _ => SmallVec::new(),
        };
        let kind = Kind::of(&declared.ty);
        let term = match declared.ty {
            Type::Bool => Term::Bool(self.condition(ConditionKind::Bool(variable), span)),
            Type::Int | Type::Time | Type::Duration | Type::OpenEnum(_) | Type::OrderedEnum(_) => {
                Term::Number(Number::Variable(variable))
            }
            Type::Text => Term::Text(TextSubject { variable, view: View::Whole }),
            Type::Ip => Term::Ip(variable),
            Type::Factor => Term::Factor(FactorSubject::Variable(variable)),
            Type::TextList => Term::List(variable),
            Type::FactorSet => Term::Set(Set::Variable(variable)),
        };
        Value::guarded(kind, term, guards, span)
    }

    pub(crate) fn report_unknown_name(
        &mut self,
        context: &Context,
        name: &str,
        span: Span,
        wanted: Option<&Kind>,
    ) {
        if matches!(name, "prompts" | "commands" | "completed" | "denied" | "failed") {
            let message = format!("`{name}` has a meaning only in a `guarantee`");
            let report = Diagnostic::error(Code::E0307, span, message);
            self.report(report.note("it speaks of how the login ends, and a step runs before that"));
            return;
        }
        let mut report = Diagnostic::error(Code::E0201, span, format!("there is no `{name}`"));
        if let Some(fact) = self.declarations.fact_on_path(name) {
            report = report.note("a policy reads facts, not the event");
            self.report(report.fix(format!("the fact is called `{fact}`"), span, fact));
            return;
        }
        let facts = self.declarations.fact_names();
        let factors: Vec<&str> = self.catalog.factors.values().map(|factor| factor.name.as_str()).collect();
        let visible = self.declarations.visible(context.file);
        let locals = context.locals.iter().map(|local| local.name.as_str());
        let built_in = ["enrolled", "performed", "now"];
        let candidates =
            facts.iter().map(String::as_str).chain(factors).chain(visible).chain(locals).chain(built_in);
        let near = did_you_mean(name, candidates).map(str::to_owned);
        let is_far = near.is_none();
        let fact = name.strip_prefix("event.").filter(|rest| facts.iter().any(|fact| fact == rest));
        report = match (near, wanted) {
            _ if fact.is_some() => report,
            (Some(near), _) => report.fix(format!("did you mean `{near}`?"), span, near),
            (None, Some(Kind::Text)) => report.fix("a string stands in quotes", span, format!("\"{name}\"")),
            (None, _) => report,
        };
        if let Some(part) = self.declarations.library_part_with(name, self.sources) {
            report = self.missing_use(report, &part, span);
        } else if let Some(fact) = fact {
            report = report.fix("a policy reads facts, not the event", span, fact);
        } else if let Some(rest) = name.strip_prefix("event.") {
            report = report
                .note(format!("a policy reads facts, not the event: `fact {rest}: … = {name}` declares one"));
        } else if name.contains("app_metadata") || name.contains("user_metadata") {
            report = report.note(format!(
                "metadata is each tenant's own, so a policy declares what it reads: `fact {name}: bool = event.{name} default false`"
            ));
        } else if is_far && name.contains('.') {
            report =
                report.note(format!("a policy declares the facts that it reads: `fact {name}: … = event.…`"));
        }
        self.report(report);
    }

    /// Adds the `use` that a name of the library needs.
    pub(crate) fn missing_use(&self, report: Diagnostic, part: &str, span: Span) -> Diagnostic {
        let text = self.sources.file(span.file).text();
        let is_doc = |line: &&str| line.starts_with("//!") || line.trim().is_empty();
        let start: usize = text.split_inclusive('\n').take_while(is_doc).map(str::len).sum();
        let begins = text.get(start..).unwrap_or_default();
        let gap = if begins.starts_with("use ") { "\n" } else { "\n\n" };
        let place = Span::new(span.file, start..start);
        report.fix("the library has it", place, format!("use {part}{gap}"))
    }
}
