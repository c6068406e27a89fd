//! Prefixes of addresses by number: a binary search, and a walk outwards.

use std::net::IpAddr;

use ipnet::IpNet;

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
