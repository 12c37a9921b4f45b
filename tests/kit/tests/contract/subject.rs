//! The server under test, and how it differs from AWS.

use anyhow::{Context, bail};
use avatar_migrate_kit::{EmbeddedS3, OtherS3, Seaweed};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;

/// What is known to differ between servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    /// Keys in an answer to MaxKeys=5000 where 1,200 are there.
    pub(crate) page: usize,
    /// The order in which these keys are listed.
    pub(crate) order: &'static [&'static str],
    /// A backslash in a key becomes a slash.
    pub(crate) backslash_is_slash: bool,
    /// Slashes in a row become one.
    pub(crate) merges_slashes: bool,
    /// An upload without a checksum gets CRC64NVME.
    pub(crate) adds_a_checksum: bool,
    /// CopyObject computes the checksum that it is asked for.
    pub(crate) copy_computes_checksums: bool,
    /// The ETag of a copy of a multipart object is its MD5, not `-N`.
    pub copy_of_multipart_has_md5: bool,
    /// GetObjectAttributes tells the checksum.
    pub(crate) attributes_tell_checksums: bool,
    /// GetObjectAttributes puts the ETag in quotes. AWS does not; s3s, underneath the embedded server, can only quote.
    pub(crate) attributes_quote_e_tags: bool,
    /// CopyObject and UploadPartCopy put the ETag of their result in quotes, as every other answer does.
    pub(crate) copy_results_quote_e_tags: bool,
    /// GetBucketLocation answers what the SDK can read.
    pub(crate) tells_locations: bool,
    /// DeleteObjects deletes keys with a backslash. Where not, it still says that it did.
    pub(crate) batch_deletes_backslashes: bool,
    /// The status of a DeleteObject with If-Match where the key is absent.
    pub(crate) delete_of_absent_if_match: u16,
}

/// AWS, and the embedded server which stands for it.
const AWS: Traits = Traits {
    page: 1000,
    order: &["a", "a b", "a!b", "a+b", "a-b", "a.b", "a/b", "a0", "aé", "b", "é", "😀"],
    backslash_is_slash: false,
    merges_slashes: false,
    adds_a_checksum: true,
    copy_computes_checksums: true,
    copy_of_multipart_has_md5: true,
    attributes_tell_checksums: true,
    attributes_quote_e_tags: true,
    copy_results_quote_e_tags: true,
    tells_locations: true,
    batch_deletes_backslashes: true,
    delete_of_absent_if_match: 404,
};

/// SeaweedFS 4.48: a file system underneath.
const SEAWEED: Traits = Traits {
    page: 1200,
    order: &["a", "a/b", "a b", "a!b", "a+b", "a-b", "a.b", "a0", "aé", "b", "é", "😀"],
    backslash_is_slash: true,
    merges_slashes: true,
    adds_a_checksum: false,
    copy_computes_checksums: false,
    copy_of_multipart_has_md5: false,
    attributes_tell_checksums: false,
    attributes_quote_e_tags: false,
    copy_results_quote_e_tags: false,
    tells_locations: false,
    batch_deletes_backslashes: false,
    delete_of_absent_if_match: 412,
};

/// A server, a client for it, and an empty bucket.
pub(crate) struct Subject {
    pub(crate) traits: Traits,
    pub(crate) client: Client,
    pub(crate) bucket: String,
    pub(crate) endpoint: String,
    pub(crate) access_key: String,
    // The embedded server lives as long as its subject.
    _embedded: Option<EmbeddedS3>,
}

impl Subject {
    pub(crate) fn embedded() -> anyhow::Result<Self> {
        let server = EmbeddedS3::start()?;
        server.create_bucket("legacy-s3");
        Ok(Self {
            traits: AWS,
            client: server.client(),
            bucket: "legacy-s3".to_owned(),
            endpoint: server.endpoint().to_owned(),
            access_key: server.access_key().to_owned(),
            _embedded: Some(server),
        })
    }

    pub(crate) fn seaweed() -> Self {
        let server = Seaweed::shared();
        Self {
            traits: SEAWEED,
            client: server.client(),
            bucket: server.bucket("contract"),
            endpoint: server.endpoint().to_owned(),
            access_key: server.access_key().to_owned(),
            _embedded: None,
        }
    }

    pub(crate) fn other(server: &OtherS3) -> anyhow::Result<Self> {
        Ok(Self {
            traits: AWS,
            client: server.client(),
            bucket: server.bucket("contract")?,
            endpoint: server.endpoint().to_owned(),
            access_key: server.access_key().to_owned(),
            _embedded: None,
        })
    }

    /// The same, but held to what AWS does.
    pub(crate) fn judged_as_aws(self) -> Self {
        Self { traits: AWS, ..self }
    }

    /// Puts bytes; returns the ETag with its quotes.
    pub(crate) async fn put(&self, key: &str, body: impl Into<Vec<u8>>) -> anyhow::Result<String> {
        let body = ByteStream::from(body.into());
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(body).send().await;
        put.with_context(|| format!("put {key:?}"))?.e_tag.context("no ETag")
    }

    /// The bytes under a key.
    pub(crate) async fn get(&self, key: &str) -> anyhow::Result<Vec<u8>> {
        let got = self.client.get_object().bucket(&self.bucket).key(key).send().await;
        Ok(got.with_context(|| format!("get {key:?}"))?.body.collect().await?.to_vec())
    }

    /// Every key, page by page.
    pub(crate) async fn keys(&self) -> anyhow::Result<Vec<String>> {
        let mut pages = self.client.list_objects_v2().bucket(&self.bucket).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            keys.extend(page?.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        Ok(keys)
    }

    /// `x-amz-copy-source` for a key of the bucket.
    pub(crate) fn source(&self, key: &str) -> String {
        let encoded: String = key.bytes().map(encode).collect();
        format!("{}/{encoded}", self.bucket)
    }
}

fn encode(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// The status of a refusal, and its S3 error code where there is a body to tell it.
pub(crate) fn refusal<T: std::fmt::Debug, E>(result: Result<T, SdkError<E>>) -> anyhow::Result<(u16, Option<String>)>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let error = match result {
        Ok(answer) => bail!("it should have been refused, and was answered {answer:?}"),
        Err(error) => error,
    };
    let Some(status) = error.raw_response().map(|response| response.status().as_u16()) else {
        return Err(error).context("no answer at all");
    };
    Ok((status, error.code().map(str::to_owned)))
}

/// Asserts that a request is refused with 412.
pub(crate) fn assert_precondition_failed<T: std::fmt::Debug, E>(
    what: &str,
    result: Result<T, SdkError<E>>,
) -> anyhow::Result<()>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (status, _) = refusal(result).with_context(|| what.to_owned())?;
    assert_eq!(status, 412, "{what}");
    Ok(())
}
