//! mariadbd killed in the middle of a transaction, and started again.

use std::sync::atomic::Ordering;

use avatar_migrate_kit::{CommandSeen, DatabaseFault, FaultProxy, Mariadb, MariadbOptions};

use super::{AVATARS, Observer, all_or_nothing, commits, moves_rows, once, run};
use crate::support::{AVATARS as TABLE, World};

/// A server of one's own, which ends with this process.
fn world() -> (World, FaultProxy) {
    let mariadb = Mariadb::start(MariadbOptions::default()).expect("a MariaDB");
    let world = World::on(Box::leak(Box::new(mariadb)));
    world.sql(TABLE);
    world.avatars(AVATARS);
    let proxy = FaultProxy::before(&world.database).expect("a proxy");
    (world, proxy)
}

/// The server dies at a command of either transaction, and comes back; the run goes on by itself.
#[track_caller]
fn killed_at(world: &World, proxy: &FaultProxy, at: fn(&CommandSeen) -> bool, fault: &DatabaseFault) {
    for (arguments, modern) in [(&["copy"][..], AVATARS), (&["rollback", "--yes"], 0)] {
        let observer = Observer::of(world);
        let (database, said) = (world.database.clone(), fault.clone());
        let met = once(proxy, at, move |_| {
            // What arrived before is done or not; what arrives now meets a server that has started anew.
            database.mariadb().restart().expect("mariadbd starts again");
            said.clone()
        });
        let ended = run(world, proxy, arguments).exits(0);
        assert!(met.load(Ordering::SeqCst));
        assert!(ended.stderr.contains("on a fresh connection"), "{}", ended.stderr);
        assert_eq!(all_or_nothing(world), modern);
        observer.saw_steps_of(AVATARS);
    }
}

#[test]
fn a_server_that_is_killed_inside_the_transaction_and_comes_back() {
    let (world, proxy) = world();
    killed_at(&world, &proxy, moves_rows, &DatabaseFault::None);
    killed_at(&world, &proxy, commits, &DatabaseFault::None);
}

#[test]
fn a_server_that_is_killed_right_after_its_commit() {
    for (arguments, modern) in [(&["copy"][..], AVATARS), (&["rollback", "--yes"], 0)] {
        let (world, proxy) = world();
        if modern == 0 {
            world.run(&["copy"]).exits(0);
        }
        // The COMMIT is carried out and its answer lost; whoever asks next meets a server that has started anew.
        let committed = std::sync::atomic::AtomicBool::new(false);
        let killed = std::sync::atomic::AtomicBool::new(false);
        let database = world.database.clone();
        proxy.on_command(move |seen| {
            if commits(seen) && !committed.swap(true, Ordering::SeqCst) {
                return DatabaseFault::AnswerLost;
            }
            if committed.load(Ordering::SeqCst) && !killed.swap(true, Ordering::SeqCst) {
                database.mariadb().restart().expect("mariadbd starts again");
            }
            DatabaseFault::None
        });
        run(&world, &proxy, arguments).exits(0);
        assert_eq!(all_or_nothing(&world), modern);
    }
}
