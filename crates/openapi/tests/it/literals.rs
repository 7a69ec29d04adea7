//! Literals of generated programs, read by the interpreters themselves, where they are at hand.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hallpass_openapi::code::Language;

/// Texts that mean something to some language, and all characters up to U+02FF with some beyond.
fn texts() -> Vec<String> {
    let nasty = [
        "",
        "'",
        "''",
        "\"",
        "\\",
        "\\\\'",
        "\\n",
        "\n",
        "\r\n",
        "\n\n",
        "$HOME",
        "${HOME}",
        "$(id)",
        "`id`",
        "!!",
        "%s",
        "%(a)s",
        "{{a}}",
        "#{a}",
        "a\tb",
        "'@\n'@",
        "\"@",
        "EOF\nEOF",
        "\u{2018}a\u{2019}",
        "-n",
        "*",
        "~",
        "a b ",
        "\\u0041",
        "\\x41",
        "\\101",
        "\u{feff}",
        "\u{2028}",
        "\u{202e}abc",
        "é\u{301}",
        "日本語",
        "🦀",
        "</script>",
    ];
    let every: String = (1..0x300).filter_map(char::from_u32).collect();
    let long = "x'\"\\$`".repeat(50_000);
    let texts = nasty.iter().map(|text| (*text).to_owned());
    texts.chain([every, long]).collect()
}

#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
fn skip(program: &Path) {
    let words = format!("skipped: there is no {}", program.display());
    let required = std::env::var_os("HALLPASS_FOREIGN").is_some_and(|word| word == "required");
    assert!(!required, "{words}");
    println!("{words}");
}

/// The interpreter that `scripts/foreign-clients` installs, else the machine's.
fn installed(program: &str, else_called: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("foreign/venv/bin");
    let own = folder.join(program);
    if own.exists() {
        own
    } else {
        else_called.into()
    }
}

/// Runs a script that prints each text, with a NUL behind it.
fn check(language: Language, program: &Path, script: &str) {
    let spawned = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("PYTHONIOENCODING", "utf-8")
        .spawn();
    let Ok(mut child) = spawned else {
        skip(program);
        return;
    };
    // What it prints is read while it reads: neither waits for the other for ever.
    let mut stdin = child.stdin.take().unwrap();
    let script = script.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    assert!(
        output.status.success(),
        "{language:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed: Vec<&str> = printed.split_terminator('\0').collect();
    let texts = texts();
    assert_eq!(printed.len(), texts.len(), "{language:?}");
    for (printed, text) in printed.iter().zip(&texts) {
        assert!(printed == text, "{language:?}: {text:?} became {printed:?}");
    }
}

fn lines(language: Language, line: impl Fn(&str) -> String) -> String {
    let texts = texts();
    let lines = texts
        .iter()
        .map(|text| line(&language.literal(text)) + "\n");
    lines.collect()
}

#[test]
fn bash_reads_what_was_meant() {
    let script = lines(Language::Curl, |literal| {
        format!("printf '%s\\0' {literal}")
    });
    check(Language::Curl, Path::new("bash"), &script);
}

#[test]
fn python_reads_what_was_meant() {
    let print = |literal: &str| format!("sys.stdout.buffer.write(({literal} + '\\0').encode())");
    let script = format!("import sys\n{}", lines(Language::Python, print));
    check(Language::Python, &installed("python", "python3"), &script);
}

#[test]
fn node_reads_what_was_meant() {
    let print = |literal: &str| format!("all.push({literal} + '\\0');");
    let lines = lines(Language::JavaScript, print);
    let script = format!("const all = [];\n{lines}process.stdout.write(all.join(''));\n");
    check(Language::JavaScript, &installed("node", "node"), &script);
}

/// Rust's own reader, with the compiler that builds this test.
#[test]
fn rust_reads_what_was_meant() {
    let print = |literal: &str| format!("    print!(\"{{}}\\0\", {literal});");
    let script = format!("fn main() {{\n{}}}\n", lines(Language::Rust, print));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (folder.join("literals.rs"), folder.join("literals"));
    std::fs::write(&source, script).unwrap();
    let rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition", "2024", "-o"])
        .args([&program, &source])
        .output();
    let Ok(compiled) = rustc else {
        skip(Path::new("rustc"));
        return;
    };
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    check(Language::Rust, &program, "");
}
