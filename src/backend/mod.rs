//! Backends: each takes a [`Program`](crate::lower::program::Program) and executes it in its own way.
pub mod interpret;
pub mod jit;
