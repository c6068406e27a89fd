//! What pest expected, in the policy's words.

use super::grammar::Rule;

/// What could have stood somewhere.
pub(super) struct Expected {
    /// Ready to be read: `` `then` ``, "a name", "an operator".
    phrases: Vec<String>,
    keywords: Vec<&'static str>,
}

/// How a rule is called in a report.
enum Called {
    /// Its text.
    Keyword(&'static str),
    /// A sign.
    Sign(&'static str),
    /// One of the operators, named together.
    Operator(&'static str),
    /// A kind of thing.
    Kind(&'static str),
    /// Not worth a mention.
    Nothing,
}

impl Expected {
    /// The phrases as a list with `or`; empty when there are none.
    pub(super) fn sentence(&self) -> String {
        match self.phrases.as_slice() {
            [] => String::new(),
            [only] => only.clone(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        }
    }

    /// The words among them, for "did you mean".
    pub(super) fn keywords(&self) -> impl Iterator<Item = &'static str> {
        self.keywords.iter().copied()
    }
}

/// Puts rules into words, each once, keywords and signs first.
pub(super) fn expected(rules: &[Rule]) -> Expected {
    let (mut words, mut kinds, mut keywords) = (Vec::new(), Vec::new(), Vec::new());
    let add = |list: &mut Vec<String>, phrase: String| {
        if !list.contains(&phrase) {
            list.push(phrase);
        }
    };
    for rule in rules {
        match called(*rule) {
            Called::Keyword(word) => {
                keywords.push(word);
                add(&mut words, format!("`{word}`"));
            }
            Called::Sign(sign) => add(&mut words, format!("`{sign}`")),
            Called::Operator(word) => {
                keywords.push(word);
                add(&mut kinds, "an operator".to_owned());
            }
            Called::Kind(kind) => add(&mut kinds, kind.to_owned()),
            Called::Nothing => {}
        }
    }
    words.extend(kinds);
    Expected { phrases: words, keywords }
}

fn called(rule: Rule) -> Called {
    match rule {
        Rule::kw_ago => Called::Keyword("ago"),
        Rule::kw_all => Called::Keyword("all"),
        Rule::kw_any => Called::Keyword("any"),
        Rule::kw_apply => Called::Keyword("apply"),
        Rule::kw_challenge => Called::Keyword("challenge"),
        Rule::kw_choose => Called::Keyword("choose"),
        Rule::kw_contains => Called::Operator("contains"),
        Rule::kw_default => Called::Keyword("default"),
        Rule::kw_define => Called::Keyword("define"),
        Rule::kw_denied => Called::Keyword("denied"),
        Rule::kw_deny => Called::Keyword("deny"),
        Rule::kw_else => Called::Keyword("else"),
        Rule::kw_else_arm => Called::Keyword("else"),
        Rule::kw_empty => Called::Keyword("empty"),
        Rule::kw_ends => Called::Operator("ends"),
        Rule::kw_enroll => Called::Keyword("enroll"),
        Rule::kw_enum => Called::Keyword("enum"),
        Rule::kw_event => Called::Keyword("event"),
        Rule::kw_expect => Called::Keyword("expect"),
        Rule::kw_fact => Called::Keyword("fact"),
        Rule::kw_factor => Called::Keyword("factor"),
        Rule::kw_for => Called::Keyword("for"),
        Rule::kw_given => Called::Keyword("given"),
        Rule::kw_guarantee => Called::Keyword("guarantee"),
        Rule::kw_if => Called::Keyword("if"),
        Rule::kw_in => Called::Keyword("in"),
        Rule::kw_is => Called::Operator("is"),
        Rule::kw_last => Called::Keyword("last"),
        Rule::kw_let => Called::Keyword("let"),
        Rule::kw_log => Called::Keyword("log"),
        Rule::kw_login => Called::Keyword("login"),
        Rule::kw_match => Called::Keyword("match"),
        Rule::kw_not => Called::Keyword("not"),
        Rule::kw_of => Called::Keyword("of"),
        Rule::kw_options => Called::Keyword("options"),
        Rule::kw_or => Called::Keyword("or"),
        Rule::kw_performed => Called::Keyword("performed"),
        Rule::kw_present => Called::Keyword("present"),
        Rule::kw_prompt => Called::Keyword("prompt"),
        Rule::kw_rule => Called::Keyword("rule"),
        Rule::kw_split => Called::Keyword("split"),
        Rule::kw_starts => Called::Operator("starts"),
        Rule::kw_step => Called::Keyword("step"),
        Rule::kw_test => Called::Keyword("test"),
        Rule::kw_then => Called::Keyword("then"),
        Rule::kw_this => Called::Keyword("this"),
        Rule::kw_use => Called::Keyword("use"),
        Rule::kw_with => Called::Keyword("with"),
        Rule::kw_within => Called::Operator("within"),
        Rule::stop => Called::Keyword("stop"),
        Rule::nothing => Called::Keyword("nothing"),
        Rule::completes => Called::Keyword("completes"),
        Rule::fails => Called::Keyword("fails"),
        Rule::abandon => Called::Keyword("abandon"),
        Rule::absent => Called::Keyword("absent"),
        Rule::and => Called::Operator("and"),
        Rule::or => Called::Operator("or"),
        Rule::implies => Called::Operator("implies"),
        Rule::intersect => Called::Operator("intersect"),
        Rule::union => Called::Operator("union"),
        Rule::except => Called::Operator("except"),
        Rule::is_in => Called::Operator("in"),
        Rule::is_not_in | Rule::starts_with | Rule::ends_with | Rule::contains | Rule::is_test => {
            Called::Operator("not")
        }
        Rule::equal
        | Rule::not_equal
        | Rule::less
        | Rule::less_or_equal
        | Rule::greater
        | Rule::greater_or_equal
        | Rule::fallback
        | Rule::within
        | Rule::this_login => Called::Operator(""),
        Rule::block => Called::Sign("{"),
        Rule::optional_mark => Called::Sign("?"),
        Rule::json_object => Called::Kind("a JSON object"),
        Rule::name | Rule::word | Rule::path_key => Called::Kind("a name"),
        Rule::operand_name
        | Rule::number
        | Rule::address
        | Rule::boolean
        | Rule::list
        | Rule::group
        | Rule::call => Called::Kind("a value"),
        Rule::factor_name | Rule::factor_use => Called::Kind("a factor"),
        Rule::string => Called::Kind("a text in quotes"),
        _ => Called::Nothing,
    }
}
