//! Scratch objects: written to try what an endpoint does, and always removed.

use std::future::Future;

use super::delete::delete_plain;
use super::failure::Failure;
use super::{Bucket, ObjectInfo, ReadObjects, StoreError};
use crate::path::{ETag, ObjectKey};

/// What the scratch objects of runs begin with.
pub const SCRATCH_OF_RUNS: &str = ".avatar-migrate/canary-";
/// What those of `doctor` begin with.
pub const SCRATCH_OF_DOCTOR: &str = ".avatar-migrate/doctor-";
/// What objects begin with that `resolve` puts aside; they stay.
pub const PUT_ASIDE: &str = ".avatar-migrate/resolved-";

/// Whose scratch objects these are. `doctor` holds no lock and may run beside a run, so that neither may sweep the other's.
#[derive(Clone, Debug)]
pub struct Scratch {
    area: String,
    name: String,
}

impl Scratch {
    /// Those of a run with this number in the ledger.
    #[must_use]
    pub fn of_run(run: u64) -> Self {
        Self { area: SCRATCH_OF_RUNS.to_owned(), name: run.to_string() }
    }

    /// Those of a worker of a shared run. They have an area of their own, as workers try the endpoint at the same time; what
    /// killed ones have left is removed by [`sweep_workers`].
    #[must_use]
    pub fn of_worker(run: u64, worker: u64) -> Self {
        Self { area: format!("{}{run}-{worker}-", workers()), name: "scratch".to_owned() }
    }

    /// Those of `doctor`, which have the same names in every run: also what a listing conceals is removed by the next one.
    #[must_use]
    pub fn of_doctor() -> Self {
        Self { area: SCRATCH_OF_DOCTOR.to_owned(), name: "scratch".to_owned() }
    }

    /// What all scratch objects of one trial begin with, those of earlier runs too: what is swept.
    pub(super) fn prefix(&self, trial: &str) -> String {
        format!("{}{trial}-", self.area)
    }

    /// The key of one scratch object of this run.
    pub(super) fn key(&self, trial: &str, name: &str) -> Result<ObjectKey, Failure> {
        let key = ObjectKey::new(format!("{}{}-{name}", self.prefix(trial), self.name));
        key.map_err(|error| Failure::unusable_answer(error.to_string()))
    }
}

/// Runs `trial` between two sweeps of its scratch objects. They are removed however it went; its own error comes first.
pub(super) async fn swept<T>(
    bucket: &Bucket,
    prefix: &str,
    trial: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    sweep(bucket, prefix).await?;
    let tried = trial.await;
    let swept = sweep(bucket, prefix).await;
    let tried = tried?;
    swept?;
    Ok(tried)
}

/// What the scratch objects of workers begin with.
fn workers() -> String {
    format!("{SCRATCH_OF_RUNS}worker-")
}

/// Removes what workers of runs that are over have left.
///
/// # Errors
/// [`StoreError`] if the bucket cannot be listed, or an object not be removed.
pub async fn sweep_workers(bucket: &Bucket) -> Result<(), StoreError> {
    sweep(bucket, &workers()).await
}

/// Writes a scratch object whose content is its own key. `purpose` completes the message where that is forbidden.
pub(super) async fn put(bucket: &Bucket, key: &ObjectKey, purpose: &str) -> Result<ObjectInfo, Failure> {
    let request = bucket.client().put_object().bucket(bucket.name()).key(key.as_str());
    let answer = request.body(key.as_str().as_bytes().to_vec().into()).send().await.map_err(Failure::from);
    let output = answer.map_err(|failure| {
        failure.hint_if_forbidden(&format!("s3:PutObject is needed on .avatar-migrate/* {purpose}"))
    })?;
    let etag = output.e_tag().map(ETag::new).ok_or_else(|| Failure::unusable_answer("the answer gives no ETag"))?;
    Ok(ObjectInfo { key: key.clone(), size: key.as_str().len() as u64, etag, modified_ms: 0 })
}

/// Removes every scratch object below `prefix`, also those of runs that were killed.
pub(super) async fn sweep(bucket: &Bucket, prefix: &str) -> Result<(), StoreError> {
    let mut token = None;
    loop {
        let page = bucket.list(prefix, None, token).await?;
        for object in &page.objects {
            remove(bucket, &object.key).await?;
        }
        token = page.next;
        if token.is_none() {
            return Ok(());
        }
    }
}

/// Removes one scratch object.
pub(super) async fn remove(bucket: &Bucket, key: &ObjectKey) -> Result<(), StoreError> {
    let removed = delete_plain(bucket, key).await;
    removed.map_err(|failure| failure.into_error("DeleteObject", bucket.subject(key.as_str())))
}

/// A well-formed ETag (the MD5 of no bytes) that no scratch object has.
pub(super) const ETAG_OF_NOTHING_HERE: &str = "d41d8cd98f00b204e9800998ecf8427e";
