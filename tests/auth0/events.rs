//! Random events: what the platform's typings allow, and what they don't.

use serde_json::{Map, Value as Json, json};

use super::common::choices::Choices;
use super::common::events;

/// An event that the typings allow, beside the values that random policies ask about.
pub(crate) fn conforming(choices: &mut Choices<'_>) -> (Json, i64) {
    let (mut event, now, _) = events::login(choices);
    // The typings know "absent" and no null.
    drop_nulls(&mut event);
    for key in ["app_metadata", "user_metadata"] {
        let user = event["user"].as_object_mut().unwrap();
        user.entry(key).or_insert_with(|| json!({}));
    }
    let (request, client) = (&mut event["request"], json!({"client_id": "c", "name": "n", "metadata": {}}));
    request["query"] = json!({});
    request["body"] = json!({});
    if choices.rarely(4) {
        event["client"] = client;
    }
    sometimes(
        &mut event["user"],
        choices,
        &[
            ("username", json!("anna")),
            ("name", json!("Anna")),
            ("given_name", json!("Anna")),
            ("family_name", json!("")),
            ("phone_number", json!("+4930")),
            ("phone_verified", json!(true)),
            ("picture", json!("https://x/p.png")),
            ("multifactor", json!(["guardian"])),
            (
                "identities",
                json!([{"provider": "auth0", "connection": "c", "user_id": "1", "isSocial": false}, {}]),
            ),
        ],
    );
    sometimes(
        &mut event["request"],
        choices,
        &[
            ("hostname", json!("login.example.com")),
            ("language", json!("en")),
            ("user_agent", json!("Mozilla/5.0")),
            ("asn", json!("64500")),
        ],
    );
    sometimes(
        &mut event,
        choices,
        &[
            ("resource_server", json!({"identifier": "https://api.example.com"})),
            ("security_context", json!({"ja3": "x"})),
            ("security_context", json!({})),
        ],
    );
    risk(&mut event, choices);
    transaction(&mut event, choices);
    (event, now)
}

fn risk(event: &mut Json, choices: &mut Choices<'_>) {
    if !event["authentication"].is_object() || choices.below(2) == 0 {
        return;
    }
    let confidence = json!(choices.one_of(&["low", "medium", "high", "neutral"]));
    let mut assessments = json!({});
    sometimes(
        &mut assessments,
        choices,
        &[
            ("NewDevice", json!({"confidence": confidence, "code": "no_match"})),
            ("NewDevice", json!({"confidence": "low", "code": "assessment_not_available"})),
            ("ImpossibleTravel", json!({"confidence": "high", "code": "minimal_travel_from_last_login"})),
            ("UntrustedIP", json!({"confidence": "low", "code": "found_on_deny_list"})),
        ],
    );
    event["authentication"]["riskAssessment"] =
        json!({"confidence": confidence, "version": "1", "assessments": assessments});
}

fn transaction(event: &mut Json, choices: &mut Choices<'_>) {
    if !event["transaction"].is_object() {
        return;
    }
    let refresh = choices.one_of(&["oidc-basic-profile", "oauth2-refresh-token", "oauth2-token-exchange"]);
    sometimes(
        &mut event["transaction"],
        choices,
        &[
            ("protocol", json!(refresh)),
            ("prompt", json!(["login"])),
            ("redirect_uri", json!("https://app.example.com/callback")),
            ("login_hint", json!("anna")),
            ("metadata", json!({"seen": "1"})),
            ("acr_values", json!(["http://schemas.openid.net/pape/policies/2007/06/multi-factor"])),
            ("requested_authorization_details", json!([{"type": "money_transfer"}])),
        ],
    );
}

/// An event in which a few values are of any kind, or gone.
pub(crate) fn altered(choices: &mut Choices<'_>) -> (Json, i64) {
    let (mut event, now) = match choices.below(2) {
        0 => conforming(choices),
        _ => {
            let (event, now, _) = events::login(choices);
            (event, now)
        }
    };
    for _ in 0..1 + choices.below(3) {
        let places = places(&event);
        let place = choices.one_of(&places).clone();
        alter(&mut event, &place, choices);
    }
    (event, now)
}

fn alter(event: &mut Json, place: &str, choices: &mut Choices<'_>) {
    let Some((parent, key)) = place.rsplit_once('/') else { return };
    let key = key.replace("~1", "/").replace("~0", "~");
    let Some(parent) = event.pointer_mut(parent) else { return };
    if choices.rarely(4) {
        if let Some(object) = parent.as_object_mut() {
            object.remove(&key);
        }
        return;
    }
    let value = any(choices);
    match parent {
        Json::Object(object) => drop(object.insert(key, value)),
        Json::Array(list) => {
            if let Some(element) = key.parse::<usize>().ok().and_then(|index| list.get_mut(index)) {
                *element = value;
            }
        }
        _ => {}
    }
}

/// Something of any kind.
fn any(choices: &mut Choices<'_>) -> Json {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(1.0),
        json!(1.5),
        json!(-7),
        json!(9_007_199_254_740_991_i64),
        json!(9_007_199_254_740_992_i64),
        json!(1e300),
        json!(""),
        json!("otp"),
        json!("mfa"),
        json!("otp, phone,\u{a0}email,,duo"),
        json!("2026-01-31T12:00:00+01:00"),
        json!("2026-02-30T12:00:00Z"),
        json!("::FFFF:10.1.2.3"),
        json!("10.1.2"),
        json!("__proto__"),
        json!([]),
        json!(["otp", "phone", "otp"]),
        json!(["otp", null]),
        json!([5]),
        json!([["otp"]]),
        json!({}),
        json!({"type": "otp"}),
        json!({"type": 5}),
        json!([{"type": "otp"}, {}]),
        json!([{"type": "otp"}, {"type": null}, null]),
        json!([{"name": "mfa", "type": "otp"}]),
        json!([{"name": "mfa", "timestamp": "2026-01-31T12:00:00Z"}, {"name": "pwd"}]),
        json!([{"name": "mfa", "type": "duo", "timestamp": "2026-01-31T12:00:00Z"}]),
        json!([{"name": "pwd", "type": 5, "timestamp": "2026-01-31T12:00:00Z"}]),
        json!([{"name": "mfa", "type": "otp", "timestamp": "yesterday"}]),
        json!({"length": 1, "0": "otp"}),
    ];
    choices.one_of(&values).clone()
}

/// The pointers to all values in a value.
fn places(event: &Json) -> Vec<String> {
    let mut places = Vec::new();
    let mut waiting = vec![(String::new(), event)];
    while let Some((place, value)) = waiting.pop() {
        let below: Vec<(String, &Json)> = match value {
            Json::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
            Json::Array(list) => list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
            _ => Vec::new(),
        };
        let escaped = below
            .into_iter()
            .map(|(key, value)| (format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), value));
        waiting.extend(escaped);
        if !place.is_empty() {
            places.push(place);
        }
    }
    places
}

fn sometimes(object: &mut Json, choices: &mut Choices<'_>, entries: &[(&str, Json)]) {
    for (key, value) in entries {
        if choices.below(2) == 0 {
            object[*key] = value.clone();
        }
    }
}

fn drop_nulls(value: &mut Json) {
    match value {
        Json::Object(object) => {
            let kept: Map<String, Json> =
                std::mem::take(object).into_iter().filter(|(_, value)| !value.is_null()).collect();
            *object = kept;
            object.values_mut().for_each(drop_nulls);
        }
        Json::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
