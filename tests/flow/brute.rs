//! Playing all logins of a small flow, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use stepup::check::policy::*;
use stepup::flow::{Login, Outcome};
use stepup::source::Span;
use stepup::trace::{FactValue, Passed};

use super::generate::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const OTHER: u64 = 1 << 63;

/// What was seen.
#[derive(Default)]
pub(crate) struct Played {
    pub(crate) fifth: bool,
    /// For each test, whether it was seen to hold, and not to hold.
    pub(crate) answers: BTreeMap<Span, (bool, bool)>,
    pub(crate) reached: BTreeSet<Span>,
    /// Steps that a login began, by position.
    pub(crate) begun: BTreeSet<u32>,
    /// Denials after commands of their step.
    pub(crate) lost: BTreeSet<Span>,
    pub(crate) logins: u64,
}

/// The facts of one login.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) values: BTreeMap<u32, FactValue>,
    pub(crate) org: bool,
    pub(crate) has_email: bool,
    pub(crate) enrolled: u64,
    pub(crate) stamps: Vec<(u32, i64)>,
    pub(crate) now: i64,
}

#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Session {
    enrolled: u64,
    /// Factors passed, with the number of windows that have run out for each.
    passed: Vec<(u32, usize)>,
    used: usize,
}

/// Plays every login.
pub(crate) fn play(flow: &Flow) -> Played {
    let mut player =
        Player { policy: &flow.policy, windows: windows(&flow.policy), played: Played::default() };
    for facts in valuations(flow) {
        player.played.logins += 1;
        let mut known = BTreeSet::new();
        player.step(&facts, 0, Session::default(), &mut known);
    }
    player.played
}

/// The lengths of all windows, shortest first.
fn windows(policy: &TypedPolicy) -> Vec<i64> {
    let lengths = policy.conditions.values().filter_map(|condition| match condition.kind {
        ConditionKind::Performed(_, Window::Within(length))
        | ConditionKind::AnyPerformed(Window::Within(length)) => Some(length),
        _ => None,
    });
    lengths.filter(|length| *length > 0).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The outermost statements that no login reached: the first of each block, and the first step that none begins.
pub(crate) fn unreached(policy: &TypedPolicy, played: &Played) -> BTreeSet<Span> {
    let mut found = BTreeSet::new();
    for (id, step) in &policy.steps {
        if !played.begun.contains(&id.as_u32()) {
            found.insert(step.declared);
            break;
        }
        let mut blocks = vec![&step.body];
        while let Some(block) = blocks.pop() {
            for statement in block {
                let (span, inner): (Span, Vec<&Block>) = match statement {
                    Statement::Command(command) => (command.span, vec![]),
                    Statement::Deny { span, .. } | Statement::Stop(span) => (*span, vec![]),
                    Statement::Applied { body, span } => (*span, vec![body]),
                    Statement::Branch { branches, otherwise, span } => {
                        (*span, branches.iter().map(|(_, body)| body).chain([otherwise]).collect())
                    }
                };
                if !played.reached.contains(&span) {
                    found.insert(span);
                    break;
                }
                blocks.extend(inner);
            }
        }
    }
    found
}

struct Player<'a> {
    policy: &'a TypedPolicy,
    windows: Vec<i64>,
    played: Played,
}

enum Flowing {
    On,
    Stopped,
    Denied,
    Fifth,
}

struct Run<'a, 'p> {
    player: &'p mut Player<'a>,
    facts: &'p Facts,
    session: &'p Session,
    executed: Vec<&'a Command>,
}

impl<'a> Player<'a> {
    fn step(
        &mut self,
        facts: &Facts,
        number: usize,
        session: Session,
        known: &mut BTreeSet<(usize, Session)>,
    ) {
        let policy = self.policy;
        let Some(step) = policy.steps.values().nth(number) else { return };
        self.played.begun.insert(number as u32);
        for session in aged(&session, self.windows.len()) {
            if !known.insert((number, session.clone())) {
                continue;
            }
            let mut run = Run { player: self, facts, session: &session, executed: Vec::new() };
            let flowing = run.block(&step.body);
            let commands = run.executed;
            match flowing {
                Flowing::Fifth => self.played.fifth = true,
                Flowing::Denied => {}
                Flowing::On | Flowing::Stopped => {
                    let offers: Vec<_> =
                        commands.iter().map(|command| offered(policy, facts, &session, command)).collect();
                    let used = Session { used: session.used + commands.len(), ..session.clone() };
                    let mut ends = vec![used];
                    for (command, offer) in commands.iter().zip(&offers) {
                        ends = ends
                            .iter()
                            .flat_map(|session| prompt(policy, facts, session, command, offer))
                            .collect();
                    }
                    for end in ends {
                        self.step(facts, number + 1, end, known);
                    }
                }
            }
        }
    }
}

/// Every way in which windows over passed factors may have run out when the next step begins.
fn aged(session: &Session, windows: usize) -> Vec<Session> {
    let mut found = vec![session.clone()];
    let count = session.passed.len();
    for place in 0..count.saturating_sub(1) {
        found = found
            .into_iter()
            .flat_map(|session| {
                let least = session.passed[place].1;
                (least..=windows).map(move |age| {
                    let mut next = session.clone();
                    next.passed[place].1 = age;
                    next
                })
            })
            .collect();
    }
    found.retain(|session| session.passed.windows(2).all(|pair| pair[0].1 >= pair[1].1));
    found
}

fn prompt(
    policy: &TypedPolicy,
    facts: &Facts,
    session: &Session,
    command: &Command,
    offer: &[u32],
) -> Vec<Session> {
    let enrolled = facts.enrolled | session.enrolled;
    let has = |factor: &u32| enrolled >> factor & 1 == 1;
    let is_on = |factor: &u32| policy.enabled >> factor & 1 == 1;
    let pass = |factor: u32| {
        let mut next = session.clone();
        next.passed.push((factor, 0));
        if command.kind == CommandKind::Enroll {
            next.enrolled |= 1 << factor;
        }
        next
    };
    if command.kind == CommandKind::Challenge {
        if offer.iter().any(|factor| session.passed.iter().any(|(passed, _)| passed == factor)) {
            return vec![session.clone()];
        }
        return offer.iter().copied().filter(has).filter(is_on).map(pass).collect();
    }
    if command.style == Style::Any && offer.iter().all(has) {
        return vec![session.clone()];
    }
    let usable: Vec<u32> = offer.iter().copied().filter(|factor| !has(factor) && is_on(factor)).collect();
    if enrolled != 0 && session.passed.is_empty() {
        return vec![];
    }
    usable.into_iter().map(pass).collect()
}

fn offered(policy: &TypedPolicy, facts: &Facts, session: &Session, command: &Command) -> Vec<u32> {
    let mut offer: Vec<u32> = command.listed.iter().map(|listed| listed.factor.as_u32()).collect();
    if let Some(set) = &command.rest {
        let members = set_members(facts, session, set);
        for (factor, row) in &policy.catalog.factors {
            let number = factor.as_u32();
            if members >> number & 1 == 1 && row.commands.contains(&command.kind) && !offer.contains(&number)
            {
                offer.push(number);
            }
        }
    }
    offer
}

fn set_members(facts: &Facts, session: &Session, set: &Set) -> u64 {
    let inner = |set: &Set| set_members(facts, session, set);
    match set {
        Set::Enrolled => facts.enrolled | session.enrolled,
        Set::Performed => {
            let before = facts.stamps.iter().map(|(factor, _)| *factor);
            before
                .chain(session.passed.iter().map(|(factor, _)| *factor))
                .fold(0, |mask, factor| mask | 1 << factor)
        }
        Set::Variable(variable) => match facts.values.get(&variable.as_u32()) {
            Some(FactValue::FactorSet(mask)) => *mask,
            _ => 0,
        },
        Set::Literal(list) => list.iter().fold(0, |mask, factor| mask | 1 << factor.as_u32()),
        Set::Intersect(a, b) => inner(a) & inner(b),
        Set::Union(a, b) => inner(a) | inner(b),
        Set::Except(a, b) => inner(a) & !inner(b),
        Set::IfPresent { .. } => unreachable!("not generated"),
    }
}

impl<'a> Run<'a, '_> {
    fn block(&mut self, block: &'a [Statement]) -> Flowing {
        for statement in block {
            match self.statement(statement) {
                Flowing::On => {}
                end => return end,
            }
        }
        Flowing::On
    }

    fn statement(&mut self, statement: &'a Statement) -> Flowing {
        match statement {
            Statement::Command(command) => {
                self.player.played.reached.insert(command.span);
                if self.session.used + self.executed.len() == 4 {
                    return Flowing::Fifth;
                }
                self.executed.push(command);
                Flowing::On
            }
            Statement::Deny { span, .. } => {
                self.player.played.reached.insert(*span);
                if !self.executed.is_empty() {
                    self.player.played.lost.insert(*span);
                }
                Flowing::Denied
            }
            Statement::Stop(span) => {
                self.player.played.reached.insert(*span);
                Flowing::Stopped
            }
            Statement::Applied { body, span } => {
                self.player.played.reached.insert(*span);
                self.block(body)
            }
            Statement::Branch { branches, otherwise, span } => {
                self.player.played.reached.insert(*span);
                for (condition, body) in branches {
                    if self.holds(*condition) {
                        return self.block(body);
                    }
                }
                self.block(otherwise)
            }
        }
    }

    fn holds(&mut self, id: ConditionId) -> bool {
        let policy = self.player.policy;
        let condition = &policy.conditions[id];
        let answer = match &condition.kind {
            ConditionKind::Not(part) => return !self.holds(*part),
            ConditionKind::All(parts) => return parts.iter().all(|part| self.holds(*part)),
            ConditionKind::Any(parts) => return parts.iter().any(|part| self.holds(*part)),
            test => holds(policy, &self.player.windows, self.facts, self.session, test),
        };
        let seen = self.player.played.answers.entry(condition.span).or_default();
        seen.0 |= answer;
        seen.1 |= !answer;
        answer
    }
}

fn holds(
    policy: &TypedPolicy,
    windows: &[i64],
    facts: &Facts,
    session: &Session,
    test: &ConditionKind,
) -> bool {
    let value = |variable: &VariableId| facts.values.get(&variable.as_u32());
    let performed = |factor: u32, window: Window| {
        let here = session.passed.iter().find(|(passed, _)| *passed == factor);
        let before =
            facts.stamps.iter().filter(|(other, _)| *other == factor).map(|(_, stamp)| facts.now - stamp);
        match (window, here) {
            (Window::ThisLogin, here) => here.is_some(),
            (Window::Ever, here) => here.is_some() || before.count() > 0,
            (Window::Within(length), Some((_, out))) => {
                length > 0
                    && windows.iter().position(|window| *window == length).is_some_and(|place| place >= *out)
            }
            (Window::Within(length), None) => before.min().is_some_and(|age| age < length),
        }
    };
    let last = || {
        let mut best: Option<(u32, i64)> = None;
        for (factor, stamp) in &facts.stamps {
            if best.is_none_or(|(_, latest)| *stamp >= latest) {
                best = Some((*factor, *stamp));
            }
        }
        session.passed.last().map(|(factor, _)| *factor).or(best.map(|(factor, _)| factor))
    };
    match test {
        ConditionKind::Bool(variable) => value(variable) == Some(&FactValue::Bool(true)),
        ConditionKind::Present(Guard::Path(presence)) => {
            if presence.as_u32() == ORG {
                facts.org
            } else {
                facts.has_email
            }
        }
        ConditionKind::Present(Guard::LastPerformed) => last().is_some(),
        ConditionKind::Present(Guard::Domain(variable)) => {
            matches!(value(variable), Some(FactValue::Text(text)) if text.contains('@'))
        }
        ConditionKind::Text(subject, test) => match value(&subject.variable) {
            Some(FactValue::Text(text)) => text_holds(text, subject.view, test),
            _ => false,
        },
        ConditionKind::SameText(a, b) => value(a).is_some() && value(a) == value(b),
        ConditionKind::Compare(number, comparison, constant) => {
            comparison.holds(number_of(facts, session, number), *constant)
        }
        ConditionKind::OneOf(number, constants) => constants.contains(&number_of(facts, session, number)),
        ConditionKind::InPrefixes(variable, prefixes) => match value(variable) {
            Some(FactValue::Ip(address)) => prefixes.iter().any(|prefix| prefix.contains(address)),
            _ => false,
        },
        ConditionKind::List(variable, test) => {
            let Some(FactValue::TextList(list)) = value(variable) else { return false };
            match test {
                ListTest::Empty => list.is_empty(),
                ListTest::ContainsAny(texts) => texts.iter().any(|text| list.contains(text)),
                ListTest::ContainsAll(texts) => texts.iter().all(|text| list.contains(text)),
            }
        }
        ConditionKind::Member(subject, set) => {
            let factor = match subject {
                FactorSubject::Literal(factor) => Some(factor.as_u32()),
                FactorSubject::LastPerformed => last(),
                FactorSubject::Variable(variable) => match value(variable) {
                    Some(FactValue::Factor(factor)) => factor.map(FactorId::as_u32),
                    _ => None,
                },
            };
            factor.is_some_and(|factor| set_members(facts, session, set) >> factor & 1 == 1)
        }
        ConditionKind::EmptySet(set) => set_members(facts, session, set) == 0,
        ConditionKind::Performed(factor, window) => performed(factor.as_u32(), *window),
        ConditionKind::AnyPerformed(window) => {
            (0..policy.catalog.factors.len() as u32).any(|factor| performed(factor, *window))
        }
        _ => unreachable!("not a test"),
    }
}

fn text_holds(text: &str, view: View, test: &TextTest) -> bool {
    let seen = match view {
        View::Whole => text.to_owned(),
        View::Lower => text.to_ascii_lowercase(),
        View::Domain => match text.rsplit_once('@') {
            Some((_, domain)) => domain.to_ascii_lowercase(),
            None => return false,
        },
    };
    match test {
        TextTest::OneOf(texts) => texts.contains(&seen),
        TextTest::StartsWith(part) => seen.starts_with(part.as_str()),
        TextTest::EndsWith(part) => seen.ends_with(part.as_str()),
        TextTest::Contains(part) => seen.contains(part.as_str()),
    }
}

fn number_of(facts: &Facts, session: &Session, number: &Number) -> i64 {
    let plain = |variable: &VariableId| match facts.values.get(&variable.as_u32()) {
        Some(FactValue::Number(number)) => *number,
        other => panic!("{variable} holds {other:?}"),
    };
    let moment = |moment: &Moment| match moment {
        Moment::Now => facts.now,
        Moment::Variable(variable) => plain(variable),
    };
    match number {
        Number::Variable(variable) => plain(variable),
        Number::Now => facts.now,
        Number::Age(variable) => facts.now - plain(variable),
        // SATURDAY is the fifth day of a week that begins on a Monday.
        Number::Weekday(of) => ((moment(of) - SATURDAY).div_euclid(DAY) + 5).rem_euclid(7),
        Number::Hour(of) => (moment(of) - SATURDAY).rem_euclid(DAY) / HOUR,
        Number::Count(set) => i64::from(set_members(facts, session, set).count_ones()),
        Number::Prompts | Number::Commands => unreachable!("not generated"),
    }
}

/// The facts that a topic varies: partial valuations.
type Part = Vec<(u32, FactValue)>;

/// Facts that between them show every combination of answers that the tests can have.
pub(crate) fn valuations(flow: &Flow) -> Vec<Facts> {
    let base = Facts {
        values: BTreeMap::new(),
        org: true,
        has_email: true,
        enrolled: 0,
        stamps: Vec::new(),
        now: SATURDAY + 12 * HOUR,
    };
    let mut all = vec![base];
    for topic in &flow.topics {
        all = all.iter().flat_map(|facts| varied(flow, *topic, facts)).collect();
    }
    let implicit = flow.policy.catalog.factors[FactorId::from_u32(MAIL)].has(Trait::Implicit);
    let reads_email = flow.topics.contains(&Topic::Email);
    let mut enrolled = Vec::new();
    for facts in all {
        for mask in 0..16u64 {
            let mask = (mask & 7) | if mask & 8 != 0 { OTHER } else { 0 };
            let verified = facts.values.get(&VERIFIED) == Some(&FactValue::Bool(true)) && facts.has_email;
            if !(implicit && reads_email) || (mask >> MAIL & 1 == 1) == verified {
                enrolled.push(Facts { enrolled: mask, ..facts.clone() });
            }
        }
    }
    enrolled
}

fn with(facts: &Facts, part: Part) -> Facts {
    let mut facts = facts.clone();
    facts.values.extend(part);
    facts
}

fn varied(flow: &Flow, topic: Topic, facts: &Facts) -> Vec<Facts> {
    let bools = || [false, true].map(FactValue::Bool);
    let numbers = |list: &[i64]| -> Vec<FactValue> {
        let near = list.iter().flat_map(|n| [n - 1, *n, n + 1]).collect::<BTreeSet<_>>();
        near.into_iter().map(FactValue::Number).collect()
    };
    let each = |variable: u32, values: Vec<FactValue>| -> Vec<Facts> {
        values.into_iter().map(|value| with(facts, vec![(variable, value)])).collect()
    };
    match topic {
        Topic::Flag => each(FLAG, bools().to_vec()),
        Topic::Count => each(COUNT, numbers(&[0, 3, 4, -7])),
        Topic::Organization => organizations(facts),
        Topic::Email => emails(flow, facts),
        Topic::Name => {
            let texts = texts(flow, &[NAME], 1).into_iter().map(FactValue::Text).collect();
            each(NAME, texts)
        }
        Topic::SameNames => same_names(flow, facts),
        Topic::Risk => each(RISK, [0, 1, 2].map(FactValue::Number).to_vec()),
        Topic::Created => {
            let near = |list: Vec<i64>| list.into_iter().flat_map(|n| [n - 1, n, n + 1]).collect::<Vec<_>>();
            let points = near(vec![SATURDAY, SATURDAY + 5_000]);
            let nows =
                near(points.iter().flat_map(|at| AGES.map(|age| at + age)).chain(points.clone()).collect());
            times(flow, facts, &nows, &points)
        }
        Topic::Calendar => {
            let hours = [0, 1, 12, 23];
            let points: Vec<i64> = (-7..8)
                .flat_map(|day| hours.map(|hour| SATURDAY + day * DAY + hour * HOUR))
                .flat_map(|at| [at - 1, at])
                .chain([SATURDAY + 4_999, SATURDAY + 5_000])
                .collect();
            let nows =
                points.iter().flat_map(|at| AGES.map(|age| at + age)).flat_map(|at| [at - 1, at, at + 1]);
            let nows: Vec<i64> = nows.chain(points.clone()).collect();
            times(flow, facts, &nows, &points)
        }
        Topic::Roles => {
            let lists = (0..16).map(|mask| {
                let texts =
                    ["a", "b", "c", "other"].iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
                FactValue::TextList(texts.map(|(_, text)| (*text).to_owned()).collect())
            });
            each(ROLES, lists.collect())
        }
        Topic::Allowed => {
            let masks =
                (0..16u64).map(|mask| FactValue::FactorSet((mask & 7) | if mask > 7 { OTHER } else { 0 }));
            each(ALLOWED, masks.collect())
        }
        Topic::Address => {
            let list = ["10.0.0.1", "10.1.0.1", "10.200.0.1", "11.0.0.1", "2001:db8::1", "2002::1"];
            each(ADDRESS, list.map(|text| FactValue::Ip(text.parse::<IpAddr>().unwrap())).to_vec())
        }
        Topic::Preferred => {
            let factors = [Some(OTP), Some(KEY), Some(MAIL), None];
            each(PREFERRED, factors.map(|factor| FactValue::Factor(factor.map(FactorId::from_u32))).to_vec())
        }
        Topic::Performed => stamps(facts, false),
        Topic::Last => stamps(facts, true),
    }
}

fn organizations(facts: &Facts) -> Vec<Facts> {
    let mut all = vec![Facts { org: false, ..with(facts, vec![(ORG_LEVEL, FactValue::Number(2))]) }];
    for flag in [false, true] {
        for level in 0..5 {
            all.push(with(
                facts,
                vec![(ORG_FLAG, FactValue::Bool(flag)), (ORG_LEVEL, FactValue::Number(level))],
            ));
        }
    }
    all
}

fn emails(flow: &Flow, facts: &Facts) -> Vec<Facts> {
    let mut all = Vec::new();
    for verified in [false, true].map(FactValue::Bool) {
        all.push(Facts { has_email: false, ..with(facts, vec![(VERIFIED, verified.clone())]) });
        for text in texts(flow, &[EMAIL], 1) {
            all.push(with(facts, vec![(VERIFIED, verified.clone()), (EMAIL, FactValue::Text(text))]));
        }
    }
    all
}

/// For each combination of answers to the tests of some strings, `count` texts that give it.
fn texts(flow: &Flow, variables: &[u32], count: usize) -> Vec<String> {
    let mut tests = Vec::new();
    for condition in flow.policy.conditions.values() {
        match &condition.kind {
            ConditionKind::Text(subject, test) if variables.contains(&subject.variable.as_u32()) => {
                tests.push((subject.view, test.clone()));
            }
            _ => {}
        }
    }
    let mut found: BTreeMap<Vec<bool>, BTreeSet<String>> = BTreeMap::new();
    let mut candidates = vec![String::new()];
    let mut longest = candidates.clone();
    for _ in 0..6 {
        longest = longest
            .iter()
            .flat_map(|text| ["a", "A", "b", "B", "@", "x"].map(|letter| format!("{text}{letter}")))
            .filter(|text| text.len() < 5 || !text.contains('B') && !text.contains('x'))
            .collect();
        candidates.extend(longest.iter().cloned());
    }
    for text in candidates {
        let mut answers: Vec<bool> =
            tests.iter().map(|(view, test)| text_holds(&text, *view, test)).collect();
        answers.push(text.contains('@'));
        let known = found.entry(answers).or_default();
        if known.len() < count {
            known.insert(text);
        }
    }
    found.into_values().flatten().collect()
}

fn same_names(flow: &Flow, facts: &Facts) -> Vec<Facts> {
    let texts = texts(flow, &[NAME, NICK], 2);
    let pairs = texts.iter().flat_map(|a| texts.iter().map(move |b| (a, b)));
    let both = |(a, b): (&String, &String)| {
        with(facts, vec![(NAME, FactValue::Text(a.clone())), (NICK, FactValue::Text(b.clone()))])
    };
    pairs.map(both).collect()
}

/// `now` and `created`: one pair for each combination of answers to the tests of both.
fn times(flow: &Flow, facts: &Facts, nows: &[i64], points: &[i64]) -> Vec<Facts> {
    let tests: Vec<&ConditionKind> = flow
        .policy
        .conditions
        .values()
        .map(|condition| &condition.kind)
        .filter(|kind| match kind {
            ConditionKind::Compare(number, ..) | ConditionKind::OneOf(number, _) => match number {
                Number::Now | Number::Age(_) | Number::Weekday(_) | Number::Hour(_) => true,
                Number::Variable(variable) => variable.as_u32() == CREATED,
                _ => false,
            },
            _ => false,
        })
        .collect();
    let mut found: BTreeMap<Vec<bool>, Facts> = BTreeMap::new();
    let mut candidate = facts.clone();
    for now in nows {
        let near = AGES.iter().flat_map(|age| [now - age - 1, now - age, now - age + 1]);
        for created in points.iter().copied().chain(near) {
            candidate.now = *now;
            candidate.values.insert(CREATED, FactValue::Number(created));
            let session = Session::default();
            let answers =
                tests.iter().map(|test| holds(&flow.policy, &[], &candidate, &session, test)).collect();
            found.entry(answers).or_insert_with(|| candidate.clone());
        }
    }
    found.into_values().collect()
}

/// Stamps from before the login; where their order matters, in every order.
fn stamps(facts: &Facts, orders: bool) -> Vec<Facts> {
    let ages = [None, Some(-1), Some(0), Some(5_000), Some(60_000)];
    let mut all = Vec::new();
    for a in ages {
        for b in ages {
            for c in ages {
                let stamps = [(OTP, a), (KEY, b), (MAIL, c)];
                let orders: &[[usize; 3]] = if orders {
                    &[[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
                } else {
                    &[[0, 1, 2]]
                };
                for order in orders {
                    let stamps = order.iter().filter_map(|place| {
                        let (factor, age) = stamps[*place];
                        age.map(|age| (factor, facts.now - age))
                    });
                    all.push(Facts { stamps: stamps.collect(), ..facts.clone() });
                }
            }
        }
    }
    all
}

/// Whether a login that the analysis shows exists and ends in a fifth command.
pub(crate) fn confirms(policy: &TypedPolicy, login: &Login) -> bool {
    let facts = Facts {
        values: login
            .event
            .variables
            .iter()
            .map(|(variable, value)| (variable.as_u32(), value.clone()))
            .collect(),
        org: login.event.presences[&PresenceId::from_u32(ORG)],
        has_email: login.event.presences[&PresenceId::from_u32(HAS_EMAIL)],
        enrolled: login.event.enrolled,
        stamps: login.event.performed.iter().map(|(factor, stamp)| (factor.as_u32(), *stamp)).collect(),
        now: login.event.now,
    };
    let windows = windows(policy);
    let mut player = Player { policy, windows: windows.clone(), played: Played::default() };
    let mut sessions = vec![Session::default()];
    for (number, (step, shown)) in policy.steps.values().zip(&login.steps).enumerate() {
        let is_last = number + 1 == login.steps.len();
        let mut next = Vec::new();
        for session in sessions.iter().flat_map(|session| aged(session, windows.len())) {
            let ages = session.passed.iter().zip(&shown.passed);
            let as_shown = |((factor, out), passed): (&(u32, usize), &Passed)| {
                *factor == passed.factor.as_u32()
                    && *out == windows.iter().filter(|window| **window <= passed.age).count()
            };
            if session.passed.len() != shown.passed.len() || !ages.clone().all(as_shown) {
                continue;
            }
            let mut run = Run { player: &mut player, facts: &facts, session: &session, executed: Vec::new() };
            let flowing = run.block(&step.body);
            let commands = run.executed;
            if is_last {
                return matches!(flowing, Flowing::Fifth) && session.used + shown.commands.len() == 5;
            }
            if commands.len() != shown.commands.len() || !matches!(flowing, Flowing::On | Flowing::Stopped) {
                return false;
            }
            let offers: Vec<_> =
                commands.iter().map(|command| offered(policy, &facts, &session, command)).collect();
            let mut now = Session { used: session.used + commands.len(), ..session.clone() };
            for ((command, offer), shown) in commands.iter().zip(&offers).zip(&shown.commands) {
                let chosen = match &shown.outcome {
                    Outcome::Passed { chosen, .. } => Some(chosen.as_u32()),
                    _ => None,
                };
                let ways = prompt(policy, &facts, &now, command, offer);
                let as_shown = |way: &Session| match chosen {
                    Some(factor) => {
                        way.passed.len() > now.passed.len() && way.passed.last() == Some(&(factor, 0))
                    }
                    None => way.passed == now.passed,
                };
                match ways.into_iter().find(as_shown) {
                    Some(way) => now = way,
                    None => return false,
                }
            }
            next.push(now);
        }
        sessions = next;
    }
    false
}
