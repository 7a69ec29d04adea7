//! New ids in the shape of the ones that the definition shows.

use rand_core::Rng;
use serde_json::Value;

/// How many random digits an id has when nothing shows what ids look like.
const LENGTH: usize = 24;

/// A number of fewer digits is no pattern for others: there would soon be no more.
const SHORT: usize = 8;

/// An id like the example: digits where it has digits, letters where it has letters.
pub(super) fn like(example: &Value, rng: &mut dyn Rng) -> Value {
    match example {
        Value::Number(_) => Value::from(1000 + u64::from(rng.next_u32() >> 2)),
        Value::String(text) => Value::from(text_like(text, rng)),
        _ => Value::from(text_like(&"0".repeat(LENGTH), rng)),
    }
}

/// The id of the object with this number that is there from the beginning: as simple as the shape of
/// the example allows.
pub(super) fn seed(example: &Value, number: u64, rng: &mut dyn Rng) -> String {
    match example {
        Value::Number(_) => number.to_string(),
        Value::String(text) if is_short_number(text) => number.to_string(),
        other => text(&like(other, rng)),
    }
}

fn is_short_number(text: &str) -> bool {
    let digits = text.chars().all(|one| one.is_ascii_digit());
    digits && !text.is_empty() && text.len() < SHORT
}

fn text_like(example: &str, rng: &mut dyn Rng) -> String {
    let digits = example.chars().filter(char::is_ascii_digit).count();
    if is_short_number(example) {
        return (1000 + u64::from(rng.next_u32() >> 2)).to_string();
    }
    let letters = || example.chars().filter(char::is_ascii_alphanumeric);
    let is_hex = letters().all(|one| one.is_ascii_hexdigit()) && digits < letters().count();
    let upper = example.chars().any(|one| one.is_ascii_uppercase());
    let is_uuid = is_uuid(example);
    // A word says what it is about and is no pattern; only what is behind it counts.
    if digits == 0 && !is_hex {
        return format!("{example}-{:08x}", rng.next_u32());
    }
    let letter = |(at, letter): (usize, char)| {
        let number = rng.next_u32();
        match letter {
            // The version and the variant of a random UUID (RFC 9562 section 5.4).
            _ if is_uuid && at == 14 => '4',
            _ if is_uuid && at == 19 => digit(8 + number % 4, 16, upper),
            _ if is_hex && letter.is_ascii_hexdigit() => digit(number % 16, 16, upper),
            '0'..='9' => digit(number % 10, 10, upper),
            other => other,
        }
    };
    example.chars().enumerate().map(letter).collect()
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
}

fn digit(number: u32, radix: u32, upper: bool) -> char {
    let digit = char::from_digit(number, radix).unwrap_or('0');
    if upper {
        digit.to_ascii_uppercase()
    } else {
        digit
    }
}

/// An id as a path has it.
pub(super) fn text(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The id of a path in the type in which an object shows ids, if it can be.
pub(super) fn typed(text: &str, example: &Value) -> Option<Value> {
    match example {
        Value::Number(_) => text.parse().ok().map(Value::Number),
        Value::String(_) => Some(Value::from(text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;
    use serde_json::json;

    fn made(example: &Value) -> Value {
        like(example, &mut ChaCha8Rng::seed_from_u64(3))
    }

    #[test]
    fn an_id_keeps_the_shape_of_its_example() {
        let serial = made(&json!("CZ-0042"));
        let serial = serial.as_str().unwrap();
        assert!(serial.starts_with("CZ-") && serial.len() == 7 && serial != "CZ-0042");
        let hex = made(&json!("a9b8"));
        assert!(
            hex.as_str()
                .unwrap()
                .chars()
                .all(|one| one.is_ascii_hexdigit())
        );
        let uuid = made(&json!("00000000-0000-4000-8000-000000000001"));
        let uuid = uuid.as_str().unwrap();
        assert!(is_uuid(uuid) && uuid.as_bytes()[14] == b'4');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]));
        assert!(made(&json!(7)).is_u64());
        assert!(made(&json!("main")).as_str().unwrap().starts_with("main-"));
    }

    #[test]
    fn an_id_of_a_path_is_a_number_where_objects_show_numbers() {
        assert_eq!(typed("7", &json!(1)), Some(json!(7)));
        assert_eq!(typed("7", &json!("1")), Some(json!("7")));
        assert_eq!(typed("x", &json!(1)), None);
        assert_eq!(
            (text(&json!(7)), text(&json!("7"))),
            ("7".to_owned(), "7".to_owned())
        );
    }
}
