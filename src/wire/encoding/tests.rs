//! Tests of content codings.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::HeaderValue;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};

use super::*;

const LIMIT: usize = 1 << 20;
const CODINGS: [&str; 6] = ["gzip", "X-GZIP", "deflate", "raw", "br", "zstd"];

/// Encodes with a coding; `raw` is deflate without its zlib frame.
fn encode(coding: &str, data: &[u8]) -> Vec<u8> {
    let level = Compression::default();
    match coding {
        "gzip" | "X-GZIP" => {
            let mut encoder = GzEncoder::new(Vec::new(), level);
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        "raw" => {
            let mut encoder = DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, 4, 20);
            encoder.write_all(data).unwrap();
            drop(encoder);
            out
        }
        _ => zstd::stream::encode_all(data, 3).unwrap(),
    }
}

fn headers(coding: &str) -> HeaderMap {
    let coding = if coding == "raw" { "deflate" } else { coding };
    HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_str(coding).unwrap())])
}

fn decoded(coding: &str, data: Vec<u8>, limit: usize) -> Result<Bytes, Reason> {
    decode_body(&headers(coding), Bytes::from(data), limit).map_err(|refusal| refusal.reason)
}

fn sample() -> Vec<u8> {
    (0..20_000)
        .flat_map(|n: u32| format!("line {n}\n").into_bytes())
        .collect()
}

#[test]
fn an_uncoded_body_is_not_copied() {
    let body = Bytes::from(sample());
    for headers in [
        HeaderMap::new(),
        headers("identity"),
        headers(" , Identity"),
    ] {
        let out = decode_body(&headers, body.clone(), LIMIT).unwrap();
        assert_eq!(out.as_ptr(), body.as_ptr());
    }
    let empty = decode_body(&headers("gzip"), Bytes::new(), LIMIT).unwrap();
    assert!(empty.is_empty());
}

#[test]
fn every_cut_and_every_flipped_start_is_noticed() {
    let data = sample();
    for coding in CODINGS {
        let coded = encode(coding, &data);
        assert_eq!(
            decoded(coding, coded.clone(), LIMIT).unwrap(),
            data,
            "{coding}"
        );
        for cut in [1, 2, 5, coded.len() / 2, coded.len() - 1] {
            let cut_short = coded[..cut].to_vec();
            assert_eq!(
                decoded(coding, cut_short, LIMIT),
                Err(Reason::BadBody),
                "{coding} {cut}"
            );
        }
        let extra = [&coded[..], b"tail"].concat();
        assert_eq!(
            decoded(coding, extra, LIMIT),
            Err(Reason::BadBody),
            "{coding}"
        );
        let garbage = b"\xffthis is not compressed at all".to_vec();
        assert_eq!(
            decoded(coding, garbage, LIMIT),
            Err(Reason::BadBody),
            "{coding}"
        );
    }
}

#[test]
fn members_may_follow_each_other() {
    for coding in ["gzip", "zstd"] {
        let coded = [encode(coding, b"one "), encode(coding, b"two")].concat();
        assert_eq!(decoded(coding, coded, LIMIT).unwrap(), "one two");
    }
}

#[test]
fn the_limit_is_exact_and_a_bomb_stays_small() {
    let zeros = vec![0; 64 << 20];
    for coding in CODINGS {
        let bomb = encode(coding, &zeros);
        assert!(bomb.len() < LIMIT, "{coding}");
        assert_eq!(
            decoded(coding, bomb, LIMIT),
            Err(Reason::TooLarge),
            "{coding}"
        );
        let coded = encode(coding, &zeros[..100_000]);
        assert_eq!(
            decoded(coding, coded.clone(), 100_000).unwrap().len(),
            100_000
        );
        assert_eq!(
            decoded(coding, coded, 99_999),
            Err(Reason::TooLarge),
            "{coding}"
        );
    }
    let plain = decode_body(&HeaderMap::new(), Bytes::from(vec![0; 11]), 10);
    assert_eq!(plain.unwrap_err().reason, Reason::TooLarge);
}

#[test]
fn a_zstd_window_over_8_mib_is_refused() {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(26).unwrap();
    encoder.write_all(&sample()).unwrap();
    let coded = encoder.finish().unwrap();
    assert_eq!(decoded("zstd", coded, LIMIT), Err(Reason::BadBody));
}

#[test]
fn more_than_one_coding_and_unknown_ones_are_refused() {
    for coding in ["gzip, br", "gzip,gzip", "compress", "aes128gcm"] {
        assert_eq!(
            decoded(coding, b"x".to_vec(), LIMIT),
            Err(Reason::BadBody),
            "{coding}"
        );
    }
    let mut twice = headers("gzip");
    twice.append(CONTENT_ENCODING, HeaderValue::from_static("br"));
    assert!(decode_body(&twice, Bytes::from_static(b"x"), LIMIT).is_err());
    assert!(StreamDecoder::new(Some("compress")).is_none());
    assert!(StreamDecoder::new(Some("gzip, br")).is_none());
}

#[test]
fn a_cut_stream_gives_what_it_had() {
    let data = sample();
    for coding in CODINGS.into_iter().filter(|c| *c != "raw") {
        let coded = encode(coding, &data);
        let cut = coded.len() * 9 / 10;
        let mut out = Vec::new();
        let mut decoder = StreamDecoder::new(Some(coding)).unwrap();
        decoder.feed(&coded[..cut], &mut |piece| out.extend_from_slice(piece));
        assert!(!out.is_empty() && data.starts_with(&out), "{coding}");
        for _ in 0..40 {
            decoder.feed(&[], &mut |_| unreachable!("nothing was fed"));
        }
        decoder.feed(&coded[cut..], &mut |piece| out.extend_from_slice(piece));
        assert_eq!(out, data, "{coding}");
    }
}

#[test]
fn a_damaged_stream_falls_silent() {
    let mut decoder = StreamDecoder::new(Some("br")).unwrap();
    for _ in 0..3 {
        decoder.feed(&[0xff; 64], &mut |_| {});
    }
    let mut decoder = StreamDecoder::new(Some("gzip")).unwrap();
    decoder.feed(b"no gzip here", &mut |_| {
        unreachable!("there is nothing to hand on")
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_encoded_is_decoded(data in vec(any::<u8>(), 0..5000), repeat in 1usize..20, cut in 1usize..700) {
        let data = data.repeat(repeat);
        for coding in CODINGS {
            let coded = encode(coding, &data);
            assert_eq!(decoded(coding, coded.clone(), data.len().max(coded.len())).unwrap(), data);
            let name = if coding == "raw" { "deflate" } else { coding };
            let mut out = Vec::new();
            let mut decoder = StreamDecoder::new(Some(name)).unwrap();
            for chunk in coded.chunks(cut) {
                decoder.feed(chunk, &mut |piece| out.extend_from_slice(piece));
            }
            assert_eq!(out, data);
        }
    }

    #[test]
    fn no_bytes_panic(data in vec(any::<u8>(), 0..2000)) {
        for coding in CODINGS {
            let _ = decoded(coding, data.clone(), 10_000);
        }
    }
}
