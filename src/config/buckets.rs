//! The two buckets, the mappings between them, and what a copy between them needs.

use url::Url;

use super::layers::{Layers, choice, text};
use super::setting::Setting;
use super::{BucketConfig, ConfigError, Method, catalogue};
use crate::path::{Mapping, Mappings, NamePattern, Prefix};

/// Source and target, mappings and method, which restrict each other.
pub(super) struct Buckets {
    pub(super) source: BucketConfig,
    pub(super) target: BucketConfig,
    pub(super) mappings: Mappings,
    pub(super) method: Method,
}

/// Reads and compares them.
pub(super) fn buckets(layers: &Layers) -> Result<Buckets, ConfigError> {
    use catalogue::{
        SOURCE_BUCKET, SOURCE_ENDPOINT_URL, SOURCE_PROFILE, SOURCE_REGION, TARGET_BUCKET, TARGET_ENDPOINT_URL,
        TARGET_PROFILE, TARGET_REGION,
    };
    let bucket = |name: &Setting, profile: &Setting, region: &Setting, endpoint: &Setting| {
        Ok::<_, ConfigError>(BucketConfig {
            bucket: layers.required(name, bucket_name)?,
            profile: layers.optional(profile, text)?,
            region: layers.optional(region, text)?,
            endpoint_url: layers.optional(endpoint, endpoint_url)?,
        })
    };
    let source = bucket(&SOURCE_BUCKET, &SOURCE_PROFILE, &SOURCE_REGION, &SOURCE_ENDPOINT_URL)?;
    let target = bucket(&TARGET_BUCKET, &TARGET_PROFILE, &TARGET_REGION, &TARGET_ENDPOINT_URL)?;
    let mappings = mappings(layers, &source.bucket, &target.bucket)?;
    let method = layers.required(&catalogue::METHOD, choice)?;
    refuse_same_place(&source, &target, &mappings)?;
    Ok(Buckets { source, target, mappings, method })
}

fn bucket_name(name: &str) -> Result<String, ConfigError> {
    let bare = name.strip_prefix("s3://").map(|rest| rest.split('/').next().unwrap_or_default());
    if let Some(bare) = bare {
        let error = ConfigError::new(format!("`{name}` is a URL; give the bare name"));
        return Err(if bare.is_empty() { error } else { error.hint(format!("write {bare}")) });
    }
    if name.contains('/') || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(ConfigError::new(format!("`{name}` is not the name of a bucket; give the bare name"))
            .hint("a folder inside the bucket belongs to --legacy-prefix and --modern-prefix"));
    }
    Ok(name.to_owned())
}

pub(super) fn endpoint_url(text: &str) -> Result<String, ConfigError> {
    // The text is not quoted, as it may hold credentials.
    let wrong =
        |what: &str| Err(ConfigError::new(what).hint("write it like https://s3.example.org or http://127.0.0.1:9000"));
    match Url::parse(text) {
        Ok(url) if !["http", "https"].contains(&url.scheme()) => wrong("is not an http:// or https:// URL"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Err(ConfigError::new("holds credentials").hint("leave them to the AWS chain, for example to a profile"))
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => wrong("holds a query or a fragment"),
        Ok(_) => Ok(text.to_owned()),
        Err(_) => wrong("is not an http:// or https:// URL"),
    }
}

fn mappings(layers: &Layers, source_bucket: &str, target_bucket: &str) -> Result<Mappings, ConfigError> {
    let prefix = |bucket: &str, flag: &'static str| {
        let bucket = bucket.to_owned();
        move |text: &str| {
            let prefix = Prefix::new(text).map_err(|error| ConfigError::new(error.to_string()))?;
            match prefix.bucket() {
                Some(named) if named != bucket => {
                    Err(ConfigError::new(format!("`{text}` names the bucket `{named}`, but --{flag} is `{bucket}`"))
                        .hint("name the same bucket twice"))
                }
                Some(_) | None => Ok(prefix),
            }
        }
    };
    let legacy = layers.list(&catalogue::LEGACY_PREFIX, prefix(source_bucket, catalogue::SOURCE_BUCKET.name))?;
    let modern = layers.list(&catalogue::MODERN_PREFIX, prefix(target_bucket, catalogue::TARGET_BUCKET.name))?;
    let legacy_keys = layers.list(&catalogue::LEGACY_KEY_PREFIX, text)?;
    let modern_keys = layers.list(&catalogue::MODERN_KEY_PREFIX, text)?;
    if legacy.len() != modern.len() {
        let counts = format!("{} but {}", count(legacy.len(), "legacy"), count(modern.len(), "modern"));
        return Err(ConfigError::new(counts)
            .hint("prefixes pair up by their order; give --legacy-prefix and --modern-prefix equally often"));
    }
    for (keys, setting) in [(&legacy_keys, catalogue::LEGACY_KEY_PREFIX), (&modern_keys, catalogue::MODERN_KEY_PREFIX)]
    {
        if !keys.is_empty() && keys.len() != legacy.len() {
            let (prefixes, given) = (count(legacy.len(), "legacy"), keys.len());
            return Err(ConfigError::new(format!("{prefixes} but {given} times --{}", setting.name))
                .hint("give it once for each prefix, in the same order, or not at all"));
        }
    }
    let wrong = |error: crate::path::MappingError| ConfigError::new(error.to_string());
    let mut all = Vec::with_capacity(legacy.len());
    for (index, (legacy, modern)) in legacy.into_iter().zip(modern).enumerate() {
        let keys = |keys: &[String]| keys.get(index).cloned();
        let (legacy_key, modern_key) = (keys(&legacy_keys), keys(&modern_keys));
        all.push(Mapping::new(legacy, modern, legacy_key.as_deref(), modern_key.as_deref()).map_err(wrong)?);
    }
    let pattern = layers.required(&catalogue::NAME_PATTERN, |glob| {
        NamePattern::new(glob).map_err(|error| ConfigError::new(error.to_string()))
    })?;
    Mappings::new(all, pattern, source_bucket).map_err(wrong)
}

fn count(number: usize, side: &str) -> String {
    format!("{number} {side} {}", if number == 1 { "prefix" } else { "prefixes" })
}

/// In one bucket the places of sources and targets must not overlap, as a target would be a source again.
fn refuse_same_place(source: &BucketConfig, target: &BucketConfig, mappings: &Mappings) -> Result<(), ConfigError> {
    if source.bucket != target.bucket || !same_server(source, target) {
        return Ok(());
    }
    let Some((legacy, modern)) = mappings.shared_place() else { return Ok(()) };
    let bucket = &source.bucket;
    let error = ConfigError::new(format!(
        "source and target are the same bucket `{bucket}`, and the key prefixes `{legacy}` and `{modern}` overlap"
    ));
    Err(error.hint("give two buckets, or key prefixes of which none begins with another"))
}

/// A server cannot read from another one, and a request is signed by one identity.
pub(super) fn refuse_two_servers(
    source: &BucketConfig,
    target: &BucketConfig,
    method: Method,
) -> Result<(), ConfigError> {
    let method = match method {
        Method::Copy => "copy",
        Method::Sync => "sync",
        Method::Stream => return Ok(()),
    };
    let different = if !same_server(source, target) {
        "endpoints"
    } else if source.profile != target.profile {
        "profiles"
    } else {
        return Ok(());
    };
    let error = ConfigError::new(format!("--method {method} cannot work between two different {different}"));
    Err(error.hint("give both alike, or use --method stream, which reads with the one and writes with the other"))
}

fn same_server(source: &BucketConfig, target: &BucketConfig) -> bool {
    let server = |bucket: &BucketConfig| {
        // Parsed, a missing slash, a default port and capital letters make no difference.
        bucket.endpoint_url.as_deref().map(|url| Url::parse(url.trim_end_matches('/')))
    };
    server(source) == server(target)
}
