//! Exact numbers: a decimal string or a number in, a decimal string out.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;

/// A number as it was written. What it may be is the field's own matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal(pub String);

impl Type for Decimal {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "decimal".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let choice = |name| MetaSchemaRef::Inline(Box::new(MetaSchema::new(name)));
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            any_of: vec![choice("string"), choice("number")],
            ..MetaSchema::ANY
        }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl ParseFromJSON for Decimal {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => Ok(Self(text)),
            // The shortest text that means the same number, which is what was written where that had up to 15 digits.
            Value::Number(number) => Ok(Self(number.to_string())),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ToJSON for Decimal {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.0.clone()))
    }
}
