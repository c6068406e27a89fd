//! What a policy is compiled for: the toggle, the factors, and the ways of the phone.

use super::{Placed, Reader};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Sources;
use crate::tenant::{FactorSwitch, Form, OptionSwitch, Switch, Tenant};

/// The tenant's setting behind the toggle "Customize MFA Factors using Actions".
const TOGGLE: &str = "customize_mfa_in_postlogin_action";

/// What the platform calls `sms` where a tenant switches it on is `phone` where a command asks for it.
const PHONE: (&str, &str) = ("sms", "phone");

/// The options of `phone`, each with the message types that it needs.
const PHONE_OPTIONS: [(&str, &[&str]); 3] =
    [("sms", &["sms"]), ("voice", &["voice"]), ("both", &["sms", "voice"])];

impl Reader<'_> {
    pub(super) fn tenant(&mut self) -> Tenant {
        // The texts are given to it once all of the export has been read.
        let mut tenant = Tenant::of_texts(self.name.to_owned(), Sources::new(), Form::Export);
        tenant.customize_factors = self.toggle();
        for path in self.json_files("guardian/factors").unwrap_or_default() {
            let read = self.factor(&path);
            tenant.factors.extend(read);
        }
        self.report_factors_of_two_files(&tenant.factors);
        tenant.options = self.phone_options().unwrap_or_default();
        tenant
    }

    fn toggle(&mut self) -> Option<Placed<Switch>> {
        let (file, text) = self.json("tenant.json")?;
        let settings = self.members(file, &text)?;
        self.bool(&settings, TOGGLE).map(switch)
    }

    fn factor(&mut self, path: &str) -> Option<FactorSwitch> {
        let (file, text) = self.json(path)?;
        let factor = self.members(file, &text)?;
        // The Deploy CLI passes over such a file, too.
        if factor.is_empty() {
            return None;
        }
        if factor.get("name").is_none() {
            let message = "the file of a factor has its `name`, and this has none";
            self.reports.push(Diagnostic::error(Code::E0110, factor.whole.span(), message));
        }
        let mut name = self.string(&factor, "name")?;
        if name.value == PHONE.0 {
            name.value = PHONE.1.to_owned();
        }
        let switch = switch(self.bool(&factor, "enabled")?);
        Some(FactorSwitch { factor: name, switch })
    }

    fn report_factors_of_two_files(&mut self, factors: &[FactorSwitch]) {
        for (position, said) in factors.iter().enumerate() {
            let name = &said.factor.value;
            let before = factors.iter().take(position).find(|other| other.factor.value == *name);
            if let Some(first) = before {
                let message = format!("two files say whether `{name}` is enabled");
                let report = Diagnostic::error(Code::E0405, said.factor.place, message);
                self.reports
                    .push(report.label(first.factor.place, "the other").help("export the tenant again"));
            }
        }
    }

    /// The options of `phone`: each needs ways of sending a code that the tenant has enabled.
    fn phone_options(&mut self) -> Option<Vec<OptionSwitch>> {
        let (file, text) = self.json("guardian/phoneFactorMessageTypes.json")?;
        let members = self.members(file, &text)?;
        // The Management API has the first; the Deploy CLI's own example the second.
        let key = ["message_types", "message-types"].into_iter().find(|key| members.get(key).is_some())?;
        let place = members.get(key)?.span();
        let enabled = self.strings(&members, key)?;
        let is_enabled = |wanted: &&str| enabled.iter().any(|way| way.value == **wanted);
        let options = PHONE_OPTIONS.iter().map(|(option, ways)| {
            let switch = if ways.iter().all(&is_enabled) { Switch::On } else { Switch::Off };
            let (factor, option) = (PHONE.1.to_owned(), (*option).to_owned());
            OptionSwitch { factor, option, switch: Placed::new(switch, place) }
        });
        Some(options.collect())
    }

    pub(super) fn policies(&mut self) -> Option<Vec<Placed<String>>> {
        let (file, text) = self.json("guardian/policies.json")?;
        let members = self.members(file, &text)?;
        self.strings(&members, "policies")
    }
}

fn switch(enabled: Placed<bool>) -> Placed<Switch> {
    Placed::new(if enabled.value { Switch::On } else { Switch::Off }, enabled.place)
}
