//! Carrying out a repair.

use thiserror::Error;

use crate::diagnostic::Edit;
use crate::source::Span;

/// Why edits can't be made.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum EditError {
    /// An edit reaches past the text or cuts a character.
    #[error("an edit of bytes {} to {} does not fit the text", .span.start, .span.end)]
    Outside {
        /// The edit's place.
        span: Span,
    },
    /// Two edits change the same text.
    #[error("the edits of bytes {} to {} and {} to {} overlap", .first.start, .first.end, .second.start, .second.end)]
    Overlapping {
        /// The one that begins first.
        first: Span,
        /// The other.
        second: Span,
    },
}

/// The text with all edits made. The edits are of one file, that of `text`, in any order; insertions at one place
/// keep their order.
pub fn apply_edits(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    for pair in sorted.windows(2) {
        if let [a, b] = pair
            && b.span.start < a.span.end
        {
            return Err(EditError::Overlapping { first: a.span, second: b.span });
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for edit in sorted {
        let range = edit.span.range();
        let kept = text.get(done..range.start).filter(|_| text.get(range.clone()).is_some());
        out.push_str(kept.ok_or(EditError::Outside { span: edit.span })?);
        out.push_str(&edit.replacement);
        done = range.end;
    }
    out.push_str(text.get(done..).unwrap_or(""));
    Ok(out)
}
