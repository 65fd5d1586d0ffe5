//! Providers asked something by an admin who wants to know whether they work: configured ones, and drafts of them.

use std::time::Duration;

use admin::gateway::{Trial, TrialAsk, TrialReport, TrialUsage};
use entity::value::{EgressPolicy, ProviderType, Sealer, is_secret_header};
use http::{HeaderMap, header};

use crate::domain::provider::Provider;
use crate::domain::usage::{Provenance, Usage};
use crate::proxy::{Told, Upstreams};
use crate::store::snapshot::open_provider;
use crate::wire::encoding::StreamDecoder;
use crate::wire::meter::{Meter, Reading};
use crate::wire::trial::{Question, read_models};

/// How long one may take: less than the admin side gives its own answers.
const LIMIT: Duration = Duration::from_secs(25);
/// How much of an answer is read, in bytes.
const MOST: usize = 1 << 20;
/// How much of it is shown, in characters.
const SHOWN: usize = 4_000;
/// Shorter secrets are not looked for in answers: they would be found in innocent words.
const SHORTEST_SECRET: usize = 6;

/// Asks, and tells what came of it.
pub async fn run(
    upstreams: &Upstreams,
    sealer: &Sealer,
    policy: EgressPolicy,
    trial: Trial,
) -> TrialReport {
    let provider = match open_provider(trial.provider, sealer) {
        // Never past its proxy: who tries a provider wants to know whether that works.
        Ok(provider) => Provider {
            proxy_fallback_to_direct: false,
            ..provider
        },
        Err(why) => {
            return TrialReport {
                error: Some(why),
                ..TrialReport::default()
            };
        }
    };
    let report = match trial.ask {
        TrialAsk::Models => models(upstreams, &provider, policy).await,
        TrialAsk::Answer {
            model,
            text,
            is_stream,
        } => answer(upstreams, &provider, policy, &model, &text, is_stream).await,
    };
    without_secrets(report, &provider)
}

async fn models(upstreams: &Upstreams, provider: &Provider, policy: EgressPolicy) -> TrialReport {
    let target = match provider.kind {
        ProviderType::Claude | ProviderType::ClaudeAuth => "/v1/models?limit=1000",
        ProviderType::Codex | ProviderType::OpenaiCompatible => "/v1/models",
        ProviderType::Gemini => "/v1beta/models?pageSize=1000",
        ProviderType::GeminiCli => {
            return TrialReport {
                error: Some("Code Assist has no list of models".to_owned()),
                ..TrialReport::default()
            };
        }
    };
    let ask = crate::proxy::Trial {
        target: target.to_owned(),
        body: None,
        limit: LIMIT,
        most: MOST,
    };
    let told = upstreams.try_out(provider, ask, policy).await;
    let body = decoded(&told);
    let is_good = told.status.is_some_and(|status| status.is_success());
    let models = read_models(&body).filter(|_| is_good);
    let mut report = report(&told, &body);
    if report.error.is_none() && models.is_none() {
        report.error = Some(match told.status {
            Some(status) if !is_good => format!("the provider answered {status}"),
            _ => "the provider's answer is no list of models".to_owned(),
        });
    }
    report.is_ok = report.error.is_none();
    report.models = models.unwrap_or_default();
    report
}

async fn answer(
    upstreams: &Upstreams,
    provider: &Provider,
    policy: EgressPolicy,
    model: &str,
    text: &str,
    is_stream: bool,
) -> TrialReport {
    let model = provider.redirect(model).unwrap_or(model);
    let question = Question::new(provider.kind, model, text, is_stream);
    let ask = crate::proxy::Trial {
        target: question.target.clone(),
        body: Some(question.body.clone()),
        limit: LIMIT,
        most: MOST,
    };
    let told = upstreams.try_out(provider, ask, policy).await;
    let body = decoded(&told);
    let content_type = text_of(&told.headers, header::CONTENT_TYPE);
    let mut meter = Meter::new(question.protocol, question.operation, content_type, None);
    meter.feed(&body);
    let has_content = meter.has_content();
    let reading = meter.finish();
    let mut report = report(&told, &body);
    report.error = report.error.or_else(|| wrong(&told, &reading, has_content));
    report.is_ok = report.error.is_none();
    report.model = reading.model;
    report.usage = (reading.provenance != Provenance::None).then(|| usage(&reading.usage));
    report
}

/// What is wrong with an answer that came whole.
fn wrong(told: &Told, reading: &Reading, has_content: bool) -> Option<String> {
    let status = told.status?;
    if !status.is_success() {
        return Some(format!("the provider answered {status}"));
    }
    if let Some(error) = &reading.error {
        return Some(format!("the answer is an error: {error}"));
    }
    if told.is_cut {
        return None;
    }
    let what = match (reading.complete, has_content) {
        (false, _) => "the answer is not one of this protocol, or it is not whole",
        (true, false) => "the answer has no content",
        (true, true) => return None,
    };
    Some(what.to_owned())
}

fn report(told: &Told, body: &[u8]) -> TrialReport {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let text = String::from_utf8_lossy(body);
    let excerpt: String = text.chars().take(SHOWN).collect();
    TrialReport {
        url: Some(told.url.clone()).filter(|url| !url.is_empty()),
        status: told.status.map(|status| status.as_u16()),
        content_type: text_of(&told.headers, header::CONTENT_TYPE).map(str::to_owned),
        connect_ms: told.connected.map(millis),
        first_byte_ms: told.first_byte.map(millis),
        total_ms: millis(told.total),
        is_cut: told.is_cut || excerpt.len() < text.len(),
        excerpt,
        error: told.error.as_ref().map(ToString::to_string),
        ..TrialReport::default()
    }
}

/// The body without its compression; nothing when that is one we do not know.
fn decoded(told: &Told) -> Vec<u8> {
    let encoding = text_of(&told.headers, header::CONTENT_ENCODING);
    let mut body = Vec::new();
    if let Some(mut decoder) = StreamDecoder::new(encoding) {
        decoder.feed(&told.body, &mut |bytes| {
            let room = MOST - body.len();
            body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        });
    }
    body
}

fn text_of(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn usage(usage: &Usage) -> TrialUsage {
    TrialUsage {
        input_tokens: usage.input_tokens,
        cache_read_tokens: usage.cache_read_tokens,
        cache_write_tokens: usage.cache_write5m_tokens + usage.cache_write1h_tokens,
        output_tokens: usage.output_tokens,
        reasoning_tokens: usage.reasoning_tokens,
    }
}

/// Some providers repeat the credential they refuse.
fn without_secrets(report: TrialReport, provider: &Provider) -> TrialReport {
    let password = provider.proxy.as_ref();
    let password = password.and_then(|proxy| proxy.credentials.as_ref());
    let headers = provider.custom_headers.iter();
    let headers = headers.filter(|(name, value)| is_secret_header(name, value));
    let secrets: Vec<&str> = [provider.api_key.expose()]
        .into_iter()
        .chain(password.map(|(_, password)| password.expose()))
        .chain(headers.map(|(_, value)| value.as_str()))
        .collect();
    let clean = |text: String| {
        let mut text = text;
        for secret in &secrets {
            if secret.len() >= SHORTEST_SECRET {
                text = text.replace(*secret, "(secret)");
            }
        }
        text
    };
    TrialReport {
        excerpt: clean(report.excerpt),
        error: report.error.map(clean),
        ..report
    }
}
