//! Tenants through the front door: what they make of a flow, from Rust and from a file.

use stepup::jiff::Timestamp;
use stepup::{
    Compiler, Engine, MemoryFolder, Policy, Report, Switch, Tenant, TenantValue, Unsaid, read_export_tenant,
    read_tenant,
};

const SEED: &str = include_str!("../examples/admins.stepup");

fn check(tenant: Tenant, policy: &str) -> Vec<String> {
    let compiled = Compiler::new().with_tenant(tenant).compile([("policy.stepup", policy)]);
    let report = compiled.map_or_else(|report| report, |compiled| compiled.report);
    report.diagnostics().iter().map(|found| format!("{} {}", found.code, found.message)).collect()
}

fn compile(tenant: Tenant, policy: &str, engine: Engine) -> Policy {
    let compiler = Compiler::new().with_engine(engine).with_tenant(tenant);
    compiler.compile([("policy.stepup", policy)]).expect("the policy compiles").policy
}

/// What the first step decides on an event, as JSON.
fn decide(policy: &Policy, event: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut facts = policy.facts();
    facts.read_json(event.as_bytes())?;
    facts.set_now("2026-01-31T08:00:00Z".parse::<Timestamp>()?);
    let step = policy.steps().next().expect("a step");
    Ok(serde_json::to_string(&step.decide(&facts)?)?)
}

#[test]
fn a_tenant_with_everything_on_changes_nothing() {
    let bare = Compiler::new().compile([("admins.stepup", SEED)]);
    let bare = bare.map_or_else(|report| report, |compiled| compiled.report);
    assert_eq!(check(Tenant::new("acme"), SEED).len(), bare.diagnostics().len());
    let tenant = Tenant::new("acme")
        .with_customize_factors(Switch::On)
        .with_enabled_factors(["otp", "webauthn-roaming"]);
    assert_eq!(check(tenant, SEED), [""; 0]);
}

#[test]
fn a_factor_that_the_tenant_has_not_enabled_is_reported_for_each_command_that_lists_it() {
    let tenant = Tenant::new("acme").with_enabled_factors(["otp"]);
    let policy = "if enrolled is empty then enroll otp or phone else challenge any of [phone(sms), otp]";
    assert_eq!(check(tenant, policy), ["E0409 `phone` is not enabled in the tenant"; 2]);
}

#[test]
fn a_command_whose_every_factor_is_off_is_reported_once() {
    let tenant = Tenant::new("acme").with_enabled_factors(["otp"]);
    let policy = "if enrolled is empty then enroll any of [phone, webauthn-roaming]";
    assert_eq!(
        check(tenant, policy),
        ["E0411 nothing that this `enroll` can offer is enabled in the tenant"]
    );
}

#[test]
fn a_set_is_taken_at_its_most() {
    let tenant = || Tenant::new("acme").with_enabled_factors(["otp", "email"]);
    let fine = [
        "challenge any of enrolled",
        "challenge any of enrolled intersect [otp, phone]",
        "challenge any of enrolled except [phone]",
        "challenge any of enrolled except enrolled",
        "enroll any of enrolled union [otp]",
    ];
    for command in fine {
        assert_eq!(check(tenant(), &format!("if user.isAdmin then {command}")), [""; 0], "{command}");
    }
    let never = [
        "challenge any of enrolled intersect [phone, webauthn-roaming]",
        "challenge any of enrolled except [otp, email]",
        // The catalog has `email` in no `enroll`.
        "enroll any of enrolled intersect [email, phone]",
    ];
    for command in never {
        let found = check(tenant(), &format!("if user.isAdmin then {command}"));
        assert!(found.len() == 1 && found[0].starts_with("E0411"), "{command}: {found:?}");
    }
}

#[test]
fn a_toggle_that_is_off_is_an_error_for_a_flow_that_has_commands() {
    let tenant = || Tenant::new("acme").with_customize_factors(Switch::Off);
    assert_eq!(check(tenant(), "challenge otp"), ["E0410 the tenant doesn't let policies choose factors"]);
    assert_eq!(check(tenant(), "if user.isAdmin then deny \"not here\""), [""; 0]);
}

#[test]
fn a_default_of_the_tenant_stands_where_the_policy_has_none() {
    let policy = "if tenant.id == \"acme\" then challenge otp";
    for engine in [Engine::Native, Engine::Interpreter] {
        let bare =
            Compiler::new().with_engine(engine).compile([("policy.stepup", policy)]).expect("it compiles");
        assert!(decide(&bare.policy, "{}").is_err(), "an event without the fact is refused");
        let acme = compile(Tenant::new("acme").with_fact("tenant.id", "acme"), policy, engine);
        assert!(decide(&acme, "{}").expect("a decision").contains("challengeWith"));
        assert!(
            !decide(&acme, r#"{"tenant": {"id": "other"}}"#).expect("a decision").contains("challengeWith")
        );
    }
}

#[test]
fn a_default_of_the_tenant_wins_over_the_policys() {
    let policy = "fact level: int = event.user.level default 1\nif level > 2 then challenge otp";
    let strict = compile(Tenant::new("acme").with_fact("level", 3), policy, Engine::Native);
    assert!(decide(&strict, "{}").expect("a decision").contains("challengeWith"));
    assert!(!decide(&strict, r#"{"user": {"level": 1}}"#).expect("a decision").contains("challengeWith"));
}

#[test]
fn defaults_have_every_type_that_facts_have() {
    let policy = "
        fact a.bool: bool = event.a.bool
        fact a.int: int = event.a.int
        fact a.text: string = event.a.text
        fact a.time: time = event.a.time
        fact a.since: time = event.a.since
        fact a.grace: duration = event.a.grace
        fact a.ip: ip = event.a.ip
        fact a.factor: factor = event.a.factor
        fact a.roles: list<string> = event.a.roles
        fact a.allowed: set<factor> = event.a.allowed
        fact a.tier: enum(free < paid < gold) = event.a.tier
        fact a.kind: enum(web, native) = event.a.kind

        if a.bool and a.int == 7 and a.text == \"x\" and a.time == 2026-01-31T08:00:00Z
            and a.since == 2026-01-31T07:00:00Z and a.grace == 12h and a.ip in [10.0.0.0/8] and a.factor in a.allowed
            and a.roles contains \"admin\" and a.tier == gold and a.kind == other
        then challenge any of a.allowed
    ";
    let file = br#"
        [facts]
        a.bool = true
        a.int = 0x7
        a.text = "x"
        a.time = 2026-01-31T09:00:00+01:00
        a.since = "2026-01-31T07:00:00Z"
        a.grace = "12h"
        a.ip = "::ffff:10.1.2.3"
        a.factor = "otp"
        a.roles = ["staff", "admin"]
        a.allowed = ["phone", "otp"]
        a.tier = "gold"
        a.kind = "other"
    "#;
    let tenant = read_tenant("tenant.toml", file).expect("the file is fine");
    for engine in [Engine::Native, Engine::Interpreter] {
        let decision = decide(&compile(tenant.clone(), policy, engine), "{}").expect("a decision");
        assert!(decision.contains(r#"[{"type":"otp"},{"type":"phone"}]"#), "{decision}");
    }
}

#[test]
fn a_test_may_say_absent_of_a_fact_that_the_tenant_gives() {
    let policy =
        "if tenant.id == \"acme\" then challenge otp\ntest \"t\" { given tenant.id = absent expect nothing }";
    assert_eq!(check(Tenant::new("acme"), policy), ["E0301 `tenant.id` is never absent"]);
    assert_eq!(check(Tenant::new("acme").with_fact("tenant.id", "x"), policy), [""; 0]);
}

#[test]
fn the_proof_knows_which_factors_can_be_used() {
    // Four challenges that only a security key gets past, and a fifth behind them.
    let policy = "
        step first { challenge webauthn-roaming or otp  if enrolled(otp) then challenge otp }
        step second {
          if performed(webauthn-roaming) in this login { enroll any of [otp]  challenge otp  challenge otp }
        }
    ";
    let codes = |tenant| {
        let compiled = Compiler::new().with_tenant(tenant).compile([("policy.stepup", policy)]);
        let report = compiled.map_or_else(|report| report, |compiled| compiled.report);
        report.diagnostics().iter().map(|found| found.code.name()).collect::<Vec<_>>()
    };
    assert!(codes(Tenant::new("acme")).contains(&"E0501"));
    let without_keys = Tenant::new("acme").with_enabled_factors(["otp"]);
    assert!(!codes(without_keys).contains(&"E0501"), "nobody performs a security key there");
}

#[test]
fn a_login_finds_only_what_the_tenant_has_enabled() {
    let tenant = Tenant::new("acme").with_enabled_factors(["otp", "webauthn-roaming"]);
    let policy = compile(tenant, "challenge any of enrolled", Engine::Native);
    let mut facts = policy.facts();
    facts
        .read_json(br#"{"user": {"enrolledFactors": [{"type": "phone"}, {"type": "otp"}]}}"#)
        .expect("an event");
    facts.set_now(Timestamp::UNIX_EPOCH);
    let mut login = policy.login();
    let next = format!("{:?}", login.next(&facts, &policy.availability()).expect("a step"));
    assert!(next.contains("otp") && !next.contains("phone"), "{next}");
}

#[test]
fn a_tenant_belongs_to_the_digest_of_a_policy() {
    let of = |tenant| compile(tenant, "challenge any of enrolled", Engine::Interpreter).digest();
    let one = of(Tenant::new("t").with_enabled_factors(["otp"]));
    assert_eq!(one, of(Tenant::new("t").with_enabled_factors(["otp"])));
    assert_ne!(one, of(Tenant::new("t").with_enabled_factors(["otp", "phone"])));
}

/// The text that a tenant has written of itself.
fn text_of(tenant: &Tenant) -> &str {
    let (_, file) = tenant.texts().files().next().expect("a text");
    file.text()
}

#[test]
fn what_a_tenant_writes_of_itself_is_read_as_the_same_tenant() {
    let tenant = Tenant::new("acme")
        .with_fact("user.isAdmin", true)
        .with_enabled_factors(["otp", "we\"ird\n\u{1}"])
        .with_fact("level", -3)
        .with_fact("since", "2026-01-31T08:00:00Z".parse::<Timestamp>().expect("an instant"))
        .with_fact("roles", vec!["a", "b\\"])
        .with_fact("none", TenantValue::List(Vec::new()))
        .with_customize_factors(Switch::Off);
    assert_eq!(read_tenant("acme", text_of(&tenant).as_bytes()).expect("its text is a tenant file"), tenant);
}

#[test]
fn the_last_word_on_a_fact_counts() {
    let tenant = Tenant::new("acme").with_fact("tenant.id", "a").with_fact("tenant.id", "b");
    assert_eq!(text_of(&tenant).matches("tenant.id").count(), 1);
    assert!(text_of(&tenant).contains("\"b\""));
}

#[test]
fn a_policy_that_cannot_be_read_is_not_reported_through_the_tenant() {
    let tenant = Tenant::new("acme").with_fact("level", 3);
    let found = check(tenant, "fact level int = event.user.level\nif user.isAdmin then challenge otp");
    assert!(found.iter().all(|report| report.starts_with("E01")), "{found:?}");
}

#[test]
fn a_name_that_is_listed_many_times_is_reported_once() {
    let listed = |name: &str| Tenant::new("acme").with_enabled_factors(vec![name; 1000]);
    assert_eq!(check(listed("otp"), "challenge otp"), ["E0405 `otp` is listed twice"]);
    let found = check(listed("opt"), "challenge otp");
    assert_eq!(found.iter().filter(|report| report.starts_with("E0401")).count(), 1, "{found:?}");
}

// -- exports ------------------------------------------------------------------------------------------------------

/// A tenant of an export with these files.
fn exported(files: &[(&str, &str)]) -> Tenant {
    let folder = files.iter().fold(MemoryFolder::default(), |folder, (path, text)| folder.with(*path, *text));
    read_export_tenant("export", &folder).expect("the export is fine")
}

/// The file of a factor.
fn factor(name: &str, enabled: bool) -> (String, String) {
    (format!("guardian/factors/{name}.json"), format!(r#"{{ "name": "{name}", "enabled": {enabled} }}"#))
}

/// An export of factors and nothing else.
fn with_factors(switches: &[(&str, bool)]) -> Tenant {
    let files: Vec<_> = switches.iter().map(|(name, enabled)| factor(name, *enabled)).collect();
    exported(&files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>())
}

#[test]
fn an_export_says_of_each_factor_whether_it_is_enabled() {
    let switches = [("otp", true), ("sms", false), ("webauthn-roaming", true), ("email", false)];
    let policy =
        "if enrolled is empty then enroll otp or phone else challenge any of [webauthn-roaming, email]";
    let found = check(with_factors(&switches), policy);
    assert_eq!(
        found,
        ["E0409 `phone` is not enabled in the tenant", "E0409 `email` is not enabled in the tenant"]
    );
}

#[test]
fn a_factor_that_an_export_says_nothing_of_counts_as_enabled() {
    let policy = "if enrolled is empty then enroll any of [otp, webauthn-platform]";
    assert_eq!(check(with_factors(&[("otp", true)]), policy), [""; 0]);
    assert_eq!(check(exported(&[("guardian/factors/otp.json", "{}")]), policy), [""; 0]);
    let unsaid = exported(&[("guardian/factors/otp.json", r#"{ "name": "otp" }"#)]);
    assert_eq!(check(unsaid, policy), [""; 0]);
}

#[test]
fn what_an_export_leaves_open_is_told() {
    assert_eq!(exported(&[("tenant.json", "{}")]).unsaid(), [Unsaid::Factors, Unsaid::CustomizeFactors]);
    assert_eq!(with_factors(&[("otp", true)]).unsaid(), [Unsaid::CustomizeFactors]);
    let toggle = [("tenant.json", r#"{ "customize_mfa_in_postlogin_action": true }"#)];
    assert_eq!(exported(&toggle).unsaid(), [Unsaid::Factors]);
    assert_eq!(Tenant::new("acme").unsaid(), []);
}

#[test]
fn a_factor_of_the_platform_that_no_command_can_name_is_no_fault_of_an_export() {
    assert_eq!(check(with_factors(&[("duo", true), ("otp", true)]), "challenge otp"), [""; 0]);
}

#[test]
fn the_ways_of_the_phone_are_the_message_types_of_an_export() {
    let policy = "
        step first { if user.isAdmin then challenge phone(sms) }
        step second { if user.isAdmin then challenge phone(voice) }
        step third { if user.isAdmin then challenge phone(both) }
        step fourth { if user.isAdmin then challenge phone }
    ";
    let off = |types: &str| {
        let text = format!(r#"{{ "message_types": {types} }}"#);
        let found = check(exported(&[("guardian/phoneFactorMessageTypes.json", &text)]), policy);
        found.iter().filter_map(|report| report.split('`').nth(1)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(off(r#"["sms", "voice"]"#), [""; 0]);
    assert_eq!(off(r#"["sms"]"#), ["voice", "both"]);
    assert_eq!(off(r#"["voice"]"#), ["sms", "both"]);
    assert_eq!(check(exported(&[("guardian/phoneFactorMessageTypes.json", "{}")]), policy), [""; 0]);
    let old = [("guardian/phoneFactorMessageTypes.json", r#"{ "message-types": ["sms"] }"#)];
    assert_eq!(check(exported(&old), policy).len(), 2, "the Deploy CLI's own example has this key");
}

#[test]
fn the_digest_holds_what_an_export_says_and_not_what_else_is_in_it() {
    let of = |tenant| compile(tenant, "challenge any of enrolled", Engine::Interpreter).digest();
    let settings = |name: &str, toggle: bool| {
        let text = format!(r#"{{"friendly_name": "{name}", "customize_mfa_in_postlogin_action": {toggle}}}"#);
        exported(&[("tenant.json", &text)])
    };
    assert_eq!(of(settings("Acme", true)), of(settings("Acme Incorporated", true)));
    assert_ne!(of(with_factors(&[("sms", true)])), of(with_factors(&[("sms", false)])));
}

#[test]
fn hostile_exports_are_reported_and_nothing_more() {
    let deep = "[".repeat(200_000);
    let texts = [
        deep.clone(),
        format!(r#"{{ "name": {deep}"#),
        r#"{"a":"#.repeat(200_000),
        "\u{feff}{}".to_owned(),
        "\u{0}\u{202e}".to_owned(),
        String::new(),
        r#"{ "name": "otp", "enabled": 1e999 }"#.to_owned(),
        r#"{ "name": "\ud800", "enabled": true }"#.to_owned(),
        "\u{e9}".repeat(1000),
        "{}{}".to_owned(),
    ];
    for text in &texts {
        for path in ["guardian/factors/otp.json", "tenant.json", "guardian/phoneFactorMessageTypes.json"] {
            let folder = MemoryFolder::default().with(path, text.as_str());
            if let Err(report) = read_export_tenant("export", &folder) {
                assert!(report.has_errors() && !report.to_string().contains('\u{202e}'));
            }
        }
        let folder = MemoryFolder::default().with("guardian/factors/otp.json", text.as_str());
        assert!(read_export_tenant("export", &folder).is_err(), "{:.40}", text);
    }
    let many = (0..1000).fold(MemoryFolder::default(), |folder, number| {
        folder.with(format!("guardian/factors/{number}.json"), "nothing")
    });
    let report = read_export_tenant("export", &many).expect_err("nothing of it is JSON");
    assert_eq!(report.diagnostics().len(), 50);
}

#[test]
fn hostile_tenant_files_are_reported_and_nothing_more() {
    let deep = "[".repeat(100_000);
    let files = [
        format!("facts.{}a = 1", "a.".repeat(300_000)),
        format!("[facts.{}a]", "a.".repeat(300_000)),
        format!("enabled-factors = {deep}"),
        format!("facts = {}", "{a=".repeat(100_000)),
        "= = =\n".repeat(100_000),
        "\u{0}\u{202e}[facts".to_owned(),
        "[facts]\nx = 1e999\ny = nan\nz = 0xffffffffffffffffff".to_owned(),
    ];
    for file in files {
        let report: Report = read_tenant("t.toml", file.as_bytes()).expect_err("the file is refused");
        assert!(report.has_errors() && report.diagnostics().len() <= 50);
        assert!(!report.to_string().contains('\u{202e}'));
    }
    let many: String = (0..20_000).map(|number| format!("\"f{number}\" = {number}\n")).collect();
    let tenant =
        read_tenant("t.toml", format!("[facts]\n{many}").as_bytes()).expect("the file is fine by itself");
    assert!(check(tenant, "challenge otp").len() >= 20_000);
}
