//! What an Action decides by: conditions over the event, each false or true whatever is absent.
//!
//! A test of a value that is absent is false, as a comparison with `undefined` is in JavaScript; so a condition needs no
//! knowledge of where it stands. The constructors keep them small: what follows from another part is left out.

use std::rc::Rc;

use super::factor::{Factor, Factors};
use super::facts::Path;

/// A condition.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Condition {
    Constant(bool),
    Test(Rc<Test>),
    Not(Rc<Condition>),
    All(Rc<Vec<Condition>>),
    Any(Rc<Vec<Condition>>),
    /// One that the code has given a name.
    Named(Rc<Named>),
}

/// A name and what it stands for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) condition: Condition,
}

/// The smallest thing that is asked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Test {
    /// There is a value.
    Present(Path),
    /// There is one that counts as true.
    Truthy(Path),
    /// It is `true`.
    IsTrue(Path),
    Text(Text, TextTest),
    SameText(Path, Path),
    Contains(Path, String),
    /// A list without an element, or none.
    EmptyList(Path),
    Number(Number, Comparison, i64),
    /// `now` minus a time, in milliseconds.
    Age(Path, Comparison, i64),
    /// A time against an instant, in milliseconds.
    Instant(Path, Comparison, i64),
    Now(Comparison, i64),
    /// Today is one of these, with Sunday as 0.
    Weekday(Vec<u8>),
    Member(Factor, Factors),
    EmptySet(Factors),
    /// Of the session, within so many milliseconds.
    Performed(Factor, Option<i64>),
    AnyPerformed(Option<i64>),
    /// Of the element that a function is asked about: its stamp is younger than so many milliseconds.
    Recent(i64),
}

/// A text that is tested.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Text {
    Fact(Path),
    /// In lower case.
    Lower(Path),
    /// What follows the `@`.
    AfterAt(Path),
    /// The same in lower case.
    Domain(Path),
    /// The element that a function is asked about.
    Element,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum TextTest {
    /// Sorted, without repetition.
    OneOf(Vec<String>),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
}

impl TextTest {
    pub(super) fn holds_for(&self, text: &str) -> bool {
        match self {
            TextTest::OneOf(values) => values.iter().any(|value| value == text),
            TextTest::StartsWith(part) => text.starts_with(part),
            TextTest::EndsWith(part) => text.ends_with(part),
            TextTest::Contains(part) => text.contains(part),
        }
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Number {
    Fact(Path),
    Count(Factors),
    Hour,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl Comparison {
    /// With the sides changed.
    pub(super) fn flipped(self) -> Self {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Equal => Comparison::Equal,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            Comparison::Greater => Comparison::Less,
        }
    }

    pub(super) fn holds<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Equal => left == right,
            Comparison::GreaterOrEqual => left >= right,
            Comparison::Greater => left > right,
        }
    }

    pub(super) fn sign(self) -> &'static str {
        match self {
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Equal => "==",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Greater => ">",
        }
    }
}

/// Lists longer than this are not compared part by part.
const COMPARED: usize = 48;

impl Condition {
    pub(super) const TRUE: Condition = Condition::Constant(true);
    pub(super) const FALSE: Condition = Condition::Constant(false);

    pub(super) fn test(test: Test) -> Condition {
        match test {
            Test::Text(_, TextTest::OneOf(none)) if none.is_empty() => Condition::FALSE,
            Test::Weekday(none) if none.is_empty() => Condition::FALSE,
            Test::Weekday(all) if all.len() == 7 => Condition::TRUE,
            Test::Member(factor, Factors::Literal(factors)) => Condition::Constant(factors.contains(&factor)),
            Test::EmptySet(Factors::Literal(factors)) => Condition::Constant(factors.is_empty()),
            Test::EmptySet(Factors::Intersect(set, one)) if one.single().is_some() => {
                one.single().map_or(Condition::TRUE, |factor| member(factor, (*set).clone()).not())
            }
            Test::Number(Number::Count(set), comparison, bound) => counted(set, comparison, bound),
            Test::Member(factor, set) => member(factor, set),
            test => Condition::Test(Rc::new(test)),
        }
    }

    pub(super) fn present(path: &Path) -> Condition {
        Condition::test(Test::Present(path.clone()))
    }

    #[allow(clippy::should_implement_trait, reason = "`not` is the language's word")]
    pub(super) fn not(self) -> Condition {
        match self {
            Condition::Constant(value) => Condition::Constant(!value),
            Condition::Not(inner) => (*inner).clone(),
            Condition::Any(parts) if parts.iter().all(Condition::is_negated) => {
                Condition::all(parts.iter().cloned().map(Condition::not))
            }
            Condition::All(parts) if parts.iter().all(Condition::is_negated) => {
                Condition::any(parts.iter().cloned().map(Condition::not))
            }
            other => Condition::Not(Rc::new(other)),
        }
    }

    fn is_negated(&self) -> bool {
        matches!(self, Condition::Not(_))
    }

    pub(super) fn and(self, other: Condition) -> Condition {
        Condition::all([self, other])
    }

    pub(super) fn or(self, other: Condition) -> Condition {
        Condition::any([self, other])
    }

    pub(super) fn all(parts: impl IntoIterator<Item = Condition>) -> Condition {
        combined(parts, Joint::All)
    }

    pub(super) fn any(parts: impl IntoIterator<Item = Condition>) -> Condition {
        combined(parts, Joint::Any)
    }

    /// `self ? then : otherwise`
    pub(super) fn choose(self, then: Condition, otherwise: Condition) -> Condition {
        match (&then, &otherwise) {
            _ if then == otherwise => then,
            (Condition::Constant(true), _) => self.or(otherwise),
            (Condition::Constant(false), _) => self.not().and(otherwise),
            (_, Condition::Constant(true)) => self.not().or(then),
            (_, Condition::Constant(false)) => self.and(then),
            _ if then == self => self.or(otherwise),
            _ if otherwise == self => self.and(then),
            _ if otherwise == self.clone().not() => otherwise.or(then),
            _ if then == self.clone().not() => then.and(otherwise),
            _ => self.clone().and(then).or(self.not().and(otherwise)),
        }
    }

    /// How large it is when written out.
    pub(super) fn weight(&self) -> usize {
        match self {
            Condition::Constant(_) | Condition::Test(_) | Condition::Named(_) => 1,
            Condition::Not(inner) => inner.weight(),
            Condition::All(parts) | Condition::Any(parts) => parts.iter().map(Condition::weight).sum(),
        }
    }

    /// With what its names stand for.
    pub(super) fn without_names(&self) -> Condition {
        match self {
            Condition::Constant(_) | Condition::Test(_) => self.clone(),
            Condition::Not(inner) => inner.without_names().not(),
            Condition::All(parts) => Condition::all(parts.iter().map(Condition::without_names)),
            Condition::Any(parts) => Condition::any(parts.iter().map(Condition::without_names)),
            Condition::Named(named) => named.condition.without_names(),
        }
    }

    /// Whether it surely follows from this one. `false` says nothing.
    pub(super) fn implies(&self, other: &Condition) -> bool {
        use Condition as C;
        match (self, other) {
            _ if self == other => true,
            (C::Constant(false), _) | (_, C::Constant(true)) => true,
            (C::Any(parts), _) => parts.iter().all(|part| part.implies(other)),
            (_, C::All(parts)) => parts.iter().all(|part| self.implies(part)),
            (C::Named(named), _) => named.condition.implies(other),
            (C::All(parts), _) if parts.iter().any(|part| part.implies(other)) => true,
            (_, C::Any(parts)) if parts.iter().any(|part| self.implies(part)) => true,
            (_, C::Named(named)) => self.implies(&named.condition),
            (C::Not(a), C::Not(b)) => b.implies(a),
            (C::Test(a), C::Test(b)) => a.implies(b),
            (C::Test(a), C::Not(b)) => matches!(&**b, C::Test(b) if a.excludes(b) || b.excludes(a)),
            (C::Not(a), C::Test(b)) => matches!(&**a, C::Test(a) if a.leaves_only(b) || b.leaves_only(a)),
            _ => false,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    All,
    Any,
}

impl Joint {
    /// The constant that decides the whole.
    fn decides(self) -> bool {
        self == Joint::Any
    }
}

fn combined(parts: impl IntoIterator<Item = Condition>, joint: Joint) -> Condition {
    let mut flat: Vec<Condition> = Vec::new();
    for part in parts {
        match part {
            Condition::Constant(value) if value == joint.decides() => return Condition::Constant(value),
            Condition::Constant(_) => {}
            Condition::All(inner) if joint == Joint::All => flat.extend(inner.iter().cloned()),
            Condition::Any(inner) if joint == Joint::Any => flat.extend(inner.iter().cloned()),
            part => flat.push(part),
        }
    }
    let mut kept: Vec<Condition> = Vec::new();
    for part in flat {
        let part = reduced(part, &kept, joint);
        match add(&mut kept, part, joint) {
            Added::Kept => {}
            Added::Decides => return Condition::Constant(joint.decides()),
        }
    }
    // A part may be the smaller for one that comes after it.
    for index in 0..kept.len().min(COMPARED / 4) {
        let mut others = kept.clone();
        let part = others.remove(index);
        if let Some(place) = kept.get_mut(index) {
            *place = reduced(part, &others, joint);
        }
    }
    merge_texts(&mut kept, joint);
    match (kept.len(), joint) {
        (0, _) => Condition::Constant(!joint.decides()),
        (1, _) => kept.pop().unwrap_or(Condition::TRUE),
        (_, Joint::All) => Condition::All(Rc::new(kept)),
        (_, Joint::Any) => Condition::Any(Rc::new(kept)),
    }
}

/// What is left of a part after those before it: `a or (not a and b)` is `a or b`.
fn reduced(part: Condition, kept: &[Condition], joint: Joint) -> Condition {
    let inner = match (&part, joint) {
        (Condition::All(inner), Joint::Any) | (Condition::Any(inner), Joint::All) => inner.clone(),
        _ => return part,
    };
    if kept.len() > COMPARED || inner.len() > COMPARED {
        return part;
    }
    // In a sum, what is known there is that none of the parts before held; in a product, that all did.
    let is_known = |one: &Condition| {
        kept.iter().any(|before| match joint {
            Joint::Any => before.clone().not().implies(one),
            Joint::All => before.implies(&one.clone().not()),
        })
    };
    let left = inner.iter().filter(|one| !is_known(one)).cloned();
    match joint {
        Joint::Any => Condition::all(left),
        Joint::All => Condition::any(left),
    }
}

enum Added {
    Kept,
    Decides,
}

fn add(kept: &mut Vec<Condition>, part: Condition, joint: Joint) -> Added {
    match part {
        Condition::Constant(value) if value == joint.decides() => return Added::Decides,
        Condition::Constant(_) => return Added::Kept,
        _ => {}
    }
    if kept.len() > COMPARED {
        kept.push(part);
        return Added::Kept;
    }
    let opposite = part.clone().not();
    let decided = kept.iter().any(|before| match joint {
        Joint::All => before.implies(&opposite),
        Joint::Any => opposite.implies(before),
    });
    if decided {
        return Added::Decides;
    }
    let says_less = |one: &Condition, than: &Condition| match joint {
        Joint::All => than.implies(one),
        Joint::Any => one.implies(than),
    };
    if kept.iter().any(|before| says_less(&part, before)) {
        return Added::Kept;
    }
    kept.retain(|before| !says_less(before, &part));
    kept.push(part);
    Added::Kept
}

/// `x == a or x == b` is `x in [a, b]`.
fn merge_texts(kept: &mut Vec<Condition>, joint: Joint) {
    if joint == Joint::All {
        return;
    }
    let mut merged: Vec<Condition> = Vec::with_capacity(kept.len());
    for part in kept.drain(..) {
        if let Some(days) = weekdays(&part)
            && let Some(before) = merged.iter_mut().find(|before| weekdays(before).is_some())
        {
            let mut all: Vec<u8> = weekdays(before).into_iter().flatten().chain(days).copied().collect();
            all.sort_unstable();
            all.dedup();
            *before = Condition::test(Test::Weekday(all));
            continue;
        }
        if let Some((text, values)) = one_of(&part) {
            let same =
                merged.iter_mut().find(|before| one_of(before).is_some_and(|(other, _)| other == text));
            if let Some(before) = same {
                let mut all: Vec<String> =
                    one_of(before).map(|(_, values)| values.clone()).unwrap_or_default();
                all.extend(values.iter().filter(|value| !all.contains(value)).cloned().collect::<Vec<_>>());
                *before = Condition::test(Test::Text(text.clone(), TextTest::OneOf(all)));
                continue;
            }
        }
        merged.push(part);
    }
    *kept = merged;
}

fn weekdays(condition: &Condition) -> Option<&Vec<u8>> {
    match condition {
        Condition::Test(test) => match &**test {
            Test::Weekday(days) => Some(days),
            _ => None,
        },
        _ => None,
    }
}

fn one_of(condition: &Condition) -> Option<(&Text, &Vec<String>)> {
    match condition {
        Condition::Test(test) => match &**test {
            Test::Text(text, TextTest::OneOf(values)) => Some((text, values)),
            _ => None,
        },
        _ => None,
    }
}

/// A count against a bound, as emptiness where it is that.
fn counted(set: Factors, comparison: Comparison, bound: i64) -> Condition {
    let empty = || Condition::test(Test::EmptySet(set.clone()));
    match (comparison, bound) {
        (Comparison::Equal | Comparison::LessOrEqual, 0) | (Comparison::Less, 1) => empty(),
        (Comparison::Greater, 0) | (Comparison::GreaterOrEqual, 1) => empty().not(),
        (Comparison::GreaterOrEqual, ..=0) | (Comparison::Greater, ..=-1) => Condition::TRUE,
        (Comparison::Less, ..=0) | (Comparison::LessOrEqual | Comparison::Equal, ..=-1) => Condition::FALSE,
        _ => Condition::Test(Rc::new(Test::Number(Number::Count(set), comparison, bound))),
    }
}

/// A member of a set that is made of others.
fn member(factor: Factor, set: Factors) -> Condition {
    let of = |set: &Rc<Factors>| Condition::test(Test::Member(factor, (**set).clone()));
    match &set {
        Factors::Intersect(a, b) => of(a).and(of(b)),
        Factors::Union(a, b) => of(a).or(of(b)),
        Factors::Except(a, b) => of(a).and(of(b).not()),
        Factors::Performed => Condition::Test(Rc::new(Test::Performed(factor, None))),
        Factors::Enrolled | Factors::Fact(_) | Factors::Literal(_) => {
            Condition::Test(Rc::new(Test::Member(factor, set)))
        }
    }
}

impl Test {
    /// The place whose value it asks about: without one the test is false.
    fn place(&self) -> Option<&[String]> {
        match self {
            Test::Present(path)
            | Test::Truthy(path)
            | Test::IsTrue(path)
            | Test::SameText(path, _)
            | Test::Contains(path, _)
            | Test::Age(path, ..)
            | Test::Instant(path, ..)
            | Test::Number(Number::Fact(path), ..)
            | Test::Member(_, Factors::Fact(path)) => Some(path),
            Test::Text(
                Text::Fact(path) | Text::Lower(path) | Text::AfterAt(path) | Text::Domain(path),
                _,
            ) => Some(path),
            _ => None,
        }
    }

    /// Whether a place surely has a value where this holds.
    fn needs(&self, place: &[String]) -> bool {
        let is = |keys: &[&str]| keys.len() >= place.len() && place.iter().zip(keys).all(|(a, b)| a == b);
        match self {
            Test::Member(_, set) if set.is_of_enrolled() => is(&["user", "enrolledFactors"]),
            Test::Performed(..) | Test::AnyPerformed(_) => is(&["authentication", "methods"]),
            _ => self.place().is_some_and(|own| own.starts_with(place)),
        }
    }

    fn implies(&self, other: &Test) -> bool {
        match (self, other) {
            (_, Test::Present(place)) => self.needs(place),
            (_, Test::Truthy(place)) => self.is_truthy(place),
            (Test::Text(a, TextTest::OneOf(few)), Test::Text(b, TextTest::OneOf(many))) => {
                a == b && few.iter().all(|value| many.contains(value))
            }
            (Test::Performed(a, within), Test::Performed(b, longer)) => a == b && no_longer(*within, *longer),
            (Test::Performed(_, within) | Test::AnyPerformed(within), Test::AnyPerformed(longer)) => {
                no_longer(*within, *longer)
            }
            (Test::Recent(short), Test::Recent(long)) => short <= long,
            _ => false,
        }
    }

    /// Whether it can't hold where a place has a value that counts as false.
    fn is_truthy(&self, place: &Path) -> bool {
        let own = self.place().is_some_and(|own| own == place.as_slice());
        own && match self {
            Test::IsTrue(_) | Test::Contains(..) | Test::Age(..) | Test::Instant(..) | Test::Member(..) => {
                true
            }
            Test::Text(Text::Fact(_) | Text::Lower(_), TextTest::OneOf(values)) => {
                !values.contains(&String::new())
            }
            Test::Text(
                Text::Fact(_) | Text::Lower(_),
                TextTest::StartsWith(part) | TextTest::EndsWith(part) | TextTest::Contains(part),
            ) => !part.is_empty(),
            Test::Text(Text::AfterAt(_) | Text::Domain(_), _) => true,
            Test::Number(_, comparison, bound) => !comparison.holds(0, *bound),
            _ => false,
        }
    }

    /// Whether the two can't both hold.
    fn excludes(&self, other: &Test) -> bool {
        match (self, other) {
            (Test::Member(_, set), Test::EmptySet(empty)) => set == empty,
            (Test::Contains(a, _), Test::EmptyList(b)) => a == b,
            (Test::Text(a, TextTest::OneOf(some)), Test::Text(b, TextTest::OneOf(others))) => {
                a == b && !some.iter().any(|value| others.contains(value))
            }
            _ => false,
        }
    }

    /// Whether one of the two always holds.
    fn leaves_only(&self, other: &Test) -> bool {
        match (self, other) {
            (Test::EmptySet(set), Test::Present(place)) => {
                set.is_of_enrolled()
                    && ["user", "enrolledFactors"].iter().zip(place.iter()).all(|(a, b)| a == b)
            }
            (Test::EmptyList(list), Test::Present(place)) => list.starts_with(place),
            (Test::EmptyList(list), Test::Truthy(place)) => list == place,
            _ => false,
        }
    }
}

fn no_longer(within: Option<i64>, other: Option<i64>) -> bool {
    match (within, other) {
        (_, None) => true,
        (Some(a), Some(b)) => a <= b,
        (None, Some(_)) => false,
    }
}
