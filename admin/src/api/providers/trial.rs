//! Trying providers out: a real small request, the models they have, and copies to change.

use std::sync::Arc;

use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    payload::Json,
};

use super::{
    object::Provider,
    patch::{ProviderCreate, ProviderPatch},
    presets::{PresetList, presets},
};
use crate::{
    Admin,
    api::{
        Tag,
        answers::{
            ChangeRefused, CreateRefused, Created, ListRefused, TryRefused, UpstreamRefused,
        },
        body::{Body, Input},
        rules,
    },
    auth::guard::ForAdmin,
    gateway,
    problem::{Mistake, Problem},
    service::{etag, providers, trials},
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// How a stored provider is tried.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ProviderTest {
    /// The model to ask for, as a client would name it. Default the first that `allowedModels` names.
    #[oai(validator(min_length = 1, max_length = 256))]
    pub model: Option<String>,
    /// What it is asked. Default a few words.
    #[oai(validator(min_length = 1, max_length = 4000))]
    pub prompt: Option<String>,
    /// Whether the answer is to come as a stream. Default false.
    pub stream: Option<bool>,
    /// Changes to try before they are made. They are not made.
    pub changes: Option<ProviderPatch>,
}

/// A provider to try that is not stored.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ProviderDraftTest {
    /// The provider, as it would be created. It is not created.
    pub provider: ProviderCreate,
    /// The model to ask for, as a client would name it. Default the first that `allowedModels` names.
    #[oai(validator(min_length = 1, max_length = 256))]
    pub model: Option<String>,
    /// What it is asked. Default a few words.
    #[oai(validator(min_length = 1, max_length = 4000))]
    pub prompt: Option<String>,
    /// Whether the answer is to come as a stream. Default false.
    pub stream: Option<bool>,
}

/// What is left of either without the fields that have mistakes.
#[derive(Object)]
pub struct LooseTest {
    changes: Option<ProviderPatch>,
    provider: Option<ProviderPatch>,
    model: Option<String>,
}

/// What came of trying a provider.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ProviderTestReport {
    /// It works: the answer is good and whole.
    pub ok: bool,
    /// What is wrong, in words; null when nothing is.
    #[oai(nullable)]
    pub error: Option<String>,
    /// The address that was asked; null when it did not come to that.
    #[oai(nullable)]
    pub url: Option<String>,
    /// The answer's status; null without an answer.
    #[oai(nullable)]
    pub status: Option<u16>,
    /// The answer's media type.
    #[oai(nullable)]
    pub content_type: Option<String>,
    /// Milliseconds from the beginning to a connection: name, proxy and TLS included.
    #[oai(nullable)]
    pub connect_ms: Option<u64>,
    /// Milliseconds from the beginning to the answer's head.
    #[oai(nullable)]
    pub first_byte_ms: Option<u64>,
    /// Milliseconds of all of it.
    pub total_ms: u64,
    /// The beginning of the answer's body.
    pub excerpt: String,
    /// Whether there is more of it.
    pub is_cut: bool,
    /// The model that says it answered.
    #[oai(nullable)]
    pub model: Option<String>,
    /// What the answer says was used; null when it says nothing of it.
    #[oai(nullable)]
    pub usage: Option<TestUsage>,
}

/// Tokens of a test.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct TestUsage {
    /// Of the prompt, those of the cache left aside.
    pub input_tokens: u64,
    /// Of the prompt, read from the cache.
    pub cache_read_tokens: u64,
    /// Of the prompt, written to the cache.
    pub cache_write_tokens: u64,
    /// Of the answer.
    pub output_tokens: u64,
    /// Of the answer, spent on reasoning.
    pub reasoning_tokens: u64,
}

/// A provider's models.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct UpstreamModels {
    /// Their names, sorted.
    pub items: Vec<String>,
    /// Milliseconds it took to ask.
    pub total_ms: u64,
}

/// How a provider is copied.
#[derive(Debug, Object)]
pub struct ProviderClone {
    /// The copy's name. Default the original's with `(copy)`.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: Option<String>,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Providers")]
impl Api {
    /// Try a provider
    ///
    /// Sends a small request in the provider's protocol, with its credential and through its proxy, and tells how long each part took and what
    /// came back. It costs a few tokens, which are in no limit and in no log. That the provider fails is an answer, not an error. With
    /// `changes` it is tried as it would be after them.
    #[oai(
        path = "/providers/:id/test",
        method = "post",
        operation_id = "testProvider"
    )]
    async fn test(
        &self,
        _caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
        body: Body<ProviderTest>,
    ) -> Result<Json<ProviderTestReport>, ChangeRefused> {
        let ProviderTest {
            model,
            prompt,
            stream,
            changes,
        } = body.0;
        let changes = changes.map(|changes| {
            let edit: Box<trials::Edit> = {
                let changes = changes.clone();
                Box::new(move |current| changes.apply(current))
            };
            (changes.secrets(), edit)
        });
        let ask = ask(model, prompt, stream);
        let report = trials::stored(&self.0, id.0, changes, ask).await?;
        Ok(Json(report.into()))
    }

    /// Try a provider before it is created
    ///
    /// As trying one that is stored.
    #[oai(
        path = "/providers/test",
        method = "post",
        operation_id = "testProviderDraft"
    )]
    async fn test_draft(
        &self,
        _caller: ForAdmin,
        body: Body<ProviderDraftTest>,
    ) -> Result<Json<ProviderTestReport>, TryRefused> {
        let ProviderDraftTest {
            provider,
            model,
            prompt,
            stream,
        } = body.0;
        let secrets = provider.secrets();
        let ask = ask(model, prompt, stream);
        let report = trials::draft(&self.0, secrets, provider.into(), ask).await?;
        Ok(Json(report.into()))
    }

    /// List a provider's models
    ///
    /// As the provider itself lists them now.
    #[oai(
        path = "/providers/:id/models",
        method = "get",
        operation_id = "listUpstreamModels"
    )]
    async fn models(
        &self,
        _caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
    ) -> Result<Json<UpstreamModels>, UpstreamRefused> {
        let report = trials::models(&self.0, id.0).await?;
        match report.error {
            Some(why) => Err(Problem::bad_upstream(&why).into()),
            None => Ok(Json(UpstreamModels {
                items: report.models,
                total_ms: report.total_ms,
            })),
        }
    }

    /// Copy a provider
    ///
    /// All of it, its credential and its proxy included, under another name and switched off.
    #[oai(
        path = "/providers/:id/clone",
        method = "post",
        operation_id = "cloneProvider"
    )]
    async fn copy(
        &self,
        caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
        /// Carries it out once: the same key with the same body gets the first answer again, for a day.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
        body: Body<ProviderClone>,
    ) -> Result<Created<Provider>, CreateRefused> {
        let provider = providers::copy(&self.0, &caller.0, id.0, body.0.name).await?;
        let location = format!("/api/v1/providers/{}", provider.id);
        let version = etag(provider.id, provider.updated_at);
        let provider = Provider::new(&self.0, provider);
        Ok(Created::Created(Json(provider), location, version))
    }

    /// List presets
    ///
    /// Well-known vendors: what to fill in for a provider beside its credential.
    #[oai(
        path = "/provider-presets",
        method = "get",
        operation_id = "listProviderPresets"
    )]
    async fn presets(&self, _caller: ForAdmin) -> Result<Json<PresetList>, ListRefused> {
        Ok(Json(presets()))
    }
}

fn ask(model: Option<String>, text: Option<String>, stream: Option<bool>) -> trials::Ask {
    trials::Ask {
        model,
        text,
        is_stream: stream.unwrap_or(false),
    }
}

/// What the rules of a provider say of one within another object.
fn check(field: &str, provider: Option<&ProviderPatch>, out: &mut Vec<Mistake>) {
    let mut mistakes = Vec::new();
    if let Some(provider) = provider {
        ProviderPatch::rules(provider, &mut mistakes);
    }
    out.extend(mistakes.into_iter().map(|mistake| Mistake {
        path: format!("{field}.{}", mistake.path),
        ..mistake
    }));
}

// === impl ProviderTest, ProviderDraftTest, ProviderClone ===

impl Input for ProviderTest {
    type Loose = LooseTest;

    fn rules(loose: &LooseTest, out: &mut Vec<Mistake>) {
        rules::name("model", loose.model.as_ref(), out);
        check("changes", loose.changes.as_ref(), out);
    }
}

impl Input for ProviderDraftTest {
    type Loose = LooseTest;

    fn rules(loose: &LooseTest, out: &mut Vec<Mistake>) {
        rules::name("model", loose.model.as_ref(), out);
        check("provider", loose.provider.as_ref(), out);
    }
}

impl Input for ProviderClone {
    type Loose = Self;

    fn rules(loose: &Self, out: &mut Vec<Mistake>) {
        rules::name("name", loose.name.as_ref(), out);
    }
}

// === impl ProviderTestReport ===

impl From<gateway::TrialReport> for ProviderTestReport {
    fn from(report: gateway::TrialReport) -> Self {
        Self {
            ok: report.is_ok,
            error: report.error,
            url: report.url,
            status: report.status,
            content_type: report.content_type,
            connect_ms: report.connect_ms,
            first_byte_ms: report.first_byte_ms,
            total_ms: report.total_ms,
            excerpt: report.excerpt,
            is_cut: report.is_cut,
            model: report.model,
            usage: report.usage.map(|usage| TestUsage {
                input_tokens: usage.input_tokens,
                cache_read_tokens: usage.cache_read_tokens,
                cache_write_tokens: usage.cache_write_tokens,
                output_tokens: usage.output_tokens,
                reasoning_tokens: usage.reasoning_tokens,
            }),
        }
    }
}
