//! An analysis as plain data, for editors and services: names and places in place of indices.

use serde::Serialize;

use super::replay::{Login, Outcome};
use super::{Analysis, Limit, Proof, Question};
use crate::check::policy::{CommandKind, End, FactorId, TypedPolicy};
use crate::source::{Sources, Span};
use crate::trace::{Refusal, Words};

/// All that was asked of a flow, and the answers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AnalysisData {
    /// Whether every login stays within four commands.
    pub within_limit: bool,
    /// The login that doesn't.
    pub fifth_command: Option<LoginData>,
    /// The budget that was too small for all answers, in words.
    pub unanswered: Option<String>,
    /// Conditions that always give one answer.
    pub constant: Vec<ConstantData>,
    /// Statements that no login reaches.
    pub unreachable: Vec<Place>,
    /// Findings of the built-in questions.
    pub findings: Vec<FindingData>,
    /// The guarantees, in their order.
    pub guarantees: Vec<GuaranteeData>,
}

/// A text of the policy, and where it stands.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The text.
    pub text: String,
}

/// A condition that always gives one answer.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ConstantData {
    /// The condition.
    pub condition: Place,
    /// The answer.
    pub always: bool,
}

/// A finding.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FindingData {
    /// What was asked.
    pub question: Question,
    /// The command or condition.
    pub at: Place,
    /// A login that shows it.
    pub login: LoginData,
}

/// A guarantee.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct GuaranteeData {
    /// Its name.
    pub name: String,
    /// Its condition.
    pub at: Place,
    /// `proven`, `vacuous` or `refuted`.
    pub answer: &'static str,
    /// The numbered assumptions of `docs/model.md` that the answer rests on beside those that all do.
    pub assumptions: Vec<&'static str>,
    /// The login that refutes it.
    pub login: Option<LoginData>,
}

/// A login.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LoginData {
    /// The facts that mattered, as the language writes them: `user.isAdmin = true`.
    pub facts: Vec<String>,
    /// The factors enrolled at the start.
    pub enrolled: Vec<String>,
    /// What the steps did.
    pub steps: Vec<StepData>,
    /// `completed`, `denied` or `failed`, if it was followed to its end.
    pub ended: Option<&'static str>,
}

/// What a step did.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct StepData {
    /// Its name.
    pub step: String,
    /// The commands that it executed, in order.
    pub commands: Vec<CommandData>,
    /// The denial that ended it.
    pub denied: Option<Place>,
}

/// A command that executed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CommandData {
    /// It.
    pub at: Place,
    /// `enroll` or `challenge`.
    pub command: &'static str,
    /// What came of it.
    pub outcome: OutcomeData,
}

/// What came of a command.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
#[allow(missing_docs, reason = "as in `Outcome`")]
pub enum OutcomeData {
    Passed { offered: Vec<String>, chosen: String },
    Asks { offered: Vec<String> },
    Answered,
    NothingLeft,
    Fails { because: &'static str },
    NotShown,
}

impl Analysis {
    /// The analysis as data, with the names and places of its policy.
    pub fn data(&self, policy: &TypedPolicy, sources: &Sources) -> AnalysisData {
        let namer = Namer { policy, sources };
        AnalysisData {
            within_limit: self.limit == Limit::Proven,
            fifth_command: match &self.limit {
                Limit::FifthCommand(login) => Some(namer.login(login)),
                Limit::Proven | Limit::BudgetExceeded(_) => None,
            },
            unanswered: match (&self.limit, &self.unanswered) {
                (Limit::BudgetExceeded(exceeded), _) | (_, Some(exceeded)) => Some(exceeded.to_string()),
                _ => None,
            },
            constant: self
                .constant
                .iter()
                .map(|constant| ConstantData {
                    condition: namer.place(constant.span),
                    always: constant.always,
                })
                .collect(),
            unreachable: self.unreachable.iter().map(|found| namer.place(found.span)).collect(),
            findings: self
                .findings
                .iter()
                .map(|finding| FindingData {
                    question: finding.question,
                    at: namer.place(finding.span),
                    login: namer.login(&finding.login),
                })
                .collect(),
            guarantees: self.guarantees.iter().filter_map(|answer| namer.guarantee(answer)).collect(),
        }
    }
}

struct Namer<'a> {
    policy: &'a TypedPolicy,
    sources: &'a Sources,
}

impl Namer<'_> {
    fn place(&self, span: Span) -> Place {
        let at = self.sources.position(span);
        Place {
            file: self.sources.file(span.file).name().to_owned(),
            line: at.line,
            column: at.column,
            text: self.sources.text(span).to_owned(),
        }
    }

    fn factor(&self, factor: FactorId) -> String {
        self.policy.catalog.factors[factor].name.clone()
    }

    fn guarantee(&self, answer: &super::GuaranteeAnswer) -> Option<GuaranteeData> {
        let guarantee = self.policy.guarantees.get(answer.guarantee)?;
        let (word, login) = match &answer.proof {
            Proof::Proven => ("proven", None),
            Proof::Vacuous => ("vacuous", None),
            Proof::Refuted(login) => ("refuted", Some(self.login(login))),
        };
        let at = self.place(self.policy.conditions[guarantee.condition].span);
        let assumptions = super::assumptions(self.policy, guarantee);
        Some(GuaranteeData { name: guarantee.name.clone(), at, answer: word, assumptions, login })
    }

    fn login(&self, login: &Login) -> LoginData {
        let words = Words { policy: self.policy };
        let steps = login.steps.iter().map(|step| StepData {
            step: self.policy.steps[step.step].name.clone(),
            commands: step
                .commands
                .iter()
                .map(|command| CommandData {
                    at: self.place(command.span),
                    command: match command.kind {
                        CommandKind::Enroll => "enroll",
                        CommandKind::Challenge => "challenge",
                    },
                    outcome: self.outcome(&command.outcome),
                })
                .collect(),
            denied: step.denied.map(|span| self.place(span)),
        });
        LoginData {
            facts: login.facts(self.policy),
            enrolled: words.name_list(login.event.enrolled),
            steps: steps.collect(),
            ended: login.ended.as_ref().map(|ended| match ended.end {
                End::Completed => "completed",
                End::Denied => "denied",
                End::Failed => "failed",
            }),
        }
    }

    fn outcome(&self, outcome: &Outcome) -> OutcomeData {
        let names = |factors: &[FactorId]| factors.iter().map(|factor| self.factor(*factor)).collect();
        match outcome {
            Outcome::Passed { offered, chosen } => {
                OutcomeData::Passed { offered: names(offered), chosen: self.factor(*chosen) }
            }
            Outcome::Asks(offered) => OutcomeData::Asks { offered: names(offered) },
            Outcome::Answered => OutcomeData::Answered,
            Outcome::NothingLeft => OutcomeData::NothingLeft,
            Outcome::Fails(Refusal::NothingUsable) => OutcomeData::Fails { because: "nothing-usable" },
            Outcome::Fails(Refusal::EnrollWithoutChallenge) => {
                OutcomeData::Fails { because: "enroll-without-challenge" }
            }
            Outcome::NotShown => OutcomeData::NotShown,
        }
    }
}
