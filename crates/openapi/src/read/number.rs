//! Numbers as they are written.
//!
//! A `serde_json::Number` holds 64-bit integers and floating point numbers. A larger integer loses
//! digits in it and `1.10` its last one, so the text of such a number is kept beside it.

use serde_json::Number;

/// A number written in digits, with an optional sign, fraction and exponent; `None` where it is
/// larger than any floating point number.
pub(super) fn parse(written: &str) -> Option<Number> {
    let unsigned = written.strip_prefix('+').unwrap_or(written);
    if let Ok(whole) = unsigned.parse::<u64>() {
        return Some(whole.into());
    }
    match unsigned.parse::<i64>() {
        // Zero has a sign only as a floating point number.
        Ok(whole) if whole < 0 => Some(whole.into()),
        _ => Number::from_f64(unsigned.parse().ok()?),
    }
}

/// Whether the number is printed as it is written.
pub(super) fn is_exact(number: &Number, written: &str) -> bool {
    if number.is_f64() {
        return number.to_string() == written;
    }
    // Whole numbers are printed without a plus, leading zeros or a base.
    let digits = written.strip_prefix('-').unwrap_or(written);
    digits == "0" || digits.starts_with(|first: char| ('1'..='9').contains(&first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_of_64_bits_are_exact_and_others_are_told() {
        let exact = |written: &str| is_exact(&parse(written).unwrap(), written);
        for written in [
            "0",
            "-1",
            "18446744073709551615",
            "-9223372036854775808",
            "1.5",
            "-0.0",
        ] {
            assert!(exact(written), "{written}");
        }
        for written in [
            "18446744073709551616",
            "1.10",
            "1e3",
            "-0",
            "007",
            "+1",
            "0.1e1",
        ] {
            assert!(!exact(written), "{written}");
        }
        assert_eq!(parse("1e999"), None);
        assert_eq!(parse("007"), Some(7.into()));
        assert_eq!(parse("+7"), Some(7.into()));
    }
}
