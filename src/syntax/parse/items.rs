//! Files and items, all but tests.

use serde_json::error::Category;
use serde_json::{Map, Value};

use super::explain::{Gaps, Place};
use super::grammar::Rule;
use super::json::UniqueKeys;
use super::statements::command_kind;
use super::{Builder, Pair, Parts};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree::{
    Block, Define, Entry, EventPath, FactItem, FactorItem, FactorOption, Guarantee, Item, ItemKind, Name,
    Parameter, PathMark, PathSegment, Polarity, Rule as RuleItem, Spanned, Step, Type, UsePath,
};

impl Builder<'_> {
    /// What stands in a `file`, in order; `None` for what was reported.
    pub(super) fn pieces(&self, file: Pair<'_>) -> Vec<(Span, Option<Entry>)> {
        let mut pieces = Vec::new();
        let mut gaps = Gaps::new(self, Place::Entry);
        for part in file.parts() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::EOI | Rule::semicolon => gaps.end(),
                Rule::bad_entry => {
                    gaps.bad(place);
                    pieces.push((place, None));
                }
                _ => {
                    gaps.good(place);
                    pieces.push((place, self.entry(part)));
                }
            }
        }
        pieces
    }

    fn entry(&self, pair: Pair<'_>) -> Option<Entry> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::use_item => ItemKind::Use(self.use_item(pair)?),
            Rule::fact_item => ItemKind::Fact(self.fact(pair)?),
            Rule::factor_item => ItemKind::Factor(self.factor(pair)?),
            Rule::define_item => ItemKind::Define(self.define(pair)?),
            Rule::rule_item => {
                let (name, body) = self.named_block(pair)?;
                ItemKind::Rule(RuleItem { name, body })
            }
            Rule::step_item => {
                let (name, body) = self.named_block(pair)?;
                ItemKind::Step(Step { name, body })
            }
            Rule::guarantee_item => ItemKind::Guarantee(self.guarantee(pair)?),
            Rule::test_item => ItemKind::Test(self.test(pair)?),
            Rule::let_binding => ItemKind::Let(self.let_binding(pair, 0)?),
            _ => return self.statement(pair, 0).map(Entry::Statement),
        };
        Some(Entry::Item(Item { docs: Vec::new(), span, kind }))
    }

    fn use_item(&self, pair: Pair<'_>) -> Option<UsePath> {
        let path = pair.parts().nth(1)?;
        Some(match path.as_rule() {
            Rule::string => UsePath::File(self.text(path)),
            _ => UsePath::Library(self.name(&path)),
        })
    }

    fn named_block(&self, pair: Pair<'_>) -> Option<(Name, Block)> {
        let mut parts = pair.parts().skip(1);
        let name = self.name(&parts.next()?);
        Some((name, self.block(parts.next()?, 0)))
    }

    fn fact(&self, pair: Pair<'_>) -> Option<FactItem> {
        let mut parts = pair.parts().skip(1);
        let name = self.name(&parts.next()?);
        let ty = self.fact_type(parts.next()?)?;
        let path = self.event_path(parts.next()?);
        let (mut split, mut default) = (None, None);
        for part in parts {
            match part.as_rule() {
                Rule::split => split = self.part(part, Rule::string).map(|text| self.text(text)),
                _ => default = part.parts().nth(1).map(|value| self.operand(value, 0).expression),
            }
        }
        Some(FactItem { name, ty, path, split, default })
    }

    fn fact_type(&self, pair: Pair<'_>) -> Option<Spanned<Type>> {
        let span = self.span(&pair);
        let mut parts = pair.parts();
        let base = parts.next()?;
        let base_span = self.span(&base);
        let ty = match base.as_rule() {
            Rule::enum_type => self.enum_type(base),
            _ => {
                let mut words = base.parts();
                let outer = self.name(&words.next()?);
                match words.next() {
                    Some(inner) => Type::Of(outer, self.name(&inner)),
                    None => Type::Named(outer.node),
                }
            }
        };
        Some(match parts.next() {
            Some(_) => Spanned::new(Type::Optional(Box::new(Spanned::new(ty, base_span))), span),
            None => Spanned::new(ty, span),
        })
    }

    fn enum_type(&self, pair: Pair<'_>) -> Type {
        let ordered = pair.clone().parts().any(|part| part.as_rule() == Rule::less);
        let values = pair.parts().filter(|part| part.as_rule() == Rule::name);
        let values = values.map(|value| self.name(&value)).collect();
        if ordered { Type::OrderedEnum(values) } else { Type::OpenEnum(values) }
    }

    fn event_path(&self, pair: Pair<'_>) -> EventPath {
        let span = self.span(&pair);
        let segments = pair.parts().filter(|part| part.as_rule() == Rule::path_segment);
        EventPath { segments: segments.filter_map(|segment| self.path_segment(segment)).collect(), span }
    }

    fn path_segment(&self, pair: Pair<'_>) -> Option<PathSegment> {
        let mut parts = pair.parts();
        let key = parts.next()?;
        let key = match key.as_rule() {
            Rule::string => self.text(key),
            _ => self.name(&key),
        };
        let mark = match parts.next().map(|mark| mark.as_str()) {
            None => PathMark::Required,
            Some("?") => PathMark::Optional,
            Some("[]") => PathMark::Each,
            Some(_) => PathMark::OptionalEach,
        };
        Some(PathSegment { key, mark })
    }

    fn factor(&self, pair: Pair<'_>) -> Option<FactorItem> {
        let mut parts = pair.parts().skip(1);
        let name = self.name(&parts.next()?);
        let (mut words, mut options) = (Vec::new(), Vec::new());
        for part in parts {
            match part.as_rule() {
                Rule::word => words.push(self.name(&part)),
                _ => options.extend(part.parts().skip(1).filter_map(|option| self.factor_option(option))),
            }
        }
        Some(FactorItem { name, words, options })
    }

    fn factor_option(&self, pair: Pair<'_>) -> Option<FactorOption> {
        let (mut only, mut name) = (None, None);
        for part in pair.parts() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::only_command => only = Some(Spanned::new(command_kind(&part), span)),
                Rule::word => name = Some(self.name(&part)),
                _ => return Some(FactorOption { only, name: name?, json: self.json(part.as_str(), span) }),
            }
        }
        None
    }

    /// The JSON object of an option; an empty one where it was reported, so that the option is known.
    fn json(&self, text: &str, span: Span) -> Spanned<Map<String, Value>> {
        let object = serde_json::from_str::<UniqueKeys>(text).map(|object| object.0);
        let object = object.unwrap_or_else(|error| {
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
            let report = match error.classify() {
                Category::Data => Diagnostic::error(Code::E0104, span, format!("in this object, {reason}")),
                _ => Diagnostic::error(Code::E0104, span, "this is not a JSON object").here(reason),
            };
            self.report(report);
            Map::new()
        });
        Spanned::new(object, span)
    }

    fn define(&self, pair: Pair<'_>) -> Option<Define> {
        let mut parts = pair.parts().skip(1);
        let name = self.name(&parts.next()?);
        let mut parameters = Vec::new();
        let mut part = parts.next()?;
        if part.as_rule() == Rule::parameters {
            parameters = part.parts().filter_map(|parameter| self.parameter(parameter)).collect();
            part = parts.next()?;
        }
        Some(Define { name, parameters, body: self.expression(part, 0) })
    }

    fn parameter(&self, pair: Pair<'_>) -> Option<Parameter> {
        let mut parts = pair.parts();
        let name = self.name(&parts.next()?);
        Some(Parameter { name, ty: self.fact_type(parts.next()?)? })
    }

    fn guarantee(&self, pair: Pair<'_>) -> Option<Guarantee> {
        let mut parts = pair.parts().skip(1);
        let name = self.text(parts.next()?);
        let mut part = parts.next()?;
        let mut polarity = Polarity::Plain;
        if part.as_rule() == Rule::polarity {
            polarity = if part.as_str() == "never" { Polarity::Never } else { Polarity::Always };
            part = parts.next()?;
        }
        Some(Guarantee { name, polarity, condition: self.expression(part, 0) })
    }
}
