//! Whole small objects, for a person to look at. They are never evidence: only the checker compares.

use super::StoreError;
use super::bucket::Bucket;
use super::failure::Failure;
use crate::path::{ETag, ObjectKey};

/// How reading a small object ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Small {
    /// All of its bytes.
    Bytes(Vec<u8>),
    /// It is larger than was asked for.
    TooLarge,
    /// It is gone, or has another ETag by now.
    Moved,
}

impl Bucket {
    /// The bytes of an object while it has this ETag, if they are no more than `most`: no more than these are read. A
    /// connection that breaks inside of them is not tried again.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn small(&self, key: &ObjectKey, etag: &ETag, most: u64) -> Result<Small, StoreError> {
        let read = self.small_once(key, etag, most).await;
        read.map_err(|failure| failure.into_error("GetObject", self.subject(key.as_str())))
    }

    async fn small_once(&self, key: &ObjectKey, etag: &ETag, most: u64) -> Result<Small, Failure> {
        let Some(mut output) = self.open(key, etag, None).await? else { return Ok(Small::Moved) };
        let mut bytes = Vec::new();
        while let Some(chunk) = output.body.next().await {
            bytes.extend_from_slice(&chunk.map_err(|error| Failure::broken_body(&error))?);
            if bytes.len() as u64 > most {
                return Ok(Small::TooLarge);
            }
        }
        Ok(Small::Bytes(bytes))
    }
}
