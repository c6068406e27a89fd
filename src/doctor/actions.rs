//! The Actions of the policy's steps: whether they are there, deployed, current, and what the policy emits.

use super::code::{Drift, drift};
use super::{Check, Line, TEXTS};
use crate::backend::auth0::{Action, RUNTIME, TRIGGER_VERSION};
use crate::tenant::export::{Export, ExportedAction, Version};

const DEPLOY: &str = "emit the policy with `stepup emit auth0`, and import the folder with the Deploy CLI";
const LIBRARY: &str = "Actions > Library > Custom";

/// The lines on each Action of the policy.
pub(super) fn lines(expected: &[Action], export: &Export) -> Vec<Line> {
    let Some(actions) = &export.actions else {
        return vec![Line::not_in_the_export(Check::Action, None, "the Actions of the policy's steps")];
    };
    expected.iter().flat_map(|wanted| action(wanted, actions, export)).collect()
}

fn action(wanted: &Action, actions: &[ExportedAction], export: &Export) -> Vec<Line> {
    let name = wanted.name.as_str();
    let Some(found) = actions.iter().find(|action| action.name.value == name) else {
        let finding = format!("the tenant has no Action `{name}`, so this step never runs");
        return vec![Line::fail(Check::Action, Some(name), finding, DEPLOY)];
    };
    vec![
        Line::pass(Check::Action, Some(name), format!("the tenant has the Action `{name}`"))
            .at(found.name.span(TEXTS)),
        deployed(name, found),
        code(wanted, found, export),
        runtime(name, found),
        trigger_version(name, found),
    ]
}

fn deployed(name: &str, found: &ExportedAction) -> Line {
    let check = Check::Deployed;
    if let Some(status) = found.status.as_ref().filter(|status| status.value != "built") {
        let finding = format!("the Action `{name}` is not built: its status is `{}`", status.value);
        let repair = format!("look at it under {LIBRARY}, then deploy it");
        return Line::fail(check, Some(name), finding, repair).at(status.span(TEXTS));
    }
    match &found.deployed {
        None => {
            Line::not_in_the_export(check, Some(name), format!("whether the Action `{name}` is deployed"))
        }
        Some(deployed) if deployed.value => {
            Line::pass(check, Some(name), format!("the Action `{name}` is deployed")).at(deployed.span(TEXTS))
        }
        Some(deployed) => {
            let finding = format!("the Action `{name}` is saved, and not deployed: older code runs, or none");
            Line::fail(check, Some(name), finding, format!("deploy it under {LIBRARY}"))
                .at(deployed.span(TEXTS))
        }
    }
}

fn code(wanted: &Action, found: &ExportedAction, export: &Export) -> Line {
    let (check, name) = (Check::Code, wanted.name.as_str());
    let Some(file) = found.code else {
        return Line::not_in_the_export(check, Some(name), format!("the code of the Action `{name}`"));
    };
    let drift = drift(export.texts().file(file).text(), &wanted.code);
    let (finding, place) = drift.tell(name, file);
    let line = match drift {
        Drift::None | Drift::OnlyInOrigin { .. } => Line::pass(check, Some(name), finding),
        Drift::ByHand { .. } => {
            let repair = "say it in the policy, and emit it again; or import what the policy emits now";
            Line::fail(check, Some(name), finding, repair)
        }
        Drift::NotEmitted | Drift::OtherVersion { .. } | Drift::OtherPolicy { .. } => {
            Line::fail(check, Some(name), finding, DEPLOY)
        }
    };
    line.at(place)
}

fn runtime(name: &str, found: &ExportedAction) -> Line {
    let check = Check::Runtime;
    match &found.runtime {
        None => Line::not_in_the_export(check, Some(name), format!("what the Action `{name}` runs on")),
        // An older export may add to it what it is the runtime of.
        Some(runtime) if runtime.value.split('-').next() == Some(RUNTIME) => {
            Line::pass(check, Some(name), format!("the Action `{name}` runs on `{RUNTIME}`"))
                .at(runtime.span(TEXTS))
        }
        Some(runtime) => {
            let finding =
                format!("the Action `{name}` runs on `{}`, and its code is for `{RUNTIME}`", runtime.value);
            let repair =
                format!("update it under {LIBRARY}, or write `\"runtime\": \"{RUNTIME}\"` and import");
            Line::fail(check, Some(name), finding, repair).at(runtime.span(TEXTS))
        }
    }
}

fn trigger_version(name: &str, found: &ExportedAction) -> Line {
    let check = Check::TriggerVersion;
    match &found.post_login {
        Version::Unsaid => Line::not_in_the_export(
            check,
            Some(name),
            format!("the version of the trigger that the Action `{name}` is for"),
        ),
        Version::Said(version) if version.value == TRIGGER_VERSION => {
            let finding = format!("the Action `{name}` is for version `{TRIGGER_VERSION}` of the trigger");
            Line::pass(check, Some(name), finding).at(version.span(TEXTS))
        }
        Version::Said(version) => {
            let finding = format!(
                "the Action `{name}` is for version `{}` of the trigger, and the current one is \
                 `{TRIGGER_VERSION}`",
                version.value
            );
            let repair = format!("update it under {LIBRARY}, or write `{TRIGGER_VERSION}` and import");
            Line::fail(check, Some(name), finding, repair).at(version.span(TEXTS))
        }
        Version::NotSupported => {
            let finding = format!("the Action `{name}` is not for the `post-login` trigger");
            Line::fail(check, Some(name), finding, DEPLOY).at(found.name.span(TEXTS))
        }
    }
}
