//! What a model's tokens cost: prices, the table of them, and the arithmetic. Pure values, shared by the request path and the back office.
//!
//! | part | what it answers for |
//! |---|---|
//! | [`Amount`] | an exact amount of money |
//! | [`Price`] | one model's figures, by bucket, context length and service tier |
//! | [`cost()`] | what an attempt's tokens cost, rounded once |
//! | [`PriceBook`] | which price a model name had at a moment |
//! | [`litellm`] | reading the public table's JSON |
//! | [`builtin`] | the prices this program was built with |

mod amount;
mod book;
pub mod builtin;
mod cost;
pub mod litellm;
mod names;
mod rates;
mod service_tier;

pub use amount::{Amount, BadAmount};
pub use book::{BadSource, PriceBook, PriceRow, Priced, Source};
pub use cost::{CacheRule, Cost, Quantities, Terms, cost};
pub use rates::{BadPrice, Bucket, Price, Slot};
pub use service_tier::ServiceTier;
