//! The seed's policy for many tenants, each with a fact, a window and factors of its own.

use stepup::jiff::Timestamp;
use stepup::{Compiler, Engine, Facts, Policy};

/// The policy of the tenant of a number.
pub(crate) fn text(tenant: usize) -> String {
    let factor = ["otp", "push-notification", "phone", "webauthn-platform"][tenant % 4];
    let seconds = 5 + tenant / 4 % 3_600;
    format!(
        r#"fact user.isAdmin: bool = event.user.app_metadata.admin_of_{tenant} default false

step enroll {{
  if enrolled is empty {{
    enroll any of [webauthn-roaming, {factor}]
    if user.isAdmin then enroll any of [webauthn-roaming, {factor}]
  }} else {{
    challenge any of enrolled
    if user.isAdmin and not enrolled(webauthn-roaming) then enroll webauthn-roaming
  }}
}}

step verify {{
  if user.isAdmin {{
    if not performed(webauthn-roaming) within {seconds}s then challenge webauthn-roaming
    else if not performed({factor}) within {seconds}s then challenge {factor}
  }}
}}
"#
    )
}

/// The policy, in machine code.
pub(crate) fn compiled(compiler: &Compiler, tenant: usize) -> Policy {
    let compiled = compiler.compile([("policy.stepup", text(tenant))]).expect("the policy is well formed");
    assert_eq!(compiled.policy.engine(), Engine::Native, "this host has machine code");
    compiled.policy
}

/// Facts of the policy for the login of a number: an admin or not, with a factor or without.
pub(crate) fn facts_of(policy: &Policy, login: usize) -> Facts {
    let mut facts = policy.facts();
    let admin = policy.slot::<bool>("user.isAdmin").expect("the fact is a bool");
    facts.set(&admin, login & 1 == 1).expect("the slot is the policy's");
    facts.set_enrolled(if login & 2 == 0 { &[] } else { &["otp"] });
    facts.set_performed(&[]);
    facts.set_now(Timestamp::UNIX_EPOCH);
    facts
}
