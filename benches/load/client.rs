//! The client's end of a connection.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::Outcome;
use crate::framing::{self, read_message};

/// A keep-alive connection of a client.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

// === impl Connection ===

impl Connection {
    pub async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(framing::BUFFER),
        })
    }

    /// Sends a request and reads its answer to the end.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is anything but a success: it carries the answer's text then.
    pub async fn exchange(&mut self, request: &[u8], mut each: impl FnMut(&[u8])) -> Outcome<()> {
        const SHOWN: usize = 1000;
        self.stream.write_all(request).await?;
        let mut start = Vec::new();
        let read = read_message(&mut self.stream, &mut self.buffer, |piece| {
            if start.len() < SHOWN {
                start.extend_from_slice(&piece[..piece.len().min(SHOWN)]);
            }
            each(piece);
        });
        match read.await? {
            Some(200..=299) => Ok(()),
            Some(status) => {
                Err(format!("answered {status}: {}", String::from_utf8_lossy(&start)).into())
            }
            None => Err("closed without an answer".into()),
        }
    }
}
