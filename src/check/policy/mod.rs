//! The typed policy: what a flow means, once every name, type and presence has been checked.
//!
//! Only the checker builds it, so its invariants hold for all later stages: every index names a row of its own
//! table, every comparison is between values of one type, and a value that may be absent is read only where its
//! presence is known. `let`s, `define`s and `rule`s are gone: each use stands expanded, and each condition still
//! knows the text it came from, and the name that the policy gave it. `x ?? y` has become a choice between two conditions.

mod condition;
mod statement;
mod test;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cranelift_entity::{PrimaryMap, entity_impl};

use super::masks::FactorMask;
use crate::source::Span;
pub use crate::syntax::tree::CommandKind;
pub use condition::*;
pub use statement::*;
pub use test::*;

/// Declares the index of a table.
macro_rules! index {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);
        entity_impl!($name, $prefix);
    )*};
}

index! {
    /// A row of [`Catalog::factors`]. A catalog holds at most [`MAX_FACTORS`].
    FactorId, "factor";
    /// A row of [`TypedPolicy::variables`]: one value of the login event.
    VariableId, "variable";
    /// A row of [`TypedPolicy::presences`]: something that may be missing from the event.
    PresenceId, "presence";
    /// A row of [`TypedPolicy::conditions`].
    ConditionId, "condition";
    /// A row of [`TypedPolicy::steps`].
    StepId, "step";
}

/// The most factors a catalog may hold: a set of factors is one machine word, and its top bit stands for the
/// factors outside the catalog.
pub const MAX_FACTORS: usize = 63;

/// A checked flow: all steps of all files, in order.
#[derive(Clone, Debug)]
pub struct TypedPolicy {
    /// The factors that commands and sets may name.
    pub catalog: Arc<Catalog>,
    /// Those of them that are enabled in the tenant; all, where no tenant says otherwise.
    pub enabled: FactorMask,
    /// The facts by name: those that the flow declares or asks for. Two facts on one path share a variable.
    pub facts: BTreeMap<String, Fact>,
    /// The library's facts, for those that are not among [`facts`](Self::facts).
    pub unread: Arc<BTreeMap<String, Type>>,
    /// The values of the event that facts stand for.
    pub variables: PrimaryMap<VariableId, Variable>,
    /// What may be missing.
    pub presences: PrimaryMap<PresenceId, Presence>,
    /// All conditions. A condition refers only to earlier rows, so the table is a directed acyclic graph.
    pub conditions: PrimaryMap<ConditionId, Condition>,
    /// What the policy gives names to. Nothing depends on it; who shows the policy keeps its names.
    pub names: Names,
    /// The steps in the order in which a login passes them.
    pub steps: PrimaryMap<StepId, Step>,
    /// What must hold for every login; checked, not yet proven.
    pub guarantees: Vec<Guarantee>,
    /// The tests.
    pub tests: Vec<Test>,
}

impl TypedPolicy {
    /// The reason of the denial that stands at a place; empty where none does.
    pub fn reason_at(&self, at: Span) -> &str {
        let mut waiting: Vec<&Block> = self.steps.values().map(|step| &step.body).collect();
        while let Some(block) = waiting.pop() {
            for statement in block {
                match statement {
                    Statement::Deny { reason, span } if *span == at => return reason,
                    Statement::Applied { body, .. } => waiting.push(body),
                    Statement::Branch { branches, otherwise, .. } => {
                        waiting.extend(branches.iter().map(|(_, body)| body));
                        waiting.push(otherwise);
                    }
                    Statement::Command(_) | Statement::Deny { .. } | Statement::Stop(_) => {}
                }
            }
        }
        ""
    }
}

/// What the policy calls its conditions and sets.
#[derive(Clone, Default, Debug)]
pub struct Names {
    /// Of conditions: by a `let` or a `define`.
    pub conditions: BTreeMap<ConditionId, Named>,
    /// Of sets that are put together: by a `let` or a `define`. Equal sets have one name, that of the first.
    pub sets: HashMap<Set, Named>,
}

/// What something is called.
#[derive(Clone, Debug)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The arguments of the first such call, as they are written; none where it takes none.
    pub arguments: Vec<String>,
    /// The definition's `///` lines.
    pub docs: Vec<String>,
    /// Where the name is defined.
    pub declared: Span,
}

/// A fact: a name for a variable.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it stands for.
    pub variable: VariableId,
    /// Where its name is declared.
    pub declared: Span,
    /// Its `///` lines.
    pub docs: Vec<String>,
}

/// One value of the event.
#[derive(Clone, PartialEq, Debug)]
pub struct Variable {
    /// The name of the (first) fact that stands for it, for reports.
    pub name: String,
    /// Where the event holds it.
    pub path: Vec<Segment>,
    /// Its type.
    pub ty: Type,
    /// For `split ","`: the separator.
    pub split: Option<String>,
    /// What it is when the event lacks it.
    pub absence: Absence,
}

/// One key of an event path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Segment {
    /// The key.
    pub key: String,
    /// Whether the value under the key is an array to gather from (`[]`).
    pub each: Each,
    /// Whether the value under the key may be missing (`?`).
    pub may_be_missing: MayBeMissing,
}

/// Whether a path goes on into every element of an array.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Each {
    /// The value itself.
    Value,
    /// Each element of it.
    Element,
}

/// Whether `?` stands after a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "the type says it")]
pub enum MayBeMissing {
    No,
    Yes,
}

/// What a variable is when the event has no value (or `null`) on its path.
#[derive(Clone, PartialEq, Debug)]
pub enum Absence {
    /// An error that names the path.
    Refused,
    /// This value, as if the event had held it.
    Default(Value),
    /// Absent: the presence says so, and the policy asks before it reads.
    Tracked(PresenceId),
}

/// Something that may be missing: the parent that the facts under it share, or one optional value.
#[derive(Clone, PartialEq, Debug)]
pub struct Presence {
    /// The keys down to the thing that may be missing.
    pub path: Vec<Segment>,
    /// A shorter path that may be missing too; when that is missing, so is this.
    pub parent: Option<PresenceId>,
}

/// The type of a variable.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// `bool`
    Bool,
    /// `int`, within ±(2^53−1)
    Int,
    /// `string`
    Text,
    /// `time`, in milliseconds since 1970
    Time,
    /// `duration`, in milliseconds
    Duration,
    /// `ip`
    Ip,
    /// `factor`
    Factor,
    /// `list<string>`
    TextList,
    /// `set<factor>`
    FactorSet,
    /// `enum(a, b)`: a value's number is its position; any other text is the number after the last.
    OpenEnum(Vec<String>),
    /// `enum(a < b < c)`: a value's number is its position; any other text is an error of the event.
    OrderedEnum(Vec<String>),
}

/// A value that a policy writes down: a default, or what a test gives.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A bool.
    Bool(bool),
    /// An int; a time or duration in milliseconds; an enum's number.
    Number(i64),
    /// A string.
    Text(String),
    /// An address.
    Ip(std::net::IpAddr),
    /// A factor.
    Factor(FactorId),
    /// A list of strings.
    TextList(Vec<String>),
    /// A set of factors, in the order written.
    FactorSet(Vec<FactorId>),
}

/// The factors a tenant can use, and what they are on the platform.
#[derive(Clone, Default, Debug)]
pub struct Catalog {
    /// In the order declared, which is the order of sets that have none of their own.
    pub factors: PrimaryMap<FactorId, Factor>,
}

impl Catalog {
    /// The factor of a name.
    pub fn find(&self, name: &str) -> Option<FactorId> {
        self.factors.iter().find(|(_, factor)| factor.name == name).map(|(id, _)| id)
    }
}

/// One factor.
#[derive(Clone, Debug)]
pub struct Factor {
    /// Its name, which is its `type` on the platform.
    pub name: String,
    /// The commands that it may stand in.
    pub commands: Vec<CommandKind>,
    /// What is known of it.
    pub traits: Vec<Trait>,
    /// Its options.
    pub options: Vec<FactorOption>,
    /// Where its name is declared.
    pub declared: Span,
}

impl Factor {
    /// Whether it may stand in a command.
    pub fn allows(&self, command: CommandKind) -> bool {
        self.commands.contains(&command)
    }

    /// Whether it has a trait.
    pub fn has(&self, wanted: Trait) -> bool {
        self.traits.contains(&wanted)
    }
}

/// What a catalog may say of a factor; the words are those of NIST SP 800-63B where it has one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trait {
    /// `phishing-resistant`: the response is bound to the verifier (SP 800-63B-4, 3.2.5).
    PhishingResistant,
    /// `user-verifying`: one use proves two factors, as a platform authenticator with a fingerprint does.
    UserVerifying,
    /// `implicit`: never enrolled by a command; the user has it once the event says so (a verified email).
    Implicit,
    /// `backup`: a way back in, not an everyday factor (a recovery code).
    Backup,
    /// `restricted`: known to be weaker, as the telephone network is (SP 800-63B-4, 3.2.9).
    Restricted,
}

impl Trait {
    /// Every trait with its word.
    pub const ALL: [(Trait, &'static str); 5] = [
        (Trait::PhishingResistant, "phishing-resistant"),
        (Trait::UserVerifying, "user-verifying"),
        (Trait::Implicit, "implicit"),
        (Trait::Backup, "backup"),
        (Trait::Restricted, "restricted"),
    ];
}

/// One option of a factor.
#[derive(Clone, Debug)]
pub struct FactorOption {
    /// Its name in the language.
    pub name: String,
    /// The one command it may stand in, if not both.
    pub only: Option<CommandKind>,
    /// What it is on the platform: entries of the factor's `options` object.
    pub json: serde_json::Map<String, serde_json::Value>,
}
