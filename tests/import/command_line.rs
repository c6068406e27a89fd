//! `stepup import auth0` as a process.

use std::fs;

use super::support::{folder, stepup_in};

const GOOD: &str = "exports.onExecutePostLogin = async (event, api) => {
  if (event.authorization?.roles?.includes('admin')) {
    api.authentication.challengeWithAny([{ type: 'otp' }, { type: 'phone' }]);
  }
};
";

const ASKS: &str = "exports.onExecutePostLogin = async (event, api) => {
  if (await fetch('https://example.com')) api.access.deny('no');
};
";

#[test]
fn an_import_is_written_and_says_on_how_many_logins_it_agrees() {
    let here = folder("import-good", &[("admins.js", GOOD)]);
    let ran = stepup_in(&here, &["import", "auth0", "admins.js", "-o", "policy.stepup", "--logins", "100"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(
        ran.stdout.starts_with("`policy.stepup`: the Action and the policy agree on 1"),
        "{}",
        ran.stdout
    );
    let policy = fs::read_to_string(here.join("policy.stepup")).expect("it was written");
    assert!(
        policy.contains("if user.roles contains \"admin\" then challenge any of [otp, phone]"),
        "{policy}"
    );
    assert_eq!(stepup_in(&here, &["fmt", "--check", "policy.stepup"]).code, 0);
}

#[test]
fn an_import_that_leaves_something_out_is_written_and_exits_with_1() {
    let here = folder("import-asks", &[("asks.js", ASKS)]);
    let ran = stepup_in(&here, &["import", "auth0", "asks.js", "-o", "policy.stepup"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("E0904") && ran.stderr.contains("asks.js:2:"), "{}", ran.stderr);
    let policy = fs::read_to_string(here.join("policy.stepup")).expect("it was written");
    assert!(policy.contains("// LEFT OUT, not understood"), "{policy}");
}

#[test]
fn a_policy_that_is_there_stays_without_force() {
    let here = folder("import-force", &[("admins.js", GOOD), ("policy.stepup", "mine")]);
    let ran = stepup_in(&here, &["import", "auth0", "admins.js", "-o", "policy.stepup"]);
    assert_eq!(ran.code, 2);
    assert_eq!(fs::read_to_string(here.join("policy.stepup")).expect("it is there"), "mine");
    let ran = stepup_in(&here, &["import", "auth0", "admins.js", "-o", "policy.stepup", "--force"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_ne!(fs::read_to_string(here.join("policy.stepup")).expect("it is there"), "mine");
}

#[test]
fn nothing_is_written_where_nothing_can_be_read() {
    let here = folder("import-none", &[("broken.js", "exports.onExecutePostLogin = (")]);
    for (arguments, code) in [("broken.js", 1), ("missing.js", 2)] {
        let ran = stepup_in(&here, &["import", "auth0", arguments, "-o", "policy.stepup"]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
    }
    let left: Vec<_> =
        fs::read_dir(&here).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["broken.js"]);
}

#[test]
fn an_import_to_where_nothing_can_be_written_is_told() {
    let here = folder("import-nowhere", &[("admins.js", GOOD)]);
    let ran =
        stepup_in(&here, &["import", "auth0", "admins.js", "-o", "no/such/folder.stepup", "--logins", "1"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("can't be written"), "{}", ran.stderr);
}

#[test]
fn a_fifth_command_of_an_action_is_a_finding() {
    let command = "api.authentication.challengeWith({ type: 'otp' });\n".repeat(5);
    let code = format!("exports.onExecutePostLogin = async (event, api) => {{\n{command}}};\n");
    let here = folder("import-five", &[("five.js", &code)]);
    let ran = stepup_in(&here, &["import", "auth0", "five.js", "-o", "policy.stepup"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("E0501"), "{}", ran.stderr);
}
