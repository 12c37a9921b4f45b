//! A great many small objects in the embedded server, put there without requests.

use std::sync::Arc;

use anyhow::Result;
use avatar_migrate_kit::{EmbeddedS3, ObjectHeaders};
use bytes::Bytes;

use crate::endpoint::{Endpoint, key, modern};
use crate::world::World;

/// The legacy bucket.
pub(crate) const SOURCE: &str = "legacy-s3";
/// The production bucket.
pub(crate) const TARGET: &str = "production-s3";

/// An embedded server that holds so many objects of a few bytes each, and an empty production bucket.
pub(crate) fn small_objects(count: usize) -> Result<EmbeddedS3> {
    let server = EmbeddedS3::start()?;
    server.create_bucket(TARGET);
    server.create_bucket(SOURCE);
    let headers = ObjectHeaders { content_type: Some("image/png".to_owned()), ..ObjectHeaders::default() };
    let headers = Arc::new(headers);
    for n in 0..count {
        let key = key(n);
        // Its own key is what it holds; all share their headers, as a million of them would not fit otherwise.
        let body = Bytes::from(key.clone());
        server.put_with(SOURCE, &key, body, ObjectHeaders::default(), |object| object.headers = Arc::clone(&headers));
    }
    Ok(server)
}

/// An embedded server whose objects all hold the same few bytes: for millions of them, of which it keeps only the keys.
pub(crate) fn alike_objects(count: usize) -> Result<EmbeddedS3> {
    let server = EmbeddedS3::start()?;
    server.create_bucket(TARGET);
    server.put_alike(SOURCE, (0..count).map(key), "a picture like all others");
    Ok(server)
}

/// Gives every object its twin in production.
pub(crate) fn twins(server: &EmbeddedS3) {
    server.put_twins(SOURCE, TARGET, modern);
}

/// An empty production bucket.
pub(crate) fn empty_target(server: &EmbeddedS3) {
    server.drop_bucket(TARGET);
    server.create_bucket(TARGET);
}

/// A world on an embedded server, its table still empty.
pub(crate) fn world(server: &EmbeddedS3) -> Result<World> {
    World::new(&Endpoint::of_embedded(server), SOURCE, TARGET)
}
