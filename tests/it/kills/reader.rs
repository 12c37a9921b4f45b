//! A reader of the application: a row, the object that it names, and what has to stand in it.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use avatar_migrate_kit::effort::Lot;

use super::application::Application;
use super::client::{Client, Down};
use super::registry::{Floor, Form, name_and_version};

const PAUSE: Duration = Duration::from_millis(1);
/// Rows read last, by which objects are read while the database does not answer.
const REMEMBERED: usize = 30;
/// No row moves more often between two looks.
const MOVES_MAX: usize = 10;

pub(crate) struct Reader<'a> {
    application: &'a Application,
    client: Client,
    lot: Lot,
    remembered: VecDeque<(u64, String)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(application: &'a Application, lot: Lot) -> Self {
        Self { application, client: Client::new(&application.world.database), lot, remembered: VecDeque::new() }
    }

    pub(crate) fn run(&mut self) {
        while !self.application.has_ended() {
            let n = self.lot.draw();
            if let Some((id, row)) = self.application.registry.nth_row(n) {
                // What is finished before the row is read has to be seen through it.
                let floor = self.application.registry.floor(&row.name);
                match self.client.path_of(id) {
                    Ok(Some(path)) => {
                        let floor = if Form::of(&path).1 == row.name { floor } else { Floor::default() };
                        self.read(id, path, floor);
                    }
                    Ok(None) => {}
                    Err(Down) => self.read_remembered(),
                }
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn read(&mut self, id: u64, path: String, floor: Floor) {
        self.application.reads.fetch_add(1, Ordering::Relaxed);
        if let Some(found) = self.get(&path) {
            self.compare(id, &path, floor, &found);
            self.remembered.push_back((id, path));
            if self.remembered.len() > REMEMBERED {
                self.remembered.pop_front();
            }
        } else {
            self.follow(id, path);
        }
    }

    /// The object was not there: only a row that names another place by now, or is gone, explains that.
    fn follow(&mut self, id: u64, mut path: String) {
        for _ in 0..MOVES_MAX {
            let Some((_, now)) = self.client.insist(&format!("SELECT id, path FROM avatars WHERE id = {id}")).pop()
            else {
                return;
            };
            if now == path {
                return self.is_broken(id, &path, "names an object that is not there");
            }
            if let Some(found) = self.get(&now) {
                return self.compare(id, &now, Floor::default(), &found);
            }
            path = now;
        }
        self.is_broken(id, &path, "names another missing object each time");
    }

    /// The database is down, but pages are still shown: by rows that were read before.
    fn read_remembered(&mut self) {
        let drawn = usize::try_from(self.lot.below(REMEMBERED as u64)).expect("small");
        let Some((id, path)) = self.remembered.get(drawn).cloned() else { return };
        self.application.reads_while_down.fetch_add(1, Ordering::Relaxed);
        match self.get(&path) {
            Some(found) => self.compare(id, &path, Floor::default(), &found),
            None => self.follow(id, path),
        }
    }

    fn get(&self, path: &str) -> Option<Vec<u8>> {
        let object = self.application.s3().object(Form::of(path).0.bucket(), path);
        object.map(|object| object.body.to_vec())
    }

    fn compare(&self, id: u64, path: &str, floor: Floor, found: &[u8]) {
        let (form, name) = Form::of(path);
        match name_and_version(found) {
            Some((of, _)) if of != name => self.is_broken(id, path, &format!("leads to the picture {of}")),
            Some((_, version)) if version < floor.of(form) => {
                self.is_broken(id, path, &format!("leads to version {version}, older than {floor:?}"));
            }
            Some(_) => {}
            None => self.is_broken(id, path, "leads to bytes that nobody wrote"),
        }
    }

    fn is_broken(&self, id: u64, path: &str, how: &str) {
        self.application.breaks(Form::of(path).1, &format!("row {id}, path {path}: {how}"));
    }
}
