//! What has to hold when nobody writes: nothing is lost, and at the end all has moved.

use std::collections::{BTreeMap, BTreeSet};

use super::application::Application;
use super::client::Client;
use super::registry::{Form, LEGACY, PRODUCTION, name_and_version};

/// The newest version of a picture that the application has written, which one of the buckets has to hold.
#[track_caller]
pub(crate) fn newest(application: &Application, name: &str) -> u64 {
    let written = application.registry.floor(name).of(Form::Legacy);
    let held = [Form::Legacy, Form::Modern].map(|form| version_at(application, form, name));
    if !held.contains(&Some(written)) {
        application.breaks(name, &format!("version {written} is lost: the buckets hold {held:?}"));
        application.nothing_broke();
    }
    written
}

/// Every row of the application is there, modern, and shows the newest version of its picture.
#[track_caller]
pub(crate) fn every_row_shows_the_newest(application: &Application) {
    let held = rows(application);
    let known = application.registry.rows().clone();
    assert!(held.keys().eq(known.keys()), "the rows are {held:?}\nand should be {known:?}");
    for (id, path) in held {
        let name = &known[&id].name;
        let newest = newest(application, name);
        let shown = version_at(application, Form::Modern, name);
        if path != Form::Modern.path(name) || shown != Some(newest) {
            application.breaks(name, &format!("row {id} holds {path} and shows {shown:?} instead of {newest}"));
            application.nothing_broke();
        }
    }
    all_or_none(application, None);
}

/// Nothing is left that should have moved, and nothing that the program needed for itself.
#[track_caller]
pub(crate) fn it_is_done(application: &Application, superseded_go: bool) {
    every_row_shows_the_newest(application);
    let named: BTreeSet<String> = application.registry.rows().values().map(|row| row.name.clone()).collect();
    for key in application.s3().keys(LEGACY) {
        let (_, name) = Form::of(&key);
        let [legacy, modern] = [Form::Legacy, Form::Modern].map(|form| version_at(application, form, name));
        // Kept on purpose: the source of a picture that was replaced in production, or deleted there.
        let superseded = legacy != modern && modern.is_some() && !superseded_go;
        let deleted = modern.is_none() && !named.contains(name);
        if !superseded && !deleted {
            application.breaks(name, "the legacy bucket still holds it");
        }
    }
    for name in application.registry.orphans().iter() {
        newest(application, name);
    }
    for name in application.registry.erased() {
        if version_at(application, Form::Modern, &name).is_some() {
            application.breaks(&name, "the application deleted it, and it came back");
        }
    }
    application.nothing_broke();
    let scratch = |bucket| application.s3().keys(bucket).into_iter().filter(|key| key.starts_with(".avatar-migrate/"));
    assert_eq!(scratch(LEGACY).chain(scratch(PRODUCTION)).collect::<Vec<_>>(), [""; 0], "scratch objects are left");
}

/// Rows and journal agree, whatever was killed; and if one transaction moves them (`first` is the first row that is younger
/// than the run), all rows moved that the first pass had planned and checked, or none. Of a run that a rollback has undone
/// that cannot be told from its rows: those that the application changed since stay where they are.
#[track_caller]
pub(crate) fn all_or_none(application: &Application, first: Option<u64>) {
    let (ledger, mut client) = (application.world.ledger(), Client::new(&application.world.database));
    let made = format!(
        "SELECT CAST(1 AS UNSIGNED), TABLE_NAME FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = '{ledger}' AND TABLE_NAME = 'am_part'"
    );
    if client.insist(&made).is_empty() {
        return;
    }
    journal_agrees(application);
    let Some(first) = first else { return };
    let left = format!(
        "SELECT a.id, a.path FROM avatars AS a JOIN `{ledger}`.am_plan AS p ON p.source_key = CAST(a.path AS BINARY) \
         JOIN `{ledger}`.am_object AS o ON o.migration = p.migration AND o.source_key = p.source_key \
         WHERE a.id < {first} AND p.pass = 1 AND o.run = p.run AND o.state = 'verified' \
         AND p.run = (SELECT MAX(id) FROM `{ledger}`.am_run WHERE command = 'copy') \
         AND EXISTS (SELECT 1 FROM `{ledger}`.am_row_change AS j WHERE j.run = p.run AND j.undone_by IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM `{ledger}`.am_row_change AS j WHERE j.run = p.run AND j.undone_by IS NOT NULL)"
    );
    if let Some((id, path)) = client.insist(&left).pop() {
        application.breaks(Form::of(&path).1, &format!("row {id} has not moved with the others: {path}"));
    }
    application.nothing_broke();
}

/// A row that old code wrote and that is modern now has exactly one line in the journal that is not undone and says so; any
/// other row has none that does.
#[track_caller]
fn journal_agrees(application: &Application) {
    let ledger = application.world.ledger();
    let lines = format!(
        "SELECT CAST(CONVERT(row_key USING utf8mb4) AS UNSIGNED), \
                CONVERT(CONCAT(modern_prefix, SUBSTR(old_value, LENGTH(legacy_prefix) + 1)) USING utf8mb4) \
         FROM `{ledger}`.am_row_change JOIN `{ledger}`.am_part USING (run, part) WHERE undone_by IS NULL"
    );
    // Both as they are at one instant: what a killed program sent last may still be carried out.
    let mut client = Client::new(&application.world.database);
    client.insist("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    let (lines, held) = (client.insist(&lines), client.insist("SELECT id, path FROM avatars"));
    let known = application.registry.rows().clone();
    for (id, path) in held {
        let row = &known[&id];
        let said = lines.iter().filter(|(of, value)| *of == id && *value == path).count();
        let moved = row.form == Form::Legacy && path == Form::Modern.path(&row.name);
        if said != usize::from(moved) {
            application.breaks(&row.name, &format!("row {id} holds {path}, and {said} lines of the journal say so"));
        }
    }
    application.nothing_broke();
}

fn rows(application: &Application) -> BTreeMap<u64, String> {
    Client::new(&application.world.database).insist("SELECT id, path FROM avatars").into_iter().collect()
}

fn version_at(application: &Application, form: Form, name: &str) -> Option<u64> {
    let object = application.s3().object(form.bucket(), &form.path(name))?;
    name_and_version(&object.body).filter(|(of, _)| of == name).map(|(_, version)| version)
}
