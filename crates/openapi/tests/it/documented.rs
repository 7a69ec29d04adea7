//! The table of rules in `docs/definitions.md`.

use hallpass_openapi::RULES;

#[test]
fn the_table_of_rules_is_the_one_in_the_code() {
    let document = include_str!("../../../../docs/definitions.md");
    let (_, after) = document.split_once("\n## The rules\n").unwrap();
    let rows: Vec<&str> = after
        .lines()
        .skip_while(|line| !line.starts_with("| ---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let wanted: Vec<String> = RULES
        .iter()
        .map(|rule| {
            let (name, severity, what, why) = (rule.name, rule.severity, rule.what, rule.why);
            format!("| `{name}` | {severity} | {what} | {why} |")
        })
        .collect();
    assert_eq!(rows, wanted);
}
