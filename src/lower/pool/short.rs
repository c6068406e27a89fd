//! Short texts and what stands for them, from a buffer of many.
//!
//! A column has its texts one after the other, so the 32 bytes from where one begins can be read at once, whatever its
//! length: what doesn't belong to it is overwritten with a byte that no text has, and all are compared with the one row
//! that may be the text's. What is done for a text doesn't depend on its length, nor on where texts begin to differ.
//!
//! Which row that is, one word of the text says where few texts differ in it ([`Find::Word`]); else all of its words do, by
//! the perfect hash of [`TextPool`] over other keys.

use std::hint::select_unpredictable;
use std::ops::Range;

use super::TextPool;
use super::text::PerfectHash;

/// The longest text, in bytes.
const LONGEST: usize = 32;

/// The same in words.
const WORDS: usize = LONGEST / 8;

/// A text, filled: two are the same where these are.
type Words = [u64; WORDS];

/// What a text is filled with. It is no byte of UTF-8.
const FILLING: u8 = 0xFF;

/// Another such byte: no text is equal to a row of them.
const NO_TEXT: Row = Row { words: [u64::from_ne_bytes([0xFE; 8]); WORDS], value: 0 };

/// How many hashes of a word there are: a power of two. A table of them lies in the cache of the first level.
const HASHES: usize = 1 << 12;

/// The row that stands in such a table where there is no text.
const NO_ROW: u8 = u8::MAX;

/// The most texts that are told apart by such a hash: it has to be found by chance.
const FEW: usize = 128;

/// So many hashes of a word are tried.
const TRIES: u64 = 32;

/// The texts of a pool that has none longer than 32 bytes, each with a value that stands for it.
#[derive(Debug)]
pub struct ShortTexts {
    find: Find,
    /// What stands for a text that is not here.
    other: u64,
}

/// How the row of a text is found.
#[derive(Debug)]
enum Find {
    /// By one of its words, and its length. Rows have a byte as their number, and there are as many as that has values.
    Word { hash: WordHash, rows: Box<[Row; 256]> },
    /// By all of it.
    Whole { hash: PerfectHash, rows: Box<[Row]>, displacements: Box<[u32]> },
}

/// A product takes texts that differ in a word, or in length, to different places.
#[derive(Debug)]
struct WordHash {
    /// Which of the words.
    at: usize,
    factor: u64,
    rows: Box<[u8; HASHES]>,
}

/// A text to be found.
#[derive(Clone, Copy)]
struct Text {
    words: Words,
    /// In bytes.
    length: usize,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    words: Words,
    value: u64,
}

impl ShortTexts {
    /// The texts of a pool, with what stands for each by its number, and for all other texts; `None` where one is longer.
    pub fn new(pool: &TextPool, value: impl Fn(usize) -> u64, other: u64) -> Option<Self> {
        let texts: Option<Vec<Text>> = pool.texts().into_iter().map(Text::of).collect();
        let texts = texts?;
        let row = |(number, text): (usize, &Text)| Row { words: text.words, value: value(number) };
        let rows: Vec<Row> = texts.iter().enumerate().map(row).collect();
        if let Some(hash) = WordHash::of(&texts) {
            let rows = Box::new(std::array::from_fn(|number| rows.get(number).copied().unwrap_or(NO_TEXT)));
            return Some(ShortTexts { find: Find::Word { hash, rows }, other });
        }
        let (hash, places) =
            PerfectHash::of(rows.len(), |seed, number: usize| key(seed, &rows[number].words));
        let in_place = |number: &Option<u32>| number.map_or(NO_TEXT, |number| rows[number as usize]);
        let rows = places.numbers.iter().map(in_place).collect();
        let displacements = places.displacements.into();
        Some(ShortTexts { find: Find::Whole { hash, rows, displacements }, other })
    }

    /// What stands for the texts in these ranges of a buffer of UTF-8.
    #[inline]
    pub fn values(&self, buffer: &[u8], texts: impl Iterator<Item = Range<usize>>, into: &mut Vec<u64>) {
        match &self.find {
            Find::Word { hash, rows } => match hash.at {
                0 => self.by_word::<0>(hash, rows, buffer, texts, into),
                1 => self.by_word::<1>(hash, rows, buffer, texts, into),
                2 => self.by_word::<2>(hash, rows, buffer, texts, into),
                _ => self.by_word::<3>(hash, rows, buffer, texts, into),
            },
            Find::Whole { hash, rows, displacements } => {
                let row = |text: &Text| {
                    let key = key(hash.seed, &text.words);
                    let displacement = displacements.get(hash.bucket(key)).copied().unwrap_or_default();
                    rows.get(hash.place(key, displacement)).unwrap_or(&NO_TEXT)
                };
                into.extend(texts.map(|text| self.value(buffer, text, row)));
            }
        }
    }

    /// Which word it is, is a constant here: each text would have to read it.
    fn by_word<const AT: usize>(
        &self,
        hash: &WordHash,
        rows: &[Row; 256],
        buffer: &[u8],
        texts: impl Iterator<Item = Range<usize>>,
        into: &mut Vec<u64>,
    ) {
        let (factor, numbers) = (hash.factor, &*hash.rows);
        let row = |text: &Text| &rows[usize::from(numbers[place(text, AT, factor)])];
        into.extend(texts.map(|text| self.value(buffer, text, row)));
    }

    /// What stands for a text; `row` says which it may be. Nobody can predict whether it is, so there is no jump.
    #[inline(always)]
    fn value<'r>(&self, buffer: &[u8], text: Range<usize>, row: impl Fn(&Text) -> &'r Row) -> u64 {
        let length = text.len();
        if length > LONGEST {
            return self.other;
        }
        let rest;
        let bytes = match buffer.get(text.start..).and_then(|from| from.first_chunk()) {
            Some(bytes) => bytes,
            None => {
                rest = last_bytes(buffer, text.start);
                &rest
            }
        };
        let text = Text::at(bytes, length);
        let row = row(&text);
        let differ = (0..WORDS).fold(0, |differ, at| differ | row.words[at] ^ text.words[at]);
        select_unpredictable(differ == 0, row.value, self.other)
    }
}

impl Text {
    /// `None` where it is longer than may be.
    fn of(text: &str) -> Option<Self> {
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Text::at(&bytes, text.len()))
    }

    /// The text of a length that begins here.
    #[inline(always)]
    fn at(bytes: &[u8; LONGEST], length: usize) -> Self {
        let (words, _) = bytes.as_chunks();
        let filled = &FILLED[length % FILLED.len()];
        Text { words: std::array::from_fn(|at| u64::from_le_bytes(words[at]) | filled[at]), length }
    }
}

impl WordHash {
    /// `None` where the texts are many, or alike in each word, or where none was found.
    fn of(texts: &[Text]) -> Option<Self> {
        if texts.len() > FEW {
            return None;
        }
        let mut hashes = (0..TRIES).flat_map(|seed| (0..WORDS).map(move |at| (at, factor(seed))));
        hashes.find_map(|(at, factor)| {
            let mut rows = Box::new([NO_ROW; HASHES]);
            for (text, number) in texts.iter().zip(0..) {
                let place = place(text, at, factor);
                if std::mem::replace(&mut rows[place], number) != NO_ROW {
                    return None;
                }
            }
            Some(WordHash { at, factor, rows })
        })
    }
}

/// Where a text is in the table of a [`WordHash`]. The highest bits of a product depend on all bits of the word.
#[inline(always)]
fn place(text: &Text, at: usize, factor: u64) -> usize {
    let hash =
        (text.words[at % WORDS] ^ text.length as u64).wrapping_mul(factor) >> (u64::BITS - HASHES.ilog2());
    hash as usize % HASHES
}

/// An odd number.
fn factor(seed: u64) -> u64 {
    folded(seed ^ PI[0], PI[1]) | 1
}

/// The last bytes of a buffer, fewer than a text may have, and zeros.
#[cold]
fn last_bytes(buffer: &[u8], from: usize) -> [u8; LONGEST] {
    let from = buffer.get(from..).unwrap_or_default();
    let mut bytes = [0; LONGEST];
    bytes.iter_mut().zip(from).for_each(|(byte, from)| *byte = *from);
    bytes
}

/// For each length, the bytes that don't belong to the text. There are more than lengths, so that an index needs no test.
static FILLED: [Words; 2 * LONGEST] = {
    let mut filled = [[0; WORDS]; 2 * LONGEST];
    let mut length = 0;
    while length < LONGEST {
        let mut byte = length;
        while byte < LONGEST {
            filled[length][byte / 8] |= (FILLING as u64) << (byte % 8 * 8);
            byte += 1;
        }
        length += 1;
    }
    filled
};

/// Digits of pi, as constants that nobody chose. A word that equals one of the middle two would make a product zero under
/// every seed; none does, since their bytes are no UTF-8, and not filled either.
const PI: [u64; 4] =
    [0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344, 0xA409_3822_299F_31D0, 0x082E_FA98_EC4E_6C89];

/// A hash of a whole text.
#[inline]
fn key(seed: u64, text: &Words) -> u64 {
    let word = |at: usize| text[at] ^ PI[at];
    let first = folded(word(0) ^ seed, word(1));
    let second = folded(word(2), word(3) ^ seed);
    folded(first, second ^ PI[0])
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

    /// The number that each text has, from one buffer of them all.
    fn numbers(short: &ShortTexts, texts: &[&str]) -> Vec<usize> {
        let mut begin = 0;
        let ranges = texts.iter().map(|text| {
            begin += text.len();
            begin - text.len()..begin
        });
        let mut values = Vec::new();
        short.values(texts.concat().as_bytes(), ranges, &mut values);
        values.into_iter().map(|value| value as usize).collect()
    }

    fn short_texts(pool: &TextPool) -> ShortTexts {
        ShortTexts::new(pool, |number| number as u64, pool.len() as u64).expect("no text is longer")
    }

    #[test]
    fn every_text_of_a_buffer_has_the_number_that_the_pool_gives_it() {
        for count in [0, 1, 2, 3, 40, 128, 129, 5_000] {
            let texts: Vec<String> =
                (0..count).map(|number| "é".repeat(number % 12) + &number.to_string()).collect();
            let pool = TextPool::new(texts.iter().map(String::as_str));
            let others = ["", "0", "x", "a text of forty bytes, longer than any..", "\0", "1\0"];
            let mut asked: Vec<&str> = others.into_iter().chain(texts.iter().map(String::as_str)).collect();
            let expected = |asked: &[&str]| asked.iter().map(|text| pool.number(text)).collect::<Vec<_>>();
            assert_eq!(numbers(&short_texts(&pool), &asked), expected(&asked), "{count} texts");
            asked.reverse();
            assert_eq!(numbers(&short_texts(&pool), &asked), expected(&asked), "{count} texts, backwards");
        }
    }

    #[test]
    fn few_texts_are_found_by_a_word_that_tells_them_apart_and_others_by_all_of_them() {
        let is_by_word = |texts: &[&str]| {
            let pool = TextPool::new(texts.iter().copied());
            let short = short_texts(&pool);
            let asked = [texts, &["another", "webauthn"]].concat();
            let expected: Vec<usize> = asked.iter().map(|text| pool.number(text)).collect();
            assert_eq!(numbers(&short, &asked), expected);
            matches!(short.find, Find::Word { .. })
        };
        assert!(is_by_word(&["webauthn-roaming", "webauthn-platform", "otp", "push-notification", "phone"]));
        assert!(is_by_word(&["in-the-third-word: 1", "in-the-third-word: 2"]));
        assert!(is_by_word(&["a", "a\0", "b\0\0\0\0\0\0\0\0", "b\0\0\0\0\0\0\0c"]));
        assert!(
            !is_by_word(&["12345678 12345678", "12345678 12345679", "12345679 12345678"]),
            "any word is shared"
        );
    }

    #[test]
    fn no_text_makes_a_product_zero_under_every_seed() {
        for word in [PI[1], PI[2]] {
            assert!(std::str::from_utf8(&word.to_le_bytes()).is_err_and(|error| error.error_len().is_some()));
            assert!(!word.to_le_bytes().contains(&FILLING));
        }
    }

    #[test]
    fn a_pool_with_a_long_text_has_no_such_table() {
        let pool = TextPool::new(["a text of thirty-three bytes ...."]);
        assert!(ShortTexts::new(&pool, |_| 0, 0).is_none());
    }
}
