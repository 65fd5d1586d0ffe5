//! Content codings: a request's body decoded under a limit, a response's stream decoded chunk by chunk.

mod codec;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use self::codec::{Codec, Coding};
use crate::domain::refusal::{Reason, Refusal};

/// Output is produced in steps of this many bytes.
const STEP: usize = 16 * 1024;

/// Decodes a response on its way past, to be read but not changed. Memory is bounded by the coding's window.
#[derive(Debug)]
pub struct StreamDecoder(Stream);

#[derive(Debug)]
enum Stream {
    Identity,
    Coded {
        codec: Codec,
        scratch: Box<[u8]>,
    },
    /// The data was damaged: nothing more can be made of it.
    Broken,
}

/// The body as its sender meant it. Without a coding the very same bytes come back, nothing is copied; otherwise at most
/// `limit` bytes are ever allocated for the output.
///
/// # Errors
/// [`Reason::BadBody`] for more than one coding, an unknown one, and damaged or truncated data;
/// [`Reason::TooLarge`] when the output would exceed `limit` bytes.
pub fn decode_body(headers: &HeaderMap, body: Bytes, limit: usize) -> Result<Bytes, Refusal> {
    let coding = coding_of(headers)?;
    if body.len() > limit {
        return Err(too_large(limit));
    }
    match coding {
        Some(coding) if !body.is_empty() => decode(coding, &body, limit).map(Bytes::from),
        _ => Ok(body),
    }
}

/// The one coding the headers name.
fn coding_of(headers: &HeaderMap) -> Result<Option<Coding>, Refusal> {
    let bad = |message: String| Refusal::new(Reason::BadBody, message);
    let mut found = None;
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = value
            .to_str()
            .map_err(|_| bad("The content-encoding header is not text.".into()))?;
        for token in tokens(value) {
            if found.is_some() {
                return Err(bad(
                    "The body has more than one content-encoding; send one at most.".into(),
                ));
            }
            found = Some(Coding::named(token).ok_or_else(|| {
                bad(format!(
                    "The content-encoding {token:?} is not supported; send gzip, deflate, br, zstd or none."
                ))
            })?);
        }
    }
    Ok(found)
}

fn tokens(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|token| !token.is_empty() && !token.eq_ignore_ascii_case("identity"))
}

/// The output grows by doubling, never past the limit. Whether there is one byte too many is found out with a step into
/// the stack once the output is full, so that a bomb costs no more memory than an honest body.
fn decode(coding: Coding, mut input: &[u8], limit: usize) -> Result<Vec<u8>, Refusal> {
    let damaged = || {
        Refusal::new(
            Reason::BadBody,
            format!("The body is not valid {coding} data, or was cut short."),
        )
    };
    let mut codec = Codec::new(coding);
    let mut out = vec![0; limit.min(input.len().saturating_mul(4).max(STEP))];
    let mut filled = 0;
    let mut probe = [0; 1];
    loop {
        if filled == out.len() && filled < limit {
            out.resize(limit.min(filled.saturating_mul(2)), 0);
        }
        let is_full = filled == limit;
        let target = if is_full {
            &mut probe[..]
        } else {
            &mut out[filled..]
        };
        let step = codec.step(input, target).map_err(|_| damaged())?;
        input = &input[step.read..];
        if is_full && step.written > 0 {
            return Err(too_large(limit));
        }
        filled += step.written;
        if step.read == 0 && step.written == 0 {
            break;
        }
    }
    if !input.is_empty() || !codec.is_at_end() {
        return Err(damaged());
    }
    out.truncate(filled);
    if out.capacity() - filled > filled / 4 {
        out.shrink_to_fit();
    }
    Ok(out)
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        Reason::TooLarge,
        format!("The body is larger than {limit} bytes."),
    )
}

// === impl StreamDecoder ===

impl StreamDecoder {
    /// A decoder for a `content-encoding` header; no header and `identity` pass everything through. `None` for a coding we
    /// cannot decode.
    #[must_use]
    pub fn new(encoding: Option<&str>) -> Option<Self> {
        let mut tokens = tokens(encoding.unwrap_or_default());
        let stream = match (tokens.next(), tokens.next()) {
            (None, _) => Stream::Identity,
            (Some(token), None) => Stream::Coded {
                codec: Codec::new(Coding::named(token)?),
                scratch: vec![0; STEP].into_boxed_slice(),
            },
            _ => return None,
        };
        Some(Self(stream))
    }

    /// A decoder that passes everything through.
    #[must_use]
    pub fn identity() -> Self {
        Self(Stream::Identity)
    }

    /// Decodes `chunk` and hands on what comes out, in pieces that may borrow from it. Truncated data is simply not
    /// continued; damaged data ends the output.
    pub fn feed(&mut self, chunk: &[u8], sink: &mut impl FnMut(&[u8])) {
        if chunk.is_empty() {
            return;
        }
        match &mut self.0 {
            Stream::Identity => sink(chunk),
            Stream::Broken => {}
            Stream::Coded { codec, scratch } => {
                let mut input = chunk;
                loop {
                    let Ok(step) = codec.step(input, scratch) else {
                        self.0 = Stream::Broken;
                        return;
                    };
                    input = &input[step.read..];
                    if step.written > 0 {
                        sink(&scratch[..step.written]);
                    }
                    if input.is_empty() && step.written < scratch.len() {
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
