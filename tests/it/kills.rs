//! Promises 1 and 6 under fire: the program, and the database, are killed at instants drawn by lot through all phases of
//! migrations, while readers and writers of a living application go on. No read fails, and each migration comes to its end.

mod application;
mod client;
mod ending;
mod operator;
mod reader;
mod registry;
mod writer;

use std::sync::atomic::Ordering;

use avatar_migrate_kit::effort::{self, Lot};
use avatar_migrate_kit::{Mariadb, MariadbOptions};

use crate::support::{AVATARS, World};
use application::Application;
use operator::{Operator, PHASES, Tally, Victim};
use registry::Form;
use writer::Writer;

/// Rows at the beginning of a migration, some of them modern already, and old objects that no row names.
const PICTURES: u64 = 60;
const ORPHANS: u64 = 5;

#[test]
fn the_program_is_killed() {
    let figures = rounds("kills", effort::times(40, 1000), Victim::Program, Mariadb::shared);
    for (index, phase) in PHASES.iter().enumerate() {
        assert!(figures[index] > 0, "no kill hit {phase}");
    }
}

#[test]
fn the_database_is_killed() {
    rounds("database_kills", effort::times(10, 200), Victim::Database, || {
        Box::leak(Box::new(Mariadb::start(MariadbOptions::default()).expect("a MariaDB of its own")))
    });
}

/// Migrations, one after the other, until `kills` have hit; gives how many hit each phase.
fn rounds(suite: &str, kills: u64, victim: Victim, mariadb: impl FnOnce() -> &'static Mariadb) -> Vec<u64> {
    let (mut lot, mut tally, mariadb) = (Lot::of(suite), Tally::default(), mariadb());
    let mut figures = vec![("failed_reads", 0), ("rounds", 0), ("reads", 0), ("reads_while_down", 0), ("writes", 0)];
    while tally.all_kills() < kills {
        let application = Application::new(World::on(mariadb));
        fill(&application, &mut lot);
        let (own, undo) = (lot.fork(), figures[1].1 % 2 == 0);
        application.alive(&mut lot, || {
            let left = kills - tally.all_kills();
            Operator::new(&application, own, &mut tally, victim).round(left.min(12), undo);
        });
        application.nothing_broke();
        figures[1].1 += 1;
        for (index, count) in
            [&application.reads, &application.reads_while_down, &application.writes].iter().enumerate()
        {
            figures[index + 2].1 += count.load(Ordering::SeqCst);
        }
    }
    let phases: Vec<u64> = PHASES.iter().map(|phase| tally.kills.get(phase).copied().unwrap_or_default()).collect();
    figures.extend([
        ("kills", tally.all_kills()),
        ("runs_to_their_end", tally.runs),
        ("conflicts_decided", tally.conflicts_decided),
        ("changes_decided", tally.changes_decided),
        ("orphans_decided", tally.orphans_decided),
    ]);
    figures.extend(PHASES.iter().copied().zip(phases.iter().copied()));
    effort::record(suite, &figures);
    let down = figures.iter().any(|(name, count)| *name == "reads_while_down" && *count > 0);
    assert_eq!(down, victim == Victim::Database, "objects are read while, and only while, the database is down");
    phases
}

/// A world at the beginning of its migration.
fn fill(application: &Application, lot: &mut Lot) {
    application.world.sql(AVATARS);
    let mut writer = Writer::new(application, lot.fork());
    for n in 0..PICTURES {
        writer.insert(if n % 10 == 0 { Form::Modern } else { Form::Legacy });
    }
    for _ in 0..ORPHANS {
        writer.upload_old_orphan();
    }
}
