//! What an Action does: commands, denials, returns, and what is left out.

use stepup::import::{Comparison, Imported, import};

fn imported(body: &str) -> Imported {
    import([("action.js", format!("exports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};\n"))])
}

/// The statements of the step.
#[track_caller]
fn becomes(body: &str, wanted: &str) {
    let mut imported = imported(body);
    assert!(!imported.report.has_errors(), "{}", imported.report);
    let policy = imported.policy.clone().unwrap_or_default();
    let (_, step) = policy.split_once("step action {\n").unwrap_or_default();
    let step: Vec<&str> = step.trim_end().trim_end_matches('}').lines().map(|line| line.trim()).collect();
    match imported.compare(300) {
        Comparison::Run(agreement) if agreement.difference.is_none() => {}
        Comparison::NotCompiled(report) => panic!("{policy}\n{report}"),
        _ => panic!("{policy}\n{}", imported.report),
    }
    let wanted: Vec<&str> = wanted.trim().lines().map(str::trim).collect();
    assert_eq!(step, wanted, "{policy}");
}

#[track_caller]
fn says(body: &str, code: &str, what: &str) {
    let imported = imported(body);
    let reports = imported.report.diagnostics();
    assert!(
        reports.iter().any(|report| report.code.name() == code && report.message.contains(what)),
        "{}",
        imported.report
    );
}

const A: &str = "event.client.client_id === 'a'";
const B: &str = "event.client.client_id === 'b'";

#[test]
fn the_four_commands_have_their_statements() {
    becomes("api.authentication.challengeWith({ type: 'otp' });", "challenge otp");
    becomes(
        "api.authentication.enrollWith({ type: 'phone', options: { preferredMethod: 'sms' } }, { additionalFactors: [{ type: 'otp' }] });",
        "enroll phone(sms) or otp",
    );
    becomes(
        "api.authentication.challengeWithAny([{ type: 'otp' }, { type: 'email' }]);",
        "challenge any of [otp, email]",
    );
    becomes("api.authentication.enrollWithAny([{ type: 'otp' }]);", "enroll any of [otp]");
    becomes(
        "api.authentication.challengeWithAny((event.user.enrolledFactors ?? []).map(f => ({ type: f.type })));",
        "challenge any of enrolled",
    );
}

#[test]
fn a_list_that_is_put_together_is_taken_apart() {
    becomes(
        &format!(
            "const factors = [{{ type: 'otp' }}];\nif ({A}) factors.push({{ type: 'phone' }});\napi.authentication.challengeWithAny(factors);"
        ),
        "if client.id == \"a\" then challenge any of [otp, phone] else challenge any of [otp]",
    );
    becomes(
        &format!(
            "api.authentication.challengeWithAny([{{ type: 'otp' }}, ...({A} ? [{{ type: 'phone' }}] : [])]);"
        ),
        "if client.id == \"a\" then challenge any of [otp, phone] else challenge any of [otp]",
    );
    becomes(
        &format!("api.authentication.challengeWith({A} ? {{ type: 'otp' }} : {{ type: 'phone' }});"),
        "if client.id == \"a\" then challenge otp else challenge phone",
    );
}

#[test]
fn a_return_ends_the_step_and_a_denial_too() {
    becomes(
        &format!("if ({A}) return;\napi.authentication.challengeWith({{ type: 'otp' }});"),
        "if client.id == \"a\" then stop\nchallenge otp",
    );
    becomes(
        &format!(
            "if ({A}) {{ api.access.deny('no'); }}\napi.authentication.challengeWith({{ type: 'otp' }});"
        ),
        "if client.id == \"a\" then deny \"no\"\nchallenge otp",
    );
    becomes(&format!("{A} && api.access.deny('no');"), "if client.id == \"a\" then deny \"no\"");
}

#[test]
fn a_return_of_a_function_ends_that_function_alone() {
    becomes(
        &format!(
            "function ask() {{\n  if ({A}) return;\n  api.authentication.challengeWith({{ type: 'otp' }});\n}}\nask();\nif ({B}) api.access.deny('no');"
        ),
        "if client.id != \"a\" then challenge otp\nif client.id == \"b\" then deny \"no\"",
    );
}

#[test]
fn what_a_function_gives_back_is_followed() {
    becomes(
        &format!(
            "const level = () => {{\n  if ({A}) return 'high';\n  switch (event.connection.strategy) {{\n    case 'samlp': return 'low';\n    default: return 'none';\n  }}\n}};\n\
             if (level() === 'high') api.authentication.challengeWith({{ type: 'otp' }});\nelse if (level() === 'low') api.access.deny('no');"
        ),
        "if client.id == \"a\" then challenge otp\nelse if client.id != \"a\" and connection.strategy == \"samlp\" then deny \"no\"",
    );
}

#[test]
fn a_variable_that_changes_is_followed() {
    becomes(
        &format!(
            "let ask = false;\nif ({A}) ask = true;\nelse if ({B}) {{ ask = event.user.email_verified; }}\nif (ask) api.access.deny('no');"
        ),
        "if client.id == \"a\" or client.id == \"b\" and user.email_verified then deny \"no\"",
    );
    becomes(
        &format!("let ask = true;\nif ({A}) {{ ask = false; return; }}\nif (ask) api.access.deny('no');"),
        "if client.id == \"a\" then stop\ndeny \"no\"",
    );
}

#[test]
fn cases_fall_into_one_another_up_to_a_break() {
    becomes(
        "switch (event.client.client_id) {\n  case 'a':\n    api.authentication.challengeWith({ type: 'otp' });\n  case 'b':\n    api.authentication.challengeWith({ type: 'phone' });\n    break;\n  default:\n    api.access.deny('no');\n}",
        "if client.id == \"a\" {\nchallenge otp\nchallenge phone\n} else if client.id == \"b\" then challenge phone\nelse deny \"no\"",
    );
}

#[test]
fn a_loop_over_what_is_written_down_is_unrolled() {
    becomes(
        "for (const id of ['a', 'b']) {\n  if (event.client.client_id === id) api.access.deny(`no ${id}`);\n}",
        "if client.id == \"a\" then deny \"no a\"\nif client.id == \"b\" then deny \"no b\"",
    );
    becomes(
        "let found = false;\nfor (const factor of event.user.enrolledFactors || []) {\n  if (factor.type === 'otp') found = true;\n}\nif (!found) api.access.deny('no');",
        "if not enrolled(otp) then deny \"no\"",
    );
}

#[test]
fn conditions_keep_their_names() {
    becomes(
        &format!(
            "const isA = {A};\nconst isB = {B};\nif (isA || isB) api.access.deny('no');\nconst unused = {A};"
        ),
        "let isA = client.id == \"a\"\nlet isB = client.id == \"b\"\nif isA or isB then deny \"no\"",
    );
}

#[test]
fn what_prints_is_left_out_and_what_sets_tokens_is_said() {
    becomes(
        "console.log('hello', event.user.user_id);\napi.authentication.challengeWith({ type: 'otp' });",
        "challenge otp",
    );
    says("api.idToken.setCustomClaim('x', 1);", "W0906", "`api.idToken.setCustomClaim`");
}

#[test]
fn what_acts_on_others_is_not_understood() {
    says("api.user.setAppMetadata('x', 1);", "E0904", "`api.user.setAppMetadata`");
    says("await fetch('https://example.com');", "E0904", "a call over the network");
    says("throw new Error('no');", "E0904", "a `throw`");
    says("api.access.deny(`no, ${event.user.email}`);", "E0904", "a reason that is put together");
    says("api.authentication.enrollWith({ type: 'email' });", "E0904", "an enrollment of `email`");
    says("api.authentication.challengeWithAny(['otp']);", "E0904", "the name of a factor");
    says(
        "api.authentication.challengeWith({ type: event.user.app_metadata.factor });",
        "E0904",
        "a factor that is read from the event",
    );
}

#[test]
fn what_depends_on_something_left_out_is_left_out_too() {
    let imported = imported(
        "let score = 0;\nscore = await fetch('https://example.com');\nif (score > 5) api.access.deny('no');",
    );
    assert_eq!(
        imported.report.diagnostics().iter().filter(|report| report.code.name() == "E0904").count(),
        2,
        "{}",
        imported.report
    );
    assert!(!imported.policy.unwrap_or_default().contains("\n  deny"));
}

#[test]
fn a_policy_is_what_it_was_understood_to_be_with_its_comments() {
    let policy = imported("// above\nif (event.organization) { // behind\n  // inside\n  api.access.deny('no'); // beside\n  // below\n}\n// last").policy.unwrap_or_default();
    for comment in ["above", "behind", "inside", "beside", "below", "last"] {
        assert_eq!(policy.matches(&format!("// {comment}\n")).count(), 1, "{comment} in\n{policy}");
    }
}
