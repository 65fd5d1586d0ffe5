//! What a page of the request log takes when the log is long, and what the overview takes then: the log is filled with made-up requests, a
//! gateway is started on it, and its admin API is asked for usage, from hours and from spans, and for first and late pages with many filters.
//!
//! `cargo bench --bench requests -- [ROWS] [usage]`, 5,000,000 if not given; with `usage` the log's pages are left out. On the `PostgreSQL` of `DSN`, whose tables must not be there yet, else
//! on `SQLite`. The files are in a temporary directory below `TMPDIR` and are deleted at the end; five million rows take about 3 GB.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::{Days, NaiveTime, SecondsFormat, Utc};
use entity::value::Secret;
use reqwest::Client;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use switchyard::app::App;
use switchyard::settings::Settings;
use switchyard::store::database;

const TOKEN: &str = "bench-admin-token-0123456789";
/// Rows of one statement.
const BATCH: u64 = 100_000;
/// Pages walked through at most.
const PAGES: usize = 1_000;
/// How long one walk may take.
const LIMIT: Duration = Duration::from_secs(120);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Filters: none, one that few pass, several that most pass and few together, and some that nothing does.
const QUERIES: [&str; 24] = [
    "",
    "userId=3",
    "userId=199",
    "keyId=7",
    "providerId=1",
    "providerId=19",
    "sessionId=s-77777",
    "model=model-0",
    "model=model-rare",
    "model=model-none",
    "status=200",
    "status=502",
    "status=418",
    "statusClass=5xx",
    "userId=3&status=502",
    "userId=3&status=418",
    "userId=3&providerId=19&model=model-9",
    "providerId=1&client=gemini-cli&isStream=false",
    "minCostUsd=0.99",
    "minDurationMs=599000",
    "text=nothing-has-this",
    "text=model-rare",
    "endpoint=embeddings&statusClass=error",
    "protocol=gemini&userId=150&minDurationMs=500000",
];

fn main() -> Result<(), Failure> {
    let is_usage = std::env::args().any(|arg| arg == "usage");
    let rows = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let rows: u64 = rows.unwrap_or(5_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let dir = tempfile::tempdir()?;
    let mut settings = Settings::default();
    settings.server.listen = ([127, 0, 0, 1], 0).into();
    settings.data_dir = dir.path().to_owned();
    settings.admin.token = Some(Secret::new(TOKEN));
    settings.database.dsn = std::env::var("DSN").ok().map(Secret::new);
    runtime.block_on(run(settings, rows, is_usage))
}

async fn run(settings: Settings, rows: u64, is_usage: bool) -> Result<(), Failure> {
    let db = database::connect(&settings.database, &settings.data_dir).await?;
    database::migrate(&db).await?;
    let mut report = String::new();
    fill(&db, rows, &mut report).await?;
    let app = App::start(settings).await?;
    let api = format!("http://{}/api/v1", app.address());
    let base = format!("{api}/requests");
    let http = Client::builder().no_proxy().build()?;
    usage(&http, &api, &db, &mut report).await?;
    if is_usage {
        std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes())?;
        app.stop().await;
        return Ok(());
    }
    writeln!(
        report,
        "| filter | first page | rows in it | pages walked | median | worst | rows found |\n|---|---|---|---|---|---|---|"
    )?;
    for query in QUERIES {
        walk(&http, &base, query, &mut report).await?;
    }
    for other in ["filters", "export?maxRows=20000"] {
        let began = Instant::now();
        let text = get(&http, &format!("{base}/{other}")).await?;
        let took = began.elapsed();
        writeln!(report, "\n{other}: {} bytes in {} ms", text.len(), ms(took))?;
    }
    std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes())?;
    app.stop().await;
    Ok(())
}

/// What pages ask for that show usage: page, call, days back to the midnight from which it is asked.
const USAGE: [(&str, &str, u64); 20] = [
    ("overview", "usage/series?interval=hour", 2),
    ("overview", "usage/by/provider?limit=100", 0),
    ("overview", "requests?limit=200", 0),
    ("overview", "breakers", 0),
    ("overview", "prices/unpriced", 0),
    ("overview", "limits/near", 0),
    (
        "today",
        "usage/series?interval=hour&by=user&sort=cost&top=8",
        0,
    ),
    (
        "7 days",
        "usage/series?interval=hour&by=user&sort=cost&top=8",
        6,
    ),
    (
        "30 days",
        "usage/series?interval=day&by=user&sort=cost&top=8",
        29,
    ),
    (
        "30 days",
        "usage/series?interval=day&by=model&sort=tokens&top=8",
        29,
    ),
    (
        "30 days",
        "usage/series?interval=day&by=key&sort=requests&top=8",
        29,
    ),
    ("leaderboard", "usage/leaderboard?period=day&limit=100", 0),
    (
        "leaderboard",
        "usage/leaderboard?period=custom&by=key&limit=100",
        29,
    ),
    ("leaderboard", "usage/totals?", 29),
    ("a user", "usage/series?interval=day&by=model&userId=1", 29),
    ("a user", "users/1/usage", 0),
    ("a provider", "usage/by/model?providerId=1&limit=10", 29),
    ("a key", "usage/by/model?keyId=1&limit=10", 29),
    ("all time", "usage/totals", 0),
    ("choices", "requests/filters", 0),
];

/// Asks for usage while it is read by the hour, then once it is summed up.
async fn usage(
    http: &Client,
    api: &str,
    db: &DatabaseConnection,
    report: &mut String,
) -> Result<(), Failure> {
    let setup: [(&str, Value); 2] = [
        ("users", json!({"name": "ann"})),
        ("users/1/keys", json!({"name": "a key"})),
    ];
    for (path, body) in setup {
        let ask = http.post(format!("{api}/{path}")).bearer_auth(TOKEN);
        ask.json(&body).send().await?.error_for_status()?;
    }
    let by_hours = ask_for_usage(http, api, Some(db)).await?;
    let began = Instant::now();
    while !is_summed_up(db).await? {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let took = began.elapsed().as_secs();
    let by_spans = ask_for_usage(http, api, None).await?;
    writeln!(
        report,
        "Summed up in {took} s.\n\n| page | call | by hours, the faster of two | by spans, median | worst |\n|---|---|---|---|---|"
    )?;
    let told = |took: Duration| match took {
        Duration::MAX => "no answer".to_owned(),
        took => format!("{} ms", ms(took)),
    };
    for (((page, call, days), hours), spans) in USAGE.iter().zip(by_hours).zip(by_spans) {
        let of = if *days > 0 {
            format!(", {} days", days + 1)
        } else {
            String::new()
        };
        let (hours, median, worst) = (told(hours[0]), told(spans[2]), told(spans[4]));
        writeln!(
            report,
            "| {page} | `{call}`{of} | {hours} | {median} | {worst} |"
        )?;
    }
    writeln!(report)?;
    Ok(())
}

/// Each call some times, the fastest first. Where `reopened` is given, nothing is summed up whenever something is asked, and it is asked
/// twice only. What is not answered is as long as can be.
async fn ask_for_usage(
    http: &Client,
    api: &str,
    reopened: Option<&DatabaseConnection>,
) -> Result<Vec<Vec<Duration>>, Failure> {
    let mut all = Vec::new();
    for (_, call, days) in USAGE {
        let midnight = Utc::now().date_naive().and_time(NaiveTime::MIN).and_utc();
        let from = midnight - Days::new(days);
        let span = from.to_rfc3339_opts(SecondsFormat::Secs, true);
        // What is said otherwise means all of the time, or is not of any.
        let url = match call.split_once('?') {
            Some((_, of)) if !of.starts_with("period=day") && !call.starts_with("requests") => {
                let to = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
                format!("{api}/{call}&from={span}&to={to}").replace("?&", "?")
            }
            _ => format!("{api}/{call}"),
        };
        let mut took = Vec::new();
        for _ in 0..if reopened.is_some() { 2 } else { 5 } {
            if let Some(db) = reopened {
                let stale = "UPDATE usage_spans SET state = 2 WHERE state < 2";
                db.execute_unprepared(stale).await?;
            }
            let began = Instant::now();
            let answer = get(http, &url).await;
            took.push(answer.map_or(Duration::MAX, |_| began.elapsed()));
        }
        took.sort_unstable();
        all.push(took);
    }
    Ok(all)
}

/// Whether the oldest day is summed up, which is the last.
async fn is_summed_up(db: &DatabaseConnection) -> Result<bool, Failure> {
    let sql = "SELECT COUNT(*) AS closed FROM usage_spans WHERE state = 1 AND first_hour <= (SELECT MIN(hour) FROM usage_hourly)";
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await?.ok_or("no answer")?;
    Ok(row.try_get::<i64>("", "closed")? > 0)
}

async fn walk(http: &Client, base: &str, query: &str, report: &mut String) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut took = Vec::new();
    let (mut first, mut found) = (0, 0);
    let mut cursor = String::new();
    while took.len() < PAGES && begun.elapsed() < LIMIT {
        let began = Instant::now();
        let text = get(http, &format!("{base}?{query}{cursor}")).await?;
        took.push(began.elapsed());
        let page: Value = serde_json::from_str(&text)?;
        let rows = page["items"].as_array().map_or(0, Vec::len);
        found += rows;
        if took.len() == 1 {
            first = rows;
        }
        let Some(next) = page["nextCursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    let first_took = took[0];
    let pages = took.len();
    took.sort_unstable();
    writeln!(
        report,
        "| `{query}` | {} ms | {first} | {pages} | {} ms | {} ms | {found} |",
        ms(first_took),
        ms(took[pages / 2]),
        ms(took[pages - 1]),
    )?;
    Ok(())
}

async fn get(http: &Client, url: &str) -> Result<String, Failure> {
    let answer = http.get(url).bearer_auth(TOKEN).send().await?;
    Ok(answer.error_for_status()?.text().await?)
}

fn ms(took: Duration) -> String {
    format!("{:.1}", took.as_secs_f64() * 1000.0)
}

/// Fills the log: 90 days up to now, 200 users of whom few are busy, sessions of 30 requests, one request in 33 with an error.
async fn fill(db: &DatabaseConnection, rows: u64, report: &mut String) -> Result<(), Failure> {
    let began = Instant::now();
    let is_postgres = db.get_database_backend() == DbBackend::Postgres;
    let mut first = 0;
    while first < rows {
        let end = (first + BATCH).min(rows);
        let statement = if is_postgres {
            postgres(first, end, rows)
        } else {
            sqlite(first, end, rows)
        };
        db.execute_unprepared(&statement).await?;
        first = end;
    }
    let hour = if is_postgres {
        "CAST(FLOOR(EXTRACT(EPOCH FROM created_at) / 3600) AS BIGINT)"
    } else {
        "CAST(strftime('%s', created_at) AS INTEGER) / 3600"
    };
    let sums = [
        "input_tokens",
        "cache_read_tokens",
        "cache_write5m_tokens",
        "cache_write1h_tokens",
        "output_tokens",
        "reasoning_tokens",
    ];
    let sums = sums.map(|sum| format!("SUM({sum})")).join(", ");
    db.execute_unprepared(&format!(
        "INSERT INTO usage_hourly SELECT {hour}, user_id, key_id, COALESCE(provider_id, 0), COALESCE(model, ''), client, COUNT(*), 0, COUNT(*), 0, 0, 0, 0, {sums}, 0, 0, SUM(cost_nano_usd) FROM request_log GROUP BY 1, 2, 3, 4, 5, 6"
    ))
    .await?;
    if is_postgres {
        db.execute_unprepared("VACUUM ANALYZE request_log").await?;
        db.execute_unprepared("VACUUM ANALYZE usage_hourly").await?;
    }
    writeln!(
        report,
        "{rows} rows on {:?}, filled in {} s\n",
        db.get_database_backend(),
        began.elapsed().as_secs()
    )?;
    Ok(())
}

/// Columns in the order of [`values`].
const COLUMNS: &str = "id, created_at, user_id, key_id, provider_id, session_id, protocol, endpoint, requested_model, model, status, is_stream, error_code, input_tokens, cache_read_tokens, cache_write5m_tokens, cache_write1h_tokens, output_tokens, reasoning_tokens, cost_nano_usd, settled_from, duration_ms, overhead_us, request_bytes, response_bytes, client_ip, user_agent, client, chain";

/// From `r`, a row of `at` (milliseconds since 1970), `n` and whole numbers of `a` to `e` that are evenly spread over 0 to 999,999.
fn values(id: &str, time: &str, flag: &str, chain: &str) -> String {
    let status = "CASE WHEN e < 970000 THEN 200 WHEN e < 980000 THEN 429 WHEN e < 990000 THEN 502 WHEN e < 997000 THEN 400 WHEN e < 999998 THEN 499 ELSE 418 END";
    let model = "CASE WHEN c < 3 THEN 'model-rare' ELSE 'model-' || (c / 1000 * c / 100000000) END";
    format!(
        "{id}, {time}, 1 + a / 1000 * a / 5000000, 1 + a / 1000 * a / 1700000, CASE WHEN e >= 997000 THEN NULL ELSE 1 + b / 1000 * b / 50000000 END, 's-' || (n / 30), \
         CASE WHEN d < 700000 THEN 'anthropic' WHEN d < 990000 THEN 'responses' ELSE 'gemini' END, CASE WHEN d < 700000 THEN 'POST /v1/messages' WHEN d < 999000 THEN 'POST /v1/responses' ELSE 'POST /v1/embeddings' END, \
         {model}, {model}, {status}, {flag}, CASE WHEN e < 970000 THEN NULL ELSE 'upstream_error' END, a, b, c, 0, d, 0, a * 1000, 'terminal', b / 1000 * b / 1666, 100, 1000, 2000, '192.0.2.' || (a % 250), \
         'claude-cli/2.0.1 (external, cli)', CASE WHEN d < 700000 THEN 'claude-code' WHEN d < 999900 THEN 'codex-cli' ELSE 'gemini-cli' END, {chain}"
    )
}

const NINETY_DAYS: u64 = 90 * 86_400_000;

fn sqlite(first: u64, end: u64, rows: u64) -> String {
    let values = values(
        "unhex(printf('%012x', at) || '7' || substr(hex(randomblob(10)), 2))",
        "strftime('%Y-%m-%dT%H:%M:%S+00:00', at / 1000, 'unixepoch')",
        "d % 2",
        "'[{\"attempt\":1,\"outcome\":\"completed\"}]'",
    );
    let random = ["a", "b", "c", "d", "e"].map(|name| format!("abs(random()) % 1000000 AS {name}"));
    format!(
        "INSERT INTO request_log ({COLUMNS}) WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {end}), \
         r AS MATERIALIZED (SELECT n, strftime('%s', 'now') * 1000 - {NINETY_DAYS} + n * {NINETY_DAYS} / {rows} AS at, {} FROM s) SELECT {values} FROM r",
        random.join(", ")
    )
}

fn postgres(first: u64, end: u64, rows: u64) -> String {
    let values = values(
        "(lpad(to_hex(at), 12, '0') || '7' || substr(md5(random()::text), 1, 19))::uuid",
        "to_timestamp(at / 1000.0)",
        "d % 2 = 0",
        "'[{\"attempt\":1,\"outcome\":\"completed\"}]'::jsonb",
    );
    let random =
        ["a", "b", "c", "d", "e"].map(|name| format!("(random() * 999999)::bigint AS {name}"));
    let end = end - 1;
    format!(
        "INSERT INTO request_log ({COLUMNS}) WITH r AS MATERIALIZED (SELECT n, (extract(epoch FROM now())::bigint * 1000 - {NINETY_DAYS} + n * {NINETY_DAYS} / {rows}) AS at, {} FROM generate_series({first}::bigint, {end}) AS s(n)) SELECT {values} FROM r",
        random.join(", ")
    )
}
