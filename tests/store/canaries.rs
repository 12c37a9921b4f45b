//! Canaries: what an endpoint enforces and keeps is seen, and nothing is left behind.

use avatar_migrate::store::{
    Copier, CopyChecksum, CopyConditions, ListTrial, PartSizes, Scratch, StoreErrorKind, Stores, Streamer,
    prove_checksum, prove_copies, prove_listing,
};
use avatar_migrate_kit::{Fault, Ignored, Seaweed};

use crate::embedded;

const SIZES: PartSizes = PartSizes { threshold: 5 << 30, part_size: 5 << 20 };

#[tokio::test]
async fn each_ignored_condition_is_seen() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    let target = &stores.target;
    server.put("production-s3", ".avatar-migrate/canary-copy-killed-run", "left behind");
    let server_side = Copier::new(target.clone(), target.clone(), SIZES);
    let streamed = Streamer::new(target.clone(), target.clone(), SIZES);
    let all = CopyConditions { absent: true, own_copy: true, source: true };
    let cases = [
        (vec![], all),
        (vec![Ignored::Target], CopyConditions { absent: false, own_copy: false, ..all }),
        (vec![Ignored::CopySource], CopyConditions { source: false, ..all }),
    ];
    for (ignored, expected) in cases {
        server.ignore(&ignored);
        assert_eq!(
            prove_copies(target, &server_side, &Scratch::of_run(1)).await?.cleared().await?,
            expected,
            "{ignored:?}"
        );
        assert!(server.keys("production-s3").is_empty(), "no scratch object is left");
    }
    // A streamed copy reads its source by GET, whose condition this server heeds.
    server.ignore(&[Ignored::Target, Ignored::CopySource]);
    let expected = CopyConditions { absent: false, own_copy: false, source: true };
    assert_eq!(prove_copies(target, &streamed, &Scratch::of_run(1)).await?.cleared().await?, expected);
    Ok(())
}

#[tokio::test]
async fn a_listing_that_is_out_of_order_or_incomplete_is_seen() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    let target = &stores.target;
    let good = ListTrial { ordered: true, etags: true, lost: Vec::new() };
    let lost = vec!["a//b".to_owned()];
    for (ignored, expected) in [
        (vec![], good.clone()),
        (vec![Ignored::ListOrder], ListTrial { ordered: false, ..good.clone() }),
        (vec![Ignored::ListDoubleSlashes], ListTrial { lost: lost.clone(), ..good.clone() }),
        (vec![Ignored::ListETags], ListTrial { etags: false, ..good.clone() }),
        (vec![Ignored::ListOrder, Ignored::ListDoubleSlashes], ListTrial { ordered: false, lost, ..good }),
    ] {
        server.put("production-s3", ".avatar-migrate/canary-list-killed-run-a", "left behind");
        server.ignore(&ignored);
        assert_eq!(prove_listing(target, &Scratch::of_run(1)).await?, expected, "{ignored:?}");
        assert!(
            server.keys("production-s3").is_empty(),
            "no scratch object is left: {:?}",
            server.keys("production-s3")
        );
    }
    Ok(())
}

/// A refusal of the identity says nothing of names, and must not pass for a server that loses them.
#[tokio::test]
async fn a_listing_that_cannot_be_tried_is_an_error() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    server.on_request(|seen| match seen.operation.as_str() {
        "PutObject" => Fault::Status(403, "AccessDenied".to_owned()),
        _ => Fault::None,
    });
    let tried = prove_listing(&stores.target, &Scratch::of_run(1)).await;
    let error = tried.err().map(|error| (error.kind, error.message.contains(".avatar-migrate/*")));
    assert_eq!(error, Some((StoreErrorKind::Forbidden, true)));
    Ok(())
}

#[tokio::test]
async fn the_checksum_of_a_copy_is_compared_with_its_content() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    let target = &stores.target;
    let copier = Copier::new(target.clone(), target.clone(), SIZES);
    for (ignored, expected) in [
        (vec![], CopyChecksum::Right),
        (vec![Ignored::CopyChecksum], CopyChecksum::None),
        (vec![Ignored::CopyChecksumContent], CopyChecksum::Wrong),
    ] {
        server.ignore(&ignored);
        assert_eq!(prove_checksum(target, &copier, &Scratch::of_run(1)).await?, expected, "{ignored:?}");
        assert!(server.keys("production-s3").is_empty(), "no scratch object is left");
    }
    Ok(())
}

/// SeaweedFS keeps files in directories, and shows it.
#[tokio::test]
async fn seaweedfs_is_seen_as_it_is() -> anyhow::Result<()> {
    let (client, bucket) = (Seaweed::shared().client(), Seaweed::shared().bucket("canaries"));
    let stores = Stores::from_clients((&client, &bucket), (&client, &bucket));
    let trial = prove_listing(&stores.target, &Scratch::of_doctor()).await?;
    assert_eq!(
        trial,
        ListTrial { ordered: false, etags: true, lost: vec!["a/b".to_owned(), "a//b".to_owned()] },
        "the second was written over the first"
    );
    let copier = Copier::new(stores.target.clone(), stores.target.clone(), SIZES);
    assert_eq!(prove_checksum(&stores.target, &copier, &Scratch::of_doctor()).await?, CopyChecksum::None);
    assert!(crate::listed(&stores.target, "").await?.is_empty(), "no scratch object is left");
    Ok(())
}

/// A run on another schema may sweep the scratch objects of this one: what is gone has proved nothing.
#[tokio::test]
async fn a_scratch_object_that_vanishes_proves_nothing() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    let copier = Copier::new(stores.target.clone(), stores.target.clone(), SIZES);
    server.ignore(&[Ignored::CopySource]);
    server.on_request(|seen| match (seen.operation.as_str(), seen.key.as_deref()) {
        ("CopyObject", Some(key)) if key.ends_with("-target") => Fault::Status(404, "NoSuchKey".to_owned()),
        ("HeadObject", Some(key)) if !key.ends_with("-target") => Fault::Status(404, "NoSuchKey".to_owned()),
        _ => Fault::None,
    });
    let conditions = prove_copies(&stores.target, &copier, &Scratch::of_run(1)).await?.cleared().await?;
    assert!(!conditions.source, "{conditions:?}");
    Ok(())
}
