//! The counters in Redis: one Lua script a step.
//!
//! Redis runs a script as one step, so an admission cannot be half done, and costs one round trip. A cluster runs it only when all its keys
//! are in one slot, and an admission may join any key with any user and any provider: so every key has the same hash tag, the
//! installation's prefix. The counters of an installation are then on one node of a cluster; that they are small and a step takes
//! tens of microseconds is what makes it do. Several installations may share a cluster, each with a prefix.
//!
//! Numbers are added as integers, and compared as the doubles that Lua has: exact to 2^53 nano-USD, nine million dollars a window.
//! The time is the asking node's, as it is in process: nodes need clocks that agree within a second.

use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use entity::value::{Secret, hex};
use fred::clients::Client;
use fred::interfaces::{ClientLike, KeysInterface, LuaInterface};
use fred::types::config::{Config, ReconnectPolicy, UnresponsiveConfig};
use fred::types::{Builder, Value};
use rustls::crypto::CryptoProvider;
use tokio::time::timeout;

use super::{Ask, Exceeded, Part, REMEMBERED, Reading, Seed, Times, Tuning};
use crate::domain::limits::{Dimension, Subject};
use crate::domain::window::{Span, Windows};
use crate::store::bus::BusError;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// A connection that does not answer for this long is given up and made again.
const UNRESPONSIVE_AFTER: Duration = Duration::from_secs(2);
const QUIT_LIMIT: Duration = Duration::from_secs(1);
/// The longest that is waited where no request waits.
const PATIENCE: Duration = Duration::from_millis(500);

/// A connection and its scripts.
#[derive(Debug)]
pub(super) struct Redis {
    client: Client,
    prefix: String,
    deadline: Duration,
    times: Times,
    admit: Script,
    finish: Script,
    read: Script,
    keep: Script,
    seed: Script,
}

#[derive(Debug)]
struct Script {
    text: String,
    hash: String,
}

/// Why Redis did not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Not in time; it may have done what was asked.
    #[error("it did not answer in time")]
    Late,
    /// There is no connection.
    #[error("there is no connection")]
    Gone,
    /// It does not do what was asked, or the connection broke meanwhile.
    #[error("{0}")]
    Refused(fred::error::Error),
    /// It said something that no script of ours says.
    #[error("it gave an answer that makes no sense")]
    Strange,
}

/// What becomes of a session or a hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keep {
    End,
    Renew,
}

// === impl Script ===

impl Script {
    fn new(text: &str) -> Self {
        let text = format!("{}\n{text}", include_str!("common.lua"));
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        let hash = hex::encode(hash.as_ref());
        Self { text, hash }
    }
}

// === impl Redis ===

impl Redis {
    pub(super) fn connect(url: &Secret, tuning: &Tuning) -> Result<Self, BusError> {
        let url = url.expose();
        if url.starts_with("rediss") && CryptoProvider::get_default().is_none() {
            return Err(BusError::NoTls);
        }
        let mut config = Config::from_url(url).map_err(BusError::Url)?;
        config.fail_fast = false;
        let client = Builder::from_config(config)
            .set_policy(ReconnectPolicy::new_exponential(0, 100, 2_000, 2))
            .with_connection_config(|connection| {
                connection.connection_timeout = CONNECT_LIMIT;
                connection.internal_command_timeout = CONNECT_LIMIT;
                connection.max_command_attempts = 1;
                connection.max_command_buffer_len = 10_000;
                connection.unresponsive = UnresponsiveConfig {
                    max_timeout: Some(UNRESPONSIVE_AFTER),
                    interval: UNRESPONSIVE_AFTER / 4,
                };
            })
            .with_performance_config(|performance| {
                performance.default_command_timeout = PATIENCE;
            })
            .build()
            .map_err(BusError::Url)?;
        // Dropping the handle leaves the connection's task to run.
        drop(client.connect());
        Ok(Self {
            client,
            prefix: format!("{{{}}}", tuning.prefix),
            deadline: tuning.deadline,
            times: tuning.times(),
            admit: Script::new(include_str!("admit.lua")),
            finish: Script::new(include_str!("finish.lua")),
            read: Script::new(include_str!("read.lua")),
            keep: Script::new(include_str!("keep.lua")),
            seed: Script::new(include_str!("seed.lua")),
        })
    }

    /// Admits or not. What is spent comes back: five numbers a subject.
    pub(super) async fn admit(&self, ask: &Ask<'_>) -> Result<Result<Vec<i64>, Exceeded>, Failure> {
        let mut args: Vec<Value> = vec![
            ask.now.into(),
            name(ask.id).into(),
            ask.amount.into(),
            name(ask.session.unwrap_or(ask.id)).into(),
            self.times.session.into(),
            self.times.lease.into(),
            count(ask.checks.len()),
        ];
        for check in ask.checks {
            for limit in check.limits {
                args.push(limit.map_or_else(|| Value::from(""), Value::from));
            }
            push_windows(&mut args, &check.windows);
        }
        let mut keys = self.keys(ask.checks.iter().map(|check| check.subject));
        keys.push(self.mark(ask.id));
        let answer = self.call(&self.admit, keys, args, self.deadline).await?;
        match answer.as_slice() {
            [0, spent @ ..] if spent.len() == 5 * ask.checks.len() => Ok(Ok(spent.to_vec())),
            &[1, subject, dimension, used, reserved, frees_at] => {
                let index = |number: i64| usize::try_from(number - 1).ok();
                let check = index(subject).and_then(|index| ask.checks.get(index));
                let dimension = index(dimension).and_then(|index| Dimension::ALL.get(index));
                let (check, dimension) = check.zip(dimension).ok_or(Failure::Strange)?;
                Ok(Err(Exceeded {
                    subject: check.subject,
                    dimension: *dimension,
                    used,
                    reserved,
                    limit: check.limits[dimension.index()].unwrap_or(0),
                    frees_at: (frees_at >= 0).then_some(frees_at),
                }))
            }
            _ => Err(Failure::Strange),
        }
    }

    /// Ends a request.
    pub(super) async fn finish(
        &self,
        id: u128,
        parts: &[Part],
        spent: Option<i64>,
        now: i64,
    ) -> Result<(), Failure> {
        let remembered = i64::try_from(REMEMBERED.as_millis()).unwrap_or(i64::MAX);
        let mut args: Vec<Value> = vec![
            now.into(),
            name(id).into(),
            i64::from(spent.is_some()).into(),
            spent.unwrap_or(0).into(),
            self.times.session.into(),
            remembered.into(),
            count(parts.len()),
        ];
        for part in parts {
            push_windows(&mut args, &part.windows);
        }
        let mut keys = self.keys(parts.iter().map(|part| part.subject));
        keys.push(self.mark(id));
        self.call(&self.finish, keys, args, self.deadline).await?;
        Ok(())
    }

    pub(super) async fn read(&self, part: &Part, now: i64) -> Result<Reading, Failure> {
        let mut args: Vec<Value> = vec![now.into(), self.times.session.into()];
        push_windows(&mut args, &part.windows);
        let keys = self.keys([part.subject].into_iter());
        let answer = self.call(&self.read, keys, args, PATIENCE).await?;
        let [used @ .., reserved, a, b, c, d, e] = answer.as_slice() else {
            return Err(Failure::Strange);
        };
        Ok(Reading {
            used: used.try_into().map_err(|_| Failure::Strange)?,
            reserved: *reserved,
            frees_at: [*a, *b, *c, *d, *e].map(|at| (at >= 0).then_some(at)),
        })
    }

    pub(super) async fn keep(
        &self,
        what: Keep,
        subject: Subject,
        session: u128,
        now: i64,
    ) -> Result<(), Failure> {
        let what = match what {
            Keep::End => "end",
            Keep::Renew => "renew",
        };
        let args = vec![
            now.into(),
            what.into(),
            name(session).into(),
            self.times.session.into(),
            self.times.lease.into(),
        ];
        let keys = self.keys([subject].into_iter());
        self.call(&self.keep, keys, args, self.deadline).await?;
        Ok(())
    }

    /// Says what a subject has spent.
    pub(super) async fn seed(&self, part: &Part, seed: &Seed, now: i64) -> Result<(), Failure> {
        let mut args: Vec<Value> = vec![now.into(), i64::from(seed.is_replaced).into()];
        let all = seed.entries(&part.windows, now);
        for (span, entries) in part.windows.iter().zip(&all) {
            args.extend(window(span));
            args.push(count(entries.len()));
            for (at, amount) in entries {
                args.extend([Value::from(*at), Value::from(*amount)]);
            }
        }
        let keys = self.keys([part.subject].into_iter());
        self.call(&self.seed, keys, args, PATIENCE).await?;
        Ok(())
    }

    /// Whether Redis has been seeded since it was empty.
    pub(super) async fn is_seeded(&self) -> Result<bool, Failure> {
        let known = self.client.exists::<i64, _>(self.seeded_key());
        let known = self.within(self.deadline, known).await?;
        Ok(known > 0)
    }

    pub(super) async fn set_seeded(&self) -> Result<(), Failure> {
        let said = self
            .client
            .set::<(), _, _>(self.seeded_key(), 1, None, None, false);
        self.within(PATIENCE, said).await
    }

    pub(super) async fn quit(&self) {
        let _ = timeout(QUIT_LIMIT, self.client.quit()).await;
    }

    /// Runs a script; a Redis that does not know it is told it. Both within the deadline.
    async fn call(
        &self,
        script: &Script,
        keys: Vec<String>,
        args: Vec<Value>,
        deadline: Duration,
    ) -> Result<Vec<i64>, Failure> {
        let work = async {
            let hash = script.hash.clone();
            let known = self.client.evalsha(hash, keys.clone(), args.clone()).await;
            match known {
                Err(error) if error.details().starts_with("NOSCRIPT") => {
                    self.client.eval(script.text.clone(), keys, args).await
                }
                other => other,
            }
        };
        self.within(deadline, work).await
    }

    async fn within<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = Result<T, fred::error::Error>>,
    ) -> Result<T, Failure> {
        // The client would keep a command until there is a connection.
        if !self.client.is_connected() {
            return Err(Failure::Gone);
        }
        match timeout(deadline, work).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if *error.kind() == fred::error::ErrorKind::Timeout => {
                Err(Failure::Late)
            }
            Ok(Err(error)) => Err(Failure::Refused(error)),
            Err(_) => Err(Failure::Late),
        }
    }

    fn keys(&self, subjects: impl Iterator<Item = Subject>) -> Vec<String> {
        subjects
            .flat_map(|subject| {
                let key = format!("{}:quota:{subject}", self.prefix);
                [
                    key.clone(),
                    format!("{key}:holds"),
                    format!("{key}:sessions"),
                ]
            })
            .collect()
    }

    fn mark(&self, id: u128) -> String {
        format!("{}:over:{}", self.prefix, name(id))
    }

    fn seeded_key(&self) -> String {
        format!("{}:seeded", self.prefix)
    }
}

fn name(id: u128) -> String {
    format!("{id:032x}")
}

fn count(length: usize) -> Value {
    Value::from(i64::try_from(length).unwrap_or(0))
}

fn push_windows(args: &mut Vec<Value>, windows: &Windows) {
    args.extend(windows.iter().flat_map(window));
}

fn window(span: &Span) -> [Value; 4] {
    match *span {
        Span::Fixed { tag, start, end } => [0, i64::from(tag), start, end.unwrap_or(-1)],
        Span::OnSpend { tag, length } => [1, i64::from(tag), length, 0],
        Span::Rolling { tag, bucket, count } => [2, i64::from(tag), bucket, count],
    }
    .map(Value::from)
}
