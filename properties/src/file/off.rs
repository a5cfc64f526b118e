//! Settings that may be `"off"`: TOML has no word for nothing.

use core::fmt;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `"off"`, or a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Off<T> {
    Off,
    On(T),
}

impl<T, W: From<T>> From<Option<T>> for Off<W> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Off, |value| Self::On(value.into()))
    }
}

impl<T> Off<T> {
    pub(super) fn into_option<V>(self) -> Option<V>
    where
        T: Into<V>,
    {
        match self {
            Self::Off => None,
            Self::On(value) => Some(value.into()),
        }
    }
}

impl<T: Serialize> Serialize for Off<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => serializer.serialize_str("off"),
            Self::On(value) => value.serialize(serializer),
        }
    }
}

impl<'a, T: Deserialize<'a>> Deserialize<'a> for Off<T> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OffOr(PhantomData))
    }
}

/// Hands on whatever is not `"off"`, so that what is wrong with it keeps its place in the file.
struct OffOr<T>(PhantomData<T>);

impl<'a, T: Deserialize<'a>> Visitor<'a> for OffOr<T> {
    type Value = Off<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or \"off\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Off<T>, E> {
        match text {
            "off" => Ok(Off::Off),
            text => T::deserialize(text.into_deserializer()).map(Off::On),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Off<T>, E> {
        T::deserialize(number.into_deserializer()).map(Off::On)
    }

    fn visit_map<A: MapAccess<'a>>(self, map: A) -> Result<Off<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Off::On)
    }
}
