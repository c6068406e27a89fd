//! `decide --explain`: why a step asks for what it asks for, and not for more.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};
use stepup::jiff::Timestamp;
use stepup::trace::Session;
use stepup::{Compiled, Compiler, Engine, play};

fn compiled(text: &str) -> Compiled {
    Compiler::new().with_engine(Engine::Interpreter).compile([("p.stepup", text)]).expect("it compiles")
}

/// The explanation of the first step, as JSON and for people; held to the decision.
fn explained(text: &str, event: &Value) -> (Value, String) {
    let compiled = compiled(text);
    let now: Timestamp = "2026-01-31T08:00:00Z".parse().expect("an instant");
    let event = event.to_string();
    let world = play::read_event(&compiled.typed, &compiled.policy, event.as_bytes(), now).expect("an event");
    let session = Session::default();
    let (id, _) = compiled.typed.steps.iter().next().expect("a step");
    let why = play::explain(&compiled.typed, compiled.report.sources(), id, &world.event, &session);

    let mut facts = compiled.policy.facts();
    facts.read_json(event.as_bytes()).expect("an event");
    facts.set_now(now);
    let decision = compiled.policy.steps().next().expect("a step").decide(&facts).expect("a decision");
    assert!(why.agrees_with(&decision), "{why}");
    (serde_json::to_value(&why).expect("JSON"), why.to_string())
}

fn not(text: &str, event: &Value) -> Value {
    explained(text, event).0["not"].take()
}

fn stepup(arguments: &[&str], folder: &Path, input: &str) -> (String, String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stepup"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let _ = child.stdin.take().expect("its input is a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the command ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), output.status.code().expect("an exit code"))
}

/// The seed's two Actions.
const SEED: &str = include_str!("support/seed.stepup");

const ADMIN_WITH_OTP: &str =
    r#"{"user": {"app_metadata": {"isAdmin": true}, "enrolledFactors": [{"type": "otp"}]}}"#;

/// Explains the seed's policy, as a process.
fn seed(more: &[&str], events: &str) -> (String, String, i32) {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("explain");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("admins.stepup"), SEED).expect("a file");
        folder
    });
    stepup(&[&["decide", "admins.stepup", "--event", "-", "--explain"], more].concat(), &FOLDER, events)
}

#[test]
fn the_seeds_admin_is_explained_to_people() {
    let (stdout, stderr, code) = seed(&[], ADMIN_WITH_OTP);
    assert_eq!(
        stdout,
        "\
step `enroll` asks for
  1. challenge any of otp
  2. enroll webauthn-roaming
why
  admins.stepup:4  enrolled is empty                      false  enrolled = [otp]
  admins.stepup:8  challenge any of enrolled              runs
  admins.stepup:9  user.isAdmin                           true   user.isAdmin = true
  admins.stepup:9  enrolled(webauthn-roaming)             false  enrolled = [otp]
  admins.stepup:9  enroll webauthn-roaming                runs
not asked for
  admins.stepup:5  enroll any of [webauthn-roaming, otp]  admins.stepup:4: `enrolled is empty` is false
  admins.stepup:6  enroll any of [webauthn-roaming, otp]  admins.stepup:4: `enrolled is empty` is false
"
    );
    assert_eq!((stderr.as_str(), code), ("", 0));
}

#[test]
fn the_seeds_admin_is_explained_in_a_log_line() {
    let (stdout, _, code) = seed(&["--format", "json"], ADMIN_WITH_OTP);
    assert_eq!((stdout.lines().count(), code), (1, 0));
    assert!(stdout.len() < 1000, "{} bytes: {stdout}", stdout.len());
    let line: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(line["step"], "enroll");
    assert_eq!(
        line["explain"],
        json!({
            "facts": {"enrolled": ["otp"], "user.isAdmin": true},
            "asked": [
                {"at": "admins.stepup:4", "is": false, "of": ["enrolled"]},
                {"at": "admins.stepup:9", "is": true, "of": ["user.isAdmin"]},
                {"at": "admins.stepup:9", "is": false, "of": ["enrolled"]},
            ],
            "ran": ["admins.stepup:8", "admins.stepup:9"],
            "not": [
                {"at": "admins.stepup:5", "by": "admins.stepup:4", "is": false, "of": ["enrolled"]},
                {"at": "admins.stepup:6", "by": "admins.stepup:4", "is": false, "of": ["enrolled"]},
            ],
        })
    );
}

#[test]
fn each_of_several_events_is_explained_on_its_line_and_later_steps_too() {
    let events = "{\"user\":{}}\n{\"user\":{\"app_metadata\":{\"isAdmin\":true}}}\n";
    let (stdout, stderr, code) = seed(&["--step", "verify", "--format", "json"], events);
    assert_eq!((stderr.as_str(), code), ("", 0));
    let asked: Vec<usize> = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|line| line["explain"]["asked"].as_array().expect("a list").len())
        .collect();
    assert_eq!(asked, [1, 2]);
}

#[test]
fn the_first_false_part_of_an_and_stands_in_the_way_and_an_or_as_a_whole() {
    let text = "if user.isAdmin and enrolled(otp) then challenge otp\n\
                if enrolled(phone) or\n enrolled(email) then challenge phone";
    let event = json!({"user": {"app_metadata": {"isAdmin": true}}});
    assert_eq!(
        not(text, &event),
        json!([
            {"at": "p.stepup:1", "by": "p.stepup:1", "is": false, "of": ["enrolled"]},
            {"at": "p.stepup:3", "by": "p.stepup:2", "is": false, "of": ["enrolled"]},
        ])
    );
    let people = explained(text, &event).1;
    assert!(people.contains("p.stepup:1: `enrolled(otp)` is false"), "{people}");
    assert!(people.contains("p.stepup:2: `enrolled(phone) or enrolled(email)` is false"), "{people}");
}

#[test]
fn a_branch_taken_before_stands_in_the_way_of_the_later_ones() {
    let text = "if enrolled is empty then stop\nelse if user.isAdmin then challenge otp\nelse { challenge any of enrolled }";
    assert_eq!(
        not(text, &json!({"user": {}})),
        json!([
            {"at": "p.stepup:2", "by": "p.stepup:1", "is": true, "of": ["enrolled"]},
            {"at": "p.stepup:3", "by": "p.stepup:1", "is": true, "of": ["enrolled"]},
        ])
    );
}

#[test]
fn the_outermost_branch_stands_in_the_way_of_what_is_inside() {
    let text = "if user.isAdmin {\n  if enrolled(otp) {\n    challenge otp\n  }\n}";
    assert_eq!(
        not(text, &json!({"user": {}})),
        json!([{"at": "p.stepup:3", "by": "p.stepup:1", "is": false, "of": ["user.isAdmin"]}])
    );
}

#[test]
fn stop_and_deny_stand_in_the_way_of_what_comes_after_them() {
    let stops = "if enrolled is empty then stop\nchallenge any of enrolled";
    assert_eq!(not(stops, &json!({"user": {}})), json!([{"at": "p.stepup:2", "by": "p.stepup:1"}]));
    let denies = "if enrolled is empty then deny \"no\"\nif user.isAdmin then challenge any of enrolled";
    let (told, people) = explained(denies, &json!({"user": {}}));
    assert_eq!(told["not"], json!([{"at": "p.stepup:2", "by": "p.stepup:1"}]));
    assert_eq!(told["ran"], json!(["p.stepup:1"]));
    assert!(people.contains("p.stepup:1: `deny \"no\"` ends the step"), "{people}");
}

#[test]
fn the_arms_of_a_match_and_the_statements_of_a_rule_are_told_by_their_lines() {
    let text = "rule ask {\n  if user.isAdmin then challenge otp\n}\n\
                step a {\n  match connection.strategy {\n    \"auth0\" => apply ask\n    else => challenge phone\n  }\n}";
    let event = json!({"user": {}, "connection": {"strategy": "auth0", "name": "a", "id": "c"}});
    let (told, _) = explained(text, &event);
    assert_eq!(
        told["not"],
        json!([
            {"at": "p.stepup:2", "by": "p.stepup:2", "is": false, "of": ["user.isAdmin"]},
            {"at": "p.stepup:7", "by": "p.stepup:6", "is": true, "of": ["connection.strategy"]},
        ])
    );
    assert_eq!(told["facts"], json!({"connection.strategy": "auth0", "user.isAdmin": false}));
}

#[test]
fn what_is_absent_and_how_old_a_stamp_is_are_told() {
    let text = "if (request.geo.country_code ?? \"\") == \"DE\" then stop\n\
                if performed(otp) within 5s or performed(otp) in this login then stop\nchallenge otp";
    let event = json!({"user": {}, "request": {"ip": "10.0.0.1", "method": "GET"}, "authentication": {"methods": [
        {"name": "mfa", "type": "otp", "timestamp": "2026-01-31T07:59:50Z"},
        {"name": "mfa", "type": "otp", "timestamp": "2026-01-31T07:59:00Z"},
    ]}});
    let (told, people) = explained(text, &event);
    assert_eq!(
        told["facts"],
        json!({"request.geo.country_code": null, "performed": ["otp 10s ago"], "performed in this login": []})
    );
    assert!(people.contains("request.geo.country_code is absent"), "{people}");
}

#[test]
fn what_strangers_write_moves_no_cursor_and_is_cut() {
    let text = "if client.name == \"a\" then challenge otp";
    let name = format!("\u{1b}[2J\u{202e}\u{9b}{}", "x".repeat(5000));
    let event = json!({"user": {}, "client": {"client_id": "c", "name": name, "metadata": {}}});
    let (told, people) = explained(text, &event);
    assert!(
        people.chars().all(|c| c == '\n' || !c.is_control()) && !people.contains('\u{202e}'),
        "{people:?}"
    );
    assert!(people.len() < 1000 && told.to_string().len() < 1000, "{people}");
}

#[test]
fn what_if_names_the_smallest_changes_that_would_change_a_decision() {
    let admin =
        ["decide", "examples/admins.stepup", "--event", "examples/events/admin-otp.json", "--what-if"];
    let run = |more: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_stepup"))
            .args(admin.iter().chain(more))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("the command runs");
        String::from_utf8(ran.stdout).expect("text")
    };
    let told = run(&[]);
    for line in [
        "it would be otherwise with",
        "  user.isAdmin = false: challenge any of [otp]",
        "  enrolled = []: enroll any of [webauthn-roaming, otp], enroll any of [webauthn-roaming, otp]",
        "  enrolled = [otp, webauthn-roaming]: challenge any of [otp, webauthn-roaming]",
    ] {
        assert!(told.lines().any(|found| found == line), "{line}\n{told}");
    }
    let found: Value = serde_json::from_str(&run(&["--format", "json"])).expect("one JSON object");
    let changes = found["whatIf"].as_array().expect("a list");
    assert!(changes.iter().all(|change| change["facts"].as_array().expect("a list").len() == 1));
}

/// What would change the decision of a policy of one step, of two changes both.
fn changes(
    policy: &str,
    change: impl FnOnce(&stepup::check::policy::TypedPolicy, &mut stepup::play::World),
) -> Vec<String> {
    let compiled = stepup::Compiler::new().compile([("policy.stepup", policy)]).expect("a policy");
    let typed = &compiled.typed;
    let mut world = stepup::play::World::new(typed);
    change(typed, &mut world);
    let step = typed.steps.keys().next().expect("a step");
    let changes = stepup::play::nearest(typed, step, &world);
    changes.iter().map(|change| format!("{}: {}", change.facts.join(" and "), change.then)).collect()
}

#[test]
fn a_factor_performed_long_ago_could_have_been_performed_just_now() {
    let policy = "if not performed(otp) within 12h then challenge otp";
    let told = changes(policy, |typed, world| {
        let otp = typed.catalog.factors.iter().find(|(_, row)| row.name == "otp").expect("a factor").0;
        world.event.performed = vec![(otp, world.event.now - 86_400_000)];
    });
    assert_eq!(told, ["performed = [otp 0s ago]: nothing"]);
}

#[test]
fn what_is_only_asked_to_be_there_could_be_absent() {
    let policy = "if organization.id is present then deny \"no\"";
    let told = changes(policy, |typed, world| {
        let presences = typed.presences.iter();
        presences.filter(|(_, row)| row.path.len() == 1).for_each(|(id, _)| world.appear(typed, id));
    });
    assert_eq!(told, ["organization.id is absent: nothing"]);
}

#[test]
fn an_address_could_have_a_domain() {
    let told = changes("if (domain(user.email) ?? \"\") != \"\" then challenge email", |_, _| {});
    assert_eq!(told, ["user.email = \"someone@example.com\": challenge email"]);
}

#[test]
fn pairs_of_changes_are_named_only_where_no_single_one_is_enough() {
    use stepup::play::{World, nearest};
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let compiler = stepup::Compiler::new();
    let mut found = 0;
    for entry in std::fs::read_dir(folder).expect("an example") {
        let path = entry.expect("an example").path();
        if path.extension().is_none_or(|extension| extension != "stepup") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("an example");
        let compiled = compiler.compile([("policy.stepup", &text)]).expect("an example");
        let typed = &compiled.typed;
        for step in typed.steps.keys() {
            let changes = nearest(typed, step, &World::new(typed));
            found += changes.len();
            let widths: std::collections::BTreeSet<usize> =
                changes.iter().map(|change| change.facts.len()).collect();
            assert!(widths.len() <= 1, "{}: pairs beside single facts {changes:?}", path.display());
        }
    }
    assert!(found > 30, "{found}");
}
