//! Written flows, through the front door.

use std::path::Path;

use stepup::Compiler;
use stepup::flow::compare::{CompareError, Comparison, Detail};

/// The flow of the project's first scenario.
const SEED: &str = include_str!("../support/seed.stepup");

fn compared(old: &str, new: &str, detail: Detail) -> Result<Comparison, CompareError> {
    let compiler = Compiler::new();
    let old = compiler.compile([("old.stepup", old)]).unwrap();
    let new = compiler.compile([("new.stepup", new)]).unwrap();
    compiler.compare(&old, &new, detail)
}

fn diff(old: &str, new: &str) -> Comparison {
    compared(old, new, Detail::Visible).unwrap()
}

/// The conditions, `was` and `now` of the only class.
fn only_class(old: &str, new: &str) -> [String; 3] {
    let comparison = diff(old, new);
    let [class] = comparison.classes.as_slice() else { panic!("{comparison}") };
    [class.when.text.clone(), class.before.clone(), class.after.clone()]
}

/// Holds a text to its golden file; `STEPUP_BLESS=1` writes it.
fn is_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff/golden").join(name);
    if std::env::var_os("STEPUP_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "{name}");
}

#[test]
fn a_flow_and_itself_ask_the_same_of_every_login() {
    let comparison = diff(SEED, SEED);
    assert!(comparison.is_same() && comparison.weaker.is_none());
    assert_eq!(comparison.to_string(), "the same for every login\n");
}

#[test]
fn other_words_for_the_same_are_no_difference() {
    let old = "if user.isAdmin and not enrolled(otp) then deny \"no\"\nchallenge any of [otp, phone]";
    let new = "
        let strong = [otp, phone]
        define without(f: factor) = not enrolled(f)
        rule close { deny \"no\" }
        if not (without(otp) implies not user.isAdmin) then apply close
        challenge any of strong";
    assert!(diff(old, new).is_same());
}

#[test]
fn step_boundaries_that_nobody_sees_are_no_difference_but_strictly() {
    let old = "step one { challenge otp challenge phone }";
    let new = "step one { challenge otp } step two { challenge phone }";
    assert!(diff(old, new).is_same());
    let strictly = compared(old, new, Detail::Steps).unwrap();
    let [class] = strictly.classes.as_slice() else { panic!("{strictly}") };
    assert_eq!(class.before, "step 1 decides challenge otp, challenge phone");
    assert_eq!(class.after, "step 1 decides challenge otp");
}

#[test]
fn a_class_is_told_in_the_words_of_the_policies() {
    let old = "if not enrolled is empty then challenge any of enrolled";
    let new = "if not enrolled is empty {
        challenge any of enrolled
        if user.isAdmin and not enrolled(webauthn-roaming) then enroll webauthn-roaming
    }";
    let told = only_class(old, new);
    assert_eq!(
        told,
        ["user.isAdmin and not enrolled(webauthn-roaming)", "completes", "enroll webauthn-roaming"]
    );
}

#[test]
fn the_order_and_the_options_of_factors_are_seen() {
    let told = only_class("enroll any of [otp, phone(sms)]", "enroll any of [phone(sms), otp]");
    assert_eq!(told[0], "enrolled is empty");
    let told = only_class("challenge phone(sms)", "challenge phone(voice)");
    assert_eq!(
        told,
        ["enrolled(phone)", "challenge phone(sms)", "challenge phone(voice)"].map(str::to_owned)
    );
}

#[test]
fn a_let_of_the_same_name_with_other_members_is_told_by_its_members() {
    let old = "let strong = [webauthn-roaming, otp]\nchallenge any of strong";
    let new = "let strong = [webauthn-roaming]\nchallenge any of strong";
    let comparison = diff(old, new);
    let told = comparison.classes.iter().map(|class| (class.when.text.as_str(), class.after.as_str()));
    let told: Vec<_> = told.collect();
    let both = ("enrolled(otp) and enrolled(webauthn-roaming)", "challenge any of [webauthn-roaming]");
    let only = (
        "enrolled(otp) and not enrolled(webauthn-roaming)",
        "fails (mfar): nothing to challenge can be used",
    );
    assert_eq!(told, [both, only]);
}

#[test]
fn a_warning_in_the_log_is_seen() {
    // Both show the one factor that can be used; only where it is not the default does the log say so.
    let comparison = diff("challenge otp or phone", "challenge phone or otp");
    let all: Vec<&str> = comparison.classes.iter().map(|class| class.when.text.as_str()).collect();
    assert_eq!(all, ["enrolled(phone), or enrolled(otp)"], "{comparison}");
}

#[test]
fn a_reason_of_a_denial_is_seen() {
    let told = only_class("deny \"no\"", "deny \"not now\"");
    assert_eq!(told, ["every login", "denied \"no\"", "denied \"not now\""].map(str::to_owned));
}

#[test]
fn tests_of_one_value_are_taken_together() {
    let old = "if user.email ends with \"@a.com\" then challenge otp";
    let new =
        "if user.email ends with \"@a.com\" and (domain(user.email) ?? \"\") == \"a.com\" then challenge otp";
    let fact = "fact user.email: string = event.user.email\n";
    assert!(diff(&format!("{fact}{old}"), &format!("{fact}{new}")).is_same());
}

#[test]
fn a_fact_that_is_read_in_two_ways_is_named() {
    let of = |default: &str| {
        format!("fact user.isAdmin: bool = event.user.app_metadata.isAdmin default {default}\n")
            + "if user.isAdmin then challenge otp"
    };
    let error = compared(&of("false"), &of("true"), Detail::Visible).unwrap_err();
    assert!(matches!(&error, CompareError::Fact { name, .. } if name == "user.isAdmin"), "{error}");
}

#[test]
fn fewer_factors_and_weaker_ones_are_weaker_and_others_are_not() {
    let is_weaker = |old: &str, new: &str| diff(old, new).weaker.is_some();
    assert!(is_weaker("challenge otp challenge phone", "challenge otp"));
    assert!(!is_weaker("challenge otp", "challenge otp challenge phone"));
    assert!(is_weaker("challenge webauthn-roaming", "challenge otp"));
    assert!(!is_weaker("challenge otp or phone", "challenge otp"));
    assert!(is_weaker("challenge otp", "challenge otp or phone"));
    // Whom these let in could not complete before.
    assert!(is_weaker("challenge otp", "challenge webauthn-roaming or otp"));
    assert!(is_weaker("if user.isAdmin then deny \"no\"\nchallenge otp", "challenge otp"));
}

#[test]
fn the_comment_on_a_pull_request_and_the_text_are_golden() {
    let crm = SEED.replace(
        "step verify {\n  if user.isAdmin {",
        "step verify {\n  if user.isAdmin and client.id == \"crm\" {",
    );
    let comparison = diff(SEED, &crm);
    is_golden("one-application.txt", &comparison.to_string());
    is_golden("one-application.md", &comparison.to_markdown());
    is_golden("one-application.json", &serde_json::to_string_pretty(&comparison).unwrap());
    let window = SEED.replace("not performed(otp) within 5s", "not performed(otp) within 12h");
    is_golden("longer-window.txt", &diff(SEED, &window).to_string());
    let phone = SEED.replace("[webauthn-roaming, otp]", "[otp, webauthn-roaming, phone(sms)]");
    is_golden("another-factor.txt", &diff(SEED, &phone).to_string());
    let rule = SEED
        .replace("    if user.isAdmin and not enrolled(webauthn-roaming) then enroll webauthn-roaming\n", "");
    is_golden("dropped-rule.txt", &diff(SEED, &rule).to_string());
}

#[test]
fn an_example_says_what_has_to_be_there() {
    let told = diff(
        "if organization.id is present then challenge any of enrolled",
        "if organization.id is present then deny \"no\"",
    )
    .to_string();
    assert!(told.contains("event.organization is present"), "{told}");
    assert_eq!(
        told.matches("event.organization is present").count(),
        4,
        "in each class and its example\n{told}"
    );
}
