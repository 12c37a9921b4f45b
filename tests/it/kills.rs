//! Promises 1 and 6 under fire: the program, and the database, are killed at instants drawn by lot through all phases of
//! migrations, while readers and writers of a living application go on. No read fails, and each migration comes to its end.

mod application;
mod client;
mod ending;
mod operator;
mod reader;
mod registry;
mod writer;

use std::collections::BTreeMap;
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

/// What was done, by name.
type Figures = BTreeMap<&'static str, u64>;

#[test]
fn the_program_is_killed() {
    let figures = rounds("kills", effort::times(40, 1000), Victim::Program, Mariadb::shared);
    for phase in PHASES {
        assert!(figures.contains_key(phase), "no kill hit {phase}");
    }
}

#[test]
fn the_database_is_killed() {
    rounds("database_kills", effort::times(10, 200), Victim::Database, || {
        Box::leak(Box::new(Mariadb::start(MariadbOptions::default()).expect("a MariaDB of its own")))
    });
}

/// Migrations until `kills` have hit; those of `make deep` on several sides at once, as they wait most of the time.
fn rounds(suite: &str, kills: u64, victim: Victim, mariadb: impl Fn() -> &'static Mariadb + Sync) -> Figures {
    let (mut lot, sides) = (Lot::of(suite), effort::times(1, 3));
    let lots: Vec<Lot> = (0..sides).map(|_| lot.fork()).collect();
    let mut figures = Figures::from([("failed_reads", 0)]);
    std::thread::scope(|scope| {
        let side = |lot| scope.spawn(|| side(kills.div_ceil(sides), victim, mariadb(), lot));
        let sides: Vec<_> = lots.into_iter().map(side).collect();
        for done in sides {
            for (name, count) in done.join().expect("a side whose promises held") {
                *figures.entry(name).or_default() += count;
            }
        }
    });
    effort::record(suite, &figures.clone().into_iter().collect::<Vec<_>>());
    let down = figures.get("reads_while_down").is_some_and(|count| *count > 0);
    assert_eq!(down, victim == Victim::Database, "objects are read while, and only while, the database is down");
    figures
}

/// Migrations, one after the other, until `kills` have hit.
fn side(kills: u64, victim: Victim, mariadb: &'static Mariadb, mut lot: Lot) -> Figures {
    let (mut tally, mut rounds) = (Tally::default(), 0);
    let (mut reads, mut reads_while_down, mut writes) = (0, 0, 0);
    while tally.all_kills() < kills {
        let application = Application::new(World::on(mariadb));
        fill(&application, &mut lot);
        let (own, undo) = (lot.fork(), rounds % 2 == 0);
        application.alive(&mut lot, || {
            let left = kills - tally.all_kills();
            Operator::new(&application, own, &mut tally, victim).round(left.min(12), undo);
        });
        application.nothing_broke();
        rounds += 1;
        reads += application.reads.load(Ordering::SeqCst);
        reads_while_down += application.reads_while_down.load(Ordering::SeqCst);
        writes += application.writes.load(Ordering::SeqCst);
    }
    let mut figures = Figures::from([
        ("rounds", rounds),
        ("reads", reads),
        ("reads_while_down", reads_while_down),
        ("writes", writes),
        ("kills", tally.all_kills()),
        ("runs_to_their_end", tally.runs),
        ("conflicts_decided", tally.conflicts_decided),
        ("changes_decided", tally.changes_decided),
        ("orphans_decided", tally.orphans_decided),
    ]);
    figures.extend(tally.kills);
    figures
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
