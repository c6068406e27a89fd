//! The reader of JSON text held to serde_json: of any text it says what serde_json says of that text with nothing in
//! place of what the policy doesn't read. How far that reaches is found here by a plain loop over the bytes, which
//! follows the rule in `docs/language.md`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]

use std::fmt::Write;

use serde::de::IgnoredAny;
use stepup::lower::paths::{PathId, PathTree};
use stepup::runtime::{ReadError, ReadErrorKind};
use stepup::{Compiler, Facts, Policy, jiff::Timestamp};

const EVERY_TYPE: &str = include_str!("../fuzz/policies/every_type.stepup");
const REAL_EVENT: &str = include_str!("../examples/events/admin-otp.json");

/// What is left of a text without what is not read.
struct Cut<'t> {
    bytes: &'t [u8],
    at: usize,
    paths: &'t PathTree,
    kept: Vec<u8>,
}

impl<'t> Cut<'t> {
    /// The text that is left, unless the text is refused whoever reads it.
    fn of(text: &'t [u8], paths: &'t PathTree) -> Option<Vec<u8>> {
        std::str::from_utf8(text).ok()?;
        let mut cut = Cut { bytes: text, at: 0, paths, kept: Vec::new() };
        cut.value(Some(PathTree::ROOT))?;
        cut.white_space();
        (cut.at == text.len()).then_some(cut.kept)
    }

    fn white_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Option<u8> {
        self.white_space();
        self.bytes.get(self.at).copied()
    }

    fn value(&mut self, at: Option<PathId>) -> Option<()> {
        let begin = self.kept.len();
        let node = at.map(|at| self.paths.node(at));
        let next = self.next()?;
        match (next, node) {
            (b'{', Some(node)) if node.has_keys() => self.parts(b'}', |cut| {
                let key = cut.key()?;
                let part = std::str::from_utf8(&key).ok().and_then(|key| node.key(key));
                cut.keep(b':')?;
                cut.value(part)
            })?,
            (b'[', Some(node)) if node.element().is_some() => {
                self.parts(b']', |cut| cut.value(node.element()))?;
            }
            (b'{' | b'[', _) => {
                self.container()?;
                self.kept.extend(if next == b'{' { b"{}" } else { b"[]" });
            }
            (b'"', _) => {
                let begin = self.at;
                self.string()?;
                self.kept.extend(&self.bytes[begin..self.at]);
            }
            _ => {
                let begin = self.at;
                while self
                    .bytes
                    .get(self.at)
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
                {
                    self.at += 1;
                }
                self.kept.extend(&self.bytes[begin..self.at]);
            }
        }
        if self.kept.len() == begin {
            return None;
        }
        if at.is_none() {
            self.kept.truncate(begin);
            self.kept.push(b'0');
        }
        Some(())
    }

    fn parts(&mut self, end: u8, part: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.keep(end - 2)?;
        if self.next() == Some(end) {
            return self.keep(end);
        }
        loop {
            part(self)?;
            if self.next() == Some(end) {
                return self.keep(end);
            }
            self.keep(b',')?;
        }
    }

    fn keep(&mut self, byte: u8) -> Option<()> {
        let is_next = self.next() == Some(byte);
        self.at += 1;
        self.kept.push(byte);
        is_next.then_some(())
    }

    /// A key. (One that is not read may hold any bytes, but no wrong escapes.)
    fn key(&mut self) -> Option<Vec<u8>> {
        let begin = self.kept.len();
        if self.next() != Some(b'"') {
            return None;
        }
        let raw = self.at;
        self.string()?;
        let raw = &self.bytes[raw..self.at];
        self.kept.extend(raw);
        if raw.contains(&b'\\') {
            return serde_json::from_slice(raw).ok().map(String::into_bytes);
        }
        let key = raw[1..raw.len() - 1].to_vec();
        // No path of these policies has a key with control characters.
        if key.iter().any(u8::is_ascii_control) {
            self.kept.truncate(begin);
            self.kept.extend(b"\"_\"");
        }
        Some(key)
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.bytes.get(self.at)? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    /// As many brackets close as open, outside of strings. A backslash takes the next byte with it, wherever it stands.
    fn container(&mut self) -> Option<()> {
        let (mut depth, mut in_string, mut is_escaped) = (0, false, false);
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            let was_escaped = std::mem::take(&mut is_escaped);
            match byte {
                b'\\' => is_escaped = !was_escaped,
                b'"' if !was_escaped => in_string = !in_string,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}

fn policy(text: &str) -> Policy {
    Compiler::new().compile([("test.stepup", text)]).unwrap().policy
}

/// What is read: the words of the record.
fn words(facts: &mut Facts, policy: &Policy) -> Vec<u64> {
    facts.set_now(Timestamp::UNIX_EPOCH);
    facts.words_for(&policy.interface().layout).expect("a read fills all").to_vec()
}

fn by_serde(text: &[u8], policy: &Policy) -> Result<Vec<u64>, ReadError> {
    let mut facts = policy.facts();
    facts.read(&mut serde_json::Deserializer::from_slice(text)).map(|()| words(&mut facts, policy))
}

/// Holds the reader to serde_json on one text, and says whether the text was read.
fn hold(text: &[u8], policy: &Policy, facts: &mut Facts) -> bool {
    let ours = facts.read_json(text).map(|()| words(facts, policy));
    let shown = || String::from_utf8_lossy(text);
    let cut = Cut::of(text, &policy.interface().layout.paths);
    let Some(cut) = cut.filter(|cut| serde_json::from_slice::<IgnoredAny>(cut).is_ok()) else {
        assert!(ours.is_err(), "{}", shown());
        return false;
    };
    let expected = by_serde(&cut, policy);
    match (&ours, &expected) {
        (Err(ours), Err(expected)) if expected.kind == ReadErrorKind::Malformed => {
            assert_eq!(ours.kind, expected.kind, "{ours}: {}", shown());
        }
        _ => assert_eq!(ours, expected, "{}", shown()),
    }
    if serde_json::from_slice::<IgnoredAny>(text).is_ok() {
        assert_eq!(
            by_serde(text, policy).map_err(|error| error.kind),
            ours.clone().map_err(|error| error.kind)
        );
    }
    ours.is_ok()
}

/// Numbers that are the same in every run (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end
    }

    fn one_in(&mut self, end: usize) -> bool {
        self.below(end) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// An event that fits the policy, written as oddly as JSON allows.
fn event(random: &mut Random) -> String {
    let mut text = String::new();
    fitting(random, &EVENT, &mut text);
    text
}

/// What an event may hold; text stands for itself.
enum Shape {
    Object(&'static [(&'static str, Shape)]),
    List(&'static Shape),
    Text(&'static [&'static str]),
    Raw(&'static [&'static str]),
    Anything,
}

const INSTANT: Shape =
    Shape::Text(&["2026-01-31T12:00:00Z", "1969-12-31T23:59:57.5Z", "2025-06-01T00:00:00+02:00"]);
const EVENT: Shape = Shape::Object(&[
    (
        "user",
        Shape::Object(&[
            ("user_id", Shape::Text(&["auth0|1", "é\u{1F600}", "a\\\"b"])),
            ("email", Shape::Text(&["ada@example.com", "x"])),
            ("created_at", INSTANT),
            ("updated_at", INSTANT),
            (
                "app_metadata",
                Shape::Object(&[
                    ("isAdmin", Shape::Raw(&["true", "false", "null"])),
                    ("level", Shape::Text(&["low", "middle", "high"])),
                    ("grace", Shape::Raw(&["5", "0", "1e2", "12.0", "null", "-3"])),
                    ("preferred", Shape::Text(&["otp", "phone", "pigeon"])),
                    ("other", Shape::Anything),
                ]),
            ),
            (
                "enrolledFactors",
                Shape::List(&Shape::Object(&[
                    ("type", Shape::Text(&["otp", "phone", "owl"])),
                    ("options", Shape::Anything),
                ])),
            ),
        ]),
    ),
    (
        "authentication",
        Shape::Object(&[
            (
                "methods",
                Shape::List(&Shape::Object(&[
                    ("name", Shape::Text(&["pwd", "mfa"])),
                    ("type", Shape::Text(&["otp", "email"])),
                    ("timestamp", INSTANT),
                ])),
            ),
            (
                "riskAssessment",
                Shape::Object(&[(
                    "assessments",
                    Shape::Object(&[(
                        "NewDevice",
                        Shape::Object(&[("code", Shape::Text(&["match", "no_match", "new"]))]),
                    )]),
                )]),
            ),
        ]),
    ),
    ("authorization", Shape::Object(&[("roles", Shape::List(&Shape::Text(&["admin", "owner", "guest"])))])),
    (
        "organization",
        Shape::Object(&[("metadata", Shape::Object(&[("factors", Shape::Text(&["otp, email", ""]))]))]),
    ),
    ("request", Shape::Object(&[("ip", Shape::Text(&["10.0.0.1", "2001:db8::1", "203.0.113.7"]))])),
    (
        "stats",
        Shape::Object(&[("logins_count", Shape::Raw(&["0", "7", "9007199254740991", "4.0e0", "1E1"]))]),
    ),
    ("other", Shape::Anything),
    ("more", Shape::Anything),
]);

fn white_space(random: &mut Random, text: &mut String) {
    while random.one_in(6) {
        text.push(random.pick(&[' ', '\n', '\t', '\r']));
    }
}

fn string(random: &mut Random, of: &str, text: &mut String) {
    text.push('"');
    for c in of.chars() {
        match c {
            '"' | '\\' => write!(text, "\\{c}").unwrap(),
            c if random.one_in(40) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(text, "\\u{unit:04x}").unwrap();
                }
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

fn fitting(random: &mut Random, shape: &Shape, text: &mut String) {
    white_space(random, text);
    match shape {
        Shape::Object(keys) => {
            let first = random.below(keys.len());
            let mut comma = "{";
            for (key, shape) in keys[first..].iter().chain(&keys[..first]) {
                if random.one_in(12) {
                    continue;
                }
                text.push_str(std::mem::replace(&mut comma, ","));
                white_space(random, text);
                string(random, key, text);
                white_space(random, text);
                text.push(':');
                fitting(random, shape, text);
            }
            text.push_str(if comma == "{" { "{}" } else { "}" });
        }
        Shape::List(element) => {
            let mut comma = "[";
            while !random.one_in(3) {
                text.push_str(std::mem::replace(&mut comma, ","));
                fitting(random, element, text);
            }
            text.push_str(if comma == "[" { "[]" } else { "]" });
        }
        Shape::Text(texts) => {
            let of = random.pick(texts);
            string(random, of, text);
        }
        Shape::Raw(words) => text.push_str(random.pick(words)),
        Shape::Anything => anything(random, 4, text),
    }
    white_space(random, text);
}

/// Any JSON; long enough at times that it fills blocks and windows of the reader.
fn anything(random: &mut Random, depth: usize, text: &mut String) {
    match random.below(if depth == 0 { 3 } else { 5 }) {
        0 => text.push_str(random.pick(&[
            "null",
            "true",
            "-0.5e-7",
            "12345678901234567890123",
            "\"\"",
            "{}",
            "[ ]",
        ])),
        1 => {
            let odd = random.pick(&["]}]}", "{[", "\\\\\\\"", "\"", "é", "a", "\\", ","]);
            let times = if random.one_in(20) { random.below(2000) } else { random.below(40) };
            string(random, &odd.repeat(times), text);
        }
        2 => string(random, "user", text),
        3 => {
            text.push('[');
            for place in 0..random.below(5) {
                text.push_str(if place == 0 { "" } else { "," });
                anything(random, depth - 1, text);
            }
            text.push(']');
        }
        _ => {
            text.push('{');
            for place in 0..random.below(5) {
                text.push_str(if place == 0 { "" } else { "," });
                let key = random.pick(&["user", "type", "a\"b", "\\"]);
                string(random, key, text);
                text.push(':');
                anything(random, depth - 1, text);
            }
            text.push('}');
        }
    }
}

/// Changes a few bytes.
fn mutate(random: &mut Random, text: &mut Vec<u8>) {
    let signs = b"\"\\{}[]:,0e-.tnx \n\x01\xff\xc3\x28u";
    for _ in 0..1 + random.below(3) {
        let at = random.below(text.len());
        match random.below(4) {
            0 => text[at] = random.pick(signs),
            1 => text.insert(at, random.pick(signs)),
            2 => drop(text.remove(at)),
            _ => {
                let other = random.below(text.len());
                text.swap(at, other);
            }
        }
        if text.is_empty() {
            text.push(b' ');
        }
    }
}

fn cases() -> u64 {
    std::env::var("STEPUP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(3_000)
}

#[test]
fn events_are_read_as_serde_json_reads_them() {
    let policy = policy(EVERY_TYPE);
    let mut facts = policy.facts();
    let mut read = 0;
    for seed in 1..=cases() {
        let text = event(&mut Random(seed));
        serde_json::from_str::<IgnoredAny>(&text).expect("the text is JSON");
        read += u64::from(hold(text.as_bytes(), &policy, &mut facts));
    }
    assert!(read > cases() / 20, "{read} events fit the policy");
}

#[test]
fn altered_events_are_refused_where_serde_json_refuses_what_is_read_of_them() {
    let policies = [policy(EVERY_TYPE), policy("if user.isAdmin then challenge otp")];
    let mut facts = policies.each_ref().map(Policy::facts);
    let mut read = [0, 0];
    for seed in 1..=cases() {
        let random = &mut Random(seed);
        let mut text = if random.one_in(4) { REAL_EVENT.to_owned() } else { event(random) }.into_bytes();
        mutate(random, &mut text);
        for (place, policy) in policies.iter().enumerate() {
            read[place] += u64::from(hold(&text, policy, &mut facts[place]));
        }
    }
    assert!(read[0] > 0 && read[1] > cases() / 10, "{read:?} events were read all the same");
}

#[test]
fn a_text_cut_short_anywhere_is_refused() {
    let policy = policy(EVERY_TYPE);
    let mut facts = policy.facts();
    let text = REAL_EVENT.trim_end();
    hold(text.as_bytes(), &policy, &mut facts);
    for end in 0..text.len() {
        let error = facts.read_json(&text.as_bytes()[..end]).unwrap_err();
        assert_eq!(error.kind, ReadErrorKind::Malformed, "{error}");
    }
}

#[test]
fn malformed_text_is_located() {
    let policy = policy("if user.isAdmin then challenge otp");
    let mut facts = policy.facts();
    for (text, expected) in [
        ("", "the event can't be read: the text ends within the event at line 1 column 1"),
        ("{\n  \"user\" {}}", "the event can't be read: expected `:` at line 2 column 10"),
        ("{\"user\":{}", "the event can't be read: the text ends within the event at line 1 column 11"),
        (
            "{\"user\":{\"x\":[1,2}",
            "the event can't be read: the text ends within the event at line 1 column 19",
        ),
        (
            "{\"user\":{\"x\":\"a",
            "the event can't be read: the text ends within a string at line 1 column 16",
        ),
        ("{\"user\":{},}", "the event can't be read: expected a key at line 1 column 12"),
        ("{}\n{}", "the event can't be read: trailing characters at line 2 column 1"),
        (
            "{\"user\":{\"app_metadata\":{\"isAdmin\":tru}}}",
            "the event can't be read: expected a value at line 1 column 36",
        ),
        ("{\"us\\x\":1}", "the event can't be read: invalid escape at line 1 column 5"),
    ] {
        assert_eq!(facts.read_json(text.as_bytes()).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn escapes_are_resolved_in_keys_and_texts() {
    let policy = policy("fact x: string = event.x\nif x == \"é😀\\\"\\\\\" then challenge otp");
    let mut facts = policy.facts();
    let mut holds = |text: &str| {
        facts
            .read_json(text.as_bytes())
            .map(|()| policy.steps().next().unwrap().decide_word(&facts).unwrap().len())
    };
    assert_eq!(holds(r#"{"x":"é😀\"\\"}"#), Ok(1));
    assert_eq!(holds(r#"{"\u0078":"\u00e9\ud83d\uDE00\u0022\u005c"}"#), Ok(1));
    for wrong in
        [r"\ud83d", r"\ud83dx", r"\ud83d\u0041", r"\ude00", r"\u12", r"\u+123", r"\uz000", r"\a", "\u{1}"]
    {
        let error = holds(&format!("{{\"x\":\"{wrong}\"}}")).unwrap_err();
        assert_eq!(error.kind, ReadErrorKind::Malformed, "{wrong}");
    }
}

#[test]
fn nesting_is_bounded_where_it_is_read_alone() {
    let path = "a.".repeat(200);
    let policy = policy(&format!("fact x: int = event.{path}x\nif x == 1 then challenge otp"));
    let mut facts = policy.facts();
    for depth in [126, 127, 128, 200] {
        let text = format!("{}0{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        hold(text.as_bytes(), &policy, &mut facts);
    }
}
