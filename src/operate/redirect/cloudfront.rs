//! A CloudFront function, and the parts of a distribution that it needs.
//!
//! A function sees a request once, before any origin is asked, so it cannot name two keys. It cuts the prefix off instead:
//! each origin of a group has a path of its own, which CloudFront puts before what is left.

use serde_json::{Value, json};

use super::origin::Origin;
use super::quote::ascii_json;
use super::route::Route;
use super::{Job, REDIRECT_SECONDS, filled};
use crate::config::ConfigError;

/// The largest function (AWS: "Quotas on CloudFront Functions").
const FUNCTION_BYTES_MAX: usize = 10 * 1024;

/// The longest path of an origin, and the longest path pattern (AWS: "Origin path", "Path pattern").
const PATH_CHARACTERS_MAX: usize = 255;

/// How long CloudFront keeps an object that says nothing about it, in seconds: a picture may be replaced in place.
const DEFAULT_TTL: u32 = 300;

pub(super) fn text(job: &Job<'_>) -> Result<String, ConfigError> {
    let distribution = ascii_json(&distribution(job)?);
    let marked: Vec<String> = distribution.lines().map(|line| format!("//= {line}")).collect();
    let mappings: Vec<Value> = (1..).zip(&job.routes).map(|(number, route)| mapping(number, route)).collect();
    let seconds = REDIRECT_SECONDS.to_string();
    let text = filled(
        include_str!("function.js"),
        &[
            ("HEAD", &job.head()),
            ("DISTRIBUTION", &marked.join("\n")),
            ("STAGE", &ascii_json(&json!(job.options.stage.word()).to_string())),
            ("PATTERN", &ascii_json(&json!(job.glob()).to_string())),
            ("MAPPINGS", &ascii_json(&lines(mappings))),
            ("SECONDS", &seconds),
        ],
    );
    let code: usize = text.lines().filter(|line| !line.starts_with("//")).map(|line| line.len() + 1).sum();
    if code > FUNCTION_BYTES_MAX {
        return Err(ConfigError::new("the mappings make the function larger than CloudFront takes (10 KB)")
            .hint("print one for some of the mappings, and another one for a distribution of its own"));
    }
    Ok(text)
}

/// What to say of buckets that CloudFront cannot ask.
pub(super) fn limits(job: &Job<'_>) -> Vec<String> {
    let addresses = [&job.production, &job.legacy].into_iter().filter(|origin| origin.is_address);
    let mut warnings: Vec<String> = addresses
        .map(|origin| {
            format!("CloudFront reaches origins by name, and {} is an address: put the name in its place", origin.host)
        })
        .collect();
    warnings.dedup();
    warnings
}

fn mapping(number: usize, route: &Route) -> Value {
    json!({"id": number.to_string(), "legacy": route.legacy.path, "modern": route.modern.path, "to": route.target()})
}

/// What the distribution needs beside the function, as JSON.
fn distribution(job: &Job<'_>) -> Result<String, ConfigError> {
    let (mut origins, mut groups, mut behaviors) = (Vec::new(), Vec::new(), Vec::new());
    for (number, route) in (1..).zip(&job.routes) {
        let ids = [format!("production-{number}"), format!("legacy-{number}")];
        let keys = [&route.keys.modern, &route.keys.legacy];
        for ((id, server), keys) in ids.iter().zip([&job.production, &job.legacy]).zip(keys) {
            origins.push(origin(id, server, keys)?);
        }
        let group = format!("avatar-migrate-{number}");
        groups.push(json!({
            "Id": group,
            "FailoverCriteria": {"StatusCodes": {"Quantity": 2, "Items": [403, 404]}},
            "Members": {"Quantity": 2, "Items": ids.each_ref().map(|id| json!({"OriginId": id}))},
        }));
        let [production, legacy] = &ids;
        if route.is_in_place() {
            behaviors.push(behavior(&route.legacy.path, "*", &group)?);
        }
        let places = [(&route.legacy.path, legacy), (&route.modern.path, production)];
        for (path, other) in places.into_iter().filter(|_| !route.is_in_place()) {
            behaviors.extend(of_path(job, path, &group, other)?);
        }
    }
    let uncached = |code: u16| json!({"ErrorCode": code, "ErrorCachingMinTTL": 0});
    let lists = [
        ("Origins", origins),
        ("OriginGroups", groups),
        ("CacheBehaviors", behaviors),
        ("CustomErrorResponses", [403, 404].map(uncached).into()),
    ];
    let lists = lists.map(|(name, items)| list(name, items)).join(",\n");
    let mut policy = json!({
        "Name": "avatar-migrate",
        "MinTTL": 0,
        "DefaultTTL": DEFAULT_TTL,
        "MaxTTL": 31_536_000,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": false,
            "EnableAcceptEncodingBrotli": false,
            "HeadersConfig": {
                "HeaderBehavior": "whitelist",
                "Headers": {"Quantity": 1, "Items": ["avatar-migrate-mapping"]},
            },
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        },
    });
    policy.sort_all_objects();
    Ok(format!("{{\"DistributionConfig\": {{\n{lists}\n}},\n\"CachePolicyConfig\": {policy}}}"))
}

/// A list as the API has it, one item a line: comments count towards the size of a function.
fn list(name: &str, items: Vec<Value>) -> String {
    format!("\"{name}\": {{\"Quantity\": {}, \"Items\": [\n{}\n]}}", items.len(), lines(items))
}

/// One value a line, its keys in one order, whatever the features of the library.
fn lines(mut items: Vec<Value>) -> String {
    items.iter_mut().for_each(Value::sort_all_objects);
    items.iter().map(|item| format!("  {item}")).collect::<Vec<_>>().join(",\n")
}

/// An origin whose path is that of some keys.
fn origin(id: &str, server: &Origin, keys: &str) -> Result<Value, ConfigError> {
    let path = server.path(keys);
    let path = path.trim_end_matches('/');
    if path.len() > PATH_CHARACTERS_MAX {
        return Err(ConfigError::new(format!(
            "the path {path} is too long for an origin of CloudFront (255 characters)"
        ))
        .hint("use another format for this prefix"));
    }
    let mut origin = json!({"Id": id, "DomainName": server.host, "OriginPath": path});
    if let Some(origin) = origin.as_object_mut() {
        if server.is_aws {
            origin.insert("S3OriginConfig".to_owned(), json!({"OriginAccessIdentity": ""}));
            origin.insert("OriginAccessControlId".to_owned(), json!("ID_OF_YOUR_ORIGIN_ACCESS_CONTROL"));
        } else {
            let policy = if server.tls { "https-only" } else { "http-only" };
            let (http, https) = if server.tls { (80, server.port) } else { (server.port, 443) };
            let custom = json!({"HTTPPort": http, "HTTPSPort": https, "OriginProtocolPolicy": policy});
            origin.insert("CustomOriginConfig".to_owned(), custom);
        }
    }
    Ok(origin)
}

/// Names that fit go to the group; all others below the same path to the one bucket that has them.
fn of_path(job: &Job<'_>, path: &str, group: &str, other: &str) -> Result<Vec<Value>, ConfigError> {
    if job.config.mappings.pattern().takes_all() {
        return Ok(vec![behavior(path, "*", group)?]);
    }
    let glob = job.glob();
    Ok(vec![behavior(path, &glob, group)?, behavior(path, &format!("*/{glob}"), group)?, behavior(path, "*", other)?])
}

/// What CloudFront does below a path with what fits a glob.
fn behavior(path: &str, glob: &str, origin: &str) -> Result<Value, ConfigError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.$/~\"'@:+&".contains(c);
    let pattern = format!("{path}{glob}");
    let strange = path.chars().find(|c| !allowed(*c));
    if let Some(character) = strange.or_else(|| glob.chars().find(|c| !allowed(*c) && !['*', '?'].contains(c))) {
        return Err(ConfigError::new(format!(
            "a path pattern of CloudFront cannot hold `{character}` as itself, which {pattern} would"
        ))
        .hint("use another format for this prefix or pattern"));
    }
    if pattern.len() > PATH_CHARACTERS_MAX {
        return Err(ConfigError::new(format!(
            "the path pattern {pattern} is too long for CloudFront (255 characters)"
        ))
        .hint("use another format for this prefix"));
    }
    let methods = json!(["HEAD", "GET"]);
    Ok(json!({
        "PathPattern": pattern,
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {"Quantity": 2, "Items": methods, "CachedMethods": {"Quantity": 2, "Items": methods}},
        "Compress": false,
        "CachePolicyId": "ID_OF_THE_CACHE_POLICY_BELOW",
        "FunctionAssociations": {
            "Quantity": 1,
            "Items": [{"EventType": "viewer-request", "FunctionARN": "ARN_OF_THIS_FUNCTION"}],
        },
    }))
}
