//! A login under a policy: what a server drives from the first step to the end.

use serde::{Serialize, Serializer};

use super::Policy;
use crate::check::policy::FactorId;
use crate::runtime::login::{LoginState, Turn};
use crate::runtime::{AnswerError, Availability, Facts, LoginError, Next, ResumeError, SavedLogin};

/// One login under one policy.
///
/// [`next`](Self::next) says what comes: a prompt, a step that wants fresh facts, or the end. The host shows the prompt
/// and answers with [`completed`](Self::completed), [`failed`](Self::failed) or [`abandoned`](Self::abandoned). Between
/// any two calls the login can be [saved](Self::save) and [resumed](Policy::resume) on another machine. No error
/// changes it.
///
/// The rules are those of "What a login means" in the language reference.
///
/// ```
/// use stepup::{Compiler, Next, jiff::Timestamp};
///
/// let policy = Compiler::new().compile([("admins.stepup", "
///     if enrolled is empty then enroll any of [webauthn-roaming, otp]
///     else challenge any of enrolled
/// ")])?.policy;
/// let mut facts = policy.facts();
/// facts.read_json(br#"{"user": {"enrolledFactors": [{"type": "otp"}, {"type": "phone"}]}}"#)?;
/// facts.set_now(Timestamp::UNIX_EPOCH);
/// let availability = policy.availability().support_only(&["otp", "phone"])?;
///
/// let mut login = policy.login();
/// let Next::Prompt(prompt) = login.next(&facts, &availability)? else { panic!("a prompt") };
/// let offered: Vec<&str> = prompt.factors.iter().map(|factor| factor.name).collect();
/// assert_eq!(offered, ["otp", "phone"]);
///
/// // The user looks for their phone; the request ends, and another machine takes the next.
/// let saved = serde_json::to_string(&login)?;
/// let mut login = policy.resume(serde_json::from_str(&saved)?)?;
/// login.completed("phone")?;
/// assert_eq!(login.next(&facts, &availability)?, Next::Completed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Login<'p> {
    policy: &'p Policy,
    state: LoginState,
}

impl<'p> Login<'p> {
    pub(crate) fn new(policy: &'p Policy) -> Self {
        Login { policy, state: LoginState::new() }
    }

    pub(crate) fn resume(policy: &'p Policy, saved: SavedLogin) -> Result<Self, ResumeError> {
        let state = saved.open(policy.interface(), policy.digest(), policy.seal_key())?;
        Ok(Login { policy, state })
    }

    /// The policy.
    pub fn policy(&self) -> &'p Policy {
        self.policy
    }

    /// Goes on, until the user is to be asked, the next step wants fresh facts, or the login ends. Called again
    /// without an answer, it says the same again, with usability judged anew.
    ///
    /// A step decides once, on the `facts` of the call in which it begins. They have to say what is enrolled, whether
    /// or not the policy reads it.
    ///
    /// # Errors
    /// When facts or availability are another policy's, or something is not filled.
    pub fn next(&mut self, facts: &Facts, availability: &Availability) -> Result<Next<'p>, LoginError> {
        let policy = self.policy;
        let decide = |step, words: &[u64]| policy.execute(step, words);
        self.state.next(&Turn { interface: policy.interface(), facts, availability, decide: &decide })
    }

    /// The user passed the prompt with this factor: a challenge, or an enrollment.
    ///
    /// # Errors
    /// When no prompt is open, or it doesn't offer the factor.
    pub fn completed(&mut self, factor: &str) -> Result<(), AnswerError> {
        let interface = self.policy.interface();
        let number = interface.layout.catalog.find(factor).map(FactorId::as_u32);
        // A number that no prompt offers stands for a name that the catalog lacks.
        let number = number.and_then(|number| u8::try_from(number).ok()).unwrap_or(u8::MAX);
        self.state.completed(number, factor, interface)
    }

    /// The user did not pass the prompt: the login fails. (How often they may try is the host's to say.)
    ///
    /// # Errors
    /// When no prompt is open.
    pub fn failed(&mut self) -> Result<(), AnswerError> {
        self.state.failed()
    }

    /// The user went away: the login fails.
    ///
    /// # Errors
    /// When no prompt is open.
    pub fn abandoned(&mut self) -> Result<(), AnswerError> {
        self.state.abandoned()
    }

    /// How many of its four commands have executed, over all steps.
    pub fn commands(&self) -> usize {
        self.state.commands()
    }

    /// The factors that the user has passed at prompts of this login, in order.
    pub fn passed(&self) -> impl Iterator<Item = &'p str> + '_ {
        let interface = self.policy.interface();
        let factors = self.state.passed_numbers().filter_map(|factor| interface.factor(factor));
        factors.map(|factor| factor.name.as_str())
    }

    /// The login as a value to store, sealed.
    pub fn save(&self) -> SavedLogin {
        SavedLogin::new(&self.state, self.policy.digest(), self.policy.seal_key())
    }
}

/// As [saved](Login::save).
impl Serialize for Login<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.save().serialize(serializer)
    }
}
