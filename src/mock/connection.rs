//! One connection: HTTP/1.1 or h2c, and the means to break it off on purpose.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;

use super::cut::Cut;
use super::provider::Provider;

/// The socket; dropped after [`Cut::reset`] it sends RST where it would send FIN.
struct Wire {
    io: TokioIo<TcpStream>,
    cut: Arc<Cut>,
}

const MAX_STREAMS: u32 = 10_000;
const H2_WINDOW: u32 = 1024 * 1024;

/// Serves a connection until either side ends it.
pub(super) async fn serve(stream: TcpStream, provider: Arc<Provider>) {
    // Without it an event waits for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "nodelay not set");
    }
    let cut = Arc::new(Cut::default());
    let wire = Wire {
        io: TokioIo::new(stream),
        cut: cut.clone(),
    };
    let at_hand = cut.clone();
    let service = service_fn(move |request| provider.clone().answer(request, at_hand.clone()));
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http2()
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(H2_WINDOW)
        .initial_connection_window_size(16 * H2_WINDOW);
    tokio::select! {
        ended = server.serve_connection(wire, service) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "connection ended");
            }
        }
        () = cut.ordered() => {}
    }
}

// === impl Wire ===

impl Drop for Wire {
    fn drop(&mut self) {
        if self.cut.is_reset()
            && let Err(error) = self.io.inner().set_zero_linger()
        {
            tracing::debug!(%error, "the connection is closed, not reset");
        }
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
}
