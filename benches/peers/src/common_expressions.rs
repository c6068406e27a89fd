//! CEL: a program compiled once, executed in a context of variables.

use cel::{Context, Program};

use crate::inputs::Words;
use crate::policies::command_of;
use crate::{CHALLENGE, CHALLENGE_AND_ENROLL_KEY, Decide, ENROLL, ENROLL_TWICE, Login, Policy};

pub(crate) fn decide(policy: Policy, inputs: &[Words]) -> Decide {
    let source = match policy {
        Policy::Action1 => format!(
            "enrolled ? (admin && !security_key ? {CHALLENGE_AND_ENROLL_KEY} : {CHALLENGE})
                      : (admin ? {ENROLL_TWICE} : {ENROLL})"
        ),
        // A map is what the language has for a choice among many.
        Policy::FiftyRules => "application in commands ? commands[application] : 0".to_owned(),
    };
    let program = Program::compile(&source).expect("it compiles");
    let contexts: Vec<Context<'static, 'static>> =
        inputs.iter().map(|words| context(policy, words)).collect();
    Box::new(move |login| match program.execute(&contexts[login]) {
        Ok(cel::Value::Int(word)) => word as u64,
        other => panic!("{other:?}"),
    })
}

fn context(policy: Policy, words: &Words) -> Context<'static, 'static> {
    let mut context = Context::default();
    match policy {
        Policy::Action1 => {
            let Login { enrolled, security_key, admin } = Login::of(words);
            context.add_variable_from_value("enrolled", enrolled);
            context.add_variable_from_value("security_key", security_key);
            context.add_variable_from_value("admin", admin);
        }
        Policy::FiftyRules => {
            let commands =
                (0..50_u64).map(|application| (application as i64, command_of(application) as i64));
            context
                .add_variable_from_value("commands", commands.collect::<std::collections::HashMap<_, _>>());
            context.add_variable_from_value("application", words[0] as i64);
        }
    }
    context
}
