//! A million steps of random policies: a login never leaves the rules, and goes prompt by prompt as the plain reading
//! of its policy's text says.
//!
//! `STEPUP_CASES=5000 cargo test --release --test login` plays ten times as many policies, each for [`STEPS`] calls.

use std::collections::BTreeMap;

use jiff::Timestamp;
use stepup::backend::jit::{CodeMemory, JitCompiler};
use stepup::check::masks::{FactorMask, OTHER_FACTOR, bit, factors};
use stepup::check::policy::*;
use stepup::lower::lower;
use stepup::trace::{self, Event, FactValue, Refusal, Session, StepEnd};
use stepup::{
    AnswerError, Availability, FactorChoice, Facts, Failure, LogEntry, Login, Next, Policy, Prompt, Screen,
};

use crate::common::choices::Choices;
use crate::common::login::{self, Raw};
use crate::common::typed::{self, NOON, Size, Vocabulary};

/// How many calls advance logins of one policy.
const STEPS: usize = 2_000;
const MAX_COMMANDS: usize = 4;

/// Numbers that look random (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end
    }

    fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    fn one_of<'o, T>(&mut self, options: &'o [T]) -> &'o T {
        &options[self.below(options.len())]
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// A policy in both its forms, with what its logins may begin with.
struct Subject {
    /// Which of the random policies it is.
    name: String,
    typed: TypedPolicy,
    policy: Policy,
    people: Vec<(Facts, Event)>,
    browsers: Vec<(Availability, FactorMask)>,
}

impl Subject {
    fn random(name: String, random: &mut Random) -> Self {
        let size = Size { steps: 1 + random.below(4), depth: 1, block: 2, commands: 20 };
        let typed = typed::typed_policy_of(&mut Choices(&random.bytes(1_500)), size);
        let program = lower(&typed).expect("small policies stay within all bounds");
        let mut jit = JitCompiler::new(CodeMemory::new()).expect("this host has machine code");
        let native = jit.compile(&program).expect("the program is well formed");
        let policy = Policy::unproven(program, Some(native), &random.bytes(16));
        let vocabulary = typed::vocabulary();
        let people = (0..6).map(|_| person(&typed, &policy, &vocabulary, random)).collect();
        let browsers = (0..8).map(|_| browser(&typed, &policy, random)).collect();
        Subject { name, typed, policy, people, browsers }
    }
}

/// The facts of an event, and the same as plain values. What is enrolled, performed and the clock come later.
fn person(
    typed: &TypedPolicy,
    policy: &Policy,
    vocabulary: &Vocabulary,
    random: &mut Random,
) -> (Facts, Event) {
    let login = login::login(vocabulary, &mut Choices(&random.bytes(160)));
    let mut facts = policy.facts();
    facts.read_from(&login.event(vocabulary)).expect("the event fits the policy");
    let values = login.values.iter().filter_map(|(id, raw)| Some((*id, value(typed, *id, raw.as_ref())?)));
    let presences = typed.presences.keys().map(|id| (id, is_present(typed, &login, id)));
    let event = Event {
        variables: values.collect(),
        presences: presences.collect(),
        enrolled: 0,
        performed: Vec::new(),
        now: 0,
        supported: 0,
    };
    (facts, event)
}

fn value(typed: &TypedPolicy, id: VariableId, raw: Option<&Raw>) -> Option<FactValue> {
    let variable = &typed.variables[id];
    let factor = |name: &str| typed.catalog.find(name);
    let place = |text: &String, values: &[String]| {
        values.iter().position(|value| value == text).unwrap_or(values.len()) as i64
    };
    Some(match (raw, &variable.ty) {
        (None, _) => match &variable.absence {
            Absence::Default(value) => default(value),
            Absence::Refused | Absence::Tracked(_) => return None,
        },
        (Some(Raw::Text(name)), Type::Factor) => FactValue::Factor(factor(name)),
        (Some(Raw::Text(text)), Type::OpenEnum(values) | Type::OrderedEnum(values)) => {
            FactValue::Number(place(text, values))
        }
        (Some(Raw::Texts(names)), Type::FactorSet) => {
            let bits = names.iter().map(|name| factor(name).map_or(OTHER_FACTOR, bit));
            FactValue::FactorSet(bits.fold(0, |mask, bit| mask | bit))
        }
        (Some(Raw::Bool(value)), _) => FactValue::Bool(*value),
        (Some(Raw::Int(number) | Raw::Time(number)), _) => FactValue::Number(*number),
        (Some(Raw::Seconds(seconds)), _) => FactValue::Number(seconds * 1000),
        (Some(Raw::Text(text)), _) => FactValue::Text(text.clone()),
        (Some(Raw::Ip(address)), _) => FactValue::Ip(address.to_canonical()),
        (Some(Raw::Texts(texts)), _) => FactValue::TextList(texts.clone()),
    })
}

fn default(value: &Value) -> FactValue {
    match value {
        Value::Bool(value) => FactValue::Bool(*value),
        Value::Number(number) => FactValue::Number(*number),
        Value::Text(text) => FactValue::Text(text.clone()),
        Value::TextList(texts) => FactValue::TextList(texts.clone()),
        Value::Factor(factor) => FactValue::Factor(Some(*factor)),
        Value::Ip(_) | Value::FactorSet(_) => unreachable!("no fact of the vocabulary has such a default"),
    }
}

fn is_present(typed: &TypedPolicy, login: &login::Login, id: PresenceId) -> bool {
    let path = &typed.presences[id].path;
    match path.as_slice() {
        [only] if only.key == "organization" => login.has_organization,
        [only] if only.key == "authentication" => login.methods.is_some(),
        _ => {
            let keys = |path: &[Segment]| path.iter().map(|segment| segment.key.clone()).collect::<Vec<_>>();
            let mut variables = typed.variables.iter();
            let variable = variables.find(|(_, variable)| keys(&variable.path) == keys(path));
            variable.is_some_and(|(id, _)| login.values[&id].is_some())
        }
    }
}

/// What a tenant has enabled and a browser supports; often everything.
fn browser(typed: &TypedPolicy, policy: &Policy, random: &mut Random) -> (Availability, FactorMask) {
    let mut mask = || if random.one_in(4) { random.next() } else { u64::MAX };
    let (enabled, supported) = (mask(), mask());
    let names = |mask| {
        let names = factors(&typed.catalog, mask).map(|factor| typed.catalog.factors[factor].name.as_str());
        names.collect::<Vec<_>>()
    };
    let availability = policy.availability().enable_only(&names(enabled)).unwrap();
    (availability.support_only(&names(supported)).unwrap(), enabled & supported)
}

/// What the platform keeps of the user during one login.
struct World {
    person: usize,
    browser: usize,
    enrolled: FactorMask,
    performed: Vec<(FactorId, i64)>,
    now: i64,
}

impl World {
    fn random(subject: &Subject, random: &mut Random) -> Self {
        let known = subject.typed.catalog.factors.len();
        let ages = [0, 1, 4_999, 5_000, 60_000, 43_200_000];
        let before = (0..random.below(4)).map(|_| {
            let factor = FactorId::from_u32(random.below(known) as u32);
            (factor, NOON - random.one_of(&ages))
        });
        let performed = before.collect();
        let enrolled = match random.below(3) {
            0 => 0,
            _ => random.next() & ((1 << known) - 1) | if random.one_in(8) { OTHER_FACTOR } else { 0 },
        };
        World { person: random.below(6), browser: random.below(8), enrolled, performed, now: NOON }
    }

    /// Fills the facts as they stand now, and says the same as plain values.
    fn fill(&self, subject: &mut Subject) -> Event {
        let catalog = &subject.typed.catalog;
        let name = |factor: FactorId| catalog.factors[factor].name.as_str();
        let (facts, event) = &mut subject.people[self.person];
        let other = (self.enrolled & OTHER_FACTOR != 0).then_some("retired");
        facts.set_enrolled(&factors(catalog, self.enrolled).map(name).chain(other).collect::<Vec<_>>());
        let instant = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
        let performed: Vec<_> =
            self.performed.iter().map(|(id, stamp)| (name(*id), instant(*stamp))).collect();
        facts.set_performed(&performed);
        facts.set_now(instant(self.now));
        event.enrolled = self.enrolled;
        event.performed.clone_from(&self.performed);
        event.now = self.now;
        event.clone()
    }
}

/// A login as the plain reading of the policy has it.
struct Reference<'a> {
    typed: &'a TypedPolicy,
    session: Session,
    at: At<'a>,
}

enum At<'a> {
    Before(usize),
    Prompts { step: usize, event: Event, commands: Vec<trace::ExecutedCommand<'a>>, done: usize },
    Ended(Next<'a>),
}

impl<'a> Reference<'a> {
    fn new(typed: &'a TypedPolicy) -> Self {
        Reference { typed, session: Session::default(), at: At::Before(0) }
    }

    fn next(&mut self, event: &Event, available: FactorMask) -> Next<'a> {
        loop {
            match &mut self.at {
                At::Ended(end) => return end.clone(),
                At::Before(step) => {
                    let step = *step;
                    self.at = self.begin(step, event);
                }
                At::Prompts { step, commands, done, .. } if *done == commands.len() => {
                    let next = *step + 1;
                    let Some(step) = self.typed.steps.get(StepId::from_u32(next as u32)) else {
                        self.at = At::Ended(Next::Completed);
                        continue;
                    };
                    self.at = At::Before(next);
                    return Next::FreshFacts { step: &step.name };
                }
                At::Prompts { .. } => {
                    if let Some(prompt) = self.prompt(available) {
                        return Next::Prompt(prompt);
                    }
                }
            }
        }
    }

    fn begin(&mut self, number: usize, event: &Event) -> At<'a> {
        let step = &self.typed.steps[StepId::from_u32(number as u32)];
        for passed in &mut self.session.passed {
            let stamp = event.performed.iter().rev().find(|(factor, _)| *factor == passed.factor);
            passed.age = event.now - stamp.expect("the event has what was passed").1;
        }
        let run = self.session.run(self.typed, step, event);
        self.session.commands = (self.session.commands + run.commands.len()).min(MAX_COMMANDS);
        match run.end {
            StepEnd::LimitExceeded => At::Ended(Next::Failed(Failure::LimitExceeded)),
            StepEnd::Denied(span) => {
                let number = span.start;
                At::Ended(Next::Denied { reason: ["reason 0", "reason 1", "reason 2"][number as usize] })
            }
            StepEnd::Prompts => {
                At::Prompts { step: number, event: event.clone(), commands: run.commands, done: 0 }
            }
        }
    }

    /// The prompt that is due; without one the reference has gone on.
    fn prompt(&mut self, available: FactorMask) -> Option<Prompt<'a>> {
        let At::Prompts { step, event, commands, done, .. } = &mut self.at else { return None };
        event.supported = available;
        let executed = &commands[*done];
        let command = executed.command;
        match self.session.prompt(self.typed, command, &executed.offered, event) {
            trace::Prompt::Answered(_) | trace::Prompt::NothingLeft => {
                *done += 1;
                None
            }
            trace::Prompt::LoginFails(refusal) => {
                let entry = match refusal {
                    Refusal::NothingUsable => LogEntry::NothingUsable(command.kind),
                    Refusal::EnrollWithoutChallenge => LogEntry::EnrollWithoutChallenge,
                };
                self.at = At::Ended(Next::Failed(Failure::Logged(entry)));
                None
            }
            trace::Prompt::Choice(usable) => {
                let step = &self.typed.steps[StepId::from_u32(*step as u32)].name;
                Some(shown(self.typed, command, &executed.offered, &usable, step, *done))
            }
        }
    }

    fn passes(&mut self, factor: FactorId) {
        let At::Prompts { commands, done, .. } = &mut self.at else { unreachable!("a prompt is open") };
        self.session = self.session.passing(commands[*done].command, factor);
        *done += 1;
    }

    fn fails(&mut self, failure: Failure<'a>) {
        self.at = At::Ended(Next::Failed(failure));
    }
}

fn shown<'a>(
    typed: &'a TypedPolicy,
    command: &Command,
    offered: &[FactorId],
    usable: &[FactorId],
    step: &'a str,
    place: usize,
) -> Prompt<'a> {
    let is_preferred = command.style == Style::Preferred;
    let name = |factor: FactorId| typed.catalog.factors[factor].name.as_str();
    let choice = |factor: &FactorId| {
        let listed = command.listed.iter().filter(|listed| listed.factor == *factor);
        let options = &typed.catalog.factors[*factor].options;
        let pairs =
            listed.flat_map(|listed| &listed.options).flat_map(|option| options[*option].json.clone());
        FactorChoice { number: factor.as_u32() as u8, name: name(*factor), options: pairs.collect() }
    };
    Prompt {
        kind: command.kind,
        screen: match usable.len() {
            1 => Screen::Only,
            _ if is_preferred => Screen::DefaultFirst,
            _ => Screen::Picker,
        },
        factors: usable.iter().map(choice).collect(),
        log: (is_preferred && usable[0] != offered[0])
            .then(|| LogEntry::NotSetUp { kind: command.kind, factor: name(offered[0]) }),
        step,
        command: place,
    }
}

/// How often each thing was seen.
type Seen = BTreeMap<&'static str, usize>;

/// One login from its beginning to its end; says how many calls it took.
fn play(subject: &mut Subject, typed: &TypedPolicy, random: &mut Random, seen: &mut Seen) -> usize {
    let policy = subject.policy.clone();
    let mut world = World::random(subject, random);
    let mut login = policy.login();
    let mut reference = Reference::new(typed);
    let mut event = world.fill(subject);
    let mut calls = 0;
    // Each step may want fresh facts once and end once, each command may prompt once; the rest is what is asked twice.
    let mut bound = 2 * typed.steps.len() + 2 * MAX_COMMANDS + 2;
    loop {
        assert!(calls < bound, "a login of {calls} calls doesn't end");
        let (availability, available) = &subject.browsers[world.browser];
        let next = login.next(&subject.people[world.person].0, availability).unwrap();
        calls += 1;
        assert_eq!(
            next,
            reference.next(&event, *available),
            "{}: the login (left) and its text",
            subject.name
        );
        assert!(login.commands() <= MAX_COMMANDS);
        assert_eq!(login.commands(), reference.session.commands);
        *seen.entry(kind_of(&next)).or_default() += 1;
        login = pause(login, &policy, &next, random);
        match next {
            Next::Prompt(prompt) => {
                stays_within_the_rules(&prompt, &world, *available, &reference.session, typed);
                if random.one_in(10) {
                    world.browser = random.below(8);
                    bound += 1;
                    continue;
                }
                calls += 1;
                answer(&prompt, &mut login, &mut reference, &mut world, random);
            }
            Next::FreshFacts { .. } => {
                if random.one_in(4) {
                    world.person = random.below(6);
                }
                event = world.fill(subject);
            }
            Next::Completed | Next::Denied { .. } | Next::Failed(_) => return calls,
        }
    }
}

fn kind_of(next: &Next<'_>) -> &'static str {
    match next {
        Next::Prompt(prompt) => match (prompt.kind, prompt.log) {
            (CommandKind::Enroll, None) => "an enrollment",
            (CommandKind::Enroll, Some(_)) => "an enrollment with a warning",
            (CommandKind::Challenge, None) => "a challenge",
            (CommandKind::Challenge, Some(_)) => "a challenge with a warning",
        },
        Next::FreshFacts { .. } => "fresh facts",
        Next::Completed => "completed",
        Next::Denied { .. } => "denied",
        Next::Failed(Failure::Logged(LogEntry::EnrollWithoutChallenge)) => {
            "an enrollment without a challenge"
        }
        Next::Failed(Failure::Logged(_)) => "nothing usable",
        Next::Failed(Failure::LimitExceeded) => "a fifth command",
        Next::Failed(Failure::PromptFailed | Failure::Abandoned) => "not passed",
    }
}

/// Sometimes the login moves elsewhere, and sometimes an answer comes that doesn't fit.
fn pause<'p>(mut login: Login<'p>, policy: &'p Policy, next: &Next<'_>, random: &mut Random) -> Login<'p> {
    if random.one_in(8) {
        let before = login.save();
        match next {
            Next::Prompt(prompt) => {
                let mut others = ["otp", "phone", "email", "webauthn-roaming", "duo"].into_iter();
                let other = others.find(|name| prompt.factors.iter().all(|factor| factor.name != *name));
                let wrong = login.completed(other.unwrap()).unwrap_err();
                assert!(matches!(wrong, AnswerError::NotOffered { .. }));
            }
            _ => {
                let answer =
                    [Login::failed, Login::abandoned, |login: &mut Login<'_>| login.completed("otp")];
                assert_eq!(random.one_of(&answer)(&mut login), Err(AnswerError::NoPrompt));
            }
        }
        assert_eq!(login.save(), before, "a wrong answer changes a login");
    }
    if random.one_in(4) {
        let bytes = postcard::to_allocvec(&login).unwrap();
        return policy.resume(postcard::from_bytes(&bytes).unwrap()).unwrap();
    }
    login
}

/// What holds at every prompt, said again without the reference's rules.
fn stays_within_the_rules(
    prompt: &Prompt<'_>,
    world: &World,
    available: FactorMask,
    session: &Session,
    typed: &TypedPolicy,
) {
    assert!(!prompt.factors.is_empty());
    for factor in &prompt.factors {
        let id = typed.catalog.find(factor.name).expect("a factor of the catalog");
        let is_enrolled = world.enrolled & bit(id) != 0;
        assert!(available & bit(id) != 0, "`{}` is offered, which is not available", factor.name);
        assert_eq!(is_enrolled, prompt.kind == CommandKind::Challenge, "`{}` at {prompt:?}", factor.name);
        assert!(typed.catalog.factors[id].allows(prompt.kind));
        let is_passed = session.passed.iter().any(|passed| passed.factor == id);
        assert!(!is_passed, "`{}` was passed before", factor.name);
    }
    if prompt.kind == CommandKind::Enroll && world.enrolled != 0 {
        assert!(!session.passed.is_empty(), "an enrollment without a challenge");
    }
}

fn answer<'a>(
    prompt: &Prompt<'_>,
    login: &mut Login<'_>,
    reference: &mut Reference<'a>,
    world: &mut World,
    random: &mut Random,
) {
    match random.below(20) {
        0 => {
            login.failed().unwrap();
            reference.fails(Failure::PromptFailed);
        }
        1 => {
            login.abandoned().unwrap();
            reference.fails(Failure::Abandoned);
        }
        _ => {
            let chosen = random.one_of(&prompt.factors);
            login.completed(chosen.name).unwrap();
            let factor = FactorId::from_u32(chosen.number.into());
            reference.passes(factor);
            world.now += random.one_of(&[0, 1, 1_000, 4_999, 5_000, 60_000]);
            world.enrolled |= bit(factor);
            world.performed.push((factor, world.now));
            world.now += random.one_of(&[0, 1, 1_000, 5_000]);
        }
    }
}

/// Plays policies of one sequence of random numbers.
fn play_many(seed: u64, policies: usize) -> (usize, Seen) {
    let mut seen = Seen::new();
    let mut steps = 0;
    for number in 0..policies {
        let mut random = Random(seed << 32 | number as u64);
        let mut subject = Subject::random(format!("policy {number} of seed {seed}"), &mut random);
        let typed = subject.typed.clone();
        let mut calls = 0;
        while calls < STEPS {
            calls += play(&mut subject, &typed, &mut random, &mut seen);
        }
        steps += calls;
    }
    (steps, seen)
}

#[test]
fn a_million_steps_of_random_policies_never_leave_the_rules() {
    let cases = std::env::var("STEPUP_CASES").ok().and_then(|cases| cases.parse().ok());
    let policies: usize = cases.unwrap_or(500);
    let halves = std::thread::scope(|scope| {
        let players = [1, 2].map(|seed| scope.spawn(move || play_many(seed, policies.div_ceil(2))));
        players.map(|player| player.join().expect("the login keeps to the rules"))
    });
    let steps: usize = halves.iter().map(|(steps, _)| steps).sum();
    let mut seen = Seen::new();
    for (kind, count) in halves.iter().flat_map(|(_, seen)| seen) {
        *seen.entry(kind).or_default() += count;
    }
    println!("{steps} steps: {seen:#?}");
    let kinds =
        ["an enrollment without a challenge", "nothing usable", "a fifth command", "not passed", "denied"];
    for kind in
        kinds.into_iter().chain(["an enrollment with a warning", "a challenge with a warning", "fresh facts"])
    {
        let count = seen.get(kind).copied().unwrap_or(0);
        assert!(count * 2_000 >= steps, "{kind}: seen {count} times in {steps} steps");
    }
}
