//! Workspaces that another one manages.

use super::{items, word};
use crate::world::World;

#[test]
fn a_managed_workspace_says_by_whom() {
    let world = World::owner();
    let list = world.admin(&["workspace", "list"]);
    assert!(items(&list)[0]["managedBy"].is_null());
    let main = word(&items(&list)[0], "workspaceId").to_owned();
    let by_name = ["workspace", "create", "Tenant", "--managed-by", "Main"];
    let tenant = world.admin(&by_name);
    assert_eq!(word(&tenant, "managedBy"), main);
    let by_id = ["workspace", "create", "Other", "--managed-by", &main];
    assert_eq!(word(&world.admin(&by_id), "managedBy"), main);
    assert_eq!(items(&world.admin(&["workspace", "list"]))[1], tenant);

    for (manager, said) in [
        ("Tenant", "managed itself"),
        ("Nobody", "no workspace Nobody"),
    ] {
        world
            .try_admin(&["workspace", "create", "Third", "--managed-by", manager])
            .ended(1)
            .says(&[said, "hint: "]);
    }
}
