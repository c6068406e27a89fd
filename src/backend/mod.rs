//! Backends: a policy, executed. `interpret` and `jit` take a [`Program`](crate::lower::program::Program); `auth0` writes
//! JavaScript of the typed policy, for people to read.

pub mod auth0;
pub mod interpret;
pub mod jit;
pub mod witness;
