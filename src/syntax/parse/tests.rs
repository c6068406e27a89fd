//! What the parser understands, and what it says when it doesn't.
