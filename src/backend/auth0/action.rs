//! One step as the code of one Action: its header, its handler, the facts that it reads, its named conditions, and
//! the helpers that these call.

use crate::check::policy::{Factor, Step, StepId, TypedPolicy};
use crate::source::Sources;
use crate::syntax::print::doc::{Doc, layout};

use super::condition::{Function, Writer};
use super::header::{FirstOfFile, Origin, Place, header};
use super::statement::{Statements, array, possible};
use super::text::string;

/// What the user is told where the event can't be read, whatever is wrong with it. The Action's log says what.
pub const UNREADABLE: &str = "This login can't be checked. Please contact your administrator.";

/// Under which key of the transaction's metadata the first step says what was performed before it.
pub const PERFORMED_BEFORE: &str = "stepup_performed_before";

/// What other steps want of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Duty {
    Nothing,
    /// To say what was performed before the flow's first step.
    MarkPerformed,
}

/// The code of a step's Action.
pub(super) fn action<'p>(
    policy: &'p TypedPolicy,
    sources: &Sources,
    id: StepId,
    duty: Duty,
    origin: &Origin,
) -> (String, Writer<'p>) {
    let step = &policy.steps[id];
    let mut writer = Writer::new(policy);
    let body = Statements::new(&mut writer, sources).block(&step.body);
    let functions: Vec<String> = writer.functions.iter().map(Function::text).collect();
    let place = Place { number: id.as_u32() as usize + 1, of: policy.steps.len() };
    let file = sources.file(step.declared.file);
    let mut parts = vec![header(step, place, file, first_of_file(policy, step), origin)];
    let handler = handler(&mut writer, &body, duty);
    let reader = (!writer.facts.is_empty()).then(|| writer.facts.reader(&mut writer.helpers));
    parts.extend(constants(&writer, duty));
    parts.push(handler);
    parts.extend(functions);
    parts.extend(reader);
    if !writer.helpers.is_empty() {
        parts.push("// What follows is the same in every Action that needs it.\n".to_owned());
    }
    parts.extend(writer.helpers.texts().map(|text| format!("{text}\n")));
    (parts.join("\n"), writer)
}

fn first_of_file(policy: &TypedPolicy, step: &Step) -> FirstOfFile {
    let mut of_file = policy.steps.values().filter(|other| other.declared.file == step.declared.file);
    match of_file.next() {
        Some(first) if first.name == step.name => FirstOfFile::Yes,
        _ => FirstOfFile::No,
    }
}

/// `exports.onExecutePostLogin`
fn handler(writer: &mut Writer<'_>, body: &Doc, duty: Duty) -> String {
    let mut statements = Vec::new();
    if duty == Duty::MarkPerformed {
        let so_far = writer.helpers.uses("performedSoFar");
        statements
            .push(Doc::text(format!("api.transaction?.setMetadata(PERFORMED_BEFORE, {so_far}(event));")));
        statements.push(Doc::Break);
    }
    if !writer.facts.is_empty() {
        statements.extend(reading());
    }
    statements.push(body.clone());
    let doc = Doc::Concat(vec![
        Doc::text("exports.onExecutePostLogin = async (event, api) => {"),
        Doc::Nest(vec![Doc::Break, Doc::Concat(statements)]),
        Doc::Break,
        Doc::text("};"),
    ]);
    format!(
        "/**\n * @param {{PostLoginEvent}} event\n * @param {{PostLoginAPI}} api\n */\n{}\n",
        layout(&doc)
    )
}

/// Reads the facts; where that fails, nobody gets in.
fn reading() -> Vec<Doc> {
    let lines = [
        "/** @type {ReturnType<typeof readFacts>} */",
        "let facts;",
        "try {",
        "  facts = readFacts(event);",
        "} catch (error) {",
        "  console.log(`stepup: ${error}`);",
        "  api.access.deny(UNREADABLE);",
        "  return;",
        "}",
    ];
    let mut docs: Vec<Doc> = lines.into_iter().flat_map(|line| [Doc::text(line), Doc::Break]).collect();
    docs.push(Doc::Blank);
    docs
}

/// The constants that the code refers to.
fn constants(writer: &Writer<'_>, duty: Duty) -> Option<String> {
    let helpers = &writer.helpers;
    let mut lines = Vec::new();
    let mut constant = |name: &str, value: Doc| {
        lines.push(layout(&Doc::Concat(vec![Doc::text(format!("const {name} = ")), value, Doc::text(";")])));
    };
    if !writer.facts.is_empty() {
        constant("UNREADABLE", Doc::text(string(UNREADABLE)));
    }
    if duty == Duty::MarkPerformed || helpers.has("performedInThisLogin") {
        constant("PERFORMED_BEFORE", Doc::text(string(PERFORMED_BEFORE)));
    }
    for (name, length) in &writer.units {
        constant(name, Doc::text(with_separators(*length)));
    }
    if NEED_FACTORS.into_iter().any(|helper| helpers.has(helper)) {
        constant("FACTORS", factors(writer.policy, |_| true));
    }
    for command in &writer.offers {
        let possible_factors = factors(writer.policy, |factor| factor.allows(*command));
        // The type of each is the factor itself, which `api.authentication` wants.
        let typed = vec![Doc::text("/** @type {const} */ ("), possible_factors, Doc::text(")")];
        constant(possible(*command), Doc::Concat(typed));
    }
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

/// `86_400_000`
fn with_separators(number: i64) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    groups.iter().map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join("_")
}

/// The helpers that know the catalog.
const NEED_FACTORS: [&str; 4] = ["inCatalogOrder", "factor", "performedFactors", "performedInThisLogin"];

fn factors(policy: &TypedPolicy, keep: impl Fn(&Factor) -> bool) -> Doc {
    let kept = policy.catalog.factors.values().filter(|factor| keep(factor));
    array(kept.map(|factor| string(&factor.name)).collect())
}
