//! deploy/slurm on a real Slurm: an array of workers that share one migration, while an application reads. A worker is
//! killed, one is told to stop, a node is lost with all that ran on it: the rest of them bring it to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use avatar_migrate_kit::{Fault, Slurm, Strain};

use crate::process::until;
use crate::support::{World, content};

const NODES: [&str; 2] = ["node-a", "node-b"];
const OBJECTS: usize = 1500;
/// So many objects a worker takes at a time, and so many may have to be copied twice after a kill.
const RANGE: usize = 50;

#[test]
fn an_array_of_workers_goes_on_without_those_who_are_killed_or_stopped() {
    let (migration, slurm) = (Migration::new(), Slurm::start(&NODES).expect("a Slurm cluster"));
    migration.under_readers(|| {
        let job = migration.submit(&slurm, 4);
        migration.until_workers_hold_ranges(4);
        let workers = |node| slurm.processes(node, "avatarMigrate").expect("processes");
        let killed = NODES.into_iter().rev().find_map(|node| workers(node).pop()).expect("a worker");
        signal("KILL", killed);
        until("the killed task has ended", || job.tasks(&slurm).iter().any(|task| task.ending == "FAILED 0:9"));
        let stopped = job.tasks(&slurm).into_iter().find(|task| task.ending == "RUNNING 0:0").expect("a running task");
        // What --signal does a minute before the time is up.
        slurm.ask("scancel", &["--batch", "--signal=TERM", &stopped.name]).expect("a signal");
        migration.hurry();
        let endings = job.ended(&slurm).into_iter().map(|task| task.ending).collect::<Vec<_>>();
        assert_eq!(
            sorted(endings),
            ["COMPLETED 0:0", "COMPLETED 0:0", "FAILED 0:9", "FAILED 130:0"],
            "{}",
            migration.logs()
        );
        // Any number may be started at any time. Those who come after the end find nothing to do.
        let late = migration.submit(&slurm, 2).ended(&slurm).into_iter().map(|task| task.ending).collect::<Vec<_>>();
        assert_eq!(late, ["COMPLETED 0:0"; 2]);
    });
    migration.is_done(2);
}

#[test]
fn the_tasks_of_a_lost_node_start_again_elsewhere() {
    let (migration, slurm) = (Migration::new(), Slurm::start(&NODES).expect("a Slurm cluster"));
    migration.under_readers(|| {
        let job = migration.submit(&slurm, 4);
        migration.until_workers_hold_ranges(4);
        // Not any node, but the one whose worker plans, moves the rows, and holds the lock.
        let lost = migration.host_of_the_holder();
        let there: BTreeSet<String> =
            job.tasks(&slurm).into_iter().filter(|task| task.node == lost).map(|task| task.name).collect();
        slurm.kill_node(&lost).expect("its power is cut");
        migration.hurry();
        let again = |task: &Task| task.restarts > 0;
        until("its tasks are in the queue again", || {
            job.tasks(&slurm).iter().filter(|task| again(task)).count() == there.len()
        });
        let tasks = job.ended(&slurm);
        let elsewhere: BTreeSet<String> =
            tasks.iter().filter(|task| again(task) && task.node != lost).map(|task| task.name.clone()).collect();
        assert_eq!(elsewhere, there, "{tasks:?}");
        assert!(tasks.iter().all(|task| task.ending == "COMPLETED 0:0"), "{tasks:?}\n{}", migration.logs());
    });
    migration.is_done(4);
}

#[test]
fn a_file_of_secrets_that_others_may_read_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let refused = |reason: &str| {
        let output = Command::new("bash").arg(script()).current_dir(directory.path()).output().expect("bash runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(reason) && said.contains("chmod 600"), "{said}");
    };
    refused("there is no migrate.env in");
    private(&directory.path().join("migrate.env"), "AVATAR_MIGRATE_DATABASE_PASSWORD=secret\n", 0o640);
    refused("for nobody else to read");
}

/// A migration that takes a while, and what S3 was asked to copy for it.
struct Migration {
    world: World,
    copies: std::sync::Arc<AtomicU64>,
}

/// An array of tasks.
#[derive(Debug)]
struct Job(String);

/// What Slurm knows of a task: its state, and the exit code with the signal.
#[derive(Debug)]
struct Task {
    name: String,
    node: String,
    restarts: u64,
    ending: String,
}

impl Migration {
    fn new() -> Self {
        let (world, copies) = (World::new(), std::sync::Arc::new(AtomicU64::default()));
        let keys: Vec<String> = (0..OBJECTS).map(|n| format!("image/avatar-{n}.png")).collect();
        keys.iter().for_each(|key| world.source(key));
        world.rows(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        world.s3.strain(Strain { latency: Duration::from_millis(100), per_second: None });
        let count = std::sync::Arc::clone(&copies);
        world.s3.on_request(move |request| {
            if request.operation == "CopyObject" && request.key.as_ref().is_some_and(|key| key.starts_with("avatar/")) {
                count.fetch_add(1, Ordering::SeqCst);
            }
            Fault::None
        });
        Self { world, copies }
    }

    /// Submits the script of deploy/slurm from the world's directory, with all settings in its file of secrets.
    fn submit(&self, slurm: &Slurm, tasks: usize) -> Job {
        let program = Path::new(env!("CARGO_BIN_EXE_avatarMigrate")).parent().expect("a directory");
        let mut settings = format!("PATH={}:$PATH\n", program.display());
        let command = self.world.command(&self.world.database.url(), &[]);
        let own = [("LEASE", "10s"), ("RANGE_OBJECTS", &RANGE.to_string()), ("CONCURRENCY", "2")];
        let own = own.map(|(name, value)| (format!("AVATAR_MIGRATE_{name}"), value.to_owned()));
        let variables = command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)));
        let ours = variables.filter(|(name, _)| name.starts_with("AVATAR_MIGRATE_") || name.starts_with("AWS_"));
        for (name, value) in ours.map(|(name, value)| (name.to_owned(), value.to_owned())).chain(own) {
            settings.push_str(&format!("{name}='{value}'\n"));
        }
        let directory = self.world.directory.path();
        private(&directory.join("migrate.env"), &settings, 0o600);
        let (array, chdir) = (format!("--array=0-{}", tasks - 1), format!("--chdir={}", directory.display()));
        let script = script();
        let words = ["--parsable", &array, &chdir, script.to_str().expect("a path")];
        Job(slurm.ask("sbatch", &words).expect("a job").trim().to_owned())
    }

    /// Runs `work` while readers go from each row to its object.
    fn under_readers(&self, work: impl FnOnce()) {
        let (ended, reads) = (AtomicBool::new(false), AtomicU64::new(0));
        let pictures: BTreeMap<String, Vec<u8>> = (0..OBJECTS)
            .map(|n| format!("avatar-{n}.png"))
            .map(|name| (name.clone(), content(&format!("image/{name}"))))
            .collect();
        std::thread::scope(|scope| {
            let end = End(&ended);
            scope.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    reads.fetch_add(self.read(&pictures), Ordering::SeqCst);
                }
            });
            work();
            drop(end);
        });
        assert!(reads.load(Ordering::SeqCst) > u64::try_from(OBJECTS).expect("a number"), "nobody read");
    }

    /// Reads every row and then its object, as the application does: if that is gone, the row has moved in between.
    fn read(&self, pictures: &BTreeMap<String, Vec<u8>>) -> u64 {
        let resolves = |path: &str| {
            let (folder, name) = path.split_once('/').expect("a path");
            let bucket = if folder == "image" { "legacy-s3" } else { "production-s3" };
            self.world.body(bucket, path).as_ref() == pictures.get(name)
        };
        let rows = self.world.column("SELECT CONCAT(id, ' ', path) AS v FROM avatars");
        for row in &rows {
            let (id, path) = row.split_once(' ').expect("a row");
            if !resolves(path) {
                let now = self.world.column(&format!("SELECT path AS v FROM avatars WHERE id = {id}")).concat();
                assert!(now != path && resolves(&now), "row {id} held {path}, now {now}: it does not resolve");
            }
        }
        u64::try_from(rows.len()).expect("a number")
    }

    fn ledger(&self, sql: &str) -> Vec<String> {
        let ledger = self.world.ledger();
        let there = format!(
            "SELECT TABLE_NAME AS v FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{ledger}' AND TABLE_NAME = 'am_range'"
        );
        if self.world.column(&there).is_empty() {
            Vec::new()
        } else {
            self.world.column(&sql.replace("am_", &format!("`{ledger}`.am_")))
        }
    }

    fn until_workers_hold_ranges(&self, count: usize) {
        let holders = "SELECT DISTINCT worker AS v FROM am_range WHERE worker IS NOT NULL AND done_at IS NULL";
        until("several workers hold ranges", || self.ledger(holders).len() >= count);
    }

    /// What the workers said.
    fn logs(&self) -> String {
        let files = std::fs::read_dir(self.world.directory.path()).expect("a directory");
        let logs = files
            .map(|file| file.expect("an entry").path())
            .filter(|file| file.extension().is_some_and(|is| is == "log"));
        logs.map(|file| format!("{}:\n{}", file.display(), std::fs::read_to_string(&file).expect("a log"))).collect()
    }

    fn host_of_the_holder(&self) -> String {
        let host = "SELECT w.host AS v FROM am_worker AS w JOIN am_share AS s ON s.holder = w.id";
        self.ledger(host).pop().expect("a holder")
    }

    /// From now on S3 is near: what is left to see does not depend on it.
    fn hurry(&self) {
        self.world.s3.strain(Strain::default());
    }

    /// Demands the end of the migration, at the price of at most a range more for each worker that was lost.
    fn is_done(&self, lost: usize) {
        self.world.run(&["verify"]).exits(0);
        assert!(self.world.paths().iter().all(|path| path.starts_with("avatar/")), "rows are left");
        self.world.every_row_resolves();
        let copied = self.world.s3.keys("production-s3").into_iter().filter(|key| key.starts_with("avatar/")).count();
        assert_eq!(copied, OBJECTS);
        let copies = usize::try_from(self.copies.load(Ordering::SeqCst)).expect("a number");
        assert!((OBJECTS..=OBJECTS + lost * RANGE).contains(&copies), "{copies} copies of {OBJECTS} objects");
    }
}

impl Job {
    fn tasks(&self, slurm: &Slurm) -> Vec<Task> {
        let known = slurm.ask("scontrol", &["--oneliner", "show", "job", &self.0]).expect("the job");
        let value = |line: &str, key: &str| {
            let found = line.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            found.unwrap_or_default().to_owned()
        };
        let task = |line: &str| Task {
            name: format!("{}_{}", self.0, value(line, "ArrayTaskId")),
            node: value(line, "NodeList"),
            restarts: value(line, "Restarts").parse().expect("a number"),
            ending: format!("{} {}", value(line, "JobState"), value(line, "ExitCode")),
        };
        known.lines().filter(|line| !line.is_empty()).map(task).collect()
    }

    /// Waits until all tasks have ended.
    fn ended(&self, slurm: &Slurm) -> Vec<Task> {
        let mut tasks = Vec::new();
        until("all tasks have ended", || {
            tasks = self.tasks(slurm);
            tasks.iter().all(|task| ["COMPLETED", "FAILED"].iter().any(|state| task.ending.starts_with(state)))
        });
        tasks
    }
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/slurm/avatarMigrate.sbatch")
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(sent.expect("kill runs").success(), "kill -{name}");
}

fn private(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("its mode");
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words
}
