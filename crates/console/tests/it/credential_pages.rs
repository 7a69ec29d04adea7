//! The pages for credentials: what they show, what they do, and to whom.

use hallpass_access::Role;
use hallpass_oauth::verify::TokenRefusal;
use hallpass_store::credentials::CredentialChange;
use hallpass_store::{AuditState, Person};
use jiff::SignedDuration;
use serde_json::Value;

use crate::world::{Answer, Browser, ISSUER, TRIED_TOO_OFTEN, World, local, logged};

const LIST: &str = "/console/credentials";
const NEW: &str = "/console/credentials/new";

/// Of a page: what stands in the element of that id.
fn element(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("id=\"{id}\"")).expect(page);
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

/// Of a form: what stands in the field of that name.
fn field(page: &str, name: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .expect(page);
    rest.split_once('"').unwrap().0.to_owned()
}

fn at(id: &str, rest: &str) -> String {
    format!("{LIST}/{id}{rest}")
}

fn field_of(form: &Answer) -> String {
    field(&form.body, "submission")
}

/// The names in the list, in the order shown.
fn names(page: &str) -> Vec<String> {
    let rows = page.split("<th scope=\"row\">").skip(1);
    rows.map(|row| {
        let (_, rest) = row.split_once('>').unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    })
    .collect()
}

impl World {
    async fn create_in(
        &self,
        browser: &Browser,
        instance: &str,
        name: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let form = self.open(browser, NEW).await;
        let submission = field(&form.body, "submission");
        let mut fields = vec![
            ("instance", instance),
            ("name", name),
            ("submission", submission.as_str()),
        ];
        fields.extend(more);
        self.submit(browser, NEW, &fields).await
    }

    async fn assign(&self, person: &Person, instance: &str, role: Role) -> Person {
        let instance = Some(self.instance(instance));
        let people = self.store.people();
        people
            .assign(
                person.id,
                instance,
                role,
                &local(),
                self.now(),
                &mut hallpass_oauth::random::SystemRandom,
            )
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_new_credential_shows_its_secret_once_and_works() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let empty = world.open(&browser, LIST).await;
    assert!(empty.body.contains("No credentials yet") && empty.body.contains("0 of 7"));

    let form = world.open(&browser, NEW).await;
    let submission = field(&form.body, "submission");
    let fields = [
        ("instance", "us1"),
        ("name", "My Apps Credential 1"),
        ("submission", submission.as_str()),
    ];
    let created = world.submit(&browser, NEW, &fields).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.header("cache-control"), "no-store");
    let id = element(&created.body, "client-id");
    let secret = element(&created.body, "client-secret");
    assert!(world.token_with(&id, &secret, ISSUER).await.is_some());
    let command = "hallpass profile add my-apps-credential-1 --from my-apps-credential-1.json";
    assert_eq!(element(&created.body, "command"), command);

    // The browser sends the form again when the answer is reloaded.
    let again = world.submit(&browser, NEW, &fields).await;
    assert_eq!(again.status, 409);
    assert!(again.body.contains("created already") && !again.body.contains(&secret));
    assert_eq!(world.store.credentials().list(Some(ann.id)).len(), 1);

    let paths = ["", "/reset", "/sample"].map(|rest| at(&id, rest));
    for page in paths.iter().map(String::as_str).chain([LIST]) {
        let page = world.open(&browser, page).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains(&id) && !page.body.contains(&secret));
    }
    assert!(!logged().contains(&secret));
    for stored in world.audit().await {
        assert!(!format!("{stored:?}").contains(&secret));
    }
    let list = world.open(&browser, LIST).await;
    assert!(list.body.contains("1 of 7"));
    assert!(
        list.body
            .contains("Data Services Cloud Console ( US West )")
    );
}

#[tokio::test]
async fn the_file_is_what_the_command_reads_and_the_server_keeps_nothing() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let created = world.create_in(&browser, "us1", "nightly", &[]).await;
    let id = element(&created.body, "client-id");
    let secret = field(&created.body, "client_secret");
    assert_eq!(secret, element(&created.body, "client-secret"));
    let file = world
        .submit(&browser, &at(&id, "/file"), &[("client_secret", &secret)])
        .await;
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"nightly.json\""
    );
    assert_eq!(file.header("content-type"), "application/json");
    let read: Value = serde_json::from_str(&file.body).unwrap();
    let us1 = world.instance("us1").to_string();
    for (member, value) in [
        ("clientId", id.as_str()),
        ("clientSecret", &secret),
        ("applicationInstanceId", &us1),
        ("tokenUrl", "https://sso.example.com/as/token.oauth2"),
        ("baseUrl", "https://us1.example.com"),
    ] {
        assert_eq!(read[member], value, "{member}");
    }
    for wrong in ["", "a b", "a\nb"] {
        let path = at(&id, "/file");
        let fields = [("client_secret", wrong)];
        let refused = world.submit(&browser, &path, &fields).await;
        assert_eq!(refused.status, 400, "{wrong:?}");
    }
    assert!(!logged().contains(&secret));
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    world.credential(&ann, "us1", "taken").await;
    for (instance, name, more, field, words) in [
        (
            "",
            "nightly",
            ("scopes", "a"),
            "instance",
            "Select the application.",
        ),
        (
            "mars",
            "nightly",
            ("scopes", "a"),
            "instance",
            "Select the application.",
        ),
        (
            "us1",
            "taken",
            ("scopes", "a"),
            "name",
            "A credential named “taken” exists.",
        ),
        ("us1", " ", ("scopes", "a"), "name", "is empty"),
        (
            "us1",
            "n",
            ("expires", "tomorrow"),
            "expires",
            "Write the day as",
        ),
        (
            "us1",
            "n",
            ("expires", "2023-11-13"),
            "expires",
            "That day is over.",
        ),
        (
            "us1",
            "n",
            ("lifetime", "0"),
            "lifetime",
            "Write whole minutes",
        ),
        (
            "us1",
            "n",
            ("lifetime", "999999999999999999"),
            "lifetime",
            "Write whole minutes",
        ),
        ("us1", "n", ("scopes", "\"a\""), "scopes", "."),
    ] {
        let answer = world.create_in(&browser, instance, name, &[more]).await;
        assert_eq!(answer.status, 422, "{words}");
        let problem = element(&answer.body, &format!("{field}-problem"));
        let problem = problem.replace("&#96;", "`");
        assert!(problem.contains(words), "{problem}");
        assert!(
            answer
                .body
                .contains(&format!("aria-describedby=\"{field}-problem"))
        );
        let begins: Vec<_> = answer.body.matches(" autofocus").collect();
        assert_eq!(begins.len(), 1, "{}", answer.body);
        let mut tags = answer.body.split('<');
        let tag = tags.find(|tag| tag.contains(" autofocus"));
        let begins = format!("id=\"{field}\"");
        assert!(tag.is_some_and(|tag| tag.contains(&begins)), "{tag:?}");
        let kept = more.1.replace('"', "&#34;");
        assert!(
            answer.body.contains(&format!("value=\"{kept}\"")),
            "{}",
            answer.body
        );
        if instance == "us1" {
            assert!(answer.body.contains("value=\"us1\" selected"));
        }
        assert_ne!(field_of(&answer), "", "the form is a new one");
    }
    assert_eq!(world.store.credentials().list(Some(ann.id)).len(), 1);
}

#[tokio::test]
async fn options_are_what_was_asked_for() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let more = [
        ("expires", "2027-12-31"),
        ("lifetime", "5"),
        ("scopes", "read write"),
    ];
    let created = world.create_in(&browser, "us1", "short", &more).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = element(&created.body, "client-id");
    let stored = world.store.credentials().find(&id).unwrap();
    assert_eq!(stored.token_lifetime, SignedDuration::from_mins(5));
    assert_eq!(
        stored.expires_at.unwrap().to_string(),
        "2027-12-31T23:59:59Z"
    );
    assert_eq!(stored.scopes.unwrap().to_string(), "read write");
}

#[tokio::test]
async fn the_eighth_credential_is_refused_with_words_that_help() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let before = world.open(&browser, NEW).await;
    for number in 1..=7 {
        world.credential(&ann, "us1", &format!("c{number}")).await;
    }
    let words = "You have reached the maximum of 7 personal API clients";
    let list = world.open(&browser, LIST).await;
    assert!(list.body.contains(words) && !list.body.contains("href=\"/console/credentials/new\""));
    let submission = field(&before.body, "submission");
    let fields = [
        ("instance", "us1"),
        ("name", "c8"),
        ("submission", submission.as_str()),
    ];
    let refused = world.submit(&browser, NEW, &fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains(words) && refused.body.contains("Delete one"));
}

#[tokio::test]
async fn the_list_is_sorted_filtered_searched_and_cut_into_pages() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    for (name, instance) in [("beta", "us1"), ("Alpha", "eu1"), ("gamma", "us1")] {
        world.pass(SignedDuration::from_secs(1));
        world.credential(&ann, instance, name).await;
    }
    let credentials = world.store.credentials();
    let find = |name: &str| {
        let mut all = credentials.list(Some(ann.id));
        all.retain(|one| one.name == name);
        all.remove(0)
    };
    let off = CredentialChange {
        enabled: Some(false),
        ..CredentialChange::default()
    };
    let gamma = find("gamma").client_id;
    credentials
        .change(
            gamma.as_str(),
            off,
            &local(),
            world.now(),
            &mut hallpass_oauth::random::SystemRandom,
        )
        .await
        .unwrap();
    let shown =
        async |query: &str| names(&world.open(&browser, &format!("{LIST}?{query}")).await.body);
    assert_eq!(
        shown("").await,
        ["gamma", "Alpha", "beta"],
        "the newest first"
    );
    assert_eq!(shown("sort=createdAt").await, ["beta", "Alpha", "gamma"]);
    assert_eq!(shown("sort=name").await, ["Alpha", "beta", "gamma"]);
    assert_eq!(shown("sort=-createdAt").await, ["gamma", "Alpha", "beta"]);
    assert_eq!(
        shown("sort=colour").await.len(),
        3,
        "nonsense sorts nothing"
    );
    assert_eq!(shown("instance=us1").await, ["gamma", "beta"]);
    assert_eq!(shown("state=disabled").await, ["gamma"]);
    assert_eq!(shown("state=active&instance=us1").await, ["beta"]);
    assert_eq!(shown("search=ALPH").await, ["Alpha"]);
    assert_eq!(
        shown(&format!("search={}", &gamma.as_str()[4..14])).await,
        ["gamma"]
    );
    let nothing = world.open(&browser, &format!("{LIST}?search=omega")).await;
    assert!(nothing.body.contains("Nothing matches"));
    let page = world
        .open(&browser, &format!("{LIST}?sort=name&state=active"))
        .await;
    assert!(page.body.contains("aria-sort=\"ascending\""));
    assert!(
        page.body.contains("?state=active&#38;sort=-name"),
        "{}",
        page.body
    );

    // Pages, which takes many people: nobody has more than seven.
    for number in 0..5 {
        let email = format!("p{number}@example.com");
        let person = world.person("Main", &email, Some(Role::Operator)).await;
        for name in ["a", "b", "c", "d", "e"] {
            world.credential(&person, "us1", name).await;
        }
    }
    let all = |page: usize| format!("owner=all&sort=owner&page={page}");
    let (first, second) = (shown(&all(1)).await, shown(&all(2)).await);
    assert_eq!((first.len(), second.len()), (25, 3));
    assert_eq!(shown(&all(99)).await, second, "there are no more");
    let page = world.open(&browser, &format!("{LIST}?{}", all(1))).await;
    assert!(page.body.contains("Page 1 of 2, 28 credentials"));
    assert!(page.body.contains("rel=\"next\"") && !page.body.contains("rel=\"prev\""));
}

#[tokio::test]
async fn a_token_is_shown_once_with_what_it_says() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let id = nightly.credential.client_id.as_str();
    let form = world.open(&browser, &at(id, "/token")).await;
    assert!(!form.body.contains("one token at a time"), "none was got");
    let at_work = world.token(&nightly).await;
    let form = world.open(&browser, &at(id, "/token")).await;
    assert!(form.body.contains("one token at a time") && form.body.contains("2 hours"));
    let submission = field(&form.body, "submission");
    let secret = format!(" {}\n", nightly.secret.expose());
    let fields = [
        ("client_secret", secret.as_str()),
        ("submission", submission.as_str()),
    ];
    let created = world.submit(&browser, &at(id, "/token"), &fields).await;
    assert_eq!(created.status, 200, "{}", created.body);
    assert_eq!(created.header("cache-control"), "no-store");
    let token = element(&created.body, "access-token");
    assert_eq!(world.stands_at(&token, "us1"), Ok(()));
    assert_eq!(
        world.stands_at(&at_work, "us1"),
        Err(TokenRefusal::Superseded)
    );
    for part in [
        "RS256",
        "dez0",
        "ann@example.com",
        "2 hours from when this page was made",
    ] {
        assert!(created.body.contains(part), "{part}");
    }
    assert!(!created.body.contains(nightly.secret.expose()));

    let again = world.submit(&browser, &at(id, "/token"), &fields).await;
    assert_eq!(again.status, 409);
    assert_eq!(
        world.stands_at(&token, "us1"),
        Ok(()),
        "no other was issued"
    );
}

#[tokio::test]
async fn a_wrong_secret_gets_no_token_and_is_not_repeated() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let path = at(nightly.credential.client_id.as_str(), "/token");
    for (secret, status, words) in [
        (
            "wrong-secret-typed",
            422,
            "not the secret of this credential",
        ),
        (" ", 422, "Type the client secret"),
        (TRIED_TOO_OFTEN, 429, "Try again in 17 seconds"),
    ] {
        let form = world.open(&browser, &path).await;
        let submission = field(&form.body, "submission");
        let fields = [
            ("client_secret", secret),
            ("submission", submission.as_str()),
        ];
        let refused = world.submit(&browser, &path, &fields).await;
        assert_eq!(refused.status, status);
        assert!(element(&refused.body, "problem").contains(words));
        assert!(secret == " " || !refused.body.contains(secret));
    }
    assert!(!logged().contains("wrong-secret-typed"));
}

#[tokio::test]
async fn a_reset_says_what_it_breaks_and_happens_once() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let id = nightly.credential.client_id.to_string();
    let path = at(&id, "/reset");
    let token = world.token(&nightly).await;
    world.pass(SignedDuration::from_mins(3));
    let form = world.open(&browser, &path).await;
    for part in [
        "3 minutes ago",
        "from 192.0.2.44",
        "Living secrets</dt><dd>1<",
    ] {
        assert!(form.body.contains(part), "{part}: {}", form.body);
    }
    let instead_of = field(&form.body, "instead_of");
    let fields = [("overlap", "0"), ("instead_of", instead_of.as_str())];
    let reset = world.submit(&browser, &path, &fields).await;
    assert_eq!(reset.status, 200, "{}", reset.body);
    let secret = element(&reset.body, "client-secret");
    assert_eq!(
        world.stands_at(&token, "us1"),
        Err(TokenRefusal::Superseded)
    );
    let old = world.token_with(&id, nightly.secret.expose(), ISSUER).await;
    assert!(old.is_none());
    assert!(world.token_with(&id, &secret, ISSUER).await.is_some());

    let again = world.submit(&browser, &path, &fields).await;
    assert_eq!(again.status, 409);
    assert!(again.body.contains("reset already"));
    assert!(world.token_with(&id, &secret, ISSUER).await.is_some());
    assert!(!logged().contains(&secret));
}

#[tokio::test]
async fn an_old_secret_may_live_on_for_a_while_beside_one_other() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let id = nightly.credential.client_id.to_string();
    let path = at(&id, "/reset");
    let token = world.token(&nightly).await;
    world.pass(SignedDuration::from_secs(1));
    let form = world.open(&browser, &path).await;
    let instead_of = field(&form.body, "instead_of");
    let fields = [("overlap", "3600"), ("instead_of", instead_of.as_str())];
    let reset = world.submit(&browser, &path, &fields).await;
    assert!(
        reset.body.contains("The old secret works until"),
        "{}",
        reset.body
    );
    assert_eq!(world.stands_at(&token, "us1"), Ok(()));
    let second = element(&reset.body, "client-secret");
    for secret in [nightly.secret.expose(), &second] {
        assert!(world.token_with(&id, secret, ISSUER).await.is_some());
    }
    let detail = world.open(&browser, &at(&id, "")).await;
    assert!(detail.body.contains("works until"));

    let form = world.open(&browser, &path).await;
    let instead_of = field(&form.body, "instead_of");
    let fields = [("overlap", "3600"), ("instead_of", instead_of.as_str())];
    let third = world.submit(&browser, &path, &fields).await;
    assert_eq!(third.status, 422);
    assert!(element(&third.body, "problem").contains("Two secrets are alive"));
    for wrong in ["", "x", "-1", "999999999"] {
        let fields = [("overlap", wrong), ("instead_of", instead_of.as_str())];
        assert_eq!(
            world.submit(&browser, &path, &fields).await.status,
            422,
            "{wrong}"
        );
    }
    world.pass(SignedDuration::from_hours(1));
    let old = world.token_with(&id, nightly.secret.expose(), ISSUER).await;
    assert!(old.is_none());
}

#[tokio::test]
async fn what_is_deleted_or_disabled_is_dead_at_once() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let id = nightly.credential.client_id.to_string();
    let token = world.token(&nightly).await;
    let confirmation = world.open(&browser, &at(&id, "/disable")).await;
    assert!(confirmation.body.contains("All tokens die at once"));
    assert_eq!(
        world.stands_at(&token, "us1"),
        Ok(()),
        "a GET changes nothing"
    );
    let off = world.submit(&browser, &at(&id, "/disable"), &[]).await;
    assert_eq!(
        (off.status.as_u16(), off.header("location")),
        (303, at(&id, "").as_str())
    );
    assert!(world.stands_at(&token, "us1").is_err());
    let said = "<p class=\"success said\" role=\"status\">nightly is disabled.</p>";
    assert!(world.open(&browser, "/").await.body.contains(said));
    let later = world.open(&browser, "/").await;
    assert!(!later.body.contains("nightly is disabled."), "said once");
    let refused = world.token_with(&id, nightly.secret.expose(), ISSUER).await;
    assert!(refused.is_none());
    let form = world.open(&browser, &at(&id, "/token")).await;
    assert!(form.body.contains("is disabled and gets no tokens"));
    let rows = world.audit().await.len();
    world.submit(&browser, &at(&id, "/disable"), &[]).await;
    assert_eq!(world.audit().await.len(), rows, "nothing was done");
    world.submit(&browser, &at(&id, "/enable"), &[]).await;
    let token = world.token(&nightly).await;

    let confirmation = world.open(&browser, &at(&id, "/delete")).await;
    assert!(confirmation.body.contains("cannot be undone"));
    assert!(confirmation.body.contains("192.0.2.44"));
    let gone = world.submit(&browser, &at(&id, "/delete"), &[]).await;
    assert_eq!((gone.status.as_u16(), gone.header("location")), (303, LIST));
    let list = world.open(&browser, LIST).await;
    assert!(list.body.contains("nightly is deleted."));
    assert!(world.stands_at(&token, "us1").is_err());
    let again = world.submit(&browser, &at(&id, "/delete"), &[]).await;
    assert_eq!(again.status, 404);
    assert_eq!(world.open(&browser, &at(&id, "")).await.status, 404);
}

#[tokio::test]
async fn a_sample_has_everything_but_the_secret() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let nothing = world.open(&browser, &format!("{LIST}/sample")).await;
    assert!(nothing.body.contains("Create one first"));
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let platform = world.credential(&ann, "global", "console").await;
    let id = nightly.credential.client_id.as_str();
    for language in ["curl", "go", "javascript", "powershell", "python", "rust"] {
        let page = world
            .open(&browser, &at(id, &format!("/sample?lang={language}")))
            .await;
        assert_eq!(page.status, 200);
        assert!(
            page.body
                .contains(&format!("value=\"{language}\" selected"))
        );
        for part in [
            "https://sso.example.com/as/token.oauth2",
            "https://us1.example.com/api/v1/storage-systems",
            id,
        ] {
            assert!(page.body.contains(part), "{language}: {part}");
        }
        let place = element(&page.body, "secret-place");
        assert_eq!(place, "PUT-THE-CLIENT-SECRET-HERE", "{language}");
        // The field that the secret is typed into is not sent: it has no name.
        let (_, input) = page.body.split_once("<input id=\"secret\"").unwrap();
        assert!(!input.split_once('>').unwrap().0.contains("name="));
    }
    let chosen = format!(
        "{LIST}/sample?lang=python&credential={}",
        platform.credential.client_id
    );
    let page = world.open(&browser, &chosen).await;
    let call = "https://console.example.com/workspaces/v1/credentials";
    assert!(page.body.contains(call) && page.body.contains("import requests"));
}

/// Every address of a credential, with the method.
fn routes(id: &str) -> Vec<(&'static str, String)> {
    let pages = ["", "/token", "/reset", "/delete", "/disable", "/sample"];
    let forms = [
        "/token", "/reset", "/delete", "/disable", "/enable", "/file",
    ];
    let pages = pages.map(|page| ("GET", at(id, page)));
    let forms = forms.map(|form| ("POST", at(id, form)));
    pages.into_iter().chain(forms).collect()
}

async fn ask(world: &World, browser: &Browser, method: &str, path: &str) -> Answer {
    let fields = [
        ("client_secret", "x"),
        ("submission", "1"),
        ("overlap", "0"),
        ("instead_of", ""),
    ];
    match method {
        "GET" => world.open(browser, path).await,
        _ => world.submit(browser, path, &fields).await,
    }
}

#[tokio::test]
async fn nobody_reaches_the_credential_of_somebody_else() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let owner = world
        .person("Main", "otto@example.com", Some(Role::Operator))
        .await;
    let other = world.person("Main", "nora@example.com", None).await;
    let elsewhere = world
        .person("Other", "carl@example.com", Some(Role::Administrator))
        .await;
    let issued = world.credential(&owner, "us1", "of otto").await;
    let id = issued.credential.client_id.to_string();
    let token = world.token(&issued).await;
    for person in [&other, &elsewhere] {
        let browser = world.browser(person).await;
        for (method, path) in routes(&id) {
            let answer = ask(&world, &browser, method, &path).await;
            assert_eq!(answer.status, 404, "{} {method} {path}", person.email);
            assert!(!answer.body.contains("of otto"));
        }
        let list = world.open(&browser, &format!("{LIST}?owner=all")).await;
        assert!(!list.body.contains("of otto"), "{}", person.email);
    }
    // Nobody at all: to the sign-in page.
    for (method, path) in routes(&id) {
        let answer = world.send(method, &path, &[], "").await;
        assert!(
            answer.header("location").starts_with("/sign-in?to="),
            "{path}"
        );
    }
    // An administrator governs, and gets no secret and no token.
    let browser = world.browser(&ann).await;
    for (method, path) in routes(&id) {
        let obtains = ["/token", "/reset", "/sample", "/file"];
        if obtains.iter().any(|end| path.ends_with(end)) {
            let answer = ask(&world, &browser, method, &path).await;
            assert_eq!(answer.status, 404, "{method} {path}");
        }
    }
    assert_eq!(world.stands_at(&token, "us1"), Ok(()), "nothing changed");
    let list = world.open(&browser, &format!("{LIST}?owner=all")).await;
    assert_eq!(names(&list.body), ["of otto"]);
    assert!(list.body.contains("otto@example.com"));
    assert_eq!(world.open(&browser, &at(&id, "")).await.status, 200);
    world.submit(&browser, &at(&id, "/disable"), &[]).await;
    assert!(world.stands_at(&token, "us1").is_err());
    let gone = world.submit(&browser, &at(&id, "/delete"), &[]).await;
    assert_eq!(gone.header("location"), format!("{LIST}?owner=all"));
    let events = world.audit().await;
    let last = &events.last().unwrap().event;
    assert_eq!(
        (last.user_email.as_str(), last.resource.id.as_str()),
        ("ann@example.com", id.as_str())
    );
}

#[tokio::test]
async fn those_who_may_only_read_see_everybody_and_change_nothing() {
    let world = World::new().await;
    let owner = world
        .person("Main", "otto@example.com", Some(Role::Operator))
        .await;
    let observer = world
        .person("Main", "olga@example.com", Some(Role::Observer))
        .await;
    let issued = world.credential(&owner, "us1", "of otto").await;
    let id = issued.credential.client_id.to_string();
    let browser = world.browser(&observer).await;
    let detail = world.open(&browser, &at(&id, "")).await;
    assert_eq!(detail.status, 200);
    assert!(!detail.body.contains("/delete\"") && !detail.body.contains("/disable\""));
    for form in ["/delete", "/disable", "/enable"] {
        let refused = world.submit(&browser, &at(&id, form), &[]).await;
        assert_eq!(refused.status, 403, "{form}");
        let events = world.audit().await;
        let event = &events.last().unwrap().event;
        assert_eq!(event.state, AuditState::PermissionDenied);
        assert_eq!(
            (event.user_email.as_str(), event.resource.id.as_str()),
            ("olga@example.com", at(&id, form).as_str())
        );
    }
    assert!(world.store.credentials().find(&id).unwrap().enabled);
}

#[tokio::test]
async fn a_role_on_the_instance_is_enough_and_needed_for_ones_own() {
    let world = World::new().await;
    let person = world.person("Main", "otto@example.com", None).await;
    let browser = world.browser(&person).await;
    let form = world.open(&browser, NEW).await;
    assert!(
        form.body
            .contains("You have no role on any application instance")
    );

    world.assign(&person, "us1", Role::Observer).await;
    let form = world.open(&browser, NEW).await;
    assert!(form.body.contains("value=\"us1\"") && !form.body.contains("value=\"eu1\""));
    let refused = world.create_in(&browser, "eu1", "nightly", &[]).await;
    assert_eq!(refused.status, 403);
    let events = world.audit().await;
    assert_eq!(
        events.last().unwrap().event.state,
        AuditState::PermissionDenied
    );
    let created = world.create_in(&browser, "us1", "nightly", &[]).await;
    assert_eq!(created.status, 201);
    let id = element(&created.body, "client-id");
    let secret = element(&created.body, "client-secret");
    assert!(!world.open(&browser, LIST).await.body.contains("owner=all"));
    assert_eq!(
        world
            .open(&browser, &format!("{LIST}?owner=all"))
            .await
            .status,
        403
    );

    // The role goes: what is there can be ended and nothing else.
    let instance = Some(world.instance("us1"));
    world
        .store
        .people()
        .revoke(
            person.id,
            instance,
            Role::Observer,
            &local(),
            world.now(),
            &mut hallpass_oauth::random::SystemRandom,
        )
        .await
        .unwrap();
    for path in ["/token", "/reset", "/sample"] {
        assert_eq!(
            world.open(&browser, &at(&id, path)).await.status,
            403,
            "{path}"
        );
    }
    let fields = [("client_secret", secret.as_str())];
    assert_eq!(
        world
            .submit(&browser, &at(&id, "/file"), &fields)
            .await
            .status,
        403
    );
    assert_eq!(
        world
            .submit(&browser, &at(&id, "/enable"), &[])
            .await
            .status,
        403
    );
    let detail = world.open(&browser, &at(&id, "")).await;
    assert!(
        detail
            .body
            .contains("no role on this application instance any more")
    );
    assert_eq!(
        world
            .submit(&browser, &at(&id, "/disable"), &[])
            .await
            .status,
        303
    );
    assert_eq!(
        world
            .submit(&browser, &at(&id, "/delete"), &[])
            .await
            .status,
        303
    );
}

#[tokio::test]
async fn no_form_counts_that_our_pages_did_not_send() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let issued = world.credential(&ann, "us1", "nightly").await;
    let id = issued.credential.client_id.to_string();
    for (method, path) in routes(&id).into_iter().chain([("POST", NEW.to_owned())]) {
        if method == "GET" {
            continue;
        }
        let cookie = browser.cookie();
        let headers = [
            ("cookie", cookie),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let forged = world
            .send("POST", &path, &headers, "form_token=x&overlap=0")
            .await;
        assert_eq!(forged.status, 403, "{path}");
    }
    let stored = world.store.credentials().find(&id).unwrap();
    assert_eq!((stored.generation, stored.enabled), (1, true));
}

#[tokio::test]
async fn what_an_administrator_switched_off_stays_off_for_its_owner() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let bob = world
        .person("Main", "bob@example.com", Some(Role::Operator))
        .await;
    let made = world.credential(&bob, "us1", "nightly").await;
    let id = made.credential.client_id.to_string();
    let page = format!("{LIST}/{id}");
    let (disable, enable) = (format!("{page}/disable"), format!("{page}/enable"));
    let (ann, bob) = (world.browser(&ann).await, world.browser(&bob).await);
    let is_on = || world.store.credentials().find(&id).unwrap().enabled;

    // What they switched off themselves they switch on.
    assert_eq!(world.submit(&bob, &disable, &[]).await.status, 303);
    assert_eq!(world.submit(&bob, &enable, &[]).await.status, 303);
    assert!(is_on());

    assert_eq!(world.submit(&ann, &disable, &[]).await.status, 303);
    // To disable it once more does not make it theirs.
    let off = Some(r#"{"enabled":false}"#);
    let path = format!("/workspaces/v1/credentials/{id}");
    assert_eq!(world.script(&bob, "PATCH", &path, off).await.status, 200);
    assert_eq!(world.submit(&bob, &enable, &[]).await.status, 403);
    let on = Some(r#"{"enabled":true}"#);
    assert_eq!(world.script(&bob, "PATCH", &path, on).await.status, 409);
    assert!(!is_on());
    let shown = world.open(&bob, &page).await.body;
    assert!(shown.contains("only an administrator enables") && !shown.contains(&enable));
    assert!(world.open(&ann, &page).await.body.contains(&enable));
    assert_eq!(world.submit(&ann, &enable, &[]).await.status, 303);
    assert!(is_on());
}

#[tokio::test]
async fn expiry_lifetime_and_scopes_are_changed_on_a_page() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let issued = world.credential(&ann, "us1", "nightly").await;
    let id = issued.credential.client_id.as_str();
    let page = format!("/console/credentials/{id}");
    let change = format!("{page}/change");
    let now = || world.store.credentials().find(id).unwrap();
    assert!(world.open(&browser, &page).await.body.contains(&change));
    let form = world.open(&browser, &change).await.body;
    assert!(
        form.contains("name=\"lifetime\" inputmode=\"numeric\" value=\"120\""),
        "{form}"
    );

    let fields = [
        ("expires", "2027-12-31"),
        ("lifetime", "30"),
        ("scopes", "b a"),
    ];
    let saved = world.submit(&browser, &change, &fields).await;
    assert_eq!(
        (saved.status.as_u16(), saved.header("location")),
        (303, page.as_str())
    );
    assert_eq!(
        now().expires_at.unwrap().to_string(),
        "2027-12-31T23:59:59Z"
    );
    assert_eq!(now().token_lifetime, SignedDuration::from_mins(30));
    assert_eq!(now().scopes.unwrap().to_string(), "b a");

    // What stands in the form as it stood before is left alone, and no row tells of nothing.
    let rows = world.audit().await.len();
    let form = world.open(&browser, &change).await.body;
    for value in ["2027-12-31", "\"30\"", "\"b a\""] {
        assert!(form.contains(value), "{value}: {form}");
    }
    assert_eq!(world.submit(&browser, &change, &fields).await.status, 303);
    assert_eq!(world.audit().await.len(), rows);

    for (field, value, told) in [
        ("expires", "2020-01-01", "That day is over"),
        ("expires", "tomorrow", "Write the day as"),
        ("lifetime", "0", "whole minutes"),
        ("lifetime", "100000", "whole minutes"),
        ("scopes", "\"", "scope"),
    ] {
        let wrong = fields.map(|(name, now)| (name, if name == field { value } else { now }));
        let refused = world.submit(&browser, &change, &wrong).await;
        assert_eq!(refused.status, 422, "{field} {value}");
        assert!(
            refused.body.contains(told),
            "{field} {value}: {}",
            refused.body
        );
    }
    let cleared = [("expires", ""), ("lifetime", ""), ("scopes", "")];
    assert_eq!(world.submit(&browser, &change, &cleared).await.status, 303);
    assert_eq!((now().expires_at, now().scopes), (None, None));
    assert_eq!(now().token_lifetime, SignedDuration::from_mins(120));

    // One that has ended goes on when it gets a later day, and its day is no mistake meanwhile.
    world
        .submit(
            &browser,
            &change,
            &[("expires", "2023-12-01"), ("lifetime", "120")],
        )
        .await;
    world.pass(SignedDuration::from_hours(24 * 60));
    let browser = world.browser(&ann).await;
    let same_day = [("expires", "2023-12-01"), ("lifetime", "60")];
    assert_eq!(world.submit(&browser, &change, &same_day).await.status, 303);
    assert_eq!(now().token_lifetime, SignedDuration::from_mins(60));
    let later = [("expires", "2027-12-31"), ("lifetime", "60")];
    assert_eq!(world.submit(&browser, &change, &later).await.status, 303);

    // A colleague who may only look is not led there, and is refused.
    let olga = world
        .person(
            "Main",
            "olga@example.com",
            Some(hallpass_access::Role::Observer),
        )
        .await;
    let olga = world.browser(&olga).await;
    assert!(!world.open(&olga, &page).await.body.contains(&change));
    assert_eq!(world.submit(&olga, &change, &later).await.status, 403);
}

#[tokio::test]
async fn a_form_that_the_browser_dropped_and_sent_again_shows_its_secret() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let form = world.open(&browser, NEW).await;
    let submission = field(&form.body, "submission");
    let fields = [
        ("instance", "us1"),
        ("name", "nightly"),
        ("submission", submission.as_str()),
    ];
    world.submit_and_leave(&browser, NEW, &fields).await;
    let created = world.submit(&browser, NEW, &fields).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = element(&created.body, "client-id");
    let secret = element(&created.body, "client-secret");
    assert!(world.token_with(&id, &secret, ISSUER).await.is_some());

    let reset = at(&id, "/reset");
    let instead_of = field(&world.open(&browser, &reset).await.body, "instead_of");
    let fields = [("overlap", "0"), ("instead_of", instead_of.as_str())];
    world.submit_and_leave(&browser, &reset, &fields).await;
    let renewed = world.submit(&browser, &reset, &fields).await;
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    let secret = element(&renewed.body, "client-secret");
    assert!(world.token_with(&id, &secret, ISSUER).await.is_some());
    assert_eq!(world.store.credentials().list(Some(ann.id)).len(), 1);
}
