//! The first look at a text, character by character: comments, strings, words, brackets and signs.
//!
//! It gathers the doc comments, bounds the nesting before anything recurses over the text, finds the brackets and
//! quotes that don't pair, and reports the signs that only other languages have. The grammar reads the same text
//! afterwards, and need not say any of this.

use std::ops::Range;

use super::docs::{DocKind, DocLine};
use super::{MAX_NESTING, MAX_REPORTS};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// What the scan found.
pub(super) struct Scan {
    pub(super) reports: Vec<Diagnostic>,
    pub(super) docs: Vec<DocLine>,
    /// Every comment, doc comments too, in order; without white space at their ends.
    pub(super) comments: Vec<Range<usize>>,
}

/// The place where a text nests deeper than [`MAX_NESTING`].
pub(super) struct TooDeep(pub(super) Span);

impl TooDeep {
    pub(super) fn report(self) -> Diagnostic {
        let message = format!("this is nested more than {MAX_NESTING} levels deep");
        let report = Diagnostic::error(Code::E0108, self.0, message);
        report.help("name parts of it with `let`, `define` or `rule`")
    }
}

/// Scans a text. A text that nests too deep is not worth a parse.
pub(super) fn scan(file: FileId, text: &str) -> Result<Scan, TooDeep> {
    let mut scanner = Scanner {
        file,
        text,
        at: 0,
        previous: Previous::Other,
        frames: Vec::new(),
        then_chains: 0,
        cut_short: Vec::new(),
        found: Scan { reports: Vec::new(), docs: Vec::new(), comments: Vec::new() },
    };
    scanner.run()?;
    scanner.finish();
    Ok(scanner.found)
}

/// An open bracket.
struct Frame {
    span: Span,
    sign: u8,
    /// How many `if`s each stand right in the `then` of the one before.
    then_chain: usize,
    /// Whether it is within the JSON of an option.
    content: Content,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Policy,
    Json,
}

/// The token before, where it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Previous {
    Then,
    Else,
    Arrow,
    EqualSign,
    Other,
}

/// A block that an item's beginning ended, its brace missing so far.
struct CutShort {
    brace: Span,
    item: Span,
}

struct Scanner<'t> {
    file: FileId,
    text: &'t str,
    at: usize,
    previous: Previous,
    frames: Vec<Frame>,
    then_chains: usize,
    cut_short: Vec<CutShort>,
    found: Scan,
}

/// Says why an item can't stand where it does; statements after it may then seem to stand outside.
pub(super) const BLOCK_IS_OPEN: &str = "this block is still open";

/// The words that begin an item, with what must follow their name for it to be sure.
const ITEM_HEADS: [(&str, &[char]); 8] = [
    ("step", &['{']),
    ("rule", &['{']),
    ("factor", &['{']),
    ("fact", &[':']),
    ("define", &['(', '=']),
    ("guarantee", &['"']),
    ("test", &['"']),
    ("use", &['"']),
];

/// Words that join values: after one of the above they make it a name (`if define and (x)`).
const OPERATOR_WORDS: [&str; 15] = [
    "and",
    "or",
    "implies",
    "in",
    "is",
    "not",
    "within",
    "contains",
    "starts",
    "ends",
    "intersect",
    "union",
    "except",
    "then",
    "else",
];

/// Signs of other languages, longest first, with what they are here.
const FOREIGN_SIGNS: [(&str, &str, &str); 10] = [
    ("===", "==", "`===` is written `==`"),
    ("!==", "!=", "`!==` is written `!=`"),
    ("&&", "and", "`&&` is written `and`"),
    ("||", "or", "`||` is written `or`"),
    ("<>", "!=", "`<>` is written `!=`"),
    ("->", "=>", "`->` is written `=>`"),
    (":=", "=", "`:=` is written `=`"),
    ("=<", "<=", "`=<` is written `<=`"),
    ("!", "not", "`!` is written `not`"),
    (";", "", "statements don't end with `;`"),
];

impl<'t> Scanner<'t> {
    fn run(&mut self) -> Result<(), TooDeep> {
        while let Some(rest) = self.text.get(self.at..).filter(|rest| !rest.is_empty()) {
            let first = rest.as_bytes().first().copied().unwrap_or_default();
            match first {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'/' if rest.starts_with("//") => self.line_comment(rest),
                b'/' if rest.starts_with("/*") => self.block_comment(rest),
                b'#' => self.hash_comment(rest),
                b'"' | b'\'' => self.string(rest, first),
                b'(' | b'[' | b'{' => self.open(first)?,
                b')' | b']' | b'}' => self.close(first),
                _ if first.is_ascii_alphanumeric() || first == b'_' => self.word(rest)?,
                _ => self.sign(rest),
            }
        }
        Ok(())
    }

    fn span(&self, length: usize) -> Span {
        Span::new(self.file, self.at..self.at + length)
    }

    fn report(&mut self, report: Diagnostic) {
        if self.found.reports.len() < MAX_REPORTS {
            self.found.reports.push(report);
        }
    }

    // -- comments and strings ---------------------------------------------------------------------------------

    fn line_comment(&mut self, rest: &str) {
        let line = line_of(rest);
        let kind = match line.as_bytes().get(2) {
            Some(b'!') => Some(DocKind::File),
            Some(b'/') if !line.starts_with("////") => Some(DocKind::Item),
            _ => None,
        };
        if let Some(kind) = kind {
            let body = line.get(3..).unwrap_or_default();
            let text = body.strip_prefix(' ').unwrap_or(body).trim_end().to_owned();
            let span = self.span(line.trim_end().len());
            self.found.docs.push(DocLine { text, span, kind });
        }
        self.comment(line.len());
    }

    fn hash_comment(&mut self, rest: &str) {
        let line = line_of(rest);
        let report =
            Diagnostic::error(Code::E0102, self.span(line.trim_end().len()), "a comment begins with `//`");
        self.report(report.fix("write `//`", self.span(1), "//"));
        self.comment(line.len());
    }

    fn block_comment(&mut self, rest: &str) {
        let end = rest.get(2..).and_then(|inside| inside.find("*/"));
        let length = end.map_or(rest.len(), |end| end + 4);
        let report = Diagnostic::error(Code::E0102, self.span(2), "the language has no `/* … */` comments");
        let report = match rest.get(2..length.saturating_sub(2)) {
            Some(inside) if end.is_some() => {
                let lines: Vec<String> = inside.lines().map(|line| format!("// {}", line.trim())).collect();
                let ends_line = rest.get(length..).unwrap_or_default().trim_start_matches([' ', '\t', '\r']);
                let last = if ends_line.is_empty() || ends_line.starts_with('\n') { "" } else { "\n" };
                report.fix("write `//` on each line", self.span(length), lines.join("\n") + last)
            }
            _ => report.help("write `//` on each line"),
        };
        self.report(report);
        self.comment(length);
    }

    fn comment(&mut self, length: usize) {
        let text = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.found.comments.push(self.at..self.at + text.trim_end().len());
        self.at += length;
    }

    fn string(&mut self, rest: &str, quote: u8) {
        let Text { length, end } = text_in_quotes(rest, quote);
        let span = self.span(length);
        if end == TextEnd::Line {
            let report = Diagnostic::error(Code::E0103, self.span(1), "this text has no closing quote");
            let report = report.here("opened here").label(span.after(), "the line ends before it is closed");
            self.report(report.help("close it with `\"`; a line end in a text is written `\\n`"));
        } else if quote == b'\'' {
            let text = rest.get(1..length - 1).unwrap_or_default();
            let repaired = format!("\"{}\"", text.replace("\\'", "'").replace('"', "\\\""));
            let report = Diagnostic::error(Code::E0102, span, "a text stands in double quotes");
            self.report(report.fix(format!("write `{repaired}`"), span, repaired));
        }
        self.previous = Previous::Other;
        self.at += length;
    }

    // -- signs ------------------------------------------------------------------------------------------------

    fn sign(&mut self, rest: &str) {
        let known = ["==", "!=", "=>", "<=", ">="];
        let foreign = FOREIGN_SIGNS.iter().find(|(sign, ..)| rest.starts_with(sign));
        let ordinary = known.iter().find(|sign| rest.starts_with(**sign));
        let length = match (foreign, ordinary) {
            (Some((sign, ..)), Some(ordinary)) if ordinary.len() >= sign.len() => ordinary.len(),
            (Some((sign, right, message)), _) => {
                self.foreign_sign(sign, right, message);
                sign.len()
            }
            (None, Some(ordinary)) => ordinary.len(),
            (None, None) => rest.chars().next().map_or(1, char::len_utf8),
        };
        self.previous = match rest.get(..length) {
            Some("=>") => Previous::Arrow,
            Some("=") => Previous::EqualSign,
            _ => Previous::Other,
        };
        self.at += length;
    }

    fn foreign_sign(&mut self, sign: &str, right: &str, message: &str) {
        let span = self.span(sign.len());
        let report = Diagnostic::error(Code::E0102, span, message);
        let word = right.starts_with(|c: char| c.is_ascii_alphabetic());
        let before =
            self.text.get(..self.at).is_some_and(|text| text.ends_with(|c: char| c.is_ascii_alphanumeric()));
        let after = self.text.get(span.range().end..).unwrap_or_default();
        let after = !after.starts_with(|c: char| c.is_whitespace());
        let left_gap = if word && before { " " } else { "" };
        let right_gap = if word && after { " " } else { "" };
        let advice = if right.is_empty() { "remove it".to_owned() } else { format!("write `{right}`") };
        self.report(report.fix(advice, span, format!("{left_gap}{right}{right_gap}")));
    }

    // -- words ------------------------------------------------------------------------------------------------

    fn word(&mut self, rest: &'t str) -> Result<(), TooDeep> {
        let length = word_length(rest);
        let word = rest.get(..length).unwrap_or_default();
        if !self.frames.is_empty() && is_item_head(word, rest) {
            self.cut_short(word);
        }
        if word == "then" {
            let span = self.span(length);
            self.end_brackets(span, "a condition ends before its `then`");
        }
        if word == "if" {
            self.count_if(length)?;
        }
        self.previous = match word {
            "then" => Previous::Then,
            "else" => Previous::Else,
            _ => Previous::Other,
        };
        self.at += length;
        Ok(())
    }

    /// An `if` right after `then` or `=>` stands inside the one before; after `else` it goes on with the same.
    fn count_if(&mut self, length: usize) -> Result<(), TooDeep> {
        let previous = self.previous;
        let next = |chain: usize| match previous {
            Previous::Then => chain + 1,
            Previous::Else => chain,
            Previous::Arrow => 1,
            _ => 0,
        };
        match self.frames.last_mut() {
            Some(frame) => {
                self.then_chains -= frame.then_chain;
                frame.then_chain = next(frame.then_chain);
                self.then_chains += frame.then_chain;
            }
            None => self.then_chains = next(self.then_chains),
        }
        self.check_depth(length)
    }

    fn check_depth(&self, length: usize) -> Result<(), TooDeep> {
        if self.frames.len() + self.then_chains <= MAX_NESTING {
            return Ok(());
        }
        Err(TooDeep(self.span(length)))
    }

    /// An item begins: it can't stand in a block, so the block's brace is missing, unless a `}` too many follows.
    fn cut_short(&mut self, word: &str) {
        let item = self.span(word.len());
        self.end_brackets(item, "an item begins here");
        let open = std::mem::take(&mut self.frames);
        self.then_chains = 0;
        let braces = open.iter().filter(|frame| frame.sign == b'{');
        self.cut_short.extend(braces.map(|brace| CutShort { brace: brace.span, item }));
    }

    // -- brackets ---------------------------------------------------------------------------------------------

    fn open(&mut self, sign: u8) -> Result<(), TooDeep> {
        let within = self.frames.last().map_or(Content::Policy, |frame| frame.content);
        let content = match (sign, self.previous) {
            (b'{', Previous::EqualSign) => Content::Json,
            _ => within,
        };
        let span = self.span(1);
        if sign == b'{' && content == Content::Policy {
            self.end_brackets(span, "a block begins before it is closed");
        }
        self.frames.push(Frame { span, sign, then_chain: 0, content });
        self.check_depth(1)?;
        self.previous = Previous::Other;
        self.at += 1;
        Ok(())
    }

    fn close(&mut self, sign: u8) {
        let span = self.span(1);
        let opening = match sign {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        let json = self.frames.last().is_some_and(|frame| frame.content == Content::Json);
        let within = |frame: &&Frame| json || frame.sign != b'{' || opening == b'{';
        let partner = self.frames.iter().rev().take_while(within).position(|frame| frame.sign == opening);
        match partner {
            Some(between) => {
                for _ in 0..between {
                    self.unclosed(span, "something else is closed first");
                }
                self.pop();
            }
            None => self.stray_bracket(sign, span),
        }
        self.previous = Previous::Other;
        self.at += 1;
    }

    fn stray_bracket(&mut self, sign: u8, span: Span) {
        let sign = char::from(sign);
        if sign == '}'
            && let Some(CutShort { brace, item }) = self.cut_short.pop()
        {
            let word = self.text.get(item.range()).unwrap_or_default();
            let article = if word == "use" { "a" } else { "another" };
            let message = format!("`{word}` can't stand in a block");
            let report = Diagnostic::error(Code::E0101, item, message).label(brace, BLOCK_IS_OPEN);
            self.report(report.help(format!("move it out of the block: no item holds {article} `{word}`")));
            return;
        }
        if self.found.reports.iter().any(|report| report.code == Code::E0103 && report.primary.span < span) {
            // What a missing quote swallowed may well have held the partner.
            return;
        }
        let report = Diagnostic::error(Code::E0103, span, format!("this `{sign}` closes nothing"));
        self.report(report.fix("remove it", span, ""));
    }

    /// Reports the parentheses and square brackets that are still open where they can't be.
    fn end_brackets(&mut self, noticed: Span, reason: &str) {
        while self.frames.last().is_some_and(|frame| frame.sign != b'{' && frame.content == Content::Policy) {
            self.unclosed(noticed, reason);
        }
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop()?;
        self.then_chains -= frame.then_chain;
        Some(frame)
    }

    fn unclosed(&mut self, noticed: Span, reason: &str) {
        if let Some(frame) = self.pop() {
            let report = unclosed(&frame, noticed, reason);
            self.report(report);
        }
    }

    /// Blocks that one item ends: the innermost is reported, and one repair closes all of them.
    fn blocks_cut_short(&mut self, blocks: &[CutShort]) {
        let Some((CutShort { brace, item }, outer)) = blocks.split_last() else { return };
        let word = self.text.get(item.range()).unwrap_or_default();
        let mut report = Diagnostic::error(Code::E0103, *brace, "this `{` is not closed").here("opened here");
        for block in outer {
            report = report.label(block.brace, "nor is this one");
        }
        report = report.label(*item, format!("a `{word}` begins here, which stands in no block"));
        let braces = format!("{}\n", "}\n".repeat(blocks.len()));
        let advice = if outer.is_empty() { "close it before" } else { "close them before" };
        self.report(report.fix(advice, item.before(), braces));
    }

    fn finish(&mut self) {
        let end = Span::new(self.file, self.text.trim_end().len()..self.text.trim_end().len());
        while !self.frames.is_empty() {
            self.unclosed(end, "the file ends before it is closed");
        }
        let cut_short = std::mem::take(&mut self.cut_short);
        for blocks in cut_short.chunk_by(|a, b| a.item == b.item) {
            self.blocks_cut_short(blocks);
        }
        self.found.reports.sort_by_key(|report| report.primary.span.start);
    }
}

fn unclosed(frame: &Frame, noticed: Span, reason: &str) -> Diagnostic {
    let (open, close) = match frame.sign {
        b'(' => ("(", ")"),
        b'[' => ("[", "]"),
        _ => ("{", "}"),
    };
    let report = Diagnostic::error(Code::E0103, frame.span, format!("this `{open}` is not closed"));
    let report = report.here("opened here").label(noticed, reason);
    match frame.sign {
        b'{' => report.fix("close it", noticed.before(), "\n}\n"),
        _ => report.help(format!("write `{close}` where it ends")),
    }
}

/// The rest of the line, without its end.
fn line_of(rest: &str) -> &str {
    rest.find('\n').and_then(|end| rest.get(..end)).unwrap_or(rest)
}

/// A text in quotes: its bytes with the quotes, and how it ends.
struct Text {
    length: usize,
    end: TextEnd,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TextEnd {
    Quote,
    Line,
}

fn text_in_quotes(rest: &str, quote: u8) -> Text {
    let mut escaped = false;
    for (index, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'\n' | b'\r' => return Text { length: index, end: TextEnd::Line },
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return Text { length: index + 1, end: TextEnd::Quote },
            _ => {}
        }
    }
    Text { length: rest.len(), end: TextEnd::Line }
}

/// The bytes of a name or number that begins here, its dots and inner hyphens included.
fn word_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let is_part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let mut end = 1;
    loop {
        match bytes.get(end) {
            byte if is_part(byte) => end += 1,
            Some(b'-' | b'.') if is_part(bytes.get(end + 1)) => end += 1,
            _ => return end,
        }
    }
}

/// Whether `word`, which begins `rest`, surely begins an item.
fn is_item_head(word: &str, rest: &str) -> bool {
    let Some((_, follow)) = ITEM_HEADS.iter().find(|(head, _)| *head == word) else { return false };
    let after = rest.get(word.len()..).unwrap_or_default().trim_start();
    if follow.contains(&'"') {
        return after.starts_with('"');
    }
    let begins = after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let name = if begins { word_length(after) } else { 0 };
    let is_operator = OPERATOR_WORDS.contains(&after.get(..name).unwrap_or_default());
    name > 0 && !is_operator && after.get(name..).unwrap_or_default().trim_start().starts_with(*follow)
}
