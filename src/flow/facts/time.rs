//! `now`, time facts and stamps of performed factors: one group, exactly.
//!
//! Once `now` is fixed, each stamp is free of the others: its line is cut by the instants it is compared with, by
//! the ages it is compared with (at `now - age`), and by hours and weekdays, which repeat each week. Which stretches
//! of its line hold which combinations changes only where two such cuts meet, so `now` itself falls into finitely
//! many cells; far from every instant they repeat week by week, so two weeks at each end of a stretch stand for all
//! of it. What holds is: for one of these cells, `now` is in it and each stamp is in a class possible there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::Timestamp;

use super::cells::{Cells, Cuts};
use super::reads::MomentReads;
use crate::check::policy::{FactorId, VariableId};
use crate::flow::budget::{Budget, BudgetExceeded, Limited};
use crate::trace::{hour, weekday};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// Where witnesses lie if nothing says otherwise: Monday noon, 5 January 2026.
pub(in crate::flow) const USUAL_NOW: i64 = 1_767_614_400_000;

/// The instants that a `Timestamp`, and so a fact, can hold: the years -9999 to 9999.
fn instants() -> Range<i64> {
    Timestamp::MIN.as_millisecond()..Timestamp::MAX.as_millisecond() + 1
}

/// Whose stamp it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(in crate::flow) enum StampOf {
    /// A time variable's.
    Variable(VariableId),
    /// A factor's, performed before this login.
    Performed(FactorId),
}

/// A combination of cells that a point in time can lie in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct MomentClass {
    pub(super) instant: u32,
    pub(super) age: u32,
    pub(super) weekday: u32,
    pub(super) hour: u32,
}

/// The cut lines of one point in time.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) instants: Cells,
    pub(super) ages: Cells,
    pub(super) weekdays: Cells,
    pub(super) hours: Cells,
    /// Hours of the week, from Monday midnight, at which the weekday's or the hour's cell changes.
    changes: Vec<i64>,
    /// All classes that it can be in, at some `now`.
    pub(super) classes: Vec<MomentClass>,
}

impl Moment {
    fn new(reads: &MomentReads) -> Self {
        let longest = instants().end - instants().start;
        let mut moment = Moment {
            instants: Cells::new(instants(), &reads.instants),
            ages: Cells::new(-longest..longest + 1, &reads.ages),
            weekdays: Cells::new(0..7, &reads.weekdays),
            hours: Cells::new(0..24, &reads.hours),
            changes: Vec::new(),
            classes: Vec::new(),
        };
        let cells = |hour: i64| {
            (moment.weekdays.cell_of(hour.rem_euclid(168) / 24), moment.hours.cell_of(hour.rem_euclid(24)))
        };
        moment.changes = (0..168).filter(|hour| cells(*hour) != cells(hour - 1)).collect();
        moment
    }

    fn class(&self, now: i64, instant: i64) -> MomentClass {
        MomentClass {
            instant: self.instants.cell_of(instant),
            age: self.ages.cell_of(now - instant),
            weekday: self.weekdays.cell_of(weekday(instant)),
            hour: self.hours.cell_of(hour(instant)),
        }
    }

    /// The stretches of its line at one `now`: cut by instants and ages, not yet by the calendar.
    fn stretches(&self, now: i64) -> Vec<Range<i64>> {
        // An age is at least `a` up to and with the instant `now - a`.
        let by_age = self.ages.starts().iter().skip(1).map(|age| now - age + 1);
        let by_instant = self.instants.starts().iter().copied();
        let mut cuts: Vec<i64> = by_age.chain(by_instant).filter(|cut| instants().contains(cut)).collect();
        cuts.push(instants().end);
        cuts.sort_unstable();
        cuts.dedup();
        cuts.windows(2).filter_map(|pair| Some(*pair.first()?..*pair.last()?)).collect()
    }

    /// The classes that are possible at one `now`.
    fn classes_at(&self, now: i64) -> BTreeSet<MomentClass> {
        let stretches = self.stretches(now).into_iter();
        stretches.flat_map(|stretch| self.calendar_points(stretch).map(|at| self.class(now, at))).collect()
    }

    /// The first instant of each calendar cell in the first week of a stretch.
    fn calendar_points(&self, stretch: Range<i64>) -> impl Iterator<Item = i64> {
        let monday = (stretch.start + 3 * DAY).div_euclid(WEEK) * WEEK - 3 * DAY;
        let week = |monday: i64| self.changes.iter().map(move |hour| monday + hour * HOUR);
        let start = stretch.start;
        let later = week(monday).chain(week(monday + WEEK));
        std::iter::once(start)
            .chain(later.filter(move |at| *at > start && *at < start + WEEK && *at < stretch.end))
    }

    /// An instant of a class at one `now`, as near to `now` as is simple.
    fn witness(&self, now: i64, class: MomentClass) -> Option<i64> {
        let fits = |at: &i64| self.class(now, *at) == class;
        let near = |stretch: Range<i64>| {
            let best = now.clamp(stretch.start, stretch.end - 1);
            let hours = (0..=168).flat_map(move |n| [best - n * HOUR, best + n * HOUR]);
            let earlier = stretch.end.saturating_sub(WEEK).max(stretch.start)..stretch.end;
            let inside = stretch.clone();
            let points =
                self.calendar_points(stretch).chain(self.calendar_points(earlier)).collect::<Vec<_>>();
            hours.filter(move |at| inside.contains(at)).chain(points).collect::<Vec<_>>()
        };
        self.stretches(now).into_iter().rev().flat_map(near).find(fits)
    }

    fn code_of(&self, class: MomentClass) -> Option<u32> {
        self.classes.binary_search(&class).ok().map(|code| code as u32)
    }
}

/// One possibility: `now` in a class, and for each stamp the classes possible then.
#[derive(Debug)]
pub(super) struct Possibility {
    /// A `now` for which it holds.
    pub(super) now: i64,
    /// The class of `now`.
    pub(super) now_code: u32,
    /// For each stamp the codes of its classes, sorted.
    pub(super) allowed: Vec<Vec<u32>>,
}

/// The joint group of all points in time.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) now: Moment,
    pub(super) stamps: BTreeMap<StampOf, Moment>,
    pub(super) possibilities: Vec<Possibility>,
}

impl Times {
    /// Works out which combinations are possible.
    pub(super) fn new(
        now: &MomentReads,
        stamps: &BTreeMap<StampOf, MomentReads>,
        budget: &Budget,
    ) -> Limited<Self> {
        let now = Moment::new(now);
        let stamps = stamps.iter().map(|(of, reads)| (*of, Moment::new(reads))).collect();
        let mut times = Times { now, stamps, possibilities: Vec::new() };
        let cells = times.cells_of_now(budget.time_cells)?;
        times.fill(&cells);
        Ok(times)
    }

    /// One `now` of each cell, those near to the usual one first.
    fn cells_of_now(&self, limit: usize) -> Limited<Vec<i64>> {
        let fixed: Vec<i64> = self.fixed_cuts().into_iter().collect();
        let repeating = self.repeating_cuts();
        let mut cells = Vec::new();
        for pair in fixed.windows(2) {
            let (Some(&start), Some(&end)) = (pair.first(), pair.last()) else { continue };
            cells.extend(sample(start..end, &repeating));
            if cells.len() > limit {
                return Err(BudgetExceeded::TimeCells { limit });
            }
        }
        cells.sort_by_key(|now| now.abs_diff(USUAL_NOW));
        Ok(cells)
    }

    /// The instants at which cells of `now` begin, for reasons that don't repeat.
    fn fixed_cuts(&self) -> Cuts {
        let mut cuts = Cuts::from([instants().start, USUAL_NOW, instants().end]);
        cuts.extend(self.now.instants.starts());
        for stamp in self.stamps.values() {
            for age in stamp.ages.starts().iter().skip(1) {
                let meets = stamp.instants.starts().iter().copied().chain([instants().end]);
                cuts.extend(meets.flat_map(|instant| [instant + age - 1, instant + age]));
            }
        }
        cuts.retain(|cut| (instants().start..=instants().end).contains(cut));
        cuts
    }

    /// The instants of a week, from Monday midnight, at which cells of `now` begin each week.
    fn repeating_cuts(&self) -> Vec<i64> {
        let mut cuts: BTreeSet<i64> = self.now.changes.iter().map(|hour| hour * HOUR).collect();
        for stamp in self.stamps.values() {
            for age in stamp.ages.starts().iter().skip(1) {
                let meets = stamp.changes.iter().flat_map(|hour| [hour * HOUR + age - 1, hour * HOUR + age]);
                cuts.extend(meets.map(|at| at.rem_euclid(WEEK)));
            }
        }
        cuts.into_iter().collect()
    }

    fn fill(&mut self, cells: &[i64]) {
        let at = |now: i64| {
            let sets = self.stamps.values().map(|stamp| stamp.classes_at(now));
            (self.now.class(now, now), sets.collect::<Vec<_>>())
        };
        let mut found: BTreeMap<_, i64> = BTreeMap::new();
        for &now in cells {
            found.entry(at(now)).or_insert(now);
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by_key(|(_, now)| now.abs_diff(USUAL_NOW));
        self.now.classes =
            found.iter().map(|((class, _), _)| *class).collect::<BTreeSet<_>>().into_iter().collect();
        for (index, stamp) in self.stamps.values_mut().enumerate() {
            let all = found.iter().filter_map(|((_, sets), _)| sets.get(index)).flatten();
            stamp.classes = all.copied().collect::<BTreeSet<_>>().into_iter().collect();
        }
        let possibilities = found.into_iter().map(|((class, sets), now)| Possibility {
            now,
            now_code: self.now.code_of(class).unwrap_or(0),
            allowed: self
                .stamps
                .values()
                .zip(sets)
                .map(|(stamp, set)| set.into_iter().filter_map(|class| stamp.code_of(class)).collect())
                .collect(),
        });
        self.possibilities = without_dominated(possibilities.collect());
    }

    /// An instant for a stamp at one `now`.
    pub(super) fn witness(&self, of: StampOf, now: i64, code: u32) -> Option<i64> {
        let stamp = self.stamps.get(&of)?;
        stamp.witness(now, *stamp.classes.get(code as usize)?)
    }
}

/// One instant of each cell of a stretch of `now`: the two weeks at its ends stand for what lies between.
fn sample(stretch: Range<i64>, repeating: &[i64]) -> Vec<i64> {
    if repeating.is_empty() {
        return vec![USUAL_NOW.clamp(stretch.start, stretch.end - 1)];
    }
    let mut found = vec![stretch.start];
    let tail = (stretch.end - 2 * WEEK).max(stretch.start + 2 * WEEK);
    let mut monday = (stretch.start + 3 * DAY).div_euclid(WEEK) * WEEK - 3 * DAY;
    while monday < stretch.end {
        let week = repeating.iter().map(|at| monday + at);
        found.extend(week.filter(|at| *at > stretch.start && *at < stretch.end));
        monday += WEEK;
        if monday > stretch.start + 2 * WEEK && monday < tail {
            monday = (tail + 3 * DAY).div_euclid(WEEK) * WEEK - 3 * DAY;
        }
    }
    found
}

/// Leaves out possibilities that another one holds whole.
fn without_dominated(possibilities: Vec<Possibility>) -> Vec<Possibility> {
    let holds = |large: &Possibility, small: &Possibility| {
        large.now_code == small.now_code
            && large.allowed.iter().zip(&small.allowed).all(|(large, small)| is_subset(small, large))
    };
    let mut kept: Vec<Possibility> = Vec::new();
    for candidate in possibilities {
        if !kept.iter().any(|larger| holds(larger, &candidate)) {
            kept.retain(|smaller| !holds(&candidate, smaller));
            kept.push(candidate);
        }
    }
    kept
}

/// Whether all of a sorted list stands in another.
fn is_subset(small: &[u32], large: &[u32]) -> bool {
    small.iter().all(|member| large.binary_search(member).is_ok())
}

#[cfg(test)]
impl Times {
    /// Whether a possibility holds these instants, one for each stamp.
    pub(super) fn holds(&self, now: i64, at: &[i64]) -> bool {
        let Some(code) = self.now.code_of(self.now.class(now, now)) else { return false };
        let stamps: Vec<_> =
            self.stamps.values().zip(at).map(|(stamp, at)| stamp.code_of(stamp.class(now, *at))).collect();
        self.possibilities.iter().any(|possibility| {
            let fits =
                |(code, allowed): (&Option<u32>, &Vec<u32>)| code.is_some_and(|code| allowed.contains(&code));
            possibility.now_code == code && stamps.iter().zip(&possibility.allowed).all(fits)
        })
    }
}
