use serde_json::Value;

use super::*;
use crate::diagnostic::{ALL_CODES, Code, Edit};
use crate::source::{FileId, Sources};

const POLICY: &str = "\
step verify {
  if user.isAdmin {
    challenge any of [webauthn-roaming, opt]
  }
}
";

fn policy(text: &str) -> Sources {
    let mut sources = Sources::new();
    sources.add("p.stepup", text);
    sources
}

fn first_file(sources: &Sources) -> FileId {
    sources.files().next().expect("a file was added").0
}

/// The first `needle` in the first file.
fn at(sources: &Sources, needle: &str) -> Span {
    let id = first_file(sources);
    let start = sources.file(id).text().find(needle).expect("the needle is in the text");
    Span::new(id, start..start + needle.len())
}

fn plain(sources: &Sources, report: Diagnostic) -> String {
    human(sources, &[report], HumanStyle::Plain)
}

fn unknown_factor(sources: &Sources) -> Diagnostic {
    let opt = at(sources, "opt");
    Diagnostic::error(Code::E0401, opt, "unknown factor `opt`")
        .here("not in the catalog")
        .label(at(sources, "challenge"), "this command offers it")
        .note("the catalog has:\n  otp\n  phone")
        .fix("did you mean `otp`?", opt, "otp")
}

#[test]
fn a_report_shows_the_place_the_reason_and_the_repaired_line() {
    let sources = policy(POLICY);
    let shown = plain(&sources, unknown_factor(&sources));
    let wanted = "\
error[E0401]: unknown factor `opt`
  ┌─ p.stepup:3:41
  │
3 │     challenge any of [webauthn-roaming, opt]
  │     ---------                           ^^^ not in the catalog
  │     │
  │     this command offers it
  │
  = note: the catalog has:
            otp
            phone
  = help: did you mean `otp`?
     3 │     challenge any of [webauthn-roaming, otp]
       │                                         ~~~

";
    assert_eq!(shown, wanted);
}

#[test]
fn what_a_repair_inserts_is_marked_and_what_it_removes_is_shown() {
    let sources = policy(POLICY);
    let condition = at(&sources, "user.isAdmin");
    let end = Span::new(condition.file, POLICY.len() - 1..POLICY.len() - 1);
    let report = Diagnostic::warning(Code::W0601, condition, "this is always true")
        .fix("negate it", condition.before(), "not ")
        .fix("leave it out", at(&sources, ", opt"), "")
        .fix("add a step", end, "\nstep last {\n}");
    let shown = plain(&sources, report);
    let wanted = "\
  = help: negate it
     2 │   if not user.isAdmin {
       │      ++++
  = help: leave it out
     3 -     challenge any of [webauthn-roaming, opt]
     3 +     challenge any of [webauthn-roaming]
  = help: add a step
     6 + step last {
     7 + }

";
    assert!(shown.ends_with(wanted), "{shown}");
}

#[test]
fn a_label_of_many_lines_shows_its_two_ends() {
    let text = format!("step s {{\n{}}}\n", "  stop\n".repeat(5000));
    let sources = policy(&text);
    let whole = Span::new(first_file(&sources), 0..text.len());
    let shown = plain(&sources, Diagnostic::warning(Code::W0603, whole, "nothing gets here").here("this"));
    assert_eq!(shown.lines().count(), 12, "{shown}");
    assert!(shown.contains("5002 │ │ }\n"), "{shown}");
}

#[test]
fn a_line_of_a_megabyte_is_shown_around_the_label() {
    let text = format!("{}opt {}", "stop ".repeat(100_000), "stop ".repeat(100_000));
    let sources = policy(&text);
    let opt = at(&sources, "opt");
    let report = Diagnostic::error(Code::E0401, opt, "unknown factor").here("here").fix("so", opt, "otp");
    let reports: Vec<Diagnostic> = (0..100).map(|n| report.clone().note(n.to_string())).collect();
    let shown = human(&sources, &reports, HumanStyle::Plain);
    assert!(shown.contains("p.stepup:1:500001"), "{shown}");
    assert!(shown.contains(" opt stop"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() < 150), "{shown}");
}

#[test]
fn the_users_control_characters_do_not_reach_the_terminal() {
    let text = "deny \"\u{1b}[31m\u{202e}\u{7}\u{85}\t\" // \r no\r\n";
    let sources = policy(text);
    let report = Diagnostic::error(Code::E0101, at(&sources, "deny"), "odd `\u{1b}]0;x\u{7}`")
        .here("\u{202e}here")
        .note("a\u{9b}b")
        .fix("\u{200b}so", at(&sources, "no"), "\u{1b}");
    let shown = plain(&sources, report);
    assert!(shown.chars().all(|c| c == '\n' || !(c.is_control() || matches!(c, '\u{200b}'..='\u{202e}'))));
    assert!(shown.contains("deny \"␛[31m�␇�    \" // ␍ no\n"), "{shown}");
}

#[test]
fn colours_are_only_in_the_ansi_style() {
    let sources = policy(POLICY);
    let report = unknown_factor(&sources);
    assert!(!human(&sources, std::slice::from_ref(&report), HumanStyle::Plain).contains('\u{1b}'));
    let shown = human(&sources, &[report], HumanStyle::Ansi);
    assert!(shown.contains("\u{1b}[33m~~~\u{1b}[0m"), "{shown}");
}

#[test]
fn reports_come_by_place_and_identical_ones_once() {
    let sources = policy(POLICY);
    let late = unknown_factor(&sources);
    let early = Diagnostic::warning(Code::W0601, at(&sources, "user.isAdmin"), "always true");
    let other = late.clone().note("more");
    let all = [late.clone(), early.clone(), other.clone(), late.clone()];
    assert_eq!(ordered(&all), [&early, &late, &other]);
    assert_eq!(summary(&all, "p.stepup").as_deref(), Some("2 errors and 1 warning in `p.stepup`"));
    assert_eq!(summary(&all[1..2], "p.stepup").as_deref(), Some("1 warning in `p.stepup`"));
    assert_eq!(summary(&[], "p.stepup"), None);
}

#[test]
fn beyond_the_bound_errors_are_shown_first_and_the_rest_counted() {
    let text = "stop ".repeat(20_000);
    let sources = policy(&text);
    let place = |n: usize| Span::new(first_file(&sources), n * 5..n * 5 + 4);
    let mut all: Vec<Diagnostic> =
        (0..19_999).map(|n| Diagnostic::warning(Code::W0603, place(n), "unreachable")).collect();
    all.push(Diagnostic::error(Code::E0101, place(19_999), "the error"));
    let shown = human(&sources, &all, HumanStyle::Plain);
    assert_eq!(shown.matches("W0603").count(), MAX_RENDERED - 1);
    assert!(shown.contains("the error"));
    assert!(shown.ends_with("and 19900 more\n"));
    assert_eq!(json(&sources, &all).lines().count(), 20_000);
}

#[test]
fn edits_read_from_json_repair_the_text() {
    let sources = policy(POLICY);
    let opt = at(&sources, "opt");
    let edit = |span: Span, text: &str| Edit { span, replacement: text.to_owned() };
    let edits = vec![edit(opt, "otp"), edit(at(&sources, "user").before(), "not ")];
    let report = unknown_factor(&sources).fix_all("both", edits);
    let line: Value = serde_json::from_str(&json(&sources, &[report])).expect("it is JSON");
    assert_eq!(line["code"], "E0401");
    assert_eq!(line["severity"], "error");
    assert_eq!(line["primary"]["start_line"], 3);
    assert_eq!(line["primary"]["end_column"], 44);
    let read = |edit: &Value| {
        let offset = |key: &str| edit[key].as_u64().expect("an offset") as usize;
        let span = Span::new(first_file(&sources), offset("start")..offset("end"));
        Edit { span, replacement: edit["replacement"].as_str().expect("a text").to_owned() }
    };
    let edits: Vec<Edit> = line["helps"][1]["edits"].as_array().expect("a list").iter().map(read).collect();
    let repaired = apply_edits(POLICY, &edits).expect("the edits fit");
    assert_eq!(repaired, POLICY.replace("opt]", "otp]").replace("if user", "if not user"));
}

#[test]
fn edits_that_do_not_fit_are_refused() {
    let sources = policy("aé");
    let edit =
        |start, end| Edit { span: Span::new(first_file(&sources), start..end), replacement: String::new() };
    assert!(matches!(apply_edits("aé", &[edit(0, 2)]), Err(EditError::Outside { .. })));
    assert!(matches!(apply_edits("aé", &[edit(2, 1)]), Err(EditError::Outside { .. })));
    assert!(matches!(apply_edits("aé", &[edit(9, 9)]), Err(EditError::Outside { .. })));
    assert!(matches!(apply_edits("abc", &[edit(1, 3), edit(0, 2)]), Err(EditError::Overlapping { .. })));
}

#[test]
fn a_sarif_log_has_what_the_format_requires() {
    let mut sources = policy("if é and opt then stop\n");
    let shared = sources.add("dir with space\\ü.stepup", "x\n");
    let opt = at(&sources, "opt");
    let report = Diagnostic::error(Code::E0401, opt, "unknown factor `opt`")
        .label(Span::new(shared, 0..1), "declared here")
        .note("a note")
        .help("advice")
        .fix("did you mean `otp`?", opt, "otp");
    let log: Value = serde_json::from_str(&sarif(&sources, &[report])).expect("it is JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("the rules");
    assert_eq!(rules.len(), ALL_CODES.len());
    let result = &run["results"][0];
    let index = result["ruleIndex"].as_u64().expect("an index") as usize;
    assert_eq!(rules[index]["id"], result["ruleId"]);
    assert_eq!(result["message"]["text"], "unknown factor `opt`\n\nnote: a note\n\nhelp: advice");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "p.stepup");
    assert_eq!(place["region"]["startColumn"], 10);
    assert_eq!(place["region"]["endColumn"], 13);
    assert_eq!(place["region"]["byteOffset"], 10);
    let related = &result["relatedLocations"][0];
    assert_eq!(related["physicalLocation"]["artifactLocation"]["uri"], "dir%20with%20space/%C3%BC.stepup");
    assert_eq!(related["message"]["text"], "declared here");
    let change = &result["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "otp");
    assert_eq!(change["replacements"][0]["deletedRegion"], place["region"]);
}
