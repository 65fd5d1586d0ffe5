//! The provider behind both proxies: reads a request to its end, then answers with a fixed message or, when the body says
//! `"stream":true`, with a paced stream. One thread and next to no parsing, so that it leaves the machine to the proxies.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::Outcome;
use crate::framing::{self, read_message};
use crate::options;

/// Output tokens of the answer that is not streamed: what the gateway has to find in it.
const OUTPUT_TOKENS: u64 = 217;
/// Stands before and after the time, in nanoseconds since 1970, at which an event was sent.
pub const MARK: u8 = b'@';

/// `"stream":true` is the last member of our bodies.
const TAIL: usize = 32;
const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n\
    request-id: req_011CSHoEeqs5C35K2UUqR7Fy\r\ntransfer-encoding: chunked\r\n\r\n";

/// Bytes of events written at once when there is no time between them.
const BATCH: usize = 16 * 1024;

struct Pace {
    events: usize,
    gap: Duration,
}

/// Serves until it is killed.
pub fn main(options: &options::Upstream) -> Outcome<()> {
    let pace = Pace {
        events: options.events,
        gap: Duration::from_millis(options.event_ms),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
        accept(listener, pace).await
    })
}

async fn accept(listener: TcpListener, pace: Pace) -> Outcome<()> {
    let pace: &'static Pace = Box::leak(Box::new(pace));
    let answer: &'static [u8] = answer().leak();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A connection that a proxy breaks is told by the side that waits for the answer.
        tokio::spawn(async move {
            let _ = serve(stream, answer, pace).await;
        });
    }
}

async fn serve(mut stream: TcpStream, answer: &[u8], pace: &Pace) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(framing::BUFFER);
    loop {
        let mut tail = Vec::with_capacity(2 * TAIL);
        let read = read_message(&mut stream, &mut buffer, |piece| {
            tail.extend_from_slice(&piece[piece.len().saturating_sub(TAIL)..]);
            tail.drain(..tail.len().saturating_sub(TAIL));
        });
        if read.await?.is_none() {
            return Ok(());
        }
        if memchr::memmem::find(&tail, b"\"stream\":true").is_some() {
            play(&mut stream, pace).await?;
        } else {
            stream.write_all(answer).await?;
        }
    }
}

async fn play(stream: &mut TcpStream, pace: &Pace) -> std::io::Result<()> {
    let mut opening = STREAM_HEAD.as_bytes().to_vec();
    opening.extend(chunk(
        "message_start",
        r#"{"type":"message_start","message":{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":640,"cache_read_input_tokens":13200,"cache_creation":{"ephemeral_5m_input_tokens":640,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":"standard"}}}"#,
    ));
    opening.extend(chunk(
        "content_block_start",
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    ));
    stream.write_all(&opening).await?;
    let is_paced = !pace.gap.is_zero();
    let mut clock = tokio::time::interval(pace.gap.max(Duration::from_millis(1)));
    clock.tick().await;
    let mut batch = Vec::new();
    for _ in 0..pace.events {
        if is_paced {
            clock.tick().await;
        }
        let text = format!(
            r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"@{}@ and a few words as a model writes them, "}}}}"#,
            now(),
        );
        batch.extend(chunk("content_block_delta", &text));
        if is_paced || batch.len() >= BATCH {
            stream.write_all(&batch).await?;
            batch.clear();
        }
    }
    stream.write_all(&batch).await?;
    let mut closing = chunk(
        "content_block_stop",
        r#"{"type":"content_block_stop","index":0}"#,
    );
    closing.extend(chunk(
        "message_delta",
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":12,"cache_creation_input_tokens":640,"cache_read_input_tokens":13200,"output_tokens":480}}"#,
    ));
    closing.extend(chunk("message_stop", r#"{"type":"message_stop"}"#));
    closing.extend_from_slice(b"0\r\n\r\n");
    stream.write_all(&closing).await
}

fn chunk(event: &str, data: &str) -> Vec<u8> {
    let text = format!("event: {event}\ndata: {data}\n\n");
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

/// The wall clock: the one clock that both ends of a stream, processes of one machine, read the same.
pub fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn answer() -> Vec<u8> {
    let words = "The change is in place and the tests pass. ".repeat(10);
    let body = format!(
        r#"{{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[{{"type":"text","text":"{words}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":12,"cache_creation_input_tokens":640,"cache_read_input_tokens":13200,"cache_creation":{{"ephemeral_5m_input_tokens":640,"ephemeral_1h_input_tokens":0}},"output_tokens":{OUTPUT_TOKENS},"service_tier":"standard"}}}}"#
    );
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_011CSHoEeqs5C35K2UUqR7Fy\r\n\
         anthropic-organization-id: 8f0f8a3c-6a5e-4f5c-9d5e-2d1f5c3b7a10\r\nserver: upstream\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
