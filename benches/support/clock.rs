//! Contenders, measured side by side.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// One of several that do the same work: its pass over all inputs, and what it adds up to.
pub(crate) struct Contender<'a> {
    #[allow(dead_code, reason = "some benches name their columns")]
    pub(crate) name: &'static str,
    pub(crate) pass: Box<dyn FnMut() -> u64 + 'a>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: &'static str, pass: impl FnMut() -> u64 + 'a) -> Self {
        Contender { name, pass: Box::new(pass) }
    }
}

/// The fastest pass of each, in seconds. They take turns, a pass each, for this long: what else runs on the machine can
/// only add to a time, and adds to all alike.
pub(crate) fn fastest(contenders: &mut [Contender<'_>], time: Duration) -> Vec<f64> {
    let mut fastest = vec![f64::INFINITY; contenders.len()];
    let begin = Instant::now();
    let mut rounds = 0;
    while begin.elapsed() < time || rounds < 5 {
        for (contender, fastest) in contenders.iter_mut().zip(&mut fastest) {
            let start = Instant::now();
            black_box((contender.pass)());
            *fastest = fastest.min(start.elapsed().as_secs_f64());
        }
        rounds += 1;
    }
    fastest
}

/// How long to measure: `--quick` is for a run that only has to show that all works.
pub(crate) fn time_for(seconds: f64) -> Duration {
    let is_quick = std::env::args().any(|argument| matches!(argument.as_str(), "--quick" | "--test"));
    Duration::from_secs_f64(if is_quick { 0.0 } else { seconds })
}
