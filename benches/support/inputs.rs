//! The logins that are decided: as many as a processor can't learn by heart.

/// How many; a power of two.
pub(crate) const INPUTS: usize = 8192;

/// The words of one login.
pub(crate) type Words = [u64; 2];

/// Logins of Action 1: of seven factors each is enrolled or not, one in four logins has none, half are admins'.
pub(crate) fn action_1(random: &mut Random) -> Vec<Words> {
    let login = |_| {
        let enrolled = if random.below(4) == 0 { 0 } else { random.below(1 << 7) };
        [enrolled, random.below(2)]
    };
    (0..INPUTS).map(login).collect()
}

/// Logins of any of `applications`, one in ten of another; each of ten facts holds in nine of ten.
pub(crate) fn applications(random: &mut Random, applications: u64) -> Vec<Words> {
    let login = |_| {
        let application = random.below(applications + applications / 10);
        let facts = (0..10).fold(0, |facts, bit| facts | u64::from(random.below(10) != 0) << bit);
        [application, facts]
    };
    (0..INPUTS).map(login).collect()
}

/// Numbers that are the same in every run (xorshift64*).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}

/// In which order logins come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// Alike ones after one another.
    Predictable,
    /// In an order that is another in every pass.
    Unpredictable,
}

/// Decides all logins once, and gives the sum of the decisions.
#[inline(always)]
pub(crate) fn pass<T>(inputs: &[T], order: Order, random: &mut Random, decide: impl Fn(&T) -> u64) -> u64 {
    let stride = match order {
        Order::Predictable => 1,
        Order::Unpredictable => random.below(INPUTS as u64) as usize | 1,
    };
    let mut place = 0;
    let mut sum = 0_u64;
    for _ in 0..inputs.len() {
        sum = sum.wrapping_add(decide(&inputs[place % INPUTS]));
        place = place.wrapping_add(stride);
    }
    sum
}
