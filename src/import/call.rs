//! Calls: methods of lists, texts and dates, and functions of the code itself.

use std::rc::Rc;

use super::compare::{on_each, text_is};
use super::condition::{Condition, Test, Text, TextTest};
use super::factor::{Factor, Factors};
use super::facts::{Kind, Path};
use super::js::*;
use super::lists;
use super::translate::{Translator, Why};
use super::value::{Builtin, Closure, Linear, Shape, Source, Value};

impl Translator<'_> {
    pub(super) fn call(&mut self, callee: &Expr, arguments: &[Element]) -> Result<Value, Why> {
        match &callee.kind {
            ExprKind::Member(of, name, access) => {
                let object = self.eval(of)?;
                self.at = of.span;
                self.ask_in_call(&object, *access)?;
                if let Value::Builtin(builtin) = &object {
                    return self.call_builtin(builtin, name, arguments);
                }
                if let Value::Object(_) = object
                    && let Value::Function(closure) = self.property(&object, name)?
                {
                    let arguments = self.arguments(arguments)?;
                    return self.call_function(&closure, &arguments);
                }
                let arguments = self.arguments(arguments)?;
                self.method(&object, name, &arguments)
            }
            _ => match self.eval(callee)? {
                Value::Function(closure) => {
                    let arguments = self.arguments(arguments)?;
                    self.call_function(&closure, &arguments)
                }
                Value::Builtin(Builtin::Global(name)) => {
                    let arguments = self.arguments(arguments)?;
                    self.convert(name, &arguments)
                }
                Value::Lost(lost) => Err(Why::lost(&lost)),
                _ => Err(Why::of("a call of this")),
            },
        }
    }

    fn ask_in_call(&mut self, object: &Value, access: Access) -> Result<(), Why> {
        let present = self.absent(object)?.not();
        match access {
            Access::Optional if present != Condition::TRUE => {
                if let Some(chain) = self.chains.last_mut() {
                    chain.push(present);
                }
            }
            Access::Optional => {}
            Access::Plain => {
                if let Value::Path(path) = object {
                    self.note_use(path);
                }
            }
        }
        Ok(())
    }

    pub(super) fn arguments(&mut self, arguments: &[Element]) -> Result<Vec<Value>, Why> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match argument {
                Element::One(one) => values.push(self.eval(one)?),
                Element::Spread(list) => match self.eval(list)? {
                    Value::Array(inner) => values.extend(inner.iter().cloned()),
                    _ => return Err(Why::of("arguments that are spread").at(list.span)),
                },
            }
        }
        Ok(values)
    }

    /// A function's value; it must ask for nothing.
    pub(super) fn call_function(&mut self, closure: &Rc<Closure>, arguments: &[Value]) -> Result<Value, Why> {
        let closure = closure.clone();
        let value = self.in_call(&closure, arguments, |inner| match &closure.function.body {
            Body::Expression(value) => inner.eval(value),
            Body::Statements(statements) => {
                let statements: Vec<&Statement> = statements.iter().collect();
                inner.hoist(&statements)?;
                inner.value_of_body(&statements)
            }
        })?;
        self.bounded(value)
    }

    /// A function that a list is asked with, for one element.
    pub(super) fn asked(&mut self, function: &Value, element: Value) -> Result<Value, Why> {
        match function {
            Value::Function(closure) => self.call_function(closure, &[element]),
            Value::Builtin(Builtin::Global("Boolean")) => Ok(Value::Bool(self.truth(&element)?)),
            Value::Lost(lost) => Err(Why::lost(lost)),
            _ => Err(Why::of("this function")),
        }
    }

    fn call_builtin(&mut self, builtin: &Builtin, name: &str, arguments: &[Element]) -> Result<Value, Why> {
        match builtin {
            Builtin::Api(_) => Err(Why::of("a call of the api where a value is wanted")),
            Builtin::Console => Ok(Value::Undefined),
            Builtin::Global(global) => {
                let arguments = self.arguments(arguments)?;
                match (*global, name, arguments.as_slice()) {
                    ("Date", "now", []) => Ok(Value::Number(Linear::of(Source::Now))),
                    ("Date", "parse", [value]) => self.date(value).map(Value::Number),
                    ("Array", "isArray", [value]) => self.is_array(value),
                    ("Array", "from", [value]) => Ok(value.clone()),
                    ("Object", "freeze", [value]) => Ok(value.clone()),
                    _ => Err(Why::of(format!("`{global}.{name}`"))),
                }
            }
        }
    }

    fn is_array(&mut self, value: &Value) -> Result<Value, Why> {
        match value {
            Value::Path(path) => {
                if !matches!(self.facts.kind(path), Some(Kind::Enrolled | Kind::Methods)) {
                    self.use_as(path, Kind::Texts)?;
                }
                Ok(Value::Bool(self.present(path)))
            }
            Value::Array(_) | Value::Factors(..) | Value::Methods(_) | Value::List(_) => {
                Ok(Value::constant(true))
            }
            Value::Undefined | Value::Null | Value::Object(_) | Value::Text(_) => Ok(Value::constant(false)),
            _ => Err(Why::of("this question")),
        }
    }

    /// `Boolean(x)` and its kin.
    fn convert(&mut self, name: &str, arguments: &[Value]) -> Result<Value, Why> {
        match (name, arguments) {
            ("Boolean", [value]) => Ok(Value::Bool(self.truth(value)?)),
            ("Number", [Value::Date(number)]) => Ok(Value::Number(number.clone())),
            ("String", [Value::Text(text)]) => Ok(Value::Text(text.clone())),
            ("require", [Value::Text(module)]) => Err(Why::of(format!("what the module `{module}` does"))),
            _ => Err(Why::of(format!("`{name}(…)`"))),
        }
    }

    /// `new Date(…)`, `new Set(…)`
    pub(super) fn make(&mut self, callee: &Expr, arguments: &[Element]) -> Result<Value, Why> {
        let ExprKind::Name(name) = &callee.kind else { return Err(Why::of("this `new`")) };
        let arguments = self.arguments(arguments)?;
        match (name.as_str(), arguments.as_slice()) {
            ("Date", []) => Ok(Value::Date(Linear::of(Source::Now))),
            ("Date", [value]) => self.date(value).map(Value::Date),
            ("Set", []) => Ok(Value::Array(Rc::new(Vec::new()))),
            ("Set", [list]) => Ok(list.clone()),
            _ => Err(Why::of(format!("`new {name}`"))),
        }
    }

    /// A value as an instant, in milliseconds.
    fn date(&mut self, value: &Value) -> Result<Linear, Why> {
        match value {
            Value::Stamp => Ok(Linear::of(Source::Stamp)),
            Value::Path(path) => {
                self.use_as(path, Kind::Time)?;
                Ok(Linear::of(Source::Time(path.clone())))
            }
            Value::Number(number) | Value::Date(number) => Ok(number.clone()),
            Value::Text(text) => instant(text).map(Linear::constant).ok_or_else(|| Why::of("this date")),
            Value::Lost(lost) => Err(Why::lost(lost)),
            _ => Err(Why::of("this date")),
        }
    }

    // -- methods ----------------------------------------------------------------------------------------------------

    pub(super) fn method(&mut self, object: &Value, name: &str, arguments: &[Value]) -> Result<Value, Why> {
        match object {
            Value::Choice(condition, then, otherwise) => {
                let then = self.branch(condition, |inner| inner.method(then, name, arguments)).0?;
                let not = condition.clone().not();
                let otherwise = self.branch(&not, |inner| inner.method(otherwise, name, arguments)).0?;
                Ok(Value::choose(condition.clone(), then, otherwise))
            }
            Value::Undefined | Value::Null => Ok(Value::Undefined),
            Value::Lost(lost) => Err(Why::lost(lost)),
            Value::Date(date) => date_method(date, name),
            Value::Pattern(test, letters) => match (name, arguments) {
                ("test", [text]) => on_each(text, &mut |text| self.matches(text, test, *letters)),
                _ => Err(Why::of("a pattern")),
            },
            Value::Text(text) => self.text_method(text, name, arguments),
            Value::TextOf(text) => self.part_method(text, name, arguments),
            Value::Path(path) if self.is_text(path, name, arguments) => {
                self.place_method(path, name, arguments)
            }
            list => self.list_method(list, name, arguments),
        }
    }

    /// `/pattern/.test(text)`
    fn matches(&mut self, text: &Value, test: &TextTest, letters: Letters) -> Result<Value, Why> {
        let Value::Path(path) = text else { return Err(Why::of("a pattern")) };
        self.use_as(path, Kind::Text)?;
        if self.facts.kind(path) != Some(Kind::Text) {
            return Err(Why::of("a pattern"));
        }
        // What is absent is the text `undefined` to a pattern.
        if self.facts.may_be_absent(path) && test.holds_for("undefined") {
            return Err(Why::of("a pattern that takes `undefined`"));
        }
        let text = match letters {
            Letters::Exact => Text::Fact(path.clone()),
            Letters::EitherCase => Text::Lower(path.clone()),
        };
        Ok(Value::Bool(Condition::test(Test::Text(text, test.clone()))))
    }

    /// Whether a method is asked of a place as of a text.
    fn is_text(&self, path: &Path, name: &str, arguments: &[Value]) -> bool {
        let both = matches!(name, "includes" | "indexOf" | "concat" | "slice");
        match self.facts.kind(path) {
            Some(Kind::Text | Kind::Ip | Kind::Words(_) | Kind::Time) => true,
            Some(_) => false,
            // An address or a sentence is searched for a part; a list for one of its elements.
            None if both => matches!(arguments, [Value::Text(part)] if part.starts_with(['@', '.', ' '])),
            None => matches!(
                name,
                "startsWith" | "endsWith" | "toLowerCase" | "toUpperCase" | "split" | "trim" | "toString"
            ),
        }
    }

    /// A method of a text of the event.
    fn place_method(&mut self, path: &Path, name: &str, arguments: &[Value]) -> Result<Value, Why> {
        let fact = Text::Fact(path.clone());
        if let ("split", [Value::Text(separator)]) = (name, arguments)
            && separator != "@"
        {
            let split = self.facts.split(path, separator);
            split.map_err(|_| Why::of("a text that is cut, and used as a whole"))?;
            return Ok(Value::List(path.clone()));
        }
        self.use_as(path, Kind::Text)?;
        match (name, arguments) {
            ("toLowerCase" | "toLocaleLowerCase", []) => Ok(Value::TextOf(Text::Lower(path.clone()))),
            ("toString", []) => Ok(Value::Path(path.clone())),
            ("split", [Value::Text(separator)]) if separator == "@" => Ok(Value::Array(Rc::new(vec![
                Value::Lost(Rc::new(super::value::Lost {
                    span: self.at,
                    why: "what stands before the `@`".to_owned(),
                })),
                Value::TextOf(Text::AfterAt(path.clone())),
            ]))),
            _ => self.text_question(&fact, name, arguments),
        }
    }

    /// A method of a text that is made of one of the event.
    fn part_method(&mut self, text: &Text, name: &str, arguments: &[Value]) -> Result<Value, Why> {
        match (text, name, arguments) {
            (Text::AfterAt(path) | Text::Domain(path), "toLowerCase", []) => {
                Ok(Value::TextOf(Text::Domain(path.clone())))
            }
            (Text::Lower(path), "split", [Value::Text(at)]) if at == "@" => Ok(Value::Array(Rc::new(vec![
                Value::Lost(Rc::new(super::value::Lost {
                    span: self.at,
                    why: "what stands before the `@`".to_owned(),
                })),
                Value::TextOf(Text::Domain(path.clone())),
            ]))),
            (Text::Lower(_), "toLowerCase", []) => Ok(Value::TextOf(text.clone())),
            // The texts of a list that was split are trimmed already.
            (Text::Element, "trim", []) => Ok(Value::TextOf(Text::Element)),
            _ => self.text_question(text, name, arguments),
        }
    }

    fn text_question(&mut self, text: &Text, name: &str, arguments: &[Value]) -> Result<Value, Why> {
        let [Value::Text(part)] = arguments else { return Err(Why::of(format!("`.{name}(…)` of a text"))) };
        let part = part.clone();
        let test = match (text, name) {
            (Text::Fact(path), "startsWith") if self.facts.kind(path) == Some(Kind::Ip) => {
                return prefix_of_address(path, &part)
                    .ok_or_else(|| Why::of("a part of an address"))
                    .map(Value::Bool);
            }
            (Text::AfterAt(_) | Text::Element, _) => {
                return Err(Why::of(format!("`.{name}(…)` of a part of a text")));
            }
            (_, "startsWith") => TextTest::StartsWith(part),
            (_, "endsWith") => TextTest::EndsWith(part),
            (_, "includes" | "indexOf" | "search") => TextTest::Contains(part),
            _ => return Err(Why::of(format!("`.{name}(…)` of a text"))),
        };
        let holds = Condition::test(Test::Text(text.clone(), test));
        if name == "indexOf" { Ok(Value::MoreThan(-1, holds)) } else { Ok(Value::Bool(holds)) }
    }

    /// A method of a text that is written down.
    fn text_method(&mut self, text: &str, name: &str, arguments: &[Value]) -> Result<Value, Why> {
        let value = match (name, arguments) {
            ("toLowerCase", []) => Value::Text(text.to_lowercase()),
            ("toUpperCase", []) => Value::Text(text.to_uppercase()),
            ("trim", []) => Value::Text(text.trim().to_owned()),
            ("startsWith", [Value::Text(part)]) => Value::constant(text.starts_with(part)),
            ("endsWith", [Value::Text(part)]) => Value::constant(text.ends_with(part)),
            ("includes", [Value::Text(part)]) => Value::constant(text.contains(part)),
            ("split", [Value::Text(separator)]) => {
                let parts = text.split(separator.as_str()).map(|part| Value::Text(part.to_owned()));
                Value::Array(Rc::new(parts.collect()))
            }
            _ => return Err(Why::of(format!("`.{name}(…)` of this text"))),
        };
        Ok(value)
    }

    fn list_method(&mut self, list: &Value, name: &str, arguments: &[Value]) -> Result<Value, Why> {
        match (name, arguments) {
            ("includes" | "has", [element]) => self.includes(list, element),
            ("indexOf", [element]) => match self.includes(list, element)? {
                Value::Bool(found) => Ok(Value::MoreThan(-1, found)),
                _ => Err(Why::of("this index")),
            },
            ("some", [function]) => Ok(Value::Bool(self.some(list, function, lists::Sense::As)?)),
            ("every", [function]) => Ok(Value::Bool(self.some(list, function, lists::Sense::Not)?.not())),
            // What is found is an object, so it counts as true; it is good for nothing else here.
            ("find" | "findLast", [function]) => {
                let found = self.some(list, function, lists::Sense::As)?;
                Ok(Value::choose(found, Value::Found, Value::Undefined))
            }
            ("findIndex", [function]) => {
                Ok(Value::MoreThan(-1, self.some(list, function, lists::Sense::As)?))
            }
            ("filter", [function]) => self.filter(list, function),
            ("map", [function]) => self.map(list, function),
            ("concat", [other]) => self.concatenated(list, other),
            ("slice", []) | ("flat", []) => Ok(list.clone()),
            ("pop" | "at", _) => self.last_part(list, name, arguments),
            _ => Err(Why::of(format!("`.{name}(…)`"))),
        }
    }

    /// `email.split("@").pop()`
    fn last_part(&mut self, list: &Value, name: &str, arguments: &[Value]) -> Result<Value, Why> {
        let is_last = match arguments {
            [] => name == "pop",
            [Value::Number(number)] => name == "at" && number.as_constant() == Some(-1.0),
            _ => false,
        };
        match list {
            Value::Array(elements) if is_last => Ok(elements.last().cloned().unwrap_or(Value::Undefined)),
            _ => Err(Why::of(format!("`.{name}(…)`"))),
        }
    }

    /// `list.includes(element)`
    pub(super) fn includes(&mut self, list: &Value, element: &Value) -> Result<Value, Why> {
        if let Value::Choice(..) = element {
            return on_each(element, &mut |element| self.includes(list, element));
        }
        let condition = match (list, element) {
            (Value::Array(elements), element) => {
                let mut any = Vec::with_capacity(elements.len());
                for one in elements.iter() {
                    any.push(self.equal(one, element, Equality::Strict)?);
                }
                Condition::any(any)
            }
            (Value::Path(path) | Value::List(path), Value::Text(text))
                if self.facts.kind(path) != Some(Kind::Enrolled) =>
            {
                self.use_as(path, Kind::Texts)?;
                Condition::test(Test::Contains(path.clone(), text.clone()))
            }
            (Value::Factors(set, Shape::Names), Value::Text(text)) => match Factor::find(text) {
                Some(factor) => Condition::test(Test::Member(factor, set.clone())),
                None => Condition::FALSE,
            },
            (Value::MethodNames, Value::Text(text)) if text == "mfa" => {
                Condition::test(Test::AnyPerformed(None))
            }
            (Value::MethodNames, Value::Text(text)) => {
                Condition::test(Test::Contains(super::lists::methods_path(), text.clone()))
            }
            (Value::Lost(lost), _) | (_, Value::Lost(lost)) => return Err(Why::lost(lost)),
            _ => return Err(Why::of("this search in a list")),
        };
        Ok(Value::Bool(condition))
    }

    /// One list after another.
    pub(super) fn concatenated(&mut self, first: &Value, second: &Value) -> Result<Value, Why> {
        match (first, second) {
            (Value::Array(a), Value::Array(b)) => {
                Ok(Value::Array(Rc::new(a.iter().chain(b.iter()).cloned().collect())))
            }
            (Value::Array(none), other) | (other, Value::Array(none)) if none.is_empty() => Ok(other.clone()),
            (Value::Choice(..), other) => on_each(first, &mut |first| self.concatenated(first, other)),
            (other, Value::Choice(..)) => on_each(second, &mut |second| self.concatenated(other, second)),
            _ => {
                let ((a, shape), (b, other)) = (self.factors_of(first)?, self.factors_of(second)?);
                if shape != other {
                    return Err(Why::of("a list of factors and of names of factors"));
                }
                Ok(Value::Factors(Factors::union(a, b), shape))
            }
        }
    }
}

/// A pattern that is a plain text, with its ends fixed or not.
pub(super) fn plain_pattern(pattern: &str, letters: Letters) -> Option<TextTest> {
    let from_start = pattern.strip_prefix('^');
    let to_end = from_start.unwrap_or(pattern).strip_suffix('$').filter(|rest| !rest.ends_with('\\'));
    let inside = to_end.or(from_start).unwrap_or(pattern);
    let mut plain = String::new();
    let mut characters = inside.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => plain.push(characters.next().filter(|c| !c.is_alphanumeric())?),
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' => return None,
            c => plain.push(c),
        }
    }
    if letters == Letters::EitherCase {
        plain = plain.to_ascii_lowercase();
    }
    Some(match (from_start.is_some(), to_end.is_some()) {
        (true, true) => TextTest::OneOf(vec![plain]),
        (true, false) => TextTest::StartsWith(plain),
        (false, true) => TextTest::EndsWith(plain),
        (false, false) => TextTest::Contains(plain),
    })
}

fn date_method(date: &Linear, name: &str) -> Result<Value, Why> {
    let is_now = *date == Linear::of(Source::Now);
    match name {
        "getTime" | "valueOf" => Ok(Value::Number(date.clone())),
        "getDay" | "getUTCDay" if is_now => Ok(Value::Number(Linear::of(Source::Weekday))),
        "getHours" | "getUTCHours" if is_now => Ok(Value::Number(Linear::of(Source::Hour))),
        _ => Err(Why::of(format!("`.{name}()` of a date"))),
    }
}

/// Milliseconds of a date that means the same wherever it runs.
fn instant(text: &str) -> Option<f64> {
    let with_time = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let instant: jiff::Timestamp = with_time.parse().ok()?;
    Some(instant.as_millisecond() as f64)
}

/// `ip.startsWith("10.1.")`
fn prefix_of_address(path: &Path, part: &str) -> Option<Condition> {
    let octets: Vec<u8> =
        part.strip_suffix('.')?.split('.').map(|octet| octet.parse().ok()).collect::<Option<_>>()?;
    if octets.is_empty() || octets.len() > 3 {
        return None;
    }
    let length = octets.len() * 8;
    let mut all: Vec<String> = octets.iter().map(u8::to_string).collect();
    all.resize(4, "0".to_owned());
    Some(text_is(&Text::Fact(path.clone()), &format!("{}/{length}", all.join("."))))
}
