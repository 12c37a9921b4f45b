//! What the update of a cutover looks up for each row, and that the rows that move are those of the journal, whatever it is.

use std::sync::{Arc, Mutex};

use avatar_migrate_kit::{DatabaseFault, FaultProxy};

use super::{AVATARS, moves_rows, run, world};
use crate::support::World;

/// Notes which table of the ledger each update of rows reads; `before` is done before the first one.
fn lookups(proxy: &FaultProxy, before: impl FnOnce() + Send + 'static) -> Arc<Mutex<Vec<&'static str>>> {
    let (seen_lookups, before) = (Arc::new(Mutex::new(Vec::new())), Mutex::new(Some(before)));
    let lookups = Arc::clone(&seen_lookups);
    proxy.on_command(move |seen| {
        if moves_rows(seen) {
            before.lock().expect("a lock").take().into_iter().for_each(|before| before());
            let table =
                ["am_moving", "am_object"].into_iter().find(|table| seen.sql.contains(table)).unwrap_or("nothing");
            lookups.lock().expect("a lock").push(table);
        }
        DatabaseFault::None
    });
    seen_lookups
}

#[track_caller]
fn were(lookups: &Arc<Mutex<Vec<&'static str>>>, expected: &[&str]) {
    assert_eq!(lookups.lock().expect("a lock").as_slice(), expected);
}

fn lines(world: &World, table: &str) -> String {
    world.column(&format!("SELECT COUNT(*) AS v FROM `{}`.{table}", world.ledger())).concat()
}

#[test]
fn rows_out_of_scope_leave_the_look_at_the_object() {
    let (world, proxy) = world();
    world.rows(&["image/banner.png"]);
    let lookups = lookups(&proxy, || ());
    let ended = run(&world, &proxy, &["copy"]).exits(0);
    assert_eq!(ended.number("/rows/updated"), AVATARS as u64);
    were(&lookups, &["am_object"]);
    assert_eq!(world.column("SELECT path AS v FROM avatars WHERE path LIKE 'image/%'"), ["image/banner.png"]);
}

#[test]
fn a_row_of_a_checked_object_that_comes_between_journal_and_update_moves_with_a_line_of_its_own() {
    let (world, proxy) = world();
    world.rows(&["image/banner.png"]);
    let (path, database) = (world.paths().swap_remove(0), world.database.clone());
    let late = format!("INSERT INTO avatars (path) VALUES ('{path}')");
    let lookups = lookups(&proxy, move || database.execute(&late).expect("a late row"));
    let ended = run(&world, &proxy, &["copy"]).exits(0);
    assert!(ended.stderr.contains("7 rows matched where 6 were journaled"), "{}", ended.stderr);
    assert_eq!(ended.number("/rows/updated"), AVATARS as u64 + 1);
    were(&lookups, &["am_object", "am_moving"]);
    assert_eq!(lines(&world, "am_row_change"), (AVATARS + 1).to_string());
    assert_eq!(lines(&world, "am_moving"), "0", "it is empty again");
    world.run(&["rollback", "--yes"]).exits(0);
    assert_eq!(world.column("SELECT COUNT(*) AS v FROM avatars WHERE path LIKE 'image/avatar-%'"), ["7"]);
}

#[test]
fn urls_are_told_by_what_the_plan_has_decoded() {
    let (world, proxy) = world();
    world
        .sql("UPDATE avatars SET path = CONCAT('https://old.example/', REPLACE(path, 'avatar-', '%61vatar-'), '?v=2')");
    let forms = ["--legacy-prefix", "https://old.example/image/", "--modern-prefix", "https://new.example/avatar/"];
    let lookups = lookups(&proxy, || ());
    let limited = run(&world, &proxy, &[&["copy", "--limit", "2"], &forms[..]].concat()).exits(3);
    assert_eq!((limited.number("/rows/updated"), limited.number("/rows/left")), (2, AVATARS as u64 - 2));
    run(&world, &proxy, &[&["copy"], &forms[..]].concat()).exits(0);
    were(&lookups, &["am_object", "nothing"]);
    let moved =
        "SELECT COUNT(*) AS v FROM avatars WHERE path LIKE 'https://new.example/avatar/|%61vatar-%?v=2' ESCAPE '|'";
    assert_eq!(world.column(moved), [AVATARS.to_string()]);
}

#[test]
fn where_a_unique_key_forbids_some_paths_each_row_is_looked_up() {
    let (world, proxy) = world();
    world.sql("ALTER TABLE avatars ADD UNIQUE KEY one (path)");
    let path = world.paths().swap_remove(0).replacen("image/", "avatar/", 1);
    world.rows(&[&path]);
    let lookups = lookups(&proxy, || ());
    let ended = run(&world, &proxy, &["copy"]).exits(3);
    assert_eq!((ended.number("/rows/updated"), ended.number("/rows/conflict")), (AVATARS as u64 - 1, 1));
    were(&lookups, &["am_moving"]);
    assert_eq!(lines(&world, "am_moving"), "0", "it is empty again");
}
