//! Deploy CLI exports on the disk: `--tenant DIR`, and folders that want to hurt.

#[path = "support/command.rs"]
mod command;

use std::fs;
use std::path::Path;

use command::{Ran, folder, stepup_in};

const POLICY: (&str, &str) = ("policy.stepup", "challenge any of [otp, phone]\n");
const TOGGLE: (&str, &str) = ("acme/tenant.json", r#"{ "customize_mfa_in_postlogin_action": true }"#);
const OTP: (&str, &str) = ("acme/guardian/factors/otp.json", r#"{ "name": "otp", "enabled": true }"#);
const SMS_OFF: (&str, &str) = ("acme/guardian/factors/sms.json", r#"{ "name": "sms", "enabled": false }"#);

fn check(folder: &Path) -> Ran {
    stepup_in(folder, &["check", "policy.stepup", "--tenant", "acme"])
}

#[test]
fn a_folder_is_an_export_for_every_command_that_takes_a_tenant() {
    let folder = folder("export-commands", &[POLICY, TOGGLE, OTP, SMS_OFF, ("login.json", "{}")]);
    for command in ["check", "prove", "test"] {
        let ran = stepup_in(&folder, &[command, "policy.stepup", "--tenant", "acme"]);
        assert!(ran.stderr.contains("acme/guardian/factors/sms.json:1:29"), "{command}: {}", ran.stderr);
        assert_eq!(ran.code, 1, "{command}");
    }
    let decide = ["decide", "policy.stepup", "--event", "login.json", "--tenant", "acme"];
    assert_eq!(stepup_in(&folder, &decide).code, 1);
    let diff = stepup_in(&folder, &["diff", "policy.stepup", "policy.stepup", "--tenant", "acme"]);
    assert_eq!(diff.code, 2, "a flow that doesn't compile can't be compared");
}

#[test]
fn what_an_export_leaves_open_is_told_on_standard_error() {
    let whole = folder("export-whole", &[("policy.stepup", "challenge otp"), TOGGLE, OTP]);
    assert!(!check(&whole).stderr.contains("note: of the export"));
    let half = folder("export-half", &[("policy.stepup", "challenge otp"), ("acme/triggers/t.json", "{}")]);
    let ran = check(&half);
    assert_eq!(ran.stderr.matches("note: of the export `acme`").count(), 2, "{}", ran.stderr);
    assert!(ran.code == 0 && ran.stdout.contains("proven"), "{}", ran.stdout);
}

#[test]
fn a_slash_at_the_end_of_the_folders_name_is_not_repeated() {
    let folder = folder("export-slash", &[POLICY, TOGGLE, OTP, SMS_OFF]);
    let ran = stepup_in(&folder, &["check", "policy.stepup", "--tenant", "acme/"]);
    assert!(ran.stderr.contains(" acme/guardian/factors/sms.json:1:29"), "{}", ran.stderr);
}

#[test]
fn a_file_where_an_export_has_a_folder_is_reported() {
    let folder = folder("export-file", &[POLICY, TOGGLE, ("acme/guardian", "{}")]);
    let ran = check(&folder);
    let said = "`acme/guardian` can't be read: it is a file, and an export has a folder there";
    assert!(ran.stderr.contains(said) && ran.code == 1, "{}", ran.stderr);
}

#[test]
fn a_folder_where_an_export_has_a_file_is_reported() {
    let folder = folder("export-folder", &[POLICY, OTP, ("acme/tenant.json/x", "")]);
    let ran = check(&folder);
    assert!(ran.stderr.contains("`acme/tenant.json` can't be read: it is no file"), "{}", ran.stderr);
    assert_eq!(ran.code, 1);
}

#[test]
fn a_folder_that_is_not_there_is_a_wrong_command_line() {
    let folder = folder("export-missing", &[POLICY]);
    assert_eq!(check(&folder).code, 2);
}

#[cfg(unix)]
#[test]
fn a_link_may_not_lead_out_of_an_export() {
    use std::os::unix::fs::symlink;
    let folder = folder("export-links", &[POLICY, TOGGLE, OTP, ("secret.json", "{ not for you")]);
    symlink("../../../secret.json", folder.join("acme/guardian/factors/email.json")).expect("a link");
    let ran = check(&folder);
    let said = "`acme/guardian/factors/email.json` can't be read: it is a link that leads out of the export";
    assert!(ran.stderr.contains(said) && !ran.stderr.contains("not for you"), "{}", ran.stderr);
    fs::remove_file(folder.join("acme/guardian/factors/email.json")).expect("the link is gone");
    symlink("otp.json", folder.join("acme/guardian/factors/totp.json")).expect("a link");
    assert!(check(&folder).stderr.contains("E0405"), "a link to a file inside is that file again");
    symlink("loop.json", folder.join("acme/guardian/factors/loop.json")).expect("a link");
    assert!(check(&folder).stderr.contains("loop.json` can't be read"));
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_no_plain_file_is_not_waited_for() {
    let folder = folder("export-pipe", &[POLICY, TOGGLE, OTP]);
    let pipe = folder.join("acme/guardian/factors/email.json");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).expect("a pipe");
    let ran = check(&folder);
    assert!(ran.stderr.contains("email.json` can't be read: it is no file"), "{}", ran.stderr);
}
