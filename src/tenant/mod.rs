//! A tenant: what it has switched on, and what facts are where its events lack them.
//!
//! The idea: all that a tenant says has a place in a text, so that every report can point at it. That is the file
//! which it was read from ([`toml`] is one form), or, for a [`Tenant`] that a host builds in Rust, the text that it
//! [writes](write) of itself. Names are only names here: the checker holds them to the catalog and the declarations.
//! It knows places in texts and reports, and nothing of the language.

#[cfg(feature = "tenant-toml")]
pub(crate) mod toml;
mod write;

use std::ops::Range;

use jiff::Timestamp;
pub(crate) use write::quoted;

use crate::source::{FileId, Span};

/// What a tenant has switched on. What it doesn't say is taken to be so: without a list every factor is enabled.
///
/// ```
/// use stepup::{Compiler, Tenant};
///
/// let tenant = Tenant::new("acme").with_enabled_factors(["otp"]).with_fact("user.isAdmin", false);
/// let report = Compiler::new()
///     .with_tenant(tenant)
///     .check([("policy.stepup", "if user.isAdmin then challenge any of [otp, phone]")]);
/// assert_eq!(report.diagnostics()[0].message, "`phone` is not enabled in the tenant");
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Tenant {
    name: String,
    text: String,
    pub(crate) customize_factors: Option<Placed<CustomizeFactors>>,
    /// The list of enabled factors; `None` when all of the catalog are.
    pub(crate) enabled: Option<Placed<Vec<Placed<String>>>>,
    pub(crate) facts: Vec<FactDefault>,
}

/// The toggle "Customize MFA Factors using Actions": without it the platform runs no command as a policy gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the type says it")]
pub enum CustomizeFactors {
    On,
    Off,
}

/// A value as a tenant writes it. What it is to a fact, its type says: a string may be an enum's value, a factor, an
/// address, a length of time such as `5s`.
#[derive(Clone, PartialEq, Debug)]
pub enum TenantValue {
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A string.
    Text(String),
    /// An instant.
    Time(Timestamp),
    /// A list of strings or a set of factors.
    List(Vec<String>),
}

/// Something a tenant says, and where in its text.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) place: Range<usize>,
}

impl<T> Placed<T> {
    /// Its place, where the tenant's text is a file of a compile.
    pub(crate) fn span(&self, file: FileId) -> Span {
        Span::new(file, self.place.clone())
    }
}

/// What a fact is where the event lacks it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct FactDefault {
    pub(crate) fact: Placed<String>,
    pub(crate) value: Placed<TenantValue>,
    /// The places of a list's elements.
    pub(crate) elements: Vec<Range<usize>>,
}

impl Tenant {
    /// A tenant that has everything switched on; `name` is for reports.
    pub fn new(name: impl Into<String>) -> Self {
        Tenant::of_text(name.into(), String::new())
    }

    /// A tenant that says nothing yet, and whose places will be those of `text`.
    fn of_text(name: String, text: String) -> Self {
        Tenant { name, text, customize_factors: None, enabled: None, facts: Vec::new() }
    }

    /// Says which factors are enabled, by their names in the catalog; all others are not.
    pub fn with_enabled_factors<N: Into<String>>(mut self, factors: impl IntoIterator<Item = N>) -> Self {
        let factors = factors.into_iter().map(|factor| unplaced(factor.into())).collect();
        self.enabled = Some(unplaced(factors));
        self.rewritten()
    }

    /// Says whether policies may choose factors.
    pub fn with_customize_factors(mut self, toggle: CustomizeFactors) -> Self {
        self.customize_factors = Some(unplaced(toggle));
        self.rewritten()
    }

    /// Says what a fact is where the event lacks it, as if the policy had declared this default.
    pub fn with_fact(mut self, fact: impl Into<String>, value: impl Into<TenantValue>) -> Self {
        let fact = fact.into();
        self.facts.retain(|other| other.fact.value != fact);
        self.facts.push(FactDefault {
            fact: unplaced(fact),
            value: unplaced(value.into()),
            elements: Vec::new(),
        });
        self.rewritten()
    }

    /// What it is called in reports: the file that it was read from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text that it was read from, or that it has written of itself, in the form of a `tenant.toml`.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Something whose place is not known before the text is written.
fn unplaced<T>(value: T) -> Placed<T> {
    Placed { value, place: 0..0 }
}

impl From<bool> for TenantValue {
    fn from(value: bool) -> Self {
        TenantValue::Bool(value)
    }
}

impl From<i64> for TenantValue {
    fn from(value: i64) -> Self {
        TenantValue::Int(value)
    }
}

impl From<&str> for TenantValue {
    fn from(value: &str) -> Self {
        TenantValue::Text(value.to_owned())
    }
}

impl From<String> for TenantValue {
    fn from(value: String) -> Self {
        TenantValue::Text(value)
    }
}

impl From<Timestamp> for TenantValue {
    fn from(value: Timestamp) -> Self {
        TenantValue::Time(value)
    }
}

impl<S: Into<String>> From<Vec<S>> for TenantValue {
    fn from(values: Vec<S>) -> Self {
        TenantValue::List(values.into_iter().map(Into::into).collect())
    }
}
