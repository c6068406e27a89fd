//! The walk driven by a value that serializes: a serializer that stores what is read and asks for nothing else.

use std::fmt::Display;

use serde::ser::{self, Serialize, Serializer};

use crate::lower::paths::PathId;
use crate::runtime::read::ReadError;
use crate::runtime::read::key::Key;
use crate::runtime::read::scalar::Scalar;
use crate::runtime::read::walk::Walk;

/// Takes the value at a node.
pub(super) struct Sink<'w, 'f> {
    pub(super) walk: &'w mut Walk<'f>,
    pub(super) at: PathId,
}

impl<'w, 'f> Sink<'w, 'f> {
    fn object(self) -> Result<Object<'w, 'f>, ReadError> {
        self.walk.object(self.at)?;
        Ok(Object { walk: self.walk, at: Some(self.at), value: None })
    }

    fn array(self) -> Result<Array<'w, 'f>, ReadError> {
        let element = self.walk.array(self.at)?;
        Ok(Array { walk: self.walk, element })
    }

    /// A variant with data is an object with the variant's name as its one key: where the data goes, if it is read.
    fn variant(self, name: &'static str) -> Result<(&'w mut Walk<'f>, Option<PathId>), ReadError> {
        self.walk.object(self.at)?;
        self.walk.object_end(self.at)?;
        let at = self.walk.layout.paths.node(self.at).key(name);
        Ok((self.walk, at))
    }
}

macro_rules! integers {
    ($($method:ident: $ty:ty),*) => {$(
        fn $method(self, value: $ty) -> Result<(), ReadError> {
            self.walk.scalar(self.at, Scalar::Int(value.into()))
        }
    )*};
}

impl<'w, 'f> Serializer for Sink<'w, 'f> {
    type Ok = ();
    type Error = ReadError;
    type SerializeSeq = Array<'w, 'f>;
    type SerializeTuple = Array<'w, 'f>;
    type SerializeTupleStruct = Array<'w, 'f>;
    type SerializeTupleVariant = Array<'w, 'f>;
    type SerializeMap = Object<'w, 'f>;
    type SerializeStruct = Object<'w, 'f>;
    type SerializeStructVariant = Object<'w, 'f>;

    integers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    }

    fn serialize_u128(self, value: u128) -> Result<(), ReadError> {
        self.walk.scalar(self.at, Scalar::Int(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn serialize_bool(self, value: bool) -> Result<(), ReadError> {
        self.walk.scalar(self.at, Scalar::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<(), ReadError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), ReadError> {
        self.walk.scalar(self.at, Scalar::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<(), ReadError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), ReadError> {
        self.walk.scalar(self.at, Scalar::Text(value))
    }

    fn serialize_bytes(self, _value: &[u8]) -> Result<(), ReadError> {
        self.walk.scalar(self.at, Scalar::Bytes)
    }

    fn serialize_none(self) -> Result<(), ReadError> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), ReadError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), ReadError> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), ReadError> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), ReadError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), ReadError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), ReadError> {
        match self.variant(variant)? {
            (walk, Some(at)) => value.serialize(Sink { walk, at }),
            (_, None) => Ok(()),
        }
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Array<'w, 'f>, ReadError> {
        self.array()
    }

    fn serialize_tuple(self, _len: usize) -> Result<Array<'w, 'f>, ReadError> {
        self.array()
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Array<'w, 'f>, ReadError> {
        self.array()
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Array<'w, 'f>, ReadError> {
        match self.variant(variant)? {
            (walk, Some(at)) => Sink { walk, at }.array(),
            (walk, None) => Ok(Array { walk, element: None }),
        }
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Object<'w, 'f>, ReadError> {
        self.object()
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Object<'w, 'f>, ReadError> {
        self.object()
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Object<'w, 'f>, ReadError> {
        match self.variant(variant)? {
            (walk, Some(at)) => Sink { walk, at }.object(),
            (walk, None) => Ok(Object { walk, at: None, value: None }),
        }
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), ReadError> {
        // Only values that are read come here, so the text is wanted.
        self.serialize_str(&value.to_string())
    }
}

/// Takes the elements of an array, if they are read.
pub(super) struct Array<'w, 'f> {
    walk: &'w mut Walk<'f>,
    element: Option<PathId>,
}

impl Array<'_, '_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ReadError> {
        match self.element {
            Some(at) => value.serialize(Sink { walk: self.walk, at }),
            None => Ok(()),
        }
    }
}

macro_rules! arrays {
    ($($kind:ident, $method:ident;)*) => {$(
        impl ser::$kind for Array<'_, '_> {
            type Ok = ();
            type Error = ReadError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ReadError> {
                self.element(value)
            }

            fn end(self) -> Result<(), ReadError> {
                Ok(())
            }
        }
    )*};
}

arrays! {
    SerializeSeq, serialize_element;
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
    SerializeTupleVariant, serialize_field;
}

/// Takes the values of an object whose keys are read.
pub(super) struct Object<'w, 'f> {
    walk: &'w mut Walk<'f>,
    /// `None` where none is read.
    at: Option<PathId>,
    /// Where the value of a map's last key goes.
    value: Option<PathId>,
}

impl Object<'_, '_> {
    /// Where the value under a key goes.
    fn target(&mut self, key: Option<PathId>) -> Result<Option<PathId>, ReadError> {
        key.map_or(Ok(()), |at| self.walk.key(at)).map(|()| key)
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), ReadError> {
        let layout = self.walk.layout;
        let key = self.at.and_then(|at| layout.paths.node(at).key(key));
        self.value = self.target(key)?;
        self.value(value)
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ReadError> {
        match self.value.take() {
            Some(at) => value.serialize(Sink { walk: self.walk, at }),
            None => Ok(()),
        }
    }

    fn finish(self) -> Result<(), ReadError> {
        self.at.map_or(Ok(()), |at| self.walk.object_end(at))
    }
}

impl ser::SerializeMap for Object<'_, '_> {
    type Ok = ();
    type Error = ReadError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ReadError> {
        let Some(at) = self.at else { return Ok(()) };
        let key = key.serialize(Key { node: self.walk.layout.paths.node(at) })?;
        self.value = self.target(key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ReadError> {
        self.value(value)
    }

    fn end(self) -> Result<(), ReadError> {
        self.finish()
    }
}

macro_rules! objects {
    ($($kind:ident)*) => {$(
        impl ser::$kind for Object<'_, '_> {
            type Ok = ();
            type Error = ReadError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), ReadError> {
                self.field(key, value)
            }

            fn end(self) -> Result<(), ReadError> {
                self.finish()
            }
        }
    )*};
}

objects! { SerializeStruct SerializeStructVariant }
