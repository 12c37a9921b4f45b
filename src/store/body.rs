//! A body on its way from one bucket to the other, hashed as it passes.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use sha2::{Digest, Sha256};

/// The running hash over the bytes that passed.
#[derive(Clone, Debug)]
pub(super) struct Passed(Arc<Mutex<Sha256>>);

impl Passed {
    /// The hash so far.
    pub(super) fn hasher(&self) -> Sha256 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Passes on exactly `length` bytes of `body` and hashes them on top of what `hasher` has seen. A body that is shorter
/// or longer is an error, so that no request with a wrong length ends well.
pub(super) fn hashing(body: ByteStream, length: u64, hasher: Sha256) -> (ByteStream, Passed) {
    let passed = Passed(Arc::new(Mutex::new(hasher)));
    let body = HashingBody { inner: body.into_inner(), left: length, passed: passed.clone() };
    (ByteStream::new(SdkBody::from_body_1_x(body)), passed)
}

struct HashingBody {
    inner: SdkBody,
    left: u64,
    passed: Passed,
}

impl Body for HashingBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let frame = ready!(Pin::new(&mut self.inner).poll_frame(context)).transpose()?;
            let Some(frame) = frame else {
                let left = self.left;
                return Poll::Ready((left > 0).then(|| Err(format!("the body ended {left} bytes early").into())));
            };
            // Trailers belong to the connection they came on.
            let Ok(data) = frame.into_data() else { continue };
            let Some(left) = self.left.checked_sub(data.len() as u64) else {
                return Poll::Ready(Some(Err("the body is longer than its object".into())));
            };
            self.left = left;
            self.passed.0.lock().unwrap_or_else(PoisonError::into_inner).update(&data);
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pass(bytes: &'static [u8], length: u64) -> Option<Vec<u8>> {
        let (body, _) = hashing(ByteStream::from_static(bytes), length, Sha256::new());
        body.collect().await.ok().map(|data| data.to_vec())
    }

    #[tokio::test]
    async fn a_body_of_another_length_does_not_pass() {
        assert_eq!(pass(b"abc", 3).await.as_deref(), Some(b"abc".as_slice()));
        assert_eq!(pass(b"abc", 4).await, None);
        assert_eq!(pass(b"abc", 2).await, None);
        assert_eq!(pass(b"", 0).await.as_deref(), Some(b"".as_slice()));
    }

    #[tokio::test]
    async fn the_hash_goes_on_over_several_bodies() -> anyhow::Result<()> {
        let mut hasher = Sha256::new();
        for half in [b"ab".as_slice(), b"cd"] {
            let (body, passed) = hashing(ByteStream::from(Bytes::from_static(half)), 2, hasher);
            body.collect().await?;
            hasher = passed.hasher();
        }
        assert_eq!(hasher.finalize(), Sha256::digest(b"abcd"));
        Ok(())
    }
}
