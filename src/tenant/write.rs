//! The text that a tenant built in Rust has: its `tenant.toml`, with the place of everything that it says.

use super::{FactDefault, Placed, Switch, Tenant, TenantValue};
use crate::source::{FileId, Sources, Span};

impl Tenant {
    /// The same tenant with its text written anew.
    pub(super) fn rewritten(mut self) -> Self {
        let mut text = Text::default();
        if let Some(toggle) = &mut self.customize_factors {
            text.add("customize-factors = ");
            toggle.place = text.add(match toggle.value {
                Switch::On => "true",
                Switch::Off => "false",
            });
            text.add("\n");
        }
        if let Some(list) = &mut self.others_off {
            text.add("enabled-factors = ");
            let (place, elements) = text.list(self.factors.iter().map(|said| said.factor.value.as_str()));
            for (said, element) in self.factors.iter_mut().zip(elements) {
                (said.factor.place, said.switch.place) = (element, element);
            }
            *list = place;
            text.add("\n");
        }
        if !self.facts.is_empty() {
            text.add("\n[facts]\n");
        }
        for default in &mut self.facts {
            text.fact(default);
        }
        let mut texts = Sources::new();
        texts.add(self.name.as_str(), text.written);
        Tenant { texts, ..self }
    }

    /// All that it says and nothing else, for a digest: two tenants that say the same are the same to a policy,
    /// wherever they were read.
    pub(crate) fn said(&self) -> String {
        let toggle = self.customize_factors.iter().map(|toggle| format!("customize {:?}", toggle.value));
        let factors = self.factors.iter().map(|said| {
            let (name, switch) = (&said.factor.value, said.switch.value);
            format!("factor {} {switch:?}", quoted(name))
        });
        let others = self.others_off.iter().map(|_| "others Off".to_owned());
        let options = self.options.iter().map(|said| {
            let (factor, option, switch) = (&said.factor, &said.option, said.switch.value);
            format!("option {} {} {switch:?}", quoted(factor), quoted(option))
        });
        let facts = self.facts.iter().map(|default| {
            let (name, value) = (&default.fact.value, &default.value.value);
            format!("fact {} {value:?}", quoted(name))
        });
        let said = toggle.chain(factors).chain(others).chain(options).chain(facts);
        said.map(|line| line + "\n").collect()
    }
}

/// A text while it is being written.
#[derive(Default)]
struct Text {
    written: String,
}

impl Text {
    /// Adds a piece; gives its place.
    fn add(&mut self, piece: &str) -> Span {
        let start = self.written.len();
        self.written.push_str(piece);
        Span::new(FileId(0), start..self.written.len())
    }

    fn string(&mut self, value: &str) -> Span {
        self.add(&quoted(value))
    }

    /// Adds a list of strings; gives its place and those of its elements.
    fn list<'t>(&mut self, values: impl Iterator<Item = &'t str>) -> (Span, Vec<Span>) {
        let start = self.add("[");
        let mut elements = Vec::new();
        for (position, value) in values.enumerate() {
            if position > 0 {
                self.add(", ");
            }
            elements.push(self.string(value));
        }
        (start.to(self.add("]")), elements)
    }

    fn fact(&mut self, default: &mut FactDefault) {
        default.fact.place = self.string(&default.fact.value);
        self.add(" = ");
        default.value.place = match &default.value.value {
            TenantValue::Bool(value) => self.add(&value.to_string()),
            TenantValue::Int(value) => self.add(&value.to_string()),
            TenantValue::Text(value) => self.string(value),
            TenantValue::Time(value) => self.add(&value.to_string()),
            TenantValue::List(values) => {
                let (place, elements) = self.list(values.iter().map(String::as_str));
                default.elements = elements.into_iter().map(|place| Placed::new((), place)).collect();
                place
            }
        };
        self.add("\n");
    }
}

/// A string in quotes: the escapes of JSON are TOML's too.
pub(crate) fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
