//! Writing a report so that its name never stands for half of one.

use std::io;
use std::path::Path;

use super::COLUMNS;
use super::defuse::defuse;
use crate::finding::{Finding, Proof};
use crate::path::{ETag, ObjectKey};
use crate::report::file::{Document, NewFile, WriteError};

/// A report in the making: [`ReportWriter::finish`] gives it its name, replacing an older report. Dropped before, nothing
/// is left under it.
#[derive(Debug)]
pub struct ReportWriter {
    csv: ::csv::Writer<NewFile>,
    broken: bool,
}

impl ReportWriter {
    /// Begins the report `path` with its header. A link is followed, so that its target is replaced and not the link.
    ///
    /// # Errors
    /// [`WriteError`], before anything long has been done, if the report could not be written there.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let file = NewFile::create(path, Document::Report)?;
        let csv = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(file);
        let mut report = Self { csv, broken: false };
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
        let Self { csv, broken } = self;
        let place = csv.get_ref().place().clone();
        let failed = |error| WriteError::of(&place, error);
        if broken {
            return Err(failed(io::Error::other("an earlier line could not be written")));
        }
        csv.into_inner().map_err(|error| failed(error.into_error()))?.finish()
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
        write: impl FnOnce(&mut ::csv::Writer<NewFile>) -> ::csv::Result<()>,
    ) -> Result<(), WriteError> {
        write(&mut self.csv).map_err(|error| {
            self.broken = true;
            WriteError::of(self.csv.get_ref().place(), system_error(error))
        })
    }
}

/// The conversion of the CSV library hides the kind.
fn system_error(error: ::csv::Error) -> io::Error {
    let text = error.to_string();
    if let ::csv::ErrorKind::Io(error) = error.into_kind() { error } else { io::Error::other(text) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_csv_error_keeps_the_kind_of_the_system_error() {
        let Ok(full) = File::options().write(true).open("/dev/full") else { return };
        let mut csv = ::csv::WriterBuilder::new().buffer_capacity(1).from_writer(full);
        let error =
            csv.write_record(["a", "b"]).and_then(|()| csv.flush().map_err(Into::into)).expect_err("a full device");
        assert_eq!(system_error(error).kind(), io::ErrorKind::StorageFull);
    }
}
