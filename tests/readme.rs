//! The README shows what the tool really does: its policy is compiled, and its reports are compared.

use stepup::Compiler;

const README: &str = include_str!("../README.md");

/// The text of the `n`th block of a language.
fn block(language: &str, n: usize) -> String {
    let opening = format!("```{language}\n");
    let text = README.split(&opening).nth(n + 1).expect("the README has the block");
    text.split("```").next().expect("a block ends").to_owned()
}

fn stepup(arguments: &[&str]) -> String {
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_stepup"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the command runs");
    String::from_utf8(ran.stdout).expect("text")
}

fn report(policy: &str) -> String {
    Compiler::new().check([("policy.stepup", policy)]).to_string()
}

#[test]
fn the_report_of_the_readme_is_the_report_of_its_policy() {
    assert_eq!(report(&block("stepup", 0)).trim_end(), block("text", 0).trim_end());
}

#[test]
fn the_proof_of_the_readme_is_what_prove_prints() {
    let printed = stepup(&["prove", "examples/admins.stepup"]);
    assert_eq!(printed.trim_end(), block("text", 1).trim_end());
}

#[test]
fn the_policy_of_the_readme_executes_a_fifth_command_once_its_report_is_mended() {
    let repaired =
        block("stepup", 0).replace("request.geo.country_code !=", "(request.geo.country_code ?? \"\") !=");
    assert!(report(&repaired).contains("step `transfer` can execute a fifth command"));
}

#[test]
fn the_command_of_the_readme_prints_what_it_shows() {
    let printed = stepup(&["decide", "examples/admins.stepup", "--event", "examples/events/admin-otp.json"]);
    assert!(block("console", 0).contains(&printed), "{printed}");
}
