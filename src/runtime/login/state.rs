//! What a login has done and where it stands, as a small value that can be stored between requests.
//!
//! A stored login names its policy and is sealed. A state that passes both is still looked at piece by piece before
//! it is used: a host without a key of its own has a seal that anyone can make.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use thiserror::Error;

use crate::backend::interpret::factor_bit;
use crate::check::policy::{CommandKind, StepId};
use crate::lower::layout::WordSlot;
use crate::lower::program::{COMMAND_LIMIT, DecisionWord, Interface, Verdict};
use crate::runtime::decision::Decision;
use crate::runtime::digest::{Digest, SealKey};

/// A login between two requests: serde in every format that carries integers of 64 bits, under 100 bytes in postcard
/// for usual policies. It holds no secret; it says which factors the user has enrolled and passed.
///
/// [`Policy::resume`](crate::Policy::resume) goes on with it, on any machine that has the same policy (and the same
/// [key](crate::Compiler::with_login_key)). That a state is not used twice is the host's to see to, as with any
/// session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SavedLogin {
    policy: Digest,
    state: LoginState,
    seal: Digest,
}

/// Why a stored login can't go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ResumeError {
    /// It began under another policy, or another version of this one.
    #[error("the login began under policy {found}, and this is policy {wanted}")]
    AnotherPolicy {
        /// The policy that it began under.
        found: Digest,
        /// The policy that was to go on with it.
        wanted: Digest,
    },
    /// It was altered since it was saved, or sealed with another key.
    #[error("the state of the login was altered, or sealed with another key")]
    Altered,
    /// Its seal fits, but no login of this policy has such a state.
    #[error("no login of this policy has such a state")]
    Impossible,
}

impl SavedLogin {
    pub(crate) fn new(state: &LoginState, policy: Digest, key: &SealKey) -> Self {
        let seal = key.seal(|update| state.feed(update));
        SavedLogin { policy, state: state.clone(), seal }
    }

    /// The digest of the policy that it began under, so that a host can look the policy up.
    pub fn policy(&self) -> Digest {
        self.policy
    }

    /// The state, if it is one of this program's.
    pub(crate) fn open(
        self,
        interface: &Interface,
        policy: Digest,
        key: &SealKey,
    ) -> Result<LoginState, ResumeError> {
        if self.policy != policy {
            return Err(ResumeError::AnotherPolicy { found: self.policy, wanted: policy });
        }
        if !key.verifies(self.seal, |update| self.state.feed(update)) {
            return Err(ResumeError::Altered);
        }
        if !self.state.is_possible(interface) {
            return Err(ResumeError::Impossible);
        }
        Ok(self.state)
    }
}

/// What a login has done and where it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct LoginState {
    pub(super) at: Position,
    /// The commands executed by the steps that have decided.
    pub(super) commands: u8,
    /// The factors passed at prompts, in order.
    pub(super) passes: SmallVec<[Pass; COMMAND_LIMIT]>,
}

/// A factor passed at a prompt of this login.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Pass {
    pub(super) factor: u8,
    pub(super) by: PassedBy,
}

/// Which kind of prompt was passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum PassedBy {
    Enrollment,
    Challenge,
}

/// Where a login stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Position {
    /// A step is about to decide.
    Before {
        step: u32,
        facts: FreshFacts,
    },
    /// The prompts of a step are being answered.
    Prompts(Prompts),
    Ended(Ending),
}

/// Whether the host knows that a step is about to read its facts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum FreshFacts {
    /// It does: the facts that the next call hands in are those.
    Known,
    /// It is told first.
    ToBeTold,
}

/// A step that has decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Prompts {
    pub(super) step: u32,
    /// What it decided.
    pub(super) word: u64,
    /// The words that the sets of its commands read.
    pub(super) words: SmallVec<[(WordSlot, u64); 4]>,
    /// The factors enrolled when it decided.
    pub(super) enrolled: u64,
    /// How many of its commands are done.
    pub(super) done: u8,
    /// The factors that the user was last asked for, as a mask; 0 when no prompt is open.
    pub(super) asked: u64,
}

/// How a login ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Ending {
    Completed,
    Denied { reason: u16 },
    NothingUsable(PassedBy),
    EnrollWithoutChallenge,
    PromptFailed,
    Abandoned,
    LimitExceeded,
}

impl From<CommandKind> for PassedBy {
    fn from(kind: CommandKind) -> Self {
        match kind {
            CommandKind::Enroll => PassedBy::Enrollment,
            CommandKind::Challenge => PassedBy::Challenge,
        }
    }
}

impl From<PassedBy> for CommandKind {
    fn from(by: PassedBy) -> Self {
        match by {
            PassedBy::Enrollment => CommandKind::Enroll,
            PassedBy::Challenge => CommandKind::Challenge,
        }
    }
}

impl LoginState {
    pub(crate) fn new() -> Self {
        let at = Position::Before { step: 0, facts: FreshFacts::Known };
        LoginState { at, commands: 0, passes: SmallVec::new() }
    }

    /// Tells all that it holds, in a form that no two states share.
    pub(super) fn feed(&self, update: &mut dyn FnMut(&[u8])) {
        update(&[self.commands, self.passes.len() as u8]);
        for pass in &self.passes {
            update(&[pass.factor, pass.by as u8]);
        }
        match &self.at {
            Position::Before { step, facts } => {
                update(&[0, *facts as u8]);
                update(&step.to_le_bytes());
            }
            Position::Prompts(prompts) => {
                update(&[1, prompts.done]);
                update(&prompts.step.to_le_bytes());
                for word in [prompts.word, prompts.enrolled, prompts.asked, prompts.words.len() as u64] {
                    update(&word.to_le_bytes());
                }
                for (slot, word) in &prompts.words {
                    update(&slot.0.to_le_bytes());
                    update(&word.to_le_bytes());
                }
            }
            Position::Ended(ending) => {
                let (kind, more) = match ending {
                    Ending::Completed => (0, 0),
                    Ending::Denied { reason } => (1, *reason),
                    Ending::NothingUsable(by) => (2, *by as u16),
                    Ending::EnrollWithoutChallenge => (3, 0),
                    Ending::PromptFailed => (4, 0),
                    Ending::Abandoned => (5, 0),
                    Ending::LimitExceeded => (6, 0),
                };
                update(&[2, kind]);
                update(&more.to_le_bytes());
            }
        }
    }

    /// Whether every number in it is one of the program's, and the counts fit each other.
    pub(super) fn is_possible(&self, interface: &Interface) -> bool {
        let commands = usize::from(self.commands);
        let is_factor = |factor: u8| interface.factor(factor).is_some();
        let counts_fit = commands <= COMMAND_LIMIT && self.passes.len() <= commands;
        counts_fit
            && self.passes.iter().all(|pass| is_factor(pass.factor))
            && match &self.at {
                Position::Before { step, .. } => *step as usize <= interface.steps.len(),
                Position::Prompts(prompts) => self.is_possible_among_prompts(prompts, interface),
                Position::Ended(Ending::Denied { reason }) => usize::from(*reason) < interface.reasons.len(),
                Position::Ended(_) => true,
            }
    }

    fn is_possible_among_prompts(&self, prompts: &Prompts, interface: &Interface) -> bool {
        let word = DecisionWord(prompts.word);
        let Verdict::Commands(numbers) = word.verdict() else { return false };
        let (commands, done) = (numbers.len(), usize::from(prompts.done));
        let earlier = usize::from(self.commands).checked_sub(commands);
        (prompts.step as usize) < interface.steps.len()
            && numbers.iter().all(|number| interface.command(*number).is_some())
            && word.len() == commands
            && done <= commands
            && earlier.is_some_and(|earlier| self.passes.len() <= earlier + done)
            && prompts.words.iter().all(|(slot, _)| (slot.0 as usize) < interface.layout.words)
            && prompts.asked & !prompts.offered(interface) == 0
    }
}

impl Prompts {
    /// The factors that the command which is due offers, as a mask; none when all are done.
    fn offered(&self, interface: &Interface) -> u64 {
        let (step, word) = (StepId::from_u32(self.step), DecisionWord(self.word));
        let Some(decision) = Decision::resumed(interface, step, word, self.words.clone()) else { return 0 };
        let Some(template) = decision.template(self.done.into()) else { return 0 };
        decision.numbers(template).iter().fold(0, |mask, factor| mask | factor_bit(*factor))
    }
}
