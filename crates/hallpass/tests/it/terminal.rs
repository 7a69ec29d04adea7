//! A terminal with a person before it. It is the one that `script` makes; without that on the machine
//! the tests that need one are skipped with a word.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::world::{PATIENCE, World, eventually, text};

/// A command on a terminal of its own.
pub(crate) struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    /// How far the screen has been read.
    read: usize,
    /// The file that names the terminal.
    name: PathBuf,
    stdout: PathBuf,
}

impl Terminal {
    /// The command, whose standard output goes to a file.
    pub(crate) fn start(world: &World, command: &Command) -> Self {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> = words
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        let line = format!("{} > {}", words.join(" "), text(&world.path("stdout")));
        Self::line(world, command, &line)
    }

    /// A line of a shell, in the environment of a command: one program, all of it on the terminal.
    pub(crate) fn line(world: &World, like: &Command, line: &str) -> Self {
        let (name, stdout) = (world.path("terminal"), world.path("stdout"));
        let _ = std::fs::remove_file(&name);
        let line = format!("stty cols 100 rows 30; tty > {}; exec {line}", text(&name));
        let variables = like.get_envs();
        let mut child = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("TERM", "xterm")
            .envs(variables.filter_map(|(name, value)| Some((name, value?))))
            .current_dir(world.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let screen: Arc<Mutex<Vec<u8>>> = Arc::default();
        let (shown, mut output) = (screen.clone(), child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut part) {
                shown.lock().unwrap().extend(&part[..length]);
            }
        });
        Self {
            keyboard: child.stdin.take().unwrap(),
            child,
            screen,
            reader: Some(reader),
            read: 0,
            name,
            stdout,
        }
    }

    /// Waits for a question and answers it.
    pub(crate) fn answer(&mut self, question: &str, answer: &str) {
        self.wait_for(question);
        self.press(&format!("{answer}\n"));
    }

    /// The same once the terminal shows no more what is typed.
    pub(crate) fn answer_unseen(&mut self, question: &str, answer: &str) {
        self.wait_for(question);
        let name = std::fs::read_to_string(&self.name).unwrap();
        eventually("the terminal to hide what is typed", || {
            let settings = Command::new("stty")
                .args(["-a", "-F", name.trim()])
                .output()
                .unwrap();
            let settings = String::from_utf8(settings.stdout).unwrap();
            let hidden = settings.split_whitespace().any(|one| one == "-echo");
            hidden.then_some(())
        });
        self.press(&format!("{answer}\n"));
    }

    /// Waits until the words stand behind those that were waited for before.
    pub(crate) fn wait_for(&mut self, words: &str) {
        let (screen, from) = (self.screen.clone(), self.read);
        self.read = until(&self.screen, &format!("`{words}`"), || {
            let screen = screen.lock().unwrap();
            let mut parts = screen[from..].windows(words.len());
            Some(from + parts.position(|part| part == words.as_bytes())? + words.len())
        });
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// All that was on the screen, and standard output, when the command has ended well.
    #[track_caller]
    pub(crate) fn end(self) -> (String, String) {
        let stdout = self.stdout.clone();
        let (status, screen) = self.ended();
        assert!(status.success(), "{status}: {screen}");
        (screen, std::fs::read_to_string(stdout).unwrap())
    }

    /// How the command has ended, and all that was on the screen.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let (screen, child) = (self.screen.clone(), &mut self.child);
        let status = until(&screen, "its end", || child.try_wait().unwrap());
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        (status, self.screen())
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits, and shows the screen where that is in vain.
#[track_caller]
fn until<T>(screen: &Mutex<Vec<u8>>, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        let shown = || String::from_utf8_lossy(&screen.lock().unwrap()).into_owned();
        assert!(
            Instant::now() < give_up,
            "waited in vain for {what}: {}",
            shown()
        );
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
