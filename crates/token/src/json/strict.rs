//! A deserializer that stands around another one and refuses duplicate members and deep nesting, in the same pass.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Names;

/// Up to so many names are compared one by one; more are sorted, so that a thousand members cost
/// no million comparisons.
const FEW: usize = 16;

/// Everything read through it is strict. `names` gets the names of the outermost object.
pub(super) struct Strict<'n, 'de, D> {
    pub(super) inner: D,
    pub(super) depth: usize,
    pub(super) names: Option<&'n mut Option<Names<'de>>>,
}

struct StrictVisitor<'n, 'de, V> {
    inner: V,
    depth: usize,
    names: Option<&'n mut Option<Names<'de>>>,
}

struct StrictSeed<S> {
    inner: S,
    depth: usize,
}

struct StrictMap<'de, A> {
    inner: A,
    depth: usize,
    names: Vec<Cow<'de, str>>,
    /// A bit for each name: while a name's is not set, nothing need be compared.
    seen: u64,
}

struct StrictSeq<A> {
    inner: A,
    depth: usize,
}

/// An enumeration is a name on our wire, never an object.
struct NameOfVariant<V>(V);

/// A member's name, borrowed where nothing in it is escaped.
struct Name;

fn deeper<E: de::Error>(depth: usize) -> Result<usize, E> {
    depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))
}

fn twice<E: de::Error>() -> E {
    E::custom("a member appears twice")
}

macro_rules! through {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let Self { inner, depth, names } = self;
            inner.$method($($argument,)* StrictVisitor { inner: visitor, depth, names })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<'_, 'de, D> {
    type Error = D::Error;

    through! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32()
        deserialize_i64() deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32()
        deserialize_u64() deserialize_u128() deserialize_f32() deserialize_f64() deserialize_char()
        deserialize_str() deserialize_string() deserialize_bytes() deserialize_byte_buf()
        deserialize_option() deserialize_unit() deserialize_seq() deserialize_map()
        deserialize_identifier()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
    }

    /// What nobody wants is read all the same: it must be strict too.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(NameOfVariant(visitor))
    }
}

macro_rules! values {
    ($($method:ident: $type:ty),*) => {$(
        fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for StrictVisitor<'_, 'de, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    values! {
        visit_bool: bool, visit_i64: i64, visit_i128: i128, visit_u64: u64, visit_u128: u128,
        visit_f64: f64, visit_str: &str, visit_borrowed_str: &'de str, visit_string: String,
        visit_bytes: &[u8], visit_borrowed_bytes: &'de [u8], visit_byte_buf: Vec<u8>
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Strict { inner, depth: self.depth, names: self.names })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Strict { inner, depth: self.depth, names: self.names })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(StrictSeq { inner, depth: deeper(self.depth)? })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let depth = deeper(self.depth)?;
        let mut map = StrictMap { inner, depth, names: Vec::with_capacity(FEW), seen: 0 };
        let value = self.inner.visit_map(&mut map)?;
        map.check_many()?;
        if let Some(names) = self.names {
            *names = Some(Names(map.names));
        }
        Ok(value)
    }
}

// === impl StrictMap ===

impl<'de, A: MapAccess<'de>> StrictMap<'de, A> {
    fn take(&mut self, name: Cow<'de, str>) -> Result<(), A::Error> {
        let sum = name.bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        let bit = 1 << (sum & 63);
        if self.seen & bit != 0 && self.names.len() < FEW && self.names.contains(&name) {
            return Err(twice());
        }
        self.seen |= bit;
        self.names.push(name);
        Ok(())
    }

    fn check_many(&mut self) -> Result<(), A::Error> {
        if self.names.len() > FEW {
            self.names.sort_unstable();
            if self.names.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(twice());
            }
        }
        Ok(())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for &mut StrictMap<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let Some(name) = self.inner.next_key_seed(Name)? else { return Ok(None) };
        let key = match &name {
            Cow::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name))?,
            Cow::Owned(name) => seed.deserialize(StrDeserializer::new(name))?,
        };
        self.take(name)?;
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, inner: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(StrictSeed { inner, depth: self.depth })
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for StrictSeq<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        inner: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(StrictSeed { inner, depth: self.depth })
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for StrictSeed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Strict { inner, depth: self.depth, names: None })
    }
}

// === impl NameOfVariant ===

impl<'de, V: Visitor<'de>> Visitor<'de> for NameOfVariant<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<V::Value, E> {
        self.0.visit_enum(StrDeserializer::new(name))
    }
}

// === impl Name ===

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
