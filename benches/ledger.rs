//! What the ledger costs a request: CPU of the whole process for entries recorded at a steady rate, one row of the request log and
//! one usage line each, until all of them are in `SQLite` and the journal is empty.
//!
//! `cargo bench --bench ledger -- [ENTRIES] [PER_SECOND]`, 50,000 and 5,000 if not given. Linux only: CPU is read from `/proc`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use entity::usage;
use entity::value::ClientName;
use switchyard::settings;
use switchyard::store::database;
use switchyard::store::ledger::{Bounds, Entry, Ledger, Request};
use tokio::sync::watch;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long posting may take after the last entry.
const LIMIT: Duration = Duration::from_secs(60);

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse().ok());
    let count = numbers.next().unwrap_or(50_000);
    let per_second = numbers.next().unwrap_or(5_000).max(1);
    // As the gateway's control runtime.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("control")
        .enable_all()
        .build()?;
    let dir = tempfile::tempdir()?;
    let db = runtime.block_on(async {
        let db = database::connect(&settings::Database::default(), dir.path()).await?;
        database::migrate(&db).await.map(|()| db)
    })?;
    let ledger = Arc::new(Ledger::open(db, dir.path(), Bounds::default())?);
    let stop = watch::Sender::new(false);
    let running = {
        let (ledger, stop) = (Arc::clone(&ledger), stop.subscribe());
        runtime.spawn(async move { ledger.run(stop).await })
    };
    let entries: Vec<Entry> = (0..count).map(|_| entry()).collect();
    let before = cpu()?;
    record(&ledger, entries, per_second);
    settled(&ledger)?;
    report(&before, &cpu()?, count);
    assert_eq!(ledger.stats().dropped_requests, 0, "the rate is too high");
    stop.send_replace(true);
    runtime.block_on(running)?;
    Ok(())
}

/// One by one, as requests end.
#[expect(clippy::disallowed_methods, reason = "this thread has no runtime")]
fn record(ledger: &Ledger, entries: Vec<Entry>, per_second: u32) {
    let began = Instant::now();
    let gap = Duration::from_secs(1) / per_second;
    for (number, entry) in entries.into_iter().enumerate() {
        let due = gap * u32::try_from(number).unwrap_or(u32::MAX);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        ledger.record(entry);
    }
}

#[expect(clippy::disallowed_methods, reason = "this thread has no runtime")]
fn settled(ledger: &Ledger) -> Result<(), Failure> {
    let until = Instant::now() + LIMIT;
    loop {
        let stats = ledger.stats();
        if stats.queued_lines + stats.queued_requests == 0 && stats.journal_bytes == 0 {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(format!("not posted in time: {stats:?}").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Nanoseconds of CPU by thread name, threads that have ended left out.
fn cpu() -> Result<BTreeMap<String, u64>, Failure> {
    let mut all = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        let name = std::fs::read_to_string(task.join("comm"))?;
        let spent = std::fs::read_to_string(task.join("schedstat"))?;
        let spent: u64 = spent.split(' ').next().unwrap_or_default().parse()?;
        *all.entry(name.trim().to_owned()).or_default() += spent;
    }
    Ok(all)
}

#[expect(clippy::print_stdout, reason = "this is what it is run for")]
fn report(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, count: u32) {
    let mut total = 0.0;
    for (name, spent) in after {
        let spent = spent - before.get(name).unwrap_or(&0);
        let each = spent as f64 / 1000.0 / f64::from(count);
        println!("{each:8.2} µs an entry in {name}");
        // The thread that records stands for the data runtime, and sleeps between entries: that is not the ledger's.
        if name != "ledger" && !name.starts_with("ledger-") {
            total += each;
        }
    }
    println!("{total:8.2} µs an entry in the background");
}

/// As a request of a coding client that was answered at the first attempt.
fn entry() -> Entry {
    let (id, now) = (Uuid::now_v7(), Utc::now());
    let request = Request {
        id,
        created_at: now,
        user_id: Some(1),
        key_id: Some(2),
        provider_id: Some(3),
        session_id: Some("4f5a8c1e-6f0b-4d5c-9a57-1f2e3d4c5b6a".to_owned()),
        protocol: "anthropic",
        endpoint: "POST /v1/messages".to_owned(),
        requested_model: Some("claude-sonnet-4-5-20250929".to_owned()),
        model: Some("claude-sonnet-4-5-20250929".to_owned()),
        status: 200,
        is_stream: true,
        error_code: None,
        error_message: None,
        input_tokens: 1200,
        cache_read_tokens: 52_000,
        cache_write5m_tokens: 800,
        cache_write1h_tokens: 0,
        output_tokens: 350,
        reasoning_tokens: 0,
        cost_nano_usd: None,
        settled_from: "terminal",
        duration_ms: 4200,
        ttfb_ms: Some(650),
        ttft_ms: Some(700),
        overhead_us: 180,
        request_bytes: 240_000,
        response_bytes: 18_000,
        client_ip: Some("192.0.2.17".to_owned()),
        user_agent: Some("claude-cli/2.0.14 (external, cli)".to_owned()),
        chain: CHAIN.to_owned(),
    };
    let lines = vec![line(&request, now)];
    Entry { request, lines }
}

const CHAIN: &str = r#"[{"attempt":1,"providerId":3,"providerName":"relay-one","model":"claude-sonnet-4-5-20250929","selection":{"tier":1,"weight":10,"probability":0.5,"considered":4},"status":200,"outcome":"completed","fault":null,"error":null,"errorBody":null,"startedUs":180,"durationMs":4200,"ttfbMs":650,"edits":["model"],"usage":{"inputTokens":1200,"cacheReadTokens":52000,"cacheWrite5mTokens":800,"cacheWrite1hTokens":0,"outputTokens":350,"reasoningTokens":0,"imageInputTokens":0,"imageOutputTokens":0},"settledFrom":"terminal"}]"#;

fn line(request: &Request, now: DateTime<Utc>) -> usage::Model {
    usage::Model {
        id: Uuid::now_v7(),
        request_id: request.id,
        attempt: 1,
        created_at: now,
        user_id: 1,
        key_id: 2,
        provider_id: 3,
        requested_model: request.requested_model.clone(),
        model: request.model.clone(),
        input_tokens: 1200,
        cache_read_tokens: 52_000,
        cache_write5m_tokens: 800,
        cache_write1h_tokens: 0,
        output_tokens: 350,
        reasoning_tokens: 0,
        image_input_tokens: 0,
        image_output_tokens: 0,
        cost_nano_usd: None,
        price_ref: None,
        service_tier: None,
        provider_multiplier: None,
        group_multiplier: None,
        client: ClientName::Unknown,
        settled_from: "terminal".to_owned(),
        raw: Some(r#"{"input_tokens":1200,"cache_creation_input_tokens":800,"cache_read_input_tokens":52000,"cache_creation":{"ephemeral_5m_input_tokens":800,"ephemeral_1h_input_tokens":0},"output_tokens":350,"service_tier":"standard"}"#.to_owned()),
    }
}
