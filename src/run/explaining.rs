//! `explain`: everything that is known of one key or path. Nothing is written and no lock is taken.

use anyhow::Result;

use super::Session;
use crate::database::LedgerView;
use crate::failure::Exit;
use crate::finding::{Finding, Proof, Status};
use crate::operate::explain::{class_of, gravity, next_step};
use crate::path::ObjectKey;
use crate::report::summary::{ExplainSummary, ExplainedRow, ResolvedObject};
use crate::verify::{NamingRow, OneObject, examine};

/// Runs `explain`.
///
/// # Errors
/// If rows, buckets or the ledger cannot be read.
pub async fn explain(session: &Session, given: &str) -> Result<(ExplainSummary, Exit)> {
    let meter = session.meter();
    let Session { config, database, stores, .. } = session;
    let twins = config.mappings.twins_named(given);
    let (class, unnamed) = class_of(&config.mappings, given);
    let keys = twins.as_ref().map(|(source, target)| (source, target));
    let found = examine(database, (&stores.source, &stores.target), config, given, keys).await?;
    let (recorded, moves) = match (LedgerView::open(database, config).await, keys) {
        (Some(view), Some((source, _))) => {
            (view.recorded(source).await?, view.moves(&legacy_paths(session, source, &found)).await?)
        }
        (_, _) => (None, Some(Vec::new())),
    };
    let verdict = gravest(&found);
    let suspect = (class == Status::Suspect.word()).then_some(Status::Suspect);
    let status = verdict.map(|finding| finding.status).or(suspect);
    let why = verdict.map_or(unnamed, |finding| finding.detail.clone());
    let summary = ExplainSummary {
        given: given.to_owned(),
        class: class.to_owned(),
        status: status.map(|status| status.word().to_owned()),
        why: if keys.is_some() && verdict.is_none() { NOTHING_NAMES_IT.to_owned() } else { why },
        next: status
            .map(|status| next_step(status, keys.map_or(given, |(source, _)| source.as_str())))
            .unwrap_or_default(),
        source_key: keys.map(|(source, _)| source.to_string()),
        target_key: keys.map(|(_, target)| target.to_string()),
        source: found.source.as_ref().map(ResolvedObject::of),
        target: found.target.as_ref().map(ResolvedObject::of),
        rows: found.rows.iter().map(row).collect(),
        rows_total: found.rows_total,
        recorded,
        moves,
        requests: meter.requests(session),
        elapsed: meter.elapsed(),
    };
    Ok((summary, Exit::Clean))
}

const NOTHING_NAMES_IT: &str = "no row of the migration names it, and nothing in the legacy bucket waits for it";

/// The paths by which the journal may know the object: as rows hold it now, and as a key in every mapping.
fn legacy_paths(session: &Session, source: &ObjectKey, found: &OneObject) -> Vec<String> {
    let of_rows = found.rows.iter().filter_map(|row| row.finding.as_ref()?.legacy_path.clone());
    let of_keys = session.config.mappings.paths_of(source).map(|(legacy, _)| legacy);
    let mut paths: Vec<String> = of_rows.chain(of_keys).collect();
    paths.sort();
    paths.dedup();
    paths
}

fn gravest(found: &OneObject) -> Option<&Finding> {
    let findings = found.rows.iter().filter_map(|row| row.finding.as_ref()).chain(&found.orphan);
    findings.max_by_key(|finding| gravity(finding.status))
}

fn row(row: &NamingRow) -> ExplainedRow {
    let finding = row.finding.as_ref();
    ExplainedRow {
        table: row.place.table.clone(),
        column: row.place.column.clone(),
        primary_key: row.place.primary_key.clone(),
        value: row.value.clone(),
        status: finding.map(|finding| finding.status.word().to_owned()),
        proof: finding.and_then(|finding| finding.proof).map_or("none", Proof::word).to_owned(),
        detail: finding.map(|finding| finding.detail.clone()).unwrap_or_default(),
    }
}
