//! The prices this program was built with: `data/prices.tsv`, made by `scripts/build-prices` from LiteLLM's public table.
//!
//! One line a model, its name and its figures, in the order of the names, so that a change of a price is one changed line.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{BadPrice, Price};

/// The table as it is in the repository.
pub const TEXT: &str = include_str!("../../../data/prices.tsv");

/// Prices by model.
#[derive(Debug, Default)]
pub struct Table(HashMap<&'static str, Price>);

/// A line of a table that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub why: BadPrice,
}

/// The built-in table, read when it is first asked for: three milliseconds.
pub fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        // A test reads every line, so a build whose table has a bad one does not pass.
        Table::read(TEXT).unwrap_or_default()
    });
    &TABLE
}

// === impl Table ===

impl Table {
    /// Reads a table.
    ///
    /// # Errors
    /// Names the first line that is no price.
    pub fn read(text: &'static str) -> Result<Self, BadLine> {
        let lines = text.lines().enumerate();
        let prices = lines.filter(|(_, line)| !line.starts_with('#') && !line.is_empty());
        prices
            .map(|(at, line)| {
                let (model, figures) = line.split_once('\t').unwrap_or((line, ""));
                let price = figures
                    .parse()
                    .map_err(|why| BadLine { line: at + 1, why })?;
                Ok((model, price))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// A model's name and price.
    #[must_use]
    pub fn get(&self, model: &str) -> Option<(&'static str, &Price)> {
        self.0
            .get_key_value(model)
            .map(|(name, price)| (*name, price))
    }

    /// The models, in no order.
    pub fn models(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read_and_is_written_as_it_stands() {
        let table = Table::read(TEXT).unwrap();
        let lines: Vec<&str> = TEXT.lines().filter(|l| !l.starts_with('#')).collect();
        assert!(lines.len() > 2000);
        assert_eq!(lines.len(), table.0.len(), "no model twice");
        assert!(lines.is_sorted());
        for line in lines {
            let (model, _) = line.split_once('\t').unwrap();
            let (name, price) = table.get(model).unwrap();
            assert_eq!(line, format!("{name}\t{price}"));
        }
    }

    #[test]
    fn it_is_small() {
        assert!(TEXT.len() < 600_000, "{} bytes", TEXT.len());
    }
}
