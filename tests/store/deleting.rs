//! Deletes: what is proved, and what is kept.

use avatar_migrate::path::ETag;
use avatar_migrate::store::{DeleteEnd, DeleteItem, DeleteMode, DeleteProof, DeleteSources, Deleter};
use avatar_migrate_kit::Fault;

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
    let DeleteProof::Enforced(deleter) = Deleter::prove(stores.source.clone(), "run").await? else {
        anyhow::bail!("not enforced")
    };
    assert_eq!(server.keys("legacy-s3"), ["image/changed", "image/same"], "no scratch object is left");
    server.reset_requests();
    server.on_request(|seen| match (seen.operation.as_str(), seen.nth) {
        ("DeleteObjects", 1) => Fault::Status(503, "SlowDown".to_owned()),
        _ => Fault::None,
    });
    assert_eq!(deleter.delete(&items).await?, ends);
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
    let DeleteProof::Enforced(single) = Deleter::prove(stores.source.clone(), "run").await? else {
        anyhow::bail!("not enforced")
    };
    assert_eq!(single.mode(), DeleteMode::Single);
    assert_eq!(single.delete(std::slice::from_ref(&stale)).await?, [DeleteEnd::Changed]);
    server.on_request(|seen| match (seen.operation.as_str(), seen.key.as_deref()) {
        ("DeleteObject", Some(key)) if key.ends_with("-single") && seen.nth == 1 => {
            Fault::Status(501, "NotImplemented".to_owned())
        }
        _ => Fault::None,
    });
    server.reset_requests();
    let DeleteProof::NotEnforced(unenforced) = Deleter::prove(stores.source.clone(), "run").await? else {
        anyhow::bail!("enforced")
    };
    let compare = unenforced.compare_instead();
    assert_eq!(compare.mode(), DeleteMode::Compare);
    assert_eq!(compare.delete(&[stale]).await?, [DeleteEnd::Changed]);
    assert_eq!(compare.delete(&[fresh]).await?, [DeleteEnd::Deleted]);
    assert_eq!(server.keys("legacy-s3"), Vec::<String>::new());
    Ok(())
}
