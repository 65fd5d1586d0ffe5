//! The scripts in force: by name, inline, and the one for everything else.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::behaviour::{BadScript, Behaviour};
use super::percent;

/// A handle to the behaviours of a running mock; clones share them.
#[derive(Clone, Default)]
pub struct Stage(Arc<Mutex<Scripts>>);

#[derive(Default)]
struct Scripts {
    named: HashMap<String, Script>,
    inline: HashMap<String, Script>,
    /// Inline scripts, oldest first, so that endless new ones do not fill the memory.
    order: VecDeque<String>,
}

struct Script {
    behaviour: Arc<Behaviour>,
    played: u64,
}

/// A request's path, split into what scripts it and what it asks for.
pub(super) struct Cue<'a> {
    script: Choice<'a>,
    /// The path behind the script's segments, starting with `/`.
    pub(super) path: &'a str,
}

#[derive(Clone, Copy)]
enum Choice<'a> {
    Default,
    Inline(&'a str),
    Named(&'a str),
}

const MAX_INLINE: usize = 1024;

// === impl Stage ===

impl Stage {
    /// The name under which a behaviour applies to requests whose path names none.
    pub const DEFAULT: &'static str = "default";

    /// Sets a behaviour for paths that start `/b/{name}/`, and starts counting its `times` afresh.
    pub fn set(&self, name: impl Into<String>, behaviour: Behaviour) {
        self.lock()
            .named
            .insert(name.into(), Script::new(behaviour));
    }

    /// Forgets a behaviour. False when there was none.
    #[must_use]
    pub fn remove(&self, name: &str) -> bool {
        self.lock().named.remove(name).is_some()
    }

    /// Forgets every behaviour and every count.
    pub fn clear(&self) {
        *self.lock() = Scripts::default();
    }

    /// Every named behaviour.
    #[must_use]
    pub fn named(&self) -> Vec<(String, Arc<Behaviour>)> {
        let scripts = self.lock();
        let mut named: Vec<_> = scripts
            .named
            .iter()
            .map(|(name, script)| (name.clone(), script.behaviour.clone()))
            .collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        named
    }

    /// The behaviour for one more request, counted against its `times`.
    pub(super) fn play(&self, cue: &Cue<'_>) -> Result<Arc<Behaviour>, BadScript> {
        let mut scripts = self.lock();
        match cue.script {
            Choice::Default => Ok(match scripts.named.get_mut(Self::DEFAULT) {
                Some(script) => script.play(),
                None => Arc::default(),
            }),
            Choice::Named(name) => {
                let name = percent::decode(name);
                match scripts.named.get_mut(&name) {
                    Some(script) => Ok(script.play()),
                    None => Err(BadScript::Unknown(name)),
                }
            }
            Choice::Inline(text) => scripts.inline(text),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Scripts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Scripts ===

impl Scripts {
    fn inline(&mut self, text: &str) -> Result<Arc<Behaviour>, BadScript> {
        if let Some(script) = self.inline.get_mut(text) {
            return Ok(script.play());
        }
        let mut script = Script::new(Behaviour::from_inline(text)?);
        let behaviour = script.play();
        if self.order.len() >= MAX_INLINE
            && let Some(oldest) = self.order.pop_front()
        {
            self.inline.remove(&oldest);
        }
        self.order.push_back(text.to_owned());
        self.inline.insert(text.to_owned(), script);
        Ok(behaviour)
    }
}

// === impl Script ===

impl Script {
    fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour: Arc::new(behaviour),
            played: 0,
        }
    }

    fn play(&mut self) -> Arc<Behaviour> {
        self.played += 1;
        match self.behaviour.times {
            Some(times) if self.played > times => Arc::default(),
            _ => self.behaviour.clone(),
        }
    }
}

// === impl Cue ===

impl<'a> Cue<'a> {
    pub(super) fn new(path: &'a str) -> Self {
        if let Some(rest) = path.strip_prefix("/~") {
            let (script, path) = split(rest);
            return Self {
                script: Choice::Inline(script),
                path,
            };
        }
        if let Some(rest) = path.strip_prefix("/b/") {
            let (name, path) = split(rest);
            return Self {
                script: Choice::Named(name),
                path,
            };
        }
        Self {
            script: Choice::Default,
            path,
        }
    }
}

/// The first segment, and the rest with its slash.
fn split(text: &str) -> (&str, &str) {
    match text.find('/') {
        Some(at) => text.split_at(at),
        None => (text, "/"),
    }
}
