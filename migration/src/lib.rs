//! Floor 0: the schema's history. One change a file, names as strings, frozen once landed: a later change is a new file.

pub use sea_orm_migration::{MigratorTrait, migrator::MigrationStatus};

use sea_orm_migration::MigrationTrait;

mod m20261121_000001_configuration;
mod m20261121_000002_history;
mod m20261121_000003_routing;
mod m20261121_000004_breakers;
mod m20261121_000006_prices;
mod m20261121_000007_limits;
mod m20261121_000008_rollups;
mod m20261121_000009_audit;
mod m20261121_000010_request_filters;
mod m20261121_000011_imports;
mod m20261121_000012_notifications;
mod m20261121_000013_restored;
mod m20261121_000014_usage_spans;

/// All migrations in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_configuration::Migration),
            Box::new(m20261121_000002_history::Migration),
            Box::new(m20261121_000003_routing::Migration),
            Box::new(m20261121_000004_breakers::Migration),
            Box::new(m20261121_000006_prices::Migration),
            Box::new(m20261121_000007_limits::Migration),
            Box::new(m20261121_000008_rollups::Migration),
            Box::new(m20261121_000009_audit::Migration),
            Box::new(m20261121_000010_request_filters::Migration),
            Box::new(m20261121_000011_imports::Migration),
            Box::new(m20261121_000012_notifications::Migration),
            Box::new(m20261121_000013_restored::Migration),
            Box::new(m20261121_000014_usage_spans::Migration),
        ]
    }
}
