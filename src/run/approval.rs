//! `--approved`: what is about to go was looked at by a person before.

use std::path::Path;

use anyhow::Result;

use super::files::unreadable;
use crate::check::EvidenceSpool;
use crate::config::Config;
use crate::failure::Failure;
use crate::report::csv::ReportReader;
use crate::report::text::printable;
use crate::spool::Sorter;

/// Key and ETag of a source.
type Source = (String, String);

/// Refuses when a source is about to go that the approved report does not hold with the same ETag; gives the evidence
/// back. Both sides are sorted on disk, so that memory does not grow with them.
pub(super) fn refuse_unapproved(approved: &Path, config: &Config, evidence: EvidenceSpool) -> Result<EvidenceSpool> {
    let mut seen: Sorter<Source> = Sorter::new(&config.temp_dir);
    for line in ReportReader::open(approved).map_err(|error| unreadable(&error))? {
        let finding = line.map_err(|error| unreadable(&error))?.finding;
        if let (Some(key), Some(etag)) = (finding.source_key, finding.source_etag) {
            push(&mut seen, (key.as_str().to_owned(), etag.as_str().to_owned()))?;
        }
    }
    let mut going: Sorter<Source> = Sorter::new(&config.temp_dir);
    let mut kept = EvidenceSpool::new(&config.temp_dir)?;
    for evidence in evidence.read()? {
        let evidence = evidence?;
        if let Some(item) = evidence.item() {
            push(&mut going, (item.key.as_str().to_owned(), item.etag.as_str().to_owned()))?;
        }
        kept.push(&evidence)?;
    }
    let (mut grown, mut examples) = (0_u64, Vec::new());
    let mut seen = seen.finish()?.peekable();
    for source in going.finish()? {
        let source = source?;
        while let Some(passed) = seen.next_if(|seen| seen.as_ref().map_or(true, |seen| *seen < source)) {
            passed?;
        }
        if !matches!(seen.peek(), Some(Ok(seen)) if *seen == source) {
            grown += 1;
            if examples.len() < 5 {
                examples.push(printable(&source.0));
            }
        }
    }
    if grown == 0 {
        return Ok(kept);
    }
    let reasons = [vec![format!("objects to delete that are not in the approved report: {grown}")], examples].concat();
    Err(Failure::Refused { reasons, hint: "look at the new final report, and approve that one".to_owned() }.into())
}

fn push(sorter: &mut Sorter<Source>, source: Source) -> Result<()> {
    let weight = source.0.len() + source.1.len();
    sorter.push(source, weight)
}
