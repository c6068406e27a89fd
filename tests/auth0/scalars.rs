//! Texts and numbers at the edges of what a type takes: an Action and the library take and refuse the same.

use serde_json::{Value as Json, json};
use stepup::Compiler;

use super::common::choices::Choices;
use super::common::events::NOON;
use super::flow::{Emission, emit};
use super::reference::Reference;

/// A policy that tells values of a type apart, on each of them.
fn alike(ty: &str, questions: &[&str], values: &[Json]) {
    let mut text = format!("fact x: {ty} = event.user.app_metadata.x\n");
    for question in questions {
        text += &format!("if {question} then challenge otp\nelse challenge phone\n");
    }
    let compiled = Compiler::new().compile([("x.stepup", &text)]).unwrap_or_else(|report| panic!("{report}"));
    let emitted = emit(&compiled).unwrap_or_else(|report| panic!("{report}"));
    let emission = Emission::new(&text, &emitted, Reference::of(&compiled));
    for value in values {
        let event = json!({"user": {"app_metadata": {"x": value}}});
        emission.play(&event, NOON, &mut Choices(&[]));
    }
    emission.play(&json!({"user": {"app_metadata": {}}}), NOON, &mut Choices(&[]));
}

fn texts(texts: &[&str]) -> Vec<Json> {
    texts.iter().map(|text| json!(text)).collect()
}

#[test]
fn instants_are_read_alike() {
    let questions = ["x < 2026-01-31T12:00:00Z", "hour(x) >= 12", "weekday(x) == saturday", "x within 5s"];
    alike(
        "time",
        &questions,
        &texts(&[
            "2026-01-31T12:00:00Z",
            "2026-01-31T11:59:59.999Z",
            "2026-01-31T11:59:59.9999999Z",
            "2026-01-31T11:59:55.0001Z",
            "2026-01-31T11:59:54.9999Z",
            "2026-01-31t12:00:00z",
            "2026-01-31T12:00:00+01:00",
            "2026-01-31T12:00:00-01:00",
            "2026-01-31T12:00:00-00:00",
            "2026-01-31T12:00:00+23:59",
            "2026-01-31T12:00:00+24:00",
            "2026-01-31T12:00:00+25:59",
            "2026-01-31T12:00:00+26:00",
            "2026-01-31T12:00:00+01:60",
            "2026-01-31T23:59:60Z",
            "2026-01-31T11:59:60Z",
            "2026-01-31T23:59:61Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z",
            "2026-02-29T12:00:00Z",
            "2024-02-29T12:00:00Z",
            "2026-04-31T12:00:00Z",
            "2026-00-10T12:00:00Z",
            "2026-01-00T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "0099-12-31T23:59:59Z",
            "1900-02-29T00:00:00Z",
            "2000-02-29T00:00:00Z",
            "9999-12-30T22:00:00Z",
            "9999-12-31T23:59:59.999Z",
            "9999-12-31T23:59:59-23:00",
            "0000-01-01T00:00:00+23:00",
            "-000001-01-01T00:00:00Z",
            "+002026-01-31T12:00:00Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00,5Z",
            "2026-01-31T12:00:00.123456789Z",
            "2026-01-31T12:00:00.1234567890Z",
            "1969-12-31T23:59:59.9999Z",
            "1969-12-31T23:59:59.9990Z",
            "1969-12-31T23:59:59.0001Z",
            "1970-01-01T00:00:00.0001Z",
            "2026-01-31 12:00:00Z",
            "2026-01-31_12:00:00Z",
            "2026-01-31T12:00Z",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00+0100",
            "2026-01-31T12:00:00+01",
            "2026-01-31T12:00:00+01:00[Europe/Berlin]",
            "2026-01-31T12:00:00Z[UTC]",
            "20260131T120000Z",
            "2026-031T12:00:00Z",
            "2026-W05-6T12:00:00Z",
            " 2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00Z ",
            "2026-01-31T12:00:00Z\n",
            "２０２６-01-31T12:00:00Z",
            "Sat, 31 Jan 2026 12:00:00 GMT",
            "1769860800000",
            "",
        ]),
    );
    alike(
        "time",
        &questions,
        &[json!(1_769_860_800_000_i64), json!({}), json!([]), json!(true), json!(null)],
    );
}

#[test]
fn addresses_are_read_alike() {
    let questions = ["x in [10.0.0.0/8]", "x == ::1", "x in [2001:db8::/32, ::/96]", "x in [0.0.0.0/0]"];
    alike(
        "ip",
        &questions,
        &texts(&[
            "10.1.2.3",
            "010.1.2.3",
            "10.1.2",
            "10.1.2.3.4",
            "10.1.2.256",
            "10.1.2.-3",
            "10.1.2.+3",
            "0x0a.1.2.3",
            "10.1.2.3/8",
            "10.1.2.3 ",
            " 10.1.2.3",
            "10.1.2.",
            "10..2.3",
            "167838211",
            "::",
            "::1",
            "0:0:0:0:0:0:0:1",
            "::0001",
            "::00001",
            "1::",
            "1::2::3",
            ":::",
            ":1",
            "1:",
            "::1:",
            ":1::",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1:2:3:4::5:6:7:8",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "2001:db8::5",
            "2001:DB8::5",
            "2001:db8::g",
            "::10.1.2.3",
            "::ffff:10.1.2.3",
            "::FFFF:10.1.2.3",
            "::ffff:0a01:0203",
            "0:0:0:0:0:ffff:10.1.2.3",
            "1:2:3:4:5:6:10.1.2.3",
            "1:2:3:4:5:6:7:10.1.2.3",
            "::ffff:10.1.2.03",
            "::ffff:10.1.2.256",
            "::ffff:10.1.2",
            "10.1.2.3::",
            "1:10.1.2.3::",
            "10.1.2.3:80",
            "::ffff:10.1.2.3.4",
            "[::1]",
            "::1%eth0",
            "fe80::1",
            "",
            "localhost",
        ]),
    );
}

#[test]
fn numbers_are_read_alike() {
    let values = [
        json!(0),
        json!(-0.0),
        json!(1.0),
        json!(2.5),
        json!(1e2),
        json!(9_007_199_254_740_991_i64),
        json!(-9_007_199_254_740_991_i64),
        json!(9_007_199_254_740_992_i64),
        json!(-9_007_199_254_740_992_i64),
        json!(9_007_199_254_740.0),
        json!(9_007_199_254_740_i64),
        json!(9_007_199_254_741_i64),
        json!(-9_007_199_254_741_i64),
        json!(u64::MAX),
        json!(1e300),
        json!(5e-324),
        json!("1"),
        json!(true),
        json!([1]),
        json!({}),
    ];
    alike("int", &["x == 0", "x > 1", "x in [100, -7]"], &values);
    alike("duration", &["x == 0s", "x > 1s", "x < 0s"], &values);
}

#[test]
fn enums_and_factors_are_read_alike() {
    let values = texts(&[
        "a",
        "b",
        "c",
        "other",
        "A",
        "",
        "a ",
        "__proto__",
        "constructor",
        "toString",
        "otp",
        "phone",
        "duo",
    ]);
    alike("enum(a, b)", &["x == a", "x == other", "x in [a, b]"], &values);
    alike("enum(a < b < c)", &["x < b", "x >= c"], &values);
    alike("factor", &["x == otp", "x in [phone, email]", "enrolled(x)", "performed(x)"], &values);
    alike("bool", &["x"], &[json!(true), json!(false), json!("true"), json!(1), json!(0), json!([])]);
}

#[test]
fn texts_are_read_and_compared_alike() {
    let questions = [
        "x == \"Straße\"",
        "lower(x) == \"straße\"",
        "x ends with \"e\"",
        "(domain(x) ?? \"none\") == \"a.com\"",
    ];
    alike(
        "string",
        &questions,
        &texts(&[
            "Straße",
            "STRAßE",
            "STRASSE",
            "strasse",
            "Strase\u{301}",
            "İ",
            "K",
            "x@a.com",
            "x@A.COM",
            "x@y@a.com",
            "@a.com",
            "a.com",
            "a.com@",
            "x@a.com ",
            "x@a.com\u{212a}",
            "",
            "e",
            "\u{0}e",
            "😀e",
        ]),
    );
    alike(
        "string",
        &["x == \"\"", "lower(x) starts with \"k\""],
        &[json!(5), json!(null), json!(["a"]), json!({}), json!("K"), json!("K")],
    );
}

#[test]
fn lists_are_read_alike() {
    let lists = [
        json!([]),
        json!(["a"]),
        json!(["a", "b", "a"]),
        json!(["A"]),
        json!(["otp", "phone"]),
        json!(["duo"]),
        json!(["otp", "duo", "otp"]),
        json!([null]),
        json!(["a", null]),
        json!([["a"]]),
        json!([5]),
        json!([{}]),
        json!("a"),
        json!("otp"),
        json!({"0": "a", "length": 1}),
        json!(5),
        json!(null),
    ];
    alike("list<string>", &["x is empty", "x contains \"a\"", "x contains all [\"a\", \"b\"]"], &lists);
    let sets = ["x is empty", "x contains otp", "count(x) > 1", "count(x union enrolled) == 1"];
    alike("set<factor>", &sets, &lists);
}

#[test]
fn texts_are_split_alike() {
    let compiled_of = |ty: &str, separator: &str, questions: &str| {
        format!("fact x: {ty} = event.user.app_metadata.x split {separator:?}\n{questions}")
    };
    let values = texts(&[
        "",
        ",",
        "a",
        "a,b",
        " a , b ",
        "a,,b",
        "\ta\n,\r\u{c}b",
        "\u{b}a",
        "\u{a0}a",
        "\u{2003}a,b\u{feff}",
        "otp,phone",
        "otp, duo ,otp",
        "a--b",
        "otp--phone",
        "a|b",
        "a b",
    ]);
    let list = "if x is empty then challenge otp else challenge phone\nif x contains \"a\" then challenge otp else challenge phone\nif x contains \"b\" then challenge otp";
    let set = "if x is empty then challenge otp else challenge phone\nif count(x) > 1 then challenge otp\nchallenge any of x";
    for (ty, questions) in [("list<string>", list), ("set<factor>", set)] {
        for separator in [",", "--", "|", " ", "a"] {
            let text = compiled_of(ty, separator, questions);
            let compiled =
                Compiler::new().compile([("x.stepup", &text)]).unwrap_or_else(|report| panic!("{report}"));
            let emitted = emit(&compiled).unwrap_or_else(|report| panic!("{report}"));
            let emission = Emission::new(&text, &emitted, Reference::of(&compiled));
            for value in values.iter().chain(&[json!(["a"]), json!(5), json!(null)]) {
                let event = json!({"user": {"app_metadata": {"x": value}}});
                emission.play(&event, NOON, &mut Choices(&[]));
            }
        }
    }
}
