//! `CONNECT`: asking an HTTP proxy for a tunnel (RFC 9110, section 9.3.6).

use std::io;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use entity::value::Secret;
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest head of an answer.
const MOST_HEAD: usize = 16 << 10;

/// Why there is no tunnel. It says the status and nothing else of the answer: the rest is the proxy's own words, which may repeat ours.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The connection broke.
    #[error("broke the connection: {0}")]
    Broken(#[from] io::Error),
    /// It closed the connection.
    #[error("closed the connection without an answer")]
    Closed,
    /// It answered something else.
    #[error("does not answer in HTTP")]
    NotHttp,
    /// It answered without end.
    #[error("answers with a head over {MOST_HEAD} bytes")]
    TooLong,
    /// It said no.
    #[error("answered {0}")]
    Status(StatusCode),
}

/// Asks for a tunnel. Answers what the other end has already said through it, most often nothing.
///
/// # Errors
/// When the proxy does not open one.
pub async fn ask<S>(
    stream: &mut S,
    authority: &str,
    credentials: Option<&(String, Secret)>,
) -> Result<Vec<u8>, Refused>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some((user, password)) = credentials {
        let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&pair);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let (head, rest) = read_head(stream).await?;
    let status = status(&head).ok_or(Refused::NotHttp)?;
    if status.is_success() {
        Ok(rest)
    } else {
        Err(Refused::Status(status))
    }
}

/// The head, and what came after it.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(Vec<u8>, Vec<u8>), Refused> {
    let mut head = Vec::with_capacity(512);
    loop {
        let searched = head.len();
        if stream.read_buf(&mut head).await? == 0 {
            return Err(Refused::Closed);
        }
        let from = searched.saturating_sub(3);
        if let Some(at) = memchr::memmem::find(&head[from..], b"\r\n\r\n") {
            let rest = head.split_off(from + at + 4);
            return Ok((head, rest));
        }
        if head.len() > MOST_HEAD {
            return Err(Refused::TooLong);
        }
    }
}

fn status(head: &[u8]) -> Option<StatusCode> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let digits = rest.get(2..5)?;
    (rest.get(1) == Some(&b' ')).then(|| StatusCode::from_bytes(digits).ok())?
}
