//! Conditions of the typed policy as JavaScript, and the functions that named ones become.
//!
//! What may be absent is read only where the policy has asked: the checker has seen to that from left to right, and
//! `&&` and `||` ask from left to right too. So no test of an absent value is ever worked out, whatever it would give.

use std::collections::{BTreeMap, HashMap};

use crate::check::WEEKDAYS;
use crate::check::policy::{
    CommandKind, Comparison, ConditionId, ConditionKind, FactorId, FactorSubject, Guard, ListTest, Moment,
    Named, Number, Set, TextSubject, TextTest, Type, TypedPolicy, VariableId, View, Window,
};
use crate::syntax::print::doc::{Doc, layout};

use super::expression::Expression;
use super::facts::{BuiltIn, Facts};
use super::helpers::{self, Helpers};
use super::names::Names;
use super::text::{comment, string, strings};

/// The lengths that the language has a unit for, longest first.
const UNITS: [(&str, i64); 4] =
    [("DAY", 86_400_000), ("HOUR", 3_600_000), ("MINUTE", 60_000), ("SECOND", 1_000)];

/// A function of an Action: what the policy gives a name.
pub(super) struct Function<'p> {
    name: String,
    named: &'p Named,
    body: Body,
}

/// What a function returns.
enum Body {
    Condition(Expression),
    Set(String),
}

/// What is known of an Action while its statements are written.
pub(super) struct Writer<'p> {
    pub(super) policy: &'p TypedPolicy,
    pub(super) facts: Facts<'p>,
    pub(super) helpers: Helpers,
    pub(super) functions: Vec<Function<'p>>,
    /// The functions' names, by what each stands for.
    conditions: BTreeMap<ConditionId, String>,
    sets: HashMap<Set, String>,
    names: Names,
    /// The units of time that constants are written in.
    pub(super) units: Vec<(&'static str, i64)>,
    /// The commands that offer factors of a set.
    pub(super) offers: Vec<CommandKind>,
}

impl<'p> Writer<'p> {
    pub(super) fn new(policy: &'p TypedPolicy) -> Self {
        Writer {
            policy,
            facts: Facts::new(policy),
            helpers: Helpers::default(),
            functions: Vec::new(),
            conditions: BTreeMap::new(),
            sets: HashMap::new(),
            names: Names::of_functions(helpers::names()),
            units: Vec::new(),
            offers: Vec::new(),
        }
    }

    /// A condition: a call, where it has a name.
    pub(super) fn condition(&mut self, id: ConditionId) -> Expression {
        if let Some(name) = self.conditions.get(&id) {
            return Expression::primary(format!("{name}(facts)"));
        }
        let Some(named) = self.policy.names.conditions.get(&id) else { return self.written_out(id) };
        let name = self.function_name(named);
        self.conditions.insert(id, name.clone());
        let body = Body::Condition(self.written_out(id));
        let call = Expression::primary(format!("{name}(facts)"));
        self.functions.push(Function { name, named, body });
        call
    }

    fn function_name(&mut self, named: &Named) -> String {
        self.names.give(&format!("{} {}", named.name, named.arguments.join(" ")))
    }

    fn written_out(&mut self, id: ConditionId) -> Expression {
        let policy = self.policy;
        match &policy.conditions[id].kind {
            ConditionKind::Constant(value) => Expression::Constant(*value),
            ConditionKind::Not(inner) => self.condition(*inner).not(),
            ConditionKind::All(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.condition(*part)).collect();
                Expression::all(parts)
            }
            ConditionKind::Any(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.condition(*part)).collect();
                Expression::any(parts)
            }
            ConditionKind::Bool(variable) => Expression::primary(self.facts.variable(*variable)),
            ConditionKind::Present(guard) => self.guard(*guard),
            ConditionKind::Text(subject, test) => self.text(*subject, test),
            ConditionKind::SameText(a, b) => {
                Expression::Comparison(self.facts.variable(*a), "===", self.facts.variable(*b))
            }
            ConditionKind::Compare(number, comparison, constant) => {
                self.compare(number, *comparison, *constant)
            }
            ConditionKind::OneOf(number, constants) => self.one_of(number, constants),
            ConditionKind::InPrefixes(variable, prefixes) => {
                let address = self.facts.variable(*variable);
                let prefixes: Vec<String> =
                    prefixes.iter().map(|prefix| prefix.trunc().to_string()).collect();
                let inside = self.helpers.uses("isInside");
                Expression::primary(format!("{inside}({address}, {})", strings(&prefixes)))
            }
            ConditionKind::List(variable, test) => self.list(*variable, test),
            ConditionKind::Member(subject, set) => {
                let set = self.set(set);
                let factor = self.factor(*subject);
                Expression::primary(format!("{set}.includes({factor})"))
            }
            ConditionKind::EmptySet(set) => {
                Expression::Comparison(format!("{}.length", self.set(set)), "===", "0".to_owned())
            }
            ConditionKind::Performed(factor, window) => self.performed(Some(*factor), *window),
            ConditionKind::AnyPerformed(window) => self.performed(None, *window),
            // Only guarantees have these, and no step leads to a guarantee's conditions.
            ConditionKind::Initially(_) | ConditionKind::Ended(_) => Expression::Constant(false),
        }
    }

    fn guard(&mut self, guard: Guard) -> Expression {
        match guard {
            Guard::Path(presence) => Expression::primary(self.facts.presence(presence)),
            Guard::LastPerformed => {
                Expression::Comparison(self.factor(FactorSubject::LastPerformed), "!==", string(""))
            }
            Guard::Domain(variable) => {
                Expression::primary(format!("{}.includes(\"@\")", self.facts.variable(variable)))
            }
        }
    }

    fn text(&mut self, subject: TextSubject, test: &TextTest) -> Expression {
        let fact = self.facts.variable(subject.variable);
        let seen = match subject.view {
            View::Whole => fact,
            View::Lower => format!("{}({fact})", self.helpers.uses("lower")),
            View::Domain => format!("{}({fact})", self.helpers.uses("domain")),
        };
        let (method, literal) = match test {
            TextTest::OneOf(texts) => return Expression::one_of(seen, texts),
            TextTest::StartsWith(literal) => ("startsWith", literal),
            TextTest::EndsWith(literal) => ("endsWith", literal),
            TextTest::Contains(literal) => ("includes", literal),
        };
        Expression::primary(format!("{seen}.{method}({})", string(literal)))
    }

    fn list(&mut self, variable: VariableId, test: &ListTest) -> Expression {
        let list = self.facts.variable(variable);
        let (method, texts) = match test {
            ListTest::Empty => {
                return Expression::Comparison(format!("{list}.length"), "===", "0".to_owned());
            }
            ListTest::ContainsAny(texts) => ("some", texts),
            ListTest::ContainsAll(texts) => ("every", texts),
        };
        match &texts[..] {
            [only] => Expression::primary(format!("{list}.includes({})", string(only))),
            texts => {
                let texts = strings(texts);
                Expression::primary(format!("{texts}.{method}((text) => {list}.includes(text))"))
            }
        }
    }

    fn compare(&mut self, number: &Number, comparison: Comparison, constant: i64) -> Expression {
        if let Some(names) = self.named_values(number) {
            let texts: Vec<&str> = (0..)
                .zip(names)
                .filter(|(n, _)| comparison.holds(*n, constant))
                .map(|(_, name)| name)
                .collect();
            return Expression::one_of(self.number(number), &texts);
        }
        let operator = match comparison {
            Comparison::Equal => "===",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        };
        let constant = self.constant(number, constant);
        Expression::Comparison(self.number(number), operator, constant)
    }

    fn one_of(&mut self, number: &Number, constants: &[i64]) -> Expression {
        if let Some(names) = self.named_values(number) {
            let is_listed = |n: &i64| constants.contains(n);
            let texts: Vec<&str> =
                (0..).zip(names).filter(|(n, _)| is_listed(n)).map(|(_, name)| name).collect();
            return Expression::one_of(self.number(number), &texts);
        }
        let constants: Vec<String> =
            constants.iter().map(|constant| self.constant(number, *constant)).collect();
        Expression::primary(format!("[{}].includes({})", constants.join(", "), self.number(number)))
    }

    /// The names of a number's values, where the Action holds it as a name.
    fn named_values(&self, number: &Number) -> Option<Vec<&'p str>> {
        let policy = self.policy;
        match number {
            Number::Weekday(_) => Some(WEEKDAYS.to_vec()),
            Number::Variable(variable) => match &policy.variables[*variable].ty {
                Type::OrderedEnum(values) => Some(values.iter().map(String::as_str).collect()),
                Type::OpenEnum(values) => Some(values.iter().map(String::as_str).chain(["other"]).collect()),
                _ => None,
            },
            _ => None,
        }
    }

    fn number(&mut self, number: &Number) -> String {
        match number {
            Number::Variable(variable) => self.facts.variable(*variable),
            Number::Now => self.facts.built_in(BuiltIn::Now),
            Number::Age(variable) => {
                format!("{} - {}", self.facts.built_in(BuiltIn::Now), self.facts.variable(*variable))
            }
            Number::Weekday(moment) => self.of_moment("weekday", *moment),
            Number::Hour(moment) => self.of_moment("hour", *moment),
            Number::Count(set) => format!("{}.length", self.set(set)),
            // Only guarantees count these.
            Number::Prompts | Number::Commands => "0".to_owned(),
        }
    }

    fn of_moment(&mut self, helper: &'static str, moment: Moment) -> String {
        let moment = match moment {
            Moment::Now => self.facts.built_in(BuiltIn::Now),
            Moment::Variable(variable) => self.facts.variable(variable),
        };
        format!("{}({moment})", self.helpers.uses(helper))
    }

    /// A constant as people write it: `90 * DAY`, `Date.parse("2026-01-31T00:00:00Z")`.
    fn constant(&mut self, number: &Number, constant: i64) -> String {
        let ty = match number {
            Number::Variable(variable) => Some(&self.policy.variables[*variable].ty),
            _ => None,
        };
        match (number, ty) {
            (Number::Age(_), _) | (_, Some(Type::Duration)) => self.duration(constant),
            (Number::Now, _) | (_, Some(Type::Time)) => match jiff::Timestamp::from_millisecond(constant) {
                Ok(instant) if constant >= 0 => format!("Date.parse({})", string(&instant.to_string())),
                _ => constant.to_string(),
            },
            _ => constant.to_string(),
        }
    }

    /// A length of time in its largest whole unit.
    pub(super) fn duration(&mut self, milliseconds: i64) -> String {
        let unit = UNITS.into_iter().find(|(_, length)| milliseconds != 0 && milliseconds % length == 0);
        let Some((name, length)) = unit else { return milliseconds.to_string() };
        if !self.units.contains(&(name, length)) {
            self.units.push((name, length));
        }
        format!("{} * {name}", milliseconds / length)
    }

    fn performed(&mut self, factor: Option<FactorId>, window: Window) -> Expression {
        if window == Window::ThisLogin {
            let used = self.facts.built_in(BuiltIn::PerformedInThisLogin);
            return match factor {
                Some(factor) => Expression::primary(format!("{used}.includes({})", self.factor_name(factor))),
                None => Expression::Comparison(format!("{used}.length"), ">", "0".to_owned()),
            };
        }
        let performed = self.facts.built_in(BuiltIn::Performed);
        let is_factor = match factor {
            Some(factor) => format!("use.factor === {}", self.factor_name(factor)),
            None => "use.factor !== \"other\"".to_owned(),
        };
        let is_recent = match window {
            Window::Within(length) => {
                let now = self.facts.built_in(BuiltIn::Now);
                format!(" && {now} - use.at < {}", self.duration(length))
            }
            Window::Ever | Window::ThisLogin => String::new(),
        };
        Expression::primary(format!("{performed}.some((use) => {is_factor}{is_recent})"))
    }

    fn factor(&mut self, subject: FactorSubject) -> String {
        match subject {
            FactorSubject::Literal(factor) => self.factor_name(factor),
            FactorSubject::Variable(variable) => self.facts.variable(variable),
            FactorSubject::LastPerformed => {
                let performed = self.facts.built_in(BuiltIn::Performed);
                format!("{}({performed})", self.helpers.uses("lastPerformed"))
            }
        }
    }

    fn factor_name(&self, factor: FactorId) -> String {
        string(&self.policy.catalog.factors[factor].name)
    }

    /// A set, as the array of its members in its order: a call, where it has a name.
    pub(super) fn set(&mut self, set: &Set) -> String {
        if let Some(name) = self.sets.get(set) {
            return format!("{name}(facts)");
        }
        let Some(named) = self.policy.names.sets.get(set) else { return self.set_written_out(set) };
        let name = self.function_name(named);
        self.sets.insert(set.clone(), name.clone());
        let body = Body::Set(self.set_written_out(set));
        let call = format!("{name}(facts)");
        self.functions.push(Function { name, named, body });
        call
    }

    fn set_written_out(&mut self, set: &Set) -> String {
        match set {
            Set::Enrolled => self.facts.built_in(BuiltIn::Enrolled),
            Set::Performed => {
                let performed = self.facts.built_in(BuiltIn::Performed);
                format!("{}({performed}.map((use) => use.factor))", self.helpers.uses("inCatalogOrder"))
            }
            Set::Variable(variable) => self.facts.variable(*variable),
            Set::Literal(factors) => {
                let names: Vec<&str> =
                    factors.iter().map(|factor| self.policy.catalog.factors[*factor].name.as_str()).collect();
                strings(&names)
            }
            Set::Intersect(a, b) => self.of_sets("intersect", a, b),
            Set::Union(a, b) => self.of_sets("union", a, b),
            Set::Except(a, b) => self.of_sets("except", a, b),
            Set::IfPresent { guard, then, otherwise } => {
                let guard = layout(&self.guard(*guard).doc());
                let (then, otherwise) = (self.set(then), self.set(otherwise));
                format!("({guard} ? {then} : {otherwise})")
            }
        }
    }

    fn of_sets(&mut self, helper: &'static str, a: &Set, b: &Set) -> String {
        let (a, b) = (self.set(a), self.set(b));
        format!("{}({a}, {b})", self.helpers.uses(helper))
    }
}

impl Function<'_> {
    /// Its text, with the policy's words about it.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("/**\n");
        for line in &self.named.docs {
            text.push_str(format!(" * {}", comment(line)).trim_end());
            text.push('\n');
        }
        text.push_str(" * @param {ReturnType<typeof readFacts>} facts\n */\n");
        let doc = Doc::Concat(vec![
            Doc::text(format!("function {}(facts) {{", self.name)),
            Doc::Nest(vec![Doc::Break, Doc::text("return "), self.body.doc(), Doc::text(";")]),
            Doc::Break,
            Doc::text("}"),
        ]);
        text + &layout(&doc) + "\n"
    }
}

impl Body {
    fn doc(&self) -> Doc {
        match self {
            Body::Condition(condition @ (Expression::All(_) | Expression::Any(_))) => Doc::Group(vec![
                Doc::IfBroken("("),
                Doc::Nest(vec![Doc::Line(""), condition.doc()]),
                Doc::Line(""),
                Doc::IfBroken(")"),
            ]),
            Body::Condition(condition) => condition.doc(),
            Body::Set(set) => Doc::text(set.clone()),
        }
    }
}
