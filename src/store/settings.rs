//! Settings of a bucket that change what a copy or a delete in it means.

use std::fmt;

use aws_sdk_s3::types::{
    BucketVersioningStatus, DefaultRetention, ExpirationStatus, LifecycleRule, ObjectLockEnabled, ObjectLockRule,
    ObjectOwnership, OwnershipControls, ServerSideEncryption, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};

use super::failure::Failure;
use super::{Bucket, StoreError};

/// Whether overwritten and deleted objects stay as versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// Never switched on.
    Off,
    /// On.
    Enabled,
    /// Switched off again: old versions are still there.
    Suspended,
}

/// How the bucket encrypts what is written without other orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// With keys of S3's own, or not at all: nobody needs a permission for it.
    Plain,
    /// With a KMS key; `None` stands for the one that AWS manages for the account (`aws/s3`).
    Kms(Option<String>),
}

/// Who owns objects that others write, and whether ACLs count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// The bucket's owner; ACLs are off. Also on servers that do not know ACLs.
    Enforced,
    /// Who writes an object, or as ACLs say.
    Acls,
}

/// What a lifecycle rule does by itself to objects below some prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleHit {
    /// The rule's name.
    pub rule: String,
    /// Whether it deletes; else it only moves them to another storage class.
    pub deletes: bool,
    /// After how many days, if it says days.
    pub days: Option<i32>,
}

impl fmt::Display for LifecycleHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let does = if self.deletes { "deletes objects" } else { "moves objects to another storage class" };
        write!(f, "rule `{}` {does}", self.rule)?;
        self.days.map_or(Ok(()), |days| write!(f, " after {days} days"))
    }
}

impl Bucket {
    /// Whether the bucket keeps versions. A server that does not know versions has none.
    ///
    /// # Errors
    /// [`StoreError`] if the identity may not ask, or the request failed.
    pub async fn versioning(&self) -> Result<Versioning, StoreError> {
        let asked = self.client().get_bucket_versioning().bucket(self.name()).send().await.map_err(Failure::from);
        match asked {
            Ok(output) => Ok(match output.status() {
                Some(BucketVersioningStatus::Enabled) => Versioning::Enabled,
                Some(BucketVersioningStatus::Suspended) => Versioning::Suspended,
                Some(_) | None => Versioning::Off,
            }),
            Err(failure) if failure.is_unsupported() => Ok(Versioning::Off),
            Err(failure) => Err(self.refused(failure, "GetBucketVersioning", "s3:GetBucketVersioning")),
        }
    }

    /// The retention that every new object gets, in words; `None` without object lock.
    ///
    /// # Errors
    /// [`StoreError`] if the identity may not ask, or the request failed.
    pub async fn object_lock(&self) -> Result<Option<String>, StoreError> {
        let asked = self.client().get_object_lock_configuration().bucket(self.name()).send().await;
        match asked.map_err(Failure::from) {
            Ok(output) => {
                let lock = output.object_lock_configuration();
                let on = lock.filter(|lock| lock.object_lock_enabled() == Some(&ObjectLockEnabled::Enabled));
                Ok(on.map(|lock| retention(lock.rule())))
            }
            Err(failure) if is_absent(&failure, "ObjectLockConfigurationNotFoundError") => Ok(None),
            Err(failure) => {
                Err(self.refused(failure, "GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"))
            }
        }
    }

    /// The active lifecycle rules that delete or move current objects below one of `prefixes`.
    ///
    /// # Errors
    /// [`StoreError`] if the identity may not ask, or the request failed.
    pub async fn lifecycle(&self, prefixes: &[&str]) -> Result<Vec<LifecycleHit>, StoreError> {
        let asked = self.client().get_bucket_lifecycle_configuration().bucket(self.name()).send().await;
        match asked.map_err(Failure::from) {
            Ok(output) => Ok(output.rules().iter().filter_map(|rule| hit(rule, prefixes)).collect()),
            Err(failure) if is_absent(&failure, "NoSuchLifecycleConfiguration") => Ok(Vec::new()),
            Err(failure) => {
                Err(self.refused(failure, "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"))
            }
        }
    }

    /// How new objects are encrypted.
    ///
    /// # Errors
    /// [`StoreError`] if the identity may not ask, or the request failed.
    pub async fn encryption(&self) -> Result<Encryption, StoreError> {
        let asked = self.client().get_bucket_encryption().bucket(self.name()).send().await.map_err(Failure::from);
        match asked {
            Ok(output) => {
                let rules = output.server_side_encryption_configuration().map(ServerSideEncryptionConfiguration::rules);
                let of_rule = |rule: &ServerSideEncryptionRule| rule.apply_server_side_encryption_by_default().cloned();
                Ok(match rules.unwrap_or_default().iter().find_map(of_rule) {
                    Some(set) if is_kms(set.sse_algorithm()) => Encryption::Kms(set.kms_master_key_id),
                    Some(_) | None => Encryption::Plain,
                })
            }
            Err(failure) if is_absent(&failure, "ServerSideEncryptionConfigurationNotFoundError") => {
                Ok(Encryption::Plain)
            }
            Err(failure) => Err(self.refused(failure, "GetBucketEncryption", "s3:GetEncryptionConfiguration")),
        }
    }

    /// Whether ACLs count.
    ///
    /// # Errors
    /// [`StoreError`] if the identity may not ask, or the request failed.
    pub async fn ownership(&self) -> Result<Ownership, StoreError> {
        let asked = self.client().get_bucket_ownership_controls().bucket(self.name()).send().await;
        match asked.map_err(Failure::from) {
            Ok(output) => {
                let rules = output.ownership_controls().map(OwnershipControls::rules).unwrap_or_default();
                let enforced =
                    rules.iter().any(|rule| rule.object_ownership() == &ObjectOwnership::BucketOwnerEnforced);
                Ok(if enforced { Ownership::Enforced } else { Ownership::Acls })
            }
            Err(failure) if failure.has_code("OwnershipControlsNotFoundError") => Ok(Ownership::Acls),
            Err(failure) if failure.is_unsupported() => Ok(Ownership::Enforced),
            Err(failure) => Err(self.refused(failure, "GetBucketOwnershipControls", "s3:GetBucketOwnershipControls")),
        }
    }

    /// The region that the bucket is in; `None` on servers that have none. AWS gives its first region no name, and its first
    /// European one an old name (AWS: "GetBucketLocation").
    ///
    /// # Errors
    /// [`StoreError`] if the identity may not ask, or the request failed.
    pub async fn region(&self) -> Result<Option<String>, StoreError> {
        let asked = self.client().get_bucket_location().bucket(self.name()).send().await.map_err(Failure::from);
        match asked {
            Ok(output) => {
                Ok(Some(match output.location_constraint().map(|region| region.as_str()).unwrap_or_default() {
                    "" => "us-east-1".to_owned(),
                    "EU" => "eu-west-1".to_owned(),
                    region => region.to_owned(),
                }))
            }
            Err(failure) if failure.is_unsupported() => Ok(None),
            Err(failure) => Err(self.refused(failure, "GetBucketLocation", "s3:GetBucketLocation")),
        }
    }

    pub(super) fn refused(&self, failure: Failure, operation: &'static str, permission: &str) -> StoreError {
        failure.hint_if_forbidden(&format!("{permission} is needed")).into_error(operation, self.subject(""))
    }
}

fn is_kms(algorithm: &ServerSideEncryption) -> bool {
    [ServerSideEncryption::AwsKms, ServerSideEncryption::AwsKmsDsse].contains(algorithm)
}

fn is_absent(failure: &Failure, code: &str) -> bool {
    failure.has_code(code) || failure.is_unsupported()
}

fn retention(rule: Option<&ObjectLockRule>) -> String {
    let Some(default) = rule.and_then(ObjectLockRule::default_retention) else {
        return "on, without a default retention".to_owned();
    };
    let mode = default.mode().map_or("some mode", |mode| mode.as_str());
    match (default.days(), DefaultRetention::years(default)) {
        (Some(days), _) => format!("{mode} for {days} days"),
        (None, Some(years)) => format!("{mode} for {years} years"),
        (None, None) => format!("{mode}, for no stated time"),
    }
}

fn hit(rule: &LifecycleRule, prefixes: &[&str]) -> Option<LifecycleHit> {
    if rule.status() != &ExpirationStatus::Enabled {
        return None;
    }
    let filter = rule.filter();
    let of_filter = filter.and_then(|filter| filter.prefix().or_else(|| filter.and().and_then(|and| and.prefix())));
    #[expect(deprecated, reason = "old rules still have their prefix there")]
    let prefix = of_filter.or_else(|| rule.prefix()).unwrap_or_default();
    if !prefixes.iter().any(|ours| ours.starts_with(prefix) || prefix.starts_with(ours)) {
        return None;
    }
    let name = rule.id().unwrap_or("without a name").to_owned();
    let expiration = rule.expiration().filter(|expiration| expiration.days().is_some() || expiration.date().is_some());
    if let Some(expiration) = expiration {
        return Some(LifecycleHit { rule: name, deletes: true, days: expiration.days() });
    }
    let transition = rule.transitions().first()?;
    Some(LifecycleHit { rule: name, deletes: false, days: transition.days() })
}
