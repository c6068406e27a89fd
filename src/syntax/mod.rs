//! Text to tree and back.

pub mod parse;
pub mod tree;
