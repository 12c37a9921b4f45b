//! Configuration of nginx: a request's path tells its route, and the route the two URLs at which buckets are asked.

use std::net::SocketAddr;

use super::origin::Origin;
use super::quote::nginx;
use super::route::DOTS;
use super::{Job, REDIRECT_SECONDS, filled};
use crate::config::{ConfigError, DNS_PORT};

/// nginx reads its configuration through a buffer of 4,096 bytes, which a parameter must not outgrow (ngx_conf_file.c).
const PARAMETER_BYTES_MAX: usize = 4000;

/// The group in which a rule keeps the rest.
const CAPTURE: &str = "?<avatar_migrate_rest>";
const REST: &str = "$avatar_migrate_rest";

pub(super) fn text(job: &Job<'_>, system_resolver: Option<SocketAddr>) -> Result<String, ConfigError> {
    let (listen, mut rules) = (job.options.listen.to_string(), String::new());
    let (mut production, mut legacy, mut modern) = (String::new(), String::new(), String::new());
    for (number, route) in (1..).zip(&job.routes) {
        for rule in route.rules(&job.config.mappings, CAPTURE) {
            let name = rule.asked.answer(job.redirects());
            rules += &format!("    {} {name}_{number};\n", parameter(&format!("~{}", rule.regexp))?);
        }
        for name in ["both", "production"] {
            production += &url(name, number, &job.production, &route.keys.modern)?;
        }
        for name in ["both", "legacy"] {
            legacy += &url(name, number, &job.legacy, &route.keys.legacy)?;
        }
        modern += &format!("    redirect_{number} {};\n", parameter(&format!("{}{REST}", route.target()))?);
    }
    let redirecting = filled(include_str!("nginx_redirect.conf"), &[("SECONDS", &REDIRECT_SECONDS.to_string())]);
    Ok(filled(
        include_str!("nginx.conf"),
        &[
            ("HEAD", &job.head()),
            ("PREFIXES", job.prefixes().trim_end()),
            ("EXAMPLE", &job.example()),
            ("LISTEN", &listen),
            ("DOTS", &nginx(&format!("~{DOTS}"))),
            ("RULES", rules.trim_end()),
            ("PRODUCTION", &map("avatar_migrate_production", &production)),
            ("LEGACY", &map("avatar_migrate_legacy", &legacy)),
            (
                "MODERN",
                &if job.redirects() { format!("\n{}\n", map("avatar_migrate_modern", &modern)) } else { String::new() },
            ),
            ("REDIRECT", &if job.redirects() { redirecting } else { String::new() }),
            ("RESOLVER", &resolver(job, system_resolver)?),
            ("AUTHORITY", &nginx(&job.authority())),
        ],
    ))
}

/// From the route of a request to something else, which is empty for other routes.
fn map(name: &str, lines: &str) -> String {
    format!("map $avatar_migrate_route ${name} {{\n    default \"\";\n{lines}}}")
}

fn url(name: &str, number: usize, origin: &Origin, keys: &str) -> Result<String, ConfigError> {
    Ok(format!("    {name}_{number} {};\n", parameter(&format!("{}{}{REST}", origin.url(), origin.path(keys)))?))
}

fn parameter(text: &str) -> Result<String, ConfigError> {
    let quoted = nginx(text);
    if quoted.len() <= PARAMETER_BYTES_MAX {
        return Ok(quoted);
    }
    Err(ConfigError::new("a prefix or pattern is too long for a parameter of nginx (4,096 bytes)")
        .hint("HAProxy has no such limit: --format haproxy"))
}

/// A name in proxy_pass is resolved again and again, as its addresses change, and nginx wants to be told by whom.
fn resolver(job: &Job<'_>, system: Option<SocketAddr>) -> Result<String, ConfigError> {
    if job.production.is_address && job.legacy.is_address {
        return Ok(String::new());
    }
    let Some(server) = job.options.resolver.or(system) else {
        return Err(ConfigError::new("nginx needs a name server, and /etc/resolv.conf names none")
            .hint("give --resolver with the address of one that the host of nginx can ask"));
    };
    let server = if server.port() == DNS_PORT {
        server.to_string().trim_end_matches(&format!(":{DNS_PORT}")).to_owned()
    } else {
        server.to_string()
    };
    Ok(format!("    resolver {server};\n"))
}
