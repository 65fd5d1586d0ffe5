//! How long an admission takes in process, with a limit on each of eight dimensions of key, user and provider, and its settlement. The goal
//! is 5 µs for the admission.

use std::hint::black_box;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use entity::value::Limits;
use switchyard::domain::limits::{Party, Subject};
use switchyard::policy::quota::{Quota, Session, Wanted};
use switchyard::store::counters::{Counters, Tuning};
use tokio::runtime::Builder;
use uuid::Uuid;

const AMPLE: Option<i64> = Some(i64::MAX / 4);

fn bench(c: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let counters = Counters::in_process(&Tuning::default());
    let quota = Quota::new(Arc::new(counters), Tz::Europe__Berlin, true);
    let limits = Limits {
        rpm: AMPLE,
        concurrent_sessions: AMPLE,
        concurrent_requests: AMPLE,
        usd_5h: AMPLE,
        usd_day: AMPLE,
        usd_week: AMPLE,
        usd_month: AMPLE,
        usd_total: AMPLE,
        ..Limits::default()
    };
    let subjects = [Subject::Key(1), Subject::User(1), Subject::Provider(1)];
    let parties: Arc<[Party]> = subjects.map(|subject| Party { subject, limits }).into();
    let wanted = || Wanted {
        id: Uuid::now_v7(),
        parties: Arc::clone(&parties),
        model: "claude-sonnet-4-5-20250929",
        session: Some(Session::new("0b6e8a52-5d0b-4c5e-9d57-6a1c2f0d8e11")),
        may_wait: true,
    };
    let now: DateTime<Utc> = Utc::now();
    let admit = |wanted: &Wanted<'_>| {
        let admitted = runtime.block_on(quota.admit(black_box(wanted), now));
        admitted.expect("the limits are ample")
    };
    let mut group = c.benchmark_group("quota of 3 subjects, 8 limits each");
    group.bench_function("admit", |b| {
        b.iter_batched(wanted, |wanted| admit(&wanted), BatchSize::PerIteration);
    });
    group.bench_function("settle", |b| {
        let admitted = || admit(&wanted());
        let settle = |reservation: switchyard::policy::quota::Reservation| {
            reservation.settle_now(Some(1_234_567), now);
        };
        b.iter_batched(admitted, settle, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
