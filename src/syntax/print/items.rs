//! Files and items.

use super::Printer;
use super::doc::{Doc, layout};
use super::expressions::{first_word, opens_operand, parenthesised};
use super::facts::ty;
use super::lines::{CURLY, Element, Lines};
use super::literals;
use crate::syntax::tree::{
    Block, Define, Entry, FactorItem, FactorOption, File, Guarantee, Item, ItemKind, Name, Polarity, Spanned,
    UsePath,
};

/// A laid out entry, or a comment between entries.
struct Part {
    start: usize,
    end: usize,
    text: String,
    kind: PartKind,
}

/// How a part stands among the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PartKind {
    /// A comment, which may belong to what follows.
    Comment,
    /// A statement, an item of one line, a line of the file's docs.
    Line,
    /// The last line of the file's docs, with an empty line after it.
    LastDoc,
    /// An item of several lines, with an empty line around it.
    Apart,
}

impl Printer<'_> {
    /// The whole file, without a line break at its end.
    pub(super) fn file(&mut self, file: &File) -> String {
        let mut parts = Vec::new();
        self.push_docs(&mut parts, &file.docs);
        if let Some(last) = parts.last_mut() {
            last.kind = PartKind::LastDoc;
        }
        for entry in &file.entries {
            self.push_entry(&mut parts, entry);
        }
        let mut rest = Vec::new();
        self.push_comments(&mut rest, self.source.len());
        parts.extend(rest.iter().map(part));
        self.joined(&parts)
    }

    /// The parts with one empty line around those that stand apart and where the source has one.
    fn joined(&self, parts: &[Part]) -> String {
        let mut out = String::new();
        let mut previous: Option<&Part> = None;
        for part in parts {
            if let Some(previous) = previous {
                let blank = self.comments.blank_between(previous.end, part.start);
                let apart = matches!(previous.kind, PartKind::Apart | PartKind::LastDoc)
                    || (part.kind == PartKind::Apart && previous.kind != PartKind::Comment);
                out.push_str(if blank || apart { "\n\n" } else { "\n" });
            }
            out.push_str(&part.text);
            previous = Some(part);
        }
        out
    }

    fn push_docs(&mut self, parts: &mut Vec<Part>, docs: &[Spanned<String>]) {
        for doc in docs {
            let mut lines = Vec::new();
            let range = doc.span.range();
            self.push_lines(&mut lines, range, Doc::text(format!("//! {}", doc.node).trim_end().to_owned()));
            parts.extend(lines.iter().map(part));
        }
    }

    /// An entry with the comments before it.
    fn push_entry(&mut self, parts: &mut Vec<Part>, entry: &Entry) {
        let mut lines = Vec::new();
        let kind = match entry {
            Entry::Statement(statement) => {
                self.push_statement(&mut lines, statement);
                PartKind::Line
            }
            Entry::Item(item) => {
                let doc = self.item(item);
                let is_long = layout(&doc).contains('\n');
                let start = item.docs.first().map_or(item.span, |doc| doc.span).range().start;
                let docs = item.docs.iter().flat_map(|doc| [doc_line(doc), Doc::Break]);
                let doc = Doc::Concat(docs.chain([doc]).collect());
                self.push_lines(&mut lines, start..item.span.range().end, doc);
                if is_long { PartKind::Apart } else { PartKind::Line }
            }
        };
        parts.extend(lines.iter().map(part));
        if let Some(last) = parts.last_mut() {
            last.kind = kind;
        }
    }

    fn item(&mut self, item: &Item) -> Doc {
        let end = item.span.range().end;
        match &item.kind {
            ItemKind::Use(UsePath::File(path)) => Doc::text(format!("use {}", literals::string(&path.node))),
            ItemKind::Use(UsePath::Library(name)) => Doc::text(format!("use {}", name.node)),
            ItemKind::Fact(fact) => self.fact(fact),
            ItemKind::Factor(factor) => self.factor(factor, end),
            ItemKind::Let(binding) => self.let_binding(binding),
            ItemKind::Define(define) => self.define(define),
            ItemKind::Rule(rule) => self.named_block("rule", &rule.name, &rule.body),
            ItemKind::Step(step) => self.named_block("step", &step.name, &step.body),
            ItemKind::Guarantee(guarantee) => self.guarantee(guarantee),
            ItemKind::Test(test) => self.test(test, end),
        }
    }

    fn named_block(&mut self, word: &str, name: &Name, body: &Block) -> Doc {
        Doc::Concat(vec![Doc::text(format!("{word} {} ", name.node)), self.block(body)])
    }

    fn define(&mut self, define: &Define) -> Doc {
        let mut head = vec![Doc::text(format!("define {}", define.name.node))];
        if !define.parameters.is_empty() {
            let mut parameters = vec![Doc::Line("")];
            for parameter in &define.parameters {
                if parameters.len() > 1 {
                    parameters.extend([Doc::text(","), Doc::line()]);
                }
                let name = Doc::text(format!("{}: ", parameter.name.node));
                parameters.extend([name, ty(&parameter.ty.node)]);
            }
            head.push(Doc::Group(vec![Doc::text("("), Doc::Nest(parameters), Doc::Line(""), Doc::text(")")]));
        }
        head.extend([Doc::text(" ="), self.value(&define.body)]);
        Doc::Concat(head)
    }

    /// `always` and `never` are words only before what can only be an operand.
    fn guarantee(&mut self, guarantee: &Guarantee) -> Doc {
        let condition = self.expression(&guarantee.condition);
        let word = first_word(condition.first_text());
        let (polarity, plain) = match guarantee.polarity {
            Polarity::Plain => ("", !matches!(word, "always" | "never")),
            Polarity::Always => ("always ", opens_operand(&condition)),
            Polarity::Never => ("never ", opens_operand(&condition)),
        };
        let condition = if plain { condition } else { parenthesised(condition) };
        let head = Doc::text(format!("guarantee {}:", literals::string(&guarantee.name.node)));
        let condition = vec![Doc::line(), Doc::text(polarity), condition];
        Doc::Concat(vec![head, Doc::Group(vec![Doc::Nest(condition)])])
    }

    fn factor(&mut self, factor: &FactorItem, end: usize) -> Doc {
        let word = |word: &Name| Element { range: word.span.range(), doc: Doc::text(word.node.clone()) };
        let mut elements: Vec<Element> = factor.words.iter().map(word).collect();
        let open = self.comments.after_brace(factor.name.span.range().end);
        if let (Some(first), Some(last)) = (factor.options.first(), factor.options.last()) {
            let start = option_start(first);
            let options = factor.options.iter().map(factor_option).collect();
            let range = start..last.json.span.range().end;
            let list = self.list(CURLY, start..range.end, options);
            elements.push(Element { range, doc: Doc::Concat(vec![Doc::text("options "), list]) });
        }
        let head = Doc::text(format!("factor {} ", factor.name.node));
        Doc::Concat(vec![head, self.list(CURLY, open..end, elements)])
    }
}

fn doc_line(doc: &Spanned<String>) -> Doc {
    Doc::text(format!("/// {}", doc.node).trim_end().to_owned())
}

fn part(lines: &Lines) -> Part {
    let kind = match lines.doc {
        Doc::Comment(_) => PartKind::Comment,
        _ => PartKind::Line,
    };
    Part { start: lines.range.start, end: lines.range.end, text: layout(&lines.doc), kind }
}

fn option_start(option: &FactorOption) -> usize {
    option.only.as_ref().map_or(option.name.span, |only| only.span).range().start
}

/// `challenge no-fallback = {"otpFallback": false}`
fn factor_option(option: &FactorOption) -> Element {
    let only = option.only.as_ref().map_or(String::new(), |only| format!("{} ", only.node.word()));
    let json = literals::json_object(&option.json.node);
    let doc = Doc::text(format!("{only}{} = {json}", option.name.node));
    Element { range: option_start(option)..option.json.span.range().end, doc }
}
