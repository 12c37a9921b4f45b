//! The policy of a bucket, and whose the bucket is.

use super::failure::Failure;
use super::{Bucket, StoreError, StoreErrorKind};

impl Bucket {
    /// Whether the bucket is `account`'s: a request that expects another owner is refused (AWS: "Verifying bucket ownership
    /// with bucket owner condition"). Only for who may list below `prefix`; servers other than AWS may ignore it.
    ///
    /// # Errors
    /// [`StoreError`] if the request failed for another reason.
    pub async fn belongs_to(&self, account: &str, prefix: &str) -> Result<bool, StoreError> {
        let request = self.client().list_objects_v2().bucket(self.name()).prefix(prefix).max_keys(1);
        let answer = request.expected_bucket_owner(account).send().await.map_err(Failure::from);
        match answer.map_err(|failure| failure.into_error("ListObjectsV2", self.subject(prefix))) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == StoreErrorKind::Forbidden => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The policy as JSON; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if the identity may not ask, or the request failed.
    pub async fn policy(&self) -> Result<Option<String>, StoreError> {
        match self.client().get_bucket_policy().bucket(self.name()).send().await.map_err(Failure::from) {
            Ok(output) => Ok(output.policy),
            Err(failure) if failure.has_code("NoSuchBucketPolicy") => Ok(None),
            Err(failure) => Err(self.refused(failure, "GetBucketPolicy", "s3:GetBucketPolicy")),
        }
    }

    /// Puts a policy in the place of the one that was there; `None` takes it away. AWS itself refuses one that would keep its
    /// writer from ever changing it again (AWS: "PutBucketPolicy").
    ///
    /// # Errors
    /// [`StoreError`] if the identity may not, the policy cannot be used, or the request failed.
    pub async fn set_policy(&self, policy: Option<&str>) -> Result<(), StoreError> {
        match policy {
            Some(policy) => {
                let put = self.client().put_bucket_policy().bucket(self.name()).policy(policy).send().await;
                put.map(drop)
                    .map_err(|error| self.refused(Failure::from(error), "PutBucketPolicy", "s3:PutBucketPolicy"))
            }
            None => {
                let deleted = self.client().delete_bucket_policy().bucket(self.name()).send().await;
                deleted
                    .map(drop)
                    .map_err(|error| self.refused(Failure::from(error), "DeleteBucketPolicy", "s3:DeleteBucketPolicy"))
            }
        }
    }
}
