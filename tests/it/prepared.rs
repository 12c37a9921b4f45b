//! Statements stay prepared for as long as their session lasts, and those of single columns are not prepared at all: one that is
//! closed for another costs 40 ms.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use avatar_migrate_kit::{CommandKind, DatabaseFault, FaultProxy};

use crate::support::World;

#[test]
fn no_session_prepares_a_statement_twice() {
    let world = World::new();
    world.avatars(3);
    for table in 0..30 {
        world.sql(&format!("CREATE TABLE t{table} (id INT PRIMARY KEY, name TEXT, note TEXT)"));
    }
    let proxy = FaultProxy::before(&world.database).expect("a proxy");
    let prepared = Arc::new(Mutex::new(BTreeMap::<(u64, String), u32>::new()));
    let noted = Arc::clone(&prepared);
    proxy.on_command(move |seen| {
        if seen.kind == CommandKind::Prepare {
            *noted.lock().expect("a lock").entry((seen.session, seen.sql.clone())).or_default() += 1;
        }
        DatabaseFault::None
    });
    for command in [&["copy"][..], &["verify"], &["finalize", "--yes"]] {
        world.run_as(&proxy.url(&world.database), command).exits(0);
    }
    let prepared = prepared.lock().expect("a lock");
    let again: Vec<_> = prepared.iter().filter(|(_, times)| **times > 1).collect();
    assert!(again.is_empty(), "{again:?}");
    let of_columns: Vec<_> = prepared.keys().filter(|(_, sql)| sql.contains("`t29`")).collect();
    assert!(of_columns.is_empty(), "{of_columns:?}");
}
