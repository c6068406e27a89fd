//! What the proof says of policies as one writes them.

use std::fmt::Write as _;

use stepup::flow::Budget;
use stepup::{Compiler, Format, HumanStyle, Report};

/// What compiling says; the questions that checking asks besides are another test's.
fn compiled(compiler: &Compiler, text: &str) -> Report {
    compiler.compile([("policy.stepup", text)]).map_or_else(|report| report, |compiled| compiled.report)
}

/// The codes of all reports on a policy.
fn codes(text: &str) -> Vec<&'static str> {
    let report = compiled(&Compiler::new(), text);
    report.diagnostics().iter().map(|diagnostic| diagnostic.code.name()).collect()
}

/// All reports, as a reader sees them.
fn reports(text: &str) -> String {
    compiled(&Compiler::new(), text).render(Format::Human(HumanStyle::Plain))
}

#[test]
fn the_reference_policy_is_proven() {
    let text = "
step enroll {
  if enrolled is empty {
    enroll any of [webauthn-roaming, otp]
    if user.isAdmin then enroll any of [webauthn-roaming, otp]
  } else {
    challenge any of enrolled
    if user.isAdmin and not enrolled(webauthn-roaming) then enroll webauthn-roaming
  }
}
step verify {
  if user.isAdmin {
    if not performed(webauthn-roaming) within 5s then challenge webauthn-roaming
    else if not performed(otp) within 5s then challenge otp
  }
}";
    assert_eq!(codes(text), [] as [&str; 0]);
}

#[test]
fn a_fifth_command_on_a_possible_path_is_reported_with_a_login() {
    let text = "
step one { challenge otp  challenge phone }
step two {
  challenge any of enrolled
  if user.isAdmin { challenge email  challenge otp }
}";
    let reports = reports(text);
    for part in
        ["E0501", "1st command", "4th command", "5th command", "user.isAdmin = true", "the user passes otp"]
    {
        assert!(reports.contains(part), "{part} is missing in\n{reports}");
    }
}

#[test]
fn a_path_that_no_login_can_take_is_no_error() {
    // Whoever has nothing enrolled fails at the first challenge.
    let text = "
step one { challenge otp  challenge phone }
step two {
  challenge webauthn-roaming
  challenge push-notification
  if enrolled is empty then challenge otp
}";
    assert_eq!(codes(text), ["W0602"]);
}

#[test]
fn enrolling_beside_an_enrolled_factor_without_a_challenge_ends_the_login() {
    let text = "
step one { if enrolled(phone) then enroll otp else stop }
step two { challenge phone }";
    assert_eq!(codes(text), [] as [&str; 0]);
    let unreachable = "
step one { if enrolled(phone) then enroll otp else deny \"no\" }
step two { challenge phone }";
    assert_eq!(codes(unreachable), ["W0603"]);
}

#[test]
fn an_enrollment_of_what_is_enrolled_fails_and_the_login_goes_on() {
    let text = "
step one { if enrolled(otp) then enroll any of [otp] else deny \"no\" }
step two { challenge otp }";
    assert_eq!(codes(text), [] as [&str; 0]);
}

#[test]
fn the_second_of_two_enrollments_goes_to_what_the_first_left() {
    let text = "
step one {
  if enrolled is empty { enroll any of [otp, webauthn-roaming]  enroll any of [otp, webauthn-roaming] } else deny \"no\"
}
step two { if enrolled(otp) and enrolled(webauthn-roaming) then challenge otp }";
    assert_eq!(codes(text), ["W0601", "W0601"]);
}

#[test]
fn a_window_holds_whatever_a_longer_one_holds() {
    assert_eq!(
        codes("if performed(otp) within 5s and not performed(otp) within 12h then challenge otp"),
        ["W0601"]
    );
    assert_eq!(
        codes("if performed(otp) within 12h and not performed(otp) within 5s then challenge otp"),
        [] as [&str; 0]
    );
}

#[test]
fn a_window_over_a_passed_factor_may_run_out_but_not_the_last_ones() {
    let last = "
step one { challenge otp }
step two { if performed(otp) within 5s then challenge phone }";
    assert_eq!(codes(last), ["W0601"]);
    let older = "
step one { challenge otp  challenge phone }
step two { if performed(otp) within 5s then challenge phone }";
    assert_eq!(codes(older), [] as [&str; 0]);
}

#[test]
fn tests_of_one_string_are_taken_together() {
    let text = "
if user.email is present and user.email ends with \"@a.com\" and domain(user.email) ?? \"\" == \"b.com\"
then challenge otp";
    assert_eq!(codes(text), ["W0602"]);
}

#[test]
fn strings_that_can_be_only_one_text_are_equal() {
    let same = |test: &str| format!("if {test} and client.id == client.name then challenge otp");
    assert_eq!(codes(&same("client.id == \"a\" and client.name == \"a\"")), ["W0601"]);
    assert_eq!(codes(&same("client.id == \"a\" and client.name == \"b\"")), ["W0602"]);
    // `a` has two spellings, `1` has one.
    assert_eq!(codes(&same("lower(client.id) == \"1\" and lower(client.name) == \"1\"")), ["W0601"]);
    assert_eq!(codes(&same("lower(client.id) == \"a\" and lower(client.name) == \"a\"")), [] as [&str; 0]);
    let three = "lower(client.id) == \"a\" and lower(client.name) == \"a\" and lower(tenant.id) == \"a\"
        and client.id != client.name and client.id != tenant.id";
    assert_eq!(codes(&format!("if {three} and client.name == tenant.id then challenge otp")), ["W0601"]);
}

#[test]
fn tests_of_one_instant_are_taken_together() {
    let text = |age: &str| {
        let young = format!("age(user.created_at) >= 0s and age(user.created_at) < {age}");
        let days = "weekday(now) == saturday and weekday(user.created_at) == thursday";
        format!("if {young} and {days} then challenge otp")
    };
    assert_eq!(codes(&text("2h")), ["W0602"]);
    assert_eq!(codes(&text("2d")), [] as [&str; 0]);
}

#[test]
fn a_verified_email_is_enrolled() {
    let text = "if user.email is present and user.email_verified and not enrolled(email) then challenge otp";
    assert_eq!(codes(text), ["W0601"]);
}

#[test]
fn an_exhaustive_match_has_no_constant_condition() {
    let text =
        "match risk.confidence ?? neutral { low, medium => challenge otp  high, neutral, other => stop }";
    assert_eq!(codes(text), [] as [&str; 0], "{}", reports(text));
}

#[test]
fn a_condition_of_a_define_counts_over_all_its_uses() {
    let text = "
define recent(f: factor) = performed(f) within 5s
if recent(otp) { if recent(otp) then challenge phone }";
    assert_eq!(codes(text), [] as [&str; 0], "{}", reports(text));
}

#[test]
fn commands_before_a_denial_are_shown() {
    let text = "challenge otp  if user.isAdmin then deny \"no\"";
    assert_eq!(codes(text), ["W0605"]);
    assert_eq!(codes("if user.isAdmin then deny \"no\"  challenge otp"), [] as [&str; 0]);
}

#[test]
fn what_follows_a_stop_is_unreachable_once() {
    let text = "if user.isAdmin { stop } else { stop }  challenge otp  challenge phone";
    assert_eq!(codes(text), ["W0603"], "{}", reports(text));
}

#[test]
fn a_thousand_rules_by_application_are_proven_in_a_moment() {
    let mut text = String::new();
    for rule in 0..1_000 {
        let test =
            ["user.email_verified", "user.isAdmin", "stats.logins_count > 3", "user.roles contains \"a\""]
                [rule % 4];
        let other = ["request.ip in [10.0.0.0/8]", "enrolled(otp)", "user.phone_verified"][rule % 3];
        let factor = ["otp", "phone", "email", "webauthn-roaming"][rule / 7 % 4];
        let _ =
            writeln!(text, "if client.id == \"app-{rule}\" and {test} and {other} then challenge {factor}");
    }
    assert_eq!(codes(&text), [] as [&str; 0]);
}

#[test]
fn a_chain_of_ten_thousand_branches_is_proven() {
    let chain = (0..10_000).map(|app| format!("if client.id == \"app-{app}\" then challenge otp\n"));
    assert_eq!(codes(&chain.collect::<Vec<_>>().join("else ")), [] as [&str; 0]);
}

#[test]
fn a_flow_that_is_exponential_by_nature_ends_in_a_report_that_names_the_budget() {
    // Three random roles a clause, a hundred and more clauses: a formula that no order of its variables makes small.
    let mut state = 12_345_u64;
    let mut random = |end: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % end
    };
    let mut clauses = Vec::new();
    for _ in 0..150 {
        let mut literal = || {
            let negation = if random(2) == 0 { "not " } else { "" };
            format!("{negation}(user.roles contains \"r{}\")", random(70))
        };
        clauses.push(format!("({} or {} or {})", literal(), literal(), literal()));
    }
    let text = format!("if {} then challenge otp", clauses.join(" and "));
    let compiler = Compiler::new().with_budget(Budget { nodes: 100_000, ..Budget::default() });
    let reports = compiled(&compiler, &text).render(Format::Human(HumanStyle::Plain));
    assert!(reports.contains("E0502") && reports.contains("nodes of a decision diagram"), "{reports}");
}
