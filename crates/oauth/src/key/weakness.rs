//! Keys that must not be trusted although they work: too short, oddly made, or known to everybody.

use super::public::PublicMaterial;

/// Sizes of RSA keys that are used, in bits. The floor is RFC 7518 section 3.3; beyond the ceiling
/// one signature costs tens of milliseconds, which is a way to stop a server.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// 65537, big-endian: the one public exponent that every generator uses.
const RSA_EXPONENT: &[u8] = &[1, 0, 1];

/// Why a key is too weak to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// An RSA modulus outside the bounds.
    #[error("is an RSA key of {0} bits: make a new one of 2048 to 4096 bits")]
    RsaBits(usize),
    /// An RSA public exponent other than 65537.
    #[error("is an RSA key whose public exponent is not 65537: make a new one")]
    RsaExponent,
    /// An Ed25519 point under which anybody can make a signature.
    #[error("is an Ed25519 key of small order, for which anybody can sign: make a new one")]
    SmallOrder,
    /// A key whose private half is printed in a standard.
    #[error("is the example key of {0}, whose private half is printed there: make a new one")]
    Published(&'static str),
}

/// Refuses a weak key.
pub(super) fn check(key: &PublicMaterial) -> Result<(), Weakness> {
    match key {
        PublicMaterial::Rsa { modulus, exponent } => check_rsa(modulus, exponent)?,
        PublicMaterial::Ed25519 { x } if is_of_small_order(x) => return Err(Weakness::SmallOrder),
        PublicMaterial::Ed25519 { .. } | PublicMaterial::EcP256 { .. } => {}
    }
    let thumbprint = key.thumbprint();
    match PUBLISHED.iter().find(|known| known.0 == thumbprint) {
        Some((_, section)) => Err(Weakness::Published(section)),
        None => Ok(()),
    }
}

/// Looks at the numbers of an RSA key, big-endian without leading zeros.
pub(super) fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), Weakness> {
    let leading = modulus.first().map_or(0, |byte| byte.leading_zeros());
    let bits = modulus.len() * 8 - leading as usize;
    if !RSA_BITS.contains(&bits) {
        return Err(Weakness::RsaBits(bits));
    }
    if exponent != RSA_EXPONENT {
        return Err(Weakness::RsaExponent);
    }
    Ok(())
}

/// Keys whose private half is printed in a standard: RFC 7638 thumbprints and where they stand.
const PUBLISHED: &[(&str, &str)] = &[
    (
        "IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8",
        "RFC 7515 appendix A.2",
    ),
    (
        "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
        "RFC 7515 appendix A.3",
    ),
    (
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        "RFC 7517 appendix A and RFC 7638 section 3.1",
    ),
    (
        "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
        "RFC 7517 appendix A",
    ),
    (
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "RFC 8037 appendix A.1",
    ),
];

/// Whether the point, as RFC 8032 section 5.1.2 encodes it, is one of the eight whose multiples are
/// only themselves. A verifier that follows the RFC accepts a signature of zeros for the neutral
/// point, whatever the message.
fn is_of_small_order(x: &[u8; 32]) -> bool {
    let mut y = *x;
    y[31] &= 0x7f;
    SMALL_ORDER_Y.contains(&y)
}

/// The y coordinates of those points, little-endian: 0, 1, p-1, the two of order eight, and p and
/// p+1, which spell 0 and 1 a second time.
const SMALL_ORDER_Y: [[u8; 32]; 7] = [
    [0; 32],
    ends(0x01, 0, 0),
    ends(0xec, 0xff, 0x7f),
    ends(0xed, 0xff, 0x7f),
    ends(0xee, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::public::VerifyingKey;

    #[test]
    fn rsa_keys_outside_the_bounds_are_refused() {
        let modulus = |bytes: usize, first: u8| {
            let mut modulus = vec![0xff; bytes];
            modulus[0] = first;
            modulus
        };
        let bits = |modulus: &[u8]| check_rsa(modulus, &[1, 0, 1]);
        assert_eq!(bits(&modulus(256, 0xff)), Ok(()));
        assert_eq!(bits(&modulus(512, 0xff)), Ok(()));
        assert_eq!(bits(&modulus(128, 0xff)), Err(Weakness::RsaBits(1024)));
        assert_eq!(bits(&modulus(256, 0x7f)), Err(Weakness::RsaBits(2047)));
        assert_eq!(bits(&modulus(513, 0x01)), Err(Weakness::RsaBits(4097)));
        assert_eq!(bits(&[]), Err(Weakness::RsaBits(0)));
        for exponent in [&[3][..], &[1], &[1, 0, 3], &[0, 1, 0, 1], &[]] {
            assert_eq!(
                check_rsa(&modulus(256, 0xff), exponent),
                Err(Weakness::RsaExponent),
                "{exponent:?}"
            );
        }
    }

    /// The point 1 is neutral: with R = 1 and S = 0 the equation of RFC 8032 section 5.1.7 holds for
    /// every message. The library accepts that, so the key must never get in.
    #[test]
    fn a_point_under_which_anybody_can_sign_is_refused() {
        let neutral = PublicMaterial::Ed25519 { x: ends(1, 0, 0) };
        let mut forged = [0; 64];
        forged[0] = 1;
        let trusting = VerifyingKey::unchecked(neutral.clone()).unwrap();
        assert!(trusting.verifies(b"anything", &forged));
        assert_eq!(check(&neutral), Err(Weakness::SmallOrder));
        let signed = PublicMaterial::Ed25519 {
            x: ends(0xec, 0xff, 0xff),
        };
        assert_eq!(check(&signed), Err(Weakness::SmallOrder), "the sign bit");
    }
}
