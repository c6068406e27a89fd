#![allow(clippy::panic, reason = "a test says so by failing")]

use serde_json::json;

use super::*;

const NOON: &str = "2026-01-31T12:00:00Z";

fn now() -> Timestamp {
    NOON.parse().expect("an instant")
}

fn run(code: &str) -> Result<Run, RunError> {
    run_on(code, &json!({"user": {}}))
}

fn run_on(code: &str, event: &Value) -> Result<Run, RunError> {
    Action::new(code).run(event, now())
}

/// The calls of a handler with this body.
fn calls(body: &str) -> Vec<Call> {
    run(&handler(body)).expect("it runs").calls
}

fn handler(body: &str) -> String {
    format!("exports.onExecutePostLogin = async (event, api) => {{ {body} }};")
}

fn threw(code: &str) -> String {
    match run(code) {
        Err(RunError::Threw { message }) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn commands_are_recorded_as_decisions_serialize_them() {
    let calls = calls(
        "api.authentication
            .challengeWith({type: 'phone', options: {preferredMethod: 'sms'}}, {additionalFactors: [{type: 'otp', options: {}}]});
         api.authentication.enrollWith({type: 'otp'});
         api.authentication.challengeWithAny([]);",
    );
    let expected = [
        json!({
            "command": "challengeWith",
            "factor": {"type": "phone", "options": {"preferredMethod": "sms"}},
            "additionalFactors": [{"type": "otp"}],
        }),
        json!({"command": "enrollWith", "factor": {"type": "otp"}, "additionalFactors": []}),
        json!({"command": "challengeWithAny", "factors": []}),
    ];
    assert_eq!(calls, expected.map(Call::Command));
}

#[test]
fn calls_chain_and_an_action_runs_on_after_a_denial() {
    let calls =
        calls("api.access.deny('no').idToken.setCustomClaim('a', 1).authentication.enrollWithAny([]);");
    let expected = [
        Call::Deny { reason: "no".into() },
        Call::Other { name: "idToken.setCustomClaim".into() },
        Call::Command(json!({"command": "enrollWithAny", "factors": []})),
    ];
    assert_eq!(calls, expected);
}

#[test]
fn an_argument_is_recorded_as_it_is_at_the_call() {
    let calls =
        calls("const wanted = []; api.authentication.enrollWithAny(wanted); wanted.push({type: 'otp'});");
    assert_eq!(calls, [Call::Command(json!({"command": "enrollWithAny", "factors": []}))]);
}

#[test]
fn metadata_is_seen_at_once_and_taken_away_by_null() {
    let code = handler(
        "api.transaction.setMetadata('a', 1).transaction.setMetadata('old', null);
         api.access.deny(JSON.stringify(event.transaction.metadata));",
    );
    let run =
        run_on(&code, &json!({"transaction": {"metadata": {"old": "x", "kept": true}}})).expect("it runs");
    assert_eq!(run.calls.last(), Some(&Call::Deny { reason: r#"{"kept":true,"a":1}"#.into() }));
    assert_eq!(Value::from(run.metadata), json!({"kept": true, "a": 1}));
}

#[test]
fn metadata_of_an_event_without_a_transaction_is_kept_all_the_same() {
    let code = handler("api.transaction.setMetadata('a', 1);");
    for event in [json!({}), json!({"transaction": null}), json!({"transaction": {"metadata": ["odd"]}})] {
        let run = run_on(&code, &event).expect("it runs");
        assert_eq!(Value::from(run.metadata), json!({"a": 1}), "{event}");
    }
}

#[test]
fn the_clock_stands_at_the_given_instant() {
    let calls = calls(
        "await null;
         api.access.deny([Date.now(), +new Date(), new Date('2026-01-31T11:59:55Z') - new Date(), new Date(5) instanceof Date,
             (await (async () => new Date().toISOString())()), new (class extends Date {})().getTime()].join());",
    );
    let at = now().as_millisecond();
    let reason = format!("{at},{at},-5000,true,2026-01-31T12:00:00.000Z,{at}");
    assert_eq!(calls, [Call::Deny { reason }]);
}

#[test]
fn a_handler_may_be_exported_as_a_whole_and_need_not_be_async() {
    let code = "module.exports = { onExecutePostLogin(event, api) { api.access.deny('x') } }";
    assert_eq!(run(code).expect("it runs").calls.len(), 1);
}

#[test]
fn nothing_of_one_run_is_seen_by_the_next() {
    let action = Action::new(
        "let count = 0; exports.onExecutePostLogin = (event, api) => {
            api.access.deny(`${++count} ${globalThis.seen} ${[].seen}`);
            globalThis.seen = Array.prototype.seen = event.user.name;
        }",
    );
    for name in ["a", "b"] {
        let run = action.run(&json!({"user": {"name": name}}), now()).expect("it runs");
        assert_eq!(run.calls, [Call::Deny { reason: "1 undefined undefined".into() }]);
    }
}

#[test]
fn a_text_that_is_no_script_is_told_from_one_that_throws() {
    assert!(matches!(run("if ("), Err(RunError::NotJavaScript { .. })));
    assert!(matches!(run("} {"), Err(RunError::NotJavaScript { .. })));
    assert!(matches!(run("nul \0 byte ("), Err(RunError::NotJavaScript { .. })));
    assert_eq!(threw("throw new SyntaxError('mine')"), "SyntaxError: mine");
    assert_eq!(threw("throw 5"), "5");
    assert_eq!(threw("throw {toString() { throw 1 }}"), "a value without a text");
    assert_eq!(
        threw(&handler("await null; event.user.a.b")),
        "TypeError: cannot read property 'b' of undefined"
    );
}

#[test]
fn a_script_without_a_handler_is_an_error() {
    assert_eq!(run("const a = 1"), Err(RunError::NoHandler));
    assert_eq!(run("module.exports = null"), Err(RunError::NoHandler));
    assert_eq!(Action::new("exports.onExecutePostLogin = 5").check(), Err(RunError::NoHandler));
}

#[test]
fn packages_are_refused_by_name() {
    let message = threw("const axios = require('axios');");
    assert_eq!(message, "Error: `require` of `axios`: an Action is run without packages");
}

#[test]
fn a_promise_that_nothing_settles_is_an_error() {
    assert_eq!(run(&handler("await new Promise(() => {});")), Err(RunError::NeverSettled));
}

#[test]
fn endless_work_ends_at_the_bound() {
    let endless = [
        "while (true) {}".to_owned(),
        handler("for (;;) await null;"),
        handler("try { while (true) {} } catch {} finally { while (true) {} }"),
        handler("/(a+)+$/.test('a'.repeat(40) + 'b')"),
        "throw {toString() { while (true) {} }}".to_owned(),
    ];
    let bounds = Bounds { steps: 1_000_000, ..Bounds::default() };
    for code in endless {
        let result = Action::new(&code).with_bounds(bounds).run(&json!({}), now());
        assert_eq!(result, Err(RunError::OutOfSteps { steps: 1_000_000 }), "{code}");
    }
}

#[test]
fn memory_is_bounded() {
    let bounds = Bounds { memory: 4 << 20, ..Bounds::default() };
    for code in ["const all = []; for (;;) all.push('x'.repeat(all.length));", "'x'.repeat(2 ** 28)"] {
        let result = Action::new(code).with_bounds(bounds).run(&json!({}), now());
        assert_eq!(result, Err(RunError::OutOfMemory { memory: 4 << 20 }), "{code}");
    }
    let too_small = Bounds { memory: 1000, ..bounds };
    let result = Action::new("").with_bounds(too_small).check();
    assert_eq!(result, Err(RunError::OutOfMemory { memory: 1000 }));
}

#[test]
fn nesting_without_an_end_throws() {
    assert!(threw("function deep() { return deep() + 1 } deep()").contains("stack"));
    assert!(run(&format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
}

#[test]
fn arguments_past_json_are_errors() {
    let deep = "let value = 1; for (let i = 0; i < 500; i++) value = [value]; api.authentication.enrollWithAny(value);";
    assert!(matches!(run(&handler(deep)), Err(RunError::Unreadable { .. })));
    assert_eq!(calls("api.access.deny('\\ud800')"), [Call::Deny { reason: "\u{fffd}".into() }]);
}

#[test]
fn the_rest_of_the_trigger_is_there_and_harmless() {
    let body = "if (api.cache.get('x') !== undefined || api.redirect.canRedirect()) throw 1;
        return api.user.setAppMetadata('a', 1).multifactor.enable('any');";
    let names: Vec<_> = calls(body)
        .into_iter()
        .map(|call| match call {
            Call::Other { name } => name,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["cache.get", "redirect.canRedirect", "user.setAppMetadata", "multifactor.enable"]);
}
