//! Tests of endpoint classification.

use http::HeaderValue;
use proptest::prelude::{ProptestConfig, proptest};

use super::*;

fn at(method: &Method, path: &str) -> Option<(Protocol, Operation, Option<String>)> {
    classify(method, path, &HeaderMap::new()).map(|e| {
        let model = e.model.map(|span| path[span].to_owned());
        (e.protocol, e.operation, model)
    })
}

fn post(path: &str) -> Option<(Protocol, Operation, Option<String>)> {
    at(&Method::POST, path)
}

fn anthropic() -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static("anthropic-version"),
        HeaderValue::from_static("2023-06-01"),
    )])
}

#[test]
fn bodies_that_name_the_model() {
    for (path, protocol, operation) in [
        ("/v1/messages", Protocol::Anthropic, Operation::Generate),
        ("/v1/messages/", Protocol::Anthropic, Operation::Generate),
        ("/V1/Messages", Protocol::Anthropic, Operation::Generate),
        (
            "/v1/messages/count_tokens",
            Protocol::Anthropic,
            Operation::CountTokens,
        ),
        ("/v1/responses", Protocol::Responses, Operation::Generate),
        (
            "/v1/chat/completions",
            Protocol::Openai,
            Operation::Generate,
        ),
        ("/v1/completions", Protocol::Openai, Operation::Generate),
        ("/v1/embeddings", Protocol::Openai, Operation::Embed),
        (
            "/v1internal:generateContent",
            Protocol::GeminiCli,
            Operation::Generate,
        ),
        (
            "/v1internal:streamGenerateContent",
            Protocol::GeminiCli,
            Operation::GenerateStream,
        ),
        (
            "/v1internal:countTokens",
            Protocol::GeminiCli,
            Operation::CountTokens,
        ),
    ] {
        assert_eq!(post(path), Some((protocol, operation, None)), "{path}");
        assert_eq!(at(&Method::GET, path), None, "GET {path}");
    }
}

#[test]
fn paths_that_name_the_model() {
    for (path, operation, model) in [
        (
            "/v1beta/models/gemini-2.5-pro:generateContent",
            Operation::Generate,
            "gemini-2.5-pro",
        ),
        (
            "/v1beta/models/g:streamGenerateContent",
            Operation::GenerateStream,
            "g",
        ),
        (
            "/v1beta/models/g:STREAMgeneratecontent/",
            Operation::GenerateStream,
            "g",
        ),
        ("/v1beta/models/g:countTokens", Operation::CountTokens, "g"),
        ("/v1beta/models/g:embedContent", Operation::Embed, "g"),
        ("/v1beta/models/g:batchEmbedContents", Operation::Embed, "g"),
        (
            "/v1beta/models/g:batchGenerateContent",
            Operation::Passthrough,
            "g",
        ),
        (
            "/v1beta/models/a%2Fb%3Ac:generateContent",
            Operation::Generate,
            "a%2Fb%3Ac",
        ),
        (
            "/v1beta/tunedModels/t:generateContent",
            Operation::Generate,
            "t",
        ),
        ("/v1/models/g:generateContent", Operation::Generate, "g"),
        (
            "/v1/publishers/google/models/g:countTokens",
            Operation::CountTokens,
            "g",
        ),
        (
            "/v1/publishers/google/models/g:predict",
            Operation::Passthrough,
            "g",
        ),
        (
            "/v1/projects/p/locations/l/publishers/google/models/g:generateContent",
            Operation::Generate,
            "g",
        ),
    ] {
        let expected = (Protocol::Gemini, operation, Some(model.to_owned()));
        assert_eq!(post(path), Some(expected), "{path}");
    }
    assert_eq!(at(&Method::GET, "/v1beta/models/g:generateContent"), None);
}

#[test]
fn models_are_listed_in_the_dialect_of_the_caller() {
    let get = |path| at(&Method::GET, path);
    let list = |p| Some((p, Operation::ListModels, None));
    let one = |p, id: &str| Some((p, Operation::GetModel, Some(id.to_owned())));
    assert_eq!(get("/v1/models"), list(Protocol::Openai));
    assert_eq!(get("/v1/models/"), list(Protocol::Openai));
    assert_eq!(get("/v1beta/models"), list(Protocol::Gemini));
    assert_eq!(get("/v1/models/gpt-5"), one(Protocol::Openai, "gpt-5"));
    assert_eq!(
        get("/v1/models/org/name"),
        one(Protocol::Openai, "org/name")
    );
    assert_eq!(
        get("/v1/models/ft:gpt:a::b"),
        one(Protocol::Openai, "ft:gpt:a::b")
    );
    assert_eq!(get("/v1beta/models/g"), one(Protocol::Gemini, "g"));
    let found = classify(&Method::GET, "/v1/models", &anthropic()).unwrap();
    assert_eq!(found.protocol, Protocol::Anthropic);
    assert_eq!(post("/v1/models"), None);
    assert_eq!(post("/v1beta/models"), None);
}

#[test]
fn a_compaction_is_generated_and_metered() {
    let expected = Some((Protocol::Responses, Operation::Generate, None));
    assert_eq!(post("/v1/responses/compact"), expected);
    assert_eq!(post("/v1/Responses/Compact/"), expected);
    let other = Some((Protocol::Responses, Operation::Passthrough, None));
    assert_eq!(at(&Method::GET, "/v1/responses/compact"), other);
    assert_eq!(post("/v1/responses/compact/x"), other);
}

#[test]
fn other_resources_pass_through() {
    for (path, protocol) in [
        ("/v1/messages/batches", Protocol::Anthropic),
        ("/v1/messages/batches/b_1/results", Protocol::Anthropic),
        ("/v1/responses/resp_1/cancel", Protocol::Responses),
        ("/v1/chat/completions/c_1", Protocol::Openai),
        ("/v1/files", Protocol::Openai),
        ("/v1/files/a%20b", Protocol::Openai),
        ("/v1/images/generations", Protocol::Openai),
        ("/v1beta/files/f1", Protocol::Gemini),
        ("/v1beta/cachedContents", Protocol::Gemini),
        ("/v1internal:loadCodeAssist", Protocol::GeminiCli),
        ("/v1internal/operations/o", Protocol::GeminiCli),
    ] {
        let expected = Some((protocol, Operation::Passthrough, None));
        assert_eq!(post(path), expected, "{path}");
        assert_eq!(at(&Method::GET, path), expected, "GET {path}");
    }
    let delete = at(&Method::DELETE, "/v1/models/ft-1");
    assert_eq!(
        delete,
        Some((Protocol::Openai, Operation::Passthrough, None))
    );
}

#[test]
fn anything_else_is_unknown() {
    for path in [
        "",
        "/",
        "/v1",
        "/v1/",
        "/v1beta",
        "/v1beta/",
        "/v1internal",
        "/v1internals:x",
        "/v2/messages",
        "/api/v1/users",
        "v1/messages",
        "/v1//messages",
    ] {
        assert_eq!(post(path), None, "{path}");
    }
}

#[test]
fn a_path_that_hides_what_it_asks_for_is_not_passed_through() {
    for path in [
        "/v1/chat/complet%69ons",
        "/v1/x/../chat/completions",
        "/v1/x/%2e%2E/chat/completions",
        "/v1/x/./y",
        "/v1/chat%2Fcompletions",
        "/v1/chat\\completions",
        "/v1beta/models/g%3AgenerateContent",
        "/v1/files/100%",
    ] {
        assert_eq!(post(path), None, "{path}");
    }
}

#[test]
fn the_dialect_of_an_unknown_path_is_guessed() {
    let none = HeaderMap::new();
    assert_eq!(dialect_for("/v1beta/x", &none), Dialect::Gemini);
    assert_eq!(dialect_for("/v1internal:x", &none), Dialect::Gemini);
    assert_eq!(dialect_for("/v1/messages/x", &none), Dialect::Anthropic);
    assert_eq!(dialect_for("/nowhere", &anthropic()), Dialect::Anthropic);
    assert_eq!(dialect_for("/nowhere", &none), Dialect::Openai);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_path_panics_and_every_span_lies_inside(path in "/(v1|v1beta|v1internal|models)?[/:%a-z0-9é.]{0,40}/?") {
        for method in [Method::GET, Method::POST] {
            if let Some(Endpoint { model: Some(span), .. }) = classify(&method, &path, &HeaderMap::new()) {
                assert!(!path[span].is_empty());
            }
        }
    }
}
