//! What a person does before a terminal.

use std::process::Command;

use crate::terminal::Terminal;
use crate::world::World;

/// Runs a command, types what stands behind the questions of its expected output, and presses
/// Ctrl-C where that stands; the code and what the screen shows.
pub(super) fn answers(
    world: &World,
    like: &Command,
    command: &str,
    expected: &[String],
    secret: &str,
) -> (Option<i32>, String) {
    let mut terminal = Terminal::line(world, like, command);
    let mut above = "";
    for line in expected {
        if line == "^C" {
            terminal.wait_for(above);
            terminal.press("\x03");
        } else if line.starts_with(UNSEEN) {
            terminal.answer_unseen(UNSEEN, secret);
        } else if let Some((question, answer)) = question(line) {
            terminal.answer(question, answer.trim());
        }
        above = line.split('…').next().unwrap_or_default();
    }
    let (status, screen) = terminal.ended();
    (status.code(), screen.replace('\r', ""))
}

/// Answered with the client secret, which the document does not show and the screen neither.
const UNSEEN: &str = "Client secret:";

/// A line that ends with an answer: the end of its question, and the answer.
fn question(line: &str) -> Option<(&str, &str)> {
    let ends = [
        "or base URL of the API:",
        "Token URL:",
        "Client id:",
        "[y/N]",
        "[Y/n]",
    ];
    ends.iter().find_map(|end| {
        let (question, answer) = line.split_at(line.find(end)? + end.len());
        Some((question.rsplit('…').next()?, answer))
    })
}

/// Types a line into a bash that completes, with its keys; the candidates that were shown, or
/// what became of the line where there was one.
pub(super) fn completes(world: &World, mut like: Command, line: &str) -> String {
    const PROMPT: &str = "ready> ";
    // A terminal that can do nothing gets letters only, and steps back.
    like.env("TERM", "dumb").env("PS1", PROMPT);
    let mut terminal = Terminal::line(world, &like, "bash --norc --noprofile -i");
    terminal.answer(PROMPT, "eval \"$(hallpass completion bash)\"");
    terminal.wait_for(PROMPT);
    terminal.press(&line.replace("<Tab>", "\t"));
    // Made a comment, the line can be entered.
    terminal.press("\x1b#");
    terminal.answer(PROMPT, "exit");
    let (status, screen) = terminal.ended();
    assert!(status.success(), "{status}: {screen}");
    let lines = rendered(&screen);
    let typed =
        |line: &&String| line.starts_with("ready> hallpass") || line.starts_with("ready> #");
    let begin = lines.iter().position(|line| typed(&line));
    let end = lines.iter().position(|line| line.starts_with("ready> #"));
    let (Some(begin), Some(end)) = (begin, end) else {
        return screen;
    };
    match &lines[begin..end] {
        [] => lines[end]["ready> #".len()..].to_owned(),
        [_, candidates @ ..] => candidates.join("\n"),
    }
}

/// The lines of a screen that was written with steps back.
fn rendered(screen: &str) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let mut column = 0_usize;
    for letter in screen.chars() {
        let line = lines.last_mut().unwrap();
        match letter {
            '\n' => lines.push(Vec::new()),
            '\r' => column = 0,
            '\u{8}' => column = column.saturating_sub(1),
            '\u{7}' => {}
            _ => {
                line.resize(line.len().max(column + 1), ' ');
                line[column] = letter;
                column += 1;
            }
        }
    }
    lines.into_iter().map(String::from_iter).collect()
}
