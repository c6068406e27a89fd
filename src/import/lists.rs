//! What code asks of lists: `some`, `filter`, `map`, over factors, methods and texts.
//!
//! There are finitely many factors, so a function that is asked about a factor is run for each of them; a list of factors
//! becomes a set. A function that is asked about a text is run for one that is not known, and its answer must be a test
//! of that text.

use std::rc::Rc;

use super::condition::{Condition, Test, Text, TextTest};
use super::factor::{Factor, Factors};
use super::facts::{Kind, Path};
use super::translate::{Translator, Why};
use super::value::{Methods, Shape, Value};

/// Whether a function's answer counts as it is, or its opposite: `every` is that there is none without.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    As,
    Not,
}

/// Stands for all factors that the catalog lacks.
const OTHER: &str = "a factor that is not in the catalog";

/// How many elements of a list may depend on the event.
const MAX_OPEN: usize = 4;

pub(super) fn methods_path() -> Path {
    Rc::new(vec!["authentication".to_owned(), "methods".to_owned()])
}

/// What a function says of each factor.
struct Answers {
    factors: Vec<(Factor, Condition)>,
    /// Of one that the catalog lacks.
    other: Condition,
}

/// The factors for which a function says yes, as a set or as all but a set.
enum Selected {
    These(Factors),
    AllBut(Factors),
}

impl Translator<'_> {
    /// Whether a function says yes (or no) of some element.
    pub(super) fn some(&mut self, list: &Value, function: &Value, sense: Sense) -> Result<Condition, Why> {
        match list {
            Value::Choice(condition, then, otherwise) => {
                let (then, otherwise) =
                    (self.some(then, function, sense)?, self.some(otherwise, function, sense)?);
                Ok(condition.clone().choose(then, otherwise))
            }
            Value::Array(elements) => {
                let mut any = Vec::with_capacity(elements.len());
                for element in elements.iter() {
                    any.push(self.answer(function, element.clone(), sense)?);
                }
                Ok(Condition::any(any))
            }
            Value::Path(path) if self.facts.kind(path) == Some(Kind::Methods) => {
                let methods = self.of_methods(&Methods::all(), function, sense)?;
                self.exists(&methods)
            }
            Value::Methods(methods) => {
                let methods = self.of_methods(methods, function, sense)?;
                self.exists(&methods)
            }
            Value::Path(path) | Value::List(path) if self.facts.kind(path) != Some(Kind::Enrolled) => {
                self.some_text(path, function, sense)
            }
            Value::Lost(lost) => Err(Why::lost(lost)),
            list => {
                let (set, shape) = self.factors_of(list)?;
                let answers = self.answers(function, shape, sense)?;
                Ok(self.some_factor(&set, &answers))
            }
        }
    }

    fn answer(&mut self, function: &Value, element: Value, sense: Sense) -> Result<Condition, Why> {
        let value = self.asked(function, element)?;
        let truth = self.truth(&value)?.without_names();
        Ok(if sense == Sense::As { truth } else { truth.not() })
    }

    // -- texts ------------------------------------------------------------------------------------------------------

    fn some_text(&mut self, path: &Path, function: &Value, sense: Sense) -> Result<Condition, Why> {
        let asked = self.answer(function, Value::TextOf(Text::Element), sense);
        match asked.and_then(|condition| exists_text(path, &condition)) {
            Ok(condition) => {
                self.use_as(path, Kind::Texts)?;
                Ok(condition)
            }
            // A text that is asked for among factors is one.
            Err(why) => {
                if !self.facts.is_metadata(path) {
                    return Err(why);
                }
                let answers = self.answers(function, Shape::Names, sense).map_err(|_| why)?;
                self.use_as(path, Kind::FactorTexts)?;
                Ok(self.some_factor(&Factors::Fact(path.clone()), &answers))
            }
        }
    }

    // -- factors ----------------------------------------------------------------------------------------------------

    /// A list as a set of factors.
    pub(super) fn factors_of(&mut self, list: &Value) -> Result<(Factors, Shape), Why> {
        match list {
            Value::Factors(set, shape) => Ok((set.clone(), *shape)),
            Value::Path(path) if self.facts.kind(path) == Some(Kind::Enrolled) => {
                Ok((Factors::Enrolled, Shape::Objects))
            }
            Value::Path(path) | Value::List(path) => {
                self.use_as(path, Kind::FactorTexts)?;
                Ok((Factors::Fact(path.clone()), Shape::Names))
            }
            Value::Array(elements) => {
                let mut factors = Vec::new();
                let mut shape = None;
                for element in elements.iter() {
                    let (factor, own) =
                        factor_of(element).ok_or_else(|| Why::of("a list of what are no factors"))?;
                    if *shape.get_or_insert(own) != own {
                        return Err(Why::of("a list of factors and of names of factors"));
                    }
                    factors.push(factor);
                }
                Ok((Factors::Literal(factors), shape.unwrap_or(Shape::Objects)))
            }
            Value::Lost(lost) => Err(Why::lost(lost)),
            _ => Err(Why::of("a list that is not known to hold factors")),
        }
    }

    /// What a function says of each factor.
    fn answers(&mut self, function: &Value, shape: Shape, sense: Sense) -> Result<Answers, Why> {
        let mut factors = Vec::new();
        for factor in Factor::all() {
            factors.push((factor, self.answer(function, element(factor.name(), shape), sense)?));
        }
        let other = self.answer(function, element(OTHER, shape), sense)?;
        Ok(Answers { factors, other })
    }

    fn some_factor(&mut self, set: &Factors, answers: &Answers) -> Condition {
        if let Some(selected) = self.selected(answers) {
            return Condition::test(Test::EmptySet(selection(set.clone(), selected))).not();
        }
        let known = answers
            .factors
            .iter()
            .map(|(factor, answer)| Condition::test(Test::Member(*factor, set.clone())).and(answer.clone()));
        let known: Vec<Condition> = known.collect();
        let others = set.clone().except(Factors::Literal(Factor::all().collect()));
        let other = answers.other.clone().and(Condition::test(Test::EmptySet(others)).not());
        Condition::any(known.into_iter().chain([other]))
    }

    /// Which factors they are, if a set can say it.
    fn selected(&mut self, answers: &Answers) -> Option<Selected> {
        let (mut yes, mut no, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for (factor, answer) in &answers.factors {
            match answer {
                Condition::Constant(true) => yes.push(*factor),
                Condition::Constant(false) => no.push(*factor),
                answer => open.push((*factor, answer)),
            }
        }
        let Some((first, answer)) = open.first() else {
            return match answers.other {
                Condition::Constant(true) => Some(Selected::AllBut(Factors::Literal(no))),
                Condition::Constant(false) => Some(Selected::These(Factors::Literal(yes))),
                _ => None,
            };
        };
        let (set, is_in) = membership(*first, answer)?;
        open.iter()
            .all(|(factor, answer)| membership(*factor, answer) == Some((set.clone(), is_in)))
            .then_some(())?;
        self.use_as_factors(&set).ok()?;
        let with = |set: Factors, more: Vec<Factor>| {
            if more.is_empty() { set } else { set.union(Factors::Literal(more)) }
        };
        Some(match is_in {
            true => Selected::These(with(set.except(Factors::Literal(no)), yes)),
            false => Selected::AllBut(with(set.except(Factors::Literal(yes)), no)),
        })
    }

    fn use_as_factors(&mut self, set: &Factors) -> Result<(), Why> {
        match set {
            Factors::Fact(path) => self.use_as(path, Kind::FactorTexts),
            Factors::Intersect(a, b) | Factors::Union(a, b) | Factors::Except(a, b) => {
                self.use_as_factors(a)?;
                self.use_as_factors(b)
            }
            Factors::Enrolled | Factors::Performed | Factors::Literal(_) => Ok(()),
        }
    }

    // -- methods ----------------------------------------------------------------------------------------------------

    /// Those of the methods for which a function says yes.
    fn of_methods(&mut self, methods: &Methods, function: &Value, sense: Sense) -> Result<Methods, Why> {
        let mut factors = Vec::new();
        for (factor, before) in &methods.factors {
            let answer = self.answer(function, method("mfa", Some(factor.name())), sense)?;
            factors.push((*factor, before.clone().and(answer)));
        }
        let other = self.answer(function, method("mfa", Some(OTHER)), sense)?;
        let named = self.answer(function, method_of_any_name(), sense)?;
        Ok(Methods {
            factors,
            other: methods.other.clone().and(other),
            named: methods.named.clone().and(named),
        })
    }

    /// Whether there is one of these methods.
    pub(super) fn exists(&mut self, methods: &Methods) -> Result<Condition, Why> {
        let named = self.exists_named(methods)?;
        let Some((_, first)) = methods.factors.first() else { return Ok(named) };
        if methods.factors.iter().all(|(_, condition)| condition == first) && methods.other == *first {
            return Ok(named.or(in_session(None, first)?));
        }
        let mut any = vec![named];
        for (factor, condition) in &methods.factors {
            any.push(in_session(Some(*factor), condition)?);
        }
        if methods.other != Condition::FALSE {
            return Err(Why::of("a use of a factor that is not one of several"));
        }
        Ok(Condition::any(any))
    }

    /// Of a method that is no second factor.
    fn exists_named(&mut self, methods: &Methods) -> Result<Condition, Why> {
        if methods.named == Condition::TRUE {
            let all = methods.factors.iter().all(|(_, condition)| *condition == Condition::TRUE);
            return match all && methods.other == Condition::TRUE {
                true => Ok(Condition::test(Test::EmptyList(methods_path())).not()),
                false => Err(Why::of("a method that is not one of several")),
            };
        }
        exists_text(&methods_path(), &without_mfa(&methods.named))
    }

    // -- filter and map ---------------------------------------------------------------------------------------------

    pub(super) fn filter(&mut self, list: &Value, function: &Value) -> Result<Value, Why> {
        match list {
            Value::Array(elements) => self.filter_written(elements, function),
            Value::Path(path) if self.facts.kind(path) == Some(Kind::Methods) => {
                Ok(Value::Methods(Rc::new(self.of_methods(&Methods::all(), function, Sense::As)?)))
            }
            Value::Methods(methods) => {
                Ok(Value::Methods(Rc::new(self.of_methods(methods, function, Sense::As)?)))
            }
            Value::Path(path) | Value::List(path) if self.facts.kind(path) != Some(Kind::Enrolled) => {
                let path = path.clone();
                match self.answer(function, Value::TextOf(Text::Element), Sense::As) {
                    Ok(Condition::Constant(true)) => Ok(Value::List(path)),
                    Ok(condition) => Ok(Value::Matching(path, condition)),
                    Err(why) if self.facts.is_metadata(&path) => {
                        let answers = self.answers(function, Shape::Names, Sense::As).map_err(|_| why)?;
                        self.use_as(&path, Kind::FactorTexts)?;
                        self.filtered(Factors::Fact(path), Shape::Names, &answers)
                    }
                    Err(why) => Err(why),
                }
            }
            list => {
                let (set, shape) = self.factors_of(list)?;
                let answers = self.answers(function, shape, Sense::As)?;
                self.filtered(set, shape, &answers)
            }
        }
    }

    fn filtered(&mut self, set: Factors, shape: Shape, answers: &Answers) -> Result<Value, Why> {
        match self.selected(answers) {
            Some(selected) => Ok(Value::Factors(selection(set, selected), shape)),
            None => Err(Why::of("a list of factors that depends on more than sets")),
        }
    }

    /// A list that is written down, filtered: its order stays.
    fn filter_written(&mut self, elements: &[Value], function: &Value) -> Result<Value, Why> {
        let mut answers = Vec::with_capacity(elements.len());
        for element in elements {
            answers.push(self.answer(function, element.clone(), Sense::As)?);
        }
        let open = answers.iter().filter(|answer| !matches!(answer, Condition::Constant(_))).count();
        if open > 0
            && let Ok((Factors::Literal(factors), shape)) =
                self.factors_of(&Value::Array(Rc::new(elements.to_vec())))
        {
            let factors_answers = factors.iter().copied().zip(answers.iter().cloned()).collect();
            let asked = Answers { factors: factors_answers, other: Condition::FALSE };
            if let Some(Selected::These(set)) = self.selected(&asked) {
                return Ok(Value::Factors(Factors::Literal(factors).intersect(set), shape));
            }
        }
        if open > MAX_OPEN {
            return Err(Why::of("a list that depends on too much"));
        }
        let mut list = Value::Array(Rc::new(Vec::new()));
        for (element, answer) in elements.iter().zip(answers) {
            let one = Value::Array(Rc::new(vec![kept(element, &answer)]));
            let longer = self.concatenated(&list, &one)?;
            list = Value::choose(answer, longer, list);
        }
        self.bounded(list)
    }

    pub(super) fn map(&mut self, list: &Value, function: &Value) -> Result<Value, Why> {
        match list {
            Value::Array(elements) => {
                let mut mapped = Vec::with_capacity(elements.len());
                for element in elements.iter() {
                    mapped.push(self.asked(function, element.clone())?);
                }
                Ok(Value::Array(Rc::new(mapped)))
            }
            Value::Path(path) if self.facts.kind(path) == Some(Kind::Methods) => {
                self.map_methods(&Methods::all(), function)
            }
            Value::Methods(methods) => self.map_methods(methods, function),
            Value::Path(path) | Value::List(path) if self.facts.kind(path) != Some(Kind::Enrolled) => {
                let path = path.clone();
                match self.asked(function, Value::TextOf(Text::Element))? {
                    Value::TextOf(Text::Element) => Ok(Value::List(path)),
                    Value::Object(properties) if is_only_type(&properties) => {
                        self.use_as(&path, Kind::FactorTexts)?;
                        Ok(Value::Factors(Factors::Fact(path), Shape::Objects))
                    }
                    _ => Err(Why::of("a list that is made of another")),
                }
            }
            list => {
                let (set, shape) = self.factors_of(list)?;
                let mapped = self.shape_after(function, shape)?;
                Ok(Value::Factors(set, mapped))
            }
        }
    }

    /// What a function makes of a factor: its name, or an object of nothing else.
    fn shape_after(&mut self, function: &Value, shape: Shape) -> Result<Shape, Why> {
        let mut after = None;
        for factor in Factor::all() {
            let made = self.asked(function, element(factor.name(), shape))?;
            match factor_of(&made) {
                Some((same, own)) if same == factor && *after.get_or_insert(own) == own => {}
                _ => return Err(Why::of("a list that is made of another")),
            }
        }
        after.ok_or_else(|| Why::of("a list that is made of another"))
    }

    fn map_methods(&mut self, methods: &Methods, function: &Value) -> Result<Value, Why> {
        let is_all =
            |methods: &Methods| methods.factors.iter().all(|(_, condition)| *condition == Condition::TRUE);
        let of_any = self.asked(function, method_of_any_name())?;
        if matches!(of_any, Value::TextOf(Text::Element)) && *methods == Methods::all() {
            return Ok(Value::MethodNames);
        }
        let otp = Factor::all().next().map_or("", Factor::name);
        match self.asked(function, method("mfa", Some(otp)))? {
            Value::Text(name) if name == otp && is_all(methods) => {
                Ok(Value::Factors(Factors::Performed, Shape::Names))
            }
            _ => Err(Why::of("a list that is made of the methods")),
        }
    }
}

/// An element that stays: what a condition kept is what the condition asked for.
fn kept(element: &Value, answer: &Condition) -> Value {
    match element {
        Value::Choice(condition, then, _) if condition == answer => (**then).clone(),
        other => other.clone(),
    }
}

fn selection(set: Factors, selected: Selected) -> Factors {
    match selected {
        Selected::These(few) => set.intersect(few),
        Selected::AllBut(few) => set.except(few),
    }
}

fn element(name: &str, shape: Shape) -> Value {
    let name = Value::Text(name.to_owned());
    match shape {
        Shape::Names => name,
        Shape::Objects => Value::Object(Rc::new(vec![("type".to_owned(), name)])),
    }
}

/// Each factor that a set may have, with the condition that it has it.
pub(super) fn each_of(set: &Factors, shape: Shape) -> Vec<(Condition, Value)> {
    let known = Factor::all()
        .map(|factor| (Condition::test(Test::Member(factor, set.clone())), element(factor.name(), shape)));
    let others = set.clone().except(Factors::Literal(Factor::all().collect()));
    let other = (Condition::test(Test::EmptySet(others)).not(), element(OTHER, shape));
    known.chain([other]).filter(|(is_there, _)| *is_there != Condition::FALSE).collect()
}

/// An entry of `authentication.methods`.
fn method(name: &str, factor: Option<&str>) -> Value {
    let factor = factor.map_or(Value::Undefined, |factor| Value::Text(factor.to_owned()));
    entry(Value::Text(name.to_owned()), factor)
}

fn method_of_any_name() -> Value {
    entry(Value::TextOf(Text::Element), Value::Undefined)
}

fn entry(name: Value, factor: Value) -> Value {
    let keys = [("name", name), ("type", factor), ("timestamp", Value::Stamp)];
    Value::Object(Rc::new(keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

/// A factor that is written down, without options.
pub(super) fn factor_of(value: &Value) -> Option<(Factor, Shape)> {
    match value {
        Value::Text(name) => Some((Factor::find(name)?, Shape::Names)),
        Value::Object(properties) => match properties.as_slice() {
            [(key, Value::Text(name))] if key == "type" => Some((Factor::find(name)?, Shape::Objects)),
            _ => None,
        },
        _ => None,
    }
}

fn is_only_type(properties: &[(String, Value)]) -> bool {
    matches!(properties, [(key, Value::TextOf(Text::Element))] if key == "type")
}

/// A condition that says whether a factor is in a set, or is not.
fn membership(factor: Factor, condition: &Condition) -> Option<(Factors, bool)> {
    match condition {
        Condition::Test(test) => match &**test {
            Test::Member(own, set) if *own == factor => Some((set.clone(), true)),
            Test::Performed(own, None) if *own == factor => Some((Factors::Performed, true)),
            Test::Contains(path, name) if name == factor.name() => Some((Factors::Fact(path.clone()), true)),
            _ => None,
        },
        Condition::Not(inner) => membership(factor, inner).map(|(set, is_in)| (set, !is_in)),
        Condition::All(parts) => together(parts, factor, Factors::intersect),
        Condition::Any(parts) => together(parts, factor, Factors::union),
        _ => None,
    }
}

/// Several memberships as one.
fn together(
    parts: &[Condition],
    factor: Factor,
    join: fn(Factors, Factors) -> Factors,
) -> Option<(Factors, bool)> {
    let mut whole: Option<Factors> = None;
    for part in parts {
        let (set, true) = membership(factor, part)? else { return None };
        whole = Some(match whole {
            Some(before) => join(before, set),
            None => set,
        });
    }
    Some((whole?, true))
}

/// Whether a condition is about the element that a function is asked about.
fn is_about_element(condition: &Condition) -> bool {
    match condition {
        Condition::Constant(_) => false,
        Condition::Test(test) => matches!(&**test, Test::Recent(_) | Test::Text(Text::Element, _)),
        Condition::Not(inner) => is_about_element(inner),
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(is_about_element),
        Condition::Named(named) => is_about_element(&named.condition),
    }
}

/// Whether a list has an element for which a condition holds.
pub(super) fn exists_text(path: &Path, condition: &Condition) -> Result<Condition, Why> {
    match condition {
        Condition::Constant(false) => Ok(Condition::FALSE),
        Condition::Any(parts) => {
            let any: Result<Vec<Condition>, Why> = parts.iter().map(|part| exists_text(path, part)).collect();
            Ok(Condition::any(any?))
        }
        Condition::All(parts) => {
            let (about, apart): (Vec<_>, Vec<_>) = parts.iter().cloned().partition(is_about_element);
            match about.as_slice() {
                [one] => Ok(Condition::all(apart).and(exists_text(path, one)?)),
                _ => Err(Why::of("a question about a text of a list that has several parts")),
            }
        }
        Condition::Test(test) => match &**test {
            Test::Text(Text::Element, TextTest::OneOf(values)) => {
                let contains =
                    values.iter().map(|value| Condition::test(Test::Contains(path.clone(), value.clone())));
                Ok(Condition::any(contains))
            }
            _ if !is_about_element(condition) => Ok(there_is_one(path).and(condition.clone())),
            _ => Err(Why::of("a question about the texts of a list other than which they are")),
        },
        other if !is_about_element(other) => Ok(there_is_one(path).and(other.clone())),
        _ => Err(Why::of("a question about a text of a list that says what it is not")),
    }
}

fn there_is_one(path: &Path) -> Condition {
    Condition::test(Test::EmptyList(path.clone())).not()
}

/// What is asked of methods that are no second factor: their name isn't `mfa`.
fn without_mfa(condition: &Condition) -> Condition {
    match condition {
        Condition::Test(test) => match &**test {
            Test::Text(Text::Element, TextTest::OneOf(names)) => {
                let others = names.iter().filter(|name| *name != "mfa").cloned().collect();
                Condition::test(Test::Text(Text::Element, TextTest::OneOf(others)))
            }
            _ => condition.clone(),
        },
        Condition::Not(inner) => without_mfa(inner).not(),
        Condition::All(parts) => Condition::all(parts.iter().map(without_mfa)),
        Condition::Any(parts) => Condition::any(parts.iter().map(without_mfa)),
        other => other.clone(),
    }
}

/// Whether a factor (or any) was used in the session, at a time for which a condition holds.
fn in_session(factor: Option<Factor>, condition: &Condition) -> Result<Condition, Why> {
    let used = |within| match factor {
        Some(factor) => Condition::test(Test::Performed(factor, within)),
        None => Condition::test(Test::AnyPerformed(within)),
    };
    match condition {
        Condition::Any(parts) => {
            let any: Result<Vec<Condition>, Why> =
                parts.iter().map(|part| in_session(factor, part)).collect();
            Ok(Condition::any(any?))
        }
        Condition::All(parts) => {
            let (about, apart): (Vec<_>, Vec<_>) = parts.iter().cloned().partition(is_about_element);
            match about.as_slice() {
                [one] => Ok(Condition::all(apart).and(in_session(factor, one)?)),
                _ => Ok(Condition::all(apart).and(used(shortest(&about)?))),
            }
        }
        Condition::Test(test) if matches!(&**test, Test::Recent(_)) => match &**test {
            Test::Recent(within) => Ok(used(Some(*within))),
            _ => Ok(Condition::FALSE),
        },
        other if !is_about_element(other) => Ok(other.clone().and(used(None))),
        _ => Err(Why::of("a use of a factor that lies further back than something")),
    }
}

/// The shortest of several windows.
fn shortest(parts: &[Condition]) -> Result<Option<i64>, Why> {
    let mut shortest: Option<i64> = None;
    for part in parts {
        match part {
            Condition::Test(test) => match &**test {
                Test::Recent(within) => shortest = Some(shortest.map_or(*within, |known| known.min(*within))),
                _ => return Err(Why::of("this question about the methods")),
            },
            _ => return Err(Why::of("a use of a factor that lies further back than something")),
        }
    }
    Ok(shortest)
}
