//! Where a bucket answers, in the words that a proxy needs.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::quote::url_path;
use crate::config::{BucketConfig, DNS_PORT, RedirectOptions};

/// A bucket as an HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Whether it is asked over TLS.
    pub(super) tls: bool,
    /// Name or address; IPv6 in brackets.
    pub(super) host: String,
    /// The port.
    pub(super) port: u16,
    /// Whether the host is an address, which nobody has to resolve.
    pub(super) is_address: bool,
    /// What stands before a key, with a slash at its begin and none at its end; empty for a bucket with a host of its own.
    pub(super) base: String,
    /// Whether this is one of AWS, where an origin access control can sign requests.
    pub(super) is_aws: bool,
    /// Whether AWS is meant, and nothing says in which region.
    pub(super) region_is_unknown: bool,
}

impl Origin {
    /// The server of a bucket, by its own settings, else by the AWS chain's variables.
    pub(super) fn of(bucket: &BucketConfig, options: &RedirectOptions) -> Self {
        let endpoint = bucket.endpoint_url.as_ref().or(options.endpoint_url.as_ref());
        let own = endpoint.and_then(|url| Self::at(&Url::parse(url).ok()?, &bucket.bucket));
        own.unwrap_or_else(|| Self::of_aws(&bucket.bucket, bucket.region.as_ref().or(options.region.as_ref())))
    }

    /// A bucket below the endpoint of a server.
    fn at(url: &Url, bucket: &str) -> Option<Self> {
        let host = url.host()?;
        Some(Self {
            tls: url.scheme() == "https",
            is_address: match host {
                Host::Domain(_) => false,
                Host::Ipv4(_) | Host::Ipv6(_) => true,
            },
            host: host.to_string(),
            port: url.port_or_known_default()?,
            base: format!("{}/{}", plain(url.path().trim_end_matches('/')), url_path(bucket)),
            is_aws: false,
            region_is_unknown: false,
        })
    }

    /// A bucket of AWS. Names with a dot do not fit its certificate and are addressed by path (AWS: "Virtual hosting of
    /// general purpose buckets").
    fn of_aws(bucket: &str, region: Option<&String>) -> Self {
        let region = region.filter(|region| region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
        let domain =
            if region.is_some_and(|region| region.starts_with("cn-")) { "amazonaws.com.cn" } else { "amazonaws.com" };
        let server = region.map_or_else(|| format!("s3.{domain}"), |region| format!("s3.{region}.{domain}"));
        let own_host = bucket.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let (host, base) = if own_host {
            (format!("{bucket}.{server}"), String::new())
        } else {
            (server, format!("/{}", url_path(bucket)))
        };
        Self { tls: true, host, port: 443, is_address: false, base, is_aws: true, region_is_unknown: region.is_none() }
    }

    /// `https://host:port`, the port only if it is not the scheme's.
    pub(super) fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }

    /// What the header `Host` says.
    pub(super) fn authority(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// The path of the keys below a prefix, percent-encoded.
    pub(super) fn path(&self, keys: &str) -> String {
        format!("{}/{}", self.base, url_path(keys))
    }
}

/// A URL's path as [`url_path`] would have written it: it comes percent-encoded, but with more characters as they are.
fn plain(path: &str) -> String {
    path.split('%')
        .enumerate()
        .map(|(n, piece)| if n == 0 { url_path(piece) } else { format!("%{}", url_path(piece)) })
        .collect()
}

/// The first name server that a resolv.conf names.
#[must_use]
pub fn first_resolver(resolv_conf: &str) -> Option<SocketAddr> {
    let mut servers = resolv_conf.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let server = (words.next() == Some("nameserver")).then(|| words.next()).flatten()?;
        Some(SocketAddr::new(server.parse::<IpAddr>().ok()?, DNS_PORT))
    });
    servers.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(bucket: &str, region: Option<&str>, endpoint: Option<&str>) -> Origin {
        let bucket = BucketConfig {
            bucket: bucket.to_owned(),
            profile: None,
            region: region.map(str::to_owned),
            endpoint_url: endpoint.map(str::to_owned),
        };
        Origin::of(&bucket, &crate::operate::redirect::tests::options())
    }

    #[test]
    fn buckets_of_aws_have_a_host_where_the_certificate_allows_it() {
        let own = origin("legacy-s3", Some("eu-central-1"), None);
        assert_eq!((own.url().as_str(), own.base.as_str()), ("https://legacy-s3.s3.eu-central-1.amazonaws.com", ""));
        let dotted = origin("www.example.org", Some("cn-north-1"), None);
        assert_eq!(
            dotted.url() + &dotted.path("a b/"),
            "https://s3.cn-north-1.amazonaws.com.cn/www.example.org/a%20b/"
        );
        let global = origin("legacy-s3", None, None);
        assert!(global.region_is_unknown && global.is_aws);
        assert_eq!(global.url(), "https://legacy-s3.s3.amazonaws.com");
        // A region that could say more than a region is none.
        assert!(origin("b", Some("x; return 200"), None).region_is_unknown);
    }

    #[test]
    fn endpoints_are_addressed_by_path() {
        let own = origin("b", Some("x"), Some("http://127.0.0.1:9000/"));
        assert_eq!((own.url() + &own.path("i/"), own.is_address), ("http://127.0.0.1:9000/b/i/".to_owned(), true));
        let folder = origin("b$", None, Some("https://s3.example.org/a%20b;c/"));
        assert_eq!(folder.url() + &folder.path(""), "https://s3.example.org/a%20b%3Bc/b%24/");
        assert_eq!(origin("b", None, Some("https://[::1]:8333")).authority(), "[::1]:8333");
    }

    #[test]
    fn the_first_name_server_is_taken() {
        let file =
            "# nameserver 1.1.1.1\nsearch x\nnameserver fe80::1%eth0\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n";
        assert_eq!(first_resolver(file), "10.0.0.2:53".parse().ok());
        assert_eq!(first_resolver(""), None);
    }
}
