//! The text that a tenant built in Rust has: its `tenant.toml`, with the place of everything that it says.

use std::ops::Range;

use super::{CustomizeFactors, FactDefault, Tenant, TenantValue};

impl Tenant {
    /// The same tenant with its text written anew.
    pub(super) fn rewritten(mut self) -> Self {
        let mut text = Text::default();
        if let Some(toggle) = &mut self.customize_factors {
            text.add("customize-factors = ");
            toggle.place = text.add(match toggle.value {
                CustomizeFactors::On => "true",
                CustomizeFactors::Off => "false",
            });
            text.add("\n");
        }
        if let Some(enabled) = &mut self.enabled {
            text.add("enabled-factors = ");
            let names = enabled.value.iter().map(|factor| factor.value.as_str());
            let (place, elements) = text.list(names);
            for (factor, element) in enabled.value.iter_mut().zip(elements) {
                factor.place = element;
            }
            enabled.place = place;
            text.add("\n");
        }
        if !self.facts.is_empty() {
            text.add("\n[facts]\n");
        }
        for default in &mut self.facts {
            text.fact(default);
        }
        Tenant { text: text.written, ..self }
    }
}

/// A text while it is being written.
#[derive(Default)]
struct Text {
    written: String,
}

impl Text {
    /// Adds a piece; gives its place.
    fn add(&mut self, piece: &str) -> Range<usize> {
        let start = self.written.len();
        self.written.push_str(piece);
        start..self.written.len()
    }

    fn string(&mut self, value: &str) -> Range<usize> {
        self.add(&quoted(value))
    }

    /// Adds a list of strings; gives its place and those of its elements.
    fn list<'t>(&mut self, values: impl Iterator<Item = &'t str>) -> (Range<usize>, Vec<Range<usize>>) {
        let start = self.add("[").start;
        let mut elements = Vec::new();
        for (position, value) in values.enumerate() {
            if position > 0 {
                self.add(", ");
            }
            elements.push(self.string(value));
        }
        (start..self.add("]").end, elements)
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
                default.elements = elements;
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
