//! The login flow: whether it runs the policy's Actions, in order, and what else asks for factors in it.

use std::collections::BTreeSet;

use super::{Check, Line, TEXTS, Verdict};
use crate::backend::auth0::Action;
use crate::check::{Asked, list_of};
use crate::source::FileId;
use crate::tenant::Placed;
use crate::tenant::export::Export;
use crate::trace::MAX_COMMANDS;

const FLOW: &str = "Actions > Triggers > post-login";

/// What counts against the four commands of a login.
const COMMANDS: [&str; 4] = ["challengeWith", "challengeWithAny", "enrollWith", "enrollWithAny"];

/// The lines on the login flow.
pub(super) fn lines(expected: &[Action], asked: &Asked, export: &Export) -> Vec<Line> {
    let Some(bound) = &export.bound else {
        let wanted = "which Actions the login flow runs, and in which order";
        return vec![Line::not_in_the_export(Check::Bound, None, wanted)];
    };
    let mut lines: Vec<Line> = expected.iter().map(|action| is_bound(&action.name, bound)).collect();
    lines.extend(order(expected, bound));
    let mut told = BTreeSet::new();
    for other in bound {
        let is_ours = expected.iter().any(|action| action.name == other.value);
        if !is_ours && told.insert(&other.value) {
            lines.extend(other_action(other, asked, export));
        }
    }
    lines
}

fn is_bound(name: &str, bound: &[Placed<String>]) -> Line {
    let mut places = bound.iter().filter(|binding| binding.value == name);
    match (places.next(), places.next()) {
        (None, _) => {
            let finding = format!("the login flow doesn't run the Action `{name}`");
            Line::fail(Check::Bound, Some(name), finding, format!("add it under {FLOW}"))
        }
        (Some(only), None) => {
            Line::pass(Check::Bound, Some(name), format!("the login flow runs the Action `{name}`"))
                .at(only.span(TEXTS))
        }
        (Some(_), Some(second)) => {
            let finding = format!("the login flow runs the Action `{name}` more than once");
            Line::fail(Check::Bound, Some(name), finding, format!("remove it once under {FLOW}"))
                .at(second.span(TEXTS))
        }
    }
}

/// The line on the order of several Actions; what else stands between them is named.
fn order(expected: &[Action], bound: &[Placed<String>]) -> Option<Line> {
    let position = |action: &&Action| bound.iter().position(|binding| binding.value == action.name);
    let places: Vec<(&str, usize)> =
        expected.iter().filter_map(|action| Some((action.name.as_str(), position(&action)?))).collect();
    let (first, last) = (places.first()?, places.last()?);
    if places.len() < 2 {
        return None;
    }
    if let Some([(early, _), (late, at)]) =
        places.windows(2).find(|pair| matches!(pair, [(_, a), (_, b)] if a > b))
    {
        let finding = format!("the login flow runs `{late}` before `{early}`, and the policy after it");
        let line = Line::fail(Check::Order, None, finding, format!("change their order under {FLOW}"));
        return Some(match bound.get(*at) {
            Some(binding) => line.at(binding.span(TEXTS)),
            None => line,
        });
    }
    let between =
        bound.get(first.1..=last.1).unwrap_or_default().iter().map(|binding| binding.value.as_str());
    let others: Vec<&str> = between.filter(|name| places.iter().all(|(own, _)| own != name)).collect();
    let others =
        if others.is_empty() { String::new() } else { format!(", with {} between them", list_of(&others)) };
    Some(Line::pass(Check::Order, None, format!("the login flow runs them in the policy's order{others}")))
}

/// The line on an Action that is not of the policy.
fn other_action(binding: &Placed<String>, asked: &Asked, export: &Export) -> Option<Line> {
    let (check, name) = (Check::OtherActions, binding.value.as_str());
    let actions = export.actions.as_ref()?;
    let code = actions.iter().find(|action| action.name.value == name).and_then(|action| action.code);
    let Some(code) = code else {
        let wanted = format!("whether the Action `{name}`, which is not the policy's, asks for factors too");
        return Some(Line::not_in_the_export(check, Some(name), wanted));
    };
    let commands = commands_in(export, code);
    if commands.is_empty() {
        let finding = format!("the Action `{name}`, which is not the policy's, asks for no factor");
        return Some(Line::pass(check, Some(name), finding).at(binding.span(TEXTS)));
    }
    let finding = format!(
        "the Action `{name}`, which is not the policy's, has {} in its code; of the four commands of a login the policy \
         takes up to {}, and the proof doesn't know the others",
        list_of(&commands),
        asked.at_most.min(MAX_COMMANDS)
    );
    let advice = "say in the policy what it does (`stepup import auth0` helps), and take it out of the flow";
    let verdict = Verdict::Warning { advice: advice.to_owned() };
    Some(Line::new(check, Some(name), verdict, finding).at(binding.span(TEXTS)))
}

/// The commands whose names stand in a code, be it in a comment: a call that is missed is worse than one too many.
fn commands_in(export: &Export, code: FileId) -> Vec<&'static str> {
    let text = export.texts().file(code).text();
    let words: BTreeSet<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    COMMANDS.into_iter().filter(|command| words.contains(command)).collect()
}
