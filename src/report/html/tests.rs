//! The page as text: what it says, and that nothing in it is markup that was not meant.

use std::time::Duration;

use super::*;
use crate::config::{Arguments, Command, Layer, PasswordArgument, load};
use crate::finding::{Finding, Proof, RowPlace, Status};
use crate::path::{ETag, ObjectKey};
use crate::report::summary::{VerifyObjects, VerifyRows};

const HOSTILE: &str = "image/</script><img src=x onerror=\"alert(1)\"><!--'`{{7*7}}\u{202e}.png";

fn finding(status: Status, key: &str) -> Finding {
    Finding {
        row: Some(RowPlace { table: "ava<b>tars".into(), column: "path".into(), primary_key: "7".into() }),
        legacy_path: Some(key.into()),
        modern_path: Some(key.replacen("image/", "avatar/", 1)),
        source_key: ObjectKey::new(key).ok(),
        target_key: ObjectKey::new(key.replacen("image/", "avatar/", 1)).ok(),
        size: Some(42),
        source_etag: Some(ETag::new("aa")),
        target_etag: Some(ETag::new("aa")),
        sha256: None,
        proof: Some(Proof::ETag),
        detail: "resolves".into(),
        status,
    }
}

fn config() -> Config {
    let arguments = Arguments { command: Command::Verify, flags: Layer::default(), password: PasswordArgument::None };
    let variables = [("AVATAR_MIGRATE_DATABASE_URL", "mysql://migrator:s3cret@db.example.org/production-db")];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    load(arguments, variables, Path::new("/")).expect("settings").config
}

/// The page of these findings.
fn page(findings: &[Finding], summary: &VerifySummary, twins: impl Fn(Vec<Sampled>) -> Vec<ShownTwins>) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("out.html");
    let mut page = PageWriter::create(&path).expect("a new page");
    for finding in findings {
        page.place();
        page.finding(finding);
    }
    let twins = twins(page.sampled());
    let phase = |phase: &str, began, took| PhasePast {
        phase: phase.into(),
        done: 1_234,
        unit: "rows".into(),
        began: Duration::from_millis(began),
        took: Duration::from_millis(took),
    };
    let phases = [phase("read rows", 100, 300), phase("compare", 400, 61_000)];
    page.finish(&About { config: &config(), summary, phases: &phases, twins: &twins }).expect("a finished page");
    std::fs::read_to_string(&path).expect("the page")
}

fn summary() -> VerifySummary {
    VerifySummary {
        rows: VerifyRows { modern: 1_234_567, ..VerifyRows::default() },
        objects: VerifyObjects { verified: 1_234_567, ..VerifyObjects::default() },
        finalizable: true,
        report: Some("out & more.csv".into()),
        ..VerifySummary::default()
    }
}

#[test]
fn it_says_the_verdict_the_counts_and_how_long_each_phase_took() {
    let findings: Vec<Finding> =
        (0..3).map(|number| finding(Status::Migrated, &format!("image/avatar-{number}.png"))).collect();
    let page = page(&findings, &summary(), |_| Vec::new());
    for said in [
        "<title>CLEAN: verify of 2",
        "<span class=\"word\">CLEAN</span> no legacy row is left and 1,234,567 modern rows resolve",
        "<code>avatarMigrate finalize</code>",
        "<dt>modern rows</dt><dd>1,234,567</dd>",
        "3 objects, 126 B together; the smallest has 42 B, the largest 42 B.",
        "read rows<span class=\"under\">1,234 rows</span>",
        "<td class=\"number\">1 min 1 s</td>",
        "All 3 lines of the report",
        "production-db on db.example.org",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
    assert!(!page.contains("s3cret") && !page.contains("migrator"), "a secret stands in the page");
}

#[test]
fn hostile_names_are_text_wherever_they_stand() {
    let findings = [finding(Status::Migrated, HOSTILE), finding(Status::Conflict, HOSTILE)];
    let png = b"\x89PNG\r\n\x1a\n".to_vec();
    let summary = VerifySummary { reasons: vec![HOSTILE.to_owned()], finalizable: false, ..summary() };
    let page = page(&findings, &summary, |sampled| {
        let shown = |twins| ShownTwins { twins, before: Picture::Bytes(png.clone()), after: Picture::Unreadable };
        sampled.into_iter().map(shown).collect()
    });
    assert_eq!(page.matches("<script").count(), page.matches("</script>").count());
    assert_eq!(page.matches("<script").count(), 2, "the data and the one script");
    assert_eq!(page.matches("<img ").count(), page.matches("<img src=\"data:image/png;base64,").count());
    assert_eq!(page.matches("<img ").count(), 2);
    assert!(!page.contains("<!--") && !page.contains('\u{202e}') && !page.contains("ava<b>"), "{page}");
    assert!(page.contains("\\u{202e}"), "what cannot be seen is not made visible");
    let data = page.split_once("id=\"data\">").and_then(|(_, rest)| rest.split_once("</script>")).expect("data").0;
    let rows: Vec<Row> = serde_json::from_str(data).expect("JSON");
    assert_eq!(rows.iter().map(|row| row.status.as_str()).collect::<Vec<_>>(), ["conflict", "migrated"]);
    assert_eq!(rows.first().map(|row| row.legacy.replace("\\u{202e}", "\u{202e}")).as_deref(), Some(HOSTILE));
}

#[test]
fn the_policy_names_the_style_and_the_script_that_are_there() {
    use base64::Engine;
    use sha2::{Digest, Sha256};

    let page = page(&[], &summary(), |_| Vec::new());
    let policy = page.split_once("Security-Policy\" content=\"").and_then(|(_, rest)| rest.split_once('"'));
    let policy = policy.expect("a policy").0.replace("&#39;", "'").replace("&#x2B;", "+").replace("&#43;", "+");
    assert!(policy.starts_with("default-src 'none'; img-src data:;"), "{policy}");
    for (kind, opening, closing) in [("style", "<style>", "</style>"), ("script", "\n<script>", "</script>")] {
        let inside = page.split_once(opening).and_then(|(_, rest)| rest.split_once(closing)).expect(kind).0;
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(inside));
        assert!(policy.contains(&format!("{kind}-src 'sha256-{hash}'")), "{kind}: {hash} is not in {policy}");
    }
    for remote in
        ["http://", "https://", "url(", "@import", "innerHTML", "insertAdjacentHTML", "document.write", "eval("]
    {
        assert!(!page.contains(remote), "{remote} stands in the page");
    }
}

#[test]
fn an_object_of_many_rows_counts_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut page = PageWriter::create(&directory.path().join("out.html")).expect("a new page");
    for place in ["image/avatar-1.png", "image/avatar-2.png"] {
        page.place();
        for _ in 0..3 {
            page.finding(&finding(Status::Migrated, place));
        }
    }
    assert_eq!((page.sizes.objects(), page.counts.total(), page.sampled().len()), (2, 6, 2));
}
