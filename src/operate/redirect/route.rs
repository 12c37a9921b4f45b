//! Which URLs name which objects.

use percent_encoding::percent_decode_str;

use super::quote::{path_regexp, url_path};
use crate::config::{ConfigError, Proxy, PublicUrl, RedirectOptions, Stage};
use crate::path::{KeyMapping, Mappings, Prefix, PrefixForm};

/// What URLs of a mapping begin with, and what keys do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// Where legacy URLs are.
    pub(super) legacy: Place,
    /// Where modern URLs are.
    pub(super) modern: Place,
    /// What keys begin with.
    pub(super) keys: KeyMapping,
}

/// Where URLs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// `https://www.example.org`; `None` for whatever host was asked.
    pub(super) origin: Option<String>,
    /// The path before the rest, percent-decoded, with a slash at both ends.
    pub(super) path: String,
}

/// How a request is known, by regular expressions (PCRE, on bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// What it asks for.
    pub(super) asked: Asked,
    /// Matches its path; the first group is the rest.
    pub(super) regexp: String,
    /// The same of a path that is known to match.
    pub(super) prefix: String,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A picture by its legacy URL.
    Legacy,
    /// A picture by its modern URL.
    Modern,
    /// Something below the legacy prefix whose name does not fit the pattern.
    LegacyOther,
    /// The same below the modern prefix.
    ModernOther,
}

impl Asked {
    /// What a request gets: `both` buckets one after the other, a `redirect`, or the one bucket that it is in.
    pub(super) fn answer(self, redirects: bool) -> &'static str {
        match self {
            Self::Legacy if redirects => "redirect",
            Self::Legacy | Self::Modern => "both",
            Self::LegacyOther => "legacy",
            Self::ModernOther => "production",
        }
    }
}

/// A `.` or `..` between slashes, percent-encoded or not: a server that resolved it would leave the prefix.
pub(super) const DOTS: &str = "(?s-imx)^[^?#]*(?:/|%2[Ff])(?:[.]|%2[Ee]){1,2}(?:/|%2[Ff]|(?![^?#]))";

/// Dots take line feeds, and nothing else is switched on.
const FLAGS: &str = "(?s-imx)";

impl Route {
    /// The rules for requests, of which the first that matches counts. The group that `capture` opens holds the rest.
    pub(super) fn rules(&self, mappings: &Mappings, capture: &str) -> Vec<Rule> {
        // A key cannot be empty, and a request without one would ask for a list of the bucket.
        let some = if self.keys.legacy.is_empty() || self.keys.modern.is_empty() { "(?=[^?#])" } else { "" };
        let rule = |asked: Asked, rest: &str| {
            let prefix = format!("{FLAGS}^{}", path_regexp(&self.place_of(asked).path));
            Rule { asked, regexp: format!("{prefix}{some}({capture}{rest})"), prefix: format!("{prefix}(.*)") }
        };
        let (in_scope, any) = (mappings.request_regexp(), "[^?#]*");
        if self.is_in_place() {
            return vec![rule(Asked::Modern, any)];
        }
        let named = [Asked::Legacy, Asked::Modern].map(|asked| rule(asked, &in_scope));
        let others = [Asked::LegacyOther, Asked::ModernOther].map(|asked| rule(asked, any));
        let others = others.into_iter().filter(|_| !mappings.pattern().takes_all());
        named.into_iter().chain(others).collect()
    }

    fn place_of(&self, asked: Asked) -> &Place {
        match asked {
            Asked::Legacy | Asked::LegacyOther => &self.legacy,
            Asked::Modern | Asked::ModernOther => &self.modern,
        }
    }

    /// Where a redirect leads, before the rest.
    pub(super) fn target(&self) -> String {
        format!("{}{}", self.modern.origin.as_deref().unwrap_or_default(), url_path(&self.modern.path))
    }

    /// Whether both URLs have the same path, and differ in nothing but the host.
    pub(super) fn is_in_place(&self) -> bool {
        self.legacy.path == self.modern.path
    }
}

/// The routes of all mappings, each once. Requests are told apart by their path alone, whatever host they come for.
pub(super) fn routes(mappings: &Mappings, options: &RedirectOptions) -> Result<Vec<Route>, ConfigError> {
    refuse_control_characters(mappings)?;
    let mut routes: Vec<Route> = Vec::new();
    for mapping in mappings.all() {
        let legacy = place(&mapping.legacy, &options.legacy_url)?;
        let modern = place(&mapping.modern, &options.modern_url)?;
        let route = Route { legacy, modern, keys: mapping.keys() };
        if !routes.iter().any(|known| known.names_the_same(&route)) {
            routes.push(route);
        }
    }
    // A website sees the keys of one bucket alone.
    if options.proxy != Proxy::S3 {
        refuse_overlaps(&routes)?;
    }
    let in_place = routes.iter().find(|route| route.is_in_place());
    match (in_place, options.stage, options.proxy) {
        (Some(route), Stage::Redirect, Proxy::Nginx | Proxy::Haproxy | Proxy::Cloudfront) => {
            Err(ConfigError::new(format!(
                "legacy and modern URLs have the same path {}, so a redirect would lead to itself",
                route.legacy.path
            ))
            .hint("stay with --stage dual-read: it answers both"))
        }
        (_, Stage::Redirect | Stage::DualRead, _) => Ok(routes),
    }
}

impl Route {
    fn names_the_same(&self, other: &Self) -> bool {
        self.legacy.path == other.legacy.path && self.modern.path == other.modern.path && self.keys == other.keys
    }
}

fn place(prefix: &Prefix, base: &PublicUrl) -> Result<Place, ConfigError> {
    let below = |base: &PublicUrl, path: &str| Place {
        origin: base.origin.clone(),
        path: format!("/{}{path}", if base.folder.is_empty() { String::new() } else { format!("{}/", base.folder) }),
    };
    let text = prefix.as_str();
    Ok(match prefix.form() {
        PrefixForm::Key => below(base, text),
        PrefixForm::Rooted => Place { origin: base.origin.clone(), path: text.to_owned() },
        PrefixForm::S3 => below(base, text.trim_start_matches("s3://").split_once('/').map_or("", |(_, keys)| keys)),
        PrefixForm::Url => {
            let wrong =
                |error: ConfigError| ConfigError::new(format!("the URL prefix `{text}` {error}")).hint("correct it");
            let origin = PublicUrl::parse(text).map_err(wrong)?.origin;
            let path = text.split_once("//").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
            Place { origin, path: format!("/{}", percent_decode_str(path).decode_utf8_lossy()) }
        }
    })
}

/// They belong into no URL, and into no line of a configuration.
fn refuse_control_characters(mappings: &Mappings) -> Result<(), ConfigError> {
    let pattern = mappings.pattern().to_string();
    let keys = mappings.key_mappings().iter().flat_map(|keys| [keys.legacy.as_str(), keys.modern.as_str()]);
    let prefixes = mappings.all().iter().flat_map(|mapping| [mapping.legacy.as_str(), mapping.modern.as_str()]);
    let hostile = keys.chain(prefixes).chain([pattern.as_str()]).find(|text| text.chars().any(char::is_control));
    hostile.map_or(Ok(()), |text| {
        Err(ConfigError::new(format!("`{text}` holds a control character, which no URL can hold"))
            .hint("write the rule for this prefix or pattern by hand"))
    })
}

/// A path must tell whether a URL is legacy or modern, and of which mapping.
fn refuse_overlaps(routes: &[Route]) -> Result<(), ConfigError> {
    let of_route = |route| {
        let Route { legacy, modern, .. }: &Route = route;
        [Some(&legacy.path), (!route.is_in_place()).then_some(&modern.path)]
    };
    let places: Vec<&String> = routes.iter().flat_map(of_route).flatten().collect();
    for (index, one) in places.iter().enumerate() {
        for other in places.iter().skip(index + 1) {
            if one.starts_with(other.as_str()) || other.starts_with(one.as_str()) {
                let what = format!("the URLs below {one} and {other} cannot be told apart by their path");
                return Err(ConfigError::new(what).hint(
                    "print a configuration for each mapping, and let the host decide which one is asked; or give \
                     --legacy-url and --modern-url with different folders",
                ));
            }
        }
    }
    Ok(())
}
