//! The stored prices, for the snapshot.

use entity::price;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};

use crate::domain::price::PriceBook;

/// A row that cannot be read. The rest works without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its id.
    pub id: i64,
    /// The model it is about.
    pub model: String,
    /// What is wrong with it.
    pub why: String,
}

/// Reads all prices, over the built-in table, and names the rows that cannot be read.
///
/// # Errors
/// When the database fails.
pub async fn load_prices(db: &impl ConnectionTrait) -> Result<(PriceBook, Vec<Unreadable>), DbErr> {
    let mut rows = Vec::new();
    let mut unreadable = Vec::new();
    for row in price::Entity::find().all(db).await? {
        let (id, model) = (row.id, row.model.clone());
        match row.read() {
            Ok(row) => rows.push(row),
            Err(why) => unreadable.push(Unreadable { id, model, why }),
        }
    }
    Ok((PriceBook::new(rows), unreadable))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use entity::value::Strings;
    use sea_orm::ActiveValue::{NotSet, Set};
    use sea_orm::{ActiveModelTrait, DatabaseConnection};

    use super::*;
    use crate::store::testing::{TestDb, now};

    async fn add(db: &DatabaseConnection, source: &str, figures: &str, from: DateTime<Utc>) -> i64 {
        let row = price::ActiveModel {
            id: NotSet,
            model: Set("house/model".to_owned()),
            source: Set(source.to_owned()),
            figures: Set((!figures.is_empty()).then(|| figures.to_owned())),
            aliases: Set(Strings(vec!["fast".to_owned()])),
            effective_at: Set(from),
            created_at: Set(now()),
        };
        row.insert(db).await.unwrap().id
    }

    #[tokio::test]
    async fn prices_are_loaded_with_their_times() {
        for test in TestDb::all().await {
            let db = &test.db;
            let today = now();
            let yesterday = today - TimeDelta::days(1);
            add(db, "synced", "input=1", DateTime::UNIX_EPOCH).await;
            let manual = add(db, "manual", "input=2", yesterday).await;
            add(db, "manual", "", today).await;
            let bad = add(db, "manual", "input=cheap", today).await;
            let (book, unreadable) = load_prices(db).await.unwrap();
            let figures = |name: &str, at| book.lookup(name, at).map(|p| p.price.to_string());
            let before = yesterday - TimeDelta::seconds(1);
            assert_eq!(figures("house/model", before).as_deref(), Some("input=1"));
            assert_eq!(figures("fast", yesterday).as_deref(), Some("input=2"));
            assert_eq!(figures("fast", today).as_deref(), Some("input=1"));
            let priced = book.lookup("house/model", yesterday).unwrap();
            assert_eq!(priced.reference(), format!("manual:{manual}"));
            assert_eq!(unreadable.len(), 1);
            assert_eq!(
                (unreadable[0].id, unreadable[0].model.as_str()),
                (bad, "house/model")
            );
            assert!(unreadable[0].why.contains("input"));
            test.drop().await;
        }
    }
}
