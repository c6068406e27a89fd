//! Typed values to a decision, strings numbered on the way, against a perfect hash of the same strings and native Rust.
//!
//! `cargo bench --bench slots` prints a table; `README.md` here says how it is made.
#![allow(clippy::print_stdout, reason = "a bench reports")]

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

use std::collections::BTreeSet;
use std::fmt::Write;
use std::hint::black_box;

use applications::{APPLICATIONS, NUMBERS};
use clock::{Contender, fastest, time_for};
use inputs::Random;
use stepup::lower::program::DecisionWord;
use stepup::{Compiler, Facts, Policy};

/// How many logins are decided in a pass.
const LOGINS: usize = 8192;

/// The factors of the catalog, in a perfect hash that the compiler makes.
static FACTORS: phf::Map<&'static str, u64> = phf::phf_map! {
    "webauthn-roaming" => 1, "webauthn-platform" => 2, "otp" => 4, "push-notification" => 8, "phone" => 16,
    "email" => 32, "recovery-code" => 64,
};

/// A login of Action 1.
struct Login1 {
    is_admin: bool,
    enrolled: Vec<&'static str>,
}

#[inline(never)]
fn action_1_by_hand(login: &Login1) -> u64 {
    let enrolled =
        login.enrolled.iter().fold(0, |mask, name| mask | FACTORS.get(name).copied().unwrap_or(1 << 63));
    if enrolled != 0 {
        if login.is_admin && enrolled & 1 == 0 { 0x0003_0002 } else { 2 }
    } else if login.is_admin {
        0x0001_0001
    } else {
        1
    }
}

#[inline(never)]
fn rules_by_hand(id: &str) -> u64 {
    NUMBERS.get(id).map_or(0, |number| 1 + number % 4)
}

/// A login that three strings decide.
struct Login3 {
    application: &'static str,
    country: &'static str,
    connection: &'static str,
}

static COUNTRIES: phf::Map<&'static str, u64> = phf::phf_map! {
    "DE" => 0, "FR" => 1, "US" => 2, "GB" => 3, "IN" => 4, "BR" => 5, "JP" => 6, "ZA" => 7,
};

static CONNECTIONS: phf::Map<&'static str, u64> = phf::phf_map! {
    "Username-Password-Authentication" => 0, "google-oauth2" => 1, "acme-saml" => 2, "partner-oidc" => 3,
};

#[inline(never)]
fn three_by_hand(login: &Login3) -> u64 {
    let Some(application) = NUMBERS.get(login.application) else { return 0 };
    let country = COUNTRIES.get(login.country).copied().unwrap_or(8);
    let connection = CONNECTIONS.get(login.connection).copied().unwrap_or(4);
    if country == application % 8 || connection == application % 4 { 1 + application % 4 } else { 0 }
}

const COMMANDS: [&str; 4] = ["challenge otp", "challenge email", "enroll otp", "challenge phone"];

fn three_strings() -> String {
    let [countries, connections] = [&COUNTRIES, &CONNECTIONS].map(|map| {
        let mut names: Vec<_> = map.entries().collect();
        names.sort_unstable_by_key(|(_, number)| **number);
        names
    });
    let mut text = String::from("step rules {\n");
    for (number, id) in APPLICATIONS.iter().enumerate() {
        let (country, connection) = (countries[number % 8].0, connections[number % 4].0);
        let command = COMMANDS[number % 4];
        writeln!(
            text,
            "  if client.id == \"{id}\" and ((request.geo.country_code ?? \"\") == \"{country}\" \
             or connection.name == \"{connection}\") then {command}"
        )
        .expect("a string takes all");
    }
    text + "}"
}

/// Rules for many applications, and a perfect hash of them made at run time, as the compiler would make it.
fn many_rules(count: usize) -> (String, Vec<&'static str>, &'static phf::Map<&'static str, u64>) {
    let random = &mut Random(0xA11CE);
    let letter = |random: &mut Random| char::from(b'a' + random.below(26) as u8);
    let ids = (0..count).map(|_| (0..32).map(|_| letter(random)).collect::<String>());
    let ids: Vec<&'static str> = ids.map(|id| &*id.leak()).collect();
    let mut text = String::from("step rules {\n");
    for (number, id) in ids.iter().enumerate() {
        writeln!(text, "  if client.id == \"{id}\" then {}", COMMANDS[number % 4])
            .expect("a string takes all");
    }
    let state = phf_generator::generate_hash(&ids);
    let entries: Vec<_> = state.map.iter().map(|number| (ids[*number], *number as u64)).collect();
    let map = phf::Map { key: state.key, disps: state.disps.leak(), entries: entries.leak() };
    (text + "}", ids, Box::leak(Box::new(map)))
}

fn policy(text: &str) -> Policy {
    Compiler::new().compile([("bench.stepup", text)]).expect("the policy compiles").policy
}

fn decide(policy: &Policy, facts: &Facts) -> u64 {
    let step = policy.steps().next().expect("a step");
    step.decide_word(facts).map_or(u64::MAX, |DecisionWord(word)| word)
}

/// Decides all logins once, in an order that differs from pass to pass.
fn pass<'l, T>(logins: &'l [T], mut decide: impl FnMut(&'l T) -> u64 + 'l) -> impl FnMut() -> u64 + 'l {
    let mut random = Random(1);
    move || {
        let stride = random.below(LOGINS as u64) as usize | 1;
        let places = (0..LOGINS).map(|place| place.wrapping_mul(stride) % LOGINS);
        places.fold(0, |sum: u64, place| sum.wrapping_add(decide(black_box(&logins[place]))))
    }
}

/// Measures and prints a row.
fn row<T>(name: &str, logins: &[T], mut ours: impl FnMut(&T) -> u64, by_hand: impl Fn(&T) -> u64) {
    let pairs: BTreeSet<(u64, u64)> = logins.iter().map(|login| (ours(login), by_hand(login))).collect();
    let sides = [pairs.iter().map(|pair| pair.0).collect(), pairs.iter().map(|pair| pair.1).collect()];
    assert!(sides.iter().all(|side: &BTreeSet<u64>| side.len() == pairs.len()), "alike: {pairs:?}");
    assert!(!sides[0].contains(&u64::MAX), "all decide");
    let mut contenders =
        [Contender::new("by hand", pass(logins, by_hand)), Contender::new("stepup", pass(logins, ours))];
    let times = fastest(&mut contenders, time_for(3.0));
    let [by_hand, ours] = [times[0], times[1]].map(|time| time * 1e9 / LOGINS as f64);
    println!("| {name} | {by_hand:.1} ns | {ours:.1} ns | {:.2} |", ours / by_hand);
}

fn main() {
    println!("\n| policy, and what is stored | perfect hash, native Rust | stepup | ratio |");
    println!("|---|--:|--:|--:|");
    let random = &mut Random(0x5EED);
    action_1(random);
    fifty_rules(random);
    three(random);
    ten_thousand(random);
    println!("\n| patterns on one string | starts with | ends with |");
    println!("|--:|--:|--:|");
    for count in [10, 100, 1_000] {
        patterns(count);
    }
}

fn action_1(random: &mut Random) {
    let names: Vec<&'static str> = FACTORS.keys().copied().collect();
    let logins: Vec<Login1> = (0..LOGINS)
        .map(|_| {
            let count = if random.below(4) == 0 { 0 } else { 1 + random.below(3) };
            let enrolled = (0..count).map(|_| names[random.below(7) as usize]).collect();
            Login1 { is_admin: random.below(2) == 0, enrolled }
        })
        .collect();
    let policy = policy(events::ACTION_1);
    let admin = policy.slot::<bool>("user.isAdmin").expect("a fact");
    let mut facts = policy.facts();
    let ours = |login: &Login1| {
        facts.set(&admin, login.is_admin).expect("a slot of the policy");
        facts.set_enrolled(&login.enrolled);
        decide(&policy, &facts)
    };
    row("the seed's Action 1: a bool, 0 to 3 factors by name", &logins, ours, action_1_by_hand);
}

fn fifty_rules(random: &mut Random) {
    let other = "0therApplicationThatHasNoRule000";
    let logins: Vec<&str> =
        (0..LOGINS).map(|_| *APPLICATIONS.get(random.below(55) as usize).unwrap_or(&other)).collect();
    let policy = policy(&events::fifty_rules());
    let id = policy.slot::<&str>("client.id").expect("a fact");
    let mut facts = policy.facts();
    let ours = |login: &&str| {
        facts.set(&id, *login).expect("a slot of the policy");
        decide(&policy, &facts)
    };
    row("50 rules by application: its id", &logins, ours, |id| rules_by_hand(id));
}

fn three(random: &mut Random) {
    let countries: Vec<&'static str> = COUNTRIES.keys().copied().chain(["CH", "AT"]).collect();
    let connections: Vec<&'static str> = CONNECTIONS.keys().copied().chain(["other-saml"]).collect();
    let logins: Vec<Login3> = (0..LOGINS)
        .map(|_| Login3 {
            application: APPLICATIONS[random.below(50) as usize],
            country: countries[random.below(10) as usize],
            connection: connections[random.below(5) as usize],
        })
        .collect();
    let policy = policy(&three_strings());
    let slots = ["client.id", "request.geo.country_code", "connection.name"];
    let [id, country, connection] = slots.map(|name| policy.slot::<&str>(name).expect("a fact"));
    let mut facts = policy.facts();
    let ours = |login: &Login3| {
        facts.set(&id, login.application).expect("a slot of the policy");
        facts.set(&country, login.country).expect("a slot of the policy");
        facts.set(&connection, login.connection).expect("a slot of the policy");
        decide(&policy, &facts)
    };
    row("50 rules by application, country, connection", &logins, ours, three_by_hand);
}

fn ten_thousand(random: &mut Random) {
    let (text, ids, map) = many_rules(10_000);
    let logins: Vec<&'static str> = (0..LOGINS).map(|_| ids[random.below(10_000) as usize]).collect();
    let policy = policy(&text);
    let id = policy.slot::<&str>("client.id").expect("a fact");
    let mut facts = policy.facts();
    let ours = |login: &&'static str| {
        facts.set(&id, *login).expect("a slot of the policy");
        decide(&policy, &facts)
    };
    let commands: Vec<u8> = (0..10_000).map(|number| 1 + number as u8 % 4).collect();
    let by_hand = |id: &&'static str| map.get(*id).map_or(0, |number| commands[*number as usize].into());
    row("10,000 rules by application: its id", &logins, ours, by_hand);
}

/// What it takes to store a string that so many patterns are asked of, each of a rule of its own.
fn patterns(count: usize) {
    let random = &mut Random(0x5EED);
    let part = |random: &mut Random| (0..8).map(|_| char::from(b'a' + random.below(26) as u8)).collect();
    let parts: Vec<String> = (0..count).map(|_| part(random)).collect();
    let times = ["starts with", "ends with"].map(|kind| {
        let mut text = String::from("step rules {\n");
        for (number, part) in parts.iter().enumerate() {
            let command = COMMANDS[number % 4];
            writeln!(text, "  if client.name {kind} \"{part}\" then {command}").expect("a string takes all");
        }
        let policy = policy(&(text + "}"));
        let name = policy.slot::<&str>("client.name").expect("a fact");
        let mut facts = policy.facts();
        let logins: Vec<String> = (0..LOGINS)
            .map(|_| {
                let part = &parts[random.below(count as u64) as usize];
                if kind == "starts with" {
                    format!("{part} application")
                } else {
                    format!("application {part}")
                }
            })
            .collect();
        let mut store = || {
            logins.iter().for_each(|login| facts.set(&name, black_box(login)).expect("a slot of the policy"));
            0
        };
        let times = fastest(&mut [Contender::new("stepup", &mut store)], time_for(1.0));
        times[0] * 1e9 / logins.len() as f64
    });
    let [starts, ends] = times;
    println!("| {count} | {starts:.0} ns | {ends:.0} ns |");
}
