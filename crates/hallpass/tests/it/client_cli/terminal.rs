//! What a person sees on a terminal: questions, and how far a long call is. The terminal is the one
//! that `script` makes; without it on the machine the tests are skipped with a word.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::lists::page;
use super::odd::{Odd, json};
use super::waits::running;
use super::{Client, profiles::add_profile};
use crate::finding::shells::is_there;
use crate::world::{World, eventually, text};

/// A command on a terminal of its own. What it writes to standard output is in a file beside it.
struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
    /// How far the screen has been read.
    read: usize,
    /// The file that names the terminal.
    name: PathBuf,
    stdout: PathBuf,
}

impl Terminal {
    fn start(world: &World, command: &Command) -> Self {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> = words
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        let (name, stdout) = (world.path("terminal"), world.path("stdout"));
        let _ = std::fs::remove_file(&name);
        let line = format!(
            "stty cols 100 rows 30; tty > {}; exec {} > {}",
            text(&name),
            words.join(" "),
            text(&stdout)
        );
        let variables = command.get_envs();
        let mut child = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env_clear()
            .envs(variables.filter_map(|(name, value)| Some((name, value?))))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("TERM", "xterm")
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
            reader,
            read: 0,
            name,
            stdout,
        }
    }

    /// Waits for a question and answers it.
    fn answer(&mut self, question: &str, answer: &str) {
        self.wait_for(question);
        self.type_line(answer);
    }

    /// The same once the terminal shows no more what is typed.
    fn answer_unseen(&mut self, question: &str, answer: &str) {
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
        self.type_line(answer);
    }

    fn wait_for(&mut self, words: &str) {
        let (screen, from) = (self.screen.clone(), self.read);
        self.read = eventually(words, || {
            let screen = screen.lock().unwrap();
            let mut parts = screen[from..].windows(words.len());
            Some(from + parts.position(|part| part == words.as_bytes())? + words.len())
        });
    }

    fn type_line(&mut self, line: &str) {
        self.keyboard
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }

    /// All that was on the screen, and standard output, when the command has ended well.
    #[track_caller]
    fn end(mut self) -> (String, String) {
        let status = self.child.wait().unwrap();
        self.reader.join().unwrap();
        let screen = String::from_utf8(self.screen.lock().unwrap().clone()).unwrap();
        assert!(status.success(), "{status}: {screen}");
        (screen, std::fs::read_to_string(&self.stdout).unwrap())
    }
}

#[test]
fn what_a_new_profile_lacks_is_asked_for_and_the_secret_is_not_shown() {
    if !is_there("script") {
        return;
    }
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let mut terminal = Terminal::start(world, &world.command(&["profile", "add", "asked"]));
    terminal.answer("base URL of the API: ", &credential.base_url);
    terminal.answer("Token URL: ", &credential.token_url);
    terminal.answer("Client id: ", &credential.client_id);
    terminal.answer_unseen("Client secret: ", &credential.client_secret);
    terminal.answer("[y/N]", "n");
    let (screen, stdout) = terminal.end();
    assert_eq!(stdout, "");
    // What is typed elsewhere is seen.
    assert!(screen.contains(&credential.client_id), "{screen}");
    assert!(!screen.contains(&credential.client_secret), "{screen}");
    world.run(&["token", "-p", "asked"]).ok();

    // What was given is not asked for.
    let given = world.command(&add_profile("given", credential));
    let mut terminal = Terminal::start(world, &given);
    terminal.answer_unseen("Client secret: ", &credential.client_secret);
    terminal.answer("[y/N]", "n");
    let (screen, _) = terminal.end();
    assert!(
        !screen.contains("URL") && !screen.contains("Client id"),
        "{screen}"
    );
    assert!(!screen.contains(&credential.client_secret), "{screen}");
}

#[test]
fn the_file_that_a_credential_came_in_is_deleted_when_the_person_says_so() {
    if !is_there("script") {
        return;
    }
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let file = world.path("credential.json");
    let download = serde_json::json!({
        "clientId": credential.client_id, "clientSecret": credential.client_secret,
        "tokenUrl": credential.token_url, "baseUrl": credential.base_url,
    });
    std::fs::write(&file, download.to_string()).unwrap();
    for (name, answer) in [("kept", ""), ("deleted", "y")] {
        let add = ["profile", "add", name, "--from", text(&file)];
        let mut terminal = Terminal::start(world, &world.command(&add));
        terminal.answer("The key store is not used", "n");
        terminal.answer("still holds the secret. Delete it? [y/N]", answer);
        let (screen, _) = terminal.end();
        assert!(!screen.contains(&credential.client_secret), "{screen}");
        assert_eq!(file.exists(), name == "kept", "{screen}");
        let told = ["warning: ", "is deleted."][usize::from(name == "deleted")];
        let after = screen.rsplit("[y/N]").next().unwrap();
        assert!(after.contains(told), "{screen}");
        world.run(&["token", "-p", name]).ok();
    }
}

#[test]
fn a_bar_shows_how_far_a_long_list_is_and_is_nowhere_in_the_answer() {
    if !is_there("script") {
        return;
    }
    let odd = Odd::start(|path| page(path, 300, 100));
    let list = ["get", "/v", "--all"];
    let (screen, stdout) = Terminal::start(&odd.world, &odd.command(&list)).end();
    assert!(screen.contains(" of 300 items"), "{screen:?}");
    let alone = odd.run(&list).ok();
    assert_eq!((stdout, ""), (alone.stdout, alone.stderr.as_str()));
}

#[test]
fn a_bar_shows_how_far_a_task_is_and_is_nowhere_in_the_answer() {
    if !is_there("script") {
        return;
    }
    let looks = AtomicUsize::new(0);
    let odd = Odd::start(move |path| match path {
        "/start" => json(r#"{"taskUri":"t"}"#),
        _ if looks.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) => running(40),
        _ => json(r#"{"state":"SUCCEEDED","progressPercent":100}"#),
    });
    let wait = ["get", "/start", "--wait"];
    let (screen, stdout) = Terminal::start(&odd.world, &odd.command(&wait)).end();
    assert!(screen.contains(" 40 %  "), "{screen:?}");
    let alone = odd.run(&wait).ok();
    assert_eq!((stdout, ""), (alone.stdout, alone.stderr.as_str()));
}
