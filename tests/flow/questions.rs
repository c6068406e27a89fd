//! What examining says of policies as one writes them: each a case in which the analysis and enumeration once differed.

use stepup::flow::{Proof, Question};
use stepup::source::Span;
use stepup::{Compiler, Examined, Format, HumanStyle};

fn examined(text: &str) -> Examined {
    let examined = Compiler::new().examine([("policy.stepup", text)]);
    examined.unwrap_or_else(|report| panic!("{}", report.render(Format::Human(HumanStyle::Plain))))
}

/// The texts about which a question is answered.
fn found<'t>(text: &'t str, examined: &Examined, question: Question) -> Vec<&'t str> {
    let findings = examined.analysis.findings.iter().filter(|finding| finding.question == question);
    let quote = |span: Span| text.get(span.start as usize..span.end as usize).unwrap();
    findings.map(|finding| quote(finding.span)).collect()
}

#[test]
fn a_condition_that_is_asked_again_after_a_command_reads_what_is_stale() {
    let text = "
define tired(f: factor) = not performed(f) within 12h and not enrolled(email)
if tired(otp) and user.isAdmin then challenge otp
if tired(otp) and user.phone_verified then challenge phone";
    assert_eq!(found(text, &examined(text), Question::StaleRead), ["performed(f) within 12h"]);
}

#[test]
fn a_challenge_that_is_answered_makes_nothing_stale() {
    let text = "
step one { challenge otp }
step two {
  if user.isAdmin then challenge otp
  if performed(phone) in this login or performed(otp) within 12h then stop
  challenge phone
}";
    assert_eq!(found(text, &examined(text), Question::StaleRead), [] as [&str; 0]);
}

#[test]
fn a_guarantee_is_refuted_by_the_login_with_the_fewest_prompts_whatever_its_commands() {
    let text = "
if user.isAdmin { challenge otp  challenge otp  challenge otp } else { challenge otp  challenge phone }
guarantee \"nobody gets in\": never completed";
    let examined = examined(text);
    let [answer] = &examined.analysis.guarantees[..] else { panic!("one guarantee") };
    let Proof::Refuted(login) = &answer.proof else { panic!("{answer:?}") };
    let session = login.ended.as_ref().map(|ended| (ended.session.commands, ended.session.prompts));
    assert_eq!(session, Some((3, 1)));
}

#[test]
fn a_fact_under_something_missing_is_shown_with_its_default() {
    let text = "
fact organization.seats: int = event.organization?.metadata.seats default 20
if organization.name is not present and organization.seats > 10 then challenge otp";
    let report = examined(text).compiled.report.render(Format::Human(HumanStyle::Plain));
    assert!(report.contains("organization.seats = 20"), "{report}");
}
