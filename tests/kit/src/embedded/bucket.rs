//! Buckets: create, look, delete.

use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketOutput, DeleteBucketOutput, GetBucketLocationOutput,
    GetBucketVersioningOutput, HeadBucketOutput, ListBucketsOutput,
};
use s3s::{S3Response, S3Result, s3_error};

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

/// GetBucketVersioning: never switched on.
pub(crate) fn get_bucket_versioning(store: &Store, name: &str) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    store.read(name, |_| ())?;
    Ok(S3Response::new(GetBucketVersioningOutput::default()))
}
