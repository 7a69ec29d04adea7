//! The walk of the product, as a story in steps. Every step asks a real server and checks what
//! came back; one that does not turn out as told ends the demo.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hallpass_client::event::Event;
use hallpass_client::send::Client;
use hallpass_client::task::Waiting;
use hallpass_oauth::{Secret, jws};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::admin::{AdminCommand, CredentialCommand, InWorkspace, NewCredential, UserCommand};
use crate::client::answer::{advance, progress_bar};
use crate::command::CommandError;
use crate::demo::narrator::{Exchange, Narrator, shortened};
use crate::demo::stage::{
    Shown, Walk, bearer_line, checked, expect, progress_line, request, shorten_link,
    with_short_secret,
};
use crate::demo::wire::Wire;
use crate::serve::{DataDirectory, System};

/// The credential that is left at the end, for `--keep`.
pub(super) struct ReadyProfile {
    pub(super) base_url: String,
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
}

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";
const VOLUME: &str = "hallpass-demo";
const CREDENTIALS: &str = "/workspaces/v1/credentials";

/// Walks from the first key to the last audit line.
pub(super) async fn walk(
    narrator: &mut Narrator,
    system: &System,
    data: &DataDirectory,
    folder: &Path,
) -> Result<ReadyProfile, CommandError> {
    let mut walk = Walk {
        narrator,
        addresses: system.addresses(),
        data,
        cache: &folder.join("tokens"),
        definition: crate::definition::load(None)?.definition,
        wire: Wire::new()?,
        events: Arc::default(),
    };
    walk.the_system_is_running().await?;
    let platform = walk.a_resource_owner_exists().await?;
    let nightly = walk.the_owner_creates_a_credential(&platform).await?;
    let client = walk.client("nightly", &walk.us1(), &nightly)?;
    let token = walk.the_client_gets_a_token(&client, &nightly).await?;
    walk.the_token_is_explained(&token)?;
    let system_id = walk.the_client_lists_storage_systems(&client).await?;
    walk.the_client_creates_a_volume(&client, &system_id)
        .await?;
    walk.the_client_finds_the_volume(&client, &system_id)
        .await?;
    walk.a_user_without_the_role_is_refused(&system_id).await?;
    walk.the_refusal_is_in_the_audit_log(&client).await?;
    let fresh = walk
        .the_owner_resets_the_secret(&platform, &nightly)
        .await?;
    walk.the_old_token_and_secret_are_dead(&token, &nightly)
        .await?;
    walk.the_new_secret_works(&fresh).await?;
    Ok(ReadyProfile {
        base_url: walk.us1(),
        client_id: fresh.client_id,
        client_secret: fresh.secret,
    })
}

impl Walk<'_> {
    async fn the_system_is_running(&mut self) -> Result<(), CommandError> {
        let url = format!("{}/readyz", self.addresses.authorization_server);
        let answer = self.wire.get(&url, None).await?;
        expect(answer.status == StatusCode::OK, "the system is not ready")?;
        self.narrator.exchange(
            &Exchange {
                request: &format!("GET {url}"),
                sent: vec![],
                status: Some(answer.status),
                answer: answer.body,
            },
            &format!(
                "An authorization server ({}), a credential API and the guarded API of each region \
                 (us1: {}) listen on loopback. The data directory was empty: a master key, a signing \
                 key and a database were just made.",
                self.addresses.authorization_server,
                self.us1(),
            ),
        );
        Ok(())
    }

    async fn a_resource_owner_exists(&mut self) -> Result<Shown, CommandError> {
        self.narrator
            .begin("A resource owner exists: Ann, an administrator");
        let here = InWorkspace { workspace: None };
        let create = AdminCommand::User(UserCommand::Create {
            email: ANN.to_owned(),
            role: Some("administrator".to_owned()),
            at: here,
        });
        let mut ann = self.admin(&create).await?;
        shorten_link(&mut ann);
        self.narrator.exchange(
            &Exchange {
                request: &format!(
                    "hallpass admin user create --email {ANN} --role administrator --json"
                ),
                sent: vec![],
                status: None,
                answer: ann,
            },
            "What a program may do is what its owner may do. Ann's own password is never given to \
             a program.",
        );
        let create = new_credential(ANN, "global", "credential management");
        let issued = self.admin(&create).await?;
        let shown = Shown::read(&issued)?;
        self.narrator.exchange(
            &Exchange {
                request: &format!(
                    "hallpass admin credential create --owner {ANN} --instance global --name \"credential management\" --json"
                ),
                sent: vec![],
                status: None,
                answer: with_short_secret(issued),
            },
            "This first credential is for the platform itself; with it Ann manages her others over \
             the REST API.",
        );
        Ok(shown)
    }

    async fn the_owner_creates_a_credential(
        &mut self,
        platform: &Shown,
    ) -> Result<Shown, CommandError> {
        self.narrator
            .begin("Ann creates an API credential for her program");
        let owner = self.client("platform", &self.global(), platform)?;
        let us1 = self.instance_id("us1").await?;
        let body = json!({
            "credentialName": "nightly report",
            "associatedServiceManagerProvision": {
                "resourceUri": format!("/service-catalog/v1beta1/service-manager-provisions/{us1}"),
            },
        });
        let request = request(Method::POST, CREDENTIALS, Some(&body));
        let response = owner.send(&request).await?;
        let answer = checked(&response, StatusCode::CREATED)?;
        let shown = Shown::read(&answer)?;
        self.narrator.exchange(
            &Exchange {
                request: &format!("POST {}{CREDENTIALS}", self.global()),
                sent: vec![bearer_line(&owner).await?, body.to_string()],
                status: Some(response.status()),
                answer,
            },
            "The client id and the client secret. The secret is shown this one time: the server \
             keeps only a keyed digest of it.",
        );
        Ok(shown)
    }

    async fn the_client_gets_a_token(
        &mut self,
        client: &Client,
        credential: &Shown,
    ) -> Result<Secret, CommandError> {
        self.narrator.begin("The program asks for an access token");
        self.take_events();
        let token = client.tokens().token().await;
        let token = token.map_err(crate::client::library)?;
        let (status, expires_in) = self
            .take_events()
            .iter()
            .find_map(|event| match event {
                Event::TokenReceived {
                    status, expires_in, ..
                } => Some((StatusCode::from_u16(*status).ok(), *expires_in)),
                _ => None,
            })
            .ok_or_else(|| CommandError::refused("the token came without a token request"))?;
        let sent = credential.token_form()?;
        self.narrator.exchange(
            &Exchange {
                request: &format!("POST {}", self.addresses.token_url),
                sent: vec![sent],
                status,
                answer: json!({
                    "access_token": shortened(token.expose()),
                    "token_type": "Bearer",
                    "expires_in": expires_in,
                }),
            },
            "The client-credentials grant of OAuth 2.0 (RFC 6749, section 4.4). The token lies in a \
             cache that all programs of this user share, so that no two of them ask at once.",
        );
        Ok(Secret::from(token.expose().to_owned()))
    }

    fn the_token_is_explained(&mut self, token: &Secret) -> Result<(), CommandError> {
        self.narrator.begin("What the token says");
        let (header, claims) = jws::peek(token.expose())
            .ok_or_else(|| CommandError::refused("the token is no signed JWT"))?;
        let header: Value = serde_json::from_str(&header).unwrap_or(Value::String(header));
        let claims: Value = serde_json::from_str(&claims).unwrap_or(Value::String(claims));
        let of_ann = claims["sub"] == ANN && claims["iss"] == json!(self.issuer());
        expect(of_ann, "the token does not speak for Ann")?;
        self.narrator.exchange(
            &Exchange {
                request: "the token, taken apart at its dots and decoded",
                sent: vec![],
                status: None,
                answer: json!({ "header": header, "claims": claims }),
            },
            "Signed with RS256 by the key `kid`. client_id is the program, sub the owner, \
             application_instance_id the service and region, iat and exp the beginning and the end \
             (two hours). It carries no permissions: those are looked up at every call.",
        );
        Ok(())
    }

    async fn the_client_lists_storage_systems(
        &mut self,
        client: &Client,
    ) -> Result<String, CommandError> {
        self.narrator.begin("The program lists the storage systems");
        let request = self.operation("SystemsList", &[("select", "id,name,model,state")])?;
        let response = client.send(&request).await?;
        let answer = checked(&response, StatusCode::OK)?;
        let first = self.operation("DeviceType1SystemsList", &[("limit", "1")])?;
        let systems = client.send(&first).await?.success()?.json()?;
        let id = systems["items"][0]["id"].as_str().map(str::to_owned);
        self.show_call(
            client,
            &request,
            &response,
            answer,
            "hallpass call SystemsList",
        )
        .await?;
        id.ok_or_else(|| CommandError::refused("there is no storage system"))
    }

    async fn the_client_creates_a_volume(
        &mut self,
        client: &Client,
        system: &str,
    ) -> Result<(), CommandError> {
        self.narrator.begin("The program creates a volume");
        let pools = self.operation("StoragePoolsList", &[("systemId", system)])?;
        let pools = client.send(&pools).await?.success()?.json()?;
        let pool = pools["items"][0]["name"].as_str().unwrap_or_default();
        let values = [
            ("systemId", system),
            ("name", VOLUME),
            ("sizeMib", "16384"),
            ("userCpg", pool),
        ];
        let request = self.operation("VolumeCreate", &values)?;
        let response = client.send(&request).await?;
        let answer = checked(&response, StatusCode::ACCEPTED)?;
        let task = client
            .task_of(&response)
            .ok_or_else(|| CommandError::refused("the answer names no task"))?;
        let words = "202: the work is accepted and goes on as a task.";
        self.show_call(client, &request, &response, answer, words)
            .await?;

        // A look every quarter of a second, so that the progress can be watched.
        let waiting = Waiting {
            longest: Duration::from_millis(250),
            ..Waiting::at_most(Duration::from_secs(30))
        };
        let bar = progress_bar();
        let mut seen = Vec::new();
        let outcome = client
            .wait_for_task(&task, waiting, |task| {
                advance(&bar, task);
                seen.push(progress_line(task));
            })
            .await;
        bar.finish_and_clear();
        outcome?.success().map_err(crate::client::library)?;
        let status = self
            .take_events()
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::ResponseReceived { status, .. } => StatusCode::from_u16(*status).ok(),
                _ => None,
            });
        self.narrator.exchange(
            &Exchange {
                request: &format!("GET {}{}", self.us1(), task.path()),
                sent: vec![bearer_line(client).await?],
                status,
                answer: Value::String(seen.join("\n")),
            },
            "The client library asks until the task has ended.",
        );
        Ok(())
    }

    async fn the_client_finds_the_volume(
        &mut self,
        client: &Client,
        system: &str,
    ) -> Result<(), CommandError> {
        self.narrator
            .begin("The program finds the volume with a filter");
        let filter = format!("name eq '{VOLUME}'");
        let values = [
            ("systemId", system),
            ("filter", &filter),
            ("select", "id,name,sizeMiB,userCpgName"),
        ];
        let request = self.operation("DeviceType1VolumesList", &values)?;
        let response = client.send(&request).await?;
        let answer = checked(&response, StatusCode::OK)?;
        let found = answer["total"] == 1 && answer["items"][0]["name"] == VOLUME;
        expect(found, "the new volume is not in the list")?;
        self.show_call(
            client,
            &request,
            &response,
            answer,
            "What was created is there.",
        )
        .await
    }

    async fn a_user_without_the_role_is_refused(
        &mut self,
        system: &str,
    ) -> Result<(), CommandError> {
        self.narrator.begin("Bob may look, but not create");
        let here = InWorkspace { workspace: None };
        let create = AdminCommand::User(UserCommand::Create {
            email: BOB.to_owned(),
            role: Some("observer".to_owned()),
            at: here,
        });
        self.admin(&create).await?;
        let create = new_credential(BOB, "us1", "look around");
        let bob = Shown::read(&self.admin(&create).await?)?;
        let client = self.client("bob", &self.us1(), &bob)?;
        let values = [
            ("systemId", system),
            ("name", "not-for-bob"),
            ("sizeMib", "1024"),
            ("userCpg", "any"),
        ];
        let request = self.operation("VolumeCreate", &values)?;
        let response = client.send(&request).await?;
        let answer = checked(&response, StatusCode::FORBIDDEN)?;
        let words = "Bob's credential is good and his token is valid; Bob is an observer, and the \
                     permission it takes is named. A new role would act on his next call, with the \
                     same token.";
        self.show_call(&client, &request, &response, answer, words)
            .await
    }

    async fn the_refusal_is_in_the_audit_log(
        &mut self,
        client: &Client,
    ) -> Result<(), CommandError> {
        self.narrator.begin("The refusal is in the audit log");
        let values = [("filter", "state eq PermissionDenied"), ("limit", "1")];
        let request = self.operation("AuditEventsGet", &values)?;
        let response = client.send(&request).await?;
        let answer = checked(&response, StatusCode::OK)?;
        let event = &answer["items"][0];
        let told = event["userEmail"] == BOB && event["permission"] == "volume.create";
        expect(told, "the audit log does not tell of Bob's refusal")?;
        let words = "Who, what, when, from where, and which permission was missing.";
        self.show_call(client, &request, &response, answer, words)
            .await
    }

    async fn the_owner_resets_the_secret(
        &mut self,
        platform: &Shown,
        nightly: &Shown,
    ) -> Result<Shown, CommandError> {
        self.narrator.begin("Ann resets the secret");
        let owner = self.client("platform", &self.global(), platform)?;
        let path = format!("{CREDENTIALS}/{}/reset", nightly.client_id);
        let response = owner.send(&request(Method::POST, &path, None)).await?;
        let answer = checked(&response, StatusCode::OK)?;
        let shown = Shown::read(&answer)?;
        expect(
            shown.client_id == nightly.client_id,
            "the reset changed the client id",
        )?;
        self.narrator.exchange(
            &Exchange {
                request: &format!("POST {}{path}", self.global()),
                sent: vec![bearer_line(&owner).await?],
                status: Some(response.status()),
                answer: with_short_secret(answer),
            },
            "The client id stays, the secret is new. Ann's own account is not touched.",
        );
        Ok(shown)
    }

    async fn the_old_token_and_secret_are_dead(
        &mut self,
        token: &Secret,
        nightly: &Shown,
    ) -> Result<(), CommandError> {
        self.narrator
            .begin("The old token and the old secret stopped working");
        let url = format!("{}/api/v1/storage-systems", self.us1());
        let answer = self.wire.get(&url, Some(token)).await?;
        expect(
            answer.status == StatusCode::UNAUTHORIZED,
            "the old token still works",
        )?;
        self.narrator.exchange(
            &Exchange {
                request: &format!("GET {url}"),
                sent: vec![format!(
                    "Authorization: Bearer {}",
                    shortened(token.expose())
                )],
                status: Some(answer.status),
                answer: json!({
                    "WWW-Authenticate": answer.challenge,
                    "body": answer.body,
                }),
            },
            "Its signature is good and its end is nearly two hours away; it is refused all the \
             same, on the very next call.",
        );
        let form = nightly.token_request()?;
        let answer = self
            .wire
            .post_form(&self.addresses.token_url, &form)
            .await?;
        let refused =
            answer.status == StatusCode::UNAUTHORIZED && answer.body["error"] == "invalid_client";
        expect(refused, "the old secret still works")?;
        self.narrator.exchange(
            &Exchange {
                request: &format!("POST {}", self.addresses.token_url),
                sent: vec![nightly.token_form()?],
                status: Some(answer.status),
                answer: answer.body,
            },
            "An unknown client would get the same words: a stranger learns nothing about which \
             ids exist.",
        );
        Ok(())
    }

    async fn the_new_secret_works(&mut self, fresh: &Shown) -> Result<(), CommandError> {
        self.narrator
            .begin("The new secret works, and everything is written down");
        let client = self.client("fresh", &self.us1(), fresh)?;
        let request = self.operation("AuditEventsGet", &[("limit", "5")])?;
        let response = client.send(&request).await?;
        let mut answer = checked(&response, StatusCode::OK)?;
        let told = |event: &Value| {
            json!({
                "occurredAt": event["occurredAt"],
                "state": event["state"],
                "message": event["message"],
                "userEmail": event["userEmail"],
            })
        };
        let events = answer["items"]
            .as_array()
            .map(|events| events.iter().map(told).collect());
        answer["items"] = Value::Array(events.unwrap_or_default());
        self.show_call(
            &client,
            &request,
            &response,
            answer,
            "The last lines of the audit log.",
        )
        .await
    }
}

fn new_credential(owner: &str, instance: &str, name: &str) -> AdminCommand {
    let new = NewCredential::plain(owner, instance, name);
    AdminCommand::Credential(CredentialCommand::Create(Box::new(new)))
}
