//! Outlines to policy text. The language's own printer puts it into its form afterwards.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::condition::{Comparison, Condition, Number, Test, Text, TextTest};
use super::factor::Factors;
use super::facts::{Facts, Kind, Path};
use super::outline::{FactorUse, Offer, Outline, StepOutline, acts};
use super::uses::{Reading, Uses, asked_through, without_unused};

/// What stands around a condition: how tight its parts must bind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Or,
    And,
    Not,
    Test,
}

const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// Writes the policy of several Actions.
pub(super) fn write(facts: &Facts, steps: Vec<StepOutline>, origin: &str) -> (String, Uses) {
    let mut uses = Uses::default();
    for step in &steps {
        uses.outlines(facts, &step.body);
    }
    let mut text = format!("//! Imported from {origin}.\n\n");
    let writer = Writer { facts, uses: &uses };
    writer.declarations(&mut text);
    for step in steps {
        writer.step(step, &mut text);
    }
    (text, uses)
}

struct Writer<'w> {
    facts: &'w Facts,
    uses: &'w Uses,
}

impl Writer<'_> {
    fn declarations(&self, out: &mut String) {
        for path in self.uses.facts.keys() {
            if let Some(declaration) = self.declaration(path) {
                let _ = writeln!(out, "{declaration}");
            }
        }
        out.push('\n');
    }

    /// The declaration of a fact, unless the library's does.
    fn declaration(&self, path: &Path) -> Option<String> {
        let reading = self.uses.reading(self.facts, path);
        let place = self.facts.place(path);
        let is_library = match place {
            Some(place) => place.fact.is_some() && (!place.has_default || reading != Reading::Optional),
            None => is_admin(path) && reading == Reading::Default && self.kind(path) == Kind::Bool,
        };
        if is_library {
            return None;
        }
        let (ty, default) = match self.kind(path) {
            Kind::Text | Kind::Words(_) | Kind::Ip => ("string", Some("\"\"")),
            Kind::Bool => ("bool", Some("false")),
            Kind::Int => ("int", None),
            Kind::Time => ("time", None),
            Kind::FactorTexts => ("set<factor>", Some("[]")),
            Kind::Texts | Kind::Enrolled | Kind::Methods | Kind::Object | Kind::Unread => {
                ("list<string>", Some("[]"))
            }
        };
        let split = self.facts.separator(path).map(|separator| format!(" split {}", quoted(separator)));
        let rest = match (reading, default) {
            (Reading::Default, Some(default)) => format!(" default {default}"),
            _ => String::new(),
        };
        let mark = if reading == Reading::Optional { "?" } else { "" };
        let (name, place) = (self.name(path), self.event_path(path));
        Some(format!("fact {name}: {ty}{mark} = {place}{}{rest}", split.unwrap_or_default()))
    }

    fn kind(&self, path: &Path) -> Kind {
        self.facts.kind(path).unwrap_or(Kind::Bool)
    }

    /// A fact's name.
    fn name(&self, path: &Path) -> String {
        if let Some(fact) = self.facts.place(path).and_then(|place| place.fact) {
            return fact.to_owned();
        }
        if is_admin(path) && self.kind(path) == Kind::Bool {
            return "user.isAdmin".to_owned();
        }
        let keys = path.iter().map(|key| {
            let key = key.rsplit(['/', ':']).find(|part| !part.is_empty()).unwrap_or("value");
            let word: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            if word.starts_with(|c: char| c.is_ascii_alphabetic()) { word } else { format!("x{word}") }
        });
        keys.collect::<Vec<_>>().join(".")
    }

    fn event_path(&self, path: &Path) -> String {
        let mut text = "event".to_owned();
        for (index, key) in path.iter().enumerate() {
            let is_word = key.starts_with(|c: char| c.is_ascii_alphabetic())
                && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            text.push('.');
            text.push_str(&if is_word { key.clone() } else { quoted(key) });
            let keys = path.get(..=index).unwrap_or_default();
            let is_root = self.facts.place(keys).is_some_and(|place| place.kind == Kind::Object)
                && keys
                    .last()
                    .is_some_and(|key| key.ends_with("metadata") || key == "query" || key == "body");
            if self.facts.is_optional_at(path, index + 1) || is_root {
                text.push('?');
            }
        }
        match self.kind(path) {
            Kind::Enrolled => text.push_str("[].type"),
            Kind::Methods => text.push_str("[].name"),
            _ => {}
        }
        text
    }

    // -- statements -------------------------------------------------------------------------------------------------

    fn step(&self, step: StepOutline, out: &mut String) {
        for name in without_unused(step.names, &self.uses.names) {
            self.statement(&name, out);
        }
        out.push('\n');
        let docs = step.comments.len().saturating_sub(1);
        for (index, lines) in step.comments.iter().enumerate() {
            let sign = if index == docs { "///" } else { "//" };
            for line in lines {
                let _ = writeln!(out, "{}", format!("{sign} {line}").trim_end());
            }
            if index != docs {
                out.push('\n');
            }
        }
        let mut body = without_unused(step.body, &self.uses.names);
        trim_stops(&mut body);
        let body = tidy(body);
        let _ = writeln!(out, "step {} {{", step.name);
        self.statements(&body, out);
        out.push_str("}\n\n");
    }

    fn statements(&self, statements: &[Outline], out: &mut String) {
        statements.iter().for_each(|statement| self.statement(statement, out));
    }

    fn statement(&self, statement: &Outline, out: &mut String) {
        match statement {
            Outline::Comment(lines) => {
                for line in lines {
                    let _ = writeln!(out, "{}", format!("// {line}").trim_end());
                }
            }
            Outline::Let(name, condition) => {
                let _ = writeln!(out, "let {name} = {}", self.condition(condition, Tightness::Or));
            }
            Outline::Command(kind, offer) => {
                let _ = writeln!(out, "{} {}", kind.word(), self.offer(offer));
            }
            Outline::Deny(reason) => {
                let _ = writeln!(out, "deny {}", quoted(reason));
            }
            Outline::Stop => out.push_str("stop\n"),
            Outline::If(branches, otherwise) => self.chain(branches, otherwise, out),
        }
    }

    fn chain(&self, branches: &[(Condition, Vec<Outline>)], otherwise: &[Outline], out: &mut String) {
        for (index, (condition, body)) in branches.iter().enumerate() {
            let word = if index == 0 { "if" } else { "else if" };
            let condition = self.condition(condition, Tightness::Or);
            let _ = match body.as_slice() {
                [single @ (Outline::Command(..) | Outline::Deny(_) | Outline::Stop)] => {
                    let _ = write!(out, "{word} {condition} then ");
                    self.statement(single, out);
                    Ok(())
                }
                body => {
                    let _ = writeln!(out, "{word} {condition} {{");
                    self.statements(body, out);
                    writeln!(out, "}}")
                }
            };
        }
        if !otherwise.is_empty() {
            match otherwise {
                [single @ (Outline::Command(..) | Outline::Deny(_) | Outline::Stop)] => {
                    out.push_str("else ");
                    self.statement(single, out);
                }
                [Outline::If(branches, rest)] => {
                    out.push_str("else ");
                    self.chain(branches, rest, out);
                }
                body => {
                    out.push_str("else {\n");
                    self.statements(body, out);
                    out.push_str("}\n");
                }
            }
        }
    }

    fn offer(&self, offer: &Offer) -> String {
        match offer {
            Offer::Preferred(factors, rest) => {
                let mut parts: Vec<String> = factors.iter().map(factor_use).collect();
                parts.extend(rest.as_ref().map(|set| format!("any of {}", self.set(set))));
                parts.join(" or ")
            }
            Offer::Listed(factors) => {
                format!("any of [{}]", factors.iter().map(factor_use).collect::<Vec<_>>().join(", "))
            }
            Offer::In(set) => format!("any of {}", self.set(set)),
        }
    }

    fn set(&self, set: &Factors) -> String {
        let right = |set: &Factors| match set {
            Factors::Intersect(..) | Factors::Union(..) | Factors::Except(..) => {
                format!("({})", self.set(set))
            }
            set => self.set(set),
        };
        match set {
            Factors::Enrolled => "enrolled".to_owned(),
            Factors::Performed => "performed".to_owned(),
            Factors::Fact(path) => match self.uses.reading(self.facts, path) {
                Reading::Optional => format!("({} ?? [])", self.name(path)),
                Reading::Required | Reading::Default => self.name(path),
            },
            Factors::Literal(factors) => {
                format!("[{}]", factors.iter().map(|factor| factor.name()).collect::<Vec<_>>().join(", "))
            }
            Factors::Intersect(a, b) => format!("{} intersect {}", self.set(a), right(b)),
            Factors::Union(a, b) => format!("{} union {}", self.set(a), right(b)),
            Factors::Except(a, b) => format!("{} except {}", self.set(a), right(b)),
        }
    }

    // -- conditions -------------------------------------------------------------------------------------------------

    /// A condition, in parentheses where what stands around it binds tighter.
    fn condition(&self, condition: &Condition, around: Tightness) -> String {
        let (text, own) = self.loose(condition);
        if own < around { format!("({text})") } else { text }
    }

    fn loose(&self, condition: &Condition) -> (String, Tightness) {
        match condition {
            Condition::Constant(value) => (value.to_string(), Tightness::Test),
            Condition::Named(named) => (named.name.clone(), Tightness::Test),
            Condition::Test(test) => self.test(test),
            Condition::Not(inner) => self.negated(inner),
            Condition::All(parts) => (self.joined(parts, " and ", Tightness::And), Tightness::And),
            Condition::Any(parts) => (self.joined(parts, " or ", Tightness::Or), Tightness::Or),
        }
    }

    /// Parts with a word between; tests of one list come together.
    fn joined(&self, parts: &[Condition], word: &str, around: Tightness) -> String {
        let mut texts: Vec<String> = Vec::new();
        let mut done = vec![false; parts.len()];
        for (index, part) in parts.iter().enumerate() {
            if done.get(index).copied().unwrap_or(true) {
                continue;
            }
            let group: Vec<usize> = (index..parts.len())
                .filter(|other| parts.get(*other).is_some_and(|other| same_list(part, other)))
                .collect();
            if group.len() > 1 {
                let quantity = if around == Tightness::And { "contains all" } else { "contains any" };
                let elements: Vec<String> =
                    group.iter().filter_map(|at| element_of(parts.get(*at)?)).collect();
                texts.push(format!("{} {quantity} [{}]", self.list_of(part), elements.join(", ")));
                for at in group {
                    if let Some(done) = done.get_mut(at) {
                        *done = true;
                    }
                }
            } else {
                // A product has no product for a part, but a test may be written as one.
                texts.push(self.condition(part, Tightness::And));
            }
        }
        texts.join(word)
    }

    /// The list that a test looks into.
    fn list_of(&self, condition: &Condition) -> String {
        match condition {
            Condition::Test(test) => match &**test {
                Test::Contains(path, _) => self.list(path),
                Test::Member(_, set) => self.set(set),
                _ => String::new(),
            },
            _ => String::new(),
        }
    }

    fn list(&self, path: &Path) -> String {
        match self.uses.reading(self.facts, path) {
            Reading::Optional => format!("({} ?? [])", self.name(path)),
            Reading::Required | Reading::Default => self.name(path),
        }
    }

    fn negated(&self, inner: &Condition) -> (String, Tightness) {
        if let Condition::Test(test) = inner {
            let (text, tightness) = self.test(test);
            let opposite = |from: &str, to: &str| text.replacen(from, to, 1);
            let said = match &**test {
                Test::Present(_) => Some(opposite(" is present", " is not present")),
                Test::EmptyList(_) if text.ends_with(" is empty") => {
                    Some(opposite(" is empty", " is not empty"))
                }
                Test::EmptySet(set) => Some(self.not_empty(set)),
                Test::Text(_, TextTest::OneOf(_)) if tightness == Tightness::Test => {
                    let values = text.find(" in [").or_else(|| text.find(" == "));
                    values.map(|at| {
                        let (subject, rest) = text.split_at(at);
                        let rest = rest.replacen(" in [", " not in [", 1).replacen(" == ", " != ", 1);
                        format!("{subject}{rest}")
                    })
                }
                Test::Truthy(_) if text.contains(" != ") => Some(opposite(" != ", " == ")),
                Test::Weekday(_) => Some(opposite(" in [", " not in [")),
                _ => None,
            };
            if let Some(said) = said {
                return (said, Tightness::Test);
            }
        }
        (format!("not {}", self.condition(inner, Tightness::Not)), Tightness::Not)
    }

    fn not_empty(&self, set: &Factors) -> String {
        match set {
            Factors::Intersect(a, b) if matches!(**b, Factors::Literal(_)) => {
                format!("{} contains any {}", self.set_operand(a), self.set(b))
            }
            set => format!("{} is not empty", self.set(set)),
        }
    }

    fn set_operand(&self, set: &Factors) -> String {
        self.set(set)
    }

    fn test(&self, test: &Test) -> (String, Tightness) {
        let text = match test {
            Test::Present(path) => {
                let fact = asked_through(self.facts, path).unwrap_or_else(|| path.clone());
                format!("{} is present", self.name(&fact))
            }
            Test::Truthy(path) => return self.truthy(path),
            Test::IsTrue(path) => match self.uses.reading(self.facts, path) {
                Reading::Optional => format!("({} ?? false)", self.name(path)),
                Reading::Required | Reading::Default => self.name(path),
            },
            Test::Text(text, test) => return self.text_test(text, test),
            Test::SameText(a, b) => {
                let mut parts = Vec::new();
                for path in [a, b] {
                    if self.uses.reading(self.facts, path) == Reading::Optional {
                        parts.push(format!("{} is present", self.name(path)));
                    }
                }
                parts.push(format!("{} == {}", self.name(a), self.name(b)));
                let tightness = if parts.len() > 1 { Tightness::And } else { Tightness::Test };
                return (parts.join(" and "), tightness);
            }
            Test::Contains(path, text) => {
                let element = if self.kind(path) == Kind::FactorTexts { text.clone() } else { quoted(text) };
                format!("{} contains {element}", self.list(path))
            }
            Test::EmptyList(path) => format!("{} is empty", self.list(path)),
            Test::Number(number, comparison, bound) => return self.number(number, *comparison, *bound),
            Test::Age(path, comparison, bound) => {
                let compared = format!("age({}) {} {}", self.name(path), comparison.sign(), duration(*bound));
                return self.where_present(path, compared);
            }
            Test::Instant(path, comparison, bound) => {
                let compared = format!("{} {} {}", self.name(path), comparison.sign(), instant(*bound));
                return self.where_present(path, compared);
            }
            Test::Now(comparison, bound) => format!("now {} {}", comparison.sign(), instant(*bound)),
            Test::Weekday(days) => {
                let names = days.iter().filter_map(|day| DAYS.get(usize::from(*day)).copied());
                format!("weekday(now) in [{}]", names.collect::<Vec<_>>().join(", "))
            }
            Test::Member(factor, Factors::Enrolled) => format!("enrolled({})", factor.name()),
            Test::Member(factor, set) => format!("{} contains {}", self.set(set), factor.name()),
            Test::EmptySet(set) => match set {
                Factors::Intersect(_, b) if matches!(**b, Factors::Literal(_)) => {
                    return (format!("not {}", self.not_empty(set)), Tightness::Not);
                }
                set => format!("{} is empty", self.set(set)),
            },
            Test::Performed(factor, within) => format!("performed({}){}", factor.name(), window(*within)),
            Test::AnyPerformed(within) => format!("any performed{}", window(*within)),
            Test::Recent(_) => "false".to_owned(),
        };
        (text, Tightness::Test)
    }

    /// A comparison that reads a fact, where the fact is there.
    fn where_present(&self, path: &Path, compared: String) -> (String, Tightness) {
        match self.uses.reading(self.facts, path) {
            Reading::Optional => (format!("{} is present and {compared}", self.name(path)), Tightness::And),
            Reading::Required | Reading::Default => (compared, Tightness::Test),
        }
    }

    fn truthy(&self, path: &Path) -> (String, Tightness) {
        let reading = self.uses.reading(self.facts, path);
        let name = self.name(path);
        if self.facts.separator(path).is_some() {
            return (format!("{} is not empty", self.list(path)), Tightness::Test);
        }
        let text = match (self.kind(path), reading) {
            (Kind::Bool, Reading::Optional) => format!("({name} ?? false)"),
            (Kind::Bool, _) => name,
            (Kind::Text, Reading::Optional) => format!("({name} ?? \"\") != \"\""),
            (Kind::Text, _) => format!("{name} != \"\""),
            (Kind::Int, Reading::Optional) => format!("({name} ?? 0) != 0"),
            (Kind::Int, _) => format!("{name} != 0"),
            (_, Reading::Required) => "true".to_owned(),
            (_, Reading::Default) => format!("{name} is not empty"),
            (_, Reading::Optional) => format!("{name} is present"),
        };
        (text, Tightness::Test)
    }

    fn number(&self, number: &Number, comparison: Comparison, bound: i64) -> (String, Tightness) {
        let sign = comparison.sign();
        match number {
            Number::Count(set) => (format!("count({}) {sign} {bound}", self.set(set)), Tightness::Test),
            Number::Hour => (format!("hour(now) {sign} {bound}"), Tightness::Test),
            Number::Fact(path) => {
                let name = self.name(path);
                if self.uses.reading(self.facts, path) == Reading::Optional && !comparison.holds(0, bound) {
                    return (format!("({name} ?? 0) {sign} {bound}"), Tightness::Test);
                }
                self.where_present(path, format!("{name} {sign} {bound}"))
            }
        }
    }

    fn text_test(&self, text: &Text, test: &TextTest) -> (String, Tightness) {
        let (Text::Fact(path) | Text::Lower(path) | Text::AfterAt(path) | Text::Domain(path)) = text else {
            return ("false".to_owned(), Tightness::Test);
        };
        let reading = self.uses.reading(self.facts, path);
        let name = self.name(path);
        let kind = self.kind(path);
        let plain = match text {
            Text::Lower(_) => format!("lower({name})"),
            Text::Domain(_) => format!("domain({name})"),
            _ => name,
        };
        let may_be_absent = reading == Reading::Optional || matches!(text, Text::Domain(_));
        let holds_for_nothing = match test {
            TextTest::OneOf(values) => values.iter().any(String::is_empty),
            TextTest::StartsWith(part) | TextTest::EndsWith(part) | TextTest::Contains(part) => {
                part.is_empty()
            }
        };
        let subject = match kind {
            Kind::Words(_) if may_be_absent => format!("({plain} ?? other)"),
            Kind::Ip => plain.clone(),
            _ if may_be_absent && !holds_for_nothing => format!("({plain} ?? \"\")"),
            _ => plain.clone(),
        };
        let literal = |value: &String| match kind {
            Kind::Words(_) | Kind::Ip => value.clone(),
            _ => quoted(value),
        };
        let compared = match test {
            TextTest::OneOf(values) => match values.as_slice() {
                [value] => format!("{subject} == {}", literal(value)),
                values => {
                    format!("{subject} in [{}]", values.iter().map(literal).collect::<Vec<_>>().join(", "))
                }
            },
            TextTest::StartsWith(part) => format!("{subject} starts with {}", quoted(part)),
            TextTest::EndsWith(part) => format!("{subject} ends with {}", quoted(part)),
            TextTest::Contains(part) => format!("{subject} contains {}", quoted(part)),
        };
        if may_be_absent && subject == plain {
            return (format!("{plain} is present and {compared}"), Tightness::And);
        }
        (compared, Tightness::Test)
    }
}

/// The library has a fact for it.
fn is_admin(path: &Path) -> bool {
    path.iter().eq(["user", "app_metadata", "isAdmin"])
}

fn factor_use(one: &FactorUse) -> String {
    match one.options.as_slice() {
        [] => one.factor.name().to_owned(),
        options => format!("{}({})", one.factor.name(), options.join(", ")),
    }
}

/// Whether two tests look for elements of one list.
fn same_list(a: &Condition, b: &Condition) -> bool {
    match (a, b) {
        (Condition::Test(a), Condition::Test(b)) => match (&**a, &**b) {
            (Test::Contains(a, _), Test::Contains(b, _)) => a == b,
            (Test::Member(_, a), Test::Member(_, b)) => a == b,
            _ => false,
        },
        _ => false,
    }
}

fn element_of(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Test(test) => match &**test {
            Test::Contains(_, text) => Some(quoted(text)),
            Test::Member(factor, _) => Some(factor.name().to_owned()),
            _ => None,
        },
        _ => None,
    }
}

fn window(within: Option<i64>) -> String {
    within.map(|within| format!(" within {}", duration(within))).unwrap_or_default()
}

fn duration(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    let units = [(86_400, 'd'), (3600, 'h'), (60, 'm')];
    match units.into_iter().find(|(unit, _)| seconds != 0 && seconds % unit == 0) {
        Some((unit, letter)) => format!("{}{letter}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

fn instant(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).map(|instant| instant.to_string()).unwrap_or_default()
}

/// A string of the language, whose escapes are JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A `stop` at the end of a step says nothing.
fn trim_stops(statements: &mut Vec<Outline>) {
    while matches!(statements.last(), Some(Outline::Stop)) {
        statements.pop();
    }
    if let Some(Outline::If(branches, otherwise)) = statements.last_mut() {
        branches.iter_mut().for_each(|(_, body)| trim_stops(body));
        trim_stops(otherwise);
    }
}

/// Without branches that do nothing; their comments come before.
fn tidy(statements: Vec<Outline>) -> Vec<Outline> {
    let mut tidied = Vec::new();
    for statement in statements {
        match statement {
            Outline::If(branches, otherwise) => tidy_if(branches, otherwise, &mut tidied),
            other => tidied.push(other),
        }
    }
    tidied
}

fn tidy_if(branches: Vec<(Condition, Vec<Outline>)>, otherwise: Vec<Outline>, out: &mut Vec<Outline>) {
    let mut otherwise = tidy(otherwise);
    if !acts(&otherwise) {
        out.extend(otherwise.drain(..).filter(|one| matches!(one, Outline::Comment(_))));
    }
    let mut kept: Vec<(Condition, Vec<Outline>)> = Vec::new();
    for (condition, body) in branches.into_iter().rev() {
        let body = tidy(body);
        if acts(&body) {
            kept.insert(0, (condition, body));
            continue;
        }
        out.extend(body.into_iter().filter(|one| matches!(one, Outline::Comment(_))));
        // Nothing is done here, and what comes after it not either.
        let rest = match kept.is_empty() {
            true => otherwise,
            false => vec![Outline::If(std::mem::take(&mut kept), otherwise)],
        };
        otherwise = Vec::new();
        if acts(&rest) {
            kept.push((condition.not(), rest));
        }
    }
    if !kept.is_empty() {
        out.push(Outline::If(kept, otherwise));
    }
}

/// The names that a policy can't give: the language's, and the library's facts.
pub(super) fn taken(facts: &Facts) -> BTreeSet<String> {
    let words = [
        "and",
        "or",
        "not",
        "implies",
        "in",
        "if",
        "then",
        "else",
        "true",
        "false",
        "any",
        "enroll",
        "challenge",
        "deny",
        "stop",
        "match",
        "let",
        "apply",
        "use",
        "fact",
        "factor",
        "define",
        "rule",
        "step",
        "guarantee",
        "test",
        "enrolled",
        "performed",
        "now",
        "count",
        "age",
        "hour",
        "weekday",
        "lower",
        "domain",
        "last",
        "within",
        "is",
        "present",
        "empty",
        "contains",
        "starts",
        "ends",
        "with",
        "other",
        "prompts",
        "commands",
        "completed",
        "denied",
        "failed",
        "initially",
        "always",
        "never",
        "default",
        "split",
        "event",
        "intersect",
        "union",
        "except",
        "otp",
        "email",
        "phone",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "low",
        "medium",
        "high",
        "neutral",
    ];
    let library = facts.leaves().filter_map(|(_, place)| place.fact);
    words.into_iter().chain(library).map(str::to_owned).collect()
}
