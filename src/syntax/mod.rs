//! Text to tree and back.

pub mod parse;
pub mod print;
pub mod tree;
