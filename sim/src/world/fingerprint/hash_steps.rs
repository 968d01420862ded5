//! Writes a value down as the steps of its hash while it is serialised. The hash takes keys in sorted order, and a value
//! is serialised in the order of its fields: so the steps of each field are moved to their place before they are taken.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Number, Value};

use crate::world::fingerprint::text::hash_text;

#[derive(Clone, Copy)]
enum HashStep {
    Mix(u64),
    Number(u64),
    Key(u64),
}

const NULL: HashStep = HashStep::Mix(1);
const LIST: HashStep = HashStep::Mix(5);
const OBJECT: HashStep = HashStep::Mix(6);

pub struct HashSteps {
    steps: Vec<HashStep>,
    /// The fields of the objects that are not finished, innermost last: the key of each, and its steps.
    fields: Vec<(Cow<'static, str>, Range<usize>)>,
    /// Room to sort steps in.
    in_order: Vec<HashStep>,
}

impl HashSteps {
    pub fn new() -> Self {
        Self { steps: Vec::with_capacity(64), fields: Vec::with_capacity(16), in_order: Vec::new() }
    }

    pub fn hash(&self) -> u64 {
        let mix = |hash: u64, part: u64| (hash.rotate_left(5) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.steps.iter().fold(0x6c62_272e_07bb_0142, |hash, step| match *step {
            HashStep::Mix(part) => mix(hash, part),
            HashStep::Number(number) => mix(hash, 4).rotate_left(7) ^ number,
            HashStep::Key(key) => hash ^ key,
        })
    }

    fn push(&mut self, step: HashStep) -> Result<(), fmt::Error> {
        self.steps.push(step);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), fmt::Error> {
        self.push(HashStep::Mix(hash_text(text)))
    }

    /// A number that is not a natural one.
    fn other_number(&mut self, number: &Number) -> Result<(), fmt::Error> {
        self.text(&number.to_string())
    }

    /// An enum's variant with content: an object with one field.
    fn variant(&mut self, variant: &str) {
        self.steps.extend([OBJECT, HashStep::Key(hash_text(variant))]);
    }

    fn object(&mut self) -> Object<'_> {
        self.steps.push(OBJECT);
        Object { first: self.fields.len(), writer: self, key: None }
    }
}

/// An object whose fields are being written.
pub struct Object<'a> {
    writer: &'a mut HashSteps,
    /// The place of its first field.
    first: usize,
    /// The key of the value that comes next, in a map.
    key: Option<String>,
}

impl Object<'_> {
    fn field<T: Serialize + ?Sized>(&mut self, key: Cow<'static, str>, value: &T) -> Result<(), fmt::Error> {
        let from = self.writer.steps.len();
        self.writer.push(HashStep::Key(hash_text(&key)))?;
        value.serialize(&mut *self.writer)?;
        self.writer.fields.push((key, from..self.writer.steps.len()));
        Ok(())
    }

    fn finish(self) -> Result<(), fmt::Error> {
        let HashSteps { steps, fields, in_order } = self.writer;
        let own = &mut fields[self.first..];
        if !own.is_sorted_by(|(one, _), (other, _)| one <= other) {
            let from = own[0].1.start;
            own.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            in_order.clear();
            own.iter().for_each(|(_, range)| in_order.extend_from_slice(&steps[range.clone()]));
            steps[from..].copy_from_slice(in_order);
        }
        fields.truncate(self.first);
        Ok(())
    }
}

impl<'a> Serializer for &'a mut HashSteps {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Object<'a>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Object<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), fmt::Error> {
        self.push(HashStep::Mix(2 + u64::from(value)))
    }

    fn serialize_i8(self, value: i8) -> Result<(), fmt::Error> {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_i16(self, value: i16) -> Result<(), fmt::Error> {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_i32(self, value: i32) -> Result<(), fmt::Error> {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_i64(self, value: i64) -> Result<(), fmt::Error> {
        match u64::try_from(value) {
            Ok(natural) => self.serialize_u64(natural),
            Err(_) => self.other_number(&Number::from(value)),
        }
    }

    fn serialize_u8(self, value: u8) -> Result<(), fmt::Error> {
        self.serialize_u64(u64::from(value))
    }

    fn serialize_u16(self, value: u16) -> Result<(), fmt::Error> {
        self.serialize_u64(u64::from(value))
    }

    fn serialize_u32(self, value: u32) -> Result<(), fmt::Error> {
        self.serialize_u64(u64::from(value))
    }

    fn serialize_u64(self, value: u64) -> Result<(), fmt::Error> {
        self.push(HashStep::Number(value))
    }

    fn serialize_f32(self, value: f32) -> Result<(), fmt::Error> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), fmt::Error> {
        match Number::from_f64(value) {
            Some(number) => self.other_number(&number),
            None => self.push(NULL),
        }
    }

    fn serialize_char(self, value: char) -> Result<(), fmt::Error> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), fmt::Error> {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), fmt::Error> {
        self.push(NULL)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), fmt::Error> {
        self.push(NULL)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), fmt::Error> {
        self.push(NULL)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), fmt::Error> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        self.variant(variant);
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, fmt::Error> {
        self.push(LIST)?;
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, fmt::Error> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, fmt::Error> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, fmt::Error> {
        self.variant(variant);
        self.serialize_seq(None)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object<'a>, fmt::Error> {
        Ok(self.object())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'a>, fmt::Error> {
        Ok(self.object())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object<'a>, fmt::Error> {
        self.variant(variant);
        Ok(self.object())
    }
}

/// Lists of every kind take their elements one after another.
macro_rules! takes_elements {
    ($($list:ident $method:ident),*) => {
        $(impl $list for &mut HashSteps {
            type Ok = ();
            type Error = fmt::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), fmt::Error> {
                Ok(())
            }
        })*
    };
}

takes_elements! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
}

/// Structs of both kinds take their fields by name.
macro_rules! takes_fields {
    ($($fields:ident),*) => {
        $(impl $fields for Object<'_> {
            type Ok = ();
            type Error = fmt::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), fmt::Error> {
                self.field(Cow::Borrowed(key), value)
            }

            fn end(self) -> Result<(), fmt::Error> {
                self.finish()
            }
        })*
    };
}

takes_fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Object<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), fmt::Error> {
        self.key = match serde_json::to_value(key).map_err(|_| fmt::Error)? {
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
        let key = self.key.take().ok_or(fmt::Error)?;
        self.field(Cow::Owned(key), value)
    }

    fn end(self) -> Result<(), fmt::Error> {
        self.finish()
    }
}
