//! Any bytes give a tree and reports whose spans lie in the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stepup::source::Sources;
use stepup::syntax::parse::{decode, parse};

fuzz_target!(|bytes: &[u8]| {
    let file = Sources::new().add("fuzz.stepup", "");
    let (text, _) = decode(file, bytes);
    let (_, reports) = parse(file, &text);
    for report in &reports {
        let edits = report.helps.iter().flat_map(|help| &help.edits).map(|edit| edit.span);
        for span in edits.chain(report.secondary.iter().map(|label| label.span)).chain([report.primary.span]) {
            assert!(text.get(span.range()).is_some(), "{span:?} in {}", report.message);
        }
    }
});
