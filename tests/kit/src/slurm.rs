//! A private Slurm cluster on the loopback: munged, slurmctld, and nodes that die as machines do.
//!
//! The controller and each node have namespaces of their own for processes, host names and mounts. So a node has its
//! own name, all its processes end with it in one instant, and nothing that a job has started outlives the test, however
//! that ends: the kernel kills what is in a namespace together with its first process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, anyhow, bail};

use crate::blocking::{block_on, until_ready};
use crate::supervisor::Supervisor;
use crate::{directory, ports, random};

/// Another process may take a port between its choice and its binding.
const START_ATTEMPTS: usize = 3;

/// Where Debian puts programs that an ordinary user's path lacks.
const SBIN: &[&str] = &["/usr/sbin", "/usr/local/sbin"];

/// The host name of the controller.
const CONTROLLER: &str = "controller";

/// `$1` is the cluster's directory, `$2` the host name. The shell stays as the first process of its namespace and buries
/// what loses its parent.
const AS_HOST: &str = r#"export SLURM_CONF="$1/slurm.conf" PATH="$PATH:/usr/sbin:/usr/local/sbin"
    mount --bind "$1/hosts" /etc/hosts && hostname "$2" || exit 1
    "#;
const RUN_CONTROLLER: &str = r#"munged --force --key-file="$1/munge.key" --socket="$1/munge.sock" --pid-file="$1/munged.pid" \
        --log-file="$1/munged.log" --seed-file="$1/munge.seed" && slurmctld -D -i
    exit"#;
const RUN_NODE: &str = r#"slurmd -D -N "$2"
    exit"#;

/// A running cluster. Dropping it ends every process in it and removes its data.
#[derive(Debug)]
pub struct Slurm {
    // In this order they end: a node's files lie in the controller's directory.
    nodes: Vec<Node>,
    controller: Supervisor,
}

#[derive(Debug)]
struct Node {
    name: &'static str,
    server: Supervisor,
}

impl Slurm {
    /// Starts a cluster with these nodes, and waits until all of them are idle.
    pub fn start(nodes: &[&'static str]) -> anyhow::Result<Self> {
        for program in ["munged", "slurmctld", "slurmd", "sbatch"] {
            directory::find_program(program, SBIN)
                .with_context(|| format!("{program} is not installed, and these tests need Slurm: run `make setup`"))?;
        }
        let mut failed = None;
        for _ in 0..START_ATTEMPTS {
            match Self::start_once(nodes) {
                Ok(slurm) => return Ok(slurm),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| anyhow!("Slurm was not started")))
    }

    /// What a command of Slurm's, such as `squeue`, says of this cluster.
    ///
    /// # Errors
    /// If it fails, with what it said.
    pub fn ask(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let conf = self.controller.directory().join("slurm.conf");
        let output = Command::new(program).args(arguments).env("SLURM_CONF", conf).output();
        let output = output.with_context(|| format!("failed to run {program}"))?;
        if !output.status.success() {
            bail!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The processes of a node that run the program of this name, as this machine numbers them.
    pub fn processes(&self, node: &str, program: &str) -> anyhow::Result<Vec<u32>> {
        let first = self.node(node)?.server.pid();
        let all = processes()?;
        let descends = |pid: u32| {
            let parent = |pid: &u32| all.iter().find(|one| one.pid == *pid).map(|one| one.parent);
            std::iter::successors(Some(pid), parent).any(|ancestor| Some(ancestor) == first)
        };
        Ok(all.iter().filter(|one| one.name == program && descends(one.pid)).map(|one| one.pid).collect())
    }

    /// Ends all that runs on a node in one instant, as when its power is cut.
    pub fn kill_node(&self, node: &str) -> anyhow::Result<()> {
        self.node(node)?.server.kill()
    }

    /// The end of what controller and nodes said.
    fn log_tail(&self) -> String {
        let nodes = self.nodes.iter().map(|node| format!("{}:\n{}", node.name, node.server.log_tail()));
        let all: Vec<String> = nodes.chain([format!("{CONTROLLER}:\n{}", self.controller.log_tail())]).collect();
        all.join("\n")
    }

    fn node(&self, name: &str) -> anyhow::Result<&Node> {
        self.nodes.iter().find(|node| node.name == name).with_context(|| format!("there is no node {name}"))
    }

    fn start_once(names: &[&'static str]) -> anyhow::Result<Self> {
        let directory = directory::create("slurm")?;
        let mut free = ports::free(names.len() + 1)?;
        let own = free.pop().context("no port")?;
        let nodes: Vec<(&'static str, u16)> = names.iter().copied().zip(free).collect();
        write_files(directory.path(), own, &nodes)?;
        let files = directory.keep();
        let controller = Supervisor::new(files.clone(), &host(&files, CONTROLLER, RUN_CONTROLLER)?)?;
        controller.start()?;
        let mut slurm = Self { nodes: Vec::new(), controller };
        for &name in names {
            let log = directory::create("slurm-node")?.keep();
            let server = Supervisor::new(log, &host(&files, name, RUN_NODE)?)?;
            server.start()?;
            slurm.nodes.push(Node { name, server });
        }
        let ready = block_on(|| until_ready("Slurm", &slurm.controller, async || slurm.all_idle()));
        ready.with_context(|| slurm.log_tail())?;
        Ok(slurm)
    }

    fn all_idle(&self) -> anyhow::Result<()> {
        let states = self.ask("sinfo", &["--noheader", "--Node", "--format=%T"])?;
        if states.lines().filter(|state| *state == "idle").count() < self.nodes.len() {
            bail!("the nodes are {}", states.replace('\n', " "));
        }
        Ok(())
    }
}

/// The command that runs a script as another host would.
fn host(files: &Path, name: &str, script: &str) -> anyhow::Result<Vec<OsString>> {
    let mut command = vec![OsString::from("unshare")];
    if user(&["-u"])? != "0" {
        // Who is not root makes the others inside one of users, and stays who he is.
        command.extend(["--user", "--map-current-user", "--keep-caps"].map(Into::into));
    }
    command.extend(["--pid", "--uts", "--mount", "--fork", "--kill-child", "--mount-proc", "sh", "-c"].map(Into::into));
    command.extend([format!("{AS_HOST}{script}").into(), "sh".into(), files.into(), name.into()]);
    Ok(command)
}

/// The number or name of the user that runs all of it.
fn user(flags: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("id").args(flags).output().context("failed to run id")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn write_files(directory: &Path, port: u16, nodes: &[(&str, u16)]) -> anyhow::Result<()> {
    for folder in ["state", "spool"] {
        std::fs::create_dir(directory.join(folder)).context("failed to create Slurm's directories")?;
    }
    let names: Vec<&str> = nodes.iter().map(|(name, _)| *name).collect();
    let files = [
        ("munge.key", random::text(64)),
        ("hosts", format!("127.0.0.1 localhost {CONTROLLER} {}\n", names.join(" "))),
        ("slurm.conf", configuration(directory, &user(&["-un"])?, port, nodes)),
    ];
    for (name, text) in files {
        private(directory.join(name), &text).with_context(|| format!("failed to write Slurm's {name}"))?;
    }
    Ok(())
}

/// munged takes no key that others may read.
fn private(path: PathBuf, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    std::fs::write(&path, text)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
}

/// Without cgroups and accounting, which a test's machine need not have. Jobs go to the node that has the fewest (`CR_LLN`).
/// One that is silent for ten seconds is down; what ran there waits for `cred_expire`, at least five seconds, before it is
/// started elsewhere.
fn configuration(directory: &Path, user: &str, port: u16, nodes: &[(&str, u16)]) -> String {
    let files = directory.display();
    let nodes: String = nodes
        .iter()
        .map(|(name, port)| format!("NodeName={name} NodeAddr=127.0.0.1 Port={port} CPUs=4 RealMemory=4000\n"))
        .collect();
    format!(
        "ClusterName=avatar\nSlurmctldHost={CONTROLLER}(127.0.0.1)\nSlurmctldPort={port}\n\
         SlurmUser={user}\nSlurmdUser={user}\n\
         AuthType=auth/munge\nAuthInfo=socket={files}/munge.sock,cred_expire=5\nCredType=cred/munge\n\
         CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\n\
         StateSaveLocation={files}/state\nSlurmdSpoolDir={files}/spool/%n\n\
         SlurmctldPidFile={files}/slurmctld.pid\nSlurmdPidFile={files}/slurmd-%n.pid\n\
         SlurmdParameters=config_overrides\nSelectType=select/cons_tres\nSelectTypeParameters=CR_CPU_Memory,CR_LLN\n\
         SchedulerParameters=sched_interval=2,bf_interval=2\nSlurmdTimeout=10\nReturnToService=2\n\
         ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nMailProg=/bin/true\n\
         {nodes}PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
    )
}

/// What `/proc` tells everybody of a process.
struct Process {
    pid: u32,
    name: String,
    parent: u32,
}

fn processes() -> anyhow::Result<Vec<Process>> {
    let entries = std::fs::read_dir("/proc").context("failed to list processes")?;
    let stats = entries.filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    Ok(stats.filter_map(|stat| process(&stat)).collect())
}

/// `PID (NAME) STATE PARENT …`; `None` for what has ended and was not buried yet.
fn process(stat: &str) -> Option<Process> {
    let (pid, rest) = stat.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    fields.next().filter(|state| *state != "Z")?;
    Some(Process { pid: pid.parse().ok()?, name: name.to_owned(), parent: fields.next()?.parse().ok()? })
}
