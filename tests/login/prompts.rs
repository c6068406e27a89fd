//! The rules of "What a login means", and the rows of the platform's troubleshooting table, one by one.

use jiff::SignedDuration;
use stepup::{Engine, Failure, LogEntry, Next};

use crate::host::{Answer, Host, line, passing, policy};

fn plays(host: &Host, text: &str, answers: &[&str]) -> Vec<String> {
    host.plays(text, &passing(answers))
}

/// The first row: `w`, when enrolling.
fn enroll_warning(factor: &str) -> String {
    format!(
        "[w {factor}: An MFA enrollment is used in a PostLogin action, but the requested factor {factor} is not \
         properly set up. Enable the requested factor and ensure the user is not already enrolled with it.]"
    )
}

/// The second row: `mfar`, when enrolling.
const NOTHING_TO_ENROLL: &str = "failed: mfar: An MFA enrollment is used in a PostLogin action but the requested \
    factors are not properly set up. To perform MFA, enable the requested factors and ensure the user is not already \
    enrolled with them.";

/// The third row.
const WITHOUT_CHALLENGE: &str = "failed: mfar: An MFA enrollment was requested but the user is already enrolled in \
    MFA. Challenge with at least one existing factor before enrolling a new one.";

fn challenge_warning(factor: &str) -> String {
    format!(
        "[w {factor}: An MFA challenge is used in a PostLogin action, but the requested factor {factor} is not \
         properly set up. Enable the requested factor and ensure the user is enrolled with it.]"
    )
}

const NOTHING_TO_CHALLENGE: &str = "failed: mfar: An MFA challenge is used in a PostLogin action but the requested \
    factors are not properly set up. To perform MFA, enable the requested factors and ensure the user is enrolled \
    with them.";

#[test]
fn a_default_that_the_tenant_has_not_enabled_gives_way_with_a_warning() {
    let host = Host::with(&[]).disabling(&["otp"]);
    let asked = format!("enroll: phone {}", enroll_warning("otp"));
    assert_eq!(plays(&host, "enroll otp or phone", &["phone"]), [&asked, "completed"]);
}

#[test]
fn a_default_that_the_browser_does_not_support_gives_way_with_a_warning() {
    let host = Host::with(&[]).in_a_browser_without(&["webauthn-roaming"]);
    let asked = format!("enroll: phone {}", enroll_warning("webauthn-roaming"));
    assert_eq!(plays(&host, "enroll webauthn-roaming or phone", &["phone"]), [&asked, "completed"]);
}

#[test]
fn a_default_that_is_enrolled_already_gives_way_with_a_warning() {
    let asked = format!("enroll: phone {}", enroll_warning("otp"));
    let lines = plays(&Host::with(&["otp"]), "challenge otp enroll otp or phone", &["otp", "phone"]);
    assert_eq!(lines, ["challenge: otp", &asked, "completed"]);
}

#[test]
fn two_alternatives_of_a_default_that_can_not_be_used_stay_in_order() {
    let host = Host::with(&[]).disabling(&["otp"]);
    let asked = format!("enroll: phone or else webauthn-roaming {}", enroll_warning("otp"));
    let lines = plays(&host, "enroll otp or phone or webauthn-roaming", &["webauthn-roaming"]);
    assert_eq!(lines, [&asked, "completed"]);
}

#[test]
fn an_alternative_that_can_not_be_used_is_left_out_without_a_warning() {
    let host = Host::with(&[]).disabling(&["phone"]);
    assert_eq!(plays(&host, "enroll otp or phone", &["otp"]), ["enroll: otp", "completed"]);
    assert_eq!(
        plays(&host, "enroll otp or phone or webauthn-roaming", &["otp"]),
        ["enroll: otp or else webauthn-roaming", "completed"]
    );
}

#[test]
fn an_enrollment_whose_factors_can_not_be_used_fails_the_login() {
    for host in [
        Host::with(&[]).disabling(&["otp", "phone"]),
        Host::with(&[]).in_a_browser_without(&["otp", "phone"]),
    ] {
        for text in ["enroll otp", "enroll otp or phone", "enroll any of [otp, phone]"] {
            assert_eq!(plays(&host, text, &[]), [NOTHING_TO_ENROLL], "{text}");
        }
    }
}

#[test]
fn a_default_that_is_enrolled_already_fails_the_login_without_an_alternative() {
    let lines = plays(&Host::with(&["otp"]), "challenge otp enroll otp", &["otp"]);
    assert_eq!(lines, ["challenge: otp", NOTHING_TO_ENROLL]);
}

#[test]
fn any_of_what_is_all_enrolled_already_goes_on() {
    let host = Host::with(&["otp", "phone"]);
    assert_eq!(plays(&host, "enroll any of [otp, phone]", &[]), ["completed"]);
    assert_eq!(
        plays(&host.clone().disabling(&["otp", "phone"]), "enroll any of [otp, phone]", &[]),
        ["completed"]
    );
    assert_eq!(plays(&host, "enroll any of enrolled", &[]), ["completed"]);
}

#[test]
fn any_of_what_is_partly_enrolled_and_partly_not_enabled_fails_the_login() {
    let host = Host::with(&["otp"]).disabling(&["phone"]);
    let lines = plays(&host, "challenge otp enroll any of [otp, phone]", &["otp"]);
    assert_eq!(lines, ["challenge: otp", NOTHING_TO_ENROLL]);
}

#[test]
fn an_enrollment_without_a_challenge_passed_fails_the_login() {
    for text in ["enroll phone", "enroll phone or otp", "enroll any of [phone, otp]"] {
        assert_eq!(plays(&Host::with(&["otp"]), text, &[]), [WITHOUT_CHALLENGE], "{text}");
    }
    // One that the catalog lacks counts as enrolled.
    assert_eq!(plays(&Host::with(&["retired"]), "enroll phone", &[]), [WITHOUT_CHALLENGE]);
    // So does one that can't be used any more, and one passed in an earlier login.
    let mut host = Host::with(&["otp"]).disabling(&["otp"]);
    host.performed.push(("otp".to_owned(), host.now));
    assert_eq!(plays(&host, "enroll phone", &[]), [WITHOUT_CHALLENGE]);
}

#[test]
fn an_enrollment_that_finds_nothing_usable_says_so_first() {
    assert_eq!(plays(&Host::with(&["otp"]), "enroll otp", &[]), [NOTHING_TO_ENROLL]);
}

#[test]
fn an_enrollment_counts_as_the_challenge_before_the_next() {
    let lines = plays(&Host::with(&[]), "enroll otp enroll phone", &["otp", "phone"]);
    assert_eq!(lines, ["enroll: otp", "enroll: phone", "completed"]);
}

#[test]
fn a_challenge_passed_in_an_earlier_step_counts_too() {
    let text = "step a { challenge otp } step b { enroll phone }";
    let lines = plays(&Host::with(&["otp"]), text, &["otp", "phone"]);
    assert_eq!(lines, ["challenge: otp", "facts for b", "enroll: phone", "completed"]);
}

#[test]
fn a_challenged_default_that_can_not_be_used_gives_way_with_a_warning() {
    let both = Host::with(&["otp", "phone"]);
    let hosts =
        [both.clone().disabling(&["otp"]), both.in_a_browser_without(&["otp"]), Host::with(&["phone"])];
    let asked = format!("challenge: phone {}", challenge_warning("otp"));
    for host in hosts {
        assert_eq!(plays(&host, "challenge otp or phone", &["phone"]), [&asked, "completed"]);
    }
}

#[test]
fn a_challenge_whose_factors_can_not_be_used_fails_the_login() {
    let both = Host::with(&["otp", "phone"]);
    let hosts = [
        both.clone().disabling(&["otp", "phone"]),
        both.in_a_browser_without(&["otp", "phone"]),
        Host::with(&["webauthn-roaming"]),
        Host::with(&[]),
    ];
    for host in hosts {
        for text in ["challenge otp", "challenge otp or phone", "challenge any of [otp, phone]"] {
            assert_eq!(plays(&host, text, &[]), [NOTHING_TO_CHALLENGE], "{text}");
        }
    }
    assert_eq!(plays(&Host::with(&[]), "challenge any of enrolled", &[]), [NOTHING_TO_CHALLENGE]);
}

#[test]
fn a_default_comes_first_and_a_picker_in_the_order_written() {
    let host = Host::with(&["otp", "phone", "webauthn-roaming"]);
    let played = |text| plays(&host, text, &["phone"])[0].clone();
    assert_eq!(played("challenge phone or otp"), "challenge: phone or else otp");
    assert_eq!(
        played("challenge phone or any of enrolled"),
        "challenge: phone or else otp or else webauthn-roaming"
    );
    assert_eq!(
        played("challenge any of [webauthn-roaming, phone, otp]"),
        "challenge: pick webauthn-roaming, phone, otp"
    );
    assert_eq!(played("challenge any of enrolled"), "challenge: pick otp, phone, webauthn-roaming");
    assert_eq!(played("challenge any of [recovery-code, phone]"), "challenge: phone");
}

#[test]
fn options_are_shown_with_their_factor() {
    let policy = policy(Engine::Native, "challenge phone(sms) or otp");
    let host = Host::with(&["otp", "phone"]);
    let next = policy.login().next(&host.facts(&policy), &host.availability(&policy)).unwrap();
    let Next::Prompt(prompt) = next else { panic!("{next:?}") };
    let shown = serde_json::to_value(&prompt.factors).unwrap();
    assert_eq!(
        shown,
        serde_json::json!([{"type": "phone", "options": {"preferredMethod": "sms"}}, {"type": "otp"}])
    );
}

#[test]
fn a_log_entry_serializes_with_its_code_and_its_message() {
    let entry = LogEntry::NothingUsable(stepup::CommandKind::Challenge);
    let json = serde_json::to_value(entry).unwrap();
    assert_eq!(json["event"], "mfar");
    assert_eq!(json["factor"], serde_json::Value::Null);
    assert!(NOTHING_TO_CHALLENGE.ends_with(json["message"].as_str().unwrap()));
}

#[test]
fn a_listed_factor_passed_in_this_login_satisfies_a_challenge() {
    let host = Host::with(&["otp", "phone"]);
    let lines = plays(&host, "challenge phone challenge otp or phone challenge any of enrolled", &["phone"]);
    assert_eq!(lines, ["challenge: phone", "completed"]);
    let lines = plays(&host, "challenge phone challenge otp", &["phone", "otp"]);
    assert_eq!(lines, ["challenge: phone", "challenge: otp", "completed"]);
    // An enrollment is a pass.
    assert_eq!(plays(&Host::with(&[]), "enroll otp challenge otp", &["otp"]), ["enroll: otp", "completed"]);
}

#[test]
fn a_factor_passed_in_an_earlier_login_satisfies_nothing() {
    let mut host = Host::with(&["otp"]);
    host.performed.push(("otp".to_owned(), host.now));
    assert_eq!(plays(&host, "challenge otp", &["otp"]), ["challenge: otp", "completed"]);
}

#[test]
fn what_was_passed_does_not_satisfy_an_enrollment() {
    let lines = plays(&Host::with(&[]), "enroll otp enroll otp or phone", &["otp", "phone"]);
    assert_eq!(lines, ["enroll: otp", &format!("enroll: phone {}", enroll_warning("otp")), "completed"]);
}

#[test]
fn a_step_does_not_see_what_its_own_prompts_change() {
    let text = "
        step a { if enrolled is empty then enroll otp  if enrolled is empty then enroll phone }
        step b { if enrolled is empty then deny \"nothing enrolled\" }";
    let lines = plays(&Host::with(&[]), text, &["otp", "phone"]);
    assert_eq!(lines, ["enroll: otp", "enroll: phone", "facts for b", "completed"]);
}

#[test]
fn every_step_after_the_first_asks_for_the_facts_as_they_stand() {
    let text = "step a { } step b { if enrolled is not empty then challenge any of enrolled } step c { }";
    assert_eq!(plays(&Host::with(&[]), text, &[]), ["facts for b", "facts for c", "completed"]);
    let lines = plays(&Host::with(&["otp"]), text, &["otp"]);
    assert_eq!(lines, ["facts for b", "challenge: otp", "facts for c", "completed"]);
}

#[test]
fn performed_in_this_login_is_what_the_login_has_seen() {
    let text = "
        step a { if enrolled(phone) then challenge phone else challenge otp }
        step b { if performed(otp) in this login then deny \"with a one-time password\" }";
    let mut host = Host::with(&["otp"]);
    let denied = "denied: with a one-time password";
    assert_eq!(plays(&host, text, &["otp"]), ["challenge: otp", "facts for b", denied]);
    host.enrolled.push("phone".to_owned());
    host.performed.push(("otp".to_owned(), host.now - SignedDuration::from_secs(1)));
    assert_eq!(plays(&host, text, &["phone"]), ["challenge: phone", "facts for b", "completed"]);
}

#[test]
fn what_a_host_says_was_passed_in_this_login_does_not_count() {
    let policy = policy(Engine::Native, "if performed(otp) in this login then deny \"no\"");
    let host = Host::with(&["otp"]);
    let mut facts = host.facts(&policy);
    facts.set_performed_in_login(&["otp"]);
    let mut login = policy.login();
    assert_eq!(login.next(&facts, &host.availability(&policy)).unwrap(), Next::Completed);
}

#[test]
fn a_denial_shows_none_of_its_step_s_commands_and_no_later_step_runs() {
    let text = "step a { challenge otp deny \"closed\" } step b { challenge otp }";
    assert_eq!(plays(&Host::with(&["otp"]), text, &[]), ["denied: closed"]);
}

#[test]
fn a_prompt_not_passed_fails_the_login() {
    let host = Host::with(&["otp"]);
    let text = "step a { challenge otp } step b { deny \"never reached\" }";
    let failed = ["challenge: otp", "failed: the user did not pass a prompt"];
    assert_eq!(host.plays(text, &[Answer::Fails]), failed);
    assert_eq!(host.plays(text, &[Answer::GoesAway]), ["challenge: otp", "failed: the user went away"]);
}

/// Facts that no modelled login has: `level` changes between the steps.
const LEVELS: &str = "
    fact level: int = event.level
    step a { if level == 1 { challenge otp challenge otp challenge otp } }
    step b {
      if level == 2 { challenge otp }
      if level == 3 { challenge otp challenge otp }
      if level == 4 { challenge otp deny \"at the limit\" }
      if level == 5 { challenge otp challenge otp deny \"past the limit\" }
    }";

fn through_levels(engine: Engine, second: i64) -> (String, usize) {
    let policy = policy(engine, LEVELS);
    let mut host = Host::with(&["otp"]);
    host.event["level"] = 1.into();
    let mut login = policy.login();
    let availability = host.availability(&policy);
    let first = login.next(&host.facts(&policy), &availability).unwrap();
    assert_eq!(line(&first), "challenge: otp");
    assert_eq!(login.commands(), 3);
    login.completed("otp").unwrap();
    let fresh = login.next(&host.facts(&policy), &availability).unwrap();
    assert_eq!(line(&fresh), "facts for b");
    host.event["level"] = second.into();
    let end = login.next(&host.facts(&policy), &availability).unwrap();
    assert_eq!(login.next(&host.facts(&policy), &availability).unwrap(), end);
    (line(&end), login.commands())
}

#[test]
fn a_fifth_command_over_all_steps_fails_the_login_whatever_the_facts() {
    let limit = format!("failed: {}", Failure::LimitExceeded);
    for engine in [Engine::Native, Engine::Interpreter] {
        assert_eq!(through_levels(engine, 2), ("completed".to_owned(), 4));
        assert_eq!(through_levels(engine, 3), (limit.clone(), 4));
        assert_eq!(through_levels(engine, 4), ("denied: at the limit".to_owned(), 4));
        assert_eq!(through_levels(engine, 5), (limit.clone(), 4));
    }
}

#[test]
fn usability_is_judged_each_time_a_prompt_is_asked_for() {
    let policy = policy(Engine::Native, "challenge otp or phone");
    let host = Host::with(&["otp", "phone"]);
    let facts = host.facts(&policy);
    let mut login = policy.login();
    let mut next = |host: &Host| line(&login.next(&facts, &host.availability(&policy)).unwrap());
    assert_eq!(next(&host), "challenge: otp or else phone");
    let without = host.clone().in_a_browser_without(&["otp"]);
    assert_eq!(next(&without), format!("challenge: phone {}", challenge_warning("otp")));
    assert_eq!(next(&host), "challenge: otp or else phone");
    assert_eq!(next(&host.clone().disabling(&["otp", "phone"])), NOTHING_TO_CHALLENGE);
    assert_eq!(next(&host), NOTHING_TO_CHALLENGE);
}

#[test]
fn a_flow_that_asks_nothing_completes() {
    assert_eq!(plays(&Host::with(&[]), "step a { } step b { }", &[]), ["facts for b", "completed"]);
}
