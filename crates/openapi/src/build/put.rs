//! Putting a value into an object or a list, by the steps of a dotted name.

use crate::build::json::Json;
use crate::build::mistake::Mistake;
use crate::build::shape::Shape;
use crate::definition::near;

/// Puts `value` where the last `steps` lead; objects and lists on the way are made, in the form that
/// the shape says or else the name: a list where its first step is `0`.
pub(crate) fn put(
    into: &mut Json,
    shape: Option<Shape<'_>>,
    steps: &[String],
    value: Json,
    name: &str,
) -> Result<(), Mistake> {
    let Some((step, rest)) = steps.split_first() else {
        *into = value;
        return Ok(());
    };
    into.open();
    if into.is_null() {
        *into = container(shape, step);
    }
    let inner = step_into(shape, step);
    match into {
        Json::List(items) => {
            let next = items.len();
            let index = step.parse().ok().filter(|index: &usize| *index <= next);
            let Some(index) = index else {
                return Err(Mistake::NoItem {
                    name: name.to_owned(),
                    step: step.clone(),
                    next,
                });
            };
            if index == next {
                items.push(Json::null());
            }
            put(&mut items[index], inner, rest, value, name)
        }
        Json::Object(members) => {
            let at = members.iter().position(|(known, _)| known == step);
            let at = at.unwrap_or_else(|| {
                members.push((step.clone(), Json::null()));
                members.len() - 1
            });
            put(&mut members[at].1, inner, rest, value, name)
        }
        Json::Raw(_) => Err(Mistake::NoInside {
            name: name.to_owned(),
            inside: format!("the value before {step:?}"),
        }),
    }
}

/// The shape of what a dotted name leads to; a mistake when one of its steps is unknown, unless any
/// name is to be taken.
pub(crate) fn shape_of<'a>(
    shape: Option<Shape<'a>>,
    steps: &[String],
    name: &str,
    any: bool,
) -> Result<Option<Shape<'a>>, Mistake> {
    let mut current = shape;
    for (at, step) in steps.iter().enumerate() {
        let Some(here) = current else {
            return Ok(None);
        };
        let next = step_into(Some(here), step);
        if next.is_none() && !any {
            unknown(here, &steps[..at], step, name)?;
        }
        if !any && next.is_some_and(|next| next.is_read_only()) {
            return Err(Mistake::ReadOnly {
                name: name.to_owned(),
            });
        }
        current = next;
    }
    Ok(current)
}

fn step_into<'a>(shape: Option<Shape<'a>>, step: &str) -> Option<Shape<'a>> {
    let shape = shape?;
    let item = || {
        shape
            .items()
            .filter(|_| shape.allows("array") && is_number(step))
    };
    shape
        .declared(step)
        .or_else(item)
        .or_else(|| shape.other_members())
}

/// A step that a schema does not know: fine where any name or any value is.
fn unknown(shape: Shape<'_>, before: &[String], step: &str, name: &str) -> Result<(), Mistake> {
    let kinds = shape.kinds();
    if !kinds.is_empty() && !shape.allows("object") && !shape.allows("array") {
        return Err(Mistake::NoInside {
            name: name.to_owned(),
            inside: format!("{:?} ({})", before.join("."), shape.in_words()),
        });
    }
    if shape.allows("array") && !shape.allows("object") {
        if is_number(step) {
            return Ok(());
        }
        return Err(Mistake::NoItem {
            name: name.to_owned(),
            step: step.to_owned(),
            next: 0,
        });
    }
    if shape.takes_any_member() {
        return Ok(());
    }
    let known: Vec<String> = shape
        .members()
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    Err(Mistake::UnknownName {
        owner: match before {
            [] => "the body".to_owned(),
            before => format!("{:?}", before.join(".")),
        },
        name: step.to_owned(),
        near: near(&step.to_lowercase(), known.iter().map(String::as_str)),
        known,
    })
}

fn container(shape: Option<Shape<'_>>, step: &str) -> Json {
    let allows = |kind| shape.is_some_and(|shape| shape.allows(kind));
    let list = match (allows("array"), allows("object")) {
        (true, false) => true,
        (false, true) => false,
        (true, true) => is_number(step),
        (false, false) => step == "0",
    };
    if list {
        Json::List(Vec::new())
    } else {
        Json::Object(Vec::new())
    }
}

fn is_number(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay(body: &str, given: &[(&str, &str)]) -> Result<String, String> {
        let mut json = Json::raw(body.to_owned());
        for (name, value) in given {
            let steps: Vec<String> = name.split('.').map(str::to_owned).collect();
            let value = Json::raw((*value).to_owned());
            put(&mut json, None, &steps, value, name).map_err(|mistake| mistake.to_string())?;
        }
        Ok(json.to_string())
    }

    #[test]
    fn what_is_not_named_stays_as_it_was_written() {
        let body = r#"{ "a": [1.10,  {"b": 12345678901234567890123}], "c": "\u00e4" }"#;
        assert_eq!(
            lay(body, &[("a.1.d", "2")]).unwrap(),
            r#"{"a":[1.10,{"b":12345678901234567890123,"d":2}],"c":"\u00e4"}"#
        );
        assert_eq!(
            lay(body, &[("a", "null")]).unwrap(),
            r#"{"a":null,"c":"\u00e4"}"#
        );
    }

    #[test]
    fn objects_and_lists_are_made_on_the_way() {
        let made = lay(
            "{}",
            &[("a.0.b", "1"), ("a.0.c", "2"), ("a.1.b", "3"), ("d.e", "4")],
        );
        assert_eq!(
            made.unwrap(),
            r#"{"a":[{"b":1,"c":2},{"b":3}],"d":{"e":4}}"#
        );
        assert_eq!(
            lay(r#"{"a":null}"#, &[("a.b", "1")]).unwrap(),
            r#"{"a":{"b":1}}"#
        );
        let gap = lay("{}", &[("a.0", "1"), ("a.2", "1")]).unwrap_err();
        assert!(gap.ends_with("and the next is 1"), "{gap}");
        assert!(lay("{\"a\":[]}", &[("a.x", "1")]).is_err());
        let single = lay(r#"{"a":7}"#, &[("a.b", "1")]).unwrap_err();
        assert!(single.contains("no object and no list"), "{single}");
    }
}
