//! Writing reports down: for people, for programs, for code hosts.
