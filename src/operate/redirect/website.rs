//! The website configuration of the legacy bucket: routing rules, which know how a key begins and nothing more.
//!
//! A rule cannot ask another bucket, only send the client there. So `dual-read` means here: the legacy bucket answers while
//! it has the object, and sends on to production when it has not. Production cannot send back, or what exists in neither
//! would be sent to and fro.

use serde_json::{Map, Value, json};

use super::Job;
use super::route::Route;
use crate::config::{ConfigError, Stage};
use crate::report::text::printable;

/// The most rules of a website (AWS: "Configuring advanced conditional redirects").
const RULES_MAX: usize = 50;

/// What S3 answers for an object that is not there, without and with the right to list.
const ABSENT: [&str; 2] = ["403", "404"];

pub(super) fn text(job: &Job<'_>) -> Result<String, ConfigError> {
    let literal = literal(job)?;
    let codes: &[Option<&str>] = match job.options.stage {
        Stage::DualRead => &ABSENT.map(Some),
        Stage::Redirect => &[None],
    };
    let rules: Vec<Value> =
        job.routes.iter().flat_map(|route| codes.iter().map(|code| rule(job, route, &literal, *code))).collect();
    if rules.len() > RULES_MAX {
        return Err(ConfigError::new(format!(
            "these mappings need {} routing rules, and a website has at most {RULES_MAX}",
            rules.len()
        ))
        .hint("use another format, or give fewer mappings"));
    }
    let mut website = json!({"IndexDocument": {"Suffix": "index.html"}, "RoutingRules": rules});
    // In one order, whatever the features of the library.
    website.sort_all_objects();
    Ok(format!("{website:#}\n"))
}

/// What to say of a rule that sees less than the pattern.
pub(super) fn limits(job: &Job<'_>) -> Vec<String> {
    let mut warnings = vec![
        "put-bucket-website replaces the whole website of a bucket: look at `aws s3api get-bucket-website` before"
            .to_owned(),
    ];
    let glob = printable(&job.glob());
    if !job.config.mappings.pattern().takes_all() {
        warnings.push(format!(
            "routing rules see how a key begins, not its last name: names that fit {glob} in folders below the prefix are \
             not sent on, and all else that begins so is"
        ));
    }
    warnings
}

/// What names begin with, where that is all that the pattern says: `avatar-` of `avatar-*`.
fn literal(job: &Job<'_>) -> Result<String, ConfigError> {
    let glob = job.glob();
    let literal = glob.trim_end_matches('*');
    if glob.ends_with('*') && !literal.contains(['*', '?']) {
        return Ok(literal.to_owned());
    }
    Err(ConfigError::new(format!(
        "routing rules of S3 cannot tell which names fit {glob}: they see how a key begins, nothing more"
    ))
    .hint("use another format; or a pattern that is a beginning and a star, such as avatar-*, or * for every name"))
}

fn rule(job: &Job<'_>, route: &Route, literal: &str, code: Option<&str>) -> Value {
    let (host, protocol, path) = destination(job, route);
    let keys = format!("{}{literal}", route.keys.legacy);
    let keys = (!keys.is_empty()).then(|| ("KeyPrefixEquals", json!(keys)));
    let code_is = code.map(|code| ("HttpErrorCodeReturnedEquals", json!(code)));
    let condition: Map<String, Value> =
        keys.into_iter().chain(code_is).map(|(name, value)| (name.to_owned(), value)).collect();
    // Only a redirect that will hold is permanent.
    let redirect_code = if code.is_some() { "302" } else { "301" };
    let mut rule = json!({"Redirect": {
        "HostName": host,
        "Protocol": protocol,
        "ReplaceKeyPrefixWith": format!("{path}{literal}"),
        "HttpRedirectCode": redirect_code,
    }});
    if let Some(rule) = rule.as_object_mut().filter(|_| !condition.is_empty()) {
        rule.insert("Condition".to_owned(), Value::Object(condition));
    }
    rule
}

/// Host, protocol and path of modern URLs; without `--modern-url` those of the production bucket itself.
fn destination(job: &Job<'_>, route: &Route) -> (String, &'static str, String) {
    let protocol = |tls| if tls { "https" } else { "http" };
    let public = route.modern.origin.as_deref().and_then(|origin| origin.split_once("://"));
    match public {
        Some((scheme, host)) => {
            (host.to_owned(), protocol(scheme == "https"), route.modern.path.trim_start_matches('/').to_owned())
        }
        None => {
            let (server, bucket) = (&job.production, &job.config.target.bucket);
            let folder = if server.base.is_empty() { String::new() } else { format!("{bucket}/") };
            (server.authority(), protocol(server.tls), format!("{folder}{}", route.keys.modern))
        }
    }
}
