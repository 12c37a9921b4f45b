//! A storm: one command in some goes wrong, again and again, in the transaction and while the program recovers from that.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use avatar_migrate_kit::{CommandKind, DatabaseFault, effort};

use super::{AVATARS, Observer, journal_agrees, run, world};

const FAULTS: [DatabaseFault; 6] = [
    DatabaseFault::CutBefore,
    DatabaseFault::CutAfter,
    DatabaseFault::AnswerLost,
    DatabaseFault::AnswerTruncated,
    DatabaseFault::Error(1205),
    DatabaseFault::Error(1213),
];

#[test]
fn whatever_comes_rows_and_journal_change_together() {
    let lot = Arc::new(Mutex::new(effort::Lot::of("cutover_fire")));
    let (faults, recovered) = (Arc::new(AtomicU64::new(0)), AtomicU64::new(0));
    let storms = effort::times(6, 150);
    for storm in 0..storms {
        let (world, proxy) = world();
        let (arguments, step) = match storm % 3 {
            0 => (&["copy"][..], AVATARS),
            1 => (&["copy", "--transaction-rows", "2"][..], 2),
            _ => (&["rollback", "--yes"][..], AVATARS),
        };
        let forwards = storm % 3 != 2;
        if !forwards {
            world.run(&["copy"]).exits(0);
        }
        let observer = Observer::of(&world);
        let (drawing, counting) = (Arc::clone(&lot), Arc::clone(&faults));
        let begun = std::sync::atomic::AtomicBool::new(false);
        proxy.on_command(move |seen| {
            // From the first statement of a transaction on; not every one, or nothing would be left to try.
            if !(begun.load(Ordering::SeqCst) || seen.in_transaction) || seen.kind == CommandKind::Other {
                return DatabaseFault::None;
            }
            begun.store(true, Ordering::SeqCst);
            let mut lot = drawing.lock().expect("a lock");
            if lot.below(12) > 0 {
                return DatabaseFault::None;
            }
            counting.fetch_add(1, Ordering::SeqCst);
            let at = lot.below(FAULTS.len() as u64);
            FAULTS.into_iter().zip(0..).find(|(_, nth)| *nth == at).map_or(DatabaseFault::None, |(fault, _)| fault)
        });
        let ended = run(&world, &proxy, arguments);
        proxy.no_faults();
        assert!([0, 1].contains(&ended.code), "exit code {}: {}", ended.code, ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        recovered.fetch_add(u64::from(ended.code == 0), Ordering::SeqCst);
        journal_agrees(&world);
        world.run(arguments).exits(0);
        journal_agrees(&world);
        let modern = world.paths().iter().filter(|path| path.starts_with("avatar/")).count();
        assert_eq!(modern, if forwards { AVATARS } else { 0 });
        observer.saw_steps_of(step);
    }
    let figures = [("storms", storms), ("faults", faults.load(Ordering::SeqCst))];
    effort::record("cutover_fire", &[figures[0], figures[1], ("recovered", recovered.load(Ordering::SeqCst))]);
}
