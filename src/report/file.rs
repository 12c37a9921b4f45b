//! A file that a run leaves behind, written so that its name never stands for half of one.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A document in the making: a temporary file beside its name, readable by its owner only.
///
/// [`NewFile::finish`] gives it its name, replacing an older document. Dropped before, nothing is left; a killed process
/// leaves the temporary file (`.avatarMigrate-*.partial`) and nothing under the name.
#[derive(Debug)]
pub struct NewFile {
    file: NamedTempFile,
    place: Place,
}

/// What a file is to an operator, and so which setting names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// The report as CSV.
    Report,
    /// The page that shows it.
    Page,
}

/// Where a document goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    document: Document,
    path: PathBuf,
    directory: PathBuf,
}

/// Why a document cannot be written. Each message names it and what to do.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The directory is not there.
    #[error(
        "cannot write {0}: there is no directory {directory}\n  create it, or name another {flag}",
        directory = .0.directory.display(), flag = .0.document.flag()
    )]
    NoDirectory(Place),
    /// The name belongs to a directory, a device or a pipe, which a rename would replace or fail on.
    #[error(
        "cannot write {0}: it exists and is no regular file\n  name a file with {flag}",
        flag = .0.document.flag()
    )]
    NotAFile(Place),
    /// The directory cannot be written.
    #[error(
        "cannot write {0}: no permission to create a file in {directory}\n  allow it to this user, or name another {flag}",
        directory = .0.directory.display(), flag = .0.document.flag()
    )]
    NotWritable(Place, #[source] io::Error),
    /// No space, or no quota.
    #[error(
        "cannot write {0}: no space is left in {directory} ({1})\n  free some, or name a {flag} elsewhere",
        directory = .0.directory.display(), flag = .0.document.flag()
    )]
    Full(Place, #[source] io::Error),
    /// Any other failure.
    #[error("cannot write {0}: {1}\n  nothing was left under that name by this run")]
    Failed(Place, #[source] io::Error),
    /// The document stands under its name, but a power failure now might still undo that.
    #[error("{0} is complete, but its directory cannot be synchronised: {1}\n  check the disk")]
    NotSynced(Place, #[source] io::Error),
}

impl NewFile {
    /// Begins a document at `path`. A link is followed, so that its target is replaced and not the link.
    ///
    /// # Errors
    /// [`WriteError`], before anything long has been done, if it could not be written there.
    pub fn create(path: &Path, document: Document) -> Result<Self, WriteError> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        let place = Place { document, path, directory };
        if place.path.file_name().is_none() || is_something_else(&place.path) {
            return Err(WriteError::NotAFile(place));
        }
        // Made with mode 0600, and the rename keeps it.
        let file = tempfile::Builder::new()
            .prefix(&format!(".avatarMigrate-{}-", document.word()))
            .suffix(".partial")
            .tempfile_in(&place.directory);
        match file {
            Ok(file) => Ok(Self { file, place }),
            Err(error) => Err(WriteError::of(&place, error)),
        }
    }

    /// Where it goes.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Makes the document durable and gives it its name.
    ///
    /// # Errors
    /// [`WriteError`]; unless it is [`WriteError::NotSynced`], whatever stood under the name before still does.
    pub fn finish(self) -> Result<(), WriteError> {
        let Self { file, place } = self;
        let failed = |error| WriteError::of(&place, error);
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&place.path).map_err(|error| failed(error.error))?;
        sync_directory(&place.directory).map_err(|error| WriteError::NotSynced(place, error))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Document {
    fn word(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Page => "page",
        }
    }

    fn flag(self) -> &'static str {
        match self {
            Self::Report => "--report",
            Self::Page => "--html",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} {}", self.document.word(), self.path.display())
    }
}

impl WriteError {
    /// What it means for a document that the system refused something.
    pub(super) fn of(place: &Place, source: io::Error) -> Self {
        let place = place.clone();
        let is_one_of = |kinds: [io::ErrorKind; 2]| kinds.contains(&source.kind());
        if is_one_of([io::ErrorKind::NotFound, io::ErrorKind::NotADirectory]) {
            Self::NoDirectory(place)
        } else if is_one_of([io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded]) {
            Self::Full(place, source)
        } else if is_one_of([io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem]) {
            Self::NotWritable(place, source)
        } else {
            Self::Failed(place, source)
        }
    }
}

fn is_something_else(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

/// A rename is durable once its directory is. Some network file systems cannot say that of a directory: they rename
/// durably or not at all, and a finished document shall not fail for it.
fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(document: Document, source: io::Error) -> String {
        let place = Place { document, path: "r/out".into(), directory: "r".into() };
        WriteError::of(&place, source).to_string()
    }

    #[test]
    fn every_failure_names_the_document_and_what_to_do() {
        let report = |kind: io::ErrorKind| of(Document::Report, kind.into());
        assert_eq!(
            report(io::ErrorKind::StorageFull),
            "cannot write the report r/out: no space is left in r (no storage space)\n  free some, or name a --report elsewhere"
        );
        assert_eq!(
            report(io::ErrorKind::PermissionDenied),
            "cannot write the report r/out: no permission to create a file in r\n  \
             allow it to this user, or name another --report"
        );
        assert_eq!(
            of(Document::Page, io::ErrorKind::NotFound.into()),
            "cannot write the page r/out: there is no directory r\n  create it, or name another --html"
        );
        assert!(of(Document::Page, io::Error::other("odd")).contains("cannot write the page r/out: odd"));
    }

    #[test]
    fn a_document_has_its_name_once_it_is_whole() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("out.html");
        let names = || fs::read_dir(directory.path()).expect("a directory").count();
        let mut file = NewFile::create(&path, Document::Page).expect("a new file");
        file.write_all(b"half").expect("a write");
        assert!(!path.exists(), "half of it has the name");
        drop(file);
        assert_eq!(names(), 0, "an abandoned document leaves something");
        let mut file = NewFile::create(&path, Document::Page).expect("a new file");
        file.write_all(b"whole").expect("a write");
        file.finish().expect("a finished file");
        assert_eq!((fs::read(&path).expect("the file"), names()), (b"whole".to_vec(), 1));
        assert!(matches!(NewFile::create(directory.path(), Document::Page), Err(WriteError::NotAFile(_))));
    }
}
