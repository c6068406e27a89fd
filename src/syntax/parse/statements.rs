//! Statements and blocks.

use super::explain::{Gap, Gaps, Place};
use super::expressions::invalid;
use super::grammar::Rule;
use super::{Builder, Pair, Parts};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree::{
    Arm, Block, BlockForm, Command, CommandKind, Expression, ExpressionKind, FactorUse, If, Let, Match, Name,
    Offer, Spanned, Statement, StatementKind,
};

impl Builder<'_> {
    /// The tree of a statement; `None` for one that was reported.
    pub(super) fn statement(&self, pair: Pair<'_>, depth: usize) -> Option<Statement> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::command => StatementKind::Command(self.command(pair, depth)?),
            Rule::deny => StatementKind::Deny(self.text(self.part(pair, Rule::string)?)),
            Rule::stop => StatementKind::Stop,
            Rule::if_statement => StatementKind::If(self.if_statement(pair, depth)?),
            Rule::match_statement => StatementKind::Match(self.match_statement(pair, depth)?),
            Rule::let_binding => StatementKind::Let(self.let_binding(pair, depth)?),
            _ => StatementKind::Apply(self.name(&self.part(pair, Rule::name)?)),
        };
        Some(Statement { span, kind })
    }

    pub(super) fn let_binding(&self, pair: Pair<'_>, depth: usize) -> Option<Let> {
        let mut parts = pair.parts().skip(1);
        let name = self.name(&parts.next()?);
        Some(Let { name, value: self.expression(parts.next()?, depth) })
    }

    /// The statements in braces.
    pub(super) fn block(&self, pair: Pair<'_>, depth: usize) -> Block {
        let span = self.span(&pair);
        let mut statements = Vec::new();
        let mut gaps = Gaps::new(self, Place::Statement);
        for part in pair.parts() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::semicolon => gaps.end(),
                Rule::missing_brace => self.check_missing_brace(span, place),
                Rule::bad_statement => gaps.bad(place),
                _ => {
                    gaps.good(place);
                    statements.extend(self.statement(part, depth + 1));
                }
            }
        }
        gaps.end();
        Block { statements, span, form: BlockForm::Braced }
    }

    /// A brace that is missing was noticed by the scan, which pairs the brackets; this makes sure of it.
    pub(super) fn check_missing_brace(&self, block: Span, end: Span) {
        let noticed =
            |report: &Diagnostic| report.code == Code::E0103 || report.primary.span.start == end.start;
        if !self.reports.borrow().iter().any(noticed) {
            let brace = Span { end: block.start + 1, ..block };
            let report = Diagnostic::error(Code::E0103, brace, "this `{` is not closed").here("opened here");
            self.report(report.label(end, "an item begins here, which stands in no block"));
        }
    }

    /// What a `then`, an `else` or a `=>` governs.
    pub(super) fn body(&self, pair: Pair<'_>, depth: usize) -> Block {
        let span = self.span(&pair);
        let statements = match pair.as_rule() {
            Rule::block => return self.block(pair, depth),
            Rule::bad_statement => {
                self.explain(Gap { bad: span, before: None, place: Place::Body });
                Vec::new()
            }
            _ => self.statement(pair, depth + 1).into_iter().collect(),
        };
        Block { statements, span, form: BlockForm::Bare }
    }

    fn if_statement(&self, pair: Pair<'_>, depth: usize) -> Option<If> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        for part in pair.parts() {
            match part.as_rule() {
                Rule::kw_if | Rule::kw_else => {}
                Rule::else_if => self.check_else_if(part),
                Rule::branch => branches.push(self.branch(part, depth)?),
                _ => otherwise = Some(self.body(part, depth)),
            }
        }
        Some(If { branches, otherwise })
    }

    fn branch(&self, pair: Pair<'_>, depth: usize) -> Option<(Expression, Block)> {
        let mut parts = pair.parts();
        let condition = self.expression(parts.next()?, depth);
        let body = parts.find(|part| part.as_rule() != Rule::kw_then)?;
        Some((condition, self.body(body, depth)))
    }

    /// `elif` and its kin are other languages'.
    fn check_else_if(&self, pair: Pair<'_>) {
        let span = self.span(&pair);
        if let Some(word) = pair.parts().find(|part| part.as_rule() == Rule::kw_elif) {
            let report =
                Diagnostic::error(Code::E0102, span, format!("`{}` is written `else if`", word.as_str()));
            self.report(report.fix("write `else if`", span, "else if"));
        }
    }

    fn match_statement(&self, pair: Pair<'_>, depth: usize) -> Option<Match> {
        let whole = self.span(&pair);
        self.check_commas_after_arms(&pair);
        let mut parts = pair.parts().skip(1);
        let subject = self.expression(parts.next()?, depth);
        let mut arms = Vec::new();
        let mut otherwise: Option<(Span, Block)> = None;
        let mut gaps = Gaps::new(self, Place::Arm);
        for part in parts {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::bad_arm => gaps.bad(span),
                Rule::arm | Rule::else_arm => {
                    gaps.good(span);
                    if let Some((first, _)) = &otherwise {
                        self.report_arm_after_else(span, *first);
                    }
                    if part.as_rule() == Rule::arm {
                        arms.extend(self.arm(part, depth));
                    } else if let Some(body) = part.parts().nth(1) {
                        let body = self.body(body, depth);
                        otherwise.get_or_insert((span, body));
                    }
                }
                Rule::missing_brace => self.check_missing_brace(whole, span),
                _ => gaps.end(),
            }
        }
        gaps.end();
        Some(Match { subject, arms, otherwise: otherwise.map(|(_, body)| body) })
    }

    fn arm(&self, pair: Pair<'_>, depth: usize) -> Option<Arm> {
        let mut patterns = Vec::new();
        for part in pair.parts() {
            if part.as_rule() != Rule::pattern {
                return Some(Arm { patterns, body: self.body(part, depth) });
            }
            patterns.extend(part.parts().next().map(|value| self.pattern(value)));
        }
        None
    }

    fn pattern(&self, pair: Pair<'_>) -> Expression {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::operand_name => ExpressionKind::Name(pair.as_str().to_owned()),
            _ => self.literal(pair).map_or(ExpressionKind::Invalid, ExpressionKind::Literal),
        };
        Expression { span, kind: Box::new(kind) }
    }

    fn check_commas_after_arms(&self, pair: &Pair<'_>) {
        for comma in pair.clone().into_inner().filter(|part| part.as_rule() == Rule::comma) {
            let span = self.span(&comma);
            let report = Diagnostic::error(Code::E0102, span, "nothing stands between the arms of a `match`");
            self.report(report.fix("remove the comma", span, ""));
        }
    }

    fn report_arm_after_else(&self, span: Span, first: Span) {
        let report = Diagnostic::error(Code::E0101, span, "no arm can follow `else`");
        self.report(report.here("never reached").label(first, "this takes every value that is left"));
    }

    /// The tree of a command; `None` for one that was reported.
    pub(super) fn command(&self, pair: Pair<'_>, depth: usize) -> Option<Command> {
        let span = self.span(&pair);
        let mut parts = pair.parts();
        let word = parts.next()?;
        let kind = Spanned::new(command_kind(&word), self.span(&word));
        let offer = parts.next()?;
        let offer = match offer.as_rule() {
            Rule::any_of => self.any_of(offer, depth),
            _ => self.preferred(offer, depth),
        };
        Some(Command { kind, offer, span })
    }

    fn preferred(&self, pair: Pair<'_>, depth: usize) -> Offer {
        let mut factors = Vec::new();
        let mut rest = None;
        for part in pair.parts() {
            match part.as_rule() {
                Rule::factor_use => factors.push(self.factor_use(part)),
                Rule::any_of => {
                    rest = self.part(part, Rule::set_expression).map(|set| self.expression(set, depth))
                }
                _ => {}
            }
        }
        Offer::Preferred { factors, rest }
    }

    fn factor_use(&self, pair: Pair<'_>) -> FactorUse {
        let span = self.span(&pair);
        let mut parts = pair.parts();
        let factor = parts.next().map(|name| self.name(&name));
        let factor = factor.unwrap_or_else(|| Name::new(String::new(), span));
        let options = parts.flat_map(|options| options.parts()).map(|name| self.name(&name)).collect();
        FactorUse { factor, options, span }
    }

    /// A list of factors is a picker in that order; anything else is a set.
    fn any_of(&self, pair: Pair<'_>, depth: usize) -> Offer {
        let span = self.span(&pair);
        let set = self.part(pair, Rule::set_expression).map(|set| self.expression(set, depth));
        let set = set.unwrap_or_else(|| invalid(span));
        let ExpressionKind::List(items) = *set.kind else { return Offer::AnyIn(set) };
        if items.is_empty() {
            let report = Diagnostic::error(Code::E0101, set.span, "this list is empty");
            self.report(report.here("a command asks for at least one factor"));
            return Offer::AnyIn(invalid(set.span));
        }
        let factors: Vec<FactorUse> = items.into_iter().filter_map(|item| self.listed_factor(item)).collect();
        if factors.is_empty() {
            return Offer::AnyIn(invalid(set.span));
        }
        Offer::AnyListed(Spanned::new(factors, set.span))
    }

    fn listed_factor(&self, item: Expression) -> Option<FactorUse> {
        let span = item.span;
        match *item.kind {
            ExpressionKind::Name(name) => {
                Some(FactorUse { factor: Name::new(name, span), options: Vec::new(), span })
            }
            ExpressionKind::Call(factor, arguments) => {
                let options = arguments.into_iter().filter_map(|argument| match *argument.kind {
                    ExpressionKind::Name(name) => Some(Name::new(name, argument.span)),
                    kind => {
                        self.report_no_factor(argument.span, &kind, "an option");
                        None
                    }
                });
                Some(FactorUse { factor, options: options.collect(), span })
            }
            kind => {
                self.report_no_factor(span, &kind, "a factor");
                None
            }
        }
    }

    fn report_no_factor(&self, span: Span, kind: &ExpressionKind, wanted: &str) {
        if matches!(kind, ExpressionKind::Invalid) {
            return;
        }
        let text = self.slice(span);
        let report = Diagnostic::error(Code::E0101, span, format!("`{text}` is not the name of {wanted}"));
        let bare = text.trim_matches(['"', '\'']);
        let report = match kind {
            ExpressionKind::Literal(_) if bare != text && !bare.is_empty() => {
                report.fix("write the name without quotes", span, bare)
            }
            _ => report,
        };
        self.report(report);
    }
}

/// The command of a `command_word` or `only_command`.
pub(super) fn command_kind(word: &Pair<'_>) -> CommandKind {
    if word.as_str().starts_with("enroll") { CommandKind::Enroll } else { CommandKind::Challenge }
}
