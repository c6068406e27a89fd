//! Room on the stack. Stages recurse over trees and diagrams whose depth is bounded; what a thread has left is not.

/// What the stages need for the deepest text that is allowed, in a build without optimisation.
pub(crate) const DEEPEST_TEXT: usize = 1 << 20;

/// Does some work with so many bytes of stack at least: where the thread has less left, on a stretch of its own.
pub(crate) fn with_room<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(bytes, 2 * bytes, work)
}
