//! Outcomes and logins in words.

use std::collections::BTreeSet;

use super::example::{Played, Seen, play};
use super::joint::Outcome;
use super::merge::{Merged, Side};
use super::offer::Offers;
use super::strength::Strength;
use super::tell::Teller;
use super::transcript::Answers;
use super::walk::{Detail, Next};
use super::{AnsweredPrompt, CompareError, Example, ExampleLogin, Needed, Weaker};
use crate::check::policy::{Absence, CommandKind, FactorId, PresenceId, Style, VariableId};
use crate::trace::{Event, Words, duration, instant};

/// Tells what both flows do.
#[derive(Clone, Copy)]
pub(super) struct Speaker<'a> {
    pub(super) merged: &'a Merged,
    pub(super) detail: Detail,
}

impl<'a> Speaker<'a> {
    fn teller(self) -> Teller<'a> {
        Teller { policy: &self.merged.policy }
    }

    /// What a flow comes to.
    pub(super) fn outcome(self, outcome: &Outcome, offers: &Offers) -> String {
        match outcome {
            Outcome::Next(next) => self.next(next, offers),
            Outcome::Shown(offer, factors) => {
                let offer = offers.get(*offer);
                let factors: Vec<_> = factors.iter().map(|f| (*f, offer.options(*f).to_vec())).collect();
                let default = offer.default.filter(|default| factors.iter().all(|(f, _)| f != default));
                self.prompt(offer.kind, (factors.len() > 1).then_some(offer.style), &factors, default)
            }
        }
    }

    fn next(self, next: &Next, offers: &Offers) -> String {
        match next {
            Next::Asks(offer) => offers.label(*offer).to_owned(),
            Next::Decides(step, pending) => {
                let commands: Vec<_> = pending.iter().map(|offer| offers.label(*offer).to_owned()).collect();
                decision(*step, &commands)
            }
            Next::Completes => self.seen(&Seen::Completed),
            Next::Denied(reason) => self.seen(&Seen::Denied(reason.clone())),
            Next::NothingUsable(kind) => self.seen(&Seen::NothingUsable(*kind)),
            Next::EnrollWithoutChallenge => self.seen(&Seen::EnrollWithoutChallenge),
            Next::FifthCommand => self.seen(&Seen::FifthCommand),
        }
    }

    /// Something that one login sees.
    pub(super) fn seen(self, seen: &Seen) -> String {
        match seen {
            Seen::Prompt { kind, style, factors, warning } => self.prompt(*kind, *style, factors, *warning),
            Seen::Decision { step, commands } => {
                let told =
                    commands.iter().map(|seen| self.prompt(seen.kind, Some(seen.style), &seen.factors, None));
                decision(*step, &told.collect::<Vec<_>>())
            }
            Seen::Completed => "completes".to_owned(),
            Seen::Denied(reason) => format!("denied {}", crate::trace::quoted(reason)),
            Seen::NothingUsable(kind) => format!("fails (mfar): nothing to {} can be used", kind.word()),
            Seen::EnrollWithoutChallenge => {
                "fails (mfar): it would enroll without a challenge before".to_owned()
            }
            Seen::FifthCommand => "fails: a fifth command".to_owned(),
        }
    }

    fn prompt(
        self,
        kind: CommandKind,
        style: Option<Style>,
        factors: &[(FactorId, Vec<usize>)],
        warning: Option<FactorId>,
    ) -> String {
        let names: Vec<_> =
            factors.iter().map(|(f, options)| self.teller().with_options(*f, options)).collect();
        let shown = match style {
            Some(Style::Any) => format!("{} any of [{}]", kind.word(), names.join(", ")),
            _ => format!("{} {}", kind.word(), names.join(" or ")),
        };
        match warning {
            Some(factor) => format!("{shown} (log: w for {})", self.teller().factor(factor)),
            None => shown,
        }
    }

    /// An example of a difference, played through both flows.
    pub(super) fn example(self, event: Event, answers: Answers) -> Result<Example, CompareError> {
        let play = |side| play(self.merged, side, &event, &answers, self.detail);
        let (old, new) = (play(Side::Old), play(Side::New));
        let both = old.seen.iter().zip(&new.seen).take_while(|(old, new)| old == new).count();
        let shared = old.seen.get(..both).unwrap_or(&[]);
        let is_prompt = |seen: &&Seen| matches!(seen, Seen::Prompt { .. });
        let differs = both < old.seen.len().min(new.seen.len());
        if !differs || shared.iter().filter(is_prompt).count() != answers.factors.len() {
            debug_assert!(false, "no such difference: {event:?} {answers:?} {old:?} {new:?}");
            return Err(CompareError::Replay);
        }
        let login = self.login(&[&old, &new], &event, &answers);
        let rest = |side| {
            let seen = self.to_the_end(side, &event, &answers).seen;
            seen.get(both..).unwrap_or(&[]).iter().map(|seen| self.seen(seen)).collect()
        };
        let (before, after) = (rest(Side::Old), rest(Side::New));
        let shared = self.answered(shared, &answers);
        Ok(Example { login, shared, before, after, event, answers })
    }

    /// Prompts with their answers.
    fn answered(self, seen: &[Seen], answers: &Answers) -> Vec<AnsweredPrompt> {
        let mut factors = answers.factors.iter();
        let told = seen.iter().map(|seen| {
            let factor = matches!(seen, Seen::Prompt { .. }).then(|| factors.next()).flatten();
            let answer = factor.map(|factor| self.teller().factor(*factor).to_owned());
            AnsweredPrompt { prompt: self.seen(seen), answer }
        });
        told.collect()
    }

    /// Plays on past the answers, with the first factor that is shown.
    fn to_the_end(self, side: Side, event: &Event, answers: &Answers) -> Played {
        let mut answers = answers.clone();
        loop {
            let played = play(self.merged, side, event, &answers, self.detail);
            match played.seen.last() {
                Some(Seen::Prompt { factors, .. }) => match factors.first() {
                    Some((factor, _)) => answers.factors.push(*factor),
                    None => return played,
                },
                _ => return played,
            }
        }
    }

    fn login(self, played: &[&Played], event: &Event, answers: &Answers) -> ExampleLogin {
        let policy = &self.merged.policy;
        let words = Words { policy };
        let read = played.iter().flat_map(|played| &played.read).copied();
        let read: BTreeSet<_> = read.collect();
        let told = |presence: &PresenceId| {
            let is_under = |read: &VariableId| policy.variables[*read].absence == Absence::Tracked(*presence);
            read.iter().any(is_under)
        };
        let asked: BTreeSet<_> = played.iter().flat_map(|played| &played.asked).copied().collect();
        let asked = asked.iter().filter(|presence| !told(presence));
        let mut facts: Vec<String> = asked.map(|presence| words.presence(*presence, event)).collect();
        facts.extend(read.iter().map(|variable| words.fact(*variable, event)));
        facts.push(format!("enrolled = [{}]", words.names(event.enrolled)));
        if !event.performed.is_empty() {
            let stamps = event.performed.iter().map(|(factor, stamp)| {
                let name = self.teller().factor(*factor);
                match event.now - stamp {
                    age if age < 0 => format!("{name} in {}", duration(-age)),
                    age => format!("{name} {} ago", duration(age)),
                }
            });
            facts.push(format!("performed = [{}]", stamps.collect::<Vec<_>>().join(", ")));
        }
        if played.iter().any(|played| played.read_now) {
            facts.push(format!("now = {}", instant(event.now)));
        }
        let ages = answers.ages.iter().filter_map(|((answered, answer), age)| {
            let factor = answers.factors.get(*answer)?;
            let (name, age) = (self.teller().factor(*factor), duration(*age));
            Some(format!("once prompt {answered} is passed, {name} was passed {age} ago (assumption A9)"))
        });
        ExampleLogin { facts, time: ages.collect() }
    }

    /// A login that completes with less than before; `least` is the least that the old flow asks of it.
    pub(super) fn weaker(
        self,
        when: super::When,
        event: Event,
        answers: Answers,
        least: Option<Strength>,
    ) -> Result<Weaker, CompareError> {
        let played = play(self.merged, Side::New, &event, &answers, Detail::Visible);
        if played.seen.last() != Some(&Seen::Completed) || played.passed != answers.factors {
            debug_assert!(false, "no such login: {event:?} {answers:?} {played:?}");
            return Err(CompareError::Replay);
        }
        let old = play(self.merged, Side::Old, &event, &Answers::default(), Detail::Visible);
        let names = |factors: &[FactorId]| -> Vec<String> {
            factors.iter().map(|factor| self.teller().factor(*factor).to_owned()).collect()
        };
        let needed = least.map(|strength| {
            let way = self.way_to_complete(&event, strength, &mut Answers::default());
            Needed { strength, passed: way.map(|way| names(&way)) }
        });
        Ok(Weaker {
            when,
            login: self.login(&[&old, &played], &event, &answers),
            shown: self.answered(&played.seen, &answers),
            passed: names(&played.passed),
            strength: Strength::of(&self.merged.policy.catalog, played.passed.iter().copied()),
            needed,
            event,
            answers,
        })
    }

    /// Answers with which the old flow completes and passes just so much, while no time passes. (There are at most
    /// four prompts, so this ends.)
    fn way_to_complete(
        self,
        event: &Event,
        strength: Strength,
        answers: &mut Answers,
    ) -> Option<Vec<FactorId>> {
        let played = play(self.merged, Side::Old, event, answers, Detail::Visible);
        match played.seen.last()? {
            Seen::Completed => {
                let passed = Strength::of(&self.merged.policy.catalog, played.passed.iter().copied());
                (passed == strength).then_some(played.passed)
            }
            Seen::Prompt { factors, .. } => factors.iter().find_map(|(factor, _)| {
                answers.factors.push(*factor);
                let way = self.way_to_complete(event, strength, answers);
                answers.factors.pop();
                way
            }),
            _ => None,
        }
    }
}

fn decision(step: usize, commands: &[String]) -> String {
    match commands {
        [] => format!("step {} decides nothing", step + 1),
        commands => format!("step {} decides {}", step + 1, commands.join(", ")),
    }
}
