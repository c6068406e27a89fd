//! Random small flows over a fixed set of facts. Each uses few of them, so that all its logins can be enumerated.

use cranelift_entity::PrimaryMap;
use stepup::check::policy::*;
use stepup::source::{FileId, Sources, Span};

/// Numbers that a seed decides (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    pub(crate) fn one<T: Clone>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())].clone()
    }

    pub(crate) fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

/// What a flow asks about, besides enrolled and performed factors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Topic {
    Flag,
    Count,
    Organization,
    Email,
    Name,
    SameNames,
    Risk,
    Created,
    Calendar,
    Roles,
    Allowed,
    Address,
    Preferred,
    /// Windows over two factors, which have fewer valuations than all.
    Fresh,
    Performed,
    Last,
}

const TOPICS: [Topic; 16] = [
    Topic::Flag,
    Topic::Count,
    Topic::Organization,
    Topic::Email,
    Topic::Name,
    Topic::SameNames,
    Topic::Risk,
    Topic::Created,
    Topic::Calendar,
    Topic::Roles,
    Topic::Allowed,
    Topic::Address,
    Topic::Preferred,
    Topic::Fresh,
    Topic::Performed,
    Topic::Last,
];

/// The variables, by position.
pub(crate) const FLAG: u32 = 0;
pub(crate) const COUNT: u32 = 1;
pub(crate) const ORG_FLAG: u32 = 2;
pub(crate) const ORG_LEVEL: u32 = 3;
pub(crate) const EMAIL: u32 = 4;
pub(crate) const VERIFIED: u32 = 5;
pub(crate) const NAME: u32 = 6;
pub(crate) const NICK: u32 = 7;
pub(crate) const RISK: u32 = 8;
pub(crate) const CREATED: u32 = 9;
pub(crate) const ROLES: u32 = 10;
pub(crate) const ALLOWED: u32 = 11;
pub(crate) const ADDRESS: u32 = 12;
pub(crate) const PREFERRED: u32 = 13;
/// The presences.
pub(crate) const ORG: u32 = 0;
pub(crate) const HAS_EMAIL: u32 = 1;
/// The factors.
pub(crate) const OTP: u32 = 0;
pub(crate) const KEY: u32 = 1;
pub(crate) const MAIL: u32 = 2;

pub(crate) const WINDOWS: [i64; 3] = [5_000, 60_000, 0];
pub(crate) const AGES: [i64; 3] = [0, 5_000, 90_000_000];
/// Saturday, 10 January 2026, at midnight.
pub(crate) const SATURDAY: i64 = 1_768_003_200_000;

/// A random flow and what it asks about.
pub(crate) struct Flow {
    pub(crate) policy: TypedPolicy,
    pub(crate) topics: Vec<Topic>,
}

fn path(text: &str) -> Vec<Segment> {
    let keys = text.split('.').map(|key| Segment {
        key: key.trim_end_matches('?').to_owned(),
        each: Each::Value,
        may_be_missing: if key.ends_with('?') { MayBeMissing::Yes } else { MayBeMissing::No },
    });
    keys.collect()
}

fn variables() -> PrimaryMap<VariableId, Variable> {
    let text = str::to_owned;
    let mut table = PrimaryMap::new();
    let mut add = |name: &str, at: &str, ty: Type, absence: Absence| {
        table.push(Variable { name: text(name), path: path(at), ty, split: None, absence });
    };
    let org = || Absence::Tracked(PresenceId::from_u32(ORG));
    add("flag", "user.flag", Type::Bool, Absence::Refused);
    add("count", "stats.count", Type::Int, Absence::Refused);
    add("org.flag", "org?.flag", Type::Bool, org());
    add("org.level", "org?.level", Type::Int, Absence::Default(Value::Number(2)));
    add("email", "user.email?", Type::Text, Absence::Tracked(PresenceId::from_u32(HAS_EMAIL)));
    add("verified", "user.email_verified", Type::Bool, Absence::Refused);
    add("name", "user.name", Type::Text, Absence::Refused);
    add("nick", "user.nick", Type::Text, Absence::Refused);
    add("risk", "risk", Type::OpenEnum(vec![text("low"), text("high")]), Absence::Refused);
    add("created", "user.created", Type::Time, Absence::Refused);
    add("roles", "user.roles", Type::TextList, Absence::Refused);
    add("allowed", "user.allowed", Type::FactorSet, Absence::Refused);
    add("address", "request.ip", Type::Ip, Absence::Refused);
    add("preferred", "user.preferred", Type::Factor, Absence::Refused);
    table
}

fn catalog(random: &mut Random, source: &mut Spans) -> Catalog {
    use CommandKind::{Challenge, Enroll};
    let mut factors = PrimaryMap::new();
    let implicit = if random.chance(4) { vec![] } else { vec![Trait::Implicit] };
    let list: [(&str, Vec<CommandKind>, Vec<Trait>); 3] = [
        ("otp", vec![Enroll, Challenge], vec![]),
        ("webauthn-roaming", vec![Enroll, Challenge], vec![]),
        ("email", vec![Challenge], implicit),
    ];
    for (name, commands, traits) in list {
        factors.push(Factor {
            name: name.to_owned(),
            commands,
            traits,
            options: vec![],
            declared: source.next(),
        });
    }
    Catalog { factors }
}

/// The factors that the tenant has switched on: all of them, or some.
fn enabled(random: &mut Random) -> u64 {
    if random.chance(2) { 7 } else { random.below(8) as u64 }
}

/// Places, each used once.
struct Spans {
    file: FileId,
    next: usize,
}

impl Spans {
    fn next(&mut self) -> Span {
        self.next += 1;
        Span::new(self.file, self.next..self.next + 1)
    }
}

struct Builder {
    random: Random,
    spans: Spans,
    topics: Vec<Topic>,
    conditions: PrimaryMap<ConditionId, Condition>,
    /// Conditions that stand by themselves.
    usable: Vec<ConditionId>,
}

/// How large a random flow is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Size {
    /// One topic of few values, one or two short steps: many can be played.
    Tiny,
    /// Up to two topics and three steps.
    Small,
}

/// Topics of so many valuations that they stand alone.
const HEAVY: [Topic; 4] = [Topic::Calendar, Topic::SameNames, Topic::Performed, Topic::Last];

fn topics(random: &mut Random, size: Size) -> Vec<Topic> {
    if size == Size::Tiny {
        let light = TOPICS.into_iter().filter(|topic| !HEAVY.contains(topic));
        // How time passes matters wherever factors are passed, so it is asked often.
        let light: Vec<Topic> = light.chain([Topic::Fresh; 3]).collect();
        return vec![random.one(&light)];
    }
    let mut topics: Vec<Topic> = (0..1 + random.below(2)).map(|_| random.one(&TOPICS)).collect();
    topics.sort_unstable();
    topics.dedup();
    let heavy = topics.iter().copied().find(|topic| HEAVY.contains(topic));
    heavy.map_or(topics, |topic| vec![topic])
}

/// A random flow.
pub(crate) fn flow(seed: u64, size: Size) -> Flow {
    let mut random = Random(seed);
    let topics = topics(&mut random, size);
    let (steps_at_most, depth) = if size == Size::Tiny { (2, 2) } else { (3, 3) };
    let mut spans = Spans { file: Sources::new().add("random.stepup", ""), next: 0 };
    let catalog = catalog(&mut random, &mut spans);
    let mut builder = Builder { random, spans, topics, conditions: PrimaryMap::new(), usable: Vec::new() };
    let mut steps = PrimaryMap::new();
    for number in 0..1 + builder.random.below(steps_at_most) {
        for _ in 0..3 + builder.random.below(4) {
            let id = builder.condition();
            builder.usable.push(id);
        }
        let declared = builder.spans.next();
        let body = builder.block(depth);
        steps.push(Step { name: format!("step{number}"), docs: vec![], declared, body });
    }
    let guarantees = (0..2 + builder.random.below(2)).map(|number| builder.guarantee(number)).collect();
    let presence = |at: &str| Presence { path: path(at), parent: None };
    let presences = [presence("org?"), presence("user.email?")].into_iter().collect();
    let enabled = enabled(&mut builder.random);
    let Builder { topics, conditions, .. } = builder;
    let policy = TypedPolicy {
        catalog: catalog.into(),
        enabled,
        facts: Default::default(),
        unread: Default::default(),
        variables: variables(),
        presences,
        conditions,
        names: Default::default(),
        steps,
        guarantees,
        tests: vec![],
    };
    Flow { policy, topics }
}

fn variable(position: u32) -> VariableId {
    VariableId::from_u32(position)
}

impl Builder {
    fn push(&mut self, kind: ConditionKind) -> ConditionId {
        let span = self.spans.next();
        self.conditions.push(Condition { span, kind })
    }

    fn condition(&mut self) -> ConditionId {
        match self.random.below(10) {
            0 | 1 if !self.usable.is_empty() => {
                let part = self.random.one(&self.usable);
                self.push(ConditionKind::Not(part))
            }
            2 | 3 if !self.usable.is_empty() => {
                let parts = (0..2 + self.random.below(2)).map(|_| self.random.one(&self.usable)).collect();
                let kind =
                    if self.random.chance(2) { ConditionKind::All(parts) } else { ConditionKind::Any(parts) };
                self.push(kind)
            }
            4..=6 => {
                let topic = self.random.one(&self.topics);
                self.about(topic)
            }
            7 => self.one_text(),
            _ => self.about_factors(),
        }
    }

    /// Several conditions that are one text, as the checker makes of `x != y` and of `??`.
    fn one_text(&mut self) -> ConditionId {
        let span = self.spans.next();
        let mut part = || {
            let id = self.about_factors();
            self.conditions[id].span = span;
            id
        };
        let kind = match (part(), part()) {
            (a, b) if self.random.chance(3) => ConditionKind::Any(vec![a, b]),
            (a, b) if self.random.chance(2) => ConditionKind::All(vec![a, b]),
            (a, _) => ConditionKind::Not(a),
        };
        self.conditions.push(Condition { span, kind })
    }

    /// `premise implies conclusion`, `never …` or `always …`.
    fn guarantee(&mut self, number: usize) -> Guarantee {
        let condition = match self.random.below(4) {
            0 | 1 => {
                let (premise, conclusion) = (self.of_the_end(1), self.of_the_end(1));
                let premise = self.push(ConditionKind::Not(premise));
                self.push(ConditionKind::Any(vec![premise, conclusion]))
            }
            2 => {
                let never = self.of_the_end(2);
                self.push(ConditionKind::Not(never))
            }
            _ => self.of_the_end(2),
        };
        Guarantee { name: format!("guarantee{number}"), condition, span: self.spans.next() }
    }

    /// A condition of a login's start and end.
    fn of_the_end(&mut self, depth: usize) -> ConditionId {
        use End::{Completed, Denied, Failed};
        if depth > 0 && self.random.chance(2) {
            let kind = match self.random.below(4) {
                0 => ConditionKind::Not(self.of_the_end(depth - 1)),
                1 => ConditionKind::Any(vec![self.of_the_end(depth - 1), self.of_the_end(depth - 1)]),
                _ => ConditionKind::All(vec![self.of_the_end(depth - 1), self.of_the_end(depth - 1)]),
            };
            return self.push(kind);
        }
        let kind = match self.random.below(12) {
            0 => ConditionKind::Ended(self.random.one(&[Completed, Denied, Failed])),
            1 | 2 => {
                let inner =
                    if self.random.chance(2) { self.about_factors() } else { self.random.one(&self.usable) };
                ConditionKind::Initially(inner)
            }
            3 | 4 => {
                let number = self.random.one(&[Number::Prompts, Number::Commands]);
                self.number(number, &[0, 1, 2, 3, 4])
            }
            5 => return self.random.one(&self.usable),
            6 | 7 => {
                let topic = self.random.one(&self.topics);
                return self.about(topic);
            }
            _ => return self.about_factors(),
        };
        self.push(kind)
    }

    fn about_factors(&mut self) -> ConditionId {
        let factor = self.factor();
        let window = self.window();
        let kind = match self.random.below(9) {
            0..=2 => ConditionKind::Member(FactorSubject::Literal(factor), Set::Enrolled),
            3 => ConditionKind::EmptySet(Set::Enrolled),
            4 => ConditionKind::EmptySet(self.set(2)),
            5 => ConditionKind::Compare(
                Number::Count(self.set(1)),
                self.comparison(),
                self.random.below(4) as i64,
            ),
            6 => ConditionKind::Performed(factor, Window::ThisLogin),
            7 => ConditionKind::Performed(factor, window),
            _ => ConditionKind::AnyPerformed(Window::ThisLogin),
        };
        self.push(kind)
    }

    /// A window; without the topic only over what stands in this login, whose factors have no stamps before it.
    fn window(&mut self) -> Window {
        if self.topics.contains(&Topic::Performed) || self.topics.contains(&Topic::Last) {
            match self.random.below(6) {
                0 => Window::Ever,
                1 => Window::ThisLogin,
                _ => Window::Within(self.random.one(&WINDOWS)),
            }
        } else {
            Window::ThisLogin
        }
    }

    fn comparison(&mut self) -> Comparison {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        self.random.one(&[Equal, Less, LessOrEqual, Greater, GreaterOrEqual])
    }

    fn factor(&mut self) -> FactorId {
        FactorId::from_u32(self.random.below(3) as u32)
    }

    fn set(&mut self, depth: usize) -> Set {
        if depth > 0 && self.random.chance(2) {
            let (a, b) = (Box::new(self.set(depth - 1)), Box::new(self.set(depth - 1)));
            return match self.random.below(3) {
                0 => Set::Intersect(a, b),
                1 => Set::Union(a, b),
                _ => Set::Except(a, b),
            };
        }
        match self.random.below(4) {
            0 if self.topics.contains(&Topic::Allowed) => Set::Variable(variable(ALLOWED)),
            1 if self.topics.contains(&Topic::Performed) => Set::Performed,
            2 => Set::Literal((0..3).filter(|_| self.random.chance(2)).map(FactorId::from_u32).collect()),
            _ => Set::Enrolled,
        }
    }

    /// A condition under the presence of what it reads.
    fn under(&mut self, presence: u32, kind: ConditionKind) -> ConditionId {
        let guard = self.push(ConditionKind::Present(Guard::Path(PresenceId::from_u32(presence))));
        let test = self.push(kind);
        self.push(ConditionKind::All(vec![guard, test]))
    }

    fn about(&mut self, topic: Topic) -> ConditionId {
        let kind = match topic {
            Topic::Flag => ConditionKind::Bool(variable(FLAG)),
            Topic::Count => self.number(Number::Variable(variable(COUNT)), &[0, 3, 4, -7]),
            Topic::Organization => match self.random.below(3) {
                0 => ConditionKind::Present(Guard::Path(PresenceId::from_u32(ORG))),
                1 => return self.under(ORG, ConditionKind::Bool(variable(ORG_FLAG))),
                _ => self.number(Number::Variable(variable(ORG_LEVEL)), &[1, 2, 3]),
            },
            Topic::Email => match self.random.below(4) {
                0 => ConditionKind::Present(Guard::Path(PresenceId::from_u32(HAS_EMAIL))),
                1 => ConditionKind::Bool(variable(VERIFIED)),
                2 => ConditionKind::Present(Guard::Domain(variable(EMAIL))),
                _ => {
                    let test = self.text_test(EMAIL);
                    return self.under(HAS_EMAIL, test);
                }
            },
            Topic::Name => self.text_test(NAME),
            Topic::SameNames => match self.random.below(2) {
                0 => ConditionKind::SameText(variable(NAME), variable(NICK)),
                _ => {
                    let which = self.random.one(&[NAME, NICK]);
                    self.text_test(which)
                }
            },
            Topic::Risk => self.number(Number::Variable(variable(RISK)), &[0, 1, 2]),
            Topic::Created => match self.random.below(3) {
                0 => self.number(Number::Variable(variable(CREATED)), &[SATURDAY, SATURDAY + 5_000]),
                1 => self.number(Number::Now, &[SATURDAY, SATURDAY + 5_000]),
                _ => self.number(Number::Age(variable(CREATED)), &AGES),
            },
            Topic::Calendar => {
                let moment = self.random.one(&[Moment::Now, Moment::Variable(variable(CREATED))]);
                match self.random.below(4) {
                    0 => self.number(Number::Age(variable(CREATED)), &AGES),
                    1 => self.number(Number::Now, &[SATURDAY + 5_000]),
                    2 => self.number(Number::Weekday(moment), &[5, 6]),
                    _ => self.number(Number::Hour(moment), &[0, 23]),
                }
            }
            Topic::Roles => {
                let texts: Vec<String> = ["a", "b", "c"]
                    .iter()
                    .filter(|_| self.random.chance(2))
                    .map(|t| (*t).to_owned())
                    .collect();
                ConditionKind::List(
                    variable(ROLES),
                    match self.random.below(3) {
                        0 => ListTest::Empty,
                        1 => ListTest::ContainsAny(texts),
                        _ => ListTest::ContainsAll(texts),
                    },
                )
            }
            Topic::Allowed => match self.random.below(2) {
                0 => ConditionKind::Member(
                    FactorSubject::Literal(self.factor()),
                    Set::Variable(variable(ALLOWED)),
                ),
                _ => ConditionKind::EmptySet(Set::Intersect(
                    Box::new(Set::Enrolled),
                    Box::new(Set::Variable(variable(ALLOWED))),
                )),
            },
            Topic::Address => {
                let prefixes = [
                    "10.0.0.0/8",
                    "10.1.0.0/16",
                    "10.0.0.0/9",
                    "10.128.0.0/9",
                    "2001:db8::/32",
                    "::/0",
                    "0.0.0.0/0",
                ];
                let some: Vec<_> = (0..1 + self.random.below(2))
                    .map(|_| self.random.one(&prefixes).parse().unwrap())
                    .collect();
                ConditionKind::InPrefixes(variable(ADDRESS), some)
            }
            Topic::Preferred => {
                ConditionKind::Member(FactorSubject::Variable(variable(PREFERRED)), self.set(1))
            }
            Topic::Fresh => {
                let factor = self.random.one(&[OTP, KEY]);
                ConditionKind::Performed(FactorId::from_u32(factor), self.random_window())
            }
            Topic::Performed => {
                let window = self.window();
                if self.random.chance(2) {
                    ConditionKind::Performed(self.factor(), window)
                } else {
                    ConditionKind::AnyPerformed(window)
                }
            }
            Topic::Last => match self.random.below(4) {
                0 => ConditionKind::Performed(self.factor(), self.random_window()),
                1 => ConditionKind::Present(Guard::LastPerformed),
                _ => ConditionKind::Member(FactorSubject::LastPerformed, self.set(1)),
            },
        };
        self.push(kind)
    }

    fn random_window(&mut self) -> Window {
        Window::Within(self.random.one(&WINDOWS))
    }

    fn number(&mut self, number: Number, constants: &[i64]) -> ConditionKind {
        if self.random.chance(4) {
            let mut some: Vec<i64> = constants.iter().copied().filter(|_| self.random.chance(2)).collect();
            some.sort_unstable();
            ConditionKind::OneOf(number, some)
        } else {
            let comparison = self.comparison();
            ConditionKind::Compare(number, comparison, self.random.one(constants))
        }
    }

    fn text_test(&mut self, position: u32) -> ConditionKind {
        let view = self.random.one(&[View::Whole, View::Lower, View::Domain]);
        let literal = self.random.one(&["", "a", "A", "@", "a@", "aa", "@a", "b", "ab"]).to_owned();
        let test = match self.random.below(5) {
            0 => TextTest::StartsWith(literal),
            1 => TextTest::EndsWith(literal),
            2 => TextTest::Contains(literal),
            3 => TextTest::OneOf(vec!["a".to_owned()]),
            _ => TextTest::OneOf(vec!["".to_owned(), "aB".to_owned()]),
        };
        ConditionKind::Text(TextSubject { variable: variable(position), view }, test)
    }

    fn block(&mut self, depth: usize) -> Block {
        (0..1 + self.random.below(3)).map(|_| self.statement(depth)).collect()
    }

    fn statement(&mut self, depth: usize) -> Statement {
        match self.random.below(if depth == 0 { 9 } else { 20 }) {
            0..=6 => Statement::Command(self.command()),
            7 => Statement::Deny { reason: "no".to_owned(), span: self.spans.next() },
            8 => Statement::Stop(self.spans.next()),
            9 => Statement::Applied { span: self.spans.next(), body: self.block(depth - 1) },
            _ => {
                let span = self.spans.next();
                let branches = (0..1 + self.random.below(2)).map(|_| {
                    let condition = self.random.one(&self.usable);
                    (condition, self.block(depth - 1))
                });
                let branches = branches.collect();
                let otherwise = if self.random.chance(2) { self.block(depth - 1) } else { Vec::new() };
                Statement::Branch { branches, otherwise, span }
            }
        }
    }

    fn command(&mut self) -> Command {
        let kind = self.random.one(&[CommandKind::Enroll, CommandKind::Challenge]);
        let style = self.random.one(&[Style::Preferred, Style::Any, Style::Any]);
        let factors = if kind == CommandKind::Enroll { 2 } else { 3 };
        let mut listed: Vec<u32> = (0..factors).filter(|_| self.random.chance(2)).collect();
        if listed.is_empty() && style == Style::Preferred {
            listed.push(OTP);
        }
        let rest = (listed.is_empty() || self.random.chance(4)).then(|| self.set(1));
        let listed = listed.into_iter().map(|factor| FactorUse {
            factor: FactorId::from_u32(factor),
            options: vec![],
            span: self.spans.next(),
        });
        let listed = listed.collect();
        Command { kind, style, listed, rest, span: self.spans.next() }
    }
}

/// A flow beside another: its steps with a few changes, some of which change nothing for any login. The conditions of
/// the other stand in it too, so that both are told apart by the same facts.
#[allow(dead_code, reason = "for the comparisons of `tests/diff`")]
pub(crate) fn changed(flow: &Flow, seed: u64) -> Flow {
    let policy = &flow.policy;
    let spans = Spans { file: Sources::new().add("changed.stepup", ""), next: 1_000_000 };
    let mut builder = Builder {
        random: Random(seed),
        spans,
        topics: flow.topics.clone(),
        conditions: policy.conditions.clone(),
        usable: policy.conditions.keys().filter(|id| !asks_the_end(policy, *id)).collect(),
    };
    for _ in 0..builder.random.below(3) {
        let id = builder.condition();
        builder.usable.push(id);
    }
    let mut steps: Vec<Step> = policy.steps.values().cloned().collect();
    for _ in 0..builder.random.below(4) {
        builder.change(&mut steps);
    }
    let Builder { conditions, .. } = builder;
    let steps = steps.into_iter().collect();
    Flow { policy: TypedPolicy { conditions, steps, ..policy.clone() }, topics: flow.topics.clone() }
}

/// Whether a condition can only stand in a guarantee.
#[allow(dead_code, reason = "for the comparisons of `tests/diff`")]
fn asks_the_end(policy: &TypedPolicy, id: ConditionId) -> bool {
    match &policy.conditions[id].kind {
        ConditionKind::Not(part) => asks_the_end(policy, *part),
        ConditionKind::All(parts) | ConditionKind::Any(parts) => {
            parts.iter().any(|part| asks_the_end(policy, *part))
        }
        ConditionKind::Compare(number, ..) | ConditionKind::OneOf(number, _) => {
            matches!(number, Number::Prompts | Number::Commands)
        }
        ConditionKind::Initially(_) | ConditionKind::Ended(_) => true,
        _ => false,
    }
}

#[allow(dead_code, reason = "for the comparisons of `tests/diff`")]
impl Builder {
    fn change(&mut self, steps: &mut Vec<Step>) {
        let place = self.random.below(steps.len());
        if self.random.chance(6) {
            // The same statements, in two steps.
            let at = self.random.below(steps[place].body.len() + 1);
            let rest = steps[place].body.split_off(at);
            let declared = self.spans.next();
            let name = format!("{}-rest", steps[place].name);
            steps.insert(place + 1, Step { name, docs: vec![], declared, body: rest });
            return;
        }
        let mut block = &mut steps[place].body;
        loop {
            let at = if block.is_empty() { 0 } else { self.random.below(block.len()) };
            let goes_in = matches!(block.get(at), Some(Statement::Branch { .. })) && self.random.chance(2);
            if !goes_in {
                return self.change_block(block, at);
            }
            let Some(Statement::Branch { branches, otherwise, .. }) = block.get_mut(at) else { return };
            let inner = self.random.below(branches.len() + 1);
            block = branches.get_mut(inner).map_or(otherwise, |(_, body)| body);
        }
    }

    fn change_block(&mut self, block: &mut Block, at: usize) {
        match (self.random.below(8), block.get_mut(at)) {
            (0, Some(_)) => {
                block.remove(at);
            }
            (1, Some(statement)) => {
                let span = self.spans.next();
                let body = vec![statement.clone()];
                *statement = Statement::Applied { body, span };
            }
            (2, Some(_)) => block.swap(0, at),
            (3..=5, Some(Statement::Command(command))) => match self.random.below(3) {
                0 => command.listed.reverse(),
                1 if !command.listed.is_empty() => {
                    command.style = if command.style == Style::Any { Style::Preferred } else { Style::Any };
                }
                _ => *command = self.command(),
            },
            (3..=5, Some(Statement::Deny { reason, .. })) => "not now".clone_into(reason),
            (3..=5, Some(Statement::Branch { branches, .. })) => {
                let condition = self.random.one(&self.usable);
                branches[0].0 = condition;
            }
            (6, Some(statement)) => *statement = self.statement(1),
            _ => {
                let statement = self.statement(1);
                block.insert(at.min(block.len()), statement);
            }
        }
    }
}
