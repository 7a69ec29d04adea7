//! What a page holds a person to, held to of a file from outside as well: what is beyond it could be used
//! and never be saved again, and a great many of something take everybody's time.

use crate::answer::Failure;
use crate::authorization::check;
use crate::definitions::MOST_DEFINITIONS;
use crate::environments::{LONGEST_VALUE, MOST_ENVIRONMENTS, MOST_VARIABLES, variable_name};
use crate::requests::{MOST_SAVED, is_name};
use crate::workspace::{Environment, Variable, Workspace};
use crate::workspaces::named;

/// Refuses what the page would refuse; says which and where.
pub(super) fn within_limits(workspace: &Workspace) -> Result<(), Failure> {
    few(
        "the file",
        workspace.definitions.len(),
        MOST_DEFINITIONS,
        "definitions",
    )?;
    few(
        "the file",
        workspace.environments.len(),
        MOST_ENVIRONMENTS,
        "environments",
    )?;
    few(
        "the file",
        workspace.saved.len(),
        MOST_SAVED,
        "saved requests",
    )?;
    for environment in &workspace.environments {
        checked_environment(environment)?;
    }
    check(&workspace.authorization).map_err(at("the authorization"))?;
    for saved in &workspace.saved {
        let place = format!("saved request {:?}", shown(&saved.name));
        if !is_name(saved.name.trim()) {
            let what = format!("{place}: a saved request has a name of at most 100 letters");
            return Err(Failure::wrong(what, HINT));
        }
        if let Some(settings) = &saved.request.authorization {
            check(settings).map_err(at(&place))?;
        }
    }
    Ok(())
}

fn checked_environment(environment: &Environment) -> Result<(), Failure> {
    let place = format!("environment {:?}", shown(&environment.name));
    named(&environment.name).map_err(at(&place))?;
    few(
        &place,
        environment.variables.len(),
        MOST_VARIABLES,
        "variables",
    )?;
    for Variable { name, initial, .. } in &environment.variables {
        if variable_name(name).map_err(at(&place))? != *name {
            let what = format!("{place}: there is a blank around the name {name:?}");
            return Err(Failure::wrong(what, HINT));
        }
        if initial.len() > LONGEST_VALUE {
            let what = format!("{place}: the value of {name} is longer than {LONGEST_VALUE} bytes");
            return Err(Failure::wrong(what, HINT));
        }
    }
    Ok(())
}

fn few(place: &str, count: usize, most: usize, what: &str) -> Result<(), Failure> {
    if count > most {
        let what = format!("{place} has {count} {what}; there can be {most}");
        return Err(Failure::wrong(what, HINT));
    }
    Ok(())
}

/// Says where it is.
fn at(place: &str) -> impl Fn(Failure) -> Failure {
    move |failure| Failure::wrong(format!("{place}: {failure}"), HINT)
}

fn shown(name: &str) -> String {
    name.chars().take(100).collect()
}

const HINT: &str = "ask whoever made the file to change that, and to export the workspace again";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn said(change: impl FnOnce(&mut Value)) -> String {
        let mut file = json!({
            "format": 1, "name": "Test",
            "environments": [{"id": "e1", "name": "EU", "variables": [{"name": "a", "on": true}]}],
            "authorization": {"type": "oauth2"},
            "saved": [{"id": "s1", "name": "S", "request": {"method": "GET", "url": "/x"}}],
        });
        change(&mut file);
        let checked = within_limits(&serde_json::from_value(file).unwrap());
        checked.map_or_else(|failure| failure.to_string(), |()| "nothing".to_owned())
    }

    fn many(count: usize, one: impl Fn(usize) -> Value) -> Value {
        (0..count).map(one).collect()
    }

    #[test]
    fn what_the_page_would_refuse_is_refused_with_its_place() {
        let variable = |number: usize| json!({"name": format!("v{number}"), "on": true});
        let environment =
            |number: usize| json!({"id": format!("e{number}"), "name": format!("E{number}")});
        let request = json!({"method": "GET", "url": "/x"});
        let saved =
            |number: usize| json!({"id": format!("s{number}"), "name": "S", "request": request});
        assert_eq!(said(|_| {}), "nothing");
        let variables = |file: &mut Value, variables| {
            file["environments"][0]["variables"] = variables;
        };
        assert_eq!(said(|file| variables(file, many(200, variable))), "nothing");
        let too_many = said(|file| variables(file, many(201, variable)));
        assert_eq!(
            too_many,
            "environment \"EU\" has 201 variables; there can be 200"
        );
        for name in ["", "a b", "{{a}}", " a"] {
            let said = said(|file| file["environments"][0]["variables"][0]["name"] = name.into());
            assert!(said.starts_with("environment \"EU\": "), "{name:?}: {said}");
        }
        let long = "x".repeat(LONGEST_VALUE + 1);
        let value = said(|file| file["environments"][0]["variables"][0]["initial"] = long.into());
        assert!(value.contains("the value of a is longer"), "{value}");
        assert!(
            said(|file| file["environments"] = many(51, environment)).contains("51 environments")
        );
        assert!(said(|file| file["saved"] = many(501, saved)).contains("501 saved requests"));
        let name = said(|file| file["saved"][0]["name"] = "x".repeat(101).into());
        assert!(name.starts_with("saved request \"x"), "{name}");
        let id = "x".repeat(5000);
        let settings = json!({"type": "oauth2", "clientId": id});
        let root = said(|file| file["authorization"] = settings.clone());
        assert!(
            root.starts_with("the authorization: Client ID is longer"),
            "{root}"
        );
        let own = said(|file| file["saved"][0]["request"]["authorization"] = settings);
        assert!(own.starts_with("saved request \"S\": Client ID"), "{own}");
    }
}
