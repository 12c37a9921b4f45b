//! The access keys that the embedded server knows, all with one secret.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

/// Clones share the keys.
#[derive(Clone)]
pub(crate) struct Keys {
    known: Arc<RwLock<BTreeSet<String>>>,
    secret: SecretKey,
}

impl Keys {
    pub(crate) fn new(access_key: &str, secret: &str) -> Self {
        Self { known: Arc::new(RwLock::new(BTreeSet::from([access_key.to_owned()]))), secret: secret.into() }
    }

    pub(crate) fn add(&self, access_key: &str) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(access_key.to_owned());
    }
}

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).contains(access_key) {
            return Ok(self.secret.clone());
        }
        Err(s3_error!(InvalidAccessKeyId, "The AWS access key Id you provided does not exist in our records."))
    }
}
