//! Commands: what they offer, held against the catalog.

use super::Checker;
use super::expression::Context;
use super::policy::{Command, FactorId, FactorUse, Set, Style};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;
use crate::syntax::tree::{self, CommandKind, Name, Offer, Spanned};

impl Checker<'_> {
    /// A command; `None` when it was reported.
    pub(crate) fn command(&mut self, context: &mut Context, command: &tree::Command) -> Option<Command> {
        let kind = &command.kind;
        let (style, listed, rest) = match &command.offer {
            Offer::Preferred { factors, rest } => {
                let listed = self.factor_uses(context, kind, factors);
                let rest = match rest {
                    Some(rest) => Some(self.offered_set(context, kind, rest)?),
                    None => None,
                };
                (Style::Preferred, listed?, rest)
            }
            Offer::AnyListed(list) => {
                if list.node.is_empty() {
                    self.report_nothing_offered(kind, list.span);
                    return None;
                }
                (Style::Any, self.factor_uses(context, kind, &list.node)?, None)
            }
            Offer::AnyIn(set) => (Style::Any, Vec::new(), Some(self.offered_set(context, kind, set)?)),
        };
        if let Offer::Preferred { rest: Some(set), .. } | Offer::AnyIn(set) = &command.offer {
            self.offered_sets.insert(command.span, set.span);
        }
        Some(Command { kind: kind.node, style, listed, rest, span: command.span })
    }

    fn report_nothing_offered(&mut self, kind: &Spanned<CommandKind>, span: Span) {
        let report =
            Diagnostic::error(Code::E0408, span, format!("this `{}` offers no factor", kind.node.word()))
                .label(kind.span, "this command would always fail")
                .help("list at least one factor, or remove the command");
        self.report(report);
    }

    fn offered_set(
        &mut self,
        context: &mut Context,
        kind: &Spanned<CommandKind>,
        set: &tree::Expression,
    ) -> Option<Set> {
        let offered = self.set(context, set)?;
        let Set::Literal(factors) = &offered else { return Some(offered) };
        if factors.is_empty() {
            self.report_nothing_offered(kind, set.span);
            return None;
        }
        for factor in factors.clone() {
            self.check_allowed(kind, factor, set.span)?;
        }
        Some(offered)
    }

    fn factor_uses(
        &mut self,
        context: &Context,
        kind: &Spanned<CommandKind>,
        uses: &[tree::FactorUse],
    ) -> Option<Vec<FactorUse>> {
        let mut listed: Vec<FactorUse> = Vec::with_capacity(uses.len());
        let mut understood = true;
        for used in uses {
            let Some(one) = self.factor_use(context, kind, used) else {
                understood = false;
                continue;
            };
            if let Some(first) = listed.iter().find(|other| other.factor == one.factor) {
                let report = Diagnostic::error(
                    Code::E0405,
                    one.span,
                    format!("`{}` is offered twice", used.factor.node),
                )
                .label(first.span, "first here")
                .help("remove one of the two: a command offers each factor once");
                self.report(report);
                understood = false;
                continue;
            }
            listed.push(one);
        }
        understood.then_some(listed)
    }

    fn factor_use(
        &mut self,
        context: &Context,
        kind: &Spanned<CommandKind>,
        used: &tree::FactorUse,
    ) -> Option<FactorUse> {
        let factor = self.known_factor(context, &used.factor)?;
        self.check_allowed(kind, factor, used.factor.span)?;
        let mut options: Vec<usize> = Vec::with_capacity(used.options.len());
        for name in &used.options {
            let option = self.known_option(kind, factor, used, name)?;
            self.check_option_fits(factor, &options, option, name)?;
            options.push(option);
        }
        Some(FactorUse { factor, options, span: used.span })
    }

    /// The factor of a name.
    pub(crate) fn known_factor(&mut self, context: &Context, name: &Name) -> Option<FactorId> {
        let found = self.catalog.find(&name.node);
        if found.is_none() {
            let report = self.unknown_factor(context, name);
            self.report(report);
        }
        found
    }

    fn unknown_factor(&self, context: &Context, name: &Name) -> Diagnostic {
        let report = Diagnostic::error(Code::E0401, name.span, format!("there is no factor `{}`", name.node));
        let is_local = context.locals.iter().any(|local| local.name == name.node);
        let is_set = is_local
            || matches!(name.node.as_str(), "enrolled" | "performed")
            || self.declarations.meaning(context.file, &name.node).is_some();
        if is_set {
            return report.help(format!("if it is a set, offer what it holds: `any of {}`", name.node));
        }
        match self.factor_meant_by(&name.node) {
            Some(near) => report.fix(format!("did you mean `{near}`?"), name.span, near),
            None => report.note(format!("the catalog has {}", self.factor_list())),
        }
    }

    /// The factor that an unknown name probably means.
    pub(crate) fn factor_meant_by(&self, name: &str) -> Option<&str> {
        let known = || self.catalog.factors.values().map(|factor| factor.name.as_str());
        let usual = usual_name(name).filter(|usual| known().any(|factor| factor == *usual));
        usual.or_else(|| did_you_mean(name, known()))
    }

    /// All factors of the catalog, for a sentence.
    pub(crate) fn factor_list(&self) -> String {
        let names: Vec<&str> = self.catalog.factors.values().map(|factor| factor.name.as_str()).collect();
        super::fact::list_of(&names)
    }

    fn check_allowed(&mut self, kind: &Spanned<CommandKind>, id: FactorId, span: Span) -> Option<()> {
        let factor = &self.catalog.factors[id];
        if factor.allows(kind.node) {
            return Some(());
        }
        let (name, declared) = (factor.name.clone(), factor.declared);
        let done = match kind.node {
            CommandKind::Enroll => "enrolled",
            CommandKind::Challenge => "challenged",
        };
        let is_implicit = factor.has(super::policy::Trait::Implicit);
        let mut report =
            Diagnostic::error(Code::E0403, span, format!("`{name}` can't be {done} by a command"))
                .label(kind.span, format!("this command would {} it", kind.node.word()))
                .label(declared, format!("the catalog doesn't list `{}` here", kind.node.word()));
        if is_implicit && kind.node == CommandKind::Enroll {
            report = report
                .note(format!("a user has `{name}` once the address is verified; it can be challenged then"));
        }
        self.report(report);
        None
    }

    fn known_option(
        &mut self,
        kind: &Spanned<CommandKind>,
        id: FactorId,
        used: &tree::FactorUse,
        name: &Name,
    ) -> Option<usize> {
        let factor = &self.catalog.factors[id];
        let position = factor.options.iter().position(|option| option.name == name.node);
        let only = position.and_then(|position| factor.options.get(position)).and_then(|option| option.only);
        let message = match (position, only) {
            (Some(_), Some(only)) if only != kind.node => {
                format!("`{}` is an option of `{}` alone", name.node, only.word())
            }
            (Some(position), _) => return Some(position),
            (None, _) => format!("`{}` has no option `{}`", factor.name, name.node),
        };
        let mut report = Diagnostic::error(Code::E0402, name.span, message);
        let known: Vec<&str> = factor.options.iter().map(|option| option.name.as_str()).collect();
        let near = did_you_mean(&name.node, known.iter().copied()).filter(|_| position.is_none());
        if position.is_some() {
            report = report.label(kind.span, format!("this is `{}`", kind.node.word()));
        } else if known.is_empty() {
            report = report.note(format!("`{}` has no options", factor.name));
        } else if near.is_none() {
            report = report.note(format!("its options are {}", super::fact::list_of(&known)));
        }
        report = match near {
            Some(near) => report.fix(format!("did you mean `{near}`?"), name.span, near),
            None if used.options.len() == 1 => {
                report.fix("leave it out", Span { start: used.factor.span.end, ..used.span }, "")
            }
            None => report,
        };
        self.report(report);
        None
    }

    /// Two options of one use must not set the same thing on the platform.
    fn check_option_fits(
        &mut self,
        id: FactorId,
        before: &[usize],
        option: usize,
        name: &Name,
    ) -> Option<()> {
        let options = &self.catalog.factors[id].options;
        let new = options.get(option)?;
        let clash = before.iter().filter_map(|position| options.get(*position)).find_map(|earlier| {
            let key = earlier.json.keys().find(|key| new.json.contains_key(*key))?;
            Some((earlier.name.clone(), key.clone()))
        });
        let Some((earlier, key)) = clash else { return Some(()) };
        let report = if earlier == name.node {
            Diagnostic::error(Code::E0406, name.span, format!("the option `{earlier}` is given twice"))
        } else {
            Diagnostic::error(
                Code::E0406,
                name.span,
                format!("`{}` and `{earlier}` contradict each other", name.node),
            )
            .note(format!("both set `{key}`"))
        };
        self.report(report.help("keep one of the two"));
        None
    }
}

/// What people call a factor that the catalog calls otherwise.
fn usual_name(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "sms" | "voice" | "text" => "phone",
        "totp" | "authenticator" | "google-authenticator" => "otp",
        "push" | "guardian" => "push-notification",
        "security-key" | "yubikey" | "fido2" | "webauthn" => "webauthn-roaming",
        "passkey" | "biometrics" | "face-id" | "touch-id" => "webauthn-platform",
        _ => return None,
    })
}
