//! SHA-256 over what is read, computed where that costs least.

use std::mem::take;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::Sha256Digest;
use super::room::done;

/// Bytes that are handed to another thread at a time.
const PIECE: usize = 256 << 10;

/// A SHA-256 in the making.
pub(super) struct Hashing {
    hasher: Sha256,
    /// Whether one thread drives all requests: then others hash, which have nothing else to do. Where there are several, the
    /// one that read the bytes does it, as its core still has them in its cache, and waking another one takes its time.
    elsewhere: bool,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
}

impl Hashing {
    /// Nothing is hashed yet. To be called on the runtime that reads.
    pub(super) fn begin() -> Self {
        let elsewhere = Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread;
        Self { hasher: Sha256::new(), elsewhere, waiting: Vec::new(), waiting_bytes: 0 }
    }

    /// Hashes more.
    pub(super) async fn update(&mut self, chunk: Bytes) {
        if !self.elsewhere {
            return self.hasher.update(&chunk);
        }
        self.waiting_bytes += chunk.len();
        self.waiting.push(chunk);
        if self.waiting_bytes >= PIECE {
            self.waiting_bytes = 0;
            self.hasher = hashed(take(&mut self.hasher), take(&mut self.waiting)).await;
        }
    }

    /// The digest of all that was hashed.
    pub(super) fn finish(mut self) -> Sha256Digest {
        self.waiting.iter().for_each(|chunk| self.hasher.update(chunk));
        Sha256Digest(self.hasher.finalize().into())
    }
}

async fn hashed(mut hasher: Sha256, chunks: Vec<Bytes>) -> Sha256 {
    let hashing = tokio::task::spawn_blocking(move || {
        chunks.iter().for_each(|chunk| hasher.update(chunk));
        hasher
    });
    done(hashing.await).await
}
