//! The link that a server prints while no administrator has a password, and the second factor that an
//! administrator of the machine takes away.

use crate::http::{Reply, get, post_form};
use crate::server::Server;
use crate::world::{ANN, World};

const PASSWORD: &str = "password=tin+lamp+orbit+nine&again=tin+lamp+orbit+nine";

/// The link that a server told.
fn link(server: &Server) -> String {
    let line = server.process.stderr.wait_for("/setup/");
    line.trim().to_owned()
}

fn session(entered: &Reply) -> String {
    let cookie = entered.headers["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[test]
fn the_first_start_leads_to_the_first_administrator_and_the_next_ones_to_nobody() {
    let world = World::new();
    let server = Server::start(&world);
    let url = link(&server);
    assert!(url.starts_with(server.base()), "{url}");
    assert!(
        get(&url)
            .is(200)
            .text
            .contains("Make the first administrator")
    );
    let entered = post_form(&url, &format!("{PASSWORD}&email={ANN}")).is(303);
    assert!(session(&entered).starts_with("__Host-hallpass="));
    let users = world.admin(&["user", "list"]);
    assert_eq!(users["items"][0]["email"], ANN);
    assert_eq!(users["items"][0]["roles"], "administrator");
    get(&url).is(404);
    server.stop();

    let mut server = Server::start(&world);
    let sign_in = format!("{}/sign-in", server.base());
    post_form(
        &sign_in,
        &format!("email={ANN}&password=tin+lamp+orbit+nine"),
    )
    .is(303);
    server.process.signal("TERM");
    assert!(server.process.end().success());
    let said = server.process.stderr.to_end();
    assert!(!said.contains("/setup/"), "{said}");
}

#[test]
fn a_link_that_was_mailed_outlives_the_start() {
    let world = World::new();
    let mailed = world.create_user(ANN, "administrator");
    let mailed = mailed["setupUrl"].as_str().unwrap();
    let (_, secret) = mailed.rsplit_once('/').unwrap();
    let server = Server::start(&world);
    let told = link(&server);
    assert!(
        server
            .process
            .stderr
            .text()
            .contains(&format!("{ANN} chooses one"))
    );
    let mailed = format!("{}/setup/{secret}", server.base());
    for url in [&told, &mailed] {
        assert!(get(url).is(200).text.contains(ANN));
    }
    post_form(&mailed, PASSWORD).is(303);
    get(&told).is(404);

    let reset = ["user", "reset-second-factor", "--email", ANN];
    assert_eq!(world.admin(&reset)["removed"], false, "there was none");
    server.stop();
}

#[test]
fn the_commands_that_are_told_name_a_workspace_where_there_are_several() {
    let world = World::new();
    for (several, told) in [(false, 0), (true, 2)] {
        if several {
            world.admin(&["workspace", "create", "Laboratory"]);
        }
        let mut server = Server::start(&world);
        server.process.signal("TERM");
        assert!(server.process.end().success());
        let said = server.process.stderr.to_end();
        assert_eq!(said.matches(" --workspace NAME ").count(), told, "{said}");
    }
}
