//! A client for a server on this machine.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};

/// Where a server is, and how to sign for it.
#[derive(Clone, Debug)]
pub(crate) struct S3Login {
    pub(crate) endpoint: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) region: String,
}

/// A new client with connections of its own: they live on the runtime that opened them, and every test has another.
pub(crate) fn client(login: &S3Login) -> Client {
    let attempt = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(60)).build();
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new(&login.access_key, &login.secret_key, None, None, "kit"))
        .region(Region::new(login.region.clone()))
        .endpoint_url(&login.endpoint)
        .force_path_style(true)
        .timeout_config(attempt)
        .build();
    Client::from_conf(config)
}
