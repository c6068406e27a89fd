//! Lowering: a typed policy becomes a [`Program`](program::Program) over a flat facts record.
pub mod layout;
pub mod paths;
pub mod pool;
pub mod program;
