//! A report is written whole or not at all, and read back exactly.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::read::{PROOFS, STATUSES};
use super::*;
use crate::finding::{Finding, Proof, RowPlace, Status};
use crate::path::{ETag, ObjectKey};
use crate::report::file::WriteError;

fn migrated() -> Finding {
    Finding {
        status: Status::Migrated,
        row: Some(RowPlace { table: "avatars".into(), column: "path".into(), primary_key: "-7".into() }),
        legacy_path: Some("image/avatar-1.png".into()),
        modern_path: Some("avatar/avatar-1.png".into()),
        source_key: ObjectKey::new("image/avatar-1.png").ok(),
        target_key: ObjectKey::new("avatar/avatar-1.png").ok(),
        size: Some(42),
        source_etag: Some(ETag::new("\"aa\"")),
        target_etag: Some(ETag::new("\"bb\"")),
        sha256: None,
        proof: Some(Proof::Checksum),
        detail: "says \"fine\", moves on".into(),
    }
}

fn orphan() -> Finding {
    Finding {
        status: Status::Orphan,
        row: None,
        legacy_path: None,
        modern_path: None,
        source_key: ObjectKey::new("=cmd()\r\n").ok(),
        target_key: None,
        size: None,
        source_etag: None,
        target_etag: None,
        sha256: None,
        proof: None,
        detail: String::new(),
    }
}

const REPORT: &str = "status,table,column,primary_key,legacy_path,modern_path,source_key,target_key,size,source_etag,\
                      target_etag,sha256,proof,detail\r\n\
                      migrated,avatars,path,'-7,image/avatar-1.png,avatar/avatar-1.png,image/avatar-1.png,\
                      avatar/avatar-1.png,42,aa,bb,,checksum,\"says \"\"fine\"\", moves on\"\r\n\
                      orphan,,,,,,\"'=cmd()\r\n\",,,,,,none,\r\n";

fn write(path: &Path, findings: &[Finding]) {
    let mut report = ReportWriter::create(path).expect("a new report");
    for finding in findings {
        report.write(finding).expect("a line");
    }
    report.finish().expect("a finished report");
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).expect("a file").count()
}

#[test]
fn a_report_is_rfc_4180_under_its_name_only_when_finished() {
    let directory = scratch();
    let path = directory.path().join("out.csv");
    fs::write(&path, "an older report").expect("a file");

    let mut report = ReportWriter::create(&path).expect("a new report");
    report.write(&migrated()).expect("a line");
    report.write(&orphan()).expect("a line");
    assert_eq!(fs::read_to_string(&path).expect("a file"), "an older report");
    assert_eq!(entries(directory.path()), 2);

    report.finish().expect("a finished report");
    assert_eq!(fs::read_to_string(&path).expect("a file"), REPORT);
    assert_eq!(entries(directory.path()), 1);
}

#[test]
fn a_dropped_report_leaves_nothing() {
    let directory = scratch();
    let mut report = ReportWriter::create(&directory.path().join("out.csv")).expect("a new report");
    report.write(&migrated()).expect("a line");
    drop(report);
    assert_eq!(entries(directory.path()), 0);
}

#[cfg(unix)]
#[test]
fn a_report_belongs_to_its_owner_alone_and_follows_a_link() {
    use std::os::unix::fs::PermissionsExt;

    let directory = scratch();
    let (path, link) = (directory.path().join("out.csv"), directory.path().join("latest.csv"));
    write(&path, &[]);
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);

    std::os::unix::fs::symlink(&path, &link).expect("a file");
    write(&link, &[migrated()]);
    assert!(fs::symlink_metadata(&link).expect("a file").is_symlink());
    assert_eq!(ReportReader::open(&path).expect("a report").count(), 1);
}

#[test]
fn impossible_places_are_refused_at_once() {
    let directory = scratch();
    let at = |path: &Path| ReportWriter::create(path).expect_err("an impossible place");
    assert!(matches!(at(&directory.path().join("no/out.csv")), WriteError::NoDirectory(_)));
    assert!(matches!(at(directory.path()), WriteError::NotAFile(_)));
    assert!(matches!(at(Path::new("/")), WriteError::NotAFile(_)));
    assert!(matches!(at(Path::new("/dev/null")), WriteError::NotAFile(_)));
    let message = at(&directory.path().join("no/out.csv")).to_string();
    assert!(message.contains("no/out.csv") && message.contains("create it"), "{message}");
}

#[test]
fn lines_are_read_back_with_their_numbers() {
    let directory = scratch();
    let path = directory.path().join("out.csv");
    write(&path, &[orphan(), migrated()]);
    let lines: Vec<ReportLine> =
        ReportReader::open(&path).expect("a report").map(|line| line.expect("a line")).collect();
    let expected = [ReportLine { line: 2, finding: orphan() }, ReportLine { line: 4, finding: migrated() }];
    assert_eq!(lines, expected);
}

#[test]
fn damage_is_named_with_its_line() {
    let directory = scratch();
    let path = directory.path().join("out.csv");
    let header = COLUMNS.join(",");
    for (line, problem) in [
        ("lost,t,c,1,,,,,,,,,none,", "`lost` is no status"),
        ("legacy,t,c,1,,,,,many,,,,none,", "`many` is no size"),
        ("legacy,t,c,1,,,,,,,,,belief,", "`belief` is no proof"),
        ("legacy,t,c", "3 cells instead of 14"),
    ] {
        fs::write(&path, format!("{header}\r\nlegacy,t,c,1,,,,,,,,,none,\r\n{line}\r\n")).expect("a file");
        let error =
            ReportReader::open(&path).expect("a report").nth(1).expect("a line").expect_err("damage").to_string();
        assert!(error.contains("out.csv is damaged in line 3") && error.contains(problem), "{error}");
    }
    fs::write(&path, [header.as_bytes(), b"\r\nlegacy,\xff,c,1,,,,,,,,,none,\r\n"].concat()).expect("a file");
    let error = ReportReader::open(&path).expect("a report").next().expect("a line").expect_err("damage").to_string();
    assert!(error.contains("line 2: it is not valid UTF-8"), "{error}");
}

#[test]
fn other_files_are_no_reports() {
    let directory = scratch();
    let path = directory.path().join("out.csv");
    assert!(matches!(ReportReader::open(&path), Err(ReadError::Unreadable { .. })));
    for content in ["", "status,table\r\n", "\u{0}\u{ff}"] {
        fs::write(&path, content).expect("a file");
        assert!(matches!(ReportReader::open(&path), Err(ReadError::NotAReport { .. })));
    }
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "'{0,2}[=+@\t\r\n-]?[\",;a\r\n ]{0,4}", Just("\u{feff}".to_owned())]
}

fn optional() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(cell().prop_filter("an empty cell is an absent value", |cell| !cell.is_empty()))
}

fn row() -> impl Strategy<Value = Option<RowPlace>> {
    let place = (cell().prop_filter("every table has a name", |table| !table.is_empty()), cell(), cell());
    proptest::option::of(place.prop_map(|(table, column, primary_key)| RowPlace { table, column, primary_key }))
}

fn etag() -> impl Strategy<Value = Option<ETag>> {
    proptest::option::of("['=+@-]?[a-f0-9]{1,32}(-[0-9]{1,5})?".prop_map(|text| ETag::new(&text)))
}

prop_compose! {
    fn finding()(
        status in proptest::sample::select(STATUSES.to_vec()),
        row in row(),
        paths in (optional(), optional()),
        keys in (optional(), optional()),
        size in any::<Option<u64>>(),
        etags in (etag(), etag()),
        sha256 in optional(),
        proof in proptest::sample::select(PROOFS.to_vec()),
        detail in cell(),
    ) -> Finding {
        let key = |key: Option<String>| key.and_then(|key| ObjectKey::new(key).ok());
        Finding {
            status, row, size, sha256, proof, detail,
            legacy_path: paths.0, modern_path: paths.1,
            source_key: key(keys.0), target_key: key(keys.1),
            source_etag: etags.0, target_etag: etags.1,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn reading_is_the_inverse_of_writing(findings in proptest::collection::vec(finding(), 0..4)) {
        let directory = scratch();
        let path = directory.path().join("out.csv");
        write(&path, &findings);
        let lines = ReportReader::open(&path).expect("a report");
        let read: Vec<Finding> = lines.map(|line| line.expect("a line").finding).collect();
        prop_assert_eq!(read, findings);
    }
}
