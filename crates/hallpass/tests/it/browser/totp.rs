//! What an authenticator app does: RFC 6238 with SHA-1, six digits and thirty seconds, written again
//! so that the console's own is held against it.

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};

/// The code of one step, for a key as people type it (RFC 4648, section 6).
pub(super) fn code(key: &str, step: u64) -> String {
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &base32(key));
    let tag = sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    // RFC 4226, section 5.3: the last four bits say where the number begins.
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn base32(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text.bytes().filter(u8::is_ascii_alphanumeric) {
        let value = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit => digit - b'2' + 26,
        };
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 255).unwrap());
        }
    }
    bytes
}

/// RFC 6238, appendix B, cut to six digits.
#[test]
fn an_app_shows_what_the_rfc_says() {
    let key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    assert_eq!(code(key, 59 / 30), "287082");
    assert_eq!(code(key, 1_111_111_109 / 30), "081804");
    assert_eq!(code(key, 20_000_000_000 / 30), "353130");
}
