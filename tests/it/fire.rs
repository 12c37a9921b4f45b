//! The database under fire: whatever happens to a connection, rows and journal change together or not at all.

mod cutover;
mod lookup;
mod nth;
mod rollback;
mod server;
mod storm;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use avatar_migrate_kit::{CommandKind, CommandSeen, Database, DatabaseFault, FaultProxy};

use crate::process::{Running, until};
use crate::support::{Ended, World};

const AVATARS: usize = 6;

/// A world with legacy rows, and the proxy before its database.
fn world() -> (World, FaultProxy) {
    let world = World::new();
    world.avatars(AVATARS);
    let proxy = FaultProxy::before(&world.database).expect("a proxy");
    (world, proxy)
}

/// Runs the program through the proxy; it must end in time.
#[track_caller]
fn run(world: &World, proxy: &FaultProxy, arguments: &[&str]) -> Ended {
    start(world, proxy, arguments).ended()
}

fn start(world: &World, proxy: &FaultProxy, arguments: &[&str]) -> Running {
    Running::start(world.command(&proxy.url(&world.database), arguments))
}

/// The statement that moves rows, of a cutover or a rollback, when it runs.
fn moves_rows(seen: &CommandSeen) -> bool {
    let probes = seen.sql.ends_with("WHERE FALSE");
    runs(seen) && seen.in_transaction && seen.sql.starts_with("UPDATE") && seen.sql.contains("`avatars`") && !probes
}

/// The statement that writes the journal of a cutover, when it runs.
fn journals(seen: &CommandSeen) -> bool {
    runs(seen) && seen.in_transaction && seen.sql.starts_with("INSERT") && seen.sql.contains("am_row_change")
}

fn commits(seen: &CommandSeen) -> bool {
    runs(seen) && seen.sql == "COMMIT"
}

fn runs(seen: &CommandSeen) -> bool {
    seen.kind == CommandKind::Execute || seen.kind == CommandKind::Query
}

/// Gives `fault` to the first command for which `at` holds, and tells whether there was one.
fn once(
    proxy: &FaultProxy,
    at: impl Fn(&CommandSeen) -> bool + Send + Sync + 'static,
    fault: impl Fn(&CommandSeen) -> DatabaseFault + Send + Sync + 'static,
) -> Arc<AtomicBool> {
    let met = Arc::new(AtomicBool::new(false));
    let meeting = Arc::clone(&met);
    proxy.on_command(move |seen| match at(seen) && !meeting.swap(true, Ordering::SeqCst) {
        true => fault(seen),
        false => DatabaseFault::None,
    });
    met
}

/// Ends a session as an administrator would, and waits until it is gone.
fn kill(database: &Database<'static>, session: u64) {
    database.execute(&format!("KILL {session}")).expect("KILL");
    // Its locks are free once nobody can ask for them in vain.
    let gone = format!(
        "SET @n = (SELECT COUNT(*) FROM information_schema.processlist WHERE id = {session}); IF @n > 0 THEN SIGNAL SQLSTATE '45000'; END IF"
    );
    until("the session is gone", || database.execute(&gone).is_ok());
}

/// Ends the session that moves rows, and does something before the program has a new one.
fn killed_and_then(world: &World, proxy: &FaultProxy, act: impl FnOnce() + Send + 'static) -> Arc<AtomicBool> {
    let (killed, met) = (AtomicBool::new(false), Arc::new(AtomicBool::new(false)));
    let (database, act, meeting) = (world.database.clone(), Mutex::new(Some(act)), Arc::clone(&met));
    proxy.on_command(move |seen| {
        if moves_rows(seen) && !killed.swap(true, Ordering::SeqCst) {
            kill(&database, seen.session);
        } else if killed.load(Ordering::SeqCst) && seen.kind == CommandKind::Login {
            let act = act.lock().expect("a lock").take();
            act.into_iter().for_each(|act| act());
            meeting.store(true, Ordering::SeqCst);
        }
        DatabaseFault::None
    });
    met
}

/// Somebody who reads the rows all the time and sees all of them old or all of them new, in steps of `step`.
struct Observer {
    stop: Arc<AtomicBool>,
    looks: Arc<AtomicU64>,
    thread: JoinHandle<Vec<u64>>,
}

impl Observer {
    fn of(world: &World) -> Self {
        let (stop, looks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (database, stopped, looked) = (world.database.clone(), Arc::clone(&stop), Arc::clone(&looks));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let mut seen = Vec::new();
            runtime.block_on(async {
                let mut connection = None;
                while !stopped.load(Ordering::SeqCst) {
                    if connection.is_none() {
                        connection = database.connect().await.ok();
                    }
                    let Some(open) = connection.as_mut() else { continue };
                    let counted =
                        sqlx::query_scalar("SELECT CAST(COUNT(*) AS UNSIGNED) FROM avatars WHERE path LIKE 'image/%'");
                    match counted.fetch_one(open).await {
                        Ok(legacy) if seen.last() != Some(&legacy) => seen.push(legacy),
                        Ok(_) => {}
                        // The server was killed.
                        Err(_) => connection = None,
                    }
                    looked.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            });
            seen
        });
        let observer = Self { stop, looks, thread };
        until("the observer looks", || observer.looks.load(Ordering::SeqCst) > 0);
        observer
    }

    /// Demands that nothing but multiples of `step` legacy rows was ever seen.
    #[track_caller]
    fn saw_steps_of(self, step: usize) {
        self.stop.store(true, Ordering::SeqCst);
        let seen = self.thread.join().expect("the observer");
        assert!(seen.iter().all(|legacy| *legacy % step as u64 == 0), "a half was seen: {seen:?}");
    }
}

/// Demands that as many journal lines stand as rows are modern, that all rows are old or all new, and that each resolves.
#[track_caller]
fn all_or_nothing(world: &World) -> usize {
    let modern = world.paths().iter().filter(|path| path.starts_with("avatar/")).count();
    assert!(modern == 0 || modern == AVATARS, "a half moved: {:?}", world.paths());
    journal_agrees(world);
    modern
}

/// Demands that as many journal lines stand as rows are modern, and that each row resolves.
#[track_caller]
fn journal_agrees(world: &World) {
    let modern = world.paths().iter().filter(|path| path.starts_with("avatar/")).count();
    let lines = format!("SELECT COUNT(*) AS v FROM `{}`.am_row_change WHERE undone_by IS NULL", world.ledger());
    assert_eq!(world.column(&lines), [modern.to_string()], "the journal has as many lines as rows moved");
    world.every_row_resolves();
}
