//! What a decision word means: commands with their factors and options, or a denial.

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use smallvec::SmallVec;

use crate::backend::interpret::set_mask;
use crate::check::policy::{CommandKind, StepId, Style};
use crate::lower::layout::WordSlot;
use crate::lower::program::{CommandTemplate, DecisionWord, Interface, SetFormula, Verdict};
use crate::runtime::facts::DecideError;

/// What one step of a policy decided for one login.
///
/// It keeps the words that its sets are worked out from, so the facts may be reused at once. It serializes as the
/// platform's calls: `{"step":"enroll","commands":[{"command":"enrollWith","factor":{"type":"otp"},
/// "additionalFactors":[]}],"denied":null}`.
#[derive(Clone, Debug)]
pub struct Decision<'p> {
    interface: &'p Interface,
    step: &'p str,
    word: DecisionWord,
    /// The words that the commands' sets read, in no order.
    words: SetWords,
}

/// Words by their slots, in no order.
pub(super) type SetWords = SmallVec<[(WordSlot, u64); 4]>;

/// Numbers of factors, in an order. A catalog has at most 63.
pub(super) type FactorNumbers = SmallVec<[u8; 64]>;

/// A command: what to ask of the user.
#[derive(Clone, PartialEq, Debug)]
pub struct Command<'p> {
    /// Enroll or challenge.
    pub kind: CommandKind,
    /// How the factors are shown.
    pub style: Style,
    /// What is offered, in order; may be empty where the policy offers a set.
    pub factors: Vec<FactorChoice<'p>>,
}

/// A factor that a command offers.
#[derive(Clone, PartialEq, Debug)]
pub struct FactorChoice<'p> {
    /// Its number in the catalog.
    pub number: u8,
    /// Its `type` on the platform.
    pub name: &'p str,
    /// Its `options` on the platform.
    pub options: Map<String, Value>,
}

impl<'p> Decision<'p> {
    /// What a word of a policy means, decided on these words.
    pub fn new(
        interface: &'p Interface,
        step: StepId,
        word: DecisionWord,
        words: &[u64],
    ) -> Result<Self, DecideError> {
        let step = interface.steps.get(step).ok_or(DecideError::UnknownStep)?;
        if word == DecisionWord::LIMIT_EXCEEDED {
            return Err(DecideError::LimitExceeded);
        }
        let mut decision = Decision { interface, step, word, words: SmallVec::new() };
        for template in decision.templates() {
            if let Some(set) = &template.rest {
                decision.copy_words(set, words);
            }
        }
        Ok(decision)
    }

    fn copy_words(&mut self, set: &SetFormula, words: &[u64]) {
        match set {
            SetFormula::Listed(_) => {}
            SetFormula::Word(slot) => self.copy_word(*slot, words),
            SetFormula::Intersect(a, b) | SetFormula::Union(a, b) | SetFormula::Except(a, b) => {
                self.copy_words(a, words);
                self.copy_words(b, words);
            }
            SetFormula::If { slot, then, otherwise, .. } => {
                self.copy_word(*slot, words);
                self.copy_words(then, words);
                self.copy_words(otherwise, words);
            }
        }
    }

    fn copy_word(&mut self, slot: WordSlot, words: &[u64]) {
        if self.words.iter().all(|(known, _)| *known != slot) {
            self.words.push((slot, words.get(slot.0 as usize).copied().unwrap_or(0)));
        }
    }

    /// The name of the step.
    pub fn step(&self) -> &'p str {
        self.step
    }

    /// The word itself.
    pub fn word(&self) -> DecisionWord {
        self.word
    }

    /// The commands, in the order executed; none when the login is denied.
    pub fn commands(&self) -> impl Iterator<Item = Command<'p>> + '_ {
        self.templates().map(|template| Command {
            kind: template.kind,
            style: template.style,
            factors: self.factors(template),
        })
    }

    /// The reason, when the login is denied.
    pub fn denied(&self) -> Option<&'p str> {
        match self.word.verdict() {
            Verdict::Denied { reason, .. } => {
                self.interface.reasons.get(usize::from(reason)).map(|reason| &**reason)
            }
            Verdict::Commands(_) | Verdict::LimitExceeded => None,
        }
    }

    /// Whether it asks for nothing and denies nothing.
    pub fn is_nothing(&self) -> bool {
        self.word == DecisionWord::NOTHING
    }

    /// A decision from the word and the words that its sets read, kept since.
    pub(super) fn resumed(
        interface: &'p Interface,
        step: StepId,
        word: DecisionWord,
        words: SetWords,
    ) -> Option<Self> {
        let step = interface.steps.get(step)?;
        Some(Decision { interface, step, word, words })
    }

    /// The words that its sets read.
    pub(super) fn into_words(self) -> SetWords {
        self.words
    }

    /// Its command of this position, from 0.
    pub(super) fn template(&self, position: usize) -> Option<&'p CommandTemplate> {
        self.templates().nth(position)
    }

    /// The name of the factor of a number.
    pub(super) fn factor_name(&self, factor: u8) -> Option<&'p str> {
        self.interface.factor(factor).map(|factor| factor.name.as_str())
    }

    fn templates(&self) -> impl Iterator<Item = &'p CommandTemplate> + use<'p> {
        let numbers = match self.word.verdict() {
            Verdict::Commands(numbers) => numbers,
            Verdict::Denied { .. } | Verdict::LimitExceeded => SmallVec::new(),
        };
        let interface = self.interface;
        numbers.into_iter().filter_map(|number| interface.command(number))
    }

    fn factors(&self, template: &'p CommandTemplate) -> Vec<FactorChoice<'p>> {
        self.numbers(template).iter().filter_map(|factor| self.choice(template, *factor)).collect()
    }

    /// The numbers of the factors that a command offers, in order.
    pub(super) fn numbers(&self, template: &CommandTemplate) -> FactorNumbers {
        let mut numbers: FactorNumbers = template.listed.iter().map(|listed| listed.factor).collect();
        for factor in template.rest.iter().flat_map(|set| self.in_order(set)) {
            let is_permitted = template.permitted.checked_shr(factor.into()).unwrap_or(0) & 1 != 0;
            if is_permitted && !numbers.contains(&factor) {
                numbers.push(factor);
            }
        }
        numbers
    }

    /// A factor as a command offers it, with the options that the command gives it.
    pub(super) fn choice(&self, template: &CommandTemplate, factor: u8) -> Option<FactorChoice<'p>> {
        let known = self.interface.factor(factor)?;
        let listed = template.listed.iter().find(|listed| listed.factor == factor);
        let options = listed.into_iter().flat_map(|listed| &listed.options);
        let options = options.filter_map(|option| known.options.get(usize::from(*option)));
        let options = options
            .flat_map(|option| &option.json)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        Some(FactorChoice { number: factor, name: &known.name, options })
    }

    /// The members of a set in its order; factors outside the catalog are never offered.
    fn in_order(&self, set: &SetFormula) -> FactorNumbers {
        match set {
            SetFormula::Listed(factors) => FactorNumbers::from_slice(factors),
            SetFormula::Word(slot) => {
                let mask = self.word_of(*slot);
                (0..63).filter(|factor| mask >> factor & 1 != 0).collect()
            }
            SetFormula::Intersect(a, b) => {
                let mut members = self.in_order(a);
                members.retain(|factor| self.holds(b, *factor));
                members
            }
            SetFormula::Union(a, b) => {
                let mut members = self.in_order(a);
                for factor in self.in_order(b) {
                    if !members.contains(&factor) {
                        members.push(factor);
                    }
                }
                members
            }
            SetFormula::Except(a, b) => {
                let mut members = self.in_order(a);
                members.retain(|factor| !self.holds(b, *factor));
                members
            }
            SetFormula::If { slot, mask, then, otherwise } => {
                self.in_order(if self.word_of(*slot) & mask != 0 { then } else { otherwise })
            }
        }
    }

    fn holds(&self, set: &SetFormula, factor: u8) -> bool {
        self.mask(set).checked_shr(factor.into()).unwrap_or(0) & 1 != 0
    }

    fn mask(&self, set: &SetFormula) -> u64 {
        set_mask(set, &|slot| self.word_of(slot))
    }

    fn word_of(&self, slot: WordSlot) -> u64 {
        self.words.iter().find(|(known, _)| *known == slot).map_or(0, |(_, word)| *word)
    }
}

impl Command<'_> {
    /// The platform's name: `enrollWith`, `challengeWithAny`, ….
    pub fn method(&self) -> &'static str {
        match (self.kind, self.style) {
            (CommandKind::Enroll, Style::Preferred) => "enrollWith",
            (CommandKind::Enroll, Style::Any) => "enrollWithAny",
            (CommandKind::Challenge, Style::Preferred) => "challengeWith",
            (CommandKind::Challenge, Style::Any) => "challengeWithAny",
        }
    }
}

impl Serialize for Decision<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut decision = serializer.serialize_struct("Decision", 3)?;
        decision.serialize_field("step", self.step())?;
        decision.serialize_field("commands", &self.commands().collect::<Vec<_>>())?;
        decision.serialize_field("denied", &self.denied())?;
        decision.end()
    }
}

impl Serialize for Command<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut command = serializer.serialize_map(None)?;
        command.serialize_entry("command", self.method())?;
        match (self.style, self.factors.split_first()) {
            (Style::Preferred, Some((default, others))) => {
                command.serialize_entry("factor", default)?;
                command.serialize_entry("additionalFactors", others)?;
            }
            (Style::Preferred, None) | (Style::Any, _) => {
                command.serialize_entry("factors", &self.factors)?;
            }
        }
        command.end()
    }
}

impl Serialize for FactorChoice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut factor = serializer.serialize_map(None)?;
        factor.serialize_entry("type", self.name)?;
        if !self.options.is_empty() {
            factor.serialize_entry("options", &self.options)?;
        }
        factor.end()
    }
}
