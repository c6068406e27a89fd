//! The printer over random trees: what it prints says the same, in one form, and every comment stays.

mod trees;

use proptest::prelude::*;
use stepup::syntax::parse::parse;
use stepup::syntax::print::print;
use stepup::syntax::tree::File;

use trees::{Grower, only_file};

/// A tree as text, without its spans.
fn shape(file: &File) -> String {
    let text = format!("{file:#?}");
    let mut lines = Vec::new();
    let mut in_span = false;
    for line in text.lines() {
        match line.trim() {
            "span: Span {" => in_span = true,
            "}," if in_span => in_span = false,
            _ if in_span => {}
            _ => lines.push(line),
        }
    }
    lines.join("\n")
}

/// The first lines at which two shapes differ, with what stands before and after; nothing when they are equal.
fn difference(found: &File, wanted: &File) -> String {
    let (found, wanted) = (shape(found), shape(wanted));
    let (found, wanted): (Vec<&str>, Vec<&str>) = (found.lines().collect(), wanted.lines().collect());
    let same = found.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    if same == found.len() && same == wanted.len() {
        return String::new();
    }
    let around = |lines: &[&str]| {
        let lines = &lines[same.saturating_sub(12)..lines.len().min(same + 6)];
        lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
    };
    format!("found\n{}\nwanted\n{}", around(&found), around(&wanted))
}

/// Parses a text without faults.
fn parsed(text: &str) -> File {
    let (file, reports) = parse(only_file(), text);
    assert!(reports.is_empty(), "{reports:#?}\nin\n{text}");
    file
}

/// Where a comment can be put: before a word, outside strings, doc lines and JSON.
fn gaps(text: &str) -> Vec<usize> {
    let mut gaps = vec![0];
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let is_open = !line.trim_start().starts_with("//") && !line.contains("= {");
        let mut in_string = false;
        let mut escaped = false;
        for (index, c) in line.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if in_string => escaped = true,
                '"' => in_string = !in_string,
                ' ' | '\n' if is_open && !in_string => gaps.push(offset + index + 1),
                _ => {}
            }
        }
        offset += line.len();
    }
    gaps
}

/// `text` with the comment `// N` at the N-th of `places`.
fn commented(text: &str, places: &[prop::sample::Index]) -> (String, Vec<String>) {
    let gaps = gaps(text);
    let mut chosen: Vec<usize> = places.iter().map(|place| gaps[place.index(gaps.len())]).collect();
    chosen.sort_unstable();
    let mut out = String::new();
    let mut done = 0;
    let mut comments = Vec::new();
    for (number, place) in chosen.into_iter().enumerate() {
        comments.push(format!("// comment {number};"));
        out.push_str(&text[done..place]);
        out.push_str(&format!("// comment {number};\n"));
        done = place;
    }
    out.push_str(&text[done..]);
    (out, comments)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_parses_to_the_same_tree(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let tree = Grower::new(&bytes).file();
        let text = print("", &tree);
        let difference = difference(&parsed(&text), &tree);
        prop_assert!(difference.is_empty(), "{}\nin\n{}", difference, text);
    }

    #[test]
    fn printing_twice_changes_nothing(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let text = print("", &Grower::new(&bytes).file());
        prop_assert_eq!(print(&text, &parsed(&text)), text);
    }

    #[test]
    fn comments_anywhere_are_kept_and_settle(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        places in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let tree = Grower::new(&bytes).file();
        let (source, comments) = commented(&print("", &tree), &places);
        let printed = print(&source, &parsed(&source));
        for comment in comments {
            prop_assert_eq!(printed.matches(&comment).count(), 1, "{}\n{}\n{}", comment, source, printed);
        }
        let again = parsed(&printed);
        let difference = difference(&again, &tree);
        prop_assert!(difference.is_empty(), "{}\nin\n{}\nfrom\n{}", difference, printed, source);
        prop_assert_eq!(print(&printed, &again), printed, "{}", source);
    }
}
