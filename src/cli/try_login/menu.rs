//! A list of which one entry is chosen with the keys of a terminal.
//!
//! The terminal gives single keys only while the menu is open. It is set back however that ends.

use std::io::{self, Write};

use crossterm::cursor::MoveToPreviousLine;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, read};
use crossterm::queue;
use crossterm::terminal::{Clear, ClearType, disable_raw_mode, enable_raw_mode, size};

/// What was chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Choice {
    /// The entry of this position, from 0.
    Entry(usize),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or the terminal is gone.
    Ended,
}

/// What a key does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Act {
    Mark(usize),
    Choose(Choice),
    Nothing,
}

/// The terminal while it gives single keys.
struct SingleKeys;

impl SingleKeys {
    fn begin() -> io::Result<Self> {
        enable_raw_mode().map(|()| SingleKeys)
    }
}

impl Drop for SingleKeys {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = disable_raw_mode();
    }
}

/// Whether the entries fit on the screen. A terminal that doesn't know its size says 0.
pub(super) fn fits(entries: &[String]) -> bool {
    let rows = size().map_or(0, |(_, rows)| usize::from(rows));
    rows == 0 || entries.len() < rows
}

/// Shows the entries until one is chosen, and takes them away again.
pub(super) fn choose(mut out: impl Write, entries: &[String]) -> io::Result<Choice> {
    let _keys = SingleKeys::begin()?;
    let mut marked = 0;
    loop {
        draw(&mut out, entries, marked)?;
        let act = match read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => act(key, marked, entries.len()),
            _ => Act::Nothing,
        };
        let lines = u16::try_from(entries.len()).unwrap_or(u16::MAX);
        queue!(out, MoveToPreviousLine(lines), Clear(ClearType::FromCursorDown))?;
        out.flush()?;
        match act {
            Act::Mark(entry) => marked = entry,
            Act::Choose(choice) => return Ok(choice),
            Act::Nothing => {}
        }
    }
}

fn act(key: KeyEvent, marked: usize, entries: usize) -> Act {
    let last = entries.saturating_sub(1);
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
            Act::Choose(Choice::Interrupted)
        }
        KeyCode::Char('d') if key.modifiers.contains(KeyModifiers::CONTROL) => Act::Choose(Choice::Ended),
        KeyCode::Up => Act::Mark(marked.checked_sub(1).unwrap_or(last)),
        KeyCode::Down => Act::Mark(if marked < last { marked + 1 } else { 0 }),
        KeyCode::Home => Act::Mark(0),
        KeyCode::End => Act::Mark(last),
        KeyCode::Enter => Act::Choose(Choice::Entry(marked)),
        KeyCode::Char(digit) => match digit.to_digit(10).map(|digit| digit as usize) {
            Some(number @ 1..) if number <= entries => Act::Choose(Choice::Entry(number - 1)),
            _ => Act::Nothing,
        },
        _ => Act::Nothing,
    }
}

/// In the state of single keys a line end has to say both that the line and that the column is new.
fn draw(out: &mut dyn Write, entries: &[String], marked: usize) -> io::Result<()> {
    let width = size().map_or(0, |(columns, _)| usize::from(columns));
    for (position, entry) in entries.iter().enumerate() {
        let mark = if position == marked { '>' } else { ' ' };
        let line = format!("  {mark} {} {entry}", position + 1);
        let shown: String = line.chars().take(if width == 0 { usize::MAX } else { width - 1 }).collect();
        write!(out, "{shown}\r\n")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(code: KeyCode, marked: usize) -> Act {
        act(KeyEvent::new(code, KeyModifiers::NONE), marked, 3)
    }

    #[test]
    fn arrows_go_round() {
        assert_eq!(press(KeyCode::Down, 0), Act::Mark(1));
        assert_eq!(press(KeyCode::Down, 2), Act::Mark(0));
        assert_eq!(press(KeyCode::Up, 0), Act::Mark(2));
        assert_eq!(press(KeyCode::End, 0), Act::Mark(2));
    }

    #[test]
    fn a_number_chooses_an_entry_that_is_there() {
        assert_eq!(press(KeyCode::Char('3'), 0), Act::Choose(Choice::Entry(2)));
        assert_eq!(press(KeyCode::Char('4'), 0), Act::Nothing);
        assert_eq!(press(KeyCode::Char('0'), 0), Act::Nothing);
        assert_eq!(press(KeyCode::Char('c'), 0), Act::Nothing);
    }
}
