//! Pools of constants: a text or an address becomes the small number by which the policy knows it.
//!
//! The numbers are given at compile time and looked up when a fact is stored, so that a decision compares
//! integers. A lookup costs the same however many constants there are: texts go through a perfect hash, addresses
//! through a binary search and a walk outwards.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use phf_generator::HashState;

/// Up to this many texts are compared one by one; more are hashed.
const SCANNED: usize = 8;

/// The texts that a string, or what is derived from it, is compared with.
#[derive(Clone, Default)]
pub struct TextPool {
    texts: Vec<String>,
    hash: Option<PerfectHash>,
}

/// Where each text stands, without collisions; the numbers are those of phf.
#[derive(Clone)]
struct PerfectHash {
    key: phf_shared::HashKey,
    displacements: Vec<(u32, u32)>,
    numbers: Vec<usize>,
}

impl TextPool {
    /// A pool of these texts; sorted, without repeats, each has its position as its number.
    pub fn new(mut texts: Vec<String>) -> Self {
        texts.sort_unstable();
        texts.dedup();
        let hash = (texts.len() > SCANNED).then(|| {
            let HashState { key, disps, map } = phf_generator::generate_hash(&texts);
            PerfectHash { key, displacements: disps, numbers: map }
        });
        TextPool { texts, hash }
    }

    /// The number of a text; that of a text that is not here is [`len`](Self::len).
    pub fn number(&self, text: &str) -> usize {
        self.find(text).unwrap_or(self.texts.len())
    }

    fn find(&self, text: &str) -> Option<usize> {
        let Some(hash) = &self.hash else { return self.texts.iter().position(|known| known == text) };
        let hashes = phf_shared::hash(text, &hash.key);
        let place = phf_shared::get_index(&hashes, &hash.displacements, hash.numbers.len());
        let number = *hash.numbers.get(place as usize)?;
        (self.texts.get(number)? == text).then_some(number)
    }

    /// The texts by their numbers.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

impl fmt::Debug for TextPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.texts.fmt(f)
    }
}

/// The prefixes that an address is compared with, outermost first: each is followed by those inside it.
#[derive(Clone, Default, Debug)]
pub struct PrefixPool {
    prefixes: Vec<Nested>,
}

/// A prefix and those around it.
#[derive(Clone, Copy, Debug)]
struct Nested {
    prefix: IpNet,
    /// The number of the next larger prefix around it, or 0.
    around: usize,
    /// One past the largest number of a prefix inside it.
    end: usize,
}

impl PrefixPool {
    /// A pool of these prefixes. Prefix `i` of the sorted list has the number `i + 1`.
    pub fn new(mut prefixes: Vec<IpNet>) -> Self {
        // In the order of networks, then of lengths, a prefix comes right before those inside it.
        prefixes.sort_unstable();
        prefixes.dedup();
        let mut nested: Vec<Nested> = Vec::with_capacity(prefixes.len());
        let mut open: Vec<usize> = Vec::new();
        for (index, prefix) in prefixes.into_iter().enumerate() {
            while let Some(outer) = open.pop_if(|outer| !nested[*outer].prefix.contains(&prefix)) {
                nested[outer].end = index + 1;
            }
            let around = open.last().map_or(0, |outer| outer + 1);
            nested.push(Nested { prefix, around, end: 0 });
            open.push(index);
        }
        let end = nested.len() + 1;
        for outer in open {
            nested[outer].end = end;
        }
        PrefixPool { prefixes: nested }
    }

    /// The number of the smallest prefix that holds an address, or 0. An IPv4-mapped address is the IPv4 one.
    pub fn number(&self, address: IpAddr) -> usize {
        let address = address.to_canonical();
        let mut number = self.prefixes.partition_point(|nested| nested.prefix.network() <= address);
        while let Some(nested) = number.checked_sub(1).and_then(|index| self.prefixes.get(index)) {
            if nested.prefix.contains(&address) {
                return number;
            }
            number = nested.around;
        }
        0
    }

    /// The numbers of a prefix of this pool and of all those inside it.
    pub fn inside(&self, prefix: &IpNet) -> std::ops::Range<usize> {
        match self.prefixes.binary_search_by(|nested| nested.prefix.cmp(prefix)) {
            Ok(index) => index + 1..self.prefixes[index].end,
            Err(_) => 0..0,
        }
    }

    /// The prefixes in order.
    pub fn prefixes(&self) -> impl ExactSizeIterator<Item = IpNet> {
        self.prefixes.iter().map(|nested| nested.prefix)
    }

    /// How many prefixes there are.
    pub fn len(&self) -> usize {
        self.prefixes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }
}
