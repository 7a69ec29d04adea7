//! Codes that follow from a shared secret and the time (RFC 6238), with what authenticator apps take for
//! granted: SHA-1, six digits, thirty seconds. SHA-1 is sound here: a code is a MAC (RFC 6238, section 1.2).

use std::fmt::Write as _;

use hallpass_oauth::Secret;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcodegen::{QrCode, QrCodeEcc};
use totp_rs::{Builder, Secret as Shared, Totp};

/// What apps show above the code.
const ISSUER: &str = "Hallpass";

/// How long a code is shown, in seconds.
const STEP: u64 = 30;

/// The step of a code as it was typed, if it is right: this one, the one before or the one behind, for
/// clocks that differ and codes that are typed slowly (RFC 6238, section 5.2).
pub(crate) fn step_of(typed: &Secret, shared: &[u8], now: Timestamp) -> Option<u64> {
    let digits: String = typed.expose().split_whitespace().collect();
    totp(shared).check(&digits, seconds(now))
}

/// The secret as people type it into an app: groups of four, base 32.
pub(crate) fn typed(shared: &[u8]) -> Secret {
    let text = base32(shared);
    let groups: Vec<&str> = text
        .expose()
        .as_bytes()
        .chunks(4)
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    Secret::from(groups.join(" "))
}

/// The same without blanks, for programs.
pub(crate) fn base32(shared: &[u8]) -> Secret {
    Secret::from(Shared::from(shared.to_vec()).to_base32())
}

/// What apps read from the picture: the address that holds secret, name and issuer.
pub(crate) fn address(shared: &[u8], email: &str) -> Secret {
    let email = utf8_percent_encode(email, NON_ALPHANUMERIC);
    let secret = base32(shared);
    Secret::from(format!(
        "otpauth://totp/{ISSUER}:{email}?secret={}&issuer={ISSUER}&algorithm=SHA1&digits=6&period={STEP}",
        secret.expose()
    ))
}

/// The picture (ISO/IEC 18004) as SVG, without styles or scripts; `None` if it were too large.
pub(crate) fn picture(shared: &[u8], email: &str) -> Option<String> {
    let code = QrCode::encode_text(address(shared, email).expose(), QrCodeEcc::Medium).ok()?;
    // A margin of four modules is part of the symbol.
    let (size, margin) = (code.size(), 4);
    let whole = size + 2 * margin;
    let mut path = String::new();
    for y in 0..size {
        for x in (0..size).filter(|x| code.get_module(*x, y)) {
            let _ = write!(path, "M{} {}h1v1h-1z", x + margin, y + margin);
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{whole}v{whole}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

fn totp(shared: &[u8]) -> Totp {
    Builder::new()
        .with_step_duration(STEP)
        .with_secret(Shared::from(shared.to_vec()))
        .build_noncompliant()
}

/// Times before 1970 have no codes of their own.
fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(code: &str, second: i64) -> Option<u64> {
        let now = Timestamp::from_second(second).unwrap();
        step_of(&Secret::from(code.to_owned()), b"12345678901234567890", now)
    }

    /// RFC 6238, appendix B, the rows for SHA-1; six of the eight digits.
    #[test]
    fn the_codes_are_those_of_the_rfc() {
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let expected = u64::try_from(second / 30).unwrap();
            assert_eq!(step(code, second), Some(expected), "{code}");
        }
    }

    #[test]
    fn one_step_to_either_side_is_good_and_no_more() {
        // The code of the step from 30 to 60.
        for second in [0, 59, 89] {
            assert_eq!(step("287082", second), Some(1), "{second}");
        }
        assert_eq!(step("287082", 90), None);
        assert_eq!(step(" 287 082 ", 59), Some(1));
        for wrong in ["", "28708", "2870822", "+28708", "28708x", "٢٨٧٠٨٢"] {
            assert_eq!(step(wrong, 59), None, "{wrong}");
        }
    }

    #[test]
    fn the_picture_holds_name_and_issuer_and_no_style() {
        let shared = b"12345678901234567890";
        let address = address(shared, "ann+x@example.com");
        assert_eq!(
            address.expose(),
            "otpauth://totp/Hallpass:ann%2Bx%40example%2Ecom?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Hallpass&algorithm=SHA1&digits=6&period=30"
        );
        assert!(typed(shared).expose().starts_with("GEZD GNBV "));
        let picture = picture(shared, "ann@example.com").unwrap();
        assert!(picture.starts_with("<svg ") && !picture.contains("style"));
        // Another person's is another.
        assert_ne!(Some(picture), super::picture(shared, "bob@example.com"));
    }
}
