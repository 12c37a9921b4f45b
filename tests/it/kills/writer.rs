//! A writer of the application, old code and new: each write keeps the contract that stands in `application.rs`.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use avatar_migrate_kit::ObjectHeaders;
use avatar_migrate_kit::effort::Lot;

use super::application::{Application, Writing};
use super::client::Client;
use super::registry::{Form, LEGACY, Row, bytes};

const PAUSE: Duration = Duration::from_millis(20);
const DAWDLING: Duration = Duration::from_millis(400);
/// Between these the number of rows stays.
const ROWS: std::ops::Range<usize> = 50..110;

pub(crate) struct Writer<'a> {
    application: &'a Application,
    client: Client,
    lot: Lot,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(application: &'a Application, lot: Lot) -> Self {
        Self { application, client: Client::new(&application.world.database), lot }
    }

    pub(crate) fn run(&mut self) {
        while !self.application.has_ended() {
            self.application.while_writing(|writing| self.write(writing));
            std::thread::sleep(PAUSE);
        }
    }

    fn write(&mut self, writing: Writing) {
        let (old, undo) = match writing {
            Writing::Nothing => return,
            Writing::OldAndNew { undo } => (true, undo),
            Writing::New { .. } => (false, false),
        };
        let rows = self.application.registry.rows().len();
        // Legacy rows are few: a run of copy follows them for as long as there are new ones.
        let (legacy, stragglers) = (old && self.lot.below(8) == 0, writing == Writing::New { stragglers: true });
        let form = if legacy || (stragglers && self.lot.below(20) == 0) { Form::Legacy } else { Form::Modern };
        match self.lot.below(16) {
            _ if rows < ROWS.start => self.insert(form),
            _ if rows >= ROWS.end => self.delete(),
            0 | 1 => self.insert(form),
            _ if stragglers && form == Form::Legacy => self.insert_after(form, DAWDLING),
            2 if legacy => self.share(),
            2 | 3 if old || form == Form::Modern => self.rename(form),
            4 | 5 => self.delete(),
            _ => self.overwrite(undo),
        }
        self.application.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// A new picture: the upload first, then the row.
    pub(crate) fn insert(&mut self, form: Form) {
        self.insert_after(form, Duration::ZERO);
    }

    /// Old code takes its time between the two: meanwhile the object is an orphan.
    fn insert_after(&mut self, form: Form, time: Duration) {
        let registry = &self.application.registry;
        let (id, row) = (registry.number(), self.upload_new(form));
        std::thread::sleep(time);
        let lock = registry.lock_of(&row.name);
        let _held = lock.lock().expect("a picture");
        self.set_row(id, &row);
    }

    /// An object that no row names, older than the least age of an orphan.
    pub(crate) fn upload_old_orphan(&self) {
        let number = self.application.registry.number();
        let name = format!("avatar-{number}.png");
        let path = Form::Legacy.path(&name);
        self.application.s3().put_with(LEGACY, &path, bytes(&name, number), ObjectHeaders::default(), |object| {
            object.last_modified -= Duration::from_secs(2 * 3600);
        });
        self.application.registry.written(&name, number, true);
        self.application.registry.orphans().push(name);
    }

    /// Another row for the picture of a row.
    fn share(&mut self) {
        self.holding_a_picture(|writer, _, name| {
            let Some(path) = writer.paths_of(name).pop_first() else { return };
            let id = writer.application.registry.number();
            let (form, _) = Form::of(&path);
            writer.application.registry.note(name, &format!("row {id} names {path}, too"));
            writer.set_row(id, &Row { name: name.to_owned(), form });
        });
    }

    /// A new version in place: wherever rows point, and again where they point by then. With `undo` a row that names
    /// production alone gets a new name instead.
    fn overwrite(&mut self, undo: bool) {
        self.holding_a_picture(|writer, id, name| {
            let version = writer.application.registry.number();
            let mut written = BTreeSet::new();
            loop {
                let places = writer.paths_of(name);
                if undo && written.is_empty() && !places.contains(&Form::Legacy.path(name)) {
                    return writer.replace(id, name, Form::Modern);
                }
                let fresh: Vec<&String> = places.difference(&written).collect();
                if fresh.is_empty() {
                    break;
                }
                for path in fresh {
                    writer.put(name, Form::of(path).0, version);
                }
                written.extend(places);
            }
            writer.application.registry.written(name, version, written.contains(&Form::Modern.path(name)));
        });
    }

    /// A row gets another picture, under a new name.
    fn rename(&mut self, form: Form) {
        self.holding_a_picture(|writer, id, name| writer.replace(id, name, form));
    }

    fn replace(&mut self, id: u64, old: &str, form: Form) {
        let row = self.upload_new(form);
        let lock = self.application.registry.lock_of(&row.name);
        let _held = lock.lock().expect("a picture");
        self.set_row(id, &row);
        self.application.registry.note(old, &format!("row {id} names {} now", row.name));
        // Old code leaves the objects of former pictures lying about.
        if self.lot.below(2) == 0 {
            self.remove_if_unnamed(old, None);
        }
    }

    /// A row goes, then its object if no other row names it.
    fn delete(&mut self) {
        self.holding_a_picture(|writer, id, name| {
            let gone = writer.client.insist(&format!("DELETE FROM avatars WHERE id = {id} RETURNING id, path"));
            writer.application.registry.rows().remove(&id);
            writer.application.registry.note(name, &format!("deleted: {gone:?}"));
            writer.remove_if_unnamed(name, gone.first().map(|(_, path)| Form::of(path).0));
        });
    }

    /// From where its last row led, or from both buckets.
    fn remove_if_unnamed(&mut self, name: &str, led: Option<Form>) {
        if !self.paths_of(name).is_empty() {
            return;
        }
        let both = self.lot.below(2) == 0;
        for form in [Form::Legacy, Form::Modern] {
            if both || led.is_none_or(|led| led == form) {
                let was_there = self.application.s3().remove(form.bucket(), &form.path(name));
                self.application.registry.note(name, &format!("removed from {} (there: {was_there})", form.bucket()));
            }
        }
        if led == Some(Form::Modern) {
            self.application.registry.erase(name);
        }
    }

    /// Draws a row and does something while no other writer deals with its picture.
    fn holding_a_picture(&mut self, act: impl FnOnce(&mut Self, u64, &str)) {
        let n = self.lot.draw();
        let Some((id, row)) = self.application.registry.nth_row(n) else { return };
        let lock = self.application.registry.lock_of(&row.name);
        let _held = lock.lock().expect("a picture");
        // Another writer may have been quicker.
        let still = self.application.registry.rows().get(&id).is_some_and(|now| now.name == row.name);
        if still {
            act(self, id, &row.name);
        }
    }

    fn upload_new(&self, form: Form) -> Row {
        let registry = &self.application.registry;
        let (name, version) = (format!("avatar-{}.png", registry.number()), registry.number());
        self.put(&name, form, version);
        registry.written(&name, version, true);
        Row { name, form }
    }

    fn put(&self, name: &str, form: Form, version: u64) {
        self.application.s3().put(form.bucket(), &form.path(name), bytes(name, version));
        self.application.registry.note(name, &format!("version {version} to {}", form.bucket()));
    }

    /// Said twice, after a lost answer, it does no harm.
    fn set_row(&mut self, id: u64, row: &Row) {
        let path = row.form.path(&row.name);
        let sql =
            format!("INSERT INTO avatars (id, path) VALUES ({id}, '{path}') ON DUPLICATE KEY UPDATE path = '{path}'");
        // Before the statement: a reader may meet the row at once, and finds it by what stands here.
        self.application.registry.rows().insert(id, row.clone());
        self.client.insist(&sql);
        self.application.registry.note(&row.name, &format!("row {id} written: {path}"));
    }

    /// The paths by which rows name a picture.
    fn paths_of(&mut self, name: &str) -> BTreeSet<String> {
        let [legacy, modern] = [Form::Legacy, Form::Modern].map(|form| form.path(name));
        let sql = format!("SELECT id, path FROM avatars WHERE path IN ('{legacy}', '{modern}')");
        self.client.insist(&sql).into_iter().map(|(_, path)| path).collect()
    }
}
