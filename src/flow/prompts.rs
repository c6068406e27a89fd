//! What a step's prompts do to all logins of a state at once: rules 2 to 5 of "What a login means", over formulas.

use std::collections::BTreeMap;

use super::budget::Limited;
use super::condition::{Conditions, Element};
use super::diagram::{Diagrams, Formula};
use super::state::LoginState;
use super::step::{Executed, Template, Templates};
use crate::check::masks::bit;
use crate::check::policy::{CommandKind, FactorId, Style};

/// Logins by what they have done.
pub(super) type Logins = BTreeMap<LoginState, Formula>;

/// Adds logins to those of a state.
pub(super) fn add(diagrams: &Diagrams, to: &mut Logins, state: LoginState, logins: Formula) -> Limited<()> {
    if logins.is_empty() {
        return Ok(());
    }
    let together = match to.get(&state) {
        Some(others) => diagrams.or(others, &logins)?,
        None => logins,
    };
    to.insert(state, together);
    Ok(())
}

/// Answers the prompts of a sequence of commands in every way; gives the logins that go on. What the commands offer
/// is as the step saw it, what can be used as it is when each prompt is due.
pub(super) fn answer(
    conditions: &Conditions<'_>,
    templates: &Templates,
    commands: &Executed,
    logins: Formula,
) -> Limited<Logins> {
    let mut start = conditions.state().clone();
    start.commands += commands.len();
    let mut due = BTreeMap::from([(start, logins)]);
    for template in commands.iter().filter_map(|number| templates.get(*number)) {
        let mut next = Logins::new();
        for (state, logins) in due {
            Due { conditions, template, state: &state, next: &mut next }.answer(&logins)?;
        }
        due = next;
    }
    Ok(due)
}

/// A command whose prompt is due in one state.
struct Due<'a, 'c> {
    conditions: &'c Conditions<'a>,
    template: &'c Template,
    state: &'c LoginState,
    next: &'c mut Logins,
}

impl<'a> Due<'a, '_> {
    fn diagrams(&self) -> &Diagrams {
        &self.conditions.facts.diagrams
    }

    fn answer(&mut self, logins: &Formula) -> Limited<()> {
        match self.template.kind {
            CommandKind::Challenge => self.challenge(logins),
            CommandKind::Enroll => self.enroll(logins),
        }
    }

    fn challenge(&mut self, logins: &Formula) -> Limited<()> {
        let passed =
            self.state.passed_factors().map(|factor| self.offers(factor)).collect::<Limited<Vec<_>>>()?;
        let answered = self.diagrams().any(passed)?;
        self.go_on(self.state.clone(), self.diagrams().and(logins, &answered)?)?;
        let prompted = self.diagrams().minus(logins, &answered)?;
        for factor in self.factors() {
            if !self.is_enabled(factor) {
                continue;
            }
            let usable = self.diagrams().and(&self.offers(factor)?, &self.is_enrolled(factor))?;
            self.pass(factor, &prompted, &usable)?;
        }
        Ok(())
    }

    fn enroll(&mut self, logins: &Formula) -> Limited<()> {
        let mut usable = Vec::new();
        let mut prompted = self.diagrams().nothing();
        let mut all_enrolled = logins.clone();
        for factor in self.factors() {
            let new = self.diagrams().minus(&self.offers(factor)?, &self.is_enrolled(factor))?;
            all_enrolled = self.diagrams().minus(&all_enrolled, &new)?;
            if self.is_enabled(factor) {
                prompted = self.diagrams().or(&prompted, &self.diagrams().and(logins, &new)?)?;
                usable.push((factor, new));
            }
        }
        if self.template.style == Style::Any {
            self.go_on(self.state.clone(), all_enrolled)?;
        }
        let allowed = if self.state.any_passed {
            prompted
        } else {
            self.diagrams().minus(&prompted, &self.anything_enrolled()?)?
        };
        usable.iter().try_for_each(|(factor, usable)| self.pass(*factor, &allowed, usable))
    }

    fn pass(&mut self, factor: FactorId, prompted: &Formula, usable: &Formula) -> Limited<()> {
        let passing = self.diagrams().and(prompted, usable)?;
        self.go_on(self.state.passing(self.template.kind, factor), passing)
    }

    fn go_on(&mut self, state: LoginState, logins: Formula) -> Limited<()> {
        add(&self.conditions.facts.diagrams, self.next, state, logins)
    }

    fn factors(&self) -> impl Iterator<Item = FactorId> + use<'a> {
        self.conditions.policy.catalog.factors.keys()
    }

    /// Whether the tenant has a factor switched on; every browser supports it.
    fn is_enabled(&self, factor: FactorId) -> bool {
        self.conditions.policy.enabled & bit(factor) != 0
    }

    /// The logins in which the command offers a factor.
    fn offers(&self, factor: FactorId) -> Limited<Formula> {
        let listed = self.template.listed & bit(factor) != 0;
        match &self.template.rest {
            Some(set)
                if !listed && self.conditions.policy.catalog.factors[factor].allows(self.template.kind) =>
            {
                self.conditions.member(set, Element::Of(factor))
            }
            _ => Ok(self.diagrams().constant(listed)),
        }
    }

    /// The logins in which a factor is enrolled when the prompt is due.
    fn is_enrolled(&self, factor: FactorId) -> Formula {
        if self.state.enrolled & bit(factor) != 0 {
            self.diagrams().everything()
        } else {
            self.conditions.facts.enrolled(factor)
        }
    }

    /// The logins that began with anything enrolled, also with a factor outside the catalog.
    fn anything_enrolled(&self) -> Limited<Formula> {
        let each = self.factors().map(|factor| self.is_enrolled(factor));
        self.diagrams().any(each.chain([self.conditions.facts.other_enrolled()]))
    }
}
