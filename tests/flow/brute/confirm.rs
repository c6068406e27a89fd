//! Following a login that the analysis shows, by the rules of the player.

use std::collections::{BTreeMap, BTreeSet};

use stepup::check::policy::*;
use stepup::flow::{Login, Outcome, PlayedCommand, PlayedStep, Question};
use stepup::source::Span;
use stepup::trace::{FactValue, Passed, Refusal};

use super::judge::AtTheEnd;
use super::{
    Facts, Fate, Flowing, Life, OTHER, Played, Player, Run, Session, aged, offered, prompt, windows,
};
use crate::generate::*;

/// What a login is shown for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Claim {
    FifthCommand,
    CommandsBefore(Span),
    Finding(Question, Span),
    Breaks(ConditionId),
}

/// Where a login was followed to.
enum Reached<'a> {
    /// The end of a step's decision: nothing of it was shown to the user.
    Decided(Flowing, Vec<&'a Command>),
    /// A command that ends the login, or of which nobody follows what comes next.
    Command,
    /// Its last step is done.
    Through,
}

/// Whether a login that the analysis shows exists, and shows what it is said to show.
pub(crate) fn confirms(flow: &Flow, login: &Login, claim: Claim) -> Result<(), &'static str> {
    let policy = &flow.policy;
    let facts = facts_of(flow, login)?;
    let mut player = Player { policy, windows: windows(policy), played: Played::default() };
    let mut follower =
        Follower { player: &mut player, facts: &facts, session: Session::default(), last: None };
    let mut reached = Reached::Through;
    for (number, shown) in login.steps.iter().enumerate() {
        let step = policy.steps.values().nth(number).ok_or("a step too many")?;
        if shown.step.as_u32() as usize != number {
            return Err("another step");
        }
        reached = follower.step(step, shown)?;
        let is_last = number + 1 == login.steps.len();
        if !is_last && !matches!(reached, Reached::Through) {
            return Err("a step after the end");
        }
    }
    let Follower { session, last, .. } = follower;
    let fails = last.is_some_and(|(_, fate)| fate.fails());
    let used = session.used;
    match claim {
        Claim::FifthCommand => match reached {
            Reached::Decided(Flowing::Fifth, commands) => {
                require(used + commands.len() == 5, "not a fifth command")
            }
            _ => Err("no fifth command"),
        },
        Claim::CommandsBefore(span) => match reached {
            Reached::Decided(Flowing::Denied, commands) => {
                let denied = login.steps.last().and_then(|step| step.denied);
                require(denied == Some(span) && !commands.is_empty(), "another denial")
            }
            _ => Err("no denial"),
        },
        Claim::Finding(question, span) => {
            require(facts.are_known(), "a factor outside the catalog")?;
            let fate = last.filter(|(at, _)| *at == span).map(|(_, fate)| fate);
            shows(&mut player, &facts, question, span, fate)
        }
        Claim::Breaks(condition) => {
            let is_through = login.steps.len() == policy.steps.len();
            let (end, more) = match &reached {
                Reached::Decided(Flowing::Denied, commands) => (End::Denied, commands.len()),
                Reached::Command if fails => (End::Failed, 0),
                Reached::Through if is_through => (End::Completed, 0),
                _ => return Err("it goes on"),
            };
            let session = Session { used: used + more, ..session };
            breaks(&player, &facts, condition, login, session, end)
        }
    }
}

/// Whether a login ends as it says, and breaks a guarantee.
fn breaks(
    player: &Player<'_>,
    facts: &Facts,
    condition: ConditionId,
    login: &Login,
    session: Session,
    end: End,
) -> Result<(), &'static str> {
    let ended = login.ended.as_ref().ok_or("it does not end")?;
    let told = (ended.end, ended.session.commands, ended.session.prompts, ended.session.enrolled);
    require(told == (end, session.used, session.passed.len(), session.enrolled), "another end")?;
    let session =
        as_shown(&player.windows, &session, &ended.session.passed).ok_or("other ages at the end")?;
    let Player { policy, windows, .. } = player;
    let at_the_end = AtTheEnd { policy, windows, facts, session: &session, end };
    require(!at_the_end.holds(condition), "the guarantee holds")
}

/// Whether a login shows an answer to a question.
fn shows(
    player: &mut Player<'_>,
    facts: &Facts,
    question: Question,
    span: Span,
    fate: Option<Fate>,
) -> Result<(), &'static str> {
    match question {
        Question::StaleRead => require(player.played.stale.contains(&span), "nothing stale is read"),
        Question::EnrollWithoutChallenge => require(fate == Some(Fate::Unchallenged), "not unchallenged"),
        Question::NothingUsable => require(fate == Some(Fate::NothingUsable), "something is usable"),
        Question::EverythingEnrolled => require(fate == Some(Fate::NothingLeft), "something is left"),
        Question::NeverAsks => require(fate == Some(Fate::Answered), "it asks"),
        Question::NeverWorks => {
            let works = [None, Some(Fate::Asks), Some(Fate::Answered)];
            require(!works.contains(&fate), "it works")
        }
        Question::LockedOut => {
            require(fate.is_some_and(Fate::fails), "it does not fail")?;
            let mut life =
                Life { facts, known: BTreeSet::new(), ends: BTreeSet::new(), failing: BTreeSet::new() };
            player.step(&mut life, 0, Session::default());
            require(life.ends.iter().all(|(end, _)| *end == End::Failed), "somebody gets through")
        }
    }
}

/// A login as far as it was followed.
struct Follower<'a, 'p> {
    player: &'p mut Player<'a>,
    facts: &'p Facts,
    session: Session,
    /// The command that was followed last.
    last: Option<(Span, Fate)>,
}

impl<'a> Follower<'a, '_> {
    fn step(&mut self, step: &'a Step, shown: &PlayedStep) -> Result<Reached<'a>, &'static str> {
        let session = as_shown(&self.player.windows, &self.session, &shown.passed).ok_or("other ages")?;
        self.session = session.clone();
        self.player.played.stale.clear();
        self.player.played.reached.clear();
        let mut run = Run { player: self.player, facts: self.facts, session: &session, executed: Vec::new() };
        let flowing = run.block(&step.body);
        let mut commands = run.executed;
        if let Flowing::Fifth = flowing {
            // The player stops before it.
            commands.extend(
                shown.commands.get(4 - session.used).and_then(|fifth| command_at(&step.body, fifth.span)),
            );
        }
        let is_shown = |(command, shown): (&&Command, &PlayedCommand)| {
            command.span == shown.span && command.kind == shown.kind
        };
        if commands.len() != shown.commands.len() || !commands.iter().zip(&shown.commands).all(is_shown) {
            return Err("other commands");
        }
        if shown.denied.is_some() != matches!(flowing, Flowing::Denied) {
            return Err("another denial");
        }
        if shown.denied.is_some_and(|span| !self.player.played.reached.contains(&span)) {
            return Err("a denial elsewhere");
        }
        let is_hidden = |command: &PlayedCommand| command.outcome == Outcome::NotShown;
        let ends_here = matches!(flowing, Flowing::Denied | Flowing::Fifth);
        if ends_here || (!commands.is_empty() && shown.commands.iter().all(is_hidden)) {
            let is_fine = shown.commands.iter().all(is_hidden);
            return if is_fine { Ok(Reached::Decided(flowing, commands)) } else { Err("shown after all") };
        }
        let policy = self.player.policy;
        let offers: Vec<_> =
            commands.iter().map(|command| offered(policy, self.facts, &session, command)).collect();
        self.session.used += commands.len();
        let followed = shown.commands.iter().position(is_hidden).unwrap_or(commands.len());
        require(shown.commands[followed..].iter().all(is_hidden), "followed on")?;
        let mut goes_on = followed == commands.len();
        for place in 0..followed {
            require(
                place == 0 || self.last.is_some_and(|(_, fate)| !fate.fails()),
                "followed beyond the end",
            )?;
            let is_asked = matches!(shown.commands[place].outcome, Outcome::Asks(_));
            require(!is_asked || place + 1 == followed, "followed beyond a prompt")?;
            self.command(commands[place], &offers[place], &shown.commands[place].outcome)?;
            goes_on &= !is_asked && self.last.is_some_and(|(_, fate)| !fate.fails());
        }
        Ok(if goes_on { Reached::Through } else { Reached::Command })
    }

    fn command(&mut self, command: &Command, offer: &[u32], outcome: &Outcome) -> Result<(), &'static str> {
        let (fate, ways) = prompt(self.player.policy, self.facts, &self.session, command, offer);
        self.last = Some((command.span, fate));
        let choices: BTreeSet<u32> =
            ways.iter().filter_map(|way| way.passed.last()).map(|(factor, _)| *factor).collect();
        let are =
            |offered: &[FactorId]| offered.iter().map(|f| f.as_u32()).collect::<BTreeSet<_>>() == choices;
        match (fate, outcome) {
            (Fate::Asks, Outcome::Passed { offered, chosen }) if are(offered) => {
                let chosen = chosen.as_u32();
                let way = ways.into_iter().find(|way| way.passed.last() == Some(&(chosen, 0)));
                self.session = way.ok_or("a choice that is not offered")?;
                Ok(())
            }
            (Fate::Asks, Outcome::Asks(offered)) if are(offered) => Ok(()),
            (Fate::Answered, Outcome::Answered)
            | (Fate::NothingLeft, Outcome::NothingLeft)
            | (Fate::NothingUsable, Outcome::Fails(Refusal::NothingUsable))
            | (Fate::Unchallenged, Outcome::Fails(Refusal::EnrollWithoutChallenge)) => Ok(()),
            _ => Err("another outcome"),
        }
    }
}

/// The session with the ages that are shown, if it can have them.
fn as_shown(windows: &[i64], session: &Session, shown: &[Passed]) -> Option<Session> {
    let out = |age: i64| windows.iter().filter(|window| **window <= age).count();
    let shown: Vec<_> = shown.iter().map(|passed| (passed.factor.as_u32(), out(passed.age))).collect();
    aged(session, windows.len()).into_iter().find(|session| session.passed == shown)
}

fn command_at(block: &[Statement], wanted: Span) -> Option<&Command> {
    block.iter().find_map(|statement| match statement {
        Statement::Command(command) => Some(command).filter(|command| command.span == wanted),
        Statement::Applied { body, .. } => command_at(body, wanted),
        Statement::Branch { branches, otherwise, .. } => {
            let mut blocks = branches.iter().map(|(_, block)| block).chain([otherwise]);
            blocks.find_map(|block| command_at(block, wanted))
        }
        Statement::Deny { .. } | Statement::Stop(_) => None,
    })
}

/// The facts of a shown login, if there is such an event.
fn facts_of(flow: &Flow, login: &Login) -> Result<Facts, &'static str> {
    let event = &login.event;
    let values: BTreeMap<u32, FactValue> =
        event.variables.iter().map(|(variable, value)| (variable.as_u32(), value.clone())).collect();
    let facts = Facts {
        values,
        org: event.presences[&PresenceId::from_u32(ORG)],
        has_email: event.presences[&PresenceId::from_u32(HAS_EMAIL)],
        enrolled: event.enrolled,
        stamps: event.performed.iter().map(|(factor, stamp)| (factor.as_u32(), *stamp)).collect(),
        now: event.now,
    };
    let level = facts.values.get(&ORG_LEVEL).unwrap_or(&FactValue::Number(2));
    let org_fits = facts.org || (!facts.values.contains_key(&ORG_FLAG) && *level == FactValue::Number(2));
    let email_fits = facts.has_email || !facts.values.contains_key(&EMAIL);
    let known = facts.enrolled & !(OTHER | 7) == 0;
    let is_implicit = flow.policy.catalog.factors[FactorId::from_u32(MAIL)].has(Trait::Implicit);
    // What is not read is not told, so an address that is not enrolled may be unverified or absent.
    let verified = facts.has_email && facts.values.get(&VERIFIED) != Some(&FactValue::Bool(false));
    let mail_fits = !is_implicit || facts.enrolled >> MAIL & 1 == 0 || verified;
    require(org_fits && email_fits && known && mail_fits, "no such event")?;
    Ok(facts)
}

fn require(holds: bool, otherwise: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(otherwise) }
}
