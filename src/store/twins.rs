//! Two objects read side by side. Equal bytes prove more than equal hashes do, and only one of the two is hashed, for the
//! report.

use bytes::Bytes;
use futures::future::try_join;

use super::hashing::Hashing;
use super::reading::{Broken, Reading, read_anew};
use super::{Bucket, ObjectInfo, SideBySide, StoreError};

/// Reads both from the start again if one of them breaks off.
pub(super) async fn compare(
    ours: (&Bucket, &ObjectInfo),
    theirs: (&Bucket, &ObjectInfo),
) -> Result<SideBySide, StoreError> {
    read_anew(|| async {
        let opened = try_join(Reading::open(ours.0, ours.1), Reading::open(theirs.0, theirs.1)).await?;
        let (Some(ours), Some(theirs)) = opened else { return Ok(SideBySide::Moved) };
        side_by_side(ours, theirs).await
    })
    .await
}

/// Neither is read on while bytes of it wait for those of the other, so that nothing piles up; a difference ends both.
async fn side_by_side(mut ours: Reading<'_>, mut theirs: Reading<'_>) -> Result<SideBySide, Broken> {
    let (mut hashing, mut same) = (Hashing::begin(), 0);
    while let (true, true) = try_join(ours.fill(), theirs.fill()).await? {
        let length = ours.arrived().min(theirs.arrived());
        let (our_slice, their_slice) = (ours.take(length), theirs.take(length));
        if our_slice != their_slice {
            return Ok(SideBySide::DifferAt(same + common(&our_slice, &their_slice)));
        }
        same += length as u64;
        hashing.update(our_slice).await;
    }
    // Each of them ended after as many bytes as its object has.
    Ok(if ours.arrived() == theirs.arrived() { SideBySide::Same(hashing.finish()) } else { SideBySide::DifferAt(same) })
}

/// How many bytes are the same at the beginning.
fn common(ours: &Bytes, theirs: &Bytes) -> u64 {
    ours.iter().zip(theirs).take_while(|(our, their)| our == their).count() as u64
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::primitives::{ByteStream, SdkBody};
    use http_body_util::StreamBody;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::path::{ETag, ObjectKey};
    use crate::store::Sha256Digest;
    use crate::store::tests::bucket;

    /// Compares what comes in these chunks, as bodies of these sizes.
    async fn compared(ours: (&[&'static str], u64), theirs: (&[&'static str], u64)) -> anyhow::Result<SideBySide> {
        let bucket = bucket(|_, _| (500, String::new()));
        let object =
            |size| anyhow::Ok(ObjectInfo { key: ObjectKey::new("a")?, size, etag: ETag::new("e"), modified_ms: 0 });
        let (our_object, their_object) = (object(ours.1)?, object(theirs.1)?);
        let ours = Reading::of(&bucket, &our_object, body(ours.0));
        let theirs = Reading::of(&bucket, &their_object, body(theirs.0));
        side_by_side(ours, theirs).await.map_err(|broken| anyhow::anyhow!("{broken:?}"))
    }

    fn body(chunks: &[&'static str]) -> ByteStream {
        let frames = chunks
            .iter()
            .map(|chunk| Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from_static(chunk.as_bytes()))));
        let frames = frames.collect::<Vec<_>>();
        ByteStream::new(SdkBody::from_body_1_x(StreamBody::new(futures::stream::iter(frames))))
    }

    fn same(text: &str) -> SideBySide {
        SideBySide::Same(Sha256Digest(Sha256::digest(text).into()))
    }

    #[tokio::test]
    async fn chunks_need_not_line_up() -> anyhow::Result<()> {
        let cuts: [&[&str]; 5] =
            [&["abcdefgh"], &["a", "bcdefgh"], &["abcdefg", "h"], &["abc", "", "de", "fgh"], &["", "abcd", "efgh", ""]];
        for ours in cuts {
            for theirs in cuts {
                assert_eq!(compared((ours, 8), (theirs, 8)).await?, same("abcdefgh"), "{ours:?} {theirs:?}");
            }
            for (other, equal) in [("Xbcdefgh", 0), ("abcdXfgh", 4), ("abcdefgX", 7)] {
                let different = SideBySide::DifferAt(equal);
                assert_eq!(compared((ours, 8), (&[other], 8)).await?, different, "{ours:?} {other}");
                assert_eq!(compared((&[other], 8), (ours, 8)).await?, different, "{ours:?} {other}");
            }
        }
        assert_eq!(compared((&[], 0), (&[""], 0)).await?, same(""));
        Ok(())
    }

    #[tokio::test]
    async fn one_that_is_longer_is_another() -> anyhow::Result<()> {
        assert_eq!(compared((&["ab"], 2), (&["abc"], 3)).await?, SideBySide::DifferAt(2));
        assert_eq!(compared((&["ab", "c"], 3), (&["ab"], 2)).await?, SideBySide::DifferAt(2));
        Ok(())
    }

    #[tokio::test]
    async fn a_body_that_does_not_hold_its_object_is_broken() -> anyhow::Result<()> {
        for size in [1, 3] {
            let error = compared((&["ab"], size), (&["ab"], size)).await.err().map(|error| error.to_string());
            assert!(error.is_some_and(|error| error.contains(&format!("the body ended after 2 of {size} bytes"))));
            assert!(compared((&["ab"], 2), (&["ab"], size)).await.is_err());
        }
        Ok(())
    }
}
