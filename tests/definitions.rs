//! What a define's parameters and calls allow.

use stepup::{Compiler, Report};

/// What compiling says; the questions that checking asks besides are another test's.
fn compiled(compiler: &Compiler, text: &str) -> Report {
    compiler.compile([("policy.stepup", text)]).map_or_else(|report| report, |compiled| compiled.report)
}

/// What there is to say of a policy, without the lines that lead to it.
fn reports(text: &str) -> Vec<String> {
    let report = compiled(&Compiler::new(), text);
    report.diagnostics().iter().map(|diagnostic| diagnostic.message.clone()).collect()
}

const NOTHING: [String; 0] = [];

#[test]
fn a_parameter_that_may_be_absent_is_read_after_asking() {
    let define = "define given(t: string?) = t is present and t != \"\"\n";
    assert_eq!(reports(&format!("{define}step s {{ if given(user.email) then challenge otp }}")), NOTHING);
}

#[test]
fn a_parameter_that_may_be_absent_takes_a_value_that_is_there() {
    let define =
        "define given(t: string?) = t is present and t != \"\"\ndefine many(n: int?) = (n ?? 0) > 2\n";
    let step = "step s { if given(client.id) and many(stats.logins_count) then challenge otp }";
    assert_eq!(reports(&format!("{define}{step}")), NOTHING);
}

#[test]
fn a_parameter_that_may_be_absent_is_not_read_without_asking() {
    let text = "define filled(t: string?) = t != \"\"\nstep s { if filled(user.email) then challenge otp }";
    assert_eq!(reports(text), ["`t` may be absent"]);
}

#[test]
fn a_domain_has_no_domain() {
    let text = "step s { if domain(domain(user.email)) is present then challenge otp }";
    assert_eq!(reports(text), ["a domain has no `@`, and so no domain"]);
}

#[test]
fn what_stands_after_two_question_marks_counts_only_where_the_value_is_absent() {
    let text = "if organization.name ?? \"acme\" == \"acme\" then challenge otp";
    let policy = Compiler::new().compile([("policy.stepup", text)]).expect("it compiles").policy;
    let step = policy.step("policy").expect("the file's step");
    let mut facts = policy.facts();
    for (event, asks) in [
        (r#"{}"#, true),
        (r#"{"organization": {"name": "acme"}}"#, true),
        (r#"{"organization": {"name": "other"}}"#, false),
    ] {
        facts.read_json(event.as_bytes()).expect("the event fits the policy");
        assert_eq!(!step.decide(&facts).expect("all is filled").is_nothing(), asks, "{event}");
    }
}
