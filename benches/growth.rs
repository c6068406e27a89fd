//! What a policy costs as it grows from 10 rules to 10,000: `cargo bench --bench growth`.
//!
//! Prints Markdown tables. `-- --csv FILE` writes the figures for a plot, `-- --only NAME` measures the shapes whose
//! name holds that, `-- --rules 10,100` other sizes. `README.md` here says how it is measured.
#![allow(clippy::print_stdout, reason = "a bench reports")]

#[path = "support/growing.rs"]
mod growing;
#[allow(dead_code, reason = "the other benches use the rest")]
#[path = "support/inputs.rs"]
mod inputs;

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use stepup::backend::interpret;
use stepup::backend::jit::{CodeMemory, JitCompiler, NativeStep};
use stepup::backend::witness::validate;
use stepup::check::policy::{StepId, TypedPolicy};
use stepup::check::{Library, Role, Unit, check};
use stepup::lower::lower;
use stepup::lower::program::Program;
use stepup::runtime::Facts;
use stepup::source::Sources;
use stepup::syntax::parse::parse;

use growing::{SHAPES, Shape};
use inputs::{INPUTS, Order, Random};

/// Records take no more than this together, so that all sizes find theirs in the cache of the second level.
const RECORD_BYTES: usize = 256 << 10;

/// For how long a figure is measured.
const BUDGET: Duration = Duration::from_millis(300);

/// What was measured of a shape at one size.
struct Figures {
    rules: u64,
    /// Nanoseconds a decision, by the order of logins.
    decide: [f64; 2],
    bytes: usize,
    lower: Duration,
    jit: Duration,
    validation: Duration,
    /// Answers of questions, and those that no witness was found for.
    answers: [usize; 2],
}

const ORDERS: [Order; 2] = [Order::Predictable, Order::Unpredictable];

impl Figures {
    fn bytes_a_rule(&self) -> f64 {
        self.bytes as f64 / self.rules as f64
    }

    fn microseconds_a_rule(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / self.rules as f64
    }
}

/// A text, checked; what the proofs would say of it is measured elsewhere.
fn typed(text: &str) -> TypedPolicy {
    let mut sources = Sources::new();
    let library = [
        ("std.catalog", include_str!("../stdlib/catalog.stepup"), Role::Library),
        ("std.event", include_str!("../stdlib/event.stepup"), Role::Library),
        ("rules.stepup", text, Role::Flow),
    ];
    let units = library.map(|(name, text, role)| {
        let file = sources.add(name, text);
        Unit { tree: parse(file, text).0, role, uses: Vec::new() }
    });
    let library = Library::new(&sources, units[..2].to_vec());
    let checked = check(&sources, &library, &units[2..], None);
    checked.policy.expect("the policy is well formed")
}

/// The records of logins, one after the other, and in which order they are decided.
struct Logins {
    words: usize,
    records: Vec<u64>,
    picks: Vec<u32>,
}

impl Logins {
    fn new(shape: &Shape, rules: u64, program: &Program, random: &mut Random) -> Self {
        let words = program.interface.layout.words;
        let count = INPUTS.min(RECORD_BYTES / (8 * words)) as u32;
        let mut facts = Facts::new(&program.interface.layout);
        let mut records = Vec::new();
        for _ in 0..count {
            facts.read_json(shape.login(random, rules).as_bytes()).expect("the event fits the policy");
            facts.set_enrolled(if random.below(8) == 0 { &["otp"] } else { &[] });
            records.extend_from_slice(facts.words_for(&program.interface.layout).expect("all is filled"));
        }
        let picks = (0..INPUTS).map(|_| random.below(count.into()) as u32).collect();
        Logins { words, records, picks }
    }

    fn record(&self, pick: u32) -> &[u64] {
        let start = pick as usize * self.words;
        &self.records[start..start + self.words]
    }
}

/// Nanoseconds a decision: the fastest pass over all picks, the loop included.
fn fastest(logins: &Logins, step: NativeStep<'_>, order: Order) -> f64 {
    let mut picks = logins.picks.clone();
    if order == Order::Predictable {
        picks.sort_by_key(|pick| {
            let record = logins.record(*pick);
            (step.decide(record).map(|word| word.0), *pick)
        });
    }
    let (random, start, mut best) = (&mut Random(1), Instant::now(), Duration::MAX);
    while start.elapsed() < BUDGET {
        let stride = match order {
            Order::Predictable => 1,
            Order::Unpredictable => random.below(INPUTS as u64) as usize | 1,
        };
        let (mut place, mut sum) = (0_usize, 0_u64);
        let pass = Instant::now();
        for _ in 0..INPUTS {
            let record = logins.record(picks[place % INPUTS]);
            sum = sum.wrapping_add(step.decide(record).map_or(0, |word| word.0));
            place = place.wrapping_add(stride);
        }
        black_box(sum);
        best = best.min(pass.elapsed());
    }
    best.as_nanos() as f64 / INPUTS as f64
}

/// The fastest of a few runs, and what it made.
fn timed<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut timed = || {
        let start = Instant::now();
        let made = run();
        (start.elapsed(), made)
    };
    let mut best = timed();
    for _ in 0..4 {
        let next = timed();
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}

fn measure(shape: &Shape, rules: u64) -> Figures {
    let policy = typed(&shape.policy(rules));
    let (lowering, program) = timed(|| lower(&policy).expect("the policy stays within all bounds"));
    let mut compiler = JitCompiler::new(CodeMemory::new()).expect("this host has machine code");
    let (jit, code) = timed(|| compiler.compile(&program).expect("the program is well formed"));
    let id = StepId::from_u32(0);
    let step = code.step(id).expect("there is one step");
    let logins = Logins::new(shape, rules, &program, &mut Random(0x5EED));
    for record in logins.records.chunks_exact(logins.words) {
        assert_eq!(
            step.decide(record),
            Some(interpret::decide(&program.steps[id], record)),
            "{}",
            shape.name
        );
    }
    let decide = ORDERS.map(|order| fastest(&logins, step, order));
    let (validation, coverage) = timed(|| {
        validate(&program, |step, words| code.decide(step, words)).expect("the code decides as it should")
    });
    let answers = [coverage.answers, coverage.unreached];
    Figures { rules, decide, bytes: code.bytes(), lower: lowering, jit, validation, answers }
}

/// The tables, as they grow.
#[derive(Default)]
struct Report {
    decide: String,
    size: String,
    validation: String,
    csv: String,
}

impl Report {
    fn add(&mut self, shape: &Shape, figures: &[Figures]) {
        let ratio = |order: usize| {
            let first = figures.first().map_or(f64::NAN, |first| first.decide[order]);
            move |at: &Figures| at.decide[order] / first
        };
        for (place, order) in ORDERS.iter().enumerate() {
            let order = format!("{order:?}").to_lowercase();
            let _ = write!(self.decide, "| {} | {order} |", shape.name);
            for at in figures {
                let _ = write!(self.decide, " {:.2} ns |", at.decide[place]);
            }
            let _ = writeln!(self.decide, " {:.2} |", figures.last().map_or(f64::NAN, ratio(place)));
        }
        let _ = write!(self.size, "| {} |", shape.name);
        let _ = write!(self.validation, "| {} |", shape.name);
        for at in figures {
            let times = [at.lower, at.jit, at.validation];
            let [lower, jit, validation] = times.map(|time| at.microseconds_a_rule(time));
            let [answers, unreached] = at.answers;
            let _ = write!(self.size, " {:.0} B, {lower:.1} + {jit:.1} µs |", at.bytes_a_rule());
            let _ = write!(self.validation, " {validation:.1} µs, {unreached} of {answers} |");
            for (place, order) in ORDERS.iter().enumerate() {
                let order = format!("{order:?}").to_lowercase();
                let (ns, ratio) = (at.decide[place], ratio(place)(at));
                let bytes = at.bytes_a_rule();
                let row = format!(
                    "{:?},{order},{},{ns:.3},{ratio:.3},{bytes:.1},{lower:.3},{jit:.3},{validation:.3}",
                    shape.name, at.rules
                );
                let _ = writeln!(self.csv, "{row}");
            }
        }
        self.size.push('\n');
        self.validation.push('\n');
    }

    fn print(&self, sizes: &[u64]) {
        let columns: String = sizes.iter().map(|rules| format!(" {rules} rules |")).collect();
        let line = "--:|".repeat(sizes.len());
        println!(
            "\n| rules | order of logins |{columns} times the first |\n|---|---|{line}--:|\n{}",
            self.decide
        );
        println!("Code and tables a rule; lowering + machine code a rule:\n");
        println!("| rules |{columns}\n|---|{line}\n{}", self.size);
        println!("Validation a rule; answers that no witness was found for:\n");
        println!("| rules |{columns}\n|---|{line}\n{}", self.validation);
    }
}

/// The value after a name among the arguments.
fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

fn main() {
    let only = argument("--only").unwrap_or_default();
    let sizes = argument("--rules").unwrap_or_else(|| "10,100,1000,10000".into());
    let sizes: Vec<u64> = sizes.split(',').filter_map(|rules| rules.parse().ok()).collect();
    let mut report = Report::default();
    for shape in SHAPES.iter().filter(|shape| shape.name.contains(&only)) {
        let figures: Vec<Figures> = sizes.iter().map(|rules| measure(shape, *rules)).collect();
        report.add(shape, &figures);
    }
    report.print(&sizes);
    if let Some(path) = argument("--csv") {
        let head = "rules,order,count,nanoseconds,ratio,bytes_a_rule,lower_microseconds,jit_microseconds,validate_microseconds\n";
        std::fs::write(&path, head.to_owned() + &report.csv).expect("the file can be written");
    }
}
