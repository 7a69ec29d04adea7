//! Identifiers in the shapes of the real ones (domain.md 6.6), and times as the tasks write them.

use jiff::Timestamp;
use rand_core::Rng;

/// Lower-case hexadecimal, two digits per byte.
pub(super) fn hex<const BYTES: usize>(rng: &mut dyn Rng) -> String {
    let mut bytes = [0; BYTES];
    rng.fill_bytes(&mut bytes);
    digits(&bytes)
}

/// Pools, volumes, hosts and initiators have 32 digits.
pub(super) fn object(rng: &mut dyn Rng) -> String {
    hex::<16>(rng)
}

/// Objects and systems of device-type2 have 42 digits.
pub(super) fn device_type2(rng: &mut dyn Rng) -> String {
    hex::<21>(rng)
}

/// Tasks have a random UUID (RFC 9562 section 5.4).
pub(super) fn task(rng: &mut dyn Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = digits(&bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    )
}

/// A device-type1 system is called by its serial number, such as CZ294112CB.
pub(super) fn serial(rng: &mut dyn Rng) -> String {
    let number = rng.next_u32();
    format!("CZ2{:05}{:02X}", number % 100_000, (number >> 20) & 0xff)
}

/// World-wide name of a volume: 32 digits with the maker's prefix.
pub(super) fn volume_wwn(rng: &mut dyn Rng) -> String {
    format!("60002AC0{}", hex::<12>(rng).to_uppercase())
}

/// World-wide name of a system.
pub(super) fn system_wwn(rng: &mut dyn Rng) -> String {
    format!("2FF70002AC{}", hex::<3>(rng).to_uppercase())
}

/// RFC 3339 with nanoseconds.
pub(super) fn time(moment: Timestamp) -> String {
    format!("{moment:.9}")
}

fn digits(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    let digit = |nibble| char::from_digit(u32::from(nibble), 16);
    nibbles.filter_map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    #[test]
    fn identifiers_have_the_shapes_of_the_real_ones() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        assert_eq!(object(&mut rng).len(), 32);
        assert_eq!(device_type2(&mut rng).len(), 42);
        assert_eq!(serial(&mut rng).len(), 10);
        let wwn = volume_wwn(&mut rng);
        assert_eq!((wwn.len(), wwn.starts_with("60002AC0")), (32, true));
        assert_eq!(system_wwn(&mut rng).len(), 16);
        let uuid = task(&mut rng);
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]));
    }

    #[test]
    fn times_have_nanoseconds_even_when_they_are_nought() {
        let moment = Timestamp::from_second(0).unwrap();
        assert_eq!(time(moment), "1970-01-01T00:00:00.000000000Z");
    }
}
