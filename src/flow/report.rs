//! Reports on what the exploration found. A login is shown as a reader would tell it: its facts, then step by step
//! its commands and what the user did.

use super::findings::{counted, premises};
use super::replay::{Counted, Ended, Login, Outcome, PlayedStep};
use super::{
    Analysis, BudgetExceeded, Finding, GuaranteeAnswer, Limit, LostCommands, Proof, Question, Unreachable,
};
use crate::check::masks::ALL_FACTORS;
use crate::check::policy::{
    CommandKind, ConditionId, ConditionKind, End, FactorId, Moment, Number, Type, TypedPolicy,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Sources, Span};
use crate::trace::{Refusal, StepFacts, Words, duration, instant, quoted};

const ORDINALS: [&str; 5] = ["1st", "2nd", "3rd", "4th", "5th"];

/// The longest text of the policy that a message quotes, in characters.
const LONGEST_QUOTE: usize = 60;

/// The reports of an analysis, errors first, then in the order of the source.
pub fn diagnose(analysis: &Analysis, policy: &TypedPolicy, sources: &Sources) -> Vec<Diagnostic> {
    let teller = Teller { policy, sources };
    let mut reports = Vec::new();
    match &analysis.limit {
        Limit::Proven => {}
        Limit::FifthCommand(login) => reports.extend(teller.fifth_command(login)),
        Limit::BudgetExceeded(exceeded) => reports.extend(teller.too_large(*exceeded)),
    }
    reports.extend(analysis.constant.iter().map(|constant| teller.constant(constant.span, constant.always)));
    // Past a fifth command nothing is reached; that is said already.
    if analysis.limit == Limit::Proven {
        reports.extend(analysis.unreachable.iter().map(|unreachable| teller.unreachable(unreachable)));
    }
    reports.extend(analysis.lost.iter().map(|lost| teller.lost(lost)));
    if let (Some(exceeded), Limit::Proven) = (analysis.unanswered, &analysis.limit) {
        reports.extend(teller.unanswered(exceeded));
    }
    reports.extend(teller.findings(&analysis.findings));
    reports.extend(analysis.guarantees.iter().filter_map(|answer| teller.guarantee(answer)));
    reports
}

/// The smallest text that makes a condition false.
fn false_part(policy: &TypedPolicy, facts: &mut StepFacts<'_>, mut id: ConditionId) -> Span {
    loop {
        let condition = &policy.conditions[id];
        let next = match &condition.kind {
            ConditionKind::All(parts) => parts.iter().copied().find(|part| !facts.holds(*part)),
            // Of an implication whose premise holds, the conclusion.
            ConditionKind::Any(parts) if !premises(policy, id).is_empty() && parts.len() == 2 => {
                parts.last().copied()
            }
            _ => None,
        };
        match next {
            Some(part) if policy.conditions[part].span != condition.span => id = part,
            _ => return condition.span,
        }
    }
}

/// Tells findings in the policy's words.
struct Teller<'a> {
    policy: &'a TypedPolicy,
    sources: &'a Sources,
}

impl Teller<'_> {
    fn fifth_command(&self, login: &Login) -> Option<Diagnostic> {
        let commands: Vec<_> = login.commands().collect();
        let ((step, fifth), before) = commands.split_last()?;
        let step = &self.policy.steps[*step].name;
        let message = format!("step `{step}` can execute a fifth command, and a flow has four");
        let mut report = Diagnostic::error(Code::E0501, fifth.span, message);
        let mut places: Vec<(Span, Vec<&str>)> = Vec::new();
        for ((_, command), ordinal) in before.iter().zip(ORDINALS) {
            match places.iter_mut().find(|(span, _)| *span == command.span) {
                Some((_, ordinals)) => ordinals.push(ordinal),
                None => places.push((command.span, vec![ordinal])),
            }
        }
        let mut here = "5th command, refused by the platform".to_owned();
        for (span, ordinals) in places {
            let ordinals = ordinals.join(" and ");
            if span == fifth.span {
                here = format!("{ordinals} command, and the 5th: refused by the platform");
            } else {
                report = report.label(span, format!("{ordinals} command"));
            }
        }
        let help =
            "let a condition keep this login out of one of the five, or end an earlier case with `stop`";
        Some(report.here(here).note(self.login(login)).help(help))
    }

    fn too_large(&self, exceeded: BudgetExceeded) -> Option<Diagnostic> {
        let first = self.policy.steps.values().next()?;
        let message = format!("this flow is too large to prove: {exceeded}");
        let report = Diagnostic::error(Code::E0502, first.declared, message);
        Some(report.note("without the proof, a login might execute a fifth command").help(exceeded.advice()))
    }

    fn unanswered(&self, exceeded: BudgetExceeded) -> Option<Diagnostic> {
        let first = self.policy.steps.values().next()?;
        let message = format!("this flow is too large for all questions: {exceeded}");
        let report = Diagnostic::warning(Code::E0502, first.declared, message);
        Some(
            report
                .note("no login executes a fifth command; guarantees and who is locked out are not answered")
                .help(exceeded.advice()),
        )
    }

    fn constant(&self, span: Span, always: bool) -> Diagnostic {
        let text = self.quote(span);
        if always {
            let report = Diagnostic::warning(Code::W0601, span, format!("`{text}` is always true"));
            report.here("no login that gets here makes it false")
        } else {
            let report = Diagnostic::warning(Code::W0602, span, format!("`{text}` is never true"));
            report.here("no login that gets here makes it true")
        }
    }

    fn unreachable(&self, unreachable: &Unreachable) -> Diagnostic {
        match unreachable.step {
            Some(step) => {
                let message = format!("no login reaches step `{}`", self.policy.steps[step].name);
                let report = Diagnostic::warning(Code::W0603, unreachable.span, message);
                report.here("every login has ended before")
            }
            None => {
                let report =
                    Diagnostic::warning(Code::W0603, unreachable.span, "no login reaches this statement");
                report.here("never runs")
            }
        }
    }

    fn lost(&self, lost: &LostCommands) -> Diagnostic {
        let message = "this denial loses commands that its step has executed";
        let mut report = Diagnostic::warning(Code::W0605, lost.denial, message);
        report = report.here("the login ends here, and none of its commands is shown");
        let mut spans: Vec<Span> = Vec::new();
        for command in lost.login.steps.last().into_iter().flat_map(|step| &step.commands) {
            if !spans.contains(&command.span) {
                spans.push(command.span);
                report = report.label(command.span, "executed and counted, never shown");
            }
        }
        let help =
            "deny before the first command, or in a later step, which begins once the prompts are answered";
        report.note(self.login(&lost.login)).help(help)
    }

    /// The text under a span on one line, shortened.
    fn quote(&self, span: Span) -> String {
        let line = self.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() <= LONGEST_QUOTE {
            return line;
        }
        line.chars().take(LONGEST_QUOTE - 1).chain(['…']).collect()
    }

    fn words(&self) -> Words<'_> {
        Words { policy: self.policy }
    }

    /// A login, several lines.
    fn login(&self, login: &Login) -> String {
        let mut lines = vec!["a login that gets there:".to_owned()];
        lines.extend(self.facts(login).into_iter().map(|line| format!("  {line}")));
        let mut number = 0;
        for step in &login.steps {
            lines.push(format!("  step `{}`:", self.policy.steps[step.step].name));
            lines.extend(self.run_out(step).map(|line| format!("    {line}")));
            for command in &step.commands {
                number += 1;
                let ordinal = ORDINALS.get(number - 1).copied().unwrap_or("next");
                let outcome = self.outcome(command.kind, &command.outcome);
                lines.push(format!("    {ordinal}: `{}`{outcome}", self.quote(command.span)));
            }
            if step.commands.is_empty() && step.denied.is_none() {
                lines.push("    no command".to_owned());
            }
            if let Some(denied) = step.denied {
                lines.push(format!("    `{}`", self.quote(denied)));
            }
        }
        lines.extend(login.ended.iter().map(|ended| format!("  {}", self.end(ended))));
        lines.join("\n")
    }

    /// How a login ended, and with what.
    fn end(&self, ended: &Ended) -> String {
        let end = match ended.end {
            End::Completed => "the login completes",
            End::Denied => "the login is denied",
            End::Failed => "the login fails",
        };
        let passed: Vec<_> = ended
            .session
            .passed
            .iter()
            .map(|passed| self.policy.catalog.factors[passed.factor].name.as_str())
            .collect();
        match passed.as_slice() {
            [] => format!("{end}, with no factor passed"),
            passed => format!("{end}, with {} passed", passed.join(", ")),
        }
    }

    /// The findings of a text together: the gravest says it, since the others follow from it.
    fn findings(&self, findings: &[Finding]) -> Vec<Diagnostic> {
        let mut reports: Vec<Diagnostic> = Vec::new();
        let mut told: Vec<Span> = Vec::new();
        // Sorted by place, then by gravity.
        for finding in findings {
            if !told.contains(&finding.span) {
                told.push(finding.span);
                reports.push(self.finding(finding));
            }
        }
        reports
    }

    fn finding(&self, finding: &Finding) -> Diagnostic {
        let text = self.quote(finding.span);
        let last = finding.login.commands().last();
        let is_enrollment = last.is_some_and(|(_, command)| command.kind == CommandKind::Enroll);
        let (code, message, here, help) = match finding.question {
            Question::NeverWorks => (
                Code::E0506,
                format!("`{text}` never works"),
                "whenever it is due, it fails",
                "ask first what is enrolled, or offer another factor",
            ),
            Question::LockedOut => (
                Code::E0508,
                "some users can't get in, whatever they choose".to_owned(),
                "their logins fail here",
                if is_enrollment {
                    "ask first what is enrolled: what a user has already can't be enrolled again"
                } else {
                    "ask first what is enrolled, and say what happens to those who have none of it"
                },
            ),
            Question::EnrollWithoutChallenge => (
                Code::E0504,
                format!("`{text}` may enroll a factor without a challenge before it"),
                "the platform refuses this while something is enrolled",
                "challenge one of the enrolled factors first, or enroll only if `enrolled is empty`",
            ),
            Question::NothingUsable => (
                Code::E0505,
                format!("`{text}` may find no factor that it can ask for"),
                "some logins fail here",
                "ask first what is enrolled, or add a factor that everyone who gets here can use",
            ),
            Question::EverythingEnrolled => (
                Code::E0507,
                format!("`{text}` may find everything enrolled already"),
                "the command fails, and the login goes on without it",
                "ask first what is enrolled: the platform's documentation differs on whether such a login goes on",
            ),
            Question::StaleRead => (
                Code::W0608,
                format!("`{text}` doesn't see what a command before it asks for"),
                "answered as things stood when the step began",
                "ask in a later step, which begins once the prompts are answered",
            ),
            Question::NeverAsks => (
                Code::W0609,
                format!("`{text}` never asks for anything"),
                "a factor that was passed before always answers it",
                "remove it, or ask for a factor that was not asked for before",
            ),
        };
        let report = Diagnostic::warning(code, finding.span, message).here(here);
        let report = match finding.question {
            // What is said of every login is said of those that the question is about.
            Question::NeverWorks | Question::NeverAsks => {
                report.note("said of logins whose enrolled factors the catalog all has (assumption A7)")
            }
            _ => report,
        };
        report.note(self.login(&finding.login)).help(help)
    }

    fn guarantee(&self, answer: &GuaranteeAnswer) -> Option<Diagnostic> {
        let guarantee = self.policy.guarantees.get(answer.guarantee)?;
        let condition = &self.policy.conditions[guarantee.condition];
        let name = &guarantee.name;
        match &answer.proof {
            Proof::Proven => None,
            Proof::Vacuous => {
                let at = premises(self.policy, guarantee.condition)
                    .first()
                    .map_or(condition.span, |premise| self.policy.conditions[*premise].span);
                let message = format!("the guarantee {} says nothing", quoted(name));
                let report = Diagnostic::warning(Code::W0610, at, message);
                let report = report.here("no login that counts ever meets this");
                // Which these are is not to be guessed where it names no end.
                let counts_all = counted(self.policy, guarantee.condition) == Counted::All;
                let note = "a guarantee counts the logins that complete, unless it names an end";
                Some(if counts_all { report } else { report.note(note) })
            }
            Proof::Refuted(login) => {
                let ended = login.ended.as_ref()?;
                let mut facts = StepFacts::at_the_end(self.policy, &login.event, &ended.session, ended.end);
                let part = false_part(self.policy, &mut facts, guarantee.condition);
                let message = format!("a login breaks the guarantee {}", quoted(name));
                let report = Diagnostic::warning(Code::E0503, part, message);
                Some(report.here("false at the end of this login").note(self.login(login)))
            }
        }
    }

    fn outcome(&self, kind: CommandKind, outcome: &Outcome) -> String {
        let name = |factor: &FactorId| self.policy.catalog.factors[*factor].name.as_str();
        let did = if kind == CommandKind::Enroll { "enrolls" } else { "passes" };
        match outcome {
            Outcome::Passed { offered, chosen } if offered.len() == 1 => {
                format!(": the user {did} {}", name(chosen))
            }
            Outcome::Passed { offered, chosen } => {
                let offered: Vec<_> = offered.iter().map(name).collect();
                format!(": of {}, the user {did} {}", offered.join(", "), name(chosen))
            }
            Outcome::Answered => ": answered by a factor passed before".to_owned(),
            Outcome::NothingLeft => {
                ": everything it offers is enrolled, so it fails, and the login goes on".to_owned()
            }
            Outcome::Asks(offered) => {
                let offered: Vec<_> = offered.iter().map(name).collect();
                format!(": asks for {}", offered.join(", "))
            }
            Outcome::Fails(Refusal::NothingUsable) => {
                ": nothing that it offers can be used, so the login fails (`mfar`)".to_owned()
            }
            Outcome::Fails(Refusal::EnrollWithoutChallenge) => {
                ": something is enrolled and no challenge was passed, so the login fails (`mfar`)".to_owned()
            }
            Outcome::NotShown => String::new(),
        }
    }

    /// The windows over factors passed in earlier steps that this login finds run out.
    fn run_out<'a>(&'a self, step: &'a PlayedStep) -> impl Iterator<Item = String> + 'a {
        step.passed.iter().filter(|passed| passed.age > 0).map(|passed| {
            let name = &self.policy.catalog.factors[passed.factor].name;
            format!("{name} was passed {} ago by now (assumption A2)", duration(passed.age))
        })
    }

    fn facts(&self, login: &Login) -> Vec<String> {
        let event = &login.event;
        let mut lines = login.facts(self.policy);
        lines.push(match self.words().names(event.enrolled) {
            names if names.is_empty() => "nothing is enrolled".to_owned(),
            names => format!("enrolled: {names}"),
        });
        match self.words().names(event.enrolled & ALL_FACTORS & !self.policy.enabled) {
            off if off.is_empty() => {}
            off => lines.push(format!("not enabled in the tenant: {off}")),
        }
        if !event.performed.is_empty() {
            let stamps = event.performed.iter().map(|(factor, stamp)| {
                let name = &self.policy.catalog.factors[*factor].name;
                let age = event.now - stamp;
                let when =
                    if age < 0 { format!("in {}", duration(-age)) } else { format!("{} ago", duration(age)) };
                format!("{name} {when}")
            });
            lines.push(format!("performed before: {}", stamps.collect::<Vec<_>>().join(", ")));
        }
        if self.reads_now(login) {
            lines.push(format!("now = {}", instant(event.now)));
        }
        lines
    }

    fn reads_now(&self, login: &Login) -> bool {
        let is_now = |number: &Number| {
            matches!(number, Number::Now | Number::Weekday(Moment::Now) | Number::Hour(Moment::Now))
        };
        login.read.iter().any(|variable| self.policy.variables[*variable].ty == Type::Time)
            || self.policy.conditions.values().any(|condition| match &condition.kind {
                ConditionKind::Compare(number, ..) | ConditionKind::OneOf(number, _) => is_now(number),
                _ => false,
            })
    }
}
