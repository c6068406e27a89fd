//! Login events as text, as the platform sends them, and what two policies read of them, written by hand for serde.

use std::fmt::Write;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::applications::APPLICATIONS;
use crate::inputs::Random;

/// How many different events there are: about as many bytes as a cache of the second level has.
pub(crate) const EVENTS: usize = 256;

/// The size of an event.
const BYTES: usize = 3_600;

/// The seed's Action 1, as in `examples/admins.stepup`.
pub(crate) const ACTION_1: &str = "
fact user.isAdmin: bool = event.user.app_metadata.isAdmin default false
step enroll {
  if enrolled is empty {
    enroll any of [webauthn-roaming, otp]
    if user.isAdmin then enroll any of [webauthn-roaming, otp]
  } else {
    challenge any of enrolled
    if user.isAdmin and not enrolled(webauthn-roaming) then enroll webauthn-roaming
  }
}";

/// Fifty rules by application: each asks for one of four commands.
pub(crate) fn fifty_rules() -> String {
    let mut text = String::from("step rules {\n");
    for (number, id) in APPLICATIONS.iter().enumerate() {
        let command = ["challenge otp", "challenge email", "enroll otp", "challenge phone"][number % 4];
        writeln!(text, "  if client.id == \"{id}\" then {command}").expect("a string takes all");
    }
    text.push('}');
    text
}

/// An event in the platform's order of keys, without white space between, as JavaScript writes it.
pub(crate) fn event(random: &mut Random) -> String {
    event_of(random, BYTES)
}

/// An event that has something in `user_metadata` until it has about this size.
pub(crate) fn event_of(random: &mut Random, bytes: usize) -> String {
    let user = 1_000_000 + random.below(9_000_000);
    let factors = ["otp", "phone", "email", "push-notification", "webauthn-roaming", "recovery-code"];
    let enrolled = if random.below(4) == 0 { 0 } else { 1 + random.below(3) };
    let enrolled: Vec<String> = (0..enrolled)
        .map(|_| format!(r#"{{"type":"{}","options":{{}}}}"#, factors[random.below(6) as usize]))
        .collect();
    let application =
        APPLICATIONS.get(random.below(55) as usize).unwrap_or(&"0therApplicationThatHasNoRule000");
    let admin = if random.below(2) == 0 { "true" } else { "false" };
    let name = "n".repeat(3 + random.below(12) as usize);
    let agent = if random.below(2) == 0 {
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
    } else {
        "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
    };
    let before = format!(
        r#"{{"transaction":{{"id":"tx_{user}","acr_values":[],"linking_id":null,"locale":"en","login_hint":"{name}@example.com","prompt":[],"protocol":"oidc-basic-profile","redirect_uri":"https://app.example.com/callback?next=%2Fhome","requested_scopes":["openid","profile","email","offline_access"],"response_mode":"query","response_type":["code"],"state":"hKFo2SBxY{user}","ui_locales":["en","de"]}},"client":{{"client_id":"{application}","name":"Back office","metadata":{{"owner":"team-{}","tier":"internal"}}}},"connection":{{"id":"con_{user}","name":"Username-Password-Authentication","strategy":"auth0","metadata":{{}}}},"organization":{{"id":"org_{user}","name":"acme","display_name":"Acme \"Rockets\" Ltd.","metadata":{{"plan":"enterprise","seats":250}}}},"request":{{"asn":"3320","ip":"203.0.113.{}","method":"GET","hostname":"login.example.com","language":"en-US,en;q=0.9","user_agent":"{agent}","query":{{"client_id":"{application}","scope":"openid profile email offline_access","response_type":"code","redirect_uri":"https://app.example.com/callback?next=%2Fhome","state":"hKFo2SBxY{user}","nonce":"n-{user}","code_challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","code_challenge_method":"S256"}},"body":{{}},"geoip":{{"cityName":"Berlin","continentCode":"EU","countryCode":"DE","countryCode3":"DEU","countryName":"Germany","latitude":52.5,"longitude":13.4,"subdivisionCode":"BE","subdivisionName":"Land Berlin","timeZone":"Europe/Berlin"}}}},"stats":{{"logins_count":{}}},"tenant":{{"id":"example"}},"authentication":{{"methods":[{{"name":"pwd","timestamp":"2026-01-31T08:00:00.000Z"}}],"riskAssessment":{{"confidence":"high","version":"1","assessments":{{"ImpossibleTravel":{{"code":"minimal_travel_from_last_login","confidence":"high"}},"NewDevice":{{"code":"match","confidence":"high","details":{{"device":"known","useragent":"known"}}}},"UntrustedIP":{{"code":"not_found_on_deny_list","confidence":"high"}}}}}}}},"authorization":{{"roles":["admin","auditor"]}},"session":{{"id":"sess_{user}","created_at":"2026-01-31T07:59:00.000Z","clients":[{{"client_id":"{application}"}}],"device":{{"initial_ip":"203.0.113.7","last_ip":"203.0.113.7"}}}},"user":{{"user_id":"auth0|5f7c8ec7c33c6c{user}","email":"{name}@example.com","email_verified":true,"name":"{name} Müller","nickname":"{name}","picture":"https://s.gravatar.com/avatar/{user}?s=480&r=pg&d=https%3A%2F%2Fcdn.example.com%2Favatars%2Fad.png","created_at":"2024-03-01T09:12:44.000Z","updated_at":"2026-01-30T18:03:10.000Z","identities":[{{"connection":"Username-Password-Authentication","provider":"auth0","user_id":"5f7c8ec7{user}","isSocial":false}}],"app_metadata":{{"isAdmin":{admin},"department":"{}","flags":["a","b"]}},"enrolledFactors":[{}],"multifactor":[],"user_metadata":{{"notes":["#,
        random.below(30),
        random.below(250),
        random.below(4000),
        random.below(30),
        enrolled.join(",")
    );
    let mut event = before;
    let mut comma = "";
    while event.len() + 120 < bytes {
        let note = "lorem ipsum dolor ".repeat(1 + random.below(3) as usize);
        write!(
            event,
            r#"{comma}{{"text":"{note}","at":{},"tags":["x","y"],"by":null}}"#,
            random.below(1 << 30)
        )
        .expect("a string takes all");
        comma = ",";
    }
    event.push_str("],\"theme\":\"dark\"}}}");
    event
}

/// What Action 1 reads.
#[derive(Deserialize)]
pub(crate) struct Action1<'e> {
    #[serde(borrow)]
    pub(crate) user: User<'e>,
}

#[derive(Deserialize)]
pub(crate) struct User<'e> {
    #[serde(default)]
    pub(crate) app_metadata: AppMetadata,
    #[serde(rename = "enrolledFactors", borrow)]
    pub(crate) enrolled: Enrolled<'e>,
}

#[derive(Deserialize, Default)]
pub(crate) struct AppMetadata {
    #[serde(rename = "isAdmin", default)]
    pub(crate) is_admin: bool,
}

/// The factors as two bits: whether there is any, and whether one is the security key. No list is made.
#[derive(Default)]
pub(crate) struct Enrolled<'e> {
    pub(crate) is_empty: bool,
    pub(crate) has_key: bool,
    marker: std::marker::PhantomData<&'e ()>,
}

#[derive(Deserialize)]
struct Factor<'e> {
    #[serde(rename = "type", borrow)]
    name: std::borrow::Cow<'e, str>,
}

impl<'de: 'e, 'e> Deserialize<'de> for Enrolled<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Enrolled { is_empty: true, ..Enrolled::default() })
    }
}

impl<'de: 'e, 'e> Visitor<'de> for Enrolled<'e> {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("factors")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut factors: A) -> Result<Self, A::Error> {
        while let Some(factor) = factors.next_element::<Factor<'de>>()? {
            self.is_empty = false;
            self.has_key |= factor.name == "webauthn-roaming";
        }
        Ok(self)
    }
}

/// What rules by application read.
#[derive(Deserialize)]
pub(crate) struct ByApplication<'e> {
    #[serde(borrow)]
    pub(crate) client: Client<'e>,
}

#[derive(Deserialize)]
pub(crate) struct Client<'e> {
    #[serde(borrow)]
    pub(crate) client_id: std::borrow::Cow<'e, str>,
}
