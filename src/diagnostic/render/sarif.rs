//! Reports for code hosts: a log of the Static Analysis Results Interchange Format, SARIF 2.1.0 (OASIS).
//!
//! One run; every code is a rule; each report is a result with its place, its other places, and a fix for each help
//! that has edits. Columns count Unicode code points. Notes and advice without edits follow the message as
//! paragraphs, since the format has no other place for them.

use serde_json::{Value, json};

use super::ordered;
use crate::diagnostic::{ALL_CODES, Code, Diagnostic, Edit, Help, Label, Severity};
use crate::source::{FileId, Sources, Span};

/// The published schema of the version written.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The reports as one SARIF document.
pub fn sarif(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let results: Vec<Value> =
        ordered(diagnostics).into_iter().map(|report| result(sources, report)).collect();
    let rules: Vec<Value> = ALL_CODES.iter().copied().map(rule).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "stepup", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

/// A code as a rule. Its page comes with the tool, so there is a command and no address.
fn rule(code: Code) -> Value {
    let level = if code.name().starts_with('W') { "warning" } else { "error" };
    json!({
        "id": code.name(),
        "shortDescription": {"text": code.title()},
        "help": {"text": format!("stepup explain {code}")},
        "defaultConfiguration": {"level": level},
    })
}

fn result(sources: &Sources, report: &Diagnostic) -> Value {
    let level = match report.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut result = json!({
        "ruleId": report.code.name(),
        "ruleIndex": ALL_CODES.iter().position(|code| *code == report.code),
        "level": level,
        "message": {"text": message(report)},
        "locations": [location(sources, &report.primary)],
    });
    if !report.secondary.is_empty() {
        let related = report.secondary.iter().map(|label| location(sources, label));
        result["relatedLocations"] = related.collect();
    }
    let repairs = report.helps.iter().filter(|help| !help.edits.is_empty());
    let fixes: Vec<Value> = repairs.map(|help| fix(sources, help)).collect();
    if !fixes.is_empty() {
        result["fixes"] = fixes.into();
    }
    result
}

/// The sentence, then notes and advice as paragraphs.
fn message(report: &Diagnostic) -> String {
    let notes = report.notes.iter().map(|note| format!("\n\nnote: {note}"));
    let advice = report.helps.iter().filter(|help| help.edits.is_empty());
    let advice = advice.map(|help| format!("\n\nhelp: {}", help.message));
    std::iter::once(report.message.clone()).chain(notes).chain(advice).collect()
}

fn location(sources: &Sources, label: &Label) -> Value {
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": artifact(sources, label.span.file),
            "region": region(sources, label.span),
        },
    });
    if !label.text.is_empty() {
        location["message"] = json!({"text": label.text});
    }
    location
}

fn artifact(sources: &Sources, file: FileId) -> Value {
    json!({"uri": uri(sources.file(file).name())})
}

/// Lines and columns from 1; the end column is the one after the last character.
fn region(sources: &Sources, span: Span) -> Value {
    let file = sources.file(span.file);
    let (start, end) = (file.position(span.start as usize), file.position(span.end as usize));
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "byteOffset": span.start,
        "byteLength": span.end - span.start,
    })
}

/// A repair: one change for each file that it touches.
fn fix(sources: &Sources, help: &Help) -> Value {
    let mut edits: Vec<&Edit> = help.edits.iter().collect();
    edits.sort_by_key(|edit| edit.span.file);
    let changes = edits.chunk_by(|a, b| a.span.file == b.span.file).filter_map(|edits| {
        let file = edits.first()?.span.file;
        let replacements: Vec<Value> = edits.iter().map(|edit| replacement(sources, edit)).collect();
        Some(json!({"artifactLocation": artifact(sources, file), "replacements": replacements}))
    });
    let changes: Vec<Value> = changes.collect();
    json!({"description": {"text": help.message}, "artifactChanges": changes})
}

fn replacement(sources: &Sources, edit: &Edit) -> Value {
    json!({
        "deletedRegion": region(sources, edit.span),
        "insertedContent": {"text": edit.replacement},
    })
}

/// A file's name as a URI reference: `/` between folders, what a URI can't hold as percent signs.
fn uri(name: &str) -> String {
    let mut uri = String::from(if name.starts_with('/') { "file://" } else { "" });
    for byte in name.bytes() {
        match byte {
            b'\\' => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte as char)
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
