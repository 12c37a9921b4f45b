//! What slows a run down for the sake of others.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::database_url::DatabaseUrl;
use super::layers::{Layers, number, path};
use super::quantity::duration;
use super::{ConfigError, DatabaseConfig, catalogue};

/// Lag that is borne where a replica is named and nothing is said.
const LAG: Duration = Duration::from_secs(5);

/// What slows a run down for the sake of others; by default nothing does.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    /// At most so many requests to S3 a second, both buckets together.
    pub requests_per_second: Option<NonZeroU32>,
    /// Replicas that must not fall behind.
    pub replicas: Vec<DatabaseConfig>,
    /// For how long each may lag.
    pub replica_lag: Duration,
    /// With more threads at work on the server the run waits.
    pub running_threads: Option<u64>,
    /// While this file exists the run waits.
    pub pause_file: Option<PathBuf>,
}

/// Reads it. Replicas are reached as the database is, but for what their URLs say; relative paths start from `directory`.
pub(super) fn throttle(layers: &Layers, database: &DatabaseConfig, directory: &Path) -> Result<Throttle, ConfigError> {
    let per_second = layers.optional(&catalogue::MAX_REQUESTS_PER_SECOND, |text| {
        let requests = number(1)(text)?;
        let requests = u32::try_from(requests).ok().and_then(NonZeroU32::new);
        requests.ok_or_else(|| ConfigError::new(format!("`{text}` is too many")))
    })?;
    let replicas = layers.list(&catalogue::REPLICA_URL, DatabaseUrl::parse)?;
    let lag = layers.placed(&catalogue::MAX_REPLICA_LAG, duration)?;
    if let (true, Some(lag)) = (replicas.is_empty(), &lag) {
        let error = ConfigError::new("no replica is named whose lag could be asked").at(&lag.origin);
        return Err(error.hint("add --replica-url mysql://user@replica:3306/production-db"));
    }
    Ok(Throttle {
        requests_per_second: per_second,
        replicas: replicas.into_iter().map(|url| replica(database, url)).collect(),
        replica_lag: lag.map_or(LAG, |lag| lag.value),
        running_threads: layers.optional(&catalogue::MAX_RUNNING_THREADS, number(1))?,
        pause_file: layers.optional(&catalogue::PAUSE_FILE, path)?.map(|file| directory.join(file)),
    })
}

fn replica(database: &DatabaseConfig, url: DatabaseUrl) -> DatabaseConfig {
    let DatabaseUrl { user, password, host, port, schema, tls, tls_ca: _, socket } = url;
    // The database's password goes with the database's user only.
    let same = user.as_ref().is_none_or(|user| *user == database.user);
    DatabaseConfig {
        host,
        port,
        socket,
        schema,
        user: user.unwrap_or_else(|| database.user.clone()),
        password: password.unwrap_or_else(|| if same { database.password.clone() } else { SecretString::default() }),
        tls: tls.unwrap_or(database.tls),
        ..database.clone()
    }
}
