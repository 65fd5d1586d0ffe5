//! No secret is shown: the real program is given recognisable ones wherever there can be some, everything is asked of it that can be, and
//! then what it answered and what it logged is read.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::support::{Front, Process, Upstream, http};

/// In most secrets of the test, and nowhere else.
const MARK: &str = "f00dfeed";
const MASTER: &str = "f00dfeed-master-0123456789abcdef0123456789";

struct Reader {
    http: Client,
    base: String,
    /// What was answered, and to what.
    told: Vec<(String, String)>,
}

// === impl Reader ===

impl Reader {
    async fn ask(&mut self, method: Method, path: &str, token: &str, body: Option<Value>) -> Value {
        let request = self
            .http
            .request(method.clone(), format!("{}{path}", self.base))
            .bearer_auth(token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let head = format!("{:?}", answer.headers());
        let text = answer.text().await.unwrap();
        let value = serde_json::from_str(&text).unwrap_or_default();
        self.told.push((format!("{method} {path}"), head + &text));
        value
    }

    async fn admin(&mut self, method: Method, path: &str, body: Value) -> Value {
        let path = format!("/api/v1{path}");
        self.ask(method, &path, Front::TOKEN, Some(body)).await
    }

    /// The same of what is answered once with a secret, which nobody looks at.
    async fn secret(&mut self, path: &str, body: Value) -> Value {
        let made = self.admin(Method::POST, path, body).await;
        self.told.pop();
        made
    }
}

/// Creates what has secrets; the client keys there are then.
async fn plant(reader: &mut Reader, upstream: &Upstream) -> Vec<String> {
    let headers = json!({"x-relay-token": format!("{MARK}-header"), "x-next": format!("http://me:{MARK}-url@gate/"), "x-team": "blue"});
    let good = json!({"name": "good", "type": "claude", "url": upstream.url(""), "apiKey": format!("sk-{MARK}-good"), "customHeaders": headers});
    // Nobody listens there, so that it is told of that this one cannot be reached.
    let bad = json!({"name": "bad", "type": "claude", "url": upstream.url(""), "apiKey": format!("sk-{MARK}-bad"), "priority": -1,
        "proxyUrl": format!("socks5://me:{MARK}-password@127.0.0.1:1")});
    let refused = json!({"name": "refused", "type": "claude", "url": upstream.url("status=401"), "apiKey": format!("sk-{MARK}-refused"), "priority": -2});
    for provider in [good, bad, refused] {
        let made = reader.admin(Method::POST, "/providers", provider).await;
        assert!(made["id"].is_i64(), "{made}");
    }
    let user = reader
        .admin(Method::POST, "/users", json!({"name": "ann"}))
        .await;
    let path = format!("/users/{}/keys", user["id"]);
    let mut keys = Vec::new();
    let made = reader.secret(&path, json!({"canLoginWebUi": true})).await;
    keys.push(made["key"].as_str().unwrap().to_owned());
    let rotated = reader
        .secret(&format!("/keys/{}/rotate", made["id"]), json!({}))
        .await;
    keys.push(rotated["key"].as_str().unwrap().to_owned());
    keys
}

/// What clients do, good and bad.
async fn call(reader: &mut Reader, key: &str) {
    let body =
        json!({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]});
    for path in [
        "/v1/messages",
        "/v1/messages?beta=true",
        "/v1/unknown",
        "/v1/models",
    ] {
        reader
            .ask(Method::POST, path, key, Some(body.clone()))
            .await;
    }
    let wrong = format!("sk-{MARK}-wrong");
    reader
        .ask(Method::POST, "/v1/messages", &wrong, Some(body.clone()))
        .await;
    for query in [key, wrong.as_str()] {
        let url = format!(
            "{}/v1beta/models/m:generateContent?key={query}",
            reader.base
        );
        let answer = reader
            .http
            .post(url)
            .json(&json!({"contents": []}))
            .send()
            .await
            .unwrap();
        reader
            .told
            .push(("?key=".to_owned(), answer.text().await.unwrap()));
    }
}

/// What an admin does, right and wrong.
async fn administer(reader: &mut Reader, key: &str) {
    let login = reader
        .admin(Method::POST, "/auth/login", json!({ "key": key }))
        .await;
    assert!(login["csrfToken"].is_string(), "{login}");
    // Its cookie and its token are for who logs in.
    reader.told.pop();
    for provider in 1..=3 {
        for ask in [
            json!({"model": "m"}),
            json!({"model": "m", "changes": {"apiKey": format!("{MARK}-tried")}}),
        ] {
            reader
                .admin(Method::POST, &format!("/providers/{provider}/test"), ask)
                .await;
        }
        let wrong = json!({"apiKey": format!("{MARK}\nwrong"), "proxyUrl": format!("ftp://{MARK}@x"), "url": format!("https://me:{MARK}@x/")});
        reader
            .admin(Method::PATCH, &format!("/providers/{provider}"), wrong)
            .await;
    }
    reader
        .admin(Method::POST, "/providers/1/clone", json!({}))
        .await;
    for url in [
        format!("http://me:{MARK}@127.0.0.1:1/"),
        format!("http://127.0.0.1:1/?api_key={MARK}"),
    ] {
        reader
            .admin(Method::POST, "/prices/sync", json!({ "url": url }))
            .await;
    }
    let passphrase = format!("{MARK} passphrase");
    let backup = reader
        .admin(
            Method::POST,
            "/system/backup",
            json!({ "passphrase": passphrase }),
        )
        .await;
    assert_eq!(backup["format"], "switchyard-backup");
    for (passphrase, dry_run) in [
        (passphrase.as_str(), true),
        (passphrase.as_str(), false),
        ("f00dfeed wrong", true),
    ] {
        let ask = json!({"passphrase": passphrase, "backup": backup, "dryRun": dry_run});
        reader.admin(Method::POST, "/system/restore", ask).await;
    }
    let wrong = format!("{MARK}-wrong-admin-token");
    reader.ask(Method::GET, "/api/v1/users", &wrong, None).await;
}

/// Everything the document says can be read, of the first few there are.
async fn read_all(reader: &mut Reader) {
    let document = reader
        .ask(Method::GET, "/api/v1/openapi.json", Front::TOKEN, None)
        .await;
    let paths = document["paths"].as_object().unwrap();
    let mut read = 0;
    for (path, item) in paths {
        // The live view ends with the gateway alone.
        if !item["get"].is_object() || path == "/api/v1/live" {
            continue;
        }
        for id in ["1", "2", "3", "4"] {
            let at = path
                .replace("{id}", id)
                .replace("{model}", "m")
                .replace("{dimension}", "model");
            reader.ask(Method::GET, &at, Front::TOKEN, None).await;
            read += 1;
            if at == *path {
                break;
            }
        }
    }
    assert!(read > 50, "{read}");
    let requests = reader
        .ask(
            Method::GET,
            "/api/v1/requests?limit=200",
            Front::TOKEN,
            None,
        )
        .await;
    for request in requests["items"].as_array().unwrap() {
        let path = format!("/api/v1/requests/{}", request["id"].as_str().unwrap());
        reader.ask(Method::GET, &path, Front::TOKEN, None).await;
    }
    let entries = reader
        .ask(Method::GET, "/api/v1/audit?limit=200", Front::TOKEN, None)
        .await;
    for entry in entries["items"].as_array().unwrap() {
        reader
            .ask(
                Method::GET,
                &format!("/api/v1/audit/{}", entry["id"]),
                Front::TOKEN,
                None,
            )
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_answers_nor_the_log_show_a_secret() {
    let (data, upstream) = (tempfile::tempdir().unwrap(), Upstream::start().await);
    let log = data.path().join("log");
    let environment = [
        ("RUST_LOG", "debug"),
        ("LOG_FORMAT", "json"),
        ("SECRET_KEY", MASTER),
    ];
    let process = Process::logged(data.path(), &environment, &log).await;
    let mut reader = Reader {
        http: http().build().unwrap(),
        base: process.front().base().to_owned(),
        told: Vec::new(),
    };
    let mut secrets = plant(&mut reader, &upstream).await;
    let key = secrets.last().unwrap().clone();
    call(&mut reader, &key).await;
    administer(&mut reader, &key).await;
    read_all(&mut reader).await;
    drop(process);

    secrets.extend([MARK.to_owned(), Front::TOKEN.to_owned()]);
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(
        logged.lines().any(|line| line.contains("\"DEBUG\"")),
        "{logged}"
    );
    reader.told.extend(
        logged
            .lines()
            .map(|line| ("the log".to_owned(), line.to_owned())),
    );
    let shown: Vec<_> = reader
        .told
        .iter()
        .filter(|(_, text)| secrets.iter().any(|secret| text.contains(secret)))
        .map(|(at, text)| format!("{at}: {text}"))
        .collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}
