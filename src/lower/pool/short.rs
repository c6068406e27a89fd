//! Short texts by number, from a buffer of many.
//!
//! A column has its texts one after the other, so the 32 bytes from where one begins can be read at once, whatever its
//! length: what doesn't belong to it is masked away. Four words are then hashed and compared, without a jump that depends
//! on the text. The perfect hash is that of [`TextPool`], over other keys.

use std::ops::Range;

use super::TextPool;
use super::text::PerfectHash;

/// The longest text, in bytes.
const LONGEST: usize = 32;

/// A text, filled with zeros.
type Words = [u64; LONGEST / 8];

/// The texts of a pool that has none longer than 32 bytes.
#[derive(Debug)]
pub struct ShortTexts {
    hash: PerfectHash,
    rows: Box<[Row]>,
    displacements: Box<[u32]>,
    len: usize,
}

/// A place of the table.
#[derive(Clone, Copy, Debug)]
struct Row {
    words: Words,
    /// Of the text, in bytes; more than any where there is none.
    length: usize,
    number: usize,
}

impl ShortTexts {
    /// The texts of a pool, under the same numbers; `None` where one is longer.
    pub fn new(pool: &TextPool) -> Option<Self> {
        let texts = pool.texts();
        if texts.iter().any(|text| text.len() > LONGEST) {
            return None;
        }
        let words = |text: &str| words_at(text.as_bytes(), 0..text.len());
        let (hash, places) =
            PerfectHash::of(texts.len(), |seed, number| key(seed, words(texts[number]), texts[number].len()));
        let row = |number: &Option<u32>| match number.map(|number| number as usize) {
            Some(number) => Row { words: words(texts[number]), length: texts[number].len(), number },
            None => Row { words: [0; 4], length: usize::MAX, number: texts.len() },
        };
        let rows = places.numbers.iter().map(row).collect();
        Some(ShortTexts { hash, rows, displacements: places.displacements.into(), len: texts.len() })
    }

    /// The number of the text in this range of a buffer; that of a text that is not here is the pool's length.
    #[inline(always)]
    pub fn number(&self, buffer: &[u8], range: Range<usize>) -> usize {
        let length = range.len();
        if length > LONGEST {
            return self.len;
        }
        let words = words_at(buffer, range);
        let key = key(self.hash.seed, words, length);
        let displacement = self.displacements.get(self.hash.bucket(key)).copied().unwrap_or_default();
        let Some(row) = self.rows.get(self.hash.place(key, displacement)) else { return self.len };
        let is_same = row.length == length
            && (0..words.len()).fold(0, |differing, at| differing | words[at] ^ row.words[at]) == 0;
        if is_same { row.number } else { self.len }
    }
}

/// The bytes of a range of at most 32, filled with zeros; a range beyond the buffer has none.
#[inline]
fn words_at(buffer: &[u8], range: Range<usize>) -> Words {
    let length = range.len().min(LONGEST);
    let from = buffer.get(range.start..).unwrap_or_default();
    let bytes = match from.first_chunk::<LONGEST>() {
        Some(bytes) => *bytes,
        None => {
            let mut bytes = [0; LONGEST];
            bytes[..from.len()].copy_from_slice(from);
            bytes
        }
    };
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(words[at]) & MASKS[length][at])
}

/// For each length, the bytes that belong to the text.
static MASKS: [Words; LONGEST + 1] = {
    let mut masks = [[0; LONGEST / 8]; LONGEST + 1];
    let mut length = 0;
    while length <= LONGEST {
        let mut byte = 0;
        while byte < length {
            masks[length][byte / 8] |= 0xFF << (byte % 8 * 8);
            byte += 1;
        }
        length += 1;
    }
    masks
};

/// Digits of pi, as constants that nobody chose. A word that equals one of the middle two would make a product zero under
/// every seed; none does, since their bytes are no UTF-8.
const PI: Words =
    [0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344, 0xA409_3822_299F_31D0, 0x082E_FA98_EC4E_6C89];

#[inline]
fn key(seed: u64, words: Words, length: usize) -> u64 {
    let first = folded(words[0] ^ PI[0] ^ seed, words[1] ^ PI[1]);
    let second = folded(words[2] ^ PI[2], words[3] ^ PI[3] ^ seed);
    folded(first ^ length as u64, second ^ PI[0])
}

/// Both halves of a product.
#[inline]
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_a_buffer_has_the_number_that_the_pool_gives_it() {
        for count in [0, 1, 2, 3, 40, 5_000] {
            let texts: Vec<String> =
                (0..count).map(|number| "é".repeat(number % 12) + &number.to_string()).collect();
            let pool = TextPool::new(texts.iter().map(String::as_str));
            let short = ShortTexts::new(&pool).expect("no text is longer");
            let others = ["", "0", "x", "a text of forty bytes, longer than any..", "\0", "1\0"];
            let asked: Vec<&str> = texts.iter().map(String::as_str).chain(others).collect();
            let buffer = asked.concat();
            let mut begin = 0;
            for text in asked {
                let range = begin..begin + text.len();
                begin = range.end;
                assert_eq!(short.number(buffer.as_bytes(), range), pool.number(text), "{text:?} of {count}");
            }
        }
    }

    #[test]
    fn no_text_makes_a_product_zero_under_every_seed() {
        for word in [PI[1], PI[2]] {
            assert!(std::str::from_utf8(&word.to_le_bytes()).is_err_and(|error| error.error_len().is_some()));
        }
    }

    #[test]
    fn a_pool_with_a_long_text_has_no_such_table() {
        assert!(ShortTexts::new(&TextPool::new(["a text of thirty-three bytes ...."])).is_none());
    }
}
