//! Breakers that opened or closed, from how they stood when they were last looked at.
//!
//! A node tells of its own failures only: a breaker that is on trial because another node says so is that node's to tell of. One that is
//! open already when the process starts was told of by whoever opened it.

use std::collections::HashMap;

use crate::policy::breaker::{Scope, State, View};

/// How they stood.
#[derive(Debug, Default)]
pub struct Memory {
    last: Option<HashMap<Scope, Stood>>,
}

#[derive(Debug, Clone, Copy)]
struct Stood {
    is_closed: bool,
    opened: u32,
}

/// What happened to a breaker.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It opened, for the first time or again.
    Opened(View),
    /// It closed, or was reset.
    Closed(Scope),
}

// === impl Memory ===

impl Memory {
    /// What happened since it was last looked.
    pub fn look(&mut self, views: Vec<View>) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut now = HashMap::with_capacity(views.len());
        let is_first = self.last.is_none();
        let mut before = self.last.take().unwrap_or_default();
        for view in views {
            let stands = Stood {
                is_closed: view.state == State::Closed || view.is_advice || is_resting(&view),
                opened: view.opened,
            };
            now.insert(view.scope.clone(), stands);
            let stood = before.remove(&view.scope);
            if is_first {
                continue;
            }
            let times = stood.map_or(0, |stood| stood.opened);
            if !stands.is_closed && stands.opened > times {
                changes.push(Change::Opened(view));
            } else if stands.is_closed && stood.is_some_and(|stood| !stood.is_closed) {
                changes.push(Change::Closed(view.scope));
            }
        }
        // What is not listed any more was reset.
        let gone = before.into_iter().filter(|(_, stood)| !stood.is_closed);
        changes.extend(gone.map(|(scope, _)| Change::Closed(scope)));
        self.last = Some(now);
        changes
    }
}

/// It asked to be left alone and never failed.
fn is_resting(view: &View) -> bool {
    view.state == State::Resting && view.opened == 0
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn view(provider: i64, state: State, opened: u32) -> View {
        View {
            scope: Scope::Provider(provider),
            state,
            reason: "5 failures in a row".into(),
            since: DateTime::UNIX_EPOCH,
            until: None,
            consecutive_failures: 0,
            opened,
            samples: Vec::new(),
            is_advice: false,
        }
    }

    /// Which, and whether it opened.
    fn told(changes: &[Change]) -> Vec<(i64, bool)> {
        let told = changes.iter().map(|change| match change {
            Change::Opened(view) => (view.scope.provider(), true),
            Change::Closed(scope) => (scope.provider(), false),
        });
        told.collect()
    }

    #[test]
    fn what_opens_and_closes_is_told_once_each() {
        let mut memory = Memory::default();
        let mut look = |views: Vec<View>| told(&memory.look(views));
        assert_eq!(look(vec![view(1, State::Open, 3)]), []);
        assert_eq!(look(vec![view(1, State::Open, 3)]), []);
        assert_eq!(look(vec![view(1, State::Closed, 3)]), [(1, false)]);
        let two = || vec![view(1, State::Closed, 3), view(2, State::Open, 1)];
        assert_eq!(look(two()), [(2, true)]);
        assert_eq!(look(two()), []);
        assert_eq!(look(vec![view(2, State::HalfOpen, 1)]), []);
        assert_eq!(look(vec![view(2, State::Open, 2)]), [(2, true)]);
        assert_eq!(look(vec![]), [(2, false)]);
        assert_eq!(look(vec![]), []);
    }

    #[test]
    fn advice_and_rest_are_nobody_s_failure() {
        let mut memory = Memory::default();
        memory.look(vec![]);
        let mut advised = view(1, State::HalfOpen, 0);
        advised.is_advice = true;
        let rests = view(2, State::Resting, 0);
        assert_eq!(memory.look(vec![advised, rests]), []);
        assert_eq!(memory.look(vec![]), []);
    }
}
