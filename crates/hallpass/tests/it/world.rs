//! A machine of its own for each test: home, data directory and temporary files in one folder, and
//! nothing of the environment that the tests run in.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a test waits for what must come. Never waited for in full unless something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The owner that [`World::owner`] makes.
pub(crate) const ANN: &str = "ann@example.com";

/// The folder that everything of a test is in. Removed with the value.
pub(crate) struct World(tempfile::TempDir);

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("hp-").tempdir().unwrap();
        let world = Self(folder);
        std::fs::create_dir(world.temporary()).unwrap();
        std::fs::create_dir(world.home()).unwrap();
        world
    }

    /// A world whose data directory knows Ann, an administrator.
    pub(crate) fn owner() -> Self {
        let world = Self::new();
        world.create_user(ANN, "administrator");
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.path("tmp")
    }

    /// The program with these arguments, in this world.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home())
            .env("XDG_CONFIG_HOME", self.home().join("config"))
            .env("XDG_DATA_HOME", self.home().join("share"))
            .env("XDG_CACHE_HOME", self.home().join("cache"))
            .env("TMPDIR", self.temporary())
            .current_dir(self.home())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(coverage) = std::env::var_os("LLVM_PROFILE_FILE") {
            command.env("LLVM_PROFILE_FILE", coverage);
        }
        command
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Done {
        run(&mut self.command(arguments))
    }

    /// An administrative command that must be done; its answer.
    pub(crate) fn admin(&self, arguments: &[&str]) -> Value {
        self.try_admin(arguments).ok().json()
    }

    pub(crate) fn try_admin(&self, arguments: &[&str]) -> Done {
        let data = self.data();
        let own = ["admin", "--data", text(&data), "--json"];
        self.run(&[&own, arguments].concat())
    }

    pub(crate) fn create_user(&self, email: &str, role: &str) -> Value {
        self.admin(&["user", "create", "--email", email, "--role", role])
    }

    pub(crate) fn create_credential(&self, owner: &str, instance: &str, name: &str) -> Credential {
        let command = ["credential", "create", "--owner", owner];
        let rest = ["--instance", instance, "--name", name];
        Credential::read(&self.admin(&[command, rest].concat()))
    }
}

/// A credential as it was shown once.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) token_url: String,
    pub(crate) base_url: String,
}

impl Credential {
    pub(crate) fn read(answer: &Value) -> Self {
        let text = |name: &str| {
            let value = answer[name].as_str();
            value
                .unwrap_or_else(|| panic!("no {name} in {answer}"))
                .to_owned()
        };
        Self {
            client_id: text("clientId"),
            client_secret: text("clientSecret"),
            token_url: text("tokenUrl"),
            base_url: text("baseUrl"),
        }
    }

    /// The variables of a profile that lives in the environment.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 4] {
        [
            ("HALLPASS_TOKEN_URL", &self.token_url),
            ("HALLPASS_BASE_URL", &self.base_url),
            ("HALLPASS_CLIENT_ID", &self.client_id),
            ("HALLPASS_CLIENT_SECRET", &self.client_secret),
        ]
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    /// It must have ended well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.ended(0)
    }

    /// It must have ended with this code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// What it printed for a script.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Its words must hold each of these.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "`{word}` is not said: {self:#?}"
            );
        }
        self
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Done {
    command.output().unwrap().into()
}

/// Runs a command that reads `input`.
pub(crate) fn run_with_input(command: &mut Command, input: &str) -> Done {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that refuses its arguments is gone before it reads.
    if let Err(error) = stdin.write_all(input.as_bytes()) {
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe, "{error}");
    }
    drop(stdin);
    child.wait_with_output().unwrap().into()
}

/// Looks until there is something to see.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < give_up, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Sends a signal, by its name, to a process of ours.
pub(crate) fn signal(process: u32, name: &str) {
    let line = format!("kill -{name} {process}");
    assert!(
        Command::new("sh")
            .args(["-c", &line])
            .status()
            .unwrap()
            .success()
    );
}

/// All files below a folder. One that goes away meanwhile is passed over.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}
