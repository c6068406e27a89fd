//! Policies of any number of rules, in the shapes in which people write rules, and logins for them.

use std::fmt::Write;

use crate::inputs::Random;

/// A shape of rules.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// The statement of a rule, by its number among so many.
    rule: fn(u64, u64) -> String,
    /// A login that one of so many rules is about, or in one of ten none: the event, without its braces.
    login: fn(&mut Random, u64) -> String,
}

/// The facts of all shapes.
const FACTS: &str = r#"
fact login.app: string = event.app
fact login.country: string = event.country
fact login.connection: string = event.connection
fact login.roles: list<string> = event.roles default []
fact login.level: int = event.level default 0
fact login.mail: string = event.mail
fact login.address: ip = event.address
"#;

/// What rules ask for, in turn.
const COMMANDS: [&str; 7] = [
    "challenge otp",
    "challenge email",
    "challenge phone",
    "challenge push-notification",
    "challenge recovery-code",
    "challenge webauthn-platform",
    "challenge webauthn-roaming",
];

/// The bools that rules with conditions ask about.
const FLAGS: u64 = 10;

/// Applications of a country.
const APPLICATIONS: u64 = 50;

pub(crate) const SHAPES: [Shape; 12] = [
    Shape {
        name: "by application",
        rule: |rule, _| format!("if login.app == \"app-{rule}\" then {}", command(rule)),
        login: |random, rules| format!("\"app\": \"app-{}\"", any(random, rules)),
    },
    Shape {
        name: "by application, a reason each",
        rule: |rule, _| format!("if login.app == \"app-{rule}\" then deny \"not {rule}\""),
        login: |random, rules| format!("\"app\": \"app-{}\"", any(random, rules)),
    },
    Shape {
        name: "by application, 3 conditions",
        rule: |rule, _| {
            let [a, b, c] = flags_of(rule);
            let not = if rule % 3 == 0 { "not " } else { "" };
            let flags = format!("{not}flag.f{a} and flag.f{b} and flag.f{c}");
            format!("if login.app == \"app-{rule}\" and {flags} then {}", command(rule))
        },
        login: |random, rules| format!("\"app\": \"app-{}\", {}", any(random, rules), flags(random)),
    },
    Shape {
        name: "by application, mixed conditions",
        rule: |rule, _| {
            let (flag, level) = (rule % FLAGS, rule % 5 + 1);
            let conditions = format!("flag.f{flag} and login.level >= {level} and not enrolled(otp)");
            format!("if login.app == \"app-{rule}\" and {conditions} then {}", command(rule))
        },
        login: |random, rules| {
            let level = random.below(20);
            format!("\"app\": \"app-{}\", \"level\": {level}, {}", any(random, rules), flags(random))
        },
    },
    Shape {
        name: "by country and application",
        rule: |rule, _| {
            let (country, app) = (rule / APPLICATIONS, rule % APPLICATIONS);
            let country = format!("login.country == \"country-{country}\"");
            format!("if {country} and login.app == \"app-{app}\" then {}", command(rule))
        },
        login: |random, rules| {
            let rule = any(random, rules);
            let (country, app) = (rule / APPLICATIONS, rule % APPLICATIONS);
            format!("\"country\": \"country-{country}\", \"app\": \"app-{app}\"")
        },
    },
    Shape {
        name: "by role",
        rule: |rule, _| format!("if login.roles contains \"role-{rule}\" {{ {} stop }}", command(rule)),
        login: roles,
    },
    Shape {
        name: "by role, 3 conditions",
        rule: |rule, _| {
            let [a, b, c] = flags_of(rule);
            let flags = format!("flag.f{a} and flag.f{b} and flag.f{c}");
            format!("if login.roles contains \"role-{rule}\" and {flags} {{ {} stop }}", command(rule))
        },
        login: |random, rules| format!("{}, {}", roles(random, rules), flags(random)),
    },
    Shape {
        name: "by connection, 3 each",
        rule: |rule, _| {
            let names: Vec<String> = (0..3).map(|part| format!("\"c-{}\"", 3 * rule + part)).collect();
            format!("if login.connection in [{}] then {}", names.join(", "), command(rule))
        },
        login: |random, rules| format!("\"connection\": \"c-{}\"", any(random, 3 * rules)),
    },
    Shape {
        name: "by a number",
        rule: |rule, _| format!("if login.level == {} then {}", 1000 + 37 * rule, command(rule)),
        login: |random, rules| format!("\"level\": {}", 1000 + 37 * any(random, rules)),
    },
    Shape {
        name: "by a range of numbers",
        rule: |rule, _| {
            let (low, high) = (100 * rule, 100 * rule + 90);
            format!("if login.level >= {low} and login.level < {high} then {}", command(rule))
        },
        login: |random, rules| format!("\"level\": {}", any(random, 100 * rules)),
    },
    Shape {
        name: "by network",
        rule: |rule, _| {
            let [a, b] = [rule / 250, rule % 250];
            format!("if login.address in [10.{a}.{b}.0/24] then {}", command(rule))
        },
        login: |random, rules| {
            let rule = any(random, rules);
            format!("\"address\": \"10.{}.{}.{}\"", rule / 250, rule % 250, random.below(256))
        },
    },
    Shape {
        name: "by the beginning of a text",
        rule: |rule, _| format!("if login.mail starts with \"team-{rule}-\" {{ {} stop }}", command(rule)),
        login: |random, rules| format!("\"mail\": \"team-{}-{}@a.com\"", any(random, rules), random.below(9)),
    },
];

impl Shape {
    /// A policy of so many rules.
    pub(crate) fn policy(&self, rules: u64) -> String {
        let mut text = FACTS.to_owned();
        for flag in 0..FLAGS {
            let _ = writeln!(text, "fact flag.f{flag}: bool = event.f{flag} default false");
        }
        text += "step rules {\n";
        for rule in 0..rules {
            let _ = writeln!(text, "  {}", (self.rule)(rule, rules));
        }
        text + "}\n"
    }

    /// The event of a login.
    pub(crate) fn login(&self, random: &mut Random, rules: u64) -> String {
        format!("{{{}}}", (self.login)(random, rules))
    }
}

fn command(rule: u64) -> &'static str {
    COMMANDS[(rule % COMMANDS.len() as u64) as usize]
}

/// A rule's number, or in one of ten a number that no rule has.
fn any(random: &mut Random, rules: u64) -> u64 {
    random.below(rules + rules.div_ceil(10))
}

/// Three different flags.
fn flags_of(rule: u64) -> [u64; 3] {
    [rule, rule + 1 + rule / 10 % 4, rule + 5 + rule / 40 % 4].map(|flag| flag % FLAGS)
}

/// Each flag is set in nine of ten.
fn flags(random: &mut Random) -> String {
    let flags: Vec<String> =
        (0..FLAGS).map(|flag| format!("\"f{flag}\": {}", random.below(10) != 0)).collect();
    flags.join(", ")
}

/// One to three roles.
fn roles(random: &mut Random, rules: u64) -> String {
    let roles: Vec<String> =
        (0..=random.below(3)).map(|_| format!("\"role-{}\"", any(random, rules))).collect();
    format!("\"roles\": [{}]", roles.join(", "))
}
