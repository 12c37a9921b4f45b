//! A report that a person has edited, or somebody has forged, is read line by line or refused, never a panic; and what
//! was read can be written and read again.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use avatar_migrate::path::ETag;
use avatar_migrate::report::csv::{ReportReader, ReportWriter};
use libfuzzer_sys::fuzz_target;

static DIRECTORY: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a directory"));

const HEADER: &str = "status,table,column,primary_key,legacy_path,modern_path,source_key,target_key,size,source_etag,\
                      target_etag,sha256,proof,detail\n";

fn at(name: &str) -> PathBuf {
    DIRECTORY.path().join(name)
}

fuzz_target!(|data: &[u8]| {
    let content = [if data.starts_with(b"status") { &[] } else { HEADER.as_bytes() }, data].concat();
    std::fs::write(at("in.csv"), content).expect("a file");
    let Ok(reader) = ReportReader::open(&at("in.csv")) else { return };
    let mut findings: Vec<_> = reader.take(1000).map_while(|line| line.ok().map(|line| line.finding)).collect();
    // An ETag of nothing but quotes, or with white space within them, is none of S3: it settles when it is read again.
    let settled = |etag: &Option<ETag>| {
        etag.as_ref().is_none_or(|etag| !etag.as_str().is_empty() && ETag::new(etag.as_str()) == *etag)
    };
    findings.retain(|finding| settled(&finding.source_etag) && settled(&finding.target_etag));
    let mut writer = ReportWriter::create(&at("out.csv")).expect("a report");
    for finding in &findings {
        writer.write(finding).expect("a line");
    }
    writer.finish().expect("a report");
    let again: Vec<_> =
        ReportReader::open(&at("out.csv")).expect("a report").map(|line| line.expect("a line").finding).collect();
    assert_eq!(again, findings, "a report does not say what was written");
});
