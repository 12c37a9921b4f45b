//! Configuration of HAProxy: layer 7 retries ask one bucket after the other.
//!
//! HAProxy repeats a request as it sent it, but the buckets want different paths. So the retry goes to listeners of its own
//! (abstract sockets of the same process), one a bucket, and each of them writes its path.

use super::origin::Origin;
use super::quote::{haproxy, haproxy_format, url_path};
use super::route::DOTS;
use super::{Job, REDIRECT_SECONDS, filled};

/// A body is announced in one of two ways (RFC 9112, section 6).
const BODY: &str = "{ req.hdr_val(content-length) gt 0 } or { req.hdr(transfer-encoding) -m found }";

const RESOLVERS: &str = "\n# The addresses of buckets change while HAProxy runs.\nresolvers avatar_migrate\n    parse-resolv-conf\n    hold valid 10s\n";

pub(super) fn text(job: &Job<'_>) -> String {
    let (listen, mut rules, mut rests, mut redirects) =
        (job.options.listen.to_string(), String::new(), String::new(), String::new());
    let (mut production, mut legacy) = (String::new(), String::new());
    for (number, route) in (1..).zip(&job.routes) {
        for rule in route.rules(&job.config.mappings, "") {
            let name = format!("{}_{number}_{:?}", rule.asked.answer(job.redirects()), rule.asked).to_lowercase();
            let (regexp, prefix) = (haproxy(&rule.regexp), haproxy(&rule.prefix));
            rules += &format!(
                "    http-request set-var(txn.route) str({name}) if !{{ var(txn.route) -m found }} {{ path -m reg {regexp} }}\n"
            );
            let on = format!("if {{ var(txn.route) -m str {name} }}");
            if name.starts_with("redirect") {
                let path = haproxy_format(&format!("{}\\1", url_path(&route.modern.path)));
                redirects += &format!("    http-request replace-path {prefix} {path} {on}\n");
                let to = haproxy_format(route.modern.origin.as_deref().unwrap_or_default());
                redirects += &format!("    http-request redirect code 301 location {to}%[pathq] {on}\n");
            } else {
                rests += &format!("    http-request replace-path {prefix} '/{number}/\\1' {on}\n");
            }
        }
        production += &rewrite(number, &job.production, &route.keys.modern);
        legacy += &rewrite(number, &job.legacy, &route.keys.legacy);
    }
    if !redirects.is_empty() {
        redirects += &format!(
            "    http-after-response set-header Cache-Control max-age={REDIRECT_SECONDS} if {{ var(txn.route) -m beg redirect }}\n"
        );
    }
    let named = !(job.production.is_address && job.legacy.is_address);
    let authority = job.authority();
    filled(
        include_str!("haproxy.cfg"),
        &[
            ("HEAD", &job.head()),
            ("PREFIXES", job.prefixes().trim_end()),
            ("EXAMPLE", &job.example()),
            ("LISTEN", &listen),
            ("RESOLVERS", if named { RESOLVERS } else { "" }),
            ("BODY", BODY),
            ("DOTS", &haproxy(DOTS)),
            ("RULES", rules.trim_end()),
            ("REDIRECTS", &redirects),
            ("RESTS", rests.trim_end()),
            ("SOCKET", &format!("abns@avatar-migrate-{}-", job.options.listen.port())),
            ("PRODUCTION_HOST", &haproxy_format(&job.production.authority())),
            ("PRODUCTION", production.trim_end()),
            ("PRODUCTION_SERVER", &server(&job.production, &authority)),
            ("LEGACY_HOST", &haproxy_format(&job.legacy.authority())),
            ("LEGACY", legacy.trim_end()),
            ("LEGACY_SERVER", &server(&job.legacy, &authority)),
        ],
    )
}

/// From `/NUMBER/REST` to the key in a bucket.
fn rewrite(number: usize, origin: &Origin, keys: &str) -> String {
    let path = haproxy_format(&format!("{}\\1", origin.path(keys)));
    format!("    http-request replace-path '^/[^/]*/(.*)' {path} if {{ var(txn.number) -m str {number} }}\n")
}

fn server(origin: &Origin, authority: &str) -> String {
    let address = format!("{}:{}", origin.host, origin.port);
    let tls = if origin.tls {
        let name = haproxy(origin.host.trim_matches(['[', ']']));
        let sni = if origin.is_address { String::new() } else { format!(" sni str({})", origin.host) };
        format!(" ssl verify required ca-file {}{sni} verifyhost {name}", haproxy(authority))
    } else {
        String::new()
    };
    let named = if origin.is_address { "" } else { " resolvers avatar_migrate init-addr last,libc,none" };
    format!("{address}{tls}{named}")
}
