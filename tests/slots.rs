//! Typed slots and what a record guards: no foreign facts, nothing half filled, nothing left of another login.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]

mod common;

use std::sync::Arc;

use common::compile::program;
use jiff::Timestamp;
use serde_json::json;
use stepup::backend::interpret;
use stepup::check::policy::StepId;
use stepup::lower::program::Program;
use stepup::runtime::{DecideError, Decision, Facts, SetError, SlotError};

const ADMINS: &str = "
step enroll {
  if enrolled is empty {
    enroll any of [webauthn-roaming, otp]
    if user.isAdmin then enroll any of [webauthn-roaming, otp]
  } else {
    challenge any of enrolled
    if user.isAdmin and not enrolled(webauthn-roaming) then enroll webauthn-roaming
  }
}
step bar { if user.isAdmin then deny \"no admins\" }
";

fn decide<'p>(program: &'p Program, step: u32, facts: &Facts) -> Result<Decision<'p>, DecideError> {
    let words = facts.words_for(&program.interface.layout)?;
    let step = StepId::from_u32(step);
    Decision::new(&program.interface, step, interpret::decide(&program.steps[step], words), words)
}

#[test]
fn a_decision_prints_the_platform_s_calls() {
    let program = program(ADMINS);
    let admin = program.interface.layout.slot::<bool>("user.isAdmin").unwrap();
    let mut facts = Facts::new(&program.interface.layout);
    facts.set(&admin, true).unwrap();
    facts.set_enrolled(&["otp"]);
    let decision = decide(&program, 0, &facts).unwrap();
    let expected = concat!(
        r#"{"step":"enroll","commands":[{"command":"challengeWithAny","factors":[{"type":"otp"}]},"#,
        r#"{"command":"enrollWith","factor":{"type":"webauthn-roaming"},"additionalFactors":[]}],"denied":null}"#
    );
    assert_eq!(serde_json::to_string(&decision).unwrap(), expected);
    let denied = decide(&program, 1, &facts).unwrap();
    assert_eq!(
        serde_json::to_string(&denied).unwrap(),
        r#"{"step":"bar","commands":[],"denied":"no admins"}"#
    );
}

#[test]
fn options_stand_on_the_factor() {
    let program = program("step s { enroll phone(sms) or otp }");
    let facts = Facts::new(&program.interface.layout);
    let decision = decide(&program, 0, &facts).unwrap();
    let expected = json!({"step": "s", "denied": null, "commands": [{
        "command": "enrollWith",
        "factor": {"type": "phone", "options": {"preferredMethod": "sms"}},
        "additionalFactors": [{"type": "otp"}],
    }]});
    assert_eq!(serde_json::to_value(&decision).unwrap(), expected);
}

#[test]
fn a_set_is_shown_in_its_order_and_without_what_the_command_does_not_have() {
    let program = program("step s { enroll any of [otp, phone] union enrolled except [recovery-code] }");
    let mut facts = Facts::new(&program.interface.layout);
    facts.set_enrolled(&["email", "webauthn-roaming", "recovery-code", "carrier-pigeon"]);
    let decision = decide(&program, 0, &facts).unwrap();
    let commands: Vec<_> = decision.commands().collect();
    let names: Vec<_> = commands[0].factors.iter().map(|factor| factor.name).collect();
    assert_eq!(names, ["otp", "phone", "webauthn-roaming"]);
}

#[test]
fn a_decision_outlives_the_facts_it_was_made_on() {
    let program = program("step s { challenge any of enrolled }");
    let mut facts = Facts::new(&program.interface.layout);
    facts.set_enrolled(&["otp"]);
    let decision = decide(&program, 0, &facts).unwrap();
    facts.reset();
    facts.set_enrolled(&["phone"]);
    assert_eq!(decision.commands().next().unwrap().factors[0].name, "otp");
}

#[test]
fn a_fifth_command_is_an_error_and_no_decision() {
    let program = program(
        "step s { challenge otp challenge otp challenge otp challenge otp if user.isAdmin then challenge otp }",
    );
    let admin = program.interface.layout.slot::<bool>("user.isAdmin").unwrap();
    let mut facts = Facts::new(&program.interface.layout);
    assert_eq!(decide(&program, 0, &facts).unwrap().commands().count(), 4);
    facts.set(&admin, true).unwrap();
    assert_eq!(decide(&program, 0, &facts).unwrap_err(), DecideError::LimitExceeded);
}

#[test]
fn a_slot_of_an_unknown_fact_or_another_type_names_what_is_there() {
    let program = program(ADMINS);
    let error = program.interface.layout.slot::<bool>("user.isAdmn").unwrap_err();
    assert_eq!(error.to_string(), "the policy has no fact `user.isAdmn`, did you mean `user.isAdmin`?");
    let error = program.interface.layout.slot::<&str>("user.isAdmin").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the fact `user.isAdmin` is a `bool`, and a slot for `&str` can't hold that"
    );
    assert!(matches!(error, SlotError::WrongType { .. }));
}

#[test]
fn a_fact_that_no_statement_reads_can_be_set_and_goes_nowhere() {
    let program = program("fact unread: int = event.unread\nstep s { challenge otp }");
    let unread = program.interface.layout.slot::<i64>("unread").unwrap();
    let mut facts = Facts::new(&program.interface.layout);
    facts.set(&unread, 5).unwrap();
    assert!(decide(&program, 0, &facts).is_ok());
}

#[test]
fn facts_and_slots_of_another_layout_are_refused_even_if_it_is_alike() {
    let (one, other) = (program(ADMINS), program(ADMINS));
    let slot = other.interface.layout.slot::<bool>("user.isAdmin").unwrap();
    let set = other.interface.layout.factor_set(&["otp"]);
    let mut facts = Facts::new(&one.interface.layout);
    assert_eq!(facts.set(&slot, true), Err(SetError::ForeignSlot));
    assert_eq!(facts.set_enrolled_set(&set), Err(SetError::ForeignSlot));
    assert_eq!(decide(&other, 0, &facts).unwrap_err(), DecideError::ForeignFacts);
    assert!(!Arc::ptr_eq(&one.interface.layout, &other.interface.layout));
}

#[test]
fn what_is_not_filled_is_named() {
    let program = program(
        "step s { if client.id == \"a\" and user.email is present and user.email == \"b\" and performed(otp) within 5s \
         and enrolled(otp) then challenge otp }",
    );
    let mut facts = Facts::new(&program.interface.layout);
    let error = decide(&program, 0, &facts).unwrap_err();
    let names = ["enrolled", "performed", "now", "event.user.email", "client.id", "user.email"];
    let DecideError::Unfilled { names: found } = &error else { panic!("{error}") };
    assert_eq!(sorted(found.iter().map(String::as_str)), sorted(names));
    facts.set_enrolled(&[]);
    facts.set_performed(&[]);
    facts.set_now(Timestamp::UNIX_EPOCH);
    facts.set(&program.interface.layout.slot::<&str>("client.id").unwrap(), "a").unwrap();
    let error = decide(&program, 0, &facts).unwrap_err();
    assert!(error.to_string().starts_with("the policy reads facts that were not given: `"), "{error}");
    facts.set_absent(&program.interface.layout.slot::<&str>("user.email").unwrap()).unwrap();
    assert!(decide(&program, 0, &facts).unwrap().is_nothing());
    facts.reset();
    assert!(decide(&program, 0, &facts).is_err(), "a reset forgets the login");
}

fn sorted<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable();
    names
}

#[test]
fn a_value_that_does_not_fit_is_refused_and_changes_nothing() {
    let program = program(
        "fact tier: enum(low < high) = event.tier\nfact n: int = event.n\n\
         step s { if tier >= high or n > 5 then challenge otp }",
    );
    let tier = program.interface.layout.slot::<&str>("tier").unwrap();
    let number = program.interface.layout.slot::<i64>("n").unwrap();
    let mut facts = Facts::new(&program.interface.layout);
    facts.set(&tier, "high").unwrap();
    facts.set(&number, 1).unwrap();
    assert_eq!(facts.set(&tier, "odd"), Err(SetError::UnknownValue { found: "odd".to_owned() }));
    assert_eq!(facts.set(&number, 1 << 53), Err(SetError::OutOfRange));
    assert_eq!(facts.set_absent(&number), Err(SetError::NeverAbsent { name: "n".to_owned() }));
    assert_eq!(decide(&program, 0, &facts).unwrap().commands().count(), 1);
}

#[test]
fn facts_under_one_parent_can_not_be_half_there() {
    let program = program(
        "step s { if organization.id is present and organization.id == \"i\" and organization.name == \"n\" then challenge otp }",
    );
    let id = program.interface.layout.slot::<&str>("organization.id").unwrap();
    let name = program.interface.layout.slot::<&str>("organization.name").unwrap();
    let mut facts = Facts::new(&program.interface.layout);
    facts.set(&id, "i").unwrap();
    facts.set(&name, "n").unwrap();
    assert_eq!(decide(&program, 0, &facts).unwrap().commands().count(), 1);
    facts.set_absent(&id).unwrap();
    let unfilled = DecideError::Unfilled { names: vec!["organization.name".to_owned()] };
    assert_eq!(decide(&program, 0, &facts).unwrap_err(), unfilled);
    facts.set_absent(&name).unwrap();
    assert!(decide(&program, 0, &facts).unwrap().is_nothing());
    facts.set(&name, "n").unwrap();
    let unfilled = DecideError::Unfilled { names: vec!["organization.id".to_owned()] };
    assert_eq!(decide(&program, 0, &facts).unwrap_err(), unfilled);
}

#[test]
fn presence_alone_is_given_by_setting_the_fact() {
    let program = program("step s { if organization.id is present then challenge otp }");
    let id = program.interface.layout.slot::<&str>("organization.id").unwrap();
    let mut facts = Facts::new(&program.interface.layout);
    assert!(decide(&program, 0, &facts).is_err());
    facts.set(&id, "i").unwrap();
    assert_eq!(decide(&program, 0, &facts).unwrap().commands().count(), 1);
    facts.set_or_absent(&id, None).unwrap();
    assert!(decide(&program, 0, &facts).unwrap().is_nothing());
}

#[test]
fn two_strings_are_compared_whichever_is_stored_last() {
    let program = program("step s { if client.id == client.name then challenge otp }");
    let id = program.interface.layout.slot::<&str>("client.id").unwrap();
    let name = program.interface.layout.slot::<&str>("client.name").unwrap();
    let mut facts = Facts::new(&program.interface.layout);
    for (first, second, expected) in [("a", "a", 1), ("a", "b", 0), ("b", "b", 1), ("", "", 1)] {
        facts.set(&id, first).unwrap();
        facts.set(&name, second).unwrap();
        assert_eq!(decide(&program, 0, &facts).unwrap().commands().count(), expected);
    }
    facts.reset();
    facts.set(&id, "").unwrap();
    assert!(decide(&program, 0, &facts).is_err());
}
