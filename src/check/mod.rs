//! Checking: names, types, presence and the catalog; trees become a typed policy.
pub mod policy;
