//! Runs the benches and writes the README's figures: `cargo run --release -p figures`.
//!
//! `-- --quick` only tries all out, `-- --peers` also compares with other engines, which takes long to build. The benches print
//! Markdown tables; `questions` picks from them what a server engineer asks. Nothing is written before all is read.

mod plot;
mod questions;
mod read;
mod run;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use run::{Effort, Machine, Runner};

/// Why no figures were written.
#[derive(Debug)]
enum Error {
    /// An argument that means nothing.
    Usage(String),
    /// A file or a program that can't be used.
    Io { what: String, error: io::Error },
    /// A command that ended badly.
    Failed(String),
    /// What a bench should have printed.
    Missing { bench: &'static str, what: String },
    /// A file without a place for what is to be written.
    NoPlace { region: &'static str },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage(argument) => write!(f, "`{argument}`: there are `--quick` and `--peers`"),
            Error::Io { what, error } => write!(f, "{what}: {error}"),
            Error::Failed(command) => write!(f, "`{command}` failed"),
            Error::Missing { bench, what } => write!(f, "bench `{bench}`: found no {what}"),
            Error::NoPlace { region } => {
                write!(f, "README.md: found no lines `<!-- {region}: begin … -->`, `<!-- {region}: end -->`")
            }
        }
    }
}

/// What the system said of a file or a program.
fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
    let what = what.into();
    |error| Error::Io { what, error }
}

/// What was asked for.
struct Arguments {
    effort: Effort,
    peers: Peers,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Peers {
    Left,
    Compared,
}

impl Arguments {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut read = Arguments { effort: Effort::Full, peers: Peers::Left };
        for argument in arguments {
            match argument.as_str() {
                "--quick" => read.effort = Effort::Quick,
                "--peers" => read.peers = Peers::Compared,
                _ => return Err(Error::Usage(argument)),
            }
        }
        Ok(read)
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

fn figures(arguments: &Arguments) -> Result<(), Error> {
    let root = root();
    let (readme_path, plot_path) = (root.join("README.md"), root.join("benches/growth.svg"));
    let readme = fs::read_to_string(&readme_path).map_err(io_error("README.md"))?;
    // A place that is missing should be known before all is measured.
    for region in [write::FIGURES, write::PEERS] {
        write::replaced(&readme, region, "")?;
    }
    let machine = Machine::now();
    let runner = Runner::new(root, arguments.effort)?;
    runner.build()?;

    let decide = runner.bench("decide")?;
    let growth = runner.growth()?;
    let mut rows = questions::decide(&decide)?;
    rows.push(questions::growth(&growth));
    rows.extend(questions::read(&runner.bench("read")?)?);
    rows.extend(questions::slots(&runner.bench("slots")?)?);
    if runner.has_bench("batch") {
        rows.extend(questions::batch(&runner.bench("batch")?)?);
    }
    rows.extend(questions::resident(&runner.bench("resident")?)?);
    rows.extend(questions::swap(&runner.bench("swap")?)?);
    rows.extend(questions::compile(&runner.bench("compile")?)?);
    rows.push(questions::check(&runner.check()?));
    let peers = match arguments.peers {
        Peers::Left => None,
        Peers::Compared => Some(questions::peers(&runner.peers()?)?),
    };

    let decisions = decide.table(questions::BY_HAND)?;
    let body = write::figures(&machine, arguments.effort, &rows, &decisions);
    let mut readme = write::replaced(&readme, write::FIGURES, &body)?;
    if let Some(peers) = peers {
        readme = write::replaced(&readme, write::PEERS, &peers.markdown())?;
    }
    fs::write(&plot_path, plot::svg(&growth)).map_err(io_error("benches/growth.svg"))?;
    fs::write(&readme_path, readme).map_err(io_error("README.md"))
}

fn main() -> ExitCode {
    let ran = Arguments::read(env::args().skip(1)).and_then(|arguments| figures(&arguments));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("figures: {error}");
            ExitCode::FAILURE
        }
    }
}
