//! Filling and deciding on kept facts allocates nothing: counted by an allocator of this binary's own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]
#![allow(unsafe_code, reason = "a global allocator is unsafe to write")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};
use stepup::backend::interpret;
use stepup::check::policy::StepId;
use stepup::runtime::{Decision, Facts};
use stepup::{Availability, Compiler, Login, Next, Policy};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const POLICY: &str = "
fact level: int = event.level
fact grace: duration = event.grace
step s {
  if user.email is present and ((domain(user.email) ?? \"\") == \"b.com\" or user.email == client.name) { challenge any of enrolled }
  if client.id in [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\", \"j\"] and level > 5 then challenge otp or any of enrolled
  if request.ip in [10.0.0.0/8] or hour(now) > 8 or user.roles contains \"x\" or grace > 5s then challenge otp
  if risk.confidence is present and risk.confidence == low and performed(otp) within 5s then deny \"no\"
}";

#[test]
fn filling_slots_and_deciding_allocates_nothing_once_the_buffers_are_there() {
    let program = common::compile::program(POLICY);
    let layout = &program.interface.layout;
    let (email, name) =
        (layout.slot::<&str>("user.email").unwrap(), layout.slot::<&str>("client.name").unwrap());
    let (id, level) = (layout.slot::<&str>("client.id").unwrap(), layout.slot::<i64>("level").unwrap());
    let (ip, roles) = (layout.slot("request.ip").unwrap(), layout.slot::<&[&str]>("user.roles").unwrap());
    let (risk, grace) = (layout.slot::<&str>("risk.confidence").unwrap(), layout.slot("grace").unwrap());
    let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
    let address = "10.1.2.3".parse().unwrap();
    let mut facts = Facts::new(layout);
    let mut login = |text: &str| {
        facts.reset();
        facts.set(&email, text).unwrap();
        facts.set(&name, text).unwrap();
        facts.set(&id, "j").unwrap();
        facts.set(&level, 7).unwrap();
        facts.set::<std::net::IpAddr>(&ip, address).unwrap();
        facts.set(&roles, &["x", "y"]).unwrap();
        facts.set_absent(&risk).unwrap();
        facts.set::<SignedDuration>(&grace, SignedDuration::from_secs(9)).unwrap();
        facts.set_enrolled(&["otp", "phone"]);
        facts.set_performed(&[("otp", now)]);
        facts.set_now(now);
        let words = facts.words_for(layout).unwrap();
        let step = StepId::from_u32(0);
        let decision =
            Decision::new(&program.interface, step, interpret::decide(&program.steps[step], words), words)
                .unwrap();
        assert_eq!(decision.word().len(), 3);
    };
    login("Anna@B.com");
    let before = ALLOCATIONS.get();
    login("bob@b.com");
    assert_eq!(ALLOCATIONS.get() - before, 0);
}

#[test]
fn reading_json_allocates_nothing_but_what_escapes_need() {
    let program = common::compile::program(
        "step s { if user.isAdmin and client.id == \"a\" then challenge any of enrolled }",
    );
    let mut facts = Facts::new(&program.interface.layout);
    let event = br#"{"user":{"app_metadata":{"isAdmin":true},"enrolledFactors":[{"type":"otp"}]},"client":{"client_id":"a"}}"#;
    facts.read_json(event).unwrap();
    let before = ALLOCATIONS.get();
    facts.read_json(event).unwrap();
    assert_eq!(ALLOCATIONS.get() - before, 0);
    let escaped = br#"{"us\u0065r":{"app_metadata":{"isAdmin":true}},"client":{"client_id":"\u0061"},"x":{"y":["\\"]}}"#;
    facts.read_json(escaped).unwrap();
    assert!(ALLOCATIONS.get() > before, "the buffer for texts with escapes");
    let before = ALLOCATIONS.get();
    facts.read_json(escaped).unwrap();
    assert_eq!(ALLOCATIONS.get() - before, 0);
}

/// Numbered strings, by scan and by hash; patterns of each kind; lowered texts.
#[test]
fn storing_strings_of_every_kind_allocates_nothing() {
    let ids: Vec<String> = (0..50).map(|number| format!("\"app-{number}\"")).collect();
    let text = format!(
        "step s {{
          if client.id in [{}] and client.id starts with \"app-\" and client.id ends with \"7\" then challenge otp
          if lower(client.name) in [\"a\", \"b\"] or client.name contains \"x\" then challenge email
          if user.roles contains any [\"r\", \"s\", \"t\", \"u\"] then challenge phone
        }}",
        ids.join(", ")
    );
    let program = common::compile::program(&text);
    let layout = &program.interface.layout;
    let (id, name) = (layout.slot::<&str>("client.id").unwrap(), layout.slot::<&str>("client.name").unwrap());
    let roles = layout.slot::<&[&str]>("user.roles").unwrap();
    let mut facts = Facts::new(layout);
    let mut decide = |text: &str| {
        facts.set(&id, text).unwrap();
        facts.set(&name, "An xenial Name").unwrap();
        facts.set(&roles, &["s", "v"]).unwrap();
        facts.set_enrolled(&["otp"]);
        let words = facts.words_for(layout).unwrap();
        interpret::decide(&program.steps[StepId::from_u32(0)], words).len()
    };
    assert_eq!(decide("app-17"), 3);
    let (allocated, decided) = counted(|| decide("app-27"));
    assert_eq!((allocated, decided), (0, 3));
}

/// What a call allocates, beside what it gives.
fn counted<T>(call: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.get();
    let given = call();
    (ALLOCATIONS.get() - before, given)
}

/// Plays a login, passing each prompt's first factor: it allocates the list of each prompt, and nothing else.
fn play(policy: &Policy, facts: &mut Facts, availability: &Availability) -> usize {
    let (allocated, mut login) = counted(|| policy.login());
    assert_eq!(allocated, 0);
    let mut prompts = 0;
    loop {
        let (allocated, next) = counted(|| login.next(facts, availability).unwrap());
        match next {
            Next::Prompt(prompt) => {
                assert_eq!(allocated, 1, "{prompt:?}");
                prompts += 1;
                // The same again, and carried elsewhere as a value.
                assert_eq!(counted(|| login.next(facts, availability)).0, 1);
                assert_eq!(counted(|| login.clone().completed("no such factor").is_ok()), (1, false));
                let (allocated, resumed) = counted(|| policy.resume(login.save()).unwrap());
                assert_eq!(allocated, 0);
                login = resumed;
                assert_eq!(counted(|| login.completed(prompt.factors[0].name)), (0, Ok(())));
            }
            Next::FreshFacts { .. } => {
                assert_eq!(allocated, 0);
                facts.set_enrolled(&["otp", "phone"]);
            }
            Next::Completed => break,
            end => panic!("{end:?}"),
        }
    }
    assert_eq!(counted(|| login.next(facts, availability)).0, 0);
    prompts
}

#[test]
fn a_login_allocates_nothing_but_the_lists_of_its_prompts() {
    let text = "
        step a {
          challenge any of enrolled except [recovery-code]
          if performed(otp) in this login then deny \"not yet\"
        }
        step b {
          enroll webauthn-roaming or push-notification or webauthn-platform or recovery-code or phone
          if performed(otp) in this login then challenge otp
        }";
    let policy = Compiler::new().compile([("test.stepup", text)]).unwrap().policy;
    let availability = policy.availability().support_only(&["otp", "phone", "webauthn-platform"]).unwrap();
    let mut facts = policy.facts();
    facts.set_enrolled(&["otp"]);
    assert_eq!(play(&policy, &mut facts, &availability), 2);
    facts.reset();
    facts.set_enrolled(&["otp"]);
    assert_eq!(play(&policy, &mut facts, &policy.availability()), 2);
}

#[test]
fn answers_that_end_a_login_allocate_nothing() {
    let policy = Compiler::new().compile([("test.stepup", "challenge otp")]).unwrap().policy;
    let mut facts = policy.facts();
    facts.set_enrolled(&["otp"]);
    for answer in [Login::failed, Login::abandoned] {
        let mut login = policy.login();
        assert!(matches!(login.next(&facts, &policy.availability()), Ok(Next::Prompt(_))));
        assert_eq!(counted(|| answer(&mut login)), (0, Ok(())));
        assert_eq!(counted(|| login.next(&facts, &policy.availability())).0, 0);
    }
}
