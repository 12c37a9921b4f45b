//! Deletes: what is proved, and what is kept.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use avatar_migrate::path::ETag;
use avatar_migrate::store::{DeleteEnd, DeleteItem, DeleteMode, DeleteProof, DeleteSources, Deleter, Scratch};
use avatar_migrate_kit::{Fault, Ignored};

use crate::{embedded, info, key};

#[tokio::test]
async fn deletes_keep_what_changed_and_say_so() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    for name in ["image/same", "image/changed"] {
        server.put("legacy-s3", name, "old");
    }
    server.put("legacy-s3", ".avatar-migrate/canary-delete-killed-run", "left behind");
    let etag = info(&stores.source, "image/same").await?.etag;
    server.put("legacy-s3", "image/changed", "new");
    let item = |name: &str| anyhow::Ok(DeleteItem { key: key(name)?, etag: etag.clone() });
    let items = [item("image/same")?, item("image/changed")?, item("image/absent")?];
    let ends = [DeleteEnd::Deleted, DeleteEnd::Changed, DeleteEnd::Deleted];
    let DeleteProof::Enforced(deleter) = Deleter::prove(stores.source.clone(), &Scratch::of_run(1)).await? else {
        anyhow::bail!("not enforced")
    };
    assert_eq!(server.keys("legacy-s3"), ["image/changed", "image/same"], "no scratch object is left");
    server.reset_requests();
    server.on_request(|seen| match (seen.operation.as_str(), seen.nth) {
        ("DeleteObjects", 1) => Fault::Status(503, "SlowDown".to_owned()),
        _ => Fault::None,
    });
    assert_eq!(deleter.delete(&items, SystemTime::now()).await?, ends);
    assert_eq!(server.keys("legacy-s3"), ["image/changed"]);
    Ok(())
}

#[tokio::test]
async fn weaker_endpoints_get_weaker_deleters() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    server.put("legacy-s3", "image/a", "old");
    let stale = DeleteItem { key: key("image/a")?, etag: ETag::new("900150983cd24fb0d6963f7d28e17f72") };
    let fresh = DeleteItem { key: key("image/a")?, etag: info(&stores.source, "image/a").await?.etag };
    server.on_request(|seen| match seen.operation.as_str() {
        "DeleteObjects" => Fault::Status(501, "NotImplemented".to_owned()),
        _ => Fault::None,
    });
    let DeleteProof::Enforced(single) = Deleter::prove(stores.source.clone(), &Scratch::of_run(1)).await? else {
        anyhow::bail!("not enforced")
    };
    assert_eq!(single.mode(), DeleteMode::Single);
    assert_eq!(single.delete(std::slice::from_ref(&stale), SystemTime::now()).await?, [DeleteEnd::Changed]);
    server.on_request(|seen| match (seen.operation.as_str(), seen.key.as_deref()) {
        ("DeleteObject", Some(key)) if key.ends_with("-single") && seen.nth == 1 => {
            Fault::Status(501, "NotImplemented".to_owned())
        }
        _ => Fault::None,
    });
    server.reset_requests();
    let DeleteProof::NotEnforced(unenforced) = Deleter::prove(stores.source.clone(), &Scratch::of_run(1)).await? else {
        anyhow::bail!("enforced")
    };
    let compare = unenforced.compare_instead();
    assert_eq!(compare.mode(), DeleteMode::Compare);
    assert_eq!(compare.delete(&[stale], SystemTime::now()).await?, [DeleteEnd::Changed]);
    assert_eq!(compare.delete(&[fresh], SystemTime::now()).await?, [DeleteEnd::Deleted]);
    assert_eq!(server.keys("legacy-s3"), Vec::<String>::new());
    Ok(())
}

/// A finalize that was frozen after its last look at the lock and wakes much later: its deletes are void, in every mode.
#[tokio::test]
async fn a_right_to_delete_ends_after_a_quarter_of_an_hour() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    server.put("legacy-s3", "image/a", "old");
    let item = DeleteItem { key: key("image/a")?, etag: info(&stores.source, "image/a").await?.etag };
    let items = std::slice::from_ref(&item);
    let ago = |minutes: u64| SystemTime::now() - Duration::from_secs(60 * minutes);
    let DeleteProof::Enforced(batch) = Deleter::prove(stores.source.clone(), &Scratch::of_run(1)).await? else {
        anyhow::bail!("not enforced")
    };
    let error = batch.delete(items, ago(16)).await.err().context("it was deleted")?;
    assert!(error.message.contains("RequestTimeTooSkewed"), "{error}");
    server.ignore(&[Ignored::DeleteBatch]);
    let DeleteProof::Enforced(single) = Deleter::prove(stores.source.clone(), &Scratch::of_run(1)).await? else {
        anyhow::bail!("not enforced")
    };
    assert!(matches!(single.delete(items, ago(16)).await?.as_slice(), [DeleteEnd::Failed(_)]));
    server.ignore(&[Ignored::DeleteBatch, Ignored::Delete]);
    let DeleteProof::NotEnforced(unenforced) = Deleter::prove(stores.source.clone(), &Scratch::of_run(1)).await? else {
        anyhow::bail!("enforced")
    };
    let compare = unenforced.compare_instead();
    assert!(matches!(compare.delete(items, ago(16)).await?.as_slice(), [DeleteEnd::Failed(_)]));
    assert_eq!(server.keys("legacy-s3"), ["image/a"]);
    assert_eq!(compare.delete(items, ago(14)).await?, [DeleteEnd::Deleted]);
    Ok(())
}
