//! Texts by number: a perfect hash, and one comparison.
//!
//! Each text has a place of its own in a table of at least as many places ("hash, displace and compress"): a hash of 64
//! bits says which bucket a text is in, and the bucket's displacement, found at compile time, takes all its texts to places
//! that no other has. Who looks a text up computes its place, and compares it with the one text that may be it.
//!
//! A server holds pools for each resident policy: one takes two allocations.

use std::fmt;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

/// Up to this many texts are compared one by one; more are hashed.
const SCANNED: usize = 2;

/// A displacement is found among so many, or another hash is tried.
const DISPLACEMENTS: u32 = 1 << 12;

/// So many hashes are tried before the table grows.
const SEEDS_A_SIZE: u64 = 8;

/// The texts that a string, or what is derived from it, is compared with.
#[derive(Clone, Default)]
pub struct TextPool {
    /// All texts, one after the other.
    texts: Box<str>,
    /// A row for each text, by its number or by its place; and then the displacement of each bucket.
    table: Box<[u32]>,
    len: u32,
    hash: Option<PerfectHash>,
}

/// A text in the table: where it begins and ends, and its number.
type Row = [u32; 3];

/// A row without a text: it ends before it begins.
const NO_TEXT: Row = [1, 0, 0];

/// How texts are told apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct PerfectHash {
    pub(super) seed: u64,
    /// The logarithms of how many places and buckets there are.
    places: u8,
    buckets: u8,
}

impl TextPool {
    /// A pool of these texts; sorted, without repeats, each has its position as its number.
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut texts: Vec<&str> = texts.into_iter().collect();
        texts.sort_unstable();
        texts.dedup();
        let mut end = 0;
        let rows = texts.iter().zip(0..).map(|(text, number)| {
            let begin = end;
            end += text.len() as u32;
            [begin, end, number]
        });
        let rows: Vec<Row> = rows.collect();
        let (hash, table) = if texts.len() > SCANNED {
            let (hash, places) = PerfectHash::of(texts.len(), |seed, number| key(seed, texts[number]));
            let rows =
                places.numbers.iter().map(|number| number.map_or(NO_TEXT, |number| rows[number as usize]));
            let mut table = rows.collect::<Vec<Row>>().into_flattened();
            table.extend(places.displacements);
            (Some(hash), table)
        } else {
            (None, rows.into_flattened())
        };
        TextPool { texts: texts.concat().into(), len: texts.len() as u32, table: table.into(), hash }
    }

    /// The number of a text; that of a text that is not here is [`len`](Self::len).
    #[inline]
    pub fn number(&self, text: &str) -> usize {
        self.find(text).unwrap_or(self.len())
    }

    #[inline]
    fn find(&self, text: &str) -> Option<usize> {
        let Some(hash) = &self.hash else {
            return (0..self.len()).find(|place| self.at(*place).is_some_and(|(known, _)| known == text));
        };
        let key = key(hash.seed, text);
        let displacement = *self.table.get(hash.displacements() + hash.bucket(key))?;
        let (known, number) = self.at(hash.place(key, displacement))?;
        (known == text).then_some(number)
    }

    /// The text of a row, and its number.
    #[inline]
    fn at(&self, place: usize) -> Option<(&str, usize)> {
        let [begin, end, number] = *self.table.get(3 * place..)?.first_chunk()?;
        Some((self.texts.get(begin as usize..end as usize)?, number as usize))
    }

    /// The texts in the order of their numbers.
    pub fn texts(&self) -> Vec<&str> {
        let places = self.hash.map_or(self.len(), |hash| 1 << hash.places);
        let mut texts: Vec<_> = (0..places).filter_map(|place| self.at(place)).collect();
        texts.sort_unstable_by_key(|(_, number)| *number);
        texts.into_iter().map(|(text, _)| text).collect()
    }

    /// How many texts there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What it takes beside itself, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.texts.len() + size_of_val(&*self.table)
    }
}

/// Which text is in which place.
pub(super) struct Places {
    /// For each place its text's number.
    pub(super) numbers: Vec<Option<u32>>,
    /// For each bucket.
    pub(super) displacements: Vec<u32>,
}

#[inline]
fn key(seed: u64, text: &str) -> u64 {
    let mut hasher = FixedState::with_seed(seed).build_hasher();
    hasher.write(text.as_bytes());
    hasher.finish()
}

impl PerfectHash {
    /// Finds a hash for so many texts that are all different, by their keys under a seed.
    pub(super) fn of(texts: usize, key: impl Fn(u64, usize) -> u64) -> (Self, Places) {
        // A place takes one bit of a hash at least.
        let least = (texts + texts / 4).max(2).next_power_of_two().ilog2() as u8;
        let buckets = (texts / 4).max(1).next_power_of_two().ilog2() as u8;
        // It ends: with each size, more hashes take different texts to different places.
        for seed in 0.. {
            let places = least + (seed / SEEDS_A_SIZE).min(8) as u8;
            let hash = PerfectHash { seed, places, buckets };
            if let Some(places) = hash.places(texts, |number| key(seed, number)) {
                return (hash, places);
            }
        }
        unreachable!("there are more hashes than time")
    }

    /// Gives each bucket the first displacement that takes its texts to free places; the fullest bucket chooses first.
    fn places(self, texts: usize, key: impl Fn(usize) -> u64) -> Option<Places> {
        let mut sizes = vec![0_u32; 1 << self.buckets];
        let mut keys: Vec<(usize, u64, u32)> = Vec::with_capacity(texts);
        for number in 0..texts {
            let key = key(number);
            sizes[self.bucket(key)] += 1;
            keys.push((self.bucket(key), key, number as u32));
        }
        keys.sort_unstable_by_key(|(bucket, ..)| (std::cmp::Reverse(sizes[*bucket]), *bucket));
        let mut numbers = vec![None; 1 << self.places];
        let mut displacements = vec![0; 1 << self.buckets];
        for bucket in keys.chunk_by(|a, b| a.0 == b.0) {
            let displacement =
                (0..DISPLACEMENTS).find(|displacement| self.settle(bucket, *displacement, &mut numbers));
            displacements[bucket[0].0] = displacement?;
        }
        Some(Places { numbers, displacements })
    }

    /// Takes the places of a bucket's texts with a displacement, if all are free.
    fn settle(self, bucket: &[(usize, u64, u32)], displacement: u32, numbers: &mut [Option<u32>]) -> bool {
        let place = |key| self.place(key, displacement);
        for (settled, (_, key, number)) in bucket.iter().enumerate() {
            if numbers[place(*key)].is_some() {
                bucket[..settled].iter().for_each(|(_, key, _)| numbers[place(*key)] = None);
                return false;
            }
            numbers[place(*key)] = Some(*number);
        }
        true
    }

    /// Where the displacements begin.
    #[inline]
    fn displacements(self) -> usize {
        (size_of::<Row>() / size_of::<u32>()) << self.places
    }

    #[inline]
    pub(super) fn bucket(self, key: u64) -> usize {
        key as usize & ((1 << self.buckets) - 1)
    }

    /// The halves of a key are taken as two hashes.
    #[inline]
    pub(super) fn place(self, key: u64, displacement: u32) -> usize {
        let [a, b] = [key as u32, (key >> 32) as u32];
        (a.wrapping_mul(displacement).wrapping_add(b) >> (32 - u32::from(self.places))) as usize
    }
}

impl fmt::Debug for TextPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.texts()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(count: usize) -> Vec<String> {
        let text =
            |number: usize| format!("{}{number:x}", ["", "é", "https://example.com/", "a"][number % 4]);
        (0..count).map(text).collect()
    }

    #[test]
    fn each_text_has_its_position_and_every_other_has_the_length() {
        for count in (0..40).chain([100, 1000, 20_000]) {
            let mut texts = texts(count);
            let pool = TextPool::new(texts.iter().chain(texts.first()).map(String::as_str));
            texts.sort_unstable();
            assert_eq!(pool.texts(), texts);
            for (number, text) in texts.iter().enumerate() {
                assert_eq!(pool.number(text), number);
                assert_eq!(pool.number(&format!("{text}!")), count);
            }
            assert_eq!(pool.number(""), count);
        }
    }

    #[test]
    fn an_empty_text_is_a_text() {
        for texts in [&["", "a"][..], &["", "a", "b", "c"]] {
            assert_eq!(TextPool::new(texts.iter().copied()).number(""), 0);
        }
    }

    #[test]
    fn a_pool_is_small() {
        let texts = texts(50);
        let pool = TextPool::new(texts.iter().map(String::as_str));
        let table = pool.heap_bytes() - texts.iter().map(String::len).sum::<usize>();
        assert!(table <= 64 * 12 + 16 * 4, "{table} bytes");
    }
}
