//! How the code of an Action differs from what the policy emits. The Action says itself where it came from, in its
//! header, so more can be told than that the two differ: whether the policy has moved on, or a person has been at it.

use super::render::shortened;
use crate::backend::auth0::Origin;
use crate::source::{FileId, Span};

/// A difference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Drift {
    /// They are the same.
    None,
    /// They do the same, line by line; the policy's text, its tenant or stepup were others.
    OnlyInOrigin {
        found: Origin,
    },
    /// Nothing says that stepup has written it.
    NotEmitted,
    OtherVersion {
        found: Origin,
        now: Origin,
    },
    OtherPolicy {
        found: Origin,
    },
    /// It says that it came from this policy, and is not what the policy emits.
    ByHand {
        line: usize,
        at: usize,
        found: String,
        emitted: String,
    },
}

/// Compares the code of an Action with what the policy emits.
pub(super) fn drift(code: &str, emitted: &str) -> Drift {
    let (found_lines, emitted_lines) = (lines(code), lines(emitted));
    if found_lines == emitted_lines {
        return Drift::None;
    }
    let (Some(found), Some(now)) = (Origin::read(code), Origin::read(emitted)) else {
        return Drift::NotEmitted;
    };
    if found == now {
        return by_hand(code, &found_lines, &emitted_lines);
    }
    if is_version(&found.version) && found_lines == lines(&with_origin(emitted, &now, &found)) {
        return Drift::OnlyInOrigin { found };
    }
    if found.version == now.version {
        Drift::OtherPolicy { found }
    } else {
        Drift::OtherVersion { found, now }
    }
}

fn by_hand(code: &str, found: &[&str], emitted: &[&str]) -> Drift {
    let same = found.iter().zip(emitted).take_while(|(a, b)| a == b).count();
    let line = |lines: &[&str]| lines.get(same).map_or_else(String::new, |line| line.trim().to_owned());
    let at = code.split_inclusive('\n').take(same).map(str::len).sum();
    Drift::ByHand { line: same + 1, at, found: line(found), emitted: line(emitted) }
}

/// Whether a text may stand for a version where a code is compared: it must not end the comment that it stands in.
fn is_version(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
}

/// The code as if it came from elsewhere.
fn with_origin(code: &str, now: &Origin, other: &Origin) -> String {
    let of = |line: &str| match line.contains(&now.digest) {
        true => line.replace(&now.digest, &other.digest).replace(&now.version, &other.version),
        false => line.to_owned(),
    };
    code.split_inclusive('\n').map(of).collect()
}

/// The lines of a code. A dashboard may end them as it likes.
fn lines(code: &str) -> Vec<&str> {
    code.trim_end().lines().collect()
}

impl Drift {
    /// What there is to say of the code of an Action, and where.
    pub(super) fn tell(&self, name: &str, file: FileId) -> (String, Span) {
        let start = Span::new(file, 0..0);
        let finding = match self {
            Drift::None => format!("the code of `{name}` is what this policy emits"),
            Drift::OnlyInOrigin { found } => format!(
                "the code of `{name}` does what this policy emits; stepup {} wrote it from another text of it, \
                 or for another tenant",
                found.version
            ),
            Drift::NotEmitted => format!("the code of `{name}` was not written by stepup"),
            Drift::OtherVersion { found, now } => format!(
                "the code of `{name}` was written by stepup {}, and this is stepup {}",
                found.version, now.version
            ),
            Drift::OtherPolicy { found } => format!(
                "the code of `{name}` is not this policy's: the policy has changed since, or it is another one ({})",
                found.digest
            ),
            Drift::ByHand { line, at, found, emitted } => {
                let what = match (found.as_str(), emitted.as_str()) {
                    ("", emitted) => format!("lacks `{}`", shortened(emitted)),
                    (found, "") => format!("is `{}`, which is not emitted", shortened(found)),
                    (found, emitted) => {
                        format!("is `{}`, and the policy emits `{}`", shortened(found), shortened(emitted))
                    }
                };
                let finding = format!("the code of `{name}` was changed by hand: line {line} {what}");
                return (finding, Span::new(file, *at..*at));
            }
        };
        (finding, start)
    }
}
