//! What an Action does: the four commands, a denial, and what a policy leaves to others.

use std::rc::Rc;

use super::condition::Condition;
use super::factor::{Factor, Factors};
use super::facts::Kind;
use super::js::Element;
use super::lists::factor_of;
use super::outline::{FactorUse, Offer, Outline};
use super::translate::{Translator, Why};
use super::value::{Shape, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree::CommandKind;

/// Which of the two forms of a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    With,
    WithAny,
}

/// How often a command is split where its factors depend on conditions.
const MAX_SPLITS: usize = 6;

impl Translator<'_> {
    /// A call of something below `api`.
    pub(super) fn api_call(
        &mut self,
        path: &str,
        arguments: &[Element],
        call: Span,
    ) -> Result<Vec<Outline>, Why> {
        let (kind, form) = match path {
            "authentication.challengeWith" => (CommandKind::Challenge, Form::With),
            "authentication.challengeWithAny" => (CommandKind::Challenge, Form::WithAny),
            "authentication.enrollWith" => (CommandKind::Enroll, Form::With),
            "authentication.enrollWithAny" => (CommandKind::Enroll, Form::WithAny),
            "access.deny" => return self.deny(arguments),
            path if is_of_tokens(path) => {
                self.left_to_others(call, &format!("`api.{path}` sets claims, which a policy doesn't"));
                return Ok(Vec::new());
            }
            "multifactor.enable" => {
                return Err(Why::of("`api.multifactor.enable`, which chooses no factor")
                    .help("say which factors: `api.authentication.challengeWithAny([…])`"));
            }
            path => return Err(Why::of(format!("`api.{path}`, which a policy doesn't do"))),
        };
        let arguments = self.arguments(arguments)?;
        let (first, second) = match arguments.as_slice() {
            [] => return Err(Why::of("a command without a factor")),
            [first] => (first, &Value::Undefined),
            [first, second, ..] => (first, second),
        };
        match form {
            Form::WithAny => self.with_any(kind, first, MAX_SPLITS),
            Form::With => self.with(kind, first, second, MAX_SPLITS),
        }
    }

    /// Says that an effect is lost which no decision depends on.
    pub(super) fn left_to_others(&mut self, call: Span, said: &str) {
        let at = self.first_line(call);
        let report = Diagnostic::warning(Code::W0906, at, said.to_owned()).here("left out of the policy");
        self.diagnostics.push(report.help("keep it in an Action of its own"));
    }

    fn deny(&mut self, arguments: &[Element]) -> Result<Vec<Outline>, Why> {
        let values = self.arguments(arguments);
        match values.as_deref() {
            Ok([Value::Text(reason)]) => Ok(vec![Outline::Deny(reason.clone())]),
            Ok([]) => Ok(vec![Outline::Deny(String::new())]),
            _ => {
                // Whoever is refused stays refused; what they are told is lost.
                let why = Why::of("a reason that is put together, so the policy denies with a fixed one");
                self.leave_out(self.at, why);
                Ok(vec![Outline::Deny("access denied".to_owned())])
            }
        }
    }

    /// Splits a command where its factors depend on a condition.
    fn split(
        &mut self,
        condition: &Condition,
        left: usize,
        mut run: impl FnMut(&mut Self, bool, usize) -> Result<Vec<Outline>, Why>,
    ) -> Result<Vec<Outline>, Why> {
        let left =
            left.checked_sub(1).ok_or_else(|| Why::of("a command whose factors depend on too much"))?;
        let then = self.branch(condition, |inner| run(inner, true, left)).0?;
        let otherwise = self.branch(&condition.clone().not(), |inner| run(inner, false, left)).0?;
        Ok(vec![Outline::If(vec![(condition.clone(), then)], otherwise)])
    }

    /// `challengeWith(first, {additionalFactors})`
    fn with(
        &mut self,
        kind: CommandKind,
        first: &Value,
        second: &Value,
        left: usize,
    ) -> Result<Vec<Outline>, Why> {
        if let Value::Choice(condition, a, b) = first {
            return self.split(condition, left, |inner, yes, left| {
                inner.with(kind, if yes { a } else { b }, second, left)
            });
        }
        if let Value::Choice(condition, a, b) = second {
            return self.split(condition, left, |inner, yes, left| {
                inner.with(kind, first, if yes { a } else { b }, left)
            });
        }
        let others = match second {
            Value::Undefined => Value::Array(Rc::new(Vec::new())),
            Value::Object(properties) => match properties.as_slice() {
                [] => Value::Array(Rc::new(Vec::new())),
                [(key, list)] if key == "additionalFactors" => list.clone(),
                _ => return Err(Why::of("these options; a factor's own stand on the factor")),
            },
            Value::Lost(lost) => return Err(Why::lost(lost)),
            _ => return Err(Why::of("these options")),
        };
        if let Value::Choice(condition, a, b) = &others {
            let with = |list: &Rc<Value>| {
                Value::Object(Rc::new(vec![("additionalFactors".to_owned(), (**list).clone())]))
            };
            return self.split(condition, left, |inner, yes, left| {
                inner.with(kind, first, &with(if yes { a } else { b }), left)
            });
        }
        let mut factors = vec![self.factor_use(kind, first)?];
        let rest = match &others {
            Value::Undefined => None,
            Value::Array(elements) => {
                for element in elements.iter() {
                    factors.push(self.factor_use(kind, element)?);
                }
                None
            }
            other => match self.factors_of(other)? {
                (set, Shape::Objects) => Some(set),
                (_, Shape::Names) => return Err(names_for_factors()),
            },
        };
        self.without_repetition(&mut factors);
        Ok(vec![Outline::Command(kind, Offer::Preferred(factors, rest))])
    }

    /// `challengeWithAny(list)`
    fn with_any(&mut self, kind: CommandKind, list: &Value, left: usize) -> Result<Vec<Outline>, Why> {
        match list {
            Value::Choice(condition, a, b) => self.split(condition, left, |inner, yes, left| {
                inner.with_any(kind, if yes { a } else { b }, left)
            }),
            Value::Array(elements) => {
                let open = elements.iter().enumerate().find_map(|(at, element)| match element {
                    Value::Choice(condition, a, b) => Some((at, condition, a, b)),
                    _ => None,
                });
                if let Some((at, condition, a, b)) = open {
                    return self.split(condition, left, |inner, yes, left| {
                        let mut chosen = elements.to_vec();
                        if let Some(element) = chosen.get_mut(at) {
                            *element = (**if yes { a } else { b }).clone();
                        }
                        inner.with_any(kind, &Value::Array(Rc::new(chosen)), left)
                    });
                }
                let mut factors = Vec::with_capacity(elements.len());
                for element in elements.iter() {
                    factors.push(self.factor_use(kind, element)?);
                }
                if factors.is_empty() {
                    return Err(Why::of("a command without a factor"));
                }
                self.without_repetition(&mut factors);
                Ok(vec![Outline::Command(kind, Offer::Listed(factors))])
            }
            Value::Undefined | Value::Null => Err(Why::of("a command without a factor")),
            list => match self.factors_of(list)? {
                (_, Shape::Names) => Err(names_for_factors()),
                (Factors::Literal(factors), Shape::Objects) => {
                    let uses = factors.into_iter().map(|factor| FactorUse { factor, options: Vec::new() });
                    Ok(vec![Outline::Command(kind, Offer::Listed(uses.collect()))])
                }
                (set, Shape::Objects) => Ok(vec![Outline::Command(kind, Offer::In(set))]),
            },
        }
    }

    fn without_repetition(&mut self, factors: &mut Vec<FactorUse>) {
        let mut seen = Vec::new();
        let before = factors.len();
        factors.retain(|one| {
            let is_new = !seen.contains(&one.factor);
            seen.push(one.factor);
            is_new
        });
        if factors.len() < before {
            self.note_odd("a factor stands in this list twice; the policy lists it once");
        }
    }

    /// `{type: "phone", options: {preferredMethod: "sms"}}`
    fn factor_use(&mut self, kind: CommandKind, value: &Value) -> Result<FactorUse, Why> {
        let properties = match value {
            Value::Object(properties) => properties,
            Value::Lost(lost) => return Err(Why::lost(lost)),
            Value::Text(_) => return Err(names_for_factors()),
            Value::Path(path) => {
                let is_text = self.facts.kind(path).is_none_or(|kind| kind == Kind::Text);
                return Err(Why::of(if is_text {
                    "a factor that is read from the event"
                } else {
                    "this factor"
                }));
            }
            _ => return Err(Why::of("this factor")),
        };
        let mut factor = None;
        let mut options = Vec::new();
        for (key, value) in properties.iter() {
            match (key.as_str(), value) {
                ("type", Value::Text(name)) => {
                    let found =
                        Factor::find(name).ok_or_else(|| Why::of(format!("`{name}`, which is no factor")))?;
                    factor = Some(found);
                }
                ("options", Value::Object(inner)) => {
                    for (key, value) in inner.iter() {
                        options.push(option(key, value)?);
                    }
                }
                ("options", Value::Undefined) => {}
                ("type", _) => return Err(Why::of("a factor that is read from the event")),
                _ => return Err(Why::of(format!("`{key}` of a factor"))),
            }
        }
        let factor = factor.ok_or_else(|| Why::of("a factor without a `type`"))?;
        if kind == CommandKind::Enroll && !factor.can_be_enrolled() {
            return Err(Why::of(format!("an enrollment of `{}`, which nobody can enroll", factor.name())));
        }
        debug_assert!(factor_of(value).is_none_or(|(same, _)| same == factor));
        Ok(FactorUse { factor, options })
    }
}

fn names_for_factors() -> Why {
    Why::of("the name of a factor where a factor is wanted").help("the platform takes `{type: \"otp\"}`")
}

/// The catalog's name of an option.
fn option(key: &str, value: &Value) -> Result<&'static str, Why> {
    Ok(match (key, value) {
        ("preferredMethod", Value::Text(method)) if method == "sms" => "sms",
        ("preferredMethod", Value::Text(method)) if method == "voice" => "voice",
        ("preferredMethod", Value::Text(method)) if method == "both" => "both",
        ("otpFallback", Value::Bool(Condition::Constant(true))) => "fallback",
        ("otpFallback", Value::Bool(Condition::Constant(false))) => "no-fallback",
        _ => return Err(Why::of(format!("the option `{key}` of a factor"))),
    })
}

/// What sets tokens and responses: no decision reads it.
fn is_of_tokens(path: &str) -> bool {
    ["idToken.", "accessToken.", "samlResponse."].iter().any(|object| path.starts_with(object))
}
