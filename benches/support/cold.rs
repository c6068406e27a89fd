//! As many Rust functions as there are cold decisions: the seed's Action 1, each with numbers of its own.

/// Sixteen times what follows, with a digit more.
macro_rules! functions {
    ($($a:literal)*) => {
        [$(functions!(@ $a)),*].as_flattened().as_flattened()
    };
    (@ $a:literal) => { functions!(@@ $a; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) };
    (@@ $a:literal; $($b:literal)*) => { [$(functions!(@@@ $a $b; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)),*] };
    (@@@ $a:literal $b:literal; $($c:literal)*) => { [$(action_1::<{ $a * 256 + $b * 16 + $c }> as Function),*] };
}

/// A decision on the words of a login.
pub(crate) type Function = fn(&[u64; 8]) -> u64;

/// The functions.
pub(crate) static FUNCTIONS: &[Function] = functions!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);

/// Action 1 by hand, with commands of its own.
fn action_1<const NUMBER: u64>(words: &[u64; 8]) -> u64 {
    let [enrolled, flags, ..] = *words;
    let is_admin = flags & 1 != 0;
    if enrolled != 0 {
        if is_admin && enrolled & 1 << (NUMBER % 60) == 0 { (NUMBER + 4) << 16 | 3 } else { 3 + NUMBER }
    } else if is_admin {
        (NUMBER + 2) << 16 | 1
    } else {
        1 + NUMBER
    }
}
