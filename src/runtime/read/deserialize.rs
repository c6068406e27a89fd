//! The walk driven by a serde deserializer.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::lower::paths::{PathId, PathNode};
use crate::runtime::read::ReadError;
use crate::runtime::read::scalar::Scalar;
use crate::runtime::read::walk::Walk;

/// Reads the value at a node.
pub(super) struct Seed<'w, 'f> {
    pub(super) walk: &'w mut Walk<'f>,
    pub(super) at: PathId,
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Seed<'_, '_> {
    fn scalar<E: de::Error>(self, scalar: Scalar<'_>) -> Result<(), E> {
        let walked = self.walk.scalar(self.at, scalar);
        self.pass(walked)
    }

    /// Keeps an error in the walk; serde's own says only that there is one.
    fn pass<T, E: de::Error>(self, result: Result<T, ReadError>) -> Result<T, E> {
        pass(self.walk, result)
    }
}

fn pass<T, E: de::Error>(walk: &mut Walk<'_>, result: Result<T, ReadError>) -> Result<T, E> {
    result.map_err(|error| {
        walk.error = Some(error);
        E::custom("the event does not fit the policy")
    })
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a login event")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Scalar::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Scalar::Int(value.into()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<(), E> {
        self.scalar(Scalar::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.scalar(Scalar::Int(value.into()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<(), E> {
        self.scalar(Scalar::Int(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.scalar(Scalar::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.scalar(Scalar::Text(value))
    }

    fn visit_bytes<E: de::Error>(self, _value: &[u8]) -> Result<(), E> {
        self.scalar(Scalar::Bytes)
    }

    /// `null` counts as absent.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let begun = self.walk.array(self.at);
        match pass(self.walk, begun)? {
            Some(element) => while seq.next_element_seed(Seed { walk: self.walk, at: element })?.is_some() {},
            None => while seq.next_element::<IgnoredAny>()?.is_some() {},
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let begun = self.walk.object(self.at);
        pass(self.walk, begun)?;
        let node = self.walk.layout.paths.node(self.at);
        while let Some(key) = map.next_key_seed(Key { node })? {
            let Some(at) = key else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let met = self.walk.key(at);
            pass(self.walk, met)?;
            map.next_value_seed(Seed { walk: self.walk, at })?;
        }
        let ended = self.walk.object_end(self.at);
        pass(self.walk, ended)
    }
}

/// Reads a key: where its value goes, or nothing if it isn't read.
struct Key<'l> {
    node: PathNode<'l>,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<PathId>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = Option<PathId>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.node.key(key))
    }

    fn visit_bytes<E: de::Error>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(std::str::from_utf8(key).ok().and_then(|key| self.node.key(key)))
    }

    // Some formats have keys that are no texts; no path leads there.
    fn visit_bool<E: de::Error>(self, _key: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: de::Error>(self, _key: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: de::Error>(self, _key: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: de::Error>(self, _key: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}
