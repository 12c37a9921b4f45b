//! From settings to two clients that share nothing but the connection pool.

use std::num::NonZeroU32;
use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, SharedHttpClient};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{ConnectorBuilder, tls};
use aws_types::service_config::ServiceConfigKey;
use url::{Host, Url};

use super::clock::Clock;
use super::patience::attempts_take;
use super::rate::RateLimited;
use super::room::Room;
use super::{Bucket, Identity, RequestCounters, StoreError, StoreErrorKind, patience};
use crate::config::{Authority, BucketConfig};

/// The two buckets of a migration.
#[derive(Clone, Debug)]
pub struct Stores {
    /// The legacy bucket.
    pub source: Bucket,
    /// The production bucket.
    pub target: Bucket,
    /// What both were asked so far.
    pub requests: RequestCounters,
}

impl Stores {
    /// Two buckets reached by clients that exist already. Their retries, time-outs (but for that of an attempt) and upload
    /// checksums are replaced by those of this room, and what they send is counted.
    #[must_use]
    pub fn from_clients(source: (&Client, &str), target: (&Client, &str)) -> Self {
        let requests = RequestCounters::default();
        let reading = Room::default();
        let made = |client, side| bucket(client, side, &requests, &reading);
        let (source, target) = (made(source, "source"), made(target, "target"));
        Self { source, target, requests }
    }
}

/// The two buckets, each for itself: what is wrong with the one hides nothing of the other.
#[derive(Debug)]
pub struct Connected {
    /// The legacy bucket.
    pub source: Result<Bucket, StoreError>,
    /// The production bucket.
    pub target: Result<Bucket, StoreError>,
    /// Who reaches the legacy bucket.
    pub source_identity: Identity,
    /// Who reaches the production bucket.
    pub target_identity: Identity,
    /// What both were asked so far.
    pub requests: RequestCounters,
}

fn bucket((client, name): (&Client, &str), side: &'static str, requests: &RequestCounters, reading: &Room) -> Bucket {
    let clock = Clock::default();
    let builder = patience::configure(client.config(), side).interceptor(requests.clone());
    // Other servers stumble over checksums in trailers: SeaweedFS keeps `aws-chunked` as a content encoding.
    let builder = builder.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    let client = Client::from_conf(builder.interceptor(clock.clone()).build());
    Bucket::new(client, name, clock, requests.throttles(), reading.clone())
}

/// How servers are reached.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// Who vouches for their certificates, if not those of the system.
    pub authority: Option<&'a Authority>,
    /// How long an attempt at a request may take; longer if it moves many bytes.
    pub request_timeout: Duration,
    /// At most so many requests a second, both sides together.
    pub requests_per_second: Option<NonZeroU32>,
}

/// Makes the two clients, each with its own profile, region, endpoint and retry budget. No request is sent yet.
///
/// # Errors
/// [`StoreErrorKind::Other`] if no region is known for a bucket on AWS.
pub async fn connect(source: &BucketConfig, target: &BucketConfig, reach: Reach<'_>) -> Result<Stores, StoreError> {
    let Connected { source, target, requests, .. } = connect_each(source, target, reach).await;
    Ok(Stores { source: source?, target: target?, requests })
}

/// The same where each side is to be judged for itself.
pub async fn connect_each(source: &BucketConfig, target: &BucketConfig, reach: Reach<'_>) -> Connected {
    let http = http_client(reach.authority);
    let http = match reach.requests_per_second {
        Some(per_second) => SharedHttpClient::new(RateLimited::new(http, per_second)),
        None => http,
    };
    let (requests, reading) = (RequestCounters::default(), Room::default());
    let made = async |settings: &BucketConfig, side| {
        let shared = load(settings, http.clone()).await;
        let bucket = client(settings, side, &shared).map(|builder| {
            let client = Client::from_conf(builder.timeout_config(attempts_take(reach.request_timeout)).build());
            bucket((&client, &settings.bucket), side, &requests, &reading)
        });
        (bucket, identity(settings, &shared))
    };
    let (source, source_identity) = made(source, "source").await;
    let (target, target_identity) = made(target, "target").await;
    Connected { source, target, source_identity, target_identity, requests }
}

/// Only AWS has a token service, unless another one is named for it: its address is no place for the keys of other servers.
fn identity(settings: &BucketConfig, shared: &SdkConfig) -> Identity {
    let is_on_aws = endpoint(settings, shared).as_deref().is_none_or(is_aws);
    let is_asked = is_on_aws || configured("STS", shared).is_some();
    if is_asked { Identity::of(shared, &settings.bucket) } else { Identity::unknown() }
}

fn client(settings: &BucketConfig, side: &str, shared: &SdkConfig) -> Result<Builder, StoreError> {
    let endpoint = endpoint(settings, shared);
    if endpoint.as_deref().is_some_and(is_open) {
        tracing::warn!(
            "the connection to the {side} bucket is not encrypted: objects, and a session token if there is one, can be \
             read and changed on their way; give an https:// endpoint"
        );
    }
    let region = shared.region().cloned().or_else(|| endpoint.as_ref().map(|_| Region::new(REGION_OF_OTHER_SERVERS)));
    let region = region.ok_or_else(|| no_region(settings, side))?;
    let path_style = settings.endpoint_url.is_some() || endpoint.as_deref().is_some_and(|url| !is_aws(url));
    let mut builder = Builder::from(shared).region(region).force_path_style(path_style);
    builder.set_endpoint_url(endpoint);
    Ok(builder)
}

/// What environment and files of AWS say, under the settings of this program.
async fn load(settings: &BucketConfig, http: SharedHttpClient) -> SdkConfig {
    let region = RegionProviderChain::first_try(settings.region.clone().map(Region::new));
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http.clone());
    let Some(profile) = &settings.profile else {
        return loader.region(region.or_default_provider()).load().await;
    };
    // Naming a profile for the loader is not enough: access keys and a region in the environment would still win, and
    // both buckets would silently be reached with one identity.
    let of_profile = ProfileFileRegionProvider::builder().profile_name(profile).build();
    let region = region.or_else(of_profile).or_default_provider();
    let basis = ProviderConfig::default().with_http_client(http).with_region(region.region().await);
    let credentials = ProfileFileCredentialsProvider::builder().configure(&basis).profile_name(profile).build();
    loader.profile_name(profile).region(region).credentials_provider(credentials).load().await
}

/// The endpoint in effect, if it is not the one that the SDK derives from the region: setting, `AWS_ENDPOINT_URL_S3`,
/// `AWS_ENDPOINT_URL`, then the profile (AWS SDKs guide, "Service-specific endpoints").
fn endpoint(settings: &BucketConfig, shared: &SdkConfig) -> Option<String> {
    if settings.endpoint_url.is_some() {
        return settings.endpoint_url.clone();
    }
    configured("S3", shared).or_else(|| shared.endpoint_url().map(str::to_owned))
}

/// The endpoint that variables or the profile name for one service.
fn configured(service: &str, shared: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    key.ok().and_then(|key| shared.service_config()?.load_config(key))
}

/// Virtual-hosted addresses (`bucket.host`) resolve on AWS only; other servers want the bucket in the path.
fn is_aws(url: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

/// Whether what is sent there can be read on its way: plain HTTP that leaves this host.
fn is_open(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    };
    url.scheme() == "http" && !loopback
}

fn no_region(settings: &BucketConfig, side: &str) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Other,
        operation: "connect",
        subject: format!("s3://{}", settings.bucket),
        message: format!("no region is set: give --{side}-region, AWS_REGION, or a profile that has one"),
    }
}

/// The SDK's default client, made once so that both clients share its pool. Proxies come from the environment.
fn http_client(authority: Option<&Authority>) -> SharedHttpClient {
    // As with the AWS CLI, a bundle stands in the place of the system's authorities.
    let trust = authority.map(|authority| tls::TrustStore::empty().with_pem_certificate(authority.pem()));
    let context = tls::TlsContext::builder().with_trust_store(trust.unwrap_or_default()).build().unwrap_or_default();
    aws_smithy_http_client::Builder::new().build_with_connector_fn(move |settings, components| {
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
        let mut connector = ConnectorBuilder::default().tls_provider(provider).tls_context(context.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(aws_sdk_s3::config::RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}

/// What servers other than AWS take as their region unless told.
const REGION_OF_OTHER_SERVERS: &str = "us-east-1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_open_off_this_host() {
        for url in ["http://s3.example.org", "HTTP://10.0.0.1:9000", "http://[fe80::1]", "http://localhost.example.org"]
        {
            assert!(is_open(url), "{url}");
        }
        for url in ["https://s3.example.org", "http://127.1:9000", "http://[::1]:9000", "http://localhost", "x"] {
            assert!(!is_open(url), "{url}");
        }
    }

    #[test]
    fn only_hosts_of_aws_are_aws() {
        assert!(is_aws("https://s3.eu-central-1.amazonaws.com"));
        assert!(is_aws("https://bucket.vpce-1.s3.cn-north-1.vpce.amazonaws.com.cn/"));
        for url in ["http://127.0.0.1:8333", "https://amazonaws.com.example.org", "https://storage.googleapis.com", "x"]
        {
            assert!(!is_aws(url), "{url}");
        }
    }
}
