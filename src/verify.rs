//! Verify: rows and listings, read afresh and joined; what they say is the truth, whatever was recorded.
//!
//! It needs no lock, no ledger and no write access, and its memory does not grow with rows or objects. It is the only
//! maker of [`ZeroLegacyProof`], without which nothing is deleted.

mod counts;
mod covered;
mod cut;
mod item;
mod join;
mod one;
mod judge;
mod objects;
mod proof;
mod ranges;
mod scan;

use anyhow::Result;
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

pub use counts::Counts;
pub use one::{NamingRow, OneObject, examine};
pub use proof::{PlaceLost, ZeroLegacyProof};

use crate::check::Deletable;
use crate::config::{ColumnName, Config};
use crate::database::{Database, Decisions, LedgerView, TextColumn};
use crate::failure::Failure;
use crate::finding::{Finding, RowPlace, Status};
use crate::pace::Pace;
use crate::store::{Inventories, ObjectInfo, ReadObjects};
use join::{Sides, join};
use judge::{Group, Twins, Verdict, judge};
use objects::{Side, scan_bucket};
use scan::scan_rows;

/// Where a verify puts what it finds, piece by piece. What a sink has no use for it can leave to the defaults.
pub trait Sink {
    /// A stage begins.
    fn begin(&mut self, _stage: Stage) {}

    /// The stage came further by so many rows or objects.
    fn advance(&self, _count: u64) {}

    /// The next place is judged: its findings follow.
    fn place(&mut self, _listed: Listed) {}

    /// A line of the report.
    ///
    /// # Errors
    /// If it cannot be written; the verify ends with it.
    fn finding(&mut self, finding: Finding) -> Result<()>;

    /// Evidence that a source is needed no more; an orphan comes with its object.
    ///
    /// # Errors
    /// If it cannot be kept.
    fn deletable(&mut self, _evidence: &Deletable, _orphan: Option<&ObjectInfo>) -> Result<()> {
        Ok(())
    }

    /// An orphan without a copy in production.
    ///
    /// # Errors
    /// If it cannot be kept.
    fn orphan(&mut self, _source: &ObjectInfo) -> Result<()> {
        Ok(())
    }

    /// A source that stays where it is, because of a problem or on purpose.
    fn kept(&mut self, _why: Kept) {}
}

/// What a verify is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading every row that may matter.
    ReadRows,
    /// Listing both buckets.
    ListBuckets,
    /// Joining rows and listings, and comparing twins.
    Compare,
}

/// The how-manieth keys of their listings the twins of a place are; `None` for one that was not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// In the legacy bucket.
    pub source: Option<u64>,
    /// In the production bucket.
    pub target: Option<u64>,
}

/// Why a source stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Its twin differs or could not be compared.
    Problem,
    /// The application deleted its checked copy: it must not come back.
    DeletedByApplication,
    /// Only columns that are left out of this migration name it.
    NamedElsewhere,
}

/// What a verify found.
#[derive(Debug)]
pub struct Verified {
    /// The counts.
    pub counts: Counts,
    /// The references.
    pub references: Vec<TextColumn>,
    /// Whether nothing is wrong: zero legacy rows, every modern one resolves, nothing mismatched. A schema without any
    /// path is clean in that sense, but finalize refuses it.
    pub clean: bool,
    /// Why finalize would refuse, in plain words, the most telling first; empty if it would not.
    pub reasons: Vec<String>,
    /// Those of the reasons that no count of the summary shows.
    pub further: Vec<String>,
}

/// Joins every row of the schema with both buckets and gives each its ending. A bucket with an inventory is not listed; what its
/// lines say is looked at again, unless they show a modern row's object and its source with equal ETags.
///
/// # Errors
/// If rows or listings cannot be read in full (a part proves nothing), the sink fails, or `stop` is set.
pub async fn verify<R: ReadObjects>(
    database: &Database,
    (source, target, inventories): (&R, &R, &Inventories),
    config: &Config,
    pace: &Pace,
    stop: &CancellationToken,
    sink: &mut impl Sink,
) -> Result<Verified> {
    let mut counts = Counts::default();
    sink.begin(Stage::ReadRows);
    let scanned = scan_rows(database, config, &mut counts, sink).await?;
    interrupted(stop)?;
    sink.begin(Stage::ListBuckets);
    let listed = |objects| sink.advance(objects);
    let (sources, targets) = futures::future::try_join(
        scan_bucket((source, inventories.source.as_ref()), Side::Source, config, pace, listed),
        scan_bucket((target, inventories.target.as_ref()), Side::Target, config, pace, listed),
    )
    .await?;
    interrupted(stop)?;
    sink.begin(Stage::Compare);
    let ledger = LedgerView::open(database, config).await;
    let decisions = Decisions::seen(ledger.as_ref()).await;
    let sides = Sides { rows: scanned.rows, sources, targets, ledger };
    let judged = join(sides, &config.mappings).map(|group| async {
        let group = group?;
        let turn = pace.turn().await;
        group.verdict.get_or_try_init(|| judge((source, target), config.check, &group, &decisions)).await?;
        turn.went_well();
        anyhow::Ok(group)
    });
    let mut judged = std::pin::pin!(judged.buffered(pace.most()));
    while let Some(group) = judged.next().await {
        let group = group?;
        interrupted(stop)?;
        let mut collector = Collector { counts: &mut counts, sink: &mut *sink, columns: &scanned.columns };
        collector.take(&group)?;
    }
    let problems = [reasons(&counts), further_reasons(&counts, config)];
    let clean = problems.iter().all(Vec::is_empty);
    let [counted, further] = problems;
    let further = [vacuous(&counts).into_iter().collect(), further].concat();
    let reasons = [counted, further.clone(), counts.blockers.clone()].concat();
    Ok(Verified { counts, references: scanned.references, clean, reasons, further })
}

fn interrupted(stop: &CancellationToken) -> Result<()> {
    if stop.is_cancelled() { Err(Failure::Interrupted.into()) } else { Ok(()) }
}

struct Collector<'a, S> {
    counts: &'a mut Counts,
    sink: &'a mut S,
    columns: &'a [ColumnName],
}

impl<S: Sink> Collector<'_, S> {
    fn take(&mut self, group: &Group) -> Result<()> {
        let Some(verdict) = group.verdict.get() else { return Ok(()) };
        if group.first {
            self.sink.advance(1);
            self.sink.place(group.listed);
            self.counts.next_place();
            self.counts.sources += u64::from(verdict.source.is_some());
            self.counts.objects += u64::from(verdict.source.is_some() || !group.rows.is_empty());
        }
        for row in &group.rows {
            if let Some(mut finding) = verdict.of_row(row, group.recorded.as_ref()) {
                let name = usize::try_from(row.column).ok().and_then(|index| self.columns.get(index));
                finding.row = name.map(|name| RowPlace {
                    table: name.table.clone(),
                    column: name.column.clone(),
                    primary_key: row.primary_key.clone(),
                });
                self.report(finding, group)?;
            }
        }
        if group.first {
            self.dispose(group, verdict)?;
        }
        Ok(())
    }

    fn report(&mut self, mut finding: Finding, group: &Group) -> Result<()> {
        finding.source_key = Some(group.source_key.clone());
        finding.target_key = Some(group.target_key.clone());
        self.counts.found(&finding);
        self.sink.finding(finding)
    }

    /// What is to become of the source: deletable, an orphan to copy, or kept.
    fn dispose(&mut self, group: &Group, verdict: &Verdict) -> Result<()> {
        let Some(source) = &verdict.source else { return Ok(()) };
        let orphan = group.rows.is_empty();
        if orphan && let Some(finding) = verdict.of_orphan(group.recorded.as_ref()) {
            let deleted = finding.status == Status::DeletedByApplication;
            self.report(finding, group)?;
            if deleted {
                self.sink.kept(Kept::DeletedByApplication);
                return Ok(());
            }
        }
        match &verdict.twins {
            Twins::Same(evidence, ..) => self.sink.deletable(evidence, orphan.then_some(source)),
            Twins::Superseded(evidence) | Twins::Settled(evidence, _) if !orphan => self.sink.deletable(evidence, None),
            Twins::SourceOnly if orphan => self.sink.orphan(source),
            // Rows of references would have been findings that block.
            Twins::SourceOnly => {
                self.sink.kept(Kept::NamedElsewhere);
                Ok(())
            }
            Twins::Superseded(_)
            | Twins::Settled(..)
            | Twins::Recorded(_)
            | Twins::SourceChanged(_)
            | Twins::Differ(_)
            | Twins::Unjudged(_)
            | Twins::TargetOnly
            | Twins::Neither => {
                self.sink.kept(Kept::Problem);
                Ok(())
            }
        }
    }
}

/// Why finalize would refuse, in plain words: what the counts say, then what they do not show.
fn reasons(counts: &Counts) -> Vec<String> {
    let said = [
        (counts.legacy, "legacy row is left", "legacy rows are left"),
        (
            counts.suspect,
            "row seems to name a legacy object in another form",
            "rows seem to name legacy objects in another form",
        ),
        (
            counts.missing_target,
            "object that a modern path names does not exist",
            "objects that modern paths name do not exist",
        ),
        (
            counts.mismatch,
            "object in production is no copy of its source",
            "objects in production are no copies of their sources",
        ),
    ];
    let counted = said.iter().filter(|(count, ..)| *count > 0).map(|(count, one, many)| number(*count, one, many));
    let names: Vec<String> = counts.unlisted_references.iter().map(ToString::to_string).collect();
    let unlisted = (!names.is_empty()).then(|| format!("legacy paths stand in unlisted columns: {}", names.join(", ")));
    counted.chain(unlisted).collect()
}

/// Zero must not be vacuous: a wrong database or prefix would find nothing either.
fn vacuous(counts: &Counts) -> Option<String> {
    (counts.legacy + counts.modern == 0).then(|| {
        "no row of the schema holds a legacy or a modern path, which proves nothing: check --database-url and the prefixes"
            .to_owned()
    })
}

fn number(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What stands in the way of finalize and no count of the summary shows.
fn further_reasons(counts: &Counts, config: &Config) -> Vec<String> {
    let clashes = (counts.row_conflict > 0).then(|| {
        number(counts.row_conflict, "row cannot move", "rows cannot move") + ": a unique key holds the new path already"
    });
    let mentions = (config.strict_mentions && counts.mentions.0 > 0).then(|| {
        number(counts.mentions.0, "longer text mentions", "longer texts mention") + " a legacy path (--strict-mentions)"
    });
    [clashes, mentions].into_iter().flatten().collect()
}
