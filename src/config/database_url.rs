//! The URL of the database: `mysql://user:password@host:port/schema?parameters`.
//!
//! Operators paste passwords as they are, so the last `@` ends the userinfo whatever stands before it. For the same
//! reason no error quotes any part of the URL but the names of its parameters.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use super::column::identifier;
use super::{ConfigError, DatabaseTls};

const PORT: u16 = 3306;
const EXAMPLE: &str = "write it like mysql://user@host:3306/production-db";
const PARAMETERS: &str = "ssl-mode, ssl-ca, socket";

/// What a URL says; what it leaves out is `None`.
#[derive(Clone, Debug)]
pub(super) struct DatabaseUrl {
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) schema: String,
    pub(super) tls: Option<DatabaseTls>,
    pub(super) tls_ca: Option<PathBuf>,
    pub(super) socket: Option<PathBuf>,
}

impl DatabaseUrl {
    /// Takes a URL apart.
    pub(super) fn parse(url: &str) -> Result<Self, ConfigError> {
        let rest = after_scheme(url)?;
        let (userinfo, place) = match rest.rsplit_once('@') {
            Some((userinfo, place)) => (Some(userinfo), place),
            None => (None, rest),
        };
        let (user, password) = match userinfo.map(|userinfo| userinfo.split_once(':').unwrap_or((userinfo, ""))) {
            Some((user, password)) => (Some(decoded(user)), Some(decoded(password))),
            None => (None, None),
        };
        let (location, query) = place.split_once('?').unwrap_or((place, ""));
        let (authority, schema) = location.split_once('/').unwrap_or((location, ""));
        let (host, port) = host_and_port(authority)?;
        let filled = |text: &String| !text.is_empty();
        let mut parsed = Self {
            user: user.filter(filled),
            password: password.filter(filled).map(SecretString::from),
            host,
            port,
            schema: schema_name(schema)?,
            tls: None,
            tls_ca: None,
            socket: None,
        };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            parsed.set(parameter)?;
        }
        if parsed.host.is_empty() {
            if parsed.socket.is_none() {
                return Err(ConfigError::new("the database URL names no host").hint(EXAMPLE));
            }
            "localhost".clone_into(&mut parsed.host);
        }
        Ok(parsed)
    }

    fn set(&mut self, parameter: &str) -> Result<(), ConfigError> {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = decoded(value);
        if value.is_empty() && ["ssl-mode", "ssl-ca", "socket"].contains(&name) {
            return Err(ConfigError::new(format!("the parameter `{name}` of the database URL is empty")));
        }
        match name {
            "ssl-mode" => self.tls = Some(tls_of(&value)?),
            "ssl-ca" => self.tls_ca = Some(PathBuf::from(value)),
            "socket" => self.socket = Some(PathBuf::from(value)),
            _ => {
                return Err(ConfigError::new(format!("the database URL has the unknown parameter `{name}`"))
                    .hint(format!("known parameters are {PARAMETERS}")));
            }
        }
        Ok(())
    }
}

fn after_scheme(url: &str) -> Result<&str, ConfigError> {
    let (scheme, rest) = url.split_once(':').unwrap_or(("", ""));
    match (scheme.to_ascii_lowercase().as_str(), rest.strip_prefix("//")) {
        ("mysql" | "mariadb", Some(rest)) => Ok(rest),
        ("jdbc", _) => {
            Err(ConfigError::new("the database URL begins with `jdbc:`").hint(format!("leave `jdbc:` out; {EXAMPLE}")))
        }
        (scheme @ ("postgres" | "postgresql" | "sqlite" | "sqlserver" | "mssql" | "oracle" | "mongodb"), _) => {
            Err(ConfigError::new(format!("the database URL begins with `{scheme}:`"))
                .hint(format!("rows are migrated in MariaDB and MySQL only; {EXAMPLE}")))
        }
        _ => Err(ConfigError::new("the database URL does not begin with mysql:// or mariadb://").hint(EXAMPLE)),
    }
}

/// Percent-decoded where escapes are valid; verbatim where they are not, or mean no text.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), |decoded| decoded.into_owned())
}

fn host_and_port(authority: &str) -> Result<(String, u16), ConfigError> {
    let wrong_host = || ConfigError::new("the host of the database URL is not valid").hint(EXAMPLE);
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed.split_once(']').ok_or_else(wrong_host)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong_host())?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(wrong_host)?) })
        }
        None => {
            let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
            if !host.is_empty() && url::Host::parse(host).is_err() {
                return Err(wrong_host());
            }
            (host, port)
        }
    };
    let port = match port.map(str::parse) {
        None => PORT,
        Some(Ok(port)) if port > 0 => port,
        Some(_) => {
            return Err(ConfigError::new("the port of the database URL is not a number from 1 to 65535")
                .hint("an IPv6 address stands in brackets, like mysql://user@[::1]:3306/production-db"));
        }
    };
    Ok((host.to_owned(), port))
}

fn schema_name(path: &str) -> Result<String, ConfigError> {
    if path.is_empty() {
        return Err(ConfigError::new("the database URL names no database").hint(EXAMPLE));
    }
    if path.contains(['/', '#']) {
        return Err(ConfigError::new("the database name in the URL holds a `/` or a `#`")
            .hint("write %2F and %23 for those; there is nothing but parameters after the database name"));
    }
    identifier(decoded(path), "the database name in the URL")
}

fn tls_of(mode: &str) -> Result<DatabaseTls, ConfigError> {
    match mode.to_ascii_uppercase().replace('-', "_").as_str() {
        "PREFERRED" => Ok(DatabaseTls::Preferred),
        "REQUIRED" => Ok(DatabaseTls::Required),
        "VERIFY_CA" | "VERIFY_IDENTITY" => Ok(DatabaseTls::Verify),
        "DISABLED" => Err(ConfigError::new("the database URL asks for ssl-mode=DISABLED, which is not offered")
            .hint("leave it out: PREFERRED goes without encryption where the server has none")),
        _ => Err(ConfigError::new("the ssl-mode of the database URL is unknown")
            .hint("known modes are PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY")),
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use secrecy::ExposeSecret;

    use super::*;

    fn password(url: &str) -> String {
        let parsed = DatabaseUrl::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!((parsed.user.as_deref(), parsed.host.as_str(), parsed.schema.as_str()), (Some("us"), "db", "name"));
        parsed.password.expect("a password").expose_secret().to_owned()
    }

    #[test]
    fn every_special_character_may_stand_in_a_password() {
        let every: String = (' '..='~').filter(|c| !c.is_ascii_alphanumeric()).collect();
        let singles = every.chars().map(|c| format!("a{c}b"));
        for secret in singles.chain([every.clone(), every.chars().rev().collect(), "pä€😀".into(), "%zz%4".into()])
        {
            assert_eq!(password(&format!("mysql://us:{secret}@db/name")), secret, "raw");
            let encoded = utf8_percent_encode(&secret, NON_ALPHANUMERIC);
            assert_eq!(password(&format!("mysql://us:{encoded}@db/name?ssl-mode=REQUIRED")), secret, "encoded");
            let mixed = secret.replace('%', "%25").replace('@', "%40");
            assert_eq!(password(&format!("mariadb://us:{mixed}@db:3306/name")), secret, "mixed");
        }
        assert_eq!(password("mysql://us:%FF%zz@db/name"), "%FF%zz");
    }

    #[test]
    fn places_have_many_forms() {
        let cases = [
            ("mysql://h/d", None, "h", 3306, "d"),
            ("MariaDB://u@h:3307/d", Some("u"), "h", 3307, "d"),
            ("mysql://u@[::1]/d", Some("u"), "::1", 3306, "d"),
            ("mysql://u@[fe80::1]:33/d", Some("u"), "fe80::1", 33, "d"),
            ("mysql://u%40corp@h/d", Some("u@corp"), "h", 3306, "d"),
            ("mysql://@h/d", None, "h", 3306, "d"),
            ("mysql://127.0.0.1/production-db", None, "127.0.0.1", 3306, "production-db"),
            ("mysql://h/my%20db%2F%23", None, "h", 3306, "my db/#"),
            ("mysql://h/my db", None, "h", 3306, "my db"),
            ("mysql:///d?socket=/run/mysqld/m.sock", None, "localhost", 3306, "d"),
        ];
        for (url, user, host, port, schema) in cases {
            let parsed = DatabaseUrl::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            let found = (parsed.user.as_deref(), parsed.host.as_str(), parsed.port, parsed.schema.as_str());
            assert_eq!(found, (user, host, port, schema), "{url}");
            assert!(parsed.password.is_none(), "{url}");
        }
    }

    #[test]
    fn parameters_are_read() {
        let url = "mysql://u@h/d?ssl-mode=verify_ca&ssl-ca=/etc/my%20ca.pem&socket=/s";
        let parsed = DatabaseUrl::parse(url).expect("a URL");
        assert_eq!(parsed.tls, Some(DatabaseTls::Verify));
        assert_eq!(parsed.tls_ca, Some(PathBuf::from("/etc/my ca.pem")));
        assert_eq!(parsed.socket, Some(PathBuf::from("/s")));
    }

    #[test]
    fn errors_say_what_is_wrong_and_never_the_password() {
        let port = "the port of the database URL is not a number from 1 to 65535";
        let scheme = "the database URL does not begin with mysql:// or mariadb://";
        let cases = [
            ("", scheme),
            ("u:canary@h/d", scheme),
            ("canary://u:canary@h/d", scheme),
            ("mysql:u:canary@h/d", scheme),
            ("jdbc:mysql://u:canary@h/d", "the database URL begins with `jdbc:`"),
            ("postgres://u:canary@h/d", "the database URL begins with `postgres:`"),
            ("mysql://u:canary@/d", "the database URL names no host"),
            ("mysql://u:canary@h", "the database URL names no database"),
            ("mysql://u:canary@h/", "the database URL names no database"),
            ("mysql://u:canary@h/a/b", "the database name in the URL holds a `/` or a `#`"),
            ("mysql://u:canary@h:0/d", port),
            ("mysql://u:canary@h:70000/d", port),
            ("mysql://u:canary/d", port),
            ("mysql://u:canary@::1/d", port),
            ("mysql://u:canary@[::1/d", "the host of the database URL is not valid"),
            ("mysql://u:canary@[h]/d", "the host of the database URL is not valid"),
            ("mysql://u:canary@a b/d", "the host of the database URL is not valid"),
            ("mysql://u:canary@h/d?useSSL=1", "the database URL has the unknown parameter `useSSL`"),
            ("mysql://u:canary@h/d?ssl-ca=", "the parameter `ssl-ca` of the database URL is empty"),
            ("mysql://u:canary@h/d?ssl-mode=x", "the ssl-mode of the database URL is unknown"),
            (
                "mysql://u:canary@h/d?ssl-mode=disabled",
                "the database URL asks for ssl-mode=DISABLED, which is not offered",
            ),
        ];
        for (url, message) in cases {
            let error = DatabaseUrl::parse(url).expect_err(url);
            assert_eq!(error.message, message, "{url}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
        let parsed = DatabaseUrl::parse("mysql://u:canary@h/d").expect("a URL");
        assert!(!format!("{parsed:?}").contains("canary"));
    }
}
