//! What models' tokens cost. The values are shared with the back office, which prices history by the same arithmetic.

pub use entity::value::price::{
    Amount, Bucket, CacheRule, Cost, Price, PriceBook, PriceRow, Priced, Quantities, ServiceTier,
    Slot, Source, Terms,
};
