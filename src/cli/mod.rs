//! The command line: one file a subcommand, each thin over the library's front door.
//!
//! Only this room reads the disk, the clock, the environment and the terminal. What a command finds goes to standard
//! error when it is for people and to standard output when it is for programs; a command's own result goes to
//! standard output. Exit codes are a type: [`Exit`].

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the part that prints")]

mod check;
mod completions;
mod decide;
mod diff;
mod doctor;
mod emit;
mod explain;
mod export;
mod files;
mod flow;
mod fmt;
mod folder;
#[cfg(feature = "import-auth0")]
mod import;
mod new;
mod output;
mod prove;
mod tenant;
mod test;
mod try_login;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// How a command ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// 0: nothing to say against it.
    Fine,
    /// 1: there are findings.
    Findings,
    /// 2: the command line, a file or an event can't be used.
    Usage,
    /// 3: a defect of stepup itself.
    Internal,
    /// 130, as shells have it: Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Internal => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// A policy language for multi-factor authentication in the login flow.
#[derive(Parser)]
#[command(name = "stepup", version, about, propagate_version = true)]
#[command(after_help = "exit codes: 0 fine, 1 findings, 2 usage, 3 a defect of stepup itself")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Decide(decide::Decide),
    Diff(diff::Diff),
    Doctor(doctor::Doctor),
    Emit(emit::Emit),
    Fmt(fmt::Fmt),
    Explain(explain::Explain),
    #[cfg(feature = "import-auth0")]
    Import(import::Import),
    New(new::New),
    Prove(prove::Prove),
    Test(test::Test),
    Try(try_login::Try),
    Completions(completions::Completions),
}

/// Runs the command that the process was started with.
pub(crate) fn run() -> Exit {
    let arguments = Arguments::parse();
    let run = AssertUnwindSafe(|| match arguments.command {
        Command::Check(check) => check.run(),
        Command::Decide(decide) => decide.run(),
        Command::Diff(diff) => diff.run(),
        Command::Doctor(doctor) => doctor.run(),
        Command::Emit(emit) => emit.run(),
        Command::Fmt(fmt) => fmt.run(),
        Command::Explain(explain) => explain.run(),
        #[cfg(feature = "import-auth0")]
        Command::Import(import) => import.run(),
        Command::New(new) => new.run(),
        Command::Prove(prove) => prove.run(),
        Command::Test(test) => test.run(),
        Command::Try(login) => login.run(),
        Command::Completions(completions) => completions.run(),
    });
    catch_unwind(run).unwrap_or_else(|_| {
        eprintln!("this is a defect of stepup: please report it with the policy and the command line");
        Exit::Internal
    })
}
