//! Deleting sources, in the strongest way that the endpoint has been seen to enforce.

use std::time::SystemTime;

use futures::StreamExt;

use super::delete::{DeleteMode, Verdict, delete_batch, delete_if_match, delete_plain, no_verdict};
use super::patience::{ATTEMPTS_MAX, pause_before};
use super::{Bucket, DeleteEnd, DeleteItem, DeleteSources, ReadObjects, Scratch, StoreError, delete_canary};
use crate::path::ObjectKey;

/// What an endpoint was seen to do with conditional deletes.
#[derive(Debug)]
pub enum DeleteProof {
    /// It keeps what does not match: this deleter is safe against a write in the last moment.
    Enforced(Deleter),
    /// It ignores the conditions.
    NotEnforced(Unenforced),
}

/// A bucket whose endpoint ignores the conditions of a delete.
#[derive(Debug)]
pub struct Unenforced(Bucket);

impl Unenforced {
    /// Accepts (`--unconditional-delete`) that a write between a look and the delete right after it is lost.
    #[must_use]
    pub fn compare_instead(self) -> Deleter {
        Deleter { bucket: self.0, mode: DeleteMode::Compare }
    }
}

/// Deletes objects of one bucket. There is none without the canaries of [`Deleter::prove`].
#[derive(Debug)]
pub struct Deleter {
    bucket: Bucket,
    mode: DeleteMode,
}

impl Deleter {
    /// Tries conditional deletes on scratch objects in `bucket`, and removes those and what earlier runs left of theirs.
    ///
    /// # Errors
    /// [`StoreError`] if the scratch objects cannot be written, judged or removed.
    pub async fn prove(bucket: Bucket, scratch: &Scratch) -> Result<DeleteProof, StoreError> {
        Ok(match delete_canary::prove(&bucket, scratch).await? {
            Some(mode) => DeleteProof::Enforced(Self { bucket, mode }),
            None => DeleteProof::NotEnforced(Unenforced(bucket)),
        })
    }

    /// How this one deletes.
    #[must_use]
    pub fn mode(&self) -> DeleteMode {
        self.mode
    }

    /// Batches, and again those whose verdict was transient. Keys that XML cannot carry are deleted one by one.
    async fn delete_batches(&self, items: &[DeleteItem]) -> Result<Vec<DeleteEnd>, StoreError> {
        let mut ends = vec![no_verdict(); items.len()];
        let slots = items.iter().zip(&mut ends);
        let (mut open, odd): (Vec<_>, Vec<_>) = slots.partition(|(item, _)| fits_in_xml(&item.key));
        for (item, end) in odd {
            *end = self.delete_single(item).await;
        }
        let mut attempt = 1;
        while !open.is_empty() {
            open = self.delete_round(open, attempt == ATTEMPTS_MAX).await?;
            if !open.is_empty() {
                pause_before(attempt).await;
            }
            attempt += 1;
        }
        Ok(ends)
    }

    /// One try at each of `open`; what is to be tried again, which is nothing in the last round.
    async fn delete_round<'a>(&self, open: Vec<Slot<'a>>, last: bool) -> Result<Vec<Slot<'a>>, StoreError> {
        let mut verdicts = Vec::with_capacity(open.len());
        for chunk in open.chunks(BATCH_MAX) {
            let batch: Vec<&DeleteItem> = chunk.iter().map(|(item, _)| *item).collect();
            let answer = delete_batch(&self.bucket, &batch).await;
            verdicts.extend(answer.map_err(|failure| failure.into_error("DeleteObjects", self.bucket.subject("")))?);
        }
        let mut again = Vec::new();
        for ((item, end), verdict) in open.into_iter().zip(verdicts) {
            let transient = matches!(verdict, Verdict::Again(_));
            *end = verdict.end();
            if transient {
                again.push((item, end));
            }
        }
        if !again.is_empty() {
            self.bucket.throttles().add();
        }
        Ok(if last { Vec::new() } else { again })
    }

    async fn delete_single(&self, item: &DeleteItem) -> DeleteEnd {
        let mut attempt = 1;
        loop {
            match delete_if_match(&self.bucket, item).await {
                Ok(Verdict::Again(_)) if attempt < ATTEMPTS_MAX => pause_before(attempt).await,
                Ok(verdict) => return verdict.end(),
                Err(failure) => return DeleteEnd::Failed(failure.message().to_owned()),
            }
            attempt += 1;
        }
    }

    async fn delete_in_its_mode(&self, items: &[DeleteItem]) -> Result<Vec<DeleteEnd>, StoreError> {
        let one_by_one = futures::stream::iter(items.to_vec());
        Ok(match self.mode {
            DeleteMode::Batch => self.delete_batches(items).await?,
            DeleteMode::Single => {
                let ends = one_by_one.map(|item| async move { self.delete_single(&item).await });
                ends.buffered(DELETES_AT_ONCE).collect().await
            }
            DeleteMode::Compare => {
                let ends = one_by_one.map(|item| async move { self.delete_compared(&item).await });
                ends.buffered(DELETES_AT_ONCE).collect().await
            }
        })
    }

    async fn delete_compared(&self, item: &DeleteItem) -> DeleteEnd {
        match self.bucket.head(&item.key).await {
            Ok(None) => DeleteEnd::Deleted,
            Ok(Some(details)) if details.info.etag != item.etag => DeleteEnd::Changed,
            Ok(Some(_)) => match delete_plain(&self.bucket, &item.key).await {
                Ok(()) => DeleteEnd::Deleted,
                Err(failure) => DeleteEnd::Failed(failure.message().to_owned()),
            },
            Err(error) => DeleteEnd::Failed(error.message),
        }
    }
}

impl DeleteSources for Deleter {
    async fn delete(&self, items: &[DeleteItem], permitted: SystemTime) -> Result<Vec<DeleteEnd>, StoreError> {
        let deleter = Self { bucket: self.bucket.signed_as_of(permitted), mode: self.mode };
        let mut ends = deleter.delete_in_its_mode(items).await?;
        // A repeated delete whose first answer was lost finds nothing that could match (SeaweedFS: 412 then, not 404).
        for (item, end) in items.iter().zip(&mut ends).filter(|(_, end)| **end == DeleteEnd::Changed) {
            if matches!(self.bucket.head(&item.key).await, Ok(None)) {
                *end = DeleteEnd::Deleted;
            }
        }
        Ok(ends)
    }
}

/// An object to delete, and where its end is to be noted.
type Slot<'a> = (&'a DeleteItem, &'a mut DeleteEnd);

/// Whether XML 1.0 can carry this key in a request and in its answer (section 2.2). Carriage returns are legal, but
/// readers turn them into line feeds unless both sides escape them.
fn fits_in_xml(key: &ObjectKey) -> bool {
    key.as_str().chars().all(|character| !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}'))
}

/// AWS: "DeleteObjects", the most keys of one request.
const BATCH_MAX: usize = 1000;

/// Deletes of one key each that a batch has under way; eight to sixteen batches are.
const DELETES_AT_ONCE: usize = 16;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::path::ETag;
    use crate::store::tests::bucket;

    /// S3 may ask for fewer requests in an answer of 200, which no counter of statuses sees.
    #[tokio::test]
    async fn keys_that_are_put_off_are_a_complaint() -> anyhow::Result<()> {
        let asked = AtomicU32::new(0);
        let bucket = bucket(move |_, _| {
            let verdict = match asked.fetch_add(1, Ordering::SeqCst) {
                0 => "<Error><Key>image/a</Key><Code>SlowDown</Code><Message>later</Message></Error>",
                _ => "<Deleted><Key>image/a</Key></Deleted>",
            };
            (200, format!("<DeleteResult>{verdict}</DeleteResult>"))
        });
        let deleter = Deleter { bucket: bucket.clone(), mode: DeleteMode::Batch };
        let item = DeleteItem { key: ObjectKey::new("image/a")?, etag: ETag::new("1") };
        assert_eq!(deleter.delete(&[item], SystemTime::now()).await?, [DeleteEnd::Deleted]);
        assert_eq!(bucket.throttles().count(), 1);
        Ok(())
    }
}
