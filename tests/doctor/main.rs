//! `doctor`: a healthy export, and what each fault of it makes of the lines.
//!
//! A case is a file of `tests/doctor/cases`: what is other than in the healthy export, and the lines that are other than
//! the healthy ones. A section `PATH (changed)` has lines `- OLD` and `+ NEW`, `PATH (instead)` a whole text, and
//! `PATH (removed)` takes away. `STEPUP_BLESS=1 cargo test --test doctor` rewrites the lines; read the difference.

#![allow(clippy::panic, reason = "a case that can't be read is a defect of the case")]

#[path = "../support/case.rs"]
mod case;
#[path = "../support/command.rs"]
mod command;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use case::{Case, Section, blessing, blocks, difference};
use command::{Ran, folder, stepup_in};
use stepup::doctor::{Checkup, Verdict, examine};
use stepup::{Compiled, Compiler, Engine, MemoryFolder, Report, read_export};

const POLICY: &str = "\
step enroll {
  if enrolled is empty then enroll any of [otp, phone(sms)]
  else challenge any of enrolled
}

step verify {
  if user.isAdmin and not performed(otp) within 5s then challenge otp
}
";

/// What an export holds beside the Actions.
const SETTINGS: [(&str, &str); 8] = [
    ("tenant.json", "{\n  \"friendly_name\": \"Acme\",\n  \"customize_mfa_in_postlogin_action\": true\n}\n"),
    ("guardian/factors/otp.json", "{\n  \"name\": \"otp\",\n  \"enabled\": true\n}\n"),
    ("guardian/factors/sms.json", "{\n  \"name\": \"sms\",\n  \"enabled\": true\n}\n"),
    ("guardian/factors/duo.json", "{\n  \"name\": \"duo\",\n  \"enabled\": false\n}\n"),
    ("guardian/factors/email.json", "{\n  \"name\": \"email\",\n  \"enabled\": false\n}\n"),
    ("guardian/phoneFactorMessageTypes.json", "{\n  \"message_types\": [\"sms\"]\n}\n"),
    ("guardian/policies.json", "{\n  \"policies\": [\"all-applications\"]\n}\n"),
    ("prompts/prompts.json", "{\n  \"universal_login_experience\": \"new\"\n}\n"),
];

type Files = BTreeMap<String, String>;

fn compiled(policy: &str) -> Compiled {
    let compiler = Compiler::new().with_engine(Engine::Interpreter);
    compiler.compile([("policy.stepup", policy)]).expect("the policy compiles")
}

/// The export of a tenant that runs a policy as it should.
fn healthy(policy: &str) -> Files {
    let actions = compiled(policy).auth0_actions().expect("the policy becomes Actions").emitted.files();
    let actions = actions.into_iter().map(|file| (file.path, file.text));
    let settings = SETTINGS.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    actions.chain(settings).collect()
}

fn doctor(policy: &str, files: &Files) -> Result<Checkup, Report> {
    let folder = files
        .iter()
        .fold(MemoryFolder::default(), |folder, (path, text)| folder.with(path.as_str(), text.as_str()));
    let compiled = compiled(policy);
    let actions = compiled.auth0_actions().expect("the policy becomes Actions").emitted.actions;
    Ok(examine(&compiled.typed, &actions, &read_export("acme", &folder)?))
}

fn cases() -> Vec<Case> {
    Case::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor/cases"))
}

/// The healthy export with what a case says.
fn changed(sections: &[Section]) -> Files {
    let mut files = healthy(POLICY);
    for Section { title, text } in sections {
        let (path, what) = title.split_once(" (").unwrap_or_else(|| panic!("`{title}` says not what it is"));
        match what.trim_end_matches(')') {
            "instead" => drop(files.insert(path.to_owned(), text.clone())),
            "removed" => {
                let before = files.len();
                files.retain(|other, _| other != path && !other.starts_with(&format!("{path}/")));
                assert!(files.len() < before, "nothing is at `{path}`");
            }
            "changed" => {
                let file = files.get_mut(path).unwrap_or_else(|| panic!("nothing is at `{path}`"));
                for pair in text.lines().collect::<Vec<_>>().chunks(2) {
                    let [old, new] = pair else { panic!("`{title}` has pairs of lines") };
                    let (old, new) = (old.strip_prefix("- "), new.strip_prefix("+ "));
                    let (old, new) = (old.expect("a line `- OLD`"), new.expect("a line `+ NEW`"));
                    assert!(file.contains(old), "`{path}` has no `{old}`\n{file}");
                    *file = file.replacen(old, new, 1);
                }
            }
            other => panic!("`{other}` is no change"),
        }
    }
    files
}

/// The lines that the healthy export doesn't have, and the end.
fn told(files: &Files) -> String {
    let checkup = match doctor(POLICY, files) {
        Ok(checkup) => checkup,
        Err(report) => return report.to_string(),
    };
    let healthy = doctor(POLICY, &healthy(POLICY)).expect("it can be read");
    let usual: BTreeSet<String> = healthy.lines.iter().map(|line| healthy.sentence(line)).collect();
    let lines = checkup.lines.iter().filter(|line| !usual.contains(&checkup.sentence(line)));
    let lines = lines.map(|line| format!("{}  {}\n", line.verdict.word(), checkup.sentence(line)));
    // The digest is each version's own.
    let text = lines.collect::<String>() + &checkup.summary() + "\n";
    text.replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn each_fault_of_an_export_has_its_line() {
    let mut failures = Vec::new();
    for case in cases() {
        let found = told(&changed(&case.sections));
        if found == case.report {
            continue;
        }
        if blessing() {
            case.bless(&found);
        } else {
            failures.push(format!("{}:\n{}", case.path.display(), difference(&case.report, &found)));
        }
    }
    let advice = "STEPUP_BLESS=1 cargo test --test doctor rewrites them";
    assert!(failures.is_empty(), "{} cases differ; {advice}\n\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn an_export_of_what_the_policy_emits_passes_every_line() {
    for policy in [POLICY, include_str!("../../examples/admins.stepup")] {
        let checkup = doctor(policy, &healthy(policy)).expect("the export can be read");
        let faults = checkup.lines.iter().filter(|line| line.verdict != Verdict::Pass);
        let open = faults.filter(|line| line.verdict != Verdict::NotInTheExport);
        assert_eq!(open.map(|line| line.finding.as_str()).collect::<Vec<_>>(), [""; 0]);
        assert!(checkup.is_healthy());
    }
    let checkup = doctor(POLICY, &healthy(POLICY)).expect("the export can be read");
    assert!(checkup.lines.iter().all(|line| line.verdict == Verdict::Pass), "{checkup}");
}

#[test]
fn an_export_of_one_file_leaves_all_else_open() {
    let files = Files::from([("tenant.json".to_owned(), "{}".to_owned())]);
    let checkup = doctor(POLICY, &files).expect("the export can be read");
    assert!(checkup.lines.iter().all(|line| line.verdict == Verdict::NotInTheExport), "{checkup}");
    assert!(checkup.is_healthy());
}

#[test]
fn every_change_of_an_action_s_code_is_noticed() {
    let emitted = healthy(POLICY);
    let path = "actions/verify/code.js";
    let code = &emitted[path];
    let lines = code.lines().count();
    for number in 0..lines {
        let other: Vec<&str> =
            code.lines().enumerate().filter(|(at, _)| *at != number).map(|(_, l)| l).collect();
        let files =
            Files::from_iter(emitted.clone().into_iter().chain([(path.to_owned(), other.join("\n"))]));
        let checkup = doctor(POLICY, &files).expect("the export can be read");
        assert!(!checkup.is_healthy(), "without line {}\n{checkup}", number + 1);
    }
    let windows = code.replace('\n', "\r\n") + "\r\n\r\n";
    let files = Files::from_iter(emitted.into_iter().chain([(path.to_owned(), windows)]));
    assert!(
        doctor(POLICY, &files).expect("the export can be read").is_healthy(),
        "how lines end is nobody's change"
    );
}

#[test]
fn a_policy_that_has_changed_since_is_noticed() {
    let files = healthy(POLICY);
    let stricter = POLICY.replace("user.isAdmin and not", "not");
    let checkup = doctor(&stricter, &files).expect("the export can be read").to_string();
    assert!(checkup.contains("fail  the code of `verify` is not this policy's"), "{checkup}");
    // A comment is part of the policy's text and of its digest; what the Actions do is the same.
    let commented = POLICY.trim_end().to_owned() + " // enough\n";
    let checkup = doctor(&commented, &files).expect("the export can be read");
    assert!(checkup.is_healthy(), "{checkup}");
    assert!(checkup.to_string().contains("from another text of it"), "{checkup}");
}

#[test]
fn code_in_the_place_of_a_version_is_no_version() {
    let mut files = healthy(POLICY);
    let code = files.get_mut("actions/verify/code.js").expect("the code");
    *code = code.replace(env!("CARGO_PKG_VERSION"), "0.1.0 */ exports.onContinuePostLogin = null; /*");
    let checkup = doctor(POLICY, &files).expect("the export can be read");
    assert!(!checkup.is_healthy(), "{checkup}");
}

#[test]
fn a_flow_without_commands_needs_no_factors() {
    let policy = "if not user.email_verified then deny \"verify your address first\"\n";
    let mut files = healthy(policy);
    files.insert("tenant.json".to_owned(), r#"{ "customize_mfa_in_postlogin_action": false }"#.to_owned());
    assert!(doctor(policy, &files).expect("the export can be read").is_healthy());
}

#[test]
fn the_page_shows_what_doctor_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tenants.md");
    let mut page = fs::read_to_string(&path).expect("the page is there");
    let shown = blocks(&page).into_iter().find(|block| block.text.starts_with("pass  ")).expect("its lines");
    let case = cases().into_iter().find(|case| case.name() == "the-page").expect("the page's case");
    let checkup = doctor(POLICY, &changed(&case.sections)).expect("the export can be read").to_string();
    if blessing() {
        page.replace_range(shown.range, &checkup);
        fs::write(path, page).expect("the page can be written");
    } else {
        assert_eq!(shown.text, checkup, "docs/tenants.md, line {}", shown.line);
    }
}

// -- the command --------------------------------------------------------------------------------------------------

/// A folder with the policy and the export, as `acme`.
fn on_disk(name: &str, files: &Files) -> std::path::PathBuf {
    let files: Vec<(String, &str)> =
        files.iter().map(|(path, text)| (format!("acme/{path}"), text.as_str())).collect();
    let mut all: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    all.push(("policy.stepup", POLICY));
    folder(name, &all)
}

fn run(folder: &Path, more: &[&str]) -> Ran {
    stepup_in(folder, &[&["doctor", "--tenant", "acme", "policy.stepup"], more].concat())
}

#[test]
fn what_emit_writes_is_healthy_once_the_tenant_is_set_up() {
    let settings = SETTINGS.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let folder = on_disk("doctor-emit", &settings);
    let emitted = stepup_in(&folder, &["emit", "auth0", "policy.stepup", "-o", "acme", "--force"]);
    assert_eq!(emitted.code, 0, "{}", emitted.stderr);
    let ran = run(&folder, &[]);
    assert!(ran.code == 0 && !ran.stdout.contains("fail"), "{}{}", ran.stdout, ran.stderr);
    // What a tenant has switched on is no matter of the code.
    let emit = ["emit", "auth0", "policy.stepup", "-o", "acme", "--force", "--tenant", "acme"];
    assert_eq!(stepup_in(&folder, &emit).code, 0);
    let ran = run(&folder, &[]);
    assert!(ran.code == 0 && ran.stdout.contains("or for another tenant"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn what_was_emitted_with_defaults_of_facts_is_compared_with_them() {
    let policy = "if tenant.id == \"acme\" then challenge otp\n";
    let files = [("policy.stepup", policy), ("tenant.toml", "[facts]\n\"tenant.id\" = \"acme\"\n")];
    let folder = folder("doctor-defaults", &files);
    let emit = ["emit", "auth0", "policy.stepup", "--tenant", "tenant.toml", "-o", "acme"];
    assert_eq!(stepup_in(&folder, &emit).code, 0);
    assert_eq!(run(&folder, &["--defaults", "tenant.toml"]).code, 0);
    assert_eq!(run(&folder, &[]).code, 1, "without them, another code is emitted");
}

#[test]
fn the_exit_code_says_whether_a_line_fails() {
    let mut files = healthy(POLICY);
    assert_eq!(run(&on_disk("doctor-fine", &files), &[]).code, 0);
    files.remove("triggers/triggers.json");
    assert_eq!(run(&on_disk("doctor-half", &files), &[]).code, 0, "what is open is no fault");
    files.insert(
        "prompts/prompts.json".to_owned(),
        r#"{ "universal_login_experience": "classic" }"#.to_owned(),
    );
    assert_eq!(run(&on_disk("doctor-classic", &files), &[]).code, 1);
    files.insert("prompts/prompts.json".to_owned(), "{".to_owned());
    let ran = run(&on_disk("doctor-broken", &files), &[]);
    assert!(ran.code == 1 && ran.stderr.contains("E0110") && ran.stdout.is_empty(), "{}", ran.stderr);
    let empty = folder("doctor-missing", &[("policy.stepup", POLICY)]);
    assert_eq!(run(&empty, &[]).code, 2);
    let file = folder("doctor-file", &[("policy.stepup", POLICY), ("acme", "{}")]);
    assert_eq!(run(&file, &[]).code, 2);
    let wrong = folder("doctor-wrong", &[("policy.stepup", "challenge otpp"), ("acme/tenant.json", "{}")]);
    let ran = run(&wrong, &[]);
    assert!(ran.code == 1 && ran.stderr.contains("E0401"), "{}", ran.stderr);
}

#[test]
fn the_lines_are_data_too() {
    let mut files = healthy(POLICY);
    files.insert(
        "guardian/factors/otp.json".to_owned(),
        "{\n\"name\": \"otp\", \"enabled\": false }".to_owned(),
    );
    let ran = run(&on_disk("doctor-json", &files), &["--format", "json"]);
    let data: serde_json::Value = serde_json::from_str(&ran.stdout).expect("one JSON document");
    assert_eq!(data["healthy"], false);
    let lines = data["lines"].as_array().expect("lines");
    let failed: Vec<_> = lines.iter().filter(|line| line["verdict"] == "fail").collect();
    let [line] = failed.as_slice() else { panic!("{failed:?}") };
    assert_eq!((&line["check"], &line["about"], &line["line"]), (&"factor".into(), &"otp".into(), &2.into()));
    assert_eq!(line["file"], "acme/guardian/factors/otp.json");
    assert!(line["repair"].as_str().is_some_and(|repair| repair.contains("Multi-factor Auth")));
    assert!(lines.iter().all(|line| line["verdict"] != "pass" || line["repair"].is_null()));
}

#[test]
fn hostile_exports_end_in_reports_or_lines() {
    let texts = ["", "[", "null", "[1, {}]", "{\"name\": {}}", "\u{0}", "{\"post-login\": [[]]}", "@@X@@"];
    let paths =
        ["actions/verify.json", "triggers/triggers.json", "guardian/policies.json", "prompts/prompts.json"];
    for (path, text) in paths.iter().flat_map(|path| texts.iter().map(move |text| (path, text))) {
        let mut files = healthy(POLICY);
        files.insert((*path).to_owned(), (*text).to_owned());
        match doctor(POLICY, &files) {
            Ok(checkup) => drop(checkup.to_string()),
            Err(report) => assert!(report.has_errors() && report.diagnostics().len() <= 50),
        }
    }
    let mut many = healthy(POLICY);
    for number in 0..40 {
        many.insert(format!("actions/{number}/code.js"), " ".repeat(1 << 20));
        many.insert(
            format!("actions/{number}.json"),
            format!(r#"{{ "name": "{number}", "code": "actions/{number}/code.js" }}"#),
        );
    }
    let report = doctor(POLICY, &many).expect_err("it is more than is read");
    assert!(report.diagnostics().iter().all(|found| found.code.name() == "E0108"), "{report}");
    let mut files = healthy(POLICY);
    files.insert("actions/verify/code.js".to_owned(), "\u{202e}\u{1b}[31m".repeat(50_000));
    let checkup = doctor(POLICY, &files).expect("any text may be an Action's code").to_string();
    assert!(checkup.len() < 10_000 && !checkup.contains('\u{202e}') && !checkup.contains('\u{1b}'));
}
