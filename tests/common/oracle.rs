//! What a step decides, worked out on the typed policy's tree and a login's raw values: no layout, no numbers for
//! texts, no graph. It shares nothing with the code it judges but the policy's types.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json};
use stepup::check::policy::*;

use super::login::{Login, Raw};

/// What a step decided.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    Commands(Vec<Shown>),
    Denied(String),
    LimitExceeded,
}

/// A command as the user would see it: its factors with their options.
#[derive(Clone, PartialEq, Debug)]
pub struct Shown {
    pub kind: CommandKind,
    pub style: Style,
    pub factors: Vec<(String, Map<String, Json>)>,
}

/// What a step decides on a login.
pub fn decide(policy: &TypedPolicy, login: &Login, step: StepId) -> Outcome {
    let mut run = Run { policy, login, executed: Vec::new() };
    match run.block(&policy.steps[step].body) {
        Flow::On | Flow::Stopped => Outcome::Commands(run.executed),
        Flow::Denied(reason) => Outcome::Denied(reason),
        Flow::Fifth => Outcome::LimitExceeded,
    }
}

enum Flow {
    On,
    Stopped,
    Denied(String),
    Fifth,
}

struct Run<'p> {
    policy: &'p TypedPolicy,
    login: &'p Login,
    executed: Vec<Shown>,
}

/// Members in order, and whether a factor outside the catalog is one.
#[derive(Clone)]
struct Members {
    known: Vec<FactorId>,
    other: bool,
}

impl Run<'_> {
    fn block(&mut self, block: &Block) -> Flow {
        for statement in block {
            match self.statement(statement) {
                Flow::On => {}
                end => return end,
            }
        }
        Flow::On
    }

    fn statement(&mut self, statement: &Statement) -> Flow {
        match statement {
            Statement::Command(_) if self.executed.len() == 4 => Flow::Fifth,
            Statement::Command(command) => {
                let shown = self.shown(command);
                self.executed.push(shown);
                Flow::On
            }
            Statement::Deny { reason, .. } => Flow::Denied(reason.clone()),
            Statement::Stop(_) => Flow::Stopped,
            Statement::Applied { body, .. } => self.block(body),
            Statement::Branch { branches, otherwise, .. } => {
                let taken = branches.iter().find(|(condition, _)| self.holds(*condition));
                self.block(taken.map_or(otherwise, |(_, body)| body))
            }
        }
    }

    fn shown(&self, command: &Command) -> Shown {
        let mut factors: Vec<_> =
            command.listed.iter().map(|used| self.with_options(used.factor, &used.options)).collect();
        for factor in command.rest.iter().flat_map(|set| self.set(set).known) {
            let is_listed = command.listed.iter().any(|used| used.factor == factor);
            if !is_listed && self.policy.catalog.factors[factor].allows(command.kind) {
                factors.push(self.with_options(factor, &[]));
            }
        }
        Shown { kind: command.kind, style: command.style, factors }
    }

    fn with_options(&self, factor: FactorId, options: &[usize]) -> (String, Map<String, Json>) {
        let factor = &self.policy.catalog.factors[factor];
        let mut json = Map::new();
        for option in options {
            json.extend(factor.options[*option].json.clone());
        }
        (factor.name.clone(), json)
    }

    fn holds(&self, id: ConditionId) -> bool {
        match &self.policy.conditions[id].kind {
            ConditionKind::Constant(value) => *value,
            ConditionKind::Not(part) => !self.holds(*part),
            ConditionKind::All(parts) => parts.iter().all(|part| self.holds(*part)),
            ConditionKind::Any(parts) => parts.iter().any(|part| self.holds(*part)),
            ConditionKind::Bool(variable) => self.value(*variable) == Some(Raw::Bool(true)),
            ConditionKind::Present(guard) => self.guard(*guard),
            ConditionKind::Text(subject, test) => {
                self.seen(*subject).is_some_and(|text| text_holds(test, &text))
            }
            ConditionKind::SameText(a, b) => {
                let (a, b) = (self.text(*a), self.text(*b));
                a.is_some() && a == b
            }
            ConditionKind::Compare(number, comparison, constant) => {
                comparison.holds(self.number(number), *constant)
            }
            ConditionKind::OneOf(number, constants) => constants.contains(&self.number(number)),
            ConditionKind::InPrefixes(variable, prefixes) => match self.value(*variable) {
                Some(Raw::Ip(address)) => {
                    prefixes.iter().any(|prefix| prefix.contains(&address.to_canonical()))
                }
                _ => false,
            },
            ConditionKind::List(variable, test) => {
                let Some(Raw::Texts(texts)) = self.value(*variable) else { return *test == ListTest::Empty };
                match test {
                    ListTest::Empty => texts.is_empty(),
                    ListTest::ContainsAny(wanted) => wanted.iter().any(|text| texts.contains(text)),
                    ListTest::ContainsAll(wanted) => wanted.iter().all(|text| texts.contains(text)),
                }
            }
            ConditionKind::Member(subject, set) => {
                self.subject(*subject).is_some_and(|factor| self.set(set).known.contains(&factor))
            }
            ConditionKind::EmptySet(set) => {
                let members = self.set(set);
                members.known.is_empty() && !members.other
            }
            ConditionKind::Performed(factor, window) => {
                self.performed(|performed| performed == *factor, *window)
            }
            ConditionKind::AnyPerformed(window) => self.performed(|_| true, *window),
            ConditionKind::Initially(_) | ConditionKind::Ended(_) => unreachable!("only under a guarantee"),
        }
    }

    fn performed(&self, wanted: impl Fn(FactorId) -> bool, window: Window) -> bool {
        let named = |name: &str| self.policy.catalog.find(name).filter(|factor| wanted(*factor));
        match window {
            Window::Ever => self.stamps().any(|(factor, _)| wanted(factor)),
            Window::Within(window) => {
                self.stamps().any(|(factor, stamp)| wanted(factor) && self.login.now - stamp < window)
            }
            Window::ThisLogin => self.login.in_login.iter().any(|name| named(name).is_some()),
        }
    }

    /// Second factors of the catalog with their stamps, in the event's order.
    fn stamps(&self) -> impl Iterator<Item = (FactorId, i64)> {
        self.login.second_factors().filter_map(|(name, stamp)| Some((self.policy.catalog.find(name)?, stamp)))
    }

    fn subject(&self, subject: FactorSubject) -> Option<FactorId> {
        match subject {
            FactorSubject::Literal(factor) => Some(factor),
            FactorSubject::Variable(variable) => match (self.value(variable), self.default(variable)) {
                (Some(Raw::Text(name)), _) => self.policy.catalog.find(&name),
                (_, Some(Value::Factor(factor))) => Some(*factor),
                _ => None,
            },
            FactorSubject::LastPerformed => {
                self.stamps().max_by_key(|(_, stamp)| *stamp).map(|(factor, _)| factor)
            }
        }
    }

    fn guard(&self, guard: Guard) -> bool {
        match guard {
            Guard::LastPerformed => self.stamps().next().is_some(),
            Guard::Domain(variable) => self.text(variable).is_some_and(|text| text.contains('@')),
            Guard::Path(presence) => match self.policy.presences[presence].path.as_slice() {
                [only] if only.key == "organization" => self.login.has_organization,
                [only] if only.key == "authentication" => self.login.methods.is_some(),
                path => {
                    let same = |variable: &Variable| {
                        variable.path.iter().map(|s| &s.key).eq(path.iter().map(|s| &s.key))
                    };
                    let variable = self.policy.variables.iter().find(|(_, variable)| same(variable));
                    variable.is_some_and(|(id, _)| self.login.values[&id].is_some())
                }
            },
        }
    }

    fn default(&self, variable: VariableId) -> Option<&Value> {
        match &self.policy.variables[variable].absence {
            Absence::Default(value) => Some(value),
            Absence::Refused | Absence::Tracked(_) => None,
        }
    }

    /// A value as the event holds it, or its default. (A factor's default is looked at where it is read.)
    fn value(&self, variable: VariableId) -> Option<Raw> {
        let ty = &self.policy.variables[variable].ty;
        let default = || match (self.default(variable)?, ty) {
            (Value::Bool(value), _) => Some(Raw::Bool(*value)),
            (Value::Number(milliseconds), Type::Duration) => Some(Raw::Seconds(milliseconds / 1000)),
            (Value::Number(number), Type::OrderedEnum(values)) => {
                Some(Raw::Text(values[*number as usize].clone()))
            }
            (Value::Text(text), _) => Some(Raw::Text(text.clone())),
            (Value::TextList(texts), _) => Some(Raw::Texts(texts.clone())),
            _ => None,
        };
        self.login.values[&variable].clone().or_else(default)
    }

    fn text(&self, variable: VariableId) -> Option<String> {
        match self.value(variable) {
            Some(Raw::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn seen(&self, subject: TextSubject) -> Option<String> {
        let text = self.text(subject.variable)?;
        match subject.view {
            View::Whole => Some(text),
            View::Lower => Some(text.to_ascii_lowercase()),
            View::Domain => text.rfind('@').map(|at| text[at + 1..].to_ascii_lowercase()),
        }
    }

    fn number(&self, number: &Number) -> i64 {
        match number {
            Number::Variable(variable) => self.numeric(*variable),
            Number::Now => self.login.now,
            Number::Age(variable) => self.login.now - self.numeric(*variable),
            Number::Weekday(moment) => i64::from(self.zoned(*moment).weekday().to_monday_zero_offset()),
            Number::Hour(moment) => i64::from(self.zoned(*moment).hour()),
            Number::Count(set) => {
                let members = self.set(set);
                members.known.len() as i64 + i64::from(members.other)
            }
            Number::Prompts | Number::Commands => unreachable!("only under a guarantee"),
        }
    }

    fn numeric(&self, variable: VariableId) -> i64 {
        match (self.value(variable), &self.policy.variables[variable].ty) {
            (Some(Raw::Int(number) | Raw::Time(number)), _) => number,
            (Some(Raw::Seconds(seconds)), _) => seconds * 1000,
            (Some(Raw::Text(text)), Type::OpenEnum(values) | Type::OrderedEnum(values)) => {
                values.iter().position(|value| *value == text).unwrap_or(values.len()) as i64
            }
            _ => 0,
        }
    }

    fn zoned(&self, moment: Moment) -> jiff::civil::DateTime {
        let instant = match moment {
            Moment::Now => self.login.now,
            Moment::Variable(variable) => self.numeric(variable),
        };
        TimeZone::UTC.to_datetime(Timestamp::from_millisecond(instant).unwrap())
    }

    fn set(&self, set: &Set) -> Members {
        match set {
            Set::Enrolled => self.named(self.login.enrolled.iter().flatten().map(String::as_str)),
            Set::Performed => {
                let mut known: Vec<_> = self.stamps().map(|(factor, _)| factor).collect();
                known.sort_unstable();
                known.dedup();
                Members { known, other: false }
            }
            Set::Variable(variable) => match self.value(*variable) {
                Some(Raw::Texts(names)) => self.named(names.iter().map(String::as_str)),
                _ => Members { known: Vec::new(), other: false },
            },
            Set::Literal(factors) => Members { known: factors.clone(), other: false },
            Set::Intersect(a, b) => {
                let (mut a, b) = (self.set(a), self.set(b));
                a.known.retain(|factor| b.known.contains(factor));
                Members { other: a.other && b.other, ..a }
            }
            Set::Union(a, b) => {
                let (mut a, b) = (self.set(a), self.set(b));
                let new: Vec<_> = b.known.into_iter().filter(|factor| !a.known.contains(factor)).collect();
                a.known.extend(new);
                Members { other: a.other || b.other, ..a }
            }
            Set::Except(a, b) => {
                let (mut a, b) = (self.set(a), self.set(b));
                a.known.retain(|factor| !b.known.contains(factor));
                Members { other: a.other && !b.other, ..a }
            }
            Set::IfPresent { guard, then, otherwise } => {
                self.set(if self.guard(*guard) { then } else { otherwise })
            }
        }
    }

    /// A set of the event, in the catalog's order.
    fn named<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> Members {
        let catalog = &self.policy.catalog;
        let is_named = |(_, factor): &(FactorId, &Factor)| names.clone().any(|name| name == factor.name);
        let known = catalog.factors.iter().filter(is_named).map(|(id, _)| id).collect();
        Members { known, other: names.clone().any(|name| catalog.find(name).is_none()) }
    }
}

fn text_holds(test: &TextTest, text: &str) -> bool {
    match test {
        TextTest::OneOf(texts) => texts.iter().any(|known| known == text),
        TextTest::StartsWith(literal) => text.starts_with(literal.as_str()),
        TextTest::EndsWith(literal) => text.ends_with(literal.as_str()),
        TextTest::Contains(literal) => text.contains(literal.as_str()),
    }
}
