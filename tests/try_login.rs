//! `stepup try`: a login played through a pipe, by a script, and with the keys of a terminal.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The seed's two Actions.
const SEED: &str = include_str!("support/seed.stepup");

const ADMIN_WITH_OTP: &str =
    r#"{"user": {"app_metadata": {"isAdmin": true}, "enrolledFactors": [{"type": "otp"}]}}"#;

/// What a run said, and its exit code.
struct Ran {
    stdout: String,
    stderr: String,
    code: i32,
}

/// A folder with a policy and an event, of its own for one test.
fn folder(name: &str, policy: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("try").join(name);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("p.stepup"), policy).expect("a file");
    fs::write(folder.join("event.json"), ADMIN_WITH_OTP).expect("a file");
    folder
}

fn command(folder: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepup"));
    command.args(["try", "p.stepup", "--now", "2026-01-31T08:00:00Z"]).args(more).current_dir(folder);
    command
}

/// Plays a login through pipes.
fn play(name: &str, policy: &str, more: &[&str], input: &str) -> Ran {
    let mut child = command(&folder(name, policy), more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let _ = child.stdin.take().expect("its input is a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the command ends");
    Ran {
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
        code: output.status.code().expect("an exit code"),
    }
}

fn transcript(ran: &Ran) -> &str {
    ran.stdout.split_once("\ntranscript\n").expect("a transcript").1
}

#[test]
fn a_pipe_answers_line_by_line_and_reads_as_a_whole() {
    let ran = play("pipe", SEED, &[], "otp\ntrue\notp\n1\n-\n");
    assert_eq!(
        ran.stdout,
        "\
enrolled (factors with commas between them) [none]: otp
user.isAdmin (true or false) [false]: true

step `enroll`, 1 of 2
  ┌──────────────────────┐
  │ Verify your identity │
  │                      │
  │ (*) otp              │
  └──────────────────────┘
  p.stepup:8  challenge any of enrolled
    1 otp
    2 fail: the user does not pass
    3 abandon: the user goes away
  the user chooses: otp
  the user passes with otp
  ┌─────────────────────────────┐
  │ Secure your account: enroll │
  │                             │
  │ (*) webauthn-roaming        │
  └─────────────────────────────┘
  p.stepup:9  enroll webauthn-roaming
    1 webauthn-roaming
    2 fail: the user does not pass
    3 abandon: the user goes away
  the user chooses: 1
  the user enrolls webauthn-roaming

the flow pauses; enrolled and performed are read anew: enrolled = [otp, webauthn-roaming]
performed before this login (such as otp 3h ago, phone 2d ago) [none]: -

step `verify`, 2 of 2
  asks for nothing

the login completes

transcript
  facts: enrolled = [otp], user.isAdmin = true, performed = [otp 0s ago, webauthn-roaming 0s ago]
  step 1, `enroll`
    1. p.stepup:8  challenge any of [otp]   the user passes with otp
    2. p.stepup:9  enroll webauthn-roaming  the user enrolls webauthn-roaming
  step 2, `verify` asks for nothing
  the login completes
"
    );
    assert_eq!((ran.stderr.as_str(), ran.code), ("", 0));
}

#[test]
fn a_script_chooses_and_an_event_has_the_facts() {
    let ran = play("script", SEED, &["--event", "event.json", "--script", "otp, webauthn-roaming"], "");
    assert!(!ran.stdout.contains("[none]") && !ran.stdout.contains("chooses"), "{}", ran.stdout);
    assert!(transcript(&ran).contains("1. p.stepup:8  challenge any of [otp]   the user passes with otp\n"));
    assert_eq!((ran.stderr.as_str(), ran.code), ("", 0));
}

#[test]
fn the_transcript_as_json_stands_alone_on_standard_output() {
    let script = ["--event", "event.json", "--script", "otp, fail", "--format", "json"];
    let ran = play("json", SEED, &script, "");
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        told,
        serde_json::json!({
            "facts": {"enrolled": ["otp"], "user.isAdmin": true},
            "steps": [{"step": "enroll", "commands": [
                {"at": "p.stepup:8", "command": "challenge any of [otp]", "came": "passed", "factor": "otp"},
                {"at": "p.stepup:9", "command": "enroll webauthn-roaming", "came": "not-passed"},
            ]}],
            "end": "failed",
            "reason": "the user did not pass a prompt",
        })
    );
    assert!(ran.stderr.contains("Verify your identity") && ran.code == 0, "{}", ran.stderr);
}

#[test]
fn a_script_that_runs_out_offers_more_or_goes_on_too_long_is_a_finding() {
    let run = |name, script| play(name, SEED, &["--event", "event.json", "--script", script], "");
    let short = run("short", "otp");
    assert_eq!(
        short.stderr,
        "error: the script has ended, and the login has not: p.stepup:9  enroll webauthn-roaming offers \
         `webauthn-roaming`\n"
    );
    let other = run("other", "phone");
    assert_eq!(
        other.stderr,
        "error: the script says `phone`, which is not offered: p.stepup:8  challenge any of enrolled offers `otp`\n"
    );
    let long = run("long", "otp, webauthn-roaming, phone");
    assert_eq!(long.stderr, "error: the login has ended, and the script has not: `phone` is left\n");
    assert_eq!((short.code, other.code, long.code), (1, 1, 1));
}

#[test]
fn a_script_that_names_no_factor_is_refused_before_the_login() {
    let ran = play("no-factor", SEED, &["--script", "otpp"], "");
    assert_eq!(ran.stderr, "error: the script says `otpp`, which is no factor; did you mean `otp`?\n");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", 2));
}

#[test]
fn a_wrong_answer_says_what_is_wanted_and_asks_again() {
    let policy = "\
fact level: int = event.user.app_metadata.level
fact since: time = event.user.app_metadata.since
fact quota: duration = event.user.app_metadata.quota
fact plan: enum(free, gold) = event.user.app_metadata.plan
fact home: ip = event.user.app_metadata.home
if level > 3 and age(since) > 5m and quota > 5s and plan == gold and home in [10.0.0.0/8] then challenge otp
";
    let answers =
        "opt\notp\nfive\n5\ntomorrow\n2026-01-30T00:00:00Z\n5\n10s\nglod\ngold\nhere\n10.0.0.1\nphone\notp\n";
    let ran = play("wrong", policy, &[], answers);
    for wrong in [
        "`opt` is not one of otp, recovery-code, email, push-notification, phone, webauthn-platform, \
         webauthn-roaming; did you mean `otp`?",
        "`five` is not a whole number",
        "`tomorrow` is not an instant, such as 2026-01-31T08:00:00Z",
        "`5` is not a length of time, such as 5s or 12h",
        "`glod` is not one of free, gold, other; did you mean `gold`?",
        "`here` is not an address, such as 10.0.0.7",
        "`phone` is not offered; choose one of otp, fail, abandon",
    ] {
        assert!(ran.stdout.contains(&format!("  {wrong}\n")), "{wrong}\n{}", ran.stdout);
    }
    assert_eq!((ran.stderr.as_str(), ran.code), ("", 0));
}

#[test]
fn only_what_the_login_looks_at_is_asked() {
    let policy = "if user.isAdmin and stats.logins_count > 3 then challenge otp";
    let asked = |answers| play("lazy", policy, &[], answers).stdout.contains("stats.logins_count");
    assert!(!asked("otp\nfalse\n") && asked("otp\ntrue\n9\n"));
}

#[test]
fn what_may_be_missing_is_asked_about_once() {
    let policy = "\
if organization.name is present and organization.name == \"acme\" then challenge otp
if organization.id is present and organization.id == \"o1\" then challenge phone
if request.geo.country_code is present and request.geo.country_code == \"DE\" then stop
";
    let there = play("there", policy, &[], "otp, phone\nyes\nacme\n1\no2\nabsent\n");
    assert_eq!(there.stdout.matches("is `event.organization` there?").count(), 1, "{}", there.stdout);
    assert_eq!(
        there.stdout.matches("request.geo.country_code (a text) [absent]").count(),
        1,
        "{}",
        there.stdout
    );
    let gone = play("gone", policy, &[], "otp, phone\nno\n\n");
    assert!(!gone.stdout.contains("organization.name (") && gone.code == 0, "{}", gone.stdout);
}

#[test]
fn a_fact_that_the_event_lacks_and_the_policy_needs_is_asked() {
    let policy = "fact level: int = event.user.app_metadata.level\nif level > 3 then challenge otp";
    let ran = play("lacks", policy, &["--event", "event.json"], "5\notp\n");
    assert!(ran.stdout.starts_with("level (a whole number): 5\n"), "{}", ran.stdout);
    assert!(transcript(&ran).contains("facts: enrolled = [otp], level = 5"), "{}", ran.stdout);
    let wrong = play(
        "mistyped",
        "if user.isAdmin then challenge otp",
        &["--event", "-"],
        r#"{"user":{"app_metadata":{"isAdmin":3}}}"#,
    );
    assert!(wrong.stderr.contains("event.user.app_metadata.isAdmin") && wrong.code == 2, "{}", wrong.stderr);
}

#[test]
fn where_the_input_ends_facts_have_their_defaults_and_the_user_goes_away() {
    let ran = play("ends", SEED, &[], "otp\n");
    assert!(ran.stdout.contains("user.isAdmin (true or false) [false]: (the input has ended)\n"));
    assert!(ran.stdout.contains("the user chooses: (the input has ended)\n  the user goes away\n"));
    assert_eq!(
        (transcript(&ran).lines().last(), ran.code),
        (Some("  the login fails: the user went away"), 0)
    );
    let needs = "fact level: int = event.user.app_metadata.level\nif level > 3 then challenge otp";
    let ran = play("ends-early", needs, &[], "otp\n");
    assert!(ran.stderr.contains("level (a whole number)") && ran.code == 2, "{}", ran.stderr);
}

#[test]
fn the_log_skipped_commands_and_commands_never_shown_are_told() {
    let policy = "challenge webauthn-roaming or otp\nchallenge otp\nchallenge email\nchallenge phone";
    let ran = play("log", policy, &[], "otp\notp\n");
    let told = transcript(&ran);
    let logged = |text: &str| text.matches("  log w: An MFA challenge is used").count();
    assert_eq!((logged(&ran.stdout), logged(told)), (2, 1), "as it happens, and in the transcript");
    for line in [
        "2. p.stepup:2  challenge otp                      answered by otp, passed before",
        "3. p.stepup:3  challenge email                    no prompt: the login fails",
        "4. p.stepup:4  challenge phone                    never shown: the login ended before",
        "log mfar: An MFA challenge is used",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

#[test]
fn a_denial_is_told_with_its_line() {
    let policy = "if enrolled is empty then deny \"no factor\"\nchallenge any of enrolled";
    let ran = play("denial", policy, &[], "-\n");
    assert!(
        transcript(&ran).ends_with("deny \"no factor\"\n  the login is denied: \"no factor\"\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.code, 0);
}

#[cfg(target_os = "linux")]
#[allow(clippy::panic, reason = "a screen that never comes fails the test with what was shown")]
mod terminal {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::unix::fs::OpenOptionsExt;
    use std::process::{Child, Stdio};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::{Duration, Instant};

    use rustix::fs::OFlags;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, tcgetattr};

    use super::{SEED, command, folder};

    /// Longer than any step takes, so that a test fails and does not hang.
    const PATIENCE: Duration = Duration::from_secs(30);
    const DOWN: &str = "\u{1b}[B";
    const UP: &str = "\u{1b}[A";
    const CTRL_C: &str = "\u{3}";
    const CTRL_D: &str = "\u{4}";

    /// A command and the person at its terminal.
    struct Session {
        child: Child,
        keyboard: File,
        /// The command's side; while it is open the terminal keeps its state.
        tty: File,
        shown: Receiver<Vec<u8>>,
        seen: String,
    }

    impl Session {
        fn start(name: &str, more: &[&str]) -> Session {
            let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
            grantpt(&main).and_then(|()| unlockpt(&main)).expect("it can be opened");
            let path = ptsname(&main, Vec::new()).expect("it has a name").into_string().expect("text");
            let flags = i32::try_from(OFlags::NOCTTY.bits()).expect("it fits");
            let tty = File::options()
                .read(true)
                .write(true)
                .custom_flags(flags)
                .open(path)
                .expect("its other side");
            let end = || Stdio::from(tty.try_clone().expect("a copy"));
            let mut command = command(&folder(name, SEED), more);
            let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("the command starts");
            let keyboard = File::from(main);
            let mut screen = keyboard.try_clone().expect("a copy");
            let (sender, shown) = channel();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = screen.read(&mut buffer) {
                    if sender.send(buffer[..length].to_vec()).is_err() {
                        break;
                    }
                }
            });
            Session { child, keyboard, tty, shown, seen: String::new() }
        }

        /// Waits until a text is shown, and forgets what came before its end.
        fn wait_for(&mut self, text: &str) {
            let deadline = Instant::now() + PATIENCE;
            while !self.seen.contains(text) {
                let left = deadline.saturating_duration_since(Instant::now());
                let Ok(bytes) = self.shown.recv_timeout(left) else {
                    panic!("`{text}` is never shown, but {:?}", self.seen);
                };
                self.seen.push_str(&String::from_utf8_lossy(&bytes));
            }
            self.seen = self.seen.split_once(text).map_or(String::new(), |(_, rest)| rest.to_owned());
        }

        fn send(&mut self, keys: &str) {
            self.keyboard.write_all(keys.as_bytes()).expect("the keys are taken");
        }

        fn answer(&mut self, question: &str, keys: &str) {
            self.wait_for(question);
            self.send(keys);
        }

        /// Whether the terminal gives whole lines and shows them, as a shell expects it.
        fn is_as_it_was(&self) -> bool {
            let modes = tcgetattr(&self.tty).expect("its state").local_modes;
            modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
        }

        fn exit_code(&mut self) -> i32 {
            let deadline = Instant::now() + PATIENCE;
            loop {
                if let Some(status) = self.child.try_wait().expect("its status") {
                    return status.code().expect("an exit code");
                }
                assert!(Instant::now() < deadline, "the command does not end: {:?}", self.seen);
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    impl Drop for Session {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    #[test]
    fn arrow_keys_choose_and_the_terminal_is_as_it_was() {
        let mut session = Session::start("arrows", &[]);
        assert!(session.is_as_it_was());
        session.answer("enrolled (", "otp, webauthn-roaming\n");
        session.answer("user.isAdmin (", "false\n");
        session.wait_for("  > 1 otp");
        session.wait_for("4 abandon");
        assert!(!session.is_as_it_was(), "keys come one by one while the menu is open");
        session.send(UP);
        session.answer("  > 4 abandon", DOWN);
        session.answer("  > 1 otp", DOWN);
        session.answer("  > 2 webauthn-roaming", "\r");
        session.wait_for("the user passes with webauthn-roaming");
        session.wait_for("the login completes");
        assert_eq!(session.exit_code(), 0);
        assert!(session.is_as_it_was());
    }

    #[test]
    fn number_keys_choose() {
        let mut session = Session::start("numbers", &["--event", "event.json"]);
        session.answer("  > 1 otp", "1");
        session.wait_for("the user passes with otp");
        session.answer("  > 1 webauthn-roaming", "2");
        session.wait_for("the user does not pass");
        session.wait_for("the login fails: the user did not pass a prompt");
        assert_eq!(session.exit_code(), 0);
        assert!(session.is_as_it_was());
    }

    #[test]
    fn ctrl_c_leaves_the_terminal_as_it_was() {
        let mut session = Session::start("ctrl-c", &["--event", "event.json"]);
        session.answer("3 abandon", CTRL_C);
        assert_eq!(session.exit_code(), 130);
        assert!(session.is_as_it_was());
    }

    #[test]
    fn ctrl_d_is_a_user_who_goes_away() {
        let mut session = Session::start("ctrl-d", &["--event", "event.json"]);
        session.answer("3 abandon", CTRL_D);
        session.wait_for("the user goes away");
        assert_eq!(session.exit_code(), 0);
        assert!(session.is_as_it_was());
    }

    #[test]
    fn a_script_needs_no_keys() {
        let mut session = Session::start("terminal-script", &["--script", "otp"]);
        session.answer("enrolled (", "otp\n");
        session.answer("user.isAdmin (", "\n");
        session.wait_for("the login completes");
        assert_eq!(session.exit_code(), 0);
    }
}
