//! `hallpass sample`: an operation as a program in a language of the user's choice.

use clap::{Args, ValueEnum};
use hallpass_client::Prefix;
use hallpass_client::sample::{Sample, SampleLanguage, SampleToken};
use hallpass_openapi::code::Language;
use hallpass_openapi::{Argument, Body, Definition, Fill, Location, Operation, Values};
use serde_json::Value;

use crate::client::call::{ValueArgs, open, wrong_values};
use crate::client::{ConnectionArgs, library};
use crate::command::CommandError;
use crate::output;

/// Write a program that calls an operation, for the profile's addresses and client id
///
/// Values are written and checked as for `hallpass call`. Required ones that are not given are taken from the
/// examples of the definition, and a comment names them. The client secret is never in the program:
/// it is read from the environment variable HALLPASS_CLIENT_SECRET. The program ends with 0 when the API did
/// what was asked, 1 when it refused, 2 without the secret and 3 without a token.
#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    /// Operation: its operationId in any case, or the beginning of it
    operation: String,
    #[command(flatten)]
    values: ValueArgs,
    /// Language of the program
    #[arg(long, short, value_name = "LANGUAGE", value_enum)]
    lang: Lang,
    /// Write an access token into the program, which then works until the token ends. Everybody who
    /// reads it can use the token
    #[arg(long)]
    include_token: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The languages by the names they have on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Lang {
    /// bash and curl
    Curl,
    /// Python with requests
    Python,
    /// Python with requests_oauthlib
    PythonOauthlib,
    /// Windows PowerShell 5.1 and PowerShell 7
    #[value(name = "powershell")]
    PowerShell,
    /// Node.js 18 and newer
    #[value(name = "javascript")]
    JavaScript,
    /// Go with its standard library
    Go,
    /// Rust with reqwest
    Rust,
}

impl From<Lang> for SampleLanguage {
    fn from(lang: Lang) -> Self {
        Self::Plain(match lang {
            Lang::PythonOauthlib => return Self::PythonOauthlib,
            Lang::Curl => Language::Curl,
            Lang::Python => Language::Python,
            Lang::PowerShell => Language::PowerShell,
            Lang::JavaScript => Language::JavaScript,
            Lang::Go => Language::Go,
            Lang::Rust => Language::Rust,
        })
    }
}

/// Runs the command.
pub(crate) async fn run(args: SampleArgs) -> Result<(), CommandError> {
    let client = args.connection.connect()?;
    let known = open(&client, &args.connection)?;
    let position = known.find(&args.operation)?;
    let chosen = known.operation(position)?;
    let (definition, operation) = (chosen.definition(), chosen.operation());
    let filled = Filled::new(definition, operation, args.values.read()?);
    let request = definition
        .request(operation, &filled.values)
        .map_err(|error| wrong_values(&error))?;
    // A path that a call would refuse, because it leads out of the base URL, has no place in a program.
    client.preview(&request)?;
    let body = request.body.as_deref().unwrap_or_default();
    if std::str::from_utf8(body).is_err() || body.contains(&0) {
        return Err(CommandError::usage(
            "the body is not text, and a program written here can hold text only",
        )
        .hint("write the program for a body of text, and let it read the file instead"));
    }
    let token = if args.include_token {
        Some(client.tokens().token().await.map_err(library)?)
    } else {
        None
    };
    let sample = Sample {
        profile: client.profile(),
        request: &request,
        title: &title(operation),
        notes: notes(operation, &filled),
        token: token
            .as_ref()
            .map_or(SampleToken::OfProfile, SampleToken::Written),
        prefix: &Prefix::default(),
    };
    output::bytes(sample.write(args.lang.into()).as_bytes())
}

/// The values of a sample: those that were given, and examples for what must be there too.
struct Filled {
    values: Values,
    /// The names of what came from examples.
    examples: Vec<String>,
}

impl Filled {
    fn new(definition: &Definition, operation: &Operation, mut values: Values) -> Self {
        let given: Vec<String> = values
            .arguments
            .iter()
            .map(|one| one.name().to_owned())
            .collect();
        let is_given = |name: &str| given.iter().any(|given| means(given, name));
        let parameters = operation.parameters();
        let for_the_body = given
            .iter()
            .any(|given| !parameters.iter().any(|one| means(given, &one.name)));
        let mut examples = Vec::new();
        for parameter in parameters
            .iter()
            .filter(|one| one.required && !is_given(&one.name))
        {
            let value = plain(&definition.example_value(parameter));
            values.arguments.push(Argument::placed(
                place(parameter.location),
                &parameter.name,
                &value,
            ));
            examples.push(parameter.name.clone());
        }
        let wanted = operation.body().is_some_and(|body| {
            (body.required || for_the_body) && is_of(body, values.media_type.as_deref())
        });
        if values.body.is_none()
            && wanted
            && let Some(example) = definition.example_body(operation, Fill::Required)
        {
            match example.as_object() {
                Some(members) => {
                    examples.extend(members.keys().filter(|name| !is_given(name)).cloned());
                }
                None => examples.push("the body".to_owned()),
            }
            values.body = Some(example.to_string().into_bytes());
        }
        Self { values, examples }
    }
}

/// Whether the body is of the media type that was asked for: an example is of no other.
fn is_of(body: &Body, asked: Option<&str>) -> bool {
    asked.is_none_or(|asked| asked.eq_ignore_ascii_case(&body.media_type))
}

/// Whether an argument is for what is called `name`, or for a part of it.
fn means(argument: &str, name: &str) -> bool {
    let places = ["path.", "query.", "header.", "cookie.", "body."];
    let bare = places.iter().find_map(|place| argument.strip_prefix(place));
    [Some(argument), bare].into_iter().flatten().any(|written| {
        let rest = written.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn place(location: Location) -> &'static str {
    match location {
        Location::Path => "path",
        Location::Query => "query",
        Location::Header => "header",
        Location::Cookie => "cookie",
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        value => value.to_string(),
    }
}

fn title(operation: &Operation) -> String {
    match operation.summary() {
        "" => operation.id().to_owned(),
        summary => format!("{}: {summary}", operation.id()),
    }
}

fn notes(operation: &Operation, filled: &Filled) -> Vec<String> {
    let mut notes = Vec::new();
    if !filled.examples.is_empty() {
        let names = filled.examples.join(", ");
        notes.push(format!(
            "From the examples of the definition, put in your own: {names}"
        ));
    }
    if operation
        .responses()
        .iter()
        .any(|(status, _)| status == "202")
    {
        notes.push(
            "Status 202 means that the work goes on: the answer names a task (taskUri), and the work is \
             done when the task's state is SUCCEEDED."
                .to_owned(),
        );
    }
    notes
}
