//! Random Actions, each held to the policy that it becomes.
//!
//! They are made of the forms that are understood, in combinations that nobody writes. What is not understood is no
//! failure; an import that says it understood, and decides otherwise, is.

use stepup::import::{Comparison, import};

/// Numbers that look random and are not.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }

    fn of<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        choices[self.below(choices.len())]
    }
}

const TEXTS: [&str; 8] = [
    "event.user.nickname",
    "event.user.email",
    "event.organization?.name",
    "event.client.client_id",
    "event.user.app_metadata.plan",
    "event.transaction?.protocol",
    "event.organization?.metadata?.tier",
    "event.connection.strategy",
];
const LITERALS: [&str; 4] = ["'a'", "'b'", "'a@b.c'", "''"];
const LISTS: [&str; 6] = [
    "event.authorization?.roles",
    "(event.authorization?.roles || [])",
    "event.transaction?.acr_values",
    "(event.user.app_metadata.groups ?? [])",
    "event.user.app_metadata.teams",
    "(event.user.app_metadata.tags || '').split(',')",
];
const ENROLLED: [&str; 4] = [
    "event.user.enrolledFactors",
    "(event.user.enrolledFactors || [])",
    "(event.user.enrolledFactors ?? []).filter(f => f.type !== 'email')",
    "(event.user.enrolledFactors ?? []).filter(f => ['otp', 'phone'].includes(f.type))",
];
const METHODS: [&str; 3] = [
    "event.authentication?.methods",
    "(event.authentication?.methods ?? [])",
    "(event.authentication?.methods || []).filter(m => m.name === 'mfa')",
];
const FACTORS: [&str; 4] = ["'otp'", "'phone'", "'email'", "'webauthn-roaming'"];

fn condition(chance: &mut Chance, depth: usize) -> String {
    if depth == 0 || chance.below(4) == 0 {
        return atom(chance);
    }
    let inner = |chance: &mut Chance| condition(chance, depth - 1);
    match chance.below(7) {
        0 => format!("!({})", inner(chance)),
        1 => format!("({} && {})", inner(chance), inner(chance)),
        2 => format!("({} || {})", inner(chance), inner(chance)),
        3 => format!("({} ? {} : {})", inner(chance), inner(chance), inner(chance)),
        4 => format!("(({}) === ({}))", truth(&inner(chance)), truth(&inner(chance))),
        5 => format!("({} && {} || {})", inner(chance), inner(chance), inner(chance)),
        _ => format!("({} ?? {})", chance.of(&TEXTS), inner(chance)),
    }
}

fn truth(condition: &str) -> String {
    format!("!!({condition})")
}

fn atom(chance: &mut Chance) -> String {
    match chance.below(14) {
        0 => chance.of(&TEXTS).to_owned(),
        1 => format!(
            "{} {} {}",
            chance.of(&TEXTS),
            chance.of(&["===", "!==", "==", "!="]),
            chance.of(&LITERALS)
        ),
        2 => format!("{} {} undefined", chance.of(&TEXTS), chance.of(&["===", "!==", "==", "!="])),
        3 => format!("[{}, {}].includes({})", chance.of(&LITERALS), chance.of(&LITERALS), chance.of(&TEXTS)),
        4 => format!("({} || {}) === {}", chance.of(&TEXTS), chance.of(&LITERALS), chance.of(&LITERALS)),
        5 => {
            let method = chance.of(&["startsWith", "endsWith", "includes"]);
            format!("({} ?? '').{method}({})", chance.of(&TEXTS[..4]), chance.of(&LITERALS))
        }
        6 => format!("{}?.includes({})", chance.of(&LISTS), chance.of(&LITERALS[..3])),
        7 => format!(
            "{}?.some(r => r === {} || [{}].includes(r))",
            chance.of(&LISTS),
            chance.of(&LITERALS[..3]),
            chance.of(&LITERALS[..3])
        ),
        8 => format!(
            "{}{}",
            chance.of(&LISTS[..5]),
            chance.of(&["?.length", "?.length > 0", "?.length === 0", ""])
        ),
        9 => match chance.below(4) {
            0 => format!("{}?.some(f => f.type === {})", chance.of(&ENROLLED), chance.of(&FACTORS)),
            1 => format!("{}?.every(f => f.type !== {})", chance.of(&ENROLLED), chance.of(&FACTORS)),
            2 => format!("{}?.map(f => f.type).includes({})", chance.of(&ENROLLED), chance.of(&FACTORS)),
            _ => format!(
                "{}{}",
                chance.of(&ENROLLED),
                chance.of(&["?.length", "?.length === 0", "?.length > 0", ""])
            ),
        },
        10 => {
            let recent = chance.of(&[
                "true",
                "Date.now() - new Date(m.timestamp).getTime() < 60000",
                "new Date(m.timestamp) > new Date(Date.now() - 5000)",
            ]);
            format!(
                "{}?.some(m => m.name === 'mfa' && m.type === {} && {recent})",
                chance.of(&METHODS),
                chance.of(&FACTORS)
            )
        }
        11 => format!(
            "{}?.some(m => m.name === {})",
            chance.of(&METHODS),
            chance.of(&["'mfa'", "'pwd'", "'passkey'"])
        ),
        12 => {
            let bool_place = chance.of(&[
                "event.user.email_verified",
                "event.user.phone_verified",
                "event.user.app_metadata.flag",
            ]);
            format!("{bool_place}{}", chance.of(&["", " === true", " === false", " !== false", " !== true"]))
        }
        _ => {
            let number = chance.of(&["event.stats.logins_count", "event.user.app_metadata.level"]);
            format!("{number} {} {}", chance.of(&["<", "<=", ">", ">=", "===", "!=="]), chance.below(4))
        }
    }
}

fn command(chance: &mut Chance) -> &'static str {
    chance.of(&[
        "api.authentication.challengeWith({ type: 'otp' });",
        "api.authentication.challengeWithAny([{ type: 'otp' }, { type: 'phone', options: { preferredMethod: 'sms' } }]);",
        "api.authentication.enrollWith({ type: 'webauthn-roaming' }, { additionalFactors: [{ type: 'otp' }] });",
        "api.authentication.challengeWithAny((event.user.enrolledFactors ?? []).map(f => ({ type: f.type })));",
        "api.access.deny('no');",
        "return;",
        "return api.access.deny('out');",
        "x = !x;",
        "console.log('here');",
    ])
}

fn statements(chance: &mut Chance, depth: usize) -> String {
    let mut code = String::new();
    for _ in 0..=chance.below(2) {
        code.push_str(&match chance.below(7) {
            0 | 1 if depth > 0 => format!(
                "if ({}) {{\n{}}} else {{\n{}}}\n",
                condition(chance, 2),
                statements(chance, depth - 1),
                statements(chance, depth - 1)
            ),
            2 | 3 if depth > 0 => {
                format!("if ({}) {{\n{}}}\n", condition(chance, 2), statements(chance, depth - 1))
            }
            4 if depth > 0 => format!(
                "switch ({}) {{\ncase 'a':\n{}{}case 'b':\n{}break;\ndefault:\n{}}}\n",
                chance.of(&TEXTS),
                statements(chance, 0),
                chance.of(&["break;\n", ""]),
                statements(chance, 0),
                statements(chance, 0)
            ),
            5 => format!("x = {};\n", truth(&condition(chance, 1))),
            6 => format!("if (x) {}\n", command(chance)),
            _ => format!("{}\n", command(chance)),
        });
    }
    code
}

fn action(chance: &mut Chance) -> String {
    let named = condition(chance, 2);
    let helper = condition(chance, 1);
    format!(
        "const helper = (event) => {{\n  if ({helper}) return true;\n  return {};\n}};\n\
         exports.onExecutePostLogin = async (event, api) => {{\nlet x = {};\nconst named = {};\nif (named || helper(event)) {{\n{}}}\n{}}};\n",
        truth(&condition(chance, 1)),
        truth(&condition(chance, 1)),
        truth(&named),
        statements(chance, 1),
        statements(chance, 2),
    )
}

#[test]
fn a_random_action_that_is_understood_agrees_with_its_policy() {
    let cases = std::env::var("STEPUP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20);
    let seed = std::env::var("STEPUP_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_u64);
    let (mut understood, mut failures) = (0, Vec::new());
    for case in seed..seed + cases {
        let code = action(&mut Chance(case.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1));
        let mut imported = import([("action.js", &code)]);
        match imported.compare(60) {
            Comparison::NotUnderstood => {}
            Comparison::Run(agreement) if agreement.difference.is_none() => understood += 1,
            Comparison::Run(_) => {
                failures.push(format!(
                    "{case}:\n{code}\n{}\n{}",
                    imported.policy.unwrap_or_default(),
                    imported.report
                ));
            }
            Comparison::NotCompiled(report) => {
                let is_finding = |code: &str| code.starts_with("E05") || code.starts_with('W');
                let flow = report.diagnostics().iter().all(|one| is_finding(one.code.name()));
                if !flow {
                    failures
                        .push(format!("{case}:\n{code}\n{}\n{report}", imported.policy.unwrap_or_default()));
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {cases} differ\n{}",
        failures.len(),
        failures.iter().min_by_key(|failure| failure.len()).map_or("", String::as_str)
    );
    assert!(understood as u64 > cases / 2, "only {understood} of {cases} were understood and compared");
}
