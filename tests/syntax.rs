//! What the parser understands, and what it says when it doesn't.

#![allow(clippy::panic, reason = "a test that meets another tree fails")]

mod support {
    pub(crate) mod shorthand;
}

use stepup::diagnostic::Diagnostic;
use stepup::source::{Sources, Span};
use stepup::syntax::parse::parse;
use stepup::syntax::tree::*;

use support::shorthand::show;

/// A parsed text.
struct Parsed {
    text: String,
    tree: File,
    reports: Vec<Diagnostic>,
}

fn read(text: &str) -> Parsed {
    let file = Sources::new().add("test.stepup", text);
    let (tree, reports) = parse(file, text);
    Parsed { text: text.to_owned(), tree, reports }
}

impl Parsed {
    fn at(&self, span: Span) -> &str {
        &self.text[span.range()]
    }

    /// Each report as `CODE text: message`.
    fn said(&self) -> Vec<String> {
        let line = |report: &Diagnostic| {
            format!("{} `{}`: {}", report.code, self.at(report.primary.span), report.message)
        };
        self.reports.iter().map(line).collect()
    }

    fn items(&self) -> Vec<&ItemKind> {
        let items = self.tree.entries.iter().map(|entry| match entry {
            Entry::Item(item) => Some(&item.kind),
            Entry::Statement(_) => None,
        });
        items.flatten().collect()
    }

    fn statements(&self) -> Vec<&StatementKind> {
        let statements = self.tree.entries.iter().map(|entry| match entry {
            Entry::Statement(statement) => Some(&statement.kind),
            Entry::Item(_) => None,
        });
        statements.flatten().collect()
    }

    /// The text after the edits of the first report's first repair that has some.
    fn repaired(&self) -> String {
        let edits = self.reports.iter().flat_map(|report| &report.helps).find(|help| !help.edits.is_empty());
        let mut edits = edits.expect("a repair").edits.clone();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
        edits.iter().fold(self.text.clone(), |mut text, edit| {
            text.replace_range(edit.span.range(), &edit.replacement);
            text
        })
    }
}

/// Reads a text that must be right.
fn good(text: &str) -> Parsed {
    let parsed = read(text);
    assert_eq!(parsed.said(), [] as [String; 0], "{text}");
    parsed
}

/// An expression, fully parenthesised.
fn expression(text: &str) -> String {
    let parsed = good(&format!("let x = {text}"));
    match parsed.items()[..] {
        [ItemKind::Let(binding)] => show(&binding.value),
        _ => panic!("{:?}", parsed.tree),
    }
}

/// The value of a literal, or what is said of it.
fn literal(text: &str) -> Result<Literal, String> {
    let parsed = read(&format!("let x = {text}"));
    match parsed.items()[..] {
        [ItemKind::Let(binding)] => match &*binding.value.kind {
            ExpressionKind::Literal(literal) => Ok(literal.clone()),
            _ => Err(parsed.said().concat()),
        },
        _ => Err(parsed.said().concat()),
    }
}

/// A text with one mistake: what is said, and the text after the repair, which must be right.
fn repairs(text: &str, said: &str, repaired: &str) {
    let parsed = read(text);
    assert_eq!(parsed.said(), [said], "{text}");
    assert_eq!(parsed.repaired(), repaired);
    good(repaired);
}

fn complains(text: &str, said: &[&str]) {
    assert_eq!(read(text).said(), said, "{text}");
}

// ------------------------------------------------------------------------------------------------ understanding

const SAMPLE: &str = r#"//! Everyone uses a second factor; admins use both a security key and a one-time password.

/// Set by the directory sync.
fact user.isAdmin: bool = event.user.app_metadata.isAdmin default false

step enroll {
  if enrolled is empty {
    enroll any of [webauthn-roaming, otp]
    if user.isAdmin then enroll any of [webauthn-roaming, otp]
  } else {
    challenge any of enrolled
    if user.isAdmin and not enrolled(webauthn-roaming) then enroll webauthn-roaming
  }
}

step verify {
  if user.isAdmin {
    if not performed(webauthn-roaming) within 5s then challenge webauthn-roaming
    else if not performed(otp) within 5s then challenge otp
  }
}

guarantee "admins finish with both factors":
  user.isAdmin implies enrolled(webauthn-roaming) and enrolled(otp)

test "an admin with only a one-time password gets a security key" {
  given user.isAdmin = true, enrolled = [otp]
  expect challenge any of [otp], enroll webauthn-roaming
  choose otp, webauthn-roaming
  expect nothing
}
"#;

#[test]
fn the_sample_policy_is_understood_whole() {
    let parsed = good(SAMPLE);
    assert_eq!(parsed.tree.docs.len(), 1);
    let items = parsed.items();
    assert!(matches!(
        items[..],
        [ItemKind::Fact(_), ItemKind::Step(_), ItemKind::Step(_), ItemKind::Guarantee(_), ItemKind::Test(_)]
    ));
    let Entry::Item(fact) = &parsed.tree.entries[0] else { panic!("an item") };
    assert_eq!(fact.docs[0].node, "Set by the directory sync.");
    assert!(parsed.at(fact.span).starts_with("fact") && parsed.at(fact.span).ends_with("false"));
    let ItemKind::Test(test) = items[4] else { panic!("a test") };
    assert_eq!(test.clauses.len(), 4);
}

#[test]
fn a_file_of_one_line_is_a_policy() {
    let parsed = good("if user.isAdmin and not enrolled(webauthn-roaming) then enroll webauthn-roaming");
    assert!(matches!(parsed.statements()[..], [StatementKind::If(_)]));
}

#[test]
fn precedence_goes_from_calls_to_implies() {
    assert_eq!(expression("a implies b or c and not d"), "(a implies (b or (c and (not d))))");
    assert_eq!(expression("a implies b implies c"), "(a implies (b implies c))");
    assert_eq!(expression("enrolled intersect strong is empty"), "((enrolled intersect strong) is empty)");
    assert_eq!(expression("not enrolled is empty"), "(not (enrolled is empty))");
    assert_eq!(
        expression("not performed(otp) within 5s and a"),
        "((not (performed(otp) within 5000)) and a)"
    );
    assert_eq!(expression("a ?? b == c ?? d"), "((a ?? b) == (c ?? d))");
    assert_eq!(expression("a ?? b union c"), "((a ?? b) union c)");
    assert_eq!(expression("otp in a union b"), "(otp in (a union b))");
    assert_eq!(
        expression("performed(otp) in this login and x in this"),
        "((performed(otp) in this login) and (x in this))"
    );
    assert_eq!(expression("not a == b"), "(not (a == b))");
    assert_eq!(expression("not x not in y"), "(not (x not in y))");
}

#[test]
fn chains_of_one_operator_are_flat_until_parentheses() {
    assert_eq!(expression("a and b and c"), "(a and b and c)");
    assert_eq!(expression("a and (b and c)"), "(a and (b and c))");
    assert_eq!(expression("(a and b) and c"), "((a and b) and c)");
    assert_eq!(expression("a or b or c"), "(a or b or c)");
    assert_eq!(expression("a ?? b ?? c"), "(a ?? b ?? c)");
    assert_eq!(expression("a intersect b except c union d"), "(a intersect b except c union d)");
}

#[test]
fn every_comparison_is_understood() {
    for sign in [
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "in",
        "not in",
        "starts with",
        "ends with",
        "contains",
        "contains any",
        "contains all",
    ] {
        assert_eq!(expression(&format!("a {sign} b")), format!("(a {sign} b)"));
    }
    for test in ["is present", "is not present", "is empty", "is not empty"] {
        assert_eq!(expression(&format!("a {test}")), format!("(a {test})"));
    }
    assert_eq!(expression("last performed is present"), "(last performed is present)");
    assert_eq!(expression("any performed within 12h"), "(any performed within 43200000)");
}

#[test]
fn words_are_names_where_they_open_nothing() {
    assert_eq!(expression("risk.code == match"), "(risk.code == match)");
    assert_eq!(expression("in-network and is.new or iffy"), "((in-network and is.new) or iffy)");
    assert_eq!(expression("initially"), "initially");
    assert_eq!(expression("initially == a and initially in b"), "((initially == a) and (initially in b))");
    assert_eq!(expression("initially a == b and c"), "((initially (a == b)) and c)");
    assert_eq!(expression("last == contains"), "(last == contains)");
    good("step enroll { stop } rule stop { stop } step match { apply stop }");
    good("let within = performed\nlet is = within is present");
    good("if define and (step) { if fact == rule { stop } }");
    good("guarantee \"a\": always\nguarantee \"b\": always == never");
}

#[test]
fn a_polarity_is_a_word_before_an_operand() {
    let polarity = |text: &str| match good(text).items()[..] {
        [ItemKind::Guarantee(guarantee)] => guarantee.polarity,
        _ => panic!("{text}"),
    };
    assert_eq!(polarity("guarantee \"g\": always a"), Polarity::Always);
    assert_eq!(polarity("guarantee \"g\": never (a and b)"), Polarity::Never);
    assert_eq!(polarity("guarantee \"g\": always and a"), Polarity::Plain);
    assert_eq!(polarity("guarantee \"g\": a"), Polarity::Plain);
}

#[test]
fn an_else_belongs_to_the_nearest_if_and_else_ifs_are_one_list() {
    let parsed = good("if a then if b then stop else if c then stop else stop");
    let [StatementKind::If(outer)] = parsed.statements()[..] else { panic!("an if") };
    assert_eq!((outer.branches.len(), outer.otherwise.is_some()), (1, false));
    let StatementKind::If(inner) = &outer.branches[0].1.statements[0].kind else { panic!("an if") };
    assert_eq!((inner.branches.len(), inner.otherwise.is_some()), (2, true));
}

#[test]
fn an_arm_may_end_in_an_if_without_else() {
    let parsed = good(
        "match a { \"x\", y => if b then stop  true => { stop }  else => if c then stop else deny \"no\" }",
    );
    let [StatementKind::Match(found)] = parsed.statements()[..] else { panic!("a match") };
    assert_eq!(found.arms.iter().map(|arm| arm.patterns.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(found.otherwise.as_ref().map(|block| block.form), Some(BlockForm::Bare));
}

#[test]
fn commands_offer_factors_lists_or_sets() {
    let offer = |text: &str| match good(text).statements()[..] {
        [StatementKind::Command(command)] => match &command.offer {
            Offer::Preferred { factors, rest } => (factors.len(), rest.as_ref().map(show)),
            Offer::AnyListed(factors) => (factors.node.len(), Some("listed".to_owned())),
            Offer::AnyIn(set) => (0, Some(show(set))),
        },
        _ => panic!("{text}"),
    };
    assert_eq!(offer("enroll otp"), (1, None));
    assert_eq!(offer("enroll otp or phone(sms, voice) or any of strong"), (2, Some("strong".into())));
    assert_eq!(offer("challenge any of [otp, phone(sms)]"), (2, Some("listed".into())));
    assert_eq!(offer("challenge any of enrolled except [otp]"), (0, Some("(enrolled except [otp])".into())));
    assert_eq!(
        offer("challenge any of [otp] intersect enrolled"),
        (0, Some("([otp] intersect enrolled)".into()))
    );
}

#[test]
fn a_fact_has_a_type_a_path_a_separator_and_a_default() {
    let text = "fact a.b: list<string>? = event.user?.\"https://x/y z\"?[].name split \",\" default []";
    let parsed = good(text);
    let [ItemKind::Fact(fact)] = parsed.items()[..] else { panic!("a fact") };
    let Type::Optional(inner) = &fact.ty.node else { panic!("{:?}", fact.ty) };
    assert!(matches!(&inner.node, Type::Of(outer, inner) if outer.node == "list" && inner.node == "string"));
    let segments: Vec<_> = fact.path.segments.iter().map(|s| (s.key.node.as_str(), s.mark)).collect();
    let expected = [
        ("user", PathMark::Optional),
        ("https://x/y z", PathMark::OptionalEach),
        ("name", PathMark::Required),
    ];
    assert_eq!(segments, expected);
    assert_eq!(fact.split.as_ref().map(|split| split.node.as_str()), Some(","));
    assert_eq!(parsed.at(fact.path.span), "event.user?.\"https://x/y z\"?[].name");
    good("fact e: enum(a, b,) = event.e fact o: enum(low < high) = event.o default low");
}

#[test]
fn an_option_keeps_its_json_and_its_command() {
    let text = "factor push { enroll, challenge, restricted, options { challenge quiet = {\"z\": {\"a\": [1]}, \"b\": \"}\"}, challenge = {}, } }";
    let parsed = good(text);
    let [ItemKind::Factor(factor)] = parsed.items()[..] else { panic!("a factor") };
    assert_eq!(factor.words.len(), 3);
    let option = &factor.options[0];
    assert_eq!(option.only.as_ref().map(|only| only.node), Some(CommandKind::Challenge));
    assert_eq!(option.json.node["b"], "}");
    assert_eq!(factor.options[1].name.node, "challenge");
    complains(
        "factor p { options { a = {\"k\": 1, \"k\": 2} } }",
        &["E0104 `{\"k\": 1, \"k\": 2}`: in this object, the key `k` stands twice"],
    );
}

#[test]
fn a_test_tells_a_login() {
    let text = "test \"t\" for (a, enrolled) in [(true, [otp]), (absent, []),] {
      given now = 2026-01-31T00:00:00Z, performed = [otp 3s ago, phone]
      expect prompt challenge otp or phone  expect log w for otp  expect log mfar  expect denied \"no\"
      expect completes  expect fails  expect nothing  expect enroll otp, challenge any of enrolled
      choose otp, phone  abandon
    }";
    let parsed = good(text);
    let [ItemKind::Test(test)] = parsed.items()[..] else { panic!("a test") };
    assert_eq!(test.clauses.len(), 11);
    assert_eq!(test.table.as_ref().map(|table| table.rows.len()), Some(2));
    complains(
        "test \"t\" for (a, b) in [(1)] { abandon }",
        &["E0109 `(1)`: this row has one value for 2 columns"],
    );
}

#[test]
fn a_node_ends_with_its_last_word() {
    let parsed = good("let x = a // why\n\n/// Doc.\nlet y = b // yes\n");
    let spans = parsed.tree.entries.iter().map(|entry| match entry {
        Entry::Item(item) => parsed.at(item.span),
        Entry::Statement(statement) => parsed.at(statement.span),
    });
    assert_eq!(spans.collect::<Vec<_>>(), ["let x = a", "let y = b"]);
}

#[test]
fn literals_have_their_values() {
    assert_eq!(literal("-9007199254740991"), Ok(Literal::Int(-9007199254740991)));
    assert_eq!(literal("12h"), Ok(Literal::Duration(43_200_000)));
    assert_eq!(literal("2026-01-31T00:00:00Z"), Ok(Literal::Instant(1_769_817_600_000)));
    assert_eq!(literal("2026-01-31T01:00:00.250+01:00"), Ok(Literal::Instant(1_769_817_600_250)));
    assert_eq!(literal(r#""a\"\\\u0041\ud83d\ude00\n""#), Ok(Literal::Text("a\"\\A\u{1F600}\n".to_owned())));
    let prefix = |text: &str| match literal(text) {
        Ok(Literal::Prefix(prefix)) => prefix.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(prefix("10.0.0.0/8"), "10.0.0.0/8");
    assert_eq!(prefix("10.1.2.3"), "10.1.2.3/32");
    assert_eq!(prefix("2001:db8::/32"), "2001:db8::/32");
    assert_eq!(prefix("fe80::/10"), "fe80::/10");
    assert_eq!(prefix("::1"), "::1/128");
    assert_eq!(prefix("::ffff:10.1.2.3"), "10.1.2.3/32");
    assert_eq!(prefix("::ffff:10.0.0.0/104"), "10.0.0.0/8");
}

#[test]
fn literals_without_a_value_are_reported() {
    for (text, said) in [
        ("9007199254740992", "too large for an integer"),
        ("999999999999999d", "too long"),
        ("1.5", "has a fraction"),
        ("5weekss", "is not a unit of time"),
        ("2026-02-31T00:00:00Z", "is not an instant"),
        ("2026-01-31T00:00:00.0001Z", "finer than a millisecond"),
        ("10.0.0.0/33", "too long a prefix"),
        ("1.2.3.400", "is not an address"),
    ] {
        let found = literal(text);
        assert!(found.as_ref().is_err_and(|message| message.contains(said)), "{text}: {found:?}");
    }
    complains(r#"let x = "\ud800""#, &[r"E0104 `\ud800`: `\ud800` is half of a character"]);
    repairs(
        "let x = 10.0.0.1/8",
        "E0104 `10.0.0.1/8`: `10.0.0.1/8` has bits set after its prefix",
        "let x = 10.0.0.0/8",
    );
    repairs("let x = 5min", "E0104 `5min`: `min` is not a unit of time", "let x = 5m");
    repairs("let x = 2000ms", "E0104 `2000ms`: `ms` is not a unit of time", "let x = 2s");
    repairs("let x = 1h30m", "E0104 `1h30m`: `1h30m` has several units", "let x = 5400s");
    repairs(
        "let x = 2026-01-31",
        "E0104 `2026-01-31`: `2026-01-31` is not an instant",
        "let x = 2026-01-31T00:00:00Z",
    );
    repairs(r#"let x = "\d""#, r"E0104 `\d`: `\d` is no escape", r#"let x = "\\d""#);
}

// ------------------------------------------------------------------------------------------------------ reports

#[test]
fn three_mistakes_are_three_reports_and_the_fourth_step_stands() {
    let parsed = read(
        "step one {\n  chalenge otp\n}\nstep two {\n  if user.isAdmin the stop\n  enroll otp\n}\nstep three {\n  enroll \"otp\"\n}\n\
         step four {\n  enroll otp\n}\n",
    );
    assert_eq!(
        parsed.said(),
        [
            "E0101 `chalenge`: `chalenge` begins no statement",
            "E0101 `the`: expected `then` or `{` after the condition, found `the`",
            "E0101 `\"otp\"`: factors are named without quotes",
        ]
    );
    let ItemKind::Step(four) = parsed.items()[3] else { panic!("a step") };
    assert_eq!((four.name.node.as_str(), four.body.statements.len()), ("four", 1));
    let ItemKind::Step(two) = parsed.items()[1] else { panic!("a step") };
    assert_eq!(two.body.statements.len(), 1);
}

#[test]
fn mistakes_on_lines_that_follow_each_other_are_all_reported() {
    let parsed = read("step a {\n  chalenge otp\n  enrol otp\n  deny\n}");
    assert_eq!(parsed.reports.len(), 3, "{:?}", parsed.said());
}

#[test]
fn a_statement_over_several_lines_is_one_report_at_its_mistake() {
    complains(
        "if a and\n  b the\n  stop\nenroll otp",
        &["E0101 `the`: expected `then` or `{` after the condition, found `the`"],
    );
}

#[test]
fn signs_of_other_languages_are_read_and_repaired() {
    repairs("if a && b then stop", "E0102 `&&`: `&&` is written `and`", "if a and b then stop");
    repairs("if a||b then stop", "E0102 `||`: `||` is written `or`", "if a or b then stop");
    repairs("if !a then stop", "E0102 `!`: `!` is written `not`", "if not a then stop");
    repairs("if a = 3 then stop", "E0102 `=`: `=` does not compare", "if a == 3 then stop");
    repairs("if a === 3 then stop", "E0102 `===`: `===` is written `==`", "if a == 3 then stop");
    repairs("if a !== 3 then stop", "E0102 `!==`: `!==` is written `!=`", "if a != 3 then stop");
    repairs("deny 'no'", "E0102 `'no'`: a text stands in double quotes", "deny \"no\"");
    repairs("stop;", "E0102 `;`: statements don't end with `;`", "stop");
    repairs("if a == True then stop", "E0102 `True`: `True` is written `true`", "if a == true then stop");
    repairs(
        "if a == null then stop",
        "E0102 `null`: the language has no `null`",
        "if a is not present then stop",
    );
    repairs(
        "if a is not null then stop",
        "E0102 `not null`: the language has no `is not null`",
        "if a is present then stop",
    );
    repairs("# why\nstop", "E0102 `# why`: a comment begins with `//`", "// why\nstop");
    repairs("/* a\nb */ stop", "E0102 `/*`: the language has no `/* … */` comments", "// a\n// b\n stop");
    repairs(
        "if a then stop elif b then stop",
        "E0102 `elif`: `elif` is written `else if`",
        "if a then stop else if b then stop",
    );
    repairs(
        "match a { b => stop, else => stop }",
        "E0102 `,`: nothing stands between the arms of a `match`",
        "match a { b => stop else => stop }",
    );
    repairs(
        "switch a { else => stop }",
        "E0102 `switch`: the language has no `switch`",
        "match a { else => stop }",
    );
}

#[test]
fn words_that_are_nearly_right_are_suggested() {
    repairs("chalenge otp", "E0101 `chalenge`: `chalenge` begins no statement and no item", "challenge otp");
    repairs("IF a then stop", "E0101 `IF`: `IF` begins no statement and no item", "if a then stop");
    repairs(
        "if a AND b then stop",
        "E0101 `AND`: expected `then` or `{` after the condition, found `AND`",
        "if a and b then stop",
    );
    repairs(
        "if a then stop\nesle stop",
        "E0101 `esle`: `esle` begins no statement and no item",
        "if a then stop\nelse stop",
    );
    repairs(
        "fact a: bool = event.a defalt true",
        "E0101 `defalt`: expected `default` or `split`, found `defalt`",
        "fact a: bool = event.a default true",
    );
}

#[test]
fn what_is_missing_is_named() {
    complains("step { stop }", &["E0101 `{`: this `step` has no name"]);
    complains("fact a = event.a", &["E0101 `=`: the fact `a` has no type"]);
    repairs(
        "fact a: bool = user.a",
        "E0101 `user.a`: the path of a fact begins with `event`",
        "fact a: bool = event.user.a",
    );
    complains("let x 5", &["E0101 `5`: `x` has no value"]);
    complains("deny", &["E0101 ``: `deny` has no reason"]);
    complains("guarantee a: b", &["E0101 `a`: this `guarantee` has no name"]);
    repairs("guarantee \"a\" b", "E0101 `b`: a `:` stands before what is guaranteed", "guarantee \"a\": b");
    complains("enroll", &["E0101 ``: expected `any of` or a factor after `enroll`"]);
    complains("enroll any of []", &["E0101 `[]`: this list is empty"]);
    complains("define f(x) = x", &["E0101 `)`: the parameter `x` has no type"]);
    complains("match a { enroll otp }", &["E0101 `enroll`: a `match` holds arms, not statements"]);
    complains("else stop", &["E0101 `else`: this `else` follows no `if`"]);
}

#[test]
fn slips_in_commands_and_conditions_are_repaired() {
    repairs("enroll otp, phone", "E0101 `,`: alternatives are joined by `or`", "enroll otp or phone");
    repairs("enroll [otp, phone]", "E0101 `[`: `any of` stands before a list", "enroll any of [otp, phone]");
    repairs("if a : stop", "E0101 `:`: expected `then` or `{` after the condition", "if a then stop");
    repairs(
        "if a enroll otp",
        "E0101 `enroll`: expected `then` or `{` after the condition",
        "if a then enroll otp",
    );
    repairs(
        "if performed otp then stop",
        "E0101 `performed otp`: what `performed` is asked of stands in parentheses",
        "if performed(otp) then stop",
    );
    repairs(
        "if performed(otp) within 5 minutes then stop",
        "E0104 `5 minutes`: a length of time is one word",
        "if performed(otp) within 5m then stop",
    );
    complains("if a - b > 3 then stop", &["E0101 `-`: the language has no arithmetic"]);
    complains("enroll otp and phone", &["E0101 `and`: a command asks for one factor"]);
}

#[test]
fn comparisons_in_a_chain_are_reported_once() {
    repairs(
        "if 1 < x < 5 then stop",
        "E0107 `<`: comparisons can't be chained",
        "if 1 < x and x < 5 then stop",
    );
    assert_eq!(read("if a == b == c == d then stop").reports.len(), 1);
    good("if (a == b) == c then stop");
}

#[test]
fn brackets_that_do_not_pair_are_reported_with_both_places() {
    complains("step a {\n  enroll otp\nstep b { stop }", &["E0103 `{`: this `{` is not closed"]);
    complains("enroll any of [otp, phone", &["E0103 `[`: this `[` is not closed"]);
    complains("if (a and b then stop", &["E0103 `(`: this `(` is not closed"]);
    complains("if a == \"x then stop\nstop", &["E0103 `\"`: this text has no closing quote"]);
    complains("if a { stop }}", &["E0103 `}`: this `}` closes nothing"]);
    complains("step a {\n  step b { stop }\n}", &["E0101 `step`: `step` can't stand in a block"]);
    let parsed = read("step a {\n  enroll otp\nstep b { stop }");
    assert_eq!(parsed.at(parsed.reports[0].secondary[0].span), "step");
    assert_eq!(parsed.items().len(), 2);
}

#[test]
fn a_file_has_steps_or_is_one() {
    complains("stop\nstep a { stop }", &["E0105 `stop`: this statement stands outside a step"]);
    good("let x = a\nstep a { stop }");
}

#[test]
fn doc_comments_that_document_nothing_are_repaired() {
    repairs("/// Why.\nstop", "E0106 `/// Why.`: this doc comment documents nothing", "// Why.\nstop");
    repairs(
        "stop\n//! Why.",
        "E0106 `//! Why.`: this doc comment is not at the top of the file",
        "stop\n// Why.",
    );
    complains("step a {\n  /// Why.\n  stop\n}", &["E0106 `/// Why.`: this doc comment documents nothing"]);
}
