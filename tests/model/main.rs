//! The protocol of avatarMigrate as an executable model: no interleaving of program, application, readers, crashes and a second
//! operator breaks a promise; and with any safeguard switched off, one does.
//!
//! `AVATAR_MIGRATE_TEST_MODEL_STATES` raises the number of states, with more writes, runs and faults in each world.

mod application;
mod convergence;
mod copying;
mod cutover;
mod finalizing;
mod model;
mod rolling_back;
mod safeguard;
mod search;
mod state;
mod table;
mod world;

use std::time::{Duration, Instant};

use avatar_migrate_kit::effort;
use safeguard::{Safeguard, Safeguards};
use search::{counterexample, search};
use table::{Proof, expected, page};
use world::{WORLDS, World};

/// What every run has to reach.
const STATES_MIN: usize = 2_000_000;
/// States that are generated in each world, unless more are wanted. Many are met more than once.
const GENERATED: usize = 2_500_000;
/// The end of a deep search.
const DEEP_TIME: Duration = Duration::from_secs(20 * 60);

#[test]
fn no_promise_breaks_with_all_safeguards_on() {
    let wanted: Option<usize> = std::env::var("AVATAR_MIGRATE_TEST_MODEL_STATES")
        .ok()
        .map(|text| text.parse().expect("AVATAR_MIGRATE_TEST_MODEL_STATES is a number"));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (begun, mut states) = (Instant::now(), 0);
    for (world, left) in WORLDS.into_iter().zip((1..=WORLDS.len()).rev()) {
        let searched = match wanted {
            None => search(world, GENERATED, DEEP_TIME, 1, false),
            Some(wanted) => {
                // What small worlds leave over, the larger ones may use. About four of five states are met again.
                let share = wanted.saturating_sub(states) / left;
                let time = DEEP_TIME.saturating_sub(begun.elapsed());
                search(deeper(world), share.saturating_mul(5), time, threads, false)
            }
        };
        let search::Searched { states: unique, depth, seconds, whole, can_finish, counterexample } = searched;
        let extent = if whole { "all" } else { "the first" };
        println!("{}: {extent} {unique} states, depth {depth}, {seconds:.1} s", world.name);
        assert_eq!(counterexample, None, "{}", world.name);
        assert!(can_finish || world.blocked || !whole, "{}: nothing ever finishes", world.name);
        states += unique;
    }
    println!("{states} unique states in {:.1} s", begun.elapsed().as_secs_f64());
    let enough = wanted.unwrap_or(STATES_MIN).min(if begun.elapsed() < DEEP_TIME { usize::MAX } else { STATES_MIN });
    assert!(states >= enough, "{states} states are fewer than {enough}");
    effort::record("model", &[("states", u64::try_from(states).expect("so many states")), ("broken_promises", 0)]);
}

/// The same world with more going on.
fn deeper(world: World) -> World {
    World { writes: world.writes + 1, runs: world.runs + 1, faults: world.faults + 1, ..world }
}

#[test]
fn from_every_quiet_state_the_migration_can_finish() {
    for world in WORLDS {
        let searched = search(world, 400_000, DEEP_TIME, 1, true);
        println!("{}: {} states in {:.1} s", world.name, searched.states, searched.seconds);
        assert_eq!(searched.counterexample, None, "{}", world.name);
    }
}

#[test]
fn every_safeguard_is_missed_when_it_is_off() {
    let mut proofs = Vec::new();
    for (safeguard, words) in Safeguard::ALL {
        let expected = expected(safeguard);
        let off = Safeguards::ALL_ON.without(safeguard);
        let found = match expected.cover {
            None => counterexample(expected.world, off, None),
            Some(cover) => {
                assert_eq!(counterexample(expected.world, off, None), None, "{safeguard:?} is missed after all");
                // Without the other one alone, this promise holds.
                let other = Safeguards::ALL_ON.without(cover.by);
                assert_eq!(counterexample(expected.world, other, Some(cover.promise)), None, "{safeguard:?}");
                counterexample(expected.world, off.without(cover.by), Some(cover.promise))
            }
        };
        let found = found.unwrap_or_else(|| panic!("{safeguard:?} is not missed in: {}", expected.world.name));
        println!("{safeguard:?}: {} steps: {} ({})", found.steps, found.promise, expected.world.name);
        proofs.push(Proof { words, expected, found });
    }
    effort::record("safeguards", &[("switched_off", u64::try_from(proofs.len()).expect("so many safeguards"))]);
    golden(&page(&proofs));
}

fn golden(page: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/model.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(&path, page).expect("a file");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "docs/model.md is out of date: UPDATE_GOLDEN=1 writes it");
}
