//! What a step decides, worked out on the syntax tree and the event as JSON, as the language's description says.
//!
//! It knows no types: an expression is worth a [`Value`], and a test of values that don't go together, or of one that
//! is absent, panics, since the checker lets no such policy through. It shares the parser with what it judges, and
//! nothing after it.

use std::net::IpAddr;

use serde_json::{Value as Json, json};
use stepup::syntax::tree::*;

use super::tree_facts::Reader;

/// What an expression is worth.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Absent,
    Bool(bool),
    /// An integer, an instant or a length of time.
    Number(i64),
    Text(String),
    Ip(IpAddr),
    Prefix(ipnet::IpNet),
    /// A factor, an enum's value.
    Symbol(String),
    Texts(Vec<String>),
    Set(Members),
    /// A list as written.
    List(Vec<Value>),
}

/// A set of factors in its order, and whether one outside the catalog belongs to it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Members {
    pub known: Vec<String>,
    pub other: bool,
}

/// A file of the flow or the library, and the files whose definitions it sees.
pub struct Unit {
    pub tree: File,
    pub uses: Vec<usize>,
}

/// A flow, as its trees.
pub struct Flow {
    pub units: Vec<Unit>,
}

/// A step: its name and where it stands.
pub struct StepAt {
    pub name: String,
    pub unit: usize,
    body: Vec<Statement>,
}

enum End {
    Stopped,
    Denied(String),
    Fifth,
}

#[derive(Clone)]
struct Scope {
    unit: usize,
    locals: Vec<(String, Value)>,
}

impl Flow {
    /// The steps of the units from `first` on: their `step` items, or the statements of the file as one.
    pub fn steps(&self, first: usize, names: &[String]) -> Vec<StepAt> {
        let mut steps = Vec::new();
        for (unit, name) in (first..self.units.len()).zip(names) {
            let mut loose = Vec::new();
            for entry in &self.units[unit].tree.entries {
                match entry {
                    Entry::Statement(statement) => loose.push(statement.clone()),
                    Entry::Item(Item { kind: ItemKind::Step(step), .. }) => steps.push(StepAt {
                        name: step.name.node.clone(),
                        unit,
                        body: step.body.statements.clone(),
                    }),
                    Entry::Item(_) => {}
                }
            }
            if !loose.is_empty() {
                steps.push(StepAt { name: name.clone(), unit, body: loose });
            }
        }
        steps
    }

    pub fn items(&self) -> impl DoubleEndedIterator<Item = (usize, &ItemKind)> {
        self.units.iter().enumerate().flat_map(|(unit, file)| {
            file.tree.entries.iter().filter_map(move |entry| match entry {
                Entry::Item(item) => Some((unit, &item.kind)),
                Entry::Statement(_) => None,
            })
        })
    }

    /// The definition that a name of a unit means: its own, or one of a file that it uses.
    fn definition(&self, unit: usize, wanted: &str) -> Option<(usize, &ItemKind)> {
        let named = |item: &ItemKind| match item {
            ItemKind::Let(Let { name, .. })
            | ItemKind::Define(Define { name, .. })
            | ItemKind::Rule(Rule { name, .. }) => name.node == wanted,
            _ => false,
        };
        let own = self.items().find(|(at, item)| *at == unit && named(item));
        own.or_else(|| {
            self.units[unit]
                .uses
                .iter()
                .find_map(|used| self.items().find(|(at, item)| at == used && named(item)))
        })
    }
}

/// A login for a flow.
pub struct Login<'a> {
    pub flow: &'a Flow,
    pub reader: Reader<'a>,
    /// Milliseconds since 1970.
    pub now: i64,
    /// The factors passed since this login began.
    pub in_login: Vec<String>,
}

impl Login<'_> {
    /// What a step decides, as the command line prints it; `None` for a fifth command.
    pub fn decide(&self, step: &StepAt) -> Option<Json> {
        let mut commands = Vec::new();
        let mut scope = Scope { unit: step.unit, locals: Vec::new() };
        let denied = match self.block(&mut scope, &step.body, &mut commands) {
            Ok(()) | Err(End::Stopped) => None,
            Err(End::Denied(reason)) => {
                commands.clear();
                Some(reason)
            }
            Err(End::Fifth) => return None,
        };
        Some(json!({"step": step.name, "commands": commands, "denied": denied}))
    }

    fn block(&self, scope: &mut Scope, block: &[Statement], commands: &mut Vec<Json>) -> Result<(), End> {
        let outside = scope.locals.len();
        for statement in block {
            self.statement(scope, statement, commands)?;
        }
        scope.locals.truncate(outside);
        Ok(())
    }

    fn statement(
        &self,
        scope: &mut Scope,
        statement: &Statement,
        commands: &mut Vec<Json>,
    ) -> Result<(), End> {
        match &statement.kind {
            StatementKind::Command(_) if commands.len() == 4 => Err(End::Fifth),
            StatementKind::Command(command) => {
                commands.push(self.command(scope, command));
                Ok(())
            }
            StatementKind::Deny(reason) => Err(End::Denied(reason.node.clone())),
            StatementKind::Stop => Err(End::Stopped),
            StatementKind::If(chain) => {
                let taken = chain.branches.iter().find(|(condition, _)| self.holds(scope, condition));
                let body = taken.map(|(_, body)| body).or(chain.otherwise.as_ref());
                body.map_or(Ok(()), |body| self.block(scope, &body.statements, commands))
            }
            StatementKind::Match(matched) => {
                let subject = self.value(scope, &matched.subject);
                let fits = |arm: &&Arm| {
                    arm.patterns.iter().any(|pattern| equal(&subject, &self.value(scope, pattern)))
                };
                let body = matched.arms.iter().find(fits).map(|arm| &arm.body);
                let body = body.or(matched.otherwise.as_ref());
                body.map_or(Ok(()), |body| self.block(scope, &body.statements.clone(), commands))
            }
            StatementKind::Let(item) => {
                let value = self.value(scope, &item.value);
                scope.locals.push((item.name.node.clone(), value));
                Ok(())
            }
            StatementKind::Apply(name) => {
                let Some((unit, ItemKind::Rule(rule))) = self.flow.definition(scope.unit, &name.node) else {
                    panic!("no rule `{}`", name.node)
                };
                self.block(&mut Scope { unit, locals: Vec::new() }, &rule.body.statements, commands)
            }
        }
    }

    fn command(&self, scope: &Scope, command: &Command) -> Json {
        let kind = command.kind.node;
        let (factors, rest, any) = match &command.offer {
            Offer::Preferred { factors, rest } => (factors.clone(), rest.clone(), ""),
            Offer::AnyListed(factors) => (factors.node.clone(), None, "Any"),
            Offer::AnyIn(set) => (Vec::new(), Some(set.clone()), "Any"),
        };
        let mut offered: Vec<Json> = factors.iter().map(|used| self.reader.offered(kind, used)).collect();
        for factor in rest.iter().flat_map(|set| self.set(scope, set).known) {
            let is_listed = factors.iter().any(|used| used.factor.node == factor);
            if !is_listed && self.reader.allows(kind, &factor) {
                offered.push(json!({"type": factor}));
            }
        }
        let method = format!("{}With{any}", kind.word());
        match any {
            "Any" => json!({"command": method, "factors": offered}),
            _ => json!({"command": method, "factor": offered[0], "additionalFactors": offered[1..]}),
        }
    }

    fn holds(&self, scope: &Scope, condition: &Expression) -> bool {
        match self.value(scope, condition) {
            Value::Bool(value) => value,
            other => panic!("a condition is worth {other:?}"),
        }
    }

    fn value(&self, scope: &Scope, expression: &Expression) -> Value {
        let value = |inner: &Expression| self.value(scope, inner);
        let holds = |inner: &Expression| self.holds(scope, inner);
        match &*expression.kind {
            ExpressionKind::Implies(a, b) => Value::Bool(!holds(a) || holds(b)),
            ExpressionKind::Or(parts) => Value::Bool(parts.iter().any(holds)),
            ExpressionKind::And(parts) => Value::Bool(parts.iter().all(holds)),
            ExpressionKind::Not(inner) => Value::Bool(!holds(inner)),
            ExpressionKind::Binary { left, operator, right } => {
                Value::Bool(self.test(operator.node, &value(left), &value(right)))
            }
            ExpressionKind::Is(subject, test) => {
                let subject = value(subject);
                Value::Bool(match test.node {
                    IsTest::Present => subject != Value::Absent,
                    IsTest::NotPresent => subject == Value::Absent,
                    IsTest::Empty => is_empty(&subject),
                    IsTest::NotEmpty => !is_empty(&subject),
                })
            }
            ExpressionKind::Sets { first, rest } => {
                let mut set = self.set(scope, first);
                for (operator, operand) in rest {
                    set = combine(operator.node, set, &self.set(scope, operand));
                }
                Value::Set(set)
            }
            ExpressionKind::Fallback(parts) => {
                parts.iter().map(value).find(|part| *part != Value::Absent).unwrap_or(Value::Absent)
            }
            ExpressionKind::Window(subject, window) => Value::Bool(self.window(scope, subject, window.node)),
            ExpressionKind::Call(name, arguments) => {
                let arguments: Vec<Value> = arguments.iter().map(value).collect();
                self.call(scope, &name.node, arguments)
            }
            ExpressionKind::Name(name) => self.name(scope, name),
            ExpressionKind::AnyPerformed => Value::Bool(!self.reader.stamps().is_empty()),
            ExpressionKind::LastPerformed => {
                let last = self.reader.stamps().into_iter().max_by_key(|(_, stamp)| *stamp);
                last.map_or(Value::Absent, |(factor, _)| Value::Symbol(factor))
            }
            ExpressionKind::List(elements) => Value::List(elements.iter().map(value).collect()),
            ExpressionKind::Literal(literal) => of_literal(literal),
            ExpressionKind::Initially(_) | ExpressionKind::Invalid => panic!("no step holds {expression:?}"),
        }
    }

    fn name(&self, scope: &Scope, name: &str) -> Value {
        if let Some((_, value)) = scope.locals.iter().rev().find(|(local, _)| local == name) {
            return value.clone();
        }
        match name {
            "enrolled" => return Value::Set(self.reader.enrolled()),
            "performed" => return Value::Set(self.reader.performed()),
            "now" => return Value::Number(self.now),
            _ => {}
        }
        match self.flow.definition(scope.unit, name) {
            Some((unit, ItemKind::Let(item))) => {
                return self.value(&Scope { unit, locals: Vec::new() }, &item.value);
            }
            Some((unit, ItemKind::Define(item))) => {
                return self.value(&Scope { unit, locals: Vec::new() }, &item.body);
            }
            _ => {}
        }
        self.reader.fact(name).unwrap_or_else(|| Value::Symbol(name.to_owned()))
    }

    fn call(&self, scope: &Scope, name: &str, mut arguments: Vec<Value>) -> Value {
        if let Some((unit, ItemKind::Define(define))) = self.flow.definition(scope.unit, name) {
            let names = define.parameters.iter().map(|parameter| parameter.name.node.clone());
            return self.value(&Scope { unit, locals: names.zip(arguments).collect() }, &define.body);
        }
        let argument = arguments.remove(0);
        match (name, &argument) {
            ("lower" | "domain", Value::Absent) => Value::Absent,
            ("lower", Value::Text(text)) => Value::Text(text.to_ascii_lowercase()),
            ("domain", Value::Text(text)) => match text.rsplit_once('@') {
                Some((_, domain)) => Value::Text(domain.to_ascii_lowercase()),
                None => Value::Absent,
            },
            ("enrolled", Value::Symbol(factor)) => Value::Bool(self.reader.enrolled().known.contains(factor)),
            ("performed", Value::Symbol(factor)) => {
                Value::Bool(self.reader.stamps().iter().any(|(passed, _)| passed == factor))
            }
            ("count", _) => {
                let set = to_set(&argument);
                Value::Number(set.known.len() as i64 + i64::from(set.other))
            }
            ("age", Value::Number(time)) => Value::Number(self.now - time),
            ("hour", Value::Number(time)) => Value::Number(time.div_euclid(3_600_000).rem_euclid(24)),
            ("weekday", Value::Number(time)) => Value::Symbol(weekday(*time).to_owned()),
            _ => panic!("`{name}` of {argument:?}"),
        }
    }

    fn window(&self, scope: &Scope, subject: &Expression, window: WindowTest) -> bool {
        let wanted: Option<String> = match &*subject.kind {
            ExpressionKind::AnyPerformed => None,
            ExpressionKind::Call(name, arguments) if name.node == "performed" => {
                match self.value(scope, &arguments[0]) {
                    Value::Symbol(factor) => Some(factor),
                    other => panic!("`performed` of {other:?}"),
                }
            }
            _ => match (self.value(scope, subject), window) {
                (Value::Number(time), WindowTest::Within(length)) => return self.now - time < length,
                other => panic!("{other:?}"),
            },
        };
        let is_wanted = |factor: &String| wanted.as_ref().is_none_or(|wanted| wanted == factor);
        match window {
            WindowTest::Within(length) => self
                .reader
                .stamps()
                .iter()
                .any(|(factor, stamp)| is_wanted(factor) && self.now - stamp < length),
            WindowTest::ThisLogin => {
                self.in_login.iter().any(|factor| is_wanted(factor) && self.reader.is_known(factor))
            }
        }
    }

    fn set(&self, scope: &Scope, expression: &Expression) -> Members {
        to_set(&self.value(scope, expression))
    }

    fn test(&self, operator: Operator, left: &Value, right: &Value) -> bool {
        match operator {
            Operator::Equal => equal(left, right),
            Operator::NotEqual => !equal(left, right),
            Operator::Less => self.is_less(left, right),
            Operator::GreaterOrEqual => !self.is_less(left, right),
            Operator::Greater => self.is_less(right, left),
            Operator::LessOrEqual => !self.is_less(right, left),
            Operator::In => contains(right, left),
            Operator::NotIn => !contains(right, left),
            Operator::StartsWith => text(left).starts_with(text(right)),
            Operator::EndsWith => text(left).ends_with(text(right)),
            Operator::Contains => match left {
                Value::Text(whole) => whole.contains(text(right)),
                _ => contains(left, right),
            },
            Operator::ContainsAny => elements(right).iter().any(|wanted| contains(left, wanted)),
            Operator::ContainsAll => elements(right).iter().all(|wanted| contains(left, wanted)),
        }
    }

    /// Whether `left` is less than `right`.
    fn is_less(&self, left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::Number(a), Value::Number(b)) => a < b,
            (Value::Symbol(a), Value::Symbol(b)) => self.reader.rank(a) < self.reader.rank(b),
            _ => panic!("{left:?} < {right:?}"),
        }
    }
}

fn of_literal(literal: &Literal) -> Value {
    match literal {
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(number) | Literal::Duration(number) | Literal::Instant(number) => Value::Number(*number),
        Literal::Text(text) => Value::Text(text.clone()),
        Literal::Prefix(prefix) => Value::Prefix(*prefix),
    }
}

fn weekday(time: i64) -> &'static str {
    // The first of January 1970 was a Thursday.
    let names = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];
    names[time.div_euclid(86_400_000).rem_euclid(7) as usize]
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Ip(address), Value::Prefix(prefix)) => prefix.contains(address),
        (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Text(_), Value::Text(_))
        | (Value::Symbol(_), Value::Symbol(_)) => left == right,
        _ => panic!("{left:?} == {right:?}"),
    }
}

fn contains(whole: &Value, element: &Value) -> bool {
    match (whole, element) {
        (_, Value::Absent) | (Value::Absent, _) => panic!("{element:?} in {whole:?}"),
        (Value::List(elements), _) => elements.iter().any(|wanted| equal(element, wanted)),
        (Value::Texts(texts), Value::Text(text)) => texts.contains(text),
        (Value::Set(set), Value::Symbol(factor)) => set.known.contains(factor),
        (Value::Prefix(_), Value::Ip(_)) => equal(element, whole),
        _ => panic!("{element:?} in {whole:?}"),
    }
}

fn elements(value: &Value) -> Vec<Value> {
    match value {
        Value::List(elements) => elements.clone(),
        Value::Set(set) => {
            assert!(!set.other, "all of an open set's factors are not known");
            set.known.iter().cloned().map(Value::Symbol).collect()
        }
        other => panic!("the elements of {other:?}"),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Texts(texts) => texts.is_empty(),
        Value::List(elements) => elements.is_empty(),
        _ => to_set(value) == Members::default(),
    }
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        other => panic!("{other:?} where a string is wanted"),
    }
}

fn to_set(value: &Value) -> Members {
    match value {
        Value::Set(set) => set.clone(),
        Value::List(elements) => {
            let name = |element: &Value| match element {
                Value::Symbol(factor) => factor.clone(),
                other => panic!("{other:?} in a set"),
            };
            Members { known: elements.iter().map(name).collect(), other: false }
        }
        other => panic!("{other:?} where a set is wanted"),
    }
}

fn combine(operator: SetOperator, mut left: Members, right: &Members) -> Members {
    let both = (left.other, right.other);
    match operator {
        SetOperator::Intersect => {
            left.known.retain(|factor| right.known.contains(factor));
            left.other = both.0 && both.1;
        }
        SetOperator::Except => {
            left.known.retain(|factor| !right.known.contains(factor));
            left.other = both.0 && !both.1;
        }
        SetOperator::Union => {
            for factor in &right.known {
                if !left.known.contains(factor) {
                    left.known.push(factor.clone());
                }
            }
            left.other = both.0 || both.1;
        }
    }
    left
}
