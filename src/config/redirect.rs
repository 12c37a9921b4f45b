//! What `redirect` can be told.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

use super::buckets::endpoint_url;
use super::environment::AwsVariables;
use super::layers::{Layers, choice};
use super::setting::Setting;
use super::{Command, ConfigError, catalogue};

/// What `redirect` can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectOptions {
    /// What the configuration is for.
    pub proxy: Proxy,
    /// Whether legacy URLs are answered or sent on.
    pub stage: Stage,
    /// What legacy paths are appended to.
    pub legacy_url: PublicUrl,
    /// What modern paths are appended to.
    pub modern_url: PublicUrl,
    /// Where nginx or HAProxy listens.
    pub listen: SocketAddr,
    /// The name server that nginx asks.
    pub resolver: Option<SocketAddr>,
    /// The region of buckets for which none is set, from the AWS chain's variables.
    pub region: Option<String>,
    /// The endpoint of buckets for which none is set, from the AWS chain's variables.
    pub endpoint_url: Option<String>,
    /// The file of certificate authorities by which S3 servers are verified, from the variable `AWS_CA_BUNDLE`.
    pub authority: Option<PathBuf>,
}

/// What can stand before the buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Proxy {
    /// nginx 1.22 or newer.
    Nginx,
    /// HAProxy 2.6 or newer.
    Haproxy,
    /// A CloudFront function, and what the distribution needs beside it.
    Cloudfront,
    /// The website configuration of the legacy bucket.
    S3,
}

/// How far the migration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Stage {
    /// Every URL gets its object from production, else from the legacy bucket.
    DualRead,
    /// Legacy URLs are sent on to modern ones.
    Redirect,
}

impl Stage {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::DualRead => "dual-read",
            Self::Redirect => "redirect",
        }
    }
}

/// What paths are appended to in public.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicUrl {
    /// `https://www.example.org`, with the port if it is not the scheme's; `None` for whatever host was asked.
    pub origin: Option<String>,
    /// What stands before the path, percent-decoded, without slashes at its ends; may be empty.
    pub folder: String,
}

impl PublicUrl {
    /// Reads `https://www.example.org/media/`; `//host/` means https.
    ///
    /// # Errors
    /// [`ConfigError`] if it is no http or https URL, or holds what a path cannot be appended to.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |what: &str| ConfigError::new(what).hint("write it like https://www.example.org/");
        let full = if text.starts_with("//") { format!("https:{text}") } else { text.to_owned() };
        let url = Url::parse(&full).map_err(|_| wrong("is not an http:// or https:// URL"))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(wrong("is not an http:// or https:// URL"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("holds credentials"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("holds a query or a fragment"));
        }
        if !url.host_str().is_some_and(is_plain_host) {
            return Err(wrong("names a host that DNS cannot know"));
        }
        let folder = percent_decode_str(url.path().trim_matches('/')).decode_utf8();
        let folder = folder.map_err(|_| wrong("does not decode to valid UTF-8"))?.into_owned();
        Ok(Self { origin: Some(url.origin().ascii_serialization()), folder })
    }
}

/// Whether a URL's host is a name or address and nothing that a configuration could take for more (RFC 1123, section 2.1,
/// and the underscores that exist all the same).
#[must_use]
pub fn is_plain_host(host: &str) -> bool {
    host.chars().all(|c| c.is_ascii_alphanumeric() || "-._[]:".contains(c))
}

/// Reads the options of `redirect`; other commands have none.
pub(super) fn redirect(
    layers: &Layers,
    command: Command,
    aws: AwsVariables,
) -> Result<Option<RedirectOptions>, ConfigError> {
    if command != Command::Redirect {
        return Ok(None);
    }
    let public = |setting: &Setting| Ok(layers.optional(setting, PublicUrl::parse)?.unwrap_or_default());
    let endpoint = aws.endpoint_url.as_deref().map(endpoint_url);
    let proxy = layers.optional(&catalogue::REDIRECT_FORMAT, proxy)?;
    Ok(Some(RedirectOptions {
        proxy: proxy.ok_or_else(|| ConfigError::new("redirect needs --format").hint(FORMATS))?,
        stage: layers.required(&catalogue::STAGE, choice)?,
        legacy_url: public(&catalogue::LEGACY_URL)?,
        modern_url: public(&catalogue::MODERN_URL)?,
        listen: layers.required(&catalogue::LISTEN, listen)?,
        resolver: layers.optional(&catalogue::RESOLVER, resolver)?,
        region: aws.region,
        endpoint_url: endpoint
            .transpose()
            .map_err(|error| error.at("variable AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL"))?,
        authority: aws.authority,
    }))
}

const FORMATS: &str = "give the flag --format nginx, haproxy, cloudfront or s3";

/// The other formats are those of a summary, which `redirect` has none of.
fn proxy(text: &str) -> Result<Proxy, ConfigError> {
    let summary = ["human", "json"].iter().any(|format| text.eq_ignore_ascii_case(format));
    choice(text).map_err(|error| if summary { error.hint(FORMATS) } else { error })
}

fn listen(text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| {
        ConfigError::new(format!("`{text}` is not an address with a port"))
            .hint("write it like 127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080")
    })
}

/// The port of name servers (RFC 1035, section 4.2).
pub const DNS_PORT: u16 = 53;

fn resolver(text: &str) -> Result<SocketAddr, ConfigError> {
    let bare = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, DNS_PORT));
    bare.or_else(|_| text.parse()).map_err(|_| {
        ConfigError::new(format!("`{text}` is not the address of a name server"))
            .hint("write it like 127.0.0.53; /etc/resolv.conf names the ones of this host")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls_have_an_origin_and_a_folder() {
        for (text, origin, folder) in [
            ("https://www.example.org", "https://www.example.org", ""),
            ("//CDN.example.org/", "https://cdn.example.org", ""),
            ("http://h:8080/a%20b/c/", "http://h:8080", "a b/c"),
            ("https://bücher.example:443/ä", "https://xn--bcher-kva.example", "ä"),
        ] {
            let url = PublicUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(url, PublicUrl { origin: Some(origin.to_owned()), folder: folder.to_owned() }, "{text}");
        }
    }

    #[test]
    fn what_no_path_can_be_appended_to_is_refused() {
        for (text, why) in [
            ("www.example.org", "is not an http:// or https:// URL"),
            ("s3://bucket/", "is not an http:// or https:// URL"),
            ("https://u:p@h/", "holds credentials"),
            ("https://h/?a", "holds a query or a fragment"),
            ("https://$h;{}/", "names a host that DNS cannot know"),
            ("https://h/%ff", "does not decode to valid UTF-8"),
        ] {
            assert_eq!(PublicUrl::parse(text).expect_err(text).message, why, "{text}");
        }
    }

    #[test]
    fn a_name_server_may_have_a_port_of_its_own() {
        assert_eq!(resolver("10.0.0.2"), Ok(([10, 0, 0, 2], 53).into()));
        assert_eq!(resolver("::1").expect("an address").to_string(), "[::1]:53");
        assert_eq!(resolver("10.0.0.2:5353"), Ok(([10, 0, 0, 2], 5353).into()));
        assert_eq!(resolver("dns").expect_err("a name").message, "`dns` is not the address of a name server");
        assert_eq!(listen("8080").expect_err("a port").message, "`8080` is not an address with a port");
    }

    #[test]
    fn formats_of_summaries_are_told_from_those_of_proxies() {
        assert_eq!(proxy("HAProxy"), Ok(Proxy::Haproxy));
        let error = proxy("json").expect_err("no proxy");
        assert_eq!(error.message, "`json` is not one of nginx, haproxy, cloudfront, s3");
        assert_eq!(error.hint.as_deref(), Some(FORMATS));
        assert_eq!(proxy("ngix").expect_err("no proxy").hint.as_deref(), Some("did you mean `nginx`?"));
    }
}
