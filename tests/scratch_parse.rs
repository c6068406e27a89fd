//! What the parser understands, and what it says when it doesn't.

use stepup::syntax::parse::parse;
use stepup::source::Span;
use stepup::source::Sources;

#[test]
fn scratch() {
    let text = std::env::var("STEPUP").map(|p| std::fs::read_to_string(p).unwrap()).unwrap_or_default();
    let file = Sources::new().add("t", text.as_str());
    let (tree, reports) = parse(file, &text);
    if std::env::var("TREE").is_ok() {
        eprintln!("{tree:#?}");
    }
    eprintln!("{} entries", tree.entries.len());
    for r in reports {
        let line = |s: Span| format!("{}:{:?}", text[..s.range().start].lines().count(), &text[s.range()]);
        eprintln!("{} {} @ {} // {}", r.code, r.message, line(r.primary.span), r.primary.text);
        for l in r.secondary {
            eprintln!("     - {} {}", line(l.span), l.text);
        }
        for l in r.notes {
            eprintln!("     = {l}");
        }
        for h in r.helps {
            eprintln!(
                "     ? {} {:?}",
                h.message,
                h.edits.iter().map(|e| (line(e.span), &e.replacement)).collect::<Vec<_>>()
            );
        }
    }
}
