//! How an event is read: the rules of the language's "Facts", each as a test. What holds for JSON text holds for a
//! value that serializes too: each case goes through both.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]

mod common;

use std::fmt::Write;

use common::compile::program;
use jiff::Timestamp;
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value as Json, json};
use stepup::backend::interpret;
use stepup::check::policy::StepId;
use stepup::lower::program::Program;
use stepup::runtime::{DecideError, Facts, ReadError, ReadErrorKind};

/// A policy that asks one thing: it challenges where the condition holds.
fn asking(declarations: &str, condition: &str) -> Program {
    program(&format!("{declarations}\nstep s {{ if {condition} then challenge otp }}"))
}

/// Whether the condition holds for an event, read as JSON text and as a value that serializes.
fn holds(program: &Program, event: &Json) -> Result<bool, ReadError> {
    let mut facts = Facts::new(&program.interface.layout);
    let from_text = facts.read_json(event.to_string().as_bytes()).map(|()| decided(program, &mut facts));
    let from_value = facts.read_from(event).map(|()| decided(program, &mut facts));
    assert_eq!(from_text, from_value);
    if from_text.is_err() {
        let words = facts.words_for(&program.interface.layout);
        assert!(
            matches!(words, Err(DecideError::Unfilled { .. })),
            "a failed read leaves the facts unfilled"
        );
    }
    from_text
}

fn decided(program: &Program, facts: &mut Facts) -> bool {
    facts.set_now("2026-01-31T12:00:00Z".parse::<Timestamp>().unwrap());
    let words = facts.words_for(&program.interface.layout).expect("a read fills all");
    interpret::decide(&program.steps[StepId::from_u32(0)], words).len() == 1
}

/// What reading says of one value under `event.user.app_metadata.x`.
fn read_x(ty: &str, condition: &str, value: Json) -> Result<bool, String> {
    let program = asking(&format!("fact x: {ty} = event.user.app_metadata.x"), condition);
    holds(&program, &json!({"user": {"app_metadata": {"x": value}}})).map_err(|error| error.to_string())
}

fn error_of(ty: &str, condition: &str, value: Json) -> String {
    read_x(ty, condition, value).expect_err("the value does not fit")
}

#[test]
fn a_wrong_type_is_an_error_that_names_the_path_and_both_types() {
    let program = asking("", "user.isAdmin");
    let error = holds(&program, &json!({"user": {"app_metadata": {"isAdmin": "yes"}}})).unwrap_err();
    assert_eq!(error.to_string(), "`event.user.app_metadata.isAdmin` is a string, and a bool was wanted");
    assert_eq!(error.kind, ReadErrorKind::WrongType);
    assert_eq!(error.path, "event.user.app_metadata.isAdmin");
}

#[test]
fn every_type_refuses_every_other() {
    let types = [
        ("bool", "x", json!(true)),
        ("int", "x == 1", json!(1)),
        ("string", "x == \"a\"", json!("a")),
        ("time", "x == 2026-01-01T00:00:00Z", json!("2026-01-01T00:00:00Z")),
        ("duration", "x == 5s", json!(5)),
        ("ip", "x in [10.0.0.0/8]", json!("10.0.0.1")),
        ("factor", "x == otp", json!("otp")),
        ("list<string>", "x contains \"a\"", json!(["a"])),
        ("set<factor>", "otp in x", json!(["otp"])),
        ("enum(a, b)", "x == a", json!("a")),
        ("enum(a < b)", "x == a", json!("a")),
    ];
    for (ty, condition, fitting) in &types {
        assert_eq!(read_x(ty, condition, fitting.clone()), Ok(true), "{ty}");
        for wrong in [json!({}), json!({"a": 1}), json!(1.5), json!([[]]), json!([{}]), json!([1])] {
            let text = error_of(ty, condition, wrong.clone());
            assert!(text.starts_with("`event.user.app_metadata.x"), "{ty} on {wrong}: {text}");
        }
        if ty.starts_with("list") || ty.starts_with("set") {
            assert!(error_of(ty, condition, json!("a")).contains("a string"));
        } else {
            assert!(error_of(ty, condition, json!(["a"])).contains("is a list"));
        }
    }
}

#[test]
fn integers_lie_within_what_json_carries_exactly() {
    let max = (1_i64 << 53) - 1;
    assert_eq!(read_x("int", "x > 7", json!(max)), Ok(true));
    assert_eq!(read_x("int", "x < 7", json!(-max)), Ok(true));
    for past in [json!(max + 1), json!(-max - 1), json!(u64::MAX), json!(1e300)] {
        assert!(error_of("int", "x > 7", past).ends_with("an integer within ±(2^53−1) was wanted"));
    }
}

#[test]
fn a_float_without_a_fraction_is_an_integer_and_with_one_an_error() {
    assert_eq!(read_x("int", "x == 3", json!(3.0)), Ok(true));
    assert_eq!(read_x("int", "x == 0", json!(-0.0)), Ok(true));
    let expected =
        "`event.user.app_metadata.x` is a number with a fraction, and an integer within ±(2^53−1) was wanted";
    assert_eq!(error_of("int", "x == 3", json!(3.25)), expected);
}

#[test]
fn a_duration_is_whole_seconds() {
    assert_eq!(read_x("duration", "x == 2m", json!(120)), Ok(true));
    assert!(error_of("duration", "x == 2m", json!("120")).contains("a whole number of seconds was wanted"));
    assert!(error_of("duration", "x == 2m", json!(1_i64 << 50)).contains("seconds was wanted"));
}

#[test]
fn an_instant_is_rfc_3339_text() {
    let noon = "x == 2026-01-31T12:00:00Z";
    for same in [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.000Z",
        "2026-01-31T13:00:00+01:00",
        "2026-01-31t12:00:00z",
    ] {
        assert_eq!(read_x("time", noon, json!(same)), Ok(true), "{same}");
    }
    let bad = [
        "",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00Z[Europe/Berlin]",
        "2026-01-31T25:00:00Z",
        "tomorrow",
        "२026-01-31T12:00:00Z",
    ];
    for text in bad {
        let error = error_of("time", noon, json!(text));
        assert_eq!(
            error,
            format!("`event.user.app_metadata.x` is `{text}`, and an RFC 3339 instant was wanted")
        );
    }
    assert!(error_of("time", noon, json!(1_767_873_600)).contains("is an integer"));
}

#[test]
fn an_address_is_its_text_and_a_mapped_one_is_the_ipv4_address() {
    let in_ten = "x in [10.0.0.0/8]";
    assert_eq!(read_x("ip", in_ten, json!("10.9.8.7")), Ok(true));
    assert_eq!(read_x("ip", in_ten, json!("::ffff:10.9.8.7")), Ok(true));
    assert_eq!(read_x("ip", in_ten, json!("2001:db8::1")), Ok(false));
    for text in ["10.0.0.1:80", "10.0.0", "localhost", "[::1]", ""] {
        assert!(error_of("ip", in_ten, json!(text)).ends_with("and an IP address was wanted"), "{text}");
    }
}

#[test]
fn an_unknown_text_is_other_in_an_open_enum_and_an_error_in_an_ordered_one() {
    assert_eq!(read_x("enum(low, high)", "x == other", json!("odd")), Ok(true));
    let expected = "`event.user.app_metadata.x` is `odd`, and one of `low`, `high` was wanted";
    assert_eq!(error_of("enum(low < high)", "x >= low", json!("odd")), expected);
}

#[test]
fn a_key_repeated_on_a_read_path_is_an_error_and_elsewhere_is_skipped() {
    let program = asking("", "user.isAdmin");
    let mut facts = Facts::new(&program.interface.layout);
    let twice = r#"{"user":{"app_metadata":{"isAdmin":false,"\u0069sAdmin":true}}}"#;
    let error = facts.read_json(twice.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "`event.user.app_metadata.isAdmin` stands in the event twice");
    let parent = facts.read_json(br#"{"user":{"app_metadata":{}},"user":null}"#).unwrap_err();
    assert_eq!(parent.kind, ReadErrorKind::RepeatedKey);
    let elsewhere = r#"{"user":{"app_metadata":{"isAdmin":true,"x":1,"x":2}},"y":1,"y":2}"#;
    facts.read_json(elsewhere.as_bytes()).expect("no path leads there");
}

#[test]
fn null_counts_as_absent() {
    assert_eq!(
        read_x("bool", "x", json!(null)).unwrap_err(),
        "`event.user.app_metadata.x` is missing, and a bool was wanted"
    );
    assert_eq!(read_x("int?", "x is present", json!(null)), Ok(false));
    assert_eq!(read_x("int?", "x is present", json!(0)), Ok(true));
    let program = asking("fact x: int = event.x default 7", "x == 7");
    assert_eq!(holds(&program, &json!({"x": null})), Ok(true));
    assert_eq!(holds(&program, &json!({})), Ok(true));
    assert_eq!(holds(&program, &json!(null)), Ok(true));
    assert_eq!(holds(&program, &json!({"x": 8})), Ok(false));
}

#[test]
fn what_no_fact_reads_is_skipped_whatever_it_is() {
    let program = asking("", "user.isAdmin");
    let event = json!({"user": {"app_metadata": {"isAdmin": true, "odd": [[1.5e300]]}, "email": 5}, "x": {"user": []}});
    assert_eq!(holds(&program, &event), Ok(true));
}

#[test]
fn a_parent_of_another_type_is_an_error() {
    let program = asking("", "user.isAdmin");
    for (found, event) in [
        ("a string", json!({"user": {"app_metadata": "x"}})),
        ("a list", json!({"user": {"app_metadata": []}})),
        ("a bool", json!({"user": {"app_metadata": true}})),
    ] {
        let error = holds(&program, &event).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`event.user.app_metadata` is {found}, and an object was wanted")
        );
    }
    assert_eq!(holds(&program, &json!([1])).unwrap_err().path, "event");
}

#[test]
fn facts_under_one_optional_parent_are_there_together_or_not_at_all() {
    let program = asking("", "organization.name is present and organization.name == \"acme\"");
    assert_eq!(holds(&program, &json!({"organization": {"name": "acme"}})), Ok(true));
    assert_eq!(holds(&program, &json!({})), Ok(false));
    assert_eq!(holds(&program, &json!({"organization": null})), Ok(false));
    let error = holds(&program, &json!({"organization": {"id": "o"}})).unwrap_err();
    assert_eq!(error.to_string(), "`event.organization.name` is missing, and a string was wanted");
}

#[test]
fn a_list_gathers_what_its_elements_have() {
    let declaration = "fact names: list<string> = event.a[].b?";
    let program = asking(declaration, "names contains \"y\"");
    assert_eq!(
        holds(&program, &json!({"a": [{"b": "x"}, {}, {"b": null}, {"b": "y", "c": 1}, null]})),
        Ok(true)
    );
    assert_eq!(holds(&program, &json!({"a": []})), Ok(false));
    let error = holds(&program, &json!({"a": [{"b": 1}]})).unwrap_err();
    assert_eq!(error.to_string(), "`event.a[].b` is an integer, and a string was wanted");
    assert_eq!(
        holds(&program, &json!({"a": {"b": "y"}})).unwrap_err().to_string(),
        "`event.a` is an object, and a list was wanted"
    );
    let error = holds(&program, &json!({})).unwrap_err();
    assert_eq!(error.to_string(), "`event.a[].b` is missing, and a list of strings was wanted");
    let strict = asking("fact names: list<string> = event.a[].b", "names contains \"y\"");
    let error = holds(&strict, &json!({"a": [{"b": "y"}, {"c": 1}]})).unwrap_err();
    assert_eq!(error.to_string(), "`event.a[].b` is missing, and a string was wanted");
}

#[test]
fn a_split_text_is_cut_trimmed_and_without_empty_items() {
    let declaration = "fact usable: set<factor> = event.usable split \",\"";
    let program = asking(declaration, "count(usable) == 2 and otp in usable");
    assert_eq!(holds(&program, &json!({"usable": " otp ,, phone,\t"})), Ok(true));
    assert_eq!(holds(&program, &json!({"usable": "otp"})), Ok(false));
    assert!(
        holds(&program, &json!({"usable": ["otp"]})).unwrap_err().to_string().contains("a string to split")
    );
}

#[test]
fn factors_outside_the_catalog_count_together_as_one() {
    let empty = asking("", "enrolled is empty");
    assert_eq!(holds(&empty, &json!({"user": {"enrolledFactors": [{"type": "carrier-pigeon"}]}})), Ok(false));
    assert_eq!(holds(&empty, &json!({"user": {"enrolledFactors": []}})), Ok(true));
    assert_eq!(holds(&empty, &json!({})), Ok(true));
    let two = asking("", "count(enrolled) == 2");
    let event = json!({"user": {"enrolledFactors": [{"type": "pigeon"}, {"type": "otp", "options": {}}, {"type": "owl"}]}});
    assert_eq!(holds(&two, &event), Ok(true));
    let error = holds(&two, &json!({"user": {"enrolledFactors": [{"options": 1}]}})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`event.user.enrolledFactors[].type` is missing, and a factor's name was wanted"
    );
}

#[test]
fn performed_factors_are_the_methods_named_mfa_in_any_order_of_keys() {
    let program = asking("", "performed(otp) within 5s");
    let with = |entry: Json| {
        holds(
            &program,
            &json!({"authentication": {"methods": [{"name": "pwd", "timestamp": "2026-01-31T11:59:00Z"}, entry]}}),
        )
    };
    let stamp = "2026-01-31T11:59:56Z";
    assert_eq!(with(json!({"timestamp": stamp, "type": "otp", "name": "mfa"})), Ok(true));
    assert_eq!(with(json!({"timestamp": "2026-01-31T11:59:55Z", "type": "otp", "name": "mfa"})), Ok(false));
    assert_eq!(with(json!({"timestamp": stamp, "type": "otp", "name": "pwd"})), Ok(false));
    assert_eq!(with(json!({"timestamp": stamp, "type": "pigeon", "name": "mfa"})), Ok(false));
    assert_eq!(with(json!({"timestamp": stamp, "name": "mfa"})), Ok(false));
    assert_eq!(holds(&program, &json!({})), Ok(false));
    let error = with(json!({"type": "otp", "name": "mfa"})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`event.authentication.methods[].timestamp` is missing, and an RFC 3339 instant was wanted"
    );
    let error = with(json!({"name": "mfa", "type": 5, "timestamp": stamp})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`event.authentication.methods[].type` is an integer, and a factor's name was wanted"
    );
}

#[test]
fn bytes_after_the_event_and_text_that_is_no_json_are_errors() {
    let program = asking("fact x: int = event.x default 1", "x == 1");
    let mut facts = Facts::new(&program.interface.layout);
    for bytes in
        [&b"{} x"[..], b"{}{}", b"", b"{", b"\xff", b"{\"y\":\"\xff\"}", b"{\"x\":01}", b"{\"x\":1e999}"]
    {
        let error = facts.read_json(bytes).unwrap_err();
        assert_eq!(error.kind, ReadErrorKind::Malformed, "{bytes:?}");
        assert!(
            facts.words_for(&program.interface.layout).is_err(),
            "nothing is decided after a failed read"
        );
    }
    facts.read_json(b" {} ").expect("white space may follow");
}

#[test]
fn a_failed_read_leaves_nothing_of_the_login_before_it() {
    let program = asking("", "user.isAdmin");
    let mut facts = Facts::new(&program.interface.layout);
    facts.read_json(br#"{"user":{"app_metadata":{"isAdmin":true}}}"#).unwrap();
    facts.read_json(b"{").unwrap_err();
    let error = facts.words_for(&program.interface.layout).unwrap_err();
    assert_eq!(error, DecideError::Unfilled { names: vec!["event".to_owned()] });
    facts.reset();
    assert!(facts.words_for(&program.interface.layout).is_ok(), "after a reset the default counts");
}

#[test]
fn deep_nesting_is_skipped_or_refused_but_never_followed() {
    let program = asking("", "user.isAdmin");
    let mut facts = Facts::new(&program.interface.layout);
    let nested = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let unread = format!(r#"{{"x":{nested},"user":{{"app_metadata":{{"isAdmin":true}}}}}}"#);
    facts.read_json(unread.as_bytes()).expect("what is skipped may be deep");
    let read = format!(r#"{{"user":{{"app_metadata":{{"isAdmin":{nested}}}}}}}"#);
    assert_eq!(facts.read_json(read.as_bytes()).unwrap_err().kind, ReadErrorKind::WrongType);
    facts.read_json("[".repeat(1_000_000).as_bytes()).unwrap_err();
}

#[test]
fn a_huge_event_is_read_to_its_end() {
    let program = asking("", "user.roles contains \"r9999\" and user.isAdmin");
    let mut event = String::from(r#"{"authorization":{"roles":["#);
    for role in 0..100_000 {
        write!(event, "\"r{role}\",").unwrap();
    }
    event.push_str(r#""last"]},"user":{"app_metadata":{"isAdmin":true}}}"#);
    let mut facts = Facts::new(&program.interface.layout);
    facts.read_json(event.as_bytes()).unwrap();
    assert!(decided(&program, &mut facts));
}

#[test]
fn a_long_text_is_cut_in_a_message() {
    let error = error_of("ip", "x in [10.0.0.0/8]", json!("é".repeat(500)));
    assert_eq!(error.chars().filter(|c| *c == 'é').count(), 40);
}

#[test]
fn a_host_s_own_types_are_read_and_what_is_not_read_is_not_serialized() {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    enum Strategy {
        GoogleOauth2,
    }
    struct Untouched;
    impl Serialize for Untouched {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("no fact reads this")
        }
    }
    #[derive(Serialize)]
    struct Connection {
        strategy: Strategy,
        secret: Untouched,
    }
    #[derive(Serialize)]
    struct Event {
        connection: Connection,
        organization: Option<()>,
        request: std::collections::HashMap<char, u8>,
    }
    let program = asking("", "connection.strategy == \"googleOauth2\" and organization.id is not present");
    let connection = Connection { strategy: Strategy::GoogleOauth2, secret: Untouched };
    let event = Event { connection, organization: None, request: [('a', 1)].into() };
    let mut facts = Facts::new(&program.interface.layout);
    facts.read_from(&event).unwrap();
    assert!(decided(&program, &mut facts));
}

#[test]
fn any_serde_format_is_read() {
    let program = asking("", "user.isAdmin");
    let event = json!({"user": {"app_metadata": {"isAdmin": true}}});
    let mut facts = Facts::new(&program.interface.layout);
    facts.read(event).expect("a value is a deserializer too");
    assert!(decided(&program, &mut facts));
}

/// Any JSON at all, with the keys that the policy reads among its keys.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        prop::sample::select(vec!["otp", "mfa", "10.0.0.1", "2026-01-31T12:00:00Z", "a@b.com", "x,y", ""])
            .prop_map(Json::from),
    ];
    let keys = vec![
        "user",
        "app_metadata",
        "isAdmin",
        "enrolledFactors",
        "type",
        "authentication",
        "methods",
        "name",
        "timestamp",
        "organization",
        "created_at",
        "email",
        "request",
        "ip",
        "x",
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::vec((prop::sample::select(keys.clone()), inner), 0..8).prop_map(|entries| {
                entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_event_is_read_or_refused_alike_by_both_ways(event in any_json(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let program = asking(
            "",
            "user.isAdmin and performed(otp) within 5s and enrolled(otp) and organization.name is present \
             and user.created_at < 2026-01-01T00:00:00Z and request.ip in [10.0.0.0/8]",
        );
        let _ = holds(&program, &event);
        let _ = Facts::new(&program.interface.layout).read_json(&bytes);
    }
}
