//! The dry run: what `copy` would do, from rows and listings alone. No lock, no ledger, nothing written.

use anyhow::Result;

use super::Session;
use super::verifying::{Stages, tell};
use crate::database::schema_reasons;
use crate::failure::Exit;
use crate::finding::{Finding, Status};
use crate::path::ObjectKey;
use crate::report::summary::{CopyObjects, CopyRows, CopySummary, Forecast};
use crate::report::text::printable;
use crate::verify::{Sink, Stage, verify};

/// Dollars for 1,000 COPY or LIST requests, and for 1,000 HEADs (AWS, S3 Standard, us-east-1; from memory, to be checked
/// on the pricing page).
const COPY_PRICE: f64 = 0.005;
const HEAD_PRICE: f64 = 0.0004;
/// Copies a second that a single client reaches against one server nearby; AWS gives 3,500 a partitioned prefix.
const COPIES_A_SECOND: u64 = 1000;

/// Runs `copy --dry-run`.
pub(super) async fn run(session: &Session) -> Result<(CopySummary, Exit)> {
    let meter = session.meter();
    let Session { config, database, stores, pace, stop, .. } = session;
    let mut sink = Tally {
        stages: Stages::new(session),
        objects: CopyObjects::default(),
        rows_in_conflict: 0,
        bytes: 0,
        last: None,
    };
    let found = verify(database, (&stores.source, &stores.target), config, pace, stop, &mut sink).await?;
    sink.stages.finish();
    tell(session, &found);
    for reason in schema_reasons(database, config, &found.references).await? {
        tracing::warn!("copy would be refused: {}", printable(&reason));
    }
    let requests = meter.requests(session);
    let copies =
        sink.objects.planned - sink.objects.missing_source - sink.objects.conflict - sink.objects.already_there;
    // A real run lists both ranges once for the plan, once after the copies, and the sources twice around the cutover.
    let lists = requests.list * 3;
    let dollars = |requests: u64, price: f64| requests as f64 / 1000.0 * price;
    let summary = CopySummary {
        run: None,
        references: found.references.iter().map(|column| column.name.to_string()).collect(),
        rows: CopyRows {
            planned: found.counts.legacy,
            updated: 0,
            left: found.counts.legacy,
            out_of_scope: found.counts.out_of_scope,
            suspect: found.counts.suspect,
            conflict: sink.rows_in_conflict,
        },
        objects: sink.objects,
        bytes_copied: 0,
        requests,
        passes: 0,
        elapsed: meter.elapsed(),
        forecast: Some(Forecast {
            requests: copies + lists + requests.head,
            bytes: sink.bytes,
            elapsed: meter.elapsed() * 2 + std::time::Duration::from_secs(copies / COPIES_A_SECOND),
            cost_usd: dollars(copies + lists, COPY_PRICE) + dollars(requests.head, HEAD_PRICE),
        }),
    };
    Ok((summary, Exit::Clean))
}

/// Counts what would happen to legacy rows; findings of one object come one after the other.
struct Tally {
    stages: Stages,
    objects: CopyObjects,
    rows_in_conflict: u64,
    bytes: u64,
    last: Option<ObjectKey>,
}

impl Sink for Tally {
    fn begin(&mut self, stage: Stage) {
        self.stages.begin(stage);
    }

    fn advance(&self, count: u64) {
        self.stages.advance(count);
    }

    fn finding(&mut self, finding: Finding) -> Result<()> {
        let movable = match finding.status {
            Status::Legacy | Status::MissingSource | Status::Conflict | Status::RowConflict => true,
            Status::Migrated
            | Status::MissingTarget
            | Status::Mismatch
            | Status::SourceChanged
            | Status::Superseded
            | Status::Suspect
            | Status::OutOfScope
            | Status::Orphan
            | Status::UnlistedReference
            | Status::DeletedByApplication => false,
        };
        self.rows_in_conflict += u64::from(matches!(finding.status, Status::Conflict | Status::RowConflict));
        if !movable || self.last == finding.source_key {
            return Ok(());
        }
        self.last.clone_from(&finding.source_key);
        self.objects.planned += 1;
        match (finding.status, finding.proof) {
            (Status::MissingSource, _) => self.objects.missing_source += 1,
            (Status::Conflict, _) => self.objects.conflict += 1,
            (_, Some(_)) => self.objects.already_there += 1,
            (_, None) => self.bytes += finding.size.unwrap_or_default(),
        }
        Ok(())
    }
}
