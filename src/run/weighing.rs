//! What moving rows takes of the database, asked before it is done: by the dry run, the doctor, and a real copy of many rows.

use anyhow::Result;

use super::Session;
use crate::config::Config;
use crate::database::{Database, TextColumn, row_sizes, server_facts};
use crate::operate::forecast::{MovingRows, NamedObjects, weigh};
use crate::report::summary::DatabaseForecast;

/// From so many rows on a real copy says what they take.
const MANY_ROWS: u64 = 100_000;

/// Weighs so many rows of each column. Without `named`, each of them is taken to name an object of its own.
pub(super) async fn weighed(
    database: &Database,
    config: &Config,
    columns: &[(&TextColumn, u64)],
    named: Option<NamedObjects>,
) -> Result<DatabaseForecast> {
    let server = server_facts(database).await?;
    let mut moving = Vec::with_capacity(columns.len());
    for &(column, rows) in columns {
        let sizes = if rows > 0 { row_sizes(database, column, &config.mappings).await? } else { None };
        let innodb = column.engine.eq_ignore_ascii_case("InnoDB");
        moving.push(MovingRows { name: column.name.clone(), rows, sizes, innodb });
    }
    let named = named.unwrap_or_else(|| NamedObjects::one_each(&moving));
    Ok(weigh(&moving, named, growth(config), &server, config.transaction_rows))
}

/// Before a copy of many rows: what the largest transaction takes, and what the server would not bear.
pub(super) async fn foretell(session: &Session, columns: &[(&TextColumn, u64)]) -> Result<()> {
    let rows: u64 = columns.iter().map(|(_, rows)| rows).sum();
    if rows <= MANY_ROWS {
        return Ok(());
    }
    let forecast = weighed(&session.database, &session.config, columns, None).await?;
    let pieces = if forecast.in_pieces { format!(", {} times", forecast.pieces) } else { String::new() };
    session.progress.println(&format!("forecast {}{pieces}", forecast.largest().sentence()));
    for advice in &forecast.advice {
        tracing::warn!("{advice}");
    }
    Ok(())
}

/// How many bytes a path grows by, on the average of the mappings; it may shrink.
fn growth(config: &Config) -> f64 {
    let mappings = config.mappings.all();
    let length = |text: &str| i32::try_from(text.len()).map_or(0.0, f64::from);
    let grown: f64 = mappings.iter().map(|of| length(of.modern.as_str()) - length(of.legacy.as_str())).sum();
    grown / i32::try_from(mappings.len().max(1)).map_or(1.0, f64::from)
}
