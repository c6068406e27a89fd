//! Texts of a policy as JavaScript: string literals and comments that no text can break out of.
//!
//! Control characters and those that turn the direction of writing are never written as they are: what a reviewer
//! sees is what runs. The Deploy CLI replaces `@@KEY@@` and `##KEY##` in the code that it imports, so these signs
//! are taken apart.

/// A string literal.
pub(super) fn string(text: &str) -> String {
    let mut literal = String::from("\"");
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\t' => literal.push_str("\\t"),
            '@' | '#' if before == c => literal.push_str(&escape(c)),
            c if is_hidden(c) => literal.push_str(&escape(c)),
            c => literal.push(c),
        }
        before = c;
    }
    literal.push('"');
    literal
}

/// `["a", "b"]`
pub(super) fn strings<T: AsRef<str>>(texts: &[T]) -> String {
    let literals: Vec<String> = texts.iter().map(|text| string(text.as_ref())).collect();
    format!("[{}]", literals.join(", "))
}

/// One line of a comment.
pub(super) fn comment(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.trim_end().chars() {
        match (before, c) {
            ('*', '/') | ('@', '@') | ('#', '#') => line.extend([' ', c]),
            (_, c) if is_hidden(c) => line.push('\u{fffd}'),
            (_, c) => line.push(c),
        }
        before = c;
    }
    line
}

fn escape(c: char) -> String {
    let mut units = [0; 2];
    c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// Whether a character has no look of its own, or changes that of others.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_holds_the_text_whatever_it_is() {
        assert_eq!(string("a \"b\" \\ c\n"), r#""a \"b\" \\ c\n""#);
        assert_eq!(string("\u{202e}\u{0}"), r#""\u202e\u0000""#);
        assert_eq!(string("\u{e0001}"), r#""\udb40\udc01""#);
    }

    #[test]
    fn what_the_deploy_cli_would_replace_is_taken_apart() {
        assert_eq!(string("@@TENANT@@ ##X##"), r#""@\u0040TENANT@\u0040 #\u0023X#\u0023""#);
        assert_eq!(comment("see @@TENANT@@"), "see @ @TENANT@ @");
    }

    #[test]
    fn no_comment_ends_before_its_line() {
        assert_eq!(comment("a */ b\u{2028}c"), "a * / b\u{fffd}c");
    }
}
