//! `stepup emit auth0`: what a policy becomes, and how its folder is written.
//!
//! `tests/emit/NAME.txt` holds a policy and its Actions, together, without the helpers that each Action brings along
//! and with `DIGEST` for the policy's digest. `STEPUP_BLESS=1 cargo test --test emit` rewrites them. That the Actions
//! do what the policy says is shown by `tests/auth0`, which runs them.

#![allow(clippy::panic, reason = "a case that can't be read is a defect of the case")]

#[path = "support/case.rs"]
mod case;
#[path = "support/command.rs"]
mod command;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use case::{Case, Flow, blessing, difference};
use command::{folder, stepup_in};
use stepup::Compiler;
use stepup::backend::auth0::{Emitted, Origin};

/// The Actions of a flow that compiles.
fn actions_of(flow: &Flow) -> Emitted {
    let compiler = Compiler::new().with_loader(flow.clone());
    let compiled = compiler.compile(flow.files.iter().map(|(name, text)| (name, text)));
    let compiled = compiled.unwrap_or_else(|report| panic!("it compiles:\n{report}"));
    compiled.auth0_actions().unwrap_or_else(|report| panic!("Auth0 can do it:\n{report}")).emitted
}

/// The code of a policy's first Action.
fn code_of(name: &str, text: &str) -> String {
    actions_of(&Flow::of(name, text)).actions.swap_remove(0).code
}

/// The Actions of a case, as its file shows them.
fn shown(flow: &Flow) -> String {
    let mut text = String::new();
    for action in actions_of(flow).actions {
        let digest = Origin::read(&action.code).expect("it names its policy").digest;
        let own = action.code.split("// What follows is the same").next().unwrap_or_default();
        let own = own.trim_end().replace(&digest, "DIGEST");
        let _ = write!(text, "// -- actions/{}/code.js\n{own}\n\n", action.name);
    }
    text
}

#[test]
fn each_action_is_as_it_was_read() {
    let mut failures = Vec::new();
    for case in Case::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emit")) {
        let found = shown(&case.flow());
        if found == case.report {
            continue;
        }
        if blessing() {
            case.bless(&found);
        } else {
            failures.push(format!("{}:\n{}", case.path.display(), difference(&case.report, &found)));
        }
    }
    let advice = "STEPUP_BLESS=1 cargo test --test emit rewrites them";
    assert!(failures.is_empty(), "{} cases differ; {advice}\n\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn an_action_names_the_policy_and_the_version_that_it_came_from() {
    let first = Origin::read(&code_of("a.stepup", "challenge otp")).expect("an origin");
    let again = Origin::read(&code_of("b/a.stepup", "challenge otp")).expect("an origin");
    let other = Origin::read(&code_of("a.stepup", "challenge phone")).expect("an origin");
    assert_eq!(first.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(first, again, "where a file lies is no part of the policy");
    assert_ne!(first.digest, other.digest);
    assert_eq!(Origin::read("exports.onExecutePostLogin = async () => {};"), None);
}

#[test]
fn no_text_of_a_policy_gets_out_of_its_string_or_comment() {
    let policy = "//! */ process.exit(1) /*\n\n/// */ hostile(); /*\nstep a {\n\
         if user.id == \"\\\"); hostile(); (\\\"\" or user.id == \"\\u2028@@KEY@@\" then deny \"`${hostile()}`\"\n}";
    let code = &code_of("a*/b.stepup", policy);
    assert!(code.contains(r#""\"); hostile(); (\"""#), "{code}");
    assert!(code.contains(r#""\u2028@\u0040KEY@\u0040""#), "{code}");
    assert!(code.contains(r#"api.access.deny("`${hostile()}`");"#), "{code}");
    assert_eq!(code.matches("*/").count(), code.matches("/**").count(), "{code}");
}

#[test]
fn the_manual_shows_what_the_example_becomes() {
    let manual = include_str!("../docs/auth0.md");
    let code = code_of("admins.stepup", include_str!("../examples/admins.stepup"));
    let handler = manual.split("```js\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    assert!(code.contains(handler), "the first Action is now\n{code}");
}

// -- the folder ---------------------------------------------------------------------------------------------------

const POLICY: (&str, &str) = ("admins.stepup", "step a { challenge otp }\nstep b { enroll phone }\n");

#[test]
fn the_folder_is_what_the_deploy_cli_imports() {
    let folder = folder("emit-layout", &[POLICY]);
    let ran = stepup_in(&folder, &["emit", "auth0", "admins.stepup", "-o", "out/tenant"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let files = [
        "actions/a/code.js",
        "actions/a.json",
        "actions/b/code.js",
        "actions/b.json",
        "triggers/triggers.json",
    ];
    let listed: Vec<String> = files.iter().map(|file| format!("out/tenant/{file}\n")).collect();
    assert_eq!(ran.stdout, listed.concat());
    let json = |file: &str| -> serde_json::Value {
        let text = fs::read_to_string(folder.join("out/tenant").join(file)).expect("the file is there");
        serde_json::from_str(&text).expect("it is JSON")
    };
    let about = json("actions/b.json");
    assert_eq!(about["name"], "b");
    assert_eq!(about["code"], "./actions/b/code.js");
    assert_eq!(about["runtime"], "node22");
    assert_eq!(about["supported_triggers"], serde_json::json!([{ "id": "post-login", "version": "v3" }]));
    let bound = json("triggers/triggers.json");
    let bound: Vec<_> =
        bound["post-login"].as_array().expect("a list").iter().map(|row| &row["action_name"]).collect();
    assert_eq!(bound, ["a", "b"]);
}

#[test]
fn a_folder_of_an_earlier_run_is_written_anew() {
    let folder = folder("emit-again", &[POLICY]);
    let emit = ["emit", "auth0", "admins.stepup", "-o", "out"];
    assert_eq!(stepup_in(&folder, &emit).code, 0);
    fs::write(folder.join("admins.stepup"), "step a { challenge phone }\nstep b { enroll otp }\n")
        .expect("written");
    assert_eq!(stepup_in(&folder, &emit).code, 0);
    let code = fs::read_to_string(folder.join("out/actions/a/code.js")).expect("it is there");
    assert!(code.contains(r#"challengeWith({ type: "phone" })"#), "{code}");
}

#[test]
fn a_folder_with_other_files_is_touched_only_by_force_and_keeps_them() {
    let folder = folder("emit-other", &[POLICY, ("out/actions/mine/code.js", "// mine")]);
    let refused = stepup_in(&folder, &["emit", "auth0", "admins.stepup", "-o", "out"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("`out/actions/mine/code.js` lies in `out`, and nothing was written"),
        "{}",
        refused.stderr
    );
    assert!(!folder.join("out/triggers").exists());
    let forced = stepup_in(&folder, &["emit", "auth0", "admins.stepup", "-o", "out", "--force"]);
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    assert_eq!(fs::read_to_string(folder.join("out/actions/mine/code.js")).expect("it stays"), "// mine");
    assert!(folder.join("out/triggers/triggers.json").exists());
}

#[test]
fn what_is_not_emitted_writes_nothing() {
    let files = [
        ("wrong.stepup", "challenge carrier-pigeon"),
        ("foreign.stepup", "factor badge { challenge }\nchallenge badge"),
        ("fine.stepup", "challenge otp"),
        ("file", "a file where a folder should be"),
    ];
    let folder = folder("emit-nothing", &files);
    for (policy, to, code) in [
        ("wrong.stepup", "out", 1),
        ("foreign.stepup", "out", 1),
        ("fine.stepup", "file", 2),
        ("missing.stepup", "out", 2),
    ] {
        let ran = stepup_in(&folder, &["emit", "auth0", policy, "-o", to]);
        assert_eq!(ran.code, code, "{policy}: {}", ran.stderr);
        assert!(!ran.stderr.is_empty());
    }
    let mut left: Vec<_> =
        fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    left.sort();
    assert_eq!(left, ["file", "fine.stepup", "foreign.stepup", "wrong.stepup"], "nothing lies about");
}
