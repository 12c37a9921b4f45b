//! Buckets: create, look, delete.

use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketOutput, DeleteBucketOutput, DeleteBucketPolicyOutput,
    GetBucketLifecycleConfigurationOutput, GetBucketLocationOutput, GetBucketPolicyOutput, GetBucketVersioningOutput,
    GetObjectLockConfigurationOutput, HeadBucketOutput, ListBucketsOutput, PutBucketLifecycleConfigurationInput,
    PutBucketLifecycleConfigurationOutput, PutBucketPolicyInput, PutBucketPolicyOutput, PutBucketVersioningInput,
    PutBucketVersioningOutput, PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Response, S3Result, s3_error};

use super::store::Store;
use super::{ACCOUNT, REGION};

/// CreateBucket.
pub(crate) fn create_bucket(store: &Store, name: &str) -> S3Result<S3Response<CreateBucketOutput>> {
    if !store.create_bucket(name) {
        return Err(s3_error!(BucketAlreadyOwnedByYou, "Your previous request to create the named bucket succeeded"));
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{name}")) }))
}

/// HeadBucket.
pub(crate) fn head_bucket(store: &Store, name: &str) -> S3Result<S3Response<HeadBucketOutput>> {
    store.read(name, |_| ())?;
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..HeadBucketOutput::default() }))
}

/// DeleteBucket.
pub(crate) fn delete_bucket(store: &Store, name: &str) -> S3Result<S3Response<DeleteBucketOutput>> {
    store.delete_bucket(name)?;
    Ok(S3Response::new(DeleteBucketOutput {}))
}

/// ListBuckets.
pub(crate) fn list_buckets(store: &Store) -> S3Result<S3Response<ListBucketsOutput>> {
    let shown = |(name, created): (String, std::time::SystemTime)| Bucket {
        name: Some(name),
        creation_date: Some(created.into()),
        ..Bucket::default()
    };
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(store.bucket_names().into_iter().map(shown).collect()),
        owner: Some(s3s::dto::Owner { display_name: None, id: Some(ACCOUNT.to_owned()) }),
        ..ListBucketsOutput::default()
    }))
}

/// GetBucketLocation: empty stands for us-east-1.
pub(crate) fn get_bucket_location(store: &Store, name: &str) -> S3Result<S3Response<GetBucketLocationOutput>> {
    store.read(name, |_| ())?;
    let location_constraint = Some(BucketLocationConstraint::from_static(""));
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
}

/// GetBucketVersioning: what was set; the server itself keeps no versions.
pub(crate) fn get_bucket_versioning(store: &Store, name: &str) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let status = store.read(name, |bucket| bucket.settings.versioning.status.clone())?;
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() }))
}

/// PutBucketVersioning.
pub(crate) fn put_bucket_versioning(
    store: &Store,
    input: PutBucketVersioningInput,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    store.write(&input.bucket, |bucket| bucket.settings.versioning = input.versioning_configuration)?;
    Ok(S3Response::new(PutBucketVersioningOutput {}))
}

/// GetBucketLifecycleConfiguration: what was set; the server itself does nothing of it.
pub(crate) fn get_lifecycle(store: &Store, name: &str) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    let rules = store.read(name, |bucket| bucket.settings.lifecycle.clone())?;
    let rules =
        rules.ok_or_else(|| s3_error!(NoSuchLifecycleConfiguration, "The lifecycle configuration does not exist"))?;
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
        rules: Some(rules),
        ..GetBucketLifecycleConfigurationOutput::default()
    }))
}

/// PutBucketLifecycleConfiguration.
pub(crate) fn put_lifecycle(
    store: &Store,
    input: PutBucketLifecycleConfigurationInput,
) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
    let rules = input.lifecycle_configuration.map(|configuration| configuration.rules);
    store.write(&input.bucket, |bucket| bucket.settings.lifecycle = rules)?;
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput::default()))
}

/// GetObjectLockConfiguration: what was set; the server itself locks nothing.
pub(crate) fn get_object_lock(store: &Store, name: &str) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
    let object_lock_configuration = store.read(name, |bucket| bucket.settings.object_lock.clone())?;
    if object_lock_configuration.is_none() {
        let code = S3ErrorCode::Custom("ObjectLockConfigurationNotFoundError".into());
        let mut error = S3Error::with_message(code, "Object Lock configuration does not exist for this bucket");
        error.set_status_code(hyper::StatusCode::NOT_FOUND);
        return Err(error);
    }
    Ok(S3Response::new(GetObjectLockConfigurationOutput { object_lock_configuration }))
}

/// PutObjectLockConfiguration.
pub(crate) fn put_object_lock(
    store: &Store,
    input: PutObjectLockConfigurationInput,
) -> S3Result<S3Response<PutObjectLockConfigurationOutput>> {
    store.write(&input.bucket, |bucket| bucket.settings.object_lock = input.object_lock_configuration)?;
    Ok(S3Response::new(PutObjectLockConfigurationOutput::default()))
}

/// GetBucketPolicy: what was set; the server itself lets in whom it knows.
pub(crate) fn get_policy(store: &Store, name: &str) -> S3Result<S3Response<GetBucketPolicyOutput>> {
    let policy = store.read(name, |bucket| bucket.settings.policy.clone())?;
    if policy.is_none() {
        return Err(s3_error!(NoSuchBucketPolicy, "The bucket policy does not exist"));
    }
    Ok(S3Response::new(GetBucketPolicyOutput { policy }))
}

/// PutBucketPolicy.
pub(crate) fn put_policy(store: &Store, input: PutBucketPolicyInput) -> S3Result<S3Response<PutBucketPolicyOutput>> {
    store.write(&input.bucket, |bucket| bucket.settings.policy = Some(input.policy))?;
    Ok(S3Response::new(PutBucketPolicyOutput {}))
}

/// DeleteBucketPolicy.
pub(crate) fn delete_policy(store: &Store, name: &str) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
    store.write(name, |bucket| bucket.settings.policy = None)?;
    Ok(S3Response::new(DeleteBucketPolicyOutput {}))
}
