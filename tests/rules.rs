//! Policies of many rules alike: whatever lowering and machine code make of them (chains threaded, ranges merged, the
//! first of many roles worked out, switches as tables), they decide as their rules say, one after the other.
//!
//! `STEPUP_CASES=5000 cargo test --release --test rules` runs longer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]

mod common;

use std::fmt::Write;

use common::choices::Choices;
use common::compile::program;
use proptest::collection::vec;
use proptest::prelude::*;
use stepup::backend::interpret;
use stepup::backend::jit::{CodeMemory, JitCompiler};
use stepup::backend::witness::validate;
use stepup::check::policy::StepId;
use stepup::lower::program::{Node, Program, Verdict};
use stepup::runtime::Facts;

const FACTORS: [&str; 4] = ["otp", "email", "phone", "recovery-code"];
const FLAGS: usize = 4;

/// What a rule asks of a login.
#[derive(Clone, Debug)]
enum Key {
    App(Vec<usize>),
    Roles(Vec<usize>),
    Level(i64, i64),
    Network(u8, u8),
    Mail(usize),
    Flag(usize, bool),
}

#[derive(Clone, Debug)]
struct Rule {
    keys: Vec<Key>,
    /// Whether it counts only where the rule before it didn't.
    is_else: bool,
    command: Option<usize>,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    GoOn,
    Stop,
    Deny,
}

#[derive(Debug)]
struct Login {
    app: usize,
    roles: Vec<usize>,
    level: i64,
    address: [u8; 4],
    mail: usize,
    flags: usize,
}

/// What is decided: commands by their factor, and whether the login is denied.
#[derive(Debug, PartialEq)]
enum Decided {
    Commands(Vec<usize>),
    Denied,
    LimitExceeded,
}

fn some(choices: &mut Choices<'_>, end: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> =
        (0..*choices.one_of(&[1, 1, 1, 2, 5])).map(|_| choices.below(end)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Rules that ask for one of so many things: mostly of one kind.
fn rules(choices: &mut Choices<'_>) -> Vec<Rule> {
    let kind = choices.below(5);
    let values = 1 + choices.below(40);
    let (is_else, stops) = (choices.rarely(3), choices.rarely(2));
    let rule = |choices: &mut Choices<'_>| {
        let kind = if choices.rarely(8) { choices.below(5) } else { kind };
        let mut keys = vec![key(choices, kind, values)];
        for _ in 0..*choices.one_of(&[0, 0, 1, 2, 3]) {
            keys.push(Key::Flag(choices.below(FLAGS), choices.rarely(2)));
        }
        if choices.rarely(4) {
            keys.reverse();
        }
        if choices.rarely(10) {
            let kind = choices.below(5);
            keys.push(key(choices, kind, values));
        }
        let end = choices.one_of(&[End::GoOn, End::GoOn, End::Stop, End::Deny]);
        let end = if stops && *end == End::GoOn { End::Stop } else { *end };
        let command = choices.rarely(8).then_some(()).map_or(Some(choices.below(FACTORS.len())), |()| None);
        Rule { keys, is_else, command, end }
    };
    (0..1 + choices.below(60)).map(|_| rule(choices)).collect()
}

fn key(choices: &mut Choices<'_>, kind: usize, values: usize) -> Key {
    match kind {
        0 => Key::App(some(choices, values)),
        1 => Key::Roles(some(choices, values)),
        2 => {
            let low = 3 * choices.below(values) as i64;
            match choices.below(4) {
                0 => Key::Level(low, low),
                1 => Key::Level(i64::MIN, low),
                2 => Key::Level(low, low + 2),
                _ => Key::Level(low, low + choices.below(20) as i64),
            }
        }
        3 => Key::Network(choices.below(values) as u8, *choices.one_of(&[24, 24, 16, 20])),
        _ => Key::Mail(choices.below(values)),
    }
}

fn text(rules: &[Rule], tail: bool) -> String {
    let mut text = String::from(
        "fact login.app: string = event.app\nfact login.roles: list<string> = event.roles default []\n\
         fact login.level: int = event.level\nfact login.mail: string = event.mail\n\
         fact login.address: ip = event.address\n",
    );
    for flag in 0..FLAGS {
        writeln!(text, "fact flag.f{flag}: bool = event.f{flag} default false").unwrap();
    }
    text += "step s {\n";
    for rule in rules {
        let keys: Vec<String> = rule.keys.iter().map(asked).collect();
        let opening = if rule.is_else && text.ends_with("}\n") { "else if" } else { "if" };
        write!(text, "{opening} {} {{ ", keys.join(" and ")).unwrap();
        if let Some(factor) = rule.command {
            write!(text, "challenge {} ", FACTORS[factor]).unwrap();
        }
        text += match rule.end {
            End::GoOn => "}\n",
            End::Stop => "stop }\n",
            End::Deny => "deny \"no\" }\n",
        };
    }
    if tail {
        text += "if flag.f0 and not flag.f1 then challenge webauthn-roaming\nif flag.f2 then stop\ndeny \"end\"\n";
    }
    text + "}\n"
}

fn asked(key: &Key) -> String {
    let listed = |prefix: &str, numbers: &[usize]| {
        let texts: Vec<String> = numbers.iter().map(|number| format!("\"{prefix}{number}\"")).collect();
        format!("[{}]", texts.join(", "))
    };
    match key {
        Key::App(apps) => format!("login.app in {}", listed("app-", apps)),
        Key::Roles(roles) => format!("login.roles contains any {}", listed("r", roles)),
        Key::Level(i64::MIN, high) => format!("login.level <= {high}"),
        Key::Level(low, high) if low == high => format!("login.level == {low}"),
        Key::Level(low, high) => format!("login.level >= {low} and login.level <= {high}"),
        Key::Network(net, length) => match length {
            24 => format!("login.address in [10.1.{net}.0/24]"),
            20 => format!("login.address in [10.1.{}.0/20]", net & 0xF0),
            _ => "login.address in [10.1.0.0/16]".to_owned(),
        },
        Key::Mail(team) => format!("login.mail starts with \"team-{team}\""),
        Key::Flag(flag, true) => format!("not flag.f{flag}"),
        Key::Flag(flag, false) => format!("flag.f{flag}"),
    }
}

fn holds(key: &Key, login: &Login) -> bool {
    match key {
        Key::App(apps) => apps.contains(&login.app),
        Key::Roles(roles) => roles.iter().any(|role| login.roles.contains(role)),
        Key::Level(low, high) => (*low..=*high).contains(&login.level),
        Key::Network(net, length) => {
            let [a, b, c, _] = login.address;
            let third = match length {
                24 => c == *net,
                20 => c & 0xF0 == net & 0xF0,
                _ => true,
            };
            [a, b] == [10, 1] && third
        }
        Key::Mail(team) => format!("team-{}", login.mail).starts_with(&format!("team-{team}")),
        Key::Flag(flag, negated) => (login.flags >> flag & 1 != 0) != *negated,
    }
}

/// The rules, one after the other.
fn expected(rules: &[Rule], tail: bool, login: &Login) -> Decided {
    let mut commands = Vec::new();
    let mut execute = |factor: usize| {
        commands.push(factor);
        commands.len() <= 4
    };
    let mut taken = false;
    let mut ended = false;
    for rule in rules {
        let counts = !(rule.is_else && taken);
        taken = counts && rule.keys.iter().all(|key| holds(key, login)) || rule.is_else && taken;
        if !counts || !rule.keys.iter().all(|key| holds(key, login)) {
            continue;
        }
        if rule.command.is_some_and(|factor| !execute(factor)) {
            return Decided::LimitExceeded;
        }
        match rule.end {
            End::GoOn => {}
            End::Stop => {
                ended = true;
                break;
            }
            End::Deny => return Decided::Denied,
        }
    }
    if tail && !ended {
        let flag = |flag: usize| login.flags >> flag & 1 != 0;
        if flag(0) && !flag(1) && !execute(FACTORS.len()) {
            return Decided::LimitExceeded;
        }
        if !flag(2) {
            return Decided::Denied;
        }
    }
    Decided::Commands(commands)
}

fn login(choices: &mut Choices<'_>) -> Login {
    Login {
        app: choices.below(42),
        roles: (0..choices.below(6)).map(|_| choices.below(42)).collect(),
        level: choices.below(130) as i64,
        address: [10, 1 + u8::from(choices.rarely(9)), choices.below(42) as u8, 7],
        mail: choices.below(42),
        flags: choices.below(1 << FLAGS),
    }
}

fn fill(facts: &mut Facts, login: &Login) {
    let roles: Vec<String> = login.roles.iter().map(|role| format!("r{role}")).collect();
    let mut event = serde_json::json!({
        "app": format!("app-{}", login.app), "roles": roles, "level": login.level,
        "mail": format!("team-{}", login.mail),
        "address": login.address.map(|part| part.to_string()).join("."),
    });
    for flag in 0..FLAGS {
        event[format!("f{flag}")] = (login.flags >> flag & 1 != 0).into();
    }
    facts.read_json(event.to_string().as_bytes()).unwrap();
    facts.set_enrolled(&[]);
}

fn decided(program: &Program, verdict: Verdict) -> Decided {
    let factor = |number: u16| {
        let name = &program
            .interface
            .factor(program.interface.command(number).unwrap().listed[0].factor)
            .unwrap()
            .name;
        FACTORS.iter().position(|factor| factor == name).unwrap_or(FACTORS.len())
    };
    match verdict {
        Verdict::Commands(numbers) => Decided::Commands(numbers.into_iter().map(factor).collect()),
        Verdict::Denied { .. } => Decided::Denied,
        Verdict::LimitExceeded => Decided::LimitExceeded,
    }
}

fn cases() -> u32 {
    std::env::var("STEPUP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(), max_shrink_iters: 500, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn rules_decide_one_after_the_other(
        shape in vec(any::<u8>(), 0..400),
        logins in vec(vec(any::<u8>(), 24), 60),
    ) {
        let mut choices = Choices(&shape);
        let tail = choices.rarely(2);
        let rules = rules(&mut choices);
        let text = text(&rules, tail);
        let program = program(&text);
        let code = JitCompiler::new(CodeMemory::new()).unwrap().compile(&program).unwrap();
        let validated = validate(&program, |step, words| code.decide(step, words));
        prop_assert!(validated.is_ok(), "{:?}\n{}", validated, text);
        let step = StepId::from_u32(0);
        let mut facts = Facts::new(&program.interface.layout);
        for bytes in &logins {
            let login = login(&mut Choices(bytes));
            fill(&mut facts, &login);
            let words = facts.words_for(&program.interface.layout).unwrap();
            let word = interpret::decide(&program.steps[step], words);
            prop_assert_eq!(
                decided(&program, word.verdict()), expected(&rules, tail, &login), "{:?}\n{}", login, text
            );
            prop_assert_eq!(code.decide(step, words), Some(word), "{:?}\n{}", login, text);
        }
    }
}

/// Rules by role, each ending the step.
fn by_role(count: usize, more: &str) -> String {
    let mut text = String::from("fact flag.f0: bool = event.f0 default false\nstep s {\n");
    for role in 0..count {
        let factor = FACTORS[role % FACTORS.len()];
        writeln!(text, "if user.roles contains \"r{role}\"{more} {{ challenge {factor} stop }}").unwrap();
    }
    text + "}\n"
}

fn nodes(program: &Program) -> usize {
    program.steps[StepId::from_u32(0)].nodes.len()
}

#[test]
fn the_first_of_many_roles_is_one_switch() {
    let program = program(&by_role(500, ""));
    let step = &program.steps[StepId::from_u32(0)];
    assert!(matches!(step.nodes[step.entry], Node::Switch { .. }));
    assert_eq!(nodes(&program), 6);
}

#[test]
fn rules_that_go_on_to_the_next_role_ask_which_come_first_second_and_third() {
    let program = program(&by_role(500, " and flag.f0"));
    let step = &program.steps[StepId::from_u32(0)];
    let switches = step.nodes.values().filter(|node| matches!(node, Node::Switch { .. })).count();
    assert_eq!(switches, 3);
}

#[test]
fn the_number_of_blocks_is_linear_in_the_rules() {
    for more in ["", " and flag.f0", " and not flag.f0"] {
        let [few, many] = [200, 800].map(|rules| nodes(&program(&by_role(rules, more))));
        assert!(many <= 4 * few + 8, "{few} and {many}");
    }
}
