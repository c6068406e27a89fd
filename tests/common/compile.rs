//! Policy text to a program, for tests that read better as policies.

use stepup::check::policy::TypedPolicy;
use stepup::check::{Library, Role, Unit, check};
use stepup::lower::lower;
use stepup::lower::program::Program;
use stepup::source::Sources;
use stepup::syntax::parse::parse;

/// The typed policy of a text, over the standard catalog and event.
pub fn typed(text: &str) -> TypedPolicy {
    let mut sources = Sources::new();
    let library = [
        ("std.catalog", include_str!("../../stdlib/catalog.stepup"), Role::Library),
        ("std.event", include_str!("../../stdlib/event.stepup"), Role::Library),
        ("test.stepup", text, Role::Flow),
    ];
    let units = library.map(|(name, text, role)| {
        let file = sources.add(name, text);
        let (tree, reports) = parse(file, text);
        assert!(reports.is_empty(), "{reports:#?}");
        Unit { tree, role, uses: Vec::new() }
    });
    let library = Library::new(&sources, units[..2].to_vec());
    let checked = check(&sources, &library, &units[2..], None);
    checked.policy.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// The program of a text.
pub fn program(text: &str) -> Program {
    lower(&typed(text)).expect("the policy stays within all bounds")
}
