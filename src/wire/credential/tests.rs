//! Tests of credentials.

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
}

fn presented(
    pairs: &[(&'static str, &'static str)],
    query: Option<&str>,
) -> Result<String, Reason> {
    present(&headers(pairs), query)
        .map(Cow::into_owned)
        .map_err(|refusal| refusal.reason)
}

#[test]
fn each_place_is_read() {
    for pairs in [
        [("authorization", "Bearer sk-a")],
        [("authorization", "bEARER   sk-a ")],
        [("x-api-key", " sk-a")],
        [("x-goog-api-key", "sk-a")],
    ] {
        assert_eq!(presented(&pairs, None).as_deref(), Ok("sk-a"), "{pairs:?}");
    }
    assert_eq!(
        presented(&[], Some("alt=sse&key=sk%2Da")).as_deref(),
        Ok("sk-a")
    );
    assert_eq!(presented(&[], Some("k%65y=sk-a")).as_deref(), Ok("sk-a"));
}

#[test]
fn what_is_no_credential_is_ignored() {
    let pairs = [
        ("authorization", "Basic dXNlcg=="),
        ("authorization", "Bearer"),
        ("authorization", "Bearer  "),
        ("x-api-key", ""),
        ("x-goog-api-key", "sk-a"),
    ];
    assert_eq!(
        presented(&pairs, Some("key=&monkey=x")).as_deref(),
        Ok("sk-a")
    );
    assert_eq!(presented(&pairs[..4], None), Err(Reason::MissingCredential));
    assert_eq!(presented(&[], Some("")), Err(Reason::MissingCredential));
}

#[test]
fn two_that_differ_are_refused_wherever_they_are() {
    let same = [("authorization", "Bearer sk-a"), ("x-api-key", "sk-a")];
    assert_eq!(presented(&same, Some("key=sk-a")).as_deref(), Ok("sk-a"));
    for (pairs, query) in [
        (&same[..], Some("key=sk-b")),
        (&[("x-api-key", "sk-a"), ("x-api-key", "sk-b")][..], None),
        (
            &[("authorization", "Bearer a"), ("authorization", "Bearer b")][..],
            None,
        ),
        (&[][..], Some("key=a&key=b")),
    ] {
        assert_eq!(presented(pairs, query), Err(Reason::ConflictingCredentials));
    }
}

#[test]
fn a_refusal_never_repeats_a_credential() {
    let pairs = headers(&[("x-api-key", "sk-one"), ("x-goog-api-key", "sk-two")]);
    let refusal = present(&pairs, None).unwrap_err();
    assert!(!format!("{refusal:?}").contains("sk-"));
}

#[test]
fn the_key_leaves_the_query_and_nothing_else_does() {
    for (query, expected) in [
        ("alt=sse", "alt=sse"),
        ("key=x", ""),
        ("key", ""),
        ("a=%20+&key=x&b", "a=%20+&b"),
        ("%6bey=x&a=1&key=y", "a=1"),
        ("a&&b&key=", "a&&b"),
        ("monkey=1&keys=2&Key=3", "monkey=1&keys=2&Key=3"),
    ] {
        assert_eq!(query_without_key(query), expected, "{query}");
    }
    assert!(matches!(query_without_key("a=1"), Cow::Borrowed(_)));
}

#[test]
fn credentials_are_known_by_name() {
    let is = |name| is_credential(&HeaderName::from_static(name));
    for name in [
        "authorization",
        "x-api-key",
        "x-goog-api-key",
        "cookie",
        "proxy-authorization",
    ] {
        assert!(is(name), "{name}");
    }
    for name in ["set-cookie", "x-app", "anthropic-version"] {
        assert!(!is(name), "{name}");
    }
}
