//! Statements to a policy's statements.
//!
//! `return` in the handler is `stop`. In a function that the handler calls it ends that function alone, so there the
//! statements after an `if` move into those of its branches that go on.

use std::rc::Rc;

use super::condition::{Condition, Named};
use super::js::*;
use super::outline::{Outline, acts};
use super::translate::{Changes, Translator, Why};
use super::value::{Builtin, Closure, Lost, Value};
use crate::source::Span;

/// What `return` means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the handler: the step ends.
    Handler,
    /// In a function that it calls.
    Function,
}

/// Whether what follows is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Falls,
    /// The function has returned.
    Returns,
    /// The step has ended.
    Stops,
}

/// What came of statements.
pub(super) struct Ran {
    pub(super) outlines: Vec<Outline>,
    pub(super) flow: Flow,
}

impl Ran {
    fn falls(outlines: Vec<Outline>) -> Ran {
        Ran { outlines, flow: Flow::Falls }
    }
}

/// How many elements of a list a loop runs over.
const MAX_TURNS: usize = 32;

/// A branch's condition, still to be read or known already.
enum Asked<'c> {
    Expression(&'c Expr),
    Condition(Condition),
}

/// What runs in each case.
struct Branches<'c> {
    tested: Vec<(Asked<'c>, Vec<&'c Statement>)>,
    otherwise: Vec<&'c Statement>,
}

impl Translator<'_> {
    /// Runs statements in order.
    pub(super) fn run(&mut self, statements: &[&Statement], place: Place) -> Ran {
        let known = self.known.len();
        let mut outlines = Vec::new();
        let mut flow = Flow::Falls;
        for (index, statement) in statements.iter().enumerate() {
            let span = statement.span;
            let from = if self.cursor <= span.start { self.cursor } else { span.start };
            self.tell(&mut outlines, from, span.start);
            self.cursor = self.tell_inner(&mut outlines, statement);
            let rest = statements.get(index + 1..).unwrap_or_default();
            let splices = place == Place::Function && returns_inside(statement);
            let ran = self.statement(statement, if splices { rest } else { &[] }, place);
            outlines.extend(ran.outlines);
            self.tell(&mut outlines, span.start, span.end);
            self.cursor = span.end;
            flow = ran.flow;
            if flow != Flow::Falls || splices {
                break;
            }
        }
        self.tell_to_brace(&mut outlines);
        self.known.truncate(known);
        Ran { outlines, flow }
    }

    /// Comments between the last statement of a block and its brace.
    fn tell_to_brace(&mut self, outlines: &mut Vec<Outline>) {
        let mut at = self.cursor;
        loop {
            let rest = self.text.get(at as usize..).unwrap_or_default();
            let brace = at + rest.find('}').unwrap_or(0) as u32;
            let Some(comment) = self.comments.iter().find(|comment| comment.span.start >= at) else { break };
            if comment.span.start >= brace {
                break;
            }
            at = comment.span.end;
        }
        self.tell(outlines, self.cursor, at);
    }

    fn tell(&mut self, outlines: &mut Vec<Outline>, from: u32, to: u32) {
        outlines.extend(self.comments_in(from, to).into_iter().map(Outline::Comment));
    }

    /// Comments that stand in a statement, or behind it on its line, are told above it; those in a block stay in it.
    /// Gives where it stopped.
    fn tell_inner(&mut self, outlines: &mut Vec<Outline>, statement: &Statement) -> u32 {
        let Span { start, end, .. } = statement.span;
        let until = match &statement.kind {
            StatementKind::If(branches, _) => branches.first().map_or(start, |(test, _)| test.span.end),
            StatementKind::Switch(subject, _) => subject.span.end,
            StatementKind::Block(_) | StatementKind::Try(..) => start,
            StatementKind::ForOf(_, list, _) => list.span.end,
            _ => {
                let rest = self.text.get(end as usize..).unwrap_or_default();
                end + rest.find('\n').unwrap_or(rest.len()) as u32
            }
        };
        self.tell(outlines, start, until);
        until
    }

    fn statement(&mut self, statement: &Statement, rest: &[&Statement], place: Place) -> Ran {
        self.at = statement.span;
        let ran = self.spend().and_then(|()| self.statement_kind(statement, rest, place));
        ran.unwrap_or_else(|why| {
            self.forget(std::slice::from_ref(statement), &why);
            self.left_out(statement.span, why)
        })
    }

    /// Something is left out, and the policy says so at that place.
    fn left_out(&mut self, span: Span, why: Why) -> Ran {
        let text = self.text.get(self.first_line(span).range()).unwrap_or_default();
        let said = format!("LEFT OUT, not understood: {}", why.what);
        let code: String = text.chars().take(100).filter(|c| !c.is_control()).collect();
        self.leave_out(span, why);
        Ran::falls(vec![Outline::Comment(vec![said, format!("  {code}")])])
    }

    fn statement_kind(
        &mut self,
        statement: &Statement,
        rest: &[&Statement],
        place: Place,
    ) -> Result<Ran, Why> {
        match &statement.kind {
            StatementKind::Nothing | StatementKind::Function(_) => Ok(Ran::falls(Vec::new())),
            StatementKind::Expression(expression) => self.effect(expression),
            StatementKind::Declare(declarators) => {
                let mut outlines = Vec::new();
                for declarator in declarators {
                    self.declarator(declarator, &mut outlines)?;
                }
                Ok(Ran::falls(outlines))
            }
            StatementKind::If(branches, otherwise) => {
                let tested =
                    branches.iter().map(|(test, body)| (Asked::Expression(test), body.iter().collect()));
                let otherwise = otherwise.iter().flatten().collect();
                self.branches(Branches { tested: tested.collect(), otherwise }, rest, place)
            }
            StatementKind::Switch(subject, cases) => {
                let branches = self.cases(subject, cases)?;
                self.branches(branches, rest, place)
            }
            StatementKind::Return(value) => self.return_of(value.as_ref(), place),
            StatementKind::Block(body) => {
                let body: Vec<&Statement> = body.iter().chain(rest.iter().copied()).collect();
                Ok(self.block(&body, place))
            }
            StatementKind::Try(body, handler) => {
                if *handler == Handler::Acts {
                    self.note_odd("what `catch` and `finally` do is left out: a policy never fails");
                }
                let body: Vec<&Statement> = body.iter().chain(rest.iter().copied()).collect();
                Ok(self.block(&body, place))
            }
            StatementKind::ForOf(pattern, list, body) => self.for_of(pattern, list, body, place),
            StatementKind::Break => Err(Why::of("a `break` that depends on a condition")),
            StatementKind::Foreign(what) => {
                let why = Why::of(*what);
                let help = "`api.access.deny(…)` says that nobody gets in";
                Err(if *what == "a `throw`" { why.help(help) } else { why })
            }
        }
    }

    /// A block in a scope of its own.
    pub(super) fn block(&mut self, body: &[&Statement], place: Place) -> Ran {
        self.in_block(|inner| match inner.hoist(body) {
            Ok(()) => inner.run(body, place),
            Err(why) => inner.left_out(inner.at, why),
        })
    }

    fn return_of(&mut self, value: Option<&Expr>, place: Place) -> Result<Ran, Why> {
        let mut ran = match value {
            // What a handler returns, nobody reads.
            Some(value) if place == Place::Function || does_something(value) => self.effect(value)?,
            _ => Ran::falls(Vec::new()),
        };
        if ran.flow == Flow::Falls {
            ran.flow = match place {
                Place::Handler => {
                    ran.outlines.push(Outline::Stop);
                    Flow::Stops
                }
                Place::Function => Flow::Returns,
            };
        }
        Ok(ran)
    }

    /// The handler `(event, api) => …` without a block.
    pub(super) fn expression_body(&mut self, value: &Expr) -> Vec<Outline> {
        let ran = self.effect(value).unwrap_or_else(|why| self.left_out(value.span, why));
        ran.outlines
    }

    // -- names ------------------------------------------------------------------------------------------------------

    pub(super) fn declarator(
        &mut self,
        declarator: &Declarator,
        outlines: &mut Vec<Outline>,
    ) -> Result<(), Why> {
        self.at = declarator.span;
        let value = match &declarator.init {
            None => Ok(Value::Undefined),
            Some(init) => self.eval(init).and_then(|value| self.bounded(value)),
        };
        let value = match value {
            Ok(value) => value,
            Err(why) => {
                let lost = Lost { span: declarator.span, why: why.what.clone() };
                // It matters where it is used; what waits for an answer from elsewhere matters at once.
                if declarator.init.as_ref().is_some_and(waits) {
                    let ran = self.left_out(declarator.span, why);
                    outlines.extend(ran.outlines);
                }
                Value::Lost(Rc::new(lost))
            }
        };
        let value = match (&declarator.pattern, value) {
            (Pattern::Name(name, _), Value::Bool(condition))
                if self.may_name && is_worth_a_name(&condition) =>
            {
                let name = self.new_name(name);
                outlines.push(Outline::Let(name.clone(), condition.clone()));
                Value::Bool(Condition::Named(Rc::new(Named { name, condition })))
            }
            (_, value) => value,
        };
        self.bind(&declarator.pattern, value)
    }

    /// A name that the policy doesn't have yet.
    pub(super) fn new_name(&mut self, wanted: &str) -> String {
        let mut base: String = wanted.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        if !base.starts_with(|c: char| c.is_ascii_alphabetic()) {
            base.insert_str(0, "is_");
        }
        let numbered = (2_u32..).map(|number| format!("{base}_{number}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !self.taken.contains(name));
        let name = name.unwrap_or(base);
        self.taken.insert(name.clone());
        name
    }

    /// What a statement that is left out would have changed is not known afterwards.
    fn forget(&mut self, statements: &[Statement], why: &Why) {
        let mut names = Vec::new();
        assigned(statements, &mut names);
        for (name, span) in names {
            let lost = Lost { span, why: why.what.clone() };
            let _ = self.assign(&name, Value::Lost(Rc::new(lost)));
        }
    }

    // -- effects ----------------------------------------------------------------------------------------------------

    /// An expression for what it does.
    fn effect(&mut self, expression: &Expr) -> Result<Ran, Why> {
        self.at = expression.span;
        self.effect_kind(expression).map_err(|why| why.at(expression.span))
    }

    fn effect_kind(&mut self, expression: &Expr) -> Result<Ran, Why> {
        match &expression.kind {
            ExprKind::Await(inner) | ExprKind::Unary(Unary::Void, inner) | ExprKind::Chain(inner) => {
                self.effect(inner)
            }
            ExprKind::Assign(name, value) => {
                let value = self.eval(value)?;
                self.assign(name, value)?;
                Ok(Ran::falls(Vec::new()))
            }
            ExprKind::Logical(operator, parts) if does_something(expression) => {
                self.guarded(*operator, parts)
            }
            ExprKind::Conditional(test, then, otherwise) if does_something(expression) => {
                let condition = self.condition(test)?;
                let then = self.branch(&condition, |inner| inner.effect(then));
                let otherwise = self.branch(&condition.clone().not(), |inner| inner.effect(otherwise));
                self.met(vec![(condition, (then.0?, then.1))], (otherwise.0?, otherwise.1))
            }
            ExprKind::Call(callee, arguments) => self.call_for_effect(expression, callee, arguments),
            _ => self.eval(expression).map(|_| Ran::falls(Vec::new())),
        }
    }

    /// `condition && effect`
    fn guarded(&mut self, operator: Logical, parts: &[Expr]) -> Result<Ran, Why> {
        let Some((last, conditions)) = parts.split_last() else { return Ok(Ran::falls(Vec::new())) };
        let known = self.known.len();
        let mut all = Vec::new();
        for part in conditions {
            let truth = self.condition(part);
            let passes = match (truth, operator) {
                (Err(why), _) => {
                    self.known.truncate(known);
                    return Err(why);
                }
                (Ok(truth), Logical::And) => truth,
                (Ok(truth), Logical::Or) => truth.not(),
                (Ok(_), Logical::Nullish) => {
                    self.known.truncate(known);
                    return Err(Why::of("an effect after `??`"));
                }
            };
            self.known.push(passes.clone());
            all.push(passes);
        }
        self.known.truncate(known);
        let condition = Condition::all(all);
        let (ran, changes) = self.branch(&condition, |inner| inner.effect(last));
        self.met(vec![(condition, (ran?, changes))], (Ran::falls(Vec::new()), Changes::new()))
    }

    fn call_for_effect(&mut self, call: &Expr, callee: &Expr, arguments: &[Element]) -> Result<Ran, Why> {
        if let ExprKind::Member(object, name, _) = &callee.kind {
            if let (ExprKind::Name(list), "push") = (&object.kind, name.as_str()) {
                return self.push(list, arguments);
            }
            let object = self.eval(object)?;
            match &object {
                Value::Builtin(Builtin::Console) => return Ok(Ran::falls(Vec::new())),
                Value::Builtin(Builtin::Api(path)) => {
                    let path = path.iter().chain([name]).cloned().collect::<Vec<_>>().join(".");
                    let outlines = self.api_call(&path, arguments, call.span)?;
                    let denies = matches!(outlines.last(), Some(Outline::Deny(_)));
                    return Ok(Ran { outlines, flow: if denies { Flow::Stops } else { Flow::Falls } });
                }
                Value::Array(elements) if name == "forEach" => {
                    let [Element::One(function)] = arguments else { return Err(Why::of("this loop")) };
                    let function = self.eval(function)?;
                    return self.for_each(elements, &function);
                }
                _ => {}
            }
        }
        match self.eval_callee(callee)? {
            Some(closure) => {
                let arguments = self.arguments(arguments)?;
                self.inline(&closure, &arguments)
            }
            None => self.eval(call).map(|_| Ran::falls(Vec::new())),
        }
    }

    fn eval_callee(&mut self, callee: &Expr) -> Result<Option<Rc<Closure>>, Why> {
        let is_plain = matches!(callee.kind, ExprKind::Name(_) | ExprKind::Function(_));
        match if is_plain { self.eval(callee)? } else { Value::Undefined } {
            Value::Function(closure) => Ok(Some(closure)),
            Value::Lost(lost) => Err(Why::lost(&lost)),
            _ => Ok(None),
        }
    }

    /// A function's statements in place of its call.
    fn inline(&mut self, closure: &Rc<Closure>, arguments: &[Value]) -> Result<Ran, Why> {
        let function = closure.function.clone();
        let mut ran = self.in_call(closure, arguments, |inner| match &function.body {
            Body::Expression(value) => inner.effect(value),
            Body::Statements(statements) => {
                let statements: Vec<&Statement> = statements.iter().collect();
                inner.hoist(&statements)?;
                Ok(inner.run(&statements, Place::Function))
            }
        })?;
        if ran.flow == Flow::Returns {
            ran.flow = Flow::Falls;
        }
        Ok(ran)
    }

    fn push(&mut self, list: &str, arguments: &[Element]) -> Result<Ran, Why> {
        let Some(before) = self.lookup(list) else { return Err(Why::of(format!("`{list}`"))) };
        let more = Value::Array(Rc::new(self.arguments(arguments)?));
        let longer = self.concatenated(&before, &more)?;
        self.assign(list, longer)?;
        Ok(Ran::falls(Vec::new()))
    }

    fn for_each(&mut self, elements: &[Value], function: &Value) -> Result<Ran, Why> {
        let Value::Function(closure) = function else { return Err(Why::of("this loop")) };
        let mut ran = Ran::falls(Vec::new());
        for element in elements.iter().take(MAX_TURNS) {
            let turn = self.inline(closure, std::slice::from_ref(element))?;
            ran.outlines.extend(turn.outlines);
        }
        if elements.len() > MAX_TURNS { Err(Why::of("a loop over a long list")) } else { Ok(ran) }
    }

    /// A loop over a list that is written down, turn by turn.
    fn for_of(
        &mut self,
        pattern: &Pattern,
        list: &Expr,
        body: &[Statement],
        place: Place,
    ) -> Result<Ran, Why> {
        let list = self.eval(list)?;
        let Value::Array(elements) = &list else { return self.for_each_factor(pattern, &list, body) };
        if elements.len() > MAX_TURNS || (place == Place::Function && body.iter().any(returns_inside)) {
            return Err(Why::of("a loop that is left early, or long"));
        }
        let body: Vec<&Statement> = body.iter().collect();
        let mut ran = Ran::falls(Vec::new());
        for element in elements.iter() {
            let turn = self.in_block(|inner| -> Result<Ran, Why> {
                inner.bind(pattern, element.clone())?;
                Ok(inner.block(&body, place))
            })?;
            ran.outlines.extend(turn.outlines);
            ran.flow = turn.flow;
            if ran.flow != Flow::Falls {
                break;
            }
        }
        Ok(ran)
    }

    /// A loop over factors that asks for nothing: each may be there or not.
    fn for_each_factor(&mut self, pattern: &Pattern, list: &Value, body: &[Statement]) -> Result<Ran, Why> {
        let why =
            || Why::of("a loop over a list of the event").help("`.some(…)` and `.filter(…)` are understood");
        let (set, shape) = self.factors_of(list).map_err(|_| why())?;
        if body.iter().any(leaves_loop) {
            return Err(Why::of("a loop over a list of the event that is left early"));
        }
        let body: Vec<&Statement> = body.iter().collect();
        for (is_there, element) in super::lists::each_of(&set, shape) {
            let (turn, changes) = self.branch(&is_there, |inner| {
                inner.in_block(|inner| -> Result<Ran, Why> {
                    inner.bind(pattern, element)?;
                    Ok(inner.block(&body, Place::Function))
                })
            });
            if acts(&turn?.outlines) {
                return Err(Why::of("a command for each of a list of the event"));
            }
            self.join(vec![(is_there, changes), (Condition::TRUE, Changes::new())])?;
        }
        Ok(Ran::falls(Vec::new()))
    }

    // -- branches ---------------------------------------------------------------------------------------------------

    /// The cases of a `switch`, each with what runs up to its `break`.
    fn cases<'c>(&mut self, subject: &Expr, cases: &'c [Case]) -> Result<Branches<'c>, Why> {
        let subject = self.eval(subject)?;
        let mut tested: Vec<(Asked<'c>, Vec<&'c Statement>)> = Vec::new();
        let mut otherwise = Vec::new();
        let mut falls = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            self.at = case.span;
            let body = up_to_break(cases.get(index..).unwrap_or_default());
            let Some(test) = &case.test else {
                otherwise = body;
                continue;
            };
            let value = self.eval(test)?;
            let is_it = self.equal(&subject, &value, Equality::Strict)?;
            // Several cases over one body are one condition.
            falls.push(is_it);
            if case.body.is_empty() && cases.get(index + 1).is_some_and(|next| next.test.is_some()) {
                continue;
            }
            tested.push((Asked::Condition(Condition::any(falls.drain(..))), body));
        }
        Ok(Branches { tested, otherwise })
    }

    /// Runs each branch, and joins them.
    fn branches(&mut self, branches: Branches<'_>, rest: &[&Statement], place: Place) -> Result<Ran, Why> {
        let known = self.known.len();
        let mut taken: Vec<(Condition, (Ran, Changes))> = Vec::new();
        let mut otherwise = branches.otherwise;
        for (asked, body) in branches.tested {
            let condition = match asked {
                Asked::Condition(condition) => Ok(condition),
                Asked::Expression(test) => self.condition(test),
            };
            let condition = match condition {
                Ok(condition) => condition,
                Err(why) => {
                    self.known.truncate(known);
                    return Err(why);
                }
            };
            if condition == Condition::FALSE {
                continue;
            }
            if condition == Condition::TRUE {
                otherwise = body;
                break;
            }
            let body: Vec<&Statement> = body.into_iter().chain(rest.iter().copied()).collect();
            let ran = self.branch(&condition, |inner| inner.block(&body, place));
            self.known.push(condition.clone().not());
            taken.push((condition, ran));
        }
        let body: Vec<&Statement> = otherwise.into_iter().chain(rest.iter().copied()).collect();
        let last = self.branch(&Condition::TRUE, |inner| inner.block(&body, place));
        self.known.truncate(known);
        self.met(taken, last)
    }

    /// What comes of branches that were run.
    fn met(&mut self, taken: Vec<(Condition, (Ran, Changes))>, last: (Ran, Changes)) -> Result<Ran, Why> {
        let (last, last_changes) = last;
        let flows: Vec<Flow> = taken.iter().map(|(_, (ran, _))| ran.flow).chain([last.flow]).collect();
        let flow = match () {
            () if flows.contains(&Flow::Falls) => Flow::Falls,
            () if flows.contains(&Flow::Returns) => Flow::Returns,
            () => Flow::Stops,
        };
        let mut joined = Vec::new();
        let mut tested = Vec::new();
        let mut before = Vec::new();
        for (condition, (ran, changes)) in taken {
            if ran.flow == Flow::Falls {
                joined.push((condition.clone(), changes));
            } else {
                // Whoever is still here was not there.
                let here = Condition::all(before.iter().cloned().chain([condition.clone()])).not();
                self.known.push(here);
            }
            before.push(condition.clone().not());
            tested.push((condition, ran.outlines));
        }
        if last.flow == Flow::Falls {
            joined.push((Condition::TRUE, last_changes));
        } else {
            let here = Condition::all(before.iter().cloned()).not();
            self.known.push(here);
        }
        match joined.len() {
            0 => {}
            1 => joined.into_iter().for_each(|(_, changes)| self.keep(changes)),
            _ => self.join(joined)?,
        }
        let outlines = match tested.is_empty() {
            true => last.outlines,
            false => vec![Outline::If(tested, last.outlines)],
        };
        Ok(Ran { outlines, flow })
    }

    /// What a function returns, after statements that do nothing else.
    pub(super) fn value_of_body(&mut self, statements: &[&Statement]) -> Result<Value, Why> {
        let Some((first, rest)) = statements.split_first() else { return Ok(Value::Undefined) };
        self.spend()?;
        self.at = first.span;
        match &first.kind {
            StatementKind::Return(value) => {
                value.as_ref().map_or(Ok(Value::Undefined), |value| self.eval(value))
            }
            StatementKind::If(branches, otherwise) if returns_inside(first) => {
                let tested =
                    branches.iter().map(|(test, body)| (Asked::Expression(test), body.iter().collect()));
                let otherwise = otherwise.iter().flatten().collect();
                self.value_of_branches(Branches { tested: tested.collect(), otherwise }, rest)
            }
            StatementKind::Switch(subject, cases) if returns_inside(first) => {
                let branches = self.cases(subject, cases)?;
                self.value_of_branches(branches, rest)
            }
            StatementKind::Block(body) | StatementKind::Try(body, Handler::Quiet)
                if returns_inside(first) =>
            {
                let body: Vec<&Statement> = body.iter().chain(rest.iter().copied()).collect();
                self.in_block(|inner| inner.value_of_body(&body))
            }
            _ => {
                let ran =
                    self.statement_kind(first, &[], Place::Function).map_err(|why| why.at(first.span))?;
                if acts(&ran.outlines) {
                    return Err(
                        Why::of("a function that asks for a factor where a value is wanted").at(first.span)
                    );
                }
                self.value_of_body(rest)
            }
        }
    }

    fn value_of_branches(&mut self, branches: Branches<'_>, rest: &[&Statement]) -> Result<Value, Why> {
        let known = self.known.len();
        let value = self.value_of_known_branches(branches, rest);
        self.known.truncate(known);
        value
    }

    fn value_of_known_branches(&mut self, branches: Branches<'_>, rest: &[&Statement]) -> Result<Value, Why> {
        let mut values = Vec::new();
        for (asked, body) in branches.tested {
            let condition = match asked {
                Asked::Condition(condition) => condition,
                Asked::Expression(test) => self.condition(test)?,
            };
            let body: Vec<&Statement> = body.into_iter().chain(rest.iter().copied()).collect();
            let value =
                self.branch(&condition, |inner| inner.in_block(|inner| inner.value_of_body(&body))).0?;
            self.known.push(condition.clone().not());
            values.push((condition, value));
        }
        let body: Vec<&Statement> = branches.otherwise.into_iter().chain(rest.iter().copied()).collect();
        let last =
            self.branch(&Condition::TRUE, |inner| inner.in_block(|inner| inner.value_of_body(&body))).0?;
        let whole = values
            .into_iter()
            .rev()
            .fold(last, |otherwise, (condition, value)| Value::choose(condition, value, otherwise));
        self.bounded(whole)
    }
}

fn is_worth_a_name(condition: &Condition) -> bool {
    !matches!(condition, Condition::Constant(_) | Condition::Named(_))
}

/// The statements of a case and of those that it falls into.
fn up_to_break(cases: &[Case]) -> Vec<&Statement> {
    let statements = cases.iter().flat_map(|case| &case.body).flat_map(|statement| match &statement.kind {
        StatementKind::Block(body) => body.iter().collect::<Vec<_>>(),
        _ => vec![statement],
    });
    statements.take_while(|statement| !matches!(statement.kind, StatementKind::Break)).collect()
}

/// Whether a statement has a `return` of its own function in it.
fn returns_inside(statement: &Statement) -> bool {
    let any = |body: &[Statement]| body.iter().any(returns_inside);
    match &statement.kind {
        StatementKind::Return(_) => true,
        StatementKind::If(branches, otherwise) => {
            branches.iter().any(|(_, body)| any(body)) || otherwise.as_deref().is_some_and(any)
        }
        StatementKind::Switch(_, cases) => cases.iter().any(|case| any(&case.body)),
        StatementKind::Block(body) | StatementKind::Try(body, _) | StatementKind::ForOf(_, _, body) => {
            any(body)
        }
        _ => false,
    }
}

/// Whether a statement of a loop ends it.
fn leaves_loop(statement: &Statement) -> bool {
    let any = |body: &[Statement]| body.iter().any(leaves_loop);
    match &statement.kind {
        StatementKind::Break | StatementKind::Return(_) | StatementKind::Foreign(_) => true,
        StatementKind::If(branches, otherwise) => {
            branches.iter().any(|(_, body)| any(body)) || otherwise.as_deref().is_some_and(any)
        }
        StatementKind::Block(body) | StatementKind::Try(body, _) | StatementKind::ForOf(_, _, body) => {
            any(body)
        }
        _ => returns_inside(statement),
    }
}

/// Whether an expression may do something besides having a value.
fn does_something(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Call(..) | ExprKind::Assign(..) | ExprKind::Foreign(_) => true,
        ExprKind::Await(inner) | ExprKind::Unary(_, inner) | ExprKind::Chain(inner) => does_something(inner),
        ExprKind::Logical(_, parts) => parts.iter().any(does_something),
        ExprKind::Conditional(_, then, otherwise) => does_something(then) || does_something(otherwise),
        _ => false,
    }
}

/// Whether an expression waits for something outside.
fn waits(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Await(_) => true,
        ExprKind::Call(callee, _) => {
            waits(callee) || matches!(&callee.kind, ExprKind::Name(name) if name == "fetch")
        }
        ExprKind::Member(inner, ..) | ExprKind::Unary(_, inner) | ExprKind::Chain(inner) => waits(inner),
        ExprKind::Logical(_, parts) => parts.iter().any(waits),
        ExprKind::Conditional(_, then, otherwise) => waits(then) || waits(otherwise),
        _ => false,
    }
}

/// The variables that statements assign to, with where.
fn assigned(statements: &[Statement], names: &mut Vec<(String, Span)>) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Expression(expression) => assigned_in(expression, names),
            StatementKind::If(branches, otherwise) => {
                branches.iter().for_each(|(_, body)| assigned(body, names));
                assigned(otherwise.as_deref().unwrap_or_default(), names);
            }
            StatementKind::Switch(_, cases) => cases.iter().for_each(|case| assigned(&case.body, names)),
            StatementKind::Block(body) | StatementKind::Try(body, _) | StatementKind::ForOf(_, _, body) => {
                assigned(body, names);
            }
            _ => {}
        }
    }
}

fn assigned_in(expression: &Expr, names: &mut Vec<(String, Span)>) {
    match &expression.kind {
        ExprKind::Assign(name, _) => names.push((name.clone(), expression.span)),
        ExprKind::Call(callee, _) => {
            if let ExprKind::Member(object, method, _) = &callee.kind
                && let (ExprKind::Name(list), "push") = (&object.kind, method.as_str())
            {
                names.push((list.clone(), expression.span));
            }
        }
        ExprKind::Await(inner) => assigned_in(inner, names),
        ExprKind::Logical(_, parts) => parts.iter().for_each(|part| assigned_in(part, names)),
        _ => {}
    }
}
