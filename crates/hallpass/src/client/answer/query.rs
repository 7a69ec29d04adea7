//! `--query`: a filter in jq's language, compiled before anything is sent.
//!
//! Numbers go through it as the digits they are written with unless the filter computes with them.
//! What jq can do to the process (read its environment, write to stderr, end it) is left out.

use bytes::Bytes;
use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, compile, unwrap_valr};
use jaq_json::{Num, Val};

use super::misfit;
use super::text::{DEEPEST, Json, JsonText};
use crate::command::CommandError;
use crate::output::printable;

/// A compiled filter.
pub(super) struct Query(jaq_core::Filter<JustLut<Val>>);

impl Query {
    /// Compiles a filter. What is wrong with it is told with its place.
    pub(super) fn compile(code: &str) -> Result<Self, CommandError> {
        let definitions = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs())
            .filter(|definition| !LEFT_OUT.contains(&definition.name));
        let natives = jaq_core::funs()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs())
            .filter(|(name, ..)| !LEFT_OUT.contains(name));
        let arena = Arena::default();
        let program = File { code, path: () };
        let modules = Loader::new(definitions)
            .load(&arena, program)
            .map_err(|errors| refused(code, errors.into_iter().next().map(|(_, e)| unread(e))))?;
        Compiler::default()
            .with_funs(natives)
            .compile(modules)
            .map(Self)
            .map_err(|errors| {
                let first = errors.into_iter().next();
                let first = first.and_then(|(_, errors)| errors.into_iter().next());
                refused(
                    code,
                    first.map(|(found, what)| (undefined(found, &what), found)),
                )
            })
    }

    /// Runs the filter; `each` takes every value that comes out of it, as JSON.
    pub(super) fn run<E: From<CommandError>>(
        &self,
        input: &Json<'_>,
        mut each: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let context = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        for outcome in self.0.id.run((context, value(input))).map(unwrap_valr) {
            let found = outcome.map_err(|error| failed(&error.to_string()))?;
            let mut text = String::new();
            if !print(&found, 0, &mut text) {
                return Err(failed("a value is nested too deep").into());
            }
            each(&text)?;
        }
        Ok(())
    }
}

/// Filters that reach beyond the value: into the environment, to stderr, at the process.
const LEFT_OUT: [&str; 7] = [
    "halt",
    "halt_error",
    "env",
    "stderr",
    "stderr_empty",
    "debug",
    "debug_empty",
];

/// What is wrong with the text of a filter, and where.
fn unread(error: load::Error<&str>) -> (String, &str) {
    match error {
        load::Error::Io(mut errors) if !errors.is_empty() => {
            let (found, why) = errors.swap_remove(0);
            (why, found)
        }
        load::Error::Lex(errors) => errors
            .into_iter()
            .next()
            .map_or_else(nothing, |(expected, found)| {
                (format!("{} expected", expected.as_str()), found)
            }),
        load::Error::Parse(errors) => errors
            .into_iter()
            .next()
            .map_or_else(nothing, |(expected, found)| {
                (format!("{} expected", expected.as_str()), found)
            }),
        load::Error::Io(_) => nothing(),
    }
}

fn nothing<'a>() -> (String, &'a str) {
    ("it is no filter".to_owned(), "")
}

fn undefined(found: &str, what: &compile::Undefined) -> String {
    match what {
        compile::Undefined::Filter(arity) => format!("there is no filter {found}/{arity}"),
        other => format!("there is no {} {found}", other.as_str()),
    }
}

fn refused(code: &str, error: Option<(String, &str)>) -> CommandError {
    let (what, found) = error.unwrap_or_else(nothing);
    // What was found is a part of the code, so its address says where it stands; at the end of the
    // code it is empty.
    let begin = (found.as_ptr() as usize).wrapping_sub(code.as_ptr() as usize);
    let before = code.get(..begin).unwrap_or(code);
    let column = before.chars().count() + 1;
    let shown: String = found.chars().take(20).collect();
    let place = if shown.trim().is_empty() {
        "at its end".to_owned()
    } else {
        format!("at `{}`", printable(&shown))
    };
    CommandError::usage(format!(
        "--query cannot be understood at character {column}, {place}: {what}"
    ))
    .hint("it is written in the language of jq, such as '.items[].name'; see docs/output.md")
}

fn failed(why: &str) -> CommandError {
    let short: String = why.chars().take(300).collect();
    misfit(
        &format!("--query does not fit the answer: {short}"),
        "without --query the answer is printed as it is",
    )
}

/// A value as the filter sees it: of repeated members the last one counts.
fn value(json: &Json<'_>) -> Val {
    match json {
        Json::Null => Val::Null,
        Json::Bool(value) => Val::Bool(*value),
        Json::Number(text) => Val::Num(number(text)),
        Json::Text(text) => string(text.decoded().into_owned()),
        Json::List(items) => Val::Arr(items.iter().map(value).collect::<Vec<_>>().into()),
        Json::Object(members) => Val::obj(
            members
                .iter()
                .map(|(name, member)| (string(name.decoded().into_owned()), value(member)))
                .collect(),
        ),
    }
}

fn string(text: String) -> Val {
    Val::utf8_str(Bytes::from(text))
}

fn number(text: &str) -> Num {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    // A zero with a sign is none of a whole number; reading very long ones takes very long.
    if is_whole
        && text != "-0"
        && text.len() <= LONGEST_WHOLE
        && let Some(number) = Num::from_str_radix(text, 10)
    {
        return number;
    }
    Num::Dec(text.to_owned().into())
}

/// Prints what came out as JSON; false when it is nested too deep. What JSON has no word for becomes
/// what jq makes of it.
fn print(found: &Val, depth: usize, text: &mut String) -> bool {
    match found {
        Val::Null => text.push_str("null"),
        Val::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Val::Num(Num::Float(number)) if number.is_nan() => text.push_str("null"),
        Val::Num(Num::Float(number)) if number.is_infinite() => {
            text.push_str(&f64::MAX.copysign(*number).to_string());
        }
        Val::Num(number) => text.push_str(&number.to_string()),
        Val::BStr(bytes) | Val::TStr(bytes) => quote(&String::from_utf8_lossy(bytes), text),
        Val::Arr(_) | Val::Obj(_) if depth >= DEEPEST => return false,
        Val::Arr(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                if !print(item, depth + 1, text) {
                    return false;
                }
            }
            text.push(']');
        }
        Val::Obj(members) => {
            text.push('{');
            for (at, (name, member)) in members.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                match name {
                    Val::TStr(name) => quote(&String::from_utf8_lossy(name), text),
                    other => quote(&other.to_string(), text),
                }
                text.push(':');
                if !print(member, depth + 1, text) {
                    return false;
                }
            }
            text.push('}');
        }
    }
    true
}

fn quote(inside: &str, text: &mut String) {
    text.push_str(&serde_json::Value::from(inside).to_string());
}

/// Whole numbers with more digits are passed on as text.
const LONGEST_WHOLE: usize = 1000;

/// Reads what came out of a filter, or an item of a list: JSON that may be nested too deep.
pub(super) fn read(text: &str) -> Result<Json<'_>, CommandError> {
    let text = JsonText::read(text.as_bytes()).ok_or_else(|| {
        CommandError::refused(format!("a value is nested more than {DEEPEST} levels deep"))
            .hint("`-o raw` without --query prints it as it came")
    })?;
    Ok(text.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(code: &str, input: &str) -> Result<Vec<String>, CommandError> {
        let query = Query::compile(code)?;
        let mut found = Vec::new();
        query.run(&read(input)?, |text| {
            found.push(text.to_owned());
            Ok::<_, CommandError>(())
        })?;
        Ok(found)
    }

    fn wrong(code: &str) -> String {
        run(code, "null").unwrap_err().message().to_owned()
    }

    #[test]
    fn several_values_come_out_and_numbers_keep_their_digits() {
        let input = r#"{"items":[{"n":18446744073709551616},{"n":1.10},{"n":-0},{"n":1e400},{"n":9007199254740993}]}"#;
        assert_eq!(
            run(".items[].n", input).unwrap(),
            [
                "18446744073709551616",
                "1.10",
                "-0",
                "1e400",
                "9007199254740993"
            ]
        );
        assert_eq!(run(".", input).unwrap(), [input]);
        let long = "7".repeat(5000);
        assert_eq!(run(".[0]", &format!("[{long}]")).unwrap(), [long]);
        assert_eq!(run("empty", input).unwrap(), [""; 0]);
        assert_eq!(
            run(".items | map(.n) | sort | length", input).unwrap(),
            ["5"]
        );
    }

    #[test]
    fn what_is_no_json_becomes_json() {
        let found = run(
            "nan, infinite, -infinite, {(\"a\\u0000\"): \"\\u2028\"}",
            "null",
        )
        .unwrap();
        for text in &found {
            assert!(JsonText::read(text.as_bytes()).is_some(), "{text}");
        }
        assert_eq!(found[0], "null");
        let nested = |levels: usize| run(&format!("reduce range({levels}) as $i (0; [.])"), "null");
        assert!(read(&nested(DEEPEST).unwrap()[0]).is_ok());
        assert!(nested(DEEPEST + 1).is_err(), "too deep");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (code, words) in [
            (
                ".items[",
                "at character 8, at its end: closing bracket expected",
            ),
            (
                ".a | nosuch(1)",
                "at character 6, at `nosuch`: there is no filter nosuch/1",
            ),
            (
                ".a | $x",
                "at character 6, at `$x`: there is no variable $x",
            ),
            (".a | ", "at its end: "),
            ("\"ä\" | §", "at character 7, at `§`"),
        ] {
            let said = wrong(code);
            assert!(said.contains(words), "{code}: {said}");
        }
        let said = run(".a.b", "[1]").unwrap_err();
        assert!(
            said.message().contains("does not fit the answer: cannot"),
            "{said:?}"
        );
    }

    #[test]
    fn a_filter_reaches_nothing_but_the_value() {
        for code in [
            "env",
            "halt",
            "halt_error",
            "stderr",
            "debug",
            "$ENV",
            "input",
        ] {
            assert!(
                wrong(code).contains("there is no"),
                "{code}: {}",
                wrong(code)
            );
        }
    }
}
