//! One content coding, decoded step by step: bytes in, bytes out, nothing allocated but the coding's own window.

use std::fmt;

use brotli::{BrotliDecompressStream, BrotliResult, BrotliState, HeapAlloc, HuffmanCode};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation};

/// RFC 9659: a zstd body sent as a content coding needs a window of at most 8 MiB.
const ZSTD_WINDOW_LOG: u32 = 23;
const ZLIB_WINDOW_BITS: u8 = 15;

/// The codings we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    /// Zlib by the book, raw deflate as some send it.
    Deflate,
    Brotli,
    Zstd,
}

/// A decoder and where it stands.
pub(super) struct Codec {
    coding: Coding,
    engine: Engine,
    /// The end of a complete body was reached, and no other member has begun since.
    is_at_end: bool,
}

enum Engine {
    /// Before the first two bytes are known.
    DeflateHead(Option<u8>),
    /// The byte of a `deflate` body that was held back until its sibling came.
    Inflate(Decompress, Option<u8>),
    Brotli(Box<BrotliState<HeapAlloc<u8>, HeapAlloc<u32>, HeapAlloc<HuffmanCode>>>),
    Zstd(ZstdDecoder<'static>),
    /// The coding's library refused to start.
    Dead,
}

/// What one step did. A step that neither reads nor writes needs more input.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
}

/// The data is not what its coding says.
#[derive(Debug)]
pub(super) struct Damaged;

// === impl Coding ===

impl Coding {
    pub(super) fn named(token: &str) -> Option<Self> {
        Some(match token.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "br" => Self::Brotli,
            "zstd" => Self::Zstd,
            _ => return None,
        })
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        })
    }
}

// === impl Codec ===

impl Codec {
    pub(super) fn new(coding: Coding) -> Self {
        let engine = match coding {
            Coding::Gzip => Engine::Inflate(Decompress::new_gzip(ZLIB_WINDOW_BITS), None),
            Coding::Deflate => Engine::DeflateHead(None),
            Coding::Brotli => Engine::Brotli(Box::new(BrotliState::new_strict(
                HeapAlloc::new(0),
                HeapAlloc::new(0),
                HeapAlloc::new(HuffmanCode::default()),
            ))),
            Coding::Zstd => zstd_engine().unwrap_or(Engine::Dead),
        };
        Self {
            coding,
            engine,
            is_at_end: false,
        }
    }

    /// Whether everything fed so far is a complete body.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// Decodes some of `input` into `output`.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Damaged> {
        if self.is_at_end {
            if input.is_empty() {
                return Ok(Step::default());
            }
            self.next_member()?;
        }
        match &mut self.engine {
            Engine::Dead => Err(Damaged),
            Engine::DeflateHead(first) => match (*first, input.first()) {
                (_, None) => Ok(Step::default()),
                (None, Some(byte)) => {
                    *first = Some(*byte);
                    Ok(Step {
                        read: 1,
                        written: 0,
                    })
                }
                (Some(first), Some(second)) => {
                    let engine = Decompress::new(is_zlib(first, *second));
                    self.engine = Engine::Inflate(engine, Some(first));
                    self.step(input, output)
                }
            },
            Engine::Inflate(inflate, held) => {
                if let Some(byte) = *held {
                    let step = run_inflate(inflate, &[byte], output, &mut self.is_at_end)?;
                    if step.read > 0 {
                        *held = None;
                    }
                    // The held byte was counted as read when it was held.
                    let step = Step { read: 0, ..step };
                    if step.written > 0 || held.is_some() {
                        return Ok(step);
                    }
                }
                run_inflate(inflate, input, output, &mut self.is_at_end)
            }
            Engine::Brotli(state) => run_brotli(state, input, output, &mut self.is_at_end),
            Engine::Zstd(decoder) => {
                let status = decoder.run_on_buffers(input, output).map_err(|_| Damaged)?;
                let step = Step {
                    read: status.bytes_read,
                    written: status.bytes_written,
                };
                // Zero means the end of a frame, or that nothing has begun since.
                self.is_at_end = status.remaining == 0;
                Ok(step)
            }
        }
    }

    /// Gzip and zstd bodies may be several, one after another; the others end once.
    fn next_member(&mut self) -> Result<(), Damaged> {
        match self.coding {
            Coding::Gzip => {
                self.engine = Engine::Inflate(Decompress::new_gzip(ZLIB_WINDOW_BITS), None);
            }
            Coding::Zstd => {}
            Coding::Deflate | Coding::Brotli => return Err(Damaged),
        }
        self.is_at_end = false;
        Ok(())
    }
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Codec({})", self.coding)
    }
}

fn zstd_engine() -> Option<Engine> {
    let mut decoder = ZstdDecoder::new().ok()?;
    decoder
        .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))
        .ok()?;
    Some(Engine::Zstd(decoder))
}

/// A zlib header: method 8 and a checksum. No encoder begins raw deflate like this, for it would be a stored block with
/// its padding bits set.
fn is_zlib(first: u8, second: u8) -> bool {
    first & 0x0f == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

fn run_inflate(
    inflate: &mut Decompress,
    input: &[u8],
    output: &mut [u8],
    is_at_end: &mut bool,
) -> Result<Step, Damaged> {
    let before = (inflate.total_in(), inflate.total_out());
    let status = inflate
        .decompress(input, output, FlushDecompress::None)
        .map_err(|_| Damaged)?;
    *is_at_end = status == Status::StreamEnd;
    let since = |now: u64, then: u64| usize::try_from(now - then).map_err(|_| Damaged);
    Ok(Step {
        read: since(inflate.total_in(), before.0)?,
        written: since(inflate.total_out(), before.1)?,
    })
}

fn run_brotli(
    state: &mut BrotliState<HeapAlloc<u8>, HeapAlloc<u32>, HeapAlloc<HuffmanCode>>,
    input: &[u8],
    output: &mut [u8],
    is_at_end: &mut bool,
) -> Result<Step, Damaged> {
    let (mut unread, mut read) = (input.len(), 0);
    let (mut room, mut written, mut total) = (output.len(), 0, 0);
    let result = BrotliDecompressStream(
        &mut unread,
        &mut read,
        input,
        &mut room,
        &mut written,
        output,
        &mut total,
        state,
    );
    match result {
        BrotliResult::ResultFailure => return Err(Damaged),
        BrotliResult::ResultSuccess => *is_at_end = true,
        BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
    }
    Ok(Step { read, written })
}
