//! Creations that are carried out once, however often they are asked for.
//!
//! Whoever creates something may send an `Idempotency-Key`. A row with a keyed hash of it is written in the transaction of the creation
//! itself, so after any crash there is a row exactly when there is something created. The answer is added to the row once it was made,
//! sealed with the installation's key, because the answer to the creation of a client key holds that key; it is repeated for a day.
//!
//! 1. Before anything runs the row is looked for. With it, the answer is repeated; with it and another question, that is said (422).
//! 2. Without it the creation runs. Changes go one at a time (see [`Change`](super::change::Change)), so of two that run on any nodes the
//!    second looks again once the first is done, finds the row, changes nothing and repeats the first one's answer.
//! 3. A creation that is refused writes no row: the same key may be used again once the mistake is mended.
//!
//! If the node died between the creation and the keeping of its answer, there is a row without an answer. Then the caller is told that it was
//! carried out and that the answer is lost (409), for doing it again is the one thing that was not wanted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use entity::{
    idempotency,
    value::{Sealed, Secret},
};
use http::StatusCode;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Set, sea_query::Expr,
};

use super::now;
use crate::{
    Admin,
    auth::identity::Identity,
    problem::{Mistake, Problem},
};

/// The header.
pub const HEADER: &str = "Idempotency-Key";
/// How long an answer is repeated.
pub const KEPT: TimeDelta = TimeDelta::hours(24);
/// Answers kept at most; of more, the oldest are forgotten before their time.
const MOST: u64 = 10_000;
/// The longest key, in bytes.
const LONGEST: usize = 255;
/// What answers are sealed for.
const PLACE: &str = "idempotency/answer";
/// How often, and how long apart, it is looked whether the answer of one that is under way is there.
const LOOKS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);

/// A creation to be carried out once.
#[derive(Debug, Clone)]
pub struct Claim {
    key_hash: String,
    fingerprint: String,
    /// Another was first; found out while this one ran.
    is_late: Arc<AtomicBool>,
}

// === impl Claim ===

impl Claim {
    /// What `caller` asks for under `key`. `question` is everything that makes it this creation and no other.
    ///
    /// # Errors
    /// 422 when the key is none.
    pub fn new(
        admin: &Admin,
        caller: &Identity,
        key: &str,
        question: &str,
    ) -> Result<Self, Problem> {
        let is_key =
            (1..=LONGEST).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        if !is_key {
            let message = "must be 1 to 255 visible ASCII characters";
            return Err(Problem::invalid(vec![Mistake::new(
                HEADER, "invalid", message,
            )]));
        }
        let whose = caller.holder.as_ref().map_or(0, |(key, _)| key.id);
        let hash = |text: String| admin.hasher.hash(&text).to_hex();
        Ok(Self {
            key_hash: hash(format!("idempotency-key:{whose}:{key}")),
            fingerprint: hash(format!("idempotency-question:{question}")),
            is_late: Arc::default(),
        })
    }

    /// Whether another was carried out while this one waited.
    pub fn is_late(&self) -> bool {
        self.is_late.load(Ordering::SeqCst)
    }
}

/// The answer to what was asked before, if it was. Waits for a moment when it is only just being made.
///
/// # Errors
/// 422 when something else was asked with this key, 409 when the answer is lost.
pub async fn earlier(admin: &Admin, claim: &Claim) -> Result<Option<Secret>, Problem> {
    for _ in 0..LOOKS {
        let Some(row) = find(&admin.db, claim).await? else {
            return Ok(None);
        };
        if row.fingerprint != claim.fingerprint {
            return Err(used_otherwise());
        }
        if let Some(answer) = row.answer {
            let opened = admin.sealer.open(PLACE, &answer);
            return opened.map(Some).map_err(|_| lost());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(lost())
}

/// Keeps the answer to what was carried out; nothing is kept of what was not.
///
/// # Errors
/// When the database does not take it.
pub async fn keep(admin: &Admin, claim: &Claim, answer: &Secret) -> Result<(), Problem> {
    let sealed: Sealed = admin.sealer.seal(PLACE, answer);
    idempotency::Entity::update_many()
        .col_expr(idempotency::Column::Answer, Expr::value(sealed))
        .filter(idempotency::Column::KeyHash.eq(&claim.key_hash))
        .filter(idempotency::Column::Answer.is_null())
        .exec(&admin.db)
        .await?;
    Ok(())
}

/// Asked within a change, when no other can run.
///
/// # Errors
/// 409 when it was carried out already; the claim remembers that.
pub async fn must_be_first(tx: &DatabaseTransaction, claim: &Claim) -> Result<(), Problem> {
    if find(tx, claim).await?.is_none() {
        return Ok(());
    }
    claim.is_late.store(true, Ordering::SeqCst);
    Err(lost())
}

/// Writes, within a change, that it was carried out; forgets what is over and what is too much.
///
/// # Errors
/// When the database does not take it.
pub async fn settle(tx: &DatabaseTransaction, claim: &Claim) -> Result<(), Problem> {
    use idempotency::Column;
    let now = now();
    idempotency::Entity::delete_many()
        .filter(Column::ExpiresAt.lte(now))
        .exec(tx)
        .await?;
    let oldest_kept = idempotency::Entity::find()
        .order_by_desc(Column::CreatedAt)
        .offset(MOST - 1)
        .limit(1)
        .one(tx)
        .await?;
    if let Some(oldest) = oldest_kept {
        idempotency::Entity::delete_many()
            .filter(Column::CreatedAt.lte(oldest.created_at))
            .exec(tx)
            .await?;
    }
    let row = idempotency::ActiveModel {
        key_hash: Set(claim.key_hash.clone()),
        fingerprint: Set(claim.fingerprint.clone()),
        answer: Set(None),
        created_at: Set(now),
        expires_at: Set(now + KEPT),
    };
    idempotency::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

async fn find<C: ConnectionTrait>(
    db: &C,
    claim: &Claim,
) -> Result<Option<idempotency::Model>, Problem> {
    let row = idempotency::Entity::find_by_id(claim.key_hash.clone())
        .filter(idempotency::Column::ExpiresAt.gt(now()))
        .one(db)
        .await?;
    Ok(row)
}

fn used_otherwise() -> Problem {
    let mut problem = Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "This Idempotency-Key was sent with another request. Use a new one.",
    );
    let message = "was sent with another request";
    problem.mistakes = vec![Mistake::new(HEADER, "reused", message)];
    problem
}

fn lost() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "idempotency_answer_lost",
        "This was carried out before, and its answer was not kept. Look for what it created.",
    )
}
