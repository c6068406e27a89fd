//! stepup
pub mod backend;
pub mod check;
pub mod diagnostic;
pub mod flow;
pub mod lower;
pub mod runtime;
pub mod source;
pub mod syntax;
