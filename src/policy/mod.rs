//! A compiled policy: what a server holds, shares between threads and swaps.

#[cfg(feature = "arrow")]
mod batch;
mod login;

use std::fmt;
use std::sync::Arc;

pub use login::Login;

use crate::backend::interpret;
use crate::backend::jit::{NativeCode, NativeStep};
use crate::check::policy::StepId;
use crate::lower::layout::Layout;
use crate::lower::program::{DecisionWord, Interface, Program, StepProgram, StepPrograms};
use crate::runtime::{
    Availability, DecideError, Decision, Digest, FactType, Facts, ResumeError, SavedLogin, SealKey, Slot,
    SlotError,
};

/// What executes a policy.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Engine {
    /// Machine code where the host allows it, else the interpreter.
    #[default]
    Native,
    /// The interpreter: the definition that machine code is held to.
    Interpreter,
}

/// A compiled flow. Clones are cheap and share everything; it may be used by many threads at once.
///
/// ```
/// use stepup::{Compiler, jiff::Timestamp};
///
/// let text = "if user.isAdmin and not enrolled(webauthn-roaming) then enroll webauthn-roaming";
/// let policy = Compiler::new().compile([("admins.stepup", text)])?.policy;
/// let admin = policy.slot::<bool>("user.isAdmin")?;
///
/// let mut facts = policy.facts();
/// facts.set(&admin, true)?;
/// facts.set_enrolled(&["otp"]);
///
/// let step = policy.steps().next().ok_or("a step")?;
/// let decision = step.decide(&facts)?;
/// let command = decision.commands().next().ok_or("a command")?;
/// assert_eq!(command.method(), "enrollWith");
/// assert_eq!(command.factors[0].name, "webauthn-roaming");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Policy {
    inner: Arc<Inner>,
}

struct Inner {
    interface: Interface,
    execution: Execution,
    digest: Digest,
    seal_key: SealKey,
}

/// What executes the steps. Machine code needs no graphs, so a server doesn't hold them for its policies.
enum Execution {
    Native(NativeCode),
    Interpreted(StepPrograms),
}

/// One step of a policy: to it what a function's pointer is to a function. Who decides often keeps it, and finds what
/// executes it without a look at the policy.
#[derive(Clone, Copy)]
pub struct Step<'p> {
    interface: &'p Interface,
    layout: &'p Layout,
    execution: StepExecution<'p>,
    id: StepId,
}

#[derive(Clone, Copy)]
enum StepExecution<'p> {
    Native(NativeStep<'p>),
    Interpreted(&'p StepProgram),
}

impl Inner {
    fn step(&self, id: StepId) -> Option<Step<'_>> {
        let execution = match &self.execution {
            Execution::Native(code) => StepExecution::Native(code.step(id)?),
            Execution::Interpreted(steps) => StepExecution::Interpreted(steps.get(id)?),
        };
        Some(Step { interface: &self.interface, layout: &self.interface.layout, execution, id })
    }
}

impl Policy {
    pub(crate) fn new(
        program: Program,
        native: Option<NativeCode>,
        digest: Digest,
        seal_key: SealKey,
    ) -> Self {
        let Program { steps, interface } = program;
        let execution = native.map_or(Execution::Interpreted(steps), Execution::Native);
        Policy { inner: Arc::new(Inner { interface, execution, digest, seal_key }) }
    }

    /// A policy of a program that no [`Compiler`](crate::Compiler) made, for tools that build typed policies. Nothing
    /// is proven of it. Its logins go from machine to machine under `identity`, so that has to tell programs apart.
    pub fn unproven(program: Program, native: Option<NativeCode>, identity: &[u8]) -> Self {
        let digest = Digest::of([identity]);
        Policy::new(program, native, digest, SealKey::new(&[], digest))
    }

    /// The steps, in the order in which a login passes them.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.interface().steps.keys().filter_map(|id| self.inner.step(id))
    }

    /// The step of a name.
    pub fn step(&self, name: &str) -> Option<Step<'_>> {
        self.steps().find(|step| step.name() == name)
    }

    /// Empty facts of this policy's layout, to be kept and reused from login to login.
    pub fn facts(&self) -> Facts {
        Facts::new(&self.interface().layout)
    }

    /// A login from its beginning.
    pub fn login(&self) -> Login<'_> {
        Login::new(self)
    }

    /// Goes on with a login that was saved, here or on another machine.
    ///
    /// # Errors
    /// When it began under another policy, or was altered.
    pub fn resume(&self, saved: SavedLogin) -> Result<Login<'_>, ResumeError> {
        Login::resume(self, saved)
    }

    /// The factors that a login may use: all that the tenant has enabled (the whole catalog, if the policy was compiled
    /// without a tenant), in a browser that supports them all.
    pub fn availability(&self) -> Availability {
        Availability::new(&self.interface().layout, self.interface().enabled)
    }

    /// What it was compiled from, as one number: texts, library, version of stepup.
    pub fn digest(&self) -> Digest {
        self.inner.digest
    }

    pub(crate) fn seal_key(&self) -> &SealKey {
        &self.inner.seal_key
    }

    /// Where a fact is stored, to be looked up once. The type is the fact's: `bool`, `i64`, `str`, ….
    ///
    /// # Errors
    /// When there is no such fact, or it has another type.
    pub fn slot<T: FactType>(&self, fact: &str) -> Result<Slot<T>, SlotError> {
        self.interface().layout.slot(fact)
    }

    /// Executes a step. One that isn't there, which nobody asks for, lets nobody in.
    pub(crate) fn execute(&self, step: StepId, words: &[u64]) -> DecisionWord {
        self.inner.step(step).map_or(DecisionWord::LIMIT_EXCEEDED, |step| step.execution.decide(words))
    }

    /// What executes it.
    pub fn engine(&self) -> Engine {
        match self.inner.execution {
            Execution::Native(_) => Engine::Native,
            Execution::Interpreted(_) => Engine::Interpreter,
        }
    }

    /// Which facts it takes, and what its decisions mean.
    pub fn interface(&self) -> &Interface {
        &self.inner.interface
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<&str> = self.steps().map(|step| step.name()).collect();
        f.debug_struct("Policy").field("steps", &steps).field("engine", &self.engine()).finish()
    }
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Step").field(&self.name()).finish()
    }
}

impl StepExecution<'_> {
    #[inline]
    fn decide(self, words: &[u64]) -> DecisionWord {
        match self {
            // Facts of the layout have all its words. Were there fewer, nobody would be let in.
            StepExecution::Native(code) => code.decide(words).unwrap_or(DecisionWord::LIMIT_EXCEEDED),
            StepExecution::Interpreted(step) => interpret::decide(step, words),
        }
    }
}

impl<'p> Step<'p> {
    /// Its name.
    pub fn name(&self) -> &'p str {
        self.interface.steps.get(self.id).map_or("", |name| name)
    }

    /// Decides what this step asks of a login.
    ///
    /// # Errors
    /// When the facts are another policy's, when something that the policy reads is not filled, or when the step
    /// would execute a fifth command.
    #[inline]
    pub fn decide(&self, facts: &Facts) -> Result<Decision<'p>, DecideError> {
        let words = facts.words_for(self.layout)?;
        Decision::new(self.interface, self.id, self.execution.decide(words), words)
    }

    /// Decides, and gives the bare word: the fast path of a server that looks commands up by itself.
    ///
    /// # Errors
    /// As [`decide`](Self::decide), but a fifth command is [`DecisionWord::LIMIT_EXCEEDED`].
    #[inline]
    pub fn decide_word(&self, facts: &Facts) -> Result<DecisionWord, DecideError> {
        facts.words_for(self.layout).map(|words| self.execution.decide(words))
    }
}
