//! Bytes that decide what is built.

/// A source of decisions; once its bytes are used up, each decision is the first option.
pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number under `end`, which is at most 256 and not 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// One chance in `of`; no, once the bytes are used up.
    pub fn rarely(&mut self, of: usize) -> bool {
        self.below(of) == of - 1
    }

    /// One of these.
    pub fn one_of<'o, T>(&mut self, options: &'o [T]) -> &'o T {
        &options[self.below(options.len())]
    }

    /// Some of these, in their order.
    pub fn some_of<T: Clone>(&mut self, options: &[T]) -> Vec<T> {
        let bits = u16::from_le_bytes([self.byte(), self.byte()]);
        let chosen = options.iter().enumerate().filter(|(place, _)| bits >> (place % 16) & 1 != 0);
        chosen.map(|(_, option)| option.clone()).collect()
    }
}
