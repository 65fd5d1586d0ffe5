//! HTTP/1.1 messages, as little of it as the two ends of a measurement need: one after another, framed by length or in chunks.

use std::io::{Error, ErrorKind, Result};

use memchr::memmem;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Enough for a whole small message in one read.
pub const BUFFER: usize = 64 * 1024;
/// A head longer than this is not one of ours.
const LONGEST_HEAD: usize = 32 * 1024;

/// What is still to come of a body.
enum Body {
    Length(usize),
    Chunked(Chunk),
}

enum Chunk {
    Size { value: usize, is_extension: bool },
    Data(usize),
    DataEnd,
    Trailer { line: usize },
    Done,
}

/// Reads one message and hands its body over piece by piece. Answers the status, 0 for a request; none when the other side closed
/// instead of sending.
///
/// # Errors
/// When the connection breaks or the message is not understood.
pub async fn read_message(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    mut each: impl FnMut(&[u8]),
) -> Result<Option<u16>> {
    buffer.clear();
    let (status, mut body, start) = loop {
        if stream.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() {
                Ok(None)
            } else {
                Err(ErrorKind::UnexpectedEof.into())
            };
        }
        if let Some(end) = memmem::find(buffer, b"\r\n\r\n") {
            let head = &buffer[..end];
            break (status(head), framing(head)?, end + 4);
        }
        if buffer.len() > LONGEST_HEAD {
            return Err(invalid("a head without an end"));
        }
    };
    let mut used = start + body.feed(&buffer[start..], &mut each)?;
    while !body.is_done() {
        buffer.clear();
        if stream.read_buf(buffer).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        used = body.feed(buffer, &mut each)?;
    }
    if used < buffer.len() {
        return Err(invalid("bytes after the message"));
    }
    Ok(Some(status))
}

fn status(head: &[u8]) -> u16 {
    if !head.starts_with(b"HTTP/1.1 ") {
        return 0;
    }
    let digits = head.get(9..12).unwrap_or_default();
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

fn framing(head: &[u8]) -> Result<Body> {
    for line in head.split(|&b| b == b'\n').skip(1) {
        let Some(colon) = memchr::memchr(b':', line) else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            return std::str::from_utf8(value)
                .ok()
                .and_then(|value| value.parse().ok())
                .map(Body::Length)
                .ok_or_else(|| invalid("a length that is none"));
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return Ok(Body::Chunked(Chunk::size()));
        }
    }
    Ok(Body::Length(0))
}

fn invalid(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

// === impl Body ===

impl Body {
    fn is_done(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::Done))
    }

    /// Takes what belongs to the body, and says how much that was.
    fn feed(&mut self, input: &[u8], each: &mut impl FnMut(&[u8])) -> Result<usize> {
        match self {
            Self::Length(left) => {
                let taken = input.len().min(*left);
                if taken > 0 {
                    each(&input[..taken]);
                }
                *left -= taken;
                Ok(taken)
            }
            Self::Chunked(chunk) => {
                let mut used = 0;
                while used < input.len() && !matches!(chunk, Chunk::Done) {
                    used += chunk.feed(&input[used..], each)?;
                }
                Ok(used)
            }
        }
    }
}

// === impl Chunk ===

impl Chunk {
    fn size() -> Self {
        Self::Size {
            value: 0,
            is_extension: false,
        }
    }

    /// One step; `input` is not empty.
    fn feed(&mut self, input: &[u8], each: &mut impl FnMut(&[u8])) -> Result<usize> {
        if let Self::Data(left) = self {
            let taken = input.len().min(*left);
            each(&input[..taken]);
            *left -= taken;
            if *left == 0 {
                *self = Self::DataEnd;
            }
            return Ok(taken);
        }
        self.step(input[0])?;
        Ok(1)
    }

    fn step(&mut self, byte: u8) -> Result<()> {
        match (&mut *self, byte) {
            (Self::Size { value: 0, .. }, b'\n') => *self = Self::Trailer { line: 0 },
            (Self::Size { value, .. }, b'\n') => *self = Self::Data(*value),
            (Self::Size { is_extension, .. }, b';') => *is_extension = true,
            (Self::DataEnd, b'\n') => *self = Self::size(),
            (Self::Trailer { line: 0 }, b'\n') => *self = Self::Done,
            (Self::Trailer { line }, b'\n') => *line = 0,
            (Self::Trailer { line }, other) if other != b'\r' => *line += 1,
            (
                Self::Size {
                    value,
                    is_extension: false,
                },
                digit,
            ) if digit != b'\r' => {
                let digit = char::from(digit)
                    .to_digit(16)
                    .ok_or_else(|| invalid("a chunk without a size"))?;
                *value = *value * 16 + digit as usize;
            }
            _ => {}
        }
        Ok(())
    }
}
