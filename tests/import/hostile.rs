//! Text that wants to hurt, and text that is no Action.

use std::time::{Duration, Instant};

use stepup::import::{Imported, import};

fn imported(code: impl AsRef<[u8]>) -> Imported {
    import([("action.js", code)])
}

fn codes(imported: &Imported) -> Vec<&'static str> {
    imported.report.diagnostics().iter().map(|report| report.code.name()).collect()
}

/// An Action with a condition.
fn action(condition: &str) -> String {
    format!(
        "exports.onExecutePostLogin = async (event, api) => {{ if ({condition}) api.access.deny('no'); }};\n"
    )
}

#[test]
fn text_that_is_no_javascript_is_reported_where_it_goes_wrong() {
    let imported =
        imported("exports.onExecutePostLogin = async (event, api) => {\n  if (event.user. {\n};\n");
    assert_eq!(codes(&imported), ["E0901"]);
    assert!(imported.policy.is_none());
    let report = imported.report.to_string();
    assert!(report.contains("action.js:2:"), "{report}");
}

#[test]
fn a_policy_is_no_action() {
    let imported = imported("if user.isAdmin then challenge otp\n");
    assert_eq!(codes(&imported), ["E0901"]);
}

#[test]
fn text_that_is_not_utf_8_is_reported() {
    let imported = imported(b"exports.onExecutePostLogin = \xff\xfe");
    assert_eq!(codes(&imported), ["E0901"]);
    assert!(imported.policy.is_none());
}

#[test]
fn a_file_without_a_handler_is_reported() {
    for code in [
        "",
        "const x = 1;",
        "exports.onExecutePreUserRegistration = async () => {};",
        "exports.onExecutePostLogin = 5;",
    ] {
        let imported = imported(code);
        assert!(codes(&imported).contains(&"E0903"), "{code}: {}", imported.report);
        assert!(imported.policy.is_none());
    }
}

#[test]
fn no_actions_are_no_policy() {
    assert!(import(Vec::<(&str, &str)>::new()).policy.is_none());
}

#[test]
fn a_megabyte_is_refused_at_once() {
    let started = Instant::now();
    let imported = imported("a".repeat(1 << 20));
    assert_eq!(codes(&imported), ["E0902"]);
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn brackets_nested_deep_are_refused() {
    for bracket in ["(", "[", "{", "f(", "[[{", "`${"] {
        let imported = imported(bracket.repeat(50_000));
        assert!(
            matches!(codes(&imported).as_slice(), ["E0902" | "E0901"]),
            "{bracket}: {:?}",
            codes(&imported)
        );
    }
}

#[test]
fn code_that_nests_without_brackets_ends_in_a_report_or_a_policy() {
    let long = |unit: &str, last: &str| action(&format!("{}{last}", unit.repeat(100_000 / unit.len())));
    for (unit, last) in [
        ("!", "1"),
        ("- ", "1"),
        ("typeof ", "1"),
        ("a=>", "1"),
        ("a?a:", "1"),
        ("a+", "1"),
        ("a**", "1"),
        ("a&&", "1"),
        ("a||", "1"),
        ("a??", "1"),
        ("a,", "1"),
        ("a=", "1"),
        ("a.", "b"),
        ("a?.", "b"),
        ("await ", "1"),
        ("new ", "a"),
        ("async a=>", "1"),
        ("function*(){yield ", "1"),
        ("/", "a"),
        ("<", "a"),
    ] {
        let imported = imported(long(unit, last));
        assert!(imported.policy.is_some() || imported.report.has_errors(), "`{unit}`");
    }
}

#[test]
fn statements_that_nest_without_brackets_end_in_a_report() {
    for unit in [
        "if(a)",
        "for(;;)",
        "while(a)",
        "do ",
        "else ",
        "a:",
        "with(a)",
        "if(a);else ",
        "label: ",
        "switch(a){case ",
    ] {
        let code = format!(
            "exports.onExecutePostLogin = async (event, api) => {{ {}; }};",
            unit.repeat(100_000 / unit.len())
        );
        let imported = imported(&code);
        assert!(imported.report.has_errors(), "`{unit}` is understood");
    }
}

#[test]
fn functions_that_call_each_other_in_circles_are_not_followed() {
    let imported = imported(
        "function a(e) { return b(e); }\nfunction b(e) { return a(e); }\n\
         exports.onExecutePostLogin = async (event, api) => { if (a(event)) api.access.deny('no'); };",
    );
    assert_eq!(codes(&imported), ["E0904"]);
}

#[test]
fn work_that_doubles_with_each_line_is_bounded() {
    let mut code = String::from("const f0 = (e) => e.user.email === 'a' || e.user.name === 'b';\n");
    for level in 1..40 {
        code.push_str(&format!(
            "const f{level} = (e) => f{0}(e) && e.user.nickname !== '{level}' || !f{0}(e);\n",
            level - 1
        ));
    }
    code.push_str(
        "exports.onExecutePostLogin = async (event, api) => { if (f39(event)) api.access.deny('no'); };",
    );
    let started = Instant::now();
    let _ = imported(&code);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn an_action_of_100_kb_is_imported_within_a_second() {
    let mut code = String::from("exports.onExecutePostLogin = async (event, api) => {\n");
    let mut number = 0;
    while code.len() < 100_000 {
        code.push_str(&format!(
            "  if (event.client.client_id === 'client-{number}' && event.authorization?.roles?.includes('role-{number}')) {{\n    \
             return api.access.deny('client {number} is closed');\n  }}\n"
        ));
        number += 1;
    }
    code.push_str("};\n");
    let started = Instant::now();
    let imported = imported(&code);
    let took = started.elapsed();
    assert!(imported.report.is_empty(), "{}", imported.report);
    // Unoptimised; an optimised build takes a tenth.
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn every_beginning_of_an_action_ends_in_a_report_or_a_policy() {
    let golden = include_str!("golden/account-hygiene.txt");
    let code = golden.split("=== policy").next().unwrap_or_default();
    let code = code.split_once('\n').map(|(_, code)| code).unwrap_or_default();
    for end in (0..code.len()).step_by(7).filter(|end| code.is_char_boundary(*end)) {
        let imported = imported(&code[..end]);
        assert!(imported.policy.is_some() || imported.report.has_errors(), "{end}");
    }
}
