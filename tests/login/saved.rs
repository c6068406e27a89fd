//! Logins between requests: stored, moved to another machine, and handed back altered.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value as Json;
use stepup::runtime::UnknownFactor;
use stepup::source::MemoryLoader;
use stepup::{
    AnswerError, Compiler, DecideError, Engine, Login, LoginError, Next, Policy, ResumeError, SavedLogin,
};

use crate::host::{Host, policy};

const ADMINS: &str = include_str!("../../examples/admins.stepup");

fn admins() -> Policy {
    Compiler::new().compile([("admins.stepup", ADMINS)]).unwrap().policy
}

/// Plays the seed's users to their ends: `visit` sees the login before its first call and after each.
fn at_every_pause(policy: &Policy, mut visit: impl FnMut(&SavedLogin)) {
    for enrolled in [&[][..], &["otp"], &["webauthn-roaming"], &["otp", "webauthn-roaming", "retired"]] {
        for host in [Host::with(enrolled), Host::with(enrolled).admin()] {
            for turn in 0..2 {
                play_through(policy, host.clone(), turn, &mut visit);
            }
        }
    }
}

/// Of the factors at a prompt, the one of this place is passed.
fn play_through(policy: &Policy, mut host: Host, turn: usize, visit: &mut impl FnMut(&SavedLogin)) {
    let mut login = policy.login();
    loop {
        visit(&login.save());
        match login.next(&host.facts(policy), &host.availability(policy)).unwrap() {
            Next::Prompt(prompt) => {
                visit(&login.save());
                let factor = prompt.factors[turn % prompt.factors.len()].name;
                login.completed(factor).unwrap();
                host.passed(factor);
            }
            Next::FreshFacts { .. } => {}
            Next::Completed | Next::Denied { .. } | Next::Failed(_) => break visit(&login.save()),
        }
    }
}

fn postcard(saved: &SavedLogin) -> Vec<u8> {
    postcard::to_allocvec(saved).unwrap()
}

/// A login in the middle of the seed's policy, with a prompt open.
fn at_a_prompt(policy: &Policy) -> Login<'_> {
    let host = Host::with(&["otp"]).admin();
    let mut login = policy.login();
    let next = login.next(&host.facts(policy), &host.availability(policy)).unwrap();
    assert!(matches!(next, Next::Prompt(_)));
    login
}

#[test]
fn a_login_is_the_same_after_json_and_postcard_and_small() {
    let policy = admins();
    let mut largest = 0;
    at_every_pause(&policy, |saved| {
        let bytes = postcard(saved);
        largest = largest.max(bytes.len());
        assert_eq!(postcard::from_bytes::<SavedLogin>(&bytes).unwrap(), *saved);
        let json = serde_json::to_string(saved).unwrap();
        assert_eq!(serde_json::from_str::<SavedLogin>(&json).unwrap(), *saved);
        assert_eq!(
            serde_json::from_value::<SavedLogin>(serde_json::to_value(saved).unwrap()).unwrap(),
            *saved
        );
        assert_eq!(policy.resume(saved.clone()).unwrap().save(), *saved);
    });
    println!("the largest state of the seed's policy takes {largest} bytes as postcard");
    assert!(largest < 200, "the largest state takes {largest} bytes");
}

#[test]
fn a_login_serializes_as_it_is_saved() {
    let policy = admins();
    let login = at_a_prompt(&policy);
    assert_eq!(serde_json::to_value(&login).unwrap(), serde_json::to_value(login.save()).unwrap());
    assert_eq!(postcard::to_allocvec(&login).unwrap(), postcard(&login.save()));
}

/// Each call is made on a machine of its own, with a policy compiled there.
#[test]
fn a_login_goes_on_elsewhere_as_it_would_have_here() {
    let (here, there) = (admins(), admins());
    let mut host = Host::with(&["otp"]).admin();
    let mut stays = here.login();
    let mut saved = here.login().save();
    let mut places = [&there, &here].into_iter().cycle();
    loop {
        let place = places.next().unwrap();
        let mut moved = place.resume(postcard::from_bytes(&postcard(&saved)).unwrap()).unwrap();
        let next = stays.next(&host.facts(&here), &host.availability(&here)).unwrap();
        assert_eq!(moved.next(&host.facts(place), &host.availability(place)).unwrap(), next);
        saved = moved.save();
        let Next::Prompt(prompt) = next else {
            if let Next::FreshFacts { .. } = next {
                continue;
            } else {
                break;
            };
        };
        let place = places.next().unwrap();
        let mut moved = place.resume(saved).unwrap();
        moved.completed(prompt.factors[0].name).unwrap();
        stays.completed(prompt.factors[0].name).unwrap();
        host.passed(prompt.factors[0].name);
        assert!(moved.passed().eq(stays.passed()));
        saved = moved.save();
    }
    assert_eq!(stays.passed().collect::<Vec<_>>(), ["otp", "webauthn-roaming"]);
}

#[test]
fn a_login_does_not_go_on_under_a_changed_policy() {
    let policy = admins();
    let changed = ADMINS.replace("5s", "6s");
    let texts = [("admins.stepup", changed.as_str()), ("renamed.stepup", ADMINS)];
    for other in texts.map(|text| Compiler::new().compile([text]).unwrap().policy) {
        let (found, wanted) = (policy.digest(), other.digest());
        let refused = other.resume(at_a_prompt(&policy).save()).unwrap_err();
        assert_eq!(refused, ResumeError::AnotherPolicy { found, wanted });
    }
}

#[test]
fn a_policy_s_digest_covers_the_texts_that_it_uses() {
    let digest = |shared: &'static str| {
        let compiler = Compiler::new().with_loader(MemoryLoader::default().with("shared.stepup", shared));
        let text = "use \"shared.stepup\" apply ask";
        compiler.compile([("test.stepup", text)]).unwrap().policy.digest()
    };
    assert_eq!(digest("rule ask { challenge otp }"), digest("rule ask { challenge otp }"));
    assert_ne!(digest("rule ask { challenge otp }"), digest("rule ask { challenge phone }"));
}

#[test]
fn a_login_goes_on_only_where_the_key_is_the_same() {
    let with_key =
        |key: &[u8]| Compiler::new().with_login_key(key).compile([("admins.stepup", ADMINS)]).unwrap().policy;
    let (one, same, other) = (with_key(&[1; 32]), with_key(&[1; 32]), with_key(&[2; 32]));
    let saved = at_a_prompt(&one).save();
    assert!(same.resume(saved.clone()).is_ok());
    for policy in [other, admins()] {
        assert_eq!(policy.resume(saved.clone()).unwrap_err(), ResumeError::Altered);
    }
}

/// What was read is the login itself, or is refused.
fn is_refused(policy: &Policy, original: &SavedLogin, read: SavedLogin) {
    if read != *original {
        let refused = policy.resume(read).unwrap_err();
        assert!(matches!(refused, ResumeError::Altered | ResumeError::AnotherPolicy { .. }), "{refused}");
    }
}

#[test]
fn a_login_with_a_byte_flipped_or_cut_off_is_refused() {
    let policy = admins();
    let mut seen = std::collections::BTreeSet::new();
    at_every_pause(&policy, |saved| {
        let bytes = postcard(saved);
        if !seen.insert(bytes.clone()) {
            return;
        }
        for place in 0..bytes.len() {
            assert!(postcard::from_bytes::<SavedLogin>(&bytes[..place]).is_err(), "cut at {place}");
            for bit in 0..8 {
                let mut altered = bytes.clone();
                altered[place] ^= 1 << bit;
                if let Ok(read) = postcard::from_bytes(&altered) {
                    is_refused(&policy, saved, read);
                }
            }
        }
        let json = serde_json::to_vec(saved).unwrap();
        for place in 0..json.len() {
            assert!(serde_json::from_slice::<SavedLogin>(&json[..place]).is_err(), "cut at {place}");
            for flip in [1, 2, 4, 8, 16, 32, 64, 128] {
                let mut altered = json.clone();
                altered[place] ^= flip;
                if let Ok(read) = serde_json::from_slice(&altered) {
                    is_refused(&policy, saved, read);
                }
            }
        }
    });
    assert!(seen.len() > 20, "{} states", seen.len());
}

/// Each leaf of a value, replaced by each of these.
fn altered(json: &Json, leaves: &[Json]) -> Vec<Json> {
    let within = |key: &dyn Fn(&mut Json) -> &mut Json, inner: &Json| {
        let put = |changed| {
            let mut whole = json.clone();
            *key(&mut whole) = changed;
            whole
        };
        altered(inner, leaves).into_iter().map(put).collect::<Vec<_>>()
    };
    match json {
        Json::Object(fields) => {
            fields.iter().flat_map(|(key, inner)| within(&|whole| &mut whole[key], inner)).collect()
        }
        Json::Array(items) => {
            let each = items.iter().enumerate();
            each.flat_map(|(place, inner)| within(&|whole| &mut whole[place], inner)).collect()
        }
        _ => leaves.to_vec(),
    }
}

#[test]
fn a_login_with_any_field_altered_is_refused() {
    let policy = admins();
    let leaves: Vec<Json> = serde_json::from_str(
        r#"[0, 1, 2, 3, 4, 5, 62, 63, 64, 255, 65535, 18446744073709551615, -1, 1.5, null, "", "Any", "Fresh",
            "Completed", "00000000000000000000000000000000", [], {}]"#,
    )
    .unwrap();
    let mut read = 0;
    at_every_pause(&policy, |saved| {
        for json in altered(&serde_json::to_value(saved).unwrap(), &leaves) {
            if let Ok(login) = serde_json::from_value(json) {
                read += 1;
                is_refused(&policy, saved, login);
            }
        }
    });
    assert!(read > 1000, "only {read} could be read");
}

#[test]
fn random_bytes_are_no_login() {
    let policy = policy(Engine::Interpreter, "challenge otp");
    let login = policy.login().save();
    let beginning = postcard(&login);
    let config = ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() };
    let inputs = (0..beginning.len(), vec(any::<u8>(), 0..200));
    let result = TestRunner::new(config).run(&inputs, |(kept, bytes)| {
        let bytes = [&beginning[..kept], &bytes].concat();
        if let Ok(saved) = postcard::from_bytes::<SavedLogin>(&bytes) {
            prop_assert!(saved == login || policy.resume(saved).is_err());
        }
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[test]
fn an_answer_to_no_prompt_is_an_error_and_changes_nothing() {
    let policy = admins();
    at_every_pause(&policy, |saved| {
        let mut login = policy.resume(saved.clone()).unwrap();
        let answers = [login.failed(), policy.resume(saved.clone()).unwrap().abandoned()];
        let is_open = answers == [Ok(()), Ok(())];
        assert!(is_open || answers == [Err(AnswerError::NoPrompt), Err(AnswerError::NoPrompt)]);
        if !is_open {
            assert_eq!(login.completed("otp"), Err(AnswerError::NoPrompt));
            assert_eq!(login.completed("nonsense"), Err(AnswerError::NoPrompt));
            assert_eq!(login.save(), *saved);
        }
    });
}

#[test]
fn a_factor_that_was_not_offered_is_an_error_and_changes_nothing() {
    let policy = admins();
    let mut login = at_a_prompt(&policy);
    let saved = login.save();
    for factor in ["webauthn-roaming", "phone", "email", "", "OTP", "nonsense"] {
        let error = login.completed(factor).unwrap_err();
        assert_eq!(error, AnswerError::NotOffered { factor: factor.to_owned() });
        assert_eq!(error.to_string(), format!("the prompt doesn't offer `{factor}`"));
        assert_eq!(login.save(), saved);
    }
    login.completed("otp").unwrap();
    assert_eq!(login.completed("otp"), Err(AnswerError::NoPrompt));
}

#[test]
fn another_policy_s_facts_and_availability_are_refused_at_each_call() {
    let (policy, other) = (admins(), admins());
    let host = Host::with(&["otp"]).admin();
    let (facts, availability) = (host.facts(&policy), host.availability(&policy));
    at_every_pause(&policy, |saved| {
        let mut login = policy.resume(saved.clone()).unwrap();
        let foreign_facts = login.next(&host.facts(&other), &availability);
        assert_eq!(foreign_facts.unwrap_err(), LoginError::Decide(DecideError::ForeignFacts));
        let foreign_availability = login.next(&facts, &host.availability(&other));
        assert_eq!(foreign_availability.unwrap_err(), LoginError::ForeignAvailability);
        assert_eq!(login.save(), *saved);
    });
}

#[test]
fn facts_not_filled_are_named_and_change_nothing() {
    let policy = admins();
    let mut login = policy.login();
    let saved = login.save();
    let mut facts = policy.facts();
    let mut unfilled = |facts: &_| match login.next(facts, &policy.availability()).unwrap_err() {
        LoginError::Decide(DecideError::Unfilled { names }) => names,
        error => panic!("{error}"),
    };
    assert_eq!(unfilled(&facts), ["enrolled", "performed", "now"]);
    facts.set_enrolled(&["otp"]);
    facts.set_performed(&[]);
    assert_eq!(unfilled(&facts), ["now"]);
    assert_eq!(login.save(), saved);
    facts.set_now(jiff::Timestamp::UNIX_EPOCH);
    assert!(login.next(&facts, &policy.availability()).is_ok());
}

#[test]
fn a_login_wants_to_know_what_is_enrolled_even_where_its_policy_does_not() {
    let policy = policy(Engine::Native, "challenge otp");
    let mut login = policy.login();
    let error = login.next(&policy.facts(), &policy.availability()).unwrap_err();
    assert_eq!(error.to_string(), "the policy reads facts that were not given: `enrolled`");
}

#[test]
fn an_availability_names_factors_of_the_catalog() {
    let availability = || admins().availability();
    let unknown = UnknownFactor { name: "duo".to_owned() };
    assert_eq!(availability().enable_only(&["otp", "duo"]).unwrap_err(), unknown);
    assert_eq!(availability().support_only(&["duo"]).unwrap_err(), unknown);
    assert_eq!(availability().without_support(&["duo"]).unwrap_err(), unknown);
}
