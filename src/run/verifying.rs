//! `verify`: the report, and the grace clock where the ledger can be written.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use super::files::{create_page, create_report, unwritable};
use super::{Session, exit, page};
use crate::config::VerifyOptions;
use crate::database::{LedgerView, fenced_columns};
use crate::failure::Exit;
use crate::finding::Finding;
use crate::report::csv::ReportWriter;
use crate::report::html::PageWriter;
use crate::report::progress::{Phase, Progress};
use crate::report::summary::{VerifyObjects, VerifyRows, VerifySummary};
use crate::report::text::duration;
use crate::store::Inventories;
use crate::verify::{Counts, Listed, Sink, Stage, Verified, verify as verify_all};

/// Runs `verify`.
///
/// # Errors
/// What keeps the command from going on; what was found is in the summary and in the report.
pub async fn verify(session: &Session, options: &VerifyOptions) -> Result<(VerifySummary, Exit)> {
    let meter = session.meter();
    let Session { config, database, stores, pace, stop, .. } = session;
    let inventories = inventories(session).await?;
    let report = create_report(&options.report)?;
    let mut sink = ReportSink { page: create_page(options)?, ..ReportSink::new(session, report) };
    let verified =
        verify_all(database, (&stores.source, &stores.target, &inventories), config, pace, stop, &mut sink).await?;
    let page = sink.finish()?;
    let fenced = is_fenced(session, &verified).await?;
    let twins = page::pictures(session, page.as_ref()).await?;
    let summary = VerifySummary {
        rows: rows(&verified.counts),
        objects: objects(&verified.counts),
        orphans: verified.counts.orphans,
        mentions: verified.counts.mentions.0,
        unlisted_references: unlisted(&verified.counts),
        fenced,
        finalizable: verified.reasons.is_empty(),
        report: Some(options.report.clone()),
        html: options.html.clone(),
        requests: meter.requests(session),
        elapsed: meter.elapsed(),
        reasons: verified.further.clone(),
    };
    tell(session, &verified);
    set_grace_clock(session, verified.counts.legacy + verified.counts.suspect == 0).await;
    page::write(session, page, &summary, &twins)?;
    let exit = exit(verified.clean);
    Ok((summary, exit))
}

/// The inventories that take the place of listings, with a word of what that means.
pub(super) async fn inventories(session: &Session) -> Result<Inventories> {
    let inventories = Inventories::open(&session.stores, &session.config.inventories).await?;
    for inventory in inventories.iter() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let made = Duration::from_millis(u64::try_from(inventory.made().0).unwrap_or_default());
        let age = duration(now.saturating_sub(made));
        tracing::warn!(
            "the inventory of {} is of {}, {age} ago: what was written since is seen only where a row names it",
            inventory.bucket(),
            inventory.made()
        );
    }
    Ok(inventories)
}

/// Whether the database itself refuses new legacy paths in every reference.
pub(super) async fn is_fenced(session: &Session, verified: &Verified) -> Result<bool> {
    let references = &verified.references;
    let fenced = fenced_columns(&session.database, &session.config.mappings, references).await?;
    Ok(!references.is_empty() && fenced.len() == references.len())
}

/// Mentions block nothing, so that only a warning names them.
pub(super) fn tell(session: &Session, verified: &Verified) {
    if verified.counts.legacy + verified.counts.sources == 0 && verified.counts.modern > 0 {
        let prefixes: Vec<&str> = session.config.mappings.all().iter().map(|mapping| mapping.legacy.as_str()).collect();
        let prefixes = crate::report::text::printable(&prefixes.join(", "));
        session.progress.println(&format!(
            "no row and no object of the legacy bucket begins with {prefixes}: all is done, or the legacy prefix is wrong"
        ));
    }
    let (mentions, examples) = &verified.counts.mentions;
    if *mentions > 0 {
        let examples = crate::report::text::printable(&examples.join(", "));
        let texts = crate::report::text::counted(*mentions, "longer text mentions", "longer texts mention");
        tracing::warn!("{texts} a legacy path, to stay as written: {examples}");
    }
    if verified.counts.excluded > 0 {
        let columns: Vec<String> = session.config.exclude_references.iter().map(ToString::to_string).collect();
        tracing::warn!("{} legacy rows in excluded columns: {}", verified.counts.excluded, columns.join(", "));
    }
}

pub(super) async fn set_grace_clock(session: &Session, clean: bool) {
    if let Some(view) = LedgerView::open(&session.database, &session.config).await
        && view.set_grace_clock(clean).await
    {
        tracing::info!(
            "grace clock {}",
            if clean { "runs: no legacy row is left" } else { "reset: legacy rows are left" }
        );
    }
}

pub(super) fn rows(counts: &Counts) -> VerifyRows {
    VerifyRows {
        legacy: counts.legacy,
        modern: counts.modern,
        out_of_scope: counts.out_of_scope,
        suspect: counts.suspect,
        foreign: counts.foreign,
    }
}

fn objects(counts: &Counts) -> VerifyObjects {
    VerifyObjects {
        verified: counts.verified,
        missing_target: counts.missing_target,
        mismatch: counts.mismatch,
        superseded: counts.superseded,
        missing_source: counts.missing_source,
        conflict: counts.conflict,
    }
}

fn unlisted(counts: &Counts) -> Vec<String> {
    counts.unlisted_references.iter().map(ToString::to_string).collect()
}

/// Shows how far a verify is, stage by stage.
pub(super) struct Stages {
    progress: Progress,
    phase: Option<Phase>,
}

impl Stages {
    pub(super) fn new(session: &Session) -> Self {
        Self { progress: session.progress.clone(), phase: None }
    }

    pub(super) fn begin(&mut self, stage: Stage) {
        let next = match stage {
            Stage::ReadRows => self.progress.phase("read rows", None, "rows"),
            Stage::ListBuckets => self.progress.phase("list buckets", None, "objects"),
            Stage::Compare => self.progress.phase("compare", None, "objects"),
        };
        if let Some(last) = self.phase.replace(next) {
            last.finish();
        }
    }

    pub(super) fn advance(&self, count: u64) {
        if let Some(phase) = &self.phase {
            phase.add(count);
        }
    }

    pub(super) fn finish(self) {
        if let Some(phase) = self.phase {
            phase.finish();
        }
    }
}

/// Writes findings to the report, and to the page if there is one, and shows how far the verify is.
pub(super) struct ReportSink {
    report: ReportWriter,
    page: Option<PageWriter>,
    stages: Stages,
}

impl ReportSink {
    pub(super) fn new(session: &Session, report: ReportWriter) -> Self {
        Self { report, page: None, stages: Stages::new(session) }
    }

    /// Gives the report its name; the page still lacks what is known only at the end.
    pub(super) fn finish(self) -> Result<Option<PageWriter>> {
        self.stages.finish();
        self.report.finish().map_err(|error| unwritable(&error))?;
        Ok(self.page)
    }
}

impl Sink for ReportSink {
    fn begin(&mut self, stage: Stage) {
        self.stages.begin(stage);
    }

    fn advance(&self, count: u64) {
        self.stages.advance(count);
    }

    fn place(&mut self, _listed: Listed) {
        if let Some(page) = &mut self.page {
            page.place();
        }
    }

    fn finding(&mut self, finding: Finding) -> Result<()> {
        if let Some(page) = &mut self.page {
            page.finding(&finding);
        }
        self.report.write(&finding).map_err(|error| unwritable(&error))
    }
}
