//! The two Actions of Auth0's "Customize MFA enrollments", as they stand on its page, beside the policy that says the same:
//! the harness, held to code that nobody here wrote.

use serde_json::{Value as Json, json};
use stepup::Compiler;
use stepup::backend::auth0::{Action, Emitted};

use super::common::choices::Choices;
use super::common::events::NOON;
use super::flow::Emission;
use super::reference::Reference;

#[test]
fn the_seeds_actions_call_what_their_policy_decides() {
    let text = include_str!("../../examples/admins.stepup");
    let compiled = Compiler::new().compile([("admins.stepup", text)]).unwrap();
    let action = |name: &str, code: &str| Action { name: name.to_owned(), code: code.to_owned() };
    let actions = vec![
        action("enroll", include_str!("seed/enroll.js")),
        action("verify", include_str!("seed/verify.js")),
    ];
    let emission = Emission::new("the seed", &Emitted { actions }, Reference::of(&compiled));
    // In the catalog's order: the page's Action keeps the event's, the policy's set has none.
    let factors = ["otp", "phone", "webauthn-roaming"];
    for case in 0..=u8::MAX {
        let enrolled: Vec<Json> = factors
            .iter()
            .enumerate()
            .filter(|(place, _)| case >> place & 1 != 0)
            .map(|(_, factor)| json!({"type": factor}))
            .collect();
        // The page's Actions take it for granted that all of this is there.
        let event = json!({
            "user": {"app_metadata": {"isAdmin": case >> 3 & 1 != 0}, "enrolledFactors": enrolled},
            "authentication": {"methods": [{"name": "pwd", "timestamp": "2026-01-31T11:59:58Z"}]},
        });
        emission.play(&event, NOON, &mut Choices(&[case >> 4, case >> 6, case >> 5, case >> 4]));
    }
}
