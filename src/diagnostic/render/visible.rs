//! Text made fit to show: a stranger's file must not move a reader's cursor, reverse a line or fill the screen.
//!
//! Control characters, marks of direction and other invisible characters are shown as visible ones, tabs as
//! spaces, and a long line only around what is pointed at.

use std::ops::Range;

/// The longest stretch of a source line that is shown, in bytes.
const MAX_LINE: usize = 120;
/// How much of it stands before the place pointed at.
const BEFORE: usize = 40;
/// The longest message, label or line of a note, in bytes.
const MAX_MESSAGE: usize = 2000;
/// The most lines of a note.
const MAX_NOTE_LINES: usize = 100;

/// Appends `c`, or what stands for it.
fn push(out: &mut String, c: char) {
    match c {
        '\t' => out.push_str("    "),
        '\u{0}'..='\u{1f}' => out.extend(char::from_u32(0x2400 + c as u32)),
        '\u{7f}' => out.push('\u{2421}'),
        _ if c.is_control() || is_invisible(c) => out.push(char::REPLACEMENT_CHARACTER),
        _ => out.push(c),
    }
}

/// Whether `c` has no shape of its own, or changes the order of those that have.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text as one line, fit to show whoever wrote it; a very long one is cut.
pub fn one_line(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_MESSAGE);
    let mut out = String::with_capacity(end);
    for c in text.get(..end).unwrap_or(text).chars() {
        push(&mut out, if c == '\n' { ' ' } else { c });
    }
    if end < text.len() {
        out.push('…');
    }
    out
}

/// A note, which may hold several lines.
pub(super) fn lines(text: &str) -> String {
    let mut shown: Vec<String> = text.lines().take(MAX_NOTE_LINES).map(one_line).collect();
    if text.lines().nth(MAX_NOTE_LINES).is_some() {
        shown.push("…".to_owned());
    }
    shown.join("\n")
}

/// A source line as shown, and where its characters went.
pub(super) struct VisibleLine {
    /// What is shown.
    pub(super) text: String,
    /// Of each character shown: its offset in the source line and in `text`; at the end, those past the last.
    places: Vec<(usize, usize)>,
}

impl VisibleLine {
    /// Shows `line` (without its line end), or what of it stands around `focus` when it is long.
    pub(super) fn new(line: &str, focus: usize) -> Self {
        let window = window(line, focus);
        let mut text = String::new();
        if window.start > 0 {
            text.push('…');
        }
        let mut places = Vec::new();
        for (offset, c) in line.get(window.clone()).unwrap_or("").char_indices() {
            places.push((window.start + offset, text.len()));
            push(&mut text, c);
        }
        places.push((window.end, text.len()));
        if window.end < line.len() {
            text.push('…');
        }
        VisibleLine { text, places }
    }

    /// Where in the shown text an offset of the source line is; what isn't shown is at the nearer end.
    pub(super) fn place(&self, offset: usize) -> usize {
        let next = self.places.partition_point(|(source, _)| *source < offset);
        self.places.get(next).or(self.places.last()).map_or(0, |(_, shown)| *shown)
    }
}

/// The part of a line to show.
fn window(line: &str, focus: usize) -> Range<usize> {
    if line.len() <= MAX_LINE {
        return 0..line.len();
    }
    let latest = line.len() - MAX_LINE;
    let start = line.floor_char_boundary(focus.saturating_sub(BEFORE).min(latest));
    start..line.floor_char_boundary(start + MAX_LINE)
}
