use super::print;
use crate::source::Sources;
use crate::syntax::parse::parse;

/// The canonical form of a text without faults.
fn formatted(text: &str) -> String {
    let file = Sources::new().add("p.stepup", text);
    let (tree, reports) = parse(file, text);
    assert!(reports.is_empty(), "{reports:#?}");
    print(text, &tree)
}

/// Texts that are in canonical form already.
#[track_caller]
fn stays(text: &str) {
    assert_eq!(formatted(text), text);
}

#[test]
fn a_policy_in_canonical_form_stays_as_it_is() {
    stays(
        r#"//! Everyone uses a second factor.

/// Set by the directory sync.
fact user.isAdmin: bool = event.user.app_metadata.isAdmin default false
fact roles: list<string>? = event.user.app_metadata."https://x/roles"

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
    else if not performed(otp) within 90s then challenge otp
  }
}

guarantee "admins finish with both factors":
  user.isAdmin implies enrolled(webauthn-roaming) and enrolled(otp) and count(enrolled) > 1

test "an admin with only a one-time password gets a security key" {
  given user.isAdmin = true, enrolled = [otp 3s ago], now = 2026-01-31T00:00:00+01:00
  expect challenge any of [otp], enroll webauthn-roaming
  choose otp, webauthn-roaming
  expect nothing
}
"#,
    );
}

#[test]
fn a_file_without_anything_is_empty() {
    assert_eq!(formatted("  \n\n"), "");
}

#[test]
fn one_empty_line_stays_where_there_were_several() {
    assert_eq!(formatted("stop\n\n\n\nstop\nstop"), "stop\n\nstop\nstop\n");
}

#[test]
fn an_item_of_several_lines_stands_apart() {
    assert_eq!(
        formatted("use std.a step s { stop } step t {}"),
        "use std.a\n\nstep s {\n  stop\n}\n\nstep t {}\n"
    );
}

#[test]
fn parentheses_stand_only_where_they_say_something() {
    let text = "let a = ((b) and (c or d)) or (not (e is present)) implies ((f == g))";
    assert_eq!(formatted(text), "let a = b and (c or d) or not e is present implies f == g\n");
    stays("let a = (b implies c) implies (d ?? e) within 5s\n");
    stays("let a = (b or c) or d\n");
    stays("let a = text contains (any performed)\n");
}

#[test]
fn what_is_too_long_for_a_line_stands_one_element_a_line() {
    let name = "a-name-of-thirty-characters-xx";
    assert_eq!(
        formatted(&format!("let a = [{name}, {name}, {name}, {name}]")),
        format!("let a = [\n  {name},\n  {name},\n  {name},\n  {name},\n]\n")
    );
    assert_eq!(
        formatted(&format!("if {name} and {name} and {name} and {name} then stop")),
        format!("if {name}\n  and {name}\n  and {name}\n  and {name}\nthen stop\n")
    );
    assert_eq!(
        formatted(&format!("enroll {name} or {name} or {name} or {name}")),
        format!("enroll {name}\n  or {name}\n  or {name}\n  or {name}\n")
    );
}

#[test]
fn a_long_fact_breaks_before_its_path_and_a_longer_type_one_value_a_line() {
    stays(
        "fact risk.confidence: enum(low, medium, high, neutral)? =\n  event.authentication?.riskAssessment?.assessments.NewDevice?.confidence default low\n",
    );
    let name = "a-name-of-thirty-characters-xx";
    stays(&format!("fact a: enum(\n  {name},\n  {name},\n  {name},\n  {name},\n)? = event.a\n"));
}

#[test]
fn arms_stand_one_a_line() {
    let text =
        "match risk { \"a\", \"b\" => stop \"c\" => { stop } else => if x then stop else deny \"no\" }";
    let wanted = "match risk {\n  \"a\", \"b\" => stop\n  \"c\" => {\n    stop\n  }\n  else => if x then stop else deny \"no\"\n}\n";
    assert_eq!(formatted(text), wanted);
}

#[test]
fn literals_keep_their_form() {
    stays("if age(t) within 90s and n == -5 and ip in 2001:DB8::/32 and s == \"\\\"\\n✓\" then stop\n");
    stays("factor f { enroll, options { z = {\"b\": 1, \"a\": [true, null]}, enroll y = {} } }\n");
}

#[test]
fn a_comment_stays_by_its_line() {
    stays(
        r#"// before
stop // after

// above the block
if a { // why
  // first
  stop // second

  // last
} // closed
// apart
else stop // end

// the end
"#,
    );
}

#[test]
fn a_comment_in_a_list_stays_with_its_element() {
    stays(
        "enroll any of [\n  // the best\n  webauthn-roaming, // key\n  otp, // code\n  // and no more\n]\n",
    );
}

#[test]
fn a_comment_in_an_expression_moves_before_its_statement() {
    assert_eq!(formatted("if a // why\n  and b then stop"), "// why\nif a and b then stop\n");
}

#[test]
fn doc_lines_stay_with_their_item_and_comments_go_before_them() {
    assert_eq!(
        formatted("//! File.\n/// One.\n// note\n/// Two.\nlet a = b"),
        "//! File.\n\n// note\n/// One.\n/// Two.\nlet a = b\n"
    );
}

#[test]
fn two_slashes_in_a_string_are_no_comment() {
    stays("deny \"see https://x.example\" // so\n");
}

#[test]
fn a_long_file_is_printed_in_a_time_that_grows_with_it() {
    let list = (0..20_000).map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", // c\n");
    let text = format!("if a in [{list}] then stop\n{}", "if a { stop } // x\n".repeat(5_000));
    assert_eq!(formatted(&text).matches("// ").count(), 24_999);
}
