//! Values as a policy writes them, for everyone who tells of a login.

use super::event::{Event, FactValue};
use crate::check::masks::{FactorMask, OTHER_FACTOR, factors};
use crate::check::policy::{
    Absence, Command, FactorId, PresenceId, Style, Type, TypedPolicy, Variable, VariableId,
};
use crate::lower::paths::path_text;

/// Tells values in the words of a policy.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// The policy.
    pub policy: &'a TypedPolicy,
}

impl Words<'_> {
    /// A fact and its value: `user.isAdmin = true`.
    pub fn fact(&self, variable: VariableId, event: &Event) -> String {
        let row = &self.policy.variables[variable];
        match event.variables.get(&variable) {
            Some(value) => format!("{} = {}", row.name, self.value(row, value)),
            None => format!("{} is absent", row.name),
        }
    }

    /// Whether something is there: `event.organization is present`, or the fact where it is of one alone.
    pub fn presence(&self, presence: PresenceId, event: &Event) -> String {
        let name = match only_variable_of(self.policy, presence) {
            Some(variable) => self.policy.variables[variable].name.clone(),
            None => path_text(&self.policy.presences[presence].path),
        };
        let is_there = event.presences.get(&presence).copied().unwrap_or(false);
        format!("{name} is {}", if is_there { "present" } else { "absent" })
    }

    /// A value.
    pub fn value(&self, variable: &Variable, value: &FactValue) -> String {
        match (value, &variable.ty) {
            (FactValue::Bool(value), _) => value.to_string(),
            (FactValue::Number(number), Type::OpenEnum(values) | Type::OrderedEnum(values)) => {
                let name = usize::try_from(*number).ok().and_then(|number| values.get(number));
                name.map_or("other", String::as_str).to_owned()
            }
            (FactValue::Number(number), Type::Time) => instant(*number),
            (FactValue::Number(number), Type::Duration) => duration(*number),
            (FactValue::Number(number), _) => number.to_string(),
            (FactValue::Text(text), _) => quoted(text),
            (FactValue::Ip(address), _) => address.to_string(),
            (FactValue::Factor(Some(factor)), _) => self.policy.catalog.factors[*factor].name.clone(),
            (FactValue::Factor(None), _) => "a factor outside the catalog".to_owned(),
            (FactValue::TextList(texts), _) => {
                format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
            }
            (FactValue::FactorSet(mask), _) => format!("[{}]", self.names(*mask)),
        }
    }

    /// A command with what it offers, as the language writes commands: `enroll webauthn-roaming or otp`.
    pub fn command(&self, command: &Command, offered: &[FactorId]) -> String {
        let factor = |factor: &FactorId| {
            let row = &self.policy.catalog.factors[*factor];
            let listed = command.listed.iter().find(|listed| listed.factor == *factor);
            let options = listed.into_iter().flat_map(|listed| &listed.options);
            let options: Vec<&str> = options
                .filter_map(|option| row.options.get(*option))
                .map(|option| option.name.as_str())
                .collect();
            if options.is_empty() {
                row.name.clone()
            } else {
                format!("{}({})", row.name, options.join(", "))
            }
        };
        let factors: Vec<String> = offered.iter().map(factor).collect();
        let verb = command.kind.word();
        match command.style {
            Style::Preferred => format!("{verb} {}", factors.join(" or ")),
            Style::Any => format!("{verb} any of [{}]", factors.join(", ")),
        }
    }

    /// The factors of a set, with commas.
    pub fn names(&self, mask: FactorMask) -> String {
        self.name_list(mask).join(", ")
    }

    /// The factors of a set, each.
    pub fn name_list(&self, mask: FactorMask) -> Vec<String> {
        let known = factors(&self.policy.catalog, mask)
            .map(|factor| self.policy.catalog.factors[factor].name.clone());
        let other = (mask & OTHER_FACTOR != 0).then(|| "a factor outside the catalog".to_owned());
        known.chain(other).collect()
    }
}

/// The variable that is itself what may be missing, and not something below it.
pub fn only_variable_of(policy: &TypedPolicy, presence: PresenceId) -> Option<VariableId> {
    let path = &policy.presences[presence].path;
    let mut tracked = policy.variables.iter().filter(|(_, row)| row.absence == Absence::Tracked(presence));
    let is_parent = policy.presences.values().any(|other| other.parent == Some(presence));
    match (tracked.next(), tracked.next()) {
        (Some((only, row)), None) if !is_parent && row.path.len() == path.len() => Some(only),
        _ => None,
    }
}

/// A text as the language writes it.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// An instant as the language writes it.
pub fn instant(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |at| at.to_string())
}

/// A length of time as the language writes it; milliseconds, which it does not have, by their own unit.
pub fn duration(milliseconds: i64) -> String {
    let sign = if milliseconds < 0 { "-" } else { "" };
    let mut left = milliseconds.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if left >= length {
            parts.push(format!("{}{unit}", left / length));
            left %= length;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { format!("{sign}{}", parts.join(" ")) }
}
