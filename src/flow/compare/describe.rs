//! A set of logins as conditions: few, short, in the policies' words, and exactly the set.
//!
//! The words are the tests that stand in the two flows, what these are made of (is a factor enrolled, was it
//! performed), and the user's answers. Between them they tell apart all that the flows tell apart, so for every set
//! there is a sum of products of them. Each product is grown small around one login that is not covered yet: a test or
//! two if that is enough, else all tests that hold of the login, without those that aren't needed.

use super::tell::{Teller, Told};
use super::transcript::{AnswerTest, Transcript};
use super::{Literal, LiteralTest, When};
use crate::check::masks::ALL_FACTORS;
use crate::check::policy::{
    ConditionId, ConditionKind, FactorSubject, Set, Statement, Type, TypedPolicy, VariableId, Window,
};
use crate::flow::budget::Limited;
use crate::flow::condition::Conditions;
use crate::flow::diagram::{Diagrams, Formula};
use crate::flow::facts::Reads;

/// The most products that a description has; past them it says that there are more.
const MOST_PRODUCTS: usize = 24;

/// The most tests among which pairs and threes are all tried.
const TRIED_IN_PAIRS: usize = 60;
const TRIED_IN_THREES: usize = 20;

/// A test that logins can be told apart by.
struct Atom {
    test: LiteralTest,
    told: Told,
    holds: Formula,
    fails: Formula,
}

/// Which answers a set of logins tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Given {
    /// Those before something happens.
    SoFar,
    /// All of the login. What happens tells itself in them, so the facts have to say by themselves whom it may befall.
    ToTheEnd,
}

/// How a product is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Search {
    /// One of a test, then of two; if there is none, greedily.
    SmallFirst,
    /// All tests, without those that aren't needed.
    Greedy,
}

/// Tests that all hold of some logins, as one of them answers.
struct Product {
    atoms: Vec<usize>,
    answers: Vec<bool>,
    formula: Formula,
}

/// Finds descriptions.
pub(super) struct Describer<'a> {
    diagrams: &'a Diagrams,
    atoms: Vec<Atom>,
    /// All logins that there are.
    all: Formula,
    /// The first variable that belongs to the answers.
    answers: u32,
}

/// Adds to the conditions of both flows what their tests are made of, so that each test of the facts is a row.
pub(super) fn add_elementary_tests(policy: &mut TypedPolicy, reads: &Reads) {
    let factors: Vec<_> = policy.catalog.factors.keys().collect();
    let mut kinds = Vec::new();
    // Where not all factors matter, that some of them are enrolled says nothing of `enrolled`.
    if reads.login.enrolls || reads.login.enrolled == ALL_FACTORS {
        let all = Set::Literal(factors.clone());
        kinds.push(ConditionKind::EmptySet(Set::Enrolled));
        kinds.push(ConditionKind::EmptySet(Set::Intersect(Box::new(Set::Enrolled), Box::new(all))));
    }
    for factor in &factors {
        kinds.push(ConditionKind::Member(FactorSubject::Literal(*factor), Set::Enrolled));
    }
    kinds.push(ConditionKind::EmptySet(Teller { policy }.enrolled_outside()));
    for factor in &factors {
        kinds.push(ConditionKind::Performed(*factor, Window::Ever));
        let windows = reads.windows_of(*factor).into_iter().map(Window::Within);
        kinds.extend(windows.map(|window| ConditionKind::Performed(*factor, window)));
        kinds.push(ConditionKind::Member(FactorSubject::LastPerformed, Set::Literal(vec![*factor])));
    }
    for variable in &reads.variables {
        let of = |factor| match &policy.variables[*variable].ty {
            Type::FactorSet => {
                Some(ConditionKind::Member(FactorSubject::Literal(factor), Set::Variable(*variable)))
            }
            Type::Factor => {
                let set = Set::Literal(vec![factor]);
                Some(ConditionKind::Member(FactorSubject::Variable(*variable), set))
            }
            _ => None,
        };
        kinds.extend(factors.iter().filter_map(|factor| of(*factor)));
        kinds.extend(outside(policy, *variable));
    }
    let Some(span) = policy.steps.values().next().map(|step| step.declared) else { return };
    for kind in kinds {
        policy.conditions.push(crate::check::policy::Condition { span, kind });
    }
}

/// Whether a set has a factor that the catalog doesn't have.
fn outside(policy: &TypedPolicy, variable: VariableId) -> Option<ConditionKind> {
    let all = Set::Literal(policy.catalog.factors.keys().collect());
    let set = Set::Except(Box::new(Set::Variable(variable)), Box::new(all));
    (policy.variables[variable].ty == Type::FactorSet).then_some(ConditionKind::EmptySet(set))
}

/// The tests that some steps ask, in the order in which a reader meets them, then the `elementary` ones.
fn tests_of(policy: &TypedPolicy, elementary: std::ops::Range<usize>) -> Vec<ConditionId> {
    let mut seen = vec![false; policy.conditions.len()];
    let mut found = Vec::new();
    let mut statements: Vec<&Statement> =
        policy.steps.values().rev().flat_map(|s| s.body.iter().rev()).collect();
    while let Some(statement) = statements.pop() {
        match statement {
            Statement::Applied { body, .. } => statements.extend(body.iter().rev()),
            Statement::Branch { branches, otherwise, .. } => {
                statements.extend(otherwise.iter().rev());
                statements.extend(branches.iter().rev().flat_map(|(_, body)| body.iter().rev()));
                let mut waiting: Vec<ConditionId> = branches.iter().rev().map(|(id, _)| *id).collect();
                while let Some(id) = waiting.pop() {
                    let known = seen.get_mut(id.as_u32() as usize);
                    if known.is_none_or(|known| std::mem::replace(known, true)) {
                        continue;
                    }
                    match &policy.conditions[id].kind {
                        ConditionKind::Not(inner) => waiting.push(*inner),
                        ConditionKind::All(parts) | ConditionKind::Any(parts) => {
                            waiting.extend(parts.iter().rev());
                        }
                        _ => found.push(id),
                    }
                }
            }
            Statement::Command(_) | Statement::Deny { .. } | Statement::Stop(_) => {}
        }
    }
    found.extend(elementary.map(|row| ConditionId::from_u32(row as u32)));
    found
}

impl<'a> Describer<'a> {
    /// Descriptions of sets among `all` logins. The conditions are asked at the start of a login.
    pub(super) fn new(
        conditions: &Conditions<'a>,
        transcript: &Transcript,
        elementary: std::ops::Range<usize>,
        all: Formula,
    ) -> Limited<Self> {
        let (policy, diagrams) = (conditions.policy, &conditions.facts.diagrams);
        let teller = Teller { policy };
        let mut describer = Describer { diagrams, atoms: Vec::new(), all, answers: transcript.first };
        let mut seen = Vec::new();
        for id in tests_of(policy, elementary) {
            if let Some(told) = teller.test(&policy.conditions[id].kind) {
                describer.add(LiteralTest::Fact(id), told, conditions.formula(id)?, &mut seen)?;
            }
        }
        for test in transcript.tests(policy) {
            let formula = transcript.formula(test, diagrams)?;
            describer.add(LiteralTest::Answer(test), told_answer(teller, test), formula, &mut seen)?;
        }
        Ok(describer)
    }

    /// Takes a test, unless all logins answer it alike, or as they answer one that is known.
    fn add(
        &mut self,
        test: LiteralTest,
        told: Told,
        formula: Formula,
        seen: &mut Vec<Formula>,
    ) -> Limited<()> {
        let holds = self.diagrams.and(formula, self.all)?;
        let fails = self.diagrams.minus(self.all, formula)?;
        if holds.is_empty() || fails.is_empty() || seen.contains(&holds) || seen.contains(&fails) {
            return Ok(());
        }
        seen.push(holds);
        let fails = !formula;
        self.atoms.push(Atom { test, told, holds: formula, fails });
        Ok(())
    }

    /// Describes a set of logins among others.
    pub(super) fn describe(&self, logins: Formula, among: Formula, answers: Given) -> Limited<When> {
        let others = self.diagrams.minus(among, logins)?;
        let other_facts = match answers {
            Given::SoFar => self.diagrams.nothing(),
            Given::ToTheEnd => {
                let with_such_facts = self.diagrams.whatever_follows(logins, self.answers)?;
                self.diagrams.minus(among, with_such_facts)?
            }
        };
        let shares = self.shares(logins)?;
        let mut products: Vec<Product> = Vec::new();
        let mut left = logins;
        while let Some(login) = self.diagrams.pick(left).filter(|_| products.len() < MOST_PRODUCTS) {
            let answers: Vec<bool> =
                self.atoms.iter().map(|atom| self.diagrams.has(atom.holds, &login)).collect();
            let product = self.best_product(answers, left, others, other_facts, &shares)?;
            let rest = self.diagrams.minus(left, product.formula)?;
            if rest == left {
                break;
            }
            left = rest;
            products.push(product);
        }
        let complete = left.is_empty();
        if complete {
            self.drop_needless(&mut products, logins)?;
        }
        let mut any: Vec<Vec<Literal>> = products
            .into_iter()
            .map(|product| product.atoms.iter().map(|atom| self.told(*atom, &product.answers)).collect())
            .collect();
        any.sort_by_key(Vec::len);
        Ok(When::new(any, !complete))
    }

    /// Drops the products whose logins the others cover.
    fn drop_needless(&self, products: &mut Vec<Product>, logins: Formula) -> Limited<()> {
        let mut place = 0;
        while place < products.len() {
            let others = products.iter().enumerate().filter(|(other, _)| *other != place);
            let covered = self.diagrams.any(others.map(|(_, product)| product.formula))?;
            if self.diagrams.minus(logins, covered)?.is_empty() {
                products.remove(place);
            } else {
                place += 1;
            }
        }
        Ok(())
    }

    fn is_fact(&self, atom: usize) -> bool {
        self.atoms.get(atom).is_some_and(|row| matches!(row.test, LiteralTest::Fact(_)))
    }

    fn all_of(&self, atoms: &[usize], answers: &[bool]) -> Limited<Formula> {
        self.diagrams.all(atoms.iter().map(|atom| *self.literal(*atom, answers)))
    }

    fn literal<'s>(&'s self, atom: usize, answers: &[bool]) -> &'s Formula {
        let row = &self.atoms[atom];
        if answers.get(atom) == Some(&true) { &row.holds } else { &row.fails }
    }

    fn told(&self, atom: usize, answers: &[bool]) -> Literal {
        let row = &self.atoms[atom];
        let holds = answers.get(atom) == Some(&true);
        let text = if holds { &row.told.yes } else { &row.told.no };
        Literal { text: text.clone(), test: row.test, holds }
    }

    /// A product around a login: of those that grow from several orders of the tests the one that covers most.
    fn best_product(
        &self,
        answers: Vec<bool>,
        left: Formula,
        others: Formula,
        other_facts: Formula,
        shares: &[(f64, f64)],
    ) -> Limited<Product> {
        let mut best: Option<(f64, Vec<usize>, Formula)> = None;
        for (number, order) in self.orders(&answers, shares).into_iter().enumerate() {
            let search = if number == 0 { Search::SmallFirst } else { Search::Greedy };
            let facts: Vec<usize> = order.iter().copied().filter(|atom| self.is_fact(*atom)).collect();
            let mut atoms = self.product(&facts, &answers, other_facts, search)?;
            let left_over = self.diagrams.and(others, self.all_of(&atoms, &answers)?)?;
            atoms.extend(self.product(&order, &answers, left_over, search)?);
            atoms.sort_unstable();
            let formula = self.all_of(&atoms, &answers)?;
            let covers = self.diagrams.share(self.diagrams.and(left, formula)?);
            let is_better = best.as_ref().is_none_or(|(most, fewest, _)| {
                covers.total_cmp(most).then(fewest.len().cmp(&atoms.len())).is_gt()
            });
            if is_better {
                best = Some((covers, atoms, formula));
            }
        }
        let (_, atoms, formula) = best.unwrap_or_else(|| (0.0, Vec::new(), self.diagrams.everything()));
        Ok(Product { atoms, answers, formula })
    }

    /// How many of some logins each test holds of, and how many it doesn't hold of.
    fn shares(&self, logins: Formula) -> Limited<Vec<(f64, f64)>> {
        let all = self.diagrams.share(logins);
        let share = |atom: &Atom| {
            let holds = self.diagrams.share(self.diagrams.and(logins, atom.holds)?);
            Ok((holds, all - holds))
        };
        self.atoms.iter().map(share).collect()
    }

    /// Orders of the tests, what is to be kept first. Products of tests that most of the logins answer like one with
    /// these answers cover much; tests that hold, and tests of the facts, are told more plainly than others.
    fn orders(&self, answers: &[bool], shares: &[(f64, f64)]) -> [Vec<usize>; 3] {
        let rows: Vec<(bool, bool, f64, usize)> = (answers.iter().zip(shares).enumerate())
            .map(|(atom, (holds, share))| {
                (!self.is_fact(atom), !*holds, if *holds { share.0 } else { share.1 }, atom)
            })
            .collect();
        let sorted = |rank: fn(bool, bool) -> (bool, bool)| {
            let mut rows = rows.clone();
            rows.sort_by(|a, b| {
                let ranks = rank(a.0, a.1).cmp(&rank(b.0, b.1));
                ranks.then(b.2.total_cmp(&a.2)).then((a.1, a.3).cmp(&(b.1, b.3)))
            });
            rows.into_iter().map(|(.., atom)| atom).collect()
        };
        [
            sorted(|is_answer, _| (is_answer, false)),
            sorted(|is_answer, fails| (fails, is_answer)),
            sorted(|is_answer, fails| (is_answer, fails)),
        ]
    }

    /// Few tests that hold of a login with these answers, and of none of the `others`.
    fn product(
        &self,
        order: &[usize],
        answers: &[bool],
        others: Formula,
        search: Search,
    ) -> Limited<Vec<usize>> {
        if others.is_empty() {
            return Ok(Vec::new());
        }
        if search == Search::SmallFirst && order.len() <= TRIED_IN_PAIRS {
            let size = if order.len() <= TRIED_IN_THREES { 3 } else { 2 };
            for size in 1..=size {
                if let Some(found) = self.small(order, answers, others, size)? {
                    return Ok(found);
                }
            }
        }
        self.without_needless(order, answers, others)
    }

    /// The first product of just `size` tests that excludes all others.
    fn small(
        &self,
        order: &[usize],
        answers: &[bool],
        others: Formula,
        size: usize,
    ) -> Limited<Option<Vec<usize>>> {
        for (place, atom) in order.iter().enumerate() {
            let left = self.diagrams.and(others, *self.literal(*atom, answers))?;
            if left.is_empty() {
                return Ok(Some(vec![*atom]));
            }
            if size > 1 && left != others {
                let rest = order.get(place + 1..).unwrap_or(&[]);
                if let Some(mut found) = self.small(rest, answers, left, size - 1)? {
                    found.insert(0, *atom);
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// All tests without those that aren't needed, tried from the last.
    fn without_needless(&self, order: &[usize], answers: &[bool], others: Formula) -> Limited<Vec<usize>> {
        let mut before = vec![self.diagrams.everything()];
        for atom in order {
            let last = before.last().cloned().unwrap_or_else(|| self.diagrams.everything());
            before.push(self.diagrams.and(last, *self.literal(*atom, answers))?);
        }
        let mut kept = Vec::new();
        let mut left = others;
        for (place, atom) in order.iter().enumerate().rev() {
            let without = self.diagrams.and(left, before[place])?;
            if !without.is_empty() {
                left = self.diagrams.and(left, *self.literal(*atom, answers))?;
                kept.push(*atom);
            }
        }
        kept.reverse();
        Ok(kept)
    }
}

fn told_answer(teller: Teller<'_>, test: AnswerTest) -> Told {
    match test {
        AnswerTest::Passed(0) => {
            Told { yes: "a prompt is passed".to_owned(), no: "no prompt is passed".to_owned() }
        }
        AnswerTest::Passed(prompt) => Told {
            yes: format!("{} prompts are passed", prompt + 1),
            no: format!("fewer than {} prompts are passed", prompt + 1),
        },
        AnswerTest::Passes(factor) => {
            let factor = teller.factor(factor);
            Told { yes: format!("the user passes {factor}"), no: format!("the user does not pass {factor}") }
        }
        AnswerTest::Answer(prompt, factor) => {
            let (factor, number) = (teller.factor(factor), prompt + 1);
            Told {
                yes: format!("prompt {number} is passed with {factor}"),
                no: format!("prompt {number} is not passed with {factor}"),
            }
        }
        AnswerTest::Aged { answered, answer, age } => {
            let (age, number) = (crate::trace::duration(age), answer + 1);
            Told {
                yes: format!("prompt {number} was passed {age} ago or more when prompt {answered} is"),
                no: format!("prompt {number} was passed less than {age} ago when prompt {answered} is"),
            }
        }
    }
}
