//! Backends: a policy, executed. `jit` takes a whole [`Program`](crate::lower::program::Program), `interpret` one step of it
//! at a time; `auth0` writes JavaScript of the typed policy, for people to read.

pub mod auth0;
pub mod interpret;
pub mod jit;
pub mod witness;
