//! A tenant: what it has switched on, and what facts are where its events lack them.
//!
//! The idea: all that a tenant says has a place in one of its texts, so that every report can point at it. They are
//! the files which it was read from ([`toml`] is one, an [`export`] is many), or, for a [`Tenant`] that a host builds
//! in Rust, the text that it [writes](write) of itself. Names are only names here: the checker holds them to the
//! catalog and the declarations. It knows places in texts and reports, and nothing of the language.

pub(crate) mod export;
#[cfg(feature = "tenant-toml")]
pub(crate) mod toml;
mod write;

use jiff::Timestamp;
pub(crate) use write::quoted;

use crate::source::{FileId, Sources, Span};

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
    /// Places are places in these.
    texts: Sources,
    pub(crate) form: Form,
    /// The toggle "Customize MFA Factors using Actions": without it the platform runs no command as a policy gives it.
    pub(crate) customize_factors: Option<Placed<Switch>>,
    /// What is said of each factor.
    pub(crate) factors: Vec<FactorSwitch>,
    /// The list that says of all other factors that they are off; without one they are on.
    pub(crate) others_off: Option<Span>,
    /// What is said of options of factors.
    pub(crate) options: Vec<OptionSwitch>,
    pub(crate) facts: Vec<FactDefault>,
}

/// Whether a tenant has something switched on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the type says it")]
pub enum Switch {
    On,
    Off,
}

/// What a tenant was read from: where a person mends what is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// A text that a person writes.
    Written,
    /// The Deploy CLI's export, a picture of the tenant.
    Export,
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

/// Something a tenant says, and where in its texts.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    place: Span,
}

impl<T> Placed<T> {
    pub(crate) fn new(value: T, place: Span) -> Self {
        Placed { value, place }
    }

    /// Its place, where the tenant's texts are the files of a compile from `first` on.
    pub(crate) fn span(&self, first: FileId) -> Span {
        self.place.from(first)
    }
}

/// What a tenant says of a factor.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct FactorSwitch {
    /// Its name, as the catalog has it.
    pub(crate) factor: Placed<String>,
    pub(crate) switch: Placed<Switch>,
}

/// What a tenant says of an option of a factor.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct OptionSwitch {
    pub(crate) factor: String,
    pub(crate) option: String,
    pub(crate) switch: Placed<Switch>,
}

/// What a fact is where the event lacks it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct FactDefault {
    pub(crate) fact: Placed<String>,
    pub(crate) value: Placed<TenantValue>,
    /// The places of a list's elements.
    pub(crate) elements: Vec<Placed<()>>,
}

impl Tenant {
    /// A tenant that has everything switched on; `name` is for reports.
    pub fn new(name: impl Into<String>) -> Self {
        Tenant::of_texts(name.into(), Sources::new(), Form::Written).rewritten()
    }

    /// A tenant that says nothing yet, and whose places will be those of `texts`.
    fn of_texts(name: String, texts: Sources, form: Form) -> Self {
        Tenant {
            name,
            texts,
            form,
            customize_factors: None,
            factors: Vec::new(),
            others_off: None,
            options: Vec::new(),
            facts: Vec::new(),
        }
    }

    /// Says which factors are enabled, by their names in the catalog; all others are not.
    pub fn with_enabled_factors<N: Into<String>>(mut self, factors: impl IntoIterator<Item = N>) -> Self {
        let on = |factor: N| FactorSwitch { factor: unplaced(factor.into()), switch: unplaced(Switch::On) };
        self.factors = factors.into_iter().map(on).collect();
        self.others_off = Some(Span::FIRST);
        self.rewritten()
    }

    /// Says whether policies may choose factors: the toggle "Customize MFA Factors using Actions".
    pub fn with_customize_factors(mut self, toggle: Switch) -> Self {
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

    /// What it is called in reports: what it was read from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is said of a factor itself.
    pub(crate) fn switch_of(&self, factor: &str) -> Option<&Placed<Switch>> {
        self.factors.iter().rfind(|said| said.factor.value == factor).map(|said| &said.switch)
    }

    /// What is said of an option of a factor.
    pub(crate) fn switch_of_option(&self, factor: &str, option: &str) -> Option<&Placed<Switch>> {
        let said = self.options.iter().find(|said| said.factor == factor && said.option == option);
        said.map(|said| &said.switch)
    }

    /// The texts that it was read from; or the one that it has written of itself, in the form of a `tenant.toml`.
    pub fn texts(&self) -> &Sources {
        &self.texts
    }
}

/// Something whose place is not known before the text is written.
fn unplaced<T>(value: T) -> Placed<T> {
    Placed { value, place: Span::FIRST }
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
