//! Random events for the policies of `policy_text`.

use serde_json::{Map, Value as Json, json};

use super::choices::Choices;
use super::policy_text::TEXTS;

/// A Saturday, the instant that policies compare with.
pub const NOON: i64 = 1_769_860_800_000;

const FACTORS: [&str; 9] = [
    "otp",
    "phone",
    "email",
    "webauthn-roaming",
    "webauthn-platform",
    "recovery-code",
    "push-notification",
    "duo",
    "sms",
];
const ADDRESSES: [&str; 7] =
    ["10.1.2.3", "10.1.9.9", "10.9.9.9", "192.168.1.1", "2001:db8::5", "::ffff:10.1.2.3", "::1"];

/// An event, `now`, and the factors passed in this login.
pub fn login(choices: &mut Choices<'_>) -> (Json, i64, Vec<String>) {
    let now = NOON + [0, -1, 3_600_000 * 9, 86_400_000 * 2][choices.below(4)];
    let event = event(choices, now);
    (event, now, owned(choices.some_of(&FACTORS)))
}

fn event(choices: &mut Choices<'_>, now: i64) -> Json {
    let mut user = json!({
        "user_id": "auth0|1",
        "email_verified": choices.below(2) == 0,
        "created_at": stamp(choices, now),
        "updated_at": "2026-01-01T00:00:00Z",
        "identities": [],
    });
    maybe(&mut user, "email", choices, text);
    maybe(&mut user, "nickname", choices, text);
    maybe(&mut user, "last_password_reset", choices, |choices| stamp(choices, now));
    maybe(&mut user, "enrolledFactors", choices, |choices| {
        choices.some_of(&FACTORS).iter().map(|factor| json!({"type": factor})).collect()
    });
    maybe(&mut user, "app_metadata", choices, app_metadata);
    maybe(&mut user, "user_metadata", choices, |choices| {
        let mut metadata = json!({});
        maybe(&mut metadata, "wanted", choices, |choices| (*choices.one_of(&FACTORS)).into());
        maybe(&mut metadata, "backup", choices, |choices| (*choices.one_of(&FACTORS)).into());
        metadata
    });
    let mut event = json!({
        "user": user,
        "client": {"client_id": text(choices), "name": "x", "metadata": {}},
        "connection": {"id": "c", "name": "n", "strategy": text(choices)},
        "request": {"ip": choices.one_of(&ADDRESSES), "method": "GET", "geoip": {}},
        "stats": {"logins_count": choices.below(5)},
        "tenant": {"id": "t"},
    });
    maybe(&mut event["request"]["geoip"], "continentCode", choices, text);
    maybe(&mut event, "authentication", choices, |choices| methods(choices, now));
    maybe(&mut event, "authorization", choices, |choices| json!({"roles": texts(choices)}));
    maybe(&mut event, "organization", choices, |choices| {
        let mut organization = json!({"id": text(choices), "name": text(choices), "display_name": ""});
        maybe(&mut organization, "metadata", choices, |choices| {
            let separator = *choices.one_of(&[",", " , ", ",,\t"]);
            json!({"factors": choices.some_of(&FACTORS).join(separator)})
        });
        organization
    });
    maybe(&mut event, "session", choices, |choices| {
        let mut session = json!({"id": "s", "device": {}});
        maybe(&mut session, "idle", choices, |choices| json!([0, 4, 5, 600, 43_200][choices.below(5)]));
        maybe(&mut session["device"], "last_ip", choices, |choices| (*choices.one_of(&ADDRESSES)).into());
        session
    });
    maybe(&mut event, "transaction", choices, |choices| {
        let mut transaction = json!({"acr_values": [], "requested_scopes": [], "ui_locales": []});
        maybe(&mut transaction, "protocol", choices, text);
        transaction
    });
    event
}

fn app_metadata(choices: &mut Choices<'_>) -> Json {
    let mut metadata = json!({});
    let mut one = |key: &str, choices: &mut Choices<'_>, options: &[Json]| {
        maybe(&mut metadata, key, choices, |choices| choices.one_of(options).clone());
    };
    one("isAdmin", choices, &[json!(true), json!(false)]);
    one("vip", choices, &[json!(true), json!(false)]);
    one("tier", choices, &[json!("bronze"), json!("silver"), json!("gold")]);
    one("clearance", choices, &[json!("public"), json!("internal"), json!("secret")]);
    one("region", choices, &[json!("eu"), json!("us"), json!("mars"), json!("apac")]);
    one("seats", choices, &[json!(0), json!(1), json!(3), json!(-2)]);
    one("level", choices, &[json!(0), json!(2), json!(4)]);
    one("https://x/dept", choices, &TEXTS.map(Json::from));
    maybe(&mut metadata, "preferred", choices, |choices| json!(choices.some_of(&FACTORS)));
    maybe(&mut metadata, "tags", choices, texts);
    metadata
}

fn methods(choices: &mut Choices<'_>, now: i64) -> Json {
    let mut used = FACTORS.to_vec();
    let mut methods = vec![json!({"name": "pwd", "timestamp": stamp(choices, now)})];
    // Each at an instant of its own, so that one of them is the last.
    for place in 0..choices.below(4) {
        let factor = used.remove(choices.below(used.len()));
        let ago = [4_999, 5_000, 599_999, 600_000, 43_199_999, 43_200_000, -10][choices.below(7)];
        let stamp = instant(now - ago - place as i64 * 100_000_000);
        methods.push(json!({"name": "mfa", "type": factor, "timestamp": stamp}));
    }
    if choices.below(2) == 0 {
        methods.reverse();
    }
    json!({"methods": methods})
}

/// Sets a key, sets it to `null`, or leaves it out.
fn maybe(
    object: &mut Json,
    key: &str,
    choices: &mut Choices<'_>,
    value: impl FnOnce(&mut Choices<'_>) -> Json,
) {
    let object: &mut Map<String, Json> = object.as_object_mut().expect("an object");
    match choices.below(6) {
        5 => {}
        4 => {
            object.insert(key.to_owned(), Json::Null);
        }
        _ => {
            let value = value(choices);
            object.insert(key.to_owned(), value);
        }
    }
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

fn text(choices: &mut Choices<'_>) -> Json {
    (*choices.one_of(&TEXTS)).into()
}

fn texts(choices: &mut Choices<'_>) -> Json {
    json!(choices.some_of(&TEXTS))
}

fn stamp(choices: &mut Choices<'_>, now: i64) -> Json {
    let ago = [0, 4_999, 5_000, 43_200_000, 2_592_000_000, 2_591_999_999, -5][choices.below(7)];
    instant(now - ago).into()
}

fn instant(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).expect("an instant").to_string()
}
