//! One bucket and the client that reaches it: reading.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, EncodingType};
use aws_smithy_async::time::StaticTimeSource;

use super::attributes::{headers_of_head, tagging};
use super::clock::Clock;
use super::failure::Failure;
use super::room::Room;
use super::{
    ListPage, ObjectDetails, ObjectInfo, PageToken, ReadObjects, Sha256Digest, SideBySide, StoreError, listing,
    reading, twins,
};
use crate::pace::Throttles;
use crate::path::{ETag, ObjectKey};

/// A bucket. Clones are cheap and share the connection pool.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: Arc<str>,
    clock: Clock,
    reading: Room,
    throttles: Throttles,
}

impl Bucket {
    /// `clock` is to listen to the answers of `client`, and `throttles` counts those that ask for fewer requests; `reading`
    /// is the room for what is read of this bucket and of others.
    pub(super) fn new(client: Client, name: &str, clock: Clock, throttles: Throttles, reading: Room) -> Self {
        Self { client, name: name.into(), clock, reading, throttles }
    }

    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Another bucket, reached in the same way.
    pub(super) fn named(&self, name: &str) -> Self {
        Self { name: name.into(), ..self.clone() }
    }

    /// What complains where no status tells: keys that an answer of 200 puts off.
    pub(super) fn throttles(&self) -> &Throttles {
        &self.throttles
    }

    /// By how many seconds the server's clock was ahead of this machine's in its last answer.
    #[must_use]
    pub fn clock_ahead_seconds(&self) -> Option<i64> {
        self.clock.ahead_seconds()
    }

    /// Whether this bucket can be reached and listed below `prefix`: one request, to be made before any work, as its
    /// errors tell a wrong name, missing credentials and a wrong endpoint apart, which those of a HEAD do not.
    ///
    /// # Errors
    /// [`StoreError`] with the kind of what is wrong.
    pub async fn probe(&self, prefix: &str) -> Result<(), StoreError> {
        let request = self.client.list_objects_v2().bucket(self.name()).prefix(prefix).max_keys(1);
        let answer = request.send().await.map_err(Failure::from);
        answer.map(drop).map_err(|failure| {
            failure.hint_if_forbidden("s3:ListBucket is needed").into_error("ListObjectsV2", self.subject(prefix))
        })
    }

    /// The same bucket whose requests are signed as of another moment than that of their sending. The SDK would sign a
    /// refused one anew, as of the server's time.
    pub(super) fn signed_as_of(&self, moment: SystemTime) -> Self {
        let moment = self.clock.of_server(moment);
        let config = self.client.config().to_builder().time_source(StaticTimeSource::new(moment));
        let config = config.disable_clock_skew_correction(true);
        Self { client: Client::from_conf(config.build()), ..self.clone() }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// `s3://bucket/key` for people; control characters in a hostile key are made visible.
    pub(super) fn subject(&self, key: &str) -> String {
        let mut subject = format!("s3://{}/", self.name);
        for character in key.chars() {
            if character.is_control() {
                subject.extend(character.escape_default());
            } else {
                subject.push(character);
            }
        }
        subject
    }

    /// The tags of an object as `x-amz-tagging` takes them; `None` if there are none.
    pub(super) async fn tagging(&self, key: &ObjectKey) -> Result<Option<String>, Failure> {
        let answer = self.client.get_object_tagging().bucket(self.name()).key(key.as_str()).send().await;
        match answer.map_err(Failure::from) {
            Ok(output) => Ok(tagging(output.tag_set())),
            // A server that does not know tags has none to lose (Garage).
            Err(failure) if failure.has_code("NotImplemented") => Ok(None),
            Err(failure) => Err(failure.hint_if_forbidden("s3:GetObjectTagging is needed to keep the tags")),
        }
    }

    /// GET of all bytes or of a range, while the object has this ETag; `None` if it is gone or changed.
    ///
    /// Some servers ignore `If-Match` (s3s-fs), so the answer's own ETag is compared too.
    pub(super) async fn open(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        range: Option<String>,
    ) -> Result<Option<GetObjectOutput>, Failure> {
        let request = self.client.get_object().bucket(self.name()).key(key.as_str());
        match request.if_match(etag.quoted()).set_range(range).send().await.map_err(Failure::from) {
            Ok(output) if output.e_tag().map(ETag::new).as_ref() == Some(etag) => Ok(Some(output)),
            Ok(_) => Ok(None),
            Err(failure) if failure.is_precondition() || failure.is_missing_object() => Ok(None),
            Err(failure) => Err(failure.hint_if_forbidden("s3:GetObject is needed")),
        }
    }

    /// One page of a listing with at most `keys` keys, as far as the server heeds that.
    pub(super) async fn page(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
        token: Option<PageToken>,
        keys: i32,
    ) -> Result<ListPage, StoreError> {
        let sent = token.map(|token| token.0);
        let after = if sent.is_none() { after } else { None };
        let request = self.client.list_objects_v2().bucket(self.name()).prefix(prefix).max_keys(keys);
        // Without this encoding a key with a character that XML cannot hold breaks the whole answer.
        let request = request
            .encoding_type(EncodingType::Url)
            .set_start_after(after.map(|key| key.as_str().to_owned()))
            .set_continuation_token(sent.clone());
        let answer = request.send().await.map_err(Failure::from);
        answer.and_then(|output| listing::page(&output, sent.as_deref())).map_err(|failure| {
            failure.hint_if_forbidden("s3:ListBucket is needed").into_error("ListObjectsV2", self.subject(prefix))
        })
    }
}

impl ReadObjects for Bucket {
    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectDetails>, StoreError> {
        let request = self.client.head_object().bucket(self.name()).key(key.as_str());
        match request.checksum_mode(ChecksumMode::Enabled).send().await.map_err(Failure::from) {
            Ok(output) => details(key, &output)
                .map(Some)
                .map_err(|failure| failure.into_error("HeadObject", self.subject(key.as_str()))),
            Err(failure) if failure.is_missing_object() => Ok(None),
            Err(failure) => {
                Err(failure.hint_if_forbidden(HEAD_HINT).into_error("HeadObject", self.subject(key.as_str())))
            }
        }
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
        token: Option<PageToken>,
    ) -> Result<ListPage, StoreError> {
        self.page(prefix, after, token, i32::from(PAGE_KEYS)).await
    }

    async fn sha256(&self, object: &ObjectInfo) -> Result<Option<Sha256Digest>, StoreError> {
        let (bucket, read) = (self.clone(), object.clone());
        self.reading.read(&[object.size], async move { reading::sha256(&bucket, &read).await }).await
    }

    async fn compare(&self, ours: &ObjectInfo, other: &Self, theirs: &ObjectInfo) -> Result<SideBySide, StoreError> {
        let sizes = [ours.size, theirs.size];
        let (ours, theirs) = ((self.clone(), ours.clone()), (other.clone(), theirs.clone()));
        let comparing = async move { twins::compare((&ours.0, &ours.1), (&theirs.0, &theirs.1)).await };
        self.reading.read(&sizes, comparing).await
    }
}

/// AWS: "ListObjectsV2", the most keys of one answer.
pub const PAGE_KEYS: u16 = 1000;

const HEAD_HINT: &str = "where s3:ListBucket is not granted S3 answers 403 for absent objects too, so grant both \
                         s3:GetObject and s3:ListBucket (and kms:Decrypt for encrypted objects)";

fn details(key: &ObjectKey, output: &HeadObjectOutput) -> Result<ObjectDetails, Failure> {
    let size = output.content_length().and_then(|length| u64::try_from(length).ok());
    Ok(ObjectDetails {
        info: ObjectInfo {
            key: key.clone(),
            size: size.ok_or_else(|| Failure::unusable_answer("the answer gives no size"))?,
            etag: ETag::new(output.e_tag().ok_or_else(|| Failure::unusable_answer("the answer gives no ETag"))?),
            modified_ms: output.last_modified().map_or(0, listing::milliseconds),
        },
        checksums: full_object_checksums(output),
        headers: headers_of_head(output),
        tag_count: output.tag_count().and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
        version: output.version_id().map(str::to_owned),
    })
}

/// Checksums over the whole object. Where the type is not told, a composite one shows by its `-N`.
fn full_object_checksums(output: &HeadObjectOutput) -> BTreeMap<String, String> {
    if output.checksum_type() == Some(&ChecksumType::Composite) {
        return BTreeMap::new();
    }
    let given = [
        ("CRC32", output.checksum_crc32()),
        ("CRC32C", output.checksum_crc32_c()),
        ("CRC64NVME", output.checksum_crc64_nvme()),
        ("SHA1", output.checksum_sha1()),
        ("SHA256", output.checksum_sha256()),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
    given
        .filter(|(_, value)| !value.is_empty() && !value.contains('-'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
