//! Whatever a full parser takes for an object the peek does too, its spans are those of whole values, and edits made by them leave
//! a body that still is one. The fingerprints of the conversation are made on the way.

#![no_main]

use bytes::Bytes;
use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use switchyard::domain::protocol::{Operation, Protocol};
use switchyard::wire::endpoint::Endpoint;
use switchyard::wire::include_usage;
use switchyard::wire::patch;
use switchyard::wire::peek::peek;

fuzz_target!(|data: &[u8]| {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    let protocol = fuzz_support::protocol(*kind);
    let tree = serde_json::from_slice::<Map<String, Value>>(body);
    let found = match peek(protocol, &HeaderMap::new(), body) {
        Ok(found) => found,
        Err(e) => {
            assert!(tree.is_err(), "{e}");
            return;
        }
    };
    let Ok(tree) = tree else { return };
    if let Some(span) = &found.model_span {
        let model = serde_json::from_slice::<String>(&body[span.clone()]);
        assert!(model.is_ok());
    }
    let endpoint = Endpoint {
        protocol,
        operation: Operation::Generate,
        model: None,
    };
    let Some(demand) = include_usage::demand(&endpoint, &found, body) else {
        return;
    };
    assert_eq!(protocol, Protocol::Openai);
    assert_eq!(tree.get("stream"), Some(&Value::Bool(true)));
    let edited = patch::apply(&Bytes::copy_from_slice(body), vec![demand.edit]);
    let edited: Map<String, Value> = serde_json::from_slice(&edited).expect("it is still one");
    assert_eq!(edited["stream_options"]["include_usage"], true);
});
