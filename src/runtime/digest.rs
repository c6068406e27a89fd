//! What a policy was compiled from, as one number; and a seal over the state of a login.
//!
//! The digest is over texts: everything that the policy was compiled from, and the version of stepup. Two policies
//! with one digest are one policy. The seal is a message authentication code under a key of the host's: whoever
//! carries a login from one machine to another can read it, and can't change it unnoticed.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// The digest of a policy: the first 16 bytes of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub(super) [u8; 16]);

impl Digest {
    /// The digest of texts in an order: each text's length counts, so that no two lists of texts read alike.
    pub(crate) fn of<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> Digest {
        let mut hash = Sha256::new();
        for text in texts {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        Digest(first_half(hash.finalize().into()))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// In hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Hexadecimal digits in formats for people, 16 bytes in others.
impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 16]>::deserialize(deserializer).map(Digest);
        }
        deserializer.deserialize_str(HexVisitor)
    }
}

struct HexVisitor;

impl de::Visitor<'_> for HexVisitor {
    type Value = Digest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("32 hexadecimal digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Digest, E> {
        let wrong = || E::invalid_value(de::Unexpected::Str(text), &self);
        let mut bytes = [0; 16];
        let digits = text.as_bytes();
        if digits.len() != 2 * bytes.len() {
            return Err(wrong());
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let digit = char::from(*digit).to_digit(16).ok_or_else(wrong)?;
                *byte = *byte << 4 | digit as u8;
            }
        }
        Ok(Digest(bytes))
    }
}

/// What a policy seals its logins with: a key of the host's, bound to the policy.
#[derive(Clone)]
pub(crate) struct SealKey([u8; 32]);

impl SealKey {
    /// The key for the logins of one policy.
    pub(crate) fn new(host_key: &[u8], policy: Digest) -> SealKey {
        let mut mac = keyed(host_key);
        mac.update(&policy.0);
        SealKey(mac.finalize().into_bytes().into())
    }

    /// The seal of what `feed` tells.
    pub(super) fn seal(&self, feed: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Digest {
        Digest(first_half(self.mac(feed).finalize().into_bytes().into()))
    }

    /// Whether `seal` is the seal of what `feed` tells; takes the same time for every wrong one.
    pub(super) fn verifies(&self, seal: Digest, feed: impl FnOnce(&mut dyn FnMut(&[u8]))) -> bool {
        self.mac(feed).verify_truncated_left(&seal.0).is_ok()
    }

    fn mac(&self, feed: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Hmac<Sha256> {
        let mut mac = keyed(&self.0);
        feed(&mut |bytes| mac.update(bytes));
        mac
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of every length")
}

fn first_half(hash: [u8; 32]) -> [u8; 16] {
    let [first, _] = *hash.as_chunks::<16>().0 else { return [0; 16] };
    first
}
