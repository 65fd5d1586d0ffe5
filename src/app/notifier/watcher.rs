//! Finds what is worth telling.
//!
//! Every second it looks at the breakers, whose changes are kept, a bounded number of them, until the table has them; every fifteen at what is
//! spent, at how requests ended, and at models without a price, all of which can be looked at again. Only what some rule wants is
//! looked at. Rules and targets are read when the configuration's revision changes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use entity::notification_rule::Model as Rule;
use entity::notification_target::Model as Target;
use entity::value::NoticeKind;
use futures_util::{StreamExt, stream};
use sea_orm::DbErr;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::Notifier;
use super::deliverer::PATIENCE;
use super::sending::message;
use crate::app::runtime::Stop;
use crate::domain::limits::{Party, Subject};
use crate::domain::notice::words::words;
use crate::domain::notice::{Finding, Item, Notice, cut};
use crate::policy::breaker::{Scope, View};
use crate::policy::notify::breakers::{Change, Memory};
use crate::policy::notify::jump::{Count, Samples};
use crate::policy::notify::near::{self, Named};
use crate::policy::notify::{quiet_until, report};
use crate::store::database::within;
use crate::store::snapshot::Snapshot;
use crate::store::{notices, yesterday};
use crate::telemetry::metrics::notices::Told;

const TICK: Duration = Duration::from_secs(1);
/// How often it is looked at what changes slowly.
const LOOK: Duration = Duration::from_secs(15);
/// Counters that are read at once.
const READ_AT_ONCE: usize = 32;
/// Changes of breakers that wait for the table. Of more, the oldest are forgotten.
const MOST_CHANGES: usize = 256;
/// A model without a price is told of once in so long, however short the rule's quiet time.
const UNPRICED_QUIET: TimeDelta = TimeDelta::hours(24);

/// The task that finds.
pub struct Watcher {
    facts: Notifier,
    wake: Arc<Notify>,
    rules: Vec<Rule>,
    targets: Vec<Target>,
    /// The revision they were read at.
    revision: Option<i64>,
    memory: Memory,
    samples: Samples,
    /// Changes of breakers not told yet, by what is told, subject and item.
    changes: Vec<(NoticeKind, String, Item)>,
    /// When each rule owes its next report.
    next_reports: HashMap<i64, DateTime<Utc>>,
    looked: Option<Instant>,
    is_away: bool,
}

// === impl Watcher ===

impl Watcher {
    /// Begins with the breakers as they are now, before the first request: what opens from here on is told.
    pub fn new(facts: Notifier, wake: Arc<Notify>) -> Self {
        let mut memory = Memory::default();
        memory.look(facts.breakers());
        Self {
            facts,
            wake,
            rules: Vec::new(),
            targets: Vec::new(),
            revision: None,
            memory,
            samples: Samples::default(),
            changes: Vec::new(),
            next_reports: HashMap::new(),
            looked: None,
            is_away: false,
        }
    }

    /// Looks until told to stop.
    pub async fn run(mut self, mut stop: Stop) {
        loop {
            tokio::select! {
                // An error means that nobody is left who could say stop.
                _ = stop.wait_for(|stop| *stop) => return,
                () = sleep(TICK) => {}
            }
            let looked = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                looked = self.look() => looked,
            };
            match (&looked, self.is_away) {
                (Err(error), false) => {
                    tracing::warn!(%error, "what people are to be told waits for the database");
                }
                (Ok(()), true) => tracing::info!("people are told of events again"),
                (Ok(()), false) | (Err(_), true) => {}
            }
            self.is_away = looked.is_err();
        }
    }

    async fn look(&mut self) -> Result<(), DbErr> {
        let config = self.facts.config.current();
        self.look_at_breakers(&config);
        self.refresh().await?;
        let now = Utc::now();
        self.tell_breakers(now).await?;
        self.report(&config, now).await?;
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            self.errors(&config, now).await?;
            self.money(&config, now).await?;
            self.unpriced(now).await?;
        }
        Ok(())
    }

    /// Reads rules and targets when they may have changed.
    async fn refresh(&mut self) -> Result<(), DbErr> {
        let revision = self.facts.config.revision();
        if self.revision == Some(revision) {
            return Ok(());
        }
        self.rules = within(PATIENCE, notices::rules(&self.facts.db)).await?;
        self.targets = within(PATIENCE, notices::targets(&self.facts.db)).await?;
        self.next_reports.clear();
        // A new rule need not wait.
        self.looked = None;
        self.revision = Some(revision);
        Ok(())
    }

    /// The rules of an event that have somebody to tell.
    fn rules_of(&self, event: NoticeKind) -> Vec<Rule> {
        let is_there = |id: &i64| self.targets.iter().any(|target| target.id == *id);
        let rules = self.rules.iter().filter(|rule| rule.event == event);
        let rules = rules.filter(|rule| rule.target_ids.0.iter().any(is_there));
        rules.cloned().collect()
    }

    fn look_at_breakers(&mut self, config: &Snapshot) {
        let changes = self.memory.look(self.facts.breakers());
        let told = changes
            .into_iter()
            .filter_map(|change| described(change, config));
        self.changes.extend(told);
        let excess = self.changes.len().saturating_sub(MOST_CHANGES);
        self.changes.drain(..excess);
    }

    async fn tell_breakers(&mut self, now: DateTime<Utc>) -> Result<(), DbErr> {
        if self.changes.is_empty() {
            return Ok(());
        }
        for kind in [NoticeKind::BreakerOpened, NoticeKind::BreakerClosed] {
            for rule in self.rules_of(kind) {
                let found = self.changes.iter().filter(|(of, ..)| *of == kind);
                let found = found.map(|(_, subject, item)| Finding {
                    subject: subject.clone(),
                    quiet_until: quiet_until(&rule, now),
                    item: item.clone(),
                });
                self.tell(&rule, found.collect(), now).await?;
            }
        }
        self.changes.clear();
        Ok(())
    }

    async fn report(&mut self, config: &Snapshot, now: DateTime<Utc>) -> Result<(), DbErr> {
        for rule in self.rules_of(NoticeKind::DailyReport) {
            let next = self.next_reports.get(&rule.id);
            if next.is_some_and(|next| now < *next) {
                continue;
            }
            let Some(due) = report::due(&rule, config.time_zone, now) else {
                continue;
            };
            let report = yesterday::report(&self.facts.db, due.day, due.window);
            let finding = Finding {
                subject: format!("report:{}", due.day),
                quiet_until: due.next,
                item: Item::Report(within(PATIENCE, report).await?),
            };
            self.tell(&rule, vec![finding], now).await?;
            self.next_reports.insert(rule.id, due.next);
        }
        Ok(())
    }

    async fn errors(&mut self, config: &Snapshot, now: DateTime<Utc>) -> Result<(), DbErr> {
        let counts = self.facts.metrics.outcomes().into_iter();
        let counts = counts.map(|(provider, (requests, failures))| {
            let count = Count { requests, failures };
            (provider, count)
        });
        self.samples.add(now, counts.collect());
        for rule in self.rules_of(NoticeKind::ErrorRateJump) {
            let found = self.samples.find(&rule, now, |id| config.provider_name(id));
            self.tell(&rule, found, now).await?;
        }
        Ok(())
    }

    async fn money(&self, config: &Snapshot, now: DateTime<Utc>) -> Result<(), DbErr> {
        let of_callers = self.rules_of(NoticeKind::LimitNear);
        let of_providers = self.rules_of(NoticeKind::ProviderOutOfBudget);
        let mut found: HashMap<i64, Vec<Finding>> = HashMap::new();
        let rules = |party: &Party| match party.subject {
            Subject::Provider(_) => &of_providers,
            Subject::Key(_) | Subject::User(_) => &of_callers,
        };
        let quota = &self.facts.quota;
        let mut asked = parties(config);
        asked.retain(|(party, _)| !rules(party).is_empty());
        let mut readings = stream::iter(asked)
            .map(async |(party, named)| (quota.read(&party, now).await, party, named))
            .buffer_unordered(READ_AT_ONCE);
        while let Some((reading, party, named)) = readings.next().await {
            let windows = quota.windows(&party.limits, now);
            for rule in rules(&party) {
                let percent = near::percent(rule);
                let near = near::find(&party, &named, (&reading, &windows), percent, now);
                found.entry(rule.id).or_default().extend(near);
            }
        }
        for rule in of_callers.iter().chain(&of_providers) {
            if let Some(found) = found.remove(&rule.id) {
                self.tell(rule, found, now).await?;
            }
        }
        Ok(())
    }

    async fn unpriced(&self, now: DateTime<Utc>) -> Result<(), DbErr> {
        let rules = self.rules_of(NoticeKind::UnpricedModel);
        if rules.is_empty() {
            return Ok(());
        }
        let since = now - TimeDelta::hours(1);
        let models = within(PATIENCE, yesterday::unpriced(&self.facts.db, since)).await?;
        for rule in rules {
            let quiet_until = quiet_until(&rule, now).max(now + UNPRICED_QUIET);
            let found = models.iter().map(|(model, item)| Finding {
                subject: format!("model:{model}"),
                quiet_until,
                item: item.clone(),
            });
            self.tell(&rule, found.collect(), now).await?;
        }
        Ok(())
    }

    /// Has the table say what of it is news, and writes the messages.
    async fn tell(
        &self,
        rule: &Rule,
        found: Vec<Finding>,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        if found.is_empty() {
            return Ok(());
        }
        let zone = self.facts.config.current().time_zone;
        let targets = self.targets.iter();
        let targets: Vec<&Target> = targets
            .filter(|target| rule.target_ids.0.contains(&target.id))
            .collect();
        let messages = |news: Vec<Finding>| {
            let items = news.into_iter().map(|finding| finding.item).collect();
            let notice = Notice::new(rule.event, now, items);
            let written = targets.iter().map(|target| {
                let title = words(&notice, target.language, zone).title;
                message(target, &notice, title)
            });
            written.collect()
        };
        let told = notices::tell(&self.facts.db, rule, found, now, messages);
        let told = within(PATIENCE, told).await?;
        for id in told.dropped {
            let target = self.targets.iter().find(|target| target.id == id);
            let kind = target.map(|target| target.kind);
            self.facts.metrics.notices.ended(kind, Told::Dropped);
        }
        if told.messages > 0 {
            self.wake.notify_one();
        }
        Ok(())
    }
}

/// Whose money is looked at, each once, with their names: those that are switched on and have a limit of money.
fn parties(config: &Snapshot) -> Vec<(Party, Named)> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut add = |party: &Party, name: &str, owner: Option<&str>| {
        if party.least_money().is_some() && seen.insert(party.subject) {
            let named = Named {
                name: name.to_owned(),
                owner: owner.map(str::to_owned),
            };
            found.push((*party, named));
        }
    };
    for key in config.keys.values() {
        if !key.is_enabled || !key.user.is_enabled {
            continue;
        }
        for party in key.parties.iter() {
            match party.subject {
                Subject::Key(_) => add(party, &key.name, Some(&key.user.name)),
                Subject::User(_) | Subject::Provider(_) => add(party, &key.user.name, None),
            }
        }
    }
    for provider in config.providers.iter().filter(|p| p.is_enabled) {
        for party in provider.parties.iter() {
            add(party, &provider.name, None);
        }
    }
    found
}

/// What is told of a breaker, unless its provider is gone.
fn described(change: Change, config: &Snapshot) -> Option<(NoticeKind, String, Item)> {
    let (kind, scope, view) = match change {
        Change::Opened(view) => (NoticeKind::BreakerOpened, view.scope.clone(), Some(view)),
        Change::Closed(scope) => (NoticeKind::BreakerClosed, scope, None),
    };
    let provider = config.provider(scope.provider())?;
    let place = match &scope {
        Scope::Provider(_) => None,
        Scope::Endpoint(_, index) => {
            let endpoint = provider.endpoints.get(*index);
            endpoint.map(|endpoint| endpoint.authority.clone())
        }
        Scope::Model(_, model) => Some(cut(model)),
    };
    let (name, which) = scope.columns();
    let subject = format!("breaker:{}:{name}:{which}", provider.id);
    let reason = view.as_ref().map(|view: &View| view.reason.as_str());
    let item = Item::Breaker {
        provider: cut(&provider.name),
        scope: name.to_owned(),
        subject: place,
        reason: reason.filter(|reason| !reason.is_empty()).map(cut),
        open_until: view.as_ref().and_then(|view| view.until),
    };
    Some((kind, subject, item))
}
