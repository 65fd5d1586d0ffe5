//! Fake proxies of every kind.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// `CONNECT`.
    Http,
    /// SOCKS5.
    Socks5,
}

/// A proxy that runs until dropped. Names it is asked for are all this machine.
pub struct FakeProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Rules {
    speaks: Speaks,
    credentials: Option<(String, String)>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeProxy {
    /// One that lets these through, or everybody.
    pub async fn start(speaks: Speaks, credentials: Option<(&str, &str)>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let rules = Rules {
            speaks,
            credentials: credentials.map(|(user, word)| (user.to_owned(), word.to_owned())),
            asked: asked.clone(),
        };
        let task = tokio::spawn(async move {
            let mut running = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                running.spawn(serve(socket, rules.clone()));
            }
        });
        Self {
            address,
            asked,
            task,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was asked for, connection by connection, and did not refuse.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for FakeProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut socket: TcpStream, rules: Rules) {
    let target = match rules.speaks {
        Speaks::Http => http(&mut socket, &rules).await,
        Speaks::Socks5 => socks5(&mut socket, &rules).await,
    };
    let Some(target) = target else {
        // What it said last must not be lost to a reset.
        let _ = socket.shutdown().await;
        return;
    };
    let port = target.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    rules.asked.lock().unwrap().push(target);
    let Ok(mut behind) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    behind.set_nodelay(true).unwrap();
    let _ = tokio::io::copy_bidirectional(&mut socket, &mut behind).await;
}

async fn http<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut S, rules: &Rules) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let target = lines
        .next()
        .and_then(|line| line.strip_prefix("CONNECT "))
        .and_then(|line| line.strip_suffix(" HTTP/1.1"))
        .unwrap_or_else(|| panic!("no CONNECT: {head}"))
        .to_owned();
    assert!(head.contains(&format!("\r\nHost: {target}\r\n")), "{head}");
    if let Some((user, word)) = &rules.credentials {
        let pair = BASE64_STANDARD.encode(format!("{user}:{word}"));
        if !head.contains(&format!("\r\nProxy-Authorization: Basic {pair}\r\n")) {
            // Repeats what it got, as a careless one may.
            let sent = head.replace("\r\n", " ");
            let refusal =
                format!("HTTP/1.1 407 {sent}\r\nProxy-Authenticate: Basic\r\nX: {sent}\r\n\r\n");
            socket.write_all(refusal.as_bytes()).await.ok()?;
            return None;
        }
    }
    socket
        .write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
        .await
        .ok()?;
    Some(target)
}

async fn socks5<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut S,
    rules: &Rules,
) -> Option<String> {
    assert_eq!(socket.read_u8().await.ok()?, 5);
    let methods = read(socket).await?;
    let wanted = if rules.credentials.is_some() { 2 } else { 0 };
    if !methods.contains(&wanted) {
        socket.write_all(&[5, 0xFF]).await.ok()?;
        return None;
    }
    socket.write_all(&[5, wanted]).await.ok()?;
    if let Some((user, word)) = &rules.credentials {
        assert_eq!(socket.read_u8().await.ok()?, 1);
        let got = (read(socket).await?, read(socket).await?);
        let is_right = got == (user.clone().into_bytes(), word.clone().into_bytes());
        socket.write_all(&[1, u8::from(!is_right)]).await.ok()?;
        if !is_right {
            return None;
        }
    }
    let mut start = [0; 4];
    socket.read_exact(&mut start).await.ok()?;
    assert_eq!(start[..3], [5, 1, 0]);
    let host = match start[3] {
        1 => {
            let mut v4 = [0; 4];
            socket.read_exact(&mut v4).await.ok()?;
            std::net::Ipv4Addr::from(v4).to_string()
        }
        3 => String::from_utf8(read(socket).await?).unwrap(),
        4 => {
            let mut v6 = [0; 16];
            socket.read_exact(&mut v6).await.ok()?;
            format!("[{}]", std::net::Ipv6Addr::from(v6))
        }
        other => panic!("address type {other}"),
    };
    let port = socket.read_u16().await.ok()?;
    socket
        .write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
        .await
        .ok()?;
    Some(format!("{host}:{port}"))
}

/// Bytes after their number.
async fn read<S: AsyncRead + Unpin>(socket: &mut S) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::from(socket.read_u8().await.ok()?)];
    socket.read_exact(&mut bytes).await.ok()?;
    Some(bytes)
}
