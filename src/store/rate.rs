//! `--max-requests-per-second`: every attempt of every request waits for its turn before it is sent.

use std::num::NonZeroU32;
use std::sync::Arc;

use aws_sdk_s3::config::{RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// After a moment without requests so many parts of a second's share may be sent at once.
const BURST_PARTS: u32 = 20;

/// A client whose connectors share one limit.
#[derive(Clone, Debug)]
pub(super) struct RateLimited {
    client: SharedHttpClient,
    limit: Arc<DefaultDirectRateLimiter>,
}

impl RateLimited {
    /// At most so many requests a second.
    pub(super) fn new(client: SharedHttpClient, per_second: NonZeroU32) -> Self {
        let burst = NonZeroU32::new(per_second.get() / BURST_PARTS).unwrap_or(NonZeroU32::MIN);
        let limit = RateLimiter::direct(Quota::per_second(per_second).allow_burst(burst));
        Self { client, limit: Arc::new(limit) }
    }
}

impl HttpClient for RateLimited {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.client.http_connector(settings, components);
        SharedHttpConnector::new(Waiting { connector, limit: Arc::clone(&self.limit) })
    }
}

#[derive(Debug)]
struct Waiting {
    connector: SharedHttpConnector,
    limit: Arc<DefaultDirectRateLimiter>,
}

impl HttpConnector for Waiting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (connector, limit) = (self.connector.clone(), Arc::clone(&self.limit));
        HttpConnectorFuture::new(async move {
            limit.until_ready().await;
            connector.call(request).await
        })
    }
}
