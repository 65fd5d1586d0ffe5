//! Pages: a limit and an opaque cursor, which is the last row's id.

use std::str::FromStr;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::problem::{Mistake, Problem};

/// Rows of a page when the caller does not say.
pub const DEFAULT_LIMIT: u64 = 50;

/// Where a page begins and how long it is.
#[derive(Debug, Clone, Copy)]
pub struct Window<T> {
    /// The row after which it begins; none for the first.
    pub after: Option<T>,
    /// Its rows.
    pub limit: u64,
}

/// Some rows and the way to the next.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page, when there is more.
    pub next: Option<String>,
}

// === impl Window ===

impl<T: FromStr> Window<T> {
    /// Reads a caller's cursor.
    ///
    /// # Errors
    /// 422 when it is not one of ours.
    pub fn new(cursor: Option<&str>, limit: Option<u64>) -> Result<Self, Problem> {
        let after = cursor
            .map(|cursor| {
                let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
                std::str::from_utf8(&bytes).ok()?.parse().ok()
            })
            .map(|id| id.ok_or_else(bad_cursor))
            .transpose()?;
        Ok(Self {
            after,
            limit: limit.unwrap_or(DEFAULT_LIMIT),
        })
    }
}

impl<T> Window<T> {
    /// Rows to ask for: one more than the page has, which tells whether there is a next page.
    pub fn fetch(&self) -> u64 {
        self.limit + 1
    }
}

// === impl Page ===

impl<T> Page<T> {
    /// Cuts the rows of [`Window::fetch`] to a page.
    pub fn cut<W, I: ToString>(window: &Window<W>, mut rows: Vec<T>, id: impl Fn(&T) -> I) -> Self {
        let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows
            .last()
            .filter(|_| has_more)
            .map(|last| cursor(id(last)));
        Self { items: rows, next }
    }

    /// The page with every row turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
        }
    }
}

/// The cursor of what follows the row with this id.
pub fn cursor(id: impl ToString) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id.to_string())
}

fn bad_cursor() -> Problem {
    Problem::invalid(vec![Mistake::new(
        "cursor",
        "invalid",
        "is not a cursor of this list",
    )])
}
