//! A population in Arrow's columns, decided at once, against slot stores and `decide` one at a time.
//!
//! `cargo bench --bench batch` prints a table; `README.md` here says how it is made.
#![allow(clippy::print_stdout, reason = "a bench reports")]

#[allow(dead_code, reason = "another bench has a perfect hash of them")]
#[path = "support/applications.rs"]
mod applications;
#[path = "support/clock.rs"]
mod clock;
#[allow(dead_code, reason = "the events are those of another bench")]
#[path = "support/events.rs"]
mod events;
#[allow(dead_code, reason = "the logins are those of other benches")]
#[path = "support/inputs.rs"]
mod inputs;

use std::sync::Arc;

use applications::APPLICATIONS;
use clock::{Contender, fastest, time_for};
use inputs::Random;
use stepup::arrow_array::builder::{BooleanBuilder, ListBuilder, StringBuilder, StringDictionaryBuilder};
use stepup::arrow_array::types::Int32Type;
use stepup::arrow_array::{ArrayRef, RecordBatch, UInt64Array};
use stepup::lower::program::DecisionWord;
use stepup::{Compiler, Facts, Policy};

/// How many users there are.
const USERS: usize = 1 << 20;

/// How many of them a batch has. Readers of files and databases give so many rows or fewer at a time.
const ROWS: usize = 1 << 16;

const FACTORS: [&str; 7] =
    ["webauthn-roaming", "webauthn-platform", "otp", "push-notification", "phone", "email", "recovery-code"];

/// How texts stand in a column.
#[derive(Clone, Copy)]
enum Encoding {
    Plain,
    Dictionary,
}

/// A user, as a server has one.
struct User {
    is_admin: bool,
    enrolled: Vec<&'static str>,
    application: &'static str,
}

fn users() -> Vec<User> {
    let mut random = Random(0x5EED);
    let other = "0therApplicationThatHasNoRule000";
    (0..USERS)
        .map(|_| {
            let count = if random.below(4) == 0 { 0 } else { 1 + random.below(3) };
            User {
                is_admin: random.below(2) == 0,
                enrolled: (0..count).map(|_| FACTORS[random.below(7) as usize]).collect(),
                application: APPLICATIONS.get(random.below(55) as usize).unwrap_or(&other),
            }
        })
        .collect()
}

fn texts<'t>(texts: impl Iterator<Item = &'t str>, encoding: Encoding) -> ArrayRef {
    match encoding {
        Encoding::Plain => {
            let mut column = StringBuilder::new();
            texts.for_each(|text| column.append_value(text));
            Arc::new(column.finish())
        }
        Encoding::Dictionary => {
            let mut column = StringDictionaryBuilder::<Int32Type>::new();
            texts.for_each(|text| column.append_value(text));
            Arc::new(column.finish())
        }
    }
}

fn lists<'t>(lists: impl Iterator<Item = &'t [&'static str]>, encoding: Encoding) -> ArrayRef {
    match encoding {
        Encoding::Plain => {
            let mut column = ListBuilder::new(StringBuilder::new());
            lists.for_each(|list| column.append_value(list.iter().map(Some)));
            Arc::new(column.finish())
        }
        Encoding::Dictionary => {
            let mut column = ListBuilder::new(StringDictionaryBuilder::<Int32Type>::new());
            for list in lists {
                list.iter().for_each(|text| column.values().append_value(text));
                column.append(true);
            }
            Arc::new(column.finish())
        }
    }
}

fn policy(text: &str) -> Policy {
    Compiler::new().compile([("bench.stepup", text)]).expect("the policy compiles").policy
}

fn main() {
    println!(
        "\n| policy, columns | slots and decide, one at a time | decide_batch | times as many a second |"
    );
    println!("|---|--:|--:|--:|");
    let users = users();
    for (name, encoding) in [("texts", Encoding::Plain), ("dictionaries", Encoding::Dictionary)] {
        action_1(&users, name, encoding);
        fifty_rules(&users, name, encoding);
    }
}

fn action_1(users: &[User], name: &str, encoding: Encoding) {
    let policy = policy(events::ACTION_1);
    let mut admins = BooleanBuilder::new();
    users.iter().for_each(|user| admins.append_value(user.is_admin));
    let admins: ArrayRef = Arc::new(admins.finish());
    let enrolled = lists(users.iter().map(|user| &user.enrolled[..]), encoding);
    let events = RecordBatch::try_from_iter([("user.isAdmin", admins), ("enrolled", enrolled)]);
    let admin = policy.slot::<bool>("user.isAdmin").expect("a fact");
    let store = |facts: &mut Facts, user: &User| {
        facts.set(&admin, user.is_admin).expect("a slot of the policy");
        facts.set_enrolled(&user.enrolled);
    };
    row(&format!("the seed's Action 1, {name}"), &policy, users, store, &events.expect("equal lengths"));
}

fn fifty_rules(users: &[User], name: &str, encoding: Encoding) {
    let policy = policy(&events::fifty_rules());
    let applications = texts(users.iter().map(|user| user.application), encoding);
    let events = RecordBatch::try_from_iter([("client.id", applications)]);
    let id = policy.slot::<&str>("client.id").expect("a fact");
    let store = |facts: &mut Facts, user: &User| {
        facts.set(&id, user.application).expect("a slot of the policy");
    };
    let name = format!("50 rules by application, {name}");
    row(&name, &policy, users, store, &events.expect("equal lengths"));
}

/// Measures and prints a row.
fn row(name: &str, policy: &Policy, users: &[User], store: impl Fn(&mut Facts, &User), events: &RecordBatch) {
    let step = policy.steps().next().expect("a step");
    let mut facts = policy.facts();
    let mut decide = move |user: &User| {
        store(&mut facts, user);
        step.decide_word(&facts).map_or(u64::MAX, |DecisionWord(word)| word)
    };
    let batches: Vec<RecordBatch> = (0..USERS).step_by(ROWS).map(|begin| events.slice(begin, ROWS)).collect();
    let at_once = |batch: &RecordBatch| {
        let decisions = policy.decide_batch(batch).expect("columns of the policy");
        decisions.words(step.name()).expect("a step of the policy")
    };
    for (batch, users) in batches.iter().zip(users.chunks(ROWS)) {
        let words = at_once(batch);
        let alike = words.iter().zip(users).all(|(word, user)| word == Some(decide(user)));
        assert!(alike && words.len() == users.len(), "the same answers");
    }
    let mut contenders = [
        Contender::new("one at a time", || {
            users.iter().fold(0, |sum: u64, user| sum.wrapping_add(decide(user)))
        }),
        Contender::new("at once", || {
            let sum = |sum: u64, words: UInt64Array| {
                words.values().iter().fold(sum, |sum, word| sum.wrapping_add(*word))
            };
            batches.iter().map(at_once).fold(0, sum)
        }),
    ];
    let times = fastest(&mut contenders, time_for(4.0));
    let [singly, at_once] = [times[0], times[1]].map(|time| time * 1e9 / USERS as f64);
    println!("| {name} | {singly:.1} ns | {at_once:.1} ns | {:.1} |", singly / at_once);
}
