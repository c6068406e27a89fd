//! One leaf of a condition: to tests on words.
//!
//! What a leaf asks may take several tests (a list's constants can lie in two words, a membership in `A union B`
//! is two memberships), so the answer is a small tree of them.

use std::ops::RangeInclusive;

use crate::check::policy::{
    Comparison, ConditionKind, FactorSubject, ListTest, Moment, Number, Set, TextSubject, TextTest, Type,
    VariableId, Window,
};
use crate::lower::fuse;
use crate::lower::layout::{
    BitSlot, ListLayout, MomentLayout, OTHER_FACTOR, PatternKind, VariableSlots, WordSlot,
};
use crate::lower::place::Places;
use crate::lower::program::{SetFormula, Test};
use crate::lower::set::{Bits, bit, listed_mask, number};
use crate::lower::thread::Span;

/// A question in terms of words.
pub(super) enum Question {
    Constant(bool),
    Test(Test),
    /// The word lies in one of these ranges; in ascending order.
    InRanges(WordSlot, Vec<Span>),
    Not(Box<Question>),
    All(Vec<Question>),
    Any(Vec<Question>),
    /// The second where a bit is set, else the third.
    If(Bits, Box<Question>, Box<Question>),
}

/// A slot that the policy asks for was laid out for that.
const LAID_OUT: &str = "collect has seen this use, so it was laid out";

/// More factors than any set holds.
const MANY: u32 = 64;

impl Question {
    fn not(self) -> Self {
        Question::Not(Box::new(self))
    }

    /// The one test that it is, if it is one.
    pub(super) fn test(self) -> Option<Test> {
        match self {
            Question::Test(test) => Some(test),
            Question::Not(part) => fuse::negated(&part.test()?),
            Question::All(mut parts) | Question::Any(mut parts) if parts.len() == 1 => parts.pop()?.test(),
            _ => None,
        }
    }

    fn any_bit(slot: WordSlot, mask: u64) -> Self {
        if mask == 0 { Question::Constant(false) } else { Question::Test(Test::AnyBit { slot, mask }) }
    }

    fn bit(bit: BitSlot) -> Self {
        Question::any_bit(bit.word, bit.mask())
    }

    fn between(slot: WordSlot, range: &RangeInclusive<i64>) -> Self {
        Question::Test(Test::Between { slot, low: *range.start(), high: *range.end() })
    }

    fn count(set: SetFormula, range: &RangeInclusive<i64>) -> Self {
        let low = (*range.start()).clamp(0, MANY.into()) as u32;
        let high = (*range.end()).clamp(-1, MANY.into());
        match (set, u32::try_from(high)) {
            (SetFormula::Listed(factors), _) => Question::Constant(range.contains(&(factors.len() as i64))),
            (_, Err(_)) => Question::Constant(false),
            (_, Ok(high)) if high < low => Question::Constant(false),
            (set, Ok(high)) => Question::Test(Test::Count { set: Box::new(set), low, high }),
        }
    }

    /// A word that holds one of these numbers, sorted as signed ones; `bound` is above all that it can hold.
    fn one_of(slot: WordSlot, numbers: Vec<i64>, bound: Option<usize>) -> Self {
        let (Some(&low), Some(&high)) = (numbers.first(), numbers.last()) else {
            return Question::Constant(false);
        };
        if high.abs_diff(low) == numbers.len() as u64 - 1 {
            return Question::between(slot, &(low..=high));
        }
        let fits = bound.is_some_and(|bound| bound <= 64) && low >= 0 && high < 64;
        if fits {
            let mask = numbers.iter().fold(0, |mask, number| mask | 1u64 << number);
            return Question::Test(Test::OneOf { slot, mask });
        }
        let ranges = runs(&numbers).into_iter().map(|run| Span { low: *run.start(), high: *run.end() });
        Question::InRanges(slot, ranges.collect())
    }
}

impl Places {
    /// What a leaf asks. (What has parts is not one, and is taken apart before.)
    pub(super) fn question(&self, kind: &ConditionKind) -> Question {
        match kind {
            ConditionKind::Constant(value) => Question::Constant(*value),
            ConditionKind::Bool(variable) => match self.slots(*variable) {
                VariableSlots::Bool(bit) => Question::bit(*bit),
                _ => unreachable!("a bool is a bit"),
            },
            ConditionKind::Present(guard) => {
                let Bits { slot, mask } = self.guard(*guard);
                Question::any_bit(slot, mask)
            }
            ConditionKind::Text(subject, test) => self.text(*subject, test),
            ConditionKind::SameText(a, b) => {
                let pair = (*a.min(b), *a.max(b));
                Question::bit(*self.equalities.get(&pair).expect(LAID_OUT))
            }
            ConditionKind::Compare(number, comparison, constant) => match range(*comparison, *constant) {
                Some(range) => self.number(number, &[range]),
                None => Question::Constant(false),
            },
            ConditionKind::OneOf(number, constants) => self.number_one_of(number, constants),
            ConditionKind::InPrefixes(variable, prefixes) => match self.slots(*variable) {
                VariableSlots::Ip { slot, prefixes: pool } => {
                    let inside = prefixes.iter().flat_map(|prefix| pool.inside(&prefix.trunc()));
                    let mut numbers: Vec<_> = inside.map(|number| number as i64).collect();
                    numbers.sort_unstable();
                    numbers.dedup();
                    Question::one_of(*slot, numbers, Some(pool.len() + 1))
                }
                _ => unreachable!("an address lies in prefixes"),
            },
            ConditionKind::List(variable, test) => self.list(*variable, test),
            ConditionKind::Member(subject, set) => self.member(*subject, set),
            ConditionKind::EmptySet(set) => empty(self.set(set)),
            ConditionKind::Performed(factor, window) => match window {
                Window::Ever => Question::any_bit(self.performed_mask(), bit(*factor)),
                Window::Within(window) => self.stamp_within(self.stamp(number(*factor)), *window),
                Window::ThisLogin => Question::any_bit(self.in_login(), bit(*factor)),
            },
            ConditionKind::AnyPerformed(window) => match window {
                Window::Ever => Question::any_bit(self.performed_mask(), !OTHER_FACTOR),
                Window::Within(window) => {
                    self.stamp_within(self.layout.performed.latest.expect(LAID_OUT), *window)
                }
                Window::ThisLogin => Question::any_bit(self.in_login(), !OTHER_FACTOR),
            },
            // Taken apart before, or only under a guarantee, which is not lowered.
            ConditionKind::Not(_) | ConditionKind::All(_) | ConditionKind::Any(_) => {
                Question::Constant(false)
            }
            ConditionKind::Initially(_) | ConditionKind::Ended(_) => Question::Constant(false),
        }
    }

    /// How many values all tests like a leaf tell apart: constants of a string, elements of a list.
    pub(super) fn values_told_apart(&self, kind: &ConditionKind) -> usize {
        match kind {
            ConditionKind::Text(subject, test) => match (self.slots(subject.variable), test) {
                (VariableSlots::Text(text), TextTest::OneOf(_)) => {
                    let number = text.numbers.iter().find(|number| number.view == subject.view);
                    number.map_or(0, |number| number.pool.len())
                }
                (VariableSlots::Text(text), _) => text.patterns.len(),
                _ => 0,
            },
            ConditionKind::List(variable, ListTest::ContainsAny(_)) => match self.slots(*variable) {
                VariableSlots::List(list) => list.elements.len(),
                _ => 0,
            },
            ConditionKind::InPrefixes(variable, _) => match self.slots(*variable) {
                VariableSlots::Ip { prefixes, .. } => prefixes.len(),
                _ => 0,
            },
            ConditionKind::Compare(Number::Variable(_), Comparison::Equal, _)
            | ConditionKind::OneOf(Number::Variable(_), _) => MANY as usize,
            _ => 0,
        }
    }

    fn text(&self, subject: TextSubject, test: &TextTest) -> Question {
        let VariableSlots::Text(text) = self.slots(subject.variable) else {
            unreachable!("a string is text")
        };
        let (kind, literal) = match test {
            TextTest::OneOf(texts) => {
                let pool = text.numbers.iter().find(|number| number.view == subject.view).expect(LAID_OUT);
                let mut numbers: Vec<_> = texts.iter().map(|text| pool.pool.number(text) as i64).collect();
                numbers.sort_unstable();
                numbers.dedup();
                return Question::one_of(pool.slot, numbers, Some(pool.pool.len() + 1));
            }
            TextTest::StartsWith(literal) => (PatternKind::StartsWith, literal),
            TextTest::EndsWith(literal) => (PatternKind::EndsWith, literal),
            TextTest::Contains(literal) => (PatternKind::Contains, literal),
        };
        let wanted = (subject.view, kind, literal.as_str());
        let place = text
            .patterns
            .binary_search_by(|known| (known.view, known.kind, known.literal.as_str()).cmp(&wanted));
        Question::bit(text.patterns[place.expect(LAID_OUT)].bit)
    }

    fn list(&self, variable: VariableId, test: &ListTest) -> Question {
        let VariableSlots::List(list) = self.slots(variable) else { unreachable!("a list holds texts") };
        let ListLayout { not_empty, pool, elements, .. } = &**list;
        let masks = |texts: &[String]| {
            let mut masks: Vec<(WordSlot, u64)> = Vec::new();
            for bit in texts.iter().map(|text| elements[pool.number(text)]) {
                match masks.iter_mut().find(|(slot, _)| *slot == bit.word) {
                    Some((_, mask)) => *mask |= bit.mask(),
                    None => masks.push((bit.word, bit.mask())),
                }
            }
            masks.into_iter()
        };
        match test {
            ListTest::Empty => Question::bit(not_empty.expect(LAID_OUT)).not(),
            ListTest::ContainsAny(texts) => {
                Question::Any(masks(texts).map(|(slot, mask)| Question::any_bit(slot, mask)).collect())
            }
            ListTest::ContainsAll(texts) => {
                let all =
                    masks(texts).map(|(slot, mask)| Question::Test(Test::Masked { slot, mask, value: mask }));
                Question::All(all.collect())
            }
        }
    }

    /// A number lies in one of these ranges.
    fn number(&self, number: &Number, ranges: &[RangeInclusive<i64>]) -> Question {
        let in_word = |slot: WordSlot| {
            Question::Any(ranges.iter().map(|range| Question::between(slot, range)).collect())
        };
        match number {
            Number::Variable(variable) => in_word(self.number_word(*variable)),
            Number::Now => in_word(self.now_value()),
            Number::Age(variable) => {
                let (now, stamp) = (self.now_value(), self.number_word(*variable));
                let age = |range: &RangeInclusive<i64>| {
                    Question::Test(Test::Age { now, stamp, low: *range.start(), high: *range.end() })
                };
                Question::Any(ranges.iter().map(age).collect())
            }
            Number::Weekday(moment) => in_word(self.moment(*moment).weekday.expect(LAID_OUT)),
            Number::Hour(moment) => in_word(self.moment(*moment).hour.expect(LAID_OUT)),
            Number::Count(set) => {
                let set = self.set(set);
                Question::Any(ranges.iter().map(|range| Question::count(set.clone(), range)).collect())
            }
            // Only under a guarantee, which is not lowered.
            Number::Prompts | Number::Commands => Question::Constant(false),
        }
    }

    fn number_one_of(&self, number: &Number, constants: &[i64]) -> Question {
        let mut constants = constants.to_vec();
        constants.sort_unstable();
        constants.dedup();
        match number {
            Number::Variable(variable) => {
                let bound = match &self.layout.variables[self.variables[variable]].ty {
                    Type::OpenEnum(values) | Type::OrderedEnum(values) => Some(values.len() + 1),
                    _ => None,
                };
                Question::one_of(self.number_word(*variable), constants, bound)
            }
            Number::Weekday(moment) => {
                Question::one_of(self.moment(*moment).weekday.expect(LAID_OUT), constants, Some(7))
            }
            Number::Hour(moment) => {
                Question::one_of(self.moment(*moment).hour.expect(LAID_OUT), constants, Some(24))
            }
            _ => self.number(number, &runs(&constants)),
        }
    }

    fn member(&self, subject: FactorSubject, set: &Set) -> Question {
        let subject = match subject {
            FactorSubject::Literal(factor) => return self.literal_member(bit(factor), set),
            FactorSubject::Variable(variable) => self.factor_word(variable),
            FactorSubject::LastPerformed => self.layout.performed.last.expect(LAID_OUT),
        };
        match self.set(set) {
            SetFormula::Listed(factors) => Question::any_bit(subject, listed_mask(&factors)),
            set => {
                let both = SetFormula::Intersect(Box::new(SetFormula::Word(subject)), Box::new(set));
                Question::Test(Test::Count { set: Box::new(both), low: 1, high: MANY })
            }
        }
    }

    /// A factor of the policy is in a set: a question about one bit, set by set.
    fn literal_member(&self, bit: u64, set: &Set) -> Question {
        match set {
            Set::Enrolled => Question::any_bit(self.enrolled(), bit),
            Set::Performed => Question::any_bit(self.performed_mask(), bit),
            Set::Variable(variable) => Question::any_bit(self.factor_word(*variable), bit),
            Set::Literal(factors) => {
                Question::Constant(factors.iter().any(|factor| crate::lower::set::bit(*factor) == bit))
            }
            Set::Intersect(a, b) => {
                Question::All(vec![self.literal_member(bit, a), self.literal_member(bit, b)])
            }
            Set::Union(a, b) => Question::Any(vec![self.literal_member(bit, a), self.literal_member(bit, b)]),
            Set::Except(a, b) => {
                Question::All(vec![self.literal_member(bit, a), self.literal_member(bit, b).not()])
            }
            Set::IfPresent { guard, then, otherwise } => {
                let (then, otherwise) = (self.literal_member(bit, then), self.literal_member(bit, otherwise));
                Question::If(self.guard(*guard), Box::new(then), Box::new(otherwise))
            }
        }
    }

    fn stamp_within(&self, stamp: WordSlot, window: i64) -> Question {
        match window.checked_sub(1) {
            Some(high) => Question::Test(Test::Age { now: self.now_value(), stamp, low: i64::MIN, high }),
            None => Question::Constant(false),
        }
    }

    fn stamp(&self, factor: u8) -> WordSlot {
        let stamps = &self.layout.performed.stamps;
        stamps.iter().find(|(known, _)| *known == factor).expect(LAID_OUT).1
    }

    fn in_login(&self) -> WordSlot {
        self.layout.performed_in_login.expect(LAID_OUT)
    }

    fn now_value(&self) -> WordSlot {
        self.moment(Moment::Now).value.expect(LAID_OUT)
    }

    fn moment(&self, moment: Moment) -> MomentLayout {
        match moment {
            Moment::Now => self.layout.now.expect(LAID_OUT),
            Moment::Variable(variable) => match self.slots(variable) {
                VariableSlots::Time(moment) => *moment,
                _ => unreachable!("a time has a weekday and an hour"),
            },
        }
    }

    fn number_word(&self, variable: VariableId) -> WordSlot {
        match self.slots(variable) {
            VariableSlots::Number(slot) => *slot,
            VariableSlots::Time(moment) => moment.value.expect(LAID_OUT),
            _ => unreachable!("a number is compared"),
        }
    }
}

/// The numbers that compare so with a constant; `None` when there is none.
fn range(comparison: Comparison, constant: i64) -> Option<RangeInclusive<i64>> {
    match comparison {
        Comparison::Equal => Some(constant..=constant),
        Comparison::Less => Some(i64::MIN..=constant.checked_sub(1)?),
        Comparison::LessOrEqual => Some(i64::MIN..=constant),
        Comparison::Greater => Some(constant.checked_add(1)?..=i64::MAX),
        Comparison::GreaterOrEqual => Some(constant..=i64::MAX),
    }
}

/// Sorted numbers as ranges.
fn runs(numbers: &[i64]) -> Vec<RangeInclusive<i64>> {
    let mut runs: Vec<RangeInclusive<i64>> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some(run) if run.end().checked_add(1) == Some(number) => *run = *run.start()..=number,
            _ => runs.push(number..=number),
        }
    }
    runs
}

/// Whether a set is empty: a question about bits where the formula is a word and constants.
fn empty(set: SetFormula) -> Question {
    match bits_of(&set) {
        Some(Bits { slot, mask }) => Question::any_bit(slot, mask).not(),
        None => Question::count(set, &(0..=0)),
    }
}

/// A set as certain bits of one word, if it is that.
fn bits_of(set: &SetFormula) -> Option<Bits> {
    match set {
        SetFormula::Word(slot) => Some(Bits::all(*slot)),
        SetFormula::Intersect(a, b) => match (a.as_ref(), b.as_ref()) {
            (set, SetFormula::Listed(listed)) | (SetFormula::Listed(listed), set) => {
                let bits = bits_of(set)?;
                Some(Bits { mask: bits.mask & listed_mask(listed), ..bits })
            }
            _ => None,
        },
        SetFormula::Except(a, b) => match b.as_ref() {
            SetFormula::Listed(listed) => {
                let bits = bits_of(a)?;
                Some(Bits { mask: bits.mask & !listed_mask(listed), ..bits })
            }
            _ => None,
        },
        SetFormula::Listed(_) | SetFormula::Union(..) | SetFormula::If { .. } => None,
    }
}
