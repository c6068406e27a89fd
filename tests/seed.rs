//! The scenario of Auth0's "Customize MFA enrollments", whose two Actions are the two steps of
//! `examples/admins.stepup`: what each decides in every case that the page names.
#![allow(clippy::unwrap_used, reason = "a test says so by failing")]

use serde_json::{Value as Json, json};
use stepup::{Compiler, Engine, Policy, Validation};

const NOW: &str = "2026-01-31T08:00:00Z";

/// What a step asks for, in both engines.
fn decide(step: &str, event: &Json) -> Vec<String> {
    let decide = |engine| {
        let compiler = Compiler::new().with_engine(engine).with_validation(Validation::On);
        let text = include_str!("../examples/admins.stepup");
        asked(&compiler.compile([("admins.stepup", text)]).unwrap().policy, step, event)
    };
    let native = decide(Engine::Native);
    assert_eq!(native, decide(Engine::Interpreter));
    native
}

fn asked(policy: &Policy, step: &str, event: &Json) -> Vec<String> {
    let mut facts = policy.facts();
    facts.read_from(event).unwrap();
    facts.set_now(NOW.parse().unwrap());
    let decision = policy.step(step).unwrap().decide(&facts).unwrap();
    let command = |command: stepup::Command<'_>| {
        let factors: Vec<&str> = command.factors.iter().map(|factor| factor.name).collect();
        format!("{} {}", command.method(), factors.join(" "))
    };
    decision.commands().map(command).collect()
}

fn user(is_admin: bool, enrolled: &[&str]) -> Json {
    let enrolled: Vec<Json> = enrolled.iter().map(|factor| json!({"type": factor})).collect();
    json!({"user": {"app_metadata": {"isAdmin": is_admin}, "enrolledFactors": enrolled}})
}

fn action_1(is_admin: bool, enrolled: &[&str]) -> Vec<String> {
    decide("enroll", &user(is_admin, enrolled))
}

/// Action 2, after factors were passed at these instants.
fn action_2(is_admin: bool, passed: &[(&str, &str)]) -> Vec<String> {
    let mut event = user(is_admin, &["otp", "webauthn-roaming"]);
    let mfa = |(factor, at): &(&str, &str)| json!({"name": "mfa", "type": factor, "timestamp": at});
    event["authentication"] = json!({"methods": passed.iter().map(mfa).collect::<Vec<_>>()});
    decide("verify", &event)
}

const LATELY: &str = "2026-01-31T07:59:57.000Z";
const NONE: [String; 0] = [];

#[test]
fn a_user_without_a_factor_enrolls_one_of_two() {
    assert_eq!(action_1(false, &[]), ["enrollWithAny webauthn-roaming otp"]);
}

#[test]
fn an_admin_without_a_factor_enrolls_one_more() {
    assert_eq!(
        action_1(true, &[]),
        ["enrollWithAny webauthn-roaming otp", "enrollWithAny webauthn-roaming otp"]
    );
}

#[test]
fn a_user_with_a_factor_is_challenged_with_it() {
    assert_eq!(action_1(false, &["otp"]), ["challengeWithAny otp"]);
    assert_eq!(action_1(false, &["webauthn-roaming"]), ["challengeWithAny webauthn-roaming"]);
    assert_eq!(action_1(false, &["webauthn-roaming", "otp"]), ["challengeWithAny otp webauthn-roaming"]);
}

#[test]
fn an_admin_with_a_one_time_password_alone_is_challenged_and_then_enrolls_a_key() {
    assert_eq!(action_1(true, &["otp"]), ["challengeWithAny otp", "enrollWith webauthn-roaming"]);
}

#[test]
fn an_admin_with_a_key_is_challenged_alone() {
    assert_eq!(action_1(true, &["webauthn-roaming"]), ["challengeWithAny webauthn-roaming"]);
    assert_eq!(action_1(true, &["otp", "webauthn-roaming"]), ["challengeWithAny otp webauthn-roaming"]);
}

#[test]
fn a_factor_from_before_the_application_is_challenged_before_a_key_is_enrolled() {
    assert_eq!(action_1(true, &["phone"]), ["challengeWithAny phone", "enrollWith webauthn-roaming"]);
    assert_eq!(action_1(true, &["retired"]), ["challengeWithAny ", "enrollWith webauthn-roaming"]);
}

#[test]
fn who_is_not_known_to_be_an_admin_is_none() {
    let without_flag = json!({"user": {"app_metadata": {}}});
    let without_metadata = json!({"user": {}});
    let with_null = json!({"user": {"app_metadata": {"isAdmin": null}, "enrolledFactors": null}});
    for event in [without_flag, without_metadata, with_null] {
        assert_eq!(decide("enroll", &event), ["enrollWithAny webauthn-roaming otp"]);
        assert_eq!(decide("verify", &event), NONE);
    }
}

#[test]
fn an_admin_is_challenged_with_the_factor_that_was_not_used_yet() {
    assert_eq!(action_2(true, &[]), ["challengeWith webauthn-roaming"]);
    assert_eq!(action_2(true, &[("otp", LATELY)]), ["challengeWith webauthn-roaming"]);
    assert_eq!(action_2(true, &[("webauthn-roaming", LATELY)]), ["challengeWith otp"]);
    assert_eq!(action_2(true, &[("webauthn-roaming", LATELY), ("otp", LATELY)]), NONE);
    assert_eq!(action_2(true, &[("otp", LATELY), ("webauthn-roaming", LATELY)]), NONE);
}

#[test]
fn a_factor_used_five_seconds_ago_was_not_used_in_this_login() {
    let key_at = |at| action_2(true, &[("otp", LATELY), ("webauthn-roaming", at)]);
    assert_eq!(key_at("2026-01-31T07:59:55.001Z"), NONE);
    assert_eq!(key_at("2026-01-31T07:59:55.000Z"), ["challengeWith webauthn-roaming"]);
    assert_eq!(key_at("2026-01-31T07:00:00Z"), ["challengeWith webauthn-roaming"]);
    assert_eq!(key_at("2026-01-31T08:00:01Z"), NONE);
}

#[test]
fn of_two_stamps_of_one_factor_the_later_counts() {
    let old = "2026-01-30T08:00:00Z";
    for stamps in [[old, LATELY], [LATELY, old]] {
        let passed = stamps.map(|at| ("webauthn-roaming", at));
        assert_eq!(action_2(true, &passed), ["challengeWith otp"]);
    }
}

#[test]
fn only_second_factors_count_as_performed() {
    let mut event = user(true, &["otp", "webauthn-roaming"]);
    event["authentication"] = json!({"methods": [
        {"name": "passkey", "type": "webauthn-roaming", "timestamp": LATELY},
        {"name": "pwd", "timestamp": LATELY},
        {"name": "mfa", "type": "webauthn", "timestamp": LATELY},
        {"name": "mfa", "timestamp": LATELY},
    ]});
    assert_eq!(decide("verify", &event), ["challengeWith webauthn-roaming"]);
}

#[test]
fn users_who_are_no_admins_are_asked_nothing_by_the_second_action() {
    assert_eq!(action_2(false, &[]), NONE);
    assert_eq!(action_2(false, &[("otp", LATELY)]), NONE);
}
