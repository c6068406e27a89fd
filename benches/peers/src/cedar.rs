//! Cedar: one request a login; the policies that permit it are the commands.

use std::collections::HashMap;

use cedar_policy::{
    Authorizer, Context, Entities, EntityUid, PolicyId, PolicySet, Request, RestrictedExpression,
};

use crate::inputs::Words;
use crate::policies::command_of;
use crate::{CHALLENGE, CHALLENGE_AND_ENROLL_KEY, Decide, ENROLL, ENROLL_TWICE, Login, Policy};

pub(crate) fn decide(policy: Policy, inputs: &[Words]) -> Decide {
    let permits = match policy {
        Policy::Action1 => vec![
            (ENROLL, when("!context.enrolled")),
            (ENROLL_TWICE - ENROLL, when("!context.enrolled && context.admin")),
            (CHALLENGE, when("context.enrolled")),
            (
                CHALLENGE_AND_ENROLL_KEY - CHALLENGE,
                when("context.enrolled && context.admin && !context.security_key"),
            ),
        ],
        // The scope, not a condition, names the application: Cedar's guide for policies about a resource.
        Policy::FiftyRules => (0..50)
            .map(|app| (command_of(app), format!("permit(principal, action, resource == App::\"{app}\");")))
            .collect(),
    };
    let text: Vec<String> = permits.iter().map(|(_, permit)| permit.clone()).collect();
    let policies: PolicySet = text.join("\n").parse().expect("it parses");
    let name = |place: usize| PolicyId::new(format!("policy{place}"));
    let commands: HashMap<PolicyId, u64> =
        permits.iter().enumerate().map(|(place, (command, _))| (name(place), *command)).collect();
    let requests: Vec<Request> = inputs.iter().map(|words| request(policy, words)).collect();
    let (authorizer, entities) = (Authorizer::new(), Entities::empty());
    Box::new(move |login| {
        let response = authorizer.is_authorized(&requests[login], &policies, &entities);
        response.diagnostics().reason().map(|policy| commands[policy]).sum()
    })
}

fn when(condition: &str) -> String {
    format!("permit(principal, action, resource) when {{ {condition} }};")
}

fn request(policy: Policy, words: &Words) -> Request {
    let entity = |text: String| text.parse::<EntityUid>().expect("it is a name");
    let (application, context) = match policy {
        Policy::Action1 => {
            let Login { enrolled, security_key, admin } = Login::of(words);
            let flags = [("enrolled", enrolled), ("security_key", security_key), ("admin", admin)];
            let flags = flags.map(|(name, flag)| (name.to_owned(), RestrictedExpression::new_bool(flag)));
            (0, Context::from_pairs(flags).expect("the names differ"))
        }
        Policy::FiftyRules => (words[0], Context::empty()),
    };
    let application = entity(format!("App::\"{application}\""));
    let (user, login) = (entity("User::\"someone\"".to_owned()), entity("Action::\"login\"".to_owned()));
    Request::new(user, login, application, context, None).expect("there is no schema to break")
}
