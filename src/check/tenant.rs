//! What a tenant says, held to the catalog and the declarations: which factors are enabled, and what facts are where
//! its events lack them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Checker;
use super::Role;
use super::fact::{enum_number, literal_value, with_variants};
use super::masks::{FactorMask, bit};
use super::policy::{Absence, FactorId, Type, Value, VariableId};
use super::value::Kind;
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::{FileId, Span};
use crate::syntax::parse;
use crate::syntax::tree::Literal;
use crate::tenant::{FactDefault, Form, Switch, Tenant, TenantValue, quoted};

/// A tenant whose texts are files of the sources.
#[derive(Clone, Copy, Debug)]
pub struct PlacedTenant<'a> {
    /// What it says.
    pub tenant: &'a Tenant,
    /// The first of its texts; the others follow it.
    pub first: FileId,
}

/// A default that the tenant gives.
pub(crate) struct TenantDefault {
    value: Value,
    /// The fact's name in the tenant's text.
    fact: Span,
}

/// The defaults by what they are for.
pub(crate) type TenantDefaults = BTreeMap<VariableId, TenantDefault>;

impl<'a> Checker<'a> {
    /// The factors that are enabled: what nothing is said of is, unless a list says otherwise.
    pub(crate) fn enabled_factors(&mut self) -> FactorMask {
        let all = self.catalog.factors.keys().fold(0, |mask, factor| mask | bit(factor));
        let Some(PlacedTenant { tenant, first }) = self.tenant else { return all };
        let mut enabled = if tenant.others_off.is_some() { 0 } else { all };
        let mut places: BTreeMap<FactorId, Span> = BTreeMap::new();
        let mut told = BTreeSet::new();
        for said in &tenant.factors {
            let (name, span) = (said.factor.value.as_str(), said.factor.span(first));
            let known = self.catalog.find(name);
            let Some(factor) = known else {
                // The platform has factors that no command can name; a person who writes one has mistaken it.
                if tenant.form == Form::Written && told.insert(name) {
                    self.report_unknown_factor(name, span);
                }
                continue;
            };
            match places.get(&factor) {
                None => drop(places.insert(factor, span)),
                Some(before) if told.insert(name) => self.report_listed_twice(name, span, *before),
                Some(_) => {}
            }
            match said.switch.value {
                Switch::On => enabled |= bit(factor),
                Switch::Off => enabled &= !bit(factor),
            }
        }
        enabled
    }

    fn report_listed_twice(&mut self, name: &str, span: Span, first: Span) {
        let report = Diagnostic::error(Code::E0405, span, format!("`{name}` is listed twice"))
            .label(first, "first here")
            .help("remove one of the two");
        self.report(report);
    }

    /// The factor of a name in the tenant's text.
    fn tenant_factor(&mut self, name: &str, span: Span) -> Option<FactorId> {
        let found = self.catalog.find(name);
        if found.is_none() {
            self.report_unknown_factor(name, span);
        }
        found
    }

    fn report_unknown_factor(&mut self, name: &str, span: Span) {
        let report = Diagnostic::error(Code::E0401, span, format!("there is no factor `{name}`"));
        let report = match self.factor_meant_by(name) {
            Some(near) => report.fix(format!("did you mean `{near}`?"), span, quoted(near)),
            None => report.note(format!("the catalog has {}", self.factor_list())),
        };
        self.report(report);
    }

    /// Takes the tenant's defaults of facts.
    pub(crate) fn take_tenant_defaults(&mut self) {
        let Some(PlacedTenant { tenant, first }) = self.tenant else { return };
        for default in &tenant.facts {
            self.take_tenant_default(first, default);
        }
    }

    fn take_tenant_default(&mut self, texts: FileId, default: &FactDefault) -> Option<()> {
        let (name, fact) = (default.fact.value.as_str(), default.fact.span(texts));
        let Some(declaration) = self.declarations.fact(name) else {
            self.report_unknown_tenant_fact(name, fact);
            return None;
        };
        let Some(variable) = self.variable_if_free(name) else {
            // What is wrong with the user's own declarations was told.
            if let (Role::Library, Some(other)) = (declaration.role, self.on_path_of(declaration.item)) {
                self.report_fact_read_as_another(name, fact, other);
            }
            return None;
        };
        if matches!(self.variables[variable].absence, Absence::Tracked(_)) {
            self.report_default_of_optional(name, fact, declaration.item.ty.span);
            return None;
        }
        let value = self.tenant_value(texts, default, variable)?;
        if let Some(first) = self.tenant_defaults.get(&variable) {
            let report = Diagnostic::error(Code::E0202, fact, format!("`{name}` is given twice"))
                .label(first.fact, "first here")
                .help("remove one of the two");
            self.report(report);
            return None;
        }
        self.tenant_defaults.insert(variable, TenantDefault { value, fact });
        Some(())
    }

    fn report_unknown_tenant_fact(&mut self, name: &str, span: Span) {
        let report = Diagnostic::error(Code::E0201, span, format!("there is no fact `{name}`"));
        let facts = self.declarations.fact_names();
        let report = if matches!(name, "enrolled" | "performed" | "now") {
            report.note(format!("`{name}` is of the login itself, and is never lacking"))
        } else if let Some(near) = did_you_mean(name, facts.iter().map(String::as_str)) {
            report.fix(format!("did you mean `{near}`?"), span, quoted(near))
        } else {
            report.help("declare it in the policy with `fact`, or remove this line")
        };
        self.report(report);
    }

    fn report_fact_read_as_another(&mut self, name: &str, span: Span, other: VariableId) {
        let known = &self.variables[other].name;
        let message = format!("the policy reads `{known}` where the library would read `{name}`");
        let mut report = Diagnostic::error(Code::E0305, span, message);
        if let Some(declared) = self.variable_spans[other] {
            report = report.label(declared, "declared here on the same path");
        }
        let report = report.fix(format!("name `{known}` here"), span, quoted(known));
        self.report(report);
    }

    /// The policy asks whether the fact is there; a default would answer in its place.
    fn report_default_of_optional(&mut self, name: &str, fact: Span, ty: Span) {
        let message = format!("`{name}` may be absent, so it takes no default from a tenant");
        let report = Diagnostic::error(Code::E0305, fact, message)
            .label(ty, format!("`{}` says that it may be", self.excerpt(ty)))
            .note("the policy asks whether it is there, and would never learn that it isn't")
            .help(format!("remove this line; a policy says what counts instead by `{name} ?? …`"));
        self.report(report);
    }

    /// A default as a value of the fact's type.
    fn tenant_value(&mut self, texts: FileId, default: &FactDefault, variable: VariableId) -> Option<Value> {
        let ty = self.variables[variable].ty.clone();
        let span = default.value.span(texts);
        match (&default.value.value, &ty) {
            (TenantValue::Text(name), Type::Factor) => self.tenant_factor(name, span).map(Value::Factor),
            (TenantValue::List(names), Type::FactorSet) => {
                let elements = default.elements.iter().map(|element| element.span(texts));
                let places = elements.chain(std::iter::repeat(span));
                let known: Vec<_> =
                    names.iter().zip(places).map(|(name, place)| self.tenant_factor(name, place)).collect();
                known.into_iter().collect::<Option<_>>().map(Value::FactorSet)
            }
            (written, _) => {
                let value = plain_value(written, &ty);
                if value.is_none() {
                    self.report_tenant_value(default, span, &ty, variable);
                }
                value
            }
        }
    }

    fn report_tenant_value(&mut self, default: &FactDefault, span: Span, ty: &Type, variable: VariableId) {
        let (text, kind) = (self.excerpt(span), Kind::of(ty));
        let message = format!("`{}` is {kind}, and `{text}` is not", default.fact.value);
        let mut report = Diagnostic::error(Code::E0301, span, message).here(format!("{kind} is wanted here"));
        if let Some(declared) = self.variable_spans[variable] {
            report = report.label(declared, "declared here");
        }
        let near = kind.variants().and_then(|values| did_you_mean(text.trim_matches('"'), values));
        report = match near {
            Some(near) => report.fix(format!("did you mean `{near}`?"), span, quoted(near)),
            None => as_the_type_is_written(report, &default.value.value, ty),
        };
        self.report(with_variants(report, ty));
    }

    /// Puts the tenant's defaults in the place of the policy's.
    pub(crate) fn apply_tenant_defaults(&mut self) {
        for (variable, default) in std::mem::take(&mut self.tenant_defaults) {
            self.variables[variable].absence = Absence::Default(default.value);
        }
    }
}

/// Says how a value of a type is written, as an edit where only its form is wrong.
fn as_the_type_is_written(report: Diagnostic, found: &TenantValue, ty: &Type) -> Diagnostic {
    let span = report.primary.span;
    match (ty, found) {
        (Type::TextList | Type::FactorSet, TenantValue::Text(text)) => {
            report.fix("write a list", span, format!("[{}]", quoted(text)))
        }
        (Type::Text, TenantValue::Int(number)) => {
            report.fix("a string stands in quotes", span, quoted(&number.to_string()))
        }
        (Type::Bool, TenantValue::Text(text)) if matches!(text.as_str(), "true" | "false") => {
            report.fix("a bool stands without quotes", span, text)
        }
        (Type::Int, TenantValue::Text(text)) if text.parse::<i64>().is_ok() => {
            report.fix("an int stands without quotes", span, text)
        }
        (Type::Int, TenantValue::Int(_)) => {
            report.note("integers go up to 9007199254740991, as JSON carries them")
        }
        (Type::Duration, _) => {
            report.help("a length of time is written `\"5s\"`, `\"10m\"`, `\"12h\"` or `\"30d\"`")
        }
        (Type::Time, _) => report.help("an instant is written `2026-01-31T00:00:00Z`, or with an offset"),
        (Type::Ip, _) => report.help("an address is written `\"10.0.0.7\"` or `\"2001:db8::7\"`"),
        _ => report,
    }
}

/// The value that what a tenant writes has for a type that holds no factors.
fn plain_value(written: &TenantValue, ty: &Type) -> Option<Value> {
    match (written, ty) {
        (TenantValue::Bool(value), _) => literal_value(&Literal::Bool(*value), ty),
        (TenantValue::Int(value), Type::Int) => literal_value(&parse::literal(&value.to_string())?, ty),
        (TenantValue::Time(instant), Type::Time) => milliseconds(*instant).map(Value::Number),
        (TenantValue::Text(text), Type::Text) => Some(Value::Text(text.clone())),
        (TenantValue::Text(text), Type::Time | Type::Duration | Type::Ip) => {
            literal_value(&parse::literal(text)?, ty)
        }
        (TenantValue::Text(text), _) => enum_number(text, ty).map(Value::Number),
        (TenantValue::List(texts), Type::TextList) => Some(Value::TextList(texts.clone())),
        _ => None,
    }
}

/// An instant as the language has it: in whole milliseconds.
fn milliseconds(instant: Timestamp) -> Option<i64> {
    (instant.subsec_nanosecond() % 1_000_000 == 0).then(|| instant.as_millisecond())
}
