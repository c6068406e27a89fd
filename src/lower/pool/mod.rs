//! Pools of constants: a text or an address becomes the small number by which the policy knows it.
//!
//! The numbers are given at compile time and looked up when a fact is stored, so that a decision compares
//! integers. A lookup costs (almost) the same however many constants there are: texts go through a perfect hash,
//! addresses, and what a text starts or ends with, through a binary search and a walk outwards.

mod pattern;
mod prefix;
#[cfg(feature = "arrow")]
mod short;
mod text;

pub use pattern::PatternSearch;
pub use prefix::PrefixPool;
#[cfg(feature = "arrow")]
pub use short::ShortTexts;
pub use text::TextPool;
