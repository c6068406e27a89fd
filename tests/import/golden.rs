//! Actions in the styles that people use, with their policies.

use std::fs;
use std::path::{Path, PathBuf};

use stepup::import::{Comparison, Imported, import};
use stepup::{Compiler, Format, HumanStyle};

/// How many random logins each policy is held to.
const LOGINS: usize = 400;

/// The cases that can't be understood as a whole.
const INCOMPLETE: [&str; 2] = ["risk-service", "shared-secret"];

struct Case {
    path: PathBuf,
    actions: Vec<(String, String)>,
    /// All after the Actions.
    expected: String,
}

impl Case {
    fn all() -> Vec<Case> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/golden");
        let entries = fs::read_dir(folder).expect("the folder is there");
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths.into_iter().map(Case::read).collect()
    }

    fn read(path: PathBuf) -> Case {
        let text = fs::read_to_string(&path).expect("the case can be read");
        let (actions, expected) = match text.find("=== policy\n") {
            Some(at) => text.split_at(at),
            None => (text.as_str(), ""),
        };
        let mut sections: Vec<(String, String)> = Vec::new();
        for line in actions.split_inclusive('\n') {
            match (line.strip_prefix("=== "), sections.last_mut()) {
                (Some(name), _) => sections.push((name.trim_end().to_owned(), String::new())),
                (None, Some((_, code))) => code.push_str(line),
                (None, None) => panic!("{}: it begins with a line `=== NAME`", path.display()),
            }
        }
        Case { actions: sections, expected: expected.to_owned(), path }
    }

    fn name(&self) -> String {
        self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn import(&self) -> Imported {
        import(self.actions.iter().map(|(name, code)| (name.as_str(), code.as_str())))
    }

    fn bless(&self, found: &str) {
        let actions = self.actions.iter().map(|(name, code)| format!("=== {name}\n{code}"));
        fs::write(&self.path, format!("{}{found}", actions.collect::<String>()))
            .expect("the case can be written");
    }
}

#[test]
fn each_action_becomes_the_policy_that_was_read() {
    let mut failures = Vec::new();
    for case in Case::all() {
        let imported = case.import();
        let policy = imported.policy.clone().unwrap_or_default();
        let report = imported.report.render(Format::Human(HumanStyle::Plain));
        let found = format!("=== policy\n{policy}=== report\n{report}");
        if found == case.expected {
            continue;
        }
        if std::env::var_os("STEPUP_BLESS").is_some_and(|value| value == "1") {
            case.bless(&found);
        } else {
            failures.push(format!("{}:\n{found}", case.name()));
        }
    }
    let advice = "STEPUP_BLESS=1 cargo test --test import rewrites them";
    assert!(failures.is_empty(), "{} cases differ; {advice}\n\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn all_but_those_that_ask_others_are_understood_and_agree_with_their_policies() {
    let mut complete = 0;
    for case in Case::all() {
        let mut imported = case.import();
        if INCOMPLETE.contains(&case.name().as_str()) {
            assert!(imported.report.has_errors(), "{} is understood after all", case.name());
            continue;
        }
        complete += 1;
        match imported.compare(LOGINS) {
            Comparison::Run(agreement) => {
                assert!(agreement.difference.is_none(), "{}:\n{}", case.name(), imported.report);
                assert!(agreement.logins - agreement.failed > LOGINS / 2, "{}: {agreement:?}", case.name());
            }
            Comparison::NotUnderstood => panic!("{}:\n{}", case.name(), imported.report),
            Comparison::NotCompiled(report) => panic!("{}:\n{report}", case.name()),
        }
    }
    assert!(complete >= 9, "only {complete} cases are complete");
}

#[test]
fn also_a_policy_of_what_was_understood_in_part_compiles() {
    for case in Case::all() {
        let policy = case.import().policy.expect("there is a policy");
        let compiled = Compiler::new().compile([("imported.stepup", &policy)]);
        assert!(
            compiled.is_ok(),
            "{}:\n{}",
            case.name(),
            compiled.err().map(|report| report.to_string()).unwrap_or_default()
        );
    }
}

#[test]
fn a_policy_that_does_something_else_is_noticed() {
    let changes = [
        ("within 5s", "within 6s"),
        ("within 12h", "within 11h"),
        ("not any performed", "any performed"),
        ("[low, medium]", "[low]"),
        ("\"owner\"", "\"lead\""),
        ("10.0.0.0/8", "11.0.0.0/8"),
        ("[sunday, saturday]", "[saturday]"),
        (" > 90d", " > 91d"),
        ("user.app_metadata.force_mfa\n    or", "not user.app_metadata.force_mfa\n    or"),
        ("<= 3", "<= 2"),
        ("\"passkey\"", "\"pwd\""),
        ("enrolled except [email]", "enrolled except [otp]"),
        ("otp, email", "email, otp"),
        ("phone(sms)", "phone(voice)"),
        ("organization.id is not present", "organization.id is present"),
        ("\"medium\", \"normal\"", "\"normal\""),
        ("if user.phone_verified then", "if not user.phone_verified then"),
        ("from too far away", "from somewhere else"),
    ];
    let cases: Vec<Imported> = Case::all().iter().map(Case::import).collect();
    for (from, to) in changes {
        let mut tried = 0;
        for imported in cases.iter().filter(|imported| !imported.report.has_errors()) {
            let policy = imported.policy.clone().unwrap_or_default();
            if !policy.contains(from) {
                continue;
            }
            tried += 1;
            let mut changed = imported.clone();
            changed.policy = Some(policy.replacen(from, to, 1));
            match changed.compare(LOGINS) {
                Comparison::Run(agreement) => {
                    assert!(
                        agreement.difference.is_some(),
                        "`{to}` for `{from}` goes unnoticed in\n{policy}"
                    );
                    assert!(changed.report.to_string().contains("E0905"));
                }
                other => panic!("`{to}` for `{from}`: {other:?}"),
            }
        }
        assert!(tried > 0, "no policy has `{from}`");
    }
}

#[test]
fn the_manual_shows_an_action_with_the_policy_that_it_becomes() {
    let manual =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/import.md")).expect("the page");
    let block = |fence: &str| {
        let (_, rest) = manual.split_once(fence).expect("the block is there");
        rest.split_once("```").map(|(block, _)| block.to_owned()).unwrap_or_default()
    };
    let mut imported = import([("admins.js", block("```js\n"))]);
    let policy = imported.policy.clone().unwrap_or_default();
    assert!(policy.ends_with(&format!("\n{}", block("```stepup\n"))), "{policy}");
    assert!(matches!(imported.compare(LOGINS), Comparison::Run(agreement) if agreement.difference.is_none()));
}
