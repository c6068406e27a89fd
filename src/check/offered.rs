//! What commands offer, held to what is enabled in the tenant.

use std::collections::BTreeSet;

use cranelift_entity::PrimaryMap;

use super::Checker;
use super::masks::{ALL_FACTORS, FactorMask, bit, factors};
use super::policy::{Block, Catalog, Command, Set, Statement, Step, StepId};
use super::tenant::TenantFile;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::tenant::CustomizeFactors;

/// The enabled factors in the tenant's text, and what is said of them there.
struct EnabledList {
    span: Span,
    label: &'static str,
}

impl Checker<'_> {
    /// Reports the commands that can't do in this tenant what they say.
    pub(crate) fn check_commands_in_tenant(&mut self, steps: &PrimaryMap<StepId, Step>) {
        let Some(TenantFile { tenant, file }) = self.tenant else { return };
        let commands = commands_of(steps);
        let off = tenant.customize_factors.as_ref().filter(|toggle| toggle.value == CustomizeFactors::Off);
        if let (Some(toggle), Some(first)) = (off, commands.first()) {
            self.report(customize_factors_is_off(toggle.span(file), first));
        }
        let Some(enabled) = &tenant.enabled else { return };
        let label = if enabled.value.is_empty() { "nothing is enabled" } else { "these are enabled" };
        let list = EnabledList { span: enabled.span(file), label };
        for command in commands {
            self.check_enabled(command, &list);
        }
    }

    /// Reports what a command offers in vain, once: the whole command, or else each factor.
    fn check_enabled(&mut self, command: &Command, list: &EnabledList) {
        let offered = may_offer(&self.catalog, command);
        if offered != 0 && offered & self.enabled == 0 {
            let report = nothing_is_enabled(&self.catalog, command, offered, list);
            self.report(report);
            return;
        }
        for listed in &command.listed {
            if bit(listed.factor) & self.enabled == 0 {
                let name = &self.catalog.factors[listed.factor].name;
                let report = not_enabled(name, listed.span, list);
                self.report(report);
            }
        }
        let named = command.rest.as_ref().map_or(0, named_factors);
        let set = self.offered_sets.get(&command.span).copied().unwrap_or(command.span);
        let off: Vec<_> = factors(&self.catalog, named & !self.enabled).collect();
        for factor in off {
            if command.listed.iter().all(|listed| listed.factor != factor) {
                let name = &self.catalog.factors[factor].name;
                let report = not_enabled(name, set, list);
                self.report(report);
            }
        }
    }
}

/// Each command of the flow once, in order; a rule's stand in the flow as often as it is applied.
fn commands_of(steps: &PrimaryMap<StepId, Step>) -> Vec<&Command> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut waiting: Vec<&Statement> = Vec::new();
    for step in steps.values() {
        waiting.extend(step.body.iter().rev());
        while let Some(statement) = waiting.pop() {
            match statement {
                Statement::Command(command) if seen.insert(command.span) => found.push(command),
                Statement::Command(_) | Statement::Deny { .. } | Statement::Stop(_) => {}
                Statement::Applied { body, .. } => waiting.extend(body.iter().rev()),
                Statement::Branch { branches, otherwise, .. } => {
                    waiting.extend(otherwise.iter().rev());
                    let bodies = branches.iter().rev().map(|(_, body)| body);
                    waiting.extend(bodies.flat_map(|body: &Block| body.iter().rev()));
                }
            }
        }
    }
    found
}

/// The factors that a command may offer to some login.
fn may_offer(catalog: &Catalog, command: &Command) -> FactorMask {
    let listed = command.listed.iter().fold(0, |mask, listed| mask | bit(listed.factor));
    let rest = command.rest.as_ref().map_or(0, |set| bounds(set).most);
    let allowed = catalog.factors.iter().filter(|(_, factor)| factor.allows(command.kind));
    (listed | rest) & allowed.fold(0, |mask, (factor, _)| mask | bit(factor))
}

/// The members that a set may have, and those that it has in every login.
struct Bounds {
    least: FactorMask,
    most: FactorMask,
}

/// The checker bounds how deep sets nest.
fn bounds(set: &Set) -> Bounds {
    match set {
        Set::Enrolled | Set::Performed | Set::Variable(_) => Bounds { least: 0, most: ALL_FACTORS },
        Set::Literal(list) => {
            let members = list.iter().fold(0, |mask, factor| mask | bit(*factor));
            Bounds { least: members, most: members }
        }
        Set::Intersect(a, b) => {
            let (a, b) = (bounds(a), bounds(b));
            Bounds { least: a.least & b.least, most: a.most & b.most }
        }
        Set::Union(a, b) => {
            let (a, b) = (bounds(a), bounds(b));
            Bounds { least: a.least | b.least, most: a.most | b.most }
        }
        Set::Except(a, b) => {
            let (a, b) = (bounds(a), bounds(b));
            Bounds { least: a.least & !b.most, most: a.most & !b.least }
        }
        Set::IfPresent { then, otherwise, .. } => {
            let (a, b) = (bounds(then), bounds(otherwise));
            Bounds { least: a.least & b.least, most: a.most | b.most }
        }
    }
}

/// The factors that a set names to offer them, not to choose among others.
fn named_factors(set: &Set) -> FactorMask {
    match set {
        Set::Literal(list) => list.iter().fold(0, |mask, factor| mask | bit(*factor)),
        Set::Union(a, b) => named_factors(a) | named_factors(b),
        Set::IfPresent { then, otherwise, .. } => named_factors(then) | named_factors(otherwise),
        _ => 0,
    }
}

fn not_enabled(name: &str, place: Span, list: &EnabledList) -> Diagnostic {
    Diagnostic::error(Code::E0409, place, format!("`{name}` is not enabled in the tenant"))
        .here("no user can be asked for it")
        .label(list.span, list.label)
        .help(format!("enable `{name}` under Security > Multi-factor Auth, and add it to the tenant's list"))
        .help("or take it out of the command")
}

fn nothing_is_enabled(
    catalog: &Catalog,
    command: &Command,
    offered: FactorMask,
    list: &EnabledList,
) -> Diagnostic {
    let names: Vec<&str> =
        factors(catalog, offered).map(|factor| catalog.factors[factor].name.as_str()).collect();
    let word = command.kind.word();
    let message = format!("nothing that this `{word}` can offer is enabled in the tenant");
    let one = if names.len() == 1 { "it" } else { "one of them" };
    Diagnostic::error(Code::E0411, command.span, message)
        .here("this never finds a usable factor")
        .label(list.span, list.label)
        .note(format!("it can offer {}", super::fact::list_of(&names)))
        .help(format!("enable {one} under Security > Multi-factor Auth, and add it to the tenant's list"))
        .help("or offer what is enabled")
}

fn customize_factors_is_off(place: Span, first: &Command) -> Diagnostic {
    let message = "the tenant doesn't let policies choose factors";
    Diagnostic::error(Code::E0410, place, message)
        .here("the toggle `Customize MFA Factors using Actions` is off")
        .label(first.span, "so the platform doesn't do this as it is written")
        .help("switch it on under Security > Multi-factor Auth > Additional Settings, then write `true` here")
}
