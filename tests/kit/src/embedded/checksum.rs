//! The checksums that S3 stores beside an object.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use s3s::crypto::{Checksum, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::{S3Error, S3Result, TrailingHeaders, s3_error};

/// An algorithm that S3 can store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// CRC-32, the default of the SDKs.
    Crc32,
    /// CRC-32C.
    Crc32c,
    /// CRC-64/NVME, what S3 adds where the client sent nothing.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// A checksum as it stands beside an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChecksum {
    /// Which one.
    pub algorithm: Algorithm,
    /// Base64 of the digest; of a composite one, with `-<parts>` behind it.
    pub value: String,
    /// Whether it sums the parts' checksums (COMPOSITE) and not the bytes (FULL_OBJECT).
    pub composite: bool,
}

impl Algorithm {
    const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name that S3 gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The algorithm of that name.
    pub(crate) fn parse(name: &str) -> S3Result<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or_else(|| s3_error!(InvalidRequest, "Checksum algorithm {name} is not offered here"))
    }

    /// The digest of some bytes.
    #[must_use]
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Crc32 => Crc32::checksum(data).to_vec(),
            Self::Crc32c => Crc32c::checksum(data).to_vec(),
            Self::Crc64Nvme => Crc64Nvme::checksum(data).to_vec(),
            Self::Sha1 => Sha1::checksum(data).as_ref().to_vec(),
            Self::Sha256 => Sha256::checksum(data).as_ref().to_vec(),
        }
    }

    fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }
}

impl StoredChecksum {
    /// The checksum of all the bytes.
    #[must_use]
    pub fn of(algorithm: Algorithm, data: &[u8]) -> Self {
        Self { algorithm, value: STANDARD.encode(algorithm.digest(data)), composite: false }
    }

    /// The checksum of the parts' checksums.
    pub(crate) fn composite(algorithm: Algorithm, parts: &[Self]) -> Self {
        let digests: Vec<u8> = parts.iter().flat_map(|part| STANDARD.decode(&part.value).unwrap_or_default()).collect();
        let value = format!("{}-{}", STANDARD.encode(algorithm.digest(&digests)), parts.len());
        Self { algorithm, value, composite: true }
    }

    pub(crate) fn kind_dto(&self) -> s3s::dto::ChecksumType {
        use s3s::dto::ChecksumType;
        ChecksumType::from_static(if self.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT })
    }
}

/// The checksum that a client declared for a body, in a header or behind the body.
pub(crate) fn declared(headers: &HeaderMap, trailers: Option<&TrailingHeaders>) -> Option<(Algorithm, String)> {
    let find = |map: &HeaderMap| {
        Algorithm::ALL.into_iter().find_map(|algorithm| {
            let value = map.get(algorithm.header())?.to_str().ok()?;
            Some((algorithm, value.to_owned()))
        })
    };
    find(headers).or_else(|| trailers.and_then(|trailers| trailers.read(find).flatten()))
}

/// Checks a body against what the client declared, and says which checksum is stored: the declared one, or
/// `fallback` (S3 adds CRC64NVME).
pub(crate) fn accept(
    body: &[u8],
    headers: &HeaderMap,
    trailers: Option<&TrailingHeaders>,
    fallback: Algorithm,
) -> S3Result<StoredChecksum> {
    if let Some(md5) = headers.get("content-md5")
        && md5.as_bytes() != STANDARD.encode(Md5::checksum(body)).as_bytes()
    {
        return Err(bad_digest("Content-MD5"));
    }
    let Some((algorithm, value)) = declared(headers, trailers) else {
        return Ok(StoredChecksum::of(fallback, body));
    };
    let checksum = StoredChecksum::of(algorithm, body);
    if checksum.value != value {
        return Err(bad_digest(algorithm.name()));
    }
    Ok(checksum)
}

/// The error for a body which is not what the client declared.
pub(crate) fn bad_digest(name: &str) -> S3Error {
    s3_error!(BadDigest, "The {name} you specified did not match the calculated checksum.")
}

/// Writes a stored checksum into the five fields of an answer; with `typed`, also into its `checksum_type`.
macro_rules! answer_checksum {
    (typed $answer:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            $answer.checksum_type = Some(checksum.kind_dto());
        }
        $crate::embedded::checksum::answer_checksum!($answer, $checksum);
    };
    ($answer:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            let value = Some(checksum.value.clone());
            match checksum.algorithm {
                $crate::embedded::checksum::Algorithm::Crc32 => $answer.checksum_crc32 = value,
                $crate::embedded::checksum::Algorithm::Crc32c => $answer.checksum_crc32c = value,
                $crate::embedded::checksum::Algorithm::Crc64Nvme => $answer.checksum_crc64nvme = value,
                $crate::embedded::checksum::Algorithm::Sha1 => $answer.checksum_sha1 = value,
                $crate::embedded::checksum::Algorithm::Sha256 => $answer.checksum_sha256 = value,
            }
        }
    };
}
pub(crate) use answer_checksum;
