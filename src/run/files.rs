//! The files that a command reads and writes: looked at before any work, and their errors told in terms of the settings
//! that name them.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::config::{FinalizeOptions, VerifyOptions};
use crate::failure::Failure;
use crate::report::csv::{ReadError, ReportReader, ReportWriter};
use crate::report::file::WriteError;
use crate::report::html::PageWriter;

/// Makes sure that what verify and finalize are to write can be written, and that the approved report is one: after
/// hours of copying would be late.
///
/// # Errors
/// [`Failure::Usage`] where another name or a permission mends it.
pub fn check_files(verifying: Option<&VerifyOptions>, finalizing: &FinalizeOptions) -> Result<()> {
    if let Some(verifying) = verifying {
        drop((create_report(&verifying.report)?, create_page(verifying)?));
        if let Some(approved) = &finalizing.approved {
            refuse_one_file(("--report", &verifying.report), ("--approved", approved))?;
            verifying.html.iter().try_for_each(|html| refuse_one_file(("--html", html), ("--approved", approved)))?;
        }
    }
    if let Some(report) = &finalizing.report {
        drop(create_report(report)?);
    }
    match &finalizing.approved {
        Some(approved) => ReportReader::open(approved).map(drop).map_err(|error| unreadable(&error)),
        None => Ok(()),
    }
}

/// Begins the page of a verify, if one was asked for.
pub(super) fn create_page(options: &VerifyOptions) -> Result<Option<PageWriter>> {
    let Some(html) = &options.html else { return Ok(None) };
    refuse_one_file(("--html", html), ("--report", &options.report))?;
    PageWriter::create(html).map(Some).map_err(|error| unwritable(&error))
}

/// Two settings that name one file, however it is spelled: one document would take the other's place.
fn refuse_one_file((writes, path): (&str, &Path), (other, there): (&str, &Path)) -> Result<()> {
    if resolved(path) != resolved(there) {
        return Ok(());
    }
    let message = format!("{writes} would overwrite the file that {other} names: {}", path.display());
    Err(Failure::Usage { message, hint: format!("give {writes} another name") }.into())
}

/// Where a file is or will be, without links and dots.
fn resolved(path: &Path) -> PathBuf {
    let whole = || path.canonicalize().ok();
    let parent = || {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(parent.canonicalize().ok()?.join(path.file_name()?))
    };
    whole().or_else(parent).unwrap_or_else(|| path.to_owned())
}

pub(super) fn create_report(path: &Path) -> Result<ReportWriter> {
    ReportWriter::create(path).map_err(|error| unwritable(&error))
}

pub(super) fn unwritable(error: &WriteError) -> anyhow::Error {
    let text = error.to_string();
    let (message, hint) = text.split_once("\n  ").unwrap_or((&text, "name another --report"));
    match error {
        WriteError::NoDirectory(_) | WriteError::NotAFile(_) | WriteError::NotWritable(..) => {
            Failure::Usage { message: message.to_owned(), hint: hint.to_owned() }.into()
        }
        WriteError::Full(..) | WriteError::Failed(..) | WriteError::NotSynced(..) => {
            anyhow::anyhow!("{message}; {hint}")
        }
    }
}

pub(super) fn unreadable(error: &ReadError) -> anyhow::Error {
    let hint = "--approved takes a report that verify or finalize wrote".to_owned();
    Failure::Usage { message: error.to_string(), hint }.into()
}
