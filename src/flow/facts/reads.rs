//! What the statements of a flow read: which tests stand against each fact, and what they ask of the login itself.
//!
//! Facts and constants that no statement reads can't be told apart, so the model leaves them out. The same
//! collection over the later steps alone says what of a login's past still matters.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ipnet::IpNet;

use super::cells::{Cuts, cut};
use crate::check::masks::{ALL_FACTORS, FactorMask, bit};
use crate::check::policy::{
    Absence, Command, CommandKind, Comparison, Condition, ConditionId, ConditionKind, FactorId,
    FactorSubject, Guard, ListTest, Moment, Number, PresenceId, Set, Statement, Step, TextSubject, TextTest,
    Type, TypedPolicy, VariableId, View, Window,
};
use crate::flow::budget::{BudgetExceeded, Limited};
use crate::trace::is_one_text;

/// The tests of one string.
#[derive(Clone, Default, Debug)]
pub(in crate::flow) struct TextReads {
    /// The constants that a view is compared with.
    pub(super) equal: BTreeSet<(View, String)>,
    /// Prefixes, suffixes and substrings.
    pub(super) patterns: BTreeSet<(View, TextTest)>,
    /// Whether anybody asks for its domain.
    pub(super) domain: bool,
}

/// The tests of one point in time.
#[derive(Clone, Default, Debug)]
pub(in crate::flow) struct MomentReads {
    /// Comparisons with instants.
    pub(super) instants: Cuts,
    /// Comparisons of its age.
    pub(super) ages: Cuts,
    /// Comparisons of its weekday.
    pub(super) weekdays: Cuts,
    /// Comparisons of its hour.
    pub(super) hours: Cuts,
}

/// All that is read.
#[derive(Clone, Default, Debug)]
pub(in crate::flow) struct Reads {
    /// The variables in the order in which a reader meets them.
    pub(in crate::flow) variables: Vec<VariableId>,
    seen_variables: BTreeSet<VariableId>,
    pub(super) presences: BTreeSet<PresenceId>,
    pub(super) numbers: BTreeMap<VariableId, Cuts>,
    pub(super) texts: BTreeMap<VariableId, TextReads>,
    pub(super) same_texts: BTreeSet<(VariableId, VariableId)>,
    pub(super) prefixes: BTreeMap<VariableId, BTreeSet<IpNet>>,
    pub(super) lists: BTreeMap<VariableId, BTreeSet<String>>,
    pub(super) now: MomentReads,
    pub(super) moments: BTreeMap<VariableId, MomentReads>,
    /// Windows over any factor.
    pub(super) any_windows: BTreeSet<i64>,
    /// What is asked of the login itself.
    pub(in crate::flow) login: LoginReads,
}

/// What statements ask of the login itself: its enrolled and performed factors.
#[derive(Clone, Default, Debug)]
pub(in crate::flow) struct LoginReads {
    /// Windows over single factors, with the factors.
    pub(in crate::flow) windows: BTreeMap<FactorId, BTreeSet<i64>>,
    /// Factors of which somebody asks whether they were performed, ever or in this login.
    pub(in crate::flow) performed: FactorMask,
    /// Whether somebody asks if any was performed.
    pub(in crate::flow) any_performed: bool,
    /// Whether somebody asks which was performed last.
    pub(in crate::flow) last_performed: bool,
    /// Factors of which somebody asks whether they are enrolled, and those that commands offer.
    pub(in crate::flow) enrolled: FactorMask,
    /// Factors that challenges offer.
    pub(in crate::flow) challenged: FactorMask,
    /// Whether anything is enrolled by a command.
    pub(in crate::flow) enrolls: bool,
    /// Whether somebody asks how many prompts there were.
    pub(in crate::flow) prompts: bool,
}

impl LoginReads {
    /// The factors of which somebody asks, in any way, whether they were performed.
    pub(in crate::flow) fn performed_factors(&self) -> FactorMask {
        let any = if self.any_performed || self.last_performed { ALL_FACTORS } else { 0 };
        self.windows.keys().fold(self.performed | any, |mask, factor| mask | bit(*factor))
    }

    /// What either asks.
    pub(in crate::flow) fn join(&mut self, other: &LoginReads) {
        for (factor, lengths) in &other.windows {
            self.windows.entry(*factor).or_default().extend(lengths);
        }
        self.performed |= other.performed;
        self.any_performed |= other.any_performed;
        self.last_performed |= other.last_performed;
        self.enrolled |= other.enrolled;
        self.challenged |= other.challenged;
        self.enrolls |= other.enrolls;
        self.prompts |= other.prompts;
    }
}

impl Reads {
    /// What some steps of a policy and some conditions on its logins' ends read. Fails where they are nested too deeply
    /// for the later passes.
    pub(in crate::flow) fn of<'a>(
        policy: &TypedPolicy,
        steps: impl IntoIterator<Item = &'a Step>,
        ends: &[ConditionId],
        depth: usize,
    ) -> Limited<Reads> {
        let mut collector =
            Collector { policy, reads: Reads::default(), seen: vec![false; policy.conditions.len()], depth };
        for step in steps {
            collector.statements(&step.body)?;
        }
        ends.iter().try_for_each(|condition| collector.condition(*condition))?;
        Ok(collector.reads)
    }

    /// What each condition that is one text asks of what a login can change; none for those that ask nothing of it.
    pub(in crate::flow) fn login_texts(
        policy: &TypedPolicy,
        depth: usize,
    ) -> Limited<HashMap<ConditionId, LoginReads>> {
        let mut texts = HashMap::new();
        for (id, condition) in policy.conditions.iter().filter(|(_, row)| is_one_text(policy, row)) {
            if !may_read_login(policy, condition) {
                continue;
            }
            let reads = Reads::of(policy, [], &[id], depth)?.login;
            if reads.enrolled != 0 || reads.performed_factors() != 0 {
                texts.insert(id, reads);
            }
        }
        Ok(texts)
    }

    /// The windows over a factor's stamps from before this login.
    pub(in crate::flow) fn windows_of(&self, factor: FactorId) -> Cuts {
        let own = self.login.windows.get(&factor).into_iter().flatten();
        // Which one is the last depends on all, so all are cut alike.
        let others = self.login.windows.values().flatten().filter(|_| self.login.last_performed);
        own.chain(others).chain(&self.any_windows).copied().collect()
    }
}

/// Whether a condition, or what the checker made of its text, is about sets or performed factors at all.
fn may_read_login(policy: &TypedPolicy, condition: &Condition) -> bool {
    match &condition.kind {
        ConditionKind::Not(inner) => may_read_login(policy, &policy.conditions[*inner]),
        ConditionKind::All(parts) | ConditionKind::Any(parts) => {
            parts.iter().any(|part| may_read_login(policy, &policy.conditions[*part]))
        }
        ConditionKind::Compare(Number::Count(_), ..) | ConditionKind::OneOf(Number::Count(_), _) => true,
        ConditionKind::Member(..)
        | ConditionKind::EmptySet(_)
        | ConditionKind::Performed(..)
        | ConditionKind::AnyPerformed(_)
        | ConditionKind::Present(Guard::LastPerformed) => true,
        _ => false,
    }
}

/// Walks statements, conditions and sets without recursion, since this is what bounds recursion elsewhere.
struct Collector<'a> {
    policy: &'a TypedPolicy,
    reads: Reads,
    seen: Vec<bool>,
    depth: usize,
}

impl<'a> Collector<'a> {
    fn statements(&mut self, body: &'a [Statement]) -> Limited<()> {
        let mut waiting: Vec<(&Statement, usize)> = body.iter().rev().map(|s| (s, 1)).collect();
        while let Some((statement, depth)) = waiting.pop() {
            self.check_depth(depth)?;
            let mut push =
                |block: &'a [Statement]| waiting.extend(block.iter().rev().map(|s| (s, depth + 1)));
            match statement {
                Statement::Command(command) => self.command(command)?,
                Statement::Deny { .. } | Statement::Stop(_) => {}
                Statement::Applied { body, .. } => push(body),
                Statement::Branch { branches, otherwise, .. } => {
                    push(otherwise);
                    branches.iter().rev().for_each(|(_, block)| push(block));
                    for (condition, _) in branches {
                        self.condition(*condition)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes a variable, with its presence: a test may imply it (who has a domain is there).
    fn variable(&mut self, variable: VariableId) {
        if !self.reads.seen_variables.insert(variable) {
            return;
        }
        self.reads.variables.push(variable);
        if let Absence::Tracked(presence) = self.policy.variables[variable].absence {
            self.reads.presences.insert(presence);
        }
    }

    fn check_depth(&self, depth: usize) -> Limited<()> {
        if depth > self.depth { Err(BudgetExceeded::Depth { limit: self.depth }) } else { Ok(()) }
    }

    fn command(&mut self, command: &'a Command) -> Limited<()> {
        let listed = command.listed.iter().fold(0, |mask, offered| mask | bit(offered.factor));
        let offered = if command.rest.is_some() { ALL_FACTORS } else { listed };
        self.reads.login.enrolled |= offered;
        match command.kind {
            CommandKind::Challenge => self.reads.login.challenged |= offered,
            CommandKind::Enroll => self.reads.login.enrolls = true,
        }
        command.rest.as_ref().map_or(Ok(()), |set| self.set(set))
    }

    fn condition(&mut self, root: ConditionId) -> Limited<()> {
        let mut waiting = vec![(root, 1)];
        while let Some((id, depth)) = waiting.pop() {
            self.check_depth(depth)?;
            let seen = self.seen.get_mut(id.as_u32() as usize);
            if seen.is_none_or(|seen| std::mem::replace(seen, true)) {
                continue;
            }
            match &self.policy.conditions[id].kind {
                ConditionKind::Not(inner) | ConditionKind::Initially(inner) => {
                    waiting.push((*inner, depth + 1))
                }
                ConditionKind::All(parts) | ConditionKind::Any(parts) => {
                    waiting.extend(parts.iter().rev().map(|part| (*part, depth + 1)));
                }
                test => self.test(test)?,
            }
        }
        Ok(())
    }

    fn test(&mut self, test: &'a ConditionKind) -> Limited<()> {
        match test {
            ConditionKind::Bool(variable) => self.variable(*variable),
            ConditionKind::Present(guard) => self.guard(*guard),
            ConditionKind::Text(subject, test) => self.text(*subject, test),
            ConditionKind::SameText(a, b) => self.same_text(*a, *b),
            ConditionKind::Compare(number, comparison, constant) => {
                self.number(number, &[(*comparison, *constant)])?;
            }
            ConditionKind::OneOf(number, constants) => {
                let tests: Vec<_> = constants.iter().map(|c| (Comparison::Equal, *c)).collect();
                self.number(number, &tests)?;
            }
            ConditionKind::InPrefixes(variable, prefixes) => {
                self.variable(*variable);
                self.reads.prefixes.entry(*variable).or_default().extend(prefixes);
            }
            ConditionKind::List(variable, test) => self.list(*variable, test),
            ConditionKind::Member(subject, set) => self.member(*subject, set)?,
            ConditionKind::EmptySet(set) => self.set(set)?,
            ConditionKind::Performed(factor, window) => self.performed(*factor, *window),
            ConditionKind::AnyPerformed(window) => {
                self.reads.login.any_performed = true;
                self.reads.any_windows.extend(within(*window));
                if matches!(window, Window::Within(length) if *length <= 0) {
                    // Not even the last one is so young, so each stamp counts by itself.
                    self.reads.login.performed = ALL_FACTORS;
                }
            }
            ConditionKind::Constant(_)
            | ConditionKind::Ended(_)
            | ConditionKind::Not(_)
            | ConditionKind::All(_)
            | ConditionKind::Any(_)
            | ConditionKind::Initially(_) => {}
        }
        Ok(())
    }

    fn guard(&mut self, guard: Guard) {
        match guard {
            Guard::Path(presence) => {
                self.reads.presences.insert(presence);
            }
            Guard::LastPerformed => self.reads.login.any_performed = true,
            Guard::Domain(variable) => {
                self.variable(variable);
                self.reads.texts.entry(variable).or_default().domain = true;
            }
        }
    }

    fn text(&mut self, subject: TextSubject, test: &TextTest) {
        self.variable(subject.variable);
        let reads = self.reads.texts.entry(subject.variable).or_default();
        reads.domain |= subject.view == View::Domain;
        match test {
            TextTest::OneOf(texts) => reads.equal.extend(texts.iter().map(|t| (subject.view, t.clone()))),
            pattern => {
                reads.patterns.insert((subject.view, pattern.clone()));
            }
        }
    }

    fn same_text(&mut self, a: VariableId, b: VariableId) {
        for variable in [a, b] {
            self.variable(variable);
            self.reads.texts.entry(variable).or_default();
        }
        if a != b {
            self.reads.same_texts.insert((a.min(b), a.max(b)));
        }
    }

    fn number(&mut self, number: &'a Number, tests: &[(Comparison, i64)]) -> Limited<()> {
        let cuts = match number {
            Number::Variable(variable) => {
                self.variable(*variable);
                match self.policy.variables[*variable].ty {
                    Type::Time => &mut self.reads.moments.entry(*variable).or_default().instants,
                    _ => self.reads.numbers.entry(*variable).or_default(),
                }
            }
            Number::Now => &mut self.reads.now.instants,
            Number::Age(variable) => {
                self.variable(*variable);
                &mut self.reads.moments.entry(*variable).or_default().ages
            }
            Number::Weekday(moment) => &mut self.moment(*moment).weekdays,
            Number::Hour(moment) => &mut self.moment(*moment).hours,
            Number::Count(set) => return self.set(set),
            Number::Prompts => {
                self.reads.login.prompts = true;
                return Ok(());
            }
            Number::Commands => return Ok(()),
        };
        tests.iter().for_each(|&(comparison, constant)| cut(cuts, comparison, constant));
        Ok(())
    }

    fn moment(&mut self, moment: Moment) -> &mut MomentReads {
        match moment {
            Moment::Now => &mut self.reads.now,
            Moment::Variable(variable) => {
                self.variable(variable);
                self.reads.moments.entry(variable).or_default()
            }
        }
    }

    fn list(&mut self, variable: VariableId, test: &ListTest) {
        self.variable(variable);
        let constants = self.reads.lists.entry(variable).or_default();
        match test {
            ListTest::Empty => {}
            ListTest::ContainsAny(texts) | ListTest::ContainsAll(texts) => {
                constants.extend(texts.iter().cloned())
            }
        }
    }

    fn member(&mut self, subject: FactorSubject, set: &'a Set) -> Limited<()> {
        match (subject, set) {
            (FactorSubject::Literal(factor), Set::Enrolled) => self.reads.login.enrolled |= bit(factor),
            (FactorSubject::Literal(factor), Set::Performed) => self.performed(factor, Window::Ever),
            (FactorSubject::Literal(_), set) => self.set(set)?,
            (FactorSubject::Variable(variable), set) => {
                self.variable(variable);
                self.set(set)?;
            }
            (FactorSubject::LastPerformed, set) => {
                self.reads.login.last_performed = true;
                self.reads.login.any_performed = true;
                self.reads.login.performed = ALL_FACTORS;
                self.set(set)?;
            }
        }
        Ok(())
    }

    fn set(&mut self, root: &'a Set) -> Limited<()> {
        let mut waiting = vec![(root, 1)];
        while let Some((set, depth)) = waiting.pop() {
            self.check_depth(depth)?;
            match set {
                Set::Enrolled => self.reads.login.enrolled = ALL_FACTORS,
                Set::Performed => self.reads.login.performed = ALL_FACTORS,
                Set::Variable(variable) => self.variable(*variable),
                Set::Literal(_) => {}
                Set::Intersect(a, b) | Set::Union(a, b) | Set::Except(a, b) => {
                    waiting.extend([(&**b, depth + 1), (&**a, depth + 1)]);
                }
                Set::IfPresent { guard, then, otherwise } => {
                    self.guard(*guard);
                    waiting.extend([(&**otherwise, depth + 1), (&**then, depth + 1)]);
                }
            }
        }
        Ok(())
    }

    fn performed(&mut self, factor: FactorId, window: Window) {
        self.reads.login.performed |= bit(factor);
        if let Some(length) = within(window) {
            self.reads.login.windows.entry(factor).or_default().insert(length);
        }
    }
}

/// The length of a window, if it has one.
fn within(window: Window) -> Option<i64> {
    match window {
        Window::Within(length) => Some(length),
        Window::Ever | Window::ThisLogin => None,
    }
}
