//! Random typed policies.
//!
//! All share one catalog and one set of facts ([`vocabulary`]), which has every type, every kind of absence, a split
//! text, gathered arrays and nested parents; what is random is the conditions (every kind that a statement may hold)
//! and the statements. Constants come from small lists that the random logins draw from too, so that tests are about
//! as often true as false. As the checker guarantees, a number, list or set that may be absent is read under its
//! presence only.

use std::collections::BTreeMap;

use cranelift_entity::PrimaryMap;
use stepup::check::masks::ALL_FACTORS;
use stepup::check::policy::*;
use stepup::source::{FileId, Sources, Span};

use super::choices::Choices;

/// Strings that policies compare with and logins hold.
pub const TEXTS: [&str; 16] = [
    "",
    "a",
    "ab",
    "abc",
    "Anna@A.com",
    "anna@a.com",
    "bob@b.com",
    "@",
    "a@",
    "x@y@B.COM",
    "b.com",
    "a.com",
    "mfa",
    "pwd",
    "ADMIN",
    "admin",
];
/// Texts of long chains.
pub const APPS: [&str; 40] = [
    "app0", "app1", "app2", "app3", "app4", "app5", "app6", "app7", "app8", "app9", "app10", "app11",
    "app12", "app13", "app14", "app15", "app16", "app17", "app18", "app19", "app20", "app21", "app22",
    "app23", "app24", "app25", "app26", "app27", "app28", "app29", "app30", "app31", "app32", "app33",
    "app34", "app35", "app36", "app37", "app38", "app39",
];
/// Integers.
pub const INTS: [i64; 8] = [0, 1, 2, -1, 7, 100, -((1 << 53) - 1), (1 << 53) - 1];
/// Prefixes, some in others.
pub const PREFIXES: [&str; 7] = [
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "192.168.0.0/16",
    "2001:db8::/32",
    "2001:db8:1::/48",
    "0.0.0.0/0",
];
/// A Thursday at noon.
pub const NOON: i64 = 1_767_873_600_000;
/// Lengths of time, in milliseconds.
pub const SPANS: [i64; 6] = [5_000, 0, 1, 60_000, 43_200_000, 2_592_000_000];

/// The facts and what may be missing, and where they are found by name.
pub struct Vocabulary {
    pub variables: PrimaryMap<VariableId, Variable>,
    pub presences: PrimaryMap<PresenceId, Presence>,
    pub names: BTreeMap<&'static str, VariableId>,
}

/// An empty span; reports are not what these policies are for.
pub fn nowhere() -> Span {
    Span { file: file(), start: 0, end: 0 }
}

fn file() -> FileId {
    Sources::new().add("random.stepup", "")
}

/// The six factors.
pub fn catalog() -> Catalog {
    use CommandKind::{Challenge, Enroll};
    let mut factors = PrimaryMap::new();
    let mut add = |name: &str, commands: &[CommandKind], options: &[(&str, serde_json::Value)]| {
        let options = options.iter().map(|(name, json)| FactorOption {
            name: (*name).to_owned(),
            only: None,
            json: json.as_object().cloned().unwrap_or_default(),
        });
        factors.push(Factor {
            name: name.to_owned(),
            commands: commands.to_vec(),
            traits: Vec::new(),
            options: options.collect(),
            declared: nowhere(),
        });
    };
    let sms = serde_json::json!({"preferredMethod": "sms"});
    let quiet = serde_json::json!({"quiet": true, "tries": 2});
    add("otp", &[Enroll, Challenge], &[]);
    add("phone", &[Enroll, Challenge], &[("sms", sms), ("quiet", quiet)]);
    add("email", &[Challenge], &[]);
    add("webauthn-roaming", &[Enroll, Challenge], &[]);
    add("recovery-code", &[Enroll, Challenge], &[]);
    add("push-notification", &[Enroll], &[("no-fallback", serde_json::json!({"otpFallback": false}))]);
    Catalog { factors }
}

fn path(text: &str) -> Vec<Segment> {
    let keys = text.split('.').map(|key| {
        let (key, each) = key.strip_suffix("[]").map_or((key, Each::Value), |key| (key, Each::Element));
        let (key, missing) =
            key.strip_suffix('?').map_or((key, MayBeMissing::No), |key| (key, MayBeMissing::Yes));
        Segment { key: key.to_owned(), each, may_be_missing: missing }
    });
    keys.collect()
}

/// All facts.
pub fn vocabulary() -> Vocabulary {
    let mut presences = PrimaryMap::new();
    let mut presence = |at: &str, parent| presences.push(Presence { path: path(at), parent });
    let organization = presence("organization?", None);
    let nick = presence("organization?.nick?", Some(organization));
    let offered = presence("organization?.metadata?.factors?", Some(organization));
    let authentication = presence("authentication?", None);
    let mut own = |at: &str| Absence::Tracked(presence(at, None));
    let text = |text: &str| text.to_owned();
    let levels = || vec![text("low"), text("medium"), text("high")];
    let names = |names: [&str; 2]| Absence::Default(Value::TextList(names.map(str::to_owned).to_vec()));
    let facts: Vec<(&'static str, &str, Type, Absence)> = vec![
        ("flag", "user.app_metadata.isAdmin", Type::Bool, Absence::Default(Value::Bool(false))),
        ("verified", "user.email_verified", Type::Bool, Absence::Refused),
        ("consent", "user.user_metadata.consent", Type::Bool, own("user.user_metadata.consent")),
        ("logins", "stats.logins_count", Type::Int, Absence::Refused),
        ("level", "user.app_metadata.level", Type::Int, own("user.app_metadata.level")),
        ("email", "user.email", Type::Text, own("user.email")),
        ("client", "client.client_id", Type::Text, Absence::Refused),
        ("locale", "user.locale", Type::Text, Absence::Default(Value::Text(text("ab")))),
        ("org.id", "organization?.id", Type::Text, Absence::Tracked(organization)),
        ("org.name", "organization?.name", Type::Text, Absence::Tracked(organization)),
        ("org.nick", "organization?.nick?", Type::Text, Absence::Tracked(nick)),
        ("created", "user.created_at", Type::Time, Absence::Refused),
        ("reset", "user.last_password_reset", Type::Time, own("user.last_password_reset")),
        ("grace", "user.app_metadata.grace", Type::Duration, Absence::Default(Value::Number(60_000))),
        ("ip", "request.ip", Type::Ip, Absence::Refused),
        ("last_ip", "session.last_ip", Type::Ip, own("session.last_ip")),
        ("preferred", "user.preferred", Type::Factor, own("user.preferred")),
        ("fallback", "user.fallback", Type::Factor, Absence::Default(Value::Factor(FactorId::from_u32(1)))),
        ("roles", "authorization?.roles", Type::TextList, names(["a", "pwd"])),
        ("methods", "authentication?.methods[].name", Type::TextList, Absence::Tracked(authentication)),
        ("scopes", "transaction.scope", Type::TextList, Absence::Refused),
        ("allowed", "user.factors", Type::FactorSet, Absence::Refused),
        ("offered", "organization?.metadata?.factors?", Type::FactorSet, Absence::Tracked(offered)),
        ("risk", "risk.confidence", Type::OpenEnum(levels()), own("risk.confidence")),
        ("tier", "user.tier", Type::OrderedEnum(levels()), Absence::Default(Value::Number(1))),
    ];
    let mut variables = PrimaryMap::new();
    let mut names = BTreeMap::new();
    for (name, at, ty, absence) in facts {
        let split = matches!(name, "scopes" | "offered").then(|| text(","));
        let variable = Variable { name: text(name), path: path(at), ty, split, absence };
        names.insert(name, variables.push(variable));
    }
    Vocabulary { variables, presences, names }
}

/// A random policy of one or two steps.
pub fn typed_policy(choices: &mut Choices<'_>) -> TypedPolicy {
    let steps = 1 + choices.below(2);
    typed_policy_of(choices, Size { steps, depth: 3, block: 4, commands: 0 })
}

/// How large a random policy is.
#[derive(Clone, Copy)]
pub struct Size {
    pub steps: usize,
    /// How deep its blocks nest.
    pub depth: usize,
    /// The most statements of a block.
    pub block: usize,
    /// How many more commands there are among twelve statements.
    pub commands: usize,
}

/// A random policy.
pub fn typed_policy_of(choices: &mut Choices<'_>, size: Size) -> TypedPolicy {
    let mut builder = Builder {
        size,
        vocabulary: vocabulary(),
        catalog: catalog(),
        conditions: PrimaryMap::new(),
        usable: Vec::new(),
    };
    for _ in 0..4 + choices.below(24) {
        let id = builder.condition(choices);
        builder.usable.push(id);
    }
    let mut steps = PrimaryMap::new();
    for number in 0..size.steps {
        let body = builder.block(choices, size.depth);
        steps.push(Step { name: format!("step{number}"), docs: Vec::new(), declared: nowhere(), body });
    }
    let Builder { vocabulary: Vocabulary { variables, presences, .. }, catalog, conditions, .. } = builder;
    let facts = variables
        .iter()
        .map(|(variable, row)| (row.name.clone(), Fact { variable, declared: nowhere(), docs: Vec::new() }));
    let facts = facts.collect();
    TypedPolicy {
        catalog: catalog.into(),
        enabled: ALL_FACTORS,
        facts,
        unread: Default::default(),
        variables,
        presences,
        conditions,
        names: Default::default(),
        steps,
        guarantees: vec![],
        tests: vec![],
    }
}

struct Builder {
    size: Size,
    vocabulary: Vocabulary,
    catalog: Catalog,
    conditions: PrimaryMap<ConditionId, Condition>,
    /// Conditions that stand by themselves: with the guards they need.
    usable: Vec<ConditionId>,
}

impl Builder {
    fn push(&mut self, kind: ConditionKind) -> ConditionId {
        self.conditions.push(Condition { span: nowhere(), kind })
    }

    fn named(&self, choices: &mut Choices<'_>, names: &[&str]) -> VariableId {
        self.vocabulary.names[choices.one_of(names)]
    }

    fn text(&self, choices: &mut Choices<'_>) -> VariableId {
        self.named(choices, &["client", "email", "org.id", "org.name", "org.nick", "locale"])
    }

    /// A condition with its guard, if its variable needs one.
    fn guarded(&mut self, variable: VariableId, kind: ConditionKind) -> ConditionId {
        let leaf = self.push(kind);
        match self.vocabulary.variables[variable].absence {
            Absence::Tracked(presence) => {
                let guard = self.push(ConditionKind::Present(Guard::Path(presence)));
                self.push(ConditionKind::All(vec![guard, leaf]))
            }
            _ => leaf,
        }
    }

    fn condition(&mut self, choices: &mut Choices<'_>) -> ConditionId {
        match choices.below(20) {
            0 | 1 => {
                let variable = self.named(choices, &["flag", "verified", "consent"]);
                self.guarded(variable, ConditionKind::Bool(variable))
            }
            2 => self.push(ConditionKind::Constant(choices.below(2) == 1)),
            3 if !self.usable.is_empty() => self.not(choices),
            4 | 5 if !self.usable.is_empty() => self.connective(choices),
            6 => {
                let guard = self.guard(choices);
                self.push(ConditionKind::Present(guard))
            }
            7..=9 => self.text_test(choices),
            10 => {
                let (a, b) = (self.text(choices), self.text(choices));
                self.push(ConditionKind::SameText(a, b))
            }
            11..=13 => self.number_test(choices),
            14 => {
                let variable = self.named(choices, &["ip", "last_ip"]);
                let prefixes =
                    choices.some_of(&PREFIXES).iter().map(|prefix| prefix.parse().unwrap()).collect();
                self.push(ConditionKind::InPrefixes(variable, prefixes))
            }
            15 => self.list_test(choices),
            16 => {
                let subject = match choices.below(4) {
                    0 => FactorSubject::Literal(self.factor(choices)),
                    1 => FactorSubject::LastPerformed,
                    _ => FactorSubject::Variable(self.named(choices, &["preferred", "fallback"])),
                };
                let set = self.set(choices, 3);
                self.push(ConditionKind::Member(subject, set))
            }
            17 => {
                let set = self.set(choices, 3);
                self.push(ConditionKind::EmptySet(set))
            }
            18 => {
                let (factor, window) = (self.factor(choices), window(choices));
                self.push(ConditionKind::Performed(factor, window))
            }
            _ => {
                let window = window(choices);
                self.push(ConditionKind::AnyPerformed(window))
            }
        }
    }

    fn not(&mut self, choices: &mut Choices<'_>) -> ConditionId {
        let part = *choices.one_of(&self.usable);
        self.push(ConditionKind::Not(part))
    }

    fn connective(&mut self, choices: &mut Choices<'_>) -> ConditionId {
        let parts = (0..choices.below(4)).map(|_| *choices.one_of(&self.usable)).collect();
        let kind = if choices.below(2) == 0 { ConditionKind::All(parts) } else { ConditionKind::Any(parts) };
        self.push(kind)
    }

    fn guard(&self, choices: &mut Choices<'_>) -> Guard {
        match choices.below(4) {
            0 => Guard::LastPerformed,
            1 => Guard::Domain(self.text(choices)),
            _ => {
                let presences: Vec<_> = self.vocabulary.presences.keys().collect();
                Guard::Path(*choices.one_of(&presences))
            }
        }
    }

    fn text_test(&mut self, choices: &mut Choices<'_>) -> ConditionId {
        let variable = self.text(choices);
        let view = *choices.one_of(&[View::Whole, View::Lower, View::Domain]);
        let literal = (*choices.one_of(&TEXTS)).to_owned();
        let test = match choices.below(5) {
            0 => TextTest::StartsWith(literal),
            1 => TextTest::EndsWith(literal),
            2 => TextTest::Contains(literal),
            3 => TextTest::OneOf(sorted(choices.some_of(&APPS))),
            _ => TextTest::OneOf(sorted(choices.some_of(&TEXTS))),
        };
        self.push(ConditionKind::Text(TextSubject { variable, view }, test))
    }

    fn number_test(&mut self, choices: &mut Choices<'_>) -> ConditionId {
        let time = self.named(choices, &["created", "reset"]);
        let moment = if choices.below(2) == 0 { Moment::Now } else { Moment::Variable(time) };
        let (number, constants): (Number, Vec<i64>) = match choices.below(9) {
            0 => (Number::Variable(self.named(choices, &["logins", "level"])), INTS.to_vec()),
            1 => (Number::Variable(time), vec![NOON, NOON - 5_000, NOON + 1]),
            2 => (Number::Variable(self.named(choices, &["grace"])), SPANS.to_vec()),
            3 => (Number::Variable(self.named(choices, &["risk", "tier"])), vec![0, 1, 2, 3]),
            4 => (Number::Now, vec![NOON, NOON - 5_000, NOON + 1]),
            5 => (Number::Age(time), SPANS.to_vec()),
            6 => (Number::Weekday(moment), vec![0, 1, 3, 5, 6]),
            7 => (Number::Hour(moment), vec![0, 11, 12, 13, 23]),
            _ => (Number::Count(self.set(choices, 3)), vec![0, 1, 2, 3, -1, 100]),
        };
        let read = match &number {
            Number::Variable(variable) | Number::Age(variable) => Some(*variable),
            Number::Weekday(Moment::Variable(variable)) | Number::Hour(Moment::Variable(variable)) => {
                Some(*variable)
            }
            _ => None,
        };
        let kind = if choices.below(3) == 0 {
            let mut some = choices.some_of(&constants);
            some.sort_unstable();
            ConditionKind::OneOf(number, some)
        } else {
            use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
            let comparison = *choices.one_of(&[Equal, Less, LessOrEqual, Greater, GreaterOrEqual]);
            ConditionKind::Compare(number, comparison, *choices.one_of(&constants))
        };
        match read {
            Some(variable) => self.guarded(variable, kind),
            None => self.push(kind),
        }
    }

    fn list_test(&mut self, choices: &mut Choices<'_>) -> ConditionId {
        let variable = self.named(choices, &["roles", "methods", "scopes"]);
        let texts = sorted(choices.some_of(&TEXTS));
        let test = match choices.below(3) {
            0 => ListTest::Empty,
            1 => ListTest::ContainsAny(texts),
            _ => ListTest::ContainsAll(texts),
        };
        self.guarded(variable, ConditionKind::List(variable, test))
    }

    fn factor(&self, choices: &mut Choices<'_>) -> FactorId {
        FactorId::from_u32(choices.below(self.catalog.factors.len()) as u32)
    }

    fn set(&self, choices: &mut Choices<'_>, depth: usize) -> Set {
        let kinds = if depth == 0 { 5 } else { 9 };
        let inner = |choices: &mut Choices<'_>| Box::new(self.set(choices, depth.saturating_sub(1)));
        match choices.below(kinds) {
            0 => Set::Enrolled,
            1 => Set::Performed,
            2 => Set::Variable(self.vocabulary.names["allowed"]),
            3 => {
                let offered = self.vocabulary.names["offered"];
                let Absence::Tracked(presence) = self.vocabulary.variables[offered].absence else {
                    unreachable!()
                };
                Set::IfPresent {
                    guard: Guard::Path(presence),
                    then: Box::new(Set::Variable(offered)),
                    otherwise: Box::new(Set::Literal(self.some_factors(choices))),
                }
            }
            4 => Set::Literal(self.some_factors(choices)),
            5 => Set::Intersect(inner(choices), inner(choices)),
            6 => Set::Union(inner(choices), inner(choices)),
            7 => Set::Except(inner(choices), inner(choices)),
            _ => {
                Set::IfPresent { guard: self.guard(choices), then: inner(choices), otherwise: inner(choices) }
            }
        }
    }

    /// Some factors, each once, in an order of their own.
    fn some_factors(&self, choices: &mut Choices<'_>) -> Vec<FactorId> {
        let mut factors = choices.some_of(&self.catalog.factors.keys().collect::<Vec<_>>());
        let turn = choices.below(factors.len().max(1));
        factors.rotate_left(turn);
        factors
    }

    fn block(&mut self, choices: &mut Choices<'_>, depth: usize) -> Block {
        let length = 1 + choices.below(self.size.block);
        (0..length).map(|_| self.statement(choices, depth)).collect()
    }

    fn statement(&mut self, choices: &mut Choices<'_>, depth: usize) -> Statement {
        let kinds = if depth == 0 { 5 } else { 12 };
        match choices.below(kinds + self.size.commands) {
            kind if kind >= kinds => Statement::Command(self.command(choices)),
            0..=2 => Statement::Command(self.command(choices)),
            3 => {
                let number = choices.below(3) as u32;
                let span = Span { start: number, end: number, ..nowhere() };
                Statement::Deny { reason: reason(span), span }
            }
            4 => Statement::Stop(nowhere()),
            5 => Statement::Applied { body: self.block(choices, depth - 1), span: nowhere() },
            6 | 7 => self.chain(choices),
            _ => {
                let count = 1 + choices.below(3);
                let branches = (0..count).map(|_| {
                    let condition = *choices.one_of(&self.usable);
                    (condition, self.block(choices, depth - 1))
                });
                let branches = branches.collect();
                let otherwise =
                    if choices.below(2) == 0 { self.block(choices, depth - 1) } else { Vec::new() };
                Statement::Branch { branches, otherwise, span: nowhere() }
            }
        }
    }

    /// A `match` of one string, or tests of it one after the other.
    fn chain(&mut self, choices: &mut Choices<'_>) -> Statement {
        let subject = TextSubject { variable: self.vocabulary.names["client"], view: View::Whole };
        let count = 3 + choices.below(6);
        let mut arms = Vec::new();
        for _ in 0..count {
            let texts = match choices.below(3) {
                0 => sorted(choices.some_of(&APPS)),
                _ => vec![(*choices.one_of(&APPS)).to_owned()],
            };
            let condition = self.push(ConditionKind::Text(subject, TextTest::OneOf(texts)));
            arms.push((condition, self.block(choices, 0)));
        }
        if choices.below(2) == 0 {
            return Statement::Branch { branches: arms, otherwise: self.block(choices, 0), span: nowhere() };
        }
        let each = arms.into_iter().map(|arm| Statement::Branch {
            branches: vec![arm],
            otherwise: Vec::new(),
            span: nowhere(),
        });
        Statement::Applied { body: each.collect(), span: nowhere() }
    }

    fn command(&self, choices: &mut Choices<'_>) -> Command {
        let kind = *choices.one_of(&[CommandKind::Enroll, CommandKind::Challenge]);
        let allowed = |factor: &FactorId| self.catalog.factors[*factor].allows(kind);
        let mut factors: Vec<_> = self.some_factors(choices).into_iter().filter(allowed).collect();
        let style = *choices.one_of(&[Style::Preferred, Style::Any]);
        if factors.is_empty() && style == Style::Preferred {
            factors.push(FactorId::from_u32(0));
        }
        let listed = factors.into_iter().map(|factor| {
            let options: Vec<usize> = (0..self.catalog.factors[factor].options.len()).collect();
            FactorUse { factor, options: choices.some_of(&options), span: nowhere() }
        });
        let listed = listed.collect();
        let rest = (choices.below(2) == 0).then(|| self.set(choices, 2));
        Command { kind, style, listed, rest, span: nowhere() }
    }
}

/// The reason of the denial with this span.
pub fn reason(span: Span) -> String {
    format!("reason {}", span.start)
}

fn window(choices: &mut Choices<'_>) -> Window {
    match choices.below(4) {
        0 => Window::Ever,
        1 => Window::ThisLogin,
        _ => Window::Within(*choices.one_of(&SPANS)),
    }
}

fn sorted(texts: Vec<&str>) -> Vec<String> {
    let mut texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}
