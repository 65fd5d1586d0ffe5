//! Token counts as upstreams write them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A count that may be absent, null, a float or nonsense: only a number counts, and a negative one is nothing. One odd field
/// must not cost all the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count(pub(super) Option<u64>);

struct CountVisitor;

// === impl Count ===

impl Count {
    /// A count, capped so that sums cannot overflow.
    fn of(count: u64) -> Self {
        Self(Some(count.min(1 << 48)))
    }

    /// The count, 0 where there is none.
    pub(super) fn get(self) -> u64 {
        self.0.unwrap_or(0)
    }

    /// This count, or where there is none the other.
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

impl<'de> Visitor<'de> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count")
    }

    fn visit_u64<E>(self, count: u64) -> Result<Count, E> {
        Ok(Count::of(count))
    }

    fn visit_i64<E>(self, _negative: i64) -> Result<Count, E> {
        Ok(Count(None))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates, and NaN becomes 0"
    )]
    fn visit_f64<E>(self, count: f64) -> Result<Count, E> {
        Ok(Count::of(count as u64))
    }

    fn visit_unit<E>(self) -> Result<Count, E> {
        Ok(Count(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Count, E> {
        Ok(Count(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Count, E> {
        Ok(text.parse().map_or(Count(None), Count::of))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Count, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Count(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Count, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Count(None))
    }
}
