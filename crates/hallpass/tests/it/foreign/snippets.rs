//! The programs that `hallpass sample` writes, run by their interpreters. PowerShell is in no registry
//! that tests may use: its program is compared, line by line, with the request that the others send.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::scripts::Installed;
use super::strict::{CLIENT_SECRET, Strict, Wants};
use super::{Stage, skip};
use crate::world::{Done, run};

/// The languages whose programs can be run, and what runs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runs {
    Bash,
    Node,
    Python,
    PythonOauthlib,
}

impl Runs {
    const ALL: [Self; 4] = [Self::Bash, Self::Node, Self::Python, Self::PythonOauthlib];

    fn language(self) -> &'static str {
        match self {
            Self::Bash => "curl",
            Self::Node => "javascript",
            Self::Python => "python",
            Self::PythonOauthlib => "python-oauthlib",
        }
    }

    fn interpreter(self, installed: &Installed) -> Command {
        match self {
            Self::Bash => {
                let mut bash = Command::new("bash");
                bash.env_clear().env("NO_PROXY", "*");
                if let Some(path) = std::env::var_os("PATH") {
                    bash.env("PATH", path);
                }
                bash
            }
            Self::Node => installed.program("node"),
            Self::Python | Self::PythonOauthlib => installed.program("python"),
        }
    }
}

/// A stage, and the interpreters.
struct Samples {
    stage: Stage,
    installed: Installed,
}

impl Samples {
    fn set() -> Option<Self> {
        let installed = Installed::find()?;
        for program in ["curl", "bash"] {
            if Command::new(program).arg("--version").output().is_err() {
                skip(&format!("there is no {program}"));
                return None;
            }
        }
        // What is created is there at once.
        let stage = Stage::set_with("[sandbox]\ntask_milliseconds = 0\n");
        Some(Self { stage, installed })
    }

    /// The program for these arguments.
    fn write(&self, language: &str, arguments: &[&str]) -> String {
        self.write_with(language, arguments, &[])
    }

    fn write_with(&self, language: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let mut all = vec!["sample", "--lang", language];
        all.extend(arguments);
        let mut command = self.stage.client(&all);
        let done = run(command.envs(variables.iter().copied())).ok();
        assert!(
            !done.stdout.contains(&self.stage.credential.client_secret),
            "{done:?}"
        );
        done.stdout
    }

    /// Runs a program, with the secret in its environment.
    fn run(&self, runs: Runs, program: &str) -> Done {
        self.run_with(runs, program, Some(&self.stage.credential.client_secret))
    }

    fn run_with(&self, runs: Runs, program: &str, secret: Option<&str>) -> Done {
        let file = self.stage.world.path("sample");
        std::fs::write(&file, program).unwrap();
        let mut command = runs.interpreter(&self.installed);
        command
            .arg(&file)
            .env("HOME", self.stage.world.home())
            .envs(secret.map(|secret| ("HALLPASS_CLIENT_SECRET", secret)))
            .stdin(Stdio::null());
        run(&mut command)
    }

    fn list(&self, filter: &str) -> Value {
        let filter = format!("filter={filter}");
        run(&mut self.stage.client(&["call", "VolumesList", &filter]))
            .ok()
            .json()
    }
}

/// Signs that mean something to shells, to languages or to URLs.
const ODD: &str = "it's $HOME `id` \"q\" %41 a&b=c+d #é日";

#[test]
fn samples_read_create_and_name_odd_things() {
    let Some(samples) = Samples::set() else {
        return;
    };
    for runs in Runs::ALL {
        let language = runs.language();
        let read = ["VolumesList", "limit=1", "filter=name ne 'no such & name'"];
        let done = samples.run(runs, &samples.write(language, &read)).ok();
        assert_eq!(
            done.json()["items"].as_array().unwrap().len(),
            1,
            "{language}"
        );

        // The filter goes through a literal and a URL; the name through a literal and JSON.
        let name = format!("vol-{language}");
        let comments = format!("comments={ODD}");
        let create = ["VolumeCreate", &format!("name={name}"), &comments];
        let program = samples.write(language, &create);
        for comment in ["From the examples of the definition", "taskUri"] {
            assert!(program.contains(comment), "{program}");
        }
        let done = samples.run(runs, &program).ok();
        assert_eq!(done.json()["status"], "SUBMITTED", "{language}");
        let found = samples.list(&format!("name eq '{name}'"));
        assert_eq!(found["total"], 1, "{language}");

        let odd = format!("id={ODD}/..");
        let missing = samples.write(language, &["VolumeGetById", &odd]);
        let done = samples.run(runs, &missing).ended(1);
        let answer: Value = serde_json::from_str(done.stdout.trim()).unwrap();
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(&format!("{ODD}/..")), "{language}: {error}");
    }
}

#[test]
fn samples_end_without_a_secret_or_a_token() {
    let Some(samples) = Samples::set() else {
        return;
    };
    for runs in Runs::ALL {
        let program = samples.write(runs.language(), &["VolumesList"]);
        let without = samples.run_with(runs, &program, None).ended(2);
        assert_eq!(without.stdout, "");
        without.says(&["HALLPASS_CLIENT_SECRET"]);
        let wrong = samples.run_with(runs, &program, Some("wrong")).ended(3);
        assert_eq!(wrong.stdout, "", "the API is not called");
        wrong.says(&["no access token", "invalid_client"]);
    }
    assert_eq!(samples.stage.minted(), 0);
}

#[test]
fn samples_authenticate_as_the_profile_says() {
    let Some(samples) = Samples::set() else {
        return;
    };
    let basic = [("HALLPASS_AUTHENTICATION", "basic")];
    for runs in Runs::ALL {
        let program = samples.write_with(runs.language(), &["ListTasks"], &basic);
        assert!(
            program.contains("Basic") || program.contains("auth=("),
            "{program}"
        );
        let done = samples.run(runs, &program).ok();
        assert!(done.json()["items"].is_array());
    }
}

/// Whatever a credential holds: to each program it is sent as the profile sends it.
#[test]
fn samples_send_an_odd_credential_as_the_profile_does() {
    let Some(samples) = Samples::set() else {
        return;
    };
    for wants in Wants::ALL {
        let strict = Strict::start(wants);
        let mut call = samples
            .stage
            .world
            .command(&["call", "ListTasks", "-o", "json"]);
        strict.known_to(&mut call);
        assert_eq!(run(&mut call).ok().json()["total"], 0, "{wants:?}");
        for runs in Runs::ALL {
            let sample = ["sample", "--lang", runs.language(), "ListTasks"];
            let mut write = samples.stage.world.command(&sample);
            strict.known_to(&mut write);
            let program = run(&mut write).ok().stdout;
            let done = samples.run_with(runs, &program, Some(CLIENT_SECRET)).ok();
            assert_eq!(done.json()["total"], 0, "{wants:?} {runs:?}");
        }
    }
}

#[test]
fn a_sample_holds_a_token_only_if_it_is_asked_for() {
    let Some(samples) = Samples::set() else {
        return;
    };
    for runs in Runs::ALL {
        let with = ["VolumesList", "limit=1", "--include-token"];
        let program = samples.write(runs.language(), &with);
        samples.run_with(runs, &program, None).ok();
        let token = run(&mut samples.stage.client(&["token"])).ok().stdout;
        assert!(program.contains(token.trim()));
        let without = samples.write(runs.language(), &with[..2]);
        assert!(!without.contains("eyJ"), "{without}");
    }
}
