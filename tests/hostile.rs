//! Texts that want to hurt: each gives a tree and reports within a second or so, on a thread with a small stack.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use stepup::diagnostic::{Code, Diagnostic};
use stepup::source::{MAX_SOURCE_BYTES, Sources};
use stepup::syntax::parse::{MAX_NESTING, decode, parse};
use stepup::syntax::tree::File;

/// Half of what Rust gives a thread.
const STACK: usize = 1024 * 1024;

/// A debug build on a busy machine is a few times slower than what a server runs.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 1 });

/// Parses and drops on a small stack.
fn parse_small(text: String) -> (usize, Vec<Diagnostic>) {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let mut sources = Sources::new();
        let file = sources.add("hostile.stepup", text);
        let start = Instant::now();
        let (tree, reports) = parse(file, sources.file(file).text());
        let taken = start.elapsed();
        assert!(taken < PATIENCE, "took {taken:?}");
        assert_reports_are_sound(sources.file(file).text(), &reports);
        (count(tree), reports)
    });
    thread.expect("a thread starts").join().expect("parsing does not panic")
}

fn count(tree: File) -> usize {
    tree.entries.len()
}

/// Every label and edit lies on character boundaries inside the text.
fn assert_reports_are_sound(text: &str, reports: &[Diagnostic]) {
    for report in reports {
        let edits = report.helps.iter().flat_map(|help| &help.edits).map(|edit| edit.span);
        let labels = report.secondary.iter().map(|label| label.span);
        for span in edits.chain(labels).chain([report.primary.span]) {
            assert!(text.get(span.range()).is_some(), "{span:?} in {}", report.message);
        }
    }
}

fn codes(reports: &[Diagnostic]) -> Vec<Code> {
    reports.iter().map(|report| report.code).collect()
}

fn assert_understood(text: String) {
    let (entries, reports) = parse_small(text);
    assert_eq!(reports, []);
    assert!(entries > 0);
}

fn assert_too_deep(text: String) {
    let (_, reports) = parse_small(text);
    assert_eq!(codes(&reports), [Code::E0108]);
}

#[test]
fn nesting_up_to_the_bound_is_understood_on_a_small_stack() {
    let depth = MAX_NESTING - 2;
    let nested = |open: &str, middle: &str, close: &str| {
        format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
    };
    assert_understood(format!("let x = {}", nested("(", "a", ")")));
    assert_understood(format!("let x = {}", nested("[", "a", "]")));
    assert_understood(format!("let x = {}", nested("f(", "a", ")")));
    assert_understood(format!("let x = {}a", "not ".repeat(depth)));
    assert_understood(format!("let x = {}a", "a implies ".repeat(depth)));
    assert_understood(nested("if a { ", "stop", " }"));
    assert_understood(nested("if a { } else { ", "stop", " }"));
    assert_understood(format!("{}stop", "if a then ".repeat(depth)));
    assert_understood(nested("match a { b => ", "stop", " }"));
}

#[test]
fn nesting_past_the_bound_is_one_report() {
    for depth in [MAX_NESTING + 1, 10_000, 100_000] {
        assert_too_deep(format!("if {}a{} then stop", "(".repeat(depth), ")".repeat(depth)));
        assert_too_deep(format!("let x = {}a", "not ".repeat(depth)));
        assert_too_deep(format!("let x = {}a", "a == not ".repeat(depth)));
        assert_too_deep(format!("let x = {}a", "a implies ".repeat(depth)));
        assert_too_deep(format!("{}stop", "if a then ".repeat(depth)));
        assert_too_deep("[".repeat(depth));
        assert_too_deep("if a { ".repeat(depth));
        assert_too_deep("match a { b => ".repeat(depth));
        assert_too_deep("let x = f(".repeat(depth));
    }
}

#[test]
fn long_flat_texts_are_understood() {
    let many = 10_000;
    assert_understood(format!("if a then stop{}", " else if a then stop".repeat(many)));
    assert_understood(format!("if a {{ stop }}{}", " else if a { stop }".repeat(many)));
    assert_understood(format!("let x = a{}", " and a".repeat(many)));
    assert_understood(format!("let x = a{}", " or not a".repeat(many)));
    assert_understood(format!("let x = a{}", " intersect a".repeat(many)));
    assert_understood(format!("let x = a{}", " ?? a".repeat(many)));
    assert_understood(format!("let x = [{}]", "a, ".repeat(many)));
    assert_understood(format!("enroll otp{}", " or otp".repeat(many)));
    assert_understood("if a then if b then stop else if c then stop\n".repeat(many));
    assert_understood(format!("match a {{ {} }}", "b => stop ".repeat(many)));
}

#[test]
fn megabytes_of_nonsense_end_in_reports() {
    let size = if cfg!(debug_assertions) { MAX_SOURCE_BYTES / 32 } else { MAX_SOURCE_BYTES };
    let pieces = [
        "a",
        " ",
        "\n",
        "a ",
        "a\n",
        "enroll\n",
        "if ",
        "if a\n",
        "then ",
        "\"",
        "'",
        "\"\n",
        "#",
        "/*",
        "//",
        "}",
        "}\n",
        ")",
        "; ",
        "! ",
        "1",
        "1 ",
        "::",
        "\\",
        "é",
        "\u{1F600}\n",
        "/// a\n",
        "step a }\n",
        "if a { }\n } ",
        "\"a\" ",
        "x = {",
        "fact a: b = event.c\n?",
        "-",
        "a-",
        "a.",
        "a-.",
        "let x = a\n",
        "let x = a b\n",
        "\n\n///\n",
        "stop # a\n",
        "let x = a /* a */",
        "let x = [1,\n",
        "if a == (\nfact x: int\n",
    ];
    for piece in pieces {
        parse_small(piece.repeat(size / piece.len()));
    }
}

#[test]
fn ten_thousand_unclosed_brackets_are_a_report() {
    for bracket in ["[", "(", "{", "x in [", "if (", "match x { ", "test \"t\" { "] {
        let (_, reports) = parse_small(bracket.repeat(10_000));
        assert!(!reports.is_empty(), "{bracket}");
    }
}

#[test]
fn a_source_past_the_bound_is_a_report() {
    assert_eq!(codes(&parse_small(" ".repeat(MAX_SOURCE_BYTES + 1)).1), [Code::E0108]);
    assert_eq!(codes(&parse_small(" ".repeat(MAX_SOURCE_BYTES)).1), []);
}

#[test]
fn bytes_that_are_no_text_are_a_report_at_the_first_of_them() {
    let file = Sources::new().add("bytes", "");
    let (text, report) = decode(file, b"let x = \"a\xFFb\"\nlet y = 1");
    let report = report.expect("a report");
    assert_eq!(&text[report.primary.span.range()], "\u{FFFD}");
    let (text, report) = decode(file, b"stop \xE2\x82");
    assert_eq!(&text[report.expect("a report").primary.span.range()], "\u{FFFD}");
    assert_eq!(decode(file, "stop // é".as_bytes()), ("stop // é".to_owned(), None));
}

/// Pieces of the language and of others, to be thrown together.
const SOUP: &[&str] = &[
    "if",
    "then",
    "else",
    "else if",
    "match",
    "let",
    "x",
    "=",
    "==",
    "=>",
    "enroll",
    "challenge",
    "any of",
    "otp",
    "or",
    "and",
    "not",
    "in",
    "is",
    "present",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    "\"a\"",
    "\"",
    "'",
    "5s",
    "1",
    "10.0.0.0/8",
    "::1",
    "within",
    "implies",
    "step a {",
    "rule r {",
    "fact f: bool = event.a",
    "test \"t\" {",
    "given",
    "expect",
    "??",
    "?",
    "intersect",
    "stop",
    "deny",
    "apply",
    "\n",
    "// c\n",
    "/// d\n",
    "&&",
    "!",
    ";",
    "#",
    "/*",
    "*/",
    "é",
    "initially",
    "always",
    "guarantee \"g\":",
    "use",
    "define d(",
    "factor p {",
    "options {",
    "{\"a\":1}",
    "null",
    "True",
    "elif",
    "performed",
    "\\u",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn soup_of_tokens_never_panics(
        tokens in prop::collection::vec((prop::sample::select(SOUP), prop::sample::select(&[" ", "", "\n"][..])), 0..120)
    ) {
        parse_small(tokens.iter().flat_map(|(token, gap)| [*token, *gap]).collect());
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,200}") {
        parse_small(text);
    }
}
