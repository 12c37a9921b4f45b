//! Every single command that the program sends to MariaDB goes wrong once, in every way; the next run puts all right.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use avatar_migrate_kit::{CommandKind, CommandSeen, DatabaseFault, FaultProxy, effort};

use super::{journal_agrees, run};
use crate::support::World;

/// Faults that can meet any command.
const ANYWHERE: [DatabaseFault; 3] =
    [DatabaseFault::CutBefore, DatabaseFault::AnswerLost, DatabaseFault::AnswerTruncated];
/// And those of a transaction.
const INSIDE: [DatabaseFault; 2] = [DatabaseFault::Error(1205), DatabaseFault::Error(1213)];
const ROWS: usize = 3;

/// A command to the database: the so-manieth of its kind and text in a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Point {
    kind: CommandKind,
    sql: String,
    occurrence: u64,
    in_transaction: bool,
}

impl Point {
    /// The pool may or may not need another connection, on which statements are prepared anew; and the heart beats when it
    /// is time. Whatever runs a statement has to come.
    fn may_stay_away(&self) -> bool {
        let beats = self.sql.contains("SET heartbeat_at") || self.sql.contains("CAST(IS_USED_LOCK");
        let prepares = self.kind == CommandKind::Prepare && !self.in_transaction;
        prepares
            || matches!(self.kind, CommandKind::Login | CommandKind::Other)
            || self.sql.starts_with("SET ")
            || beats
    }
}

/// Tells which point a command is.
#[derive(Default)]
struct Counter(BTreeMap<(CommandKind, String), u64>);

impl Counter {
    fn point(&mut self, seen: &CommandSeen) -> Point {
        let occurrence = self.0.entry((seen.kind, seen.sql.clone())).or_default();
        *occurrence += 1;
        let (kind, sql, occurrence) = (seen.kind, seen.sql.clone(), *occurrence);
        Point { kind, sql, occurrence, in_transaction: seen.in_transaction }
    }
}

/// A command of the program, and what the world is like before and after it.
struct Subject {
    name: &'static str,
    arguments: &'static [&'static str],
    before: fn(&World),
    after: fn(&World),
}

/// Two objects, one of which two rows name; and one that no row names.
fn world() -> World {
    let world = World::new();
    world.rows(&["image/avatar-0.png", "image/avatar-1.png", "image/avatar-1.png"]);
    sources(&world);
    world
}

fn sources(world: &World) {
    world.source("image/avatar-0.png");
    world.source("image/avatar-1.png");
}

fn modern(world: &World) -> usize {
    world.paths().iter().filter(|path| path.starts_with("avatar/")).count()
}

/// As before a first copy.
fn legacy(world: &World) {
    world.drop_ledger();
    world.sql("UPDATE avatars SET path = CONCAT('image/', SUBSTR(path, 8)) WHERE path LIKE 'avatar/%'");
    for key in world.s3.keys("production-s3") {
        world.s3.remove("production-s3", &key);
    }
}

/// As after a copy.
fn copied(world: &World) {
    if world.s3.keys("production-s3").is_empty() {
        world.run(&["copy"]).exits(0);
    }
    world.sql("UPDATE avatars SET path = CONCAT('avatar/', SUBSTR(path, 7)) WHERE path LIKE 'image/%'");
    world.sql(&format!("UPDATE `{}`.am_row_change SET undone_by = NULL", world.ledger()));
    sources(world);
}

/// As after a copy, with an orphan.
fn copied_with_orphan(world: &World) {
    copied(world);
    world.source("image/avatar-orphan.png");
    world.s3.remove("production-s3", "avatar/avatar-orphan.png");
    // Else it would be a picture that the application has deleted.
    world.sql(&format!("DELETE FROM `{}`.am_object WHERE source_key LIKE '%orphan%'", world.ledger()));
}

/// The pictures that one of the buckets holds, by the last part of their keys.
fn pictures(world: &World) -> BTreeSet<String> {
    let keys = [world.s3.keys("legacy-s3"), world.s3.keys("production-s3")].concat();
    keys.iter().filter_map(|key| key.rsplit_once("/avatar-").map(|(_, name)| name.to_owned())).collect()
}

fn all_moved(world: &World) {
    assert_eq!(modern(world), ROWS);
    assert_eq!(world.s3.keys("production-s3"), ["avatar/avatar-0.png", "avatar/avatar-1.png"]);
}

fn all_gone(world: &World) {
    assert_eq!(modern(world), ROWS);
    assert_eq!(world.s3.keys("legacy-s3"), [""; 0]);
    let keys = ["avatar/avatar-0.png", "avatar/avatar-1.png", "avatar/avatar-orphan.png"];
    assert_eq!(world.s3.keys("production-s3"), keys);
}

fn all_back(world: &World) {
    assert_eq!(modern(world), 0);
}

/// What a subject met.
#[derive(Default)]
struct Figures {
    faults: u64,
    recovered: u64,
    stayed_away: u64,
}

impl Subject {
    /// Each fault, or in the landing gate as many as are drawn; then the command again, after which all is as it should be.
    fn under_fire(&self) {
        let world = world();
        let proxy = FaultProxy::before(&world.database).expect("a proxy");
        let mut points = self.clean_run(&world, &proxy);
        let again = self.clean_run(&world, &proxy);
        points.retain(|point| again.contains(point));
        let commands = points.len() as u64;
        let mut figures = Figures::default();
        for (point, fault) in self.drawn(with_faults(points)) {
            self.one_fault(&world, &proxy, (&point, &fault), &mut figures);
        }
        let Figures { faults, recovered, stayed_away } = figures;
        assert!(stayed_away <= faults / 4, "{stayed_away} points of fire were never met, {faults} were");
        let suite = format!("database_faults_{}", self.name);
        effort::record(&suite, &[("commands", commands), ("faults", faults), ("recovered", recovered)]);
    }

    /// The commands of a run to which nothing happens.
    fn clean_run(&self, world: &World, proxy: &FaultProxy) -> Vec<Point> {
        (self.before)(world);
        let seen = Arc::new(Mutex::new((Counter::default(), Vec::new())));
        let noting = Arc::clone(&seen);
        proxy.on_command(move |command| {
            let (counter, points) = &mut *noting.lock().expect("a lock");
            points.push(counter.point(command));
            DatabaseFault::None
        });
        run(world, proxy, self.arguments).exits(0);
        (self.after)(world);
        let points = seen.lock().expect("a lock").1.clone();
        assert!(points.len() > 20, "only {} commands", points.len());
        points
    }

    fn drawn(&self, points: Vec<(Point, DatabaseFault)>) -> Vec<(Point, DatabaseFault)> {
        let mut lot = effort::Lot::of(&format!("database_faults_{}", self.name));
        let mut shuffled: Vec<(u64, _)> = points.into_iter().map(|point| (lot.draw(), point)).collect();
        shuffled.sort_by_key(|(drawn, _)| *drawn);
        let wanted = usize::try_from(effort::times(20, 150)).unwrap_or(usize::MAX);
        shuffled.into_iter().take(wanted).map(|(_, point)| point).collect()
    }

    /// One fault, and the run after it.
    fn one_fault(
        &self,
        world: &World,
        proxy: &FaultProxy,
        (point, fault): (&Point, &DatabaseFault),
        figures: &mut Figures,
    ) {
        (self.before)(world);
        let pictures_before = pictures(world);
        let met = Arc::new(Mutex::new((Counter::default(), None)));
        let (meeting, wanted, now) = (Arc::clone(&met), point.clone(), fault.clone());
        proxy.on_command(move |seen| {
            let (counter, met) = &mut *meeting.lock().expect("a lock");
            let point = counter.point(seen);
            if met.is_some() || point != wanted {
                return DatabaseFault::None;
            }
            *met = Some(point);
            now.clone()
        });
        let ended = run(world, proxy, self.arguments);
        proxy.no_faults();
        let what = format!("{} {fault:?} at {point:?}\n{}", self.name, ended.stderr);
        if met.lock().expect("a lock").1.is_none() {
            assert!(point.may_stay_away(), "nothing was met: {what}");
            figures.stayed_away += 1;
            return;
        }
        assert!([0, 1, 2].contains(&ended.code), "exit code {}: {what}", ended.code);
        assert!(!ended.stderr.contains("panicked"), "{what}");
        // Inside a transaction, the run recovers by itself.
        assert!(!point.in_transaction || ended.code == 0, "exit code {}: {what}", ended.code);
        let moved = modern(world);
        assert!(moved == 0 || moved == ROWS, "a half moved: {what}");
        // A run that could not begin has no ledger.
        if world.s3.keys("production-s3").iter().any(|key| key.starts_with("avatar/")) {
            journal_agrees(world);
        }
        world.every_row_resolves();
        assert_eq!(pictures(world), pictures_before, "a picture is lost: {what}");
        let again = world.run(self.arguments);
        assert_eq!(again.code, 0, "the run after it: {}\n{what}", again.stderr);
        (self.after)(world);
        journal_agrees(world);
        figures.faults += 1;
        figures.recovered += u64::from(ended.code == 0);
    }
}

/// All faults at all commands.
fn with_faults(points: Vec<Point>) -> Vec<(Point, DatabaseFault)> {
    let faults = |point: &Point| match point.in_transaction && point.kind != CommandKind::Other {
        true => [&ANYWHERE[..], &INSIDE].concat(),
        false => ANYWHERE.to_vec(),
    };
    points.into_iter().flat_map(|point| faults(&point).into_iter().map(move |fault| (point.clone(), fault))).collect()
}

#[test]
fn each_command_of_copy_fails_once() {
    Subject { name: "copy", arguments: &["copy"], before: legacy, after: all_moved }.under_fire();
}

#[test]
fn each_command_of_verify_fails_once() {
    let arguments = &["verify", "--report", "out.csv"];
    Subject { name: "verify", arguments, before: copied, after: all_moved }.under_fire();
}

#[test]
fn each_command_of_finalize_fails_once() {
    let arguments = &["finalize", "--yes", "--orphans", "copy", "--orphan-min-age", "0s", "--report", "final.csv"];
    Subject { name: "finalize", arguments, before: copied_with_orphan, after: all_gone }.under_fire();
}

#[test]
fn each_command_of_rollback_fails_once() {
    Subject { name: "rollback", arguments: &["rollback", "--yes"], before: copied, after: all_back }.under_fire();
}
