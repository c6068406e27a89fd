//! What an event as JSON says of the facts that the syntax trees declare: the reading half of `tree_evaluator`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use stepup::syntax::tree::{
    CommandKind, ExpressionKind, FactItem, FactorItem, FactorUse, ItemKind, Literal, PathMark, PathSegment,
    Type,
};

use super::tree_evaluator::{Flow, Members, Value};

/// An event, and what a flow declares of it.
pub struct Reader<'a> {
    facts: BTreeMap<&'a str, &'a FactItem>,
    factors: Vec<&'a FactorItem>,
    event: &'a Json,
}

impl<'a> Reader<'a> {
    /// A reader of an event. A later declaration of a fact replaces the library's.
    pub fn new(flow: &'a Flow, event: &'a Json) -> Self {
        let mut reader = Reader { facts: BTreeMap::new(), factors: Vec::new(), event };
        for (_, item) in flow.items() {
            match item {
                ItemKind::Fact(fact) => {
                    reader.facts.insert(&fact.name.node, fact);
                }
                ItemKind::Factor(factor) => reader.factors.push(factor),
                _ => {}
            }
        }
        reader
    }

    /// The value of a fact, when there is one of this name.
    pub fn fact(&self, name: &str) -> Option<Value> {
        let fact = self.facts.get(name)?;
        let ty = match &fact.ty.node {
            Type::Optional(inner) => &inner.node,
            ty => ty,
        };
        let found = at(self.event, &fact.path.segments);
        Some(match (found, &fact.default) {
            (Some(found), _) => self.typed(fact, ty, &found),
            (None, Some(default)) => self.default(ty, &default.kind),
            (None, None) => Value::Absent,
        })
    }

    fn typed(&self, fact: &FactItem, ty: &Type, found: &Json) -> Value {
        let number = || Value::Number(found.as_i64().expect("an integer"));
        let text = || found.as_str().expect("a string");
        let texts = || match &fact.split {
            Some(separator) => {
                let items = text().split(separator.node.as_str()).map(str::trim);
                items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
            }
            None => strings(found),
        };
        match ty {
            Type::OpenEnum(values) if values.iter().all(|value| value.node != text()) => {
                Value::Symbol("other".to_owned())
            }
            Type::OpenEnum(_) | Type::OrderedEnum(_) => Value::Symbol(text().to_owned()),
            Type::Of(outer, _) if outer.node == "set" => Value::Set(self.members(&texts())),
            Type::Of(..) => Value::Texts(texts()),
            Type::Named(name) => match name.as_str() {
                "bool" => Value::Bool(found.as_bool().expect("a bool")),
                "int" => number(),
                "duration" => Value::Number(found.as_i64().expect("seconds") * 1000),
                "string" => Value::Text(text().to_owned()),
                "time" => Value::Number(instant(text())),
                "factor" => Value::Symbol(text().to_owned()),
                "ip" => Value::Ip(text().parse::<std::net::IpAddr>().expect("an address").to_canonical()),
                other => panic!("the type {other}"),
            },
            Type::Optional(_) => panic!("`??` is no type"),
        }
    }

    fn default(&self, ty: &Type, default: &ExpressionKind) -> Value {
        match (default, ty) {
            (ExpressionKind::Literal(literal), _) => match literal {
                Literal::Bool(value) => Value::Bool(*value),
                Literal::Int(number) | Literal::Duration(number) | Literal::Instant(number) => {
                    Value::Number(*number)
                }
                Literal::Text(text) => Value::Text(text.clone()),
                Literal::Prefix(prefix) => Value::Ip(prefix.addr()),
            },
            (ExpressionKind::Name(name), _) => Value::Symbol(name.clone()),
            (ExpressionKind::List(elements), Type::Of(outer, _)) => {
                let texts = elements.iter().map(|element| match &*element.kind {
                    ExpressionKind::Name(text) | ExpressionKind::Literal(Literal::Text(text)) => text.clone(),
                    other => panic!("a default holds {other:?}"),
                });
                let texts: Vec<String> = texts.collect();
                match outer.node.as_str() {
                    "set" => Value::Set(self.members(&texts)),
                    _ => Value::Texts(texts),
                }
            }
            other => panic!("the default {other:?}"),
        }
    }

    /// Factors of an event in the catalog's order.
    fn members(&self, names: &[String]) -> Members {
        let catalog = self.factors.iter().map(|factor| factor.name.node.clone());
        Members {
            known: catalog.filter(|factor| names.contains(factor)).collect(),
            other: names.iter().any(|name| !self.is_known(name)),
        }
    }

    pub fn enrolled(&self) -> Members {
        let listed = &self.event["user"]["enrolledFactors"];
        let names: Vec<String> =
            listed.as_array().into_iter().flatten().map(|entry| string(&entry["type"])).collect();
        self.members(&names)
    }

    pub fn performed(&self) -> Members {
        let names: Vec<String> = self.stamps().into_iter().map(|(factor, _)| factor).collect();
        self.members(&names)
    }

    /// The catalog's factors that were passed in the session, and when.
    pub fn stamps(&self) -> Vec<(String, i64)> {
        let methods = self.event["authentication"]["methods"].as_array();
        let second = methods.into_iter().flatten().filter(|method| method["name"] == "mfa");
        let stamps = second.filter_map(|method| {
            let factor = method["type"].as_str()?;
            Some((factor.to_owned(), instant(method["timestamp"].as_str()?)))
        });
        stamps.filter(|(factor, _)| self.is_known(factor)).collect()
    }

    pub fn is_known(&self, factor: &str) -> bool {
        self.factors.iter().any(|known| known.name.node == factor)
    }

    pub fn allows(&self, kind: CommandKind, factor: &str) -> bool {
        let known = self.factors.iter().find(|known| known.name.node == factor);
        known.is_some_and(|known| known.words.iter().any(|word| word.node == kind.word()))
    }

    /// A factor as a command lists it.
    pub fn offered(&self, kind: CommandKind, used: &FactorUse) -> Json {
        assert!(self.allows(kind, &used.factor.node), "{kind:?} {used:?}");
        let known = self.factors.iter().find(|known| known.name.node == used.factor.node).expect("a factor");
        let mut options = Map::new();
        for name in &used.options {
            let option =
                known.options.iter().find(|option| option.name.node == name.node).expect("an option");
            options.extend(option.json.node.clone());
        }
        match options.is_empty() {
            true => json!({"type": used.factor.node}),
            false => json!({"type": used.factor.node, "options": options}),
        }
    }

    /// The place of a value in the ordered enum that declares it.
    pub fn rank(&self, value: &str) -> usize {
        let ranks = self.facts.values().filter_map(|fact| match &fact.ty.node {
            Type::OrderedEnum(values) => values.iter().position(|known| known.node == value),
            Type::Optional(inner) => match &inner.node {
                Type::OrderedEnum(values) => values.iter().position(|known| known.node == value),
                _ => None,
            },
            _ => None,
        });
        ranks.into_iter().next().expect("an ordered enum's value")
    }
}

/// What stands at a path; `null` is nothing.
fn at(value: &Json, path: &[PathSegment]) -> Option<Json> {
    let Some((segment, rest)) = path.split_first() else { return Some(value.clone()) };
    let inner = value.get(&segment.key.node).filter(|inner| !inner.is_null())?;
    match segment.mark {
        PathMark::Required | PathMark::Optional => at(inner, rest),
        PathMark::Each | PathMark::OptionalEach => {
            Some(inner.as_array().expect("an array").iter().filter_map(|element| at(element, rest)).collect())
        }
    }
}

fn string(value: &Json) -> String {
    value.as_str().expect("a string").to_owned()
}

fn strings(value: &Json) -> Vec<String> {
    value.as_array().expect("an array").iter().map(string).collect()
}

fn instant(text: &str) -> i64 {
    text.parse::<Timestamp>().expect("an instant").as_millisecond()
}
