//! The scripts in real shells, with a terminal of their own: what is typed, with the key, becomes a
//! command that runs. A shell that is not on the machine is skipped with a word.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::world::{World, text};

/// Whether a program is there.
#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
pub(crate) fn is_there(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output();
    let there = found.is_ok_and(|found| found.status.success());
    if !there {
        println!("skipped: {program} is not on this machine");
    }
    there
}

/// The world's environment, with the program on the path.
fn in_world(world: &World, program: &str, arguments: &[&str]) -> Command {
    let folder = Path::new(env!("CARGO_BIN_EXE_hallpass")).parent().unwrap();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("HOME", world.home())
        .env("XDG_CONFIG_HOME", world.home().join("config"))
        .env("XDG_DATA_HOME", world.home().join("share"))
        .env("XDG_CACHE_HOME", world.home().join("cache"))
        .env("TERM", "dumb")
        .env(
            "PATH",
            format!("{}:/usr/local/bin:/usr/bin:/bin", text(folder)),
        )
        .current_dir(world.home())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn output(mut command: Command, typed: &str) -> String {
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(typed.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Types into a shell on a terminal; `\t` is the key.
fn typed(world: &World, shell: &str, start: &str, line: &str) -> String {
    let session = in_world(world, "script", &["-qec", shell, "/dev/null"]);
    output(session, &format!("{start}\n{line}\nexit\n"))
}

/// What bash has as candidates for a line.
fn replies(world: &World, line: &str) -> Vec<String> {
    let script = format!(
        "eval \"$(hallpass completion bash)\"; COMP_LINE={}; COMP_POINT=${{#COMP_LINE}}; _hallpass; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        format_args!("'{}'", line.replace('\'', r"'\''"))
    );
    let bash = in_world(world, "bash", &["--norc", "--noprofile", "-c", &script]);
    output(bash, "")
        .lines()
        .map(str::to_owned)
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn bash_gets_the_end_of_the_word_that_it_replaces() {
    if !is_there("bash") {
        return;
    }
    let world = World::new();
    std::fs::write(world.home().join("a b.json"), "{}").unwrap();
    for (line, wanted) in [
        ("hallpass cal", "call "),
        ("hallpass call volumec", "VolumeCreate "),
        ("hallpass call VolumeCreate sizeM", "sizeMib="),
        ("hallpass call VolumeCreate dataReduction=t", "true "),
        (
            "hallpass call VolumeCreate 'dataReduction=t",
            "dataReduction=true",
        ),
        ("hallpass call VolumesList select=id,nam", "id,name "),
        ("hallpass call VolumeCreate --data @a", "a\\ b.json "),
        ("hallpass call VolumeCreate --output=js", "json "),
    ] {
        assert!(
            replies(&world, line).iter().any(|one| one == wanted),
            "{line}: {:?}",
            replies(&world, line)
        );
    }
    assert_eq!(
        replies(&world, "hallpass call nothing-like-it"),
        [] as [&str; 0]
    );
}

const LINE: &str = "hallpass api show listta\t --dep\t 1 | head -2";

#[test]
fn a_line_is_completed_in_a_real_bash() {
    if !is_there("bash") || !is_there("script") {
        return;
    }
    let world = World::new();
    let start = "eval \"$(hallpass completion bash)\"";
    let seen = typed(&world, "bash --norc --noprofile -i", start, LINE);
    assert!(seen.contains("GET /api/v1/tasks"), "{seen}");
}

#[test]
fn a_line_is_completed_in_a_real_zsh() {
    if !is_there("zsh") || !is_there("script") {
        return;
    }
    let world = World::new();
    let start = "autoload -Uz compinit; compinit -u; eval \"$(hallpass completion zsh)\"";
    let seen = typed(&world, "zsh -f -i", start, LINE);
    assert!(seen.contains("GET /api/v1/tasks"), "{seen}");
}

#[test]
fn fish_shows_what_can_come_with_a_word_about_it() {
    if !is_there("fish") {
        return;
    }
    let world = World::new();
    let ask = "hallpass completion fish | source; complete -C 'hallpass api show listta'; \
               complete -C 'hallpass call VolumeCreate si'";
    let seen = output(in_world(&world, "fish", &["-N", "-c", ask]), "");
    assert!(seen.contains("ListTasks\tList the tasks\n"), "{seen}");
    assert!(seen.contains("sizeMib=\trequired, integer"), "{seen}");
}
