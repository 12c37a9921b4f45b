//! The program while it runs: signals at an exact moment, and requests that wait for the test.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use avatar_migrate_kit::{EmbeddedS3, Fault, RequestSeen};

use crate::support::Ended;

/// No step of a test takes longer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until `holds`; panics with `what` when it takes too long.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A running program. Dropping it kills it.
pub(crate) struct Running {
    child: Child,
    output: [Output; 2],
}

/// What came out so far, and the thread that reads it.
struct Output(Arc<Mutex<Vec<u8>>>, Option<JoinHandle<()>>);

impl Running {
    /// Starts it with its output collected.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let stdout = Output::of(child.stdout.take().expect("stdout"));
        let stderr = Output::of(child.stderr.take().expect("stderr"));
        Self { child, output: [stdout, stderr] }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status();
        assert!(sent.expect("kill runs").success(), "kill -{name}");
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("SIGKILL");
        let status = self.child.wait().expect("the program ends");
        assert_eq!(status.code(), None, "it ended before it was killed");
    }

    /// `kill -9` at an instant drawn by lot: gives how it ended if it was quicker.
    pub(crate) fn kill_unless_ended(mut self) -> Option<Ended> {
        self.child.kill().expect("SIGKILL");
        let status = self.child.wait().expect("the program ends");
        status.code()?;
        Some(self.ended())
    }

    /// `kill -9`, and what it had said.
    pub(crate) fn killed(mut self) -> Ended {
        self.child.kill().expect("SIGKILL");
        self.ended()
    }

    /// Whether this stands on standard error by now.
    #[track_caller]
    pub(crate) fn has_said(&mut self, text: &str) -> bool {
        let said = self.output[1].so_far();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains(text) || !self.has_ended(), "it ended with: {said}");
        said.contains(text)
    }

    /// What stands on standard error by now.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.output[1].so_far()).into_owned()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Ended {
        until("the program ends", || self.has_ended());
        let status = self.child.wait().expect("a status");
        let [stdout, stderr] = self.output.each_mut().map(Output::finish);
        Ended::of(&std::process::Output { status, stdout, stderr }, std::path::Path::new("its directory"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                all.lock().expect("a lock").extend_from_slice(&chunk[..length]);
            }
        });
        Self(bytes, Some(reader))
    }

    fn so_far(&self) -> Vec<u8> {
        self.0.lock().expect("a lock").clone()
    }

    fn finish(&mut self) -> Vec<u8> {
        if let Some(reader) = self.1.take() {
            reader.join().expect("a reader");
        }
        self.so_far()
    }
}

/// One request of the S3 server that waits until the test lets it go.
pub(crate) struct Gate {
    reached: Receiver<()>,
    release: Option<Sender<()>>,
}

impl Gate {
    /// Stops the first request for which `at` holds, before it is done.
    pub(crate) fn at(s3: &EmbeddedS3, at: impl Fn(&RequestSeen) -> bool + Send + Sync + 'static) -> Self {
        let (tell, reached) = channel();
        let (release, released) = channel::<()>();
        let (tell, released) = (Mutex::new(tell), Mutex::new(released));
        let met = AtomicBool::new(false);
        s3.on_request(move |request| {
            if at(request) && !met.swap(true, Ordering::SeqCst) {
                // Either end may be gone: the test has failed or let go then.
                tell.lock().expect("a lock").send(()).unwrap_or_default();
                released.lock().expect("a lock").recv().unwrap_or_default();
            }
            Fault::None
        });
        Self { reached, release: Some(release) }
    }

    /// Stops the `n`-th request of an operation.
    pub(crate) fn nth(s3: &EmbeddedS3, operation: &'static str, n: u64) -> Self {
        s3.reset_requests();
        Self::at(s3, move |request| request.operation == operation && request.nth == n)
    }

    /// Waits until the request has come.
    #[track_caller]
    pub(crate) fn wait(&self) {
        self.reached.recv_timeout(PATIENCE).expect("the request that the test waits for");
    }

    /// Waits until the request has come, or `running` has ended without it.
    pub(crate) fn wait_or_end(&self, running: &mut Running) -> bool {
        let mut come = false;
        until("the request comes or the program ends", || {
            come = self.reached.try_recv().is_ok();
            come || running.has_ended()
        });
        come
    }

    /// Lets it go.
    pub(crate) fn open(mut self) {
        self.release = None;
    }
}

/// Does something at the first request for which `at` holds, before that is done.
pub(crate) fn once(
    s3: &Arc<EmbeddedS3>,
    at: impl Fn(&RequestSeen) -> bool + Send + Sync + 'static,
    act: impl Fn(&EmbeddedS3) + Send + Sync + 'static,
) {
    let (weak, met) = (Arc::downgrade(s3), AtomicBool::new(false));
    s3.on_request(move |request| {
        if at(request)
            && !met.swap(true, Ordering::SeqCst)
            && let Some(s3) = weak.upgrade()
        {
            act(&s3);
        }
        Fault::None
    });
}
