//! The request editor: what its builders write, its form and its text in step, and a request that is filled in,
//! looked at and sent. The scripts that need no page are tested in the page, because there is no other place
//! that runs them.

use serde_json::{Value, json};

use super::stage::{Definition, Stage};

/// Runs the part of the page's scripts that is named first on the second argument.
const RUN: &str = "const [file, given, done] = arguments;
    const entry = document.querySelector('script[type=module][src*=\"/explorer-\"]').src;
    const same = (a, b, what, found) => {
      if (JSON.stringify(a) !== JSON.stringify(b)) found.push(`${what}: ${JSON.stringify(a)}, not ${JSON.stringify(b)}`);
    };
    import(new URL(file, entry)).then((it) => { const found = [];";

#[test]
fn builders_write_and_read_expressions() {
    let Some(stage) = Stage::served() else { return };
    stage.create_workspace("Builders", Definition::None);
    let table = include_str!("../../../../../explorer/tests/expressions.json");
    let table: Value = serde_json::from_str(table).unwrap();
    let script = format!(
        "{RUN}
        for (const {{ text, groups, written, kinds }} of given.filters) {{
          same(it.readFilter(text), groups, text, found);
          same(it.writeFilter(groups, new Map(Object.entries(kinds ?? {{}}))), written, text, found);
          same(it.readFilter(written), groups, written, found);
        }}
        for (const text of [...given.beyond, ...given.broken]) same(it.readFilter(text), null, text, found);
        for (const {{ text, keys, written }} of given.sorts) {{
          same(it.readSort(text), keys, text, found);
          same(it.writeSort(keys), written, text, found);
        }}
        for (const {{ text, names, written }} of given.selects) {{
          same(it.readSelect(text), names, text, found);
          same(it.writeSelect(names), written, text, found);
        }}
        done(found); }}, (error) => done([String(error)]))"
    );
    let found = stage
        .window
        .wait_for_script(&script, &json!(["expression.js", table]));
    assert_eq!(found, json!([]));
}

#[test]
fn json_keeps_every_digit_and_says_where_it_ends() {
    let Some(stage) = Stage::served() else { return };
    stage.create_workspace("JSON", Definition::None);
    let script = format!(
        "{RUN}
        for (const text of given.kept) same(it.print(it.parse(text, {{ variables: true }}), 0), text, text, found);
        for (const [text, line, column] of given.broken) {{
          try {{
            it.parse(text);
            found.push(`${{text}} was read`);
          }} catch (error) {{
            same([error.line, error.column], [line, column], `${{text}}: ${{error.message}}`, found);
          }}
        }}
        same(it.print(it.parse('{{\"a\":[1,{{}}],\"b\":[]}}')), '{{\\n  \"a\": [\\n    1,\\n    {{}}\\n  ],\\n  \"b\": []\\n}}', 'indented', found);
        done(found); }}, (error) => done([String(error)]))"
    );
    let given = json!({
        "kept": [
            r#"{"a":9223372036854775807,"b":[1.50,-0,1e400],"a":null}"#,
            r#"["\"\\\n",true,false,"é"]"#,
            r#"{"size":{{size}},"name":"{{name}}"}"#,
        ],
        "broken": [
            ["", 1, 1],
            ["[1,]", 1, 4],
            ["{\"a\" 1}", 1, 6],
            ["{a:1}", 1, 2],
            ["[1", 1, 1],
            ["\"open", 1, 1],
            ["01", 1, 2],
            ["{\n  \"a\": tru\n}", 2, 8],
            ["{{x}}", 1, 2],
            ["1 2", 1, 3],
        ],
    });
    let found = stage
        .window
        .wait_for_script(&script, &json!(["json.js", given]));
    assert_eq!(found, json!([]));
}

#[test]
fn a_filter_is_built_and_its_mistakes_are_told() {
    let Some(stage) = Stage::served() else { return };
    open(&stage, "DeviceType1VolumesList");
    let window = &stage.window;
    let filter = "[data-parameter=filter] input.code";
    let is_on = "return document.querySelector('[data-parameter=filter] input').checked";
    window.finds(filter);
    assert_eq!(
        window.script(is_on, &json!([])),
        false,
        "an optional parameter"
    );

    // A mistake is told at the field, and the focus stays.
    window.fill("filter", "name = vol-1");
    window.finds("[data-parameter=filter] .mistake");
    assert_eq!(window.focus(), "filter");
    assert_eq!(window.script(is_on, &json!([])), true, "typed into");
    window.finds("#request-parameters .count.bad");

    // What is written by hand is shown by the builder, and the other way round.
    window.click_on("[data-parameter=filter] button[aria-expanded=false]");
    window.fill("filter", "name eq 'it''s' or sizeMiB gt 5");
    window.finds(".conditions ~ .conditions");
    window.fill("Value of name", "a'b");
    assert_eq!(window.read(filter), "name eq 'a''b' or sizeMiB gt 5");
    let mistakes = "return document.querySelectorAll('.mistake:not([hidden])').length";
    window.finds("#request-parameters .count:not(.bad)");
    assert_eq!(window.script(mistakes, &json!([])), 0);
}

#[test]
fn the_form_of_a_body_and_its_text_are_in_step() {
    let Some(stage) = Stage::served() else { return };
    open(&stage, "VolumeCreate");
    let window = &stage.window;
    window.click_on("#request-body");
    window.press("Text");
    let text = r#"{"name":"v","sizeMib":9223372036854775807,"own":{"n":1.10},"count":{{n}}}"#;
    window.fill("Body as text", text);
    window.press("Form");
    window.fill("name", "payroll");
    window.press("Text");
    let expected = "{\n  \"name\": \"payroll\",\n  \"sizeMib\": 9223372036854775807,\n  \"own\": {\n    \"n\": 1.10\n  },\n  \"count\": {{n}}\n}";
    assert_eq!(window.read("textarea.body"), expected);

    // What the definition says against it is told, at its field in the form.
    window.press("Form");
    window.finds("#request-body .count.bad");
    window.press("Text");
    window.fill("Body as text", "{\"name\": }");
    window.says("Line 1, column 10");
}

#[test]
fn a_request_is_looked_at_sent_and_still_there() {
    let Some(stage) = Stage::served() else { return };
    open(&stage, "SystemsList");
    let window = &stage.window;
    window.fill("limit", "7");
    window.click_on("#request-sent");
    window.says("?limit=7");
    window.says("parameter limit");
    window.says("Bearer ********");
    window.click_on("#request-code");
    window.says("curl");
    window.says("limit=7");

    // Without an authorization that has a credential nothing is sent, and that is told in words.
    window.press("Send");
    window.finds(".request-answer .alert");

    // An address without the variable's value is marked.
    stage.go("/request");
    window.fill("Address", "{{nowhere}}/x/{id}");
    window.finds("mark[data-missing]");
    window.says("{{nowhere}} has no value");
    window.finds(".entries [aria-label='Value of the parameter']");

    // What was filled in before is there again.
    window.back();
    window.click_on("#request-parameters");
    assert_eq!(window.read("[data-parameter=limit] input.code"), "7");
    let saved = || stage.workspace()["saved"].clone();
    assert_eq!(saved(), json!([]));
    window.press("Save");
    window.fill("Name", "Seven systems");
    window.click_on("dialog [type=submit]");
    window.says("Saved as");
    assert_eq!(saved()[0]["name"], "Seven systems");
    let parameters = saved()[0]["request"]["parameters"].clone();
    let limit = parameters
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "limit");
    assert_eq!(limit.unwrap()["value"], "7");
}

/// A workspace with an operation of the built-in definition in the editor.
#[track_caller]
fn open(stage: &Stage, operation: &str) {
    stage.create_workspace("Requests", Definition::BuiltIn);
    let definition = &stage.workspace()["definitions"][0]["id"];
    stage.go(&format!("/op/{}/{operation}", definition.as_str().unwrap()));
    stage.window.finds(".request-tabs");
}
