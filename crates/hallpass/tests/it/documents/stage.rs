//! Where the commands of one document run.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::examples::{Example, Place};
use super::person;
use crate::finding::shells::is_there;
use crate::foreign::scripts::Installed;
use crate::http::get;
use crate::server::Server;
use crate::world::{ANN, Credential, World, run_with_input, text};

/// The client id that documents show.
const SHOWN_ID: &str = "00cfff70-86ab-4f66-8245-1eb054639c38";

/// A code, if the command has ended by itself, and what it said.
type Played = (Option<i32>, String);

/// A world with a server, a credential, a profile of it, and one bash.
pub(super) struct Stage {
    world: World,
    server: Server,
    credential: Credential,
    shell: Shell,
}

impl Stage {
    pub(super) fn new() -> Self {
        let world = World::owner();
        let server = Server::start(&world);
        let credential = world.create_credential(ANN, "us1", "documented");
        let [token_url, base_url] = [&credential.token_url, &credential.base_url];
        // Without trying it: the documents ask for tokens of the same credential by other means, and
        // each of them ends the one before.
        let mut add =
            world.command(&["profile", "add", "local", "--secret-file", "-", "--no-test"]);
        add.args(["--client-id", &credential.client_id]);
        add.args(["--token-url", token_url, "--base-url", base_url]);
        run_with_input(&mut add, &credential.client_secret).ok();
        let shell = Shell::start(&mut in_world(&world, &credential, "timeout"));
        Self {
            world,
            server,
            credential,
            shell,
        }
    }

    /// Runs a command; none if this machine does not have what it takes.
    pub(super) fn play(&mut self, example: &Example) -> Option<Played> {
        let command = example.command.as_str();
        if command.starts_with("newman ") {
            Installed::find()?;
        }
        let (code, output) = match example.place {
            Place::Terminal if !is_there("script") => return None,
            Place::Terminal => self.on_terminal(example),
            Place::Shell if starts_servers(command) => return Some(serve(command)),
            Place::Shell => self.in_shell(command),
            Place::Nowhere => panic!("{command} is in no block whose commands are run"),
        };
        Some((code, self.as_documented(&output)))
    }

    fn in_shell(&mut self, command: &str) -> Played {
        let file = self.world.path("output");
        let code = self.shell.run(&self.as_here(command), &file);
        (code, std::fs::read_to_string(file).unwrap_or_default())
    }

    fn on_terminal(&self, example: &Example) -> Played {
        let like = in_world(&self.world, &self.credential, "hallpass");
        let command = self.as_here(&example.command);
        if command.contains("<Tab>") {
            return (Some(0), person::completes(&self.world, like, &command));
        }
        let mut expected = Vec::new();
        for line in &example.expected {
            expected.push(self.as_here(line));
        }
        let secret = &self.credential.client_secret;
        let (code, screen) = person::answers(&self.world, &like, &command, &expected, secret);
        assert!(!screen.contains(secret.as_str()), "{screen}");
        (code, screen)
    }

    /// What documents show, and what it is here.
    fn names(&self) -> [(&'static str, String); 9] {
        let metrics = self.server.metrics().trim_end_matches("/metrics");
        let data = self.world.data();
        [
            ("http://127.0.0.1:8080", self.server.base().to_owned()),
            (
                "http://127.0.0.1:8081",
                self.server.instance("eu1").to_owned(),
            ),
            (
                "http://127.0.0.1:8082",
                self.server.instance("jp1").to_owned(),
            ),
            (
                "http://127.0.0.1:8083",
                self.server.instance("us1").to_owned(),
            ),
            ("http://127.0.0.1:9090", metrics.to_owned()),
            ("https://127.0.0.1:8443", self.server.tls().to_owned()),
            ("http://127.0.0.1:3128", self.server.proxy().to_owned()),
            ("~/.local/share/hallpass", text(&data).to_owned()),
            (SHOWN_ID, self.credential.client_id.clone()),
        ]
    }

    fn as_here(&self, text: &str) -> String {
        let names = self.names();
        let here = |text: String, (shown, real): &(&str, String)| text.replace(shown, real);
        names.iter().fold(text.to_owned(), here)
    }

    fn as_documented(&self, text: &str) -> String {
        let names = self.names();
        let shown = |text: String, (shown, real): &(&str, String)| text.replace(real, shown);
        names.iter().fold(text.to_owned(), shown)
    }
}

/// A program with the environment that documents speak of.
fn in_world(world: &World, credential: &Credential, program: &str) -> Command {
    let folder = Path::new(env!("CARGO_BIN_EXE_hallpass")).parent().unwrap();
    let foreign = Installed::folder();
    let like = world.command::<&str>(&[]);
    let mut command = Command::new(program);
    command.env_clear();
    for (name, value) in like.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let path = format!(
        "{}:/usr/local/bin:/usr/bin:/bin:{foreign}/node_modules/.bin:{foreign}/venv/bin",
        text(folder),
        foreign = text(&foreign),
    );
    command
        .env("PATH", path)
        .env("HALLPASS_DATA", world.data())
        .env("CLIENT_ID", &credential.client_id)
        .env("CLIENT_SECRET", &credential.client_secret)
        .current_dir(world.home());
    command
}

/// A bash that runs one command after the other, so that what one sets the next one has.
struct Shell {
    child: Child,
    commands: Option<ChildStdin>,
    codes: BufReader<ChildStdout>,
}

impl Shell {
    fn start(timeout: &mut Command) -> Self {
        let mut child = timeout
            .args(["180", "bash", "-us"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            commands: child.stdin.take(),
            codes: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Runs a command with its output in the file; none if the shell has ended by it.
    fn run(&mut self, command: &str, output: &Path) -> Option<i32> {
        let mut lines = String::new();
        writeln!(lines, "{{ {command}\n}} >{} 2>&1 </dev/null", text(output)).unwrap();
        lines.push_str("echo $?\n");
        let commands = self.commands.as_mut().unwrap();
        // The shell may have ended before.
        commands.write_all(lines.as_bytes()).ok()?;
        let mut code = String::new();
        self.codes.read_line(&mut code).unwrap();
        code.trim().parse().ok()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.commands.take());
        let _ = self.child.wait();
    }
}

/// Whether a command starts servers that run until they are stopped.
fn starts_servers(command: &str) -> bool {
    let asks = ["--trust", "--print-config", "--help"];
    command.split_whitespace().take(2).eq(["hallpass", "serve"])
        && !asks.iter().any(|flag| command.contains(flag))
}

/// The servers of a command, on free ports and with a data directory of their own: they say what
/// they say, are asked whether they are ready, and stop when they are told.
fn serve(command: &str) -> Played {
    let world = World::owner();
    let arguments: Vec<&str> = command.split_whitespace().skip(2).collect();
    let mut server = Server::start_with(&world, &arguments, &[]);
    let said = server.words();
    let ready = get(&format!("{}/readyz", server.base()));
    assert_eq!(ready.status, 200, "{ready:?}");
    server.process.signal("TERM");
    let code = server.process.end().code();
    let addresses = [
        ("http://127.0.0.1:8080", server.base()),
        ("http://127.0.0.1:8081", server.instance("eu1")),
        ("http://127.0.0.1:8082", server.instance("jp1")),
        ("http://127.0.0.1:8083", server.instance("us1")),
        (
            "http://127.0.0.1:9090",
            server.metrics().trim_end_matches("/metrics"),
        ),
        ("https://127.0.0.1:8443", server.tls()),
        ("http://127.0.0.1:3128", server.proxy()),
    ];
    let said = addresses
        .iter()
        .fold(said, |said, (shown, real)| said.replace(real, shown));
    (code, said)
}
