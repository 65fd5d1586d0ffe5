//! A public table of prices as a request's body: larger than other bodies, and its fields are not ours to name.

use poem::{
    Request, RequestBody, Result,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
};

use crate::problem::{Mistake, Problem};

/// Largest table. LiteLLM's has about 2 MB.
const MAX_BYTES: usize = 50 * 1024 * 1024;

/// The text of a table.
pub struct Table(pub String);

impl<'a> ApiExtractor<'a> for Table {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(_registry: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: Some("LiteLLM's `model_prices_and_context_window.json`, as it is."),
            content: vec![MetaMediaType {
                content_type: "application/json",
                schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("object"))),
            }],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let content_type = request.header(header::CONTENT_TYPE).unwrap_or_default();
        let media = content_type.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send the body as application/json.",
            )
            .into());
        }
        let bytes = body
            .take()?
            .into_bytes_limit(MAX_BYTES)
            .await
            .map_err(|e| Problem::from_error(&e.into()))?;
        match String::from_utf8(bytes.into()) {
            Ok(text) => Ok(Self(text)),
            Err(_) => {
                let mistake = Mistake::new("body", "invalid", "is not text");
                Err(Problem::invalid(vec![mistake]).into())
            }
        }
    }
}
