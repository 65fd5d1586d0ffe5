//! Reads one setting after the other from file and environment and remembers what was wrong with each.
//!
//! A value is the same text wherever it stands, `port = 23000`, `port = "23000"` and `APP_PORT=23000` alike, so that each setting has one
//! parser. Both places are always checked: a mistake in the file is reported even where a variable overrides it.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::mistakes::{Mistake, Mistakes};
use super::{DEFAULT_FILE, Source};

/// A setting's two names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Dotted path in the file.
    pub(super) key: &'static str,
    /// Variable.
    pub(super) variable: &'static str,
}

/// The file's values that nobody has asked for yet, the environment, and the mistakes so far.
pub(super) struct Reader<'a> {
    file_name: String,
    values: Vec<(String, FileValue)>,
    env: &'a dyn Source,
    mistakes: Vec<Mistake>,
}

enum FileValue {
    Text(String),
    Wrong(&'static str),
}

// === impl Place ===

impl Place {
    pub(super) const fn new(key: &'static str, variable: &'static str) -> Self {
        Self { key, variable }
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// Reads the file, if there is one. What is wrong with it is kept for [`Reader::finish`].
    pub(super) fn open(file: Option<&Path>, env: &'a dyn Source) -> Self {
        let path = file.unwrap_or_else(|| Path::new(DEFAULT_FILE));
        let mut reader = Self {
            file_name: path.display().to_string(),
            values: Vec::new(),
            env,
            mistakes: Vec::new(),
        };
        match std::fs::read_to_string(path) {
            Ok(text) => reader.take_apart(&text),
            Err(e) if file.is_none() && e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => reader.mistake(path.display().to_string(), format!("cannot be read: {e}")),
        }
        reader
    }

    /// The setting at `place`: the variable's value, else the file's. `None` when it is set nowhere or wrong.
    pub(super) fn read<T>(
        &mut self,
        place: Place,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let from_file = self.read_file(place.key, &parse);
        let from_env = self.read_variable(place.variable, &parse);
        from_env.or(from_file)
    }

    /// The setting's value in the file.
    pub(super) fn read_file<T>(
        &mut self,
        key: &str,
        parse: &impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let at = self.values.iter().position(|(known, _)| known == key)?;
        let (_, value) = self.values.swap_remove(at);
        let parsed = match value {
            FileValue::Text(text) if text.trim().is_empty() => return None,
            FileValue::Text(text) => parse(text.trim()),
            FileValue::Wrong(found) => Err(format!("must be a single value, not {found}")),
        };
        parsed
            .map_err(|what| self.mistake(self.in_file(key), what))
            .ok()
    }

    /// The setting's value in the environment, quotes around it removed.
    pub(super) fn read_variable<T>(
        &mut self,
        variable: &str,
        parse: &impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let raw = self.env.get(variable)?;
        let text = unquoted(raw.trim()).trim();
        if text.is_empty() {
            return None;
        }
        let parsed = if text.contains(char::REPLACEMENT_CHARACTER) {
            Err("is not UTF-8".to_owned())
        } else {
            parse(text)
        };
        parsed
            .map_err(|what| self.mistake(variable.to_owned(), what))
            .ok()
    }

    /// Notes a mistake that concerns settings together.
    pub(super) fn mistake(&mut self, where_: String, what: String) {
        self.mistakes.push(Mistake { where_, what });
    }

    /// Ends the reading: keys nobody asked for are mistakes too.
    ///
    /// # Errors
    /// Everything that was wrong.
    pub(super) fn finish(mut self) -> Result<(), Mistakes> {
        let mut unknown: Vec<String> = self.values.iter().map(|(key, _)| key.clone()).collect();
        unknown.sort_unstable();
        for key in unknown {
            self.mistake(self.in_file(&key), "is not a known setting".to_owned());
        }
        if self.mistakes.is_empty() {
            Ok(())
        } else {
            Err(Mistakes(self.mistakes))
        }
    }

    fn in_file(&self, key: &str) -> String {
        format!("{}: {key}", self.file_name)
    }

    /// Takes the file's text apart. With an error of syntax in it no value is taken: what was recovered around it may mean anything.
    fn take_apart(&mut self, text: &str) {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let start = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.as_bytes()[..start]
                .iter()
                .filter(|b| **b == b'\n')
                .count()
                + 1;
            let what = error.message().replace('\n', ", ");
            self.mistake(format!("{}: line {line}", self.file_name), what);
        }
        if errors.is_empty() {
            flatten("", table.get_ref(), &mut self.values);
        }
    }
}

fn flatten(prefix: &str, table: &DeTable<'_>, into: &mut Vec<(String, FileValue)>) {
    for (key, value) in table {
        let path = if prefix.is_empty() {
            key.get_ref().to_string()
        } else {
            format!("{prefix}.{}", key.get_ref())
        };
        let value = match value.get_ref() {
            DeValue::Table(inner) => {
                flatten(&path, inner, into);
                continue;
            }
            DeValue::String(text) => FileValue::Text(text.to_string()),
            DeValue::Integer(number) => FileValue::Text(number.to_string()),
            DeValue::Boolean(flag) => FileValue::Text(flag.to_string()),
            DeValue::Float(_) => FileValue::Wrong("a fraction"),
            DeValue::Datetime(_) => FileValue::Wrong("a date"),
            DeValue::Array(_) => FileValue::Wrong("a list"),
        };
        into.push((path, value));
    }
}

fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    text
}
