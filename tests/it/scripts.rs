//! What the fake provider answers badly is what the gateway's reading of answers takes it for: without either, a test of failover
//! would show nothing.

use bytes::Bytes;
use serde_json::{Value, json};
use switchyard::domain::protocol::{Operation, Protocol};
use switchyard::wire::judge::{Flaw, judge};
use switchyard::wire::meter::{Meter, Phase};

use crate::support::{Upstream, http};

async fn post(mock: &Upstream, script: &str, path: &str, body: &Value) -> Bytes {
    let url = format!("{}{path}", mock.url(script));
    let response = http().build().unwrap().post(url).json(body).send().await;
    response.unwrap().bytes().await.unwrap()
}

/// Every protocol with a path and a body that ask it for a stream.
fn streams() -> [(Protocol, &'static str, Value); 6] {
    let stream = json!({ "stream": true });
    [
        (Protocol::Anthropic, "/v1/messages", stream.clone()),
        (Protocol::Openai, "/v1/chat/completions", stream.clone()),
        (Protocol::Openai, "/v1/completions", stream.clone()),
        (Protocol::Responses, "/v1/responses", stream),
        (
            Protocol::Gemini,
            "/v1beta/models/g:streamGenerateContent?alt=sse",
            json!({}),
        ),
        (
            Protocol::GeminiCli,
            "/v1internal:streamGenerateContent?alt=sse",
            json!({}),
        ),
    ]
}

/// How far the answer comes under a script, and whether it is empty.
async fn met(mock: &Upstream, script: &str, stream: &(Protocol, &str, Value)) -> (Phase, bool) {
    let (protocol, path, body) = stream;
    let mut meter = Meter::new(*protocol, Operation::Generate, None, None);
    meter.feed(&post(mock, script, path, body).await);
    meter.end();
    (meter.phase(), meter.is_empty())
}

#[tokio::test]
async fn streams_come_as_far_as_their_script_says() {
    let mock = Upstream::start().await;
    for stream in streams() {
        let opens = !matches!(stream.0, Protocol::Gemini | Protocol::GeminiCli)
            && stream.1 != "/v1/completions";
        for (script, expected) in [
            ("chunks=3", Phase::Ended),
            ("errorEventFirst", Phase::Failed),
            ("endAfterEvents=0", Phase::Silent),
            ("bodyKind=empty", Phase::Silent),
            ("bodyKind=html", Phase::Foreign),
            ("bodyKind=garbage", Phase::Foreign),
            ("garbageAfterEvents=0", Phase::Foreign),
            ("body=OK", Phase::Foreign),
            ("bodyKind=error", Phase::Failed),
            ("noContent", Phase::Ended),
            ("status=204", Phase::Silent),
        ] {
            let (phase, is_empty) = met(&mock, script, &stream).await;
            assert_eq!(phase, expected, "{script} {}", stream.1);
            assert_eq!(is_empty, script == "noContent", "{script} {}", stream.1);
        }
        if opens {
            let early = met(&mock, "endAfterEvents=1", &stream).await;
            assert_eq!(early, (Phase::Open, false), "{}", stream.1);
            let failed = met(&mock, "errorEventAfter=1", &stream).await;
            assert_eq!(failed, (Phase::Failed, false), "{}", stream.1);
        }
    }
}

#[tokio::test]
async fn whole_answers_are_judged_as_their_script_says() {
    let mock = Upstream::start().await;
    for (protocol, path, _) in streams() {
        let path = path.replace(":streamGenerateContent?alt=sse", ":generateContent");
        let flaw = async |script: &str| {
            let body = post(&mock, script, &path, &json!({})).await;
            judge(protocol, Operation::Generate, None, &body, true)
        };
        assert_eq!(flaw("times=0").await, None, "{path}");
        assert_eq!(flaw("noContent").await, Some(Flaw::NoContent), "{path}");
        assert_eq!(flaw("bodyKind=empty").await, Some(Flaw::Empty), "{path}");
        assert_eq!(flaw("bodyKind=html").await, Some(Flaw::Html), "{path}");
        for script in ["bodyKind=garbage", "bodyKind=notJson", "body=OK"] {
            assert_eq!(flaw(script).await, Some(Flaw::Foreign), "{script} {path}");
        }
        let error = flaw("bodyKind=error;errorMessage=no").await;
        let is_error = matches!(&error, Some(Flaw::Error { message, .. }) if message == "no");
        assert!(is_error, "{path} {error:?}");
    }
}
