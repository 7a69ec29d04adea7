//! A running `hallpass serve`, or any other long-running command, that dies with its value.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::world::{Credential, PATIENCE, World, eventually, signal, text};

/// A process whose output is read while it runs.
pub(crate) struct Running {
    child: Child,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().map(Lines::read).unwrap_or_default();
        let stderr = child.stderr.take().map(Lines::read).unwrap_or_default();
        Self {
            child,
            stdout,
            stderr,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Kills it at once, as a power cut would, and waits for its end.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Kills it from another thread. It remains to be waited for.
    pub(crate) fn killer(&self) -> impl FnOnce() + Send + use<> {
        let id = Pid::from_child(&self.child);
        move || kill_process(id, Signal::KILL).unwrap()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        let said = self.stderr.text();
        eventually(&format!("the end of the process: {said}"), || {
            self.child.try_wait().unwrap()
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines that a process prints, as they come.
#[derive(Default)]
pub(crate) struct Lines {
    all: Arc<Mutex<String>>,
    next: Option<Receiver<String>>,
}

impl Lines {
    fn read(pipe: impl Read + Send + 'static) -> Self {
        let all = Arc::new(Mutex::new(String::new()));
        let (sender, next) = channel();
        let shared = all.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                let Ok(line) = line else { break };
                let mut all = shared.lock().unwrap();
                all.push_str(&line);
                all.push('\n');
                drop(all);
                // Nobody may be waiting for lines any more.
                let _ = sender.send(line);
            }
        });
        Self {
            all,
            next: Some(next),
        }
    }

    /// Everything so far.
    pub(crate) fn text(&self) -> String {
        self.all.lock().unwrap().clone()
    }

    /// Waits for the first line not yet waited for that holds `part`.
    #[track_caller]
    pub(crate) fn wait_for(&self, part: &str) -> String {
        let give_up = Instant::now() + PATIENCE;
        let next = self.next.as_ref().unwrap();
        loop {
            let left = give_up.saturating_duration_since(Instant::now());
            match next.recv_timeout(left) {
                Ok(line) if line.contains(part) => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("`{part}` did not come: {}", self.text()),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended without saying `{part}`: {}", self.text())
                }
            }
        }
    }

    /// Everything, once the process has closed its end.
    pub(crate) fn to_end(&self) -> String {
        let next = self.next.as_ref().unwrap();
        while next.recv().is_ok() {}
        self.text()
    }
}

/// A server that is ready.
pub(crate) struct Server {
    pub(crate) process: Running,
    pub(crate) addresses: Value,
}

impl Server {
    /// Serves the world's data directory on free ports.
    pub(crate) fn start(world: &World) -> Self {
        Self::start_with(world, &[] as &[&str], &[])
    }

    pub(crate) fn start_with<A: AsRef<OsStr>>(
        world: &World,
        arguments: &[A],
        variables: &[(&str, &str)],
    ) -> Self {
        let file = world.path("addresses.json");
        let _ = std::fs::remove_file(&file);
        let mut command = Self::command(world);
        command.args(arguments).envs(variables.iter().copied());
        let process = Running::start(&mut command);
        process.stderr.wait_for("hallpass is ready");
        let addresses = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        Self { process, addresses }
    }

    /// `hallpass serve` as a command that was not started yet.
    pub(crate) fn command(world: &World) -> Command {
        let (data, file) = (world.data(), world.path("addresses.json"));
        world.command(&[
            "serve",
            "--data",
            text(&data),
            "--listen",
            "127.0.0.1:0",
            "--address-file",
            text(&file),
        ])
    }

    pub(crate) fn base(&self) -> &str {
        self.addresses["authorizationServer"].as_str().unwrap()
    }

    pub(crate) fn token_url(&self) -> &str {
        self.addresses["tokenUrl"].as_str().unwrap()
    }

    pub(crate) fn metrics(&self) -> &str {
        self.addresses["metrics"].as_str().unwrap()
    }

    pub(crate) fn tls(&self) -> &str {
        self.addresses["tls"].as_str().unwrap()
    }

    /// The proxy that leads programs to the TLS listener.
    pub(crate) fn proxy(&self) -> &str {
        self.addresses["proxy"].as_str().unwrap()
    }

    /// What it said when it was ready.
    pub(crate) fn words(&self) -> String {
        eventually("its last word", || {
            let said = self.process.stderr.text();
            said.contains("credential create").then_some(said)
        })
    }

    /// The base URL of an instance.
    pub(crate) fn instance(&self, name: &str) -> &str {
        self.addresses["instances"][name].as_str().unwrap()
    }

    pub(crate) fn us1(&self, path: &str) -> String {
        format!("{}{path}", self.instance("us1"))
    }

    /// A credential that was made elsewhere, at this server's addresses.
    pub(crate) fn moved(&self, credential: &Credential) -> Credential {
        Credential {
            token_url: self.token_url().to_owned(),
            base_url: self.us1(""),
            ..credential.clone()
        }
    }

    /// Asks it to stop; it must end well.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.process.signal("TERM");
        let status = self.process.end();
        assert!(status.success(), "{status}: {}", self.process.stderr.text());
    }

    /// Kills it.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }
}
