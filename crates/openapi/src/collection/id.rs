//! Ids made from what they name.

/// A UUID of version 8 (RFC 9562 section 5.8) that the words, taken together, always have. The
/// digest is FNV-1a of 128 bits: it keeps a few hundred names of one document apart, and is not meant
/// to resist anybody.
pub(super) fn id(words: &[&str]) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut digest = OFFSET;
    // A byte that is in no UTF-8 text ends each word.
    for byte in words.iter().flat_map(|word| word.bytes().chain([0xff])) {
        digest = (digest ^ u128::from(byte)).wrapping_mul(PRIME);
    }
    let version = digest & !(0xf << 76) | (8 << 76);
    let variant = version & !(0b11 << 62) | (0b10 << 62);
    let digits = format!("{variant:032x}");
    [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_its_words() {
        let one = id(&["request", "ListSystems"]);
        assert_eq!(one, id(&["request", "ListSystems"]));
        let bytes = one.as_bytes();
        assert_eq!((one.len(), bytes[14]), (36, b'8'), "{one}");
        assert!(matches!(bytes[19], b'8' | b'9' | b'a' | b'b'), "{one}");
        for other in [["request", "listSystems"], ["requestL", "istSystems"]] {
            assert_ne!(one, id(&other));
        }
    }
}
