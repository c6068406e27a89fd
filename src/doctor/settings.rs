//! What the tenant has switched on.

use super::{Check, Line, TEXTS};
use crate::check::masks::{FactorMask, bit, factors};
use crate::check::policy::TypedPolicy;
use crate::check::{Asked, list_of};
use crate::tenant::export::Export;
use crate::tenant::{Switch, Tenant};

const TOGGLE: &str = "the toggle `Customize MFA Factors using Actions`";

/// The lines on the tenant's settings; none where the policy asks for nothing.
pub(super) fn lines(policy: &TypedPolicy, asked: &Asked, export: &Export) -> Vec<Line> {
    if asked.commands.is_empty() {
        return Vec::new();
    }
    let tenant = export.tenant();
    let mut lines = vec![toggle(tenant), login_pages(export), tenant_policy(export)];
    let catalog = &policy.catalog;
    let named = factors(catalog, asked.factors);
    lines.extend(named.map(|factor| is_enabled(&catalog.factors[factor].name, tenant)));
    for (factor, option) in asked.options.iter().copied() {
        let factor = &catalog.factors[factor];
        lines.extend(factor.options.get(option).map(|option| way(&factor.name, &option.name, tenant)));
    }
    let is_off = |name: &str| tenant.switch_of(name).is_some_and(|said| said.value == Switch::Off);
    let off: FactorMask = catalog
        .factors
        .iter()
        .filter(|(_, factor)| is_off(&factor.name))
        .fold(0, |mask, (factor, _)| mask | bit(factor));
    for offered in asked.commands.iter().filter(|offered| offered.named == 0 && offered.most != 0) {
        let names: Vec<&str> =
            factors(catalog, offered.most).map(|factor| catalog.factors[factor].name.as_str()).collect();
        if offered.most & !off == 0 {
            lines.push(nothing_usable(offered.word, &names));
        }
    }
    lines
}

fn toggle(tenant: &Tenant) -> Line {
    match &tenant.customize_factors {
        None => Line::not_in_the_export(Check::Toggle, None, format!("whether {TOGGLE} is on")),
        Some(toggle) if toggle.value == Switch::On => {
            Line::pass(Check::Toggle, None, format!("{TOGGLE} is on")).at(toggle.span(TEXTS))
        }
        Some(toggle) => {
            let finding = format!("{TOGGLE} is off, so the platform refuses the policy's commands");
            let repair = "switch it on under Security > Multi-factor Auth > Additional Settings";
            Line::fail(Check::Toggle, None, finding, repair).at(toggle.span(TEXTS))
        }
    }
}

fn login_pages(export: &Export) -> Line {
    match &export.login_pages {
        None => Line::not_in_the_export(Check::LoginPages, None, "whether the tenant has Universal Login"),
        Some(pages) if pages.value == "new" => {
            Line::pass(Check::LoginPages, None, "the tenant has Universal Login").at(pages.span(TEXTS))
        }
        Some(pages) => {
            let finding = format!("the login pages are `{}`, and commands need Universal Login", pages.value);
            let repair = "switch to Universal Login under Branding > Universal Login > Advanced Options";
            Line::fail(Check::LoginPages, None, finding, repair).at(pages.span(TEXTS))
        }
    }
}

fn tenant_policy(export: &Export) -> Line {
    let Some(policies) = &export.policies else {
        let wanted = "when the tenant asks for a second factor by itself";
        return Line::not_in_the_export(Check::TenantPolicy, None, wanted);
    };
    let names: Vec<&str> = policies.iter().map(|policy| policy.value.as_str()).collect();
    let finding = if names.is_empty() {
        "the tenant asks for no second factor by itself".to_owned()
    } else {
        format!(
            "the tenant asks for a second factor by itself ({}); where the policy has a command, that counts",
            list_of(&names)
        )
    };
    let line = Line::pass(Check::TenantPolicy, None, finding);
    match policies.first() {
        Some(first) => line.at(first.span(TEXTS)),
        None => line,
    }
}

fn is_enabled(name: &str, tenant: &Tenant) -> Line {
    let (check, about) = (Check::Factor, Some(name));
    let Some(switch) = tenant.switch_of(name) else {
        return Line::not_in_the_export(check, about, format!("whether `{name}` is enabled"));
    };
    let line = match switch.value {
        Switch::On => Line::pass(check, about, format!("`{name}` is enabled")),
        Switch::Off => {
            let finding = format!("`{name}` is not enabled, and the policy asks for it");
            let repair = "enable it under Security > Multi-factor Auth, or take it out of the policy";
            Line::fail(check, about, finding, repair)
        }
    };
    line.at(switch.span(TEXTS))
}

fn way(factor: &str, option: &str, tenant: &Tenant) -> Line {
    let (check, about) = (Check::Option, Some(factor));
    let Some(switch) = tenant.switch_of_option(factor, option) else {
        let wanted = format!("whether `{option}` of `{factor}` is enabled");
        return Line::not_in_the_export(check, about, wanted);
    };
    let line = match switch.value {
        Switch::On => Line::pass(check, about, format!("`{option}` of `{factor}` is enabled")),
        Switch::Off => {
            let finding = format!("`{option}` of `{factor}` is not enabled, and the policy asks for it");
            let repair = format!(
                "enable it under Security > Multi-factor Auth, in the settings of `{factor}`, or ask in another way"
            );
            Line::fail(check, about, finding, repair)
        }
    };
    line.at(switch.span(TEXTS))
}

fn nothing_usable(command: &str, names: &[&str]) -> Line {
    let finding = format!("nothing is enabled that a `{command}` can offer ({})", list_of(names));
    let repair = "enable a factor under Security > Multi-factor Auth";
    Line::fail(Check::Factor, None, finding, repair)
}
