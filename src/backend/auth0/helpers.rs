//! The functions that an Action brings along: those of `helpers.js` that it uses, and what those use in turn.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// One function (or class) of `helpers.js`.
struct Helper {
    name: &'static str,
    needs: Vec<&'static str>,
    text: &'static str,
}

/// Each begins with a line `//# name needs…`.
static HELPERS: LazyLock<Vec<Helper>> = LazyLock::new(|| {
    let sections = include_str!("helpers.js").split("//# ").skip(1);
    let parse = |section: &'static str| {
        let (head, text) = section.split_once('\n').unwrap_or((section, ""));
        let mut words = head.split(' ');
        Helper { name: words.next().unwrap_or(""), needs: words.collect(), text: text.trim_end() }
    };
    sections.map(parse).collect()
});

/// All their names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    HELPERS.iter().map(|helper| helper.name)
}

/// The helpers that an Action uses.
#[derive(Default, Debug)]
pub(super) struct Helpers {
    used: BTreeSet<&'static str>,
}

impl Helpers {
    /// Notes that a helper is called.
    pub(super) fn uses(&mut self, name: &'static str) -> &'static str {
        debug_assert!(names().any(|known| known == name), "no helper `{name}`");
        if self.used.insert(name) {
            let needs = HELPERS.iter().find(|helper| helper.name == name).map(|helper| &helper.needs);
            needs.into_iter().flatten().for_each(|need| {
                self.uses(need);
            });
        }
        name
    }

    /// Whether one is called.
    pub(super) fn has(&self, name: &str) -> bool {
        self.used.contains(name)
    }

    /// Whether none is called.
    pub(super) fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    /// Their texts, in the order of the file.
    pub(super) fn texts(&self) -> impl Iterator<Item = &'static str> {
        HELPERS.iter().filter(|helper| self.has(helper.name)).map(|helper| helper.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_helper_says_what_it_needs() {
        for helper in HELPERS.iter() {
            for other in HELPERS.iter().filter(|other| other.name != helper.name) {
                let calls = helper.text.contains(&format!("{}(", other.name));
                let passes = helper.text.contains(&format!("map({})", other.name));
                let is_needed = helper.needs.contains(&other.name);
                assert_eq!(calls || passes, is_needed, "`{}` and `{}`", helper.name, other.name);
            }
        }
    }
}
