//! The dry run: what `copy` would do and take, from rows and listings alone. No lock, no ledger, nothing written.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::{StreamExt, TryStreamExt};

use super::Session;
use super::verifying::{Stages, tell};
use super::weighing::weighed;
use crate::config::{ColumnName, CopyOptions, Method};
use crate::database::{TextColumn, schema_reasons};
use crate::failure::Exit;
use crate::finding::{Finding, RowPlace, Status};
use crate::operate::forecast::{Fate, Forecaster, Known, NamedObjects, Planned, Terms, Way};
use crate::path::{ETag, ObjectKey};
use crate::report::summary::{CopyObjects, CopyRows, CopySummary};
use crate::report::text::printable;
use crate::store::{Inventories, ObjectDetails, ReadObjects};
use crate::verify::{Listed, Sink, Stage, verify};

/// Runs `copy --dry-run`.
pub(super) async fn run(session: &Session, options: &CopyOptions) -> Result<(CopySummary, Exit)> {
    let meter = session.meter();
    let Session { config, database, stores, pace, stop, .. } = session;
    let way = Way { method: config.method, check: config.check, sizes: session.part_sizes() };
    let terms = Terms {
        way,
        limit: options.limit,
        key_mappings: u64::try_from(config.mappings.key_mappings().len())?,
        shared_place: config.mappings.shared_place().is_some(),
    };
    let mut sink = Tally::new(session, terms, options.only_prefix.as_deref().unwrap_or_default());
    let found =
        verify(database, (&stores.source, &stores.target, &Inventories::default()), config, pace, stop, &mut sink)
            .await?;
    let requests = meter.requests(session);
    sink.close();
    let Tally { stages, objects, rows_in_conflict, moving, staying, forecaster, doubtful, copied, listed, .. } = sink;
    let (of_columns, named) = (sink.of_columns, sink.named);
    stages.finish();
    tell(session, &found);
    for reason in schema_reasons(database, config, &found.references).await? {
        tracing::warn!("copy would be refused: {}", printable(&reason));
    }
    let moving_of = |column: &TextColumn| of_columns.get(&column.name).copied().unwrap_or_default();
    let columns: Vec<_> = found.references.iter().map(|column| (column, moving_of(column))).collect();
    let weight = weighed(database, config, &columns, Some(named)).await?;
    let streamed = config.method == Method::Stream;
    let has_checksum = |object: &ObjectDetails| is_comparable(object, streamed);
    let [whole, in_parts] = &doubtful;
    let with_checksum = [share(session, whole, has_checksum).await?, share(session, in_parts, has_checksum).await?];
    let with_tags = if streamed { share(session, &copied, |object| object.tag_count > 0).await? } else { 0.0 };
    let known = Known {
        moving,
        staying,
        with_checksum,
        with_tags,
        looking: requests,
        looked: meter.elapsed(),
        // Both buckets are listed at the same time.
        latency: listed * 2 / u32::try_from(requests.list.max(1)).unwrap_or(u32::MAX),
        at_once: pace.most(),
    };
    let summary = CopySummary {
        run: None,
        references: found.references.iter().map(|column| column.name.to_string()).collect(),
        rows: CopyRows {
            planned: moving + staying,
            updated: 0,
            left: found.counts.legacy,
            out_of_scope: found.counts.out_of_scope,
            suspect: found.counts.suspect,
            conflict: rows_in_conflict,
        },
        objects,
        bytes_copied: 0,
        requests: meter.requests(session),
        passes: 0,
        elapsed: meter.elapsed(),
        forecast: Some(forecaster.finish(&known, options.prices, weight)),
        watched: None,
        shared: None,
    };
    Ok((summary, Exit::Clean))
}

/// Whether a checksum that this object has will be stored with its copy too: a copy inside S3 keeps it, and to one that is
/// uploaded AWS adds a CRC-64.
fn is_comparable(object: &ObjectDetails, streamed: bool) -> bool {
    if streamed { object.checksums.contains_key("CRC64NVME") } else { !object.checksums.is_empty() }
}

/// Of 1, how many of the sampled sources `has` holds for; asked by HEAD, as no listing tells it.
async fn share(session: &Session, sample: &Sample, has: impl Fn(&ObjectDetails) -> bool) -> Result<f64> {
    let source = &session.stores.source;
    let heads = futures::stream::iter(&sample.keys).map(|key| source.head(key)).buffer_unordered(session.pace.most());
    let found: Vec<Option<ObjectDetails>> = heads.try_collect().await?;
    let (all, with) =
        found.iter().flatten().fold((0_u32, 0_u32), |(all, with), object| (all + 1, with + u32::from(has(object))));
    Ok(f64::from(with) / f64::from(all.max(1)))
}

/// Some keys of many, evenly spread.
#[derive(Default)]
struct Sample {
    keys: Vec<ObjectKey>,
    met: u64,
    /// Every 2^n-th key is taken.
    sparsely: u32,
}

/// Keys that a sample holds at most.
const SAMPLE: usize = 400;

impl Sample {
    fn meet(&mut self, key: Option<&ObjectKey>) {
        if self.met.trailing_zeros() >= self.sparsely {
            self.keys.extend(key.cloned());
        }
        self.met += 1;
        if self.keys.len() > SAMPLE {
            let mut nth = 0_u32;
            self.keys.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
            self.sparsely += 1;
        }
    }
}

/// Counts what would happen to legacy rows, and what it would take, place by place.
struct Tally<'a> {
    stages: Stages,
    way: Way,
    /// Only objects whose source key begins with this are counted.
    only: &'a str,
    objects: CopyObjects,
    rows_in_conflict: u64,
    moving: u64,
    staying: u64,
    /// Of the rows that move, how many are in each column, as far as their objects are not beyond the limit.
    of_columns: BTreeMap<ColumnName, u64>,
    /// The objects that these name.
    named: NamedObjects,
    forecaster: Forecaster,
    /// The object of the current place, once a row names it.
    current: Option<Planned>,
    /// Objects to be copied of which ETags will prove nothing: whole, and in parts.
    doubtful: [Sample; 2],
    /// All objects to be copied.
    copied: Sample,
    listing: Instant,
    listed: Duration,
}

impl<'a> Tally<'a> {
    fn new(session: &Session, terms: Terms, only: &'a str) -> Self {
        Self {
            stages: Stages::new(session),
            way: terms.way,
            only,
            objects: CopyObjects::default(),
            rows_in_conflict: 0,
            moving: 0,
            staying: 0,
            of_columns: BTreeMap::new(),
            named: NamedObjects::default(),
            forecaster: Forecaster::new(terms),
            current: None,
            doubtful: Default::default(),
            copied: Sample::default(),
            listing: Instant::now(),
            listed: Duration::ZERO,
        }
    }

    /// The object that its first finding tells of.
    fn planned(&mut self, finding: &Finding) -> Planned {
        let fate = fate(finding);
        self.objects.planned += 1;
        match (finding.status, finding.proof) {
            (Status::MissingSource, _) => self.objects.missing_source += 1,
            (Status::Conflict, _) => self.objects.conflict += 1,
            (_, Some(_)) => self.objects.already_there += 1,
            (_, None) => {}
        }
        let size = finding.size.unwrap_or_default();
        let single = finding.source_etag.as_ref().is_some_and(ETag::is_single_part);
        if matches!(fate, Fate::Copied | Fate::Replaced) {
            self.copied.meet(finding.source_key.as_ref());
            let [whole, in_parts] = &mut self.doubtful;
            if self.way.is_doubtful(size, single) {
                let sample = if self.way.is_in_parts(size) { in_parts } else { whole };
                sample.meet(finding.source_key.as_ref());
            }
        }
        Planned { fate, size, single, stuck: false }
    }

    /// A row that will move; its object is noted with the first one.
    fn note(&mut self, finding: &Finding) {
        if let Some(RowPlace { table, column, .. }) = &finding.row {
            let name = ColumnName { table: table.clone(), column: column.clone() };
            *self.of_columns.entry(name).or_default() += 1;
        }
        if self.current.is_none() {
            let length = |key: &Option<ObjectKey>| key.as_ref().map_or(0, |key| key.as_str().len());
            let bytes = length(&finding.source_key) + length(&finding.target_key);
            self.named.objects += 1;
            self.named.key_bytes += u64::try_from(bytes).unwrap_or_default();
        }
    }

    /// All rows of the current place were told.
    fn close(&mut self) {
        if let Some(planned) = self.current.take() {
            self.forecaster.object(planned);
        }
    }
}

impl Sink for Tally<'_> {
    fn begin(&mut self, stage: Stage) {
        match stage {
            Stage::ReadRows => {}
            Stage::ListBuckets => self.listing = Instant::now(),
            Stage::Compare => self.listed = self.listing.elapsed(),
        }
        self.stages.begin(stage);
    }

    fn advance(&self, count: u64) {
        self.stages.advance(count);
    }

    fn place(&mut self, listed: Listed) {
        self.close();
        self.forecaster.place(listed);
    }

    fn finding(&mut self, finding: Finding) -> Result<()> {
        if !finding.source_key.as_ref().is_some_and(|key| key.as_str().starts_with(self.only)) {
            return Ok(());
        }
        let (moves, conflicts) = match finding.status {
            Status::Legacy => (true, false),
            Status::MissingSource => (false, false),
            Status::Conflict | Status::RowConflict => (false, true),
            Status::Migrated
            | Status::MissingTarget
            | Status::Mismatch
            | Status::SourceChanged
            | Status::Superseded
            | Status::Suspect
            | Status::OutOfScope
            | Status::Orphan
            | Status::UnlistedReference
            | Status::DeletedByApplication => return Ok(()),
        };
        if moves && !self.forecaster.is_full() {
            self.note(&finding);
        }
        self.rows_in_conflict += u64::from(conflicts);
        self.moving += u64::from(moves);
        self.staying += u64::from(!moves);
        let planned = match self.current {
            Some(planned) => planned,
            None => self.planned(&finding),
        };
        let stuck = planned.stuck || finding.status == Status::RowConflict;
        self.current = Some(Planned { stuck, ..planned });
        Ok(())
    }
}

/// What becomes of the object of a row that is still legacy.
fn fate(finding: &Finding) -> Fate {
    match (&finding.source_etag, &finding.target_etag, finding.proof) {
        (None, _, proof) => Fate::SourceGone { recorded: proof.is_some() },
        (Some(_), None, _) => Fate::Copied,
        (Some(_), Some(_), Some(proof)) => Fate::AlreadyThere(proof),
        (Some(_), Some(_), None) if finding.status == Status::Legacy => Fate::Replaced,
        (Some(_), Some(_), None) => Fate::Conflict,
    }
}
