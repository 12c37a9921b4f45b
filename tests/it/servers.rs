//! Servers on which a cutover or a count would not mean what it says.

use std::net::TcpListener;
use std::path::Path;

use avatar_migrate_kit::{Mariadb, MariadbOptions};

use crate::process::until;
use crate::support::{Ended, World};

pub(crate) const ROWS: &str = "CREATE DATABASE production; CREATE TABLE production.avatars (id INT PRIMARY KEY, path VARCHAR(200)); \
                    INSERT INTO production.avatars VALUES (1, 'image/avatar-1.png')";

/// Fails until the row is there.
pub(crate) const HAS_A_ROW: &str = "BEGIN NOT ATOMIC IF NOT EXISTS (SELECT 1 FROM production.avatars) THEN SIGNAL SQLSTATE '45000'; \
                         END IF; END";

pub(crate) fn server(extra: &[&str]) -> Mariadb {
    let extra = extra.iter().map(|&argument| argument.to_owned()).collect();
    Mariadb::start(MariadbOptions { extra, ..MariadbOptions::default() }).expect("a server")
}

/// Every command that writes is refused with `reason` on standard error, and nothing has moved.
#[track_caller]
fn refuses(world: &World, url: &str, reason: &str) {
    for arguments in [&["copy"][..], &["finalize", "--yes"], &["rollback", "--yes"]] {
        let refused: Ended = world.run_as(url, arguments).exits(4);
        assert!(refused.stderr.contains(reason), "{arguments:?}: {}", refused.stderr);
    }
    assert_eq!(world.s3.keys("production-s3"), [] as [&str; 0]);
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-1.png"]);
}

pub(crate) fn world() -> World {
    let world = World::bare();
    world.source("image/avatar-1.png");
    world
}

/// Makes one server the replica of the other.
pub(crate) fn replicate(primary: &Mariadb, replica: &Mariadb) {
    // The primary's log begins here: what set up its root is not for the replica's.
    primary
        .execute(
            "RESET MASTER; CREATE USER replica@'127.0.0.1' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO replica@'127.0.0.1'",
        )
        .expect("a user");
    let from =
        format!("MASTER_HOST='127.0.0.1', MASTER_PORT={}, MASTER_USER='replica', MASTER_PASSWORD='r'", primary.port());
    replica.execute(&format!("CHANGE MASTER TO {from}, MASTER_USE_GTID=slave_pos; START SLAVE")).expect("replication");
}

#[test]
fn a_read_only_server_is_refused() {
    let (server, world) = (server(&[]), world());
    server.execute(ROWS).expect("rows");
    server.execute("SET GLOBAL read_only = ON").expect("a setting");
    refuses(&world, &server.root_url("production"), "the server is read-only");
    server.execute("SET GLOBAL read_only = OFF").expect("a setting");
    world.run_as(&server.root_url("production"), &["copy"]).exits(0);
}

#[test]
fn a_running_replica_is_refused_unless_the_application_writes_to_it() {
    let (primary, replica, world) = (server(&[]), server(&["--server-id=2"]), world());
    replicate(&primary, &replica);
    primary.execute(ROWS).expect("rows");
    until("the rows have come over", || replica.execute(HAS_A_ROW).is_ok());
    let url = replica.root_url("production");
    refuses(&world, &url, "replicates from another one");
    let examined = world.run_as(&url, &["doctor", "--format", "human"]).exits(3);
    assert!(examined.stdout.contains("the server replicates from another one"), "{}", examined.stdout);
    // Looking does no harm.
    world.run_as(&url, &["verify"]).exits(3);
    world.run_as(&url, &["copy", "--dry-run"]).exits(0);
    world.run_as(&url, &["copy", "--replica-is-primary"]).exits(0);
    replica.execute("STOP SLAVE").expect("no more replication");
    world.run_as(&url, &["verify"]).exits(0);
    world.run_as(&url, &["copy"]).exits(0);
}

/// A real cluster of one node. Debian's MariaDB brings the library.
#[test]
fn a_galera_cluster_is_refused() {
    let library = "/usr/lib/galera/libgalera_smm.so";
    assert!(Path::new(library).exists(), "{library} is missing, and this test needs it: apt-get install galera-4");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let listen = format!("--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{port}");
    let provider = format!("--wsrep-provider={library}");
    let cluster =
        ["--wsrep-on=ON", &provider, &listen, "--wsrep-cluster-address=gcomm://", "--wsrep-node-address=127.0.0.1"];
    let (server, world) = (server(&[&cluster[..], &["--innodb-autoinc-lock-mode=2"]].concat()), world());
    until("the node has joined its cluster", || {
        server.execute(&format!("{ROWS} ON DUPLICATE KEY UPDATE id = id")).is_ok()
    });
    refuses(&world, &server.root_url("production"), "Galera cluster");
}
