//! `stepup test` as a process: what people and programs read, and how it ends.

#[path = "support/command.rs"]
mod command;

use std::fs;
use std::path::{Path, PathBuf};

use command::{Ran, folder, stepup_in};
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value as Json;

/// Two passing runs and a failing one; three of four statements, three of four outcomes.
const POLICY: &str = r#"step verify {
  if user.isAdmin then challenge otp
  if enrolled(phone) then deny "no phones"
}

test "an admin is asked" for (enrolled) in [([otp]), ([email])] {
  given user.isAdmin = true
  expect challenge otp
}

test "a user is asked" {
  expect challenge otp
}
"#;

fn given(name: &str, policy: &str) -> PathBuf {
    folder(&format!("cli-test-{name}"), &[("policy.stepup", policy)])
}

fn test(folder: &Path, options: &[&str]) -> Ran {
    stepup_in(folder, &[&["test", "policy.stepup"], options].concat())
}

fn json(folder: &Path, options: &[&str]) -> Json {
    let ran = test(folder, &[&["--format", "json"], options].concat());
    serde_json::from_str(&ran.stdout).expect("one JSON document")
}

#[test]
fn people_read_what_ran_why_it_failed_and_what_is_covered() {
    let ran = test(&given("human", POLICY), &[]);
    assert!(
        ran.stdout.starts_with(
            "ok    an admin is asked, row 1\nok    an admin is asked, row 2\nFAIL  a user is asked\n"
        ),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("expected: challenge otp\n             actual: nothing\n"), "{}", ran.stdout);
    let end = "nothing\n\n2 passed, 1 failed\n\
        coverage 75 %: 3 of 4 statements ran, 3 of 4 outcomes of conditions were met\n";
    assert!(ran.stdout.ends_with(end), "{}", ran.stdout);
    assert_eq!((ran.stderr.as_str(), ran.code), ("", 1));
    assert!(!ran.stdout.contains('\u{1b}'), "no colours where no terminal is");
}

#[test]
fn the_end_is_that_of_the_tests() {
    let folder = given("codes", POLICY);
    assert_eq!(test(&folder, &[]).code, 1);
    assert_eq!(test(&folder, &["--filter", "an admin"]).code, 0);
    let none = test(&folder, &["--filter", "nobody"]);
    assert_eq!(none.stderr, "error: no test's name holds `nobody`\n");
    assert_eq!((none.stdout.as_str(), none.code), ("", 2));
    assert_eq!(stepup_in(&folder, &["test", "gone.stepup"]).code, 2);
    let broken = given("broken", "chalenge otp");
    assert!(test(&broken, &[]).stderr.contains("error[E0101]"));
    assert_eq!(test(&broken, &[]).code, 1);
}

#[test]
fn less_coverage_than_wanted_is_a_finding() {
    let folder = given("fail-under", POLICY);
    let admins = |wanted: &str| test(&folder, &["--filter", "an admin", "--fail-under", wanted]);
    let percent = json(&folder, &["--filter", "an admin"])["coverage"]["percent"].clone();
    assert_eq!(percent, 62, "three statements, and two outcomes, of four each, rounded down");
    assert_eq!(admins("62").code, 0);
    let less = admins("63");
    assert_eq!(less.stderr, "error: the tests cover 62 %, and 63 % are wanted\n");
    assert_eq!(less.code, 1);
    assert_eq!(admins("101").code, 2);
    assert_eq!(admins("-1").code, 2);
    assert_eq!(admins("many").code, 2);
}

#[test]
fn json_says_in_numbers_what_people_read() {
    let folder = given("json", POLICY);
    let document = json(&folder, &[]);
    let coverage = &document["coverage"];
    let told = format!(
        "{} passed, {} failed\ncoverage {} %: {} of {} statements ran, {} of {} outcomes of conditions were met\n",
        document["passed"],
        document["failed"],
        coverage["percent"],
        coverage["statements"]["met"],
        coverage["statements"]["of"],
        coverage["outcomes"]["met"],
        coverage["outcomes"]["of"],
    );
    assert!(test(&folder, &[]).stdout.ends_with(&told), "{told}");
    assert_eq!(coverage["files"][0]["statements"], coverage["statements"]);

    let runs = document["runs"].as_array().expect("runs");
    let outcomes: Vec<&str> = runs.iter().filter_map(|run| run["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["passed", "passed", "failed"]);
    assert_eq!((&runs[1]["row"], &runs[1]["line"]), (&2.into(), &6.into()));
    assert_eq!(runs[2]["report"]["code"], "E0701");
    assert_eq!(runs[2]["file"], "policy.stepup");
}

/// The elements of an XML document with their attributes, and that it ends well.
fn elements(xml: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut found = Vec::new();
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(element) | Event::Empty(element) => {
                let name = AsRef::<str>::as_ref(&element.name()).to_owned();
                let attributes = element.attributes().map(|attribute| {
                    let attribute = attribute.expect("an attribute");
                    let key = AsRef::<str>::as_ref(&attribute.key).to_owned();
                    (key, quick_xml::escape::unescape(&attribute.value).expect("escaped text").into_owned())
                });
                found.push((name, attributes.collect()));
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn attribute<'a>(element: &'a (String, Vec<(String, String)>), key: &str) -> &'a str {
    let found = element.1.iter().find(|(name, _)| name == key);
    found.map_or("", |(_, value)| value)
}

#[test]
fn junit_has_a_suite_a_file_and_a_case_a_run() {
    let xml = test(&given("junit", POLICY), &["--format", "junit"]).stdout;
    let elements = elements(&xml);
    let named = |name: &str| elements.iter().filter(|element| element.0 == name).collect::<Vec<_>>();
    let suite = named("testsuite");
    assert_eq!(suite.len(), 1);
    assert_eq!((attribute(suite[0], "tests"), attribute(suite[0], "failures")), ("3", "1"));
    let cases = named("testcase");
    assert_eq!(cases.len(), 3);
    assert_eq!(attribute(cases[1], "name"), "an admin is asked, row 2");
    let failures = named("failure");
    assert_eq!(attribute(failures[0], "type"), "E0701");
    assert_eq!(failures.len(), 1);
    assert!(xml.contains("expected: challenge otp"), "{xml}");
}

#[test]
fn the_name_of_a_test_moves_no_cursor_and_breaks_no_document() {
    let name = r#"<b>\u001b[31m & \"\u0001\n]]>"#;
    let folder = given("names", &format!("challenge otp\ntest \"{name}\" {{ expect nothing }}\n"));
    let human = test(&folder, &[]).stdout;
    assert!(human.starts_with("FAIL  <b>␛[31m & \"␁ ]]>\n"), "{human}");
    assert!(human.chars().all(|c| c == '\n' || !c.is_control()), "{human:?}");
    assert_eq!(json(&folder, &[])["runs"][0]["test"], "<b>\u{1b}[31m & \"\u{1}\n]]>");
    let xml = test(&folder, &["--format", "junit"]).stdout;
    assert!(xml.chars().all(|c| c == '\n' || !c.is_control()), "{xml:?}");
    let elements = elements(&xml);
    let case = elements.iter().find(|element| element.0 == "testcase").expect("a case");
    assert_eq!(attribute(case, "name"), "<b>␛[31m & \"␁ ]]>");
}

#[test]
fn lcov_sums_are_those_of_its_lines_and_of_the_other_formats() {
    let folder = given("lcov", POLICY);
    let coverage = json(&folder, &["--lcov", "coverage.info"])["coverage"].clone();
    let lcov = fs::read_to_string(folder.join("coverage.info")).expect("it is written");
    let field = |name: &str| -> usize {
        let value = lcov.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).expect("the field");
        value.parse().expect("a number")
    };
    let last = |prefix: &str| -> Vec<&str> {
        let lines = lcov.lines().filter(|line| line.starts_with(prefix));
        lines.filter_map(|line| line.rsplit(',').next()).collect()
    };
    let hit = |values: &[&str]| values.iter().filter(|value| !matches!(**value, "0" | "-")).count();
    let (lines, branches) = (last("DA:"), last("BRDA:"));
    assert_eq!((field("LF"), field("LH")), (lines.len(), hit(&lines)));
    assert_eq!((field("BRF"), field("BRH")), (branches.len(), hit(&branches)));
    assert_eq!(field("BRF"), coverage["outcomes"]["of"]);
    assert_eq!(field("BRH"), coverage["outcomes"]["met"]);
    assert!(lcov.starts_with("TN:\nSF:policy.stepup\n") && lcov.ends_with("end_of_record\n"), "{lcov}");

    let nowhere = test(&folder, &["--lcov", "no/such/folder"]);
    assert!(nowhere.stderr.starts_with("error: `no/such/folder` can't be written"), "{}", nowhere.stderr);
    assert_eq!(nowhere.code, 2);
}

#[test]
fn what_was_missed_is_marked_under_its_text_and_once() {
    let policy = "step verify {\n\tif (user.nickname ?? \"你\") == \"x\" then challenge otp\n\
        \tif enrolled(otp) {\n\t\tif enrolled(phone) then stop\n\t}\n}\n\
        test \"t\" { expect nothing }\n";
    let ran = test(&given("marks", policy), &["--coverage"]);
    let expected = r#"
policy.stepup: 36 %
           1 │ step verify {
     1×    2 │     if (user.nickname ?? "你") == "x" then challenge otp
             │        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ never true
             │                                            ^^^^^^^^^^^^^ never runs
     1×    3 │     if enrolled(otp) {
             │        ^^^^^^^^^^^^^ never true
     0×    4 │         if enrolled(phone) then stop
             │         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ never runs
           5 │     }
           6 │ }
           7 │ test "t" { expect nothing }
"#;
    assert!(ran.stdout.contains(expected), "{}", ran.stdout);
}
