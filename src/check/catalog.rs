//! Factors become rows of the catalog.

use std::sync::Arc;

use super::declare::FactorDeclaration;
use super::policy::{Catalog, CommandKind, Factor, FactorOption, MAX_FACTORS, Trait};
use super::{Checker, Unit};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::syntax::tree::Name;

impl Checker<'_> {
    /// Fills the catalog, in the order declared; a flow of files that declare no factor has the library's.
    pub(crate) fn check_catalog(&mut self, units: &[Unit]) {
        if let Some(catalog) = self.library.catalog_for(units) {
            self.catalog = Arc::clone(catalog);
            return;
        }
        let mut catalog = Catalog::default();
        for declaration in self.declarations.factors() {
            if catalog.factors.len() == MAX_FACTORS {
                let name = &declaration.item.name;
                let report = Diagnostic::error(
                    Code::E0407,
                    name.span,
                    format!("`{}` is one factor too many: a catalog holds {MAX_FACTORS}", name.node),
                )
                .help("declare only the factors that your platform has");
                self.report(report);
                break;
            }
            let factor = self.factor(declaration);
            catalog.factors.push(factor);
        }
        self.catalog = Arc::new(catalog);
    }

    fn factor(&mut self, declaration: FactorDeclaration<'_>) -> Factor {
        let item = declaration.item;
        let mut factor = Factor {
            name: item.name.node.clone(),
            commands: Vec::new(),
            traits: Vec::new(),
            options: Vec::new(),
            declared: item.name.span,
        };
        for (position, word) in item.words.iter().enumerate() {
            if let Some(first) = item.words.iter().take(position).find(|other| other.node == word.node) {
                let report =
                    Diagnostic::error(Code::E0407, word.span, format!("`{}` is said twice", word.node))
                        .label(first.span, "first here");
                self.report(report);
            } else {
                self.factor_word(&mut factor, word);
            }
        }
        if factor.has(Trait::Implicit) && factor.allows(CommandKind::Enroll) {
            let report = Diagnostic::error(
                Code::E0407,
                item.name.span,
                format!("`{}` is implicit, so no command enrolls it", item.name.node),
            )
            .help("remove `enroll` or `implicit`");
            self.report(report);
        }
        for option in &item.options {
            if let Some(first) = item.options.iter().find(|other| other.name.node == option.name.node)
                && first.name.span != option.name.span
            {
                self.report(super::declare::declared_twice(&option.name, first.name.span));
                continue;
            }
            factor.options.push(FactorOption {
                name: option.name.node.clone(),
                only: option.only.as_ref().map(|only| only.node),
                json: option.json.node.clone(),
            });
        }
        factor
    }

    fn factor_word(&mut self, factor: &mut Factor, word: &Name) {
        let text = word.node.as_str();
        match (text, Trait::ALL.iter().find(|(_, name)| *name == text)) {
            ("enroll", _) => factor.commands.push(CommandKind::Enroll),
            ("challenge", _) => factor.commands.push(CommandKind::Challenge),
            (_, Some((known, _))) => factor.traits.push(*known),
            (_, None) => {
                let words =
                    || ["enroll", "challenge"].into_iter().chain(Trait::ALL.iter().map(|(_, name)| *name));
                let report =
                    Diagnostic::error(Code::E0407, word.span, format!("a factor has no trait `{text}`"));
                let report = match did_you_mean(text, words()) {
                    Some(near) => report.fix(format!("did you mean `{near}`?"), word.span, near),
                    None => report,
                };
                let names: Vec<&str> = words().collect();
                self.report(report.note(format!("it may say {}", super::fact::list_of(&names))));
                // It may have meant a command: what uses the factor is not at fault.
                factor.commands.extend([CommandKind::Enroll, CommandKind::Challenge]);
            }
        }
    }
}
