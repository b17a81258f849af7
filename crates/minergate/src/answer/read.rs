//! One way of reading JSON into the types of answers. It accepts any JSON value.
//!
//! serde's derived structs would accept an array as a struct's fields, and would reject an object with a repeated key.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A type that is read from JSON. Each function handles one kind of value, and returns `None` if the value has another shape.
pub trait FromJson: Sized {
    /// Reads an object to its end. If a key is repeated, the last value counts, as in JavaScript.
    ///
    /// # Errors
    /// If the input is not JSON.
    fn object<'de, A: MapAccess<'de>>(mut fields: A) -> Result<Option<Self>, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// Reads an array to its end.
    ///
    /// # Errors
    /// If the input is not JSON.
    fn array<'de, A: SeqAccess<'de>>(mut elements: A) -> Result<Option<Self>, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn text(_: &str) -> Option<Self> {
        None
    }

    fn number(_: f64) -> Option<Self> {
        None
    }

    /// A whole number of at most 64 bits. The default converts it to a double.
    #[expect(clippy::cast_precision_loss, reason = "it rounds as a reading of the number's text would")]
    fn integer(whole: i128) -> Option<Self> {
        Self::number(whole as f64)
    }

    fn boolean(_: bool) -> Option<Self> {
        None
    }

    fn null() -> Option<Self> {
        None
    }

    /// The value to use if the JSON value has another shape.
    fn otherwise() -> Option<Self> {
        None
    }
}

/// A value, or `None` if the JSON value has another shape.
pub struct Maybe<T>(pub Option<T>);

impl<'de, T: FromJson> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);

        impl<'de, T: FromJson> Visitor<'de> for Any<T> {
            type Value = Option<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Option<T>, A::Error> {
                T::object(fields)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Option<T>, A::Error> {
                T::array(elements)
            }

            fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
                Ok(T::text(text))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Option<T>, E> {
                Ok(T::number(number))
            }

            fn visit_u64<E>(self, whole: u64) -> Result<Option<T>, E> {
                Ok(T::integer(whole.into()))
            }

            fn visit_i64<E>(self, whole: i64) -> Result<Option<T>, E> {
                Ok(T::integer(whole.into()))
            }

            fn visit_bool<E>(self, boolean: bool) -> Result<Option<T>, E> {
                Ok(T::boolean(boolean))
            }

            fn visit_unit<E>(self) -> Result<Option<T>, E> {
                Ok(T::null())
            }
        }

        Ok(Maybe(deserializer.deserialize_any(Any(PhantomData))?.or_else(T::otherwise)))
    }
}

/// An object in an answer: a struct whose fields name their keys. Code after the struct is added to its [`FromJson`]. When serialized to
/// JSON, it has only the fields that were given.
#[macro_export]
macro_rules! object {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$about_field:meta])* pub $field:ident: $type:ty = $key:literal,)*
        }
        $($more:tt)*
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, ::serde::Serialize)]
        pub struct $name {
            $($(#[$about_field])* #[serde(rename = $key, skip_serializing_if = "::minergate::answer::is_default")] pub $field: $type,)*
        }

        impl $crate::answer::FromJson for $name {
            fn object<'de, A: ::serde::de::MapAccess<'de>>(mut fields: A) -> Result<Option<Self>, A::Error> {
                let mut object = $name::default();
                while let Some($crate::answer::Key(key)) = fields.next_key()? {
                    match &*key {
                        $($key => object.$field = $crate::answer::next(&mut fields)?.unwrap_or_default(),)*
                        _ => drop(fields.next_value::<::serde::de::IgnoredAny>()?),
                    }
                }
                Ok(Some(object))
            }

            $($more)*
        }
    };
}

/// The value of the key that was read last.
///
/// # Errors
/// If the input is not JSON.
pub fn next<'de, T: FromJson, A: MapAccess<'de>>(fields: &mut A) -> Result<Option<T>, A::Error> {
    fields.next_value::<Maybe<T>>().map(|Maybe(value)| value)
}

/// An object's key. It is copied only if it contains escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Key<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// Whether a field was not given.
pub fn is_default<T: Default + PartialEq>(field: &T) -> bool {
    *field == T::default()
}
