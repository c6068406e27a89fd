//! The parser that pest makes of `grammar/stepup.pest`.

#![allow(missing_docs, reason = "the grammar documents its rules")]

use pest_derive::Parser;

#[derive(Parser)]
#[grammar = "grammar/stepup.pest"]
pub(super) struct Grammar;
