//! A client that writes bytes: for what a well-behaved one would not do, or would hide.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::LIMIT;

/// A connection.
pub struct RawClient {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, its body put together whatever its framing.
#[derive(Debug)]
pub struct RawResponse {
    /// The status.
    pub status: u16,
    /// The head, as it came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl RawClient {
    /// Connects.
    pub async fn connect(authority: &str) -> Self {
        let stream = TcpStream::connect(authority).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// Writes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        timeout(LIMIT, self.stream.write_all(bytes.as_ref()))
            .await
            .expect("the gateway takes what is sent")
            .unwrap();
    }

    /// Reads until `marker` has come; answers all that was read since the last time.
    pub async fn read_until(&mut self, marker: &str) -> String {
        let reading = async {
            loop {
                let text = String::from_utf8_lossy(&self.buffer).into_owned();
                if text.contains(marker) {
                    self.buffer.clear();
                    return text;
                }
                let mut chunk = [0; 16384];
                let read = self.stream.read(&mut chunk).await.unwrap();
                assert!(read > 0, "the connection ended before {marker:?}: {text}");
                self.buffer.extend_from_slice(&chunk[..read]);
            }
        };
        timeout(LIMIT, reading)
            .await
            .unwrap_or_else(|_| panic!("waited too long for {marker:?}"))
    }

    /// Reads one answer with `content-length` or `chunked` framing.
    pub async fn response(&mut self) -> RawResponse {
        timeout(LIMIT, self.read_response())
            .await
            .expect("an answer within the limit")
    }

    async fn read_response(&mut self) -> RawResponse {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.more().await, "the connection ended within the head");
        };
        let head = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
        let status = head[9..12].parse().unwrap();
        let field = |name: &str| {
            head.lines().find_map(|line| {
                let (field, value) = line.split_once(':')?;
                field
                    .eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_owned())
            })
        };
        let mut body = Vec::new();
        if let Some(length) = field("content-length") {
            let length: usize = length.parse().unwrap();
            while self.buffer.len() < length {
                assert!(self.more().await, "the connection ended within the body");
            }
            body = self.buffer.drain(..length).collect();
        } else if field("transfer-encoding").is_some() {
            while let Some(chunk) = self.chunk().await {
                body.extend(chunk);
            }
        }
        RawResponse { status, head, body }
    }

    /// The next chunk of a chunked body; `None` after the last.
    async fn chunk(&mut self) -> Option<Vec<u8>> {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n") {
                break at;
            }
            assert!(self.more().await, "the connection ended between chunks");
        };
        let size = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        while self.buffer.len() < end + 2 + size + 2 {
            assert!(self.more().await, "the connection ended within a chunk");
        }
        let chunk: Vec<u8> = self.buffer.drain(..end + 2 + size + 2).collect();
        (size > 0).then(|| chunk[end + 2..end + 2 + size].to_vec())
    }

    async fn more(&mut self) -> bool {
        let mut chunk = [0; 65536];
        let read = self.stream.read(&mut chunk).await.unwrap_or(0);
        self.buffer.extend_from_slice(&chunk[..read]);
        read > 0
    }

    /// Whether the other side closes within `limit`.
    pub async fn is_closed_within(&mut self, limit: Duration) -> bool {
        let closing = async { while self.more().await {} };
        timeout(limit, closing).await.is_ok()
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}
