//! Roto: a script compiled to machine code by Cranelift, called through its typed handle.

use roto::{FileTree, Runtime};

use crate::inputs::Words;
use crate::policies::command_of;
use crate::{CHALLENGE, CHALLENGE_AND_ENROLL_KEY, Decide, ENROLL, ENROLL_TWICE, Login, Policy};

pub(crate) fn decide(policy: Policy, inputs: &[Words]) -> Decide {
    match policy {
        Policy::Action1 => action_1(inputs),
        Policy::FiftyRules => fifty_rules(inputs),
    }
}

fn action_1(inputs: &[Words]) -> Decide {
    let script = format!(
        "fn decide(enrolled: bool, security_key: bool, admin: bool) -> u64 {{
            if enrolled {{
                if admin && !security_key {{ {CHALLENGE_AND_ENROLL_KEY} }} else {{ {CHALLENGE} }}
            }} else if admin {{ {ENROLL_TWICE} }} else {{ {ENROLL} }}
        }}"
    );
    let mut package = compile(&script);
    let function = package.get_function::<fn(bool, bool, bool) -> u64>("decide").expect("it is there");
    let logins: Vec<Login> = inputs.iter().map(Login::of).collect();
    Box::new(move |login| {
        let Login { enrolled, security_key, admin } = logins[login];
        function.call(enrolled, security_key, admin)
    })
}

/// Roto matches on its own enums only, so numbers are compared one after the other.
fn fifty_rules(inputs: &[Words]) -> Decide {
    let rule =
        |application| format!("if application == {application} {{ return {} }}\n", command_of(application));
    let rules: String = (0..50).map(rule).collect();
    let mut package = compile(&format!("fn decide(application: u64) -> u64 {{\n{rules} 0 }}"));
    let function = package.get_function::<fn(u64) -> u64>("decide").expect("it is there");
    let inputs = inputs.to_vec();
    Box::new(move |login| function.call(inputs[login][0]))
}

fn compile(script: &str) -> roto::Package<roto::NoCtx> {
    let compiled = FileTree::test_file("policy.roto", script, 0).compile(&Runtime::new());
    compiled.unwrap_or_else(|report| panic!("{report}"))
}
