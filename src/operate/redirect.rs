//! What stands before the buckets while pictures move: configuration made from the settings alone, nothing is asked.
//!
//! Every URL, legacy or modern, names a rest below a prefix, and this rest two objects: the production bucket is asked first,
//! then the legacy one, then production once more, as the object may have moved between the two answers. Whatever comes
//! from settings is percent-encoded in URLs, hexadecimal in regular expressions and quoted as the program wants it, so
//! that no prefix can say more than it is.

mod cloudfront;
mod haproxy;
mod nginx;
mod origin;
mod quote;
mod route;
mod website;

use std::net::SocketAddr;
use std::path::Path;

use crate::config::{Config, ConfigError, Proxy, RedirectOptions, Stage, is_plain_host};
use crate::report::text::printable;

pub use origin::first_resolver;

use origin::Origin;
use quote::url_path;
use route::Route;

/// What is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// The configuration.
    pub text: String,
    /// What the operator has to know beside it.
    pub warnings: Vec<String>,
}

/// How long browsers and caches may keep a redirect, in seconds: a day, after which a mistake is forgotten.
const REDIRECT_SECONDS: u32 = 86_400;

/// The system's certificate authorities (Debian: package ca-certificates).
const DEBIAN_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// All that a configuration is made from.
struct Job<'a> {
    config: &'a Config,
    options: &'a RedirectOptions,
    routes: Vec<Route>,
    production: Origin,
    legacy: Origin,
}

impl Job<'_> {
    /// The pattern's glob.
    fn glob(&self) -> String {
        self.config.mappings.pattern().to_string()
    }

    fn redirects(&self) -> bool {
        match self.options.stage {
            Stage::DualRead => false,
            Stage::Redirect => true,
        }
    }

    /// The first line of a comment: from which settings it was made.
    fn head(&self) -> String {
        let mappings = self.config.mappings.all().iter().map(|mapping| printable(&mapping.to_string()));
        let (stage, pattern) = (self.options.stage.word(), printable(&self.glob()));
        let (source, target) = (printable(&self.config.source.bucket), printable(&self.config.target.bucket));
        format!(
            "avatarMigrate redirect --stage {stage}: {}, names {pattern}; {source} -> {target}.",
            mappings.collect::<Vec<_>>().join(", ")
        )
    }

    /// What URLs begin with, as lines of a comment.
    fn prefixes(&self) -> String {
        let all = self.routes.iter().flat_map(|route| [&route.legacy, &route.modern]);
        let all = all.map(|place| format!("{}{}", place.origin.as_deref().unwrap_or_default(), url_path(&place.path)));
        let mut lines: Vec<String> = all.map(|url| format!("#     {url}\n")).collect();
        lines.dedup();
        lines.concat()
    }

    /// The path of a legacy URL, to try it with.
    fn example(&self) -> String {
        let name = self.glob().replace(['*', '?'], "1");
        self.routes.first().map_or(String::new(), |route| url_path(&format!("{}{name}", route.legacy.path)))
    }

    /// The file of certificate authorities for the buckets.
    fn authority(&self) -> String {
        let file = self.options.authority.as_deref().unwrap_or(Path::new(DEBIAN_AUTHORITIES));
        file.display().to_string()
    }
}

/// Writes the configuration. `system_resolver` is the name server of this host, for the one format that has to name one.
///
/// # Errors
/// [`ConfigError`] if two URLs cannot be told apart, or the format has no words for a setting.
pub fn redirect(
    config: &Config,
    options: &RedirectOptions,
    system_resolver: Option<SocketAddr>,
) -> Result<Printed, ConfigError> {
    let mut warnings = Vec::new();
    let mut origin = |bucket, what| {
        let origin = Origin::of(bucket, options);
        warnings.extend(origin.region_is_unknown.then(|| {
            format!("no region is known for the {what} bucket, so the global endpoint of S3 is written down: give --{what}-region")
        }));
        origin
    };
    let (legacy, production) = (origin(&config.source, "source"), origin(&config.target, "target"));
    if let Some(origin) = [&legacy, &production].into_iter().find(|origin| !is_plain_host(&origin.host)) {
        return Err(ConfigError::new(format!("the endpoint's host `{}` is one that DNS cannot know", origin.host))
            .hint("correct --source-endpoint-url or --target-endpoint-url"));
    }
    if options.authority.as_deref().is_some_and(|file| file.display().to_string().contains(char::is_control)) {
        return Err(ConfigError::new("the name of the file in AWS_CA_BUNDLE holds a control character")
            .hint("give it another name"));
    }
    let routes = route::routes(&config.mappings, options)?;
    let job = Job { config, options, routes, production, legacy };
    let text = match options.proxy {
        Proxy::Nginx => nginx::text(&job, system_resolver)?,
        Proxy::Haproxy => haproxy::text(&job),
        Proxy::Cloudfront => {
            warnings.extend(cloudfront::limits(&job));
            cloudfront::text(&job)?
        }
        Proxy::S3 => {
            warnings.extend(website::limits(&job));
            website::text(&job)?
        }
    };
    Ok(Printed { text, warnings })
}

/// A template with `{{NAME}}` replaced, in one go: what is filled in is never looked at again.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut pieces = template.split("{{");
    text += pieces.next().unwrap_or_default();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        text += values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
        text += rest;
    }
    text
}

#[cfg(test)]
mod tests;
