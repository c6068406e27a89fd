//! Addresses: one class for each region that the policy's prefixes cut out, with an address of it as witness.
//!
//! Prefixes nest or are disjoint, so the regions are each prefix without those inside it, and what lies in none.
//! IPv4-mapped addresses are read as IPv4, so no IPv6 region has them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A witness for each region that has an address; regions of the largest prefixes first.
pub(super) fn region_witnesses(prefixes: &BTreeSet<IpNet>) -> Vec<IpAddr> {
    let everything = [IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())];
    let regions: BTreeSet<IpNet> = prefixes.iter().map(IpNet::trunc).chain(everything).collect();
    let mut blocks: Vec<Block> = regions.iter().map(|prefix| Block::of(*prefix)).collect();
    blocks.push(Block::mapped());
    blocks.sort_by_key(|block| (block.is_v6, block.first, std::cmp::Reverse(block.last)));
    let regions = blocks.iter().enumerate().filter(|(_, block)| !block.is_hole);
    regions.filter_map(|(index, block)| block.free_address(blocks.split_at(index + 1).1)).collect()
}

/// A prefix as a stretch of numbers.
struct Block {
    is_v6: bool,
    first: u128,
    last: u128,
    /// Set for the one block whose addresses are never seen.
    is_hole: bool,
}

impl Block {
    fn of(prefix: IpNet) -> Self {
        let number = |address: IpAddr| match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let is_v6 = matches!(prefix, IpNet::V6(_));
        Block { is_v6, first: number(prefix.network()), last: number(prefix.broadcast()), is_hole: false }
    }

    fn mapped() -> Self {
        let first = Ipv4Addr::UNSPECIFIED.to_ipv6_mapped().to_bits();
        let last = Ipv4Addr::BROADCAST.to_ipv6_mapped().to_bits();
        Block { is_v6: true, first, last, is_hole: true }
    }

    /// The lowest address that lies in none of the blocks inside this one, which all follow it in order.
    fn free_address(&self, later: &[Block]) -> Option<IpAddr> {
        let mut lowest = self.first;
        for block in later.iter().take_while(|block| block.is_v6 == self.is_v6 && block.first <= self.last) {
            if block.first > lowest {
                break;
            }
            if block.last >= self.last {
                return None;
            }
            lowest = lowest.max(block.last + 1);
        }
        let v4 = || u32::try_from(lowest).ok().map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
        if self.is_v6 { Some(IpAddr::V6(Ipv6Addr::from_bits(lowest))) } else { v4() }
    }
}
