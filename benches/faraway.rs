//! The embedded server in a process of its own, so that its processor time is told from that of its clients. It ends with
//! the bench, whose pipe it reads.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use avatar_migrate_kit::Strain;

use crate::endpoint::Endpoint;
use crate::fleet::{empty_target, small_objects};
use crate::watched::cpu_seconds;

/// The word by which the bench starts itself as the server: how many objects, how many milliseconds away.
pub(crate) const SERVE: &str = "--serve";

/// A server far away.
pub(crate) struct Faraway {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub(crate) at: Endpoint,
}

impl Faraway {
    /// Starts it with so many small objects, every request so far away.
    pub(crate) fn start(count: usize, latency: Duration) -> Result<Self> {
        let own = std::env::current_exe().context("the bench does not know its own path")?;
        let mut command = Command::new(own);
        command.args([SERVE, &count.to_string(), &latency.as_millis().to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("no server")?;
        let questions = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().context("no answers")?);
        let mut words = String::new();
        answers.read_line(&mut words).context("the server does not start")?;
        let words: [String; 4] = serde_json::from_str(&words).context("the server does not say where it is")?;
        let [url, access_key, secret_key, region] = words;
        Ok(Self { child, questions, answers, at: Endpoint { url, access_key, secret_key, region } })
    }

    /// An empty production bucket, and counts from zero.
    pub(crate) fn empty(&mut self) -> Result<()> {
        self.ask("empty").map(drop)
    }

    /// How many copies were asked for.
    pub(crate) fn copies(&mut self) -> Result<u64> {
        self.ask("copies")?.trim().parse().context("no number of copies")
    }

    /// The seconds of processor that it has taken.
    pub(crate) fn cpu(&self) -> f64 {
        cpu_seconds(self.child.id()).unwrap_or_default()
    }

    fn ask(&mut self, question: &str) -> Result<String> {
        let questions = self.questions.as_mut().context("the server is gone")?;
        writeln!(questions, "{question}").context("the server is gone")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).context("the server does not answer")?;
        Ok(answer)
    }
}

impl Drop for Faraway {
    fn drop(&mut self) {
        // It ends once its questions do.
        drop(self.questions.take());
        drop(self.child.wait());
    }
}

/// What the other process does.
pub(crate) fn serve(mut words: impl Iterator<Item = String>) -> Result<()> {
    let mut number = || words.next().context("--serve takes objects and milliseconds");
    let (count, latency): (usize, u64) = (number()?.parse()?, number()?.parse()?);
    let server = small_objects(count)?;
    server.strain(Strain { latency: Duration::from_millis(latency), per_second: None });
    let Endpoint { url, access_key, secret_key, region } = Endpoint::of_embedded(&server);
    answer(&serde_json::to_string(&[url, access_key, secret_key, region])?)?;
    for question in std::io::stdin().lock().lines() {
        if question? == "empty" {
            empty_target(&server);
            server.reset_requests();
            answer("done")?;
        } else {
            answer(&server.requests().get("CopyObject").copied().unwrap_or_default().to_string())?;
        }
    }
    Ok(())
}

fn answer(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).context("nobody listens")
}
