//! The seed's two Actions, which are `examples/admins.stepup`, and its three users, prompt for prompt.

use crate::host::{Host, passing};

const ADMINS: &str = include_str!("../../examples/admins.stepup");

fn plays(host: Host, answers: &[&str]) -> Vec<String> {
    host.plays(ADMINS, &passing(answers))
}

#[test]
fn a_user_without_a_factor_enrolls_one_of_two() {
    let lines = plays(Host::with(&[]), &["otp"]);
    assert_eq!(lines, ["enroll: pick webauthn-roaming, otp", "facts for verify", "completed"]);
}

#[test]
fn a_user_with_a_one_time_password_is_challenged_with_it() {
    let lines = plays(Host::with(&["otp"]), &["otp"]);
    assert_eq!(lines, ["challenge: otp", "facts for verify", "completed"]);
}

#[test]
fn a_user_with_both_chooses_one() {
    let lines = plays(Host::with(&["otp", "webauthn-roaming"]), &["webauthn-roaming"]);
    assert_eq!(lines, ["challenge: pick otp, webauthn-roaming", "facts for verify", "completed"]);
}

#[test]
fn an_admin_without_a_factor_enrolls_both_and_the_second_needs_no_choice() {
    for (first, second) in [("otp", "webauthn-roaming"), ("webauthn-roaming", "otp")] {
        let lines = plays(Host::with(&[]).admin(), &[first, second]);
        let straight = format!("enroll: {second}");
        let expected = ["enroll: pick webauthn-roaming, otp", &straight, "facts for verify", "completed"];
        assert_eq!(lines, expected);
    }
}

#[test]
fn an_admin_with_a_one_time_password_alone_passes_it_and_enrolls_a_key() {
    let lines = plays(Host::with(&["otp"]).admin(), &["otp", "webauthn-roaming"]);
    assert_eq!(lines, ["challenge: otp", "enroll: webauthn-roaming", "facts for verify", "completed"]);
}

#[test]
fn an_admin_with_both_passes_the_one_chosen_and_then_the_other() {
    for (first, second) in [("otp", "webauthn-roaming"), ("webauthn-roaming", "otp")] {
        let lines = plays(Host::with(&["otp", "webauthn-roaming"]).admin(), &[first, second]);
        let other = format!("challenge: {second}");
        let expected = ["challenge: pick otp, webauthn-roaming", "facts for verify", &other, "completed"];
        assert_eq!(lines, expected);
    }
}

#[test]
fn an_admin_with_a_key_alone_can_not_be_challenged_with_a_one_time_password() {
    let lines = plays(Host::with(&["webauthn-roaming"]).admin(), &["webauthn-roaming"]);
    assert_eq!(lines[..2], ["challenge: webauthn-roaming", "facts for verify"]);
    assert!(lines[2].starts_with("failed: mfar: An MFA challenge"), "{lines:#?}");
}

/// Five seconds after the key: the second Action asks for the key again, and rule 4 says that it was passed.
#[test]
fn a_slow_admin_is_not_asked_again_for_a_key_passed_in_this_login() {
    let slow = Host::with(&["otp", "webauthn-roaming"]).admin().at_a_pace_of(3);
    assert_eq!(plays(slow, &["webauthn-roaming", "otp"])[2..], ["challenge: otp", "completed"]);
    let mut slower = Host::with(&["otp"]).admin().at_a_pace_of(6);
    slower.now += slower.pace;
    let lines = plays(slower, &["otp", "webauthn-roaming"]);
    assert_eq!(lines, ["challenge: otp", "enroll: webauthn-roaming", "facts for verify", "completed"]);
}
