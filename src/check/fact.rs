//! Facts become variables: one for a path of the event, made when first read.

use std::net::IpAddr;

use super::Checker;
use super::Role;
use super::condition::is_prefix;
use super::declare::FactDeclaration;
use super::library::path_of;
use super::policy::{
    Absence, Each, MayBeMissing, Presence, PresenceId, Segment, Type, Value, Variable, VariableId,
};
use super::value::Kind;
use super::written::type_text;
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;
use crate::syntax::tree::{self, Expression, ExpressionKind, Literal, PathMark, Spanned};

/// The types by name.
pub(crate) const TYPES: [&str; 9] =
    ["bool", "int", "string", "time", "duration", "ip", "factor", "list<string>", "set<factor>"];

/// A declared type: what it is, and whether `?` stands after it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct DeclaredType {
    pub(crate) ty: Type,
    pub(crate) may_be_absent: MayBeMissing,
}

impl Checker<'_> {
    /// Checks what the user's declarations say by themselves, read or not.
    pub(crate) fn check_fact_declarations(&mut self) {
        let mut own = self.declarations.facts();
        own.retain(|declaration| declaration.role != Role::Library);
        own.sort_by_key(|declaration| declaration.item.name.span);
        for declaration in own {
            self.variable_of(declaration);
        }
    }

    /// The variable of a fact, made when first asked for; `None` when its declaration was reported.
    pub(crate) fn variable(&mut self, name: &str) -> Option<VariableId> {
        let declaration = self.declarations.fact(name)?;
        self.variable_of(declaration)
    }

    /// The variable of a fact that nothing reads, unless another fact already has its path with another meaning.
    pub(crate) fn variable_if_free(&mut self, name: &str) -> Option<VariableId> {
        let reports = self.diagnostics.len();
        let variable = self.variable(name);
        self.diagnostics.truncate(reports);
        variable
    }

    /// The variable that already stands for the path of a declaration.
    pub(crate) fn on_path_of(&self, item: &tree::FactItem) -> Option<VariableId> {
        self.variable_paths.get(&path_of(item)).copied()
    }

    fn variable_of(&mut self, declaration: FactDeclaration<'_>) -> Option<VariableId> {
        if let Some(known) = self.facts_done.get(declaration.item.name.node.as_str()) {
            return *known;
        }
        let variable = self.make_variable(declaration);
        self.facts_done.insert(declaration.item.name.node.clone(), variable);
        variable
    }

    fn make_variable(&mut self, declaration: FactDeclaration<'_>) -> Option<VariableId> {
        let item = declaration.item;
        let declared = self.declared_type(&item.ty)?;
        self.check_redeclaration(declaration, &declared)?;
        let path = segments(&item.path);
        self.check_path(item, &declared.ty)?;
        let absence = self.absence(item, &declared, &path)?;
        let split = item.split.as_ref().map(|split| split.node.clone());
        let variable = Variable { name: item.name.node.clone(), path, ty: declared.ty, split, absence };
        self.add_variable(variable, item)
    }

    /// One path is one value: a second fact on it must agree in everything but the name.
    fn add_variable(&mut self, variable: Variable, item: &tree::FactItem) -> Option<VariableId> {
        let key = path_key(&variable.path, variable.split.as_deref());
        let Some(id) = self.variable_paths.get(&key).copied() else {
            let id = self.variables.push(variable);
            self.variable_paths.insert(key, id);
            self.variable_spans[id] = Some(item.name.span);
            return Some(id);
        };
        let other = &self.variables[id];
        if other.ty == variable.ty && other.absence == variable.absence {
            return Some(id);
        }
        let what = match (other.ty == variable.ty, &other.absence, &variable.absence) {
            (false, ..) => "their types differ",
            (true, Absence::Default(_), Absence::Default(_)) => "their defaults differ",
            (true, ..) => "they differ where it is absent",
        };
        let mut report = Diagnostic::error(
            Code::E0305,
            item.path.span,
            format!("`{}` and `{}` read the same value, and {what}", other.name, item.name.node),
        )
        .here("this path has a fact already");
        if let Some(first) = self.variable_spans[id] {
            report = report.label(first, "declared here");
        }
        self.report(report.help("declare both alike, or use one name for both"));
        None
    }

    fn check_redeclaration(
        &mut self,
        declaration: FactDeclaration<'_>,
        declared: &DeclaredType,
    ) -> Option<()> {
        let Some(library) = declaration.replaces else { return Some(()) };
        let before = self.declared_type(&library.ty)?;
        if before.ty == declared.ty {
            return Some(());
        }
        let item = declaration.item;
        let report = Diagnostic::error(
            Code::E0305,
            item.ty.span,
            format!("the library declares `{}` as `{}`", item.name.node, type_text(&library.ty.node)),
        )
        .here("another type")
        .label(library.name.span, "declared here")
        .note("a policy may give a library fact another path or default, not another type")
        .fix("keep the type, or choose another name", item.ty.span, type_text(&library.ty.node));
        self.report(report);
        None
    }

    /// The meaning of a type as written.
    pub(crate) fn declared_type(&mut self, ty: &Spanned<tree::Type>) -> Option<DeclaredType> {
        let required = |ty| Some(DeclaredType { ty, may_be_absent: MayBeMissing::No });
        match &ty.node {
            tree::Type::Optional(inner) => {
                let inner = self.declared_type(inner)?;
                Some(DeclaredType { may_be_absent: MayBeMissing::Yes, ..inner })
            }
            tree::Type::OpenEnum(values) => required(Type::OpenEnum(self.enum_values(values)?)),
            tree::Type::OrderedEnum(values) => required(Type::OrderedEnum(self.enum_values(values)?)),
            tree::Type::Named(name) => match simple_type(name) {
                Some(found) => required(found),
                None => self.unknown_type(ty.span, name),
            },
            tree::Type::Of(outer, inner) => match (outer.node.as_str(), inner.node.as_str()) {
                ("list", "string") => required(Type::TextList),
                ("set", "factor") => required(Type::FactorSet),
                _ => self.unknown_type(ty.span, &format!("{}<{}>", outer.node, inner.node)),
            },
        }
    }

    fn enum_values(&mut self, values: &[tree::Name]) -> Option<Vec<String>> {
        for (position, value) in values.iter().enumerate() {
            if let Some(first) = values.iter().take(position).find(|other| other.node == value.node) {
                let report = Diagnostic::error(
                    Code::E0305,
                    value.span,
                    format!("the enum has `{}` twice", value.node),
                )
                .label(first.span, "first here")
                .help("remove one of the two");
                self.report(report);
                return None;
            }
            if value.node == "other" {
                let report = Diagnostic::error(
                    Code::E0305,
                    value.span,
                    "`other` is every value that an enum doesn't name",
                )
                .help("leave it out: an open enum has it already");
                self.report(report);
                return None;
            }
        }
        Some(values.iter().map(|value| value.node.clone()).collect())
    }

    fn unknown_type(&mut self, span: Span, name: &str) -> Option<DeclaredType> {
        let elsewhere = match name.to_ascii_lowercase().as_str() {
            "boolean" => Some("bool"),
            "integer" | "number" | "i64" | "long" | "float" => Some("int"),
            "str" | "text" => Some("string"),
            "date" | "datetime" | "timestamp" | "instant" => Some("time"),
            "address" | "ipaddr" => Some("ip"),
            "strings" | "list" | "array" | "set<string>" | "list<strings>" => Some("list<string>"),
            "factors" | "set" | "list<factor>" | "set<factors>" => Some("set<factor>"),
            _ => None,
        };
        let mut report = Diagnostic::error(Code::E0306, span, format!("there is no type `{name}`"));
        report = match elsewhere.or_else(|| did_you_mean(name, TYPES)) {
            Some(near) => report.fix(format!("did you mean `{near}`?"), span, near),
            None => report,
        };
        self.report(report.note("the types are `bool`, `int`, `string`, `time`, `duration`, `ip`, `factor`, `list<string>`, `set<factor>`, `enum(a, b)` and `enum(a < b)`, each with `?` where it may be absent"));
        None
    }

    /// `[]` and `split` stand only where a list or a set comes out.
    fn check_path(&mut self, item: &tree::FactItem, ty: &Type) -> Option<()> {
        let gathers =
            item.path.segments.iter().any(|s| matches!(s.mark, PathMark::Each | PathMark::OptionalEach));
        let is_list = matches!(ty, Type::TextList | Type::FactorSet);
        if gathers && !is_list {
            let report = Diagnostic::error(
                Code::E0305,
                item.path.span,
                format!("`[]` gathers many values, and `{}` is {}", item.name.node, Kind::of(ty)),
            )
            .label(item.ty.span, "one value")
            .fix("declare a list", item.ty.span, "list<string>");
            self.report(report);
            return None;
        }
        let Some(split) = &item.split else { return Some(()) };
        let problem = match (is_list, gathers) {
            (false, _) => format!("`split` makes a list, and `{}` is {}", item.name.node, Kind::of(ty)),
            (true, true) => "`split` cuts one string, and `[]` gathers many".to_owned(),
            (true, false) if split.node.is_empty() => "`split` needs a separator".to_owned(),
            (true, false) => return Some(()),
        };
        let help = match (is_list, gathers) {
            (false, _) => "declare it as `list<string>` or `set<factor>`, or leave `split` out",
            (true, true) => "leave `split` out",
            (true, false) => "write what stands between the parts, such as `\",\"`",
        };
        self.report(Diagnostic::error(Code::E0305, split.span, problem).help(help));
        None
    }

    /// What the fact is when the event lacks it.
    fn absence(
        &mut self,
        item: &tree::FactItem,
        declared: &DeclaredType,
        path: &[Segment],
    ) -> Option<Absence> {
        let is_marked = up_to_elements(path).any(|segment| segment.may_be_missing == MayBeMissing::Yes);
        match (&item.default, declared.may_be_absent) {
            (Some(default), MayBeMissing::No) => {
                self.default_value(item, default, &declared.ty).map(Absence::Default)
            }
            (Some(default), MayBeMissing::Yes) => {
                let without = type_text(&item.ty.node).trim_end_matches('?').to_owned();
                let report = Diagnostic::error(
                    Code::E0305,
                    default.span,
                    format!("`{}` has a default, so it is never absent", item.name.node),
                )
                .label(item.ty.span, "and this says that it may be")
                .fix("remove the `?`", item.ty.span, without)
                .help("or leave the default out, and ask where it is read");
                self.report(report);
                None
            }
            (None, MayBeMissing::Yes) => Some(Absence::Tracked(self.presence(presence_path(path)))),
            (None, MayBeMissing::No) if is_marked => {
                let report = Diagnostic::error(
                    Code::E0305,
                    item.ty.span,
                    format!("`{}` may be absent, and its type doesn't say so", item.name.node),
                )
                .label(item.path.span, "`?` says that something here may be missing")
                .fix("say so in the type", item.ty.span.after(), "?")
                .help("or give it a `default`");
                self.report(report);
                None
            }
            (None, MayBeMissing::No) => Some(Absence::Refused),
        }
    }

    fn presence(&mut self, path: Vec<Segment>) -> PresenceId {
        let key = path_key(&path, None);
        if let Some(known) = self.presence_paths.get(&key) {
            return *known;
        }
        let id = self.presences.push(Presence { path, parent: None });
        self.presence_paths.insert(key, id);
        id
    }

    /// Links each presence to its nearest parent, now that all are known.
    pub(crate) fn link_presences(&mut self) {
        let parents: Vec<(PresenceId, Option<PresenceId>)> = self
            .presences
            .iter()
            .map(|(id, presence)| {
                let shorter = self.presences.iter().filter(|(other, candidate)| {
                    *other != id
                        && candidate.path.len() < presence.path.len()
                        && is_prefix(&candidate.path, &presence.path)
                });
                (id, shorter.max_by_key(|(_, candidate)| candidate.path.len()).map(|(parent, _)| parent))
            })
            .collect();
        for (id, parent) in parents {
            self.presences[id].parent = parent;
        }
    }

    /// The value of a `default`.
    fn default_value(&mut self, item: &tree::FactItem, default: &Expression, ty: &Type) -> Option<Value> {
        if matches!(*default.kind, ExpressionKind::Invalid) {
            return None;
        }
        let value = self.written_value(default, ty);
        if value.is_none() {
            let (text, kind) = (self.excerpt(default.span), Kind::of(ty));
            let message = match kind.variants() {
                Some(_) => format!("`{text}` is not one of the values of `{}`", item.name.node),
                None => format!("the default is `{text}`, and the fact is {kind}"),
            };
            let report = Diagnostic::error(Code::E0301, default.span, message)
                .here(format!("{kind} is wanted here"))
                .label(item.ty.span, "declared as this");
            let near = kind.variants().and_then(|values| did_you_mean(text.trim_matches('"'), values));
            let report = match near {
                Some(near) => report.fix(format!("did you mean `{near}`?"), default.span, near),
                None => report,
            };
            self.report(with_variants(report, ty));
        }
        value
    }

    /// The value that a literal, a name or a list of them has for a type.
    pub(crate) fn written_value(&self, written: &Expression, ty: &Type) -> Option<Value> {
        match (&*written.kind, ty) {
            (ExpressionKind::Literal(literal), _) => literal_value(literal, ty),
            (ExpressionKind::Name(name), Type::Factor) => self.catalog.find(name).map(Value::Factor),
            (ExpressionKind::Name(name), _) => enum_number(name, ty).map(Value::Number),
            (ExpressionKind::List(elements), Type::TextList) => {
                let text = |element: &Expression| match &*element.kind {
                    ExpressionKind::Literal(Literal::Text(text)) => Some(text.clone()),
                    _ => None,
                };
                elements.iter().map(text).collect::<Option<_>>().map(Value::TextList)
            }
            (ExpressionKind::List(elements), Type::FactorSet) => {
                let factor = |element: &Expression| match &*element.kind {
                    ExpressionKind::Name(name) => self.catalog.find(name),
                    _ => None,
                };
                elements.iter().map(factor).collect::<Option<_>>().map(Value::FactorSet)
            }
            _ => None,
        }
    }
}

/// What tells paths apart, whatever is marked `?` on them: the keys, and what `split` cuts at.
pub(crate) type PathKey = (Vec<(String, Each)>, Option<String>);

pub(super) fn path_key(path: &[Segment], split: Option<&str>) -> PathKey {
    let keys = path.iter().map(|segment| (segment.key.clone(), segment.each)).collect();
    (keys, split.map(str::to_owned))
}

/// The number of an enum's value; `other` is the one after the last.
pub(crate) fn enum_number(name: &str, ty: &Type) -> Option<i64> {
    let position = |values: &[String]| values.iter().position(|value| value == name);
    let number = match ty {
        Type::OpenEnum(values) if name == "other" => Some(values.len()),
        Type::OpenEnum(values) | Type::OrderedEnum(values) => position(values),
        _ => None,
    };
    number.and_then(|number| i64::try_from(number).ok())
}

/// The value of a literal for a type.
pub(crate) fn literal_value(literal: &Literal, ty: &Type) -> Option<Value> {
    match (literal, ty) {
        (Literal::Bool(value), Type::Bool) => Some(Value::Bool(*value)),
        (Literal::Int(value), Type::Int) => Some(Value::Number(*value)),
        (Literal::Duration(ms), Type::Duration) | (Literal::Instant(ms), Type::Time) => {
            Some(Value::Number(*ms))
        }
        (Literal::Text(text), Type::Text) => Some(Value::Text(text.clone())),
        (Literal::Prefix(prefix), Type::Ip) if prefix.prefix_len() == prefix.max_prefix_len() => {
            let address: IpAddr = prefix.addr();
            Some(Value::Ip(address))
        }
        _ => None,
    }
}

/// Adds the values that an enum has.
pub(crate) fn with_variants(report: Diagnostic, ty: &Type) -> Diagnostic {
    match Kind::of(ty).variants() {
        Some(values) => report.note(format!("its values are {}", list_of(&values))),
        None => report,
    }
}

/// `a`, `b` and `c`, in backticks.
pub(crate) fn list_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn simple_type(name: &str) -> Option<Type> {
    Some(match name {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "string" => Type::Text,
        "time" => Type::Time,
        "duration" => Type::Duration,
        "ip" => Type::Ip,
        "factor" => Type::Factor,
        _ => return None,
    })
}

pub(super) fn segments(path: &tree::EventPath) -> Vec<Segment> {
    let segment = |segment: &tree::PathSegment| {
        let (each, may_be_missing) = match segment.mark {
            PathMark::Required => (Each::Value, MayBeMissing::No),
            PathMark::Optional => (Each::Value, MayBeMissing::Yes),
            PathMark::Each => (Each::Element, MayBeMissing::No),
            PathMark::OptionalEach => (Each::Element, MayBeMissing::Yes),
        };
        Segment { key: segment.key.node.clone(), each, may_be_missing }
    };
    path.segments.iter().map(segment).collect()
}

/// The keys down to the first `[]`: what an element lacks is left out of the list, and makes nothing absent.
fn up_to_elements(path: &[Segment]) -> impl DoubleEndedIterator<Item = &Segment> {
    let end =
        path.iter().position(|segment| segment.each == Each::Element).map_or(path.len(), |first| first + 1);
    path.iter().take(end)
}

/// What tells whether an optional value is there: the last thing marked `?`, or the value itself.
fn presence_path(path: &[Segment]) -> Vec<Segment> {
    let whole: Vec<Segment> = up_to_elements(path).cloned().collect();
    let marked = whole.iter().rposition(|segment| segment.may_be_missing == MayBeMissing::Yes);
    whole.iter().take(marked.map_or(whole.len(), |last| last + 1)).cloned().collect()
}
