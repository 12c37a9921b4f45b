//! The operator: runs the program, kills it, runs it again, and at the end brings everything to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use avatar_migrate_kit::effort::Lot;

use super::application::{Application, Writing};
use super::client::Client;
use super::ending;
use super::registry::{Form, LEGACY, bytes};
use super::writer::Writer;
use crate::process::{Gate, Running, until};
use crate::support::Ended;

/// S3's operations, at one of which a run may be killed.
const OPERATIONS: [&str; 7] =
    ["ListObjectsV2", "HeadObject", "GetObject", "PutObject", "CopyObject", "DeleteObject", "DeleteObjects"];

/// What a command usually takes: the last run that was not killed.
struct Usual {
    length: Duration,
    requests: Vec<(&'static str, u64)>,
}

impl Default for Usual {
    fn default() -> Self {
        let requests = vec![("ListObjectsV2", 4), ("PutObject", 2), ("CopyObject", 30)];
        Self { length: Duration::from_millis(700), requests }
    }
}

/// What was done, over all rounds.
#[derive(Default)]
pub(crate) struct Tally {
    /// Kills that hit, by phase.
    pub(crate) kills: BTreeMap<&'static str, u64>,
    pub(crate) runs: u64,
    /// Objects of which a person had to say which of two contents to keep: before their rows moved, and after it.
    pub(crate) conflicts_decided: u64,
    pub(crate) changes_decided: u64,
    /// Orphans that a person had to delete, as production holds other bytes under their names.
    pub(crate) orphans_decided: u64,
    usual: BTreeMap<String, Usual>,
}

impl Tally {
    pub(crate) fn all_kills(&self) -> u64 {
        self.kills.values().sum()
    }
}

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    Program,
    Database,
}

/// At which instant.
#[derive(Clone, Copy, Debug)]
enum Instants {
    /// After a time that is drawn.
    Time(Duration),
    /// At the n-th request of an operation, which is carried out all the same.
    Request(&'static str, u64),
    /// While the transaction that moves rows waits for a row lock.
    Transaction,
    /// At the request that deletes sources.
    Deletes,
}

pub(crate) struct Operator<'a> {
    application: &'a Application,
    lot: Lot,
    tally: &'a mut Tally,
    victim: Victim,
    /// Settings of this round.
    settings: Vec<&'static str>,
    superseded_go: bool,
    /// Rows from this one on were written after the present run began.
    first_row_of_the_run: u64,
}

impl<'a> Operator<'a> {
    pub(crate) fn new(application: &'a Application, lot: Lot, tally: &'a mut Tally, victim: Victim) -> Self {
        let mut operator = Self {
            application,
            lot,
            tally,
            victim,
            settings: Vec::new(),
            superseded_go: false,
            first_row_of_the_run: 0,
        };
        operator.superseded_go = operator.lot.below(2) == 0;
        if operator.lot.below(4) == 0 {
            operator.settings.extend(["--transaction-rows", "7"]);
        }
        if operator.lot.below(4) == 0 {
            operator.settings.extend(["--method", "stream"]);
        }
        operator
    }

    /// One migration with kills in all its phases; with `undo` it is rolled back once on its way.
    pub(crate) fn round(&mut self, kills: u64, undo: bool) {
        self.application.roll_out(Writing::OldAndNew { undo });
        for _ in 0..kills / 3 {
            self.kill_anywhere("copy");
        }
        self.kill("copy", Instants::Transaction);
        self.kill_anywhere("verify");
        if undo {
            self.run("copy", &[0, 3]);
            self.kill("rollback", Instants::Transaction);
            let nth = 1 + self.lot.below(3);
            self.kill("rollback", Instants::Request("ListObjectsV2", nth));
            self.kill_anywhere("copy");
        }
        self.application.roll_out(Writing::New { stragglers: false });
        self.run("copy", &[0, 3]);
        self.settle();
        self.application.roll_out(Writing::New { stragglers: false });
        self.kill("finalize", Instants::Deletes);
        self.application.roll_out(Writing::New { stragglers: self.lot.below(2) == 0 });
        for _ in 0..kills / 3 {
            self.kill_anywhere("finalize");
            self.run("copy", &[0, 3]);
        }
        self.kill_anywhere("verify");
        self.settle();
        self.finish();
    }

    /// With nobody writing, everything is brought to a clean end but for the deletes.
    fn settle(&mut self) {
        self.application.roll_out(Writing::Nothing);
        let ended = [self.run("copy", &[0, 3]), self.run("verify", &[0, 3])];
        if self.decide() {
            self.run("copy", &[0]);
            self.run("verify", &[0]);
        } else {
            assert_eq!(ended, [0, 0], "copy and verify found something, but nothing that a person could decide");
        }
        ending::every_row_shows_the_newest(self.application);
        self.application.registry.all_is_visible();
    }

    /// What a person does about contents of which the program may not choose one: the newest is kept, and a source that
    /// no row names goes where production holds something else. Says whether anything was to decide.
    fn decide(&mut self) -> bool {
        let report = self.application.world.report("verify.csv");
        let (mut decided, mut orphans) = (BTreeSet::new(), false);
        for line in &report {
            let (_, name) = Form::of(&line["source_key"]);
            let differs = !line["source_etag"].is_empty() && !line["target_etag"].is_empty() && line["proof"] == "none";
            if ["conflict", "source_changed", "mismatch"].contains(&line["status"].as_str()) {
                if decided.insert(name) {
                    self.keep_the_newest(name);
                    let conflict = line["status"] == "conflict";
                    self.tally.conflicts_decided += u64::from(conflict);
                    self.tally.changes_decided += u64::from(!conflict);
                }
            } else if line["status"] == "orphan" && differs {
                self.application.registry.note(name, "decided: the orphan goes");
                self.application.s3().remove(LEGACY, &line["source_key"]);
                self.tally.orphans_decided += 1;
                orphans = true;
            }
        }
        !decided.is_empty() || orphans
    }

    fn keep_the_newest(&self, name: &str) {
        let newest = ending::newest(self.application, name);
        self.application.registry.note(name, &format!("decided: {newest} is kept"));
        for form in [Form::Legacy, Form::Modern] {
            self.application.s3().put(form.bucket(), &form.path(name), bytes(name, newest));
        }
    }

    fn finish(&mut self) {
        self.run("finalize", &[0]);
        ending::it_is_done(self.application, self.superseded_go);
        self.application.nothing_broke();
    }

    /// Runs a command to its end while the application goes on.
    fn run(&mut self, command: &str, allowed: &[i32]) -> i32 {
        self.application.s3().reset_requests();
        let (begun, ended) = (Instant::now(), self.start(command).ended());
        let counted = self.application.s3().requests();
        let requests = OPERATIONS.iter().filter_map(|name| Some((*name, *counted.get(*name)?))).collect();
        self.tally.usual.insert(command.to_owned(), Usual { length: begun.elapsed(), requests });
        let code = ended.code;
        self.ended(command, ended, allowed);
        code
    }

    fn ended(&mut self, command: &str, ended: Ended, allowed: &[i32]) {
        self.tally.runs += 1;
        self.application.registry.event(&format!("{command} exits {}", ended.code));
        self.application.nothing_broke();
        assert!(allowed.contains(&ended.code), "{command}: {}\n{}\n{}", ended.code, ended.stdout, ended.stderr);
    }

    fn start(&mut self, command: &str) -> Running {
        self.application.registry.event(&format!("{command} starts"));
        self.first_row_of_the_run = self.application.registry.number();
        let mut arguments = vec![command];
        arguments.extend(&self.settings);
        match command {
            "verify" => arguments.extend(["--report", "verify.csv"]),
            "rollback" => arguments.push("--yes"),
            "finalize" => {
                arguments.extend(["--yes", "--orphans", "copy", "--report", "final.csv", "--orphan-min-age"]);
                // With nobody writing no upload is on its way to its row.
                let quiet = self.application.is_quiet();
                arguments.push(if quiet { "0s" } else { "10m" });
                if self.superseded_go {
                    arguments.push("--delete-superseded");
                }
            }
            _ => {}
        }
        self.application.world.start(&arguments)
    }

    fn kill_anywhere(&mut self, command: &str) {
        let usual = self.tally.usual.entry(command.to_owned()).or_default();
        let instant = if self.lot.below(2) == 0 || usual.requests.is_empty() {
            let length = u64::try_from(usual.length.as_micros()).expect("short");
            Instants::Time(Duration::from_micros(self.lot.below(length)))
        } else {
            let drawn = usize::try_from(self.lot.below(usual.requests.len() as u64)).expect("small");
            let (operation, count) = usual.requests[drawn];
            Instants::Request(operation, 1 + self.lot.below(count))
        };
        self.kill(command, instant);
    }

    /// Starts a command and kills at the instant, if it comes.
    fn kill(&mut self, command: &str, instant: Instants) {
        match instant {
            Instants::Time(after) => {
                let (begun, mut running) = (Instant::now(), self.start(command));
                while begun.elapsed() < after && !running.has_ended() {
                    std::thread::sleep(after.saturating_sub(begun.elapsed()).min(Duration::from_millis(2)));
                }
                self.strike(command, command, running, || ());
            }
            Instants::Request(operation, n) => {
                let gate = Gate::nth(self.application.s3(), operation, n);
                self.strike_at(command, command, &instant, gate);
            }
            Instants::Deletes => {
                let manifest = self.application.world.directory.path().join("final.manifest.csv");
                drop(std::fs::remove_file(&manifest));
                let deletes = move |request: &avatar_migrate_kit::RequestSeen| {
                    request.operation.starts_with("DeleteObject") && manifest.exists()
                };
                let gate = Gate::at(self.application.s3(), deletes);
                self.strike_at(command, "deletes", &instant, gate);
            }
            Instants::Transaction => self.kill_in_transaction(command),
        }
    }

    fn strike_at(&mut self, command: &str, phase: &str, instant: &Instants, gate: Gate) {
        let mut running = self.start(command);
        if gate.wait_or_end(&mut running) {
            self.application.registry.event(&format!("at {instant:?}"));
        }
        self.strike(command, phase, running, || gate.open());
        self.application.s3().no_faults();
    }

    /// A row that moves is locked, until the transaction waits for it.
    fn kill_in_transaction(&mut self, command: &str) {
        let mut client = Client::new(&self.application.world.database);
        let id = if command == "copy" {
            Writer::new(self.application, self.lot.fork()).insert(Form::Legacy);
            "SELECT id, path FROM avatars WHERE path LIKE 'image/%' LIMIT 1 FOR UPDATE"
        } else {
            "SELECT a.id, a.path FROM avatars AS a WHERE a.path LIKE 'avatar/%' AND EXISTS (SELECT 1 FROM {ledger}.am_row_change \
             AS j WHERE j.row_key = a.id AND j.undone_by IS NULL AND j.old_value = REPLACE(a.path, 'avatar/', 'image/')) LIMIT 1 \
             FOR UPDATE"
        };
        let sql = id.replace("{ledger}", &format!("`{}`", self.application.world.ledger()));
        client.insist("START TRANSACTION");
        if client.insist(&sql).is_empty() {
            return;
        }
        // Not innodb_trx: that is a cache, which frequent readers keep from being renewed.
        let waits = format!(
            "SELECT CAST(id AS UNSIGNED), info FROM information_schema.processlist \
             WHERE id <> CONNECTION_ID() AND info LIKE '%{}%FOR UPDATE' AND time_ms > 30",
            self.application.world.ledger()
        );
        let mut running = self.start(command);
        let mut watcher = Client::new(&self.application.world.database);
        let mut waiting = false;
        until("the transaction waits or the program ends", || {
            waiting = !watcher.insist(&waits).is_empty();
            waiting || running.has_ended()
        });
        let phase = if command == "copy" { "cutover" } else { "rollback_cutover" };
        self.strike(command, if waiting { phase } else { command }, running, || drop(client));
    }

    /// The kill itself, and what has to hold right after it. What was held up to bring the instant about is let go
    /// in between: a request is carried out after its sender's death.
    fn strike(&mut self, command: &str, phase: &str, running: Running, let_go: impl FnOnce()) {
        let allowed: &[i32] = if command == "finalize" || command == "rollback" { &[0, 3, 4] } else { &[0, 3] };
        let first = self.first_row_of_the_run;
        let hit = match self.victim {
            Victim::Program => {
                let ended = running.kill_unless_ended();
                let_go();
                let hit = ended.is_none();
                ended.into_iter().for_each(|ended| self.ended(command, ended, allowed));
                hit
            }
            Victim::Database => self.strike_database(command, running, let_go),
        };
        if hit {
            let phase = PHASES.iter().find(|known| **known == phase).expect("a phase");
            *self.tally.kills.entry(phase).or_default() += 1;
            self.application.registry.event(&format!("killed in {phase}"));
            let whole = !self.settings.contains(&"--transaction-rows");
            self.application.while_nobody_writes(|| ending::all_or_none(self.application, whole.then_some(first)));
        }
        self.application.nothing_broke();
    }

    fn strike_database(&mut self, command: &str, mut running: Running, let_go: impl FnOnce()) -> bool {
        let hit = !running.has_ended();
        let mariadb = self.application.world.database.mariadb();
        mariadb.kill_hard().expect("mariadbd is killed");
        std::thread::sleep(Duration::from_millis(self.lot.below(200)));
        let_go();
        mariadb.restart().expect("mariadbd starts again");
        self.application.registry.event("the database was killed");
        let ended = running.ended();
        // At its first step a run is told that the settings may be wrong.
        let at_the_door = ended.code == 2 && ended.stderr.contains("failed to connect to MariaDB");
        self.ended(command, ended, if at_the_door { &[2] } else { &[0, 1, 3, 4] });
        hit
    }
}

/// Where kills hit: each has to be hit at least once.
pub(crate) const PHASES: [&str; 7] =
    ["copy", "cutover", "rollback", "rollback_cutover", "verify", "finalize", "deletes"];
