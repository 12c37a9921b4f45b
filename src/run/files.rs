//! The files that a command reads and writes: looked at before any work, and their errors told in terms of the settings
//! that name them.

use std::path::Path;

use anyhow::Result;

use crate::config::FinalizeOptions;
use crate::failure::Failure;
use crate::report::csv::{ReadError, ReportReader, ReportWriter, WriteError};

/// Makes sure that the report can be written and that the approved one is one: after hours of copying would be late.
///
/// # Errors
/// [`Failure::Usage`] where another name or a permission mends it.
pub fn check_files(report: Option<&Path>, finalizing: &FinalizeOptions) -> Result<()> {
    for path in report.iter().copied().chain(finalizing.report.as_deref()) {
        drop(create_report(path)?);
    }
    match &finalizing.approved {
        Some(approved) => ReportReader::open(approved).map(drop).map_err(|error| unreadable(&error)),
        None => Ok(()),
    }
}

pub(super) fn create_report(path: &Path) -> Result<ReportWriter> {
    ReportWriter::create(path).map_err(|error| unwritable(&error))
}

pub(super) fn unwritable(error: &WriteError) -> anyhow::Error {
    let text = error.to_string();
    let (message, hint) = text.split_once("\n  ").unwrap_or((&text, "name another --report"));
    match error {
        WriteError::NoDirectory { .. } | WriteError::NotAFile { .. } | WriteError::NotWritable { .. } => {
            Failure::Usage { message: message.to_owned(), hint: hint.to_owned() }.into()
        }
        WriteError::Full { .. } | WriteError::Failed { .. } | WriteError::NotSynced { .. } => {
            anyhow::anyhow!("{message}; {hint}")
        }
    }
}

pub(super) fn unreadable(error: &ReadError) -> anyhow::Error {
    let hint = "--approved takes a report that verify or finalize wrote".to_owned();
    Failure::Usage { message: error.to_string(), hint }.into()
}
