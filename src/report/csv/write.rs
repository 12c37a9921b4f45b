//! Writing a report so that its name never stands for half of one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::COLUMNS;
use super::defuse::defuse;
use crate::finding::{Finding, Proof};
use crate::path::{ETag, ObjectKey};

/// A report in the making: a temporary file beside its name, readable by its owner only.
///
/// [`ReportWriter::finish`] gives it its name, replacing an older report. Dropped before, nothing is left; a killed
/// process leaves the temporary file (`.avatarMigrate-report-*.partial`) and nothing under the name.
#[derive(Debug)]
pub struct ReportWriter {
    csv: ::csv::Writer<NamedTempFile>,
    path: PathBuf,
    directory: PathBuf,
    broken: bool,
}

/// Why a report cannot be written. Each message names the report and what to do.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The directory is not there.
    #[error("cannot write the report {path}: there is no directory {directory}\n  create it, or name another --report")]
    NoDirectory {
        /// The report.
        path: PathBuf,
        /// Its directory.
        directory: PathBuf,
    },
    /// The name belongs to a directory, a device or a pipe, which a rename would replace or fail on.
    #[error("cannot write the report {path}: it exists and is no regular file\n  name a file with --report")]
    NotAFile {
        /// The report.
        path: PathBuf,
    },
    /// The directory cannot be written.
    #[error(
        "cannot write the report {path}: no permission to create a file in {directory}\n  \
         allow it to this user, or name another --report"
    )]
    NotWritable {
        /// The report.
        path: PathBuf,
        /// Its directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No space, or no quota.
    #[error(
        "cannot write the report {path}: no space is left in {directory} ({source})\n  \
         free some, or name a --report elsewhere"
    )]
    Full {
        /// The report.
        path: PathBuf,
        /// Its directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Any other failure.
    #[error("cannot write the report {path}: {source}\n  nothing was left under that name by this run")]
    Failed {
        /// The report.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The report stands under its name, but a power failure now might still undo that.
    #[error("the report {path} is complete, but its directory cannot be synchronised: {source}\n  check the disk")]
    NotSynced {
        /// The report.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ReportWriter {
    /// Begins the report `path` with its header. A link is followed, so that its target is replaced and not the link.
    ///
    /// # Errors
    /// [`WriteError`], before anything long has been done, if the report could not be written there.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        if path.file_name().is_none() || is_something_else(&path) {
            return Err(WriteError::NotAFile { path });
        }
        // Made with mode 0600, and the rename keeps it.
        let file = tempfile::Builder::new().prefix(".avatarMigrate-report-").suffix(".partial").tempfile_in(&directory);
        let file = file.map_err(|error| WriteError::of(&path, &directory, error))?;
        let csv = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(file);
        let mut report = Self { csv, path, directory, broken: false };
        report.record(COLUMNS)?;
        Ok(report)
    }

    /// Adds one line.
    ///
    /// # Errors
    /// [`WriteError`] if the file cannot grow; the report is lost then, and [`ReportWriter::finish`] fails too.
    pub fn write(&mut self, finding: &Finding) -> Result<(), WriteError> {
        let size = finding.size.map(|size| size.to_string());
        let row = finding.row.as_ref();
        let cells = [
            finding.status.word(),
            row.map_or("", |row| &row.table),
            row.map_or("", |row| &row.column),
            row.map_or("", |row| &row.primary_key),
            finding.legacy_path.as_deref().unwrap_or_default(),
            finding.modern_path.as_deref().unwrap_or_default(),
            finding.source_key.as_ref().map_or("", ObjectKey::as_str),
            finding.target_key.as_ref().map_or("", ObjectKey::as_str),
            size.as_deref().unwrap_or_default(),
            finding.source_etag.as_ref().map_or("", ETag::as_str),
            finding.target_etag.as_ref().map_or("", ETag::as_str),
            finding.sha256.as_deref().unwrap_or_default(),
            finding.proof.map_or("none", Proof::word),
            &finding.detail,
        ];
        self.record(cells)
    }

    /// Makes the report durable and gives it its name.
    ///
    /// # Errors
    /// [`WriteError`]; unless it is [`WriteError::NotSynced`], whatever stood under the name before still does.
    pub fn finish(self) -> Result<(), WriteError> {
        let Self { csv, path, directory, broken } = self;
        let failed = |error| WriteError::of(&path, &directory, error);
        if broken {
            return Err(failed(io::Error::other("an earlier line could not be written")));
        }
        let file = csv.into_inner().map_err(|error| failed(error.into_error()))?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        sync_directory(&directory).map_err(|source| WriteError::NotSynced { path: path.clone(), source })
    }

    fn record(&mut self, cells: [&str; COLUMNS.len()]) -> Result<(), WriteError> {
        for cell in cells {
            self.guard(|csv| csv.write_field(defuse(cell).as_ref()))?;
        }
        self.guard(|csv| csv.write_record(None::<&[u8]>))
    }

    /// After a failed write the buffer may stand in the file in part, so that no later success could mend the report.
    fn guard(
        &mut self,
        write: impl FnOnce(&mut ::csv::Writer<NamedTempFile>) -> ::csv::Result<()>,
    ) -> Result<(), WriteError> {
        write(&mut self.csv).map_err(|error| {
            self.broken = true;
            WriteError::of(&self.path, &self.directory, system_error(error))
        })
    }
}

impl WriteError {
    fn of(path: &Path, directory: &Path, source: io::Error) -> Self {
        let (path, directory) = (path.to_owned(), directory.to_owned());
        let is_one_of = |kinds: [io::ErrorKind; 2]| kinds.contains(&source.kind());
        if is_one_of([io::ErrorKind::NotFound, io::ErrorKind::NotADirectory]) {
            Self::NoDirectory { path, directory }
        } else if is_one_of([io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded]) {
            Self::Full { path, directory, source }
        } else if is_one_of([io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem]) {
            Self::NotWritable { path, directory, source }
        } else {
            Self::Failed { path, source }
        }
    }
}

/// The conversion of the CSV library hides the kind.
fn system_error(error: ::csv::Error) -> io::Error {
    let text = error.to_string();
    if let ::csv::ErrorKind::Io(error) = error.into_kind() { error } else { io::Error::other(text) }
}

fn is_something_else(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

/// A rename is durable once its directory is. Some network file systems cannot say that of a directory: they rename
/// durably or not at all, and a finished report shall not fail for it.
fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: io::Error) -> String {
        WriteError::of(Path::new("r/out.csv"), Path::new("r"), source).to_string()
    }

    #[test]
    fn every_failure_names_the_report_and_what_to_do() {
        let full = of(io::ErrorKind::StorageFull.into());
        assert!(full.contains("r/out.csv") && full.contains("no space is left in r") && full.contains("free some"));
        let denied = of(io::ErrorKind::PermissionDenied.into());
        assert!(denied.contains("r/out.csv") && denied.contains("no permission") && denied.contains("allow it"));
        assert!(of(io::Error::other("odd")).contains("cannot write the report r/out.csv: odd"));
    }

    #[test]
    fn a_csv_error_keeps_the_kind_of_the_system_error() {
        let Ok(full) = File::options().write(true).open("/dev/full") else { return };
        let mut csv = ::csv::WriterBuilder::new().buffer_capacity(1).from_writer(full);
        let error =
            csv.write_record(["a", "b"]).and_then(|()| csv.flush().map_err(Into::into)).expect_err("a full device");
        assert!(of(system_error(error)).contains("no space is left"));
    }
}
