//! Runs what makes figures, one program after the other, from the folder of the workspace.
//!
//! What a program prints is shown as it comes and kept. All is built first, so that no compiler has just warmed the machine.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::read::{Curve, Printed, curves};
use crate::{Error, io_error};

/// For how long benches measure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    Full,
    /// As long as it takes to see that all works.
    Quick,
}

/// How often a process is started, for the median.
const STARTS: usize = 20;

/// The policy that is checked: the seed's, with its guarantee.
const CHECKED: [&str; 2] = ["check", "examples/admins.stepup"];

/// What a process takes from its start to its end.
pub(crate) struct Process {
    /// The median, and that of one that only says its version.
    pub(crate) check: Duration,
    pub(crate) version: Duration,
    /// The most memory that it occupied, where GNU time is there to tell.
    pub(crate) kilobytes: Option<u64>,
}

pub(crate) struct Runner {
    root: PathBuf,
    /// Where cargo builds.
    target: PathBuf,
    effort: Effort,
}

impl Runner {
    pub(crate) fn new(root: PathBuf, effort: Effort) -> Result<Self, Error> {
        let own = env::current_exe().map_err(io_error("this program"))?;
        let target = own.ancestors().nth(2).unwrap_or(&root).to_owned();
        Ok(Runner { root, target, effort })
    }

    /// Builds the command line and all benches.
    pub(crate) fn build(&self) -> Result<(), Error> {
        self.cargo(&["build", "--release", "--locked"])?;
        self.cargo(&["bench", "--locked", "--no-run"]).map(drop)
    }

    pub(crate) fn has_bench(&self, name: &str) -> bool {
        self.root.join("benches").join(name).with_extension("rs").exists()
    }

    pub(crate) fn bench(&self, name: &'static str) -> Result<Printed, Error> {
        self.bench_with(name, &[])
    }

    /// The bench `growth`: its curves of logins in unpredictable order.
    pub(crate) fn growth(&self) -> Result<Vec<Curve>, Error> {
        let path = self.target.join("growth.csv");
        // What an earlier run has left must not be taken for this one's.
        let _ = fs::remove_file(&path);
        self.bench_with("growth", &["--csv".as_ref(), path.as_os_str()])?;
        let csv = fs::read_to_string(&path).map_err(io_error("the bench `growth` wrote no CSV"))?;
        curves(&csv, "unpredictable")
    }

    pub(crate) fn peers(&self) -> Result<Printed, Error> {
        let text = self.cargo(&["run", "--release", "--locked", "-p", "peers"])?;
        Ok(Printed { bench: "peers", text })
    }

    /// Checks the seed's policy, a process each time.
    pub(crate) fn check(&self) -> Result<Process, Error> {
        let stepup = self.target.join("release").join(format!("stepup{}", env::consts::EXE_SUFFIX));
        Ok(Process {
            check: self.median(&stepup, &CHECKED)?,
            version: self.median(&stepup, &["--version"])?,
            kilobytes: self.kilobytes(&stepup),
        })
    }

    fn bench_with(&self, name: &'static str, options: &[&OsStr]) -> Result<Printed, Error> {
        let mut arguments: Vec<&OsStr> = ["bench", "--locked", "--bench", name, "--"].map(OsStr::new).into();
        arguments.extend(options);
        if self.effort == Effort::Quick {
            arguments.push("--quick".as_ref());
        }
        Ok(Printed { bench: name, text: self.cargo(&arguments)? })
    }

    /// Runs cargo, shows what it prints, and returns it.
    fn cargo(&self, arguments: &[impl AsRef<OsStr>]) -> Result<String, Error> {
        let shown: Vec<_> = arguments.iter().map(|argument| argument.as_ref().to_string_lossy()).collect();
        let shown = format!("cargo {}", shown.join(" "));
        eprintln!("\n$ {shown}");
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command.args(arguments).current_dir(&self.root).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(io_error(&shown))?;
        let mut printed = String::new();
        for line in child.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
            let line = line.map_err(io_error(&shown))?;
            println!("{line}");
            printed += &line;
            printed.push('\n');
        }
        let status = child.wait().map_err(io_error(&shown))?;
        if status.success() { Ok(printed) } else { Err(Error::Failed(shown)) }
    }

    /// The median of some runs of a program of ours.
    fn median(&self, program: &Path, arguments: &[&str]) -> Result<Duration, Error> {
        let shown = format!("stepup {}", arguments.join(" "));
        let mut times = Vec::with_capacity(STARTS);
        for _ in 0..STARTS {
            let mut command = Command::new(program);
            command.args(arguments).current_dir(&self.root);
            let start = Instant::now();
            let output = command.output().map_err(io_error(&shown))?;
            times.push(start.elapsed());
            // 1: there are findings, as there are in the seed's policy.
            if !matches!(output.status.code(), Some(0 | 1)) {
                return Err(Error::Failed(shown));
            }
        }
        times.sort_unstable();
        Ok(times[STARTS / 2])
    }

    fn kilobytes(&self, program: &Path) -> Option<u64> {
        let mut command = Command::new("/usr/bin/time");
        command.args(["-f", "%M"]).arg(program).args(CHECKED).current_dir(&self.root);
        let output = command.output().ok()?;
        String::from_utf8(output.stderr).ok()?.lines().last()?.trim().parse().ok()
    }
}

/// Where the figures are made.
pub(crate) struct Machine {
    pub(crate) processor: Option<String>,
    pub(crate) threads: usize,
    pub(crate) rustc: Option<String>,
    /// How many other programs wanted to run in the minute before, on average.
    pub(crate) load: Option<f64>,
}

impl Machine {
    pub(crate) fn now() -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = processors.lines().find(|line| line.starts_with("model name"));
        let processor = model.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()));
        let rustc = Command::new("rustc").arg("--version").output().ok();
        let rustc = rustc.and_then(|output| String::from_utf8(output.stdout).ok());
        let rustc = rustc.and_then(|text| text.split_whitespace().nth(1).map(str::to_owned));
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().and_then(|load| load.parse().ok());
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Machine { processor, threads, rustc, load }
    }
}
