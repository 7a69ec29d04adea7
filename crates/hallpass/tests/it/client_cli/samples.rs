//! `hallpass sample` and `hallpass collection export`, apart from what runs the result.

use serde_json::{Value, json};

use super::Client;
use crate::world::run;

const LANGUAGES: [&str; 7] = [
    "curl",
    "go",
    "javascript",
    "powershell",
    "python",
    "python-oauthlib",
    "rust",
];

/// The definition that HPE publishes is not part of this project; see `published.rs` of the
/// `openapi` crate.
const PUBLISHED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/storage-api.json"
);

#[test]
fn a_sample_has_the_users_values_and_no_secret() {
    let client = Client::new();
    let system = client.system();
    for language in LANGUAGES {
        let arguments = [
            "sample",
            "VolumeCreate",
            "name=mine",
            &format!("systemId={system}"),
            "--lang",
            language,
        ];
        let sample = client.run(&arguments).ok();
        assert_eq!(sample.stderr, "");
        let sample = sample.stdout;
        let credential = &client.credential;
        let path = format!(
            "{}/api/v1/storage-systems/device-type1/{system}/volumes",
            credential.base_url
        );
        for wanted in [
            &credential.token_url,
            &credential.client_id,
            &path,
            "HALLPASS_CLIENT_SECRET",
            "mine",
        ] {
            assert!(
                sample.contains(wanted),
                "{language} without {wanted}: {sample}"
            );
        }
        assert!(!sample.contains(&credential.client_secret), "{language}");
        // What was not given is named; what was given is not.
        let examples = sample
            .lines()
            .find(|line| line.contains("From the examples"))
            .unwrap();
        assert!(
            examples.contains("sizeMib") && examples.contains("userCpg"),
            "{examples}"
        );
        assert!(
            !examples.contains("name") && !examples.contains("systemId"),
            "{examples}"
        );
    }
    assert_eq!(client.minted(), 1, "writing samples needs no token");
}

/// PowerShell cannot be run here. Its program must send what the one for curl sends, which is run.
#[test]
fn powershell_sends_what_curl_sends() {
    let client = Client::new();
    let write = |language: &str| {
        let arguments = [
            "sample",
            "VolumeCreate",
            "name=it's",
            "systemId=a/b",
            "--lang",
            language,
        ];
        client.run(&arguments).ok().stdout
    };
    let (curl, powershell) = (write("curl"), write("powershell"));
    let fields = |program: &str, before: &str| -> Vec<String> {
        let lines = program
            .lines()
            .map(str::trim)
            .filter_map(|line| line.strip_prefix(before));
        lines.map(str::to_owned).collect()
    };
    let urls: Vec<&str> = curl
        .lines()
        .filter(|line| line.trim().starts_with("'http"))
        .collect();
    assert_eq!(urls.len(), 2, "{curl}");
    let uris = fields(&powershell, "Uri                = ");
    for (url, uri) in urls.iter().zip(&uris) {
        assert!(url.contains(uri.as_str()), "{url} {uri}");
    }
    let escaped = |text: &str| format!("[uri]::EscapeDataString('{text}')");
    for field in [
        "grant_type=client_credentials",
        &format!("client_id={}", client.credential.client_id),
    ] {
        let (name, value) = field.split_once('=').unwrap();
        assert!(
            curl.contains(&format!("--data-urlencode '{field}'")),
            "{curl}"
        );
        assert!(
            powershell.contains(&format!("{} + '=' + {}\n", escaped(name), escaped(value))),
            "{powershell}"
        );
    }
    assert!(
        curl.contains("'client_secret@-'")
            && powershell.contains(&format!(
                "{} + '=' + [uri]::EscapeDataString($Secret)\n",
                escaped("client_secret")
            ))
    );
    let body = json!({"name": "it's", "sizeMib": 16384, "userCpg": "SSD_r6"}).to_string();
    assert!(
        curl.contains(&format!("'{}'", body.replace('\'', "'\\''"))),
        "{curl}"
    );
    assert!(
        powershell.contains(&format!("GetBytes('{}')", body.replace('\'', "''"))),
        "{powershell}"
    );
    for header in ["Accept: application/json", "Content-Type: application/json"] {
        assert!(curl.contains(&format!("--header '{header}'")), "{curl}");
    }
    assert!(powershell.contains("'Accept' = 'application/json'"));
    assert!(powershell.contains("ContentType        = 'application/json'"));
    assert!(
        powershell.is_ascii(),
        "Windows PowerShell reads other files in the machine's code page"
    );
}

#[test]
fn wrong_usage_is_explained() {
    let client = Client::new();
    let unknown = client
        .run(&["sample", "NoSuchThing", "--lang", "curl"])
        .ended(2);
    unknown.says(&["no operation \"NoSuchThing\"", "hint: "]);
    client
        .run(&["sample", "VolumesList", "nonsense=1", "--lang", "curl"])
        .ended(2)
        .says(&["nonsense"]);
    client
        .run(&["sample", "VolumesList"])
        .ended(2)
        .says(&["--lang"]);
    client
        .run(&["collection", "export", "--operation", "NoSuchThing"])
        .ended(2)
        .says(&["NoSuchThing"]);
    let nowhere = ["collection", "export", "/no/such/folder/c.json"];
    client
        .run(&nowhere)
        .ended(2)
        .says(&["/no/such/folder/c.json"]);
}

#[test]
fn a_collection_goes_to_standard_output_and_is_the_same_each_time() {
    let client = Client::new();
    let export = [
        "collection",
        "export",
        "--operation",
        "getTask",
        "--operation",
        "GetTask",
    ];
    let first = client.run(&export).ok();
    assert_eq!(first.stderr, "");
    assert_eq!(first.stdout, client.run(&export).ok().stdout);
    let with_file = |file| client.run(&[&export[..], &[file]].concat()).ok().stdout;
    assert_eq!(first.stdout, with_file("-"));
    let file = client.world.path("collection.json");
    assert_eq!(with_file(file.to_str().unwrap()), "");
    assert_eq!(first.stdout, std::fs::read_to_string(file).unwrap());
    assert!(!first.stdout.contains(&client.credential.client_secret));
    let collection = first.json();
    assert_eq!(collection["auth"]["type"], "oauth2");
    assert_eq!(collection["item"].as_array().unwrap().len(), 1);
    let secret = collection["variable"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["key"] == "clientSecret");
    assert_eq!(secret.unwrap()["value"], "");
}

/// Values are read as `hallpass call` reads them.
#[test]
fn a_sample_takes_its_values_from_wherever_a_call_does() {
    let client = Client::new();
    let sample = |more: &[&str], input: &str| {
        let fixed = ["sample", "VolumeCreate", "systemId=x", "--lang", "curl"];
        let mut command = client.command(&[&fixed[..], more].concat());
        crate::world::run_with_input(&mut command, input)
    };
    let body = r#"{"name":"from-input","sizeMib":16384,"userCpg":"c"}"#;
    for more in [&["--data", "-"][..], &["--data", "@-"]] {
        let written = sample(more, body).ok().stdout;
        assert!(written.contains("from-input"), "{written}");
        assert!(!written.contains("From the examples"), "{written}");
    }
    let written = sample(&["name=@-"], "from-input").ok().stdout;
    assert!(written.contains("from-input"), "{written}");
    sample(&["a..b=1", "=2"], "")
        .ended(2)
        .says(&["2 mistakes:"]);
    sample(&["--content-type", "text/plain", "--data", "x"], "")
        .ended(2)
        .says(&["text/plain"]);
    let other = sample(&["name=a", "nonsense=b", "--no-check"], "").ok();
    assert!(other.stdout.contains("nonsense"), "{other:?}");
}

/// All of what HPE publishes, from the file to the collection.
#[test]
fn the_published_definition_becomes_a_collection() {
    if !std::path::Path::new(PUBLISHED).exists() {
        println!("skipped: {PUBLISHED} is not there");
        return;
    }
    let client = Client::new();
    let mut export = client.command(&["collection", "export"]);
    let collection = crate::world::run(export.env("HALLPASS_API", PUBLISHED))
        .ok()
        .json();
    assert_eq!(requests(&collection["item"]), 349);
}

fn requests(items: &Value) -> usize {
    let items = items.as_array().unwrap().iter();
    let count = items.map(|item| match item.get("item") {
        Some(inner) => requests(inner),
        None => usize::from(item["request"]["url"].is_object()),
    });
    count.sum()
}

/// What a call would refuse, and what a text in a program cannot hold.
#[test]
fn no_program_changes_a_body_or_leaves_the_base_url() {
    let client = Client::new();
    let definition = client.world.path("up.yaml");
    let up = "openapi: 3.0.3\n\
        info: {title: Up, version: '1'}\n\
        paths:\n\
        \x20 /up: {post: &up {operationId: up, responses: {'200': {description: x}}, \
        requestBody: {content: {application/octet-stream: {schema: {type: string, format: binary}}}}}}\n\
        \x20 /../../out: {get: {operationId: out, responses: {'200': {description: x}}}}\n";
    std::fs::write(&definition, up).unwrap();
    let bytes = client.world.path("bytes");
    std::fs::write(&bytes, [0xff, 0xfe, 0x41]).unwrap();
    let data = format!("@{}", bytes.display());
    let write = |arguments: &[&str]| {
        let mut command = client.command(&[&["sample", "-l", "python"], arguments].concat());
        run(command.env("HALLPASS_API", &definition))
    };
    write(&["up", "--data", &data]).ended(2).says(&["not text"]);
    std::fs::write(&bytes, "text").unwrap();
    write(&["up", "--data", &data]).ok();
    write(&["out"]).ended(2).says(&["below the base URL"]);
}
