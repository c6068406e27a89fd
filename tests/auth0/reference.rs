//! What the policy decides for an event, and so what the Action of a step has to call.
//!
//! Three readers of the policy say it: its plain reading, which also knows the commands before a denial, the interpreter,
//! and machine code. An Action reads what its own step reads, so each step is judged by a flow of that step alone.

use cranelift_entity::PrimaryMap;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use stepup::backend::auth0::UNREADABLE;
use stepup::check::policy::{Command, CommandKind, FactorId, StepId, Style, TypedPolicy};
use stepup::lower::layout::EnrolledFor;
use stepup::lower::lower;
use stepup::lower::paths::{PathNode, PathTree};
use stepup::trace::{ExecutedCommand, Passed, Session, StepEnd, StepRun};
use stepup::{Compiled, Decision, Policy, play};

use super::case::denial;

/// A factor that was passed in this login: its name, and when.
pub(crate) type Stamp = (String, i64);

/// The steps of a flow, each alone, and the flow on machine code.
pub(crate) struct Reference<'p> {
    steps: Vec<Alone>,
    flow: &'p Policy,
}

/// A flow of one step.
struct Alone {
    typed: TypedPolicy,
    policy: Policy,
}

/// The step of a flow of one.
const ONLY: u32 = 0;

impl<'p> Reference<'p> {
    pub(crate) fn of(compiled: &'p Compiled) -> Self {
        let steps = compiled.typed.steps.values().map(|step| {
            let mut only = PrimaryMap::new();
            only.push(step.clone());
            let typed = TypedPolicy { steps: only, ..compiled.typed.clone() };
            let program = lower(&typed).expect("a part of a policy within all bounds");
            Alone { typed, policy: Policy::unproven(program, None, b"one step") }
        });
        Reference { steps: steps.collect(), flow: &compiled.policy }
    }

    /// The calls that a step makes of an event, when these factors were passed before it.
    pub(crate) fn calls(&self, step: usize, event: &Json, now: i64, passed: &[Stamp]) -> Vec<Json> {
        let Some((calls, decided)) = self.steps[step].decide(event, now, passed) else {
            return vec![denial(UNREADABLE)];
        };
        if let Some(native) = decide(self.flow, step, event, now, passed) {
            assert_eq!(native, decided, "machine code (left) decides otherwise\n{event:#}");
        }
        calls
    }
}

impl Alone {
    /// The calls, and the decision as it serializes; nothing where the event can't be read.
    fn decide(&self, event: &Json, now: i64, passed: &[Stamp]) -> Option<(Vec<Json>, Json)> {
        let event = &self.as_far_as_read(event);
        let decided = decide(&self.policy, 0, event, now, passed)?;
        let at = Timestamp::from_millisecond(now).unwrap();
        let text = event.to_string();
        let world = play::read_event(&self.typed, &self.policy, text.as_bytes(), at);
        let world = world.expect("the facts have read it");
        let known = passed.iter().filter_map(|(name, at)| Some((self.typed.catalog.find(name)?, now - at)));
        let passed = known.map(|(factor, age)| Passed { factor, age }).collect();
        let session = Session { passed, ..Session::default() };
        let run = session.run(&self.typed, &self.typed.steps[StepId::from_u32(ONLY)], &world.event);
        let calls = calls_of(&self.typed, &run);
        let mut shown = json!({"step": decided["step"], "commands": calls, "denied": null});
        if let StepEnd::Denied(span) = run.end {
            let reason = self.typed.reason_at(span);
            shown = json!({"step": decided["step"], "commands": [], "denied": reason});
        }
        assert_eq!(decided, shown, "the plain reading (right) decides otherwise\n{event:#}");
        Some((calls_and_end(&self.typed, &run), decided))
    }
}

impl Alone {
    /// The library reads what is enrolled for its prompts too; an Action of commands alone doesn't.
    fn as_far_as_read(&self, event: &Json) -> Json {
        let mut event = event.clone();
        let layout = &self.policy.interface().layout;
        if layout.enrolled_for == EnrolledFor::Deciding {
            return event;
        }
        let user = layout.paths.node(PathTree::ROOT).key("user").map(|user| layout.paths.node(user));
        let reads_more = |user: PathNode<'_>| {
            let enrolled = usize::from(user.key("enrolledFactors").is_some());
            user.consumers().next().is_some() || user.parts().len() > enrolled
        };
        if let Some(user) = event["user"].as_object_mut() {
            user.remove("enrolledFactors");
        } else if !user.is_some_and(reads_more) {
            event["user"] = json!({});
        }
        event
    }
}

/// The commands that a step executed, then the denial that ended it, if one did.
pub(crate) fn calls_and_end(typed: &TypedPolicy, run: &StepRun<'_>) -> Vec<Json> {
    let mut calls = calls_of(typed, run);
    if let StepEnd::Denied(span) = run.end {
        calls.push(denial(typed.reason_at(span)));
    }
    calls
}

/// What a policy's step decides, as it serializes; nothing where the policy can't read the event.
fn decide(policy: &Policy, step: usize, event: &Json, now: i64, passed: &[Stamp]) -> Option<Json> {
    let mut facts = policy.facts();
    facts.read_json(event.to_string().as_bytes()).ok()?;
    facts.set_now(Timestamp::from_millisecond(now).unwrap());
    facts.set_performed_in_login(&passed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
    let step = policy.steps().nth(step).expect("a step of the flow");
    let decision: Decision<'_> = step.decide(&facts).expect("four commands at most");
    Some(serde_json::to_value(decision).unwrap())
}

fn calls_of(typed: &TypedPolicy, run: &StepRun<'_>) -> Vec<Json> {
    run.commands.iter().map(|executed| call_of(typed, executed)).collect()
}

fn call_of(typed: &TypedPolicy, executed: &ExecutedCommand<'_>) -> Json {
    let ExecutedCommand { command, offered } = executed;
    let factors: Vec<Json> = offered.iter().map(|factor| choice(typed, command, *factor)).collect();
    let (verb, style) = (command.kind, command.style);
    match (verb, style) {
        (CommandKind::Enroll, Style::Any) => json!({"command": "enrollWithAny", "factors": factors}),
        (CommandKind::Challenge, Style::Any) => json!({"command": "challengeWithAny", "factors": factors}),
        (CommandKind::Enroll, Style::Preferred) => preferred("enrollWith", &factors),
        (CommandKind::Challenge, Style::Preferred) => preferred("challengeWith", &factors),
    }
}

fn preferred(command: &str, factors: &[Json]) -> Json {
    json!({"command": command, "factor": factors[0], "additionalFactors": factors[1..]})
}

fn choice(typed: &TypedPolicy, command: &Command, factor: FactorId) -> Json {
    let row = &typed.catalog.factors[factor];
    let listed = command.listed.iter().find(|listed| listed.factor == factor);
    let chosen = listed.into_iter().flat_map(|listed| &listed.options);
    let options: Map<String, Json> = chosen.flat_map(|option| row.options[*option].json.clone()).collect();
    match options.is_empty() {
        true => json!({"type": row.name}),
        false => json!({"type": row.name, "options": options}),
    }
}
