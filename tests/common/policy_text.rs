//! Random policies as text, well typed, over the standard library's facts and a few of their own.
//!
//! No path executes more than four commands, and what may be absent is read under a guard of one of the forms that
//! the language has: `is present and`, `is not present or`, `implies`, `??`, an `if` around it or a `stop` before it.

use std::fmt::Write;

use super::choices::Choices;

/// What the first file declares of its own.
pub const FACTS: &str = r#"
fact tier: enum(bronze < silver < gold) = event.user.app_metadata?.tier? default bronze
fact clearance: enum(public < internal < secret)? = event.user.app_metadata?.clearance?
fact region: enum(eu, us, apac)? = event.user.app_metadata?.region?
fact seats: int? = event.user.app_metadata?.seats?
fact level: int = event.user.app_metadata?.level? default 3
fact dept: string = event.user.app_metadata?."https://x/dept"? default "ops"
fact vip: bool? = event.user.app_metadata?.vip?
fact wanted: factor? = event.user.user_metadata?.wanted?
fact backup: factor = event.user.user_metadata?.backup? default otp
fact offered: set<factor>? = event.organization?.metadata?.factors? split ","
fact preferred: set<factor> = event.user.app_metadata?.preferred? default [phone, otp]
fact idle: duration? = event.session?.idle?
fact tags: list<string>? = event.user.app_metadata?.tags?
"#;

/// What every file defines.
const DEFINITIONS: &str = r#"
let strong = [webauthn-roaming, webauthn-platform]
define fresh(f: factor) = performed(f) within 12h
define usable(f: factor, from: set<factor>) = f in from and enrolled(f)
define ours(t: string) = t ends with "@a.com" or lower(t) == "bob@b.com"
define many(n: int?) = (n ?? 0) > 2
define given(t: string?) = t is present and t != ""
define follows(a: bool, b: bool) = a implies b
define young(t: time) = t within 30d
define codes(s: set<factor>) = s intersect [phone, otp, email]
define listed(l: list<string>) = l contains any ["admin", "ops"]
define paying(t: enum(bronze < silver < gold)) = t > bronze
"#;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bool,
    Int,
    Text,
    Time,
    Duration,
    Ip,
    Factor,
    Texts,
    Set,
    /// An enum's values, and whether they have an order.
    Enum(&'static [&'static str], bool),
}

struct Fact {
    name: &'static str,
    kind: Kind,
    optional: bool,
}

const fn fact(name: &'static str, kind: Kind) -> Fact {
    Fact { name, kind, optional: false }
}

const fn optional(name: &'static str, kind: Kind) -> Fact {
    Fact { name, kind, optional: true }
}

const CODES: &[&str] = &["match", "no_match", "initial_login", "unknown_device", "other"];

const ALL: [Fact; 34] = [
    fact("user.isAdmin", Kind::Bool),
    fact("user.email_verified", Kind::Bool),
    optional("vip", Kind::Bool),
    fact("stats.logins_count", Kind::Int),
    fact("level", Kind::Int),
    optional("seats", Kind::Int),
    fact("client.id", Kind::Text),
    fact("connection.strategy", Kind::Text),
    fact("dept", Kind::Text),
    optional("user.email", Kind::Text),
    optional("user.nickname", Kind::Text),
    optional("organization.id", Kind::Text),
    optional("organization.name", Kind::Text),
    optional("transaction.protocol", Kind::Text),
    optional("request.geo.continent_code", Kind::Text),
    fact("user.created_at", Kind::Time),
    optional("user.last_password_reset", Kind::Time),
    fact("now", Kind::Time),
    optional("idle", Kind::Duration),
    fact("request.ip", Kind::Ip),
    optional("session.device.last_ip", Kind::Ip),
    optional("wanted", Kind::Factor),
    fact("backup", Kind::Factor),
    optional("last performed", Kind::Factor),
    fact("user.roles", Kind::Texts),
    fact("authentication.methods", Kind::Texts),
    optional("tags", Kind::Texts),
    fact("enrolled", Kind::Set),
    fact("preferred", Kind::Set),
    optional("offered", Kind::Set),
    fact("tier", Kind::Enum(&["bronze", "silver", "gold"], true)),
    optional("clearance", Kind::Enum(&["public", "internal", "secret"], true)),
    optional("region", Kind::Enum(&["eu", "us", "apac", "other"], false)),
    optional("risk.new_device.code", Kind::Enum(CODES, false)),
];

const FACTORS: [&str; 7] =
    ["otp", "recovery-code", "email", "push-notification", "phone", "webauthn-platform", "webauthn-roaming"];
pub const TEXTS: [&str; 12] = [
    "a.com",
    "admin",
    "Admin",
    "ops",
    "anna@a.com",
    "Bob@B.com",
    "x@y@a.com",
    "@",
    "eu",
    "EU",
    "oauth2-refresh-token",
    "",
];
const PREFIXES: [&str; 5] = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0"];
const LENGTHS: [&str; 5] = ["5s", "0s", "10m", "12h", "30d"];

/// The texts of a flow's files.
pub fn flow(choices: &mut Choices<'_>) -> Vec<String> {
    let mut files = Vec::new();
    for file in 0..1 + choices.below(2) {
        let mut writer = Writer {
            choices,
            text: String::new(),
            known: Vec::new(),
            locals: Vec::new(),
            next: 0,
            depth: 0,
            rule: false,
        };
        writer.file(file);
        files.push(writer.text);
    }
    files
}

struct Writer<'c, 'b> {
    choices: &'c mut Choices<'b>,
    text: String,
    /// Optional facts that are present here.
    known: Vec<&'static str>,
    locals: Vec<(String, Kind)>,
    next: usize,
    depth: usize,
    /// Whether this file has the rule and the define of random content.
    rule: bool,
}

impl Writer<'_, '_> {
    fn file(&mut self, file: usize) {
        if file == 0 {
            self.text.push_str(FACTS);
        }
        self.text.push_str(DEFINITIONS);
        let condition = self.condition(2);
        let _ = writeln!(self.text, "define sudden = {condition}");
        self.text.push_str("rule ask {\n");
        self.block(1);
        self.text.push_str("}\n");
        self.rule = true;
        let loose = self.choices.rarely(4);
        for step in 0..1 + usize::from(!loose && self.choices.rarely(3)) {
            if !loose {
                let _ = writeln!(self.text, "step s{file}{step} {{");
            }
            self.block(1);
            if !loose {
                self.text.push_str("}\n");
            }
        }
    }

    /// Statements with at most so many commands on a path.
    fn block(&mut self, mut budget: usize) {
        let (locals, known) = (self.locals.len(), self.known.len());
        self.depth += 1;
        for _ in 0..1 + self.choices.below(3) {
            self.statement(&mut budget);
        }
        self.depth -= 1;
        self.locals.truncate(locals);
        self.known.truncate(known);
    }

    fn statement(&mut self, budget: &mut usize) {
        let indent = "  ".repeat(self.depth);
        self.text.push_str(&indent);
        match self.choices.below(if self.depth > 3 { 4 } else { 10 }) {
            0 | 1 if *budget > 0 => {
                *budget -= 1;
                let command = self.command();
                let _ = writeln!(self.text, "{command}");
            }
            0 | 1 if self.choices.rarely(3) => self.text.push_str("stop\n"),
            0 | 1 => self.local(),
            2 => self.local(),
            3 if self.rule && *budget > 0 => {
                *budget -= 1;
                self.text.push_str("apply ask\n");
            }
            3 => {
                let condition = self.condition(1);
                let _ = writeln!(self.text, "if {condition} then deny \"no{}\"", self.choices.below(3));
            }
            4 => self.matched(budget),
            5 => self.guarded(budget),
            _ => self.chain(budget),
        }
    }

    fn chain(&mut self, budget: &mut usize) {
        let spent = *budget;
        let condition = self.condition(2);
        let _ = writeln!(self.text, "if {condition} {{");
        self.block(spent);
        for _ in 0..self.choices.below(3) {
            let condition = self.condition(1);
            let _ = writeln!(self.text, "}} else if {condition} {{");
            self.block(spent);
        }
        if self.choices.below(2) == 0 {
            self.text.push_str("} else {\n");
            self.block(spent);
        }
        self.text.push_str("}\n");
        *budget = 0;
    }

    /// An `if` that makes something known inside it, or after it.
    fn guarded(&mut self, budget: &mut usize) {
        let fact = self.optional_fact();
        if self.choices.below(2) == 0 {
            let _ = writeln!(self.text, "if {} is not present then stop", fact.name);
            self.known.push(fact.name);
            return;
        }
        let condition = self.condition(0);
        let _ = writeln!(self.text, "if {} is present and {condition} {{", fact.name);
        self.known.push(fact.name);
        self.block(*budget);
        self.known.pop();
        self.text.push_str("}\n");
        *budget = 0;
    }

    fn matched(&mut self, budget: &mut usize) {
        let spent = *budget;
        *budget = 0;
        let fact = self.fact();
        let subject = match fact.kind {
            Kind::Enum(values, ordered) => {
                let fallback = if ordered { values[0] } else { "other" };
                if self.is_known(fact) {
                    fact.name.to_owned()
                } else {
                    format!("{} ?? {fallback}", fact.name)
                }
            }
            Kind::Bool if self.is_known(fact) => fact.name.to_owned(),
            _ => "client.id".to_owned(),
        };
        let (patterns, exhaustive): (Vec<String>, bool) = match fact.kind {
            Kind::Enum(CODES, _) => (CODES.iter().map(|&value| value.to_owned()).collect(), false),
            Kind::Enum(values, _) => (values.iter().map(|&value| value.to_owned()).collect(), true),
            Kind::Bool if self.is_known(fact) => (vec!["true".to_owned(), "false".to_owned()], true),
            _ => (TEXTS.iter().map(|text| format!("{text:?}")).collect(), false),
        };
        let _ = writeln!(self.text, "match {subject} {{");
        let mut rest = patterns.as_slice();
        while !rest.is_empty() {
            let (arm, after) = rest.split_at(1 + self.choices.below(rest.len()));
            rest = after;
            if !exhaustive && self.choices.below(3) == 0 {
                continue;
            }
            let _ = writeln!(self.text, "{} => {{", arm.join(", "));
            self.block(spent);
            self.text.push_str("}\n");
        }
        if !exhaustive {
            self.text.push_str("else => {\n");
            self.block(spent);
            self.text.push_str("}\n");
        }
        self.text.push_str("}\n");
    }

    fn local(&mut self) {
        let (value, kind) = match self.choices.below(4) {
            0 => (self.set(1), Kind::Set),
            1 => (self.condition(1), Kind::Bool),
            2 => (format!("lower(user.email ?? {:?})", self.one(&TEXTS)), Kind::Text),
            _ => (
                format!("domain({})", self.one(&["client.id", "user.email", "organization.name"])),
                Kind::Text,
            ),
        };
        let is_domain = value.starts_with("domain");
        let name = format!("local{}", self.next);
        self.next += 1;
        let _ = writeln!(self.text, "let {name} = {value}");
        let read = if is_domain { format!("({name} ?? \"none\")") } else { name };
        self.locals.push((read, kind));
    }

    fn command(&mut self) -> String {
        let enrolls = self.choices.below(2) == 0;
        let word = if enrolls { "enroll" } else { "challenge" };
        let mut factors = self.some(&FACTORS);
        factors.retain(|factor| !enrolls || *factor != "email");
        if factors.is_empty() {
            factors.push("otp");
        }
        if self.choices.below(2) == 0 {
            factors.reverse();
        }
        let used: Vec<String> = factors.iter().map(|factor| self.used(factor, enrolls)).collect();
        let set = self.set(2);
        // A list as written is held to the command; a set that is put together offers what the command can take.
        let set = if enrolls { format!("enrolled union {set}") } else { set };
        match self.choices.below(4) {
            0 => format!("{word} {}", used.join(" or ")),
            1 => format!("{word} {} or any of {}", used[..used.len().min(2)].join(" or "), set),
            2 => format!("{word} any of [{}]", used.join(", ")),
            _ => format!("{word} any of {set}"),
        }
    }

    fn used(&mut self, factor: &str, enrolls: bool) -> String {
        match (factor, self.choices.below(3)) {
            ("phone", 1) => format!("phone({})", self.one(&["sms", "voice", "both"])),
            ("push-notification", 1) if !enrolls => "push-notification(no-fallback)".to_owned(),
            _ => factor.to_owned(),
        }
    }

    fn set(&mut self, depth: usize) -> String {
        if depth > 0 && self.choices.below(3) != 0 {
            let word = self.one(&["intersect", "union", "except"]);
            let (left, right) = (self.set(depth - 1), self.set(depth - 1));
            let left = if self.choices.below(2) == 0 { format!("({left})") } else { left };
            return format!("{left} {word} ({right})");
        }
        let local = self.local_of(Kind::Set);
        match self.choices.below(7) {
            0 if local.is_some() => local.unwrap_or_default(),
            0 | 1 => "enrolled".to_owned(),
            2 => "preferred".to_owned(),
            3 if self.known.contains(&"offered") => "offered".to_owned(),
            3 => format!("offered ?? {}", self.literal_set()),
            4 => format!("codes({})", self.one(&["enrolled", "preferred", "performed", "strong"])),
            5 => (*self.one(&["strong", "performed"])).to_owned(),
            _ => self.literal_set(),
        }
    }

    fn literal_set(&mut self) -> String {
        let mut factors = self.some(&FACTORS);
        if self.choices.below(2) == 0 {
            factors.reverse();
        }
        match factors.is_empty() {
            true => "[phone]".to_owned(),
            false => format!("[{}]", factors.join(", ")),
        }
    }

    fn condition(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.leaf();
        }
        let (a, b) = (self.condition(depth - 1), self.condition(depth - 1));
        match self.choices.below(7) {
            0 => format!("{a} and {b}"),
            1 => format!("({a} or {b})"),
            2 => format!("not ({a})"),
            3 => format!("({a} implies {b})"),
            4 => format!("({a}) == ({b})"),
            5 => format!("follows({a}, {b})"),
            _ => a,
        }
    }

    fn leaf(&mut self) -> String {
        match self.choices.below(12) {
            0 => format!("enrolled({})", self.one(&FACTORS)),
            1 => format!("performed({}) within {}", self.one(&FACTORS), self.one(&LENGTHS)),
            2 => format!("performed({}) in this login", self.one(&FACTORS)),
            3 => self
                .one(&["any performed", "any performed within 10m", "any performed in this login"])
                .to_string(),
            4 => self.of_set(),
            5 => self.call(),
            6 => match self.local_of(Kind::Bool) {
                Some(name) => name,
                None => "enrolled is empty".to_owned(),
            },
            7 => match self.local_of(Kind::Text) {
                Some(name) => self.asked(&name, Kind::Text),
                None => "performed(otp)".to_owned(),
            },
            8 => "organization.id is present and organization.name == organization.id".to_owned(),
            _ => self.of_fact(),
        }
    }

    fn of_set(&mut self) -> String {
        let set = self.set(2);
        match self.choices.below(5) {
            0 => format!("({set} is empty)"),
            1 => format!("({set} is not empty)"),
            2 => format!("count({set}) {} {}", self.one(&[">=", "==", "<", "!="]), self.choices.below(4)),
            3 => format!("({} in {set})", self.one(&FACTORS)),
            _ => format!("(({set}) contains {} {})", self.one(&["any", "all"]), self.literal_set()),
        }
    }

    fn call(&mut self) -> String {
        let factor = self.one(&FACTORS).to_owned();
        match self.choices.below(10) {
            0 => format!("fresh({factor})"),
            1 => "fresh(backup)".to_owned(),
            2 => format!("usable({factor}, {})", self.set(1)),
            3 => format!("ours(user.email ?? {:?})", self.one(&TEXTS)),
            4 => format!("many({})", self.one(&["seats", "level", "stats.logins_count"])),
            5 => format!(
                "given({})",
                self.one(&["user.email", "organization.name", "dept", "domain(user.email)"])
            ),
            6 => "young(user.created_at)".to_owned(),
            7 => format!("listed({})", self.one(&["user.roles", "tags ?? []", "authentication.methods"])),
            8 => format!("paying({})", self.one(&["tier", "silver"])),
            _ if self.rule => "sudden".to_owned(),
            _ => "given(user.nickname)".to_owned(),
        }
    }

    fn of_fact(&mut self) -> String {
        let fact = self.fact();
        if self.is_known(fact) {
            return self.asked(fact.name, fact.kind);
        }
        let name = fact.name;
        match (self.choices.below(5), fallback(fact.kind)) {
            (0, _) => format!("{name} is present"),
            (1, _) => format!("({name} is present and {})", self.asked(name, fact.kind)),
            (2, _) => format!("({name} is not present or {})", self.asked(name, fact.kind)),
            (3, Some(fallback)) => self.asked(&format!("({name} ?? {fallback})"), fact.kind),
            _ => format!("({name} is present implies {})", self.asked(name, fact.kind)),
        }
    }

    /// A question about a value that is there.
    fn asked(&mut self, x: &str, kind: Kind) -> String {
        let how = self.choices.below(8);
        match kind {
            Kind::Bool => self.one(&[format!("{x} == true"), format!("not {x}"), x.to_owned()]).clone(),
            Kind::Int => {
                let number = self.choices.below(5);
                match how {
                    0 => format!("{x} in [1, {}]", number + 2),
                    1 => format!("{number} < {x}"),
                    _ => format!("{x} {} {number}", self.one(&["==", "!=", "<", "<=", ">", ">="])),
                }
            }
            Kind::Text => self.asked_text(x, how),
            Kind::Time => match how {
                0 => format!("weekday({x}) in [saturday, sunday, monday]"),
                1 => format!("hour({x}) {} {}", self.one(&["<", ">=", "=="]), 8 + self.choices.below(6)),
                2 => format!("{x} {} 2026-01-31T12:00:00Z", self.one(&["<", ">="])),
                3 if x != "now" => {
                    format!("age({x}) {} {}", self.one(&["<", ">", ">=", "<="]), self.one(&LENGTHS))
                }
                4 => format!("weekday({x}) != thursday"),
                _ => format!("{x} within {}", self.one(&LENGTHS)),
            },
            Kind::Duration => {
                format!("{x} {} {}", self.one(&["<", "<=", ">", "==", "!="]), self.one(&LENGTHS))
            }
            Kind::Ip => match how {
                0 => format!("{x} == 10.1.2.3"),
                1 => {
                    format!("{x} not in [{}, {}]", self.one(&PREFIXES), self.one(&["192.168.0.0/16", "::/1"]))
                }
                _ => format!("{x} in {}", format_args!("[{}]", self.one(&PREFIXES))),
            },
            Kind::Factor => match how {
                0 => format!("{x} == {}", self.one(&FACTORS)),
                1 => format!("{x} in {}", self.literal_set()),
                2 => format!("{x} not in enrolled"),
                3 if !x.contains("??") => format!("enrolled({x})"),
                4 if !x.contains("??") => format!("performed({x}) within 12h"),
                _ => format!("{x} in ({})", self.set(1)),
            },
            Kind::Texts => match how {
                0 => format!("{x} is empty"),
                1 => format!("{x} contains all [\"admin\", {:?}]", self.one(&["ops", "eu"])),
                2 => format!("{:?} in {x}", self.one(&TEXTS)),
                3 => format!("{x} contains any [{:?}, \"mfa\"]", self.one(&["ops", "pwd"])),
                _ => format!("{x} contains {:?}", self.one(&TEXTS)),
            },
            Kind::Set => match how {
                0 => format!("{x} is not empty"),
                1 => format!("count({x}) > 1"),
                _ => format!("{x} contains {}", self.one(&FACTORS)),
            },
            Kind::Enum(values, ordered) => match how {
                0 => format!("{x} in [{}, {}]", values[0], values[1]),
                1 | 2 if ordered => {
                    format!("{x} {} {}", self.one(&["<", "<=", ">", ">="]), self.one(values))
                }
                3 => format!("{x} != {}", self.one(values)),
                _ => format!("{x} == {}", self.one(values)),
            },
        }
    }

    fn asked_text(&mut self, x: &str, how: usize) -> String {
        let text = *self.one(&TEXTS);
        let simple = !x.contains("??") && !x.starts_with("local");
        match how {
            0 => format!("{x} in [{text:?}, \"zz\"]"),
            1 => format!(
                "{x} {} {:?}",
                self.one(&["starts with", "ends with", "contains"]),
                self.one(&TEXTS[..9])
            ),
            2 => format!("lower({x}) == {:?}", text.to_lowercase()),
            3 if simple => format!("(domain({x}) ?? \"none\") == {text:?}"),
            4 if simple => format!("(domain({x}) is present and domain({x}) ends with \"a.com\")"),
            5 if simple => format!("{x} == {}", self.one(&["client.id", "dept"])),
            6 => format!("{x} != {text:?}"),
            _ => format!("{x} == {text:?}"),
        }
    }

    fn fact(&mut self) -> &'static Fact {
        &ALL[self.choices.below(ALL.len())]
    }

    fn optional_fact(&mut self) -> &'static Fact {
        let start = self.choices.below(ALL.len());
        ALL.iter().cycle().skip(start).find(|fact| fact.optional).expect("some are")
    }

    /// Whether a fact may be read without asking; the organization's are there together.
    fn is_known(&self, fact: &Fact) -> bool {
        let same = |known: &&'static str| {
            *known == fact.name
                || fact.name.starts_with("organization.") && known.starts_with("organization.")
        };
        !fact.optional || self.known.iter().any(same)
    }

    fn local_of(&mut self, kind: Kind) -> Option<String> {
        let fitting: Vec<String> =
            self.locals.iter().filter(|(_, of)| *of == kind).map(|(name, _)| name.clone()).collect();
        (!fitting.is_empty()).then(|| self.one(&fitting).clone())
    }

    fn one<'o, T>(&mut self, options: &'o [T]) -> &'o T {
        self.choices.one_of(options)
    }

    fn some(&mut self, options: &[&'static str]) -> Vec<&'static str> {
        self.choices.some_of(options)
    }
}

fn fallback(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Bool => "false",
        Kind::Int => "2",
        Kind::Text => "\"eu\"",
        Kind::Duration => "10m",
        Kind::Factor => "phone",
        Kind::Texts => "[\"ops\"]",
        Kind::Set => "[otp, email]",
        Kind::Enum(values, _) => values[1],
        Kind::Time | Kind::Ip => return None,
    })
}
