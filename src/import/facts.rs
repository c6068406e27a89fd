//! What a place of the event is to a policy: its type, whether it may be absent, and the fact that names it.
//!
//! [`TYPINGS`] is the platform's post-login event as its typings have it. Metadata has no typings: what it holds is found
//! from how the code uses it, and a place that is used as two types is not understood.

use std::collections::BTreeMap;
use std::rc::Rc;

/// The keys after `event`.
pub(super) type Path = Rc<Vec<String>>;

/// What a place holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Object,
    Text,
    Bool,
    Int,
    Time,
    Ip,
    /// An open enum.
    Words(&'static [&'static str]),
    Texts,
    /// Texts that are factors.
    FactorTexts,
    /// `user.enrolledFactors`
    Enrolled,
    /// `authentication.methods`
    Methods,
    /// Exists, and no fact reads it.
    Unread,
}

const CONFIDENCES: &[&str] = &["low", "medium", "high", "neutral"];
const DEVICE_CODES: &[&str] = &[
    "match",
    "partial_match",
    "no_match",
    "initial_login",
    "unknown_device",
    "no_device_history",
    "assessment_not_available",
];
const TRAVEL_CODES: &[&str] = &[
    "minimal_travel_from_last_login",
    "travel_from_last_login",
    "substantial_travel_from_last_login",
    "impossible_travel_from_last_login",
    "invalid_travel",
    "missing_geoip",
    "anonymous_proxy",
    "unknown_location",
    "initial_login",
    "location_history_not_found",
    "assessment_not_available",
];
const ADDRESS_CODES: &[&str] =
    &["not_found_on_deny_list", "found_on_deny_list", "invalid_ip_address", "assessment_not_available"];

/// A row a value: its path (`?` after what may be absent), its type, and the library's fact of it. Objects are where
/// longer paths lead through. `+` marks a fact that has a default in the library.
const TYPINGS: &[(&str, Kind, &str)] = &[
    ("user.user_id", Kind::Text, "user.id"),
    ("user.email?", Kind::Text, "user.email"),
    ("user.email_verified", Kind::Bool, "+user.email_verified"),
    ("user.username?", Kind::Text, "user.username"),
    ("user.name?", Kind::Text, "user.name"),
    ("user.given_name?", Kind::Text, "user.given_name"),
    ("user.family_name?", Kind::Text, "user.family_name"),
    ("user.nickname?", Kind::Text, "user.nickname"),
    ("user.phone_number?", Kind::Text, "user.phone_number"),
    ("user.phone_verified?", Kind::Bool, "+user.phone_verified"),
    ("user.picture?", Kind::Text, "user.picture"),
    ("user.created_at", Kind::Time, "user.created_at"),
    ("user.updated_at", Kind::Time, "user.updated_at"),
    ("user.last_password_reset?", Kind::Time, "user.last_password_reset"),
    ("user.enrolledFactors?", Kind::Enrolled, ""),
    ("user.multifactor?", Kind::Unread, ""),
    ("user.identities", Kind::Unread, ""),
    ("user.app_metadata", Kind::Object, ""),
    ("user.user_metadata", Kind::Object, ""),
    ("authentication?.methods", Kind::Methods, "+authentication.methods"),
    ("authentication?.riskAssessment?.confidence", Kind::Words(CONFIDENCES), "risk.confidence"),
    (
        "authentication?.riskAssessment?.assessments.NewDevice?.confidence",
        Kind::Words(CONFIDENCES),
        "risk.new_device.confidence",
    ),
    (
        "authentication?.riskAssessment?.assessments.NewDevice?.code",
        Kind::Words(DEVICE_CODES),
        "risk.new_device.code",
    ),
    (
        "authentication?.riskAssessment?.assessments.ImpossibleTravel?.confidence",
        Kind::Words(CONFIDENCES),
        "risk.impossible_travel.confidence",
    ),
    (
        "authentication?.riskAssessment?.assessments.ImpossibleTravel?.code",
        Kind::Words(TRAVEL_CODES),
        "risk.impossible_travel.code",
    ),
    (
        "authentication?.riskAssessment?.assessments.UntrustedIP?.confidence",
        Kind::Words(CONFIDENCES),
        "risk.untrusted_ip.confidence",
    ),
    (
        "authentication?.riskAssessment?.assessments.UntrustedIP?.code",
        Kind::Words(ADDRESS_CODES),
        "risk.untrusted_ip.code",
    ),
    ("authorization?.roles", Kind::Texts, "+user.roles"),
    ("client.client_id", Kind::Text, "client.id"),
    ("client.name", Kind::Text, "client.name"),
    ("client.metadata", Kind::Object, ""),
    ("connection.id", Kind::Text, "connection.id"),
    ("connection.name", Kind::Text, "connection.name"),
    ("connection.strategy", Kind::Text, "connection.strategy"),
    ("connection.metadata?", Kind::Object, ""),
    ("organization?.id", Kind::Text, "organization.id"),
    ("organization?.name", Kind::Text, "organization.name"),
    ("organization?.display_name", Kind::Text, "organization.display_name"),
    ("organization?.metadata", Kind::Object, ""),
    ("request.ip", Kind::Ip, "request.ip"),
    ("request.method", Kind::Text, "request.method"),
    ("request.hostname?", Kind::Text, "request.hostname"),
    ("request.language?", Kind::Text, "request.language"),
    ("request.user_agent?", Kind::Text, "request.user_agent"),
    ("request.asn?", Kind::Text, "request.asn"),
    ("request.query", Kind::Object, ""),
    ("request.body", Kind::Object, ""),
    ("request.geoip.countryCode?", Kind::Text, "request.geo.country_code"),
    ("request.geoip.countryCode3?", Kind::Text, "request.geo.country_code3"),
    ("request.geoip.countryName?", Kind::Text, "request.geo.country_name"),
    ("request.geoip.cityName?", Kind::Text, "request.geo.city_name"),
    ("request.geoip.continentCode?", Kind::Text, "request.geo.continent_code"),
    ("request.geoip.subdivisionCode?", Kind::Text, "request.geo.subdivision_code"),
    ("request.geoip.timeZone?", Kind::Text, "request.geo.time_zone"),
    ("transaction?.acr_values", Kind::Texts, "+transaction.acr_values"),
    ("transaction?.requested_scopes", Kind::Texts, "+transaction.requested_scopes"),
    ("transaction?.ui_locales", Kind::Texts, "+transaction.ui_locales"),
    ("transaction?.prompt?", Kind::Texts, "+transaction.prompt"),
    ("transaction?.protocol?", Kind::Text, "transaction.protocol"),
    ("transaction?.locale", Kind::Text, "transaction.locale"),
    ("transaction?.redirect_uri?", Kind::Text, "transaction.redirect_uri"),
    ("transaction?.login_hint?", Kind::Text, "transaction.login_hint"),
    ("transaction?.metadata", Kind::Object, ""),
    ("session?.id", Kind::Text, "session.id"),
    ("session?.authenticated_at?", Kind::Time, "session.authenticated_at"),
    ("session?.created_at?", Kind::Time, "session.created_at"),
    ("session?.device?.initial_ip?", Kind::Ip, "session.device.initial_ip"),
    ("session?.device?.last_ip?", Kind::Ip, "session.device.last_ip"),
    ("session?.device?.initial_asn?", Kind::Text, "session.device.initial_asn"),
    ("session?.device?.last_asn?", Kind::Text, "session.device.last_asn"),
    ("stats.logins_count", Kind::Int, "stats.logins_count"),
    ("tenant.id", Kind::Text, "tenant.id"),
    ("resource_server?.identifier", Kind::Text, "resource_server.identifier"),
    ("security_context?.ja3?", Kind::Text, "security_context.ja3"),
    ("security_context?.ja4?", Kind::Text, "security_context.ja4"),
];

/// The roots below which a tenant keeps what it likes.
const METADATA: [&[&str]; 7] = [
    &["user", "app_metadata"],
    &["user", "user_metadata"],
    &["client", "metadata"],
    &["connection", "metadata"],
    &["organization", "metadata"],
    &["request", "query"],
    &["request", "body"],
];

/// A place of the typings.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) kind: Kind,
    /// Whether the value under the last key may be absent.
    pub(super) is_optional: bool,
    /// The library's fact.
    pub(super) fact: Option<&'static str>,
    /// Whether that fact has a default.
    pub(super) has_default: bool,
}

/// The typings, and what was found out about metadata.
#[derive(Debug)]
pub(super) struct Facts {
    places: BTreeMap<Vec<String>, Place>,
    /// Metadata that the code reads, and as what.
    metadata: BTreeMap<Path, Option<Kind>>,
    /// Lists that are one text in the event, by what separates them.
    splits: BTreeMap<Path, String>,
}

/// A place that is used as two types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TwoKinds(pub(super) Kind, pub(super) Kind);

impl Facts {
    pub(super) fn new() -> Self {
        let mut places = BTreeMap::new();
        for (path, kind, fact) in TYPINGS {
            let mut keys = Vec::new();
            let segments: Vec<&str> = path.split('.').collect();
            for (index, segment) in segments.iter().enumerate() {
                let key = segment.trim_end_matches('?');
                keys.push(key.to_owned());
                let is_optional = segment.ends_with('?');
                let is_last = index + 1 == segments.len();
                let name = fact.trim_start_matches('+');
                let place = Place {
                    kind: if is_last { *kind } else { Kind::Object },
                    is_optional,
                    fact: (is_last && !name.is_empty()).then_some(name),
                    has_default: fact.starts_with('+'),
                };
                places.entry(keys.clone()).or_insert(place);
            }
        }
        Facts { places, metadata: BTreeMap::new(), splits: BTreeMap::new() }
    }

    /// What the typings say of a place; metadata isn't in them.
    pub(super) fn place(&self, path: &[String]) -> Option<&Place> {
        self.places.get(path)
    }

    /// Whether a place is a tenant's own.
    pub(super) fn is_metadata(&self, path: &[String]) -> bool {
        METADATA.iter().any(|root| path.len() > root.len() && path.iter().zip(*root).all(|(a, b)| a == b))
    }

    /// The place below another, if there is one.
    pub(super) fn below(&mut self, path: &Path, key: &str) -> Option<Path> {
        let mut keys = path.to_vec();
        keys.push(key.to_owned());
        (self.places.contains_key(&keys) || self.is_metadata(&keys)).then(|| Rc::new(keys))
    }

    /// What a place holds, as far as it is known.
    pub(super) fn kind(&self, path: &Path) -> Option<Kind> {
        match self.places.get(&**path) {
            Some(place) => Some(place.kind),
            None => self.metadata.get(path).copied().flatten(),
        }
    }

    /// Notes that the code reads a place.
    pub(super) fn read(&mut self, path: &Path) {
        if !self.places.contains_key(&**path) {
            self.metadata.entry(path.clone()).or_default();
        }
    }

    /// Notes that the code uses a place as a value of a type.
    pub(super) fn use_as(&mut self, path: &Path, kind: Kind) -> Result<(), TwoKinds> {
        if let Some(place) = self.places.get(&**path) {
            let fits = place.kind == kind
                || matches!((place.kind, kind), (Kind::Words(_) | Kind::Ip | Kind::Time, Kind::Text));
            return if fits { Ok(()) } else { Err(TwoKinds(place.kind, kind)) };
        }
        let known = self.metadata.entry(path.clone()).or_default();
        match (*known, kind) {
            (None, _) | (Some(Kind::Texts), Kind::FactorTexts) | (Some(Kind::Text), Kind::Time) => {
                *known = Some(kind);
                Ok(())
            }
            (Some(Kind::FactorTexts), Kind::Texts) | (Some(Kind::Time), Kind::Text) => Ok(()),
            (Some(known), _) if known == kind => Ok(()),
            (Some(known), _) => Err(TwoKinds(known, kind)),
        }
    }

    /// Notes that a list is one text in the event.
    pub(super) fn split(&mut self, path: &Path, separator: &str) -> Result<(), TwoKinds> {
        match self.splits.get(path) {
            Some(known) if known != separator => Err(TwoKinds(Kind::Texts, Kind::Texts)),
            _ => {
                self.splits.insert(path.clone(), separator.to_owned());
                self.use_as(path, Kind::Texts)
            }
        }
    }

    pub(super) fn separator(&self, path: &Path) -> Option<&str> {
        self.splits.get(path).map(String::as_str)
    }

    /// Whether the typings allow that a place has no value, itself or what leads to it.
    pub(super) fn may_be_absent(&self, path: &[String]) -> bool {
        (1..=path.len()).any(|length| self.is_optional_at(path, length))
    }

    /// Whether the value under the first `length` keys may be absent where what leads to it is there.
    pub(super) fn is_optional_at(&self, path: &[String], length: usize) -> bool {
        match path.get(..length) {
            Some(keys) => match self.places.get(keys) {
                Some(place) => place.is_optional,
                None => self.is_metadata(keys),
            },
            None => false,
        }
    }

    /// A fact under an object that is there whenever the object is, to ask for it.
    pub(super) fn witness(&self, object: &[String]) -> Option<Path> {
        let inside = self.places.iter().filter(|(path, place)| {
            path.starts_with(object)
                && path.len() > object.len()
                && place.fact.is_some()
                && (object.len() + 1..=path.len()).all(|length| !self.is_optional_at(path, length))
        });
        inside
            .min_by_key(|(path, place)| (place.has_default, path.len(), path.last().map(String::len)))
            .map(|(path, _)| Rc::new(path.clone()))
    }

    /// All places that a value is read from, in order.
    pub(super) fn leaves(&self) -> impl Iterator<Item = (&Vec<String>, &Place)> {
        self.places.iter()
    }
}

/// A path as code writes it.
pub(super) fn told(path: &[String]) -> String {
    let is_word = |key: &str| key.chars().all(|c| c.is_alphanumeric() || c == '_');
    let keys = path.iter().map(|key| if is_word(key) { format!(".{key}") } else { format!("[\"{key}\"]") });
    format!("event{}", keys.collect::<String>())
}
