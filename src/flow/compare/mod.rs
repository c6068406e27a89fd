//! What a change of a flow changes: the logins that see something else than before, and those that can complete with
//! less.
//!
//! Both flows are written over one table of facts ([`merge`]) and followed at once along the same answers ([`joint`];
//! [`walk`] goes on in one of them, [`offer`] knows what a prompt shows, [`transcript`] what was answered). A login is
//! in a class by the first thing that it sees differently, so the classes are disjoint, and together they are all that
//! differs: none is a proof that the flows ask the same of every login. Each class is described by as few conditions as
//! possible ([`describe`]), and shown by a login that is played through both flows over plain values ([`example`]).
//! [`strength`] asks separately what logins complete with.

mod describe;
mod example;
mod joint;
mod merge;
mod offer;
mod render;
mod strength;
mod tell;
mod transcript;
mod walk;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;

pub use example::{Played, Seen, SeenCommand, play};
pub use merge::{Merged, Side};
pub use strength::Strength;
pub use transcript::{AnswerTest, Answers};
pub use walk::Detail;

use self::describe::{Describer, Given, add_elementary_tests};
use self::joint::{Found, Joint};
use self::offer::Offers;
use self::strength::{Completed, Ends};
use self::transcript::Transcript;
use self::words::Speaker;
use super::budget::{Budget, BudgetExceeded, Limited};
use super::condition::Conditions;
use super::diagram::{Diagrams, Formula};
use super::facts::{Facts, Model, Reads};
use super::state::LoginState;
use crate::check::policy::{ConditionId, TypedPolicy};
use crate::stack::with_room;
use crate::trace::Event;

/// What a change of a flow changes.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The classes of logins that differ, those with the plainest conditions first. None: both flows ask the same of
    /// every login.
    pub classes: Vec<Class>,
    /// Logins that can complete with fewer or weaker factors than before.
    pub weaker: Option<Weaker>,
    /// Both flows over one table of facts, which the tests and the events of the classes refer to.
    #[serde(skip)]
    pub merged: Merged,
}

impl Comparison {
    /// Whether both flows ask the same of every login.
    pub fn is_same(&self) -> bool {
        self.classes.is_empty()
    }
}

/// Logins for which the same comes first that differs.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Class {
    /// Which logins.
    pub when: When,
    /// After how many passed prompts the difference comes.
    pub after_prompts: usize,
    /// What the old flow comes to.
    pub before: String,
    /// What the new flow comes to instead.
    pub after: String,
    /// One of them.
    pub example: Example,
}

/// Conditions for a set of logins: about the facts as the login begins, and about what the user answers.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct When {
    /// As a sentence.
    pub text: String,
    /// Any of these holds, each of which is several that all hold. One that is empty always holds.
    pub any: Vec<Vec<Literal>>,
    /// Whether there are more than are told.
    pub shortened: bool,
}

/// A test or its opposite.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Literal {
    /// In words.
    pub text: String,
    /// What is asked.
    #[serde(skip)]
    pub test: LiteralTest,
    /// The answer.
    #[serde(skip)]
    pub holds: bool,
}

/// What a literal asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LiteralTest {
    /// A condition of the [merged policy](Merged::policy), as it stands when the login begins.
    Fact(ConditionId),
    /// The user's answers.
    Answer(AnswerTest),
}

/// A login that both flows treat differently.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Example {
    /// What it begins with.
    #[serde(flatten)]
    pub login: ExampleLogin,
    /// What both flows show, with the user's answers.
    pub shared: Vec<AnsweredPrompt>,
    /// What the old flow shows then, to its end; further prompts are passed with the first factor.
    pub before: Vec<String>,
    /// What the new flow shows then.
    pub after: Vec<String>,
    /// The event.
    #[serde(skip)]
    pub event: Event,
    /// The answers up to the difference.
    #[serde(skip)]
    pub answers: Answers,
}

/// A login in words.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ExampleLogin {
    /// Its facts.
    pub facts: Vec<String>,
    /// What it takes for granted of time.
    pub time: Vec<String>,
}

/// Something shown, and what the user answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct AnsweredPrompt {
    /// What is shown.
    pub prompt: String,
    /// The factor passed, where something was asked.
    pub answer: Option<String>,
}

/// Logins that can complete with less than before.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Weaker {
    /// Which logins, and with which answers.
    pub when: When,
    /// One of them.
    #[serde(flatten)]
    pub login: ExampleLogin,
    /// What the new flow shows it, with the user's answers.
    pub shown: Vec<AnsweredPrompt>,
    /// The factors that it passes.
    pub passed: Vec<String>,
    /// What they are worth.
    pub strength: Strength,
    /// The least that the old flow asks of this login; nothing where it could not complete.
    pub needed: Option<Needed>,
    /// The event.
    #[serde(skip)]
    pub event: Event,
    /// The answers.
    #[serde(skip)]
    pub answers: Answers,
}

/// What a login had to pass.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Needed {
    /// What it is worth.
    pub strength: Strength,
    /// Factors that are worth as much; nothing where it takes time to get by with them.
    pub passed: Option<Vec<String>>,
}

/// Why two flows can't be compared.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CompareError {
    /// They were checked against different catalogs.
    #[error("the two flows have different catalogs of factors")]
    Catalogs,
    /// They were checked for different tenants.
    #[error("the two flows are for tenants that have enabled different factors")]
    Tenants,
    /// Both look at one value of the event, and read it differently.
    #[error(
        "`{name}` is read in two ways: the two flows declare it with different types, defaults or `?` marks"
    )]
    Fact {
        /// The fact's name in the new flow.
        name: String,
        /// Its name in the old flow.
        old_name: String,
    },
    /// They are too large.
    #[error("the two flows are too large to compare: {0}")]
    Budget(#[from] BudgetExceeded),
    /// A difference was found that could not be played. This is a defect of stepup, and nothing is reported.
    #[error("a difference was found that can't be played: this is a defect of stepup")]
    Replay,
}

/// Compares two flows.
///
/// # Errors
/// When they don't speak of the same things, or comparing them would cost more than it may.
pub fn compare(
    old: &TypedPolicy,
    new: &TypedPolicy,
    detail: Detail,
    budget: &Budget,
) -> Result<Comparison, CompareError> {
    let mut merged = merge::merge(old, new, budget.depth)?;
    let reads = Reads::of(&merged.policy, merged.policy.steps.values(), &[], budget.depth)?;
    let model = Model::new(&merged.policy, &reads, budget)?;
    let first = merged.policy.conditions.len();
    add_elementary_tests(&mut merged.policy, &reads);
    let comparer = Comparer { merged: &merged, reads: &reads, model: &model, first, detail, budget };
    let (classes, weaker) = with_room(Diagrams::stack(budget.variables), || comparer.compare())?;
    Ok(Comparison { classes, weaker, merged })
}

struct Comparer<'a> {
    merged: &'a Merged,
    reads: &'a Reads,
    model: &'a Model,
    /// The first condition that stands in neither flow.
    first: usize,
    detail: Detail,
    budget: &'a Budget,
}

impl Comparer<'_> {
    fn compare(&self) -> Result<(Vec<Class>, Option<Weaker>), CompareError> {
        let policy = &self.merged.policy;
        let transcript = Transcript::new(policy, &self.reads.login, self.model.size);
        let diagrams = Diagrams::new(self.budget.nodes, transcript.size)?;
        let facts = Facts::new(policy, self.model, diagrams);
        let mut conditions = Conditions::new(policy, &facts);
        let mut offers = Offers::default();
        let world = facts.world()?;
        let mut joint = Joint {
            merged: self.merged,
            detail: self.detail,
            conditions: &mut conditions,
            offers: &mut offers,
            transcript: &transcript,
            reads: &self.reads.login,
            limit: self.budget.login_states,
        };
        let found = joint.compare(world)?;
        if found.differences.is_empty() {
            return Ok((Vec::new(), None));
        }
        let mut ends = Ends {
            merged: self.merged,
            conditions: &mut conditions,
            offers: &mut offers,
            reads: &self.reads.login,
            transcript: None,
            limit: self.budget.login_states,
        };
        let old = ends.of(Side::Old, world)?;
        ends.transcript = Some(&transcript);
        let new = ends.of(Side::New, world)?;
        // What is said of the facts is said of them as the login begins.
        conditions.enter(LoginState::default());
        let teller = Findings { comparer: self, conditions: &conditions, transcript: &transcript };
        Ok((teller.classes(found, &offers)?, teller.weaker(&old, &new)?))
    }
}

/// Turns sets of logins into what is told of them.
struct Findings<'a, 'c> {
    comparer: &'c Comparer<'c>,
    conditions: &'c Conditions<'a>,
    transcript: &'c Transcript,
}

impl<'a> Findings<'a, '_> {
    fn speaker(&self) -> Speaker<'_> {
        Speaker { merged: self.comparer.merged, detail: self.comparer.detail }
    }

    fn describer(&self, all: Formula) -> Limited<Describer<'a>> {
        let elementary = self.comparer.first..self.comparer.merged.policy.conditions.len();
        Describer::new(self.conditions, self.transcript, elementary, all)
    }

    fn pick(&self, logins: Formula) -> Result<(Event, Answers, Vec<bool>), CompareError> {
        let facts = self.conditions.facts;
        let values = facts.diagrams.pick(logins).ok_or(CompareError::Replay)?;
        Ok((facts.decode(&values), self.transcript.decode(&values), values))
    }

    fn classes(&self, found: Found, offers: &Offers) -> Result<Vec<Class>, CompareError> {
        let (diagrams, speaker) = (&self.conditions.facts.diagrams, self.speaker());
        let mut groups: BTreeMap<(usize, String, String), Formula> = BTreeMap::new();
        for ((prompts, was, now), logins) in found.differences {
            let key = (prompts, speaker.outcome(&was, offers), speaker.outcome(&now, offers));
            let known = groups.entry(key).or_insert_with(|| diagrams.nothing());
            *known = diagrams.or(*known, logins)?;
        }
        let describer = self.describer(found.compared)?;
        let mut classes = Vec::new();
        for ((after_prompts, before, after), logins) in groups {
            let (event, answers, _) = self.pick(logins)?;
            let example = speaker.example(event, answers)?;
            let among = diagrams.and(found.compared, self.transcript.just(after_prompts, diagrams)?)?;
            let when = describer.describe(logins, among, Given::SoFar)?;
            classes.push(Class { when, after_prompts, before, after, example });
        }
        classes.sort_by_key(|class| class.when.size());
        Ok(classes)
    }

    fn weaker(&self, old: &Completed, new: &Completed) -> Result<Option<Weaker>, CompareError> {
        let diagrams = &self.conditions.facts.diagrams;
        let mut weaker = diagrams.nothing();
        let mut weakest = None;
        for (strength, logins) in new {
            let as_weak = old.iter().filter(|(other, _)| other.is_at_most(strength));
            let as_weak = diagrams.any(as_weak.map(|(_, logins)| *logins))?;
            let here = diagrams.minus(*logins, as_weak)?;
            weaker = diagrams.or(weaker, here)?;
            if !here.is_empty() {
                weakest.get_or_insert(here);
            }
        }
        let Some(weakest) = weakest else { return Ok(None) };
        let all = diagrams.any(new.values().cloned())?;
        let when = self.describer(all)?.describe(weaker, all, Given::ToTheEnd)?;
        let (event, answers, values) = self.pick(weakest)?;
        let least = old.iter().find(|(_, logins)| diagrams.has(**logins, &values));
        let least = least.map(|(strength, _)| *strength);
        self.speaker().weaker(when, event, answers, least).map(Some)
    }
}

impl When {
    fn new(any: Vec<Vec<Literal>>, shortened: bool) -> Self {
        let text = render::sentence(&any, shortened);
        When { text, any, shortened }
    }

    /// How much there is to read.
    fn size(&self) -> (usize, usize) {
        (self.any.len(), self.any.iter().map(Vec::len).sum())
    }
}
