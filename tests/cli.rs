//! The command itself, run as a process: what it prints, where, and how it ends.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run printed, and its exit code.
struct Ran {
    stdout: String,
    stderr: String,
    code: i32,
}

fn stepup(arguments: &[&str]) -> Ran {
    stepup_with(arguments, "")
}

fn stepup_with(arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stepup"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // A command that ends before it reads closes the pipe; that is its right.
    let _ = child.stdin.take().expect("its input is a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the command ends");
    Ran {
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
        code: output.status.code().expect("an exit code"),
    }
}

/// A folder of its own for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("the file is written");
    path.display().to_string()
}

const TENANT: [&str; 2] = ["--tenant", "examples/tenant.toml"];

#[test]
fn check_and_decide_take_a_tenant() {
    let ran = stepup(&[&["check", "examples/admins.stepup"], &TENANT[..]].concat());
    assert!(!ran.stderr.contains("error") && ran.code == 0, "{}", ran.stderr);
    // The event has no `app_metadata`, and the tenant says what that means.
    let ran = stepup_with(
        &[&["decide", "examples/admins.stepup", "--event", "-"], &TENANT[..]].concat(),
        r#"{"user": {"enrolledFactors": []}}"#,
    );
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str(), ran.code),
        ("step `enroll` asks for\n  1. enroll any of webauthn-roaming, otp\n", "", 0)
    );
}

#[test]
fn test_plays_logins_in_the_tenant() {
    let folder = folder("tenant-of-tests");
    let policy = write(
        &folder,
        "policy.stepup",
        "step ask { challenge any of enrolled }\ntest \"only a phone\" { given enrolled = [phone] expect fails }\n",
    );
    let tenant = write(&folder, "tenant.toml", "enabled-factors = [\"otp\"]\n");
    assert_eq!(stepup(&["test", &policy]).code, 1, "a phone can be used where nothing is said of it");
    let ran = stepup(&["test", &policy, "--tenant", &tenant]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_policy_that_cannot_work_in_the_tenant_is_a_finding_in_both_files() {
    let folder = folder("tenant");
    let tenant = write(&folder, "tenant.toml", "enabled-factors = [\"otp\"]\n");
    for command in [&["check"][..], &["decide", "--event", "examples/events/admin-otp.json"]] {
        let ran = stepup(&[command, &["examples/admins.stepup", "--tenant", &tenant]].concat());
        assert_eq!((ran.stdout.as_str(), ran.code), ("", 1));
        assert!(ran.stderr.contains("error[E0409]") && ran.stderr.contains("error[E0411]"), "{}", ran.stderr);
        assert!(ran.stderr.contains("tenant.toml:1:19"), "{}", ran.stderr);
    }
}

#[test]
fn a_tenant_file_with_mistakes_is_a_finding_and_one_that_is_not_there_a_wrong_command_line() {
    let folder = folder("tenant-mistakes");
    let tenant = write(&folder, "tenant.toml", "enabled-factor = [\"otp\"]\n");
    let ran = stepup(&["check", "examples/admins.stepup", "--tenant", &tenant]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("did you mean `enabled-factors`?"), "{}", ran.stderr);
    let ran = stepup(&["check", "examples/admins.stepup", "--tenant", &tenant, "--format", "json"]);
    assert!(ran.stdout.starts_with(r#"{"code":"E0201""#) && ran.stderr.is_empty(), "{}", ran.stdout);
    let ran = stepup(&["check", "examples/admins.stepup", "--tenant", "no-such-tenant.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.starts_with("error: `no-such-tenant.toml` can't be read"), "{}", ran.stderr);
}

const ADMIN: [&str; 4] = ["decide", "examples/admins.stepup", "--event", "examples/events/admin-otp.json"];

#[test]
fn decide_says_what_a_login_is_asked_for() {
    let ran = stepup(&ADMIN);
    assert_eq!(
        ran.stdout,
        "step `enroll` asks for\n  1. challenge any of otp\n  2. enroll webauthn-roaming\n"
    );
    assert_eq!((ran.stderr.as_str(), ran.code), ("", 0));
}

#[test]
fn decide_prints_auth0s_names_as_json_with_both_engines() {
    let expected = concat!(
        r#"{"step":"enroll","commands":[{"command":"challengeWithAny","factors":[{"type":"otp"}]},"#,
        r#"{"command":"enrollWith","factor":{"type":"webauthn-roaming"},"additionalFactors":[]}],"denied":null}"#,
        "\n"
    );
    for engine in ["jit", "interpreter"] {
        let ran = stepup(&[&ADMIN[..], &["--format", "json", "--engine", engine]].concat());
        assert_eq!((ran.stdout.as_str(), ran.code), (expected, 0));
    }
}

#[test]
fn decide_takes_the_step_and_the_instant_that_are_given() {
    let event = r#"{"user": {"app_metadata": {"isAdmin": true}}, "authentication": {"methods":
        [{"name": "mfa", "type": "webauthn-roaming", "timestamp": "2026-01-31T08:00:00Z"}]}}"#;
    let at = |now| {
        let arguments =
            ["decide", "examples/admins.stepup", "--event", "-", "--step", "verify", "--now", now];
        stepup_with(&arguments, event).stdout
    };
    assert_eq!(at("2026-01-31T08:00:04Z"), "step `verify` asks for\n  1. challenge otp\n");
    assert_eq!(at("2026-01-31T08:00:05Z"), "step `verify` asks for\n  1. challenge webauthn-roaming\n");
}

#[test]
fn several_events_as_json_lines_give_one_line_each_and_a_bad_one_does_not_stop_the_others() {
    let events = "{\"user\": {}}\n{\"user\": {\"app_metadata\": {\"isAdmin\": 3}}}\n\n{\"user\": {}}\n";
    let ran = stepup_with(&["decide", "examples/admins.stepup", "--event", "-", "--format", "json"], events);
    assert_eq!(ran.stdout.lines().count(), 2);
    assert!(ran.stderr.contains("event 2"), "{}", ran.stderr);
    assert!(ran.stderr.contains("event.user.app_metadata.isAdmin"), "{}", ran.stderr);
    assert_eq!(ran.code, 2);
}

#[test]
fn an_unknown_step_a_missing_file_and_a_bad_option_are_usage() {
    let unknown = stepup(&[&ADMIN[..], &["--step", "gone"]].concat());
    assert_eq!(unknown.stderr, "error: there is no step `gone`; the steps are `enroll`, `verify`\n");
    assert_eq!(unknown.code, 2);
    assert_eq!(stepup(&["check", "gone.stepup"]).code, 2);
    assert_eq!(stepup(&["check", "--gone"]).code, 2);
}

#[test]
fn check_says_what_it_has_proven() {
    let ran = stepup(&["check", "examples/office-network.stepup"]);
    assert_eq!(
        ran.stdout,
        "proven: every login through `examples/office-network.stepup` stays within four commands\n"
    );
    assert_eq!((ran.stderr.as_str(), ran.code), ("", 0));
}

#[test]
fn check_and_prove_name_the_admins_of_the_platforms_page_who_cant_finish_and_who_finish_with_less() {
    let checked = stepup(&["check", "examples/admins.stepup"]);
    let locked_out = "             user.isAdmin = true\n             enrolled: webauthn-roaming\n";
    for found in
        ["some users can't get in", locked_out, "breaks the guarantee \"admins finish with both factors\""]
    {
        assert!(checked.stderr.contains(found), "{}", checked.stderr);
    }
    assert_eq!(checked.code, 0);
    let denied = stepup(&["check", "--deny", "E0508", "examples/admins.stepup"]);
    assert_eq!(denied.code, 1);
    let proven = stepup(&["prove", "examples/admins.stepup"]);
    assert!(
        proven.stdout.ends_with(
            "proven   every login stays within four commands\nbroken   admins finish with both factors\n"
        ),
        "{}",
        proven.stdout
    );
    assert_eq!(proven.code, 1);
}

#[test]
fn prove_says_of_each_guarantee_whether_it_holds() {
    let folder = folder("prove");
    assert_eq!(stepup(&["new", &folder.join("p").display().to_string(), "--starter", "admins"]).code, 0);
    let policy = folder.join("p/policy.stepup").display().to_string();
    let ran = stepup(&["prove", &policy]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "proven   every login stays within four commands",
            "proven   nobody gets in without a second factor",
            "proven   admins use both factors"
        ]
    );
    assert_eq!(ran.code, 0);
    let windows = write(
        &folder,
        "windows.stepup",
        "if not performed(otp) within 5s and enrolled(otp) then challenge otp\n\
         guarantee \"who has it was asked lately\": enrolled(otp) implies performed(otp) within 5s\n\
         guarantee \"nobody fails\": never failed\n",
    );
    let ran = stepup(&["prove", &windows]);
    for line in ["who has it was asked lately (assumption A2)", "nobody fails (assumption A2, A8)"] {
        assert!(ran.stdout.contains(line), "{}", ran.stdout);
    }
    let json = stepup(&["prove", "--format", "json", "examples/admins.stepup"]);
    let answers: serde_json::Value = serde_json::from_str(&json.stdout).expect("one JSON document");
    assert_eq!(answers["guarantees"][0]["answer"], "refuted");
    assert_eq!(answers["guarantees"][0]["login"]["ended"], "completed");
    assert_eq!(answers["findings"][0]["question"], "locked-out");
}

#[test]
fn check_reports_errors_for_people_on_standard_error_and_for_programs_on_standard_output() {
    let folder = folder("check-formats");
    let policy = write(&folder, "bad.stepup", "chalenge otp\nif user.isAdmn then enroll otpp\n");
    let human = stepup(&["check", &policy]);
    assert_eq!((human.stdout.as_str(), human.code), ("", 1));
    assert!(human.stderr.contains("did you mean `user.isAdmin`?"), "{}", human.stderr);
    assert!(human.stderr.ends_with(&format!("3 errors in `{policy}`\n")), "{}", human.stderr);
    assert!(!human.stderr.contains('\u{1b}'), "no colours where no terminal is");

    let json = stepup(&["check", &policy, "--format", "json"]);
    assert_eq!((json.stderr.as_str(), json.code), ("", 1));
    for line in json.stdout.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("a JSON object a line");
    }
    let sarif = stepup(&["check", &policy, "--format", "sarif"]);
    let document: serde_json::Value = serde_json::from_str(&sarif.stdout).expect("a SARIF document");
    assert_eq!(document["version"], "2.1.0");
    assert!(stepup(&["check", &policy, "--color", "always"]).stderr.contains('\u{1b}'));
}

#[test]
fn warnings_are_findings_only_when_denied() {
    let folder = folder("warnings");
    let policy = write(&folder, "warned.stepup", "let unused = [otp]\nchallenge otp\n");
    assert_eq!(stepup(&["check", &policy]).code, 0);
    assert_eq!(stepup(&["check", &policy, "--deny-warnings"]).code, 1);
}

#[test]
fn a_flow_is_the_steps_of_its_files_in_the_order_given() {
    let folder = folder("several-files");
    let challenges = "challenge otp challenge otp challenge otp";
    let first = write(&folder, "first.stepup", challenges);
    let second = write(&folder, "second.stepup", challenges);
    assert_eq!(stepup(&["check", &first]).code, 0);
    let both = stepup(&["check", &first, &second]);
    assert!(both.stderr.contains("error[E0501]"), "{}", both.stderr);
    assert_eq!(both.code, 1);
}

#[test]
fn used_files_are_found_beside_the_file_that_uses_them() {
    let folder = folder("use");
    write(&folder, "shared.stepup", "let strong = [webauthn-roaming, webauthn-platform]\n");
    let policy = write(
        &folder,
        "main.stepup",
        "use \"shared.stepup\"\nif enrolled intersect strong is not empty then challenge any of strong\n",
    );
    let ran = stepup(&["check", &policy]);
    assert_eq!((ran.stderr.as_str(), ran.code), ("", 0));
}

#[test]
fn fmt_rewrites_in_place_and_is_done_after_once() {
    let folder = folder("fmt");
    let policy = write(&folder, "loose.stepup", "// why\nif   user.isAdmin\nthen   challenge otp // here\n");
    let checked = stepup(&["fmt", "--check", &policy]);
    assert_eq!((checked.stdout.as_str(), checked.code), (format!("{policy}\n").as_str(), 1));
    assert_eq!(stepup(&["fmt", &policy]).code, 0);
    let text = fs::read_to_string(&policy).expect("the file");
    assert_eq!(text, "// why\nif user.isAdmin then challenge otp // here\n");
    assert_eq!(stepup(&["fmt", "--check", &policy]).code, 0);
}

#[test]
fn fmt_leaves_a_file_with_mistakes_as_it_is() {
    let folder = folder("fmt-broken");
    let broken = "if   then challenge otp\n";
    let policy = write(&folder, "broken.stepup", broken);
    let ran = stepup(&["fmt", &policy]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("error[E01"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(&policy).expect("the file"), broken);
}

#[test]
fn fmt_of_standard_input_goes_to_standard_output() {
    let ran = stepup_with(&["fmt", "-"], "challenge   otp");
    assert_eq!((ran.stdout.as_str(), ran.code), ("challenge otp\n", 0));
}

#[test]
fn explain_prints_the_page_of_a_code_and_lists_them_all() {
    let page = stepup(&["explain", "e0501"]);
    assert!(page.stdout.starts_with("# E0501: a fifth command\n"), "{}", page.stdout);
    assert!(stepup(&["explain"]).stdout.contains("E0501  a fifth command\n"));
    let unknown = stepup(&["explain", "E9999"]);
    assert_eq!(unknown.code, 2);
}

#[test]
fn new_makes_a_folder_whose_policy_checks_and_decides_and_touches_no_other() {
    let folder = folder("new");
    for starter in ["everyone", "admins", "adaptive"] {
        let made = folder.join(starter).display().to_string();
        assert_eq!(stepup(&["new", &made, "--starter", starter]).code, 0);
        let (policy, event) = (format!("{made}/policy.stepup"), format!("{made}/event.json"));
        let checked = stepup(&["check", "--deny-warnings", &policy]);
        assert_eq!((checked.stderr.as_str(), checked.code), ("", 0));
        assert_eq!(stepup(&["decide", &policy, "--event", &event]).code, 0);
        assert_eq!(stepup(&["new", &made]).code, 2);
    }
}

#[test]
fn completions_are_made_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = stepup(&["completions", shell]);
        assert!(ran.stdout.contains("stepup") && ran.code == 0, "{shell}");
    }
}

#[test]
fn diff_tells_what_changes_and_ends_like_diff() {
    let folder = folder("diff");
    let old = write(&folder, "old.stepup", "challenge otp");
    let more = write(&folder, "more.stepup", "challenge otp if user.isAdmin then challenge phone");
    let same = write(&folder, "same.stepup", "challenge any of [otp]");
    let ran = stepup(&["diff", &old, &same]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("the same for every login\n", 0));
    let ran = stepup(&["diff", &old, &more]);
    assert!(
        ran.stdout.contains("1. user.isAdmin and enrolled(phone), after the first prompt"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.code, 1);
    // Asking for more is a difference, and not a weakness.
    assert_eq!(stepup(&["diff", "--deny", "weaker", &old, &more]).code, 0);
    assert_eq!(stepup(&["diff", "--deny", "weaker", &more, &old]).code, 1);
    assert_eq!(stepup(&["diff", "--strict", &old, &same]).code, 1);
    let ran = stepup(&["diff", "--format", "json", &old, &more]);
    assert!(ran.stdout.starts_with('{') && ran.stdout.contains("\"after_prompts\": 1"), "{}", ran.stdout);
    let ran = stepup(&["diff", "--format", "markdown", &old, &more]);
    assert!(ran.stdout.starts_with("### stepup diff: 2 classes of logins differ\n"), "{}", ran.stdout);
    let ran = stepup(&["diff", &old, "no-such.stepup"]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("", 2));
    // Two steps over two files.
    let both = format!("{old},{more}");
    assert_eq!(stepup(&["diff", &both, &both]).code, 0);
}
