//! What Auth0 has: its factors with their commands and options, its event, its bounds. What a policy asks beyond
//! them is reported, never emitted as something else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::check::policy::{
    Absence, Block, Command, CommandKind, ConditionId, ConditionKind, Each, FactorSubject, FactorUse,
    Segment, Statement, Step, StepId, TypedPolicy, VariableId, Window,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::paths::path_text;
use crate::source::Span;

use super::MAX_ACTION_BYTES;

/// The factors of the trigger's typings, with the commands that each may stand in.
const FACTORS: [(&str, &[CommandKind]); 7] = [
    ("otp", &[CommandKind::Enroll, CommandKind::Challenge]),
    ("recovery-code", &[CommandKind::Enroll, CommandKind::Challenge]),
    ("email", &[CommandKind::Challenge]),
    ("push-notification", &[CommandKind::Enroll, CommandKind::Challenge]),
    ("phone", &[CommandKind::Enroll, CommandKind::Challenge]),
    ("webauthn-platform", &[CommandKind::Enroll, CommandKind::Challenge]),
    ("webauthn-roaming", &[CommandKind::Enroll, CommandKind::Challenge]),
];

/// Whether a factor takes an option in a command.
fn takes(factor: &str, command: CommandKind, key: &str, value: &Value) -> bool {
    match (factor, key) {
        ("push-notification", "otpFallback") => command == CommandKind::Challenge && value.is_boolean(),
        ("phone", "preferredMethod") => matches!(value.as_str(), Some("sms" | "voice" | "both")),
        _ => false,
    }
}

/// What stands against a flow as a whole.
pub(super) fn of_flow(policy: &TypedPolicy) -> Vec<Diagnostic> {
    let mut first: BTreeMap<String, &Step> = BTreeMap::new();
    let mut reports = Vec::new();
    for step in policy.steps.values() {
        let folded = step.name.to_ascii_lowercase();
        match first.get(&folded) {
            Some(other) => reports.push(
                Diagnostic::error(
                    Code::E0804,
                    step.declared,
                    format!(
                        "the Actions of `{}` and `{}` have one folder where case doesn't count",
                        other.name, step.name
                    ),
                )
                .label(other.declared, "the other step")
                .help("give one of the two another name"),
            ),
            None => {
                first.insert(folded, step);
            }
        }
    }
    reports
}

/// What stands against a step, as its code came out.
pub(super) fn of_step(
    policy: &TypedPolicy,
    id: StepId,
    variables: impl Iterator<Item = VariableId>,
    code: &str,
) -> Vec<Diagnostic> {
    let mut reports = Vec::new();
    let step = &policy.steps[id];
    commands(&step.body, &mut |command| {
        reports.extend(command.listed.iter().filter_map(|listed| of_factor(policy, command, listed)));
    });
    let asked = conditions(policy, step);
    reports.extend(foreign_factors(policy, &asked));
    reports.extend(variables.filter_map(|variable| of_fact(policy, variable)));
    reports.extend(of_metadata(policy, id, &asked));
    reports.extend(of_size(step, code));
    reports
}

fn of_factor(policy: &TypedPolicy, command: &Command, used: &FactorUse) -> Option<Diagnostic> {
    let factor = &policy.catalog.factors[used.factor];
    let (name, verb) = (&factor.name, command.kind.word());
    let report = |message: String| {
        Some(Diagnostic::error(Code::E0801, used.span, message).label(factor.declared, "declared here"))
    };
    let Some((_, commands)) = FACTORS.iter().find(|(known, _)| known == name) else {
        return report(format!("`{name}` is no factor of Auth0"));
    };
    if !commands.contains(&command.kind) {
        return report(format!("`{name}` can't stand in {verb} commands on Auth0"));
    }
    let options = used.options.iter().filter_map(|option| factor.options.get(*option));
    let unknown = options.flat_map(|option| option.json.iter().map(move |(key, value)| (option, key, value)));
    let (option, ..) = unknown.into_iter().find(|(_, key, value)| !takes(name, command.kind, key, value))?;
    report(format!("there is no option of Auth0 like `{}` for `{name}` in a {verb} command", option.name))
}

/// Factors of the policy's own that conditions ask about: on Auth0 nobody has them.
fn foreign_factors(policy: &TypedPolicy, asked: &BTreeSet<ConditionId>) -> Vec<Diagnostic> {
    let is_foreign = |name: &str| FACTORS.iter().all(|(known, _)| *known != name);
    let mut reports = Vec::new();
    for id in asked {
        let condition = &policy.conditions[*id];
        let factor = match &condition.kind {
            ConditionKind::Performed(factor, _) => Some(*factor),
            ConditionKind::Member(FactorSubject::Literal(factor), _) => Some(*factor),
            _ => None,
        };
        let factor = factor.map(|factor| &policy.catalog.factors[factor]);
        if let Some(factor) = factor.filter(|factor| is_foreign(&factor.name)) {
            let message = format!("`{}` is no factor of Auth0", factor.name);
            reports.push(
                Diagnostic::error(Code::E0801, condition.span, message)
                    .label(factor.declared, "declared here"),
            );
        }
    }
    reports
}

/// A fact on a path that Auth0's event does not have.
fn of_fact(policy: &TypedPolicy, variable: VariableId) -> Option<Diagnostic> {
    let row = &policy.variables[variable];
    if is_in_event(&row.path) {
        return None;
    }
    let declared = policy.facts.get(&row.name)?.declared;
    let path = path_text(&row.path);
    Some(match row.absence {
        Absence::Refused => Diagnostic::error(
            Code::E0802,
            declared,
            format!("`{path}` is not in Auth0's event, so no login could be read"),
        )
        .help("read it from `app_metadata` or `user_metadata`, or say what counts instead with `default`"),
        Absence::Default(_) | Absence::Tracked(_) => Diagnostic::warning(
            Code::W0805,
            declared,
            format!("`{path}` is not in Auth0's event, so `{}` is the same in every login", row.name),
        )
        .note("the event is that of the post-login trigger, version 3"),
    })
}

/// The paths of the event's typings.
const EVENT: &str = include_str!("event.txt");

fn is_in_event(path: &[Segment]) -> bool {
    EVENT.lines().filter(|line| !line.starts_with('#')).any(|known| leads_into(path, known))
}

/// Whether a path leads along a known one: to its end, to something on its way, or below its `*`.
fn leads_into(path: &[Segment], known: &str) -> bool {
    let mut known = known.split('.');
    for segment in path {
        let (key, is_list) = match known.next() {
            Some("*") => return true,
            Some(key) => (key.trim_end_matches("[]"), key.ends_with("[]")),
            None => return false,
        };
        if key != segment.key || (segment.each == Each::Element && !is_list) {
            return false;
        }
    }
    true
}

/// What was performed in this login passes from step to step through the transaction's metadata.
fn of_metadata(policy: &TypedPolicy, step: StepId, asked: &BTreeSet<ConditionId>) -> Option<Diagnostic> {
    let first = asked.iter().find(|id| asks_about_this_login(policy, **id))?;
    (step.as_u32() > 0).then(|| {
        Diagnostic::warning(
            Code::W0806,
            policy.conditions[*first].span,
            "this needs Auth0's transaction metadata, which a tenant may not have",
        )
        .note("without it, no factor counts as used in this login")
    })
}

fn asks_about_this_login(policy: &TypedPolicy, condition: ConditionId) -> bool {
    matches!(
        policy.conditions[condition].kind,
        ConditionKind::Performed(_, Window::ThisLogin) | ConditionKind::AnyPerformed(Window::ThisLogin)
    )
}

/// Whether a step asks what was performed in this login.
pub(super) fn needs_this_login(policy: &TypedPolicy, step: StepId) -> bool {
    conditions(policy, &policy.steps[step]).into_iter().any(|id| asks_about_this_login(policy, id))
}

fn of_size(step: &Step, code: &str) -> Option<Diagnostic> {
    if code.len() <= MAX_ACTION_BYTES {
        return None;
    }
    let message = format!(
        "the Action of `{}` would have {} kB of code, and Auth0 takes {} kB",
        step.name,
        code.len().div_ceil(1000),
        MAX_ACTION_BYTES / 1000
    );
    let report = Diagnostic::error(Code::E0803, step.declared, message)
        .help("split it into steps: `step a { … }`, then `step b { … }`")
        .note("what stands in the second step runs after the user has answered the first");
    Some(match middle(&step.body) {
        Some(middle) => report.label(middle, "half of the statements come before this one"),
        None => report,
    })
}

/// The statement before which half of a block's text stands.
fn middle(block: &Block) -> Option<Span> {
    let (first, last) = (block.first()?.span(), block.last()?.span());
    let half = first.start + (last.end.saturating_sub(first.start)) / 2;
    let second = block.iter().map(Statement::span).skip(1).find(|span| span.end > half)?;
    (second.file == first.file && first.file == last.file).then_some(second)
}

/// Every command of a block.
fn commands<'p>(block: &'p Block, take: &mut impl FnMut(&'p Command)) {
    for statement in block {
        match statement {
            Statement::Command(command) => take(command),
            Statement::Deny { .. } | Statement::Stop(_) => {}
            Statement::Applied { body, .. } => commands(body, take),
            Statement::Branch { branches, otherwise, .. } => {
                branches.iter().for_each(|(_, body)| commands(body, take));
                commands(otherwise, take);
            }
        }
    }
}

/// Every condition that a step asks, with its parts.
fn conditions(policy: &TypedPolicy, step: &Step) -> BTreeSet<ConditionId> {
    let mut waiting = step.asked();
    let mut asked = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !asked.insert(id) {
            continue;
        }
        match &policy.conditions[id].kind {
            ConditionKind::Not(inner) | ConditionKind::Initially(inner) => waiting.push(*inner),
            ConditionKind::All(parts) | ConditionKind::Any(parts) => waiting.extend(parts),
            _ => {}
        }
    }
    asked
}
