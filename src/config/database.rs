//! Joins URL, user, password and TLS, each of which may stand in several places.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::column::identifier;
use super::database_url::DatabaseUrl;
use super::environment::PASSWORD_VARIABLE;
use super::layers::{Layers, Level, Origin, Placed, choice, missing, path, text};
use super::{Authority, ConfigError, DatabaseConfig, DatabaseTls, catalogue};

/// Passwords that come from neither URL nor file.
pub(super) struct Passwords {
    /// From the one-line form, or asked for.
    pub(super) argument: Option<SecretString>,
    /// From [`PASSWORD_VARIABLE`].
    pub(super) variable: Option<SecretString>,
}

/// Where the rows are; `directory` is what relative paths start from.
pub(super) fn database(layers: &Layers, passwords: Passwords, directory: &Path) -> Result<DatabaseConfig, ConfigError> {
    let url = layers.placed(&catalogue::DATABASE_URL, DatabaseUrl::parse)?;
    let url = url.ok_or_else(|| missing(&catalogue::DATABASE_URL))?;
    let user = user(layers, &url)?;
    let password = password(layers, passwords, &url, directory)?;
    let tls = layers.placed(&catalogue::DATABASE_TLS, choice)?;
    let said = tls.as_ref().filter(|tls| tls.origin.level() != Level::Default);
    if let (Some(said), Some(in_url)) = (said, url.value.tls)
        && said.value != in_url
    {
        return Err(ConfigError::new("contradicts the ssl-mode in the database URL").at(&said.origin).hint("give one"));
    }
    let tls_ca = authority(layers, &url, directory)?;
    // Whoever names an authority means to verify.
    let default_tls = if tls_ca.is_some() { DatabaseTls::Verify } else { DatabaseTls::Preferred };
    let tls = url.value.tls.or(said.map(|said| said.value)).unwrap_or(default_tls);
    if tls_ca.is_some() && tls != DatabaseTls::Verify {
        return Err(ConfigError::new(
            "a certificate authority for the database is given, but nothing is verified by it",
        )
        .hint("give --database-tls verify (or ssl-mode=VERIFY_IDENTITY in the URL), or leave the authority out"));
    }
    let DatabaseUrl { host, port, schema, socket, .. } = url.value;
    Ok(DatabaseConfig {
        host,
        port,
        socket,
        schema,
        user,
        password,
        tls,
        tls_ca,
        replica_is_primary: layers.switch(&catalogue::REPLICA_IS_PRIMARY)?,
    })
}

/// `--database-ca`, or the one in the URL.
fn authority(layers: &Layers, url: &Placed<DatabaseUrl>, directory: &Path) -> Result<Option<Authority>, ConfigError> {
    let ca = layers.placed(&catalogue::DATABASE_CA, path)?;
    if let (Some(ca), Some(in_url)) = (&ca, &url.value.tls_ca)
        && ca.value != *in_url
    {
        return Err(ConfigError::new("contradicts the ssl-ca in the database URL").at(&ca.origin).hint("give one"));
    }
    let (file, origin) = match (&ca, &url.value.tls_ca) {
        (Some(ca), _) => (&ca.value, &ca.origin),
        (None, Some(in_url)) => (in_url, &url.origin),
        (None, None) => return Ok(None),
    };
    Authority::read(&directory.join(file)).map(Some).map_err(|error| error.at(origin))
}

/// The schema of the journal.
pub(super) fn ledger_schema(layers: &Layers) -> Result<String, ConfigError> {
    layers.required(&catalogue::LEDGER_SCHEMA, |name| identifier(name.to_owned(), "the schema's name"))
}

/// `--database-user`, unless the URL stands on a stronger level and names its own.
fn user(layers: &Layers, url: &Placed<DatabaseUrl>) -> Result<String, ConfigError> {
    let said = layers.placed(&catalogue::DATABASE_USER, text)?;
    match (said, &url.value.user) {
        (Some(said), Some(user)) if url.origin.level() < said.origin.level() => Ok(user.clone()),
        (Some(said), _) => Ok(said.value),
        (None, Some(user)) => Ok(user.clone()),
        (None, None) => Err(missing(&catalogue::DATABASE_USER)),
    }
}

/// Flag or argument, then variable, then the URL of either, then the file; there a password file beats the URL.
fn password(
    layers: &Layers,
    passwords: Passwords,
    url: &Placed<DatabaseUrl>,
    directory: &Path,
) -> Result<SecretString, ConfigError> {
    let file = layers.placed(&catalogue::DATABASE_PASSWORD_FILE, path)?;
    let on = |wanted: Level| file.as_ref().filter(|file| file.origin.level() == wanted);
    let read =
        |file: &Placed<PathBuf>| read_password(&directory.join(&file.value)).map_err(|error| error.at(&file.origin));
    let twice = |one: &str, other: &Origin| {
        Err(ConfigError::new(format!("{one} and {other} both give a password")).hint("give one"))
    };
    let Passwords { argument, variable } = passwords;
    match (argument, on(Level::CommandLine)) {
        (Some(_), Some(file)) => return twice("argument DATABASE_PASSWORD", &file.origin),
        (Some(password), None) => return Ok(password),
        (None, Some(file)) => return read(file),
        (None, None) => {}
    }
    match (variable, on(Level::Environment)) {
        (Some(_), Some(file)) => return twice(&format!("variable {PASSWORD_VARIABLE}"), &file.origin),
        (Some(password), None) => return Ok(password),
        (None, Some(file)) => return read(file),
        (None, None) => {}
    }
    match (&url.value.password, on(Level::File)) {
        (Some(password), Some(_)) if url.origin.level() < Level::File => Ok(password.clone()),
        (_, Some(file)) => read(file),
        (Some(password), None) => Ok(password.clone()),
        (None, None) => Ok(SecretString::from(String::new())),
    }
}

/// The password file if its mode lets its group or everybody read it. One behind a pipe (`<(pass show db)`) has no such mode.
pub(super) fn open_password_file(layers: &Layers, directory: &Path) -> Result<Option<PathBuf>, ConfigError> {
    let file = layers.placed(&catalogue::DATABASE_PASSWORD_FILE, path)?;
    let open = |file: &PathBuf| {
        std::fs::metadata(directory.join(file))
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o044 != 0)
    };
    Ok(file.map(|file| file.value).filter(open))
}

/// The file's content without one newline at its end.
fn read_password(file: &Path) -> Result<SecretString, ConfigError> {
    let content = std::fs::read_to_string(file)
        .map_err(|error| ConfigError::new(format!("cannot read {}: {error}", file.display())))?;
    let line = content.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    Ok(SecretString::from(line.unwrap_or(&content)))
}
