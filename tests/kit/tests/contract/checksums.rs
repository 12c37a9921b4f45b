//! Stored checksums, and those that a copy computes.

use avatar_migrate_kit::{Algorithm, StoredChecksum};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, ObjectAttributes};

use crate::subject::{Subject, refusal};

fn sum(algorithm: Algorithm, body: &[u8]) -> Option<String> {
    Some(StoredChecksum::of(algorithm, body).value)
}

async fn head(subject: &Subject, key: &str) -> anyhow::Result<HeadObjectOutput> {
    let head = subject.client.head_object().bucket(&subject.bucket).key(key);
    Ok(head.checksum_mode(ChecksumMode::Enabled).send().await?)
}

/// Puts with SHA-256.
async fn put_summed(subject: &Subject, key: &str) -> anyhow::Result<()> {
    let put = subject.client.put_object().bucket(&subject.bucket).key(key).body(ByteStream::from_static(b"bytes"));
    put.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await?;
    Ok(())
}

pub(crate) async fn an_upload_without_a_checksum(subject: &Subject) -> anyhow::Result<()> {
    let silent = RequestChecksumCalculation::WhenRequired;
    let client = Client::from_conf(subject.client.config().to_builder().request_checksum_calculation(silent).build());
    let put = client.put_object().bucket(&subject.bucket).key("image/a").body(ByteStream::from_static(b"bytes"));
    put.send().await?;
    let head = head(subject, "image/a").await?;
    let expected = sum(Algorithm::Crc64Nvme, b"bytes").filter(|_| subject.traits.adds_a_checksum);
    assert_eq!(head.checksum_crc64_nvme(), expected.as_deref());
    assert_eq!(head.checksum_type().is_some(), subject.traits.adds_a_checksum);
    Ok(())
}

pub(crate) async fn a_stored_sha256_is_told_and_carried(subject: &Subject) -> anyhow::Result<()> {
    put_summed(subject, "image/a").await?;
    let copy = subject.client.copy_object().copy_source(subject.source("image/a"));
    copy.bucket(&subject.bucket).key("avatar/a").send().await?;
    for key in ["image/a", "avatar/a"] {
        assert_eq!(head(subject, key).await?.checksum_sha256, sum(Algorithm::Sha256, b"bytes"), "{key}");
    }
    let silent = subject.client.head_object().bucket(&subject.bucket).key("image/a").send().await?;
    assert_eq!(silent.checksum_sha256(), None, "not asked, not told");
    Ok(())
}

pub(crate) async fn a_copy_computes_what_is_asked(subject: &Subject) -> anyhow::Result<()> {
    subject.put("image/a", "bytes").await?;
    let copy = subject.client.copy_object().copy_source(subject.source("image/a"));
    let copy = copy.bucket(&subject.bucket).key("avatar/a").checksum_algorithm(ChecksumAlgorithm::Sha256);
    let result = copy.send().await?.copy_object_result;
    let told = result.as_ref().and_then(|result| result.checksum_sha256.clone());
    let expected = sum(Algorithm::Sha256, b"bytes").filter(|_| subject.traits.copy_computes_checksums);
    assert_eq!(told, expected);
    assert_eq!(head(subject, "avatar/a").await?.checksum_sha256, expected);
    if subject.traits.copy_computes_checksums {
        assert_eq!(result.and_then(|result| result.checksum_type), Some(ChecksumType::FullObject));
    }
    Ok(())
}

pub(crate) async fn a_wrong_checksum_is_refused(subject: &Subject) -> anyhow::Result<()> {
    let put = subject.client.put_object().bucket(&subject.bucket).key("image/a");
    let other = sum(Algorithm::Sha256, b"other bytes");
    let put = put.body(ByteStream::from_static(b"bytes")).set_checksum_sha256(other).send().await;
    assert_eq!(refusal(put)?, (400, Some("BadDigest".to_owned())));
    assert_eq!(subject.keys().await?, [""; 0]);
    Ok(())
}

pub(crate) async fn attributes_are_told(subject: &Subject) -> anyhow::Result<()> {
    put_summed(subject, "image/a").await?;
    let ask = subject.client.get_object_attributes().bucket(&subject.bucket).key("image/a");
    let ask = ask.object_attributes(ObjectAttributes::Etag).object_attributes(ObjectAttributes::ObjectSize);
    let told = ask.object_attributes(ObjectAttributes::Checksum).send().await?;
    assert_eq!(told.object_size(), Some(5));
    let md5 = "4b3a6218bb3e3a7303e8a171a60fcf92";
    let quoted = if subject.traits.attributes_quote_e_tags { format!("\"{md5}\"") } else { md5.to_owned() };
    assert_eq!(told.e_tag(), Some(quoted.as_str()));
    let expected = sum(Algorithm::Sha256, b"bytes").filter(|_| subject.traits.attributes_tell_checksums);
    assert_eq!(told.checksum().and_then(|checksum| checksum.checksum_sha256.clone()), expected);
    Ok(())
}
