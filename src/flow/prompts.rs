//! What a step's prompts do to all logins of a state at once: rules 2 to 5 of "What a login means", over formulas.

use std::collections::BTreeMap;

use super::budget::Limited;
use super::condition::Conditions;
use super::diagram::{Diagrams, Formula};
use super::questions::{Fate, Notes, Places};
use super::state::LoginState;
use super::step::{Executed, Template, Templates};
use crate::check::masks::bit;
use crate::check::policy::{CommandKind, End, FactorId, Style};

/// Logins by what they have done.
pub(super) type Logins = BTreeMap<LoginState, Formula>;

/// Adds logins to those of a state.
pub(super) fn add(diagrams: &Diagrams, to: &mut Logins, state: LoginState, logins: Formula) -> Limited<()> {
    if logins.is_empty() {
        return Ok(());
    }
    let together = match to.get(&state) {
        Some(others) => diagrams.or(*others, logins)?,
        None => logins,
    };
    to.insert(state, together);
    Ok(())
}

/// Where the commands of a step were executed, and who wants to know what comes of them.
pub(super) struct Watch<'n> {
    pub(super) places: &'n Places,
    pub(super) notes: &'n mut Notes,
}

/// Answers the prompts of a sequence of commands in every way; gives the logins that go on. What the commands offer
/// is as the step saw it, what can be used as it is when each prompt is due.
pub(super) fn answer(
    conditions: &Conditions<'_>,
    templates: &Templates,
    commands: &Executed,
    logins: Formula,
    mut watch: Option<Watch<'_>>,
) -> Limited<Logins> {
    let mut start = conditions.state().clone();
    start.commands += commands.len();
    let mut due = BTreeMap::from([(start, logins)]);
    for (position, template) in commands.iter().filter_map(|number| templates.get(*number)).enumerate() {
        let mut next = Logins::new();
        for (state, logins) in due {
            let watch = watch.as_mut().map(|watch| Watch { places: watch.places, notes: &mut *watch.notes });
            Due { conditions, template, position, state: &state, next: &mut next, watch }.answer(logins)?;
        }
        due = next;
    }
    Ok(due)
}

/// A command whose prompt is due in one state.
struct Due<'a, 'c> {
    conditions: &'c Conditions<'a>,
    template: &'c Template,
    /// Its place among the commands of its step.
    position: usize,
    state: &'c LoginState,
    next: &'c mut Logins,
    watch: Option<Watch<'c>>,
}

impl<'a> Due<'a, '_> {
    fn diagrams(&self) -> &Diagrams {
        &self.conditions.facts.diagrams
    }

    fn answer(&mut self, logins: Formula) -> Limited<()> {
        match self.template.kind {
            CommandKind::Challenge => self.challenge(logins),
            CommandKind::Enroll => self.enroll(logins),
        }
    }

    fn challenge(&mut self, logins: Formula) -> Limited<()> {
        let passed =
            self.state.passed_factors().map(|factor| self.offers(factor)).collect::<Limited<Vec<_>>>()?;
        let answered = self.diagrams().and(logins, self.diagrams().any(passed)?)?;
        self.note(Fate::Answered, answered)?;
        let prompted = self.diagrams().minus(logins, answered)?;
        self.go_on(self.state.clone(), answered)?;
        let mut asks = self.diagrams().nothing();
        for factor in self.factors() {
            if !self.is_enabled(factor) {
                continue;
            }
            let usable = self.diagrams().and(self.offers(factor)?, self.is_enrolled(factor))?;
            asks = self.diagrams().or(asks, self.diagrams().and(prompted, usable)?)?;
            self.pass(factor, prompted, usable)?;
        }
        self.note(Fate::Asks, asks)?;
        self.fail(Fate::NothingUsable, self.diagrams().minus(prompted, asks)?)
    }

    fn enroll(&mut self, logins: Formula) -> Limited<()> {
        let mut usable = Vec::new();
        let mut prompted = self.diagrams().nothing();
        let mut all_enrolled = logins;
        for factor in self.factors() {
            let new = self.diagrams().minus(self.offers(factor)?, self.is_enrolled(factor))?;
            all_enrolled = self.diagrams().minus(all_enrolled, new)?;
            if self.is_enabled(factor) {
                prompted = self.diagrams().or(prompted, self.diagrams().and(logins, new)?)?;
                usable.push((factor, new));
            }
        }
        let mut failing = self.diagrams().minus(logins, prompted)?;
        if self.template.style == Style::Any {
            self.note(Fate::NothingLeft, all_enrolled)?;
            failing = self.diagrams().minus(failing, all_enrolled)?;
            self.go_on(self.state.clone(), all_enrolled)?;
        }
        self.fail(Fate::NothingUsable, failing)?;
        let allowed = if self.state.any_passed {
            prompted
        } else {
            self.diagrams().minus(prompted, self.anything_enrolled()?)?
        };
        self.note(Fate::Asks, allowed)?;
        self.fail(Fate::Unchallenged, self.diagrams().minus(prompted, allowed)?)?;
        usable.iter().try_for_each(|(factor, usable)| self.pass(*factor, allowed, *usable))
    }

    fn note(&mut self, fate: Fate, logins: Formula) -> Limited<()> {
        let diagrams = &self.conditions.facts.diagrams;
        match &mut self.watch {
            Some(watch) => watch.notes.fate(diagrams, watch.places, self.position, fate, logins),
            None => Ok(()),
        }
    }

    /// The login ends here.
    fn fail(&mut self, fate: Fate, logins: Formula) -> Limited<()> {
        self.note(fate, logins)?;
        let diagrams = &self.conditions.facts.diagrams;
        match &mut self.watch {
            Some(watch) => watch.notes.end(diagrams, End::Failed, self.state.clone(), logins),
            None => Ok(()),
        }
    }

    fn pass(&mut self, factor: FactorId, prompted: Formula, usable: Formula) -> Limited<()> {
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
        self.conditions.offers(self.template, factor)
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
