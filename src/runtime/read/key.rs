//! A map's key, as a value that serializes: a text, or what formats write as one.

use serde::ser::{Impossible, Serialize, Serializer};

use crate::lower::paths::{PathId, PathNode};
use crate::runtime::read::ReadError;

/// Finds a key among those read: where its value goes.
pub(super) struct Key<'l> {
    pub(super) node: PathNode<'l>,
}

type Found = Option<PathId>;
type Never = Impossible<Found, ReadError>;

/// Keys that formats write as text.
macro_rules! texts {
    ($($method:ident: $ty:ty),*) => {$(
        fn $method(self, key: $ty) -> Result<Found, ReadError> {
            self.serialize_str(&key.to_string())
        }
    )*};
}

fn no_key<T>() -> Result<T, ReadError> {
    Err(ReadError::malformed("an object has a key that is no text"))
}

impl Serializer for Key<'_> {
    type Ok = Found;
    type Error = ReadError;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    texts! {
        serialize_bool: bool, serialize_char: char, serialize_f32: f32, serialize_f64: f64,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    }

    fn serialize_str(self, key: &str) -> Result<Found, ReadError> {
        Ok(self.node.key(key))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Found, ReadError> {
        self.serialize_str(variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, key: &T) -> Result<Found, ReadError> {
        key.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        key: &T,
    ) -> Result<Found, ReadError> {
        key.serialize(self)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Found, ReadError> {
        no_key()
    }

    fn serialize_none(self) -> Result<Found, ReadError> {
        no_key()
    }

    fn serialize_unit(self) -> Result<Found, ReadError> {
        no_key()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Found, ReadError> {
        no_key()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Found, ReadError> {
        no_key()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Never, ReadError> {
        no_key()
    }

    fn serialize_tuple(self, _: usize) -> Result<Never, ReadError> {
        no_key()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Never, ReadError> {
        no_key()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Never, ReadError> {
        no_key()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Never, ReadError> {
        no_key()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Never, ReadError> {
        no_key()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Never, ReadError> {
        no_key()
    }
}
