//! Tests, sets and commands in the language's words, told from what they mean and not from where they stand: two
//! flows have two texts, and a `define` has one text for many uses.

use crate::check::policy::{Absence, Command};
use crate::check::policy::{
    Comparison, ConditionKind, FactorId, FactorSubject, Guard, ListTest, Moment, Number, PresenceId, Set,
    Style, TextSubject, TextTest, Type, TypedPolicy, VariableId, View, Window,
};
use crate::trace::{duration, instant, quoted};

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A test as a reader would say it, and its opposite.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Told {
    pub(super) yes: String,
    pub(super) no: String,
}

impl Told {
    fn of(yes: String) -> Self {
        Told { no: format!("not {yes}"), yes }
    }

    fn is(subject: &str, what: &str) -> Self {
        Told { yes: format!("{subject} is {what}"), no: format!("{subject} is not {what}") }
    }

    fn equals(subject: &str, value: &str) -> Self {
        Told { yes: format!("{subject} == {value}"), no: format!("{subject} != {value}") }
    }

    fn one_of(subject: &str, values: &[String]) -> Self {
        match values {
            [value] => Told::equals(subject, value),
            values => Told {
                yes: format!("{subject} in [{}]", values.join(", ")),
                no: format!("{subject} not in [{}]", values.join(", ")),
            },
        }
    }
}

/// Tells what stands in a policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Teller<'a> {
    pub(super) policy: &'a TypedPolicy,
}

impl<'a> Teller<'a> {
    /// A test; for what is built of other conditions, nothing.
    pub(super) fn test(&self, kind: &ConditionKind) -> Option<Told> {
        Some(match kind {
            ConditionKind::Bool(variable) => Told::of(self.name(*variable)),
            ConditionKind::Present(guard) => Told::is(&self.guarded(*guard), "present"),
            ConditionKind::Text(subject, test) => self.text(*subject, test),
            ConditionKind::SameText(a, b) => Told::equals(&self.name(*a), &self.name(*b)),
            ConditionKind::Compare(number, comparison, constant) => {
                self.compare(number, *comparison, *constant)
            }
            ConditionKind::OneOf(number, constants) => {
                let constants: Vec<_> = constants.iter().map(|c| self.constant(number, *c)).collect();
                Told::one_of(&self.number(number), &constants)
            }
            ConditionKind::InPrefixes(variable, prefixes) => {
                let all: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
                Told {
                    yes: format!("{} in [{}]", self.name(*variable), all.join(", ")),
                    no: format!("{} not in [{}]", self.name(*variable), all.join(", ")),
                }
            }
            ConditionKind::List(variable, test) => self.list(*variable, test),
            ConditionKind::Member(subject, set) => self.member(*subject, set),
            ConditionKind::EmptySet(set) if *set == self.enrolled_outside() => Told {
                yes: "nothing outside the catalog is enrolled".to_owned(),
                no: "a factor outside the catalog is enrolled".to_owned(),
            },
            ConditionKind::EmptySet(Set::Intersect(a, b)) if **a == Set::Enrolled && self.is_all(b) => Told {
                yes: "no factor of the catalog is enrolled".to_owned(),
                no: "a factor of the catalog is enrolled".to_owned(),
            },
            ConditionKind::EmptySet(set) => Told::is(&self.set(set), "empty"),
            ConditionKind::Performed(factor, window) => {
                Told::of(format!("performed({}){}", self.factor(*factor), told_window(*window)))
            }
            ConditionKind::AnyPerformed(window) => Told::of(format!("any performed{}", told_window(*window))),
            ConditionKind::Constant(_)
            | ConditionKind::Not(_)
            | ConditionKind::All(_)
            | ConditionKind::Any(_)
            | ConditionKind::Initially(_)
            | ConditionKind::Ended(_) => return None,
        })
    }

    /// The enrolled factors that the catalog doesn't have.
    pub(super) fn enrolled_outside(&self) -> Set {
        let all = self.policy.catalog.factors.keys().collect();
        Set::Except(Box::new(Set::Enrolled), Box::new(Set::Literal(all)))
    }

    fn is_all(self, set: &Set) -> bool {
        matches!(set, Set::Literal(factors) if factors.len() == self.policy.catalog.factors.len())
    }

    /// A command, as it stands in a policy.
    pub(super) fn command(&self, command: &Command) -> String {
        let listed: Vec<String> =
            command.listed.iter().map(|listed| self.with_options(listed.factor, &listed.options)).collect();
        let rest = command.rest.as_ref().map(|set| self.set(set));
        let verb = command.kind.word();
        match (command.style, rest) {
            (Style::Preferred, None) => format!("{verb} {}", listed.join(" or ")),
            (Style::Preferred, Some(set)) => format!("{verb} {} or any of {set}", listed.join(" or ")),
            (Style::Any, None) => format!("{verb} any of [{}]", listed.join(", ")),
            (Style::Any, Some(set)) if listed.is_empty() => format!("{verb} any of {set}"),
            (Style::Any, Some(set)) => format!("{verb} any of [{}] union {set}", listed.join(", ")),
        }
    }

    /// A factor with its options.
    pub(super) fn with_options(&self, factor: FactorId, options: &[usize]) -> String {
        let row = &self.policy.catalog.factors[factor];
        let options: Vec<&str> =
            options.iter().filter_map(|option| row.options.get(*option)).map(|o| o.name.as_str()).collect();
        if options.is_empty() { row.name.clone() } else { format!("{}({})", row.name, options.join(", ")) }
    }

    /// A factor.
    pub(super) fn factor(self, factor: FactorId) -> &'a str {
        &self.policy.catalog.factors[factor].name
    }

    fn name(&self, variable: VariableId) -> String {
        self.policy.variables[variable].name.clone()
    }

    fn guarded(&self, guard: Guard) -> String {
        match guard {
            Guard::Path(presence) => self.presence(presence),
            Guard::LastPerformed => "last performed".to_owned(),
            Guard::Domain(variable) => format!("domain({})", self.name(variable)),
        }
    }

    /// A fact whose presence it is, or else the path.
    fn presence(&self, presence: PresenceId) -> String {
        let tracked = |row: &&crate::check::policy::Variable| row.absence == Absence::Tracked(presence);
        let path = &self.policy.presences[presence].path;
        let under = self.policy.variables.values().filter(tracked).min_by_key(|row| row.path.len());
        match under.filter(|row| row.path.len() == path.len()) {
            Some(row) => row.name.clone(),
            None => {
                let keys: Vec<&str> = path.iter().map(|segment| segment.key.as_str()).collect();
                format!("event.{}", keys.join("."))
            }
        }
    }

    fn text(&self, subject: TextSubject, test: &TextTest) -> Told {
        let name = self.name(subject.variable);
        let subject = match subject.view {
            View::Whole => name,
            View::Lower => format!("lower({name})"),
            View::Domain => format!("domain({name})"),
        };
        match test {
            TextTest::OneOf(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                Told::one_of(&subject, &texts)
            }
            TextTest::StartsWith(text) => Told::of(format!("{subject} starts with {}", quoted(text))),
            TextTest::EndsWith(text) => Told::of(format!("{subject} ends with {}", quoted(text))),
            TextTest::Contains(text) => Told::of(format!("{subject} contains {}", quoted(text))),
        }
    }

    fn compare(&self, number: &Number, comparison: Comparison, constant: i64) -> Told {
        let (subject, constant) = (self.number(number), self.constant(number, constant));
        let (yes, no) = match comparison {
            Comparison::Equal => ("==", "!="),
            Comparison::Less => ("<", ">="),
            Comparison::LessOrEqual => ("<=", ">"),
            Comparison::Greater => (">", "<="),
            Comparison::GreaterOrEqual => (">=", "<"),
        };
        Told { yes: format!("{subject} {yes} {constant}"), no: format!("{subject} {no} {constant}") }
    }

    fn number(&self, number: &Number) -> String {
        let moment = |of: &Moment| match of {
            Moment::Now => "now".to_owned(),
            Moment::Variable(variable) => self.name(*variable),
        };
        match number {
            Number::Variable(variable) => self.name(*variable),
            Number::Now => "now".to_owned(),
            Number::Age(variable) => format!("age({})", self.name(*variable)),
            Number::Weekday(of) => format!("weekday({})", moment(of)),
            Number::Hour(of) => format!("hour({})", moment(of)),
            Number::Count(set) => format!("count({})", self.set(set)),
            Number::Prompts => "prompts".to_owned(),
            Number::Commands => "commands".to_owned(),
        }
    }

    fn constant(&self, number: &Number, constant: i64) -> String {
        let place = usize::try_from(constant).ok();
        match number {
            Number::Now => instant(constant),
            Number::Age(_) => duration(constant),
            Number::Weekday(_) => {
                place.and_then(|day| DAYS.get(day)).map_or(constant.to_string(), |day| (*day).to_owned())
            }
            Number::Variable(variable) => match &self.policy.variables[*variable].ty {
                Type::Time => instant(constant),
                Type::Duration => duration(constant),
                Type::OpenEnum(values) | Type::OrderedEnum(values) => {
                    place.and_then(|place| values.get(place)).map_or("other", String::as_str).to_owned()
                }
                _ => constant.to_string(),
            },
            _ => constant.to_string(),
        }
    }

    fn list(&self, variable: VariableId, test: &ListTest) -> Told {
        let name = self.name(variable);
        let all = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
        match test {
            ListTest::Empty => Told::is(&name, "empty"),
            ListTest::ContainsAny(texts) | ListTest::ContainsAll(texts) if texts.len() == 1 => {
                Told::of(format!("{name} contains {}", all(texts)))
            }
            ListTest::ContainsAny(texts) => Told::of(format!("{name} contains any [{}]", all(texts))),
            ListTest::ContainsAll(texts) => Told::of(format!("{name} contains all [{}]", all(texts))),
        }
    }

    fn member(&self, subject: FactorSubject, set: &Set) -> Told {
        let subject = match (subject, set) {
            (FactorSubject::Literal(factor), Set::Enrolled) => {
                return Told::of(format!("enrolled({})", self.factor(factor)));
            }
            (FactorSubject::Literal(factor), Set::Performed) => {
                return Told::of(format!("performed({})", self.factor(factor)));
            }
            (FactorSubject::Literal(factor), _) => self.factor(factor).to_owned(),
            (FactorSubject::Variable(variable), _) => self.name(variable),
            (FactorSubject::LastPerformed, _) => "last performed".to_owned(),
        };
        match set {
            Set::Literal(factors) => {
                let names: Vec<String> = factors.iter().map(|f| self.factor(*f).to_owned()).collect();
                Told::one_of(&subject, &names)
            }
            set => {
                let set = self.set(set);
                Told { yes: format!("{subject} in {set}"), no: format!("{subject} not in {set}") }
            }
        }
    }

    /// A set. (How deep sets nest is bounded before.)
    fn set(&self, set: &Set) -> String {
        let inner = |part: &Set| match part {
            Set::Enrolled | Set::Performed | Set::Variable(_) | Set::Literal(_) => self.set(part),
            _ => format!("({})", self.set(part)),
        };
        match set {
            Set::Enrolled => "enrolled".to_owned(),
            Set::Performed => "performed".to_owned(),
            Set::Variable(variable) => self.name(*variable),
            Set::Literal(factors) => {
                let names: Vec<&str> = factors.iter().map(|factor| self.factor(*factor)).collect();
                format!("[{}]", names.join(", "))
            }
            Set::Intersect(a, b) => format!("{} intersect {}", inner(a), inner(b)),
            Set::Union(a, b) => format!("{} union {}", inner(a), inner(b)),
            Set::Except(a, b) => format!("{} except {}", inner(a), inner(b)),
            Set::IfPresent { then, otherwise, .. } => format!("{} ?? {}", inner(then), inner(otherwise)),
        }
    }
}

fn told_window(window: Window) -> String {
    match window {
        Window::Ever => String::new(),
        Window::Within(length) => format!(" within {}", duration(length)),
        Window::ThisLogin => " in this login".to_owned(),
    }
}
