//! What JavaScript's comparisons are of values: truth, equality, order.

use std::rc::Rc;

use super::condition::{Comparison, Condition, Number, Test, Text, TextTest};
use super::facts::{Kind, Path, TwoKinds, told};
use super::js::Equality;
use super::translate::{Translator, Why};
use super::value::{Linear, Source, Value};

impl Translator<'_> {
    /// Whether a value counts as true.
    pub(super) fn truth(&mut self, value: &Value) -> Result<Condition, Why> {
        Ok(match value {
            Value::Undefined | Value::Null => Condition::FALSE,
            Value::Bool(condition) => condition.clone(),
            Value::Text(text) => Condition::Constant(!text.is_empty()),
            Value::Number(number) => match (number.as_constant(), number.terms.as_slice()) {
                (Some(constant), _) => Condition::Constant(constant != 0.0 && !constant.is_nan()),
                (None, [(Source::Int(path), _)]) if number.constant == 0.0 => {
                    Condition::test(Test::Truthy(path.clone()))
                }
                _ => self.compared(number, Comparison::Equal, &Linear::constant(0.0))?.not(),
            },
            Value::MoreThan(0, condition) => condition.clone(),
            Value::MoreThan(..) => {
                return Err(Why::of("an index where a condition is wanted (-1 counts as true)"));
            }
            Value::Path(path) => self.truth_of_place(path),
            Value::TextOf(Text::Lower(path)) => Condition::test(Test::Truthy(path.clone())),
            Value::TextOf(_) => return Err(Why::of("a part of a text where a condition is wanted")),
            Value::Choice(condition, then, otherwise) => {
                let (then, otherwise) = (self.truth(then)?, self.truth(otherwise)?);
                condition.clone().choose(then, otherwise)
            }
            Value::Lost(lost) => return Err(Why::lost(lost)),
            Value::Array(_)
            | Value::Object(_)
            | Value::Factors(..)
            | Value::Methods(_)
            | Value::MethodNames
            | Value::Matching(..)
            | Value::Pattern(..)
            | Value::List(_)
            | Value::Found
            | Value::Stamp
            | Value::TypeOf(_)
            | Value::Function(_)
            | Value::Builtin(_)
            | Value::Date(_) => Condition::TRUE,
        })
    }

    fn truth_of_place(&mut self, path: &Path) -> Condition {
        self.facts.read(path);
        match self.facts.kind(path) {
            Some(Kind::Bool) => Condition::test(Test::IsTrue(path.clone())),
            Some(Kind::Text | Kind::Int) | None => Condition::test(Test::Truthy(path.clone())),
            Some(_) => self.present(path),
        }
    }

    /// Whether there is a value at a place.
    pub(super) fn present(&self, path: &Path) -> Condition {
        if self.facts.may_be_absent(path) { Condition::present(path) } else { Condition::TRUE }
    }

    /// Whether a value is `undefined` or `null`.
    pub(super) fn absent(&mut self, value: &Value) -> Result<Condition, Why> {
        Ok(match value {
            Value::Undefined | Value::Null => Condition::TRUE,
            Value::Path(path) => {
                self.facts.read(path);
                self.present(path).not()
            }
            Value::Choice(condition, then, otherwise) => {
                let (then, otherwise) = (self.absent(then)?, self.absent(otherwise)?);
                condition.clone().choose(then, otherwise)
            }
            Value::Lost(lost) => return Err(Why::lost(lost)),
            _ => Condition::FALSE,
        })
    }

    /// `left === right`, or `left == right`.
    pub(super) fn equal(&mut self, left: &Value, right: &Value, how: Equality) -> Result<Condition, Why> {
        match (left, right) {
            (Value::Lost(lost), _) | (_, Value::Lost(lost)) => Err(Why::lost(lost)),
            (Value::Choice(condition, then, otherwise), other)
            | (other, Value::Choice(condition, then, otherwise)) => {
                let (then, otherwise) = (self.equal(then, other, how)?, self.equal(otherwise, other, how)?);
                Ok(condition.clone().choose(then, otherwise))
            }
            (Value::Undefined | Value::Null, other) | (other, Value::Undefined | Value::Null)
                if how == Equality::Loose =>
            {
                self.absent(other)
            }
            (Value::Null, Value::Null) | (Value::Undefined, Value::Undefined) => Ok(Condition::TRUE),
            (Value::Undefined, other) | (other, Value::Undefined) => self.absent(other),
            (Value::Null, Value::Path(path)) | (Value::Path(path), Value::Null) => {
                match self.facts.place(path) {
                    // No value of the typings is `null`.
                    Some(_) => Ok(Condition::FALSE),
                    None => Err(Why::of(
                        "`null` told apart from `undefined`, which a policy can't: compare with `== null`",
                    )),
                }
            }
            (Value::Null, _) | (_, Value::Null) => Ok(Condition::FALSE),
            (Value::Path(a), Value::Path(b)) => self.same_text(a, b),
            (Value::Path(path), other) | (other, Value::Path(path)) => self.place_is(path, other),
            (Value::TextOf(text), Value::Text(literal)) | (Value::Text(literal), Value::TextOf(text)) => {
                Ok(text_is(text, literal))
            }
            (Value::Bool(a), Value::Bool(b)) => Ok(a.clone().choose(b.clone(), b.clone().not())),
            (Value::Text(a), Value::Text(b)) => Ok(Condition::Constant(a == b)),
            (Value::Number(a), Value::Number(b)) => self.compared(a, Comparison::Equal, b),
            (Value::MoreThan(low, more), Value::Number(number))
            | (Value::Number(number), Value::MoreThan(low, more)) => {
                bounded(*low, more, Comparison::Equal, number)
            }
            (Value::TypeOf(value), Value::Text(name)) | (Value::Text(name), Value::TypeOf(value)) => {
                self.type_is(value, name)
            }
            _ if same_type(left, right) => Err(Why::of("this comparison")),
            _ if how == Equality::Strict => Ok(Condition::FALSE),
            _ => Err(Why::of("a comparison of two types with `==`; use `===`")),
        }
    }

    fn same_text(&mut self, a: &Path, b: &Path) -> Result<Condition, Why> {
        if a == b {
            return Ok(Condition::TRUE);
        }
        self.use_as(a, Kind::Text)?;
        self.use_as(b, Kind::Text)?;
        if self.facts.kind(a) != Some(Kind::Text) || self.facts.kind(b) != Some(Kind::Text) {
            return Err(Why::of("a comparison of two values of the event that are no plain texts"));
        }
        let same = Condition::test(Test::SameText(a.clone(), b.clone()));
        let neither = self.present(a).not().and(self.present(b).not());
        Ok(same.or(neither))
    }

    /// A place against a constant.
    fn place_is(&mut self, path: &Path, other: &Value) -> Result<Condition, Why> {
        match other {
            Value::Text(literal) => self.place_is_text(path, literal),
            Value::Number(number) => {
                let left = self.number_of_place(path)?;
                self.compared(&left, Comparison::Equal, number)
            }
            Value::Bool(Condition::Constant(wanted)) => {
                self.use_as(path, Kind::Bool)?;
                let is_true = Condition::test(Test::IsTrue(path.clone()));
                Ok(if *wanted { is_true } else { self.present(path).and(is_true.not()) })
            }
            Value::Bool(condition) => {
                self.use_as(path, Kind::Bool)?;
                let is_true = Condition::test(Test::IsTrue(path.clone()));
                let is_false = self.present(path).and(is_true.clone().not());
                Ok(condition.clone().choose(is_true, is_false))
            }
            _ => Err(Why::of("this comparison")),
        }
    }

    fn place_is_text(&mut self, path: &Path, literal: &str) -> Result<Condition, Why> {
        self.use_as(path, Kind::Text)?;
        match self.facts.kind(path) {
            Some(Kind::Words(words)) if !words.contains(&literal) => {
                self.note_odd(&format!("`{}` is never `{literal}`, by the event's typings", told(path)));
                return Ok(Condition::FALSE);
            }
            Some(Kind::Ip) if literal.parse::<std::net::IpAddr>().is_err() => {
                self.note_odd(&format!("`{literal}` is no address, so `{}` never is", told(path)));
                return Ok(Condition::FALSE);
            }
            Some(Kind::Time) => return Err(Why::of("a time compared as a text")),
            _ => {}
        }
        Ok(text_is(&Text::Fact(path.clone()), literal))
    }

    /// `typeof value === "name"`
    fn type_is(&mut self, value: &Value, name: &str) -> Result<Condition, Why> {
        if name == "undefined" {
            return self.absent(value);
        }
        let kind = match name {
            "string" => Kind::Text,
            "boolean" => Kind::Bool,
            "number" => Kind::Int,
            _ => return Err(Why::of("this `typeof`")),
        };
        match value {
            Value::Path(path) => {
                self.use_as(path, kind)?;
                Ok(self.present(path))
            }
            Value::Bool(_) => Ok(Condition::Constant(kind == Kind::Bool)),
            Value::Text(_) | Value::TextOf(_) => Ok(Condition::Constant(kind == Kind::Text)),
            Value::Number(_) => Ok(Condition::Constant(kind == Kind::Int)),
            Value::Undefined | Value::Null => Ok(Condition::FALSE),
            _ => Err(Why::of("this `typeof`")),
        }
    }

    /// `left < right` and its kin.
    pub(super) fn ordered(
        &mut self,
        left: &Value,
        order: Comparison,
        right: &Value,
    ) -> Result<Condition, Why> {
        match (left, right) {
            (Value::Choice(condition, then, otherwise), other) => {
                let (then, otherwise) =
                    (self.ordered(then, order, other)?, self.ordered(otherwise, order, other)?);
                Ok(condition.clone().choose(then, otherwise))
            }
            (other, Value::Choice(condition, then, otherwise)) => {
                let (then, otherwise) =
                    (self.ordered(other, order, then)?, self.ordered(other, order, otherwise)?);
                Ok(condition.clone().choose(then, otherwise))
            }
            (Value::Undefined, _) | (_, Value::Undefined) => Ok(Condition::FALSE),
            (Value::MoreThan(low, more), right) => bounded(*low, more, order, &self.number(right)?),
            (left, Value::MoreThan(low, more)) => bounded(*low, more, order.flipped(), &self.number(left)?),
            (left, right) => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                self.compared(&left, order, &right)
            }
        }
    }

    /// A value as a number.
    pub(super) fn number(&mut self, value: &Value) -> Result<Linear, Why> {
        match value {
            Value::Number(number) | Value::Date(number) => Ok(number.clone()),
            Value::Path(path) => self.number_of_place(path),
            Value::Null => Ok(Linear::constant(0.0)),
            Value::Lost(lost) => Err(Why::lost(lost)),
            Value::Text(_) | Value::TextOf(_) | Value::Stamp => {
                Err(Why::of("the order of texts, which languages don't agree on"))
            }
            _ => Err(Why::of("arithmetic with this value")),
        }
    }

    fn number_of_place(&mut self, path: &Path) -> Result<Linear, Why> {
        match self.facts.kind(path) {
            Some(Kind::Time | Kind::Text | Kind::Words(_) | Kind::Ip) => {
                Err(Why::of("the order of texts, which languages don't agree on"))
            }
            _ => {
                self.use_as(path, Kind::Int)?;
                Ok(Linear::of(Source::Int(path.clone())))
            }
        }
    }

    /// Notes that a place is used as a type; says where it is used as another.
    pub(super) fn use_as(&mut self, path: &Path, kind: Kind) -> Result<(), Why> {
        self.facts.use_as(path, kind).map_err(|TwoKinds(known, wanted)| {
            Why::of(format!(
                "`{}` read as {}, which is {}",
                told(path),
                kind_words(wanted),
                kind_words(known)
            ))
        })
    }

    /// `left ORDER right` as one test of one fact.
    pub(super) fn compared(
        &mut self,
        left: &Linear,
        order: Comparison,
        right: &Linear,
    ) -> Result<Condition, Why> {
        let difference = left.plus(right, -1.0);
        match difference.terms.as_slice() {
            [] => Ok(Condition::Constant(order.holds(difference.constant, 0.0))),
            [(source, factor)] => {
                let order = if *factor < 0.0 { order.flipped() } else { order };
                self.against(source, order, -difference.constant / factor)
            }
            [(Source::Now, now), (since, then)] | [(since, then), (Source::Now, now)] if *now == -then => {
                let order = if *now < 0.0 { order.flipped() } else { order };
                self.age(since, order, -difference.constant / now)
            }
            _ => Err(Why::of("arithmetic with more than one value of the event")),
        }
    }

    /// A source against a constant.
    fn against(&mut self, source: &Source, order: Comparison, bound: f64) -> Result<Condition, Why> {
        let number = match source {
            Source::Int(path) => Number::Fact(path.clone()),
            Source::Count(set) => {
                if bound > 1.0
                    || (bound == 1.0 && !matches!(order, Comparison::Less | Comparison::GreaterOrEqual))
                {
                    self.note_odd(
                        "a policy counts factors, and this list may hold one factor more than once",
                    );
                }
                Number::Count(set.clone())
            }
            Source::Hour => Number::Hour,
            Source::Weekday => {
                let days = (0_u8..7).filter(|day| order.holds(f64::from(*day), bound));
                return Ok(Condition::test(Test::Weekday(days.collect())));
            }
            Source::Time(path) => {
                let test = Test::Instant(path.clone(), order, whole(bound).ok_or_else(fraction)?);
                return Ok(Condition::test(test));
            }
            Source::Now => return Ok(Condition::test(Test::Now(order, whole(bound).ok_or_else(fraction)?))),
            Source::Stamp => return Err(Why::of("a method's timestamp that is not compared with now")),
        };
        let (order, bound) = match (whole(bound), order) {
            (Some(bound), order) => (order, bound),
            (None, Comparison::Equal) => return Ok(Condition::FALSE),
            (None, Comparison::Less | Comparison::LessOrEqual) => {
                (Comparison::LessOrEqual, whole(bound.floor()).ok_or_else(fraction)?)
            }
            (None, _) => (Comparison::GreaterOrEqual, whole(bound.ceil()).ok_or_else(fraction)?),
        };
        Ok(Condition::test(Test::Number(number, order, bound)))
    }

    /// How long ago something was, against a constant.
    fn age(&mut self, since: &Source, order: Comparison, bound: f64) -> Result<Condition, Why> {
        let seconds = whole(bound / 1000.0).filter(|seconds| *seconds >= 0);
        let bound = seconds.map(|seconds| seconds * 1000);
        let bound = bound.ok_or_else(|| Why::of("a time that is no whole number of seconds ago"))?;
        match (since, order) {
            (Source::Time(path), order) => Ok(Condition::test(Test::Age(path.clone(), order, bound))),
            (Source::Stamp, Comparison::Less) => Ok(Condition::test(Test::Recent(bound))),
            (Source::Stamp, Comparison::GreaterOrEqual) => Ok(Condition::test(Test::Recent(bound)).not()),
            (Source::Stamp, Comparison::LessOrEqual | Comparison::Greater) => {
                self.note_odd("a policy's `within` is exclusive: a use exactly so long ago counts as old");
                let recent = Condition::test(Test::Recent(bound));
                Ok(if order == Comparison::LessOrEqual { recent } else { recent.not() })
            }
            _ => Err(Why::of("this arithmetic with times")),
        }
    }
}

fn fraction() -> Why {
    Why::of("a number that a policy can't write")
}

/// An integer that a policy can write.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

/// A number that is `low` or, where a condition holds, more, against a constant.
fn bounded(low: i64, more: &Condition, order: Comparison, bound: &Linear) -> Result<Condition, Why> {
    let wrong = || Why::of("a count of texts, which a policy doesn't have, or where in a list one stands");
    let bound = bound.as_constant().and_then(whole).ok_or_else(wrong)?;
    match order {
        Comparison::Greater if bound == low => Ok(more.clone()),
        Comparison::GreaterOrEqual if bound == low + 1 => Ok(more.clone()),
        Comparison::Less if bound == low + 1 => Ok(more.clone().not()),
        Comparison::LessOrEqual | Comparison::Equal if bound == low => Ok(more.clone().not()),
        Comparison::Greater if bound < low => Ok(Condition::TRUE),
        Comparison::GreaterOrEqual if bound <= low => Ok(Condition::TRUE),
        Comparison::Less if bound <= low => Ok(Condition::FALSE),
        Comparison::LessOrEqual | Comparison::Equal if bound < low => Ok(Condition::FALSE),
        _ => Err(wrong()),
    }
}

/// A text is exactly this.
pub(super) fn text_is(text: &Text, literal: &str) -> Condition {
    let test = match text {
        Text::AfterAt(path) => {
            return Condition::test(Test::Text(
                Text::Fact(path.clone()),
                TextTest::EndsWith(format!("@{literal}")),
            ));
        }
        Text::Lower(_) | Text::Domain(_) if literal.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            return Condition::FALSE;
        }
        text => Test::Text(text.clone(), TextTest::OneOf(vec![literal.to_owned()])),
    };
    Condition::test(test)
}

fn same_type(left: &Value, right: &Value) -> bool {
    let type_of = |value: &Value| match value {
        Value::Bool(_) => 1,
        Value::Text(_) | Value::TextOf(_) | Value::Stamp | Value::TypeOf(_) => 2,
        Value::Number(_) | Value::MoreThan(..) => 3,
        _ => 4,
    };
    type_of(left) == type_of(right)
}

fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Object => "an object",
        Kind::Text => "a text",
        Kind::Bool => "a bool",
        Kind::Int => "a number",
        Kind::Time => "a time",
        Kind::Ip => "an address",
        Kind::Words(_) => "one of several words",
        Kind::Texts | Kind::FactorTexts => "a list of texts",
        Kind::Enrolled | Kind::Methods | Kind::Unread => "a list of objects",
    }
}

/// Carries out an operation on each side of a choice.
pub(super) fn on_each(
    value: &Value,
    operation: &mut dyn FnMut(&Value) -> Result<Value, Why>,
) -> Result<Value, Why> {
    match value {
        Value::Choice(condition, then, otherwise) => {
            let (then, otherwise) = (on_each(then, operation)?, on_each(otherwise, operation)?);
            Ok(Value::choose(condition.clone(), then, otherwise))
        }
        Value::Lost(lost) => Err(Why::lost(lost)),
        other => operation(&Rc::new(other.clone())),
    }
}
