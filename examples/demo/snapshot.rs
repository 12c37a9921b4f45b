//! Everything that the migration may touch, as it is at one moment.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use avatar_migrate_kit::{ObjectHeaders, StoredObject};

use crate::stage::{LEGACY, PRODUCTION, SCHEMA, Stage};

/// A row that may hold a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// `avatars.path 7`: where it stands.
    pub(crate) place: String,
    /// Who it belongs to, as the screen shows it.
    pub(crate) owner: String,
    /// The path.
    pub(crate) path: Option<String>,
    /// When the application wrote the row last.
    pub(crate) updated_at: Option<String>,
}

/// What a visitor's browser would get, and what S3 keeps beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    headers: ObjectHeaders,
}

/// All rows in the order of their keys, all objects by bucket and key.
pub(crate) struct Snapshot {
    pub(crate) rows: Vec<Row>,
    pub(crate) objects: BTreeMap<(&'static str, String), Object>,
}

impl Snapshot {
    /// Reads both.
    pub(crate) async fn take(stage: &Stage) -> Result<Self> {
        let mut connection = stage.mariadb.connect(SCHEMA).await?;
        let rows: Vec<(String, String, Option<String>, Option<String>)> = sqlx::query_as(
            "(SELECT CONCAT('avatars.path ', id) AS place, user_name AS owner, path, CAST(updated_at AS CHAR) AS written
              FROM avatars ORDER BY id LIMIT 1000000)
             UNION ALL
             (SELECT CONCAT('profiles.picture ', tenant, '/', user_id), CONCAT(tenant, ' ', user_id), picture, NULL
              FROM profiles ORDER BY tenant, user_id LIMIT 1000000)",
        )
        .fetch_all(&mut connection)
        .await
        .context("failed to read the rows")?;
        let rows = rows.into_iter().map(|(place, owner, path, updated_at)| Row { place, owner, path, updated_at });
        let keys = [LEGACY, PRODUCTION].into_iter().flat_map(|bucket| {
            stage.s3.keys(bucket).into_iter().filter_map(move |key| {
                let object = stage.s3.object(bucket, &key).map(Object::from)?;
                Some(((bucket, key), object))
            })
        });
        Ok(Self { rows: rows.collect(), objects: keys.collect() })
    }

    /// The object that a path names, as the application finds it.
    pub(crate) fn resolve(&self, path: &str) -> Option<&Object> {
        self.objects.get(&(bucket_of(path), path.to_owned()))
    }

    /// Keys of avatars in the legacy bucket that no row names, in either form.
    pub(crate) fn orphans(&self) -> Vec<&str> {
        let named: BTreeSet<String> = self.rows.iter().filter_map(|row| row.path.as_deref()).map(legacy).collect();
        let keys = self.keys(LEGACY).filter(|key| key.starts_with("image/avatar-"));
        keys.filter(|key| !named.contains(*key)).collect()
    }

    /// The keys of a bucket.
    pub(crate) fn keys<'a>(&'a self, bucket: &'a str) -> impl Iterator<Item = &'a str> {
        self.objects.keys().filter(move |(in_bucket, _)| *in_bucket == bucket).map(|(_, key)| key.as_str())
    }

    /// How many rows hold a path that begins with these letters.
    pub(crate) fn count(&self, prefix: &str) -> usize {
        self.rows.iter().filter(|row| row.path.as_deref().is_some_and(|path| path.starts_with(prefix))).count()
    }
}

impl From<StoredObject> for Object {
    fn from(stored: StoredObject) -> Self {
        Self { bytes: stored.body.to_vec(), headers: ObjectHeaders::clone(&stored.headers) }
    }
}

/// Where the application looks for a path.
pub(crate) fn bucket_of(path: &str) -> &'static str {
    if path.starts_with("avatar/") { PRODUCTION } else { LEGACY }
}

/// The modern form of an avatar's path; any other path stays.
pub(crate) fn modern(path: &str) -> String {
    path.strip_prefix("image/avatar-").map_or_else(|| path.to_owned(), |name| format!("avatar/avatar-{name}"))
}

fn legacy(path: &str) -> String {
    path.strip_prefix("avatar/").map_or_else(|| path.to_owned(), |name| format!("image/{name}"))
}
