//! A definition comes in the way in which somebody has it: dropped on the page, pasted, or by its address. What is
//! none is refused with its place, and what was pasted is still there.

use serde_json::json;

use super::stage::{Definition, Stage};

fn definition(title: &str) -> String {
    format!(
        "openapi: 3.0.3\ninfo: {{title: {title}, version: 1.2.3}}\npaths:\n  /things:\n    get:\n      \
         operationId: ThingsList\n      responses:\n        '200': {{description: All of them}}\n"
    )
}

#[test]
fn a_definition_is_dropped_pasted_and_fetched() {
    let Some(stage) = Stage::local() else { return };
    stage.create_workspace("Import", Definition::None);
    let window = &stage.window;
    let drop = "const [name, text] = arguments;
        const carried = new DataTransfer();
        carried.items.add(new File([text], name));
        const there = { dataTransfer: carried, bubbles: true, cancelable: true };
        document.body.dispatchEvent(new DragEvent('dragover', there));
        document.body.dispatchEvent(new DragEvent('drop', there))";
    window.script(drop, &json!(["small.yaml", definition("Dropped")]));
    window.says("OpenAPI 3.0");
    window.click_on("dialog footer button:last-child");
    window.says("Dropped is imported.");

    window.press("Import");
    window.press("Text");
    let broken = definition("Pasted").replace("paths:", "paths: [");
    window.fill("Text of the definition", &broken);
    window.press("Continue");
    window.finds("dialog [role=alert] .source-line[data-marked=true]");
    window.press("Text");
    assert_eq!(window.value("Text of the definition"), broken);
    window.retype("Text of the definition", &definition("Pasted"));
    window.press("Continue");
    window.says("Import as");
    window.click_on("dialog footer button:last-child");
    window.says("Pasted is imported.");

    window.press("Import");
    window.press("Link");
    let address = format!("{}/doc/api/v1/storage-api.yaml", stage.server.base());
    window.fill("Address of the definition", &address);
    window.press("Continue");
    window.says("Import as");
    window.click_on("dialog footer button:last-child");
    window.says("Hallpass storage API core is imported.");

    let workspace = stage.workspace();
    let known = workspace["definitions"].as_array().unwrap().iter();
    let titles: Vec<&str> = known.map(|one| one["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Dropped", "Pasted", "Hallpass storage API core"]);
}
