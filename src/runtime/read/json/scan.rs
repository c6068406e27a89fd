//! Where strings and containers of a JSON text end, found 64 bytes at a time.
//!
//! The blocks of a text are worked out once, in order, a window of them ahead of the reader. What is asked about
//! lies in the window or beyond it, never before: a reader goes forward.

use super::block::{Block, Carry, WIDTH, work_out};

/// How many blocks are worked out ahead: 1 KB of text.
const WINDOW: usize = 16;

/// Finds ends in one text.
pub(super) struct Scanner<'t> {
    text: &'t [u8],
    window: [Block; WINDOW],
    /// The number of the window's first block.
    first: usize,
    /// One past the number of its last.
    end: usize,
    carry: Carry,
}

/// The end of a string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct StringEnd {
    /// Where the closing quote is.
    pub(super) quote: usize,
    /// Whether the string has a backslash.
    pub(super) has_escapes: bool,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Scanner { text, window: [Block::default(); WINDOW], first: 0, end: 0, carry: Carry::default() }
    }

    /// The end of the string that begins at a quote, unless the text ends before.
    #[inline]
    pub(super) fn string_end(&mut self, quote: usize) -> Option<StringEnd> {
        let mut number = quote / WIDTH;
        let mut block = self.block(number)?;
        let after = !1 << (quote % WIDTH);
        let (mut quotes, mut backslashes) = (block.quotes & after, block.backslashes & after);
        let mut has_escapes = false;
        while quotes == 0 {
            has_escapes |= backslashes != 0;
            number += 1;
            block = self.block(number)?;
            (quotes, backslashes) = (block.quotes, block.backslashes);
        }
        let end = quotes.trailing_zeros();
        has_escapes |= backslashes & ((1 << end) - 1) != 0;
        Some(StringEnd { quote: number * WIDTH + end as usize, has_escapes })
    }

    /// Where the object or array ends that begins at a bracket, unless the text ends before. Of what stands inside,
    /// it is known that strings are closed, and that as many brackets close as open, of either kind.
    pub(super) fn container_end(&mut self, bracket: usize) -> Option<usize> {
        let mut number = bracket / WIDTH;
        let block = self.block(number)?;
        let from = !0 << (bracket % WIDTH);
        let mut depth = 0;
        let mut end = end_within(block.opens & from, block.closes & from, &mut depth);
        while end.is_none() {
            number += 1;
            let block = self.block(number)?;
            // Only a block that closes as many as are open can hold the end.
            if u64::from(block.closed) < depth {
                depth = depth + u64::from(block.opened) - u64::from(block.closed);
            } else {
                end = end_within(block.opens, block.closes, &mut depth);
            }
        }
        end.map(|place| number * WIDTH + place as usize)
    }

    /// A block by its number, unless the text ends before.
    #[inline]
    fn block(&mut self, number: usize) -> Option<Block> {
        while number >= self.end {
            self.slide()?;
        }
        self.window.get(number - self.first).copied()
    }

    /// Works the next window out.
    #[cold]
    #[inline(never)]
    fn slide(&mut self) -> Option<()> {
        let rest = self.text.get(self.end * WIDTH..).filter(|rest| !rest.is_empty())?;
        self.first = self.end;
        let (whole, last) = rest.as_chunks::<WIDTH>();
        work_out(&mut self.window, whole, &mut self.carry);
        self.end += whole.len().min(WINDOW);
        if let Some(block) = self.window.get_mut(whole.len()).filter(|_| !last.is_empty()) {
            let mut bytes = [b' '; WIDTH];
            bytes[..last.len()].copy_from_slice(last);
            work_out(std::slice::from_mut(block), &[bytes], &mut self.carry);
            self.end += 1;
        }
        Some(())
    }
}

/// The bracket that closes all that is open, `depth` brackets and those that open here; else how many are open then.
fn end_within(opens: u64, closes: u64, depth: &mut u64) -> Option<u32> {
    let mut brackets = opens | closes;
    while brackets != 0 {
        let bracket = brackets & brackets.wrapping_neg();
        if opens & bracket != 0 {
            *depth += 1;
        } else {
            *depth -= 1;
            if *depth == 0 {
                return Some(bracket.trailing_zeros());
            }
        }
        brackets ^= bracket;
    }
    None
}
