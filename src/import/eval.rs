//! Expressions to values.

use std::rc::Rc;

use super::compare::on_each;
use super::condition::{Comparison, Condition, Test};
use super::facts::{Kind, Path, told};
use super::js::*;
use super::translate::{Translator, Why};
use super::value::{Builtin, Closure, Linear, Source, Value};

/// Names that are there without a declaration.
const GLOBALS: [&str; 12] = [
    "Date", "Array", "Boolean", "String", "Number", "Set", "Math", "Object", "JSON", "Promise", "require",
    "process",
];

impl Translator<'_> {
    pub(super) fn eval(&mut self, expression: &Expr) -> Result<Value, Why> {
        let outer = std::mem::replace(&mut self.at, expression.span);
        let value =
            self.spend().and_then(|()| self.eval_kind(expression)).map_err(|why| why.at(expression.span));
        self.at = outer;
        value
    }

    fn eval_kind(&mut self, expression: &Expr) -> Result<Value, Why> {
        match &expression.kind {
            ExprKind::Null => Ok(Value::Null),
            ExprKind::Bool(value) => Ok(Value::constant(*value)),
            ExprKind::Number(number) => Ok(Value::number(*number)),
            ExprKind::Text(text) => Ok(Value::Text(text.clone())),
            ExprKind::Template(texts, parts) => self.template(texts, parts),
            ExprKind::Pattern(pattern, letters) => {
                let test =
                    super::call::plain_pattern(pattern, *letters).ok_or_else(|| Why::of("a pattern"))?;
                Ok(Value::Pattern(test, *letters))
            }
            ExprKind::Name(name) => self.name(name),
            ExprKind::Member(of, key, access) => {
                let object = self.eval(of)?;
                self.at = of.span;
                self.ask(&object, *access)?;
                self.property(&object, key)
            }
            ExprKind::Index(object, key) => self.index(object, key),
            ExprKind::Call(callee, arguments) => self.call(callee, arguments),
            ExprKind::New(callee, arguments) => self.make(callee, arguments),
            ExprKind::Chain(inner) => self.chain(inner),
            ExprKind::Array(elements) => self.array(elements),
            ExprKind::Object(properties) => self.object(properties),
            ExprKind::Function(function) => {
                Ok(Value::Function(Rc::new(Closure { function: function.clone(), scope: self.scope })))
            }
            ExprKind::Unary(operator, operand) => self.unary(*operator, operand),
            ExprKind::Binary(operator, left, right) => self.binary(*operator, left, right),
            ExprKind::Logical(operator, parts) => self.logical(*operator, parts),
            ExprKind::Conditional(test, then, otherwise) => {
                let condition = self.condition(test)?;
                let (then, otherwise) = self.both(&condition, then, otherwise)?;
                self.bounded(Value::choose(condition, then, otherwise))
            }
            ExprKind::Assign(..) => Err(Why::of("an assignment where a value is wanted")),
            ExprKind::Await(inner) => self.eval(inner),
            ExprKind::Foreign(what) => Err(Why::of(*what)),
        }
    }

    /// An expression as a condition.
    pub(super) fn condition(&mut self, expression: &Expr) -> Result<Condition, Why> {
        let value = self.eval(expression)?;
        self.truth(&value).map_err(|why| why.at(expression.span))
    }

    /// Two expressions, where a condition holds and where it doesn't.
    fn both(&mut self, condition: &Condition, then: &Expr, otherwise: &Expr) -> Result<(Value, Value), Why> {
        let then = match condition {
            Condition::Constant(false) => Value::Undefined,
            _ => self.branch(condition, |inner| inner.eval(then)).0?,
        };
        let otherwise = match condition {
            Condition::Constant(true) => Value::Undefined,
            _ => self.branch(&condition.clone().not(), |inner| inner.eval(otherwise)).0?,
        };
        Ok((then, otherwise))
    }

    fn template(&mut self, texts: &[String], parts: &[Expr]) -> Result<Value, Why> {
        let mut whole = texts.first().cloned().unwrap_or_default();
        for (part, text) in parts.iter().zip(texts.iter().skip(1)) {
            match self.eval(part)? {
                Value::Text(inner) => whole.push_str(&inner),
                Value::Number(number) => match number.as_constant() {
                    Some(number) => whole.push_str(&number.to_string()),
                    None => return Err(Why::of("a text that is put together")),
                },
                Value::Lost(lost) => return Err(Why::lost(&lost)),
                _ => return Err(Why::of("a text that is put together from the event").at(part.span)),
            }
            whole.push_str(text);
        }
        Ok(Value::Text(whole))
    }

    fn name(&mut self, name: &str) -> Result<Value, Why> {
        if let Some(value) = self.lookup(name) {
            return Ok(value);
        }
        match name {
            "undefined" => Ok(Value::Undefined),
            "console" => Ok(Value::Builtin(Builtin::Console)),
            "fetch" | "XMLHttpRequest" => Err(Why::of("a call over the network")),
            name => match GLOBALS.iter().find(|global| **global == name) {
                Some(global) => Ok(Value::Builtin(Builtin::Global(global))),
                None => Err(Why::of(format!("`{name}`, which is declared nowhere"))),
            },
        }
    }

    // -- properties -------------------------------------------------------------------------------------------------

    /// `a?.b`: all that follows in the chain knows that `a` is there.
    fn ask(&mut self, object: &Value, access: Access) -> Result<(), Why> {
        if access == Access::Optional {
            let present = self.absent(object)?.not();
            if present != Condition::TRUE
                && let Some(chain) = self.chains.last_mut()
            {
                chain.push(present);
            }
        }
        Ok(())
    }

    /// A chain with `?.` in it: `undefined` where what it asks for is absent.
    fn chain(&mut self, inner: &Expr) -> Result<Value, Why> {
        self.chains.push(Vec::new());
        let value = self.eval(inner);
        let asked = Condition::all(self.chains.pop().unwrap_or_default());
        Ok(match value? {
            // What the event has is `undefined` by itself where what leads to it is absent.
            Value::Path(path) => Value::Path(path),
            value => Value::choose(asked, value, Value::Undefined),
        })
    }

    fn index(&mut self, object: &Expr, key: &Expr) -> Result<Value, Why> {
        let object = self.eval(object)?;
        match self.eval(key)? {
            Value::Text(key) => self.property(&object, &key),
            Value::Number(number) => match (&object, number.as_constant()) {
                (Value::Array(elements), Some(at)) if at >= 0.0 => {
                    Ok(elements.get(at as usize).cloned().unwrap_or(Value::Undefined))
                }
                _ => Err(Why::of("an element of a list by its place")),
            },
            Value::Path(_) if matches!(object, Value::Object(_)) => self.table(&object, key),
            Value::Lost(lost) => Err(Why::lost(&lost)),
            _ => Err(Why::of("a property whose name is computed")),
        }
    }

    /// `{a: 1, b: 2}[event.client.client_id]`: a choice among what is written down.
    fn table(&mut self, object: &Value, key: &Expr) -> Result<Value, Why> {
        let Value::Object(properties) = object else { return Ok(Value::Undefined) };
        let key = self.eval(key)?;
        let mut found = Value::Undefined;
        for (name, value) in properties.iter().rev() {
            let is_it = self.equal(&key, &Value::Text(name.clone()), Equality::Strict)?;
            found = Value::choose(is_it, value.clone(), found);
        }
        self.bounded(found)
    }

    /// `value.key`
    pub(super) fn property(&mut self, value: &Value, key: &str) -> Result<Value, Why> {
        match value {
            Value::Path(path) => self.property_of_place(path, key),
            Value::Choice(condition, then, otherwise) => {
                let then = self.branch(condition, |inner| inner.property(then, key)).0?;
                let otherwise =
                    self.branch(&condition.clone().not(), |inner| inner.property(otherwise, key)).0?;
                Ok(Value::choose(condition.clone(), then, otherwise))
            }
            Value::Object(properties) => {
                let found = properties.iter().rev().find(|(name, _)| name == key);
                Ok(found.map_or(Value::Undefined, |(_, value)| value.clone()))
            }
            Value::Builtin(Builtin::Api(path)) => {
                let mut path = path.clone();
                path.push(key.to_owned());
                Ok(Value::Builtin(Builtin::Api(path)))
            }
            Value::Undefined | Value::Null => Ok(Value::Undefined),
            Value::Lost(lost) => Err(Why::lost(lost)),
            Value::Found => Err(Why::of(format!("`.{key}` of the element that was found"))),
            value if key == "length" || key == "size" => self.length(value),
            _ => Err(Why::of(format!("`.{key}` of this value"))),
        }
    }

    fn property_of_place(&mut self, path: &Path, key: &str) -> Result<Value, Why> {
        if path.is_empty() && matches!(key, "secrets" | "configuration") {
            return Err(Why::of(format!("`event.{key}`, which a policy can't see")));
        }
        if !path.is_empty() {
            self.note_use(path);
        }
        let known = self.facts.kind(path);
        if key == "length" && known != Some(Kind::Object) {
            return self.length(&Value::Path(path.clone()));
        }
        match self.facts.below(path, key) {
            Some(below) => {
                let kind = self.facts.kind(&below);
                if kind == Some(Kind::Unread) {
                    return Err(Why::of(format!("`{}`, which no fact reads", told(&below))));
                }
                Ok(Value::Path(below))
            }
            None => Err(Why::of(format!("`{}.{key}`, which the event's typings don't have", told(path)))),
        }
    }

    fn length(&mut self, value: &Value) -> Result<Value, Why> {
        match value {
            Value::Text(text) => Ok(Value::number(text.encode_utf16().count() as f64)),
            Value::Array(elements) => Ok(Value::number(elements.len() as f64)),
            Value::Factors(set, _) => Ok(Value::Number(Linear::of(Source::Count(set.clone())))),
            Value::Methods(methods) => Ok(Value::MoreThan(0, self.exists(methods)?)),
            Value::Matching(path, condition) => {
                self.use_as(path, Kind::Texts)?;
                Ok(Value::MoreThan(0, super::lists::exists_text(path, condition)?))
            }
            Value::Path(path) | Value::List(path) => match self.facts.kind(path) {
                Some(Kind::Enrolled) => {
                    Ok(Value::Number(Linear::of(Source::Count(super::factor::Factors::Enrolled))))
                }
                Some(Kind::Methods) => {
                    let empty = Condition::test(Test::EmptyList(path.clone()));
                    Ok(Value::MoreThan(0, empty.not()))
                }
                Some(Kind::Text) => Ok(Value::MoreThan(0, Condition::test(Test::Truthy(path.clone())))),
                _ => {
                    self.use_as(path, Kind::Texts)?;
                    let empty = Condition::test(Test::EmptyList(path.clone()));
                    Ok(Value::MoreThan(0, empty.not()))
                }
            },
            _ => Err(Why::of("this length")),
        }
    }

    // -- making values ----------------------------------------------------------------------------------------------

    /// The values of a list's elements; the elements of what is spread are put in place.
    fn array(&mut self, elements: &[Element]) -> Result<Value, Why> {
        let mut values: Vec<Value> = Vec::new();
        let mut lists: Vec<Value> = Vec::new();
        for element in elements {
            match element {
                Element::One(one) => {
                    let value = self.eval(one)?;
                    values.push(value);
                }
                Element::Spread(list) => match self.eval(list)? {
                    Value::Array(inner) => values.extend(inner.iter().cloned()),
                    other => {
                        lists.push(Value::Array(Rc::new(std::mem::take(&mut values))));
                        lists.push(other);
                    }
                },
            }
        }
        let last = Value::Array(Rc::new(values));
        if lists.is_empty() {
            return self.bounded(last);
        }
        lists.push(last);
        let mut whole = Value::Array(Rc::new(Vec::new()));
        for list in lists {
            whole = self.concatenated(&whole, &list)?;
        }
        Ok(whole)
    }

    fn object(&mut self, properties: &[Property]) -> Result<Value, Why> {
        let mut values: Vec<(String, Value)> = Vec::new();
        for property in properties {
            match property {
                Property::Key(key, value) => {
                    let value = self.eval(value)?;
                    values.push((key.clone(), value));
                }
                Property::Spread(inner) => match self.eval(inner)? {
                    Value::Object(inner) => values.extend(inner.iter().cloned()),
                    _ => return Err(Why::of("an object that is put together").at(inner.span)),
                },
            }
        }
        Ok(Value::Object(Rc::new(values)))
    }

    // -- operators --------------------------------------------------------------------------------------------------

    fn unary(&mut self, operator: Unary, operand: &Expr) -> Result<Value, Why> {
        if operator == Unary::Typeof
            && let ExprKind::Name(name) = &operand.kind
            && self.lookup(name).is_none()
        {
            return Ok(Value::Text("undefined".to_owned()));
        }
        let value = self.eval(operand)?;
        match operator {
            Unary::Not => Ok(Value::Bool(self.truth(&value)?.not())),
            Unary::Minus => Ok(Value::Number(self.number(&value)?.times(-1.0))),
            Unary::Plus => Ok(Value::Number(self.number(&value)?)),
            Unary::Typeof => Ok(Value::TypeOf(Rc::new(value))),
            Unary::Void => Ok(Value::Undefined),
        }
    }

    fn binary(&mut self, operator: Binary, left: &Expr, right: &Expr) -> Result<Value, Why> {
        let (left, right) = (self.eval(left)?, self.eval(right)?);
        let order = match operator {
            Binary::Equal(how) => return self.equal(&left, &right, how).map(Value::Bool),
            Binary::NotEqual(how) => {
                return self.equal(&left, &right, how).map(|equal| Value::Bool(equal.not()));
            }
            Binary::Less => Comparison::Less,
            Binary::LessOrEqual => Comparison::LessOrEqual,
            Binary::Greater => Comparison::Greater,
            Binary::GreaterOrEqual => Comparison::GreaterOrEqual,
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide => {
                return self.arithmetic(operator, &left, &right);
            }
            Binary::In => return self.has_key(&left, &right),
        };
        Ok(Value::Bool(self.ordered(&left, order, &right)?))
    }

    fn arithmetic(&mut self, operator: Binary, left: &Value, right: &Value) -> Result<Value, Why> {
        if let (Binary::Add, Value::Text(left), Value::Text(right)) = (operator, left, right) {
            return Ok(Value::Text(format!("{left}{right}")));
        }
        // `+` of a text or a date joins texts.
        let joins = |value: &Value| matches!(value, Value::Text(_) | Value::TextOf(_) | Value::Date(_));
        if operator == Binary::Add && (joins(left) || joins(right)) {
            return Err(Why::of("a text that is put together from the event"));
        }
        if let Value::Choice(..) = left {
            return on_each(left, &mut |left| self.arithmetic(operator, left, right));
        }
        let (left, right) = (self.number(left)?, self.number(right)?);
        let number = match (operator, left.as_constant(), right.as_constant()) {
            (Binary::Add, ..) => left.plus(&right, 1.0),
            (Binary::Subtract, ..) => left.plus(&right, -1.0),
            (Binary::Multiply, _, Some(factor)) => left.times(factor),
            (Binary::Multiply, Some(factor), _) => right.times(factor),
            (Binary::Divide, _, Some(divisor)) if divisor != 0.0 => divided(&left, divisor),
            _ => return Err(Why::of("this arithmetic")),
        };
        Ok(Value::Number(number))
    }

    /// `"key" in object`
    fn has_key(&mut self, key: &Value, object: &Value) -> Result<Value, Why> {
        match (key, object) {
            (Value::Text(key), Value::Path(_)) => {
                let value = self.property(object, key)?;
                Ok(Value::Bool(self.absent(&value)?.not()))
            }
            (key, Value::Object(properties)) => {
                let keys = properties.iter().map(|(key, _)| Value::Text(key.clone())).collect();
                self.includes(&Value::Array(Rc::new(keys)), key)
            }
            _ => Err(Why::of("this `in`")),
        }
    }

    /// `a && b`, `a || b`, `a ?? b`, with what each part knows of those before it.
    fn logical(&mut self, operator: Logical, parts: &[Expr]) -> Result<Value, Why> {
        let known = self.known.len();
        let mut evaluated: Vec<(Condition, Value)> = Vec::new();
        let mut last = Value::Undefined;
        let mut failed = None;
        for (index, part) in parts.iter().enumerate() {
            let value = match self.eval(part) {
                Ok(value) => value,
                Err(why) => {
                    failed = Some(why);
                    break;
                }
            };
            if index + 1 == parts.len() {
                last = value;
                break;
            }
            let passes = match operator {
                Logical::And => self.truth(&value),
                Logical::Or => self.truth(&value).map(Condition::not),
                Logical::Nullish => self.absent(&value),
            };
            match passes.map_err(|why| why.at(part.span)) {
                Ok(passes) => {
                    self.known.push(passes.clone());
                    evaluated.push((passes, value));
                }
                Err(why) => {
                    failed = Some(why);
                    break;
                }
            }
        }
        self.known.truncate(known);
        if let Some(why) = failed {
            return Err(why);
        }
        let mut whole = last;
        for (passes, value) in evaluated.into_iter().rev() {
            whole = match (&value, &whole) {
                (Value::Path(path), Value::Array(none)) if none.is_empty() && operator != Logical::And => {
                    self.list_or_none(path)?
                }
                (value, rest) => joined(operator, passes, value, rest),
            };
        }
        self.bounded(whole)
    }

    /// `list || []`
    fn list_or_none(&mut self, path: &Path) -> Result<Value, Why> {
        Ok(match self.facts.kind(path) {
            Some(Kind::Enrolled) => {
                Value::Factors(super::factor::Factors::Enrolled, super::value::Shape::Objects)
            }
            Some(Kind::Methods) => Value::Methods(Rc::new(super::value::Methods::all())),
            _ => {
                self.use_as(path, Kind::Texts)?;
                Value::List(path.clone())
            }
        })
    }
}

/// `value OPERATOR rest`, where the rest counts if `passes`.
fn joined(operator: Logical, passes: Condition, value: &Value, rest: &Value) -> Value {
    match (value, rest) {
        // A condition is worth what it says.
        (Value::Bool(condition), Value::Bool(rest)) if operator == Logical::And => {
            Value::Bool(condition.clone().and(rest.clone()))
        }
        (Value::Bool(condition), Value::Bool(rest)) if operator == Logical::Or => {
            Value::Bool(condition.clone().or(rest.clone()))
        }
        _ => Value::choose(passes, rest.clone(), value.clone()),
    }
}

/// A division that keeps what a comparison needs exact: bounds are multiplied back.
fn divided(number: &Linear, divisor: f64) -> Linear {
    let terms = number.terms.iter().map(|(source, factor)| (source.clone(), factor / divisor));
    Linear { terms: terms.collect(), constant: number.constant / divisor }
}
