//! What the demo proves by itself, without believing the program: rows, bytes and headers from before and after.

use anyhow::{Result, bail};

use crate::screen::Screen;
use crate::snapshot::{Snapshot, modern};
use crate::stage::{LEGACY, PRODUCTION};
use crate::visitors::Seen;

/// A dry run leaves rows and objects as they were.
pub(crate) fn nothing_changed(screen: &Screen, before: &Snapshot, after: &Snapshot) -> Result<()> {
    let same = before.rows == after.rows && before.objects == after.objects;
    judge(screen, &[("the dry run changed no row and no object".to_owned(), same)])
}

/// The promises of README, one a line.
pub(crate) fn everything_moved(screen: &Screen, before: &Snapshot, after: &Snapshot, seen: Seen) -> Result<()> {
    let pairs = || before.rows.iter().zip(&after.rows);
    let with_path = before.rows.iter().filter(|row| row.path.is_some()).count();
    let avatars = after.count("avatar/avatar-");
    let rows_moved = before.rows.len() == after.rows.len()
        && pairs().all(|(old, new)| old.place == new.place && old.path.as_deref().map(modern) == new.path);
    let bytes_kept = pairs().all(|(old, new)| match (&old.path, &new.path) {
        (Some(old), Some(new)) => before.resolve(old).is_some() && before.resolve(old) == after.resolve(new),
        (None, None) => true,
        _ => false,
    });
    let times_kept = pairs().all(|(old, new)| old.updated_at == new.updated_at);
    let orphans = before.orphans();
    let orphans_kept =
        orphans.iter().all(|key| after.resolve(&modern(key)).is_some_and(|new| Some(new) == before.resolve(key)));
    let strangers: Vec<&str> = before.keys(LEGACY).filter(|key| modern(key) == **key).collect();
    let legacy_left = after.keys(LEGACY).eq(strangers.iter().copied());
    let strangers_kept = strangers.iter().all(|key| {
        let place = (LEGACY, (*key).to_owned());
        before.objects.get(&place) == after.objects.get(&place)
    });
    let in_production = after.keys(PRODUCTION).count();
    let whole = in_production == before.keys(LEGACY).count() - strangers.len();
    let visits = format!("visitors loaded {} pictures meanwhile, {} of them broken", seen.loaded, seen.broken.len());
    judge(
        screen,
        &[
            (format!("all {avatars} rows with an avatar are modern, all other rows are as they were"), rows_moved),
            (format!("all {with_path} rows with a path resolve to the same bytes and headers as before"), bytes_kept),
            ("no updated_at moved".to_owned(), times_kept),
            (format!("{} orphans live in {PRODUCTION}, byte for byte", orphans.len()), orphans_kept),
            (format!("{LEGACY} holds only {}", strangers.join(" and ")), legacy_left && strangers_kept),
            (format!("{PRODUCTION} holds {in_production} objects: every avatar once, nothing else"), whole),
            (visits, seen.loaded > 0 && seen.broken.is_empty()),
        ],
    )
}

fn judge(screen: &Screen, claims: &[(String, bool)]) -> Result<()> {
    for (claim, holds) in claims {
        screen.claim(claim, *holds);
    }
    screen.gap();
    match claims.iter().filter(|(_, holds)| !holds).count() {
        0 => Ok(()),
        1 => bail!("one promise was broken"),
        broken => bail!("{broken} promises were broken"),
    }
}
