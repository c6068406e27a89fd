//! Two-sided tests: which types they take, and the condition that they become.

use super::Checker;
use super::expression::Context;
use super::policy::{Comparison, ConditionId, ConditionKind, FactorSubject, ListTest, Set, TextTest, View};
use super::value::{Kind, Term, Value};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;
use crate::syntax::tree::{Expression, ExpressionKind, Literal, Operator, Spanned};

impl Checker<'_> {
    /// `LEFT OPERATOR RIGHT`
    pub(crate) fn binary(
        &mut self,
        context: &mut Context,
        left: &Expression,
        operator: &Spanned<Operator>,
        right: &Expression,
        span: Span,
    ) -> Value {
        let (left, operator, right) = self.sides(context, left, operator, right);
        if left.is_invalid() || right.is_invalid() {
            return Value::invalid(span);
        }
        let left = self.require_present(context, left);
        let right = self.require_present(context, right);
        let sides = Sides { left: &left, right: &right, operator: operator.span, span };
        let condition = match operator.node {
            Operator::Equal => self.equal(&sides),
            Operator::NotEqual => self.equal(&sides).map(|equal| self.not(equal, span)),
            Operator::Less => self.ordered(&sides, Comparison::Less),
            Operator::LessOrEqual => self.ordered(&sides, Comparison::LessOrEqual),
            Operator::Greater => self.ordered(&sides, Comparison::Greater),
            Operator::GreaterOrEqual => self.ordered(&sides, Comparison::GreaterOrEqual),
            Operator::In => self.member(&sides),
            Operator::NotIn => self.member(&sides).map(|member| self.not(member, span)),
            Operator::StartsWith => self.pattern(&sides, "starts with", TextTest::StartsWith),
            Operator::EndsWith => self.pattern(&sides, "ends with", TextTest::EndsWith),
            Operator::Contains => self.contains(&sides),
            Operator::ContainsAny => self.contains_some(&sides, ListTest::ContainsAny),
            Operator::ContainsAll => self.contains_some(&sides, ListTest::ContainsAll),
        };
        match condition {
            Some(condition) => Value::new(Kind::Bool, Term::Bool(condition), span),
            None => Value::invalid(span),
        }
    }

    /// Both sides as values. Where one is an enum's, names on the other side are its values; a literal on the left
    /// changes places with what it is compared with.
    fn sides(
        &mut self,
        context: &mut Context,
        left: &Expression,
        operator: &Spanned<Operator>,
        right: &Expression,
    ) -> (Value, Spanned<Operator>, Value) {
        let flipped = match operator.node {
            Operator::Equal | Operator::NotEqual => Some(operator.node),
            Operator::Less => Some(Operator::Greater),
            Operator::LessOrEqual => Some(Operator::GreaterOrEqual),
            Operator::Greater => Some(Operator::Less),
            Operator::GreaterOrEqual => Some(Operator::LessOrEqual),
            _ => None,
        };
        if let Some(flipped) = flipped
            && self.is_plain(context, left)
            && !self.is_plain(context, right)
        {
            let right = self.value(context, right);
            let left = self.operand(context, left, &right.kind);
            return (right, Spanned::new(flipped, operator.span), left);
        }
        let left = self.value(context, left);
        let right = self.operand(context, right, &left.kind);
        (left, operator.clone(), right)
    }

    /// A literal, or a name that nothing declares: an enum's value, perhaps.
    fn is_plain(&mut self, context: &Context, expression: &Expression) -> bool {
        match &*expression.kind {
            ExpressionKind::Literal(_) => true,
            ExpressionKind::Name(name) => {
                !context.locals.iter().any(|local| local.name == *name)
                    && !matches!(name.as_str(), "enrolled" | "performed" | "now" | "prompts" | "commands")
                    && !matches!(name.as_str(), "completed" | "denied" | "failed")
                    && self.declarations.fact(name).is_none()
                    && self.declarations.definition(context.file, name).is_none()
                    && self.catalog.find(name).is_none()
            }
            _ => false,
        }
    }

    /// An operand where a value of type `wanted` (or a list of such) is expected: an enum's values have names.
    pub(crate) fn operand(&mut self, context: &mut Context, expression: &Expression, wanted: &Kind) -> Value {
        let span = expression.span;
        let has_variants = wanted.variants().is_some();
        match &*expression.kind {
            // What it is compared with was reported, and may have said what this name means.
            ExpressionKind::Name(_) if *wanted == Kind::Unknown && self.is_plain(context, expression) => {
                Value::invalid(span)
            }
            ExpressionKind::List(_) if *wanted == Kind::Unknown => Value::invalid(span),
            ExpressionKind::Name(name) => match self.variant(wanted, name) {
                Some(number) => Value::new(wanted.clone(), Term::NumberLiteral(number), span),
                None if has_variants && self.is_plain(context, expression) => {
                    self.report_unknown_variant(wanted, name, span)
                }
                None => self.name(context, name, span, Some(wanted)),
            },
            ExpressionKind::Literal(Literal::Text(text)) if has_variants => {
                let report = Diagnostic::error(
                    Code::E0301,
                    span,
                    format!("`\"{text}\"` is a string, and one of an enum's values is wanted"),
                );
                let report = match self.variant(wanted, text) {
                    Some(_) => report.fix("an enum's value stands without quotes", span, text.clone()),
                    None => with_variants(report, wanted),
                };
                self.report(report);
                Value::invalid(span)
            }
            ExpressionKind::List(elements) if has_variants => {
                let mut numbers = Vec::with_capacity(elements.len());
                for element in elements {
                    let value = self.operand(context, element, wanted);
                    match value.only() {
                        Some(Term::NumberLiteral(number)) if value.kind == *wanted => numbers.push(*number),
                        _ if value.is_invalid() => return Value::invalid(span),
                        _ => {
                            let text = self.excerpt(value.span);
                            let report = Diagnostic::error(
                                Code::E0301,
                                value.span,
                                format!("`{text}` is {}, and one of an enum's values is wanted", value.kind),
                            );
                            self.report(with_variants(report, wanted));
                            return Value::invalid(span);
                        }
                    }
                }
                Value::new(Kind::IntList, Term::Numbers(numbers), span)
            }
            _ => self.value(context, expression),
        }
    }

    /// The number of an enum's value.
    pub(crate) fn variant(&self, kind: &Kind, name: &str) -> Option<i64> {
        let position = kind.variants()?.iter().position(|variant| *variant == name)?;
        i64::try_from(position).ok()
    }

    pub(crate) fn report_unknown_variant(&mut self, kind: &Kind, name: &str, span: Span) -> Value {
        let variants = kind.variants().unwrap_or_default();
        let report = Diagnostic::error(Code::E0201, span, format!("`{name}` is not one of the values"));
        let report = match did_you_mean(name, variants.iter().copied()) {
            Some(near) => report.fix(format!("did you mean `{near}`?"), span, near),
            None => report,
        };
        self.report(with_variants(report, kind));
        Value::invalid(span)
    }

    /// The condition that two values of one type are equal.
    pub(crate) fn equal_values(&mut self, left: &Value, right: &Value, span: Span) -> Option<ConditionId> {
        self.equal(&Sides { left, right, operator: right.span, span })
    }

    fn equal(&mut self, sides: &Sides<'_>) -> Option<ConditionId> {
        let Sides { left, right, span, .. } = *sides;
        if !right.kind.fits(&left.kind) {
            self.report_two_types(sides);
            return None;
        }
        match left.kind {
            Kind::Text => self.equal_texts(sides),
            Kind::Int
            | Kind::Time
            | Kind::Duration
            | Kind::OpenEnum(_)
            | Kind::OrderedEnum(_)
            | Kind::Weekday => self.numbers(sides, Comparison::Equal),
            Kind::Bool => self.equal_bools(sides),
            Kind::Ip => self.in_prefixes(sides),
            Kind::Factor => {
                let Some(Term::Factor(FactorSubject::Literal(factor))) = right.only() else {
                    return self.report_two_facts(sides);
                };
                let set = Set::Literal(vec![*factor]);
                Some(self.factor_in(left, &set, span))
            }
            Kind::FactorSet | Kind::TextList | Kind::EmptyList => {
                let report = Diagnostic::error(
                    Code::E0303,
                    sides.operator,
                    "lists and sets can't be compared as a whole",
                )
                .label(left.span, format!("this is {}", left.kind));
                let report = match right.kind {
                    Kind::EmptyList => {
                        report.fix("ask whether it is empty", sides.operator.to(right.span), "is empty")
                    }
                    _ => {
                        report.help("ask what it `contains any` or `contains all` of, or for its `count(…)`")
                    }
                };
                self.report(report);
                None
            }
            Kind::PrefixList | Kind::IntList | Kind::Unknown => None,
        }
    }

    fn equal_bools(&mut self, sides: &Sides<'_>) -> Option<ConditionId> {
        let Sides { left, right, span, .. } = *sides;
        let as_condition = |checker: &mut Self, value: &Value| {
            checker.for_each_term(value, span, |checker, term| match term {
                Term::Bool(condition) => *condition,
                _ => checker.constant(false, span),
            })
        };
        let (a, b) = (as_condition(self, left), as_condition(self, right));
        let (not_a, not_b) = (self.not(a, span), self.not(b, span));
        let both = self.all(vec![a, b], span);
        let neither = self.all(vec![not_a, not_b], span);
        Some(self.any(vec![both, neither], span))
    }

    fn equal_texts(&mut self, sides: &Sides<'_>) -> Option<ConditionId> {
        let Sides { left, right, span, .. } = *sides;
        if let Some(Term::TextLiteral(text)) = right.only() {
            return Some(self.text_test(left, &TextTest::OneOf(vec![text.clone()]), span));
        }
        let kind = match (left.only(), right.only()) {
            (Some(Term::Text(a)), Some(Term::Text(b))) if a.view == View::Whole && b.view == View::Whole => {
                if a == b {
                    ConditionKind::Constant(true)
                } else {
                    ConditionKind::SameText(a.variable, b.variable)
                }
            }
            (Some(Term::Opaque), _) | (_, Some(Term::Opaque)) => ConditionKind::Constant(false),
            _ => {
                let report = Diagnostic::error(
                    Code::E0303,
                    sides.operator,
                    "only two string facts themselves can be compared, not what is made of them",
                )
                .label(left.span, "one side")
                .label(right.span, "the other");
                self.report(report.help("compare each with a text that is written down"));
                return None;
            }
        };
        Some(self.condition(kind, span))
    }

    /// A test of every term of a string value.
    pub(crate) fn text_test(&mut self, value: &Value, test: &TextTest, span: Span) -> ConditionId {
        self.for_each_term(value, span, |checker, term| {
            let kind = match term {
                Term::Text(subject) => ConditionKind::Text(*subject, test.clone()),
                Term::TextLiteral(text) => ConditionKind::Constant(literal_passes(text, test)),
                _ => ConditionKind::Constant(false),
            };
            checker.condition(kind, span)
        })
    }

    fn ordered(&mut self, sides: &Sides<'_>, comparison: Comparison) -> Option<ConditionId> {
        if !sides.left.kind.is_ordered() {
            let text = self.excerpt(sides.left.span);
            let report = Diagnostic::error(
                Code::E0303,
                sides.operator,
                format!("`{text}` is {}, which has no order", sides.left.kind),
            )
            .label(sides.left.span, format!("this is {}", sides.left.kind));
            let report = match sides.left.kind {
                Kind::Text => report
                    .note("strings compare with `==`, `!=`, `in`, `starts with`, `ends with` and `contains`"),
                Kind::OpenEnum(_) => report
                    .note("an open enum's values have no order; list those that count: `… in [low, medium]`"),
                Kind::FactorSet => report.help("compare how many it has: `count(…)`"),
                _ => report,
            };
            self.report(report);
            return None;
        }
        if !sides.right.kind.fits(&sides.left.kind) {
            self.report_two_types(sides);
            return None;
        }
        self.numbers(sides, comparison)
    }

    fn numbers(&mut self, sides: &Sides<'_>, comparison: Comparison) -> Option<ConditionId> {
        let Sides { left, right, span, .. } = *sides;
        let literal = match right.only() {
            Some(Term::NumberLiteral(literal)) => *literal,
            Some(Term::Opaque) => 0,
            _ if left.only() == Some(&Term::Opaque) => 0,
            _ => return self.report_two_facts(sides),
        };
        Some(self.for_each_term(left, span, |checker, term| {
            let kind = match term {
                Term::Number(number) => ConditionKind::Compare(number.clone(), comparison, literal),
                Term::NumberLiteral(value) => ConditionKind::Constant(comparison.holds(*value, literal)),
                _ => ConditionKind::Constant(false),
            };
            checker.condition(kind, span)
        }))
    }

    /// `LEFT in RIGHT`
    fn member(&mut self, sides: &Sides<'_>) -> Option<ConditionId> {
        let Sides { left, right, span, .. } = *sides;
        match (&left.kind, &right.kind, right.only()) {
            (Kind::Factor, _, _) => {
                let set = self.set_of_value(right, "a set of factors is wanted after `in`")?;
                Some(self.factor_in(left, &set, span))
            }
            (Kind::Text, Kind::TextList | Kind::EmptyList, Some(Term::ListLiteral(texts))) => {
                let mut texts = texts.clone();
                texts.sort();
                texts.dedup();
                Some(self.text_test(left, &TextTest::OneOf(texts), span))
            }
            (Kind::Text, Kind::TextList, Some(Term::List(list))) => {
                match left.only() {
                    Some(Term::TextLiteral(text)) => Some(self.condition(
                        ConditionKind::List(*list, ListTest::ContainsAny(vec![text.clone()])),
                        span,
                    )),
                    _ => self.report_two_facts(sides),
                }
            }
            (Kind::Ip, Kind::Ip | Kind::PrefixList | Kind::EmptyList, _) => self.in_prefixes(sides),
            (_, _, Some(Term::Numbers(numbers)))
                if left.kind == Kind::Int || left.kind.variants().is_some() =>
            {
                let mut numbers = numbers.clone();
                numbers.sort_unstable();
                numbers.dedup();
                Some(self.for_each_term(left, span, |checker, term| {
                    let kind = match term {
                        Term::Number(number) => ConditionKind::OneOf(number.clone(), numbers.clone()),
                        Term::NumberLiteral(value) => ConditionKind::Constant(numbers.contains(value)),
                        _ => ConditionKind::Constant(false),
                    };
                    checker.condition(kind, span)
                }))
            }
            (_, Kind::EmptyList, _) | (_, _, Some(Term::Opaque)) => Some(self.constant(false, span)),
            _ => {
                let text = self.excerpt(left.span);
                let report = Diagnostic::error(
                    Code::E0301,
                    right.span,
                    format!("`{text}` is {}, and this holds none", left.kind),
                )
                .here(format!("this is {}", right.kind))
                .label(left.span, format!("this is {}", left.kind));
                let report = if right.kind == left.kind {
                    let inner = self.excerpt(right.span);
                    report.fix("put it in a list", right.span, format!("[{inner}]"))
                } else {
                    self.unquoted_for(report, &left.kind, right)
                };
                self.report(report);
                None
            }
        }
    }

    pub(crate) fn factor_in(&mut self, value: &Value, set: &Set, span: Span) -> ConditionId {
        self.for_each_term(value, span, |checker, term| {
            let kind = match (term, set) {
                (Term::Factor(FactorSubject::Literal(factor)), Set::Literal(factors)) => {
                    ConditionKind::Constant(factors.contains(factor))
                }
                (Term::Factor(subject), _) => ConditionKind::Member(*subject, set.clone()),
                _ => ConditionKind::Constant(false),
            };
            checker.condition(kind, span)
        })
    }

    fn in_prefixes(&mut self, sides: &Sides<'_>) -> Option<ConditionId> {
        let Sides { left, right, span, .. } = *sides;
        let prefixes = match right.only() {
            Some(Term::Prefixes(prefixes)) => prefixes.clone(),
            Some(Term::Opaque) | Some(Term::ListLiteral(_)) => Vec::new(),
            _ => return self.report_two_facts(sides),
        };
        Some(self.for_each_term(left, span, |checker, term| {
            let kind = match term {
                Term::Ip(variable) => ConditionKind::InPrefixes(*variable, prefixes.clone()),
                Term::Prefixes(own) => ConditionKind::Constant(
                    own.iter().all(|one| prefixes.iter().any(|prefix| prefix.contains(one))),
                ),
                _ => ConditionKind::Constant(false),
            };
            checker.condition(kind, span)
        }))
    }

    fn pattern(
        &mut self,
        sides: &Sides<'_>,
        words: &str,
        test: impl Fn(String) -> TextTest,
    ) -> Option<ConditionId> {
        let Sides { left, right, span, .. } = *sides;
        if left.kind != Kind::Text {
            let text = self.excerpt(left.span);
            let report = Diagnostic::error(
                Code::E0303,
                sides.operator,
                format!("`{words}` asks a string, and `{text}` is {}", left.kind),
            )
            .label(left.span, format!("this is {}", left.kind));
            self.report(report);
            return None;
        }
        match right.only() {
            Some(Term::TextLiteral(text)) => Some(self.text_test(left, &test(text.clone()), span)),
            Some(Term::Opaque) => Some(self.constant(false, span)),
            Some(Term::Text(_)) => self.report_two_facts(sides),
            _ => {
                self.report_two_types(sides);
                None
            }
        }
    }

    /// `LEFT contains RIGHT`: a string in a string, an element in a list, a factor in a set.
    fn contains(&mut self, sides: &Sides<'_>) -> Option<ConditionId> {
        let Sides { left, right, span, .. } = *sides;
        match left.kind {
            Kind::TextList => self.contains_some(sides, ListTest::ContainsAny),
            Kind::FactorSet if right.kind == Kind::Factor => {
                let set = self.set_of_value(left, "a set is wanted")?;
                Some(self.factor_in(right, &set, span))
            }
            Kind::FactorSet => {
                let report = Diagnostic::error(
                    Code::E0301,
                    right.span,
                    format!("a set contains factors, and this is {}", right.kind),
                )
                .help("for several factors say `contains any` or `contains all`");
                self.report(self.unquoted_for(report, &Kind::Factor, right));
                None
            }
            _ => self.pattern(sides, "contains", TextTest::Contains),
        }
    }

    /// `contains any`, `contains all`, and `contains` for one element.
    fn contains_some(&mut self, sides: &Sides<'_>, test: fn(Vec<String>) -> ListTest) -> Option<ConditionId> {
        let Sides { left, right, span, .. } = *sides;
        match (&left.kind, right.only()) {
            (Kind::TextList, Some(Term::ListLiteral(texts))) => {
                Some(self.list_test(left, &test(texts.clone()), span))
            }
            (Kind::TextList, Some(Term::TextLiteral(text))) => {
                Some(self.list_test(left, &test(vec![text.clone()]), span))
            }
            (Kind::TextList | Kind::FactorSet, Some(Term::Opaque)) => Some(self.constant(false, span)),
            (Kind::TextList, Some(Term::List(_) | Term::Text(_))) => self.report_two_facts(sides),
            (Kind::FactorSet, _) => {
                let set = self.set_of_value(left, "a set is wanted")?;
                let wanted = self.set_of_value(right, "a set of factors is wanted after `contains`")?;
                let (set, wanted) = (Box::new(set), Box::new(wanted));
                if matches!(test(Vec::new()), ListTest::ContainsAll(_)) {
                    return Some(self.condition(ConditionKind::EmptySet(Set::Except(wanted, set)), span));
                }
                let none = self.condition(ConditionKind::EmptySet(Set::Intersect(set, wanted)), span);
                Some(self.not(none, span))
            }
            (Kind::TextList, _) => {
                self.report_two_types(sides);
                None
            }
            _ => {
                let text = self.excerpt(left.span);
                let report = Diagnostic::error(
                    Code::E0303,
                    sides.operator,
                    format!("`{text}` is {}, which holds no elements", left.kind),
                )
                .label(left.span, format!("this is {}", left.kind));
                self.report(report);
                None
            }
        }
    }

    fn list_test(&mut self, value: &Value, test: &ListTest, span: Span) -> ConditionId {
        self.for_each_term(value, span, |checker, term| {
            let kind = match term {
                Term::List(variable) => ConditionKind::List(*variable, test.clone()),
                Term::ListLiteral(texts) => ConditionKind::Constant(match test {
                    ListTest::Empty => texts.is_empty(),
                    ListTest::ContainsAny(wanted) => wanted.iter().any(|text| texts.contains(text)),
                    ListTest::ContainsAll(wanted) => wanted.iter().all(|text| texts.contains(text)),
                }),
                _ => ConditionKind::Constant(false),
            };
            checker.condition(kind, span)
        })
    }
}

/// What a two-sided test is about.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'v> {
    pub(crate) left: &'v Value,
    pub(crate) right: &'v Value,
    pub(crate) operator: Span,
    pub(crate) span: Span,
}

fn with_variants(report: Diagnostic, kind: &Kind) -> Diagnostic {
    match kind.variants() {
        Some(values) => report.note(format!("its values are {}", super::fact::list_of(&values))),
        None => report,
    }
}

/// Whether a literal passes a test of strings.
fn literal_passes(text: &str, test: &TextTest) -> bool {
    match test {
        TextTest::OneOf(texts) => texts.iter().any(|one| one == text),
        TextTest::StartsWith(part) => text.starts_with(part.as_str()),
        TextTest::EndsWith(part) => text.ends_with(part.as_str()),
        TextTest::Contains(part) => text.contains(part.as_str()),
    }
}
