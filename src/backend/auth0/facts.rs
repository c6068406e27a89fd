//! What a step reads of the event: each fact becomes a property of `facts`, read once when the Action begins.
//!
//! The rules are those of [`runtime::read`](crate::runtime::read), with one difference: an Action reads what its own
//! step asks about, where a record holds what the whole flow does.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::policy::{
    Absence, Each, MayBeMissing, PresenceId, Segment, Type, TypedPolicy, Value, Variable, VariableId,
};

use crate::syntax::print::doc::{Doc, layout};

use super::helpers::Helpers;
use super::names::Names;
use super::text::{comment, string, strings};

/// What every step can ask about without a declaration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum BuiltIn {
    Now,
    Enrolled,
    Performed,
    PerformedInThisLogin,
}

impl BuiltIn {
    fn name(self) -> &'static str {
        match self {
            BuiltIn::Now => "now",
            BuiltIn::Enrolled => "enrolled",
            BuiltIn::Performed => "performed",
            BuiltIn::PerformedInThisLogin => "performedInThisLogin",
        }
    }

    fn reading(self, helpers: &mut Helpers) -> String {
        match self {
            BuiltIn::Now => "Date.now()".to_owned(),
            BuiltIn::Enrolled => format!("{}(event)", helpers.uses("enrolledFactors")),
            BuiltIn::Performed => format!("{}(event)", helpers.uses("performedFactors")),
            BuiltIn::PerformedInThisLogin => format!("{}(event)", helpers.uses("performedInThisLogin")),
        }
    }
}

/// The facts that a step asks about, by the names that its Action gives them.
#[derive(Debug)]
pub(super) struct Facts<'p> {
    policy: &'p TypedPolicy,
    names: Names,
    built_in: BTreeSet<BuiltIn>,
    variables: BTreeMap<VariableId, String>,
    presences: BTreeMap<PresenceId, String>,
}

impl<'p> Facts<'p> {
    pub(super) fn new(policy: &'p TypedPolicy) -> Self {
        let mut names = Names::of_properties();
        for built_in in [BuiltIn::Now, BuiltIn::Enrolled, BuiltIn::Performed, BuiltIn::PerformedInThisLogin] {
            names.give(built_in.name());
        }
        Facts {
            policy,
            names,
            built_in: BTreeSet::new(),
            variables: BTreeMap::new(),
            presences: BTreeMap::new(),
        }
    }

    /// `facts.enrolled`
    pub(super) fn built_in(&mut self, fact: BuiltIn) -> String {
        self.built_in.insert(fact);
        format!("facts.{}", fact.name())
    }

    /// `facts.userIsAdmin`
    pub(super) fn variable(&mut self, variable: VariableId) -> String {
        let Facts { policy, names, variables, .. } = self;
        let name = variables.entry(variable).or_insert_with(|| names.give(&policy.variables[variable].name));
        format!("facts.{name}")
    }

    /// `facts.organizationIsPresent`
    pub(super) fn presence(&mut self, presence: PresenceId) -> String {
        let Facts { policy, names, presences, .. } = self;
        let name = presences.entry(presence).or_insert_with(|| {
            let keys = policy.presences[presence].path.iter().map(|segment| segment.key.as_str());
            names.give(&format!("{} is-present", keys.collect::<Vec<_>>().join(" ")))
        });
        format!("facts.{name}")
    }

    /// Whether the step asks about nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.built_in.is_empty() && self.variables.is_empty() && self.presences.is_empty()
    }

    /// The variables that are read, and those that are only asked whether they are there.
    pub(super) fn variables(&self) -> impl Iterator<Item = VariableId> + '_ {
        self.policy.variables.iter().filter_map(|(id, variable)| match variable.absence {
            Absence::Tracked(presence) if self.presences.contains_key(&presence) => Some(id),
            _ => self.variables.contains_key(&id).then_some(id),
        })
    }

    /// `readFacts`, which reads them.
    pub(super) fn reader(&self, helpers: &mut Helpers) -> String {
        let mut properties = Vec::new();
        for fact in &self.built_in {
            properties.extend(property(fact.name(), Doc::text(fact.reading(helpers))));
        }
        for (presence, name) in &self.presences {
            let path = keys(until_array(&self.policy.presences[*presence].path));
            let value_at = helpers.uses("valueAt");
            properties.extend(property(name, Doc::text(format!("{value_at}(event, {path}) !== undefined"))));
        }
        for (variable, name) in &self.variables {
            let variable = &self.policy.variables[*variable];
            let docs = self.docs(variable).iter();
            properties.extend(docs.flat_map(|line| [Doc::Break, Doc::text(format!("// {}", comment(line)))]));
            properties.extend(property(name, self.reading(variable, helpers)));
        }
        let doc = Doc::Concat(vec![
            Doc::text("function readFacts(event) {"),
            Doc::Nest(vec![
                Doc::Break,
                Doc::text("return {"),
                Doc::Nest(properties),
                Doc::Break,
                Doc::text("};"),
            ]),
            Doc::Break,
            Doc::text("}"),
        ]);
        let about = concat!(
            "/**\n * What this step reads of the login. Throws where a value is not what the policy declares.\n",
            " * @param {PostLoginEvent} event\n */\n",
        );
        format!("{about}{}\n", layout(&doc))
    }

    fn docs(&self, variable: &Variable) -> &'p [String] {
        self.policy.facts.get(&variable.name).map_or(&[], |fact| &fact.docs)
    }

    /// The call that reads a variable.
    fn reading(&self, variable: &Variable, helpers: &mut Helpers) -> Doc {
        let path = until_array(&variable.path);
        let reader = self.value_reader(variable, helpers);
        match &variable.absence {
            Absence::Refused => call(helpers.uses("required"), [keys(path), reader]),
            Absence::Default(value) => {
                let value = self.default(variable, value);
                call(helpers.uses("read"), [keys(path), reader, value])
            }
            Absence::Tracked(presence) => {
                let parent = until_array(&self.policy.presences[*presence].path).len().min(path.len());
                let (parent, rest) = path.split_at(parent);
                call(helpers.uses("optional"), [keys(parent), keys(rest), reader])
            }
        }
    }

    /// The function that makes a value of a variable's type.
    fn value_reader(&self, variable: &Variable, helpers: &mut Helpers) -> String {
        match &variable.ty {
            Type::Bool => helpers.uses("bool").to_owned(),
            Type::Int => helpers.uses("integer").to_owned(),
            Type::Text => helpers.uses("text").to_owned(),
            Type::Time => helpers.uses("instant").to_owned(),
            Type::Duration => helpers.uses("seconds").to_owned(),
            Type::Ip => helpers.uses("address").to_owned(),
            Type::Factor => helpers.uses("factor").to_owned(),
            Type::OpenEnum(values) => format!("{}({})", helpers.uses("amongOrOther"), strings(values)),
            Type::OrderedEnum(values) => format!("{}({})", helpers.uses("among"), strings(values)),
            Type::TextList => {
                self.list_reader(variable, helpers).unwrap_or_else(|call| format!("(value, where) => {call}"))
            }
            Type::FactorSet => {
                let call = self
                    .list_reader(variable, helpers)
                    .map_or_else(|call| call, |name| format!("{name}(value, where)"));
                format!("(value, where) => {}({call})", helpers.uses("inCatalogOrder"))
            }
        }
    }

    /// The function that makes texts of an array, or of a text to split: its name, or else a call.
    fn list_reader(&self, variable: &Variable, helpers: &mut Helpers) -> Result<String, String> {
        let steps = after_array(&variable.path);
        if let (Some(separator), None) = (&variable.split, steps) {
            let (cut, text) = (helpers.uses("cut"), helpers.uses("text"));
            return Err(format!("{cut}({text}(value, where), {})", string(separator)));
        }
        let reader = match steps {
            None | Some([]) => helpers.uses("texts").to_owned(),
            Some(steps) => format!("{}({})", helpers.uses("textsAt"), marked(steps)),
        };
        let Some(separator) = &variable.split else { return Ok(reader) };
        let cut = helpers.uses("cut");
        Err(format!("{reader}(value, where).flatMap((text) => {cut}(text, {}))", string(separator)))
    }

    /// What a variable is where the event has no value, as its reader would give it.
    fn default(&self, variable: &Variable, value: &Value) -> String {
        let factor = |factor: &_| self.policy.catalog.factors[*factor].name.as_str();
        match (value, &variable.ty) {
            (Value::Bool(value), _) => value.to_string(),
            (Value::Number(number), Type::OpenEnum(values) | Type::OrderedEnum(values)) => {
                let name = usize::try_from(*number).ok().and_then(|number| values.get(number));
                string(name.map_or("other", String::as_str))
            }
            (Value::Number(number), _) => number.to_string(),
            (Value::Text(text), _) => string(text),
            (Value::Ip(address), _) => format!("address({}, \"the default\")", string(&address.to_string())),
            (Value::Factor(one), _) => string(factor(one)),
            (Value::TextList(texts), _) => strings(texts),
            (Value::FactorSet(factors), _) => {
                let mut factors = factors.clone();
                factors.sort_unstable();
                strings(&factors.iter().map(factor).collect::<Vec<_>>())
            }
        }
    }
}

/// A property of `facts`, on a line of its own.
fn property(name: &str, value: Doc) -> [Doc; 4] {
    [Doc::Break, Doc::text(format!("{name}: ")), value, Doc::text(",")]
}

/// A call with the event, an argument a line where it is long.
fn call<const N: usize>(function: &str, arguments: [String; N]) -> Doc {
    let rest = arguments.into_iter().flat_map(|argument| [Doc::text(","), Doc::line(), Doc::text(argument)]);
    let inner = [Doc::Line(""), Doc::text("event")].into_iter().chain(rest).chain([Doc::IfBroken(",")]);
    let inner = Doc::Nest(inner.collect());
    Doc::Group(vec![Doc::text(format!("{function}(")), inner, Doc::Line(""), Doc::text(")")])
}

/// The path down to its first array; the whole path where it passes none.
fn until_array(path: &[Segment]) -> &[Segment] {
    let array = path.iter().position(|segment| segment.each == Each::Element);
    array.and_then(|array| path.get(..=array)).unwrap_or(path)
}

/// What follows the first array of a path, if it passes one.
fn after_array(path: &[Segment]) -> Option<&[Segment]> {
    let array = path.iter().position(|segment| segment.each == Each::Element)?;
    path.get(array + 1..)
}

/// `["user", "app_metadata"]`
fn keys(path: &[Segment]) -> String {
    strings(&path.iter().map(|segment| segment.key.as_str()).collect::<Vec<_>>())
}

/// `[{ key: "provider", marks: "?" }]`
fn marked(path: &[Segment]) -> String {
    let steps = path.iter().map(|segment| {
        let optional = if segment.may_be_missing == MayBeMissing::Yes { "?" } else { "" };
        let each = if segment.each == Each::Element { "[]" } else { "" };
        format!("{{ key: {}, marks: \"{optional}{each}\" }}", string(&segment.key))
    });
    format!("[{}]", steps.collect::<Vec<_>>().join(", "))
}
