//! A login server that decides with a policy and swaps it when its file changes.
//!
//! ```text
//! cargo run --release --example login_server -- examples/admins.stepup
//! curl -d @examples/events/admin-otp.json localhost:8080/decide/enroll
//! ```
//!
//! A policy that doesn't compile is reported and the one before goes on deciding. Logins under way keep the policy
//! that they began with: the facts are laid out by it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use stepup::{Compiler, Policy, Report, jiff::Timestamp};
use tokio::net::TcpListener;

/// The policy in force. Readers take a clone, which costs a counter, and let go of the lock.
type Current = Arc<RwLock<Policy>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: login_server FILE [ADDRESS]")?;
    let address = std::env::args().nth(2).unwrap_or_else(|| "127.0.0.1:8080".to_owned());

    let compiler = Compiler::new();
    let text = fs::read_to_string(&file)?;
    let current: Current = Arc::new(RwLock::new(compile(&compiler, &file, &text)?));

    let watched = Arc::clone(&current);
    thread::spawn(move || watch(&compiler, &file, text, &watched));

    let listener = TcpListener::bind(&address).await?;
    println!("deciding on http://{}/decide/STEP", listener.local_addr()?);
    let app = Router::new().route("/decide/{step}", post(decide)).with_state(current);
    axum::serve(listener, app).await?;
    Ok(())
}

fn compile(compiler: &Compiler, file: &str, text: &str) -> Result<Policy, Report> {
    compiler.compile([(file, text)]).map(|compiled| compiled.policy)
}

/// Compiles the file whenever its text has changed, and swaps the policy when that succeeds.
fn watch(compiler: &Compiler, file: &str, mut text: String, current: &RwLock<Policy>) {
    loop {
        thread::sleep(Duration::from_millis(200));
        let Ok(latest) = fs::read_to_string(file) else { continue };
        if latest == text {
            continue;
        }
        text = latest;
        match compile(compiler, file, &text) {
            Ok(policy) => {
                *current.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = policy;
                println!("`{file}` is in force");
            }
            Err(report) => {
                eprintln!("{report}\n`{file}` does not compile; the policy before it stays in force")
            }
        }
    }
}

/// Decides a step on the event in the body.
async fn decide(State(current): State<Current>, Path(step): Path<String>, event: Bytes) -> Response {
    let policy = current.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    let Some(step) = policy.step(&step) else { return refuse(StatusCode::NOT_FOUND, "no such step") };
    let mut facts = policy.facts();
    if let Err(error) = facts.read_json(&event) {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string());
    }
    facts.set_now(Timestamp::now());
    match step.decide(&facts) {
        Ok(decision) => Json(&decision).into_response(),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, format!("{why}\n")).into_response()
}
