//! What the targets share: how an input says which protocol it is for, and where its reads end.

use switchyard::domain::protocol::Protocol;

/// The protocol that a byte stands for.
#[must_use]
pub fn protocol(byte: u8) -> Protocol {
    match byte % 5 {
        0 => Protocol::Anthropic,
        1 => Protocol::Responses,
        2 => Protocol::Openai,
        3 => Protocol::Gemini,
        _ => Protocol::GeminiCli,
    }
}

/// Splits a text into reads. The first byte says how many sizes follow; they are used over and over. Without sizes it is one read.
#[must_use]
pub fn reads(data: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let Some((count, rest)) = data.split_first() else {
        return (&[], Vec::new());
    };
    let (sizes, text) = rest.split_at(rest.len().min(usize::from(count % 8)));
    let mut left = text;
    let mut reads = Vec::new();
    for size in sizes.iter().cycle() {
        if left.is_empty() {
            break;
        }
        let (read, after) = left.split_at(left.len().min(usize::from(*size) + 1));
        reads.push(read);
        left = after;
    }
    if sizes.is_empty() {
        reads.push(text);
    }
    (text, reads)
}
