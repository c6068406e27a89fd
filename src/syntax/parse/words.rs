//! What pest expected, in the policy's words.

use super::grammar::Rule;

/// What could have stood somewhere.
pub(super) struct Expected {
    phrases: Vec<&'static str>,
    keywords: Vec<&'static str>,
}

/// How a rule is called in a report.
enum Called {
    /// A word of the language.
    Keyword(&'static str, &'static str),
    /// One of several words that are named together.
    Kind(&'static str, &'static [&'static str]),
    /// Not worth a mention.
    Nothing,
}

impl Expected {
    /// The phrases as a list with `or`; empty when there are none.
    pub(super) fn sentence(&self) -> String {
        match self.phrases.as_slice() {
            [] => String::new(),
            [only] => (*only).to_owned(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        }
    }

    /// The words among them, for "did you mean".
    pub(super) fn keywords(&self) -> impl Iterator<Item = &'static str> {
        self.keywords.iter().copied()
    }

    /// Takes the words of another place in, as guesses only.
    pub(super) fn guess_also(&mut self, other: &Expected) {
        self.keywords.extend(&other.keywords);
    }

    /// Takes words in, as guesses only.
    pub(super) fn guess_words(&mut self, words: &[&'static str]) {
        self.keywords.extend(words);
    }
}

/// Puts rules into words, each once, words of the language first.
pub(super) fn expected(rules: &[Rule]) -> Expected {
    let (mut words, mut kinds, mut keywords) = (Vec::new(), Vec::new(), Vec::new());
    for rule in rules {
        match called(*rule) {
            Called::Keyword(word, phrase) => {
                keywords.push(word);
                words.push(phrase);
            }
            Called::Kind(kind, guesses) => {
                keywords.extend(guesses);
                if !kind.is_empty() {
                    kinds.push(kind);
                }
            }
            Called::Nothing => {}
        }
    }
    words.sort_unstable();
    kinds.sort_unstable();
    words.extend(kinds);
    words.dedup();
    // What is covered by another phrase, and what can nearly always follow, is not worth a word.
    let holds = |phrase| words.contains(&phrase);
    let (value, statement) = (holds(VALUE), holds(STATEMENT));
    let goes_on = holds(OPERATOR) || holds("`{`");
    let several = words.iter().any(|phrase| !matches!(*phrase, OPERATOR | "`(`" | "`[`"));
    words.retain(|phrase| match *phrase {
        OPERATOR => !several,
        COMMAND => !statement,
        "`(`" | "`[`" => !value && !goes_on,
        "a name" | "a number" | "a text in quotes" | "`any of`" => !value,
        _ => true,
    });
    Expected { phrases: words, keywords }
}

const OPERATOR: &str = "an operator";
const STATEMENT: &str = "a statement";
const COMMAND: &str = "a command";
const VALUE: &str = "a value";

fn called(rule: Rule) -> Called {
    use Called::{Keyword, Kind, Nothing};
    match rule {
        Rule::kw_then => Keyword("then", "`then`"),
        Rule::block | Rule::open_brace => Kind("`{`", &[]),
        Rule::close_brace => Kind("`}`", &[]),
        Rule::open_paren => Kind("`(`", &[]),
        Rule::close_paren => Kind("`)`", &[]),
        Rule::open_bracket => Kind("`[`", &[]),
        Rule::close_bracket => Kind("`]`", &[]),
        Rule::colon => Kind("`:`", &[]),
        Rule::comma => Kind("`,`", &[]),
        Rule::assign => Kind("`=`", &[]),
        Rule::arrow => Kind("`=>`", &[]),
        Rule::and => Kind(OPERATOR, &["and"]),
        Rule::or | Rule::kw_or => Kind(OPERATOR, &["or"]),
        Rule::implies => Kind(OPERATOR, &["implies"]),
        Rule::intersect => Kind(OPERATOR, &["intersect"]),
        Rule::union => Kind(OPERATOR, &["union"]),
        Rule::except => Kind(OPERATOR, &["except"]),
        Rule::is_in | Rule::kw_in => Kind(OPERATOR, &["in"]),
        Rule::contains | Rule::kw_contains => Kind(OPERATOR, &["contains"]),
        Rule::starts_with | Rule::kw_starts => Kind(OPERATOR, &["starts with"]),
        Rule::ends_with | Rule::kw_ends => Kind(OPERATOR, &["ends with"]),
        Rule::is_test | Rule::kw_is => Kind(OPERATOR, &["is"]),
        Rule::within | Rule::kw_within => Kind(OPERATOR, &["within"]),
        Rule::is_not_in | Rule::kw_not => Kind(OPERATOR, &["not"]),
        Rule::fallback
        | Rule::this_login
        | Rule::equal
        | Rule::not_equal
        | Rule::less
        | Rule::less_or_equal
        | Rule::greater
        | Rule::greater_or_equal => Kind(OPERATOR, &[]),
        Rule::command | Rule::command_word | Rule::commands => Kind(COMMAND, &["enroll", "challenge"]),
        Rule::deny => Kind(STATEMENT, &["deny"]),
        Rule::stop => Kind(STATEMENT, &["stop"]),
        Rule::if_statement => Kind(STATEMENT, &["if"]),
        Rule::match_statement => Kind(STATEMENT, &["match"]),
        Rule::let_binding => Kind(STATEMENT, &["let"]),
        Rule::apply => Kind(STATEMENT, &["apply"]),
        Rule::use_item => Kind("an item", &["use"]),
        Rule::fact_item => Kind("an item", &["fact"]),
        Rule::factor_item => Kind("an item", &["factor"]),
        Rule::define_item => Kind("an item", &["define"]),
        Rule::rule_item => Kind("an item", &["rule"]),
        Rule::step_item => Kind("an item", &["step"]),
        Rule::guarantee_item => Kind("an item", &["guarantee"]),
        Rule::test_item => Kind("an item", &["test"]),
        Rule::test_clause => Kind("a clause", &["given", "expect", "choose", "abandon"]),
        Rule::else_if | Rule::kw_else | Rule::kw_else_arm | Rule::else_arm => Kind("", &["else"]),
        Rule::denied | Rule::kw_denied => Keyword("denied", "`denied`"),
        Rule::log | Rule::kw_log => Keyword("log", "`log`"),
        Rule::prompt | Rule::kw_prompt => Keyword("prompt", "`prompt`"),
        Rule::nothing => Keyword("nothing", "`nothing`"),
        Rule::completes => Keyword("completes", "`completes`"),
        Rule::fails => Keyword("fails", "`fails`"),
        Rule::kw_event | Rule::event_path => Keyword("event", "`event`"),
        Rule::split | Rule::kw_split => Keyword("split", "`split`"),
        Rule::default_value | Rule::kw_default => Keyword("default", "`default`"),
        Rule::path_segment => Kind("a `.` and a key", &[]),
        Rule::fact_type | Rule::enum_type | Rule::applied_type => Kind("a type", &["enum"]),
        Rule::json_object => Kind("a JSON object", &[]),
        Rule::factor_option | Rule::only_command => Kind("an option", &[]),
        Rule::factor_options => Kind("`options`", &["options"]),
        Rule::name | Rule::word | Rule::operand_name | Rule::parameter => Kind("a name", &[]),
        Rule::factor_name | Rule::factor_use | Rule::preferred => Kind("a factor", &[]),
        Rule::any_of => Kind("`any of`", &["any of"]),
        Rule::path_key => Kind("a key", &[]),
        Rule::string => Kind("a text in quotes", &[]),
        Rule::number => Kind("a number", &[]),
        Rule::set_expression => Kind("a set", &[]),
        Rule::branch => Kind("a condition", &[]),
        Rule::expression
        | Rule::given_value
        | Rule::given_element
        | Rule::given_list
        | Rule::pattern
        | Rule::arm
        | Rule::list
        | Rule::group
        | Rule::call
        | Rule::boolean
        | Rule::address => Kind(VALUE, &["true", "false"]),
        Rule::test_table => Kind("`{`", &["for"]),
        Rule::given_pair => Kind("a fact's name", &[]),
        Rule::table_head => Kind("the columns in parentheses", &[]),
        Rule::table_row => Kind("a row in parentheses", &[]),
        Rule::kw_ago => Keyword("ago", "`ago`"),
        Rule::kw_all => Keyword("all", "`all`"),
        Rule::kw_any => Kind("`any of`", &["any of"]),
        Rule::kw_empty => Keyword("empty", "`empty`"),
        Rule::kw_for => Keyword("for", "`for`"),
        Rule::kw_of => Keyword("of", "`of`"),
        Rule::kw_present => Keyword("present", "`present`"),
        Rule::kw_with => Keyword("with", "`with`"),
        _ => Nothing,
    }
}
