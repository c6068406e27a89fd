//! `test` items through the library: what each clause accepts and refuses, and what counts as covered.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]

use stepup::source::MemoryLoader;
use stepup::testing::coverage::{Outcomes, Summary};
use stepup::testing::{
    Judgement, Mutant, RunOutcome, TestResults, judge as judge_mutant, mutants, run_tests,
};
use stepup::{Compiled, Compiler, Engine, Formatted, format_policy};

fn compiled(policy: &str) -> Compiled {
    Compiler::new().compile([("policy.stepup", policy)]).unwrap_or_else(|report| panic!("{report}"))
}

fn run(policy: &str) -> TestResults {
    run_tests(&compiled(policy), "")
}

/// The codes of the runs, in order; nothing for one that passed.
fn codes(results: &TestResults) -> Vec<Option<&'static str>> {
    let code = |outcome: &RunOutcome| match outcome {
        RunOutcome::Passed => None,
        RunOutcome::Failed(failure) => Some(failure.code.name()),
        RunOutcome::Defect(what) => panic!("{what}"),
    };
    results.runs.iter().map(|run| code(&run.outcome)).collect()
}

/// Whether the clauses pass, each alone, in a test of `policy`.
fn judge(policy: &str, clauses: &[(&str, Option<&'static str>)]) {
    for (clauses, wanted) in clauses {
        let results = run(&format!("{policy}\ntest \"t\" {{ {clauses} }}"));
        assert_eq!(codes(&results), [*wanted], "{clauses}");
    }
}

/// What counts in a policy: statements met and all, outcomes met and all.
fn counts(policy: &str) -> (usize, usize, usize, usize) {
    numbers(run(policy).coverage.total())
}

fn numbers(total: Summary) -> (usize, usize, usize, usize) {
    (total.statements.met, total.statements.of, total.outcomes.met, total.outcomes.of)
}

const TWO_STEPS: &str = "
step first {
  if enrolled is empty then enroll webauthn-platform or otp or phone(sms) else challenge any of enrolled
}

step second {
  if user.isAdmin then challenge otp
  if user.nickname is present then deny \"no nicknames\"
}
";

#[test]
fn an_expected_decision_is_compared_in_kind_form_order_and_options() {
    judge(
        TWO_STEPS,
        &[
            ("expect enroll webauthn-platform or otp or phone(sms)", None),
            ("expect enroll webauthn-platform or otp or phone", Some("E0701")),
            ("expect enroll webauthn-platform or phone(sms) or otp", Some("E0701")),
            ("expect enroll any of [webauthn-platform, otp]", Some("E0701")),
            ("expect nothing", Some("E0701")),
            ("given enrolled = [phone, otp] expect challenge any of enrolled", None),
            ("given enrolled = [phone, otp] expect challenge any of [otp, phone]", None),
            ("given enrolled = [phone, otp] expect challenge any of [phone, otp]", Some("E0701")),
            ("given enrolled = [otp] expect challenge otp", Some("E0701")),
        ],
    );
}

#[test]
fn each_step_has_its_own_expectation_and_they_come_in_order() {
    judge(
        TWO_STEPS,
        &[
            ("given enrolled = [otp] expect challenge any of [otp] choose otp expect nothing", None),
            ("given enrolled = [otp] choose otp expect nothing expect completes", None),
            ("given enrolled = [otp] choose otp expect nothing expect nothing", Some("E0701")),
            ("given enrolled = [otp] expect challenge any of [otp] expect nothing", Some("E0701")),
            (
                "given enrolled = [otp], user.isAdmin = true choose otp expect challenge otp expect completes",
                None,
            ),
        ],
    );
}

#[test]
fn a_prompt_shows_what_can_be_used_and_in_which_way() {
    judge(
        TWO_STEPS,
        &[
            ("expect prompt enroll webauthn-platform or otp or phone", None),
            ("expect prompt enroll any of [webauthn-platform, otp, phone]", Some("E0701")),
            ("given supports = [otp, phone] expect prompt enroll otp or phone", None),
            ("given supports = [phone] expect prompt enroll phone", None),
            ("given supports = [phone] expect prompt enroll any of [phone]", None),
            ("given enrolled = [phone, otp] expect prompt challenge any of [otp, phone]", None),
            ("given enrolled = [phone, otp] expect prompt challenge otp or phone", Some("E0701")),
            ("given enrolled = [otp] choose otp expect prompt challenge otp", Some("E0701")),
        ],
    );
}

#[test]
fn what_the_platform_logs_can_be_expected_once() {
    judge(
        TWO_STEPS,
        &[
            ("given supports = [otp] expect log w for webauthn-platform", None),
            ("given supports = [otp] expect log w", None),
            ("given supports = [otp] choose otp expect log w for webauthn-platform", None),
            ("given supports = [otp] expect log w for phone", Some("E0701")),
            ("given supports = [otp] expect log w expect log w", Some("E0701")),
            ("given supports = [] expect log mfar expect fails", None),
            ("given supports = [] expect fails expect log mfar", None),
            ("given supports = [otp] expect log mfar", Some("E0701")),
            ("expect log w", Some("E0701")),
        ],
    );
}

#[test]
fn an_end_is_reached_without_the_steps_on_the_way() {
    judge(
        TWO_STEPS,
        &[
            ("given enrolled = [otp] choose otp expect completes", None),
            ("given enrolled = [otp] choose otp expect fails", Some("E0701")),
            ("given enrolled = [otp] expect completes", Some("E0701")),
            ("given enrolled = [otp], user.nickname = \"x\" choose otp expect denied \"no nicknames\"", None),
            ("given enrolled = [otp], user.nickname = \"x\" choose otp expect denied \"no\"", Some("E0701")),
            ("given enrolled = [otp], user.nickname = \"x\" choose otp expect completes", Some("E0701")),
            ("given supports = [] expect fails", None),
            ("given supports = [] expect completes", Some("E0701")),
            ("given enrolled = [otp] choose otp expect completes expect completes", None),
        ],
    );
}

#[test]
fn the_user_can_only_do_what_the_prompt_offers() {
    judge(
        TWO_STEPS,
        &[
            ("choose phone", None),
            ("choose webauthn-roaming", Some("E0703")),
            ("given supports = [otp] choose phone", Some("E0703")),
            ("given enrolled = [otp] choose otp, otp", Some("E0703")),
            ("abandon expect fails", None),
            ("abandon expect completes", Some("E0701")),
            ("abandon abandon", Some("E0703")),
            ("abandon choose otp", Some("E0703")),
            ("given enrolled = [otp] choose otp abandon", Some("E0703")),
        ],
    );
}

#[test]
fn what_changes_between_steps_is_seen_by_the_next() {
    judge(
        TWO_STEPS,
        &[
            ("choose otp given user.isAdmin = true expect challenge otp expect completes", None),
            (
                "choose phone given user.isAdmin = true expect challenge otp expect log mfar expect fails",
                None,
            ),
            ("choose otp given user.nickname = \"x\" expect denied \"no nicknames\"", None),
            ("given user.nickname = \"x\" choose otp given user.nickname = absent expect completes", None),
        ],
    );
    let window = "step a { challenge otp }
        step b { if performed(otp) within 5s then deny \"recent\" }";
    judge(
        window,
        &[
            ("given enrolled = [otp] choose otp expect denied \"recent\"", None),
            (
                "given enrolled = [otp], now = 2026-01-05T08:00:00Z choose otp
             given now = 2026-01-05T08:00:05Z expect completes",
                None,
            ),
        ],
    );
}

#[test]
fn a_login_that_looks_at_what_nobody_gave_is_reported_by_name() {
    let policy = "
        if enrolled(otp) and connection.strategy == \"samlp\" then stop
        if enrolled(phone) and hour(now) < 8 then stop
        challenge email";
    judge(
        policy,
        &[
            ("expect challenge email", None),
            ("given enrolled = [otp] expect challenge email", Some("E0702")),
            ("given enrolled = [otp], connection.strategy = \"auth0\" expect challenge email", None),
            ("given enrolled = [phone] expect challenge email", Some("E0702")),
            ("given enrolled = [phone], now = 2026-01-05T08:00:00Z expect challenge email", None),
        ],
    );
    let results = run(&format!("{policy} test \"t\" {{ given enrolled = [otp] expect nothing }}"));
    let failure = results.failures().next().unwrap();
    assert!(failure.message.contains("`connection.strategy`"), "{}", failure.message);
}

#[test]
fn a_filter_chooses_tests_by_a_part_of_their_name() {
    let compiled = compiled(
        "if user.isAdmin then challenge otp
         test \"an admin is asked\" { given user.isAdmin = true expect challenge otp }
         test \"a user is not\" { expect nothing }",
    );
    let names = |filter: &str| -> Vec<String> {
        run_tests(&compiled, filter).runs.into_iter().map(|run| run.test).collect()
    };
    assert_eq!(names("admin"), ["an admin is asked"]);
    assert_eq!(names("").len(), 2);
    assert!(names("nobody").is_empty());
    assert_eq!(numbers(run_tests(&compiled, "user").coverage.total()), (1, 2, 1, 2), "what ran counts");
}

#[test]
fn a_table_runs_its_test_once_for_each_row_and_says_which_failed() {
    let results = run("if user.isAdmin then challenge otp
         test \"t\" for (user.isAdmin, enrolled) in [(true, [otp]), (false, [otp]), (true, [])] {
           expect challenge otp
         }");
    assert_eq!(codes(&results), [None, Some("E0701"), None]);
    let rows: Vec<Option<usize>> = results.runs.iter().map(|run| run.row).collect();
    assert_eq!(rows, [Some(1), Some(2), Some(3)]);
}

#[test]
fn many_runs_come_out_in_the_order_of_the_source_as_few_do() {
    let rows: Vec<String> = (0..1000).map(|n| format!("({})", n % 7 == 0)).collect();
    let policy = |rows: &[String]| {
        format!(
            "if user.isAdmin then challenge otp
             test \"t\" for (user.isAdmin) in [{}] {{ expect nothing }}",
            rows.join(",\n")
        )
    };
    let many = run(&policy(&rows));
    let expected: Vec<Option<&str>> = (0..1000).map(|n| (n % 7 == 0).then_some("E0701")).collect();
    assert_eq!(codes(&many), expected);
    assert!(many.runs.iter().enumerate().all(|(index, run)| run.row == Some(index + 1)));

    let mut yes_and_no = (0, 0);
    for rows in rows.chunks(10) {
        let few = run(&policy(rows));
        let outcomes = few.coverage.conditions.values().next().copied().unwrap();
        yes_and_no = (yes_and_no.0 + outcomes.yes, yes_and_no.1 + outcomes.no);
    }
    let outcomes = many.coverage.conditions.values().next().copied().unwrap();
    assert_eq!(outcomes, Outcomes { yes: yes_and_no.0, no: yes_and_no.1 });
}

#[test]
fn a_test_plays_all_steps_of_the_flow_whichever_file_it_stands_in() {
    let second = "step second { challenge phone }
        test \"all of it\" {
          given enrolled = [otp, phone]
          expect challenge otp choose otp
          expect challenge phone choose phone
          expect completes
        }";
    let files = [("first.stepup", "step first { challenge otp }"), ("second.stepup", second)];
    let compiled = Compiler::new().compile(files).unwrap();
    let results = run_tests(&compiled, "");
    assert!(results.all_passed(), "{}", results.report(&compiled));
    assert_eq!(results.coverage.files().len(), 2);
}

// ---------------------------------------------------------------------------------------------- coverage

#[test]
fn a_rule_and_a_define_count_once_over_all_their_uses() {
    let policy = "
        define recent(f: factor) = performed(f) within 12h
        rule ask { if not recent(otp) and not recent(phone) then challenge otp }
        step a { apply ask }
        step b { apply ask }
        test \"t\" {
          given enrolled = [otp]
          expect challenge otp choose otp
          expect nothing
        }";
    // Two `apply`, the `if`, the command; the condition of `recent`, which was false at first and true later.
    assert_eq!(counts(policy), (4, 4, 2, 2));
}

#[test]
fn a_condition_counts_when_it_is_reached_from_left_to_right() {
    let policy = |given: &str| {
        format!(
            "if user.isAdmin and enrolled(otp) or enrolled(phone) then challenge otp
             test \"t\" {{ given user.isAdmin = {given} expect completes }}"
        )
    };
    // `enrolled(otp)` is not asked for who is no admin.
    assert_eq!(counts(&policy("false")), (1, 2, 2, 6));
    assert_eq!(counts(&policy("true")), (1, 2, 3, 6));
}

#[test]
fn a_fallback_and_a_not_are_parts_of_one_condition() {
    let policy = "if not ((user.nickname ?? user.username ?? \"\") == \"root\") then challenge otp
        test \"t\" for (user.nickname, user.username) in [(\"a\", absent), (absent, \"b\"), (absent, absent)] {
          given enrolled = [otp]
          expect challenge otp
        }
        test \"u\" { given user.username = \"root\" expect completes }";
    let outcomes: Vec<Outcomes> = run(policy).coverage.conditions.into_values().collect();
    assert_eq!(outcomes, [Outcomes { yes: 1, no: 3 }]);
}

#[test]
fn arms_of_a_match_are_conditions_but_the_last_which_takes_the_rest() {
    let policy = |rows: &str| {
        format!(
            "match connection.strategy {{ \"auth0\" => stop \"samlp\", \"oidc\" => stop else => stop }}
             test \"t\" for (connection.strategy) in [{rows}] {{ expect nothing }}"
        )
    };
    assert_eq!(counts(&policy("(\"auth0\")")), (2, 4, 1, 4));
    assert_eq!(counts(&policy("(\"auth0\"), (\"oidc\")")), (3, 4, 3, 4));
    assert_eq!(counts(&policy("(\"auth0\"), (\"oidc\"), (\"x\")")), (4, 4, 4, 4));
}

#[test]
fn an_else_if_is_a_part_of_its_if_and_a_nested_if_is_a_statement() {
    let chain = "if user.isAdmin then stop else if enrolled(otp) then stop else if enrolled(phone) then stop
        test \"t\" { expect nothing }";
    assert_eq!(counts(chain), (1, 4, 3, 6));
    let nested = "if user.isAdmin { if enrolled(otp) { if enrolled(phone) then stop } else stop }
        test \"t\" { given user.isAdmin = true expect nothing }";
    assert_eq!(counts(nested), (3, 5, 2, 6));
}

#[test]
fn texts_of_the_library_and_what_no_step_uses_do_not_count() {
    let policy = "use std.login
        rule unused { challenge phone }
        define idle = enrolled(phone)
        if is-interactive then apply require-mfa
        test \"t\" { given enrolled = [otp] expect challenge any of [otp] }";
    assert_eq!(counts(policy), (2, 2, 0, 0));
}

#[test]
fn a_file_that_is_called_like_the_library_counts_all_the_same() {
    let text = "if user.isAdmin then challenge otp test \"t\" { expect nothing }";
    let compiled = Compiler::new().compile([("std.stepup", text)]).unwrap();
    assert_eq!(numbers(run_tests(&compiled, "").coverage.total()), (1, 2, 1, 2));
}

#[test]
fn a_used_file_of_ones_own_counts() {
    let shared = "rule ask { if user.isAdmin then challenge otp }";
    let loader = MemoryLoader::default().with("shared.stepup", shared);
    let policy = "use \"shared.stepup\" apply ask test \"t\" { expect nothing }";
    let compiled = Compiler::new().with_loader(loader).compile([("policy.stepup", policy)]).unwrap();
    let coverage = run_tests(&compiled, "").coverage;
    assert_eq!(numbers(coverage.total()), (2, 3, 1, 2));
    assert_eq!(coverage.files().len(), 2);
}

#[test]
fn coverage_is_the_same_for_both_engines_and_in_another_layout_of_the_text() {
    let examples = ["admins", "api-email-first", "nobody-without-a-factor", "sensitive-apps"];
    for example in examples {
        let path = format!("{}/examples/{example}.stepup", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let squeezed = squeezed(&text);
        let count = |engine: Engine, text: &str| {
            let compiled = Compiler::new().with_engine(engine).compile([("p.stepup", text)]).unwrap();
            let coverage = run_tests(&compiled, "").coverage;
            let conditions: Vec<Outcomes> = coverage.conditions.into_values().collect();
            (coverage.statements.into_values().collect::<Vec<usize>>(), conditions)
        };
        let native = count(Engine::Native, &text);
        assert_eq!(native, count(Engine::Interpreter, &text), "{example}");
        assert_eq!(native, count(Engine::Native, &squeezed), "{example}");
        let Formatted::Changed(formatted) = format_policy("p.stepup", squeezed.as_bytes()).unwrap() else {
            panic!("{example} was not squeezed")
        };
        assert_eq!(native, count(Engine::Native, &formatted), "{example}");
    }
}

/// A text without its comments and with a space for each line end.
fn squeezed(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[test]
fn generated_tests_pass_and_cover_every_example() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let compiler = Compiler::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "stepup") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let policy = text.split("\ntest \"").next().unwrap();
        let compiled = compiler.compile([("policy.stepup", policy)]).unwrap();
        let tests = stepup::testing::generate_tests(&compiled, &stepup::Budget::default()).unwrap();
        assert_eq!(tests.missed, [], "{}", path.display());
        let whole = format!("{policy}\n{}", tests.text);
        let compiled =
            compiler.compile([("policy.stepup", &whole)]).unwrap_or_else(|report| panic!("{report}"));
        let results = run_tests(&compiled, "");
        assert!(results.all_passed(), "{whole}\n{}", results.report(&compiled));
        assert_eq!((results.runs.len(), results.coverage.total().percent()), (tests.count, 100), "{whole}");
    }
}

/// Writes tests for a policy, and holds them to it.
fn generated(policy: &str) -> stepup::testing::GeneratedTests {
    let compiler = Compiler::new();
    let compiled = compiler.compile([("policy.stepup", policy)]).unwrap();
    let tests = stepup::testing::generate_tests(&compiled, &stepup::Budget::default()).unwrap();
    let whole = format!("{policy}\n{}", tests.text);
    let compiled = compiler.compile([("policy.stepup", &whole)]).unwrap_or_else(|report| panic!("{report}"));
    let results = run_tests(&compiled, "");
    assert!(results.all_passed(), "{whole}\n{}", results.report(&compiled));
    assert_eq!(results.runs.len(), tests.count);
    tests
}

#[test]
fn generated_tests_give_some_value_to_what_is_only_asked_to_be_there() {
    let policy = r#"
fact user.tier: enum(gold < iron)? = event.user.app_metadata?.tier?
fact organization.factors: set<factor> = event.organization?.metadata.factors? split "," default []
if organization.id is not present then stop
if user.tier is present then deny "no"
if organization.factors is empty then challenge otp
"#;
    let tests = generated(policy);
    assert_eq!(tests.missed, []);
    assert!(tests.text.contains("organization.id = \"some\""), "{}", tests.text);
}

#[test]
fn generated_tests_give_durations_of_whole_seconds() {
    let policy = "fact user.quota: duration = event.user.app_metadata.quota default 5s\n\
                  if user.quota > 90d then deny \"too long\"\n";
    let tests = generated(policy);
    assert_eq!(tests.missed, []);
    assert!(tests.text.contains("user.quota = 7776001s"), "{}", tests.text);
}

#[test]
fn tests_of_a_few_hundred_rules_are_written_in_no_time() {
    let rules = (0..300).map(|n| format!("if client.id == \"app-{n}\" and user.isAdmin then deny \"{n}\"\n"));
    let began = std::time::Instant::now();
    let compiled = compiled(&rules.collect::<String>());
    let tests = stepup::testing::generate_tests(&compiled, &stepup::Budget::default()).unwrap();
    assert!(tests.missed.is_empty() && tests.count > 300, "{}", tests.count);
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

#[test]
fn a_mistake_that_no_test_notices_is_named() {
    let policy = r#"
if user.isAdmin then challenge otp or phone
else if user.email_verified and stats.logins_count > 3 then challenge phone

test "an admin is asked" {
  given user.isAdmin = true, enrolled = [otp]
  expect prompt challenge otp
}
"#;
    let compiled = compiled(policy);
    let judged = |mutant: &Mutant| judge_mutant(&compiled, mutant, &stepup::Budget::default());
    let text =
        |mutant: &Mutant| format!("{}: {}", compiled.report.sources().text(mutant.span), mutant.change);
    let mut unnoticed = Vec::new();
    for mutant in mutants(&compiled) {
        match judged(&mutant) {
            Judgement::Noticed => {}
            Judgement::Unnoticed(comparison) => {
                assert!(!comparison.classes.is_empty());
                unnoticed.push(text(&mutant));
            }
            other => panic!("{}: {other:?}", text(&mutant)),
        }
    }
    assert_eq!(
        unnoticed,
        [
            "user.isAdmin: always true",
            "challenge otp or phone: `webauthn-platform` for `phone`",
            "user.email_verified: always true",
            "user.email_verified: always false",
            "user.email_verified and stats.logins_count > 3: `or` for `and`",
            "stats.logins_count > 3: always true",
            "stats.logins_count > 3: always false",
            "stats.logins_count > 3: `>=` for `>`",
            "challenge phone: without it",
            "challenge phone: `webauthn-platform` for `phone`",
        ]
    );
}

#[test]
fn tests_that_look_at_both_sides_notice_every_mistake() {
    let policy = r#"
if user.isAdmin then challenge otp

test "an admin is asked" {
  given user.isAdmin = true, enrolled = [otp]
  expect challenge otp
}

test "nobody else is" {
  given enrolled = [otp]
  expect nothing
}
"#;
    let compiled = compiled(policy);
    let judged: Vec<Judgement> = mutants(&compiled)
        .iter()
        .map(|mutant| judge_mutant(&compiled, mutant, &stepup::Budget::default()))
        .collect();
    assert_eq!(judged.len(), 4);
    assert!(judged.iter().all(|judgement| matches!(judgement, Judgement::Noticed)), "{judged:?}");
}

#[test]
fn a_mistake_that_changes_nothing_for_any_login_is_no_gap_of_the_tests() {
    let policy = r#"
if user.isAdmin and user.isAdmin then challenge otp

test "an admin is asked" {
  given user.isAdmin = true, enrolled = [otp]
  expect challenge otp
}

test "nobody else is" {
  given enrolled = [otp]
  expect nothing
}
"#;
    let compiled = compiled(policy);
    let same = mutants(&compiled).into_iter().filter(|mutant| {
        matches!(judge_mutant(&compiled, mutant, &stepup::Budget::default()), Judgement::SameForEveryLogin)
    });
    assert_eq!(same.count(), 3, "`or` for `and`, and either condition always true");
}
