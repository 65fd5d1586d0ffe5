//! What an import did, or would do.

use std::fmt;

use crate::domain::money::usd;

/// Rows of one table that are told of one by one; further ones are counted.
const MOST: usize = 1000;

/// What an import did, or would do.
#[derive(Debug, Default)]
pub struct Report {
    /// Whether it was done; otherwise nothing was changed.
    pub is_applied: bool,
    /// Names the source, the same whenever it is imported.
    pub source: String,
    /// Table by table.
    pub tables: Vec<Table>,
    /// What has no counterpart here: its name and how many there are.
    pub left_out: Vec<(String, i64)>,
    /// What means something else here, or should be looked at.
    pub warnings: Vec<String>,
    /// What was spent by the month, there and here.
    pub months: Vec<Month>,
}

/// What becomes of one table's rows.
#[derive(Debug, Default)]
pub struct Table {
    /// Its name there.
    pub name: &'static str,
    /// Rows there.
    pub found: u64,
    /// Those that were not here.
    pub new: u64,
    /// Those that changed there since they were imported.
    pub changed: u64,
    /// Those that are here as they are there.
    pub same: u64,
    /// Those that are here and were changed here, which stay so.
    pub kept: u64,
    /// Those that are not imported, and why.
    pub skipped: Said,
    /// What is to be said of single rows that are imported.
    pub notes: Said,
}

/// What is said of rows, by their id there.
#[derive(Debug, Default)]
pub struct Said {
    /// The first ones.
    pub said: Vec<(i64, String)>,
    /// How many there are, these included.
    pub count: u64,
}

/// A month of spending, in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Month {
    /// As `2026-01`.
    pub month: String,
    /// Billed requests there.
    pub requests: i64,
    /// Nano-USD there.
    pub there: i128,
    /// Usage lines here that were imported from there.
    pub lines: i64,
    /// Nano-USD of them.
    pub here: i128,
}

// === impl Report ===

impl Report {
    /// Whether anything was, or would be, written.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.tables
            .iter()
            .any(|table| table.new + table.changed > 0)
    }
}

// === impl Table ===

impl Table {
    /// Nothing of it yet.
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }
}

// === impl Said ===

impl Said {
    pub(super) fn add(&mut self, id: i64, what: impl Into<String>) {
        self.count += 1;
        if self.said.len() < MOST {
            self.said.push((id, what.into()));
        }
    }
}

// === impl Month ===

impl Month {
    /// Whether both sums are the same but for what rounding each line to whole nano-USD makes.
    #[must_use]
    pub fn is_same(&self) -> bool {
        (self.there - self.here).abs() <= i128::from(self.lines.max(self.requests)) / 2 + 1
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Import from claude-code-hub {}\n", self.source)?;
        let heads = [
            "table", "found", "new", "changed", "same", "kept", "skipped",
        ];
        let [table, found, new, changed, same, kept, skipped] = heads;
        writeln!(
            f,
            "{table:<18}{found:>10}{new:>10}{changed:>10}{same:>10}{kept:>10}{skipped:>10}"
        )?;
        for table in &self.tables {
            writeln!(
                f,
                "{:<18}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
                table.name,
                table.found,
                table.new,
                table.changed,
                table.same,
                table.kept,
                table.skipped.count
            )?;
        }
        for (head, pick) in [
            ("Not imported", (|t| &t.skipped) as fn(&Table) -> &Said),
            ("To look at", |t| &t.notes),
        ] {
            if self.tables.iter().any(|table| pick(table).count > 0) {
                writeln!(f, "\n{head}:")?;
            }
            for table in &self.tables {
                said(f, table.name, pick(table))?;
            }
        }
        if !self.left_out.is_empty() {
            writeln!(f, "\nWithout a counterpart here, not imported:")?;
            for (what, count) in &self.left_out {
                writeln!(f, "  {what}: {count}")?;
            }
        }
        if !self.warnings.is_empty() {
            writeln!(f, "\nWarnings:")?;
            for warning in &self.warnings {
                writeln!(f, "  {warning}")?;
            }
        }
        months(f, &self.months)?;
        if self.is_applied {
            writeln!(f, "\nDone.")
        } else {
            writeln!(
                f,
                "\nNothing was changed: this was a dry run. Run it again with --apply to import."
            )
        }
    }
}

fn said(f: &mut fmt::Formatter<'_>, table: &str, said: &Said) -> fmt::Result {
    for (id, what) in &said.said {
        writeln!(f, "  {table} {id}: {what}")?;
    }
    let more = said.count - said.said.len() as u64;
    if more > 0 {
        writeln!(f, "  {table}: and {more} more")?;
    }
    Ok(())
}

fn months(f: &mut fmt::Formatter<'_>, months: &[Month]) -> fmt::Result {
    if months.is_empty() {
        return Ok(());
    }
    writeln!(
        f,
        "\n{:<10}{:>12}{:>22}{:>12}{:>22}",
        "month", "requests", "USD there", "lines", "USD imported"
    )?;
    for month in months {
        writeln!(
            f,
            "{:<10}{:>12}{:>22}{:>12}{:>22}",
            month.month,
            month.requests,
            usd(month.there),
            month.lines,
            usd(month.here)
        )?;
    }
    Ok(())
}
