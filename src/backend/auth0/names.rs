//! JavaScript names for what a policy names: `user.isAdmin` becomes `userIsAdmin`.

use std::collections::BTreeSet;

/// What no function of ours may be called: JavaScript's words, its globals that the code uses, and the names that
/// each Action has.
const TAKEN: [&str; 74] = [
    "Array",
    "Date",
    "Error",
    "Math",
    "Number",
    "Object",
    "Set",
    "String",
    "Unreadable",
    "api",
    "arguments",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "console",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "error",
    "eval",
    "event",
    "export",
    "exports",
    "extends",
    "facts",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "module",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "readFacts",
    "require",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "var",
    "void",
    "while",
    "with",
    "yield",
    "NaN",
    "Infinity",
    "globalThis",
    "process",
    "Promise",
    "Symbol",
];

/// Names that are given once each.
#[derive(Debug)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// Of properties: every name may be one.
    pub(super) fn of_properties() -> Self {
        Names { taken: BTreeSet::new() }
    }

    /// Of functions, beside those that an Action may bring with it.
    pub(super) fn of_functions<'n>(helpers: impl Iterator<Item = &'n str>) -> Self {
        let taken = TAKEN.iter().copied().chain(helpers).map(str::to_owned).collect();
        Names { taken }
    }

    /// The words as one name, with a number where it is taken.
    pub(super) fn give(&mut self, words: &str) -> String {
        let name = camel_case(words);
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.taken.contains(name));
        let name = free.unwrap_or(name);
        self.taken.insert(name.clone());
        name
    }
}

/// Letters and digits, with a capital where a word begins; never a digit first.
fn camel_case(words: &str) -> String {
    let mut name = String::new();
    let mut begins = false;
    for c in words.chars() {
        if !c.is_ascii_alphanumeric() {
            begins = !name.is_empty();
        } else if begins {
            name.push(c.to_ascii_uppercase());
            begins = false;
        } else if name.is_empty() {
            name.push(c.to_ascii_lowercase());
        } else {
            name.push(c);
        }
    }
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_one_name() {
        assert_eq!(camel_case("user.isAdmin"), "userIsAdmin");
        assert_eq!(camel_case("new-device"), "newDevice");
        assert_eq!(camel_case("recent webauthn-roaming"), "recentWebauthnRoaming");
        assert_eq!(camel_case("3d"), "_3d");
    }

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::of_functions(["read"].into_iter());
        assert_eq!(names.give("read"), "read2");
        assert_eq!(names.give("default"), "default2");
        assert_eq!(names.give("is-new"), "isNew");
        assert_eq!(names.give("isNew"), "isNew2");
    }
}
