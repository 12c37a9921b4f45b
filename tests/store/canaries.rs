//! Copy canaries: what an endpoint enforces is seen, and nothing is left behind.

use avatar_migrate::store::{Copier, CopyConditions, PartSizes, Streamer, prove_copies};
use avatar_migrate_kit::Ignored;

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
        assert_eq!(prove_copies(target, &server_side, "run").await?, expected, "{ignored:?}");
        assert!(server.keys("production-s3").is_empty(), "no scratch object is left");
    }
    // A streamed copy reads its source by GET, whose condition this server heeds.
    server.ignore(&[Ignored::Target, Ignored::CopySource]);
    let expected = CopyConditions { absent: false, own_copy: false, source: true };
    assert_eq!(prove_copies(target, &streamed, "run").await?, expected);
    Ok(())
}
