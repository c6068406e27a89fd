//! JavaScript's meaning, kept: each condition is imported, and held to the Action on random logins.

use stepup::import::{Comparison, Imported, import};

fn action(condition: &str) -> String {
    format!(
        "exports.onExecutePostLogin = async (event, api) => {{\n  if ({condition}) {{\n    \
         api.authentication.challengeWith({{ type: 'otp' }});\n  }}\n}};\n"
    )
}

fn imported(condition: &str) -> Imported {
    import([("action.js", action(condition))])
}

/// The condition that a JavaScript condition becomes.
#[track_caller]
fn becomes(condition: &str, wanted: &str) {
    let mut imported = imported(condition);
    assert!(!imported.report.has_errors(), "{}", imported.report);
    let policy = imported.policy.clone().unwrap_or_default();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = words(&policy);
    let found = found.rsplit_once("{ if ").map(|(_, rest)| rest.to_owned()).unwrap_or(found);
    let found = found.strip_suffix(" then challenge otp }").unwrap_or(&found).to_owned();
    match imported.compare(300) {
        Comparison::Run(agreement) if agreement.difference.is_none() => {}
        Comparison::Run(_) => panic!("{condition}\n{policy}\n{}", imported.report),
        Comparison::NotCompiled(report) => panic!("{condition}\n{policy}\n{report}"),
        Comparison::NotUnderstood => panic!("{condition}\n{}", imported.report),
    }
    assert_eq!(found, wanted, "{condition}");
}

#[track_caller]
fn is_left_out(condition: &str, why: &str) {
    let imported = imported(condition);
    assert!(imported.report.has_errors(), "{condition} is understood: {:?}", imported.policy);
    let report = imported.report.to_string();
    assert!(report.contains(why), "{report}");
}

#[test]
fn what_is_absent_equals_nothing() {
    becomes("event.organization?.name === 'acme'", r#"(organization.name ?? "") == "acme""#);
    becomes("event.organization?.name !== 'acme'", r#"(organization.name ?? "") != "acme""#);
    becomes("event.user.nickname === ''", r#"user.nickname is present and user.nickname == """#);
    becomes(
        "event.user.nickname === event.user.name",
        "user.nickname is present and user.name is present and user.nickname == user.name or user.nickname is not present and user.name is not present",
    );
}

#[test]
fn what_is_absent_is_neither_less_nor_more() {
    becomes("event.user.app_metadata.level > 3", "(user.app_metadata.level ?? 0) > 3");
    becomes(
        "event.user.app_metadata.level < 3",
        "user.app_metadata.level is present and user.app_metadata.level < 3",
    );
    becomes(
        "!(event.user.app_metadata.level < 3)",
        "not (user.app_metadata.level is present and user.app_metadata.level < 3)",
    );
    becomes("event.user.app_metadata.level >= 2.5", "(user.app_metadata.level ?? 0) >= 3");
    becomes("event.stats.logins_count === 1", "stats.logins_count == 1");
}

#[test]
fn undefined_and_null_are_told_from_values_in_each_way_to_write_it() {
    for test in [
        "!event.organization",
        "event.organization === undefined",
        "event.organization == null",
        "typeof event.organization === 'undefined'",
    ] {
        becomes(test, "organization.id is not present");
    }
    becomes("event.organization", "organization.id is present");
    becomes(
        "event.user.nickname ?? event.user.name",
        r#"user.nickname is not present and (user.name ?? "") != "" or (user.nickname ?? "") != """#,
    );
    becomes("event.authorization", "user.roles is present");
    becomes("event.user.enrolledFactors", "user.enrolledFactors is present");
}

#[test]
fn null_that_a_policy_cannot_tell_from_undefined_is_left_out() {
    is_left_out("event.user.app_metadata.x === null", "`null` told apart from `undefined`");
}

#[test]
fn an_empty_text_and_zero_count_as_false() {
    becomes("event.user.nickname", r#"(user.nickname ?? "") != """#);
    becomes("!event.user.nickname", r#"(user.nickname ?? "") == """#);
    becomes("event.stats.logins_count", "stats.logins_count != 0");
    becomes(
        "event.user.app_metadata.plan && event.user.app_metadata.plan !== 'free'",
        r#"user.app_metadata.plan != "" and user.app_metadata.plan != "free""#,
    );
}

#[test]
fn false_is_told_from_undefined_where_the_code_does() {
    becomes("event.user.app_metadata.mfa", "user.app_metadata.mfa");
    becomes("event.user.app_metadata.mfa === true", "user.app_metadata.mfa");
    becomes(
        "event.user.app_metadata.mfa === false",
        "user.app_metadata.mfa is present and not user.app_metadata.mfa ?? false",
    );
    becomes(
        "event.user.app_metadata.mfa !== false",
        "not (user.app_metadata.mfa is present and not user.app_metadata.mfa ?? false)",
    );
    becomes(
        "event.user.phone_verified === false",
        "user.phone_verified is present and not user.phone_verified ?? false",
    );
    becomes("event.user.email_verified === false", "not user.email_verified");
}

#[test]
fn an_empty_list_counts_as_true_and_its_length_does_not() {
    becomes("event.user.enrolledFactors?.length", "enrolled is not empty");
    becomes("!event.user.enrolledFactors?.length", "enrolled is empty");
    becomes(
        "event.user.enrolledFactors?.length === 0",
        "user.enrolledFactors is present and enrolled is empty",
    );
    becomes("(event.user.enrolledFactors || []).length < 1", "enrolled is empty");
    becomes("event.user.enrolledFactors && event.user.enrolledFactors.length > 0", "enrolled is not empty");
    becomes(
        "event.authorization && event.authorization.roles.length === 0",
        "user.roles is present and (user.roles ?? []) is empty",
    );
}

#[test]
fn factors_are_asked_for_in_each_way_to_write_it() {
    for test in [
        "event.user.enrolledFactors?.some(f => f.type === 'otp')",
        "event.user.enrolledFactors?.find(f => f.type === 'otp')",
        "event.user.enrolledFactors?.map(f => f.type).includes('otp')",
        "event.user.enrolledFactors?.findIndex(f => f.type === 'otp') >= 0",
        "event.user.enrolledFactors?.filter(f => f.type === 'otp').length > 0",
        "(event.user.enrolledFactors || []).map(({ type }) => type).indexOf('otp') !== -1",
        "new Set((event.user.enrolledFactors ?? []).map(f => f.type)).has('otp')",
    ] {
        becomes(test, "enrolled(otp)");
    }
    becomes(
        "event.user.enrolledFactors?.some(f => ['otp', 'phone'].includes(f.type))",
        "enrolled contains any [otp, phone]",
    );
    becomes(
        "event.user.enrolledFactors?.some(f => f.type.startsWith('webauthn'))",
        "enrolled contains any [webauthn-platform, webauthn-roaming]",
    );
    becomes(
        "!(event.user.enrolledFactors ?? []).every(f => f.type === 'email')",
        "enrolled except [email] is not empty",
    );
    becomes(
        "['otp', 'phone'].every(t => (event.user.enrolledFactors ?? []).some(f => f.type === t))",
        "enrolled contains all [otp, phone]",
    );
}

#[test]
fn a_use_in_the_session_is_asked_for_in_each_way_to_write_it() {
    for test in [
        "event.authentication?.methods.some(m => m.name === 'mfa')",
        "!!event.authentication?.methods.find(({ name }) => name === 'mfa')",
        "(event.authentication?.methods || []).map(m => m.name).includes('mfa')",
        "event.authentication?.methods.filter(m => m.name === 'mfa').length > 0",
    ] {
        becomes(test, "any performed");
    }
    for test in [
        "event.authentication?.methods.some(m => m.type === 'otp' && new Date(m.timestamp) > new Date(Date.now() - 5000))",
        "event.authentication?.methods.some(m => m.name === 'mfa' && m.type === 'otp' && (Date.now() - Date.parse(m.timestamp)) / 1000 < 5)",
        "event.authentication?.methods.some(m => m.type === 'otp' && new Date(m.timestamp).getTime() + 5000 > Date.now())",
        "event.authentication?.methods.some(m => m.type === 'otp' && new Date() - new Date(m.timestamp) < 5000)",
    ] {
        becomes(test, "performed(otp) within 5s");
    }
    becomes(
        "event.authentication?.methods.some(m => m.name === 'passkey')",
        r#"authentication.methods contains "passkey""#,
    );
    becomes(
        "event.authentication?.methods.filter(m => m.name === 'mfa').map(m => m.type).includes('phone')",
        "performed(phone)",
    );
}

#[test]
fn a_use_that_lies_further_back_is_left_out() {
    is_left_out(
        "event.authentication.methods.some(m => m.name === 'mfa' && Date.now() - new Date(m.timestamp) > 5000)",
        "further back",
    );
    is_left_out("event.authentication.methods.some(m => m.name !== 'pwd')", "not");
}

#[test]
fn texts_are_searched() {
    becomes("event.user.email?.endsWith('@example.com')", r#"(user.email ?? "") ends with "@example.com""#);
    becomes(
        "event.user.email?.split('@')[1] === 'example.com'",
        r#"(user.email ?? "") ends with "@example.com""#,
    );
    becomes("event.user.user_id.startsWith('auth0|')", r#"user.id starts with "auth0|""#);
    becomes("event.connection.name.includes('corp')", r#"connection.name contains "corp""#);
    becomes("/^samlp/.test(event.connection.strategy)", r#"connection.strategy starts with "samlp""#);
    becomes("event.connection.name.toLowerCase() === 'corp'", r#"lower(connection.name) == "corp""#);
    becomes(
        "event.connection.name.toLowerCase() === 'Corp' || event.client.name === 'x'",
        r#"client.name == "x""#,
    );
}

#[test]
fn lists_of_texts_are_searched() {
    becomes("event.authorization?.roles.includes('admin')", r#"user.roles contains "admin""#);
    becomes(
        "event.authorization?.roles?.some(r => r === 'admin' || r === 'owner')",
        r#"user.roles contains any ["admin", "owner"]"#,
    );
    becomes(
        "['a', 'b'].every(r => event.authorization?.roles?.includes(r))",
        r#"user.roles contains all ["a", "b"]"#,
    );
    becomes("['a', 'b'].includes(event.client.client_id)", r#"client.id in ["a", "b"]"#);
    becomes("!['a', 'b'].includes(event.client.client_id)", r#"client.id not in ["a", "b"]"#);
    becomes(
        "event.transaction?.requested_scopes.indexOf('pay') > -1",
        r#"transaction.requested_scopes contains "pay""#,
    );
    becomes(
        "(event.user.app_metadata.groups || []).includes('ops')",
        r#"user.app_metadata.groups contains "ops""#,
    );
    becomes(
        "(event.user.app_metadata.groups || '').split(',').includes('ops')",
        r#"user.app_metadata.groups contains "ops""#,
    );
}

#[test]
fn times_and_days_are_compared() {
    becomes(
        "Date.now() - new Date(event.user.created_at) > 30 * 24 * 60 * 60 * 1000",
        "age(user.created_at) > 30d",
    );
    becomes(
        "new Date(event.user.created_at) < new Date('2026-01-01')",
        "user.created_at < 2026-01-01T00:00:00Z",
    );
    becomes(
        "new Date().getUTCDay() === 0 || new Date().getUTCDay() > 5",
        "weekday(now) in [sunday, saturday]",
    );
    becomes("new Date().getUTCHours() < 8", "hour(now) < 8");
    becomes("Date.now() >= Date.parse('2026-01-31T12:00:00Z')", "now >= 2026-01-31T12:00:00Z");
}

#[test]
fn choices_of_values_are_followed() {
    becomes(
        "(event.organization ? event.organization.name : event.client.name) === 'x'",
        r#"(organization.name ?? "") == "x" or organization.id is not present and client.name == "x""#,
    );
    becomes("({ a: 'high', b: 'low' })[event.client.client_id] === 'high'", r#"client.id == "a""#);
    becomes(
        "(event.user.nickname || 'nobody') === 'nobody'",
        r#"(user.nickname ?? "") == "" or (user.nickname ?? "") == "nobody""#,
    );
}

#[test]
fn what_asks_others_or_has_no_order_is_left_out() {
    is_left_out("event.secrets.KEY === 'x'", "`event.secrets`");
    is_left_out("event.user.email < 'm'", "the order of texts");
    is_left_out("event.user.email.length > 5", "a count of texts");
    is_left_out("event.user.app_metadata.x === 'a' || event.user.app_metadata.x > 5", "order of texts");
    is_left_out("Math.random() < 0.5", "`Math.random`");
    is_left_out("someGlobal", "declared nowhere");
    is_left_out("event.nothing.like.this", "typings");
}
