//! The deletion manifest: what is about to be deleted, on disk before the first delete.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::check::EvidenceSpool;
use crate::config::Config;

/// Where the manifest of a report stands: `final.csv` has `final.manifest.csv`.
#[must_use]
pub fn manifest_path(report: &Path) -> PathBuf {
    report.with_extension("manifest.csv")
}

/// Writes key and ETag of every source that is about to go, and fsyncs it; gives the evidence back.
///
/// # Errors
/// If the file cannot be written.
pub fn write_manifest(path: &Path, config: &Config, evidence: EvidenceSpool) -> Result<EvidenceSpool> {
    let failed = || format!("failed to write the deletion manifest {}", path.display());
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // A temporary file is created with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory).with_context(failed)?;
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(file.as_file_mut());
    writer.write_record(["bucket", "key", "etag"]).with_context(failed)?;
    let mut kept = EvidenceSpool::new(&config.temp_dir)?;
    for evidence in evidence.read()? {
        let evidence = evidence?;
        if let Some(item) = evidence.item() {
            writer.write_record([&config.source.bucket, item.key.as_str(), item.etag.as_str()]).with_context(failed)?;
            kept.push(&evidence)?;
        }
    }
    writer.flush().with_context(failed)?;
    drop(writer);
    file.as_file().sync_all().with_context(failed)?;
    file.persist(path).with_context(failed)?;
    File::open(directory).and_then(|directory| directory.sync_all()).with_context(failed)?;
    Ok(kept)
}
