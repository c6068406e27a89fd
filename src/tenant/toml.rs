//! A `tenant.toml`, read: every setting with its place, and a report on each that is none.
//!
//! ```toml
//! customize-factors = true
//! enabled-factors = ["otp", "webauthn-roaming"]
//!
//! [facts]
//! "user.isAdmin" = false
//! ```
//!
//! The names of facts hold dots, and TOML makes tables of these where they stand without quotes. Both are one fact.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::Timestamp;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::{FactDefault, FactorSwitch, Form, Placed, Switch, Tenant, TenantValue, quoted};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::{FileId, Sources, Span};

/// The settings of the file.
const SETTINGS: [&str; 3] = ["customize-factors", "enabled-factors", "facts"];

/// How many faults of one file are told.
const MAX_REPORTS: usize = 50;

/// Reads a tenant's text, which is `file` of `texts`. The tenant holds what was understood.
pub(crate) fn read(texts: &Sources, file: FileId) -> (Tenant, Vec<Diagnostic>) {
    let (name, text) = (texts.file(file).name(), texts.file(file).text());
    let mut reader = Reader { file, text, reports: Vec::new() };
    let mut tenant = Tenant::of_texts(name.to_owned(), texts.clone(), Form::Written);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        reader.settings(table.get_ref(), &mut tenant);
    }
    reader.reports.extend(not_toml(file, text, &errors));
    reader.reports.truncate(MAX_REPORTS);
    (tenant, reader.reports)
}

/// The reports of a text that is not TOML: one a line, since what follows on it is mostly the same mistake.
fn not_toml(file: FileId, text: &str, errors: &[toml::de::Error]) -> Vec<Diagnostic> {
    let mut lines = BTreeSet::new();
    let mut reports = Vec::new();
    for error in errors {
        let place = error.span().unwrap_or(text.len()..text.len());
        let line = text.get(..place.start).unwrap_or(text).rfind('\n');
        if lines.insert(line) {
            reports.push(not_toml_here(Span::new(file, place.clone()), text.get(place), error.message()));
        }
    }
    reports
}

fn not_toml_here(span: Span, text: Option<&str>, why: &str) -> Diagnostic {
    // What TOML's own words call a literal string stands in single quotes.
    let here = why
        .replace(", expected literal string", "")
        .replace(", expected nothing", "")
        .replace("literal string", "string in single quotes");
    let report = Diagnostic::error(Code::E0110, span, "a tenant file is TOML, and this is not").here(here);
    let text = text.unwrap_or_default();
    let lower = text.to_ascii_lowercase();
    match (why.starts_with("string values must be quoted"), lower.as_str()) {
        (_, "true" | "false") => report.fix("it stands in lower case", span, lower),
        (true, word) if !word.is_empty() => report.fix("a string stands in quotes", span, quoted(text)),
        _ => report,
    }
}

struct Reader<'t> {
    file: FileId,
    text: &'t str,
    reports: Vec<Diagnostic>,
}

type Key<'k> = &'k Spanned<toml::de::DeString<'k>>;
type Written<'k> = &'k Spanned<DeValue<'k>>;

impl Reader<'_> {
    fn span(&self, place: Range<usize>) -> Span {
        Span::new(self.file, place)
    }

    fn placed<T>(&self, value: T, place: Range<usize>) -> Placed<T> {
        Placed::new(value, self.span(place))
    }

    fn settings(&mut self, table: &DeTable<'_>, tenant: &mut Tenant) {
        for (key, value) in in_order(table) {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("customize-factors", DeValue::Boolean(on)) => {
                    let toggle = if *on { Switch::On } else { Switch::Off };
                    tenant.customize_factors = Some(self.placed(toggle, value.span()));
                }
                ("enabled-factors", DeValue::Array(factors)) => {
                    tenant.factors = self.enabled(factors);
                    tenant.others_off = Some(self.span(value.span()));
                }
                ("facts", DeValue::Table(facts)) => tenant.facts = self.facts(facts),
                ("customize-factors", _) => self.wrong_type(key, value, "`true` or `false`", None),
                ("enabled-factors", DeValue::String(_)) => {
                    let listed = format!("[{}]", self.text.get(value.span()).unwrap_or_default());
                    self.wrong_type(key, value, "a list of factors", Some(listed));
                }
                ("enabled-factors", _) => self.wrong_type(key, value, "a list of factors", None),
                ("facts", _) => self.wrong_type(key, value, "a table", None),
                (name, _) => self.unknown_setting(name, key.span()),
            }
        }
    }

    fn enabled(&mut self, factors: &DeArray<'_>) -> Vec<FactorSwitch> {
        let factors = self.strings("`enabled-factors`", factors).into_iter();
        let on =
            |factor: Placed<String>| FactorSwitch { switch: Placed::new(Switch::On, factor.place), factor };
        factors.map(on).collect()
    }

    fn unknown_setting(&mut self, name: &str, place: Range<usize>) {
        let span = self.span(place);
        let report = Diagnostic::error(Code::E0201, span, format!("a tenant file has no setting `{name}`"));
        let report = match did_you_mean(name, SETTINGS) {
            Some(near) => report.fix(format!("did you mean `{near}`?"), span, near),
            None => {
                report.note("its settings are `customize-factors`, `enabled-factors` and the table `[facts]`")
            }
        };
        self.reports.push(report);
    }

    fn wrong_type(&mut self, key: Key<'_>, value: Written<'_>, wanted: &str, instead: Option<String>) {
        let (name, found) = (key.get_ref(), kind_of(value.get_ref()));
        let span = self.span(value.span());
        let report =
            Diagnostic::error(Code::E0301, span, format!("`{name}` is {wanted}, and this is {found}"))
                .label(self.span(key.span()), format!("this takes {wanted}"));
        self.reports.push(match instead {
            Some(text) => report.fix("write a list", span, text),
            None => report,
        });
    }

    /// The facts of a table and of those inside it: TOML takes a dot in a name for the way to a table.
    fn facts(&mut self, table: &DeTable<'_>) -> Vec<FactDefault> {
        let mut found = Vec::new();
        let mut waiting: Vec<(Vec<Key<'_>>, Written<'_>)> = Vec::new();
        waiting.extend(in_order(table).into_iter().rev().map(|(key, value)| (vec![key], value)));
        while let Some((keys, value)) = waiting.pop() {
            if let DeValue::Table(inner) = value.get_ref() {
                let below = in_order(inner).into_iter().rev();
                waiting.extend(below.map(|(key, value)| ([keys.as_slice(), &[key]].concat(), value)));
                continue;
            }
            let name = keys.iter().map(|key| key.get_ref().as_ref()).collect::<Vec<_>>().join(".");
            let fact = self.placed(name, self.place_of(&keys));
            found.extend(self.fact(fact, value));
        }
        found
    }

    /// Where a name of several keys stands: all of them, if they stand together.
    fn place_of(&self, keys: &[Key<'_>]) -> Range<usize> {
        let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return 0..0 };
        let whole = first.span().start..last.span().end;
        let between = self.text.get(whole.clone()).unwrap_or("\n");
        if between.contains(['\n', '=', '{']) { last.span() } else { whole }
    }

    fn fact(&mut self, fact: Placed<String>, value: Written<'_>) -> Option<FactDefault> {
        let mut elements = Vec::new();
        let found = match value.get_ref() {
            DeValue::Boolean(value) => TenantValue::Bool(*value),
            DeValue::String(text) => TenantValue::Text(text.clone().into_owned()),
            DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(value) => TenantValue::Int(value),
                Err(_) => return self.no_value(value, "this integer is too large for a fact", ""),
            },
            DeValue::Array(array) => {
                let texts = self.strings(&format!("`{}`", fact.value), array);
                elements.extend(texts.iter().map(|text| Placed::new((), text.place)));
                TenantValue::List(texts.into_iter().map(|text| text.value).collect())
            }
            DeValue::Datetime(datetime) => match datetime.to_string().parse::<Timestamp>() {
                Ok(instant) => TenantValue::Time(instant),
                Err(_) => {
                    let here = "it must say the day, the time of day and its offset from UTC, as in `2026-01-31T00:00:00Z`";
                    return self.no_value(value, "this is not an instant", here);
                }
            },
            DeValue::Float(_) => {
                return self.no_value(value, "no fact is a number with a fraction", "write an integer");
            }
            DeValue::Table(_) => return None,
        };
        Some(FactDefault { fact, value: self.placed(found, value.span()), elements })
    }

    fn no_value<T>(&mut self, value: Written<'_>, message: &str, here: &str) -> Option<T> {
        let span = self.span(value.span());
        self.reports.push(Diagnostic::error(Code::E0301, span, message).here(here));
        None
    }

    /// The strings of a list; what else is in it is reported.
    fn strings(&mut self, what: &str, array: &DeArray<'_>) -> Vec<Placed<String>> {
        let mut found = Vec::new();
        for element in array.iter() {
            if let DeValue::String(text) = element.get_ref() {
                found.push(self.placed(text.clone().into_owned(), element.span()));
                continue;
            }
            let message = format!("{what} lists strings, and this is {}", kind_of(element.get_ref()));
            self.reports.push(Diagnostic::error(Code::E0301, self.span(element.span()), message));
        }
        found
    }
}

/// The entries of a table as they stand in the text; the table itself sorts them by name.
fn in_order<'k>(table: &'k DeTable<'k>) -> Vec<(Key<'k>, Written<'k>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// What a value is, with its article.
fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an int",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a bool",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
