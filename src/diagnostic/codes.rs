//! The codes: one row each, in the order of their numbers. A code's page is `docs/errors/CODE.md`.

use std::fmt;

use serde::{Serialize, Serializer};

/// The code of a kind of report, such as `E0501`. It never changes its meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    name: &'static str,
    title: &'static str,
    page: &'static str,
}

impl Code {
    /// `E0501`
    pub fn name(self) -> &'static str {
        self.name
    }

    /// What all reports of this code have in common, as a short phrase.
    pub fn title(self) -> &'static str {
        self.title
    }

    /// Its page, in Markdown: what it means, an example with its report, and the repair.
    pub fn page(self) -> &'static str {
        self.page
    }

    /// The code of a name, in upper or lower case.
    pub fn find(name: &str) -> Option<Code> {
        ALL_CODES.iter().copied().find(|code| code.name.eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

/// Declares each code as a constant and lists them all.
macro_rules! codes {
    ($($name:ident: $title:literal,)*) => {
        impl Code {
            $(#[doc = $title] pub const $name: Code = Code {
                name: stringify!($name),
                title: $title,
                page: include_str!(concat!("../../docs/errors/", stringify!($name), ".md")),
            };)*
        }

        /// Every code, in order.
        pub const ALL_CODES: &[Code] = &[$(Code::$name),*];
    };
}

codes! {
    // syntax
    E0101: "text that the language does not have",
    E0102: "a sign of another language",
    E0103: "a bracket or brace that is not closed",
    E0104: "a literal that has no value",
    E0105: "statements beside steps",
    E0106: "a doc comment that documents nothing",
    E0107: "comparisons in a chain",
    E0108: "source text past a bound",
    E0109: "a table row that does not fit its columns",
    E0110: "a tenant file that can't be read",
    // names
    E0201: "an unknown name",
    E0202: "a name declared twice",
    E0203: "definitions in a circle",
    E0204: "a file or library part that can't be used",
    E0205: "a name of the wrong kind",
    E0206: "too many or too few arguments",
    E0207: "a flow without a step",
    E0208: "definitions that expand past a bound",
    // types
    E0301: "a value of the wrong type",
    E0302: "a value that may be absent",
    E0303: "a comparison that the type does not have",
    E0304: "a match that does not cover all values",
    E0305: "a declaration of a fact that does not fit",
    E0306: "an unknown type",
    E0307: "an expression that belongs in a guarantee",
    // the catalog
    E0401: "an unknown factor",
    E0402: "an unknown option",
    E0403: "a factor in a command that it does not have",
    E0404: "options where there is no command",
    E0405: "a factor listed twice",
    E0406: "options that contradict each other",
    E0407: "a factor declaration that does not fit",
    E0408: "a command that offers nothing",
    E0409: "a factor that the tenant has not enabled",
    E0410: "a tenant where policies choose no factors",
    E0411: "a command without an enabled factor",
    E0412: "an option that the tenant has not enabled",
    // the flow
    E0501: "a fifth command",
    E0502: "a flow too large to prove",
    E0503: "a guarantee that a login breaks",
    E0504: "an enrollment without a challenge",
    E0505: "a command that may find no factor",
    E0506: "a command that never works",
    E0507: "an enrollment that may have nothing left",
    E0508: "a login that can only fail",
    // tests
    E0701: "a test that expects something else",
    E0702: "a fact that a test has to give",
    E0703: "an answer to no prompt",
    // Auth0
    E0801: "something that Auth0 does not have",
    E0802: "a fact that Auth0's event does not have",
    E0803: "an Action too large for Auth0",
    E0804: "Actions that share a folder",
    W0805: "a fact that is the same in every login on Auth0",
    W0806: "transaction metadata, which a tenant may not have",
    // import
    E0901: "an Action that is not JavaScript",
    E0902: "an Action past a bound",
    E0903: "a file without a post-login handler",
    E0904: "code that has no form in a policy",
    E0905: "a policy that differs from its Action",
    W0906: "what an Action does besides deciding",
    W0907: "an Action that fails where a value is absent",
    W0908: "code that a policy says with a difference",
    // lints
    W0601: "a condition that is always true",
    W0602: "a condition that is never true",
    W0603: "a statement that no login reaches",
    W0604: "a name that is not used",
    W0605: "commands lost before a denial",
    W0606: "a value listed or matched twice",
    W0607: "a fallback that is never used",
    W0608: "a condition on what its step has made stale",
    W0609: "a challenge that never asks",
    W0610: "a guarantee that says nothing",
}
