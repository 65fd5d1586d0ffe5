//! Money in a request: a decimal, as a string or as a number.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;

/// USD, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usd(pub String);

impl Type for Usd {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;

    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "usd".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let one = |ty| MetaSchemaRef::Inline(Box::new(MetaSchema::new(ty)));
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            description: Some("USD, a decimal as a string or as a number."),
            one_of: vec![one("string"), one("number")],
            ..MetaSchema::ANY
        }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for Usd {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            Some(Value::String(text)) => Ok(Self(text)),
            Some(Value::Number(number)) => Ok(Self(number.to_string())),
            other => Err(ParseError::expected_type(other.unwrap_or_default())),
        }
    }
}

impl ToJSON for Usd {
    fn to_json(&self) -> Option<Value> {
        Some(Value::from(self.0.clone()))
    }
}
