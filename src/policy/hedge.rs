//! How many requests may be hedged: sent to a second provider because the first is late.
//!
//! A hedge costs money twice, and a whole fleet of providers that is late at once must not double the bill. So hedges are paid for with
//! requests: every streamed request that is noted earns the share of a hedge that the setting grants (5 percent: twenty requests, one
//! hedge), and a hedge is let go only if it is paid in full. What is earned and not spent is kept up to the last thousand requests, so
//! that a quiet hour does not pay for a flood; two hedges are given in advance, so that a gateway that has just started may hedge
//! too. Hence, at any time and over any sequence: hedges so far <= 2 + percent/100 x requests so far; and within any stretch of time:
//! hedges <= 2 + percent/100 x (1000 + requests in it). Beyond that, no more than 64 hedges run at once.
//!
//! The account is one number, in thousandths of a request so that no setting is rounded in the hedges' favour; it is changed by
//! compare-and-swap and never locked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Hedges given in advance.
pub const BURST: u32 = 2;
/// Requests whose share is kept when it is not spent.
pub const REMEMBERED: u64 = 1_000;
/// Hedges that may run at once.
pub const AT_ONCE: u32 = 64;

const UNIT: u64 = 1_000;

/// The account. Clones are the same account.
#[derive(Debug, Clone)]
pub struct HedgeBudget(Arc<Account>);

#[derive(Debug)]
struct Account {
    /// Thousandths of requests that are not spent.
    credit: AtomicU64,
    /// Hedges given in advance that are left.
    advance: AtomicU32,
    running: AtomicU32,
}

/// Leave for one hedge, which runs until this is dropped.
#[derive(Debug)]
#[must_use = "a hedge runs as long as its permit lives"]
pub struct HedgePermit {
    account: Arc<Account>,
    paid: Paid,
}

#[derive(Debug, Clone, Copy)]
enum Paid {
    Credit(u64),
    Advance,
}

// === impl HedgeBudget ===

impl Default for HedgeBudget {
    fn default() -> Self {
        Self(Arc::new(Account {
            credit: AtomicU64::new(0),
            advance: AtomicU32::new(BURST),
            running: AtomicU32::new(0),
        }))
    }
}

impl HedgeBudget {
    /// A streamed request begins.
    pub fn note_request(&self) {
        let earn = |credit: u64| Some((credit + UNIT).min(REMEMBERED * UNIT));
        // It always answers a number, so this cannot fail.
        let _ = self
            .0
            .credit
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, earn);
    }

    /// Leave for a hedge, if `percent` of the requests may be hedged. More than 100 is 100, 0 is never.
    pub fn try_take(&self, percent: u32) -> Option<HedgePermit> {
        if percent == 0 {
            return None;
        }
        let account = &self.0;
        let start = |running: u32| (running < AT_ONCE).then_some(running + 1);
        account
            .running
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, start)
            .ok()?;
        let price = (100 * UNIT).div_ceil(u64::from(percent.min(100)));
        let Some(paid) = account.pay(price) else {
            account.running.fetch_sub(1, Ordering::AcqRel);
            return None;
        };
        Some(HedgePermit {
            account: Arc::clone(account),
            paid,
        })
    }

    /// Hedges that run now.
    #[must_use]
    pub fn running(&self) -> u32 {
        self.0.running.load(Ordering::Relaxed)
    }
}

// === impl Account ===

impl Account {
    fn pay(&self, price: u64) -> Option<Paid> {
        let pay = |credit: u64| credit.checked_sub(price);
        let paid = self
            .credit
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay);
        if paid.is_ok() {
            return Some(Paid::Credit(price));
        }
        let take = |advance: u32| advance.checked_sub(1);
        let taken = self
            .advance
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.is_ok().then_some(Paid::Advance)
    }
}

// === impl HedgePermit ===

impl HedgePermit {
    /// The hedge was not sent after all (there was nobody to send it to): it costs nothing.
    pub fn unused(self) {
        match self.paid {
            Paid::Credit(price) => {
                let refund = |credit: u64| Some((credit + price).min(REMEMBERED * UNIT));
                let credit = &self.account.credit;
                let _ = credit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refund);
            }
            Paid::Advance => {
                self.account.advance.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for HedgePermit {
    fn drop(&mut self) {
        self.account.running.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};

    use super::*;

    #[test]
    fn every_twentieth_request_at_five_percent_after_two_in_advance() {
        let budget = HedgeBudget::default();
        let taken = |_: &u32| {
            budget.note_request();
            budget.try_take(5).is_some()
        };
        let hedged: Vec<u32> = (1..=100).filter(taken).collect();
        assert_eq!(hedged, [1, 2, 20, 40, 60, 80, 100]);
        assert_eq!(budget.running(), 0);
    }

    #[test]
    fn zero_is_never_and_a_hundred_is_always() {
        let budget = HedgeBudget::default();
        for _ in 0..1_000 {
            budget.note_request();
            assert!(budget.try_take(0).is_none());
            drop(budget.try_take(100).unwrap());
        }
    }

    #[test]
    fn a_quiet_stretch_does_not_pay_for_a_flood() {
        let budget = HedgeBudget::default();
        for _ in 0..1_000_000 {
            budget.note_request();
        }
        let hedges = (0..1_000).filter(|_| budget.try_take(5).is_some()).count();
        assert_eq!(hedges, 50 + 2);
    }

    #[test]
    fn no_more_run_at_once_than_may_and_what_is_refused_costs_nothing() {
        let budget = HedgeBudget::default();
        for _ in 0..100 {
            budget.note_request();
        }
        let mut permits: Vec<_> = (0..100).map_while(|_| budget.try_take(100)).collect();
        assert_eq!(permits.len(), 64);
        assert_eq!(budget.running(), 64);
        permits.truncate(60);
        permits.extend((0..100).map_while(|_| budget.try_take(100)));
        assert_eq!(permits.len(), 64);
        permits.clear();
        let left = (0..100).map_while(|_| budget.try_take(100));
        assert_eq!(left.map(HedgePermit::unused).count(), 100);
        let left = (0..100).filter(|_| budget.try_take(100).is_some()).count();
        assert_eq!(left, 102 - 68, "unused ones came back");
    }

    #[test]
    fn threads_do_not_spend_the_same_credit() {
        let budget = HedgeBudget::default();
        let hedges = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        budget.note_request();
                        let permit = budget.try_take(10);
                        hedges.fetch_add(u64::from(permit.is_some()), Ordering::Relaxed);
                    }
                });
            }
        });
        let hedges = hedges.into_inner();
        assert!(hedges <= 8_002, "{hedges}");
        assert!(hedges > 7_000, "{hedges}");
        assert_eq!(budget.running(), 0);
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Request,
        Hedge,
        End(bool),
    }

    proptest! {
        #[test]
        fn hedges_never_exceed_their_share(
            percent in 1_u32..=100,
            steps in proptest::collection::vec(
                prop_oneof![
                    4 => Just(Step::Request),
                    2 => Just(Step::Hedge),
                    1 => any::<bool>().prop_map(Step::End),
                ],
                0..2_000,
            ),
        ) {
            let budget = HedgeBudget::default();
            let (mut requests, mut hedges) = (0_u64, 0_u64);
            let mut running = Vec::new();
            for step in steps {
                match step {
                    Step::Request => {
                        budget.note_request();
                        requests += 1;
                    }
                    Step::Hedge => {
                        let permit = budget.try_take(percent);
                        hedges += u64::from(permit.is_some());
                        running.extend(permit);
                    }
                    Step::End(is_used) => {
                        if let Some(permit) = running.pop().filter(|_| !is_used) {
                            permit.unused();
                            hedges -= 1;
                        }
                    }
                }
                prop_assert!(running.len() <= 64);
                prop_assert!(100 * hedges <= 200 + u64::from(percent) * requests);
            }
        }
    }
}
