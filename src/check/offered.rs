//! What commands offer, held to what is enabled in the tenant.

use std::collections::BTreeSet;

use cranelift_entity::PrimaryMap;

use super::Checker;
use super::masks::{ALL_FACTORS, FactorMask, bit, factors};
use super::policy::{Block, Catalog, Command, FactorId, Set, Statement, Step, StepId, TypedPolicy};
use super::tenant::PlacedTenant;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::tenant::{Form, Switch};

/// What a flow's commands ask for.
pub(crate) struct Asked {
    pub(crate) commands: Vec<Offer>,
    /// How many of them one login executes at most, as far as the text shows.
    pub(crate) at_most: usize,
    /// The factors that they name.
    pub(crate) factors: FactorMask,
    /// The options that they name.
    pub(crate) options: BTreeSet<(FactorId, usize)>,
}

/// What one command offers.
pub(crate) struct Offer {
    pub(crate) word: &'static str,
    /// The factors that it names.
    pub(crate) named: FactorMask,
    /// Those that it offers to some login.
    pub(crate) most: FactorMask,
}

/// What the commands of a flow ask for.
pub(crate) fn asked_for(policy: &TypedPolicy) -> Asked {
    let at_most = policy.steps.values().map(|step| most_commands(&step.body)).sum();
    let mut asked = Asked { commands: Vec::new(), at_most, factors: 0, options: BTreeSet::new() };
    for command in commands_of(&policy.steps) {
        let listed = command.listed.iter().fold(0, |mask, listed| mask | bit(listed.factor));
        let named = listed | command.rest.as_ref().map_or(0, named_factors);
        let most = may_offer(&policy.catalog, command);
        asked.commands.push(Offer { word: command.kind.word(), named, most });
        asked.factors |= named;
        for listed in &command.listed {
            asked.options.extend(listed.options.iter().map(|option| (listed.factor, *option)));
        }
    }
    asked
}

/// The commands on the longest way through a block. The checker bounds how deep statements nest.
fn most_commands(block: &Block) -> usize {
    let most = |statement: &Statement| match statement {
        Statement::Command(_) => 1,
        Statement::Deny { .. } | Statement::Stop(_) => 0,
        Statement::Applied { body, .. } => most_commands(body),
        Statement::Branch { branches, otherwise, .. } => {
            let bodies = branches.iter().map(|(_, body)| body).chain([otherwise]);
            bodies.map(most_commands).max().unwrap_or_default()
        }
    };
    block.iter().map(most).sum()
}

/// Why a factor is off: where the tenant says so, and what is to be said there.
#[derive(Clone, Copy, PartialEq)]
struct Off {
    span: Span,
    label: &'static str,
}

impl Checker<'_> {
    /// Reports the commands that can't do in this tenant what they say.
    pub(crate) fn check_commands_in_tenant(&mut self, steps: &PrimaryMap<StepId, Step>) {
        let Some(PlacedTenant { tenant, first }) = self.tenant else { return };
        let commands = commands_of(steps);
        let off = tenant.customize_factors.as_ref().filter(|toggle| toggle.value == Switch::Off);
        if let (Some(toggle), Some(command)) = (off, commands.first()) {
            self.report(customize_factors_is_off(toggle.span(first), command, tenant.form));
        }
        for command in commands {
            self.check_enabled(command);
            self.check_options(command);
        }
    }

    /// Reports what a command offers in vain, once: the whole command, or else each factor.
    fn check_enabled(&mut self, command: &Command) {
        let offered = may_offer(&self.catalog, command);
        if offered != 0 && offered & self.enabled == 0 {
            self.report_nothing_enabled(command, offered);
            return;
        }
        for listed in &command.listed {
            if bit(listed.factor) & self.enabled == 0 {
                self.report_not_enabled(listed.factor, listed.span);
            }
        }
        let set = self.offered_sets.get(&command.span).copied().unwrap_or(command.span);
        let named = command.rest.as_ref().map_or(0, named_factors);
        let off: Vec<_> = factors(&self.catalog, named & !self.enabled).collect();
        for factor in off {
            if command.listed.iter().all(|listed| listed.factor != factor) {
                self.report_not_enabled(factor, set);
            }
        }
    }

    /// Reports the options with which the tenant can't ask for an enabled factor.
    fn check_options(&mut self, command: &Command) {
        let Some(PlacedTenant { tenant, first }) = self.tenant else { return };
        let enabled = self.enabled;
        for listed in command.listed.iter().filter(|listed| bit(listed.factor) & enabled != 0) {
            let factor = &self.catalog.factors[listed.factor];
            let options = listed.options.iter().filter_map(|option| factor.options.get(*option));
            let reports: Vec<_> = options
                .filter_map(|option| {
                    let said = tenant.switch_of_option(&factor.name, &option.name)?;
                    let is_off = said.value == Switch::Off;
                    is_off.then(|| {
                        option_not_enabled(&factor.name, &option.name, listed.span, said.span(first))
                    })
                })
                .collect();
            reports.into_iter().for_each(|report| self.report(report));
        }
    }

    fn report_not_enabled(&mut self, factor: FactorId, place: Span) {
        let name = &self.catalog.factors[factor].name;
        let message = format!("`{name}` is not enabled in the tenant");
        let mut report = Diagnostic::error(Code::E0409, place, message).here("no user can be asked for it");
        if let Some(off) = self.why_off(factor) {
            report = report.label(off.span, off.label);
        }
        let enable = format!("enable `{name}` under Security > Multi-factor Auth, and {}", self.then());
        self.report(report.help(enable).help("or take it out of the command"));
    }

    fn report_nothing_enabled(&mut self, command: &Command, offered: FactorMask) {
        let names: Vec<&str> = factors(&self.catalog, offered)
            .map(|factor| self.catalog.factors[factor].name.as_str())
            .collect();
        let word = command.kind.word();
        let message = format!("nothing that this `{word}` can offer is enabled in the tenant");
        let mut report =
            Diagnostic::error(Code::E0411, command.span, message).here("this never finds a usable factor");
        let mut told: Vec<Off> = Vec::new();
        for off in factors(&self.catalog, offered).filter_map(|factor| self.why_off(factor)) {
            if !told.contains(&off) {
                told.push(off);
                report = report.label(off.span, off.label);
            }
        }
        let one = if names.len() == 1 { "it" } else { "one of them" };
        let report = report
            .note(format!("it can offer {}", super::fact::list_of(&names)))
            .help(format!("enable {one} under Security > Multi-factor Auth, and {}", self.then()))
            .help("or offer what is enabled");
        self.report(report);
    }

    /// What says that a factor is off: the factor's own switch, or the list that lacks it.
    fn why_off(&self, factor: FactorId) -> Option<Off> {
        let PlacedTenant { tenant, first } = self.tenant?;
        let name = &self.catalog.factors[factor].name;
        if let Some(switch) = tenant.switch_of(name) {
            return Some(Off { span: switch.span(first), label: "it is switched off here" });
        }
        let label = if tenant.factors.is_empty() { "nothing is enabled" } else { "these are enabled" };
        Some(Off { span: tenant.others_off?.from(first), label })
    }

    /// How stepup learns that a factor has been enabled.
    fn then(&self) -> &'static str {
        match self.tenant.map(|placed| placed.tenant.form) {
            Some(Form::Export) => "export the tenant again",
            Some(Form::Written) | None => "add it to the tenant's list",
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

fn option_not_enabled(factor: &str, option: &str, place: Span, said: Span) -> Diagnostic {
    let message = format!("the tenant has not enabled `{option}` for `{factor}`");
    Diagnostic::error(Code::E0412, place, message)
        .here("no user can be asked in this way")
        .label(said, "these are enabled")
        .help(format!(
            "enable it under Security > Multi-factor Auth, in the settings of `{factor}`, and export the tenant again"
        ))
        .help(format!("or ask for `{factor}` in a way that is enabled"))
}

fn customize_factors_is_off(place: Span, first: &Command, form: Form) -> Diagnostic {
    let message = "the tenant doesn't let policies choose factors";
    let then = match form {
        Form::Written => "write `true` here",
        Form::Export => "export the tenant again",
    };
    Diagnostic::error(Code::E0410, place, message)
        .here("the toggle `Customize MFA Factors using Actions` is off")
        .label(first.span, "so the platform doesn't do this as it is written")
        .help(format!("switch it on under Security > Multi-factor Auth > Additional Settings, then {then}"))
}
