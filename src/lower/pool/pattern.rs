//! Patterns of one text, found together: what it starts or ends with by a binary search and a walk outwards.
//!
//! The beginnings of one text are beginnings of one another. So of literals in their order, all that a text starts with
//! are the greatest one that is not after it, or are around that one. Ends are beginnings, read backwards. What a text
//! contains is looked for one after the other: a pass over the text for each literal.

use std::cmp::Ordering;

use crate::check::policy::View;
use crate::lower::layout::{PatternKind, TextPattern};

/// The patterns of one view and kind.
#[derive(Clone, Debug)]
pub struct PatternSearch {
    /// The view that is searched.
    pub view: View,
    kind: PatternKind,
    literals: Box<[Nested]>,
}

/// A literal and those around it.
#[derive(Clone, Copy, Debug)]
struct Nested {
    /// Its position among all patterns of the text.
    pattern: u32,
    /// One more than the place of the next shorter literal that it starts (or ends) with, or 0.
    around: u32,
}

impl PatternSearch {
    /// A search for each view and kind of patterns that are sorted by these.
    pub fn all(patterns: &[TextPattern]) -> Vec<PatternSearch> {
        let alike = patterns.chunk_by(|a, b| (a.view, a.kind) == (b.view, b.kind));
        let mut begin = 0;
        let search = alike.map(|alike| {
            let positions = begin..begin + alike.len();
            begin = positions.end;
            PatternSearch::new(patterns, positions)
        });
        search.collect()
    }

    fn new(patterns: &[TextPattern], positions: std::ops::Range<usize>) -> Self {
        let TextPattern { view, kind, .. } = patterns[positions.start];
        let mut order: Vec<usize> = positions.collect();
        order.sort_by(|a, b| compare(kind, &patterns[*a].literal, &patterns[*b].literal));
        let mut literals: Vec<Nested> = Vec::with_capacity(order.len());
        let mut open: Vec<usize> = Vec::new();
        for (place, pattern) in order.into_iter().enumerate() {
            let literal = &patterns[pattern].literal;
            let is_around =
                |outer: &usize| matches(kind, literal, &patterns[literals[*outer].pattern as usize].literal);
            while open.pop_if(|outer| !is_around(outer)).is_some() {}
            let around = open.last().map_or(0, |outer| outer + 1);
            literals.push(Nested { pattern: pattern as u32, around: around as u32 });
            open.push(place);
        }
        PatternSearch { view, kind, literals: literals.into() }
    }

    /// Tells the positions of the patterns that a text has. `patterns` are those that this was made of.
    pub fn find(&self, patterns: &[TextPattern], text: &str, mut found: impl FnMut(usize)) {
        let literal =
            |nested: &Nested| patterns.get(nested.pattern as usize).map_or("", |found| &found.literal);
        let mut tell = |nested: &Nested| {
            if matches(self.kind, text, literal(nested)) {
                found(nested.pattern as usize);
            }
        };
        if self.kind == PatternKind::Contains {
            return self.literals.iter().for_each(tell);
        }
        let is_not_after = |nested: &Nested| compare(self.kind, literal(nested), text) != Ordering::Greater;
        let mut next = self.literals.partition_point(is_not_after);
        while let Some(nested) = next.checked_sub(1).and_then(|place| self.literals.get(place)) {
            tell(nested);
            next = nested.around as usize;
        }
    }
}

/// The order in which a literal comes right before those that start (or end) with it.
fn compare(kind: PatternKind, a: &str, b: &str) -> Ordering {
    match kind {
        PatternKind::EndsWith => a.bytes().rev().cmp(b.bytes().rev()),
        PatternKind::StartsWith | PatternKind::Contains => a.cmp(b),
    }
}

fn matches(kind: PatternKind, text: &str, literal: &str) -> bool {
    match kind {
        PatternKind::StartsWith => text.starts_with(literal),
        PatternKind::EndsWith => text.ends_with(literal),
        PatternKind::Contains => text.contains(literal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::layout::{BitSlot, WordSlot};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn patterns_are_found_as_one_by_one(
            literals in prop::collection::btree_set("[abé]{0,5}", 0..40),
            texts in prop::collection::vec("[abcé]{0,8}", 20),
        ) {
            let kinds = [PatternKind::StartsWith, PatternKind::EndsWith, PatternKind::Contains];
            let patterns: Vec<TextPattern> = kinds
                .into_iter()
                .flat_map(|kind| literals.iter().map(move |literal| (kind, literal)))
                .map(|(kind, literal)| TextPattern {
                    view: View::Whole,
                    kind,
                    literal: literal.clone(),
                    bit: BitSlot { word: WordSlot(0), bit: 0 },
                })
                .collect();
            let searches = PatternSearch::all(&patterns);
            for text in &texts {
                let mut found = Vec::new();
                searches.iter().for_each(|search| search.find(&patterns, text, |position| found.push(position)));
                found.sort_unstable();
                let expected = patterns.iter().enumerate().filter(|(_, pattern)| matches(pattern.kind, text, &pattern.literal));
                prop_assert_eq!(found, expected.map(|(position, _)| position).collect::<Vec<_>>());
            }
        }
    }
}
