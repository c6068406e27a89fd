//! Rego by regorus: a policy compiled with its entry point, evaluated with an input.

use regorus::{Engine, Value};

use crate::inputs::Words;
use crate::policies::command_of;
use crate::{CHALLENGE, CHALLENGE_AND_ENROLL_KEY, Decide, ENROLL, ENROLL_TWICE, Login, Policy};

pub(crate) fn decide(policy: Policy, inputs: &[Words]) -> Decide {
    let rules = match policy {
        Policy::Action1 => format!(
            "word := {ENROLL} if {{ not input.enrolled; not input.admin }}
             word := {ENROLL_TWICE} if {{ not input.enrolled; input.admin }}
             word := {CHALLENGE_AND_ENROLL_KEY} if {{ input.enrolled; needs_key }}
             word := {CHALLENGE} if {{ input.enrolled; not needs_key }}
             needs_key if {{ input.admin; not input.security_key }}"
        ),
        Policy::FiftyRules => {
            let entries: Vec<String> = (0..50).map(|app| format!("{app}: {}", command_of(app))).collect();
            format!(
                "default word := 0\ncommands := {{ {} }}\nword := commands[input.application]",
                entries.join(", ")
            )
        }
    };
    let mut engine = Engine::new();
    engine
        .add_policy("policy.rego".into(), format!("package mfa\nimport rego.v1\n{rules}"))
        .expect("it parses");
    let policy_of = engine.compile_with_entrypoint(&"data.mfa.word".into()).expect("it compiles");
    let inputs: Vec<Value> = inputs.iter().map(|words| input(policy, words)).collect();
    Box::new(move |login| {
        let word = policy_of.eval_with_input(inputs[login].clone()).expect("it evaluates");
        word.as_u64().expect("it is a word")
    })
}

fn input(policy: Policy, words: &Words) -> Value {
    let text = match policy {
        Policy::Action1 => {
            let Login { enrolled, security_key, admin } = Login::of(words);
            format!(r#"{{"enrolled": {enrolled}, "security_key": {security_key}, "admin": {admin}}}"#)
        }
        Policy::FiftyRules => format!(r#"{{"application": {}}}"#, words[0]),
    };
    Value::from_json_str(&text).expect("it is JSON")
}
