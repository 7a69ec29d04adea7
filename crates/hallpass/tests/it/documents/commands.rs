//! Every command of the documents is run, and what a document shows of its output must come.
//!
//! In a block marked `console`, a line that begins with `$ ` is a command; bash runs all commands of a
//! document in their order, in an empty home directory, against a running `hallpass serve` whose
//! addresses take the place of the default ones. `$CLIENT_ID` and `$CLIENT_SECRET` are a credential of Ann,
//! an administrator, for us1, and the current profile `local` has it. Below a command stands its output: `…`
//! is anything within a line, a line of it alone any lines; nothing means that the output is not looked at.
//! A command that ends with a code other than 0 has it behind it: `# exit 2`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::Server;
use crate::world::{ANN, World, run, run_with_input, text};

/// The documents that users read.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut documents: Vec<PathBuf> = std::fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    documents.push(root.join("README.md"));
    documents.sort();
    documents
}

#[test]
fn every_command_of_the_documents_does_what_they_say() {
    let mut wrong = String::new();
    let mut commands = 0;
    for document in documents() {
        let examples = examples(&std::fs::read_to_string(&document).unwrap());
        if examples.is_empty() {
            continue;
        }
        commands += examples.len();
        let stage = Stage::new();
        for (example, (code, output)) in examples.iter().zip(stage.play(&examples)) {
            let shown = example.expected.is_empty() || fits(&example.expected, &lines(&output));
            if code != Some(example.exit) || !shown {
                let name = document.file_name().unwrap().display();
                let Example {
                    line,
                    command,
                    exit,
                    ..
                } = example;
                writeln!(
                    wrong,
                    "{name}:{line}: {command}\nexit {code:?}, not {exit}; it said:\n{output}"
                )
                .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(commands > 20, "only {commands} commands were found");
}

/// A command and what should come of it.
#[derive(Debug)]
struct Example {
    line: usize,
    command: String,
    exit: i32,
    expected: Vec<String>,
}

fn examples(document: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let (mut inside, mut goes_on) = (false, false);
    for (number, line) in document.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
            goes_on = false;
        } else if !inside {
        } else if goes_on {
            let last = examples.last_mut().unwrap();
            last.command.push('\n');
            last.command.push_str(line);
            goes_on = line.ends_with('\\');
        } else if let Some(command) = line.strip_prefix("$ ") {
            examples.push(Example {
                line: number + 1,
                command: command.to_owned(),
                exit: 0,
                expected: Vec::new(),
            });
            goes_on = line.ends_with('\\');
        } else {
            let last = examples.last_mut().expect("output has a command above it");
            last.expected.push(line.trim_end().to_owned());
        }
    }
    for example in &mut examples {
        if let Some((_, code)) = example.command.rsplit_once("# exit ") {
            example.exit = code.trim().parse().unwrap();
        }
    }
    // The project's own commands are for its developers.
    examples.retain(|example| {
        !["cargo ", "scripts/"]
            .iter()
            .any(|own| example.command.starts_with(own))
    });
    examples
}

fn lines(output: &str) -> Vec<String> {
    output
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// Whether the lines are those that were expected.
fn fits(expected: &[String], lines: &[String]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((any, rest)) if any.trim() == "…" => {
            (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| line_fits(first, line) && fits(rest, lines)),
    }
}

fn line_fits(expected: &str, line: &str) -> bool {
    match expected.split_once('…') {
        None => expected == line,
        Some((before, rest)) => line.strip_prefix(before).is_some_and(|line| {
            let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
            ends.any(|at| line_fits(rest, &line[at..]))
        }),
    }
}

/// Where the commands of one document run.
struct Stage {
    world: World,
    server: Server,
    client_id: String,
    client_secret: String,
}

impl Stage {
    fn new() -> Self {
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
        Self {
            world,
            server,
            client_id: credential.client_id,
            client_secret: credential.client_secret,
        }
    }

    /// Runs the commands; the code and the output of each.
    fn play(&self, examples: &[Example]) -> Vec<(Option<i32>, String)> {
        let folder = self.world.path("played");
        std::fs::create_dir(&folder).unwrap();
        let mut script = String::from("set -u\n");
        for (number, example) in examples.iter().enumerate() {
            let command = self.with_addresses(&example.command);
            let result = folder.join(number.to_string());
            let result = text(&result);
            writeln!(
                script,
                "{{ {command}\n}} >{result}.output 2>&1 </dev/null\necho $? >{result}.code"
            )
            .unwrap();
        }
        run(&mut self.shell(&script));
        let played = |(number, example): (usize, &Example)| {
            let read = |kind: &str| {
                let path = folder.join(format!("{number}.{kind}"));
                std::fs::read_to_string(path).unwrap_or_default()
            };
            // The server of the stage is the one that a reader starts.
            if example.command == "hallpass serve" {
                return (Some(0), self.without_addresses(&self.server.words()));
            }
            let code = read("code").trim().parse().ok();
            (code, self.without_addresses(&read("output")))
        };
        examples.iter().enumerate().map(played).collect()
    }

    fn shell(&self, script: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_hallpass")).parent().unwrap();
        let like = self.world.command::<&str>(&[]);
        let mut shell = Command::new("timeout");
        shell.args(["180", "bash", "-c", script]).env_clear();
        for (name, value) in like.get_envs() {
            if let Some(value) = value {
                shell.env(name, value);
            }
        }
        shell
            .env(
                "PATH",
                format!("{}:/usr/local/bin:/usr/bin:/bin", text(program)),
            )
            .env("HALLPASS_DATA", self.world.data())
            .env("CLIENT_ID", &self.client_id)
            .env("CLIENT_SECRET", &self.client_secret)
            .current_dir(self.world.home());
        shell
    }

    /// The default addresses, and those of this stage.
    fn addresses(&self) -> [(&'static str, &str); 7] {
        [
            ("http://127.0.0.1:8080", self.server.base()),
            ("http://127.0.0.1:8081", self.server.instance("eu1")),
            ("http://127.0.0.1:8082", self.server.instance("jp1")),
            ("http://127.0.0.1:8083", self.server.instance("us1")),
            (
                "http://127.0.0.1:9090",
                self.server.metrics().trim_end_matches("/metrics"),
            ),
            ("https://127.0.0.1:8443", self.server.tls()),
            ("http://127.0.0.1:3128", self.server.proxy()),
        ]
    }

    fn with_addresses(&self, text: &str) -> String {
        // A second server is not meant.
        if text == "hallpass serve" {
            return "true".to_owned();
        }
        self.addresses()
            .iter()
            .fold(text.to_owned(), |text, (documented, real)| {
                text.replace(documented, real)
            })
    }

    fn without_addresses(&self, text: &str) -> String {
        self.addresses()
            .iter()
            .fold(text.to_owned(), |text, (documented, real)| {
                text.replace(real, documented)
            })
    }
}

#[test]
fn what_is_shown_is_compared() {
    let shown = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(fits(&shown("a…c\n…\nz"), &shown("abc\n1\n2\nz")));
    assert!(fits(&shown("…"), &[]));
    for (expected, said) in [
        ("a", "b"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("a…c", "ab"),
        ("…z", "za"),
    ] {
        assert!(
            !fits(&shown(expected), &shown(said)),
            "{expected:?} {said:?}"
        );
    }
    let found = examples("```console\n$ a \\\n  b  # exit 2\nout\n```\n```text\n$ not me\n```\n");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].exit, found[0].expected.len()), (2, 1));
}
