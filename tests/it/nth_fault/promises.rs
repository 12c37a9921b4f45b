//! What must hold at every instant and after every run, whatever happened to the requests.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Weak};

use avatar_migrate_kit::{EmbeddedS3, RequestSeen};

use super::inject::SCRATCH;
use super::stage::{Sql, Stage, big};
use crate::s3::{Seen, Server};
use crate::support::content;

/// Objects that a run may copy and then delete, by the middle of their names.
const MOVABLE: [&str; 7] = ["plain", "shared", "big", "there", "stale", "moved", "orphan"];
/// Targets that were there before, or were written by the application since: never written again.
const THEIRS: [&str; 4] = ["there", "moved", "conflict", "superseded"];

/// The bytes that the application last wrote for an object.
fn newest(name: &str) -> Vec<u8> {
    match name {
        "big" => big(),
        "stale" => content("newer stale"),
        _ => content(&legacy(name)),
    }
}

/// The objects that are movable, as every copy of them has to be. Made once: pictures are drawn and compressed.
static WHOLE: LazyLock<Vec<(&str, Seen)>> =
    LazyLock::new(|| MOVABLE.into_iter().map(|name| (name, Seen::picture(newest(name)))).collect());

/// The copy that the killed run made of what the source held then; no row names it.
static STALE: LazyLock<Seen> = LazyLock::new(|| Seen::picture(content(&legacy("stale"))));

fn legacy(name: &str) -> String {
    format!("image/avatar-{name}.png")
}

fn modern(name: &str) -> String {
    format!("avatar/avatar-{name}.png")
}

/// The bytes to which each path has to resolve. A path that is not here must stand in no row.
static BODIES: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let both = MOVABLE.iter().flat_map(|name| [(legacy(name), newest(name)), (modern(name), newest(name))]);
    let others = [
        (legacy("superseded"), newest("superseded")),
        (modern("superseded"), content("newer superseded")),
        (legacy("conflict"), newest("conflict")),
        ("image/logo.png".to_owned(), content("image/logo.png")),
    ];
    both.chain(others).collect()
});

/// Promise 1 at this moment: what is broken.
pub(super) fn unresolved(sql: &Sql, s3: &EmbeddedS3) -> Vec<String> {
    let mut broken = Vec::new();
    for path in sql.lines("SELECT path FROM avatars") {
        // There was no such object from the beginning; the row has to stay as it is.
        if path == legacy("gone") {
            continue;
        }
        let bucket = if path.starts_with("image/") { "legacy-s3" } else { "production-s3" };
        let body = s3.object(bucket, &path).map(|object| object.body);
        if BODIES.get(&path).is_none_or(|expected| body.as_deref() != Some(expected)) {
            broken.push(format!("1: {path} does not resolve to its bytes"));
        }
    }
    broken
}

/// Looks on at each request: each row resolves, and a source is deleted only when no legacy row is left.
pub(super) fn observer(stage: &Stage, s3: Weak<EmbeddedS3>) -> impl Fn(&RequestSeen) -> Vec<String> + use<> {
    let sql = Arc::clone(&stage.sql);
    move |request| {
        let Some(s3) = s3.upgrade() else { return Vec::new() };
        let mut broken = unresolved(&sql, &s3);
        let deletes = request.operation.starts_with("DeleteObject") && request.bucket.as_deref() == Some("legacy-s3");
        let scratch = request.key.as_deref().is_some_and(|key| key.starts_with(SCRATCH));
        let in_scope = "SELECT path FROM avatars WHERE path LIKE 'image/avatar-%'";
        if deletes && !scratch && !sql.lines(in_scope).is_empty() {
            broken.push("3: a source is deleted while rows are legacy".to_owned());
        }
        broken
    }
}

impl Stage {
    /// All promises that can be seen between two runs: what is broken.
    pub(super) fn broken_promises(&self) -> Vec<String> {
        let mut broken = unresolved(&self.sql, &self.world.s3);
        broken.extend(self.overwritten());
        broken.extend(self.lost_or_unfaithful());
        broken.extend(self.journal_is_wrong());
        broken
    }

    /// Promise 2.
    fn overwritten(&self) -> Vec<String> {
        let keys = THEIRS.into_iter().map(modern);
        let changed = keys.filter(|key| {
            let (before, now) = (self.target_at_start(key), self.world.s3.object("production-s3", key));
            let same = before
                .zip(now.as_ref())
                .is_some_and(|(before, now)| before.body == now.body && before.last_modified == now.last_modified);
            !same
        });
        changed.map(|key| format!("2: {key} was written")).collect()
    }

    /// Promise 3, and that a copy is faithful: a source is there, or its twin with the same bytes, headers and tags.
    fn lost_or_unfaithful(&self) -> Vec<String> {
        let s3 = &self.world.s3;
        let mut broken = Vec::new();
        for (name, whole) in WHOLE.iter() {
            let (source, target) = (s3.seen("legacy-s3", &legacy(name)), s3.seen("production-s3", &modern(name)));
            if source.is_none() && target.is_none() || source.is_some_and(|source| source != *whole) {
                broken.push(format!("3: {name} is lost"));
            }
            let expected = |target: &Seen| target == whole || (*name == "stale" && *target == *STALE);
            if target.is_some_and(|target| !expected(&target)) {
                broken.push(format!("2: the copy of {name} is another object"));
            }
        }
        for key in [legacy("superseded"), "image/logo.png".to_owned()] {
            if s3.object("legacy-s3", &key).is_none() {
                broken.push(format!("3: {key} was deleted"));
            }
        }
        let known =
            |key: &String| key.starts_with(SCRATCH) || MOVABLE.iter().chain(&THEIRS).any(|name| *key == modern(name));
        let strange = s3.keys("production-s3").into_iter().filter(|key| !known(key));
        broken.extend(strange.map(|key| format!("2: {key} was made")));
        broken
    }

    /// Promise 5: a line for each row that is not as it was inserted, and for no other.
    fn journal_is_wrong(&self) -> Vec<String> {
        // Rows were inserted legacy, but for one that was modern and the one that is out of scope.
        let moved = "FROM avatars WHERE path LIKE 'avatar/%' AND path <> 'avatar/avatar-moved.png'";
        let old = "REPLACE(path, 'avatar/avatar', 'image/avatar')";
        let sql = format!("SELECT CONCAT_WS(' ', 'moved', id, {old}, path) {moved} ORDER BY 1");
        let (rows, lines) = (self.sql.lines(&sql), self.journal());
        if rows == lines { Vec::new() } else { vec![format!("5: rows {rows:?}, journal {lines:?}")] }
    }
}
