//! Listening: a private socket whose peer is believed about the client's address, or a TCP address whose peer is not.

use std::{os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use admin::{Admin, Listen};
use entity::value::{KeyHasher, Sealer};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, Database};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::oneshot,
    task::JoinHandle,
};

use crate::support::{FakeGateway, TOKEN};

async fn admin() -> Arc<Admin> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    let db = Database::connect(options).await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    let hasher = Arc::new(KeyHasher::new(b"test"));
    Arc::new(Admin {
        db,
        gateway: Arc::new(FakeGateway::default()),
        sealer: Arc::new(Sealer::new(b"test")),
        admin_token_hash: Admin::token_hash(&hasher, TOKEN),
        hasher,
        secure_cookies: false,
        trusted_proxies: entity::value::Networks::default(),
        throttle: admin::Throttle::default(),
    })
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start(listen: Listen) -> Running {
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        let _ = stopped.await;
    };
    let served = admin::serve(admin().await, listen, stopped, Duration::from_secs(1));
    Running {
        stop,
        task: tokio::spawn(served),
    }
}

impl Running {
    async fn end(self) {
        self.stop.send(()).unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(10), self.task).await;
        ended.unwrap().unwrap().unwrap();
    }
}

async fn connect(path: &Path) -> UnixStream {
    for _ in 0..200 {
        if let Ok(stream) = UnixStream::connect(path).await {
            return stream;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody listens at {}", path.display());
}

/// The status of `GET /api/v1/me`.
async fn me(mut stream: impl AsyncRead + AsyncWrite + Unpin, token: &str, peer: &str) -> u16 {
    let request = format!(
        "GET /api/v1/me HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nx-real-ip: {peer}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer[9..12].parse().unwrap()
}

#[tokio::test]
async fn a_socket_is_private_believed_and_cleaned_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "a stale socket lies there");
    let running = start(Listen::Unix(path.clone())).await;
    assert_eq!(me(connect(&path).await, TOKEN, "192.0.2.1").await, 200);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for _ in 0..20 {
        assert_eq!(me(connect(&path).await, "wrong", "192.0.2.1").await, 401);
    }
    assert_eq!(me(connect(&path).await, TOKEN, "192.0.2.1").await, 429);
    assert_eq!(me(connect(&path).await, TOKEN, "192.0.2.2").await, 200);
    running.end().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("precious");
    std::fs::write(&path, "data").unwrap();
    let served = start(Listen::Unix(path.clone())).await.task.await.unwrap();
    assert!(served.is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
}

#[tokio::test]
async fn a_tcp_peer_is_not_believed_about_its_address() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let running = start(Listen::Tcp(address)).await;
    let connect = async || {
        for _ in 0..200 {
            if let Ok(stream) = TcpStream::connect(address).await {
                return stream;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nobody listens at {address}");
    };
    for i in 0..20 {
        let claimed = format!("192.0.2.{i}");
        assert_eq!(me(connect().await, "wrong", &claimed).await, 401);
    }
    assert_eq!(me(connect().await, TOKEN, "192.0.2.99").await, 429);
    running.end().await;
}
