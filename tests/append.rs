//! Appending another team's policy: checked as one flow, and counted as one login.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]

use stepup::jiff::Timestamp;
use stepup::{Compiler, Failure, Next};

const OURS: &str = "step ours { challenge otp challenge phone challenge email }";

#[test]
fn two_flows_that_each_stay_within_four_commands_are_refused_where_together_they_dont() {
    let compiler = Compiler::new();
    let ours = compiler.compile([("ours.stepup", OURS)]).unwrap();
    let theirs = "step theirs { challenge webauthn-roaming challenge push-notification }";
    assert!(compiler.compile([("theirs.stepup", theirs)]).is_ok());
    let report = compiler.append(&ours, [("theirs.stepup", theirs)]).unwrap_err();
    let found: Vec<&str> = report.diagnostics().iter().map(|found| found.code.name()).collect();
    assert_eq!(found, ["E0501"]);
    assert!(report.to_string().contains("theirs.stepup:1:42"), "{report}");
}

#[test]
fn the_steps_of_both_run_in_order_in_one_login() {
    let compiler = Compiler::new();
    let ours =
        compiler.compile([("ours.stepup", "step ours { if enrolled(otp) then challenge otp }")]).unwrap();
    let theirs = "step theirs { if enrolled(phone) then challenge phone }";
    let both = compiler.append(&ours, [("theirs.stepup", theirs)]).unwrap();
    let steps: Vec<&str> = both.policy.steps().map(|step| step.name()).collect();
    assert_eq!(steps, ["ours", "theirs"]);
    assert_ne!(both.policy.digest(), ours.policy.digest());

    let mut facts = both.policy.facts();
    facts.set_enrolled(&["otp", "phone"]);
    facts.set_now(Timestamp::UNIX_EPOCH);
    let availability = both.policy.availability();
    let mut login = both.policy.login();
    let mut asked = Vec::new();
    loop {
        match login.next(&facts, &availability).unwrap() {
            Next::Prompt(prompt) => {
                asked.push(prompt.factors[0].name);
                login.completed(asked.last().unwrap()).unwrap();
            }
            Next::FreshFacts { .. } => {}
            Next::Completed => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((asked, login.commands()), (vec!["otp", "phone"], 2));
}

#[test]
fn steps_of_one_name_are_refused() {
    let compiler = Compiler::new();
    let ours = compiler.compile([("ours.stepup", "step second { challenge otp }")]).unwrap();
    let report = compiler.append(&ours, [("theirs.stepup", "step second { challenge phone }")]).unwrap_err();
    assert_eq!(report.diagnostics()[0].code.name(), "E0202");
}

/// What the proof excludes is counted all the same: here the facts are such as no event has.
#[test]
fn commands_are_counted_over_the_steps_of_both() {
    let compiler = Compiler::new();
    let first = "step first { if enrolled is empty then stop challenge any of enrolled challenge otp challenge phone }";
    let ours = compiler.compile([("ours.stepup", first)]).unwrap();
    let second = "step second { if enrolled is empty { enroll otp enroll phone } }";
    let both = compiler.append(&ours, [("theirs.stepup", second)]).unwrap();
    let (mut facts, availability) = (both.policy.facts(), both.policy.availability());
    facts.set_now(Timestamp::UNIX_EPOCH);
    facts.set_enrolled(&["otp", "phone"]);
    let mut login = both.policy.login();
    for factor in ["otp", "phone"] {
        assert!(matches!(login.next(&facts, &availability), Ok(Next::Prompt(_))));
        login.completed(factor).unwrap();
    }
    assert!(matches!(login.next(&facts, &availability), Ok(Next::FreshFacts { .. })));
    facts.set_enrolled(&[]);
    let next = login.next(&facts, &availability).unwrap();
    assert_eq!(next, Next::Failed(Failure::LimitExceeded));
}
